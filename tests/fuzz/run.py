#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs each fuzzer for a while: run.py [SECONDS [HARNESS...]], the seconds shared among them.

A harness is tests/fuzz/NAME.c. It starts from tests/fuzz/corpus/NAME and tests/fuzz/found/NAME
(committed), from seeds.py, and from what earlier runs found worth keeping (build/fuzz/corpus/NAME).
Its dictionary is made from the catalog. An input that breaks something is written to
tests/fuzz/found/NAME, where replay.py finds it from then on.
"""
import glob
import os
import re
import shutil
import subprocess
import sys

import seeds

ROOT = seeds.ROOT
FUZZ = os.path.join(ROOT, 'tests/fuzz')
TIMEOUT = 60      # seconds for one input, on the clock; processor time is bounded in lib/fuzz.h
MEMORY = 2048     # MiB
EXECS = re.compile(r'^stat::number_of_executed_units:\s*(\d+)', re.M)
PEAK = re.compile(r'^stat::peak_rss_mb:\s*(\d+)', re.M)
COVERAGE = re.compile(r'\bcov: (\d+) ft: (\d+)')


def harnesses(only):
    """Names of the harnesses that were asked for, or of all."""
    names = sorted(os.path.basename(path)[:-2] for path in glob.glob(os.path.join(FUZZ, '*.c')))
    return [name for name in names if not only or name in only]


def dictionary(name):
    """Options that bring a dictionary made from the catalog; some inputs have no words."""
    if name in ('bundle', 'capture', 'engine', 'jread', 'regex', 'scap'):
        return []
    path = os.path.join(ROOT, f'build/fuzz/{name}.dict')
    with open(path, 'wb') as out:
        subprocess.run(['build/release/fuzz_tool_dict', name], cwd=ROOT, stdout=out, check=True)
    return [f'-dict={path}']


def folders(name):
    """Corpus folders, the one that grows first; the seeds are made anew."""
    grown, made = (os.path.join(ROOT, f'build/fuzz/{kind}/{name}') for kind in ('corpus', 'seeds'))
    shutil.rmtree(made, ignore_errors=True)
    os.makedirs(made)
    os.makedirs(grown, exist_ok=True)
    os.makedirs(os.path.join(FUZZ, 'found', name), exist_ok=True)
    seeds.write(name, made)
    kept = [os.path.join(FUZZ, kind, name) for kind in ('corpus', 'found')]
    return [grown, made] + [path for path in kept if os.path.isdir(path)]


def fuzz(name, seconds):
    """One harness: (what its run printed, exit status)."""
    command = [os.path.join(ROOT, 'build/fuzz', f'fuzz_{name}'), f'-max_total_time={seconds}',
               f'-timeout={TIMEOUT}', f'-rss_limit_mb={MEMORY}', f'-max_len={seeds.SIZE_MAX}',
               '-print_final_stats=1', f'-artifact_prefix={FUZZ}/found/{name}/', *dictionary(name),
               *folders(name)]
    run = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         stdin=subprocess.DEVNULL, check=False)
    text = run.stdout.decode(errors='replace')
    with open(os.path.join(ROOT, f'build/fuzz/{name}.log'), 'w', encoding='utf-8') as out:
        out.write(text)
    return text, run.returncode


def number(pattern, text):
    """The last match of a pattern, as a number."""
    found = pattern.findall(text)
    return int(found[-1]) if found else 0


def main():
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    names = harnesses(sys.argv[2:])
    share = max(1, seconds // max(1, len(names)))
    failed, rows = 0, []
    for name in names:
        text, status = fuzz(name, share)
        execs, covered = number(EXECS, text), COVERAGE.findall(text)
        edges, features = covered[-1] if covered else ('0', '0')
        bad = status != 0 or execs == 0
        failed += bad
        rows.append(f'{name:12} {share:6} {execs:10} {execs // share:8} {edges:>8} {features:>9} '
                    f'{number(PEAK, text):8} {int(bad):8}')
        if bad:
            print('\n'.join('  | ' + line[:300] for line in text.splitlines()[-60:]))
            print(f'  the whole output: build/fuzz/{name}.log')
    print(f'{"harness":12} {"seconds":>6} {"execs":>10} {"per s":>8} {"edges":>8} {"features":>9} '
          f'{"peak MiB":>8} {"crashes":>8}')
    print('\n'.join(rows))
    print(f'{len(names) - failed} passed, {failed} failed')
    return 1 if failed or not names else 0


if __name__ == '__main__':
    sys.exit(main())
