#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The differential test over the official rules and ours. Usage: run.sh quick|full [SEED]
# The official rules are read from FALCO_RULES, or from ../shared/rules/falco beside this repository.
# `full` goes on with generated rules until N verdicts have been compared: two million, unless the
# environment says otherwise (make diff N=50000000). SEED may come from there, too.
set -u
cd "$(dirname "$0")/../.." || exit 2
diff=build/${VARIANT:-release}/diff
official=${FALCO_RULES:-../shared/rules/falco}/falco_rules.yaml
seed=${2:-${SEED:-1}}

if [ "${1:-quick}" = full ]; then
    set -- --seed "$seed" --n 5000 --evaluations "${N:-2000000}"
else
    set -- --seed "$seed" --n 300 --kernel-packs
fi
if [ -r "$official" ]; then
    exec "$diff" "$@" "$official" + stdlib rules
fi
exec "$diff" "$@" --skip "the official rules: $official is not there (set FALCO_RULES)" stdlib rules
