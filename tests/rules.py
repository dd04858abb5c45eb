#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rule tests: holds every rule to the events beside it, in each evaluator.

    rules.py [--rulec PROGRAM] [--engine NAME]...

NAME.test.yaml stands beside NAME.yaml: a list of {rule: NAME, fires: [EVENT...], quiet: [EVENT...]},
an EVENT being an object of `rulec eval`. `tree` and `table` are exact. `bytecode` and `kernel` are
the filter: it must pass each event of `fires`; how many of `quiet` it drops is printed.
"""
import argparse
import glob
import json
import os
import subprocess
import sys
import tempfile

import yaml

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
EXACT = ('tree', 'table')
FALCO = os.path.join(os.environ.get('FALCO_RULES', os.path.join(os.path.dirname(ROOT),
                                                                'shared/rules/falco')), 'falco_rules.yaml')
PACKS = (('rules', ['stdlib', 'rules']), ('tests/rules', ['stdlib', 'tests/rules']),
         ('tests/official', [FALCO]))


def cases_of(folder):
    """Every case of a folder: (file, rule, event, whether it must fire)."""
    for path in sorted(glob.glob(os.path.join(ROOT, folder, '*.test.yaml'))):
        with open(path, encoding='utf-8') as text:
            tests = yaml.safe_load(text)
        for test in tests:
            for event in test.get('fires', []):
                yield path, test['rule'], event, True
            for event in test.get('quiet', []):
                yield path, test['rule'], event, False


def untested(folder):
    """Rules of a folder that lack an event to fire on, or one not to."""
    seen = {(rule, fires) for _, rule, _, fires in cases_of(folder)}
    for path in sorted(glob.glob(os.path.join(ROOT, folder, '*.yaml'))):
        if path.endswith('.test.yaml'):
            continue
        with open(path, encoding='utf-8') as text:
            for item in yaml.safe_load(text) or []:
                name = item.get('rule')
                if name and not {(name, True), (name, False)} <= seen:
                    yield name


def judge(rulec, engine, inputs, cases):
    """The verdict object of each case, in order."""
    with tempfile.NamedTemporaryFile('w', suffix='.jsonl') as events:
        for _, _, event, _ in cases:
            events.write(json.dumps(event) + '\n')
        events.flush()
        run = subprocess.run([rulec, 'eval', '--engine', engine, '--all', '--events', events.name,
                              *inputs], capture_output=True, text=True, cwd=ROOT, check=False)
    if run.returncode != 0:
        raise RuntimeError(f'rulec eval --engine {engine}: exit {run.returncode}\n{run.stderr}')
    verdicts = [json.loads(line) for line in run.stdout.splitlines()]
    if len(verdicts) != len(cases):
        raise RuntimeError(f'{engine}: {len(verdicts)} verdicts for {len(cases)} events')
    return verdicts


def check(engine, cases, verdicts):
    """Prints what is wrong; returns (passed, failed)."""
    failed = dropped = quiet = 0
    for (path, rule, event, fires), got in zip(cases, verdicts):
        if engine in EXACT:
            wrong = (rule in got['rules']) != fires
        else:
            wrong = fires and got['verdict'] == 'none'
            quiet += not fires
            dropped += not fires and got['verdict'] == 'none'
        if wrong:
            failed += 1
            want = 'fire' if fires else 'stay quiet'
            print(f'FAIL {engine}: {os.path.relpath(path, ROOT)}: {rule}: must {want} on '
                  f'{json.dumps(event)}; got {json.dumps(got)}')
    if engine not in EXACT:
        print(f'{engine}: the filter dropped {dropped} of {quiet} near misses')
    return len(cases) - failed, failed


def main():
    options = argparse.ArgumentParser()
    options.add_argument('--rulec', default=os.path.join(ROOT, 'build/rulec'))
    options.add_argument('--engine', action='append')
    args = options.parse_args()
    passed = failed = skipped = 0
    for folder, inputs in PACKS:
        cases = list(cases_of(folder))
        if not all(os.path.exists(os.path.join(ROOT, path)) for path in inputs):
            print(f'SKIP {folder}: {inputs} is not there ({len(cases)} cases)')
            skipped += len(cases)
            continue
        for name in untested(folder):
            print(f'FAIL {folder}: rule {name} lacks an event that fires, or one that does not')
            failed += 1
        for engine in args.engine or ('tree', 'table', 'bytecode', 'kernel'):
            if engine == 'kernel' and os.geteuid() != 0:
                print(f'SKIP kernel: needs root ({len(cases)} cases)')
                skipped += len(cases)
                continue
            try:
                good, bad = check(engine, cases, judge(args.rulec, engine, inputs, cases))
            except (RuntimeError, OSError, ValueError) as error:
                print(f'FAIL {engine}: {error}')
                good, bad = 0, 1
            passed += good
            failed += bad
    print(f'{passed} passed, {failed} failed, {skipped} skipped')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
