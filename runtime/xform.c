/* SPDX-License-Identifier: Apache-2.0 */
#include "xform.h"

#include "../grammar/transform.h"
#include "get.h"

/* ---- of one text, appended to what is being made. False: the value is absent ---- */

typedef bool one_text(struct fmt *t, struct val v);

static void add_case(struct fmt *t, struct val v, char first, char last)
{
    for (uint32_t i = 0; i < v.len; i++) {
        char c = v.text[i];

        fmt_char(t, c >= first && c <= last ? (char)(c ^ 0x20) : c);
    }
}

static bool lower(struct fmt *t, struct val v)
{
    add_case(t, v, 'A', 'Z');
    return true;
}

static bool upper(struct fmt *t, struct val v)
{
    add_case(t, v, 'a', 'z');
    return true;
}

static bool base_name(struct fmt *t, struct val v)
{
    const char *slash = v.len ? memrchr(v.text, '/', v.len) : NULL;
    const char *from = slash ? slash + 1 : v.text;

    fmt_add(t, from, (size_t)(v.text + v.len - from));
    return true;
}

static int b64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? (int)(at - digits) : -1;
}

/* Padding may be missing; anything else that is not base64 makes the value absent. */
static bool b64_decode(struct fmt *t, struct val v)
{
    uint32_t acc = 0, bits = 0, n = v.len;
    size_t start = t->len;

    for (unsigned pad = 0; pad < 2 && n && n % 4 == (pad ? 3 : 0) && v.text[n - 1] == '='; pad++)
        n--;
    if (n % 4 == 1)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        int d = b64_digit(v.text[i]);

        if (d < 0)
            return false;
        acc = (acc << 6 | (uint32_t)d) & 0xffffff;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            fmt_char(t, (char)(acc >> bits));
        }
    }
    if (v.base == BASE_TEXT) /* a text ends at its first NUL */
        t->len = start + strnlen(t->buf + start, t->len - start);
    return true;
}

/* `open`: of a text that goes on the result is known as far as the text is. */
static const struct {
    one_text *fn;
    bool open;
} one_texts[XF_COUNT] = {
    [XF_TOLOWER] = {lower, true},
    [XF_TOUPPER] = {upper, true},
    [XF_BASENAME] = {base_name, false},
    [XF_B64] = {b64_decode, false},
};

/* Every text of a list. */
static struct val each_text(struct record *r, one_text *fn, struct val list)
{
    struct fmt t = scratch_begin(r);
    struct val out = list, v;

    while (val_next(&list, &v)) {
        if (!fn(&t, v))
            return val_absent();
        fmt_char(&t, '\0');
    }
    v = scratch_end(r, &t);
    if (v.state != ST_PRESENT)
        return val_unknown(); /* larger than the scratch */
    out.text = v.text;
    out.len = v.len;
    return out;
}

static struct val of_text(struct record *r, enum xform_id call, struct val v)
{
    struct val out;
    struct fmt t;

    if (v.base != BASE_TEXT && (v.base != BASE_BYTES || call != XF_B64))
        return val_unknown();
    if (v.state == ST_CUT && !one_texts[call].open)
        return val_unknown();
    if (v.is_list)
        return each_text(r, one_texts[call].fn, v);
    t = scratch_begin(r);
    if (!one_texts[call].fn(&t, v))
        return val_absent();
    out = scratch_end(r, &t);
    if (out.state == ST_PRESENT)
        out.state = v.state;
    out.base = v.base;
    return out;
}

static struct val length(struct val v)
{
    if (v.state == ST_CUT || (v.base != BASE_TEXT && v.base != BASE_BYTES))
        return val_unknown();
    return val_num(BASE_UINT, v.is_list ? v.num : v.len);
}

/* ---- of several ---- */

/*
 * The arguments one behind the other, for a list each with a NUL. Absent if one is. Each is made
 * behind those before it, and then moved up to them.
 */
static struct val gather(struct record *r, const struct rpk *p, const struct rpk_ref *f, bool list)
{
    struct fmt t = scratch_begin(r);
    enum slot_state st = ST_PRESENT;
    uint32_t used = r->used;
    struct val v;

    for (uint32_t i = 0; i < f->nkid; i++) {
        r->used = used + (uint32_t)t.len;
        v = xform_ref(r, p, f->kid0 + i);
        r->used = used;
        if (v.state == ST_ABSENT)
            return v;
        if (!val_here(v) || v.base == BASE_BYTES || v.is_list || (list && v.state == ST_CUT))
            st = ST_UNKNOWN;
        else if (st == ST_PRESENT && v.base != BASE_TEXT)
            value_text(&t, v, catalog_field((enum field_id)p->refs[f->kid0 + i].field));
        else if (st == ST_PRESENT)
            fmt_move(&t, v.text, v.len);
        if (list)
            fmt_char(&t, '\0');
        if (v.state == ST_CUT && st == ST_PRESENT)
            st = ST_CUT; /* what was joined so far is a true beginning */
    }
    v = scratch_end(r, &t);
    if (v.state == ST_PRESENT)
        v.state = (uint8_t)st;
    if (list && v.state != ST_PRESENT)
        return val_unknown();
    v.is_list = list;
    v.num = f->nkid;
    return v;
}

