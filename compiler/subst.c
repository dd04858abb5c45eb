/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists are text (rule-language 2): their names are replaced in the text of a condition before it
 * is parsed, one list after the other in order of first definition, each over the whole text as
 * it is by then. It knows nothing of syntax and acts inside quotes as well.
 *
 * Most conditions name few lists: the words of a text tell which (`wanted`), and only those passes
 * are made. What a list brings in is looked at for later lists in the same way.
 */
#include "pack.h"

#include <string.h>

#include "../grammar/field.h"
#include "../grammar/parse.h"
#include "../grammar/transform.h"
#include "arena.h"
#include "diag.h"
#include "intern.h"

static bool is_delimiter(char ch)
{
    return is_blank(ch) || ch == '(' || ch == ')' || ch == ',' || ch == '=';
}

static const char *shown(struct comp *c, str_id s)
{
    return diag_word(c, STR(c, s), STRLEN(c, s));
}

static str_id list_what(struct comp *c, const struct list_def *l)
{
    return intern_cstr(c->intern, arena_printf(c->arena, "list %s", shown(c, l->name)));
}

/* ---- what stands for a list's name ---- */

static bool is_large(const struct text *t)
{
    return t->bytes.n > TEXT_MAX || t->segs.n > PIECES_MAX;
}

/* One quoted string and nothing behind it. */
static bool is_quoted(const char *s, size_t len)
{
    const char *end = s + 1;
    while ((end = memchr(end, *s, len - (size_t)(end - s))) && end[-1] == '\\')
        end++;
    return end == s + len - 1;
}

/* A text that is put into a condition as it is, and will not be read there as one constant. */
static bool splits(const char *s, size_t len)
{
    if (*s == '"' || *s == '\'')
        return !is_quoted(s, len);
    /* A blank brings quotes with it; then only a quote or a backslash inside can end them. */
    return memchr(s, ' ', len) ? s[strcspn(s, "\"\\")] != 0 : s[strcspn(s, "(),='\"\t\r\n\b")] != 0;
}

void subst_check_item(struct pack *pk, uint32_t yaml, const char *of, str_id name)
{
    const char *what = strcmp(of, "list") ? "value" : "item";
    struct comp *c = pk->c;
    const struct yaml *y = &c->yaml.v[yaml];
    if (splits(STR(c, y->text), STRLEN(c, y->text))) {
        diag(c, RK0228, y->at, "put quotes inside the quotes: '\"...\"'",
             "%s `%s` of %s `%s` is not read as one constant", what, shown(c, y->text), of,
             shown(c, name));
    }
}

/* An item behind a comma, unless nothing stands before it: empty items in front leave none. */
static void put_item(struct pack *pk, struct text *t, uint32_t yaml)
{
    if (t->bytes.n)
        text_put_fixed(pk->c, t, ", ", pk->c->yaml.v[yaml].at);
    except_put_quoted(pk, t, yaml);
}

/* The items of list `o`, which stands in list `l` at `use`. */
static void put_inner(struct pack *pk, struct list_def *l, struct list_def *o, span_id use)
{
    str_id what = list_what(pk->c, o);
    o->used = true;
    for (uint32_t k = 0; k < o->items.n && !is_large(&l->text); k++) {
        uint32_t first = l->text.segs.n;
        put_item(pk, &l->text, o->items.v[k]);
        text_mark_used(pk->c, &l->text, first, use, what);
    }
}

/*
 * One level only: an item that names a list defined before this one's last change is replaced by
 * that list's items as they were written. Deeper names are left to subst_lists().
 */
static void compile_list(struct pack *pk, struct list_def *l)
{
    struct comp *c = pk->c;
    if (l->ready)
        return;
    l->ready = true;
    for (uint32_t i = 0; i < l->items.n && !is_large(&l->text); i++) {
        str_id word = c->yaml.v[l->items.v[i]].text;
        uint32_t other = PACK_FIND(&pk->list_of, word);
        if (other && pk->lists.v[other - 1].first < l->last) {
            put_inner(pk, l, &pk->lists.v[other - 1], c->yaml.v[l->items.v[i]].at);
        } else {
            subst_check_item(pk, l->items.v[i], "list", l->name);
            put_item(pk, &l->text, l->items.v[i]);
        }
    }
}

