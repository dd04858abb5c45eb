/* SPDX-License-Identifier: Apache-2.0 */
/* The bundle's validator: it accepts what is whole and says why it refuses what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "../../runtime/alert.h"
#include "../../runtime/lore_tell.h"
#include "bundle.h"
#include <elf.h>

#define PUT(what, value) what = (__typeof__(what))(value)

/* A key by which the event's only rule is tried: the process is called cat, a word of one bucket.
 */
static void put_class(struct bundle *b, uint32_t name, uint32_t rule)
{
    struct class_test t = {.yes = CLASS_PASS,
                           .no = CLASS_FAIL,
                           .absent = CLASS_FAIL,
                           .maybe = CLASS_PASS,
                           .kind = CT_EXISTS,
                           .slot = SLOT_OF_STR(S_FD_NAME)};
    b->class_tests[b->ntest++] = t;
    b->class_cands[b->ncand++] = (struct class_cand){.rule = rule};
    b->nclass = 2;
    b->class_rows[1] = (struct class_row){0, 1};
    b->nedge = 3;
    b->class_edges[0].edge[0] = (struct class_edge){.word = 1, .from = 1};
    for (int i = 1; i < 3; i++)
        b->class_edges[i].edge[2] = (struct class_edge){0x746163, 1 << 4 | 3, 1};
    b->keys[b->nkey++] = (struct rpk_key){name, 1 << 8 | 1 << 3, CLASS_EXACT, 0, 1, 0};
    b->nrank = 1;
    b->events[0].nkey = 1;
}

static struct bundle *sample(void)
{
    struct bundle *b = b_new();
    uint32_t name = b_ref(b, F_proc_name, -1, ""), file = b_ref(b, F_fd_name, -1, "");
    uint32_t low = b_xform(b, 1, file, 1);
    uint32_t cat = b_text(b, "cat"), etc = b_text(b, "/etc");
    uint32_t a = b_atom(b, name, OP_EQ, MOD_NONE, T_CHARBUF, cat, 1);
    uint32_t c = b_atom(b, low, OP_STARTSWITH, MOD_NONE, T_CHARBUF, etc, 1);
    uint32_t first = b_node(b, a, 1, RPK_FALSE, false);
    uint32_t r;

    b_node(b, c, 2, RPK_FALSE, false);
    b_node(b, b_atom(b, name, OP_REGEX, MOD_NONE, T_CHARBUF, b_text(b, "a*"), 1), RPK_TRUE,
           RPK_TRUE, false);
    PUT(b->values[2].num, b_regex(b));
    r = b_rule(b, "cat in etc", 4);
    b_tag(b, "T1");
    b_piece(b, "file=", NOREF);
    b_piece(b, "fd.name", file);
    b->patterns[b->npattern++] = b_str(b, "needle");
    b->names[b->nname++] = (struct rpk_name){.set = 0, .name = "bash"};
    b_event(b, EV_openat, -1);
    b_root(b, r, first);
    put_class(b, name, r);
    for (uint8_t bit = 0; bit < 2; bit++) {
        uint32_t user = b_ref(b, bit ? F_user_name : F_user_shell, -1, "");
        b->lore[b->nlore++] =
            (struct rpk_lore){.atom = b_atom(b, user, OP_EQ, MOD_NONE, T_CHARBUF, cat, 1),
                              .kind = LORE_USER,
                              .bit = bit};
    }
    return b;
}

/* Everything that a reader of a valid bundle does with it. */
static void use(const struct rpk *p)
{
    static char scratch[RECORD_SCRATCH], out[65536];
    struct ev *ev = e_new(EV_openat);
    struct record r;
    struct match m[4];
    size_t size;
    void *rec;
    unsigned n;

    e_text(ev, S_NAME, "cat");
    e_text(ev, S_FD_NAME, "/etc/shadow");
    rec = e_pack(ev, &size);
    if (record_open(&r, rec, size, NULL, scratch) == 0) {
        n = table_match(p, &r, 3, false, m, 4);
        for (unsigned i = 0; i < n; i++) {
            alert_write(&ALERT_STYLE(ALERT_JSON, "h"), p, &r, &m[i], out, sizeof(out));
            alert_write(&ALERT_STYLE(ALERT_TEXT, "h"), p, &r, &m[i], out, sizeof(out));
        }
        for (unsigned k = 0; k < LORE_KINDS; k++)
            lore_ask(p, &r, (enum lore_kind)k, &(struct lore_bits){{0}, {0}});
    }
    free(rec);
    free(ev);
}

