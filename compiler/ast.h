/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions and templates as trees. The parser (grammar/parse.h) calls the builder in ast.c; a
 * mistake is reported there and gives poison.
 */
#ifndef RULEC_AST_H
#define RULEC_AST_H

#include "model.h"
#include "text.h"

/* A condition, its lists replaced, its macros not. text_end() has been called. 0: reported. */
node_id ast_condition(struct comp *c, const struct text *t);

/*
 * An output template: pieces out0..out0+nout. An unknown field is an error, or only a warning and
 * OUTPUT_UNKNOWN if `skip`.
 */
enum output_result { OUTPUT_OK, OUTPUT_BAD, OUTPUT_UNKNOWN };
enum output_result ast_output(struct comp *c, const struct text *t, bool skip, uint32_t *out0,
                              uint32_t *nout);

/*
 * Copies of a macro's tree share its constants (comp.lits), so these know nothing of the use: the
 * place `at` of a literal of `node`, together with the macros that led to the node.
 */
span_id node_place(struct comp *c, const struct node *node, span_id at);

#endif
