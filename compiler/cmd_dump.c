/* SPDX-License-Identifier: Apache-2.0 */
/* rulec dump: what is in a bundle. */
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "bundle.h"
#include "pipeline.h"
#include "show.h"
#include "source.h"

void dump_rpk(struct comp *c, FILE *out)
{
    struct rpk p;
    char err[200];
    if (rpk_open(&p, c->rpk.v, c->rpk.n, err, sizeof(err)) < 0) {
        fprintf(out, "not a bundle: %s\n", err);
        return;
    }
    bundle_print_head(&p, out);
    bundle_print_sections(c->rpk.v, c->rpk.n, out);
    bundle_print_rules(&p, out);
}

static int print_names(const struct rpk *p)
{
    for (uint32_t i = 0; i < p->head->rules.n; i++) {
        show_text(stdout, rpk_text(p, p->rules[i].name), p->rules[i].name.len);
        putchar('\n');
    }
    return 0;
}

static int print_all(const struct rpk *p, const void *bytes, size_t size)
{
    bundle_print_head(p, stdout);
    int err = bundle_print_sections(bytes, size, stdout);
    putchar('\n');
    bundle_print_rules(p, stdout);
    putchar('\n');
    bundle_print_table(p, stdout);
    putchar('\n');
    return err ? err : bundle_print_code(bytes, size, stdout);
}

static int dump(struct comp *c, const char *path, bool names)
{
    struct rpk p;
    char why[200];
    size_t size;
    int file = source_read(c->sources, path, path);
    if (file < 0) {
        fprintf(stderr, "rulec: %s: %s\n", path, strerror(-file));
        return EXIT_CANNOT;
    }
    const char *bytes = source_text(c->sources, (uint32_t)file, &size);
    if (rpk_open(&p, bytes, size, why, sizeof(why)) < 0) {
        fprintf(stderr, "rulec: %s: %s\n", path, why);
        return EXIT_FINDINGS;
    }
    int err = names ? print_names(&p) : print_all(&p, bytes, size);
    if (!err && (fflush(stdout) || ferror(stdout)))
        err = -errno;
    if (err)
        fprintf(stderr, "rulec: %s: %s\n", path, strerror(-err));
    return err ? EXIT_CANNOT : EXIT_FINE;
}

int cmd_dump(int argc, char **argv)
{
    static const struct option options[] = {{"rules", no_argument, NULL, 'r'}, {0}};
    bool names = false;
    for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (o != 'r')
            return EXIT_CANNOT;
        names = true;
    }
    if (optind + 1 != argc) {
        fputs("rulec dump: give one bundle; see `rulec dump --help`\n", stderr);
        return EXIT_CANNOT;
    }
    struct comp *c = comp_new();
    int status = dump(c, argv[optind], names);
    comp_free(c);
    return status;
}
