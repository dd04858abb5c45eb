/* SPDX-License-Identifier: Apache-2.0 */
/* YAML into values: shapes, kinds of items, and the place of every byte. */
#include "front.h"

#include "../../compiler/arena.h"

/* The value of the first item's key `k`, or of its only other key. */
static const struct yaml *value_of_k(const struct comp *c)
{
    const struct yaml *map = &c->yaml.v[c->items.v[0].yaml];
    for (uint32_t i = 0; i < map->nkid; i += 2)
        if (!strcmp(STR(c, c->yaml.v[c->ykids.v[map->kid0 + i]].text), "k"))
            return &c->yaml.v[c->ykids.v[map->kid0 + i + 1]];
    fail();
    return NULL;
}

/* The source text that `len` bytes of the value at `off` come from, by the text map. */
static void assert_mapped(const struct comp *c, const struct yaml *y, uint32_t off,
                          const char *source)
{
    size_t len;
    const char *text = source_text(c->sources, 1, &len);
    uint32_t row = 0;
    assert_true(y->nmap > 0);
    while (row + 1 < y->nmap && c->textmap.v[y->map0 + row + 1].value_off <= off)
        row++;
    struct textmap m = c->textmap.v[y->map0 + row];
    uint32_t at = m.src_off + (off - m.value_off);
    assert_true(at + strlen(source) <= len);
    if (memcmp(text + at, source, strlen(source)) != 0) {
        print_error("expected '%s' at %u, found '%.10s'\n", source, at, text + at);
        fail();
    }
}

/* `word` is a piece of the value; it must be found in the file where the map says. */
static void words_keep_their_places(void **state)
{
    (void)state;
    static const struct {
        const char *yaml, *value, *word, *source;
    } rows[] = {
        {"plain", "plain", "plain", "plain"},
        {"one\n    two\n    three", "one two three", "three", "three"},
        {"one\n\n    two", "one\ntwo", "two", "two"},
        {"'single'", "single", "single", "single"},
        {"'it''s here'", "it's here", "here", "here"},
        {"'a\n    b\n\n    c'", "a b\nc", "c", "c'"},
        {"\"double\"", "double", "double", "double"},
        {"\"a\\tb\\x41c end\"", "a\tbAc end", "end", "end"},
        {"\"\\u00e9 x\"", "\xc3\xa9 x", "x", "x\""},
        {"\"a \\\n      b\"", "a b", "b", "b\""},
        {"\"a\n\n   \\  b\"", "a\n  b", "b", "b\""},
        {"|\n    one\n     two\n\n    three\n", "one\n two\n\nthree\n", "three", "three"},
        {"|2\n     one\n    two\n", " one\ntwo\n", "two", "two"},
        {"|-\n    one\n", "one", "one", "one"},
        {"|\n\n\n    one\n", "\n\none\n", "one", "one"},
        {">\n    one\n    two\n\n    three\n", "one two\nthree\n", "three", "three"},
        {">\n    one\n      more\n    two\n", "one\n  more\ntwo\n", "two", "two"},
        {">\n    one\n      more\n    two\n", "one\n  more\ntwo\n", "more", "more"},
        {">-\n\n    one\n    two", "\none two", "two", "two"},
        {">+\n    one\n    two\n\n", "one two\n\n\n", "two", "two"},
        {"&a !!str plain x", "plain x", "x", "x"},
        {"!!str # note\n    plain x", "plain x", "x", "x"},
        {"\xc3\xa9\xc3\xa9 x", "\xc3\xa9\xc3\xa9 x", "x", "x"},
        {"a\r\n    b\r\n    c", "a b c", "c", "c"},
        {">\r\n    a\r\n    b\r\n", "a b\n", "b", "b"},
        {"|\r\n    a\r\n    b\r\n", "a\nb\n", "b", "b"},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        char text[300];
        struct comp *c = comp_new();
        snprintf(text, sizeof(text), "# \xc3\xa9\n- rule: r\n  k: %s\n", rows[i].yaml);
        front_load(c, "t", text, strlen(text));
        assert_int_equal(c->items.n, 1);
        const struct yaml *y = value_of_k(c);
        assert_int_equal(y->kind, YAML_SCALAR);
        assert_string_equal(STR(c, y->text), rows[i].value);
        const char *word = strstr(rows[i].value, rows[i].word);
        assert_non_null(word);
        assert_mapped(c, y, (uint32_t)(word - rows[i].value), rows[i].source);
        comp_free(c);
    }
}

