#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Golden tests: what the compiler says of each case must be what stands beside it.

    run.py [--bless] [--rulec PROGRAM]

NAME.yaml has beside it the dumps the case is about, by suffix (docs/internals.md). diag/RKnnnn.yaml
is the fixture of one diagnostic, with its NAME.diag; each code of compiler/diag.def must have one
that raises it. NAME.json is the same for programs, where it stands beside a case. bad/ holds hostile
inputs: each ends with exit 1 and a finding that tells the place.
"""
import argparse
import glob
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
STAGES = {'docs': 'docs', 'pack': 'pack', 'ast': 'ast', 'dag': 'dag', 'classes': 'classes',
          'plan': 'plan', 'bpf': 'bpf', 'table': 'table', 'rpk.txt': 'rpk'}
PLACE = re.compile(r':\d+:\d+: error: .*\[RK\d{4}\]')
SUMMARY = re.compile(r'^\d+ rules?, \d+ errors?, \d+ warnings?\n\Z', re.M)


def rulec(program, *arguments):
    """Exit code and output of one run, with paths relative to this folder; without the closing
    line that counts (tests/diag.py)."""
    run = subprocess.run([program, *arguments], cwd=HERE, capture_output=True, text=True,
                         errors='replace', timeout=60, check=False,
                         env={**os.environ, 'NO_COLOR': '1'})
    return run.returncode, run.stdout, SUMMARY.sub('', run.stderr)


class Suite:
    """Counts, and what a case is held against."""

    def __init__(self, program, bless):
        self.program, self.bless = program, bless
        self.passed = self.failed = 0

    def verdict(self, good, text):
        """Counts one test; tells of it where it failed."""
        self.passed += good
        self.failed += not good
        if not good:
            print('FAIL', text)

    def compare(self, golden, got):
        """Holds a text against a golden file, or writes the file."""
        if self.bless:
            with open(golden, 'w', encoding='utf-8') as out:
                out.write(got)
        with open(golden, encoding='utf-8', errors='replace') as told:
            want = told.read()
        name = os.path.relpath(golden, ROOT)
        self.verdict(want == got, f'{name}: differs')
        if want != got:
            subprocess.run(['diff', '-u', '--label', name, '--label', 'now', golden, '-'],
                           input=got, text=True, check=False)

    def dumps(self):
        """Each dump beside a case."""
        for golden in sorted(glob.glob(os.path.join(HERE, '*.*'))):
            name, suffix = os.path.basename(golden).split('.', 1)
            if suffix in STAGES:
                code, out, err = rulec(self.program, 'build', '--dump=' + STAGES[suffix],
                                       name + '.yaml')
                self.verdict(code == 0, f'{name}.yaml: exit {code}\n{err}')
                self.compare(golden, out)
            elif suffix == 'explain':
                self.compare(golden, rulec(self.program, 'explain', name + '.yaml')[1])
            elif suffix == 'diag':
                self.compare(golden, rulec(self.program, 'check', name + '.yaml')[2])
            elif suffix == 'json':
                self.json(golden, name + '.yaml')

    def json(self, golden, case):
        """What programs are told of a case."""
        self.compare(golden, rulec(self.program, 'check', '--verbose', '--format', 'json', case)[1])

    @staticmethod
    def command(case):
        """What a fixture is given to: its first line may say `# build`, where check is content, or
        `# verbose` or `# budget`, where the finding is told only on request."""
        path, first = os.path.join(HERE, case), ''
        if os.path.isfile(path):
            with open(path, encoding='utf-8', errors='replace') as text:
                first = text.readline().strip()
        return {'# build': ('build', '--dump=plan', case),
                '# budget': ('check', '--budget', '0.5', case),
                '# verbose': ('check', '--verbose', case)}.get(first, ('check', case))

    def fixtures(self):
        """Each diagnostic has a fixture that raises it."""
        with open(os.path.join(ROOT, 'compiler/diag.def'), encoding='utf-8') as table:
            codes = sorted(set(re.findall(r'^\s*DIAG\(\s*(RK\d{4})', table.read(), re.M)))
        self.verdict(bool(codes), 'compiler/diag.def: no code found')
        for code in codes:
            case = f'diag/{code}.yaml'
            if not os.path.exists(os.path.join(HERE, case)):
                self.verdict(False, f'{code} has no fixture {case}')
                continue
            text = rulec(self.program, *self.command(case))[2]
            self.verdict(f'[{code}]' in text, f'{case} does not raise {code}:\n{text}')
            golden = os.path.join(HERE, f'diag/{code}.diag')
            if self.bless or os.path.exists(golden):
                self.compare(golden, text)
            if os.path.exists(golden[:-4] + 'json'):
                self.json(golden[:-4] + 'json', case)
        for path in sorted(glob.glob(os.path.join(HERE, 'diag/*'))):
            code = os.path.basename(path).split('.')[0]
            self.verdict(code in codes, f'diag/{os.path.basename(path)}: there is no such code')

    def hostile(self):
        """Each hostile input is refused, with a place."""
        for path in sorted(glob.glob(os.path.join(HERE, 'bad/*'))):
            name = os.path.relpath(path, HERE)
            code, _, err = rulec(self.program, 'check', name)
            self.verdict(code == 1 and bool(PLACE.search(err)),
                         f'{name}: exit {code}\n{err[:2000]}')


def main():
    options = argparse.ArgumentParser()
    options.add_argument('--bless', action='store_true')
    options.add_argument('--rulec', default='build/rulec')
    args = options.parse_args()
    suite = Suite(os.path.join(ROOT, args.rulec), args.bless)
    suite.dumps()
    suite.fixtures()
    suite.hostile()
    print(f'{suite.passed} passed, {suite.failed} failed')
    return 1 if suite.failed else 0


if __name__ == '__main__':
    sys.exit(main())
