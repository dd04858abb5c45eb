/* SPDX-License-Identifier: Apache-2.0 */
#include "stats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

void stats_watch(struct stats *s, const struct load *l, FILE *out)
{
    uint64_t n[STAT_COUNT];
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    if ((uint64_t)now.tv_sec == s->looked)
        return;
    s->looked = (uint64_t)now.tv_sec;
    if (load_stats(l, n) != 0 || n[STAT_LOST] <= s->told)
        return;
    fprintf(out, "rulerun: %llu records were lost: the buffer is full (see --buffer)\n",
            (unsigned long long)(n[STAT_LOST] - s->told));
    s->told = n[STAT_LOST];
}

static void print_rules(const struct stats *s, const struct rpk *p, const struct load *l, FILE *out)
{
    for (uint32_t i = 0; i < p->head->rules.n; i++) {
        uint64_t lost = load_lost(l, i);
        const char *name = rpk_text(p, p->rules[i].name);

        if (lost)
            fprintf(out, "rulerun: rule \"%s\": %llu records were lost\n", name,
                    (unsigned long long)lost);
        if (s->by_rule[i].no_metadata)
            fprintf(out, "rulerun: rule \"%s\": %llu alerts without container metadata\n", name,
                    (unsigned long long)s->by_rule[i].no_metadata);
    }
}

void stats_print(const struct stats *s, const struct rpk *p, const struct load *l, FILE *out)
{
    uint64_t n[STAT_COUNT];
    int rc = load_stats(l, n);

    if (rc)
        fprintf(out, "rulerun: the kernel's counters cannot be read: %s\n", strerror(-rc));
    print_rules(s, p, l, out);
    if (s->broken)
        fprintf(out, "rulerun: %llu records were malformed\n", (unsigned long long)s->broken);
    if (s->dropped)
        fprintf(out, "rulerun: %llu alerts were dropped by outputs\n",
                (unsigned long long)s->dropped);
    fprintf(out, "rulerun: seen=%llu filtered=%llu sent=%llu lost=%llu alerts=%llu\n",
            (unsigned long long)n[STAT_SEEN], (unsigned long long)n[STAT_FILTERED],
            (unsigned long long)n[STAT_SENT], (unsigned long long)n[STAT_LOST],
            (unsigned long long)s->alerts);
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
