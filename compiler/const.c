/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../grammar/ops.h"
#include "arena.h"
#include "intern.h"
#include "regex.h"
#include "source.h"
#include "text.h"
#include "type.h"

#define TEXT_MAX 255

static const struct service {
    const char *name;
    uint16_t port;
} services[] = {
#define SERVICE(name, port) {name, port},
#include "services.def"
};

struct parser {
    struct typer *t;
    const struct lit *lit;
    const char *s;
    size_t n;
    const struct type_info *type;
    enum type_id id;
};

static bool wrong_near(struct parser *p, const char *expected, const char *hint)
{
    diag(p->t->c, RK0305, lit_place(p->t, p->lit), hint, "`%s` is not %s",
         diag_word(p->t->c, p->s, p->n), expected);
    p->t->rule->failed = true;
    return false;
}

static bool wrong(struct parser *p, const char *expected)
{
    return wrong_near(p, expected, NULL);
}

static bool parse_text(struct parser *p, bool bytes, struct value *out)
{
    if (p->n > TEXT_MAX) {
        diag(p->t->c, RK0306, lit_place(p->t, p->lit), NULL,
             "the constant has %zu bytes; at most %d can be compared", p->n, TEXT_MAX);
        p->t->rule->failed = true;
        return false;
    }
    if (!bytes && memchr(p->s, 0, p->n))
        return wrong(p, "a text: it holds a NUL byte");
    out->kind = VAL_TEXT;
    out->text = p->lit->text;
    return true;
}

/* Where byte `want` of a constant stands behind `s`, the constant's first byte in its file. */
static bool source_byte(const char *s, size_t n, bool quoted, size_t want, uint32_t *off)
{
    size_t at = quoted;
    for (; want && at < n; want--) {
        bool escape = quoted && s[at] == '\\' && at + 1 < n;
        at += !escape ? 1 : s[at + 1] == 'x' ? 4 : 2;
    }
    *off = (uint32_t)at;
    return at <= n;
}

/*
 * The place of a part of a constant, if its bytes stand in the file as the condition has them; else
 * of the whole. (A condition in double quotes has the escapes of YAML as well.)
 */
static span_id place_inside(const struct parser *p, const struct regex_error *err)
{
    const struct comp *c = p->t->c;
    struct span s = c->spans.v[p->lit->at.i];
    size_t size;
    const char *bytes = s.file ? source_text(c->sources, s.file, &size) : NULL;
    uint32_t from, to, last;
    if (!bytes || s.off > size || s.len > size - s.off)
        return lit_place(p->t, p->lit);
    bytes += s.off;
    if (!source_byte(bytes, s.len, p->lit->quoted, err->off, &from) ||
        !source_byte(bytes, s.len, p->lit->quoted, err->off + err->len, &to) ||
        !source_byte(bytes, s.len, p->lit->quoted, p->n, &last) || last + p->lit->quoted != s.len)
        return lit_place(p->t, p->lit);
    s.off += from;
    s.len = to > from ? to - from : 1;
    return node_place(p->t->c, p->t->test, span_new(p->t->c, s));
}

/* `.*`, `.+` or `.?` */
static bool is_anything(const char *s)
{
    return s[0] == '.' && s[1] && strchr("*+?", s[1]);
}

/* Plain text but for an anchor or "anything" at its ends, which Falco warns of. */
static bool plain_inside(const char *s, size_t n)
{
    size_t from = 0, to = n;
    if (n && s[0] == '^')
        from = 1;
    else if (n >= 2 && is_anything(s))
        from = 2;
    if (to > from && s[to - 1] == '$')
        to--;
    else if (to >= from + 2 && is_anything(s + to - 2))
        to -= 2;
    return from + strcspn(s + from, ".+*?^$()[]{}|\\") >= to;
}

