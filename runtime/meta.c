/* SPDX-License-Identifier: Apache-2.0 */
#include "meta.h"

#include <string.h>

void meta_clear(struct meta *m)
{
    memset(m, 0, offsetof(struct meta, label));
    memset(m->flag, -1, sizeof(m->flag));
    m->used = 1; /* offset 0 says that there is no text */
}

struct meta_str meta_keep(struct meta *m, const char *s, size_t n)
{
    struct meta_str at = {.off = m->used};

    if (n > (size_t)META_POOL - m->used) {
        m->cut = true;
        return (struct meta_str){0};
    }
    memcpy(m->pool + m->used, s, n);
    at.len = (uint16_t)n;
    m->used = (uint16_t)(m->used + n);
    return at;
}

void meta_set(struct meta *m, enum meta_text which, const char *s, size_t n)
{
    if (n && !m->text[which].off)
        m->text[which] = meta_keep(m, s, n);
}

static bool is(const char *s, size_t n, const char *word)
{
    return n == strlen(word) && memcmp(s, word, n) == 0;
}

void meta_label(struct meta *m, bool pod, const char *key, size_t nkey, const char *s, size_t n)
{
    static const struct {
        const char *key;
        enum meta_text text;
    } known[] = {
        {"io.kubernetes.pod.name", META_POD},
        {"io.kubernetes.pod.namespace", META_NAMESPACE},
        {"io.kubernetes.pod.uid", META_POD_UID},
        {"io.kubernetes.sandbox.id", META_SANDBOX},
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (is(key, nkey, known[i].key))
            meta_set(m, known[i].text, s, n);
    if (m->nlabel == META_LABELS) {
        m->cut = true;
        return;
    }
    m->label[m->nlabel] = (struct meta_label){
        .key = meta_keep(m, key, nkey), .value = meta_keep(m, s, n), .pod = pod};
    if (m->label[m->nlabel].key.off && m->label[m->nlabel].value.off)
        m->nlabel++;
}

struct meta_mount *meta_mount(struct meta *m)
{
    if (m->nmount == META_MOUNTS) {
        m->cut = true;
        return NULL;
    }
    m->mount[m->nmount] = (struct meta_mount){.writable = true};
    return &m->mount[m->nmount++];
}
