#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Goes through the inputs that are kept for the fuzzers: replay.py [--variant release|asan].

tests/fuzz/corpus/NAME and tests/fuzz/found/NAME, each by the harness NAME without libFuzzer. A
harness without any input is a failure.
"""
import argparse
import glob
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def replay(program, files):
    """(passed, failed); a file that ends the program is told, and the others still have their turn."""
    passed = failed = 0
    if not os.path.exists(os.path.join(ROOT, program)):
        print(f'FAIL {program} is not built')
        return 0, 1
    while files:
        run = subprocess.run([program, *files], cwd=ROOT, capture_output=True, check=False)
        told = run.stderr.decode(errors='replace')
        seen = [path for path in files if f'{path}\n' in told]
        bad = run.returncode != 0
        passed += len(seen) - bad
        failed += bad
        if bad:
            print(f'FAIL {seen[-1] if seen else program}: exit {run.returncode}\n{told[-3000:]}')
        files = files[max(1, len(seen)):]
    return passed, failed


def main():
    options = argparse.ArgumentParser()
    options.add_argument('--variant', default='release')
    args = options.parse_args()
    total = [0, 0]
    for source in sorted(glob.glob(os.path.join(ROOT, 'tests/fuzz/*.c'))):
        name = os.path.basename(source)[:-2]
        files = sorted(os.path.relpath(path, ROOT) for kind in ('corpus', 'found')
                       for path in glob.glob(os.path.join(ROOT, 'tests/fuzz', kind, name, '*')))
        if not files:
            print(f'FAIL {name}: no input is kept')
            total[1] += 1
        total = [sum(pair) for pair in zip(total, replay(f'build/{args.variant}/replay_{name}', files))]
    print(f'{total[0]} passed, {total[1]} failed')
    return 1 if total[1] else 0


if __name__ == '__main__':
    sys.exit(main())