/* Both arguments; false with `*out` where one is absent or unknown. */
static bool both(struct record *r, const struct rpk *p, const struct rpk_ref *f, struct val v[2],
                 struct val *out)
{
    v[0] = xform_ref(r, p, f->kid0);
    v[1] = xform_ref(r, p, f->kid0 + 1);
    *out = v[0].state == ST_ABSENT || v[1].state == ST_ABSENT ? val_absent() : val_unknown();
    return v[0].state == ST_PRESENT && v[1].state == ST_PRESENT && v[0].base == BASE_TEXT &&
           v[1].base == BASE_TEXT;
}

static struct val join(struct record *r, const struct rpk *p, const struct rpk_ref *f)
{
    struct val v[2], out, one;
    struct fmt t;

    if (!both(r, p, f, v, &out) || !v[1].is_list)
        return out;
    t = scratch_begin(r);
    for (bool first = true; val_next(&v[1], &one); first = false) {
        if (!first)
            fmt_add(&t, v[0].text, v[0].len);
        fmt_add(&t, one.text, one.len);
    }
    return scratch_end(r, &t);
}

/* ---- getopt ---- */

/* One option: itself, or `?` if it is not known; and its value, if it takes one. */
struct option {
    char letter;
    bool takes;
    struct val value;
};

/* Command line arguments on the way through getopt. */
struct options {
    struct val args; /* those that are left */
    struct val arg;  /* the letters that are left of the one at hand */
    struct val known;
};

static bool is_option(struct val v)
{
    return v.len > 1 && v.text[0] == '-' && !(v.len == 2 && v.text[1] == '-');
}

static bool next_letters(struct options *o)
{
    while (o->arg.len == 0) {
        if (!val_next(&o->args, &o->arg) || !is_option(o->arg))
            return false;
        if (o->arg.text[1] == '-')
            o->arg.len = 0; /* --long */
        else
            o->arg.text++, o->arg.len--;
    }
    return true;
}

/* The next option; false: the first argument that is none, or the end. */
static bool next_option(struct options *o, struct option *out)
{
    const char *known;

    if (!next_letters(o))
        return false;
    *out = (struct option){.letter = o->arg.text[0], .value = val_text("", 0)};
    known = out->letter == ':' ? NULL : memchr(o->known.text, out->letter, o->known.len);
    o->arg.text++;
    o->arg.len--;
    if (!known) {
        out->letter = '?';
        return true;
    }
    out->takes = known + 1 < o->known.text + o->known.len && known[1] == ':';
    if (!out->takes)
        return true;
    if (o->arg.len)
        out->value = o->arg;
    else
        val_next(&o->args, &out->value);
    o->arg.len = 0;
    return true;
}

/* The last value of one option; the letter itself, if it takes none. */
static struct val last_option(struct record *r, struct options *o, char letter)
{
    struct val out = val_absent();
    struct option one;
    struct fmt t;

    while (next_option(o, &one))
        if (one.letter == letter) {
            out = one.value;
            if (!one.takes) {
                t = scratch_begin(r);
                fmt_char(&t, letter);
                out = scratch_end(r, &t);
            }
        }
    return out;
}

static struct val all_options(struct record *r, struct options *o)
{
    struct fmt t = scratch_begin(r);
    struct option one;
    struct val out;
    int64_t n = 0;

    while (next_option(o, &one)) {
        fmt_char(&t, one.letter);
        fmt_char(&t, '\0');
        n++;
        if (one.takes) {
            fmt_add(&t, one.value.text, one.value.len);
            fmt_char(&t, '\0');
            n++;
        }
    }
    out = scratch_end(r, &t);
    if (out.state != ST_PRESENT)
        return val_unknown();
    out.is_list = true;
    out.num = n;
    return out;
}

static struct val get_options(struct record *r, const struct rpk *p, const struct rpk_ref *f)
{
    struct val v[2], out;

    if (!both(r, p, f, v, &out) || !v[0].is_list)
        return out;
    struct options o = {.args = v[0], .known = v[1]};
    if (f->name.len == 1)
        return last_option(r, &o, rpk_text(p, f->name)[0]);
    return all_options(r, &o);
}

static struct val apply(struct record *r, const struct rpk *p, const struct rpk_ref *f)
{
    struct val v;

    switch ((enum xform_id)f->xform) {
    case XF_CONCAT:
        return gather(r, p, f, false);
    case XF_LIST:
        return gather(r, p, f, true);
    case XF_JOIN:
        return join(r, p, f);
    case XF_GETOPT:
        return get_options(r, p, f);
    case XF_TOLOWER:
    case XF_TOUPPER:
    case XF_BASENAME:
    case XF_B64:
    case XF_LEN:
    case XF_VAL:
    case XF_NONE:
    case XF_COUNT:
        break;
    }
    v = xform_ref(r, p, f->kid0);
    if (f->xform == XF_VAL || !val_here(v))
        return v;
    return f->xform == XF_LEN ? length(v) : of_text(r, (enum xform_id)f->xform, v);
}

struct val xform_ref(struct record *r, const struct rpk *p, uint32_t ref)
{
    const struct rpk_ref *f = &p->refs[ref];

    r->plan = &p->head->plan;
    if (f->is_literal)
        return val_text(rpk_text(p, f->name), f->name.len);
    if (f->xform)
        return apply(r, p, f);
    return record_get(r, (enum field_id)f->field, f->index, rpk_text(p, f->name));
}