void subst_prepare(struct pack *pk)
{
    for (uint32_t i = 0; i < pk->lists.n; i++)
        compile_list(pk, &pk->lists.v[i]);
}

/* ---- replacing ---- */

struct subst {
    struct pack *pk;
    VEC(bool) wanted; /* by list: its name may be a word of the text */
};

/* Marks the lists whose names are words of the text. */
static void want_words(struct subst *s, const struct text *t)
{
    struct comp *c = s->pk->c;
    for (uint32_t i = 0, from = 0; i <= t->bytes.n; i++) {
        if (i < t->bytes.n && !is_delimiter(t->bytes.v[i]))
            continue;
        str_id word = intern_find(c->intern, t->bytes.v + from, i - from);
        uint32_t list = word.i ? PACK_FIND(&s->pk->list_of, word) : 0;
        if (list)
            s->wanted.v[list - 1] = true;
        from = i + 1;
    }
}

/* The next place of `name` in the text, between delimiters; UINT32_MAX: none. */
static uint32_t find_name(const struct text *t, uint32_t from, const char *name, uint32_t len)
{
    const char *text = t->bytes.v;
    while (from + len <= t->bytes.n) {
        const char *hit = memmem(text + from, t->bytes.n - from, name, len);
        if (!hit)
            break;
        uint32_t at = (uint32_t)(hit - text);
        if ((at == 0 || is_delimiter(text[at - 1])) &&
            (at + len == t->bytes.n || is_delimiter(text[at + len])))
            return at;
        from = at + 1;
    }
    return UINT32_MAX;
}

/* Follows the quotes of a text from left to right, to tell whether a place is inside a string. */
struct quotes {
    uint32_t off;
    char open; /* the quote that is open, or 0 */
};

static bool in_quotes(struct quotes *q, const struct text *t, uint32_t at)
{
    for (; q->off < at; q->off++) {
        char ch = t->bytes.v[q->off];
        if (!q->open)
            q->open = (char)(ch == '"' || ch == '\'' ? ch : 0);
        else if (ch == '\\')
            q->off++;
        else if (ch == q->open)
            q->open = 0;
    }
    return q->open;
}

/* A word that the grammar knows: what it is then is not what was written. */
static bool is_language(const char *s, size_t len)
{
    static const char *const words[] = {"and", "or", "not", "oneof", "anyof", "allof"};
    struct field_name f;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (len == strlen(words[i]) && !memcmp(s, words[i], len))
            return true;
    return catalog_op_by_name(s, len) || xform_by_name(s, len) != XF_NONE ||
           (memchr(s, '.', len) && field_read(s, len, NULL, 0, &f));
}

static void warn_language(struct comp *c, const struct list_def *l, span_id at)
{
    diag(c, RK0245, at, NULL, "list `%s` takes the place of a word of the language here",
         shown(c, l->name));
    diag_note(c, l->at, "the list");
}

static void warn_quoted(struct comp *c, const struct list_def *l, span_id at)
{
    diag(c, RK0226, at, NULL, "list `%s` is put into a quoted string here", shown(c, l->name));
    diag_note(c, l->at, "the list");
}

/*
 * Blanks around the name go, and with an empty list one comma, before it or else after it. Blanks
 * are looked for at the end of what has been written, since that is the text "as it is by then".
 */
