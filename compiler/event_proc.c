/* SPDX-License-Identifier: Apache-2.0 */
/* Derived fields of the process, and its ancestors. */
#include "event_derive.h"

#include <stdlib.h>

#include "arena.h"

/* Without arguments the command line is the name alone. */
struct fact derive_cmdline(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    struct fact name = fact_of(c, e, F_proc_name), args = fact_of(c, e, F_proc_args);
    (void)arg;
    if (name.state == FACT_PRESENT &&
        (args.state == FACT_ABSENT || (args.state == FACT_PRESENT && !STRLEN(c, args.text))))
        return fact_as(name, f);
    return fact_joined(c, f, name, " ", args);
}

struct fact derive_exeline(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    (void)arg;
    return fact_joined(c, f, fact_of(c, e, F_proc_exe), " ", fact_of(c, e, F_proc_args));
}

/* ---- proc.* ---- */

struct fact derive_nargs(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    struct fact args = fact_of(c, e, F_proc_args);
    int64_t n = 0;
    (void)arg;
    if (args.state != FACT_PRESENT)
        return fact_none(f, args.state);
    const char *s = STR(c, args.text);
    if (*s)
        for (n = 1; *s; s++)
            n += *s == ' ';
    return fact_num(f, n);
}

struct fact derive_lenargs(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    struct fact args = fact_of(c, e, F_proc_args), n = fact_of(c, e, F_proc_cmdnargs);
    (void)arg;
    if (args.state != FACT_PRESENT || n.state != FACT_PRESENT)
        return fact_none(f, args.state == FACT_ABSENT ? FACT_ABSENT : FACT_UNKNOWN);
    return fact_num(f, n.num > 0 ? (int64_t)STRLEN(c, args.text) - (n.num - 1) : 0);
}

/*
 * proc.args[n]: the n-th of the pieces between blanks; beyond the last it is empty, not absent.
 * Where an argument holds a blank itself they cannot be told apart.
 */
struct fact derive_args_at(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    struct fact args;
    (void)arg;
    if (f.index < 0)
        return fact_none(f, FACT_ABSENT);
    args = fact_of(c, e, F_proc_args);
    if (args.state != FACT_PRESENT)
        return fact_none(f, args.state);
    struct fact n = fact_of(c, e, F_proc_cmdnargs), blanks = derive_nargs(c, e, f, 0);
    if (n.state != FACT_PRESENT || (f.index < n.num && blanks.num != n.num))
        return fact_none(f, FACT_UNKNOWN);
    if (f.index >= n.num)
        return fact_text(c, f, "", 0);
    const char *s = STR(c, args.text);
    for (int32_t i = 0; i < f.index && *s; i++) {
        s += strcspn(s, " ");
        s += *s == ' ';
    }
    return fact_text(c, f, s, strcspn(s, " "));
}

/* The value of NAME=value, and NULL if `entry` is another variable's. */
static const char *env_value(const char *entry, const char *name)
{
    size_t n = strlen(name);
    return !strncmp(entry, name, n) && entry[n] == '=' ? entry + n + 1 : NULL;
}

/*
 * proc.env[NAME] from proc.env: the first such piece between blanks; empty if there is none, all of
 * it for a number. Where a value holds a blank itself the pieces cannot be told apart.
 */
struct fact derive_env(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    const char *name = STR(c, f.name);
    (void)arg;
    if (f.index < 0 && !f.name.i)
        return fact_none(f, FACT_ABSENT);
    struct fact env = fact_of(c, e, F_proc_env);
    if (env.state != FACT_PRESENT || f.index >= 0 || !name[strspn(name, "0123456789")])
        return fact_as(env, f);
    const char *value = NULL;
    for (const char *s = STR(c, env.text); *s;
         s += s[strcspn(s, " ")] ? strcspn(s, " ") + 1 : strcspn(s, " ")) {
        if (!memchr(s, '=', strcspn(s, " ")))
            return fact_none(f, FACT_UNKNOWN);
        value = value ? value : env_value(s, name);
    }
    return value ? fact_text(c, f, value, strcspn(value, " ")) : fact_text(c, f, "", 0);
}

