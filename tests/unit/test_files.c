/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rule files as they are written: what is accepted, what is refused and with which code. A row has
 * the files in order of loading, and the codes of all errors and warnings in order of place. Names
 * of rows say which sentence of the language they hold.
 */
#include "front.h"

#define FILES 3
#define SYS(name, condition)                                                                       \
    "- rule: " name "\n  desc: d\n  output: o\n  priority: INFO\n  condition: " condition "\n"
#define R(condition) SYS("r", condition)
#define M(name, condition) "- macro: " name "\n  condition: " condition "\n"
#define L(name, items) "- list: " name "\n  items: " items "\n"
#define OPEN "evt.type=open"

struct row {
    const char *name, *codes, *files[FILES];
};

static void assert_rows(const struct row *rows, size_t n)
{
    bool good = true;
    for (size_t i = 0; i < n; i++) {
        char codes[500];
        struct comp *c = comp_new();
        for (size_t k = 0; k < FILES && rows[i].files[k]; k++) {
            char name[] = "1.yaml";
            name[0] = (char)('1' + k);
            front_load(c, name, rows[i].files[k], strlen(rows[i].files[k]));
        }
        pass_resolve(c);
        pass_type(c);
        found_codes(c, codes, sizeof(codes));
        if (strcmp(codes, rows[i].codes) != 0) {
            print_error("%s: %s, not %s\n", rows[i].name, codes, rows[i].codes);
            good = false;
        }
        comp_free(c);
    }
    assert_true(good);
}

/* Sections 1.1 and 1.5: each file must compile on top of those before it. */
static const struct row file_rows[] = {
    {"a macro that only a later file defines", "RK0221", {R("m"), M("m", OPEN)}},
    {"the same in a rule that the later file redefines", "RK0221", {R("m"), M("m", OPEN) R("m")}},
    {"an unknown macro in a rule that a later file redefines", "RK0219", {R("n"), R(OPEN)}},
    {"the same within one file", "", {R("n") R(OPEN)}},
    {"half a condition, the rest in the same file",
     "RK0209",
     {R("(evt.type=open") "- rule: r\n  append: true\n  condition: or evt.type=close)\n"}},
    {"half a condition, the rest in the next file",
     "RK0230 RK0209",
     {R("(evt.type=open"), "- rule: r\n  append: true\n  condition: or evt.type=close)\n"}},
    {"half a macro, the rest in the next file",
     "RK0230",
     {M("m", "(evt.type=open") R(OPEN),
      "- macro: m\n  override: {condition: append}\n  condition: or evt.type=close)\n"}},
    {"a wrong field, mended by a later file", "RK0301", {R("foo.bar=1"), R(OPEN)}},
    {"a wrong field in a macro that a rule uses, mended later",
     "RK0301",
     {M("m", "foo.bar=1") R("m"), M("m", OPEN)}},
    {"the same where no rule uses it", "", {M("m", "foo.bar=1") R(OPEN), M("m", OPEN) R("m")}},
    {"a list that breaks a condition, mended later",
     "RK0230",
     {L("l", "['a,,b']") R("proc.name in (l)"), L("l", "[a]")}},
    {"a list in a list that breaks it, mended later",
     "RK0230",
     {L("i", "['a,,b']") L("l", "[i]") R("proc.name in (l)"), L("i", "[a]")}},
    {"an exception's values, mended later",
     "RK0216",
     {R(OPEN) "  exceptions: [{name: e, fields: [fd.num], values: [1]}]\n", R(OPEN)}},
    {"the same within one file",
     "",
     {R(OPEN) "  exceptions: [{name: e, fields: [fd.num], values: [1]}]\n" R(OPEN)}},
    {"an output, mended later",
     "RK0241",
     {"- rule: r\n  desc: d\n  output: '%foo.bar'\n  priority: INFO\n"
      "  condition: evt.type=open\n",
      R(OPEN)}},
    {"a middle file that breaks an earlier rule",
     "RK0230",
     {L("l", "[a]") R("proc.name in (l)"), L("l", "['a,,b']"), L("l", "[a]")}},
    {"lists of later files are words first", "", {R("proc.name in (later)"), L("later", "[a]")}},
    {"a later file redefines a macro", "", {M("m", OPEN) R("m"), M("m", "evt.type=close")}},
    {"a later file appends to a macro",
     "",
     {M("m", OPEN) R("m"),
      "- macro: m\n  override: {condition: append}\n  condition: or " OPEN "\n"}},
    {"append without target",
     "RK0206",
     {"- rule: r\n  override: {condition: append}\n  condition: or " OPEN "\n", R(OPEN)}},
    {"files in the other order",
     "",
     {R(OPEN), "- rule: r\n  override: {condition: append}\n  condition: or " OPEN "\n"}},
};