/* Opens a copy that ends where its memory ends, so that ASan sees any byte read behind it. */
static int try_bytes(const uint8_t *bytes, size_t size, char *err, size_t errlen, bool whole_file)
{
    uint8_t *copy = malloc(size ? size : 1);
    struct rpk p;
    int rc;

    memcpy(copy, bytes, size);
    rc = whole_file ? rpk_open(&p, copy, size, err, errlen)
                    : rpk_open_section(&p, copy, size, err, errlen);
    if (rc == 0)
        use(&p);
    free(copy);
    return rc;
}

static void test_accepts(void **state)
{
    struct bundle *b = sample();
    size_t size;
    uint8_t *bytes = b_pack(b, &size);
    char err[200] = "";
    struct rpk p;

    (void)state;
    assert_int_equal(rpk_open(&p, bytes, size, err, sizeof(err)), 0);
    assert_string_equal(rpk_text(&p, p.rules[0].name), "cat in etc");
    assert_int_equal(p.head->nodes.n, 3);
    assert_int_equal(try_bytes(bytes, size, err, sizeof(err), true), 0);
    free(bytes);
    free(b);
}

static void test_empty(void **state)
{
    struct bundle *b = b_new();
    size_t size;
    uint8_t *bytes = b_pack(b, &size);
    char err[200] = "";

    (void)state;
    assert_int_equal(try_bytes(bytes, size, err, sizeof(err), true), 0);
    free(bytes);
    free(b);
}

static void test_cut(void **state)
{
    struct bundle *b = sample();
    size_t size;
    uint8_t *bytes = b_pack(b, &size);
    char err[200];

    (void)state;
    for (size_t n = 0; n < size; n++) {
        assert_int_not_equal(try_bytes(bytes, n, err, sizeof(err), false), 0);
        assert_int_not_equal(try_bytes(bytes, n, err, sizeof(err), true), 0);
    }
    free(bytes);
    free(b);
}

static void test_flipped(void **state)
{
    static const uint8_t masks[] = {0x01, 0x80, 0xff};
    struct bundle *b = sample();
    size_t size;
    uint8_t *bytes = b_pack(b, &size);
    char err[200];

    (void)state;
    for (size_t i = 0; i < size; i++)
        for (size_t m = 0; m < sizeof(masks); m++) {
            bytes[i] ^= masks[m];
            try_bytes(bytes, size, err, sizeof(err), true);
            bytes[i] ^= masks[m];
        }
    free(bytes);
    free(b);
}

struct wrong {
    void (*spoil)(struct bundle *);
    int rc;
    const char *says;
};

static void bad_edge(struct bundle *b)
{
    PUT(b->nodes[1].yes, 1);
}
static void bad_loop(struct bundle *b)
{
    PUT(b->nodes[1].no, 0);
}
static void bad_node_atom(struct bundle *b)
{
    PUT(b->nodes[0].atom, 9);
}
static void bad_root_rule(struct bundle *b)
{
    PUT(b->roots[0].rule, 5);
}
static void bad_root_node(struct bundle *b)
{
    PUT(b->roots[0].node, 3);
}
static void bad_event(struct bundle *b)
{
    PUT(b->events[0].event, EV_COUNT);
}
static void bad_sysnr(struct bundle *b)
{
    PUT(b->events[0].sysnr, 3);
}
static void bad_roots(struct bundle *b)
{
    PUT(b->events[0].nroot, 7);
}
static void bad_lhs(struct bundle *b)
{
    PUT(b->atoms[0].lhs, 77);
}
static void bad_op(struct bundle *b)
{
    PUT(b->atoms[0].op, OP_COUNT);
}
static void bad_mod(struct bundle *b)
{
    PUT(b->atoms[0].mod, 9);
}
static void bad_type(struct bundle *b)
{
    PUT(b->atoms[0].type, T_COUNT);
}
static void bad_values(struct bundle *b)
{
    PUT(b->atoms[0].nval, 0xffffffff);
}
static void bad_kind(struct bundle *b)
{
    PUT(b->values[0].kind, 0);
}
static void bad_text(struct bundle *b)
{
    PUT(b->values[0].text.off, 8000);
}
static void bad_text_end(struct bundle *b)
{
    PUT(b->values[0].text.len, 2);
}
static void bad_field(struct bundle *b)
{
    PUT(b->refs[0].field, F_COUNT);
}
static void bad_xform(struct bundle *b)
{
    PUT(b->refs[2].xform, 99);
}
static void bad_kids(struct bundle *b)
{
    PUT(b->refs[2].kid0, 2);
}
static void bad_piece(struct bundle *b)
{
    PUT(b->pieces[1].ref, 44);
}
static void bad_priority(struct bundle *b)
{
    PUT(b->rules[0].priority, 8);
}
static void bad_tags(struct bundle *b)
{
    PUT(b->rules[0].tags.n, 2);
}
static void bad_name(struct bundle *b)
{
    memset(b->names[0].name, 'x', COMM_SIZE);
}
static void bad_extra(struct bundle *b)
{
    PUT(b->plan.extra[0].kind, 99);
}

