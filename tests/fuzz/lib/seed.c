/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a seed of the harness `bundle`: seed BUNDLE EVENT OUT. BUNDLE is a file, EVENT one line of
 * JSON (rulec eval), OUT gets the event's record and the bundle, as bundle.c takes them apart.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../../compiler/diag.h"
#include "../../../compiler/pipeline.h"
#include "../../../compiler/source.h"
#include "../../diff/diff.h"

static int make_record(struct comp *c, const char *text, void *rec)
{
    struct event e = {0};
    struct event_user user = {0};
    struct ev *ev = calloc(1, sizeof(*ev));
    char why[256] = "";
    int n = -1;
    if (event_parse(c, text, strlen(text), &e, why, sizeof(why)))
        fprintf(stderr, "seed: %s\n", why);
    else if (ev && !event_to_ev(c, &e, ev, &user))
        n = ev_pack(ev, rec, REC_MAX);
    free(ev);
    return n;
}

static bool write_seed(const char *path, const void *rec, size_t nrec, const char *bundle,
                       size_t nbundle)
{
    FILE *out = fopen(path, "wb");
    const uint8_t head[] = {(uint8_t)nrec, (uint8_t)(nrec >> 8)};
    bool good = out && fwrite(head, 1, 2, out) == 2 && fwrite(rec, 1, nrec, out) == nrec &&
                fwrite(bundle, 1, nbundle, out) == nbundle;
    return (!out || !fclose(out)) && good;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fputs("usage: seed BUNDLE EVENT OUT\n", stderr);
        return 2;
    }
    struct comp *c = comp_new();
    void *rec = aligned_alloc(8, REC_MAX);
    int n = rec ? make_record(c, argv[2], rec) : -1;
    int file = source_read(c->sources, argv[1], argv[1]);
    bool good = false;
    if (n > 0 && n < 0x8000 && file > 0) {
        size_t len;
        const char *bundle = source_text(c->sources, (uint32_t)file, &len);
        good = write_seed(argv[3], rec, (size_t)n, bundle, len);
    }
    free(rec);
    comp_free(c);
    return good ? 0 : 1;
}