static void files_in_order(void **state)
{
    (void)state;
    assert_rows(file_rows, ROWS(file_rows));
}

/* Sections 1.1 and 1.2: documents and scalars, as people write them. */
static const struct row yaml_rows[] = {
    {"an empty file", "", {""}},
    {"nothing but a comment", "", {"# nothing\n"}},
    {"null items are skipped", "", {"-\n- ~\n" R(OPEN)}},
    {"documents go on with the file", "", {M("m", OPEN) "---\n" R("m")}},
    {"documents end with three dots", "", {M("m", OPEN) "...\n" R("m")}},
    {"an empty document last", "", {R(OPEN) "---\n"}},
    {"an empty document in between", "RK0113", {"---\n---\n" R(OPEN)}},
    {"a sequence indented less goes on as a document",
     "RK0114",
     {"  - macro: m\n    condition: " OPEN "\n" R("m")}},
    {"a document that is a mapping", "RK0108", {"rule: r\n"}},
    {"a document that is a scalar", "RK0108", {"rule\n"}},
    {"an item that is no mapping", "RK0109", {"- rule\n"}},
    {"an item that is a sequence", "RK0109", {"- - rule: r\n"}},
    {"an item of no kind", "RK0110", {"- foo: bar\n"}},
    {"an item without keys", "RK0110", {"- {}\n"}},
    {"the kind goes by a fixed order", "RK0111", {"- {rule: r, list: l, items: []}\n"}},
    {"so the engine's version wins", "RK0111", {"- {rule: r, required_engine_version: 1}\n"}},
    {"a byte order mark", "", {"\xef\xbb\xbf" R(OPEN)}},
    {"lines that end with CR LF",
     "",
     {"- rule: r\r\n  desc: d\r\n  output: o\r\n  priority: INFO\r\n  condition: >\r\n"
      "    evt.type = open and\r\n    fd.num = 1\r\n"}},
    {"operators as plain scalars",
     "",
     {R(OPEN) "  exceptions:\n  - name: e\n    fields: [fd.num, fd.name]\n    comps:\n    - "
              "=\n    - '!='\n"
              "    values: []\n"}},
    {"a plain != is a tag",
     "RK0105",
     {R(OPEN) "  exceptions:\n  - {name: e, fields: [fd.name], comps: ['='], values: "
              "[[!=]]}\n"}},
    {"anchors and aliases",
     "",
     {"- list: l\n  items: &x [a, b]\n- list: k\n  items: *x\n" R("proc.name in (l, k)")}},
    {"an alias in another document",
     "RK0107",
     {"- list: a\n  items: &x [a]\n---\n- list: b\n  items: *x\n"}},
    {"merge keys are unknown",
     "RK0111",
     {"- &x\n  list: a\n  items: [a]\n- <<: *x\n  list: b\n  items: [b]\n"}},
    {"the first of two keys counts", "RK0112", {R(OPEN) "  condition: foo.bar = 1\n"}},
    {"a key that is a sequence", "RK0202", {R(OPEN) "  [a]: b\n"}},
    {"a key that is null", "RK0111", {R(OPEN) "  ~: b\n"}},
    {"a tab behind a colon", "", {"- macro:\tm\n  condition:\t" OPEN "\n" R("m")}},
    {"tabs before comments and in blank lines",
     "",
     {"# rules\n\t\n- macro: m # one\n\t # two\n  condition: " OPEN "\n" R("m")}},
    {"tabs behind dashes", "", {"- list: l\n  items:\n  -\ta\n  -\tb\n" R("proc.name in (l)")}},
    {"but not before a mapping", "RK0105", {"-\trule: r\n"}},
    {"nor as indentation", "RK0105", {"- macro: m\n\tcondition: " OPEN "\n"}},
    {"nor where a plain scalar may go on", "RK0105", {"- list: l\n\t# c\n  items: []\n"}},
    {"a number as text",
     "",
     {"- rule: 5\n  desc: 6\n  output: 7\n  priority: INFO\n"
      "  condition: " OPEN "\n"}},
    {"a flow sequence over lines",
     "",
     {"- list: l\n  items: [a,\n  b, # c\n  c,\n]\n" R("proc.name in (l)")}},
    {"a plain scalar over lines",
     "",
     {"- macro: m\n  condition:\n    " OPEN " and\n      fd.num=1\n" R("m")}},
    {"a colon in a plain scalar", "RK0105", {"- macro: m\n  condition: fd.name = a: b\n"}},
    {"a percent sign begins no plain scalar", "RK0105", {"- list: l\n  items:\n  - %a\n"}},
    {"nor does an at sign", "RK0105", {"- list: l\n  items:\n  - @a\n"}},
    {"nor does a backtick", "RK0105", {"- list: l\n  items:\n  - `a\n"}},
    {"booleans",
     "",
     {R(OPEN) "  enabled: y\n  warn_evttypes: OFF\n  skip-if-unknown-filter: No\n  capture: "
              "True\n"}},
    {"booleans in quotes", "", {R(OPEN) "  enabled: \"false\"\n"}},
    {"no booleans",
     "RK0203 RK0203 RK0203",
     {R(OPEN) "  enabled: yEs\n  warn_evttypes: 1\n  capture: t\n"}},
    {"a boolean that is a sequence", "RK0202", {R(OPEN) "  enabled: [true]\n"}},
    {"numbers", "", {R(OPEN) "  capture_duration: 0xFFffffff\n"}},
    {"octal numbers", "", {R(OPEN) "  capture_duration: 0017\n"}},
    {"a plus sign and blanks behind", "", {R(OPEN) "  capture_duration: '+5 '\n"}},
    {"a minus sign", "RK0203", {R(OPEN) "  capture_duration: -1\n"}},
    {"no octal number", "RK0203", {R(OPEN) "  capture_duration: 08\n"}},
    {"beyond 32 bits", "RK0203", {R(OPEN) "  capture_duration: 4294967296\n"}},
    {"a fraction", "RK0203", {R(OPEN) "  capture_duration: 1.5\n"}},
    {"a blank before the number", "RK0203", {R(OPEN) "  capture_duration: ' 5'\n"}},
};

