#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The examples of docs/compatibility.md hold: each states what rulec answers, and this asks it.

    compat.py [--rulec PROGRAM]

An example is one or more ```yaml blocks (rule files, loaded in order), or one ```condition block
(the condition of a rule `r` with output `o` and priority NOTICE), and then an ```expect block, one
line for each expectation:

    check: RK0226 warning            `rulec check` reports that code, as error, warning or info
    check: none                      `rulec check` reports no error and no warning
    {"evt.type": "open"} => match    `rulec eval` on that event: match or none, in the engines
                                     tree and table
    {"evt.type": "open"} => r, s     the same, and these rules fire, in this order
    {"evt.type": "open"} => alert: T the same, and the first alert says T after its priority

An error that no line names fails the example, and so does an example without ```expect.
Warnings need not be named. Blocks of other kinds are left alone.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PAGE = os.path.join(ROOT, 'docs/compatibility.md')
BLOCK = re.compile(r'^```(\w+)[^\n]*\n(.*?)^```$', re.M | re.S)
FINDING = re.compile(r': (error|warning|info): .*\[(RK\d{4})\]$', re.M)
RULE = '- rule: r\n  desc: d\n  output: o\n  priority: NOTICE\n  condition: >-\n'


def examples(text):
    """(line, files, expectations) of each example; expectations None where they are missing."""
    files, line = [], 0
    for block in BLOCK.finditer(text):
        kind, body = block.groups()
        if kind == 'expect':
            yield line, files, [row for row in body.splitlines() if row.strip()]
            files = []
        elif kind in ('yaml', 'condition'):
            if not files:
                line = text.count('\n', 0, block.start()) + 1
            wrapped = RULE + ''.join('    ' + row + '\n' for row in body.splitlines())
            files.append(body if kind == 'yaml' else wrapped)
    if files:
        yield line, files, None


def run(rulec, *arguments):
    """Exit code, output and errors of one run."""
    done = subprocess.run([rulec, *arguments], capture_output=True, text=True, timeout=60,
                          check=False, env={**os.environ, 'NO_COLOR': '1'})
    return done.returncode, done.stdout, done.stderr


def judge_findings(rows, code, err):
    """What is wrong with the findings; None if nothing."""
    told = {(code, severity) for severity, code in FINDING.findall(err)}
    bad = {row for row in told if row[1] != 'info'}
    want = set()
    for row in rows:
        if row == 'none':
            if bad:
                return f'reports {sorted(bad)}'
            continue
        name, severity = row.split()
        want.add((name, severity))
        if (name, severity) not in told:
            return f'does not report {row}: {sorted(told)}'
    for row in sorted(told - want):
        if row[1] == 'error':
            return f'reports an error that is not expected: {row[0]}'
    if code != (1 if any(severity == 'error' for _, severity in want) else 0):
        return f'exit {code}'
    return None


def judge_event(rulec, paths, event, want):
    """What is wrong with the verdicts on one event; None if nothing."""
    json.loads(event)
    with tempfile.NamedTemporaryFile('w', suffix='.jsonl') as events:
        events.write(event + '\n')
        events.flush()
        for engine in ('tree', 'table'):
            code, out, err = run(rulec, 'eval', '--engine', engine, '--all', '--alerts',
                                 '--events', events.name, *paths)
            if code != 0:
                return f'{engine}: exit {code}: {err}'
            got = json.loads(out)
            if want.startswith('alert: '):
                seen = [line.split(': ', 1)[1].split(' ', 1)[1] for line in got['alerts'][:1]]
                good = seen == [want[7:]]
            elif want in ('match', 'none'):
                good = got['verdict'] == want
            else:
                good = got['rules'] == [name.strip() for name in want.split(',')]
            if not good:
                return f'{engine}: {event}: not {want}: {out.strip()}'
    return None


def judge(rulec, files, rows, score):
    """One example: a test for each expectation."""
    with tempfile.TemporaryDirectory(prefix='rulec-compat-') as folder:
        paths = [os.path.join(folder, f'{i:02}.yaml') for i in range(len(files))]
        for path, body in zip(paths, files):
            with open(path, 'w', encoding='utf-8', newline='') as out:
                out.write(body)
        code, _, err = run(rulec, 'check', '--verbose', *paths)
        checks = [row[7:].strip() for row in rows if row.startswith('check: ')]
        score(judge_findings(checks, code, err))
        for row in rows:
            event, arrow, want = row.rpartition(' => ')
            if arrow:
                score(judge_event(rulec, paths, event, want))
            elif not row.startswith('check: '):
                score(f'not an expectation: {row}')


def main():
    options = argparse.ArgumentParser()
    options.add_argument('--rulec', default=os.path.join(ROOT, 'build/rulec'))
    args = options.parse_args()
    with open(PAGE, encoding='utf-8') as source:
        text = source.read()
    counts = [0, 0]
    for line, files, rows in examples(text):

        def score(wrong, line=line):
            counts[wrong is not None] += 1
            if wrong is not None:
                print(f'FAIL docs/compatibility.md:{line}: {wrong}')

        if not files or not rows:
            score('an example has no rules, or no ```expect block')
        else:
            judge(args.rulec, files, rows, score)
    print(f'{counts[0]} passed, {counts[1]} failed')
    return 1 if counts[1] else 0


if __name__ == '__main__':
    sys.exit(main())
