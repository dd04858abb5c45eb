# SPDX-License-Identifier: Apache-2.0
"""What rulec needs: time and memory, for the official rules and for packs that genpack.py makes."""
import glob
import os
import resource
import statistics
import subprocess
import sys
import threading
import time

from report import ROOT, progress

HERE = os.path.dirname(os.path.abspath(__file__))
RULEC = os.path.join(ROOT, 'build/rulec')
LIMIT = 40          # seconds; what takes longer is ended and told as more than that
ENOUGH = 8          # seconds after which no further run is made for a median
STACK = 8 << 20     # of rulec, whatever the shell's is
SHAPES = ('name', 'path', 'prefix', 'mixed')    # of packs of MANY rules, beside the usual one
MANY = 10000


class Cost:
    """Of several runs of one command: the median time, CPU time, the peak of memory."""

    def __init__(self, argv, runs):
        self.seconds, self.cpu, self.peak, self.error = [], [], 0, ''
        start = time.monotonic()
        while len(self.seconds) < runs and not self.error:
            self.run(argv)
            if time.monotonic() - start > ENOUGH:
                break

    def run(self, argv):
        """One run."""
        start = time.monotonic()
        process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_STACK,
                                                                         (STACK, STACK)))
        timer = threading.Timer(LIMIT, process.kill)
        timer.start()
        text = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        timer.cancel()
        process.stderr.close()
        process.returncode = os.waitstatus_to_exitcode(status)
        self.seconds.append(time.monotonic() - start)
        self.cpu.append(usage.ru_utime + usage.ru_stime)
        self.peak = max(self.peak, usage.ru_maxrss / 1024)
        if process.returncode != 0:
            self.error = why(process.returncode, text)

    def data(self):
        """As raw data."""
        return {'s': self.seconds, 'cpu s': self.cpu, 'peak MB': self.peak, 'error': self.error}

    @property
    def ms(self):
        """Median milliseconds."""
        return statistics.median(self.seconds) * 1000

    def raw(self):
        """The numbers behind the median."""
        return (f'{len(self.seconds)} runs, {min(self.seconds) * 1000:.0f} to '
                f'{max(self.seconds) * 1000:.0f} ms, CPU {statistics.median(self.cpu) * 1000:.0f} '
                f'ms, peak {self.peak:.0f} MB')


def why(code, text):
    """The reason for an exit code other than 0, in one line."""
    if code == -9:
        return f'ended after {LIMIT} s'
    for line in text.decode('utf-8', 'replace').splitlines():
        if 'error' in line:
            return f'exit {code}: {line.strip().replace("|", "/")[:90]}'
    return f'exit {code}'


def rulec(command, inputs, folder, runs):
    """The cost of `check` or `build` of some inputs."""
    output = ['-o', os.path.join(folder, 'timed.rpk')] if command == 'build' else []
    return Cost([RULEC, command, *output, *inputs], runs)


def add(aims, what, cost, aim, raw):
    """A row for a time, unless the command failed; its numbers into `raw`."""
    raw[what] = cost.data()
    if cost.error:
        aims.failed(what, aim, 'ms', cost.error)
    else:
        aims.add(what, cost.ms, aim, 'ms', cost.raw())


def add_peak(aims, what, cost, aim):
    """A row for memory, unless the command failed."""
    if cost.error:
        aims.failed(what, aim, 'MB', cost.error)
    else:
        aims.add(what, cost.peak, aim, 'MB')


def add_official(aims, stable, folder, raw):
    """The official rules: the stable file, and all four in one pack."""
    progress('compiling the official rules')
    cost = rulec('build', [stable], folder, 11)
    add(aims, 'stable: build', cost, 100, raw)
    add_peak(aims, 'stable: peak memory of build', cost, 32)
    names = glob.glob(os.path.join(os.path.dirname(stable), '*.yaml'))
    # Stable first: the others refer to its lists and macros.
    every = [stable] + sorted(name for name in names if name != stable)
    for command, aim in (('check', 50), ('build', 250)):
        cost = rulec(command, every, folder, 11)
        add(aims, f'{len(every)} official files: {command}', cost, aim, raw)


def generate(folder, shape, rules, macros=0, items=0):
    """The path of a generated pack."""
    path = os.path.join(folder, f'{shape}-{rules}-{macros}-{items}.yaml')
    with open(path, 'wb') as out:
        subprocess.run([sys.executable, os.path.join(HERE, 'genpack.py'), '--shape', shape, '--rules',
                        str(rules), '--macros', str(macros), '--list-items', str(items)],
                       stdout=out, check=True)
    return path


def add_growth(aims, command, small, large):
    """How much ten times the rules cost, in time."""
    what = f'{command}: 10,000 rules / 1,000 rules'
    if small.error or large.error:
        aims.failed(what, 12, 'x', 'one of the two failed')
        return
    aims.add(what, large.ms / small.ms, 12, 'x', f'{large.ms:.0f} ms / {small.ms:.0f} ms')


def add_generated(aims, folder, raw):
    """Packs of 1,000 and 10,000 rules as people write them, and of 10,000 of one shape."""
    packs = {count: generate(folder, 'usual', count, 1000, 10000) for count in (1000, MANY)}
    for command, aim in (('check', 1000), ('build', 5000)):
        costs = {}
        for count, path in packs.items():
            progress(f'{command} of {count:,} generated rules')
            costs[count] = cost = rulec(command, [path], folder, 5)
            add(aims, f'{count:,} generated rules: {command}', cost, aim, raw)
        add_peak(aims, f'{MANY:,} generated rules: peak memory of {command}', costs[MANY], 512)
        add_growth(aims, command, costs[1000], costs[MANY])
    for shape in SHAPES:
        progress(f'build of {MANY:,} rules of the shape {shape}')
        cost = rulec('build', [generate(folder, shape, MANY)], folder, 3)
        add(aims, f'{MANY:,} rules of the shape {shape}: build', cost, 5000, raw)


def add_list(aims, folder, raw):
    """A list of 100,000 items."""
    progress('build of a list of 100,000 items')
    cost = rulec('build', [generate(folder, 'list', 1, 0, 100000)], folder, 5)
    add(aims, 'a list of 100,000 items: build', cost, 5000, raw)
