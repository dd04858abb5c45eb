/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each operator means on each type, over plain values: slow and obvious, the reference.
 *
 * For the tree walk and the checks of constants only (but for what says how a number is kept). What
 * the compiler emits and the decision table have code of their own, or the differential tests would
 * compare a thing with itself.
 *
 * Every function judges one *present* value; a test of an absent one is false whatever it says.
 * Constants are parsed already (bytes decoded, numbers cut to width). No allocation, no locale.
 */
#ifndef RULEC_OPS_H
#define RULEC_OPS_H

#include "catalog.h"

/*
 * True if the language has this operator on values of this type; `list`: on a list of them.
 */
bool ops_defined(enum op_id op, enum type_id type, bool list);

/*
 * Value against one constant. OP_IN and OP_INTERSECTS ask for equality, OP_PMATCH whether the
 * constant leads to the value; ops_combine() then joins the answers. An operator that the type does
 * not have, and OP_REGEX (compiler/regex.h), is false. OP_EXISTS is true.
 */
bool ops_text(enum op_id op, const char *a, size_t na, const char *c, size_t nc); /* to the NUL */
bool ops_bytes(enum op_id op, const char *a, size_t na, const char *c, size_t nc);
bool ops_num(enum op_id op, bool is_signed, int64_t a, int64_t c);
bool ops_real(enum op_id op, double a, double c);

/* Floating-point numbers are kept as their bits where numbers are; zero has no sign. */
double ops_real_of(int64_t bits);
int64_t ops_real_bits(double v);

struct ops_addr {
    uint8_t family;    /* 4 or 6 */
    uint8_t bytes[16]; /* network order; IPv4 in the first 4 */
};
bool ops_ip(enum op_id op, const struct ops_addr *a, const struct ops_addr *c);
/* Address against a network of `prefix` leading bits; host bits are ignored on both sides. */
bool ops_net(enum op_id op, const struct ops_addr *a, const struct ops_addr *net, unsigned prefix);

/* fd.ip, fd.port, fd.net, fd.proto: `!=` needs both sides, every other operator one of them. */
bool ops_either(enum op_id op, bool client, bool server);

/* `hits` of the `total` constants held. Without constants the answer is false, but of exists. */
bool ops_combine(enum op_id op, enum op_modifier mod, size_t hits, size_t total);

/* A list field, `hits` of its `members` among the constants. `in` wants all; none will do. */
bool ops_list(enum op_id op, size_t members, size_t hits);

/*
 * fnmatch(3) without flags, on the whole text, byte by byte as in the C locale. An unterminated
 * bracket stands for itself; a backslash at the end and an unknown class match nothing.
 */
bool ops_glob(const char *pat, size_t np, const char *text, size_t nt, bool nocase);
/* True if the components of `path`, globs among them, are the first ones of `text`. */
bool ops_pmatch(const char *text, size_t nt, const char *path, size_t np);

#endif
