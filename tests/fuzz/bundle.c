/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a bundle and a record: two bytes with the record's length, the record, the bundle.
 * What the validator takes is walked: tables, verdicts, alerts, the text of every part, and the
 * interpreter. The highest bit of the length keeps the bundle as it is; without it the versions
 * and the size that a bare section states are made right first, so that its tables are reached.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../compiler/bundle.h"
#include "../../runtime/lore_tell.h"
#include "lib/fuzz.h"

#define RAW 0x8000u
#define MATCHES 8u

static void make_current(uint8_t *bundle, size_t size)
{
    struct rpk_head *head = (struct rpk_head *)bundle;
    if (size >= sizeof(*head) && head->magic == RPK_MAGIC) {
        head->version = RPK_VERSION;
        head->size = (uint32_t)size;
        head->catalog = catalog_digest();
        head->abi = rpk_abi_digest();
    }
}

/* Lengths that fit the bytes there are: else hardly any record would pass the first check. */
static void make_whole(struct rec *rec, size_t size)
{
    size_t left = size - sizeof(*rec);
    rec->h.size = (uint32_t)size;
    for (int s = 0; s < S_COUNT; s++) {
        uint8_t state = rec->h.st[SLOT_OF_STR(s)];
        if (state == ST_PRESENT || state == ST_CUT) {
            rec->h.len[s] = rec->h.len[s] < left ? rec->h.len[s] : (uint32_t)left;
            left -= rec->h.len[s];
        }
    }
    for (unsigned k = 0; k < READ_ALTS; k++) {
        if (rec->h.readings & READ_BIT(k + 1)) {
            rec->alt_len[k] = rec->alt_len[k] < left ? rec->alt_len[k] : (uint32_t)left;
            left -= rec->alt_len[k];
        }
    }
    rec->base_len = (uint32_t)left;
}

static void judge_record(const struct rpk *pack, const struct rec *rec, size_t size)
{
    struct record r;
    struct match hits[MATCHES];
    struct record_user user = {.evt_num = 1};
    char *scratch = malloc(RECORD_SCRATCH);
    if (!record_open(&r, rec, size, &user, scratch)) {
        r.plan = &pack->head->plan;
        fuzz_alerts(pack, &r, hits, table_match(pack, &r, READINGS_ALL, false, hits, MATCHES));
        for (unsigned k = 0; k < LORE_KINDS; k++) {
            struct lore_bits bits;
            lore_ask(pack, &r, (enum lore_kind)k, &bits);
        }
    }
    free(scratch);
}

static void print_all(const struct rpk *pack, const uint8_t *bundle, size_t size)
{
    FILE *out = fopen("/dev/null", "w");
    if (out) {
        bundle_print_head(pack, out);
        bundle_print_sections(bundle, size, out);
        bundle_print_rules(pack, out);
        bundle_print_table(pack, out);
        bundle_print_code(bundle, size, out);
        fclose(out);
    }
}

static void interpret(const uint8_t *bundle, size_t size)
{
    char why[400];
    struct bpf_vm *vm = bpf_vm_new(bundle, size, why, sizeof(why));
    struct ev *ev = calloc(1, sizeof(*ev));
    if (vm && ev) {
        memset(ev->h.st, ST_PRESENT, sizeof(ev->h.st));
        bpf_vm_filter(vm, ev);
    }
    free(ev);
    bpf_vm_free(vm);
}

static void walk(const struct rec *rec, size_t nrec, uint8_t *bundle, size_t size)
{
    struct rpk pack;
    char why[256];
    if (!rpk_open(&pack, bundle, size, why, sizeof(why))) {
        judge_record(&pack, rec, nrec);
        print_all(&pack, bundle, size);
        interpret(bundle, size);
    }
}

void fuzz_one(const uint8_t *data, size_t size)
{
    if (size < 2)
        return;
    unsigned told = data[0] | (unsigned)data[1] << 8;
    size_t nrec = told & ~RAW;
    nrec = nrec < size - 2 ? nrec : size - 2;
    size_t nbundle = size - 2 - nrec;
    size_t whole = nrec < sizeof(struct rec) ? sizeof(struct rec) : nrec;
    /* Blocks of their own, as large as what is in them: a read beyond is seen. */
    struct rec *rec = calloc(1, whole);
    uint8_t *bundle = malloc(nbundle ? nbundle : 1);
    memcpy(rec, data + 2, nrec);
    memcpy(bundle, data + 2 + nrec, nbundle);
    make_whole(rec, whole);
    if (!(told & RAW))
        make_current(bundle, nbundle);
    walk(rec, whole, bundle, nbundle);
    free(bundle);
    free(rec);
}
