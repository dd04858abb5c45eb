/* SPDX-License-Identifier: Apache-2.0 */
#include "xform.h"

#include "get.h"

static struct val change_case(struct record *r, struct val v, char first, char last)
{
    struct fmt t = scratch_begin(r);
    uint8_t state = v.state, base = v.base;

    for (uint32_t i = 0; i < v.len; i++) {
        char c = v.text[i];

        fmt_char(&t, c >= first && c <= last ? (char)(c ^ 0x20) : c);
    }
    v = scratch_end(r, &t);
    if (v.state == ST_PRESENT)
        v.state = state;
    v.base = base;
    return v;
}

static struct val base_name(struct val v)
{
    const char *slash = v.len ? memrchr(v.text, '/', v.len) : NULL;

    if (v.state == ST_CUT)
        return val_unknown();
    return slash ? val_text(slash + 1, (size_t)(v.text + v.len - slash - 1)) : v;
}

static int b64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? (int)(at - digits) : -1;
}

/* Padding may be missing; anything else that is not base64 makes the value absent. */
static struct val b64_decode(struct record *r, struct val v)
{
    struct fmt t = scratch_begin(r);
    uint32_t acc = 0, bits = 0, n = v.len;
    uint8_t base = v.base;

    if (v.state == ST_CUT)
        return val_unknown();
    for (unsigned pad = 0; pad < 2 && n && n % 4 == (pad ? 3 : 0) && v.text[n - 1] == '='; pad++)
        n--;
    if (n % 4 == 1)
        return val_absent();
    for (uint32_t i = 0; i < n; i++) {
        int d = b64_digit(v.text[i]);

        if (d < 0)
            return val_absent();
        acc = (acc << 6 | (uint32_t)d) & 0xffffff;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            fmt_char(&t, (char)(acc >> bits));
        }
    }
    v = scratch_end(r, &t);
    v.base = base;
    if (base == BASE_TEXT)
        v.len = (uint32_t)strnlen(v.text, v.len);
    return v;
}

static struct val text_length(struct val v)
{
    return v.state == ST_CUT ? val_unknown() : val_num(BASE_UINT, v.len);
}

static struct val concat(struct record *r, const struct rpk *p, const struct rpk_ref *f)
{
    enum slot_state st = ST_PRESENT;
    struct fmt t = scratch_begin(r);
    uint32_t used = r->used;
    struct val v;

    t.cap /= 2; /* the parts are made behind what is being built */
    r->used += (uint32_t)t.cap;
    for (uint32_t i = 0; i < f->nkid; i++) {
        v = xform_ref(r, p, f->kid0 + i);
        if (v.state == ST_ABSENT) {
            r->used = used;
            return v;
        }
        if (!val_here(v))
            st = ST_UNKNOWN;
        else if (st == ST_PRESENT)
            fmt_add(&t, v.text, v.len);
        if (v.state == ST_CUT && st == ST_PRESENT)
            st = ST_CUT; /* what was joined so far is a true beginning */
    }
    r->used = used;
    v = scratch_end(r, &t);
    if (v.state == ST_PRESENT)
        v.state = (uint8_t)st;
    return v;
}

static struct val apply(struct record *r, const struct rpk *p, const struct rpk_ref *f)
{
    struct val v;

    if (f->xform == RX_CONCAT)
        return concat(r, p, f);
    if (f->xform == RX_JOIN || f->xform == RX_GETOPT)
        return val_unknown(); /* of lists, which no field of this version gives */
    v = xform_ref(r, p, f->kid0);
    if (f->xform == RX_VAL || !val_here(v))
        return v;
    if (v.base != BASE_TEXT && v.base != BASE_BYTES)
        return val_unknown();
    switch (f->xform) {
    case RX_TOLOWER:
        return change_case(r, v, 'A', 'Z');
    case RX_TOUPPER:
        return change_case(r, v, 'a', 'z');
    case RX_BASENAME:
        return base_name(v);
    case RX_B64:
        return b64_decode(r, v);
    case RX_LEN:
        return text_length(v);
    default:
        return val_unknown();
    }
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
