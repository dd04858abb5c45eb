/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions and templates: what is accepted, what it is read as, and where a mistake is. */
#include "front.h"

#include "../../compiler/arena.h"
#include "../../compiler/ast.h"
#include "../../compiler/text.h"

static struct text text_of(struct comp *c, const char *s, size_t len)
{
    struct text t = {0};
    int file = source_add(c->sources, "t", s, len);
    span_id at = span_new(c, (struct span){.file = (uint32_t)file, .len = (uint32_t)len});
    struct yaml y = {.kind = YAML_SCALAR, .at = at, .text = intern_put(c->intern, s, len)};
    y.map0 = VEC_PUSH(c->arena, &c->textmap, (struct textmap){0, 0});
    y.nmap = 1;
    text_put_yaml(c, &t, VEC_PUSH(c->arena, &c->yaml, y));
    text_end(c, &t);
    return t;
}

/* A condition in one line, as a reader would write the tree: and(a, not(b)). */
static void print_tree(struct comp *c, FILE *out, node_id id);

static void print_operand(struct comp *c, FILE *out, operand_id id)
{
    const struct operand *o = &c->operands.v[id.i];
    bool literal = o->kind == OPERAND_CALL && !o->call && !o->nop;
    fprintf(out, literal ? "'%s'" : "%s", STR(c, o->name));
    if (o->kind == OPERAND_CALL && !literal) {
        fputc('(', out);
        for (uint32_t i = 0; i < o->nop; i++) {
            fputs(i ? ", " : "", out);
            print_operand(c, out, c->opkids.v[o->op0 + i]);
        }
        fputc(')', out);
    }
    if (o->has_arg)
        fprintf(out, "[%s]", STR(c, o->arg));
}

static void show_test(struct comp *c, FILE *out, const struct node *n)
{
    static const char *const mods[] = {"", " anyof", " allof", " oneof"};
    print_operand(c, out, n->lhs);
    fprintf(out, " %s%s", catalog_op(n->op)->text, mods[n->mod]);
    if (n->rhs.i) {
        fputc(' ', out);
        print_operand(c, out, n->rhs);
    }
    for (uint32_t i = 0; i < n->nlit; i++) {
        const struct lit *l = &c->lits.v[n->lit0 + i];
        const char *q = l->quoted ? "\"" : "";
        fprintf(out, " %s%s%s%s", l->number ? "#" : "", q, STR(c, l->text), q);
    }
}

static void print_tree(struct comp *c, FILE *out, node_id id)
{
    const struct node n = c->nodes.v[id.i];
    if (n.kind == NODE_MACRO) {
        fputs(STR(c, n.name), out);
    } else if (n.kind == NODE_TEST) {
        show_test(c, out, &n);
    } else {
        fputs(n.kind == NODE_AND ? "and(" : n.kind == NODE_OR ? "or(" : "not(", out);
        for (uint32_t i = 0; i < n.nkid; i++) {
            fputs(i ? ", " : "", out);
            print_tree(c, out, c->kids.v[n.kid0 + i]);
        }
        fputc(')', out);
    }
}

/* A condition, and its tree; NULL: it is refused with one error. */
struct row {
    const char *text, *tree;
};

static void check_rows(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *want = rows[i].tree ? rows[i].tree : "";
        char tree[500] = "";
        struct comp *c = comp_new();
        struct text t = text_of(c, rows[i].text, strlen(rows[i].text));
        node_id root = ast_condition(c, &t);
        if (root.i) {
            FILE *out = fmemopen(tree, sizeof(tree), "w");
            print_tree(c, out, root);
            fclose(out);
        }
        if (strcmp(tree, want) != 0)
            print_error("condition: %s\n", rows[i].text);
        assert_string_equal(tree, want);
        assert_int_equal(diag_count(c, SEV_ERROR), !rows[i].tree);
        comp_free(c);
    }
}

