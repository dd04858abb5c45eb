/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The passes, in order. Each reads what earlier ones left in `struct comp` and appends its own.
 * A pass returns 0, or -errno when it could not run at all (memory has its own way out); mistakes
 * in the input are findings (diag.h), and the pass goes on.
 */
#ifndef RULEC_PIPELINE_H
#define RULEC_PIPELINE_H

#include <stdio.h>

#include "model.h"

/* Nothing but the poison entries; all memory of a compilation goes with comp_free(). */
struct comp *comp_new(void);
void comp_free(struct comp *c);

int pass_load(struct comp *c, uint32_t file); /* one file: items */
int pass_resolve(struct comp *c);             /* rules with bound conditions and templates */
int pass_type(struct comp *c);                /* operands and atoms */
int pass_lower(struct comp *c);               /* dag, roots by event */
int pass_plan(struct comp *c);                /* placement of atoms, hooks, groups */
int pass_bpf(struct comp *c);                 /* filter_elf */
int pass_table(struct comp *c);               /* table sections */
int pass_link(struct comp *c);                /* rpk */

/*
 * Reads files and directories (a directory's *.yaml and *.yml in name order; "-" is standard
 * input), then runs the passes up to and including `last` ("load", "resolve", "type", "lower",
 * "plan", "bpf", "table", "link"). comp.build, set before: refuse what this version cannot run.
 * Stops where errors were found: after plan and each later pass. Of the files, those before the
 * first that cannot be read are looked at. Findings are queued, not printed. 0, or -errno (the
 * message has been printed).
 */
int pipeline_run(struct comp *c, char *const *paths, int npath, const char *last);
/* The passes after load, for items that pass_load() has left: the same, but for reading files. */
int pipeline_passes(struct comp *c, const char *last);

/* The last pass that a list of stages needs ("load", "type", ...); NULL: there is an unknown one.
 */
const char *pipeline_last(const char *stages);
/* Text dumps of stages (stage.def); names or letters, comma separated. False: unknown stage. */
bool pipeline_dump(struct comp *c, const char *stages, FILE *out);
void dump_docs(struct comp *c, FILE *out);
void dump_pack(struct comp *c, FILE *out);
void dump_ast(struct comp *c, FILE *out);
void dump_dag(struct comp *c, FILE *out);
void dump_plan(struct comp *c, FILE *out);
void dump_bpf(struct comp *c, FILE *out);
void dump_table(struct comp *c, FILE *out);
void dump_rpk(struct comp *c, FILE *out);

/* Shared spellings for dumps and messages: `proc.aname[2]`, `fd.name startswith "/etc"`. */
void print_field_ref(struct comp *c, FILE *out, struct field_ref f);
void print_atom(struct comp *c, FILE *out, atom_id a);
/* A test as the language writes it, whether it has been typed or not. */
void print_test(struct comp *c, FILE *out, const struct node *n);

/* Commands; exit status. argv[0] is the command's own name. */
int cmd_check(int argc, char **argv);
int cmd_build(int argc, char **argv);
int cmd_eval(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_dump(int argc, char **argv);
int cmd_fields(int argc, char **argv);
int cmd_events(int argc, char **argv);

enum exit_code { EXIT_FINE = 0, EXIT_FINDINGS = 1, EXIT_CANNOT = 2 };

#endif
