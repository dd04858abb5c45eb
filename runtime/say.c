/* SPDX-License-Identifier: Apache-2.0 */
#include "say.h"

#include <stdio.h>

int say(const char *what)
{
    fprintf(stderr, "rulerun: %s\n", what);
    return -1;
}

int say_at(const char *path, const char *what)
{
    fprintf(stderr, "rulerun: %s: %s\n", path, what);
    return -1;
}
