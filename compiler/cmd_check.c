/* SPDX-License-Identifier: Apache-2.0 */
/* rulec check: everything there is to say about rules, short of building them. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "budget.h"
#include "diag.h"
#include "pipeline.h"

struct check {
    struct diag_style style;
    bool deny_warnings;
    double budget; /* units that an event may cost; 0: any */
};

/* A number above 0; false: it is none, and that was said. */
static bool read_budget(const char *text, double *out)
{
    char *end;
    *out = strtod(text, &end);
    if (end == text || *end || !(*out > 0) || *out > 1e9) {
        fprintf(stderr, "rulec check: a budget is a number of units, such as 20 or 7.5, not `%s`\n",
                text);
        return false;
    }
    return true;
}

/* False: a wrong option, and that was said. */
static bool read_options(int argc, char **argv, struct check *o)
{
    static const struct option options[] = {
        {"format", required_argument, NULL, 'f'},
        {"deny", required_argument, NULL, 'd'},
        {"budget", required_argument, NULL, 'b'},
        {"verbose", no_argument, NULL, 'v'},
        {0},
    };
    for (int ch; (ch = getopt_long(argc, argv, "v", options, NULL)) != -1;) {
        if (ch == 'f' && !strcmp(optarg, "json")) {
            o->style.format = DIAG_JSON;
        } else if (ch == 'f' && !strcmp(optarg, "text")) {
            o->style.format = DIAG_TEXT;
        } else if (ch == 'd' && !strcmp(optarg, "warnings")) {
            o->deny_warnings = true;
        } else if (ch == 'b') {
            if (!read_budget(optarg, &o->budget))
                return false;
        } else if (ch == 'v') {
            o->style.verbose = true;
        } else {
            if (ch == 'f' || ch == 'd') {
                fprintf(stderr, "rulec check: --%s, not `%s`\n",
                        ch == 'f' ? "format is text or json" : "deny is for warnings", optarg);
            }
            return false;
        }
    }
    return true;
}

static void put_count(uint32_t n, const char *what, const char *end)
{
    fprintf(stderr, "%u %s%s%s", n, what, n == 1 ? "" : "s", end);
}

int cmd_check(int argc, char **argv)
{
    struct check o = {0};
    if (!read_options(argc, argv, &o))
        return EXIT_CANNOT;
    if (optind == argc) {
        fprintf(stderr, "rulec check: no file is given; see `rulec check --help`\n");
        return EXIT_CANNOT;
    }
    struct comp *c = comp_new();
    c->foretell = true;
    int err = pipeline_run(c, argv + optind, argc - optind, o.budget > 0 ? "bpf" : "plan");
    if (o.budget > 0 && !err && !diag_count(c, SEV_ERROR))
        budget_check(c, o.budget);
    uint32_t errors = diag_count(c, SEV_ERROR), warnings = diag_count(c, SEV_WARNING);
    FILE *out = o.style.format == DIAG_JSON ? stdout : stderr;
    o.style.color = diag_wants_color(out);
    diag_print(c, out, o.style);
    put_count(c->rules.n - 1, "rule", ", ");
    put_count(errors, "error", ", ");
    put_count(warnings, "warning", "\n");
    comp_free(c);
    bool bad = errors || (o.deny_warnings && warnings);
    return err ? EXIT_CANNOT : bad ? EXIT_FINDINGS : EXIT_FINE;
}
