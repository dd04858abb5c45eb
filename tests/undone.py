#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A test that a signal ends leaves nothing: no folder, no mount below it, no process.

    undone.py

Each case is a program that takes a folder (undo.py), starts a child, and then ends in its own way.
"""
import os
import signal
import subprocess
import sys
import time

from score import Score
from undo import scratch

HERE = os.path.dirname(os.path.abspath(__file__))
PATIENCE = 60
PROGRAM = '''
import os, subprocess, sys, time
from undo import scratch
with scratch('undone-', 0o755, {top!r}) as folder:
    os.mkdir(os.path.join(folder, 'at'))
    if os.geteuid() == 0:
        subprocess.run(['mount', '-t', 'tmpfs', 'undone', os.path.join(folder, 'at')], check=True)
    open(os.path.join(folder, 'at', 'file'), 'w').close()
    child = subprocess.Popen(['sleep', '100'])
    print(folder, oct(os.stat(folder).st_mode & 0o777), child.pid, flush=True)
    {end}
'''
WAIT = 'time.sleep(1000)'
# Name; how the program ends; the signal it gets; its exit code.
CASES = [
    ('passes', 'child.kill()', None, 0),
    ('fails', 'raise RuntimeError("as a test")', None, 1),
    ('SIGTERM', WAIT, signal.SIGTERM, 143),
    ('SIGINT', WAIT, signal.SIGINT, 130),
    ('SIGHUP', WAIT, signal.SIGHUP, 129),
]
# A suite that run.py runs: it starts a program that the group's signal ends.
SUITE = '''
import run, sys
from undo import unwind_on_signals
unwind_on_signals()
run.execute([sys.executable, '-c', {program!r}], sys.stdout)
'''


def running(pid):
    """Is there such a process, and no zombie?"""
    try:
        with open(f'/proc/{pid}/stat', encoding='utf-8', errors='replace') as text:
            return text.read().rsplit(')', 1)[1].split()[0] != 'Z'
    except OSError:
        return False


def within(good):
    """Is it so, or will it be in a while?"""
    end = time.monotonic() + PATIENCE
    while not good() and time.monotonic() < end:
        time.sleep(0.02)
    return good()


def undone(name, code, number, wanted, score):
    """Starts a program, ends it, and looks at what stays."""
    process = subprocess.Popen([sys.executable, '-c', code], stdout=subprocess.PIPE, text=True,
                               stderr=subprocess.DEVNULL, env={**os.environ, 'PYTHONPATH': HERE})
    said = process.stdout.readline().split()
    if number:
        process.send_signal(number)
    got = process.wait(PATIENCE)
    process.stdout.close()
    if not score.check(len(said) == 3, f'{name}: it did not begin: {said}'):
        return
    folder, mode, child = said
    score.check(mode == '0o755', f'{name}: mode {mode}')
    score.check(got == wanted, f'{name}: exit {got}, not {wanted}')
    # Of a runner that is killed nobody waits for the suite.
    score.check(within(lambda: not running(int(child))), f'{name}: its child {child} runs')
    score.check(within(lambda: not os.path.exists(folder)), f'{name}: {folder} stays')
    with open('/proc/self/mountinfo', encoding='utf-8') as mounts:
        score.check(folder not in mounts.read(), f'{name}: something is mounted in {folder}')


def main():
    score = Score()
    with scratch('rulec-undone-') as top:
        for name, end, number, wanted in CASES:
            undone(name, PROGRAM.format(top=top, end=end), number, wanted, score)
        suite = SUITE.format(program=PROGRAM.format(top=top, end=WAIT))
        for number, wanted in ((signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGKILL, -9)):
            undone(f'suite, {number.name}', suite, number, wanted, score)
    return score.close()


if __name__ == '__main__':
    sys.exit(main())