static void texts_and_what_they_are(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t items;
        const char *codes;
    } rows[] = {
        {"", 0, ""},
        {"# nothing\n", 0, ""},
        {"---\n---\n", 0, ""},
        {"\xef\xbb\xbf- list: a\n", 1, ""},
        {"- list: a\n---\n- macro: b\n...\n---\n- rule: c\n", 3, ""},
        {"-\n- ~\n- null\n- list: a\n", 1, ""},
        {"a: b\n", 0, "RK0108"},
        {"word\n", 0, "RK0108"},
        {"- word\n", 0, "RK0109"},
        {"- [a]\n- list: a\n", 1, "RK0109"},
        {"- a: b\n", 0, "RK0110"},
        {"- {}\n", 0, "RK0110"},
        {"- {[a]: b}\n", 0, "RK0110"},
        {"- list: [\n", 0, "RK0105"},
        {"- list: a\n\t- b\n", 0, "RK0105"},
        {"- list: \xff\n", 0, "RK0104"},
        {"- list: a\x01\n", 0, "RK0104"},
        {"- list: *a\n", 0, "RK0107"},
        {"- list: &a [*a]\n", 0, "RK0107"},
        {"- list: &a x\n---\n- list: *a\n", 1, "RK0107"}, /* anchors end with their document */
        {"- list: &a x\n- list: *a\n- list: &a y\n- list: *a\n", 4, ""},
        {"- &i {list: a}\n- *i\n", 2, ""},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        char codes[200];
        struct comp *c = comp_new();
        front_load(c, "t", rows[i].text, strlen(rows[i].text));
        assert_string_equal(found_codes(c, codes, sizeof(codes)), rows[i].codes);
        assert_int_equal(c->items.n, rows[i].items);
        comp_free(c);
    }
}

/* The first of the known keys decides, in a fixed order. */
static void kinds_of_items(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum item_kind kind;
    } rows[] = {
        {"- rule: r", ITEM_RULE},
        {"- {rule: r, macro: m}", ITEM_MACRO},
        {"- {rule: r, list: l, items: []}", ITEM_LIST},
        {"- {macro: m, required_plugin_versions: []}", ITEM_PLUGINS},
        {"- {list: l, required_engine_version: 1}", ITEM_ENGINE},
        {"- {x: y, rule: r}", ITEM_RULE},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct comp *c = comp_new();
        front_load(c, "t", rows[i].text, strlen(rows[i].text));
        assert_int_equal(c->items.v[0].kind, rows[i].kind);
        comp_free(c);
    }
}

static void null_and_text(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        enum yaml_kind kind;
    } rows[] = {
        {"", YAML_NULL},     {"~", YAML_NULL},     {"null", YAML_NULL},
        {"Null", YAML_NULL}, {"NULL", YAML_NULL},  {"nUll", YAML_SCALAR},
        {"''", YAML_SCALAR}, {"'~'", YAML_SCALAR}, {"\"null\"", YAML_SCALAR},
        {"[]", YAML_SEQ},    {"{}", YAML_MAP},     {"!!str", YAML_SCALAR},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        char text[100];
        struct comp *c = comp_new();
        snprintf(text, sizeof(text), "- rule: r\n  k: %s\n", rows[i].value);
        front_load(c, "t", text, strlen(text));
        assert_int_equal(value_of_k(c)->kind, rows[i].kind);
        comp_free(c);
    }
}

/* The place of an error of YAML, counted in bytes by libyaml or in characters. */
static void errors_have_places(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t line, column;
    } rows[] = {
        {"- list: a\n- b\xff\n", 2, 4},
        {"\xef\xbb\xbf# \xc3\xa9\n- b\x01\n", 2, 4},
        {"# \xc3\xa9\xc3\xa9\n- list: [a\n- b", 3, 4},
        {"- \xc3\xa9: *none\n", 1, 6},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct comp *c = comp_new();
        uint32_t n;
        front_load(c, "t", rows[i].text, strlen(rows[i].text));
        const struct finding *f = diags_sorted(c, &n);
        assert_int_equal(n, 1);
        const struct span *s = &c->spans.v[f[0].at.i];
        struct place p = source_place(c->sources, s->file, s->off);
        assert_int_equal(p.line, rows[i].line);
        assert_int_equal(p.column, rows[i].column);
        comp_free(c);
    }
}

static void load_repeated(struct comp *c, const char *head, const char *piece, size_t count,
                          const char *tail)
{
    size_t n = strlen(piece), len = strlen(head) + n * count + strlen(tail);
    char *text = malloc(len + 1), *p = text;
    p = stpcpy(p, head);
    for (size_t i = 0; i < count; i++)
        p = stpcpy(p, piece);
    stpcpy(p, tail);
    front_load(c, "t", text, len);
    free(text);
}

/* Depth is counted before libyaml's time grows with its square. */
static void depth_is_bounded(void **state)
{
    (void)state;
    static const struct {
        const char *piece;
        size_t count;
        const char *codes;
    } rows[] = {
        {"[", 100000, "RK0106"},
        {"{a: ", 100000, "RK0106"},
        {"- ", 100000, "RK0106"},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        char codes[200];
        struct comp *c = comp_new();
        load_repeated(c, "- list: a\n- ", rows[i].piece, rows[i].count, "\n");
        assert_string_equal(found_codes(c, codes, sizeof(codes)), rows[i].codes);
        comp_free(c);
    }
}

static void aliases_are_bounded(void **state)
{
    (void)state;
    char text[4000] = "- list: a\n  items: &a0 [x, x, x, x, x, x, x, x]\n", codes[200];
    for (int i = 1; i < 12; i++) {
        size_t len = strlen(text);
        snprintf(text + len, sizeof(text) - len,
                 "- k: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i, i - 1, i - 1,
                 i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    }
    struct comp *c = comp_new();
    front_load(c, "t", text, strlen(text));
    assert_non_null(strstr(found_codes(c, codes, sizeof(codes)), "RK0107"));
    comp_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_keep_their_places), cmocka_unit_test(texts_and_what_they_are),
        cmocka_unit_test(kinds_of_items),          cmocka_unit_test(null_and_text),
        cmocka_unit_test(errors_have_places),      cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(aliases_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