static uint32_t replace_name(struct pack *pk, const struct text *from, struct text *out,
                             const struct list_def *l, uint32_t at)
{
    struct comp *c = pk->c;
    uint32_t end = at + (uint32_t)STRLEN(c, l->name), n = out->bytes.n;
    span_id use = text_span(c, from, at, end - at);
    while (n && is_blank(out->bytes.v[n - 1]))
        n--;
    while (end < from->bytes.n && is_blank(from->bytes.v[end]))
        end++;
    if (!l->text.bytes.n) {
        if (n && out->bytes.v[n - 1] == ',')
            n--;
        else if (end < from->bytes.n && from->bytes.v[end] == ',')
            end++;
    }
    text_cut(out, n);
    if (n)
        text_put_fixed(c, out, " ", use);
    text_put_used(c, out, &l->text, use, list_what(c, l));
    text_put_fixed(c, out, " ", use);
    return end;
}

/* One list over the whole text. False: no occurrence, and `out` is empty. */
static bool subst_list(struct subst *s, const struct text *from, struct text *out,
                       struct list_def *l)
{
    struct comp *c = s->pk->c;
    const char *name = STR(c, l->name);
    uint32_t len = (uint32_t)STRLEN(c, l->name), done = 0;
    struct quotes quotes = {0};
    uint32_t at = find_name(from, 0, name, len);
    if (at == UINT32_MAX)
        return false;
    bool language = is_language(name, len);
    l->used = true;
    compile_list(s->pk, l);
    while (at != UINT32_MAX && !is_large(out)) {
        if (in_quotes(&quotes, from, at))
            warn_quoted(c, l, text_span(c, from, at, len));
        else if (language)
            warn_language(c, l, text_span(c, from, at, len));
        text_put_range(c, out, from, done, at - done);
        done = replace_name(s->pk, from, out, l, at);
        /* At the very beginning no blank is put before, and the search goes on one byte late. */
        bool first = out->bytes.n == l->text.bytes.n + 1;
        at = find_name(from, done + first, name, len);
    }
    text_put_range(c, out, from, done, from->bytes.n - done);
    want_words(s, &l->text);
    return true;
}

/*
 * What all conditions come to is bounded as well, those that failed and the steps between counted.
 * That it is too much is said once.
 */
static bool within_limits(struct pack *pk, const struct text *from, const struct text *t)
{
    bool large = is_large(t);
    pk->text_bytes += t->bytes.n;
    pk->text_pieces += t->segs.n;
    if (large) {
        diag(pk->c, RK0222, text_span(pk->c, from, 0, from->bytes.n), NULL,
             "with its lists replaced the condition has more than %u MiB, or %u items",
             TEXT_MAX >> 20, PIECES_MAX / 2);
    }
    if (pk->text_bytes > TEXTS_MAX || pk->text_pieces > ALL_PIECES_MAX ||
        pk->text_steps > STEPS_MAX) {
        pk->too_large = true;
        diag(pk->c, RK0222, text_span(pk->c, from, 0, from->bytes.n), NULL,
             "with their lists replaced, the conditions up to here have more than %u MiB, or %u "
             "items",
             TEXTS_MAX >> 20, ALL_PIECES_MAX / 2);
    }
    return !large && !pk->too_large;
}

bool subst_lists(struct pack *pk, const struct text *from, struct text *out)
{
    struct comp *c = pk->c;
    struct subst s = {.pk = pk};
    if (pk->too_large)
        return false;
    unsigned k = 0;
    s.wanted.v = arena_alloc(c->arena, pk->lists.n);
    *out = *from;
    want_words(&s, from);
    for (uint32_t i = 0; i < pk->lists.n && !is_large(out); i++) {
        struct list_def *l = &pk->lists.v[i];
        struct text *next = &pk->step[k];
        text_cut(next, 0);
        if ((s.wanted.v[i] || l->odd) && subst_list(&s, out, next, l)) {
            pk->text_steps += next->segs.n;
            *out = *next;
            k = !k;
        }
    }
    text_end(c, out);
    return within_limits(pk, from, out);
}

/* ---- words that look like something else ---- */

