#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the suites of one make target, prints a line for each and the sum at the end.

    run.py check|test|diff|bless [SUITE...]

A suite is a command. How many tests passed, failed and were skipped is read from what it prints:
cmocka's closing lines, or a line `N passed, N failed[, N skipped]`. A suite that ends with an error,
or that runs no test, is a failure. Full outputs are in build/log/. `check` is the quick half;
`test` adds lint, sanitizers, the full differential test, the live kernel and the docs.

A signal that ends this ends the suite that runs, with all that it started, and lets it undo what it
changed.
"""
import contextlib
import ctypes
import glob
import os
import re
import signal
import subprocess
import sys
import time

from undo import unwind_on_signals

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PY = sys.executable
PLAIN = re.compile(r'^(?:\w+: )?(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$', re.M)
PATIENCE = 60  # seconds that a suite has to undo what it changed
PR_SET_PDEATHSIG = 1
CMOCKA = re.compile(r'^\[  (PASSED|FAILED|SKIPPED) +\] (\d+) test', re.M)


def unit(variant):
    """Every unit test program of a variant."""
    sources = glob.glob(os.path.join(ROOT, 'tests/unit/test_*.c'))
    names = sorted(os.path.basename(path)[:-2] for path in sources)
    return [(f'{variant}/{name}', [f'build/{variant}/{name}']) for name in names]


def suites(target):
    """(name, command) of each suite of a target, in order."""
    if target == 'diff':
        return [('diff', ['sh', 'tests/diff/run.sh', 'full'])]
    quick = unit('release') + [
        ('golden', [PY, 'tests/golden/run.py']),
        ('loops of the probe', [PY, 'tests/edges.py']),
        ('frames of the programs', [PY, 'tests/frames.py']),
        ('diagnostics', [PY, 'tests/diag.py']),
        ('places of a pattern', [PY, 'tests/places.py']),
        ('bad input', [PY, 'tests/bad.py']),
        ('rules', [PY, 'tests/rules.py']),
        ('fuzz inputs', [PY, 'tests/fuzz/replay.py']),
        ('catalog', [PY, 'tests/catalog.py']),
        ('tests undone', [PY, 'tests/undone.py']),
        ('manual pages', [PY, 'tests/manual.py']),
        ('output templates', [PY, 'tests/output.py']),
        ('reference alerts', [PY, 'tests/reference.py']),
        ('scap files', [PY, 'tests/scap.py']),
        ('language', [PY, 'tests/lang.py']),
        ('compatibility', [PY, 'tests/compat.py']),
    ]
    if target == 'check':
        return quick + [('diff, quick', ['sh', 'tests/diff/run.sh', 'quick'])]
    return quick + unit('asan') + [
        ('lint', ['sh', 'tests/lint.sh']),
        ('golden, sanitized', [PY, 'tests/golden/run.py', '--rulec', 'build/asan/rulec']),
        ('diagnostics, sanitized', [PY, 'tests/diag.py', '--rulec', 'build/asan/rulec']),
        ('bad input, sanitized', [PY, 'tests/bad.py', '--variant', 'asan']),
        ('fuzz inputs, sanitized', [PY, 'tests/fuzz/replay.py', '--variant', 'asan']),
        ('language, filter', [PY, 'tests/lang.py', '--filter']),
        ('bundles', [PY, 'tests/bundle.py']),
        ('diff, full', ['sh', 'tests/diff/run.sh', 'full']),
        ('live', [PY, 'tests/live/run.py']),
        ('live, fields', [PY, 'tests/live/fields.py']),
        ('live, probe', [PY, 'tests/live/probe_smoke.py']),
        ('live, missing hooks', [PY, 'tests/live/missing.py']),
        ('live, memory', [PY, 'tests/live/memory.py']),
        ('live, audit', [PY, 'tests/live/audit.py']),
        ('live, tasks', [PY, 'tests/live/tasks.py']),
        ('live, lore', [PY, 'tests/live/lore.py']),
        ('live, floods', [PY, 'tests/live/flood.py']),
        ('live, containers', [PY, 'tests/live/containers.py']),
        ('other kernels, quick', [PY, 'tests/kernels/run.py', '--quick']),
        ('docs', [PY, 'tests/docs.py']),
    ]


def count(text):
    """(passed, failed, skipped) that a suite's output tells."""
    plain = PLAIN.findall(text)
    if plain:
        return tuple(int(number or 0) for number in plain[-1])
    told = {'PASSED': 0, 'FAILED': 0, 'SKIPPED': 0}
    for kind, number in CMOCKA.findall(text):
        told[kind] += int(number)
    return told['PASSED'], told['FAILED'], told['SKIPPED']


def end_with_us():
    """For a suite, before exec: it is asked to end even if we are killed."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def end_group(leader):
    """Ends a suite and what it started: gently, and what is left after a while by force."""
    for number, seconds in ((signal.SIGTERM, PATIENCE), (signal.SIGKILL, 1)):
        end = time.monotonic() + seconds
        with contextlib.suppress(ProcessLookupError):
            os.killpg(leader.pid, number)
            while time.monotonic() < end:
                leader.poll()
                os.killpg(leader.pid, 0)
                time.sleep(0.05)


def execute(command, out):
    """Runs a command in a process group of its own; its exit code."""
    with subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL, start_new_session=True,
                          preexec_fn=end_with_us) as leader:
        try:
            return leader.wait()
        except BaseException:
            end_group(leader)
            raise


def run(name, command):
    """Runs one suite; prints its line, and its output where it failed or skipped."""
    log = os.path.join(ROOT, 'build/log', re.sub(r'\W+', '-', name) + '.log')
    start = time.monotonic()
    with open(log, 'w+', encoding='utf-8', errors='replace') as out:
        try:
            code = execute(command, out)
        except OSError as error:
            out.write(f'{command[0]}: {error.strerror}\n')
            code = 127
        out.seek(0)
        text = out.read()
    passed, failed, skipped = count(text)
    if failed == 0 and (code != 0 or passed + skipped == 0):
        failed = 1
    mark = 'FAIL' if failed else 'ok'
    note = f', {skipped} SKIPPED' if skipped else ''
    print(f'{mark:4} {name:28} {passed:7} passed, {failed} failed{note}  '
          f'({time.monotonic() - start:.1f} s)', flush=True)
    if failed:
        lines = text.splitlines()
        print('\n'.join('     | ' + line for line in lines[-40:]))
        print(f'     exit {code}; the whole output: {os.path.relpath(log, ROOT)}')
    elif skipped:
        print('\n'.join('     | ' + line for line in text.splitlines() if 'SKIP' in line))
    return passed, failed, skipped


def main():
    target, only = sys.argv[1], sys.argv[2:]
    unwind_on_signals()
    os.makedirs(os.path.join(ROOT, 'build/log'), exist_ok=True)
    if target == 'bless':
        code = subprocess.run([PY, 'tests/golden/run.py', '--bless'], cwd=ROOT, check=False).returncode
        subprocess.run(['git', '--no-pager', 'diff', '--stat', '--patch', 'tests/golden'], cwd=ROOT,
                       check=False)
        return code
    total = [0, 0, 0]
    for name, command in suites(target):
        if not only or name in only:
            total = [a + b for a, b in zip(total, run(name, command))]
    print(f'{total[0]} passed, {total[1]} failed, {total[2]} skipped')
    return 1 if total[1] else 0


if __name__ == '__main__':
    sys.exit(main())
