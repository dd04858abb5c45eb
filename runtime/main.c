/* SPDX-License-Identifier: Apache-2.0 */
/* rulerun: options and exit codes. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "../grammar/version.h"
#include "daemon.h"
#include "spool.h"

#define BUFFER_DEFAULT (4u << 20) /* is mapped twice: 8 MB of resident memory */
#define WAIT_DEFAULT_NS 500000000ull
#define WAIT_MAX_MS 10000
#define RATE_DEFAULT 1000 /* alerts of one rule and second: nobody reads more */
#define BURST_DEFAULT 10000
#define BUFFER_MIN (64u << 10)
#define BUFFER_MAX (1u << 30)

enum { EXIT_PART = 1, EXIT_CANNOT = 2, EXIT_AUDIT = 3 };

static const char help[] =
    "usage: rulerun [options] PACK.rpk\n"
    "\n"
    "Arms a bundle that `rulec build` made and writes an alert for each match, until SIGINT or\n"
    "SIGTERM.\n"
    "\n"
    "  --format text|json    Falco's text line (default), or its JSON object\n"
    "  --time-format local|iso8601\n"
    "                        the time before the message: the zone's (default), or UTC with date\n"
    "  --json-include-message-property, --json-include-output-property[=false],\n"
    "  --json-include-output-fields-property[=false], --json-include-tags-property[=false]\n"
    "                        which of these keys the JSON object has; all but `message` by "
    "default\n"
    "  --output URL          stdout (default), or file:PATH; may be given several times\n"
    "  --paths all|spelled   judge a path as the kernel opened it, as the caller spelled it and "
    "as\n"
    "                        it is stored (default), or as spelled alone, as Falco does\n"
    "  --all-matches         every rule that matches an event, not the first alone\n"
    "  --priority MIN        only rules at least as severe (emergency ... debug)\n"
    "  --rules enable:NAME   switch rules on or off (disable:NAME); may be given several times, "
    "and\n"
    "                        the last one counts; * in NAME is any text, tag=TAG is a tag\n"
    "  --container-root ENGINE=DIR\n"
    "                        where podman, docker, containerd or cri-o keeps its files, in place "
    "of\n"
    "                        its usual directories; may be given several times\n"
    "  --container-wait MS   how long an event may wait for its container's metadata (default "
    "500)\n"
    "  --buffer SIZE         ring buffer between kernel and daemon: 64K to 1G (default 4M)\n"
    "  --rate N[,BURST]      tell at most N alerts of one rule in a second, and BURST at once "
    "(default\n"
    "                        1000,10000; BURST 10*N if not given); 0 is no limit\n"
    "  --strict              do not start if a hook that the rules need cannot be had\n"
    "  --audit               take every event and check the kernel's filter against the rules\n"
    "  --record FILE         write what passed the filter to a recording as well\n"
    "  --record-all FILE     write every event, as --audit takes them, with all its values\n"
    "  --record-max SIZE     end the recording when it has this size, 64K or more; without it, "
    "too,\n"
    "                        it ends before its file system has less than 1 GiB, or 5%, free\n"
    "  --replay FILE         judge a recording (- is standard input) in place of the kernel: the\n"
    "                        same alerts, or those of other rules; needs no privileges. A\n"
    "                        capture of sysdig or Falco (scap) is read as well\n"
    "  --help, --version\n"
    "\n"
    "Exit status: 0 ended by a signal, or with the recording; 1 the recording is cut or damaged,\n"
    "or lacks what a rule asks for; 2 could not run; 3 the audit found the filter wrong.\n"
    "\n"
    "Example:\n"
    "  rulec build -o pack.rpk rules/\n"
    "  rulerun --format json --output file:/var/log/rulerun.jsonl pack.rpk\n"
    "  rulerun --rules 'disable:*' --rules enable:tag=network --priority notice pack.rpk\n";

/* Says what is wrong with the command line: `what` (an option, or ""), its value, and why. */
static bool usage(const char *what, const char *value, const char *why)
{
    fprintf(stderr,
            "rulerun: %s%s%s%s\nusage: rulerun [options] PACK.rpk ('rulerun --help' says more)\n",
            what, *what ? " " : "", value, why);
    return false;
}

