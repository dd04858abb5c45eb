# SPDX-License-Identifier: Apache-2.0
"""What a watched system call costs, and a watched program: nothing attached, other hooks, our daemon.

A *set-up* is a function that starts something which has `stop()`, or None. Each round measures every
set-up once, in an order of its own, so that a change of the machine's mood touches all alike; what a
set-up adds is the median, over rounds, of the difference inside a round.
"""
import os
import statistics
import subprocess
import time

import kernel
from lib import Rulerun
from programs import WHAT as PROGRAMS
from report import BIN, ROOT, markdown, one_line, progress

OBJECTS = os.path.join(ROOT, 'build/bpf/tests')
NOTHING, HOOK, SENT = 'nothing attached', 'empty hook', 'every call sent'
EMPTY, STABLE = 'empty pack', 'stable rules'
OPEN, EXEC = 'open+close', 'fork+exec+wait'


class Hook:
    """A BPF object of this folder, attached for as long as this lives."""

    def __init__(self, name):
        self.process = subprocess.Popen([os.path.join(BIN, 'hook'),
                                         os.path.join(OBJECTS, f'{name}.bpf.o')],
                                        stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if 'armed' not in self.process.stderr.readline():
            self.stop()
            raise RuntimeError(f'the hook {name} did not attach')

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
    """{operation: (ns, how often it was run)} of one run."""
    run = subprocess.run([os.path.join(BIN, 'micro'), *operation], capture_output=True, text=True,
                         check=True)
    lines = (line.rsplit(' ', 2) for line in run.stdout.splitlines())
    return {name: (float(cost), int(count)) for name, cost, count in lines}


def micro_names():
    """Every operation that there is."""
    run = subprocess.run([os.path.join(BIN, 'micro'), '--list'], capture_output=True, text=True,
                         check=True)
    return run.stdout.splitlines()


def bpf_cost(pid, operation):
    """ns that the programs of a process take for an operation. Others' calls count, too."""
    before = kernel.run_ns(pid)
    count = micro(operation)[operation][1]
    return (kernel.run_ns(pid) - before) / count


class Suite:
    """What is measured of one set-up in one round."""

    def __init__(self, operations=(), programs=None, inside=()):
        """Operations (none: those of the table), whole programs, operations to look at from inside."""
        self.operations, self.programs, self.inside = operations, programs, inside

    def measure(self, start):
        """One set-up, undone afterwards."""
        running = start()
        try:
            sample = {'ns': {name: cost for name, (cost, _) in micro(*self.operations).items()}}
            if self.programs:
                wall, sample['cpu'] = self.programs.run()
                sample['ns'].update(wall)
            if isinstance(running, Rulerun):
                sample.update(self.look_inside(running))
            return sample
        finally:
            if running:
                running.stop()

    def look_inside(self, daemon):
        """What the daemon and its programs took."""
        pid = daemon.process.pid
        with kernel.RunStats():
            bpf = {name: bpf_cost(pid, name) for name in self.inside}
        return {'start s': daemon.start_seconds, 'kernel memory': kernel.memory(pid), 'bpf ns': bpf}


def turns(most, end):
    """Rounds, until another one would not end in time."""
    start = time.monotonic()
    for turn in range(most):
        now = time.monotonic()
        if turn and now + (now - start) / turn > end:
            progress(f'time for {turn} rounds')
            return
        yield turn


def measure(setups, suite, most, end):
    """({set-up: [sample, one a round]}, {set-up that failed: why}); only whole ones are left."""
    taken, broken = {name: [] for name in setups}, {}
    for turn in turns(most, end):
        names = list(setups)
        # Another order each round: no set-up always follows the same one.
        for name in names[turn % len(names):] + names[:turn % len(names)]:
            if name in broken:
                continue
            progress(f'round {turn + 1}: {name}')
            try:
                taken[name].append(suite.measure(setups[name]))
            except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
                progress(f'{name}: {error}')
                broken[name] = one_line(error)
                del taken[name]
    return taken, broken


def costs(taken, name, operation):
    """Nanoseconds of an operation, in each round."""
    return [sample['ns'][operation] for sample in taken[name]]


def median(taken, name, operation):
    """Median nanoseconds of an operation in a set-up."""
    return statistics.median(costs(taken, name, operation))


def ratios(taken, name, base, operation):
    """What one set-up costs against another, in each round."""
    pairs = zip(costs(taken, name, operation), costs(taken, base, operation))
    return [one / other for one, other in pairs]


def ratio(taken, name, base, operation):
    """The median of these."""
    return statistics.median(ratios(taken, name, base, operation))


def added(taken, name, operation):
    """Nanoseconds that a set-up adds, in each round."""
    pairs = zip(costs(taken, name, operation), costs(taken, NOTHING, operation))
    return [one - bare for one, bare in pairs]


def times_added(taken, name, base, operation):
    """What a set-up adds, in units of what another one adds; NaN where noise hides one of them."""
    over, unit = (statistics.median(added(taken, one, operation)) for one in (name, base))
    return over / unit if over > 0 and unit > 0 else float('nan')


def spread(values):
    """Half the distance of the quartiles, in percent of the median."""
    if len(values) < 2:
        return 0
    low, middle, high = statistics.quantiles(values, n=4, method='inclusive')
    return 50 * (high - low) / middle


def cell(taken, name, operation):
    """Median, spread, ratio."""
    unit = 1e6 if operation in PROGRAMS else 1
    return (f'{median(taken, name, operation) / unit:,.0f} '
            f'±{spread(costs(taken, name, operation)):.0f}% '
            f'{ratio(taken, name, NOTHING, operation):.2f}x')


def table(taken):
    """Rows are set-ups; each cell is the median, the spread, and the ratio to nothing attached."""
    operations = list(taken[NOTHING][0]['ns'])
    head = [f'{name}, {"ms" if name in PROGRAMS else "ns"}' for name in operations]
    rows = [(name, *(cell(taken, name, operation) for operation in operations)) for name in taken]
    return markdown(('median ± half the quartiles\' distance, ratio', *head), rows)


def pair(taken, operation, name, base):
    """Raw numbers of two set-ups."""
    return (f'{median(taken, name, operation):,.0f} ns / {median(taken, base, operation):,.0f} ns, '
            f'nothing attached {median(taken, NOTHING, operation):,.0f} ns')


def add_empty(aims, taken):
    """A pack without rules costs nothing."""
    for operation in taken[NOTHING][0]['ns'] if EMPTY in taken else ():
        if operation not in PROGRAMS:
            aims.add(f'{EMPTY}: {operation} / {NOTHING}', ratio(taken, EMPTY, NOTHING, operation),
                     1.03, 'x', pair(taken, operation, EMPTY, NOTHING))


def add_calls(aims, taken, packs):
    """What has an aim among the calls; `packs` is {set-up: how many times as much an exec may cost}."""
    add_empty(aims, taken)
    for name, exec_aim in packs.items():
        if name not in taken:
            continue
        if HOOK in taken:
            aims.add(f'{name}: getppid / {HOOK}', ratio(taken, name, HOOK, 'getppid'), 1.05, 'x',
                     pair(taken, 'getppid', name, HOOK))
            aims.add(f'{name}: added to {OPEN} / what the {HOOK} adds',
                     times_added(taken, name, HOOK, OPEN), 2, 'x', pair(taken, OPEN, name, HOOK))
        aims.add(f'{name}: {EXEC} / {NOTHING}', ratio(taken, name, NOTHING, EXEC), exec_aim, 'x',
                 pair(taken, EXEC, name, NOTHING))


def add_ratio(aims, taken, broken, large, small, aim):
    """What an open costs against much of something, and against little of it."""
    what = f'{large}: added to {OPEN} / by {small}'
    missing = [name for name in (large, small, NOTHING) if name not in taken]
    if missing:
        aims.failed(what, aim, 'x', broken.get(missing[0], 'could not be built'))
        return
    aims.add(what, times_added(taken, large, small, OPEN), aim, 'x', pair(taken, OPEN, large, small))


def estimated(inputs, event):
    """Units that `rulec explain --cost` expects of an event."""
    run = subprocess.run([os.path.join(ROOT, 'build/rulec'), 'explain', '--cost', *inputs],
                         capture_output=True, text=True, check=True)
    for line in run.stdout.splitlines():
        units, _, events = line.strip().partition('  ')
        if event in events.split(', '):
            return float(units)
    raise RuntimeError(f'rulec explain --cost does not tell of {event}')


def add_residual(aims, taken, name, inputs):
    """How far the estimate is from what was measured; a hook costs a unit for each of two calls."""
    if name not in taken or HOOK not in taken:
        return
    unit = statistics.median(added(taken, HOOK, 'getppid'))
    found = statistics.median(added(taken, name, OPEN)) / unit if unit > 0 else float('nan')
    told = 2 + estimated(inputs, 'openat')
    aims.add(f'{name}: {OPEN}, estimated / measured', told / found, None, 'x',
             f'{told:.1f} / {found:.1f} units of {unit:.0f} ns')
