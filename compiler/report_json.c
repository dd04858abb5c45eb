/* SPDX-License-Identifier: Apache-2.0 */
/* Findings as one JSON array, for editors and other programs. */
#include <string.h>

#include "diag.h"
#include "intern.h"
#include "show.h"
#include "source.h"

/* Line 0, column 0: the finding is about a file as a whole, or about none (file ""). */
static void put_place(const struct comp *c, FILE *out, const struct span *s)
{
    struct place from = source_place(c->sources, s->file, s->off);
    struct place to = source_place(c->sources, s->file, s->off + s->len);
    const char *name = source_name(c->sources, s->file);
    fputs("\"file\":", out);
    show_json(out, name, strlen(name));
    fprintf(out, ",\"line\":%u,\"column\":%u,\"endLine\":%u,\"endColumn\":%u", from.line,
            from.column, to.line, to.column);
}

static void put_text_or_null(FILE *out, const char *key, const char *s, size_t len)
{
    fprintf(out, "\"%s\":", key);
    if (len)
        show_json(out, s, len);
    else
        fputs("null", out);
}

static void put_rule(const struct comp *c, FILE *out, const struct finding *f)
{
    put_text_or_null(out, "rule", STR(c, f->rule), f->rule.i ? STRLEN(c, f->rule) : 0);
}

static void put_note(const struct comp *c, FILE *out, const struct span *s, const char *text,
                     bool *first)
{
    fputs(*first ? "{\"message\":" : ",{\"message\":", out);
    *first = false;
    show_json(out, text, strlen(text));
    fputc(',', out);
    put_place(c, out, s);
    fputc('}', out);
}

/* The uses that led to the place, the innermost first; of a long chain also the outermost. */
static void put_uses(const struct comp *c, FILE *out, const struct span *s, bool *first)
{
    uint32_t n = diag_uses(c, s);
    for (uint32_t i = 0; i < n; i++) {
        const struct span *use = &c->spans.v[s->via.i];
        char text[200];
        snprintf(text, sizeof(text), "in %s, used here", STR(c, s->what));
        if (i < DIAG_USES_MAX - 1 || i == n - 1)
            put_note(c, out, use, text, first);
        s = use;
    }
}

static void put_notes(const struct comp *c, FILE *out, const struct finding *f)
{
    bool first = true;
    fputs(",\"notes\":[", out);
    put_uses(c, out, &c->spans.v[f->at.i], &first);
    const struct note *notes = diags_notes(c) + f->note0;
    for (uint32_t i = 0; i < f->nnote; i++)
        put_note(c, out, &c->spans.v[notes[i].at.i], notes[i].text, &first);
    fputc(']', out);
}

/* The same finding by way of other uses, each with its rule and the uses that led to it. */
static void put_repeats(const struct comp *c, FILE *out, const struct finding *f)
{
    const struct finding *again = diags_repeats(c) + f->repeat0;
    fputs(",\"also\":[", out);
    for (uint32_t i = 0; i < f->more; i++) {
        fputs(i ? ",{" : "{", out);
        put_rule(c, out, &again[i]);
        put_notes(c, out, &again[i]);
        fputc('}', out);
    }
    fputc(']', out);
}

static void put_finding(const struct comp *c, FILE *out, const struct finding *f)
{
    const struct diag_info *info = diag_info(f->code);
    fprintf(out, "{\"severity\":\"%s\",\"code\":\"%s\",", diag_severity_name(info->severity),
            info->code);
    put_text_or_null(out, "falco_code", info->falco, strlen(info->falco));
    fputc(',', out);
    put_place(c, out, &c->spans.v[f->at.i]);
    fputs(",\"message\":", out);
    show_json(out, f->text, strlen(f->text));
    fputc(',', out);
    put_rule(c, out, f);
    fputc(',', out);
    put_text_or_null(out, "hint", f->hint, f->hint ? strlen(f->hint) : 0);
    put_notes(c, out, f);
    put_repeats(c, out, f);
    fputc('}', out);
}

void diag_print_json(const struct comp *c, FILE *out, bool verbose)
{
    uint32_t n;
    const char *before = "[\n";
    const struct finding *f = diags_sorted(c, &n);
    for (uint32_t i = 0; i < n; i++) {
        if (verbose || diag_info(f[i].code)->severity != SEV_INFO) {
            fputs(before, out);
            before = ",\n";
            put_finding(c, out, &f[i]);
        }
    }
    fputs(*before == '[' ? "[]\n" : "\n]\n", out);
}
