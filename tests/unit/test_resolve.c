/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Items into rules. Rows named after a section of the language's description say literally what
 * stands there; runs of blanks count as one in them.
 */
#include "front.h"

#include "../../compiler/arena.h"

/* The rule called `name`. */
static const struct rule *rule_of(const struct comp *c, const char *name)
{
    for (uint32_t i = 1; i < c->rules.n; i++)
        if (!strcmp(STR(c, c->rules.v[i].name), name))
            return &c->rules.v[i];
    print_error("no rule %s\n", name);
    fail();
    return NULL;
}

static void assert_substituted(const char *yaml, const char *want)
{
    char got[2000];
    struct comp *c = front_resolve(yaml);
    front_squeeze(STR(c, rule_of(c, "r")->condition_final), got);
    if (strcmp(got, want) != 0)
        print_error("in %s\n", yaml);
    assert_string_equal(got, want);
    comp_free(c);
}

static void assert_codes(const char *yaml, const char *want)
{
    char codes[500];
    struct comp *c = front_resolve(yaml);
    if (strcmp(found_codes(c, codes, sizeof(codes)), want) != 0)
        print_error("in %s\n", yaml);
    assert_string_equal(codes, want);
    comp_free(c);
}

/* Section 2.1, and what else follows from its steps. */
static void lists_are_text(void **state)
{
    (void)state;
    static const struct {
        const char *condition, *after;
    } rows[] = {
        {"proc.name in (mid)", "proc.name in ( cat, dog, cow )"},
        {"proc.name = \"a mid b\"", "proc.name = \"a cat, dog, cow b\""},
        {"fd.name = \"(inner)\"", "fd.name = \"( cat, dog )\""},
        {"proc.name in (a, e, b)", "proc.name in (a , b)"},
        {"proc.name in (e)", "proc.name in ( )"},
        {"fd.name = inner", "fd.name = cat, dog "},
        {"fd.name = /mid", "fd.name = /mid"},
        {"fd.name = mid*", "fd.name = mid*"},
        {"fd.name = mid.x", "fd.name = mid.x"},
        {"fd.name = \"mid\"", "fd.name = \"mid\""},
        {"proc.name in (e, a)", "proc.name in ( a)"},
        {"proc.name in (a, e)", "proc.name in (a )"},
        {"proc.name in (e, e)", "proc.name in ( )"},
        {"proc.name in (inner,inner)", "proc.name in ( cat, dog , cat, dog )"},
        {"proc.name in (innerx, xinner, inner)", "proc.name in (innerx, xinner, cat, dog )"},
        {"proc.name=inner", "proc.name= cat, dog "},
        {"proc.name in (mid, e, inner)", "proc.name in ( cat, dog, cow , cat, dog )"},
        {"proc.name in\n  (inner)", "proc.name in\n ( cat, dog )"},
        {"evt.type=open and proc.name=a", "evt.type=open or proc.name=a"},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        char yaml[1000];
        snprintf(yaml, sizeof(yaml),
                 "- list: inner\n  items: [cat, dog]\n- list: mid\n  items: [inner, cow]\n"
                 "- list: e\n  items: []\n- list: and\n  items: [or]\n"
                 "- rule: r\n  desc: d\n  output: o\n  priority: INFO\n  condition: |-\n    %s\n",
                 rows[i].condition);
        if (!strchr(rows[i].condition, '\n'))
            assert_substituted(yaml, rows[i].after);
    }
}

