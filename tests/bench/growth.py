# SPDX-License-Identifier: Apache-2.0
"""How cost grows with the number of rules: packs of 100, 1,000 and 10,000, in four shapes.

Of each pack the rounds have what an operation costs, how long it took to arm, what the kernel keeps,
and how long the daemon's programs ran for the operation that the shape looks at. That last number is
what growth is judged by: it is the same for an exec, whose own time hides what a filter adds.
"""
import statistics

import compile as rulec_cost
from calls import EXEC, NOTHING, OPEN, added
from report import markdown

COUNTS = (100, 1000, 10000)
LOOKED = {'name': EXEC, 'prefix': OPEN, 'path': OPEN, 'mixed': OPEN}     # shape: operation
LOOKS = {'name': 'by process name', 'prefix': 'by path prefix', 'path': 'by exact path',
         'mixed': 'mixed, with not'}


def label(shape, count):
    """A set-up's name."""
    return f'{count:,} rules {LOOKS[shape]}'


def packs(folder):
    """{set-up: rules file}."""
    return {label(shape, count): rulec_cost.generate(folder, shape, count)
            for shape in LOOKED for count in COUNTS}


def median(taken, name, *keys):
    """Of one number of the samples."""
    values = []
    for sample in taken[name]:
        for key in keys:
            sample = sample[key]
        values.append(sample)
    return statistics.median(values)


def memory(taken, name):
    """Megabytes that programs and maps take."""
    return sum(median(taken, name, 'kernel memory', what) for what in ('programs', 'maps')) / 2**20


def table(taken):
    """A row for each pack."""
    rows = []
    for shape, operation in LOOKED.items():
        for name in (label(shape, count) for count in COUNTS):
            if name in taken:
                rows.append((name, operation, f'{median(taken, name, "bpf ns", operation):,.0f}',
                             f'{statistics.median(added(taken, name, operation)):+,.0f}',
                             f'{median(taken, name, "start s") * 1000:,.0f}',
                             f'{memory(taken, name):.1f}'))
    return markdown(('pack', 'operation', 'BPF programs, ns', 'added in all, ns', 'start to armed, ms',
                     'kernel memory, MB'), rows)


def add_aims(aims, taken, broken):
    """Growth, load time and memory of the largest packs."""
    for shape, operation in LOOKED.items():
        small, large = label(shape, COUNTS[0]), label(shape, COUNTS[-1])
        missing = [name for name in (large, small, NOTHING) if name not in taken]
        if missing:
            aims.failed(f'{large}: growth, start, memory', None, '',
                        broken.get(missing[0], 'could not be built'))
            continue
        costs = [median(taken, name, 'bpf ns', operation) for name in (large, small)]
        aims.add(f'{large}: {operation} in BPF / with {COUNTS[0]}', costs[0] / costs[1], 2, 'x',
                 f'{costs[0]:,.0f} ns / {costs[1]:,.0f} ns')
        starts = [sample['start s'] for sample in taken[large]]
        aims.add(f'{large}: start to armed', statistics.median(starts) * 1000, 3000, 'ms',
                 f'{len(starts)} starts, {min(starts) * 1000:.0f} to {max(starts) * 1000:.0f} ms')
        parts = {what: median(taken, large, 'kernel memory', what) / 2**20
                 for what in ('programs', 'maps')}
        aims.add(f'{large}: kernel memory', sum(parts.values()), 64, 'MB',
                 f'programs {parts["programs"]:.1f} MB, maps {parts["maps"]:.1f} MB')


def curves(taken):
    """For the plot: {shape: [(rules, {what: value})]}."""
    out = {}
    for shape, operation in LOOKED.items():
        points = [(count, median(taken, label(shape, count), 'bpf ns', operation))
                  for count in COUNTS if label(shape, count) in taken]
        out[f'{LOOKS[shape]}: {operation}'] = points
    return out
