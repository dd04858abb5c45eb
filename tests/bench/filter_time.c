/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long the filter of some rules takes for an event, in the kernel, in nanoseconds: the event is
 * one JSON object, as `rulec eval` takes it, and all its values are there: no extractor runs.
 * Usage: filter_time RULES.yaml EVENT
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../compiler/diag.h"
#include "../../compiler/eval_kernel.h"
#include "../../compiler/event.h"
#include "../../compiler/pipeline.h"

#define SERIES 60
#define RUNS 1000

static int compile(struct comp *c, char *path)
{
    int rc = pipeline_run(c, &path, 1, "link");

    if (rc || diag_count(c, SEV_ERROR)) {
        diag_report(c);
        return 2;
    }
    return 0;
}

static int measure(struct comp *c, const char *text)
{
    struct event event = {0};
    struct event_user user = {0};
    char err[512] = "";
    struct kernel_filter *k = kernel_filter_new(c->rpk.v, c->rpk.n, err, sizeof(err));
    double ns = -1;

    if (k && event_parse(c, text, strlen(text), &event, err, sizeof(err)) == 0 &&
        event_to_ev(c, &event, kernel_filter_event(k), &user) == 0)
        ns = kernel_filter_time(k, SERIES, RUNS);
    kernel_filter_free(k);
    if (ns < 0) {
        fprintf(stderr, "filter_time: %s\n", *err ? err : "the kernel did not count");
        return 2;
    }
    printf("%.2f\n", ns);
    return 0;
}

int main(int argc, char **argv)
{
    struct comp *c = comp_new();
    int status = argc != 3 ? 2 : compile(c, argv[1]);

    if (status == 0)
        status = measure(c, argv[2]);
    comp_free(c);
    return status;
}