static const struct row condition_rows[] = {
    {"m", "m"},
    {" m ", "m"},
    {"proc.name=a", "proc.name = a"},
    {"proc.name == a", "proc.name = a"},
    {"proc.name!=a", "proc.name != a"},
    {"a or b and c", "or(a, and(b, c))"},
    {"a and b or c and d", "or(and(a, b), and(c, d))"},
    {"a and b and c", "and(a, b, c)"},
    {"(a or b) and c", "and(or(a, b), c)"},
    {"not a and b", "and(not(a), b)"},
    {"not (a and b)", "not(and(a, b))"},
    {"not(a)", "not(a)"},
    {"not not a", "a"},
    {"not not not a", "not(a)"},
    {"not not(a)", "a"},
    {"nota", "nota"},
    {"android", "android"},
    {"(x)and y", "and(x, y)"},
    {"proc.name=\"a\"and y", "and(proc.name = \"a\", y)"},
    {"a or(b) and c", "or(a, and(b, c))"}, /* Falco refuses it: D8 */
    {"a=1", NULL},
    {"fd.num=4and y", NULL},
    {"fd.num=4and", "fd.num = 4and"},
    {"proc.name existsand fd.num=4", "and(proc.name exists, fd.num = 4)"},
    {"proc.name inbeta", "proc.name in beta"},
    {"proc.name in beta", "proc.name in beta"},
    {"proc.name in(a,b)", "proc.name in a b"},
    {"proc.name in ( a , \"b c\" , 'd' )", "proc.name in a \"b c\" \"d\""},
    {"proc.name in ()", "proc.name in"},
    {"proc.name in (and, or, not)", "proc.name in and or not"},
    {"proc.name in (a, )", NULL},
    {"proc.name in (, a)", NULL},
    {"proc.name in (a b)", NULL},
    {"proc.name in ((a))", NULL},
    {"proc.name in \"a\"", NULL},
    {"proc.name in /bin", NULL},
    {"fd.name pmatch (/etc, /var)", "fd.name pmatch /etc /var"},
    {"fd.types intersects (ipv4)", "fd.types intersects ipv4"},
    {"fd.name startswith /etc/", "fd.name startswith /etc/"},
    {"fd.name startswith/etc", NULL},
    {"fd.name contains\"x\"", NULL},
    {"fd.name glob *.x[ab]<>;&|", "fd.name glob *.x[ab]<>;&|"},
    {"proc.name = and", "proc.name = and"},
    {"proc.name = val", "proc.name = val"},
    {"proc.name = (a)", NULL},
    {"proc.name = a b", NULL},
    {"proc.name = a,b", NULL},
    {"proc.name = ", NULL},
    {"proc.name", NULL},
    {"proc.name is a", NULL},
    {"proc.name EXISTS", NULL},
    {"proc = x", NULL},
    {"foo (a)", NULL},
    {"fd.name.exists", NULL},
    {"fd.name. exists", NULL},
    {"a or", NULL},
    {"a or ", NULL},
    {"or a", NULL},
    {"a andb", NULL},
    {"and", "and"}, /* a macro's name as far as the grammar goes; resolve knows better */
    {"()", NULL},
    {"(a", NULL},
    {"a)", NULL},
    {"", NULL},
    {"   ", NULL},
    {"a && b", NULL},
    {"!a", NULL},
    {"proc.aname[2]=a", "proc.aname[2] = a"},
    {"proc.aname [2]=a", NULL},
    {"proc.aname[]=a", NULL},
    {"proc.aname[ 2]=a", NULL},
    {"proc.env[\"A b\"]=a", "proc.env[A b] = a"},
    {"proc.env['A]']=a", "proc.env[A]] = a"},
    {"proc.env[A=B] exists", "proc.env[A=B] exists"},
    {"container.label.a.b = x", "container.label.a.b = x"},
    {"a\nand\tb\r\nor\bc", "or(and(a, b), c)"},
};

static void conditions_read_as(void **state)
{
    (void)state;
    check_rows(condition_rows, ROWS(condition_rows));
}

