# SPDX-License-Identifier: Apache-2.0
"""What a watched system call costs: the same loops with nothing attached, an empty hook, our daemon.

A *set-up* is a function that starts something which has `stop()`, or None. Each round measures every
set-up once, in an order of its own, so that a change of the machine's mood touches all alike; what a
set-up adds is the median, over rounds, of the difference inside a round.
"""
import os
import statistics
import subprocess

from lib import Rulerun
from report import ROOT, markdown, one_line, progress

BIN = os.path.join(ROOT, 'build/release/tests/bench')
EMPTY_HOOK = os.path.join(ROOT, 'build/bpf/tests/empty.bpf.o')
NOTHING, HOOK, EMPTY, STABLE = 'nothing attached', 'empty hook', 'empty pack', 'stable rules'


class Hook:
    """The empty hook, attached for as long as this lives."""

    def __init__(self):
        self.process = subprocess.Popen([os.path.join(BIN, 'hook'), EMPTY_HOOK],
                                        stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if 'armed' not in self.process.stderr.readline():
            self.stop()
            raise RuntimeError('the empty hook did not attach')

    def stop(self):
        """Detaches."""
        self.process.stdin.close()
        self.process.wait()
        self.process.stderr.close()


def started(pack, *options):
    """A rulerun that is armed."""
    daemon = Rulerun(pack, '--format', 'json', *options)
    if not daemon.armed:
        daemon.stop()
        raise RuntimeError('rulerun did not arm: ' + daemon.read('err').strip())
    return daemon


def micro(*operation):
    """{operation: ns} of one run."""
    run = subprocess.run([os.path.join(BIN, 'micro'), *operation], capture_output=True, text=True,
                         check=True)
    return {name: float(cost) for name, cost in
            (line.rsplit(' ', 1) for line in run.stdout.splitlines())}


def measure_one(start, operation):
    """One set-up, undone afterwards."""
    running = start()
    try:
        return micro(*operation)
    finally:
        if running:
            running.stop()


def measure(setups, rounds, *operation):
    """({set-up: [round's {operation: ns}]}, {set-up that failed: why}); only whole ones are left."""
    taken, broken = {name: [] for name in setups}, {}
    for turn in range(rounds):
        names = list(setups)
        # Another order each round: no set-up always follows the same one.
        for name in names[turn % len(names):] + names[:turn % len(names)]:
            if name in broken:
                continue
            progress(f'round {turn + 1} of {rounds}: {name}')
            try:
                taken[name].append(measure_one(setups[name], operation))
            except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
                progress(f'{name}: {error}')
                broken[name] = one_line(error)
                del taken[name]
    return taken, broken


def median(taken, name, operation):
    """Median nanoseconds of an operation in a set-up."""
    return statistics.median(one[operation] for one in taken[name])


def ratio(taken, name, base, operation):
    """Median over rounds of what one set-up costs against another."""
    pairs = zip(taken[name], taken[base])
    return statistics.median(one[operation] / other[operation] for one, other in pairs)


def added(taken, name, operation):
    """Nanoseconds that a set-up adds, in each round."""
    return [one[operation] - bare[operation] for one, bare in zip(taken[name], taken[NOTHING])]


def times_added(taken, name, base, operation):
    """What a set-up adds, in units of what another one adds; NaN where noise hides one of them."""
    over, unit = (statistics.median(added(taken, one, operation)) for one in (name, base))
    return over / unit if over > 0 and unit > 0 else float('nan')


def table(taken):
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
        if EMPTY in taken:
            aims.add(f'empty pack: {operation} / nothing attached',
                     ratio(taken, EMPTY, NOTHING, operation), 1.03, 'x',
                     pair(taken, operation, EMPTY, NOTHING))
    if STABLE not in taken:
        return
    if HOOK in taken:
        aims.add('stable: getppid / empty hook', ratio(taken, STABLE, HOOK, 'getppid'), 1.05, 'x',
                 pair(taken, 'getppid', STABLE, HOOK))
        aims.add('stable: added to open+close / what the empty hook adds',
                 times_added(taken, STABLE, HOOK, 'open+close'), 2, 'x',
                 pair(taken, 'open+close', STABLE, HOOK))
    aims.add('stable: fork+exec+wait / nothing attached',
             ratio(taken, STABLE, NOTHING, 'fork+exec+wait'), 1.10, 'x',
             pair(taken, 'fork+exec+wait', STABLE, NOTHING))


def add_growth(aims, taken, broken, large, small, aim):
    """What an open costs against much of something, and against little of it."""
    what = f'{large}: added to open+close / by {small}'
    missing = [name for name in (large, small, NOTHING) if name not in taken]
    if missing:
        aims.failed(what, aim, 'x', broken.get(missing[0], 'could not be built'))
        return
    aims.add(what, times_added(taken, large, small, 'open+close'), aim, 'x',
             pair(taken, 'open+close', large, small))