/* Sections 1.3 to 1.7. */
static const struct row item_rows[] = {
    {"a list may be empty", "", {L("l", "[]") R("proc.name in (l)")}},
    {"items may be empty texts", "", {L("l", "['', a]") R("proc.name in (l)")}},
    {"items may not be null", "RK0202", {L("l", "[a, ~]")}},
    {"items may not be lists", "RK0202", {L("l", "[a, [b]]")}},
    {"items must be a sequence", "RK0202", {L("l", "a")}},
    {"items must be there", "RK0201", {"- list: l\n"}},
    {"a name may not be null", "RK0202", {"- list:\n  items: []\n"}},
    {"a macro needs a condition", "RK0201", {"- macro: m\n"}},
    {"which may not be empty", "RK0202", {"- macro: m\n  condition: ''\n"}},
    {"all keys are needed", "RK0201", {"- rule: r\n  condition: " OPEN "\n"}},
    {"a null among them",
     "RK0202",
     {"- rule: r\n  desc:\n  output: o\n  priority: INFO\n  condition: " OPEN "\n"}},
    {"an output of blanks",
     "RK0240",
     {"- rule: r\n  desc: d\n  output: '  '\n  priority: INFO\n  condition: " OPEN "\n"}},
    {"a star alone",
     "",
     {"- rule: r\n  desc: d\n  output: '*'\n  priority: INFO\n  condition: " OPEN "\n"}},
    {"priorities",
     "",
     {"- rule: r\n  desc: d\n  output: o\n  priority: inFormational\n  condition: " OPEN "\n"}},
    {"no priority",
     "RK0204",
     {"- rule: r\n  desc: d\n  output: o\n  priority: 3\n  condition: " OPEN "\n"}},
    {"tags must be texts", "RK0202", {R(OPEN) "  tags: [[a]]\n"}},
    {"tags must be a sequence", "RK0202", {R(OPEN) "  tags: a\n"}},
    {"an empty tag", "", {R(OPEN) "  tags: ['', a, a]\n"}},
    {"unknown keys", "RK0111", {R(OPEN) "  tag: [a]\n"}},
    {"a source that is null in a new rule", "RK0202", {R(OPEN) "  source:\n"}},
    {"its own source", "", {R(OPEN) "  source: syscall\n"}},
    {"another source: never compiled", "RK0208", {R("foo.bar = 1 or or") "  source: k8s_audit\n"}},
    {"appends to it are accepted",
     "RK0208 RK0209",
     {R("ka.verb=get") "  source: k8s_audit\n- rule: r\n  append: true\n  condition: and "
                       "ka.x=1\n"}},
    {"what it alone uses is used",
     "RK0208",
     {L("verbs", "[get]") M("m", "ka.verb in (verbs)") R("m") "  source: k8s_audit\n"}},
    {"exceptions of it name any field",
     "RK0208",
     {R("m") "  source: okta\n  exceptions: [{name: e, fields: okta.x, values: [a]}]\n"}},
    {"a redefinition changes the source", "RK0208 RK0207", {R("m") "  source: okta\n" R(OPEN)}},
    {"an override names another source",
     "RK0207",
     {R(OPEN) "- rule: r\n  source: okta\n  condition: and fd.num=1\n  override: {condition: "
              "append}\n"}},
    {"which is looked at with the condition only",
     "",
     {R(OPEN) "- rule: r\n  source: okta\n  output: p\n  override: {output: replace}\n"}},
    {"an empty source there",
     "",
     {R(OPEN) "- rule: r\n  source: ''\n  condition: and fd.num=1\n  override: {condition: "
              "append}\n"}},
    {"a source that is a sequence",
     "RK0202",
     {R(OPEN) "- rule: r\n  source: [a]\n  output: p\n  override: {output: replace}\n"}},
    {"append of nothing", "RK0246 RK0209", {R(OPEN) "- rule: r\n  append: true\n  output: p\n"}},
    {"append of no exceptions", "RK0209", {R(OPEN) "- rule: r\n  append: true\n  exceptions:\n"}},
    {"append of a null condition",
     "RK0209 RK0202",
     {R(OPEN) "- rule: r\n  append: true\n  condition:\n"}},
    {"append: other keys are not even read",
     "RK0209",
     {R(OPEN) "- rule: r\n  append: true\n  condition: and fd.num=1\n  priority: foo\n  tags: "
              "5\n"}},
    {"append: null", "RK0202", {R(OPEN) "  append:\n"}},
    {"append: false", "", {R(OPEN) "  append: no\n"}},
    {"a rule switched off", "RK0209", {R(OPEN) "- rule: r\n  enabled: false\n"}},
    {"with tags beside, which are not read",
     "RK0209",
     {R(OPEN) "- rule: r\n  enabled: false\n  tags: [x]\n"}},
    {"a rule that is not there", "RK0206 RK0209", {"- rule: r\n  enabled: false\n"}},
    {"a rule with tags alone", "RK0201", {R(OPEN) "- rule: r\n  tags: [x]\n"}},
    {"disabled rules are compiled", "RK0301", {R("foo.bar=1") "  enabled: false\n"}},
    {"override of every key",
     "",
     {R(OPEN) "- rule: r\n  condition: fd.num=1\n  output: o\n  desc: d\n  priority: DEBUG\n  "
              "tags: [a]\n"
              "  exceptions: []\n  enabled: no\n  capture: yes\n  capture_duration: 5\n"
              "  warn_evttypes: no\n  skip-if-unknown-filter: yes\n  override: {condition: "
              "replace,\n"
              "    output: replace, desc: replace, priority: replace, tags: replace,\n"
              "    exceptions: replace, enabled: replace, capture: replace,\n"
              "    capture_duration: replace, warn_evttypes: replace,\n"
              "    skip-if-unknown-filter: replace}\n"}},
    {"appends of every key",
     "",
     {R(OPEN) "- rule: r\n  condition: and fd.num=1\n  output: o\n  desc: d\n  tags: [a]\n"
              "  exceptions: [{name: e, fields: fd.num, values: [7]}]\n"
              "  override: {condition: append, output: append, desc: append, tags: append,\n"
              "    exceptions: append}\n"}},
    {"priority cannot be appended to",
     "RK0205",
     {R(OPEN) "- rule: r\n  priority: INFO\n  override: {priority: append}\n"}},
    {"enabled cannot be appended to",
     "RK0205",
     {R(OPEN) "- rule: r\n  enabled: no\n  override: {enabled: append}\n"}},
    {"source cannot be overridden",
     "RK0205",
     {R(OPEN) "- rule: r\n  source: syscall\n  override: {source: replace}\n"}},
    {"a key of a list in a rule",
     "RK0111 RK0205",
     {R(OPEN) "- rule: r\n  items: []\n  override: {items: replace}\n"}},
    {"an operation in capitals",
     "RK0205",
     {R(OPEN) "- rule: r\n  output: o\n  override: {output: Replace}\n"}},
    {"an operation that is null",
     "RK0205",
     {R(OPEN) "- rule: r\n  output: o\n  override: {output: }\n"}},
    {"a key that is not in the item",
     "RK0205",
     {R(OPEN) "- rule: r\n  override: {output: replace}\n"}},
    {"a key that is not listed",
     "RK0205",
     {R(OPEN) "- rule: r\n  output: o\n  desc: d\n  override: {output: replace}\n"}},
    {"both operations on one key",
     "RK0205",
     {R(OPEN) "- rule: r\n  output: o\n  override: {output: append, output: replace}\n"}},
    {"one operation twice",
     "",
     {R(OPEN) "- rule: r\n  output: o\n  override: {output: append, output: append}\n"}},
    {"override and append",
     "RK0205",
     {R(OPEN) "- rule: r\n  output: o\n  append: true\n  override: {output: append}\n"}},
    {"override and append: false",
     "",
     {R(OPEN) "- rule: r\n  output: o\n  append: false\n  override: {output: append}\n"}},
    {"override of no rule", "RK0206", {"- rule: r\n  output: o\n  override: {output: append}\n"}},
    {"an empty override: a new definition", "RK0243", {R(OPEN) "  override: {}\n"}},
    {"a list's condition", "RK0205", {L("l", "[a]") "  override: {condition: replace}\n"}},
    {"replacing no list",
     "",
     {L("l", "[a]") "  override: {items: replace}\n" R("proc.name in (l)")}},
    {"appending to no list", "RK0206", {L("l", "[a]") "  override: {items: append}\n"}},
    {"replacing no macro", "", {M("m", OPEN) "  override: {condition: replace}\n" R("m")}},
    {"appending to no macro", "RK0206", {M("m", OPEN) "  override: {condition: append}\n"}},
    {"engine versions",
     "",
     {"- required_engine_version: 63\n- required_engine_version: 0x3F\n"
      "- required_engine_version: 077\n- required_engine_version: 0.63.0\n"
      "- required_engine_version: '0.1.9-rc1'\n- required_engine_version: 0.62.99\n"}},
    {"a newer engine",
     "RK0212 RK0212 RK0212 RK0212",
     {"- required_engine_version: 64\n- required_engine_version: 0.63.1\n"
      "- required_engine_version: 1.0.0\n- required_engine_version: 0100\n"}},
    {"no versions",
     "RK0213 RK0213 RK0213 RK0202",
     {"- required_engine_version: 0.63\n- required_engine_version: abc\n"
      "- required_engine_version: -1\n- required_engine_version:\n"}},
    {"plugins",
     "RK0214",
     {"- required_plugin_versions: [{name: container, version: 0.4.0}, {name: json, version: "
      "0.7.0,\n"
      "    alternatives: [{name: k8saudit, version: 0.7.0}]}]\n"}},
    {"a plugin twice",
     "RK0215",
     {"- required_plugin_versions: [{name: container, version: 0.4.0,\n"
      "    alternatives: [{name: container, version: 0.5.0}]}]\n"}},
    {"alternatives must be a sequence",
     "RK0202",
     {"- required_plugin_versions: [{name: container, version: 0.4.0, alternatives: }]\n"}},
    {"plugins must be a sequence",
     "RK0202",
     {"- required_plugin_versions: {name: a, version: 1.0.0}\n"}},
    {"the output is looked at first",
     "RK0242",
     {"- rule: r\n  desc: d\n  output: '%foo.bar'\n  priority: INFO\n  condition: or or\n"
      "  skip-if-unknown-filter: true\n"}},
    {"a percent sign without a field is an unknown field too",
     "RK0242",
     {"- rule: r\n  desc: d\n  condition: " OPEN "\n  output: '100% of %proc.name'\n"
      "  priority: INFO\n  skip-if-unknown-filter: true\n"}},
    {"but not at the very end",
     "RK0240",
     {"- rule: r\n  desc: d\n  condition: " OPEN "\n  output: '%proc.name 100%'\n"
      "  priority: INFO\n  skip-if-unknown-filter: true\n"}},
    {"nor behind a width",
     "RK0240",
     {"- rule: r\n  desc: d\n  condition: " OPEN "\n  output: '%proc.name %5'\n"
      "  priority: INFO\n  skip-if-unknown-filter: true\n"}},
    {"a transformer that is none",
     "RK0242",
     {"- rule: r\n  desc: d\n  condition: " OPEN "\n  output: '%nosuch(proc.name)'\n"
      "  priority: INFO\n  skip-if-unknown-filter: true\n"}},
    {"one that does not end",
     "RK0242",
     {"- rule: r\n  desc: d\n  condition: " OPEN "\n  output: '%tolower(proc.name'\n"
      "  priority: INFO\n  skip-if-unknown-filter: true\n"}},
    {"one that cannot take the field",
     "RK0242",
     {"- rule: r\n  desc: d\n  condition: " OPEN "\n  output: '%tolower(proc.pid)'\n"
      "  priority: INFO\n  skip-if-unknown-filter: true\n"}},
    {"one argument too few",
     "RK0242",
     {"- rule: r\n  desc: d\n  condition: " OPEN "\n  output: '%concat(proc.name)'\n"
      "  priority: INFO\n  skip-if-unknown-filter: true\n"}},
    {"an escape that is none",
     "RK0242",
     {"- rule: r\n  desc: d\n  condition: " OPEN "\n  output: '%concat(proc.name,\"\\q\")'\n"
      "  priority: INFO\n  skip-if-unknown-filter: true\n"}},
    {"in an output the event type is a text like others",
     "",
     {"- rule: r\n  desc: d\n  condition: " OPEN "\n  output: '%tolower(evt.type)'\n"
      "  priority: INFO\n  skip-if-unknown-filter: true\n"}},
    {"a rule that is left out has exceptions that fit all the same",
     "RK0242 RK0216",
     {"- rule: r\n  desc: d\n  condition: " OPEN "\n  output: '%foo.bar'\n"
      "  priority: INFO\n  skip-if-unknown-filter: true\n"
      "  exceptions: [{name: e, fields: [fd.num, fd.name], values: [[1]]}]\n"}},
    {"what is wrong before the unknown field counts",
     "RK0305 RK0242",
     {R("fd.num = x and foo.bar = 1") "  skip-if-unknown-filter: true\n"}},
    {"what is wrong behind it does not",
     "RK0242",
     {R("foo.bar = 1 and fd.num = x") "  skip-if-unknown-filter: true\n"}},
    {"an unknown event type",
     "RK0242",
     {R("evt.type = nosuch") "  skip-if-unknown-filter: true\n"}},
    {"an unknown macro is an error all the same",
     "RK0219",
     {R("nosuch") "  skip-if-unknown-filter: true\n"}},
    {"so is an unknown field of an exception",
     "RK0216",
     {R(OPEN) "  skip-if-unknown-filter: true\n  exceptions: [{name: e, fields: foo.bar}]\n"}},
};

