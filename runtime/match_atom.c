/* SPDX-License-Identifier: Apache-2.0 */
/* An atom over a record: constants and modifiers, fields that are sets, field against field. */
#include <string.h>

#include "get.h"
#include "match.h"
#include "xform.h"

static enum outcome not_out(enum outcome o)
{
    return o == OUT_MAYBE ? OUT_MAYBE : o == OUT_TRUE ? OUT_FALSE : OUT_TRUE;
}

/* A value that is there, against one constant. */
static enum outcome match_value(const struct rpk *p, const struct rpk_atom *a, struct val v,
                                const struct rpk_value *c)
{
    enum op_id op = (enum op_id)a->op;

    switch (c->kind) {
    case 1:
        if (v.base != BASE_TEXT && v.base != BASE_BYTES)
            return OUT_FALSE;
        if (op == OP_REGEX)
            return match_regex(p, (uint32_t)c->num, v);
        return match_text(op, v, rpk_text(p, c->text), c->text.len);
    case 0:
        if (v.text)
            return OUT_FALSE;
        return match_num(op, (enum type_id)a->type, v.num, c->num);
    default:
        if (v.base != BASE_IP && v.base != BASE_NET)
            return OUT_FALSE;
        return match_addr(op, v, c);
    }
}

/* Exactly one of the constants holds. */
static enum outcome one_of(const struct rpk *p, const struct rpk_atom *a, struct val v)
{
    unsigned sure = 0, maybe = 0;

    for (uint32_t i = 0; i < a->nval; i++) {
        enum outcome o = match_value(p, a, v, &p->values[a->val0 + i]);

        sure += o == OUT_TRUE;
        maybe += o == OUT_MAYBE;
    }
    if (sure > 1 || sure + maybe == 0)
        return OUT_FALSE;
    return maybe ? OUT_MAYBE : OUT_TRUE;
}

/* All of the constants hold; none, if there are none. */
static enum outcome all_of(const struct rpk *p, const struct rpk_atom *a, struct val v)
{
    enum outcome all = a->nval ? OUT_TRUE : OUT_FALSE;

    for (uint32_t i = 0; i < a->nval && all != OUT_FALSE; i++) {
        enum outcome o = match_value(p, a, v, &p->values[a->val0 + i]);

        if (o != OUT_TRUE)
            all = o;
    }
    return all;
}

/* The value as a constant, to be held against the others; false: it is of another kind. */
static bool as_constant(struct val v, const struct rpk_value *like, struct rpk_value *out)
{
    memset(out, 0, sizeof(*out));
    out->kind = like->kind;
    out->family = v.family;
    out->num = v.num;
    if (like->kind == 2) {
        if (v.base != BASE_IP || v.len > sizeof(out->addr))
            return false;
        memcpy(out->addr, v.text, v.len);
        return true;
    }
    return like->kind == 0 ? !v.text : v.base == BASE_TEXT || v.base == BASE_BYTES;
}

static int order_to(const struct rpk *p, const struct rpk_atom *a, struct val v,
                    const struct rpk_value *own, const struct rpk_value *c)
{
    size_t n = c->text.len;
    int order;

    if (c->kind != 1)
        return rpk_value_order(p, a->type, own, c);
    order = memcmp(v.text, rpk_text(p, c->text), v.len < n ? v.len : n);
    return order ? order : v.len < n ? -1 : v.len > n;
}