static void bad_key_ref(struct bundle *b)
{
    PUT(b->keys[0].ref, 40);
}
static void bad_key_ranks(struct bundle *b)
{
    PUT(b->keys[0].nrank, 9);
}
static void bad_rank(struct bundle *b)
{
    PUT(b->ranks[0], RULES_MAX);
}
static void bad_buckets(struct bundle *b)
{
    PUT(b->class_edges[0].edge[0].from, 5);
}
static void bad_class(struct bundle *b)
{
    PUT(b->class_rows[1].ncand, 2);
}
static void bad_cand(struct bundle *b)
{
    PUT(b->class_cands[0].test, 1);
}
static void bad_class_edge(struct bundle *b)
{
    PUT(b->class_tests[0].maybe, 0);
}
static void bad_class_test(struct bundle *b)
{
    PUT(b->class_tests[0].kind, CT_KINDS);
}
static void bad_regex_row(struct bundle *b)
{
    PUT(b->values[2].num, 1);
}
static void bad_regex_minus(struct bundle *b)
{
    PUT(b->values[2].num, -1);
}
static void bad_regex(struct bundle *b)
{
    PUT(b->words[3], 2);
}
static void bad_regex_class(struct bundle *b)
{
    PUT(b->regexes[0].ascii['z'], 2);
}
/* Many rows over the same words would be read again and again. */
static void bad_regex_shared(struct bundle *b)
{
    b_regex(b);
    PUT(b->regexes[1].word0, 0);
}
static void bad_lore_atom(struct bundle *b)
{
    PUT(b->lore[0].atom, 5);
}
static void bad_lore_kind(struct bundle *b)
{
    PUT(b->lore[1].kind, LORE_GROUP);
}
static void bad_lore_kinds(struct bundle *b)
{
    PUT(b->lore[1].kind, LORE_KINDS);
}
static void bad_lore_bit(struct bundle *b)
{
    PUT(b->lore[1].bit, LORE_BITS);
}
static void bad_lore_order(struct bundle *b)
{
    PUT(b->lore[1].bit, 0);
}
static void bad_lore_field(struct bundle *b)
{
    PUT(b->lore[0].atom, 0);
}
/* An expression over such a field is none. */
static void bad_lore_xform(struct bundle *b)
{
    PUT(b->lore[0].atom, 1);
}
static void bad_lore_index(struct bundle *b)
{
    PUT(b->refs[b->nref - 1].index, 1);
}
static void bad_lore_rhs(struct bundle *b)
{
    PUT(b->atoms[3].rhs, 0);
}