/* Section 1.8: each row is what stands behind `exceptions:` of a rule. */
static const struct {
    const char *name, *codes, *exceptions;
} exception_rows[] = {
    {"none", "", " []"},
    {"null", "", ""},
    {"no sequence", "RK0202", " {name: e}"},
    {"no name", "RK0201", " [{fields: fd.num}]"},
    {"no fields", "RK0201", " [{name: e}]"},
    {"null fields", "RK0216", " [{name: e, fields: }]"},
    {"no values", "", " [{name: e, fields: fd.num}]"},
    {"no values in the list form", "", " [{name: e, fields: [fd.num], comps: [=]}]"},
    {"null values", "RK0202", " [{name: e, fields: fd.num, values: }]"},
    {"an empty sequence of values", "", " [{name: e, fields: fd.num, values: []}]"},
    {"null comps are the default ones", "", " [{name: e, fields: fd.num, comps: , values: [1]}]"},
    {"an empty value", "RK0202", " [{name: e, fields: fd.name, values: ['']}]"},
    {"an empty value in a tuple", "RK0202", " [{name: e, fields: [fd.name], values: [['']]}]"},
    {"a null value alone", "RK0244", " [{name: e, fields: fd.name, values: [~]}]"},
    {"a null value and another", "RK0230 RK0244", " [{name: e, fields: fd.name, values: [a, ~]}]"},
    {"a null value in a list of a tuple", "RK0244",
     " [{name: e, fields: [fd.name], comps: [in], values: [[[~, a]]]}]"},
    {"a null value in a tuple, a list operator", "RK0244",
     " [{name: e, fields: [fd.name], comps: [in], values: [[~]]}]"},
    {"a list for one field", "RK0216", " [{name: e, fields: fd.num, values: [[1]]}]"},
    {"a scalar for a list of fields", "RK0216", " [{name: e, fields: [fd.num], values: [1]}]"},
    {"a short tuple", "RK0216", " [{name: e, fields: [fd.num, fd.name], values: [[1]]}]"},
    {"as many comps as fields", "RK0216",
     " [{name: e, fields: [fd.num], comps: [=, =], values: []}]"},
    {"a list of comps for one field", "RK0216", " [{name: e, fields: fd.num, comps: [in]}]"},
    {"one comp for a list of fields", "RK0216", " [{name: e, fields: [fd.num], comps: in}]"},
    {"an operator of one value for one field", "RK0216", " [{name: e, fields: fd.name, comps: =}]"},
    {"pmatch and intersects", "",
     " [{name: e, fields: fd.name, comps: pmatch, values: [/a]},"
     " {name: f, fields: fd.types, comps: intersects, values: [file]}]"},
    {"modifiers", "", " [{name: e, fields: fd.name, comps: startswith anyof, values: [/a, /b]}]"},
    {"blanks around are stripped", "",
     " [{name: e, fields: fd.name, comps: ' in ', values: [/a]}]"},
    {"but not inside", "RK0216",
     " [{name: e, fields: fd.name, comps: 'endswith  oneof', values: [/a]}]"},
    {"modifiers go with string operators", "RK0216",
     " [{name: e, fields: fd.num, comps: '< oneof', values: [1]}]"},
    {"unknown operators", "RK0216",
     " [{name: e, fields: [fd.name], comps: [like], values: [[a]]}]"},
    {"a known operator that does not fit", "RK0230",
     " [{name: e, fields: [fd.name], comps: [exists], values: [[a]]}]"},
    {"unknown fields", "RK0216", " [{name: e, fields: [fd.nmae], values: [[a]]}]"},
    {"transformed fields", "", " [{name: e, fields: tolower(fd.name), values: [a]}]"},
    {"transformed unknown fields", "RK0216", " [{name: e, fields: tolower(fd.nmae)}]"},
    {"unknown transformers", "RK0234 RK0216", " [{name: e, fields: lower(fd.name)}]"},
    {"fields with arguments", "", " [{name: e, fields: ['proc.aname[2]'], values: [[a]]}]"},
    {"names twice", "RK0217",
     " [{name: e, fields: fd.num, values: [1]}, {name: e, fields: fd.name, values: [a]}]"},
    {"a value with a blank", "", " [{name: e, fields: fd.name, values: [a b]}]"},
    {"a scalar with a blank for in", "RK0230",
     " [{name: e, fields: [fd.name], comps: [in], values: [[a b]]}]"},
    {"a scalar with a comma for in", "",
     " [{name: e, fields: [fd.name], comps: [in], values: [['a, b']]}]"},
    {"in parentheses", "", " [{name: e, fields: [fd.name], comps: [in], values: [['(a, b)']]}]"},
    {"a value that breaks the condition", "RK0230 RK0228",
     " [{name: e, fields: fd.name, values: ['a)']}]"},
    {"a value that is quoted", "", " [{name: e, fields: fd.name, values: ['\"a)\"']}]"},
};

