/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../../runtime/alert.h"
#include "fuzz.h"

void fuzz_judge(struct judge *j, const struct event *e)
{
    uint32_t rule;
    enum check failed = judge_event(j, e, false, &rule);
    if (failed == CHECK_COUNT)
        return;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    event_print(j->c, e, out);
    fclose(out);
    bool one = rule != UINT32_MAX;
    fuzz_fail("%s: %s rule %u, tree %u, table %u, bytecode %lld: %s", check_names[failed],
              failed == CHECK_RUN ? j->error : "", rule, one ? j->tree[rule] : 0,
              one ? j->table[rule] : 0, (long long)j->bytecode, text);
}

static void one_alert(const struct rpk *p, struct record *r, const struct match *m, char *buf,
                      size_t cap)
{
    for (int format = ALERT_TEXT; format <= ALERT_JSON; format++) {
        record_reset(r);
        struct alert_style style = ALERT_STYLE((enum alert_format)format, "host");
        size_t n = alert_write(&style, p, r, m, buf, cap);
        if (n > cap)
            fuzz_fail("an alert of %zu bytes in a buffer of %zu", n, cap);
        if (n && buf[n - 1] != '\n')
            fuzz_fail("an alert without an end of line");
        if (n && format == ALERT_JSON)
            fuzz_check_json(buf, n);
    }
}

void fuzz_alerts(const struct rpk *p, struct record *r, const struct match *m, unsigned n)
{
    static const size_t caps[] = {ALERT_MAX, 4096, 700, 1};
    for (unsigned i = 0; i < n; i++) {
        for (size_t k = 0; k < sizeof(caps) / sizeof(caps[0]); k++) {
            /* As large as the bound says, so that a write beyond it is seen. */
            char *buf = malloc(caps[k]);
            one_alert(p, r, &m[i], buf, caps[k]);
            free(buf);
        }
    }
}