static void hint_plain(const struct parser *p)
{
    struct comp *c = p->t->c;
    struct re_strings one = {0};
    const char *text = STR(c, p->lit->text);
    if (regex_strings(c, regex_of(c, p->lit->text), 1, &one) == 1) {
        diag(c, RK0319, lit_place(p->t, p->lit), NULL,
             "this is no pattern: `= \"%s\"` says the same",
             diag_word(c, STR(c, one.v.v[0]), STRLEN(c, one.v.v[0])));
    } else if (plain_inside(text, STRLEN(c, p->lit->text))) {
        diag(c, RK0319, lit_place(p->t, p->lit), NULL,
             "`contains`, `startswith` or `endswith` may do in place of this pattern");
    }
}

static bool parse_regex(struct parser *p, struct value *out)
{
    struct regex_error err;
    out->num = regex_row(p->t->c, p->lit->text, &err);
    if (out->num) {
        hint_plain(p);
        return true;
    }
    diag(p->t->c, RK0318, place_inside(p, &err), err.hint, "%s", err.text);
    p->t->rule->failed = true;
    return false;
}

static int hex_digit(char ch)
{
    const char *digits = "0123456789abcdefABCDEF";
    const char *at = ch ? strchr(digits, ch) : NULL;
    return !at ? -1 : at - digits < 16 ? (int)(at - digits) : (int)(at - digits) - 6;
}

/* bcontains, bstartswith: pairs of hexadecimal digits. */
static bool parse_hex(struct parser *p, struct value *out)
{
    char bytes[TEXT_MAX];
    if (p->n % 2 || p->n / 2 > sizeof(bytes))
        return wrong(p, "an even number of hexadecimal digits, at most 510");
    for (size_t i = 0; i < p->n / 2; i++) {
        int hi = hex_digit(p->s[2 * i]), lo = hex_digit(p->s[2 * i + 1]);
        if (hi < 0 || lo < 0)
            return wrong(p, "an even number of hexadecimal digits");
        bytes[i] = (char)(hi << 4 | lo);
    }
    out->kind = VAL_TEXT;
    out->text = intern_put(p->t->c->intern, bytes, p->n / 2);
    return true;
}

/* Decimal digits only, saturating. False if there is anything else, or nothing. */
static bool parse_digits(const char *s, size_t n, uint64_t *out, bool *saturated)
{
    uint64_t v = 0;
    *saturated = false;
    for (size_t i = 0; i < n; i++) {
        unsigned digit = (unsigned)(s[i] - '0');
        if (digit > 9)
            return false;
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, digit, &v)) {
            *saturated = true;
            v = UINT64_MAX;
        }
        v = *saturated ? UINT64_MAX : v;
    }
    *out = v;
    return n > 0;
}

static int64_t cut(uint64_t v, unsigned bits, bool is_signed)
{
    if (bits >= 64)
        return (int64_t)v;
    uint64_t low = v & ((1ull << bits) - 1);
    bool minus = is_signed && low >> (bits - 1);
    return (int64_t)(minus ? low | ~0ull << bits : low);
}

/* What a hexadecimal number is in decimal. */
static const char *hint_hex(const struct parser *p)
{
    char *end;
    if (p->n < 3 || p->n > 18 || p->s[0] != '0' || (p->s[1] | 32) != 'x')
        return NULL;
    unsigned long long v = strtoull(p->s, &end, 16);
    return end == p->s + p->n ? arena_printf(p->t->c->arena, "write `%llu`", v) : NULL;
}