/* Is the value, known whole, one of the constants, which are in order? */
static bool is_among(const struct rpk *p, const struct rpk_atom *a, struct val v)
{
    const struct rpk_value *values = &p->values[a->val0];
    uint32_t lo = 0, hi = a->nval;
    struct rpk_value own;

    if (!as_constant(v, values, &own))
        return false;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        int order = order_to(p, a, v, &own, &values[mid]);

        if (order == 0)
            return true;
        if (order < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    return false;
}

static enum outcome any_of(const struct rpk *p, const struct rpk_atom *a, struct val v)
{
    enum outcome any = OUT_FALSE;

    if (a->sorted && v.state == ST_PRESENT)
        return is_among(p, a, v) ? OUT_TRUE : OUT_FALSE;
    for (uint32_t i = 0; i < a->nval; i++) {
        enum outcome o = match_value(p, a, v, &p->values[a->val0 + i]);

        if (o == OUT_TRUE)
            return OUT_TRUE;
        if (o == OUT_MAYBE)
            any = OUT_MAYBE;
    }
    return any;
}

/* A list, `hits` of its elements among what is asked for; `in` wants all of them, or none at all.
 */
static enum outcome list_outcome(const struct rpk_atom *a, int64_t members, int64_t hits)
{
    if (a->op == OP_IN)
        return hits == members ? OUT_TRUE : OUT_FALSE;
    return a->op == OP_INTERSECTS && hits > 0 ? OUT_TRUE : OUT_FALSE;
}

static enum outcome match_list(const struct rpk *p, const struct rpk_atom *a, struct val list)
{
    int64_t members = 0, hits = 0;
    struct val v;

    while (val_next(&list, &v)) {
        members++;
        hits += any_of(p, a, v) == OUT_TRUE;
    }
    return list_outcome(a, members, hits);
}

/* List against list. */
static enum outcome match_lists(const struct rpk_atom *a, struct val list, struct val others)
{
    int64_t members = 0, hits = 0;
    struct val v, w;

    while (val_next(&list, &v)) {
        struct val rest = others;
        bool hit = false;

        while (!hit && val_next(&rest, &w))
            hit = v.len == w.len && memcmp(v.text, w.text, v.len) == 0;
        members++;
        hits += hit;
    }
    return list_outcome(a, members, hits);
}

/* One value against the atom's constants. */
static enum outcome match_constants(const struct rpk *p, const struct rpk_atom *a, struct val v)
{
    if (v.state == ST_ABSENT)
        return OUT_FALSE;
    if (v.state != ST_PRESENT && v.state != ST_CUT)
        return OUT_MAYBE;
    if (a->op == OP_EXISTS)
        return OUT_TRUE;
    if (v.is_list)
        return match_list(p, a, v);
    if (a->mod == MOD_ONEOF)
        return one_of(p, a, v);
    return a->mod == MOD_ALLOF ? all_of(p, a, v) : any_of(p, a, v);
}

/* Without index: some ancestor, from the parent up. */
static enum outcome some_ancestor(const struct rpk *p, struct record *r, const struct rpk_atom *a,
                                  enum field_id field)
{
    enum outcome some = OUT_FALSE;

    for (int32_t i = 1; i <= ANC_MAX + 1; i++) {
        uint32_t used = r->used;
        struct val v = record_get(r, field, i, "");
        enum outcome o = match_constants(p, a, v);

        r->used = used;
        if (o == OUT_TRUE)
            return o;
        if (o == OUT_MAYBE)
            some = OUT_MAYBE;
    }
    return some;
}

static enum outcome or_out(enum outcome a, enum outcome b)
{
    return a == OUT_TRUE || b == OUT_TRUE     ? OUT_TRUE
           : a == OUT_MAYBE || b == OUT_MAYBE ? OUT_MAYBE
                                              : OUT_FALSE;
}

/*
 * fd.ip, fd.port, fd.net, fd.proto: one of the two ends satisfies the test; `!=` wants it of every
 * end there is. A socket without addresses, or no socket: false.
 */
static enum outcome either_side(const struct rpk *p, struct record *r, const struct rpk_atom *a,
                                enum field_id field)
{
    bool ports = field == F_fd_port || field == F_fd_proto;
    struct val client = record_get(r, ports ? F_fd_cport : F_fd_cip, -1, "");
    struct val server = record_get(r, ports ? F_fd_sport : F_fd_sip, -1, "");
    enum outcome c, s;

    if (client.state == ST_ABSENT)
        return match_constants(p, a, server);
    c = match_constants(p, a, client);
    if (server.state == ST_ABSENT)
        return c;
    s = match_constants(p, a, server);
    return a->op == OP_NE ? not_out(or_out(not_out(c), not_out(s))) : or_out(c, s);
}

/* Of an address the names may be many: one satisfies the test; `!=` wants it of all. */
#define NAMES_MAX 64
static bool is_name_of_address(enum field_id f)
{
    return f == F_fd_cip_name || f == F_fd_sip_name || f == F_fd_lip_name || f == F_fd_rip_name;
}

static enum outcome some_name(const struct rpk *p, struct record *r, const struct rpk_atom *a,
                              enum field_id field)
{
    struct val v = record_get(r, field, -1, "");
    enum outcome all = match_constants(p, a, v);

    for (int32_t i = 1; i < NAMES_MAX && v.state == ST_PRESENT; i++) {
        enum outcome o;

        v = record_get(r, field, i, "");
        if (v.state != ST_PRESENT)
            break;
        o = match_constants(p, a, v);
        all = a->op == OP_NE ? not_out(or_out(not_out(all), not_out(o))) : or_out(all, o);
    }
    return all;
}

static enum outcome match_fields(const struct rpk *p, struct record *r, const struct rpk_atom *a)
{
    struct val v = xform_ref(r, p, a->lhs), w = xform_ref(r, p, a->rhs);
    enum op_id op = (enum op_id)a->op;

    if (v.state == ST_ABSENT || w.state == ST_ABSENT)
        return OUT_FALSE;
    if ((v.state != ST_PRESENT && v.state != ST_CUT) || w.state != ST_PRESENT)
        return OUT_MAYBE;
    if (v.is_list || w.is_list)
        return v.is_list && w.is_list ? match_lists(a, v, w) : OUT_FALSE;
    if (op == OP_IN || op == OP_INTERSECTS)
        op = OP_EQ;
    if (v.base == BASE_IP || v.base == BASE_NET)
        return w.base == v.base ? match_addrs(op, v, w) : OUT_FALSE;
    if (!v.text != !w.text)
        return OUT_FALSE;
    return v.text ? match_text(op, v, w.text, w.len)
                  : match_num(op, (enum type_id)a->type, v.num, w.num);
}

/* evt.rawarg: numbers are compared in the type that this event's parameter has. */
static struct rpk_atom raw_atom(const struct rpk *p, const struct record *r,
                                const struct rpk_atom *a)
{
    struct rpk_str name = p->refs[a->lhs].name;
    enum event_id event = (enum event_id)r->h->event;
    int i = catalog_param_index(event, rpk_text(p, name), name.len);
    const struct param_info *param = i < 0 ? NULL : catalog_param(event, (unsigned)i);
    enum base_type base = param ? catalog_type(param->type)->base : BASE_NONE;
    struct rpk_atom raw = *a;

    if (base == BASE_INT || base == BASE_UINT)
        raw.type = (uint8_t)param->type;
    return raw;
}

enum outcome match_atom(const struct rpk *p, struct record *r, const struct rpk_atom *a)
{
    const struct rpk_ref *f = &p->refs[a->lhs];
    struct rpk_atom raw;
    uint32_t used = r->used, flags = catalog_field((enum field_id)f->field)->flags;
    enum outcome o;

    r->plan = &p->head->plan;
    if (f->field == F_evt_rawarg) {
        raw = raw_atom(p, r, a);
        a = &raw;
    }
    if (a->rhs != RPK_NO_REF)
        o = match_fields(p, r, a);
    else if (f->field && (flags & FF_ANCESTOR) && f->index < 0 && !f->name.len)
        o = some_ancestor(p, r, a, (enum field_id)f->field);
    else if (f->field && (flags & FF_EITHER_SIDE))
        o = either_side(p, r, a, (enum field_id)f->field);
    else if (is_name_of_address((enum field_id)f->field))
        o = some_name(p, r, a, (enum field_id)f->field);
    else
        o = match_constants(p, a, xform_ref(r, p, a->lhs));
    r->used = used; /* texts made for this test are done with */
    return o;
}
