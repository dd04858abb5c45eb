/* SPDX-License-Identifier: Apache-2.0 */
/* Values as the text that outputs show. */
#include "get.h"

#include <stdio.h>
#include "../grammar/ops.h"
#include "xform.h"

#define LIST_SHOWN 1023 /* bytes of a list */

static void number_text(struct fmt *t, struct val v, const struct field_info *f)
{
    enum num_format format = f ? f->format : FMT_DEC;
    uint8_t bits = f ? catalog_type(f->type)->bits : 64;
    uint64_t u = (uint64_t)v.num;

    if (bits && bits < 64)
        u &= (1ull << bits) - 1;
    if (v.base == BASE_BOOL)
        fmt_str(t, v.num ? "true" : "false");
    else if (format == FMT_HEX)
        fmt_unsigned(t, u, 16, 1);
    else if (format == FMT_OCT)
        fmt_unsigned(t, u, 8, 1);
    else if (format == FMT_PADDED_DEC)
        fmt_unsigned(t, u, 10, 9);
    else if (v.base == BASE_INT)
        fmt_signed(t, v.num);
    else
        fmt_unsigned(t, u, 10, 1);
}

/* `(a,b)`, as much as LIST_SHOWN bytes hold. */
static void list_text(struct fmt *t, struct val list)
{
    struct fmt part = fmt_in(t->buf + t->len, t->cap - t->len);
    struct val v;

    if (part.cap > LIST_SHOWN)
        part.cap = LIST_SHOWN;
    fmt_char(&part, '(');
    for (bool first = true; val_next(&list, &v); first = false) {
        if (!first)
            fmt_char(&part, ',');
        fmt_add(&part, v.text, v.len);
    }
    fmt_char(&part, ')');
    t->len += part.len;
    t->full = t->full || (part.full && part.cap < LIST_SHOWN);
}

void value_text(struct fmt *t, struct val v, const struct field_info *f)
{
    char digits[40];

    if (!val_here(v))
        return;
    if (v.is_list) {
        list_text(t, v);
        return;
    }
    switch ((enum base_type)v.base) {
    case BASE_TEXT:
        fmt_add(t, v.text, v.len);
        break;
    case BASE_BYTES:
        for (uint32_t i = 0; i < v.len; i++)
            fmt_char(t, v.text[i] >= 0x20 && v.text[i] < 0x7f ? v.text[i] : '.');
        break;
    case BASE_IP:
    case BASE_NET:
        fmt_addr(t, v.text, v.len);
        break;
    case BASE_DOUBLE:
        snprintf(digits, sizeof(digits), "%.1f", ops_real_of(v.num));
        fmt_str(t, digits);
        break;
    case BASE_INT:
    case BASE_UINT:
    case BASE_BOOL:
    case BASE_PORT:
    case BASE_NONE:
        number_text(t, v, f);
        break;
    }
}

/* All ancestors from the parent up, blank between. */
static struct val all_ancestors(struct record *r, enum field_id field)
{
    struct fmt t = scratch_begin(r);
    uint32_t used = r->used;
    bool cut = false;
    struct val v;

    t.cap /= 2;
    r->used += (uint32_t)t.cap;
    for (int32_t i = 1; i <= ANC_MAX; i++) {
        v = record_get(r, field, i, "");
        if (v.state == ST_ABSENT)
            break;
        if (i > 1)
            fmt_char(&t, ' ');
        if (val_here(v))
            fmt_add(&t, v.text, v.len);
        else
            fmt_str(&t, "<NA>");
        cut |= v.state != ST_PRESENT;
        if (v.state == ST_UNKNOWN && i > r->h->anc_count)
            break;
    }
    r->used = used;
    v = scratch_end(r, &t);
    if (v.len == 0)
        return val_absent();
    if (cut)
        v.state = ST_CUT;
    return v;
}

struct val output_value(struct record *r, const struct rpk *p, uint32_t ref)
{
    const struct rpk_ref *f = &p->refs[ref];
    const struct field_info *info = f->field ? catalog_field((enum field_id)f->field) : NULL;

    if (info && (info->flags & FF_EITHER_SIDE))
        return val_absent(); /* both ends: a test only */
    if (info && info->source == SRC_ANC && f->index < 0)
        return f->field == F_proc_apid ? get_field(r, F_proc_pid)
                                       : all_ancestors(r, (enum field_id)f->field);
    return xform_ref(r, p, ref);
}
