/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../../compiler/diag.h"
#include "../../../compiler/pipeline.h"
#include "../../../compiler/show.h"
#include "../../../compiler/source.h"
#include "fuzz.h"

void fuzz_fail(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fputs("broken promise: ", stderr);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    clock_t start = clock();
    fuzz_one(data, size);
    clock_t took = clock() - start;
    if (took > FUZZ_SECONDS * CLOCKS_PER_SEC)
        fuzz_fail("%zu bytes took %.1f s", size, (double)took / CLOCKS_PER_SEC);
    return 0;
}

uint64_t fuzz_hash(const uint8_t *data, size_t size)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < size; i++)
        h = (h ^ data[i]) * 0x100000001b3u;
    return h;
}

/* A stream into memory; fclose() ends it. */
struct memory {
    FILE *f;
    char *text;
    size_t len;
};

static void open_memory(struct memory *m)
{
    m->f = open_memstream(&m->text, &m->len);
    if (!m->f)
        abort();
}

bool fuzz_is_clean(const struct comp *c)
{
    return diag_count(c, SEV_ERROR) == 0;
}

static void print_findings(struct comp *c)
{
    struct memory text, json;
    open_memory(&text);
    diag_print(c, text.f, (struct diag_style){.verbose = true, .color = true});
    fclose(text.f);
    free(text.text);
    open_memory(&json);
    diag_print(c, json.f, (struct diag_style){.format = DIAG_JSON, .verbose = true});
    fclose(json.f);
    fuzz_check_json(json.text, json.len);
    free(json.text);
}

struct comp *fuzz_compile(const char *text, size_t len, const char *last)
{
    struct comp *c = comp_new();
    c->build = true;
    int file = source_add(c->sources, "fuzz.yaml", text, len);
    if (file < 0 || pass_load(c, (uint32_t)file) || pipeline_passes(c, last))
        fuzz_fail("a pass could not run");
    print_findings(c);
    return c;
}

/* ---- a rule around bytes ---- */

/* A double-quoted YAML scalar. */
static void put_scalar(FILE *out, const char *s, size_t len)
{
    fputc('"', out);
    for (size_t i = 0, n; i < len; i += n) {
        uint32_t cp;
        n = show_decode(s + i, len - i, &cp);
        cp = cp == UINT32_MAX ? (unsigned char)s[i] : cp;
        if (cp >= 0x20 && cp < 0x7f && cp != '"' && cp != '\\')
            fputc((int)cp, out);
        else
            fprintf(out, "\\U%08x", cp);
    }
    fputs("\"\n", out);
}

char *fuzz_rule(const char *condition, size_t ncondition, const char *output, size_t noutput,
                size_t *len)
{
    struct memory m;
    open_memory(&m);
    fputs("- list: shells\n  items: [sh, bash, \"a b\"]\n"
          "- macro: spawned\n  condition: evt.type in (execve, execveat) and evt.rawres = 0\n"
          "- rule: r\n  desc: d\n  priority: INFO\n  condition: ",
          m.f);
    put_scalar(m.f, condition, ncondition);
    fputs("  output: ", m.f);
    put_scalar(m.f, output, noutput);
    fclose(m.f);
    *len = m.len;
    return m.text;
}