/* Sections 2.2 and 2.3: what an item becomes, and lists in lists. */
static void items_of_lists(void **state)
{
    (void)state;
    static const struct {
        const char *lists, *name, *after;
    } rows[] = {
        {"- list: l\n  items: [a b]\n", "l", "\"a b\""},
        {"- list: l\n  items: [\"'c d'\"]\n", "l", "'c d'"},
        {"- list: l\n  items: [x=y]\n", "l", "x=y"},
        {"- list: l\n  items: ['n,o']\n", "l", "n,o"},
        {"- list: l\n  items: ['\"a \\\" b\"']\n", "l", "\"a \\\" b\""},
        {"- list: l\n  items: ['', '', a, '', b]\n", "l", "a, , b"},
        {"- list: l\n  items: [1, true, 0x10]\n", "l", "1, true, 0x10"},
        {"- list: inner\n  items: [cat, dog]\n- list: mid\n  items: [inner, cow]\n"
         "- list: outer\n  items: [mid, pig]\n",
         "outer", "inner, cow, pig"},
        {"- list: outer\n  items: [mid, pig]\n- list: mid\n  items: [inner, cow]\n"
         "- list: inner\n  items: [cat, dog]\n",
         "outer", "cat, dog , cow , pig"},
        {"- list: a\n  items: [b]\n- list: b\n  items: [x]\n- list: a\n  append: true\n"
         "  items: [y]\n",
         "a", "x, y"},
        {"- list: l\n  items: [l, x]\n", "l", "l, x"},
        {"- list: l\n  items: [a]\n- list: l\n  items: [b]\n", "l", "b"},
        {"- list: l\n  items: [a]\n- list: l\n  items: [b]\n  override: {items: append}\n", "l",
         "a, b"},
        {"- list: l\n  items: [a]\n- list: l\n  items: [b]\n  override: {items: replace}\n", "l",
         "b"},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        char yaml[1000], want[200];
        snprintf(yaml, sizeof(yaml), "%s%s", rows[i].lists,
                 "- rule: r\n  desc: d\n  output: o\n  priority: INFO\n"
                 "  condition: proc.name in (LIST)\n");
        char *at = strstr(yaml, "LIST");
        memmove(at + strlen(rows[i].name), at + 4, strlen(at + 4) + 1);
        memcpy(at, rows[i].name, strlen(rows[i].name));
        snprintf(want, sizeof(want), "proc.name in ( %s )", rows[i].after);
        assert_substituted(yaml, want);
    }
}

#define HEAD "- rule: r\n  desc: d\n  output: o\n  priority: INFO\n"
#define BODY HEAD "  condition: m\n"
#define MACRO(name, text) "- macro: " name "\n  condition: " text "\n"

/* Sections 1.5, 1.6 and 1.8: texts put together. */
static const struct {
    const char *yaml, *after;
} text_rows[] = {
    {HEAD "  condition: proc.name=a or proc.name=b\n"
          "- rule: r\n  append: true\n  condition: and fd.num=0\n",
     "proc.name=a or proc.name=b and fd.num=0"},
    {HEAD "  condition: (fd.num=1\n- rule: r\n  append: true\n  condition: or fd.num=2)\n",
     "(fd.num=1 or fd.num=2)"},
    {BODY "- rule: r\n  override: {condition: replace}\n  condition: fd.num=1\n", "fd.num=1"},
    {BODY "- rule: r\n  override: {condition: append, output: replace}\n"
          "  condition: and fd.num=1\n  output: x\n",
     "m and fd.num=1"},
    {BODY "- rule: r\n  desc: e\n  output: o\n  priority: INFO\n  condition: fd.num=2\n",
     "fd.num=2"},
    {BODY "  exceptions: []\n", "m"},
    {BODY "  exceptions:\n  - {name: e, fields: [proc.name]}\n", "(m)"},
    {BODY "  exceptions:\n  - name: known_pairs\n    fields: [proc.name, fd.name]\n"
          "    comps: [=, startswith]\n    values: [[cp, /tmp], [mv, /var]]\n"
          "  - name: known_users\n    fields: user.name\n    comps: in\n"
          "    values: [alice, bob]\n",
     "(m) and not (( proc.name = cp and fd.name startswith /tmp) or "
     "( proc.name = mv and fd.name startswith /var)) and not (user.name in (alice, bob))"},
    {BODY "  exceptions:\n  - {name: e, fields: proc.name, values: [a b, \"'c d'\"]}\n",
     "(m) and not (proc.name in (\"a b\", 'c d'))"},
    {BODY "  exceptions:\n  - name: e\n    fields: [proc.name, fd.name]\n"
          "    comps: [in, pmatch]\n    values: [[[a, b c], /x], [(p), '/y, /z']]\n",
     "(m) and not (( proc.name in (a, \"b c\") and fd.name pmatch (/x)) or "
     "( proc.name in (p) and fd.name pmatch (/y, /z)))"},
    {BODY "  exceptions:\n  - {name: e, fields: [proc.name], values: [[a b]]}\n",
     "(m) and not (( proc.name = \"a b\"))"},
    {BODY "  exceptions:\n  - name: e\n    fields: proc.name\n    comps: ' startswith anyof '\n"
          "    values: [a]\n",
     "(m) and not (proc.name startswith anyof (a))"},
    {BODY "  exceptions:\n  - {name: e, fields: proc.name, values: [a]}\n"
          "- rule: r\n  append: true\n  exceptions:\n  - {name: e, values: [b]}\n"
          "  - {name: f, fields: fd.name, values: [c]}\n",
     "(m) and not (proc.name in (a, b)) and not (fd.name in (c))"},
    {BODY "  exceptions:\n  - {name: e, fields: proc.name, values: [a]}\n"
          "- rule: r\n  override: {exceptions: replace}\n  exceptions:\n"
          "  - {name: e, fields: proc.pname, values: [b]}\n",
     "(m) and not (proc.pname in (b))"},
    {"- list: l\n  items: [x, y]\n" BODY
     "  exceptions:\n  - {name: e, fields: proc.name, values: [l]}\n",
     "(m) and not (proc.name in ( x, y ))"},
};

