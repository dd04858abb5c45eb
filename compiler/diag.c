/* SPDX-License-Identifier: Apache-2.0 */
#include "diag.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "arena.h"
#include "intern.h"

#define MESSAGE_MAX 1000
#define WORD_MAX 60

static const struct diag_info infos[DIAG_COUNT] = {
#define DIAG(code, severity, falco, title, explanation, ...)                                       \
    [code] = {#code, severity, falco, title, explanation, "" __VA_ARGS__},
#include "diag.def"
};

/* What is queued, and what ordering it needs that a reader does not. */
struct queued {
    struct finding f;
    uint32_t file, off, len;
    bool draft;   /* see diag_set_draft() */
    uint32_t seq; /* order of arrival: the last word of every comparison */
};

struct diags {
    struct arena *arena;
    VEC(struct queued) queue;
    VEC(struct note) notes;
    uint32_t kept[SEV_INFO + 1], left_out[SEV_INFO + 1];
    bool draft;
    bool full; /* the last finding was left out: so are its notes */
    str_id rule;
    struct finding *sorted, *repeats;
    uint32_t nsorted, sorted_of; /* made when the queue was that long */
};

const struct diag_info *diag_info(enum diag_code code)
{
    return &infos[code];
}

enum diag_code diag_by_name(const char *code)
{
    for (unsigned i = 1; i < DIAG_COUNT; i++)
        if (!strcasecmp(infos[i].code, code))
            return (enum diag_code)i;
    return DIAG_NONE;
}

/* One digit wrong or two swapped; the letters may be missing or others. */
enum diag_code diag_near(const char *code)
{
    enum diag_code best = DIAG_NONE;
    const char *digits = code + strcspn(code, "0123456789");
    unsigned limit = 1;
    for (unsigned i = 1; i < DIAG_COUNT && *digits; i++) {
        const char *known = infos[i].code + 2;
        unsigned d = catalog_distance(digits, strlen(digits), known, strlen(known), limit);
        if (d <= limit && (best == DIAG_NONE || d == 0))
            best = (enum diag_code)i;
    }
    return best;
}

const char *diag_severity_name(enum severity severity)
{
    static const char *const names[] = {"error", "warning", "info"};
    return names[severity];
}

struct diags *diags_new(struct arena *a)
{
    struct diags *d = arena_alloc(a, sizeof(*d));
    d->arena = a;
    return d;
}

const char *diag_word(struct comp *c, const char *bytes, size_t len)
{
    size_t n = len;
    if (n > WORD_MAX) {
        n = WORD_MAX;
        while (n && ((unsigned char)bytes[n] & 0xc0) == 0x80)
            n--;
    }
    /* %.*s would end at a NUL, and so does whoever prints the message: show one as '?'. */
    char *s = arena_alloc(c->arena, n + 4);
    for (size_t i = 0; i < n; i++)
        s[i] = bytes[i] ? bytes[i] : '?';
    if (n < len)
        memcpy(s + n, "...", 4);
    return s;
}

static const char *format(struct arena *a, const char *fmt, va_list ap)
{
    char buf[MESSAGE_MAX];
    int n = vsnprintf(buf, sizeof(buf), fmt, ap);
    return arena_printf(a, "%s%s", buf, n >= MESSAGE_MAX ? "..." : "");
}

void diag(struct comp *c, enum diag_code code, span_id at, const char *hint, const char *fmt, ...)
{
    struct diags *d = c->diags;
    if (d->draft && infos[code].severity != SEV_ERROR) {
        d->full = true;
        return;
    }
    enum severity severity = infos[code].severity;
    d->full = d->kept[severity] >= DIAG_MAX;
    if (d->full) {
        d->left_out[severity]++;
        return;
    }
    d->kept[severity]++;
    va_list ap;
    va_start(ap, fmt);
    const char *text = format(d->arena, fmt, ap);
    va_end(ap);
    const struct span *s = &c->spans.v[at.i];
    struct queued q = {
        .f = {.code = code, .at = at, .rule = d->rule, .text = text, .note0 = d->notes.n},
        .file = s->file,
        .off = s->off,
        .len = s->len,
        .draft = d->draft,
        .seq = d->queue.n,
    };
    if (hint)
        q.f.hint = arena_printf(d->arena, "%s", hint);
    VEC_PUSH(d->arena, &d->queue, q);
}

uint32_t diag_total(const struct comp *c)
{
    return c->diags->queue.n + diags_left_out(c, true);
}

void diag_note(struct comp *c, span_id at, const char *fmt, ...)
{
    struct diags *d = c->diags;
    if (d->full || !d->queue.n)
        return;
    va_list ap;
    va_start(ap, fmt);
    const char *text = format(d->arena, fmt, ap);
    va_end(ap);
    VEC_PUSH(d->arena, &d->notes, (struct note){at, text});
    d->queue.v[d->queue.n - 1].f.nnote++;
}

void diag_set_rule(struct comp *c, str_id rule)
{
    c->diags->rule = rule;
}

void diag_set_draft(struct comp *c, bool on)
{
    c->diags->draft = on;
}

static int compare(uint32_t a, uint32_t b)
{
    return a < b ? -1 : a > b;
}

/* By place; findings that say the same of the same place stand together, first come first. */
static int compare_same(const struct queued *a, const struct queued *b)
{
    int d = compare(a->file, b->file);
    d = d ? d : compare(a->off, b->off);
    d = d ? d : compare(a->len, b->len);
    d = d ? d : compare(a->f.code, b->f.code);
    return d ? d : strcmp(a->f.text, b->f.text);
}

static int compare_queued(const void *va, const void *vb)
{
    const struct queued *a = va, *b = vb;
    int d = compare_same(a, b);
    d = d ? d : compare(a->draft, b->draft);
    return d ? d : compare(a->seq, b->seq);
}

static void sort(struct diags *d)
{
    if (d->sorted && d->sorted_of == d->queue.n)
        return;
    uint32_t n = d->queue.n;
    struct queued *all = arena_alloc(d->arena, n * sizeof(*all));
    if (n) {
        memcpy(all, d->queue.v, n * sizeof(*all));
        qsort(all, n, sizeof(*all), compare_queued);
    }
    d->sorted = arena_alloc(d->arena, n * sizeof(*d->sorted));
    d->repeats = arena_alloc(d->arena, n * sizeof(*d->repeats));
    d->nsorted = 0;
    d->sorted_of = n;
    uint32_t nrepeat = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (i && !compare_same(&all[i - 1], &all[i])) {
            if (!all[i].draft) {
                d->repeats[nrepeat++] = all[i].f;
                d->sorted[d->nsorted - 1].more++;
            }
        } else {
            d->sorted[d->nsorted] = all[i].f;
            d->sorted[d->nsorted++].repeat0 = nrepeat;
        }
    }
}

const struct finding *diags_sorted(const struct comp *c, uint32_t *n)
{
    sort(c->diags);
    *n = c->diags->nsorted;
    return c->diags->sorted;
}

const struct finding *diags_repeats(const struct comp *c)
{
    sort(c->diags);
    return c->diags->repeats;
}

const struct note *diags_notes(const struct comp *c)
{
    return c->diags->notes.v;
}

uint32_t diag_uses(const struct comp *c, const struct span *s)
{
    uint32_t n = 0;
    for (; s->via.i; s = &c->spans.v[s->via.i])
        n++;
    return n;
}

uint32_t diags_left_out(const struct comp *c, bool verbose)
{
    const uint32_t *left = c->diags->left_out;
    return left[SEV_ERROR] + left[SEV_WARNING] + (verbose ? left[SEV_INFO] : 0);
}

uint32_t diag_count(const struct comp *c, enum severity severity)
{
    uint32_t n, count = c->diags->left_out[severity];
    const struct finding *f = diags_sorted(c, &n);
    for (uint32_t i = 0; i < n; i++)
        count += infos[f[i].code].severity == severity;
    return count;
}