static void numbers_and_modifiers(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"fd.num>=0", "fd.num >= #0"},
        {"fd.num<-1", "fd.num < #-1"},
        {"fd.num < +5", "fd.num < #+5"},
        {"fd.num <= 0x1F", "fd.num <= #0x1F"},
        {"fd.num > 4.5e+3", "fd.num > #4.5e+3"},
        {"fd.num > 4and m", "and(fd.num > #4, m)"},
        {"fd.num < \"5\"", NULL},
        {"fd.name < /u", NULL},
        {"fd.num > 5e3", NULL},
        {"fd.num < val(fd.uid)", "fd.num < val(fd.uid)"},
        {"proc.name = anyof (a, b)", "proc.name = anyof a b"},
        {"proc.name startswith oneof (a)", "proc.name startswith oneof a"},
        {"proc.name = allof beta", "proc.name = allof beta"},
        {"proc.name = anyof and m", "and(proc.name = anyof, m)"},
        {"proc.name = anyof or m", "or(proc.name = anyof, m)"},
        {"proc.name = anyof", "proc.name = anyof"},
        {"proc.name = anyofx", "proc.name = anyofx"},
        {"proc.name = anyof android", "proc.name = anyof android"},
        {"proc.name =anyof(a)", NULL},
        {"proc.name =anyof (a)", NULL},
        {"proc.name = anyof (a) m", NULL},
        {"proc.name in anyof (a)", NULL},
        {"proc.name = anyof ()", "proc.name = anyof"},
    };
    check_rows(rows, ROWS(rows));
}

static void transformers(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"tolower(proc.name)=a", "tolower(proc.name) = a"},
        {"toupper( proc.name ) exists", "toupper(proc.name) exists"},
        {"proc.name = tolower(proc.pname)", "proc.name = tolower(proc.pname)"},
        {"proc.name = val(proc.pname) and m", "and(proc.name = val(proc.pname), m)"},
        {"proc.name in val(fd.types)", "proc.name in val(fd.types)"},
        {"proc.name = val( proc.aname[2] )", "proc.name = val(proc.aname[2])"},
        {"concat(proc.name, \" x\", 'y') = a", "concat(proc.name, ' x', 'y') = a"},
        {"join(\",\", (proc.name, \"a\")) = a", "join(',', (proc.name, 'a')) = a"},
        {"join(\",\", ()) = a", "join(',', ()) = a"},
        {"toupper(join(\",\", (proc.name, tolower(proc.exe)))) = a",
         "toupper(join(',', (proc.name, tolower(proc.exe)))) = a"},
        {"getopt(proc.args, \"ab:\")[b] = x", "getopt(proc.args, 'ab:')[b] = x"},
        {"concat(proc.name, 4.5) = x", "concat(proc.name, '4.5') = x"},
        {"len(proc.name) > 3", "len(proc.name) > #3"},
        {"val(proc.name) = x", NULL},
        {"proc.name = val(tolower(proc.name))", NULL},
        {"proc.name = val(\"a\")", NULL},
        {"tolower (proc.name) = a", NULL},
        {"tolower(name) = a", NULL},
        {"tolower(proc.name = a", NULL},
        {"join(\",\", ((proc.name))) = a", NULL},
        {"join(\",\", (())) = a", NULL},
        {"lower(proc.name) = a", NULL},
        {"proc.name = lower(proc.name)", NULL},
        {"proc.name = anyof val(proc.pname)", NULL},
    };
    check_rows(rows, ROWS(rows));
}