static void texts_of_conditions(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(text_rows); i++) {
        char yaml[2000];
        snprintf(yaml, sizeof(yaml), "%s%s", MACRO("m", "fd.num=9"), text_rows[i].yaml);
        assert_substituted(yaml, text_rows[i].after);
        assert_codes(yaml, strstr(yaml, "append: true") ? "RK0209" : "");
    }
}

/* Section 3, and the rows of section 11 about macros. */
static void macros(void **state)
{
    (void)state;
    static const struct {
        const char *yaml, *codes;
    } rows[] = {
        {BODY, "RK0219"},
        {BODY MACRO("m", "fd.num=1"), ""},
        {MACRO("a", "b") MACRO("b", "fd.num=1") MACRO("m", "a") BODY, "RK0221"},
        {MACRO("a", "b") MACRO(
             "b", "fd.num=1") "- macro: a\n  append: true\n  condition: or b\n" MACRO("m", "a")
             BODY,
         "RK0209"},
        {MACRO("m", "m") BODY, "RK0220"},
        {MACRO("m", "fd.num=1") MACRO("m", "m or fd.num=2") BODY, "RK0220"},
        {MACRO("a", "fd.num=1") MACRO("b", "a") MACRO("a", "b") MACRO("m", "a") BODY, "RK0220"},
        {MACRO("m", "foo.bar = 1 and x.y exists") HEAD "  condition: fd.num=1\n", ""},
        {MACRO("m", "fd.num=1 or") BODY, "RK0230"}, /* its use says nothing more */
        {MACRO("m", "fd.num like 1"), "RK0231"},    /* wrong though unused */
        {"- list: m\n  items: ['fd.num>1']\n" MACRO("m", "fd.num=1") BODY, ""},
        {MACRO("9m", "fd.num=1") MACRO("m", "fd.num=1") BODY, "RK0210"},
    };
    for (size_t i = 0; i < ROWS(rows); i++)
        assert_codes(rows[i].yaml, rows[i].codes);
}

/* A tree in one line; only what these tests need. */
static void print_tree(const struct comp *c, FILE *out, node_id id)
{
    const struct node n = c->nodes.v[id.i];
    if (n.kind == NODE_TEST) {
        fputs(STR(c, c->lits.v[n.lit0].text), out);
        return;
    }
    fputs(n.kind == NODE_AND ? "and(" : n.kind == NODE_OR ? "or(" : "not(", out);
    for (uint32_t i = 0; i < n.nkid; i++) {
        fputs(i ? ", " : "", out);
        print_tree(c, out, c->kids.v[n.kid0 + i]);
    }
    fputc(')', out);
}

