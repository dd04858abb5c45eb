/* SPDX-License-Identifier: Apache-2.0 */
/* Findings as text: file:line:col, the source line, a caret. */
#include "diag.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "intern.h"
#include "show.h"
#include "source.h"

#define LINE_MAX_SHOWN 160u /* bytes of a source line; a longer one is shown around its place */
#define REPEATS_MAX 3u      /* other ways to the same finding that are shown one by one */

enum paint { PAINT_NONE, PAINT_ERROR, PAINT_WARNING, PAINT_NOTE, PAINT_BOLD };

static const char *const paints[] = {"\033[0m", "\033[1;31m", "\033[1;35m", "\033[1;36m",
                                     "\033[1m"};

static void paint(FILE *out, struct diag_style style, enum paint p)
{
    if (style.color)
        fputs(paints[p], out);
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
    if (p.line)
        fprintf(out, ":%u:%u", p.line, p.column);
    fputs(": ", out);
}

/* What is no character, or would steer the terminal, is shown as one question mark. */
static bool is_shown_as_is(uint32_t cp)
{
    return cp == '\t' || (cp != UINT32_MAX && !show_acts(cp));
}

/* Bytes of the character at `s`, and in `*cols` the columns it takes when shown (a tab: 1). */
static size_t measure(const char *s, size_t len, unsigned *cols)
{
    uint32_t cp;
    size_t n = show_decode(s, len, &cp);
    *cols = is_shown_as_is(cp) ? show_width(cp) : 1;
    return n;
}

static void put_char(FILE *out, const char *s, size_t n)
{
    uint32_t cp;
    show_decode(s, n, &cp);
    if (is_shown_as_is(cp))
        fwrite(s, 1, n, out);
    else
        fputc('?', out);
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
    size_t at = s->off > start ? s->off - start : 0; /* before the start: a byte order mark */
    w.at = at < len ? at : len;
    w.end = s->len < len - w.at ? w.at + s->len : len;
    w.to = len;
    if (len > LINE_MAX_SHOWN) {
        w.from = w.at > LINE_MAX_SHOWN / 2 ? w.at - LINE_MAX_SHOWN / 2 : 0;
        w.to = len - w.from > LINE_MAX_SHOWN ? w.from + LINE_MAX_SHOWN : len;
    }
    while (w.from < w.at && is_tail(w.text[w.from]))
        w.from++;
    while (w.to < len && is_tail(w.text[w.to]))
        w.to++;
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
        for (; cols; cols--)
            fputc(w->text[i] == '\t' ? '\t' : ' ', out);
        i += n;
    }
    for (size_t i = w->at; i < w->end;) {
        i += measure(w->text + i, w->end - i, &cols);
        under += cols;
    }
    fputc('^', out);
    while (under-- > 1)
        fputc('~', out);
}

/* The source line, and below it ^~~~ under the place. */
static void put_line(const struct comp *c, FILE *out, const struct span *s, struct diag_style style)
{
    if (!s->file || !source_place(c->sources, s->file, s->off).line)
        return;
    struct window w = window_of(c, s);
    if (w.from == w.to)
        return;
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

static void put_use(const struct comp *c, FILE *out, const char *how, const struct span *s,
                    struct diag_style style)
{
    put_head(c, out, &c->spans.v[s->via.i], "note", PAINT_NOTE, style);
    fputs(how, out);
    show_text(out, STR(c, s->what), STRLEN(c, s->what));
    fputs(", used here\n", out);
}

/*
 * "in macro m, used here" for each use that led to the place, the innermost first. Of a long chain
 * the outermost use, which stands in a rule, is shown in any case.
 */
static void put_uses(const struct comp *c, FILE *out, const struct span *s, struct diag_style style)
{
    uint32_t n = diag_uses(c, s);
    for (uint32_t i = 0; i < n; i++, s = &c->spans.v[s->via.i]) {
        if (i < DIAG_USES_MAX - 1 || i == n - 1) {
            put_use(c, out, "in ", s, style);
            put_line(c, out, &c->spans.v[s->via.i], style);
        } else if (i == n - 2) {
            fprintf(out, "note: %u uses in between are not shown\n", n - DIAG_USES_MAX);
        }
    }
}

static bool same_place(const struct span *a, const struct span *b)
{
    return a->file == b->file && a->off == b->off && a->len == b->len;
}

/* Where the uses that led to `b` part from those that led to `a`; NULL if they do not. */
static const struct span *parting(const struct comp *c, const struct span *a, const struct span *b)
{
    while (b->via.i && a->via.i) {
        const struct span *next = &c->spans.v[b->via.i];
        a = &c->spans.v[a->via.i];
        if (!same_place(a, next))
            return b;
        b = next;
    }
    return NULL;
}

/* The first few other ways to the same finding, and how many there are beyond them. */
static void put_repeats(const struct comp *c, FILE *out, const struct finding *f,
                        struct diag_style style)
{
    const struct finding *again = diags_repeats(c) + f->repeat0, *before = f;
    uint32_t left = f->more;
    for (uint32_t i = 0; i < f->more && i < REPEATS_MAX; i++, before = again++) {
        const struct span *s = parting(c, &c->spans.v[before->at.i], &c->spans.v[again->at.i]);
        if (s) {
            put_use(c, out, "the same in ", s, style);
            left--;
        }
    }
    if (left)
        fprintf(out, "note: the same in %u more place%s\n", left, left == 1 ? "" : "s");
}

static void put_finding(const struct comp *c, FILE *out, const struct finding *f,
                        struct diag_style style)
{
    static const enum paint colors[] = {PAINT_ERROR, PAINT_WARNING, PAINT_NOTE};
    const struct diag_info *info = diag_info(f->code);
    const struct span *s = &c->spans.v[f->at.i];
    put_head(c, out, s, diag_severity_name(info->severity), colors[info->severity], style);
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
    put_repeats(c, out, f, style);
    if (f->hint) {
        fputs("hint: ", out);
        show_text(out, f->hint, strlen(f->hint));
        fputc('\n', out);
    }
}

static void print_text(const struct comp *c, FILE *out, struct diag_style style)
{
    uint32_t n, left = diags_left_out(c, style.verbose);
    const struct finding *f = diags_sorted(c, &n);
    for (uint32_t i = 0; i < n; i++)
        if (style.verbose || diag_info(f[i].code)->severity != SEV_INFO)
            put_finding(c, out, &f[i], style);
    if (left)
        fprintf(out, "rulec: %u more finding%s not shown\n", left, left == 1 ? " is" : "s are");
}

/* In one piece: standard error has no buffer, and findings may be thousands. */
void diag_print(const struct comp *c, FILE *out, struct diag_style style)
{
    char *text = NULL;
    size_t len = 0;
    FILE *whole = open_memstream(&text, &len);
    FILE *to = whole ? whole : out;
    if (style.format == DIAG_JSON)
        diag_print_json(c, to, style.verbose);
    else
        print_text(c, to, style);
    if (whole) {
        fclose(whole);
        fwrite(text, 1, len, out);
        free(text);
    }
}

void diag_report(const struct comp *c)
{
    diag_print(c, stderr, (struct diag_style){.color = diag_wants_color(stderr)});
}
