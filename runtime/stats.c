/* SPDX-License-Identifier: Apache-2.0 */
#include "stats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../grammar/catalog.h"

int stats_open(struct stats *s, uint32_t rules)
{
    *s = (struct stats){.by_rule = calloc(rules ? rules : 1, sizeof(struct rule_stats))};
    return s->by_rule ? 0 : -ENOMEM;
}

void stats_close(struct stats *s)
{
    free(s->by_rule);
    s->by_rule = NULL;
}

static void print_rule(const char *name, uint64_t n, const char *what, FILE *out)
{
    if (n)
        fprintf(out, "rulerun: rule \"%s\": %llu %s\n", name, (unsigned long long)n, what);
}

static void print_rules(const struct stats *s, const struct notice *n, FILE *out)
{
    for (uint32_t i = 0; i < n->pack->head->rules.n; i++) {
        const char *name = rpk_text(n->pack, n->pack->rules[i].name);

        print_rule(name, shared_read(&n->shared->lanes[i + 1].lost), "records were lost", out);
        print_rule(name, notice_limited(n, i), "alerts were beyond the limit", out);
        print_rule(name, s->by_rule[i].no_metadata, "alerts without container metadata", out);
    }
}

/* Adds the types of event that occurred to `sum`, and prints a row for each. */
static void print_events(const struct notice *n, uint64_t sum[STAT_COUNT], FILE *out)
{
    uint64_t counts[STAT_EVENTS][STAT_COUNT];

    memset(sum, 0, STAT_COUNT * sizeof(sum[0]));
    shared_counts(n->shared, counts);
    for (unsigned e = 0; e < STAT_EVENTS; e++) {
        const uint64_t *c = counts[e];

        if (c[STAT_SEEN] == 0)
            continue;
        if (sum[STAT_SEEN] == 0)
            fprintf(out, "rulerun: %-20s %12s %12s %12s %12s %12s\n", "event", "seen", "filtered",
                    "limited", "sent", "lost");
        fprintf(out, "rulerun: %-20s", catalog_event((enum event_id)e)->name);
        for (unsigned i = 0; i < STAT_COUNT; i++) {
            fprintf(out, " %12llu", (unsigned long long)c[i]);
            sum[i] += c[i];
        }
        fputc('\n', out);
    }
}

void stats_print(const struct stats *s, const struct notice *n, FILE *out)
{
    uint64_t sum[STAT_COUNT];
    uint32_t unkept = __atomic_load_n(&n->shared->reader->unkept, __ATOMIC_RELAXED);

    print_rules(s, n, out);
    if (s->broken)
        fprintf(out, "rulerun: %llu records were malformed\n", (unsigned long long)s->broken);
    if (s->dropped)
        fprintf(out, "rulerun: %llu alerts were dropped by outputs\n",
                (unsigned long long)s->dropped);
    if (unkept)
        fprintf(out, "rulerun: %u states of processes or texts of them found no room\n", unkept);
    print_events(n, sum, out);
    fprintf(out, "rulerun: seen=%llu filtered=%llu sent=%llu lost=%llu limited=%llu alerts=%llu\n",
            (unsigned long long)sum[STAT_SEEN], (unsigned long long)sum[STAT_FILTERED],
            (unsigned long long)sum[STAT_SENT], (unsigned long long)sum[STAT_LOST],
            (unsigned long long)sum[STAT_LIMITED], (unsigned long long)s->alerts);
}

void stats_metadata(const struct stats *s, const struct metacache_stats *m, FILE *out)
{
    if (m->known == 0 && m->nobody == 0 && s->waited == 0)
        return;
    fprintf(out,
            "rulerun: containers: known=%llu unknown=%llu; known late=%llu, at most after %llu us; "
            "events waited=%llu, judged early=%llu\n",
            (unsigned long long)m->known, (unsigned long long)m->nobody,
            (unsigned long long)m->waited, (unsigned long long)(m->longest_ns / 1000),
            (unsigned long long)s->waited, (unsigned long long)s->pushed);
}