static void macros_are_trees(void **state)
{
    (void)state;
    static const struct {
        const char *yaml, *tree;
    } rows[] = {
        {MACRO("m", "fd.num=1 or fd.num=2") HEAD "  condition: not m\n", "not(or(1, 2))"},
        {MACRO("m", "fd.num=1 or fd.num=2") HEAD "  condition: m and fd.num=3\n",
         "and(or(1, 2), 3)"},
        {MACRO("m", "fd.num=1 or fd.num=2") "- macro: m\n  condition: and fd.num=3\n"
                                            "  override: {condition: append}\n" BODY,
         "or(1, and(2, 3))"},
        {MACRO("a", "fd.num=1") MACRO("m", "a and a") HEAD "  condition: m or m\n",
         "or(and(1, 1), and(1, 1))"},
        {MACRO("m", "fd.num=1") BODY MACRO("m", "fd.num=2"), "2"}, /* all users change */
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        char tree[200] = "";
        struct comp *c = front_resolve(rows[i].yaml);
        FILE *out = fmemopen(tree, sizeof(tree), "w");
        assert_true(rule_of(c, "r")->condition.i != 0);
        print_tree(c, out, rule_of(c, "r")->condition);
        fclose(out);
        assert_string_equal(tree, rows[i].tree);
        comp_free(c);
    }
}

/* A macro that only a later file defines is not there for an earlier one. */
static void files_stand_on_earlier_ones(void **state)
{
    (void)state;
    static const char macro[] = MACRO("m", "fd.num=1");
    static const struct {
        const char *first, *second, *codes;
    } rows[] = {
        {macro, BODY, ""},
        {BODY, macro, "RK0221"},
        {MACRO("m", "fd.num=2") BODY, macro, ""},
        {"- list: l\n  items: [a]\n", HEAD "  condition: proc.name in (l)\n", ""},
        {HEAD "  condition: proc.name in (lll)\n", "- list: lll\n  items: [a]\n", ""},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        char codes[100];
        struct comp *c = comp_new();
        front_load(c, "1.yaml", rows[i].first, strlen(rows[i].first));
        front_load(c, "2.yaml", rows[i].second, strlen(rows[i].second));
        pass_resolve(c);
        assert_string_equal(found_codes(c, codes, sizeof(codes)), rows[i].codes);
        comp_free(c);
    }
}