static void quoted_strings(void **state)
{
    (void)state;
    static const struct {
        const char *text, *value;
        size_t len; /* 0: an error */
    } rows[] = {
        {"\"a b\"", "a b", 3},
        {"'a \"b\"'", "a \"b\"", 5},
        {"\"it's\"", "it's", 4},
        {"\"a\\\"b\"", "a\"b", 3},
        {"'a\\'b'", "a'b", 3},
        {"\"\\b\\f\\n\\r\\t\\\\\\/\"", "\b\f\n\r\t\\/", 7},
        {"\"\\x41\\x00\\xfF\"", "A\0\xff", 3},
        {"\"beta\\ shell\"", "beta\\shell", 10},
        {"\"a\\\\\"", "a\\", 2}, /* unterminated in Falco: D7 */
        {"\"two\nlines\"", "two\nlines", 9},
        {"\"\\w+\"", NULL, 0},
        {"\"\\x4\"", NULL, 0},
        {"\"\\x4g\"", NULL, 0},
        {"\"a\\'b\"", NULL, 0},
        {"'a\\\"b'", NULL, 0},
        {"\"abc", NULL, 0},
        {"\"abc\\\"", NULL, 0},
        {"a\"b", NULL, 0},
        {"\"a\"b", NULL, 0},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        char cond[100];
        struct comp *c = comp_new();
        snprintf(cond, sizeof(cond), "proc.name = %s", rows[i].text);
        struct text t = text_of(c, cond, strlen(cond));
        node_id root = ast_condition(c, &t);
        assert_int_equal(root.i != 0, rows[i].len != 0);
        assert_int_equal(diag_count(c, SEV_ERROR), rows[i].len == 0);
        if (root.i) {
            const struct lit *l = &c->lits.v[c->nodes.v[root.i].lit0];
            assert_true(l->quoted);
            assert_int_equal(STRLEN(c, l->text), rows[i].len);
            assert_memory_equal(STR(c, l->text), rows[i].value, rows[i].len);
        }
        comp_free(c);
    }
}

/* Code and place, in bytes, of the one error of a condition. */
static void mistakes_have_places(void **state)
{
    (void)state;
    static const struct {
        const char *text, *code;
        uint32_t off, len;
    } rows[] = {
        {"proc.name like x", "RK0231", 10, 4},    {"proc.name = \"a\\d\"", "RK0233", 14, 2},
        {"proc.name = 'abc", "RK0233", 12, 1},    {"a b", "RK0230", 2, 1},
        {"proc.name in (a b)", "RK0230", 16, 1},  {"a or ", "RK0230", 4, 1},
        {"fd.num < x", "RK0230", 9, 1},           {"proc.name startswith(x)", "RK0230", 10, 10},
        {"upper(proc.name) = x", "RK0234", 0, 5}, {"a and ()", "RK0230", 7, 1},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        uint32_t n;
        struct comp *c = comp_new();
        struct text t = text_of(c, rows[i].text, strlen(rows[i].text));
        assert_int_equal(ast_condition(c, &t).i, 0);
        const struct finding *f = diags_sorted(c, &n);
        assert_int_equal(n, 1);
        assert_string_equal(diag_info(f->code)->code, rows[i].code);
        assert_int_equal(c->spans.v[f->at.i].off, rows[i].off);
        assert_int_equal(c->spans.v[f->at.i].len, rows[i].len);
        comp_free(c);
    }
}

/* 198 pairs pass, 199 are refused; as fast with 100,000, and without an end. */
static void nesting(void **state)
{
    (void)state;
    static const struct {
        const char *open, *middle, *close;
        uint32_t count;
        bool ok;
    } rows[] = {
        {"(", "m", ")", 198, true},
        {"(", "m", ")", 199, false},
        {"not(", "m", ")", 198, true},
        {"not(", "m", ")", 199, false},
        {"(", "m", ")", 100000, false},
        {"(", "", "", 100000, false},
        {"not ", "m", "", 100000, true},
        {"m and ", "m", "", 100000, true},
        {"tolower(", "proc.name", ")", 199, false},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct comp *c = comp_new();
        size_t no = strlen(rows[i].open), nc = strlen(rows[i].close);
        char *s = malloc((no + nc) * rows[i].count + 20), *p = s;
        for (uint32_t k = 0; k < rows[i].count; k++)
            p = stpcpy(p, rows[i].open);
        p = stpcpy(p, rows[i].middle);
        for (uint32_t k = 0; k < rows[i].count; k++)
            p = stpcpy(p, rows[i].close);
        struct text t = text_of(c, s, (size_t)(p - s));
        assert_int_equal(ast_condition(c, &t).i != 0, rows[i].ok);
        assert_int_equal(diag_count(c, SEV_ERROR), !rows[i].ok);
        free(s);
        comp_free(c);
    }
}