static const struct wrong wrongs[] = {
    {bad_lore_atom, -EINVAL, "lore 0: no test has number 5"},
    {bad_lore_kind, -EINVAL, "lore 1: its test is of another kind"},
    {bad_lore_kinds, -EINVAL, "lore 1: its test is of another kind"},
    {bad_lore_bit, -EINVAL, "lore 1: its test is of another kind"},
    {bad_lore_order, -EINVAL, "lore 1: out of order"},
    {bad_lore_field, -EINVAL, "lore 0: its test is of another kind"},
    {bad_lore_xform, -EINVAL, "lore 0: its test is of another kind"},
    {bad_lore_index, -EINVAL, "lore 1: its test is of another kind"},
    {bad_lore_rhs, -EINVAL, "lore 0: its test is of another kind"},
    {bad_regex_row, -EINVAL, "test 2: constant 0 is no pattern"},
    {bad_regex_minus, -EINVAL, "test 2: constant 0 is no pattern"},
    {bad_regex, -EINVAL, "regular expression 0: a transition leads nowhere"},
    {bad_regex_class, -EINVAL, "regular expression 0: class of a character"},
    {bad_regex_shared, -EINVAL, "regular expression 1: transitions outside their table"},
    {bad_edge, -EINVAL, "node 1: an edge does not lead forward"},
    {bad_loop, -EINVAL, "node 1: an edge does not lead forward"},
    {bad_node_atom, -EINVAL, "node 0: no test has number 9"},
    {bad_root_rule, -EINVAL, "root 0: no rule has number 5"},
    {bad_root_node, -EINVAL, "root 0: no node has number 3"},
    {bad_event, -EINVAL, "event row 0: no event has number"},
    {bad_sysnr, -EINVAL, "event row 0: system call 3 does not fit the event"},
    {bad_roots, -EINVAL, "event row 0: roots outside their table"},
    {bad_lhs, -EINVAL, "test 0: operand outside its table"},
    {bad_op, -EINVAL, "test 0: no operator has number"},
    {bad_mod, -EINVAL, "test 0: no modifier has number 9"},
    {bad_type, -EINVAL, "test 0: no type has number"},
    {bad_values, -EINVAL, "test 0: constants outside their table"},
    {bad_kind, -EINVAL, "test 0: constant 0 is of another type"},
    {bad_text, -EINVAL, "constant 0: text outside the string table"},
    {bad_text_end, -EINVAL, "constant 0: text does not end where it says"},
    {bad_field, -EINVAL, "operand 0: no such field"},
    {bad_xform, -EINVAL, "operand 2: no transformer has number 99"},
    {bad_kids, -EINVAL, "operand 2: arguments do not come before it"},
    {bad_piece, -EINVAL, "output piece 1: no operand has number 44"},
    {bad_priority, -EINVAL, "rule 0: no priority has number 8"},
    {bad_tags, -EINVAL, "rule 0: tags outside their table"},
    {bad_name, -EINVAL, "name 0: not terminated"},
    {bad_extra, -EINVAL, "plan: unknown text of an ancestor"},
    {bad_key_ref, -EINVAL, "key 0: no such value"},
    {bad_key_ranks, -EINVAL, "key 0: roots outside their table"},
    {bad_rank, -EINVAL, "rank 0: more than a bundle can hold"},
    {bad_buckets, -EINVAL, "bucket 0: it tells another number of buckets"},
    {bad_class, -EINVAL, "class 1: rules outside their table"},
    {bad_cand, -EINVAL, "candidate 0: no such rule or test"},
    {bad_class_edge, -EINVAL, "class test 0: an edge does not lead back"},
    {bad_class_test, -EINVAL, "class test 0: no such test"},
};

static void test_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
        struct bundle *b = sample();
        uint8_t *bytes;
        size_t size;
        char err[200] = "";

        wrongs[i].spoil(b);
        bytes = b_pack(b, &size);
        assert_int_equal(try_bytes(bytes, size, err, sizeof(err), false), wrongs[i].rc);
        if (!strstr(err, wrongs[i].says))
            fail_msg("row %zu: expected \"%s\", got \"%s\"", i, wrongs[i].says, err);
        free(bytes);
        free(b);
    }
}

/* Transformers that share their argument double the work at each level: refused. */
static void test_sharing(void **state)
{
    struct bundle *b = b_new();
    uint8_t *bytes;
    size_t size;
    char err[200] = "";

    (void)state;
    b_ref(b, F_proc_name, -1, "");
    b_ref(b, F_proc_pname, -1, "");
    for (uint32_t i = 2; i < 40; i++)
        b_xform(b, 6, i - 2, 2);
    bytes = b_pack(b, &size);
    assert_int_equal(try_bytes(bytes, size, err, sizeof(err), false), -EINVAL);
    assert_non_null(strstr(err, "too deeply nested"));
    free(bytes);
    free(b);
}

