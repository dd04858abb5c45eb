/* SPDX-License-Identifier: Apache-2.0 */
#include "eval_record.h"

#include <stdlib.h>
#include <string.h>

#include "../runtime/capture.h"
#include "../runtime/enrich.h"
#include "../runtime/recorder.h"
#include "intern.h"

/* A frame of two parts, one behind the other. */
static void put_frame(struct eval_record *w, enum capture_kind kind, const void *head, size_t nhead,
                      const void *bytes, size_t n)
{
    size_t size = nhead + n;
    char *payload = calloc(1, capture_padded(size) + 8);
    if (!payload)
        return;
    memcpy(payload, head, nhead);
    if (n)
        memcpy(payload + nhead, bytes, n);
    struct capture_frame f = capture_frame_of(kind, payload, size);
    fwrite(&f, sizeof(f), 1, w->file);
    fwrite(payload, 1, capture_padded(size), w->file);
    free(payload);
}

bool eval_record_open(struct eval_record *w, const char *path, const struct probe_plan *plan)
{
    const char *host = getenv("FALCO_HOSTNAME");
    struct capture_head head = {.plan = *plan, .hooks = (1u << HOOK_COUNT) - 1, .all = 1};
    *w = (struct eval_record){.file = fopen(path, "wb")};
    if (!w->file)
        return false;
    recorder_plan(&head.plan);
    memset(head.plan.syscalls, 0xff, sizeof(head.plan.syscalls));
    head.plan.failed_exec = 1;
    snprintf(head.hostname, sizeof(head.hostname), "%s", host && *host ? host : "localhost");
    capture_seal(&head);
    fwrite(&head, sizeof(head), 1, w->file);
    put_frame(w, CAPTURE_RULES, "", 0, NULL, 0);
    return true;
}

/* A fact that only user space can supply, as the answer to the question for it. */
static void put_answer(struct eval_record *w, struct comp *c, const struct record *r,
                       const struct fact *f)
{
    const struct enrich nobody = {.nlocal = 0};
    const struct enrich_question q = {f->field.field, f->field.index, STR(c, f->field.name)};
    const struct field_info *info = catalog_field(f->field.field);
    bool text = f->state == FACT_PRESENT && f->kind == VAL_TEXT;
    char payload[ENRICH_KEY];
    size_t nkey = enrich_key(&nobody, r, &q, payload);
    struct capture_answer a = {.nkey = (uint32_t)nkey,
                               .known = 1,
                               .state = f->state == FACT_PRESENT   ? ST_PRESENT
                                        : f->state == FACT_UNKNOWN ? ST_UNKNOWN
                                                                   : ST_ABSENT,
                               .has_text = text,
                               .num = f->num};
    if (f->state == FACT_PRESENT)
        a.base = (uint8_t)catalog_type(info->type)->base;
    if (!nkey || f->is_list || text != (a.base == BASE_TEXT))
        return;
    size_t ntext = text ? STRLEN(c, f->text) : 0;
    char *both = malloc(sizeof(a) + nkey + 1);
    if (both) {
        memcpy(both, &a, sizeof(a));
        memcpy(both + sizeof(a), payload, nkey);
        put_frame(w, CAPTURE_ANSWER, both, sizeof(a) + nkey, text ? STR(c, f->text) : NULL, ntext);
    }
    free(both);
}

void eval_record_event(struct eval_record *w, struct comp *c, const struct event *e,
                       const struct record *r, const void *bytes, size_t size)
{
    const struct capture_record head = {++w->records};
    for (uint32_t i = 0; i < e->facts.n; i++)
        if (catalog_field(e->facts.v[i].field.field)->source == SRC_USER)
            put_answer(w, c, r, &e->facts.v[i]);
    put_frame(w, CAPTURE_RECORD, &head, sizeof(head), bytes, size);
}

bool eval_record_close(struct eval_record *w)
{
    const struct capture_end end = {.records = w->records};
    put_frame(w, CAPTURE_END, &end, sizeof(end), NULL, 0);
    bool good = !ferror(w->file);
    return !fclose(w->file) && good;
}
