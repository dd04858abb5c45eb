#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints one table: what a watched system call costs, and what rulec and rulerun need.

    bench.py [--rounds N]

Each round measures every set-up once, so that a change of the machine's mood touches all alike; a
ratio is the median, over rounds, of the ratio inside a round. Aims are those of the project, and what
misses its aim is named in docs/performance.md with the reason.
"""
import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'live'))

from lib import ROOT, Rulerun, build_pack, stable_rules, why_not_live  # noqa: E402

BIN = os.path.join(ROOT, 'build/release/tests/bench')
EMPTY_HOOK = os.path.join(ROOT, 'build/bpf/tests/empty.bpf.o')
NOTHING, HOOK = 'nothing', 'empty hook'


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


def micro():
    """{operation: ns} of one run."""
    run = subprocess.run([os.path.join(BIN, 'micro')], capture_output=True, text=True, check=True)
    return {name: float(cost) for name, cost in
            (line.rsplit(' ', 1) for line in run.stdout.splitlines())}


def measure(setups, rounds):
    """{set-up: [round's {operation: ns}]}; each set-up is undone before the next."""
    taken = {name: [] for name in setups}
    for number in range(rounds):
        names = list(setups)
        # Another order each round: no set-up always follows the same one.
        for name in names[number % len(names):] + names[:number % len(names)]:
            running = setups[name]()
            try:
                taken[name].append(micro())
            finally:
                if running:
                    running.stop()
    return taken


def started(pack):
    """A rulerun that is armed."""
    daemon = Rulerun(pack, '--format', 'json')
    if not daemon.armed:
        raise RuntimeError('rulerun did not arm:\n' + daemon.read('err'))
    return daemon


def ratio(taken, name, base, operation):
    """Median over rounds of what one set-up costs against another."""
    pairs = zip(taken[name], taken[base])
    return statistics.median(one[operation] / other[operation] for one, other in pairs)


def added(taken, operation, name='stable'):
    """A set-up's added cost, in units of the empty hook's own."""
    def median(which):
        return statistics.median(one[operation] for one in taken[which])
    own = median(HOOK) - median(NOTHING)
    return (median(name) - median(NOTHING)) / own if own > 0 else float('nan')


def print_table(taken):
    """Rows are operations; each cell is nanoseconds and the ratio against nothing attached."""
    names = list(taken)
    print(f'{"ns (ratio to nothing)":18}' + ''.join(f'{name:>20}' for name in names))
    for operation in taken[NOTHING][0]:
        cells = []
        for name in names:
            cost = statistics.median(one[operation] for one in taken[name])
            cells.append(f'{cost:12.1f} {ratio(taken, name, NOTHING, operation):6.3f}x')
        print(f'{operation:18}' + ''.join(f'{cell:>20}' for cell in cells))


def compile_cost(rules, folder):
    """(median milliseconds, peak MB) of compiling a pack."""
    times, peak = [], 0
    for _ in range(11):
        start = time.monotonic()
        process = subprocess.Popen([os.path.join(ROOT, 'build/rulec'), 'build', '-o',
                                    os.path.join(folder, 'timed.rpk'), rules],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
        times.append((time.monotonic() - start) * 1000)
        peak = max(peak, usage.ru_maxrss / 1024)
    return statistics.median(times), peak


def daemon_cost(pack):
    """(median ms to armed, resident MB, CPU ms used in 3 quiet seconds)."""
    starts = []
    for _ in range(7):
        daemon = started(pack)
        starts.append(daemon.start_seconds * 1000)
        daemon.stop()
    daemon = started(pack)
    before = cpu_ms(daemon.process.pid)
    time.sleep(3)
    used = cpu_ms(daemon.process.pid) - before
    with open(f'/proc/{daemon.process.pid}/status', encoding='ascii') as status:
        resident = next(int(line.split()[1]) for line in status if line.startswith('VmRSS')) / 1024
    daemon.stop()
    return statistics.median(starts), resident, used


def cpu_ms(pid):
    """User and system time of a process."""
    with open(f'/proc/{pid}/stat', encoding='ascii') as stat:
        fields = stat.read().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf('SC_CLK_TCK')


def latency(pack, needle, samples=200):
    """(median, p99) milliseconds from before a read of /etc/shadow to the line of its alert."""
    daemon = subprocess.Popen([os.path.join(ROOT, 'build/rulerun'), pack], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, cwd=ROOT)
    for line in daemon.stderr:
        if 'armed' in line:
            break
    marker, taken = f'process={os.path.basename(os.readlink("/proc/self/exe"))[:15]}', []
    for _ in range(samples):
        start = time.monotonic()
        os.close(os.open('/etc/shadow', os.O_RDONLY))
        for line in daemon.stdout:
            if needle in line and marker[:14] in line:
                break
        taken.append((time.monotonic() - start) * 1000)
        time.sleep(0.004)
    daemon.terminate()
    daemon.wait()
    taken.sort()
    return statistics.median(taken), taken[int(len(taken) * 0.99) - 1]


def verdict(name, value, aim, unit=''):
    """One line: the value, its aim, and whether it is met."""
    met = 'met' if value <= aim else 'MISSED'
    print(f'{name:52} {value:10.3f} {unit:4} aim {aim:8g} {unit:4} {met}')


def aims(taken, stable, packs, folder):
    """Everything that has an aim."""
    if 'empty pack' in taken:
        worst = max(ratio(taken, 'empty pack', NOTHING, operation) for operation in taken[NOTHING][0])
        verdict('empty pack / nothing, worst operation', worst, 1.03)
    if stable:
        verdict('stable: getppid / empty hook', ratio(taken, 'stable', HOOK, 'getppid'), 1.05)
        verdict('stable: open+close, added cost / empty hook\'s', added(taken, 'open+close'), 2)
        verdict('stable: fork+exec+wait / nothing', ratio(taken, 'stable', NOTHING, 'fork+exec+wait'),
                1.10)
        milliseconds, peak = compile_cost(stable, folder)
        verdict('compile stable, median of 11', milliseconds, 100, 'ms')
        verdict('compile stable, peak memory', peak, 32, 'MB')
    name = 'stable' if stable else 'ours'
    to_armed, resident, idle = daemon_cost(packs[name])
    verdict(f'{name}: start to armed, median of 7', to_armed, 300, 'ms')
    verdict(f'{name}: resident memory', resident, 16, 'MB')
    verdict(f'{name}: CPU in 3 quiet seconds', idle, 0, 'ms')
    median, late = latency(packs['ours'], 'Sensitive file read')
    print(f'{"ours: alert latency, 200 alerts":52} {median:10.3f} ms   p99 {late:8.3f} ms')


def main():
    options = argparse.ArgumentParser()
    options.add_argument('--rounds', type=int, default=7)
    args = options.parse_args()
    reason = why_not_live()
    if reason:
        print(f'bench: {reason}')
        return 2
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    folder = tempfile.mkdtemp(prefix='rulerun-bench-')
    try:
        empty = os.path.join(folder, 'empty.yaml')
        with open(empty, 'w', encoding='ascii'):
            pass
        packs = {'empty pack': build_pack(os.path.join(folder, 'empty.rpk'), empty),
                 'ours': build_pack(os.path.join(folder, 'ours.rpk'), 'stdlib', 'rules')}
        stable = stable_rules()
        if stable:
            packs['stable'] = build_pack(os.path.join(folder, 'stable.rpk'), stable)
        setups = {NOTHING: lambda: None, HOOK: Hook}
        setups.update({name: lambda pack=pack: started(pack) for name, pack in packs.items()})
        taken = measure(setups, args.rounds)
        print(f'{args.rounds} rounds; median of each cell; kernel {os.uname().release}, '
              f'{os.cpu_count()} processors')
        print_table(taken)
        aims(taken, stable, packs, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == '__main__':
    sys.exit(main())
