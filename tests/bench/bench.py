#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures what a watched system call costs, and what rulec and rulerun need.

    bench.py [--rounds N] [--only calls|growth|daemon|compile]... [--paste]

Progress goes to standard error while it runs; the tables, in Markdown, to standard output and to
build/bench/bench.md at its end, beside the raw data (*.json) and a plot of what each set-up adds
(calls.svg); --paste puts the tables into docs/performance.md too. Aims are those of the project; what
misses its aim is named in docs/performance.md with the reason. What fails is a row, and not the end.
"""
import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'live'))

import calls  # noqa: E402
import compile as rulec_cost  # noqa: E402
import daemon as daemon_cost  # noqa: E402
import plot  # noqa: E402
from calls import EMPTY, HOOK, NOTHING, STABLE, started  # noqa: E402
from lib import build_pack, stable_rules, why_not_live  # noqa: E402
from report import ROOT, Aims, one_line, progress, save, save_raw  # noqa: E402

OURS, SENT, OFFICIAL = 'our rules', 'our rules, all events sent', 'three official files'
MARKS = ('<!-- what make bench printed -->', '<!-- end of it -->')
# (large, small, how many times as much an open may cost, (shape, rules, macros, items) of each)
GROWTH = (('a list of 100,000 items', 'a list of 100 items', 1.5,
           ('list', 1, 0, 100000), ('list', 1, 0, 100)),
          ('10,000 rules', '10 rules', 1.5, ('usual', 10000, 10, 0), ('usual', 10, 10, 0)))


class Bench:
    """What the parts share: where bundles are, what was found."""

    def __init__(self, folder, rounds):
        self.folder, self.rounds = folder, rounds
        self.stable, self.aims, self.packs = stable_rules(), Aims(), {}

    def build(self, name, *inputs):
        """Adds a pack, or a row that tells why it could not be built."""
        progress(f'building: {name}')
        output = os.path.join(self.folder, f'pack{len(self.packs)}.rpk')
        try:
            self.packs[name] = build_pack(output, *inputs)
        except RuntimeError as error:
            reason = [line for line in str(error).splitlines() if 'error' in line] or [str(error)]
            self.aims.failed(f'{name}: build', None, '', reason[0])

    def build_all(self):
        """The packs that several parts use."""
        empty = os.path.join(self.folder, 'empty.yaml')
        with open(empty, 'w', encoding='ascii'):
            pass
        self.build(EMPTY, empty)
        self.build(OURS, 'stdlib', 'rules')
        if self.stable:
            self.build(STABLE, self.stable)
            more = [os.path.join(os.path.dirname(self.stable), f'falco-{kind}_rules.yaml')
                    for kind in ('incubating', 'sandbox')]
            self.build(OFFICIAL, self.stable, *more)

    # ---- the parts; each returns a table of its own, or None ----
    def calls(self):
        """Every operation in every set-up."""
        setups = {NOTHING: lambda: None, HOOK: calls.Hook}
        setups.update({name: lambda pack=pack: started(pack) for name, pack in self.packs.items()})
        if OURS in self.packs:
            setups[SENT] = lambda: started(self.packs[OURS], '--audit')
        taken, broken = calls.measure(setups, self.rounds)
        for name, reason in broken.items():
            self.aims.failed(f'{name}: calls', None, '', reason)
        if NOTHING not in taken:
            return None
        save_raw('calls', {'unit': 'ns', 'set-ups': taken})
        charts = {operation: {name: calls.added(taken, name, operation)
                              for name in taken if name != NOTHING}
                  for operation in taken[NOTHING][0]}
        save('calls.svg', plot.added_costs(charts, f'Added to a call, {self.rounds} rounds'))
        calls.add_calls(self.aims, taken)
        return calls.table(taken)

    def growth(self):
        """What an event costs against many rules, and against long lists."""
        setups = {NOTHING: lambda: None}
        for large, small, _, *shapes in GROWTH:
            for name, shape in zip((large, small), shapes):
                self.build(name, rulec_cost.generate(self.folder, *shape))
                if name in self.packs:
                    setups[name] = lambda pack=self.packs.pop(name): started(pack)
        taken, broken = calls.measure(setups, self.rounds, 'open+close')
        save_raw('growth', {'unit': 'ns', 'set-ups': taken, 'failed': broken})
        for large, small, aim, *_ in GROWTH:
            calls.add_growth(self.aims, taken, broken, large, small, aim)

    def daemon(self):
        """Start, memory, idleness and latency."""
        raw = {}
        name = STABLE if STABLE in self.packs else OURS
        for what, part, pack in (('starts', daemon_cost.add_starts, name),
                                 ('idle', daemon_cost.add_idle, name)):
            if pack in self.packs:
                raw[what] = part(self.aims, pack, self.packs[pack])
        if OURS in self.packs:
            raw['latency ms'] = daemon_cost.add_latency(self.aims, self.packs[OURS])
        save_raw('daemon', raw)

    def compile(self):
        """Time and memory of rulec."""
        raw = {}
        if self.stable:
            rulec_cost.add_official(self.aims, self.stable, self.folder, raw)
        rulec_cost.add_generated(self.aims, self.folder, raw)
        rulec_cost.add_list(self.aims, self.folder, raw)
        save_raw('compile', raw)


PARTS = {'calls': Bench.calls, 'growth': Bench.growth, 'daemon': Bench.daemon,
         'compile': Bench.compile}


def bench(folder, parts, rounds):
    """The tables, as text."""
    whole = Bench(folder, rounds)
    out = [f'Kernel {os.uname().release}, {os.cpu_count()} processors, load '
           f'{os.getloadavg()[0]:.1f} at the start, {rounds} rounds.']
    whole.build_all()
    for name, part in PARTS.items():
        if name not in parts:
            continue
        try:
            out.append(part(whole))
        except (RuntimeError, OSError, ValueError, subprocess.SubprocessError) as error:
            progress(f'{name}: {error}')
            whole.aims.failed(f'the part {name}, from here on', None, '', one_line(error))
    save_raw('rows', whole.aims.rows)
    return '\n\n'.join([*filter(None, out), whole.aims.table()]) + '\n'


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
    options.add_argument('--only', action='append', choices=list(PARTS))
    options.add_argument('--paste', action='store_true')
    args = options.parse_args()
    reason = why_not_live()
    if reason:
        print(f'bench: {reason}', file=sys.stderr)
        return 2
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    folder = tempfile.mkdtemp(prefix='rulerun-bench-')
    try:
        text = bench(folder, args.only or list(PARTS), args.rounds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    save('bench.md', text)
    print(text, end='')
    if args.paste:
        paste(text)
    progress('done; tables, raw data and a plot are in build/bench')
    return 0


if __name__ == '__main__':
    sys.exit(main())