static bool parse_priority(const char *s, unsigned *out)
{
    for (unsigned i = 0; i < 8; i++)
        if (strcasecmp(s, alert_priority(i)) == 0) {
            *out = i;
            return true;
        }
    if (strcasecmp(s, "info") != 0)
        return false;
    *out = 6;
    return true;
}

/* Bytes, `8M` for example. */
static bool parse_bytes(const char *s, uint64_t *out)
{
    char *end;
    unsigned long long n = strtoull(s, &end, 10);
    unsigned shift = *end == 'K' ? 10 : *end == 'M' ? 20 : *end == 'G' ? 30 : 0;

    *out = n << shift;
    return *s >= '0' && *s <= '9' && !end[shift > 0] && n <= UINT64_MAX >> shift;
}

/* Of a ring buffer: rounded up to a power of two, as those are. */
static bool parse_buffer(const char *s, uint32_t *out)
{
    uint32_t size = BUFFER_MIN;
    uint64_t n;

    if (!parse_bytes(s, &n) || n < BUFFER_MIN || n > BUFFER_MAX)
        return false;
    while (size < n)
        size *= 2;
    *out = size;
    return true;
}

/* `1G`, of a recording. */
static bool take_record_max(uint64_t *out, const char *arg)
{
    return (parse_bytes(arg, out) && *out >= SPOOL_MAX_LEAST && *out <= INT64_MAX) ||
           usage("--record-max", arg, ": not a size of 64K or more (K, M or G behind a number)");
}

static bool parse_choice(const char *s, const char *zero, const char *one, unsigned *out)
{
    *out = strcmp(s, one) == 0;
    return *out || strcmp(s, zero) == 0;
}

enum {
    OPT_FORMAT,
    OPT_TIME,
    OPT_JSON_MESSAGE,
    OPT_JSON_OUTPUT,
    OPT_JSON_FIELDS,
    OPT_JSON_TAGS,
    OPT_OUTPUT,
    OPT_PATHS,
    OPT_ALL,
    OPT_PRIORITY,
    OPT_RULES,
    OPT_CONTAINER_ROOT,
    OPT_CONTAINER_WAIT,
    OPT_BUFFER,
    OPT_RATE,
    OPT_STRICT,
    OPT_AUDIT,
    OPT_RECORD,
    OPT_RECORD_ALL,
    OPT_RECORD_MAX,
    OPT_REPLAY,
    OPT_HELP,
    OPT_VERSION
};

static const struct option options[] = {
    {"format", required_argument, NULL, OPT_FORMAT},
    {"time-format", required_argument, NULL, OPT_TIME},
    {"json-include-message-property", optional_argument, NULL, OPT_JSON_MESSAGE},
    {"json-include-output-property", optional_argument, NULL, OPT_JSON_OUTPUT},
    {"json-include-output-fields-property", optional_argument, NULL, OPT_JSON_FIELDS},
    {"json-include-tags-property", optional_argument, NULL, OPT_JSON_TAGS},
    {"output", required_argument, NULL, OPT_OUTPUT},
    {"paths", required_argument, NULL, OPT_PATHS},
    {"all-matches", no_argument, NULL, OPT_ALL},
    {"priority", required_argument, NULL, OPT_PRIORITY},
    {"rules", required_argument, NULL, OPT_RULES},
    {"container-root", required_argument, NULL, OPT_CONTAINER_ROOT},
    {"container-wait", required_argument, NULL, OPT_CONTAINER_WAIT},
    {"buffer", required_argument, NULL, OPT_BUFFER},
    {"rate", required_argument, NULL, OPT_RATE},
    {"strict", no_argument, NULL, OPT_STRICT},
    {"audit", no_argument, NULL, OPT_AUDIT},
    {"record", required_argument, NULL, OPT_RECORD},
    {"record-all", required_argument, NULL, OPT_RECORD_ALL},
    {"record-max", required_argument, NULL, OPT_RECORD_MAX},
    {"replay", required_argument, NULL, OPT_REPLAY},
    {"help", no_argument, NULL, OPT_HELP},
    {"version", no_argument, NULL, OPT_VERSION},
    {NULL, 0, NULL, 0},
};