static void nul_bytes_end_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t len;
        bool ok;
    } rows[] = {
        {"m\0", 2, false},
        {"\0m", 2, false},
        {"proc.name = a\0b", 15, false},
        {"proc.name = \"a\0b\"", 17, true},
        {"proc.name \0 a", 13, false},
        {"proc.name in (a\0)", 17, false},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct comp *c = comp_new();
        struct text t = text_of(c, rows[i].text, rows[i].len);
        assert_int_equal(ast_condition(c, &t).i != 0, rows[i].ok);
        assert_int_equal(diag_count(c, SEV_ERROR), !rows[i].ok);
        comp_free(c);
    }
}

/* Pieces as one line: literals in quotes, fields with their width. */
static const struct {
    const char *text, *pieces;
} template_rows[] = {
    {"plain", "'plain'"},
    {"%proc.name", "%proc.name"},
    {"a %proc.name b", "'a ' %proc.name ' b'"},
    {"%proc.namex", "%proc.name 'x'"},
    {"%proc.name.exe", "%proc.name '.exe'"},
    {"%proc.name[0]", "%proc.name '[0]'"},
    {"%proc.aname[2]", "%proc.aname[2]"},
    {"%proc.aname[x]", "%proc.aname '[x]'"},
    {"%proc.env[\"A b\"]!", "%proc.env[A b] '!'"},
    {"%evt.arg.flags,", "%evt.arg.flags ','"},
    {"%evt.arg.flagsx", "%evt.arg.flags 'x'"},
    {"%evt.arg[1]%evt.type", "%evt.arg[1] %evt.type"},
    {"%10proc.name|", "%10 proc.name '|'"},
    {"%fd.ip", "%fd.ip"},
    {"*%proc.name", "%proc.name"},
    {"**x", "'*x'"},
    {"%tolower(proc.name)x", "%tolower(proc.name) 'x'"},
    {"%join(\",\", (proc.name, \"a b\"))", "%join(',', (proc.name, 'a b'))"},
    {"(user=%user.name)", "'(user=' %user.name ')'"},
    {"%proc.pname%proc.name", "%proc.pname %proc.name"},
    {"100%", NULL},
    {"%%", NULL},
    {"%", NULL},
    {"% proc.name", NULL},
    {"%5", NULL},
    {"%proc", NULL},
    {"%proc.nome", NULL},
    {"%evt.arg.nosuch", NULL},
    {"%tolower(proc.nome)", NULL},
    {"%tolower(proc.name", NULL},
    {"%99999999999proc.name", NULL},
    {"", ""}, /* refused where the rule is read */
    {"*", ""},
};

static void templates(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(template_rows); i++) {
        char pieces[500] = "";
        uint32_t out0, nout;
        struct comp *c = comp_new();
        struct text t = text_of(c, template_rows[i].text, strlen(template_rows[i].text));
        enum output_result r = ast_output(c, &t, false, &out0, &nout);
        FILE *out = fmemopen(pieces, sizeof(pieces), "w");
        for (uint32_t k = 0; k < nout; k++) {
            const struct piece *p = &c->pieces.v[out0 + k];
            fputs(k ? " " : "", out);
            if (!p->is_field) {
                fprintf(out, "'%s'", STR(c, p->text));
                continue;
            }
            fputc('%', out);
            if (p->width)
                fprintf(out, "%u ", p->width);
            print_operand(c, out, p->operand);
        }
        fclose(out);
        if (strcmp(pieces, template_rows[i].pieces ? template_rows[i].pieces : "") != 0)
            print_error("template: %s\n", template_rows[i].text);
        assert_string_equal(pieces, template_rows[i].pieces ? template_rows[i].pieces : "");
        assert_int_equal(r, template_rows[i].pieces ? OUTPUT_OK : OUTPUT_BAD);
        assert_int_equal(diag_count(c, SEV_ERROR), !template_rows[i].pieces);
        comp_free(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions_read_as),    cmocka_unit_test(numbers_and_modifiers),
        cmocka_unit_test(transformers),          cmocka_unit_test(quoted_strings),
        cmocka_unit_test(mistakes_have_places),  cmocka_unit_test(nesting),
        cmocka_unit_test(nul_bytes_end_nothing), cmocka_unit_test(templates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