static void exceptions(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(exception_rows); i++) {
        char text[1000];
        snprintf(text, sizeof(text), R(OPEN) "  exceptions:%s\n", exception_rows[i].exceptions);
        assert_rows(&(struct row){exception_rows[i].name, exception_rows[i].codes, {text}}, 1);
    }
}

/* What is appended to: rule r with exception e of field fd.num. */
static const struct {
    const char *name, *codes, *exceptions;
} append_rows[] = {
    {"values", "", "[{name: e, values: [2]}]"},
    {"no values", "RK0218", "[{name: e}]"},
    {"one name twice", "RK0217", "[{name: e, values: [2]}, {name: e, values: [3]}]"},
    {"with fields", "RK0216", "[{name: e, fields: fd.num, values: [2]}]"},
    {"with null fields", "", "[{name: e, fields: , values: [2]}]"},
    {"with comps", "RK0216", "[{name: e, comps: in, values: [2]}]"},
    {"a new one", "", "[{name: f, fields: fd.name, values: [a]}]"},
    {"a new one without fields", "RK0216", "[{name: f, values: [a]}]"},
    {"a new one without values", "RK0216 RK0218", "[{name: f, fields: fd.name}]"},
    {"a new one with an unknown field", "RK0216", "[{name: f, fields: fd.nmae, values: [a]}]"},
    {"values of the wrong type", "RK0305", "[{name: e, values: [x]}]"},
};

static void appended_exceptions(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(append_rows); i++) {
        char text[1000];
        snprintf(text, sizeof(text),
                 R(OPEN) "  exceptions: [{name: e, fields: fd.num, values: [1]}]\n"
                         "- rule: r\n  override: {exceptions: append}\n  exceptions: %s\n",
                 append_rows[i].exceptions);
        assert_rows(&(struct row){append_rows[i].name, append_rows[i].codes, {text}}, 1);
    }
}

static void documents_and_scalars(void **state)
{
    (void)state;
    assert_rows(yaml_rows, ROWS(yaml_rows));
}

static void items(void **state)
{
    (void)state;
    assert_rows(item_rows, ROWS(item_rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_in_order),
        cmocka_unit_test(documents_and_scalars),
        cmocka_unit_test(items),
        cmocka_unit_test(exceptions),
        cmocka_unit_test(appended_exceptions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
