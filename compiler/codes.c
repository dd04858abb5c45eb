/* SPDX-License-Identifier: Apache-2.0 */
#include "codes.h"

#include <string.h>
#include <unistd.h>

#include "diag.h"

#define WIDTH 78
#define CODE_MAX 8 /* a longer word is no code, however it was misspelt */

bool codes_is_code(const char *word)
{
    return strlen(word) <= CODE_MAX && strpbrk(word, "0123456789") && !strpbrk(word, "./") &&
           access(word, F_OK) != 0;
}

/* Words in lines of WIDTH. */
static void put_wrapped(const char *s, FILE *out)
{
    size_t column = 0;
    while (*s) {
        size_t n = strcspn(s, " ");
        if (column && column + 1 + n > WIDTH) {
            fputc('\n', out);
            column = 0;
        }
        fprintf(out, "%s%.*s", column ? " " : "", (int)n, s);
        column += n + (column > 0);
        s += n + strspn(s + n, " ");
    }
    fputc('\n', out);
}

static void put_indented(const char *s, FILE *out)
{
    while (*s) {
        size_t n = strcspn(s, "\n");
        fprintf(out, "  %.*s\n", (int)n, s);
        s += n + (s[n] == '\n');
    }
}

bool codes_explain(const char *word, FILE *out)
{
    enum diag_code code = diag_by_name(word);
    if (code == DIAG_NONE) {
        enum diag_code near = diag_near(word);
        fprintf(stderr, "rulec explain: there is no code `%s`", word);
        if (near != DIAG_NONE) {
            fprintf(stderr, "; did you mean `%s` (%s)?\n", diag_info(near)->code,
                    diag_info(near)->title);
        } else {
            fputs("; `rulec explain --codes` lists them\n", stderr);
        }
        return false;
    }
    const struct diag_info *info = diag_info(code);
    fprintf(out, "%s, %s: %s\n", info->code, diag_severity_name(info->severity), info->title);
    if (*info->falco)
        fprintf(out, "Falco calls it %s.\n", info->falco);
    else
        fputs("Falco has no name for it.\n", out);
    fputc('\n', out);
    put_wrapped(info->explanation, out);
    fputs("\nExample:\n\n", out);
    put_indented(info->example, out);
    return true;
}

void codes_list(FILE *out)
{
    for (unsigned i = DIAG_NONE + 1; i < DIAG_COUNT; i++) {
        const struct diag_info *info = diag_info((enum diag_code)i);
        fprintf(out, "%s  %-7s  %-30s  %s\n", info->code, diag_severity_name(info->severity),
                *info->falco ? info->falco : "-", info->title);
    }
}