/* As scanf has it: leading blanks, a sign, digits, the end. Cut to the type's width. */
static bool parse_number(struct parser *p, struct value *out)
{
    const char *s = p->s, *end = p->s + p->n;
    bool is_signed = p->type->base == BASE_INT, minus = false, over;
    while (s < end && (*s == ' ' || (*s >= '\t' && *s <= '\r')))
        s++;
    if (s < end && (*s == '-' || *s == '+'))
        minus = *s++ == '-';
    uint64_t v;
    if (!parse_digits(s, (size_t)(end - s), &v, &over))
        return wrong_near(p, "a decimal number", hint_hex(p));
    if (is_signed && v > INT64_MAX) {
        over = over || !minus || v > 1ull << 63;
        v = minus ? 1ull << 63 : INT64_MAX;
    }
    out->kind = VAL_NUM;
    out->num = cut(minus && (is_signed || !over) ? 0 - v : v, p->type->bits, is_signed);
    uint64_t back = minus ? 0 - (uint64_t)out->num : (uint64_t)out->num;
    /* -1 for "all ones" is a common way to write an unset id, and no mistake. */
    bool all_ones = minus && v == 1 && !is_signed;
    if (over || (back != v && !all_ones)) {
        diag(p->t->c, RK0312, lit_place(p->t, p->lit), NULL,
             is_signed ? "`%s` does not fit %u bits and means %lld here"
                       : "`%s` does not fit %u bits and means %llu here",
             diag_word(p->t->c, p->s, p->n), p->type->bits, (long long)out->num);
    }
    return true;
}

/* Falco reads a whole number of 32 bits there, too. */
static bool parse_real(struct parser *p, struct value *out)
{
    p->type = catalog_type(T_INT32);
    if (!parse_number(p, out))
        return false;
    out->num = ops_real_bits((double)out->num);
    return true;
}

static int compare_service(const void *key, const void *row)
{
    const struct parser *p = key;
    const struct service *s = row;
    size_t len = strlen(s->name);
    int d = memcmp(p->s, s->name, p->n < len ? p->n : len);
    return d ? d : p->n < len ? -1 : p->n > len;
}

/* The service whose name is like the constant, as a hint. */
static const char *service_hint(struct parser *p)
{
    unsigned limit = p->n < 6 ? 1 : 2;
    const char *best = NULL;
    for (size_t i = 0; i < sizeof(services) / sizeof(*services) && limit; i++) {
        const char *name = services[i].name;
        unsigned d = catalog_distance(p->s, p->n, name, strlen(name), limit);
        if (d <= limit) {
            best = name;
            limit = d - 1;
        }
    }
    return best ? arena_printf(p->t->c->arena, "did you mean `%s`?", best) : NULL;
}

static bool parse_port(struct parser *p, struct value *out)
{
    bool over;
    uint64_t v = 0;
    out->kind = VAL_NUM;
    if (!p->n || parse_digits(p->s, p->n, &v, &over)) {
        if (v > INT32_MAX)
            return wrong(p, "a port: 0 to 65535");
        out->num = (int64_t)(v & 0xffff);
        if (v > 0xffff) {
            diag(p->t->c, RK0312, lit_place(p->t, p->lit), NULL,
                 "port %llu is taken modulo 65536: %lld", (unsigned long long)v,
                 (long long)out->num);
        }
        return true;
    }
    const struct service *s = bsearch(p, services, sizeof(services) / sizeof(*services),
                                      sizeof(*services), compare_service);
    if (s) {
        out->num = s->port;
        return true;
    }
    return wrong_near(p, "a port number or the name of a common service", service_hint(p));
}

