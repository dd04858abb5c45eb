/* SPDX-License-Identifier: Apache-2.0 */
#include "audit.h"

#include "../grammar/catalog.h"
#include "get.h"
#include "hooks.h"

#define CALLS (8 * sizeof(((struct probe_plan *)0)->syscalls))
#define NR_EXECVE 59
#define NR_EXECVEAT 322

/* ---- what is asked for ---- */

static void want_call(struct probe_plan *plan, int64_t nr)
{
    if (nr >= 0 && nr < (int64_t)CALLS)
        plan->syscalls[nr / 64] |= 1ull << (nr % 64);
}

static bool wants_call(const struct probe_plan *plan, int64_t nr)
{
    return nr >= 0 && nr < (int64_t)CALLS && (plan->syscalls[nr / 64] >> (nr % 64) & 1);
}

void audit_plan(const struct rpk *p, struct probe_plan *plan)
{
    plan->audit = 1;
    plan->failed_exec = 1;
    for (uint32_t i = 0; i < p->head->events.n; i++) {
        const struct rpk_event *e = &p->events[i];

        if (e->sysnr < 0)
            catalog_calls((enum event_id)e->event, (uint64_t *)plan->syscalls);
        else
            want_call(plan, e->sysnr);
    }
}

/* Would the event have reached the filter, but for the audit? */
static bool is_asked_for(const struct selected *s, const struct ev_head *h)
{
    const struct probe_plan *plan = &s->plan;
    int64_t nr = h->num[N_SYSNR];
    bool exec = nr == NR_EXECVE || nr == NR_EXECVEAT, started = exec && h->num[N_RES] == 0;
    uint8_t hooks = started          ? 1u << HOOK_EXEC
                    : h->num[N_RING] ? 1u << HOOK_RING
                    : exec           ? 1u << HOOK_SYS_EXIT
                                     : hooks_of_event((enum event_id)h->event, (int32_t)nr) &
                                 (uint8_t) ~(1u << HOOK_RING);

    return (s->hooks & hooks) && wants_call(plan, nr) && (!exec || started || plan->failed_exec);
}

/* ---- a disagreement, shown ---- */

static void put_json(FILE *out, const char *s, size_t n)
{
    char buf[512];

    while (n) {
        size_t part = n < 64 ? n : 64; /* each byte takes at most 6 */
        struct fmt t = fmt_in(buf, sizeof(buf));

        fmt_json(&t, s, part);
        fwrite(buf, 1, t.len, out);
        s += part;
        n -= part;
    }
}

static void put_value(FILE *out, const char *name, const char *arg, struct val v,
                      const struct field_info *f)
{
    fprintf(out, ",\"%s%s\":", name, arg);
    if (!val_here(v) || v.state == ST_CUT) {
        fputs("{\"unknown\":true}", out);
    } else if (v.base == BASE_BOOL) {
        fputs(v.num ? "true" : "false", out);
    } else if (v.base == BASE_INT) {
        fprintf(out, "%lld", (long long)v.num);
    } else if (v.text) {
        char buf[128];
        struct fmt t = fmt_in(buf, sizeof(buf));

        fputc('"', out);
        if (v.base == BASE_IP || v.base == BASE_NET) {
            value_text(&t, v, f);
            fwrite(buf, 1, t.len, out);
        } else {
            put_json(out, v.text, v.len);
        }
        fputc('"', out);
    } else {
        fprintf(out, "%llu", (unsigned long long)v.num);
    }
}

static void put_params(struct record *r, FILE *out)
{
    unsigned n = catalog_param_count(r->h->event);

    for (unsigned i = 0; i < n; i++) {
        const char *name = catalog_param(r->h->event, i)->name;
        uint32_t used = r->used;
        struct val v = record_get(r, F_evt_arg, -1, name);

        if (v.state != ST_ABSENT)
            put_value(out, "evt.arg.", name, v, catalog_field(F_evt_arg));
        r->used = used;
    }
}

static void put_ancestors(struct record *r, FILE *out)
{
    for (int32_t i = 1; i <= r->h->anc_count; i++) {
        char arg[16];

        snprintf(arg, sizeof(arg), "[%d]", i);
        put_value(out, "proc.aname", arg, record_get(r, F_proc_aname, i, ""),
                  catalog_field(F_proc_aname));
    }
}

/* The record as an event for `rulec eval`: what is left out is absent. */
static void put_event(struct record *r, FILE *out)
{
    struct val type = get_field(r, F_evt_type);

    fprintf(out, "{\"evt.type\":\"%.*s\"", (int)type.len, type.text ? type.text : "");
    for (int f = F_NONE + 1; f < F_COUNT; f++) {
        const struct field_info *info = catalog_field((enum field_id)f);
        uint32_t used = r->used;
        struct val v;

        if (info->source != SRC_SLOT && info->source != SRC_USER)
            continue;
        if (info->arg != ARG_NONE && info->arg != ARG_INDEX_OPT)
            continue;
        v = record_get(r, (enum field_id)f, -1, "");
        if (v.state != ST_ABSENT)
            put_value(out, info->name, "", v, info);
        r->used = used;
    }
    put_ancestors(r, out);
    put_params(r, out);
    fputc('}', out);
}

static void report(const struct audit *a, const struct rpk *p, struct record *r,
                   const struct match *m, FILE *out)
{
    const struct rpk_rule *rule = &p->rules[m->rule];

    fputs("{\"audit\":\"", out);
    fputs(!is_asked_for(a->selected, r->h) ? "not asked for"
          : r->h->rule                     ? "late"
                                           : "dropped",
          out);
    fputs("\",\"rule\":\"", out);
    put_json(out, rpk_text(p, rule->name), rule->name.len);
    fprintf(out, "\",\"reading\":\"%s\",\"event\":", record_reading_name((enum reading)m->reading));
    r->reading = (enum reading)m->reading;
    put_event(r, out);
    fputs("}\n", out);
    fflush(out);
}

/* ---- judging ---- */

bool audit_event(struct audit *a, const struct rpk *p, struct record *r, FILE *out)
{
    struct match m;
    unsigned n;

    record_reset(r);
    n = table_match(p, r, READINGS_ALL, true, &m, 1);
    a->events++;
    if (n == 0)
        return true;
    a->matched++;
    /* Of several readings the filter judges the first that passes, so that its rule may be a later
     * one.
     */
    if (is_asked_for(a->selected, r->h) && r->h->rule &&
        (r->h->rule <= m.rule + 1 || r->h->readings != READ_BIT(READ_KERNEL)))
        return true;
    if (a->disagreements++ < AUDIT_SHOWN)
        report(a, p, r, &m, out);
    return false;
}
