/* SPDX-License-Identifier: Apache-2.0 */
/* Findings as text (file:line:col, the source line, a caret) and as JSON. */
#include "diag.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "intern.h"
#include "show.h"
#include "source.h"

#define LINE_MAX_SHOWN 160u /* bytes of a source line; a longer one is shown around its place */
#define VIA_MAX 16u         /* uses that are shown of a long chain */

enum paint { PAINT_NONE, PAINT_ERROR, PAINT_WARNING, PAINT_NOTE, PAINT_BOLD };

static const char *const paints[] = {"\033[0m", "\033[1;31m", "\033[1;35m", "\033[1;36m",
                                     "\033[1m"};
static const char *const severities[] = {"error", "warning", "info"};

static void paint(FILE *out, struct diag_style style, enum paint p)
{
    if (style.color) {
        fputs(paints[p], out);
    }
}

bool diag_wants_color(FILE *out)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(fileno(out)) && !(no && *no) && !(term && !strcmp(term, "dumb"));
}

static void put_place(const struct comp *c, FILE *out, const struct span *s)
{
    if (!s->file) {
        fputs("rulec: ", out);
        return;
    }
    const char *name = source_name(c->sources, s->file);
    show_text(out, name, strlen(name));
    struct place p = source_place(c->sources, s->file, s->off);
    if (p.line) {
        fprintf(out, ":%u:%u", p.line, p.column);
    }
    fputs(": ", out);
}

/* Bytes of the character at `s`, and in `*cols` the columns it takes when shown (a tab: 1). */
static size_t measure(const char *s, size_t len, unsigned *cols)
{
    uint32_t cp;
    size_t n = show_decode(s, len, &cp);
    *cols = cp == UINT32_MAX ? 1 : show_width(cp);
    return n;
}

static void put_char(FILE *out, const char *s, size_t n)
{
    uint32_t cp;
    show_decode(s, n, &cp);
    if (cp != '\t' && (cp == UINT32_MAX || cp < 0x20 || (cp >= 0x7f && cp < 0xa0))) {
        fputc('?', out);
    } else {
        fwrite(s, 1, n, out);
    }
}

/* The part of a line that is shown: all of it, or a window that holds the place. */
struct window {
    const char *text;
    size_t from, to; /* bytes of the line */
    size_t at, end;  /* the place, within from..to */
    bool cut_left, cut_right;
};

static bool is_tail(char ch)
{
    return ((unsigned char)ch & 0xc0) == 0x80;
}

static struct window window_of(const struct comp *c, const struct span *s)
{
    size_t len;
    uint32_t start;
    struct window w = {.text = source_line(c->sources, s->file, s->off, &len, &start)};
    w.at = s->off - start < len ? s->off - start : len;
    w.end = s->len < len - w.at ? w.at + s->len : len;
    w.to = len;
    if (len > LINE_MAX_SHOWN) {
        w.from = w.at > LINE_MAX_SHOWN / 2 ? w.at - LINE_MAX_SHOWN / 2 : 0;
        w.to = len - w.from > LINE_MAX_SHOWN ? w.from + LINE_MAX_SHOWN : len;
    }
    while (w.from < w.at && is_tail(w.text[w.from])) {
        w.from++;
    }
    while (w.to < len && is_tail(w.text[w.to])) {
        w.to++;
    }
    w.end = w.end < w.to ? w.end : w.to;
    w.cut_left = w.from > 0;
    w.cut_right = w.to < len;
    return w;
}

static void put_caret(FILE *out, const struct window *w)
{
    unsigned cols, under = 0;
    for (size_t i = w->from; i < w->at;) {
        size_t n = measure(w->text + i, w->at - i, &cols);
        for (; cols; cols--) {
            fputc(w->text[i] == '\t' ? '\t' : ' ', out);
        }
        i += n;
    }
    for (size_t i = w->at; i < w->end;) {
        i += measure(w->text + i, w->end - i, &cols);
        under += cols;
    }
    fputc('^', out);
    while (under-- > 1) {
        fputc('~', out);
    }
}

/* The source line, and below it ^~~~ under the place. */
static void put_line(const struct comp *c, FILE *out, const struct span *s, struct diag_style style)
{
    if (!s->file || !source_place(c->sources, s->file, s->off).line) {
        return;
    }
    struct window w = window_of(c, s);
    if (w.from == w.to) {
        return;
    }
    unsigned cols;
    fputs(w.cut_left ? "  ..." : "  ", out);
    for (size_t i = w.from, n; i < w.to; i += n) {
        n = measure(w.text + i, w.to - i, &cols);
        put_char(out, w.text + i, n);
    }
    fputs(w.cut_right ? "...\n  " : "\n  ", out);
    fputs(w.cut_left ? "   " : "", out);
    paint(out, style, PAINT_NOTE);
    put_caret(out, &w);
    paint(out, style, PAINT_NONE);
    fputc('\n', out);
}

static void put_head(const struct comp *c, FILE *out, const struct span *s, const char *kind,
                     enum paint color, struct diag_style style)
{
    paint(out, style, PAINT_BOLD);
    put_place(c, out, s);
    paint(out, style, PAINT_NONE);
    paint(out, style, color);
    fprintf(out, "%s: ", kind);
    paint(out, style, PAINT_NONE);
}