/* Section 1: shapes, keys, changes. Each row goes behind macro m. */
static const struct {
    const char *yaml, *codes;
} item_rows[] = {
    {BODY, ""},
    {"- rule: r\n  desc: d\n  condition: m\n", "RK0201"},
    {"- rule: r\n", "RK0201"},
    {"- rule: ''\n", "RK0202"},
    {"- rule: [a]\n", "RK0202"},
    {"- macro: x\n", "RK0201"},
    {"- list: x\n", "RK0201"},
    {"- list: x\n  items: a\n", "RK0202"},
    {"- list: x\n  items: [a, ~]\n", "RK0202"},
    {"- list: x\n  items: ['']\n", ""},
    {BODY "  enabled:\n", "RK0202"},
    {BODY "  enabled: YES\n", ""},
    {BODY "  enabled: yEs\n", "RK0203"},
    {BODY "  enabled: 1\n", "RK0203"},
    {BODY "  capture_duration: 0x10\n", ""},
    {BODY "  capture_duration: -1\n", "RK0203"},
    {BODY "  capture_duration: 4294967296\n", "RK0203"},
    {BODY "  capture_duration: 08\n", "RK0203"},
    {BODY "  colour: red\n", "RK0111"},
    {BODY "  condition: fd.num=2\n", "RK0112"},
    {BODY "  tags: [b, a, b]\n", ""},
    {BODY "  tags: a\n", "RK0202"},
    {BODY "  tags: [a, ~]\n", "RK0202"},
    {BODY "  source: other\n", "RK0208"},
    {BODY "  source: other\n- rule: r\n  append: true\n  condition: or x\n", "RK0208 RK0209"},
    {BODY "- rule: r\n  desc: d\n  output: o\n  priority: INFO\n  condition: m\n  source: x\n",
     "RK0207"},
    {BODY "- rule: r\n  append: true\n  source: x\n  condition: and m\n", "RK0209 RK0207"},
    {BODY "- rule: r\n  append: true\n  source:\n  condition: and m\n", "RK0209"},
    {BODY "- rule: r\n  append: true\n", "RK0246 RK0209"},
    {BODY "- rule: r\n  append: true\n  condition: and m\n  tags: [x]\n", "RK0209"},
    {BODY "- rule: r\n  append: false\n  desc: d\n  output: o\n  priority: INFO\n"
          "  condition: m\n",
     ""},
    {"- rule: r\n  append: true\n  condition: and m\n", "RK0206 RK0209"},
    {"- list: x\n  append: true\n  items: [a]\n", "RK0206 RK0209"},
    {"- macro: x\n  append: true\n  condition: or m\n", "RK0206 RK0209"},
    {BODY "- rule: r\n  enabled: false\n", "RK0209"},
    {"- rule: r\n  enabled: false\n", "RK0206 RK0209"},
    {BODY "- rule: r\n  override: {condition: append}\n  condition: and m\n  output: x\n",
     "RK0205"},
    {BODY "- rule: r\n  override: {priority: append}\n  priority: INFO\n", "RK0205"},
    {BODY "- rule: r\n  override: {condition: delete}\n  condition: m\n", "RK0205"},
    {BODY "- rule: r\n  override: {colour: replace}\n", "RK0205"},
    {BODY "- rule: r\n  override: {condition: replace}\n", "RK0205"},
    {BODY "- rule: r\n  override: {condition: append, condition: replace}\n  condition: m\n",
     "RK0205"},
    {BODY "- rule: r\n  override: {condition: append}\n  append: true\n  condition: or m\n",
     "RK0205"},
    {"- rule: r\n  override: {condition: append}\n  condition: or m\n", "RK0206"},
    {"- list: x\n  override: {items: append}\n  items: [a]\n", "RK0206"},
    {"- list: x\n  override: {items: replace}\n  items: [a]\n", ""},
    {BODY "  override: {}\n", "RK0243"},
    {BODY "  override: x\n", "RK0243"},
    {BODY "  override:\n", "RK0243"},
    {BODY "  override: [x]\n", "RK0205"},
    {"- required_engine_version: 63\n", ""},
    {"- required_engine_version: 0.63.0\n", ""},
    {"- required_engine_version: 0.26.0\n", ""},
    {"- required_engine_version: 0.63.0-rc1\n", ""},
    {"- required_engine_version: 64\n", "RK0212"},
    {"- required_engine_version: 1.0.0\n", "RK0212"},
    {"- required_engine_version: 0.63\n", "RK0213"},
    {"- required_plugin_versions: [{name: container, version: 0.4.0}]\n", ""},
    {"- required_plugin_versions: [{name: json, version: 0.7.0}]\n", "RK0214"},
    {"- required_plugin_versions:\n  - name: json\n    version: 0.7.0\n"
     "    alternatives: [{name: container, version: 0.1.0}]\n",
     ""},
    {"- required_plugin_versions: [{name: container}]\n", "RK0201"},
    {"- required_plugin_versions: [{name: container, version: x}]\n", "RK0247"},
    {"- list: a b\n  items: [a]\n", "RK0211"},
    {HEAD "  condition: m\n  output: again\n", "RK0112"},
    {"- rule: r\n  desc: d\n  output: '%container.info x'\n  priority: INFO\n  condition: m\n",
     "RK0209"},
};

static void items_and_their_findings(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(item_rows); i++) {
        char yaml[2000];
        snprintf(yaml, sizeof(yaml), "%s%s", MACRO("m", "fd.num=9"), item_rows[i].yaml);
        assert_codes(yaml, item_rows[i].codes);
    }
}

