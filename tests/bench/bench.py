#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures what a watched system call costs, and what rulec and rulerun need.

    bench.py [--rounds N] [--only calls|daemon|compile]... [--paste]

Progress goes to standard error while it runs; the tables, in Markdown, to standard output and to
build/bench.md at its end; --paste puts them into docs/performance.md too. Each round measures every
set-up once, so that a change of the machine's mood touches all alike; a ratio is the median, over
rounds, of the ratio inside a round. Aims are those of the project; what misses its aim is named in
docs/performance.md with the reason.
"""
import argparse
import os
import resource
import select
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'live'))

import compile as rulec_cost  # noqa: E402
from lib import ROOT, Rulerun, build_pack, stable_rules, why_not_live  # noqa: E402
from report import Aims, markdown, progress  # noqa: E402

BIN = os.path.join(ROOT, 'build/release/tests/bench')
EMPTY_HOOK = os.path.join(ROOT, 'build/bpf/tests/empty.bpf.o')
NOTHING, HOOK, EMPTY, OURS, STABLE = ('nothing attached', 'empty hook', 'empty pack', 'our rules',
                                      'stable rules')
MARKS = ('<!-- what make bench printed -->', '<!-- end of it -->')
PARTS = ('calls', 'daemon', 'compile')
QUIET = 5           # seconds that an idle daemon is watched
ALERTS = 500        # of which the latency is taken


class Hook:
    """The empty hook, attached for as long as this lives."""

    def __init__(self):
        self.process = subprocess.Popen([os.path.join(BIN, 'hook'), EMPTY_HOOK],
                                        stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if 'armed' not in self.process.stderr.readline():
            raise RuntimeError('the empty hook did not attach')

    def stop(self):
        """Detaches."""
        self.process.stdin.close()
        self.process.wait()
        self.process.stderr.close()


def started(pack):
    """A rulerun that is armed."""
    daemon = Rulerun(pack, '--format', 'json')
    if not daemon.armed:
        daemon.stop()
        raise RuntimeError('rulerun did not arm: ' + daemon.read('err').strip()[-300:])
    return daemon


def micro(*operation):
    """{operation: ns} of one run."""
    run = subprocess.run([os.path.join(BIN, 'micro'), *operation], capture_output=True, text=True,
                         check=True)
    return {name: float(cost) for name, cost in
            (line.rsplit(' ', 1) for line in run.stdout.splitlines())}


def measure(setups, rounds, *operation):
    """{set-up: [round's {operation: ns}]}; each set-up is undone before the next."""
    taken = {name: [] for name in setups}
    for turn in range(rounds):
        names = list(setups)
        # Another order each round: no set-up always follows the same one.
        for name in names[turn % len(names):] + names[:turn % len(names)]:
            progress(f'round {turn + 1} of {rounds}: {name}')
            running = setups[name]()
            try:
                taken[name].append(micro(*operation))
            finally:
                if running:
                    running.stop()
    return taken


def median(taken, name, operation):
    """Median nanoseconds of an operation in a set-up."""
    return statistics.median(one[operation] for one in taken[name])


def ratio(taken, name, base, operation):
    """Median over rounds of what one set-up costs against another."""
    pairs = zip(taken[name], taken[base])
    return statistics.median(one[operation] / other[operation] for one, other in pairs)


def added(taken, operation, name, base):
    """What a set-up adds to an operation, in units of what another one adds."""
    own = median(taken, base, operation) - median(taken, NOTHING, operation)
    over = median(taken, name, operation) - median(taken, NOTHING, operation)
    return over / own if own > 0 else float('nan')


def calls_table(taken):
    """Rows are operations; each cell is nanoseconds and the ratio against nothing attached."""
    rows = []
    for operation in taken[NOTHING][0]:
        cells = [f'{median(taken, name, operation):,.0f} '
                 f'({ratio(taken, name, NOTHING, operation):.3f})' for name in taken]
        rows.append((operation, *cells))
    return markdown(('ns (ratio to nothing attached)', *taken), rows)


def pair(taken, operation, name, base):
    """Raw numbers of two set-ups."""
    return (f'{median(taken, name, operation):,.0f} ns / {median(taken, base, operation):,.0f} ns, '
            f'nothing attached {median(taken, NOTHING, operation):,.0f} ns')


def add_calls(aims, taken):
    """What has an aim among the calls."""
    for operation in taken[NOTHING][0]:
        aims.add(f'empty pack: {operation} / nothing attached',
                 ratio(taken, EMPTY, NOTHING, operation), 1.03, 'x',
                 pair(taken, operation, EMPTY, NOTHING))
    if STABLE not in taken:
        return
    aims.add('stable: getppid / empty hook', ratio(taken, STABLE, HOOK, 'getppid'), 1.05, 'x',
             pair(taken, 'getppid', STABLE, HOOK))
    aims.add("stable: added to open+close / what the empty hook adds",
             added(taken, 'open+close', STABLE, HOOK), 2, 'x',
             pair(taken, 'open+close', STABLE, HOOK))
    aims.add('stable: fork+exec+wait / nothing attached',
             ratio(taken, STABLE, NOTHING, 'fork+exec+wait'), 1.10, 'x',
             pair(taken, 'fork+exec+wait', STABLE, NOTHING))


def add_list(aims, bundles, rounds):
    """What an open costs against a list of 100,000 items, and against one of 100."""
    what = 'a list of 100,000 items: added to open+close / by 100 items'
    setups = {NOTHING: lambda: None}
    setups.update({count: lambda pack=pack: started(pack) for count, pack in bundles.items()})
    try:
        if len(bundles) < 2:
            raise RuntimeError('one of the two could not be built')
        taken = measure(setups, rounds, 'open+close')
    except RuntimeError as error:
        aims.failed(what, 1.5, 'x', ' '.join(str(error).split())[:120])
        return
    aims.add(what, added(taken, 'open+close', 100000, 100), 1.5, 'x',
             pair(taken, 'open+close', 100000, 100))


# ---- the daemon ----
def used(pid):
    """(ms of CPU, times it slept) of a process."""
    with open(f'/proc/{pid}/schedstat', encoding='ascii') as stat:
        ran = int(stat.read().split()[0]) / 1e6
    return ran, field_of(pid, 'voluntary_ctxt_switches')


def field_of(pid, name):
    """A number of /proc/PID/status."""
    with open(f'/proc/{pid}/status', encoding='ascii') as status:
        return next(int(line.split()[1]) for line in status if line.startswith(name + ':'))


def add_daemon(aims, name, pack):
    """Start, memory, and idleness of a daemon."""
    starts, cpu = [], []
    for turn in range(7):
        progress(f'start to armed, {turn + 1} of 7: {name}')
        daemon = started(pack)
        starts.append(daemon.start_seconds * 1000)
        cpu.append(used(daemon.process.pid)[0])
        daemon.stop()
    aims.add(f'{name}: start to armed', statistics.median(starts), 300, 'ms',
             f'7 starts, {min(starts):.0f} to {max(starts):.0f} ms, CPU '
             f'{statistics.median(cpu):.0f} ms')
    progress(f'{QUIET} quiet seconds: {name}')
    daemon = started(pack)
    pid = daemon.process.pid
    try:
        time.sleep(0.5)
        before = used(pid)
        time.sleep(QUIET)
        cpu, sleeps = (now - then for now, then in zip(used(pid), before))
        resident, peak = field_of(pid, 'VmRSS') / 1024, field_of(pid, 'VmHWM') / 1024
    finally:
        daemon.stop()
    aims.add(f'{name}: resident memory', resident, 16, 'MB', f'peak {peak:.1f} MB')
    aims.add(f'{name}: CPU in {QUIET} quiet seconds', cpu, 1, 'ms',
             f'woken {sleeps} times, alerts {len(daemon.alerts())}')


class Lines:
    """Lines of a pipe, each waited for with a limit."""

    def __init__(self, pipe):
        self.fd, self.buffer = pipe.fileno(), b''

    def find(self, words, seconds):
        """True once a line holds all the words; False at the limit or the end."""
        end = time.monotonic() + seconds
        while True:
            *lines, self.buffer = self.buffer.split(b'\n')
            if any(all(word in line for word in words) for line in lines):
                return True
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                return False
            more = os.read(self.fd, 65536)
            if not more:
                return False
            self.buffer += more


def latencies(pack):
    """(milliseconds from before a read of /etc/shadow to the line of its alert, how many got lost)."""
    daemon = subprocess.Popen([os.path.join(ROOT, 'build/rulerun'), pack], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, cwd=ROOT)
    with open('/proc/self/comm', 'rb') as comm:
        words = (b'Sensitive file read', b'process=' + comm.read().strip())
    taken, lost = [], 0
    try:
        if not Lines(daemon.stderr).find((b'armed',), 20):
            raise RuntimeError('rulerun did not arm')
        lines = Lines(daemon.stdout)
        for _ in range(ALERTS):
            start = time.monotonic()
            os.close(os.open('/etc/shadow', os.O_RDONLY))
            if lines.find(words, 2):
                taken.append((time.monotonic() - start) * 1000)
            else:
                lost += 1
            time.sleep(0.004)
    finally:
        daemon.terminate()
        daemon.communicate()
    return sorted(taken), lost


def add_latency(aims, pack):
    """From the event to its line."""
    progress(f'latency of {ALERTS} alerts')
    taken, lost = latencies(pack)
    if lost or not taken:
        aims.failed('our rules: alert latency', None, 'ms', f'{lost} of {ALERTS} alerts did not come')
        return
    raw = f'{len(taken)} alerts, {taken[0]:.2f} to {taken[-1]:.2f} ms'
    aims.add('our rules: alert latency, median', statistics.median(taken), None, 'ms', raw)
    aims.add('our rules: alert latency, 99 of 100', taken[int(len(taken) * 0.99) - 1], None, 'ms',
             raw)


# ---- all of it ----
def packs_of(folder, stable):
    """{set-up: bundle}."""
    empty = os.path.join(folder, 'empty.yaml')
    with open(empty, 'w', encoding='ascii'):
        pass
    packs = {EMPTY: build_pack(os.path.join(folder, 'empty.rpk'), empty),
             OURS: build_pack(os.path.join(folder, 'ours.rpk'), 'stdlib', 'rules')}
    if stable:
        packs[STABLE] = build_pack(os.path.join(folder, 'stable.rpk'), stable)
    return packs


def bench(folder, parts, rounds):
    """The tables, as text."""
    stable, aims = stable_rules(), Aims()
    packs = packs_of(folder, stable)
    out = [f'Kernel {os.uname().release}, {os.cpu_count()} processors, load '
           f'{os.getloadavg()[0]:.1f} at the start.']
    if 'calls' in parts:
        setups = {NOTHING: lambda: None, HOOK: Hook}
        setups.update({name: lambda pack=pack: started(pack) for name, pack in packs.items()})
        taken = measure(setups, rounds)
        out[0] += f' {rounds} rounds.'
        out.append(calls_table(taken))
        add_calls(aims, taken)
    if 'daemon' in parts:
        name = STABLE if stable else OURS
        add_daemon(aims, name, packs[name])
        add_latency(aims, packs[OURS])
    if 'compile' in parts:
        if stable:
            rulec_cost.add_official(aims, stable, folder)
        rulec_cost.add_generated(aims, folder)
        bundles = rulec_cost.add_list(aims, folder)
        add_list(aims, bundles, rounds)
    return '\n\n'.join([*out, aims.table()]) + '\n'


def paste(text):
    """Puts the tables between the marks of docs/performance.md."""
    path = os.path.join(ROOT, 'docs/performance.md')
    with open(path, encoding='utf-8') as source:
        before, rest = source.read().split(MARKS[0])
    after = rest.split(MARKS[1])[1]
    with open(path, 'w', encoding='utf-8') as out:
        out.write(f'{before}{MARKS[0]}\n{text}{MARKS[1]}{after}')


def main():
    options = argparse.ArgumentParser()
    options.add_argument('--rounds', type=int, default=7)
    options.add_argument('--only', action='append', choices=PARTS)
    options.add_argument('--paste', action='store_true')
    args = options.parse_args()
    reason = why_not_live()
    if reason:
        print(f'bench: {reason}', file=sys.stderr)
        return 2
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    folder = tempfile.mkdtemp(prefix='rulerun-bench-')
    try:
        text = bench(folder, args.only or PARTS, args.rounds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    with open(os.path.join(ROOT, 'build/bench.md'), 'w', encoding='utf-8') as out:
        out.write(text)
    print(text, end='')
    if args.paste:
        paste(text)
    progress('done; the tables are in build/bench.md')
    return 0


if __name__ == '__main__':
    sys.exit(main())