/* "in macro m, used here" for each use that led to the place, the innermost first. */
static void put_uses(const struct comp *c, FILE *out, const struct span *s, struct diag_style style)
{
    for (uint32_t i = 0; s->via.i && i < VIA_MAX; i++) {
        str_id what = s->what;
        s = &c->spans.v[s->via.i];
        put_head(c, out, s, "note", PAINT_NOTE, style);
        fputs("in ", out);
        show_text(out, STR(c, what), STRLEN(c, what));
        fputs(", used here\n", out);
        put_line(c, out, s, style);
    }
}

static void put_finding(const struct comp *c, FILE *out, const struct finding *f,
                        struct diag_style style)
{
    static const enum paint colors[] = {PAINT_ERROR, PAINT_WARNING, PAINT_NOTE};
    const struct diag_info *info = diag_info(f->code);
    const struct span *s = &c->spans.v[f->at.i];
    put_head(c, out, s, severities[info->severity], colors[info->severity], style);
    show_text(out, f->text, strlen(f->text));
    fprintf(out, " [%s]\n", info->code);
    put_line(c, out, s, style);
    put_uses(c, out, s, style);
    const struct note *notes = diags_notes(c);
    for (uint32_t i = 0; i < f->nnote; i++) {
        const struct span *at = &c->spans.v[notes[f->note0 + i].at.i];
        put_head(c, out, at, "note", PAINT_NOTE, style);
        show_text(out, notes[f->note0 + i].text, strlen(notes[f->note0 + i].text));
        fputc('\n', out);
        put_line(c, out, at, style);
    }
    if (f->more) {
        fprintf(out, "note: the same in %u more place%s\n", f->more, f->more == 1 ? "" : "s");
    }
    if (f->hint) {
        fputs("hint: ", out);
        show_text(out, f->hint, strlen(f->hint));
        fputc('\n', out);
    }
}

static void json_place(const struct comp *c, FILE *out, const struct span *s)
{
    struct place from = source_place(c->sources, s->file, s->off);
    struct place to = source_place(c->sources, s->file, s->off + s->len);
    const char *name = source_name(c->sources, s->file);
    fputs("\"file\":", out);
    show_json(out, name, strlen(name));
    fprintf(out, ",\"line\":%u,\"column\":%u,\"end_line\":%u,\"end_column\":%u", from.line,
            from.column, to.line, to.column);
}

static void json_note(const struct comp *c, FILE *out, const struct span *s, const char *text,
                      bool first)
{
    fputs(first ? "{\"message\":" : ",{\"message\":", out);
    show_json(out, text, strlen(text));
    fputc(',', out);
    json_place(c, out, s);
    fputc('}', out);
}

static void json_notes(const struct comp *c, FILE *out, const struct finding *f)
{
    bool first = true;
    const struct span *s = &c->spans.v[f->at.i];
    for (uint32_t i = 0; s->via.i && i < VIA_MAX; i++) {
        char text[200];
        snprintf(text, sizeof text, "in %s, used here", STR(c, s->what));
        s = &c->spans.v[s->via.i];
        json_note(c, out, s, text, first);
        first = false;
    }
    const struct note *notes = diags_notes(c);
    for (uint32_t i = 0; i < f->nnote; i++) {
        const struct note *n = &notes[f->note0 + i];
        json_note(c, out, &c->spans.v[n->at.i], n->text, first);
        first = false;
    }
}

static void json_finding(const struct comp *c, FILE *out, const struct finding *f)
{
    const struct diag_info *info = diag_info(f->code);
    fprintf(out, "{\"code\":\"%s\",\"severity\":\"%s\",\"falco\":\"%s\",\"message\":", info->code,
            severities[info->severity], info->falco);
    show_json(out, f->text, strlen(f->text));
    fputc(',', out);
    json_place(c, out, &c->spans.v[f->at.i]);
    fputs(",\"rule\":", out);
    if (f->rule.i) {
        show_json(out, STR(c, f->rule), STRLEN(c, f->rule));
    } else {
        fputs("null", out);
    }
    fputs(",\"hint\":", out);
    if (f->hint) {
        show_json(out, f->hint, strlen(f->hint));
    } else {
        fputs("null", out);
    }
    fprintf(out, ",\"more\":%u,\"notes\":[", f->more);
    json_notes(c, out, f);
    fputs("]}", out);
}

static void print_json(const struct comp *c, FILE *out, bool verbose)
{
    uint32_t n, shown = 0;
    const struct finding *f = diags_sorted(c, &n);
    fputs("{\"findings\":[", out);
    for (uint32_t i = 0; i < n; i++) {
        if (verbose || diag_info(f[i].code)->severity != SEV_INFO) {
            fputs(shown++ ? ",\n" : "\n", out);
            json_finding(c, out, &f[i]);
        }
    }
    fprintf(out, "%s],\"errors\":%u,\"warnings\":%u}\n", shown ? "\n" : "",
            diag_count(c, SEV_ERROR), diag_count(c, SEV_WARNING));
}

void diag_print(const struct comp *c, FILE *out, struct diag_style style)
{
    if (style.format == DIAG_JSON) {
        print_json(c, out, style.verbose);
        return;
    }
    uint32_t n;
    const struct finding *f = diags_sorted(c, &n);
    for (uint32_t i = 0; i < n; i++) {
        if (style.verbose || diag_info(f[i].code)->severity != SEV_INFO) {
            put_finding(c, out, &f[i], style);
        }
    }
    if (diags_left_out(c)) {
        fprintf(out, "rulec: %u more findings are not shown\n", diags_left_out(c));
    }
}

void diag_report(const struct comp *c)
{
    diag_print(c, stderr, (struct diag_style){.color = diag_wants_color(stderr)});
}