/* Letters of a word as bits: two words that are near have most of them in common. */
static uint32_t letters(const char *s, size_t len)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < len; i++)
        bits |= 1u << (s[i] & 31);
    return bits;
}

static const struct list_def *near_list(struct pack *pk, const char *s, size_t len)
{
    unsigned limit = len < 5 ? 0 : len < 8 ? 1 : 2;
    uint32_t bits = letters(s, len);
    for (uint32_t i = 0; limit && len < 100 && i < pk->lists.n; i++) {
        const char *name = STR(pk->c, pk->lists.v[i].name);
        size_t n = STRLEN(pk->c, pk->lists.v[i].name);
        if (n + limit < len || len + limit < n ||
            (unsigned)__builtin_popcount(bits ^ letters(name, n)) > 2 * limit)
            continue;
        if (catalog_distance(s, len, name, n, limit) <= limit)
            return &pk->lists.v[i];
    }
    return NULL;
}

/* A list's name that is left is one that came too late (2.3), unless the list itself has it. */
static void check_list_name(struct pack *pk, const struct lit *lit, const struct list_def *l)
{
    struct comp *c = pk->c;
    const char *what = STR(c, c->spans.v[lit->at.i].what);
    if (strncmp(what, "list ", 5) != 0 || strcmp(what + 5, shown(c, l->name)) != 0) {
        diag(c, RK0227, lit->at, NULL, "`%s` is a list, but is compared as a word here",
             shown(c, l->name));
        diag_note(c, l->at, "the list");
    }
}

static void check_list_word(struct pack *pk, const struct lit *lit)
{
    struct comp *c = pk->c;
    uint32_t i = PACK_FIND(&pk->list_of, lit->text);
    if (i) {
        check_list_name(pk, lit, &pk->lists.v[i - 1]);
        return;
    }
    if (PACK_FIND(&pk->seen, lit->text) == UINT32_MAX)
        return;
    const struct list_def *l = near_list(pk, STR(c, lit->text), STRLEN(c, lit->text));
    if (l) {
        diag(c, RK0225, lit->at, arena_printf(c->arena, "did you mean `%s`?", shown(c, l->name)),
             "`%s` is no list, and is compared as a word", shown(c, lit->text));
        return;
    }
    PACK_SET(pk, &pk->seen, lit->text, UINT32_MAX - 1);
}

/* `proc.pname` or `toupper(proc.pname)` as a constant. */
static bool looks_like_field(const char *s, size_t len)
{
    struct field_name f;
    struct range arg = {0, 0};
    while (len && is_blank(*s)) {
        s++;
        len--;
    }
    while (len && is_blank(s[len - 1]))
        len--;
    const char *open = len < 100 ? memchr(s, '(', len) : NULL;
    if (open)
        return s[len - 1] == ')' && xform_by_name(s, (size_t)(open - s)) != XF_NONE;
    if (len >= 100 || !memchr(s, '.', len))
        return false;
    size_t name = lex_field_length(s, len), used = lex_bracket_length(s + name, len - name, &arg);
    return name && name + used == len &&
           field_read(s, name, used ? s + name + arg.off : NULL, arg.end - arg.off, &f);
}

void subst_check_words(struct pack *pk, uint32_t lit0, uint32_t lit_end)
{
    struct comp *c = pk->c;
    for (uint32_t i = lit0; i < lit_end; i++) {
        const struct lit lit = c->lits.v[i];
        if (!lit.quoted && !lit.number)
            check_list_word(pk, &lit);
    }
}

void subst_check_fields(struct pack *pk, uint32_t lit0, uint32_t lit_end)
{
    struct comp *c = pk->c;
    for (uint32_t i = lit0; i < lit_end; i++) {
        const struct lit lit = c->lits.v[i];
        if (looks_like_field(STR(c, lit.text), STRLEN(c, lit.text))) {
            diag(c, RK0229, lit.at, "write val(...) for the value of the field",
                 "`%s` is compared as a word, not as a field", shown(c, lit.text));
        }
    }
}
