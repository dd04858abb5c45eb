/* SPDX-License-Identifier: Apache-2.0 */
/* What rulerun says of itself, on standard error. */
#ifndef RULEC_SAY_H
#define RULEC_SAY_H

/* `rulerun: WHAT`; always -1, so that a failure can be told and returned in one. */
int say(const char *what);
/* `rulerun: PATH: WHAT` */
int say_at(const char *path, const char *what);

#endif
