/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts about ourselves, byte for byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "../../runtime/own.h"

static const struct own_field fields[] = {
    OWN_TEXT("hook", "sys_exit"),
    OWN_NUMBER("lost", 18446744073709551615u),
    OWN_TEXT("reason", "R1 \"x\"\nline 2"),
    OWN_LIST("rules", "one\0two \xff", 2),
};
static const struct own missing = {.rule = "rulerun: hook missing",
                                   .message = "a hook is missing",
                                   .priority = 2,
                                   .utc_offset = 3600,
                                   .ts = 1795494299068892935ull,
                                   .fields = fields,
                                   .nfield = 4};

static void expect(struct alert_style style, const struct own *o, size_t cap, const char *want)
{
    char buf[8192];
    size_t n = own_alert(&style, o, buf, cap);

    assert_int_equal(n, strlen(want));
    assert_memory_equal(buf, want, n);
}

static void test_forms(void **state)
{
    struct alert_style text = ALERT_STYLE(ALERT_TEXT, "vm"), json = ALERT_STYLE(ALERT_JSON, "v\"m");
    struct own bare = missing;

    (void)state;
    expect(text, &missing, 4096,
           "05:24:59.068892935: Critical a hook is missing (hook=\"sys_exit\" "
           "lost=18446744073709551615 reason=\"R1 \\\"x\\\"\\nline 2\" "
           "rules=[\"one\",\"two \xef\xbf\xbd\"])\n");
    text.time_iso8601 = true;
    bare.nfield = 0;
    expect(text, &bare, 4096, "2026-11-24T04:24:59.068892935+0000: Critical a hook is missing\n");
    expect(json, &missing, 4096,
           "{\"hostname\":\"v\\\"m\",\"output\":\"a hook is missing\",\"output_fields\":{"
           "\"hook\":\"sys_exit\",\"lost\":18446744073709551615,"
           "\"reason\":\"R1 \\\"x\\\"\\nline 2\",\"rules\":[\"one\",\"two \xef\xbf\xbd\"]},"
           "\"priority\":\"Critical\",\"rule\":\"rulerun: hook missing\",\"source\":\"internal\","
           "\"time\":\"2026-11-24T04:24:59.068892935Z\"}\n");
    json.message = true;
    json.output = json.fields = false;
    expect(json, &missing, 4096,
           "{\"hostname\":\"v\\\"m\",\"message\":\"a hook is missing\",\"priority\":\"Critical\","
           "\"rule\":\"rulerun: hook missing\",\"source\":\"internal\","
           "\"time\":\"2026-11-24T04:24:59.068892935Z\"}\n");
}

/* A number of something: its name is the rules' author's. */
static void test_numbers_of(void **state)
{
    struct alert_style text = ALERT_STYLE(ALERT_TEXT, "vm"), json = ALERT_STYLE(ALERT_JSON, "vm");
    const struct own_field of[] = {OWN_NUMBER("lost", 3), OWN_NUMBER_OF("lost", "a \"b\"]", 3)};
    const struct own o = {.rule = "r", .message = "m", .priority = 4, .fields = of, .nfield = 2};

    (void)state;
    expect(text, &o, 4096, "00:00:00.000000000: Warning m (lost=3 lost[a \\\"b\\\"]]=3)\n");
    expect(json, &o, 4096,
           "{\"hostname\":\"vm\",\"output\":\"m\",\"output_fields\":{\"lost\":3,"
           "\"lost[a \\\"b\\\"]]\":3},\"priority\":\"Warning\",\"rule\":\"r\","
           "\"source\":\"internal\",\"time\":\"1970-01-01T00:00:00.000000000Z\"}\n");
}

/* What does not fit is cut by value, and the form stays whole; no room at all is nothing. */
static void test_bounds(void **state)
{
    struct alert_style json = ALERT_STYLE(ALERT_JSON, "vm");
    char names[1000 * 10 + 1], buf[8192];
    struct own_field f[] = {OWN_LIST("rules", names, 1000)};
    struct own o = {.rule = "r", .message = "m", .priority = 4, .fields = f, .nfield = 1};

    (void)state;
    for (size_t i = 0; i < 1000; i++)
        memcpy(names + 10 * i, "rule name", 10);
    expect(json, &o, 256,
           "{\"hostname\":\"vm\",\"output\":\"m\",\"output_fields\":{\"rules\":[\"rule name\","
           "\"rule name\",\"rule name\",\"rule name\",\"rule name\",\"rule name\","
           "\"... and 994 more\"]},\"priority\":\"Warning\",\"rule\":\"r\",\"source\":\"internal\","
           "\"time\":\"1970-01-01T00:00:00.000000000Z\"}\n");
    assert_int_equal(own_alert(&json, &o, buf, 241), 0);
    assert_in_range(own_alert(&json, &o, buf, 8192), 4096, 8192);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_numbers_of),
        cmocka_unit_test(test_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