/* `--NAME`, `--NAME=true` or `--NAME=false`. */
static bool take_switch(const char *name, const char *arg, bool *out)
{
    unsigned n = 1;

    if (arg && !parse_choice(arg, "false", "true", &n))
        return usage(name, arg, ": neither 'true' nor 'false'");
    *out = n;
    return true;
}

static bool take_rules(struct daemon_options *o, const char *arg)
{
    if (o->nselect == DAEMON_SELECT)
        return usage("--rules", arg, ": too many selections");
    return select_parse(arg, &o->select[o->nselect++]) ||
           usage("--rules", arg, ": neither enable:NAME nor disable:NAME");
}

static bool take_root(struct metacache_options *o, const char *arg)
{
    const char *path = strchr(arg, '=');
    enum engine_id engine = path ? engine_by_word(arg, (size_t)(path - arg)) : ENGINE_COUNT;

    if (engine == ENGINE_COUNT)
        return usage("--container-root", arg,
                     ": not podman=DIR, docker=DIR, containerd=DIR or cri-o=DIR");
    if (path[1] != '/')
        return usage("--container-root", arg, ": the directory is not absolute");
    if (o->nroot == METACACHE_GIVEN)
        return usage("--container-root", arg, ": too many roots");
    o->root[o->nroot++] = (struct metacache_root){engine, path + 1};
    return true;
}

static bool take_wait(struct metacache_options *o, const char *arg)
{
    char *end;
    unsigned long ms = strtoul(arg, &end, 10);

    if (end == arg || *end || *arg == '-' || ms > WAIT_MAX_MS)
        return usage("--container-wait", arg, ": not a number of milliseconds up to 10000");
    o->wait_ns = ms * 1000000ull;
    return true;
}

/* `RATE` or `RATE,BURST`. */
static bool take_rate(struct limit_options *o, const char *arg)
{
    const char *comma = strchr(arg, ',');
    char *end;
    unsigned long rate = strtoul(arg, &end, 10), burst = 10 * rate;
    bool good = *arg >= '0' && *arg <= '9' && rate <= LIMIT_MAX && *end == (comma ? ',' : '\0');

    if (good && comma) {
        good = comma[1] >= '1' && comma[1] <= '9';
        burst = strtoul(comma + 1, &end, 10);
        good = good && *end == '\0' && burst <= LIMIT_MAX;
    }
    if (!good)
        return usage("--rate", arg, ": neither 'ALERTS' nor 'ALERTS,BURST', whole numbers");
    if (burst > LIMIT_MAX)
        burst = LIMIT_MAX;
    *o = (struct limit_options){(uint32_t)rate, burst ? (uint32_t)burst : 1};
    return true;
}