/* Section 1.8: checks of exceptions. */
static void exceptions_and_their_findings(void **state)
{
    (void)state;
    static const struct {
        const char *exceptions, *codes;
    } rows[] = {
        {"[{name: e, fields: [proc.name], values: [cp]}]", "RK0216"},
        {"[{name: e, fields: [proc.name], values: [[cp]]}]", ""},
        {"[{name: e, fields: [proc.name, fd.name], values: [[cp]]}]", "RK0216"},
        {"[{name: e, values: [a]}]", "RK0201"},
        {"[{fields: proc.name, values: [a]}]", "RK0201"},
        {"[{name: e, fields: proc.nome, values: [a]}]", "RK0216"},
        {"[{name: e, fields: 'proc.aname[2]', values: [a]}]", ""},
        {"[{name: e, fields: proc.name, comps: startswith, values: [a]}]", "RK0216"},
        {"[{name: e, fields: [proc.name], comps: [like], values: [[a]]}]", "RK0216"},
        {"[{name: e, fields: [proc.name], comps: [=, =], values: [[a]]}]", "RK0216"},
        {"[{name: e, fields: [proc.name], comps: in, values: [[a]]}]", "RK0216"},
        {"[{name: e, fields: proc.name, values: [[a]]}]", "RK0216"},
        {"[{name: e, fields: proc.name, values: a}]", "RK0202"},
        {"[{name: e, fields: proc.name, values: [~]}]", "RK0244"},
        {"[{name: e, fields: [proc.name], values: [[~]]}]", "RK0230 RK0244"},
        {"[{name: e, fields: proc.name}]", ""},
        {"[{name: e, fields: proc.name, values: [a]}, {name: e, fields: fd.name, values: [b]}]",
         "RK0217"},
        {"[e]", "RK0202"},
        {"e", "RK0202"},
        {"[{name: e, fields: proc.name, colour: red}]", "RK0115"},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        char yaml[1000];
        snprintf(yaml, sizeof(yaml), "%s  exceptions: %s\n", HEAD "  condition: fd.num=1\n",
                 rows[i].exceptions);
        assert_codes(yaml, rows[i].codes);
    }
}

/* Words that look like something else, and those that do not. */
static void suspicious_words(void **state)
{
    (void)state;
    static const struct {
        const char *lists, *condition, *codes;
    } rows[] = {
        {"- list: shells\n  items: [sh]\n", "proc.name in (shels)", "RK0225"},
        {"- list: shells\n  items: [sh]\n", "proc.name in (bash)", ""},
        {"- list: shells\n  items: [sh]\n", "proc.name in (\"shels\")", ""},
        {"- list: abc\n  items: [x]\n", "proc.name in (abd)", ""},
        {"- list: l\n  items: [x]\n", "proc.name = \"a l b\"", "RK0226"},
        {"- list: l\n  items: ['n,o']\n", "proc.name in (l)", "RK0228"},
        {"- list: l\n  items: ['\"n,o\"']\n", "proc.name in (l)", ""},
        {"- list: l\n  items: [l]\n", "proc.name in (l)", ""},
        {"- list: a\n  items: [x]\n- list: b\n  items: [a]\n- list: c\n  items: [b]\n",
         "proc.name in (c)", "RK0227"},
        {"", "proc.name = proc.pname", "RK0229"},
        {"", "proc.name = \" proc.pname \"", "RK0229"},
        {"", "proc.name = \"toupper(proc.pname)\"", "RK0229"},
        {"", "fd.name = a.b", ""},
        {"", "proc.name in (no_such_list)", ""},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        char yaml[1000];
        snprintf(yaml, sizeof(yaml), "%s" HEAD "  condition: %s\n", rows[i].lists,
                 rows[i].condition);
        assert_codes(yaml, rows[i].codes);
    }
}

static void rules_as_they_end(void **state)
{
    (void)state;
    struct comp *c = front_resolve(MACRO(
        "m",
        "fd.num=9") "- rule: a\n  desc: d\n  output: '  o  '\n  priority: Warning\n  condition: m\n"
                    "  tags: [b, a, ab, b]\n  enabled: false\n"
                    "- rule: b\n  desc: d\n  output: o\n  priority: eMERGENCY\n  condition: m\n"
                    "- rule: a\n  override: {output: append, desc: append, tags: append, enabled: "
                    "replace}\n"
                    "  output: ' p '\n  desc: e\n  tags: [A, a]\n  enabled: on\n"
                    "- rule: c\n  desc: d\n  output: '%foo.bar'\n  priority: info\n  condition: m\n"
                    "  skip-if-unknown-filter: true\n"
                    "- rule: b\n  desc: again\n  output: o\n  priority: DEBUG\n  condition: m\n");
    char tags[100] = "", codes[100];
    assert_int_equal(c->rules.n, 4);
    const struct rule *a = &c->rules.v[1], *b = &c->rules.v[2], *s = &c->rules.v[3];
    assert_string_equal(STR(c, a->name), "a");
    assert_string_equal(STR(c, a->output_text), "o  p ");
    assert_string_equal(STR(c, a->desc), "d e");
    assert_int_equal(a->priority, PRI_WARNING);
    assert_true(a->enabled && !a->dropped && !a->failed);
    for (uint32_t i = 0; i < a->ntag; i++)
        strcat(strcat(tags, STR(c, c->tags.v[a->tag0 + i])), " ");
    assert_string_equal(tags, "A a ab b ");
    assert_string_equal(STR(c, b->name), "b"); /* it keeps its place */
    assert_string_equal(STR(c, b->desc), "again");
    assert_int_equal(b->priority, PRI_DEBUG);
    assert_true(s->dropped && !s->failed);
    assert_string_equal(found_codes(c, codes, sizeof(codes)), "RK0242");
    comp_free(c);
}

