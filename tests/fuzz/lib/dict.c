/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints a dictionary for libFuzzer, made from the catalog: dict rules|condition|output|event.
 * What the catalog does not have (keys of YAML, separators) is listed here, by the kind of input.
 */
#include <stdio.h>
#include <string.h>

#include "../../../grammar/catalog.h"
#include "../../../grammar/transform.h"

enum kind { RULES = 1, CONDITION = 2, OUTPUT = 4, EVENT = 8 };

static const struct {
    int kinds;
    const char *word;
} words[] = {
    {RULES, "- rule: "},
    {RULES, "- macro: "},
    {RULES, "- list: "},
    {RULES, "\n  condition: "},
    {RULES, "\n  output: "},
    {RULES, "\n  desc: "},
    {RULES, "\n  priority: "},
    {RULES, "\n  items: ["},
    {RULES, "\n  append: true"},
    {RULES, "\n  override: {condition: append}"},
    {RULES, "\n  override: {items: replace}"},
    {RULES, "\n  enabled: false"},
    {RULES, "\n  exceptions:\n    - name: "},
    {RULES, "\n      fields: ["},
    {RULES, "\n      comps: ["},
    {RULES, "\n      values: [["},
    {RULES, "\n  tags: ["},
    {RULES, "\n  source: syscall"},
    {RULES, "\n  skip-if-unknown-filter: true"},
    {RULES, "\n  warn_evttypes: false"},
    {RULES, "- required_engine_version: 0.31.0"},
    {RULES, "- required_plugin_versions:\n  - name: container\n    version: 0.2.4"},
    {RULES, "\n---\n"},
    {RULES, ": >\n    "},
    {RULES, ": |-\n    "},
    {RULES, "&a "},
    {RULES, "*a "},
    {RULES, "!!str "},
    {RULES, "'"},
    {RULES | CONDITION, " and "},
    {RULES | CONDITION, " or "},
    {RULES | CONDITION, "not "},
    {RULES | CONDITION, "("},
    {RULES | CONDITION, ")"},
    {RULES | CONDITION, ", "},
    {RULES | CONDITION, " anyof ("},
    {RULES | CONDITION, " allof ("},
    {RULES | CONDITION, " oneof ("},
    {RULES | CONDITION, "<NA>"},
    {RULES | CONDITION, "\"\\x41\""},
    {RULES | CONDITION, "/etc/*"},
    {RULES | CONDITION, "10.0.0.0/8"},
    {RULES | CONDITION, "fe80::/10"},
    {RULES | CONDITION, "shells"},
    {RULES | CONDITION, "spawned"},
    {RULES | CONDITION, "18446744073709551615"},
    {RULES | CONDITION, "0x7f"},
    {RULES | CONDITION, "-9223372036854775808"},
    {CONDITION | OUTPUT, "[2]"},
    {CONDITION | OUTPUT, "[HOME]"},
    {OUTPUT, "%evt.arg."},
    {OUTPUT, "%20"},
    {OUTPUT, "%"},
    {EVENT, "{\"unknown\": true}"},
    {EVENT, "null"},
    {EVENT, "\": \""},
    {EVENT, "\", \""},
    {EVENT, "\\u00e9"},
    {EVENT, "[\""},
    {EVENT, "9223372036854775807"},
    {EVENT, "evt.arg."},
    {EVENT, "127.0.0.1:80->10.0.0.1:443"},
};

/* One entry: in quotes, with the two escapes that the format has and \xNN for the rest. */
static void put(const char *before, const char *word, const char *after)
{
    const char *parts[] = {before, word, after};
    putchar('"');
    for (int k = 0; k < 3; k++) {
        for (const char *s = parts[k]; *s; s++)
            if (*s == '"' || *s == '\\')
                printf("\\%c", *s);
            else if (*s < 0x20 || *s > 0x7e)
                printf("\\x%02x", (unsigned char)*s);
            else
                putchar(*s);
    }
    puts("\"");
}

static void put_fields(int kind)
{
    for (int i = F_NONE + 1; i < F_COUNT; i++) {
        const char *name = catalog_field((enum field_id)i)->name;
        if (kind == OUTPUT)
            put("%", name, " ");
        else if (kind == EVENT)
            put("\"", name, "\": ");
        else
            put("", name, "");
    }
}

static void put_flags(void)
{
    for (int t = FT_NONE + 1; t < FT_COUNT; t++) {
        unsigned n;
        const struct flag_row *row = catalog_flags((enum flag_table)t, &n);
        for (unsigned i = 0; i < n; i++)
            put("", row[i].text, "");
    }
}

static void put_events(int kind)
{
    for (int e = EV_NONE + 1; e < EV_COUNT; e++) {
        put("", catalog_event((enum event_id)e)->name, "");
        for (unsigned i = 0; i < catalog_param_count((enum event_id)e); i++) {
            const char *name = catalog_param((enum event_id)e, i)->name;
            if (kind == EVENT)
                put("\"evt.arg.", name, "\": ");
            else
                put("evt.arg.", name, "");
        }
    }
}

static void put_operators(void)
{
    for (int op = OP_NONE + 1; op < OP_COUNT; op++)
        put(" ", catalog_op((enum op_id)op)->text, " ");
    for (int x = XF_NONE + 1; x <= XF_VAL; x++)
        put("", xform_name((enum xform_id)x), "(");
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"rules", "condition", "output", "event"};
    int kind = 0;
    for (int i = 0; i < 4 && argc == 2; i++)
        kind = strcmp(argv[1], names[i]) ? kind : 1 << i;
    if (!kind) {
        fputs("usage: dict rules|condition|output|event\n", stderr);
        return 2;
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (words[i].kinds & kind)
            put("", words[i].word, "");
    put_fields(kind);
    if (kind != OUTPUT) {
        put_events(kind);
        put_flags();
    }
    if (kind == RULES || kind == CONDITION)
        put_operators();
    return 0;
}
