/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a scap file tells of containers: JSON texts, one each, as Falco wrote them when it had
 * learnt of a container. The last one that tells its name counts. Bounded: more containers than
 * SCAP_METAS are not kept.
 */
#ifndef RULEC_SCAP_META_H
#define RULEC_SCAP_META_H

#include "meta.h"

#define SCAP_METAS 1024

struct scap_metas;

struct scap_metas *scap_metas_new(void); /* NULL: out of memory */
void scap_metas_free(struct scap_metas *s);
void scap_metas_clear(struct scap_metas *s);
/* False: it is no such text, or there is no room. */
bool scap_metas_put(struct scap_metas *s, const char *json, size_t n);
/* By the id as container.id shows it. NULL: nothing was told. */
const struct meta *scap_metas_find(const struct scap_metas *s, const char *id, size_t n);

#endif