struct fact derive_leader(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    bool group = arg == F_proc_pgid;
    struct fact a = fact_of(c, e, (enum field_id)arg);
    struct fact b = fact_of(c, e, group ? F_proc_pid : F_proc_vpid);
    enum fact_state state = fact_both(a, b);
    if (state != FACT_PRESENT)
        return fact_none(f, state);
    return fact_num(f, a.num == b.num);
}

struct fact derive_is_main(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    struct fact a = fact_of(c, e, F_thread_tid), b = fact_of(c, e, F_proc_pid);
    (void)arg;
    enum fact_state state = fact_both(a, b);
    if (state != FACT_PRESENT)
        return fact_none(f, state);
    return fact_num(f, a.num == b.num);
}

struct fact derive_nchilds(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    struct fact n = fact_of(c, e, F_proc_nthreads);
    (void)arg;
    if (n.state != FACT_PRESENT)
        return fact_none(f, n.state);
    return fact_num(f, n.num > 0 ? n.num - 1 : 0);
}

/* A number of the process, in kB or (`..._b`) bytes; 0 in threads other than the main one. */
struct fact derive_of_main(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    bool bytes = f.field == F_thread_vmsize_b || f.field == F_thread_vmrss_b;
    struct fact n = fact_of(c, e, (enum field_id)arg), first = fact_of(c, e, F_thread_ismain);
    if (n.state != FACT_PRESENT || first.state != FACT_PRESENT)
        return fact_none(f, n.state != FACT_PRESENT ? n.state : first.state);
    return fact_num(f, first.num ? (int64_t)((uint64_t)n.num * (bytes ? 1024 : 1)) : 0);
}

struct fact derive_nametid(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    struct fact name = fact_of(c, e, F_proc_name), tid = fact_of(c, e, F_thread_tid);
    (void)arg;
    if (fact_both(name, tid) != FACT_PRESENT)
        return fact_none(f, fact_both(name, tid));
    return fact_word(c, f, arena_printf(c->arena, "%s%lld", STR(c, name.text), (long long)tid.num));
}

/* The flags that an exec event carries say what the new executable is. */
struct fact derive_exe_is(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    static const char *const names[] = {"EXE_WRITABLE", "EXE_UPPER_LAYER", "EXE_FROM_MEMFD",
                                        "EXE_LOWER_LAYER"};
    if (e->type != EV_execve && e->type != EV_execveat)
        return fact_none(f, FACT_ABSENT);
    struct fact flags = event_param_number(c, e, "flags");
    if (flags.state != FACT_PRESENT)
        return fact_none(f, flags.state);
    return fact_num(f, ((uint64_t)flags.num & flag_bit(FT_execve_flags, names[arg])) != 0);
}

/* proc.aargs without index is no set but one text: all ancestors' arguments, joined. */
struct fact derive_all_args(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    int32_t n = event_ancestors(c, e, F_proc_aargs);
    const char *sofar = "";
    (void)arg;
    for (int32_t i = 1; i <= n; i++) {
        struct fact v = event_fact(c, e, (struct field_ref){.field = F_proc_aargs, .index = i});
        if (v.state != FACT_PRESENT)
            return fact_none(f, v.state);
        sofar = arena_printf(c->arena, "%s%s%s", sofar, i > 1 ? " " : "", STR(c, v.text));
    }
    return n ? fact_word(c, f, sofar) : fact_none(f, FACT_ABSENT);
}

/* ---- ancestors ---- */

static const struct {
    enum field_id field, self, parent; /* [0] and [1] have names of their own */
} ancestors[] = {
    {F_proc_aname, F_proc_name, F_proc_pname},
    {F_proc_aexe, F_proc_exe, F_proc_pexe},
    {F_proc_aexepath, F_proc_exepath, F_proc_pexepath},
    {F_proc_acmdline, F_proc_cmdline, F_proc_pcmdline},
    {F_proc_apid, F_proc_pid, F_proc_ppid},
    {F_proc_aargs, F_proc_args, F_NONE},
};
#define NANCESTOR (sizeof(ancestors) / sizeof(ancestors[0]))

