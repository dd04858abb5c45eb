/* SPDX-License-Identifier: Apache-2.0 */
/* What `--version` of both programs says: they are built, and installed, together. */
#ifndef GRAMMAR_VERSION_H
#define GRAMMAR_VERSION_H

#define PROJECT_VERSION "0.1.0"

#endif
