/* SPDX-License-Identifier: Apache-2.0 */
/* rulec build: rules to a bundle. Nothing is written unless everything went well. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "diag.h"
#include "intern.h"
#include "pipeline.h"
#include "source.h"
#include "whole.h"

/* Mode of a new file: mkstemp() gives 0600. */
static mode_t file_mode(void)
{
    mode_t mask = umask(022);
    umask(mask);
    return 0666 & ~mask;
}

/* A pipe or a device, such as /dev/null, is written to and not replaced. */
static int write_special(const char *path, const uint8_t *bytes, size_t size)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC), err = fd < 0 ? -errno : 0;
    if (!err)
        err = write_whole(fd, bytes, size);
    if (fd >= 0 && close(fd) < 0 && !err)
        err = -errno;
    return err;
}

/* The file appears at once and whole, or stays as it was. */
static int write_file(const char *path, const uint8_t *bytes, size_t size)
{
    struct stat st;
    char *temp;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return write_special(path, bytes, size);
    if (asprintf(&temp, "%s.XXXXXX", path) < 0)
        return -ENOMEM;
    int fd = mkostemp(temp, O_CLOEXEC), err = fd < 0 ? -errno : 0;
    if (!err)
        err = write_whole(fd, bytes, size);
    if (!err && (fchmod(fd, file_mode()) < 0 || fsync(fd) < 0))
        err = -errno;
    if (fd >= 0 && close(fd) < 0 && !err)
        err = -errno;
    if (!err && rename(temp, path) < 0)
        err = -errno;
    if (err && fd >= 0)
        unlink(temp);
    free(temp);
    return err;
}

static int write_bundle(const char *path, const uint8_t *bytes, size_t size)
{
    return strcmp(path, "-") ? write_file(path, bytes, size)
                             : write_whole(STDOUT_FILENO, bytes, size);
}

/* A shell's pattern behind -o: the first of the files that it stands for would be lost. */
static bool is_input(const struct comp *c, const char *output)
{
    struct stat out, in;
    if (stat(output, &out) < 0 || !S_ISREG(out.st_mode))
        return false;
    for (uint32_t i = 1; i < source_count(c->sources); i++)
        if (stat(source_name(c->sources, i), &in) == 0 && in.st_dev == out.st_dev &&
            in.st_ino == out.st_ino)
            return true;
    return false;
}

/* The bundle's name: that of its file, without directory and suffix; of standard output none. */
static str_id pack_name(struct comp *c, const char *path)
{
    if (!strcmp(path, "-"))
        return (str_id){0};
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    size_t len = strlen(base);
    if (len > 4 && memcmp(base + len - 4, ".rpk", 4) == 0)
        len -= 4;
    return intern_put(c->intern, base, len);
}

static int build(struct comp *c, int npath, char *const *paths, const char *output,
                 const char *stages)
{
    c->build = true;
    if (output)
        c->name = pack_name(c, output);
    const char *last = stages ? pipeline_last(stages) : "link";
    if (!last) {
        fprintf(stderr,
                "rulec build: there is no such stage: %s; `rulec build --help` lists them\n",
                stages);
        return EXIT_CANNOT;
    }
    int err = pipeline_run(c, paths, npath, output ? "link" : last);
    diag_report(c);
    if (err)
        return EXIT_CANNOT;
    if (diag_count(c, SEV_ERROR))
        return EXIT_FINDINGS;
    if (output && is_input(c, output)) {
        fprintf(stderr, "rulec build: %s is a file of rules; nothing is written\n", output);
        return EXIT_CANNOT;
    }
    if (stages)
        pipeline_dump(c, stages, stdout);
    err = output ? write_bundle(output, c->rpk.v, c->rpk.n) : 0;
    if (!err && (fflush(stdout) || ferror(stdout)))
        err = -errno;
    if (c->filter_left)
        fprintf(stderr,
                "rulec: note: the kernel's filter is full; %u tests of a rule on an event "
                "are left to user space\n",
                c->filter_left);
    if (err)
        fprintf(stderr, "rulec: %s: %s\n", output ? output : "standard output", strerror(-err));
    return err ? EXIT_CANNOT : EXIT_FINE;
}

int cmd_build(int argc, char **argv)
{
    static const struct option options[] = {
        {"output", required_argument, NULL, 'o'}, {"dump", required_argument, NULL, 'd'}, {0}};
    const char *output = NULL, *stages = NULL;
    for (int o; (o = getopt_long(argc, argv, "o:", options, NULL)) != -1;) {
        if (o != 'o' && o != 'd')
            return EXIT_CANNOT;
        *(o == 'o' ? &output : &stages) = optarg;
    }
    if (optind == argc || (!output && !stages)) {
        fprintf(stderr, "rulec build: %s; see `rulec build --help`\n",
                optind == argc ? "no file is given" : "neither -o nor --dump is given");
        return EXIT_CANNOT;
    }
    struct comp *c = comp_new();
    int status = build(c, argc - optind, argv + optind, output, stages);
    comp_free(c);
    return status;
}