/* Other spellings of it, which YAML knows, and Falco elsewhere. */
static const char *hint_bool(const struct parser *p)
{
    static const char *const words[] = {"true", "false", "yes", "no", "on", "off", "1", "0"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (p->n == strlen(words[i]) && !strncasecmp(p->s, words[i], p->n))
            return i % 2 ? "write `false`" : "write `true`";
    return NULL;
}

static bool parse_bool(struct parser *p, struct value *out)
{
    bool yes = p->n == 4 && !memcmp(p->s, "true", 4);
    if (!yes && !(p->n == 5 && !memcmp(p->s, "false", 5)))
        return wrong_near(p, "`true` or `false`", hint_bool(p));
    out->kind = VAL_NUM;
    out->num = yes;
    return true;
}

static bool address(const char *s, size_t n, struct value *out)
{
    char buf[64];
    if (n >= sizeof(buf) || memchr(s, 0, n))
        return false;
    memcpy(buf, s, n);
    buf[n] = 0;
    out->family = strchr(buf, '.') ? 4 : 6;
    return inet_pton(out->family == 4 ? AF_INET : AF_INET6, buf, out->addr) == 1;
}

static bool parse_address(struct parser *p, struct value *out)
{
    out->kind = VAL_IP;
    return address(p->s, p->n, out) ||
           wrong_near(p, "an IPv4 or IPv6 address",
                      memchr(p->s, '/', p->n)
                          ? "networks are compared by fd.net, fd.snet, fd.cnet, ..."
                          : NULL);
}

static void clear_host_bits(struct value *v)
{
    unsigned bytes = v->family == 4 ? 4 : 16;
    for (unsigned i = 0; i < bytes; i++) {
        unsigned keep = v->prefix >= 8 * (i + 1) ? 8 : v->prefix > 8 * i ? v->prefix - 8 * i : 0;
        v->addr[i] = (uint8_t)(v->addr[i] & (0xff00u >> keep));
    }
}

/* A lone address, as a network. */
static const char *hint_network(const struct parser *p)
{
    struct value v;
    return address(p->s, p->n, &v) ? arena_printf(p->t->c->arena, "one address is `%.*s/%d`",
                                                  (int)p->n, p->s, v.family == 4 ? 32 : 128)
                                   : NULL;
}

static bool parse_network(struct parser *p, struct value *out)
{
    const char *slash = memchr(p->s, '/', p->n);
    uint64_t bits;
    bool over;
    out->kind = VAL_NET;
    if (!slash || !address(p->s, (size_t)(slash - p->s), out) ||
        !parse_digits(slash + 1, (size_t)(p->s + p->n - slash - 1), &bits, &over))
        return wrong_near(p, "a network: address, slash, number of bits", hint_network(p));
    unsigned most = out->family == 4 ? 32 : 128;
    if (over || (bits & 0xff) > most)
        return wrong(p, out->family == 4 ? "a network: 0 to 32 bits" : "a network: 0 to 128 bits");
    out->prefix = (uint8_t)bits;
    if (bits > 0xff) {
        diag(p->t->c, RK0312, lit_place(p->t, p->lit), NULL, "/%llu is taken modulo 256: /%u",
             (unsigned long long)bits, out->prefix);
    }
    if (out->family == 6 && !out->prefix) {
        diag(p->t->c, RK0313, lit_place(p->t, p->lit), NULL,
             "Falco refuses an IPv6 network of 0 bits; here it is every IPv6 address");
    }
    clear_host_bits(out);
    return true;
}

bool const_parse(struct typer *t, const struct lit *l, enum type_id type, enum op_id op,
                 struct value *out)
{
    struct parser p = {t, l, STR(t->c, l->text), STRLEN(t->c, l->text), catalog_type(type), type};
    *out = (struct value){0};
    switch (p.type->base) {
    case BASE_TEXT:
        return parse_text(&p, false, out) && (op != OP_REGEX || parse_regex(&p, out));
    case BASE_BYTES:
        return op == OP_BCONTAINS || op == OP_BSTARTSWITH ? parse_hex(&p, out)
                                                          : parse_text(&p, true, out);
    case BASE_INT:
    case BASE_UINT:
        return parse_number(&p, out);
    case BASE_BOOL:
        return parse_bool(&p, out);
    case BASE_PORT:
        return parse_port(&p, out);
    case BASE_IP:
        return parse_address(&p, out);
    case BASE_NET:
        return parse_network(&p, out);
    case BASE_DOUBLE:
        return parse_real(&p, out);
    case BASE_NONE:
        break;
    }
    return wrong(&p, "of a type that can be compared");
}
