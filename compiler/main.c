/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../grammar/version.h"
#include "pipeline.h"

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *usage, *does, *help, *example;
} commands[] = {
    {"check", cmd_check,
     "[--format text|json] [--deny=warnings] [--verbose] [--budget UNITS] FILE|DIR...",
     "Tells what is wrong with rules",
     "Reads the files in the order given, of a directory its *.yaml and *.yml in name order, and\n"
     "`-` from standard input. Findings have the form file:line:col: error: text [code].\n"
     "\n"
     "  --format json     one JSON array of findings, on standard output\n"
     "  --deny=warnings   exit 1 for warnings as well\n"
     "  --verbose         also tell of macros and lists that are not used\n"
     "  --budget UNITS    an error for each kind of event that is expected to cost the kernel "
     "more\n"
     "                    than so many times what an empty hook adds to a system call\n"
     "\n"
     "Lines and columns count from 1, columns in characters; endLine and endColumn are behind the\n"
     "last character that is meant. `rulec explain CODE` tells more of a finding.\n",
     "rulec check --deny=warnings stdlib rules/mine.yaml"},
    {"build", cmd_build, "-o PACK.rpk [--dump=STAGE] FILE|DIR...", "Compiles rules into a bundle",
     "Writes a bundle for rulerun. Nothing is written if there is an error.\n"
     "\n"
     "  -o, --output PACK.rpk\n"
     "                    the bundle; - is standard output\n"
     "  --dump=STAGE,...  print stages of the compilation instead of writing a bundle:\n"
     "                    docs pack ast dag plan bpf table rpk, or their letters D R T L P B X K\n",
     "rulec build -o mine.rpk stdlib rules/mine.yaml"},
    {"eval", cmd_eval,
     "[--engine tree|table|bytecode|kernel] [--all] [--alerts[=json]] [--record FILE]\n"
     "             --events EVENTS.jsonl FILE|DIR|PACK.rpk...",
     "Judges events written as JSON",
     "Prints one JSON object for each event: its verdict and the rules that fire.\n"
     "\n"
     "  --engine NAME     who judges: the tree of the condition (default), the bundle's table, "
     "its\n"
     "                    bytecode in an interpreter, or the kernel (root)\n"
     "  --all             all rules that fire, not only the first\n"
     "  --alerts[=json]   the alerts as well: their lines, or their JSON objects (the host is\n"
     "                    FALCO_HOSTNAME or localhost, the zone is UTC)\n"
     "  --record FILE     writes the events as a recording too, for `rulerun --replay`\n"
     "  --events FILE     one JSON object a line: {\"evt.type\": \"open\", \"fd.name\": "
     "\"/etc/x\"}\n",
     "rulec eval --all --events events.jsonl rules/mine.yaml"},
    {"explain", cmd_explain, "[--rule NAME | --cost] FILE|DIR... | CODE... | --codes",
     "Tells where each test runs, and at what cost; or what a finding means",
     "For each rule: its events, what the kernel decides, what is left to user space and why, and\n"
     "which hooks it needs. For a code (RK0301): its severity, meaning, Falco's name and an "
     "example.\n"
     "\n"
     "  --rule NAME       only this rule\n"
     "  --cost            what each kind of event is expected to cost the kernel, and by which "
     "rule\n"
     "                    and test\n"
     "  --codes           all codes, one a line\n",
     "rulec explain --rule \"Write below etc\" rules/mine.yaml"},
    {"dump", cmd_dump, "[--rules] PACK.rpk", "Shows what is in a bundle",
     "Manifest, rules, decision table and annotated code.\n"
     "\n"
     "  --rules           only the rules' names, one a line\n",
     "rulec dump --rules mine.rpk"},
    {"fields", cmd_fields, "[--format text|json] [PREFIX...]", "Lists the fields of conditions",
     "All fields that conditions and outputs can name, or those that begin with PREFIX, one a\n"
     "line: name, argument, type, class, who supplies it (`no`: known and typed, but `rulec "
     "build`\n"
     "refuses a rule that needs it, for the reason that stands at the end), and what it says.\n"
     "\n"
     "  --format json     one JSON object a line\n",
     "rulec fields proc."},
    {"events", cmd_events, "[--format text|json] [PREFIX...]", "Lists the events",
     "All values of evt.type that are events of their own, one a line: name, category, whether "
     "this\n"
     "version delivers it, and its parameters (evt.arg.NAME) with their types. With PREFIX: those\n"
     "whose names begin so, with a line for each parameter and the names of its flags.\n"
     "\n"
     "  --format json     one JSON object a line\n",
     "rulec events open"},
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void put_usage(FILE *out)
{
    fputs("Usage: rulec COMMAND [OPTION...] [FILE...]\n"
          "Compiles Falco-style rules into bundles for rulerun.\n\n",
          out);
    for (size_t i = 0; i < COMMANDS; i++) {
        fprintf(out, "  %-8s  %s\n            %s\n", commands[i].name, commands[i].does,
                commands[i].example);
    }
    fputs("\n  rulec COMMAND --help   tells more of a command\n"
          "  rulec --version\n"
          "\n"
          "Exit status: 0 fine, 1 errors in the input, 2 could not run.\n",
          out);
}

static void put_command_help(const struct command *c)
{
    printf("Usage: rulec %s %s\n%s.\n\n%s\nExample: %s\n", c->name, c->usage, c->does, c->help,
           c->example);
}

static bool is_help(const char *word)
{
    return !strcmp(word, "--help") || !strcmp(word, "-h");
}

static bool wants_help(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (is_help(argv[i]))
            return true;
    return false;
}

/* Output that could not be written is a failure, whatever the command thought of its work. */
static int finish(int status)
{
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("rulec: standard output");
        return status ? status : EXIT_CANNOT;
    }
    return status;
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (!strcmp(name, commands[i].name))
            return &commands[i];
    return NULL;
}

static void no_command(const char *name)
{
    const char *near = NULL;
    unsigned limit = 2;
    for (size_t i = 0; i < COMMANDS; i++) {
        const char *known = commands[i].name;
        unsigned d = catalog_distance(name, strlen(name), known, strlen(known), limit);
        if (d <= limit) {
            near = known;
            limit = d - 1;
        }
    }
    fprintf(stderr, "rulec: there is no command `%s`", name);
    if (near)
        fprintf(stderr, "; did you mean `%s`?\n", near);
    else
        fputs("; see `rulec --help`\n", stderr);
}

/* getopt's messages begin with the first word: `rulec check: ...`. */
static int run(const struct command *c, int argc, char **argv)
{
    char title[32];
    snprintf(title, sizeof(title), "rulec %s", c->name);
    argv[0] = title;
    return c->run(argc, argv);
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    const struct command *c = find_command(name);
    if (c && !wants_help(argc - 1, argv + 1))
        return finish(run(c, argc - 1, argv + 1));
    if (c) {
        put_command_help(c);
    } else if (!strcmp(name, "--version")) {
        puts("rulec " PROJECT_VERSION);
    } else if (is_help(name)) {
        put_usage(stdout);
    } else if (!*name) {
        put_usage(stderr);
        return EXIT_CANNOT;
    } else {
        no_command(name);
        return EXIT_CANNOT;
    }
    return finish(EXIT_FINE);
}