/* One option's value into the options; false with a message if it is not one. */
static bool take(struct daemon_options *o, int which, const char *arg)
{
    unsigned n = 0;

    switch (which) {
    case OPT_FORMAT:
        if (!parse_choice(arg, "text", "json", &n))
            return usage("--format", arg, ": neither 'text' nor 'json'");
        o->style.format = n ? ALERT_JSON : ALERT_TEXT;
        return true;
    case OPT_TIME:
        if (!parse_choice(arg, "local", "iso8601", &n))
            return usage("--time-format", arg, ": neither 'local' nor 'iso8601'");
        o->style.time_iso8601 = n;
        return true;
    case OPT_JSON_MESSAGE:
        return take_switch("--json-include-message-property", arg, &o->style.message);
    case OPT_JSON_OUTPUT:
        return take_switch("--json-include-output-property", arg, &o->style.output);
    case OPT_JSON_FIELDS:
        return take_switch("--json-include-output-fields-property", arg, &o->style.fields);
    case OPT_JSON_TAGS:
        return take_switch("--json-include-tags-property", arg, &o->style.tags);
    case OPT_PATHS:
        if (!parse_choice(arg, "all", "spelled", &n))
            return usage("--paths", arg, ": neither 'all' nor 'spelled'");
        o->readings = n ? READ_BIT(READ_SPELLED) : READINGS_ALL;
        return true;
    case OPT_OUTPUT:
        if (o->noutput == TELL_OUTPUTS)
            return usage("--output", arg, ": too many outputs");
        o->outputs[o->noutput++] = arg;
        return true;
    case OPT_PRIORITY:
        return parse_priority(arg, &o->priority) ||
               usage("--priority", arg, ": there is no such priority");
    case OPT_RULES:
        return take_rules(o, arg);
    case OPT_CONTAINER_ROOT:
        return take_root(&o->containers, arg);
    case OPT_CONTAINER_WAIT:
        return take_wait(&o->containers, arg);
    case OPT_BUFFER:
        return parse_buffer(arg, &o->buffer) ||
               usage("--buffer", arg, ": not a size from 64K to 1G");
    case OPT_RATE:
        return take_rate(&o->limit, arg);
    case OPT_ALL:
        o->all_matches = true;
        return true;
    case OPT_STRICT:
        o->strict = true;
        return true;
    case OPT_AUDIT:
        o->audit = true;
        return true;
    case OPT_RECORD:
    case OPT_RECORD_ALL:
        if (o->record)
            return usage("", "", "one recording at a time");
        o->record = arg;
        o->record_all = which == OPT_RECORD_ALL;
        return true;
    case OPT_RECORD_MAX:
        return take_record_max(&o->record_max, arg);
    case OPT_REPLAY:
        o->replay = arg;
        return true;
    default:
        return usage("", "", "there is no such option");
    }
}

static bool same_file(const char *a, const char *b)
{
    struct stat sa, sb;

    return stat(a, &sa) == 0 && stat(b, &sb) == 0 && S_ISREG(sa.st_mode) &&
           sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

/* Options that exclude one another. */
static bool together(const struct daemon_options *o)
{
    if (o->replay && o->strict)
        return usage("--replay", o->replay, ": not with --strict: there are no hooks");
    if (o->replay && (o->record || o->audit))
        return usage("--replay", o->replay, ": neither recorded nor audited: there is no kernel");
    if (o->replay && strcmp(o->replay, "-") == 0 && strcmp(o->pack, "-") == 0)
        return usage("--replay", "-", ": the bundle is read from there");
    if (o->record_max && !o->record)
        return usage("--record-max", "", "is for --record or --record-all");
    if (o->record && same_file(o->record, o->pack))
        return usage("--record", o->record, ": this is the bundle");
    if (o->audit && o->record && !o->record_all)
        return usage("--record", o->record, ": an audit takes every event: --record-all");
    return true;
}

int main(int argc, char **argv)
{
    struct daemon_options o = {.readings = READINGS_ALL,
                               .style = ALERT_STYLE(ALERT_TEXT, ""),
                               .priority = 7,
                               .buffer = BUFFER_DEFAULT,
                               .limit = {RATE_DEFAULT, BURST_DEFAULT},
                               .containers.wait_ns = WAIT_DEFAULT_NS};
    int opt;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (opt == OPT_HELP)
            return fputs(help, stdout) < 0;
        if (opt == OPT_VERSION)
            return puts("rulerun " PROJECT_VERSION) < 0;
        if (!take(&o, opt, optarg))
            return EXIT_CANNOT;
    }
    if (optind + 1 != argc)
        return usage("", "",
                     optind == argc ? "no bundle is given: rulerun PACK.rpk"
                                    : "one bundle at a time"),
               EXIT_CANNOT;
    o.pack = argv[optind];
    if (!together(&o))
        return EXIT_CANNOT;
    if (o.noutput == 0)
        o.outputs[o.noutput++] = "stdout";
    switch (daemon_run(&o)) {
    case DAEMON_DONE:
        return EXIT_SUCCESS;
    case DAEMON_WRONG:
        return EXIT_AUDIT;
    case DAEMON_PART:
        return EXIT_PART;
    case DAEMON_CANNOT:
        break;
    }
    return EXIT_CANNOT;
}