enum field_id event_ancestor_field(enum field_id field, int32_t index)
{
    for (size_t i = 0; i < NANCESTOR; i++)
        if (ancestors[i].field == field && (index == 0 || index == 1))
            return index ? ancestors[i].parent : ancestors[i].self;
    return F_NONE;
}

/* An element of the list that was given for all ancestors: [1] is its first. */
static struct fact listed(struct comp *c, const struct event *e, struct field_ref f)
{
    const struct fact *all = event_given(e, PLAIN(f.field));
    if (!all || !all->is_list)
        return fact_none(f, all ? all->state : FACT_ABSENT);
    if (f.index < 1 || (uint32_t)f.index > all->nlist)
        return fact_none(f, all->state == FACT_UNKNOWN ? FACT_UNKNOWN : FACT_ABSENT);
    str_id s = e->list.v[all->list0 + (uint32_t)f.index - 1];
    if (catalog_type(catalog_field(f.field)->type)->base == BASE_INT)
        return fact_num(f, strtoll(STR(c, s), NULL, 10));
    return (struct fact){.field = f, .state = FACT_PRESENT, .kind = VAL_TEXT, .text = s};
}

static struct fact one_ancestor(struct comp *c, const struct event *e, struct field_ref f,
                                size_t row)
{
    const struct fact *g = event_given(e, f);
    enum field_id plain = f.index == 0 ? ancestors[row].self : ancestors[row].parent;
    if (g)
        return *g;
    if (f.index < 2 && plain != F_NONE)
        return fact_as(fact_of(c, e, plain), f);
    struct fact v = listed(c, e, f);
    int32_t last = event_ancestors(c, e, f.field);
    /* Above one that is unknown nothing is known. */
    if (v.state == FACT_ABSENT && f.index > last && last > 0) {
        struct field_ref top = {.field = f.field, .index = last};
        if (one_ancestor(c, e, top, row).state == FACT_UNKNOWN)
            return fact_none(f, FACT_UNKNOWN);
    }
    return v;
}

bool derive_ancestor(struct comp *c, const struct event *e, struct field_ref f, struct fact *out)
{
    for (size_t i = 0; i < NANCESTOR; i++) {
        if (ancestors[i].field == f.field && f.index >= 0) {
            *out = one_ancestor(c, e, f, i);
            return true;
        }
    }
    return false;
}

struct fact derive_parent(struct comp *c, const struct event *e, struct field_ref f)
{
    for (size_t i = 0; i < NANCESTOR; i++) {
        if (f.index >= 0 || (ancestors[i].parent != f.field && ancestors[i].self != f.field))
            continue;
        bool self = ancestors[i].self == f.field;
        struct field_ref a = {.field = ancestors[i].field, .index = self ? 0 : 1};
        const struct fact *g = event_given(e, a);
        if (g)
            return fact_as(*g, f);
        if (!self)
            return fact_as(listed(c, e, a), f);
    }
    return fact_none(f, FACT_ABSENT);
}

/* How many ancestors one fact of an ancestor field speaks of. */
static int32_t reach(const struct fact *f)
{
    bool unknown = f->state == FACT_UNKNOWN;
    if (f->is_list)
        return (int32_t)f->nlist + unknown;
    if (f->field.index < 0)
        return unknown;
    return f->state == FACT_ABSENT ? 0 : f->field.index;
}

int32_t event_ancestors(struct comp *c, const struct event *e, enum field_id field)
{
    enum field_id parents = event_ancestor_field(field, 1);
    int32_t n = parents && fact_of(c, e, parents).state != FACT_ABSENT;
    for (uint32_t i = 0; i < e->facts.n; i++) {
        int32_t have = e->facts.v[i].field.field == field ? reach(&e->facts.v[i]) : 0;
        n = have > n ? have : n;
    }
    return n;
}
