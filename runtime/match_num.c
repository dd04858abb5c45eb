/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of numbers, addresses and networks. */
#include <string.h>

#include "../grammar/ops.h"
#include "match.h"

/* Cuts a number to its type's width, as constants were cut when they were compiled. */
static int64_t narrow(enum type_id type, int64_t n)
{
    const struct type_info *t = catalog_type(type);
    unsigned shift = t->bits && t->bits < 64 ? 64u - t->bits : 0;
    uint64_t up = (uint64_t)n << shift;

    return t->base == BASE_INT ? (int64_t)up >> shift : (int64_t)(up >> shift);
}

static int order(enum type_id type, int64_t a, int64_t b)
{
    enum base_type base = catalog_type(type)->base;
    uint64_t flip = base == BASE_INT ? 1ull << 63 : 0;
    uint64_t x = (uint64_t)narrow(type, a) ^ flip, y = (uint64_t)narrow(type, b) ^ flip;
    double left, right;

    if (base != BASE_DOUBLE)
        return x < y ? -1 : x > y;
    left = ops_real_of(a);
    right = ops_real_of(b);
    return left < right ? -1 : left > right;
}

enum outcome match_num(enum op_id op, enum type_id type, int64_t a, int64_t b)
{
    int o = order(type, a, b);

    switch (op) {
    case OP_EQ:
    case OP_IN:
    case OP_INTERSECTS:
        return o == 0 ? OUT_TRUE : OUT_FALSE;
    case OP_NE:
        return o != 0 ? OUT_TRUE : OUT_FALSE;
    case OP_LT:
        return o < 0 ? OUT_TRUE : OUT_FALSE;
    case OP_LE:
        return o <= 0 ? OUT_TRUE : OUT_FALSE;
    case OP_GT:
        return o > 0 ? OUT_TRUE : OUT_FALSE;
    case OP_GE:
        return o >= 0 ? OUT_TRUE : OUT_FALSE;
    case OP_EXISTS:
        return OUT_TRUE;
    case OP_BCONTAINS:
    case OP_BSTARTSWITH:
    case OP_CONTAINS:
    case OP_ENDSWITH:
    case OP_GLOB:
    case OP_ICONTAINS:
    case OP_IGLOB:
    case OP_PMATCH:
    case OP_REGEX:
    case OP_STARTSWITH:
    case OP_NONE:
    case OP_COUNT:
        break;
    }
    return OUT_FALSE; /* a type has no such operator: the compiler has refused it */
}

/* The leading `bits` of two addresses are the same. */
static bool same_prefix(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    uint8_t mask = (uint8_t)(0xff00 >> (bits % 8));

    if (memcmp(a, b, bits / 8) != 0)
        return false;
    return bits % 8 == 0 || ((a[bits / 8] ^ b[bits / 8]) & mask) == 0;
}

static enum outcome equality(enum op_id op, bool same)
{
    if (op == OP_NE)
        same = !same;
    else if (op != OP_EQ && op != OP_IN && op != OP_INTERSECTS)
        return op == OP_EXISTS ? OUT_TRUE : OUT_FALSE;
    return same ? OUT_TRUE : OUT_FALSE;
}

enum outcome match_addr(enum op_id op, struct val v, const struct rpk_value *c)
{
    unsigned bits = c->kind == 3 ? c->prefix : v.len * 8;

    return equality(op,
                    v.family == c->family && same_prefix((const uint8_t *)v.text, c->addr, bits));
}

enum outcome match_addrs(enum op_id op, struct val a, struct val b)
{
    return equality(op, a.len == b.len && memcmp(a.text, b.text, a.len) == 0);
}
