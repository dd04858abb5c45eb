/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an output template. One that compiles formats alerts of a few events. */
#include <stdlib.h>
#include <string.h>

#include "../../compiler/pipeline.h"
#include "lib/fuzz.h"

static const char condition[] = "evt.type in (execve, openat, connect, clone)";

static const char *const events[] = {
    "{\"evt.type\":\"execve\",\"evt.rawres\":0,\"proc.name\":\"sh\",\"proc.exe\":\"/bin/sh\","
    "\"proc.args\":\"-c \\\"x\\\" \\u00e9\",\"proc.aname\":[\"bash\",\"sshd\"],\"user.uid\":0,"
    "\"proc.pid\":77,\"proc.tty\":34816,\"container.id\":\"3f2a5b6c7d8e\"}",
    "{\"evt.type\":\"openat\",\"evt.rawres\":-13,\"fd.name\":\"/etc/../x y\\n\",\"fd.num\":-1,"
    "\"evt.arg.flags\":\"O_WRONLY|O_CREAT\",\"evt.arg.name\":\"x\"}",
    "{\"evt.type\":\"connect\",\"fd.sip\":\"10.0.0.1\",\"fd.sport\":443,\"fd.cip\":\"127.0.0.1\","
    "\"fd.cport\":40000,\"fd.type\":\"ipv4\",\"proc.name\":{\"unknown\":true}}",
    "{\"evt.type\":\"clone\"}",
};

static void alert(struct judge *j, const char *text)
{
    struct event e = {0};
    struct record r;
    char why[256] = "";
    if (event_parse(j->c, text, strlen(text), &e, why, sizeof(why)))
        fuzz_fail("an event of the harness: %s", why);
    fuzz_judge(j, &e);
    int len = ev_pack(j->ev, j->record, REC_MAX);
    if (record_open(&r, j->record, (size_t)len, &j->user.user, j->scratch))
        fuzz_fail("the record is refused");
    fuzz_alerts(&j->rpk, &r, &(struct match){.verdict = VERDICT_UNCERTAIN}, 1);
}

void fuzz_one(const uint8_t *data, size_t size)
{
    size_t len;
    char *text = fuzz_rule(condition, strlen(condition), (const char *)data, size, &len);
    struct comp *c = fuzz_compile(text, len, "table");
    struct judge j;
    free(text);
    if (fuzz_is_clean(c)) {
        if (!judge_open(&j, c, false, 0))
            fuzz_fail("an evaluator refuses the pack: %s", j.error);
        for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
            alert(&j, events[i]);
        judge_close(&j);
    }
    comp_free(c);
}