static void head_error(size_t off, uint64_t value, size_t len, int rc, const char *says)
{
    struct bundle *b = sample();
    size_t size;
    uint8_t *bytes = b_pack(b, &size);
    char err[200] = "";

    memcpy(bytes + off, &value, len);
    assert_int_equal(try_bytes(bytes, size, err, sizeof(err), false), rc);
    if (!strstr(err, says))
        fail_msg("expected \"%s\", got \"%s\"", says, err);
    free(bytes);
    free(b);
}

static void test_versions(void **state)
{
    (void)state;
    head_error(offsetof(struct rpk_head, magic), 1, 8, -ENOEXEC, "not a rule bundle");
    head_error(offsetof(struct rpk_head, version), 99, 4, -EPROTO, "format version 99");
    head_error(offsetof(struct rpk_head, catalog), 5, 8, -EPROTO, "another catalog");
    head_error(offsetof(struct rpk_head, abi), 5, 8, -EPROTO, "another event layout");
    head_error(offsetof(struct rpk_head, size), 5, 4, -EINVAL, "says it has 5 bytes");
    head_error(offsetof(struct rpk_head, rules), 12, 4, -EINVAL, "'rules' is not aligned");
    head_error(offsetof(struct rpk_head, rules), 8, 4, -EINVAL, "'rules' begins outside");
    head_error(offsetof(struct rpk_head, atoms) + 4, 0xffffffff, 4, -EINVAL, "'atoms' reaches");
}

/* An ELF object with .rulepack as its section 1 and the names as section 2. */
static uint8_t *elf_around(const uint8_t *section, size_t n, size_t *size)
{
    static const char names[] = "\0" RPK_SECTION "\0.shstrtab";
    size_t at = sizeof(Elf64_Ehdr), strs = at + n, heads = (strs + sizeof(names) + 7) & ~7ul;
    uint8_t *file = calloc(1, heads + 3 * sizeof(Elf64_Shdr));
    Elf64_Ehdr e = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                    .e_type = ET_REL,
                    .e_machine = EM_BPF,
                    .e_version = EV_CURRENT,
                    .e_ehsize = sizeof(e),
                    .e_shentsize = sizeof(Elf64_Shdr),
                    .e_shnum = 3,
                    .e_shstrndx = 2,
                    .e_shoff = heads};
    Elf64_Shdr s[3] = {
        {.sh_type = SHT_NULL},
        {.sh_name = 1, .sh_type = SHT_PROGBITS, .sh_offset = at, .sh_size = n},
        {.sh_name = 12, .sh_type = SHT_STRTAB, .sh_offset = strs, .sh_size = sizeof(names)}};

    memcpy(file, &e, sizeof(e));
    memcpy(file + at, section, n);
    memcpy(file + strs, names, sizeof(names));
    memcpy(file + heads, s, sizeof(s));
    *size = heads + sizeof(s);
    return file;
}

static void test_elf(void **state)
{
    struct bundle *b = sample();
    size_t n, size;
    uint8_t *bytes = b_pack(b, &n), *file = elf_around(bytes, n, &size);
    char err[200] = "";

    (void)state;
    assert_int_equal(try_bytes(file, size, err, sizeof(err), true), 0);
    for (size_t i = 0; i < size; i++)
        assert_int_not_equal(try_bytes(file, i, err, sizeof(err), true), 0);
    for (size_t i = 0; i < size; i++) {
        file[i] ^= 0xff;
        try_bytes(file, size, err, sizeof(err), true);
        file[i] ^= 0xff;
    }
    file[sizeof(Elf64_Ehdr) + n + 2] = 'X'; /* another section name */
    assert_int_equal(try_bytes(file, size, err, sizeof(err), true), -ENOEXEC);
    assert_non_null(strstr(err, "it has no section .rulepack"));
    free(file);
    free(bytes);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepts),  cmocka_unit_test(test_empty),
        cmocka_unit_test(test_cut),      cmocka_unit_test(test_flipped),
        cmocka_unit_test(test_wrong),    cmocka_unit_test(test_sharing),
        cmocka_unit_test(test_versions), cmocka_unit_test(test_elf),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
