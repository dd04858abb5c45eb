#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The differential test over the official rules and ours. Usage: run.sh quick|full [SEED]
# The official rules are read from FALCO_RULES, or from ../shared/rules/falco beside this repository.
# `full` goes on with generated rules until N verdicts have been compared: two million, unless the
# environment says otherwise (make diff N=50000000). SEED may come from there, too.
# Then over generated packs that are large enough for tables of classes (tests/bench/genpack.py).
set -u
cd "$(dirname "$0")/../.." || exit 2
diff=build/${VARIANT:-release}/diff
official=${FALCO_RULES:-../shared/rules/falco}/falco_rules.yaml
seed=${2:-${SEED:-1}}

if [ "${1:-quick}" = full ]; then
    many=1000
    set -- --seed "$seed" --n 5000 --evaluations "${N:-2000000}"
else
    many=100
    set -- --seed "$seed" --n 300 --kernel-packs
fi
packs=$(mktemp -d) || exit 2
trap 'rm -rf "$packs"' EXIT
trap 'exit 130' HUP INT TERM
large=
for shape in mixed path prefix; do
    "${PYTHON:-python3}" tests/bench/genpack.py --shape $shape --rules 2000 --macros 200 \
        --list-items 300 --seed "$seed" >"$packs/$shape.yaml" || exit 2
    large="$large $packs/$shape.yaml +"
done
# shellcheck disable=SC2086 # names without blanks, made above
"$diff" --seed "$seed" --n $many --together --conditions 0 $large || exit 1
if [ -r "$official" ]; then
    "$diff" "$@" "$official" + stdlib rules
else
    "$diff" "$@" --skip "the official rules: $official is not there (set FALCO_RULES)" stdlib rules
fi