/* The place of a finding inside a list inside a macro, and the uses that led there. */
static void uses_are_chained(void **state)
{
    (void)state;
    static const char yaml[] = "- list: bad\n"
                               "  items: ['\"a\\d\"']\n" /* line 2: a wrong escape */
                               "- list: outer\n"
                               "  items: [x, bad]\n" /* line 4 */
                               "- macro: m\n"
                               "  condition: proc.name in (outer)\n"; /* line 6 */
    static const struct {
        uint32_t line, column;
        const char *what;
    } want[] = {{2, 14, "list bad"}, {4, 14, "list outer"}, {6, 28, ""}};
    uint32_t n;
    struct comp *c = front_resolve(yaml);
    const struct finding *f = diags_sorted(c, &n);
    while (n && strcmp(diag_info(f->code)->code, "RK0233") != 0) {
        f++;
        n--;
    }
    assert_true(n > 0);
    span_id at = f->at;
    for (size_t i = 0; i < ROWS(want); i++) {
        const struct span *s = &c->spans.v[at.i];
        struct place p = source_place(c->sources, s->file, s->off);
        assert_int_equal(p.line, want[i].line);
        assert_int_equal(p.column, want[i].column);
        assert_string_equal(STR(c, s->what), want[i].what);
        at = s->via;
    }
    assert_int_equal(at.i, 0);
    comp_free(c);
}

/* Lists and macros that double at each step end in an error, not in a full memory. */
static void growth_is_bounded(void **state)
{
    (void)state;
    char codes[200], text[8000] = "";
    for (int i = 39; i >= 0; i--)
        snprintf(text + strlen(text), 200, "- list: l%d\n  items: [l%d, l%d]\n", i, i - 1, i - 1);
    strcat(text, HEAD "  condition: proc.name in (l39)\n");
    struct comp *c = front_resolve(text);
    assert_non_null(strstr(found_codes(c, codes, sizeof(codes)), "RK0222"));
    comp_free(c);
    strcpy(text, MACRO("m0", "fd.num=1"));
    for (int i = 1; i < 40; i++) {
        snprintf(text + strlen(text), 200, "- macro: m%d\n  condition: m%d or m%d\n", i, i - 1,
                 i - 1);
    }
    strcat(text, HEAD "  condition: m39\n");
    c = front_resolve(text);
    assert_non_null(strstr(found_codes(c, codes, sizeof(codes)), "RK0222"));
    comp_free(c);
}

/* A chain of macros, each one level deeper than the last. */
static void levels_are_bounded(void **state)
{
    (void)state;
    char codes[200], *text = malloc(4000000), *p = text;
    p = stpcpy(p, MACRO("m0", "fd.num=1"));
    for (int i = 1; i < 30000; i++)
        p += sprintf(p, "- macro: m%d\n  condition: not (m%d or fd.num=%d)\n", i, i - 1, i);
    struct comp *c = front_resolve(text);
    assert_string_equal(found_codes(c, codes, sizeof(codes)), "RK0222");
    comp_free(c);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_text),           cmocka_unit_test(items_of_lists),
        cmocka_unit_test(texts_of_conditions),      cmocka_unit_test(macros),
        cmocka_unit_test(macros_are_trees),         cmocka_unit_test(files_stand_on_earlier_ones),
        cmocka_unit_test(items_and_their_findings), cmocka_unit_test(exceptions_and_their_findings),
        cmocka_unit_test(suspicious_words),         cmocka_unit_test(rules_as_they_end),
        cmocka_unit_test(uses_are_chained),         cmocka_unit_test(growth_is_bounded),
        cmocka_unit_test(levels_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
