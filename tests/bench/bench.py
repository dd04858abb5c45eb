#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures what a watched machine costs, and what rulec and rulerun need.

    bench.py [--rounds N] [--seconds S] [--only PART]... [--paste]

Parts: calls (with whole programs and packs of many rules), lists, events, daemon, replay, compile. All of it
takes at most S seconds, 600 by default: the rounds of `calls` come last and use what is left.
Progress goes to standard error while it runs; the tables, in Markdown, to standard output and to
build/bench/bench.md at its end, beside the raw data (*.json) and plots (*.svg); --paste puts the
tables into docs/performance.md and the plots beside it, too. Aims are those of the project; what
misses its aim is named in docs/performance.md with the reason. What fails is a row, and not the end.
"""
import argparse
import os
import resource
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'live'))

import calls  # noqa: E402
import compile as rulec_cost  # noqa: E402
import daemon as daemon_cost  # noqa: E402
import events  # noqa: E402
import growth  # noqa: E402
import plot  # noqa: E402
import replays  # noqa: E402
import state  # noqa: E402
from calls import EMPTY, EXEC, HOOK, NOTHING, OPEN, SENT, STABLE, started  # noqa: E402
from lib import FALCO, OFFICIAL, build_pack, scratch, stable_rules, why_not_live  # noqa: E402
from programs import WHAT, Programs  # noqa: E402
from report import RESULTS, ROOT, START, Aims, one_line, progress, save, save_raw  # noqa: E402

OURS, THREE = 'our rules', 'three official files'
MARKS = ('<!-- what make bench printed -->', '<!-- end of it -->')
PLOTS = ('bench-calls.svg', 'bench-programs.svg', 'bench-growth.svg', 'bench-events.svg')
# (large, small, how many times as much an open may cost, (shape, rules, macros, items) of each)
LISTS = (('a list of 100,000 items', 'a list of 100 items', 1.5,
          ('list', 1, 0, 100000), ('list', 1, 0, 100)),
         ('10,000 rules', '10 rules', 1.5, ('usual', 10000, 10, 0), ('usual', 10, 10, 0)))
ROUNDS = 3          # of the parts whose rounds are not what time is left for
LIST_ROUNDS = 9     # they are short


def picture(name):
    """A plot's place in the text; it stands beside it."""
    return f'![{name[len("bench-"):-len(".svg")]}]({name})'


class Bench:
    """What the parts share: where bundles are, what was found, when it has to end."""

    def __init__(self, folder, rounds, end):
        self.folder, self.rounds, self.end = folder, rounds, end
        self.stable, self.aims, self.packs, self.sources = stable_rules(), Aims(), {}, {}

    def build(self, name, *inputs):
        """Adds a pack, or a row that tells why it could not be built."""
        progress(f'building: {name}')
        output = os.path.join(self.folder, f'pack{len(os.listdir(self.folder))}.rpk')
        self.sources[name] = inputs
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
            self.build(THREE, *(os.path.join(FALCO, name) for name in OFFICIAL.values()))

    def starts(self, *names):
        """{set-up: function that starts it} of packs; those that could not be built are left out."""
        return {name: lambda pack=self.packs[name]: started(pack)
                for name in names if name in self.packs}

    # ---- the parts; each returns a table of its own, or None ----
    def calls(self):
        """Every operation and program in every set-up, packs of many rules among them."""
        few = [EMPTY, OURS, STABLE, THREE]
        many = growth.packs(self.folder)
        for name, path in many.items():
            self.build(name, path)
        setups = {NOTHING: lambda: None, HOOK: lambda: calls.Hook('empty'),
                  SENT: lambda: calls.Hook('audit'), **self.starts(*few, *many)}
        suite = calls.Suite(programs=Programs(self.folder), inside=(OPEN, EXEC))
        progress('once, for the caches')
        suite.measure(setups[NOTHING])
        taken, broken = calls.measure(setups, suite, self.rounds, self.end)
        for name, reason in broken.items():
            self.aims.failed(f'{name}: calls', None, '', reason)
        save_raw('calls', {'unit': 'ns', 'set-ups': taken, 'failed': broken})
        if NOTHING not in taken:
            return None
        calls.add_calls(self.aims, taken, {STABLE: 1.10, THREE: 1.05})
        growth.add_aims(self.aims, taken, broken)
        for name in (STABLE, THREE) if self.stable else ():
            calls.add_residual(self.aims, taken, name, self.sources[name])
        self.plot_calls(taken, [name for name in (HOOK, SENT, *few) if name in taken])
        programs = '; '.join(f'{name}: {what}' for name, what in WHAT.items())
        pictures = ' '.join(picture(name) for name in PLOTS[:3])
        return '\n\n'.join([f'{len(taken[NOTHING])} rounds. Programs: {programs}.',
                            calls.table(taken), growth.table(taken), pictures])

    def plot_calls(self, taken, names):
        """The pictures of what the rounds found."""
        rounds = f'{len(taken[NOTHING])} rounds'
        operations = [name for name in taken[NOTHING][0]['ns'] if name not in WHAT]
        save(PLOTS[0], plot.bars(
            {operation: {name: calls.added(taken, name, operation) for name in names}
             for operation in operations}, f'Added to a call, {rounds}', 'ns'))
        save(PLOTS[1], plot.bars(
            {f'{program}: {WHAT[program]}': {name: calls.ratios(taken, name, NOTHING, program)
                                             for name in names} for program in WHAT},
            f'Time of whole programs, nothing attached being 1; {rounds}', 'x', 1))
        save(PLOTS[2], plot.curves(growth.curves(taken), 'What the BPF programs take for a call, by the '
                                   'number of rules', ('rules', 'ns, logarithmic')))

    def lists(self):
        """What an event costs against long lists, and rules as people write them."""
        names = []
        for large, small, _, *shapes in LISTS:
            for name, shape in zip((large, small), shapes):
                self.build(name, rulec_cost.generate(self.folder, *shape))
                names.append(name)
        setups = {NOTHING: lambda: None, **self.starts(*names)}
        taken, broken = calls.measure(setups, calls.Suite((OPEN,)), min(LIST_ROUNDS, self.rounds),
                                      self.end)
        save_raw('lists', {'unit': 'ns', 'set-ups': taken, 'failed': broken})
        for large, small, aim, *_ in LISTS:
            calls.add_ratio(self.aims, taken, broken, large, small, aim)

    def events(self):
        """What each kind of event costs inside, and how few of them come out."""
        name = THREE if THREE in self.packs else OURS
        if name not in self.packs:
            return None
        found = events.by_type(self.packs[name], min(ROUNDS, self.rounds))
        share = events.add_share(self.aims, name, self.packs[name], Programs(self.folder))
        save_raw('events', {'unit': 'ns', 'BPF programs': found, 'share': share})
        save(PLOTS[3], plot.bars({f'{name}: what its BPF programs take for each': found},
                                 'Cost by kind of event, logarithmic', 'ns', kind=plot.logarithmic))
        return f'{events.table(name, found)}\n\n{picture(PLOTS[3])}'

    def daemon(self):
        """Start, memory, idleness, latency, and what a flood of alerts does."""
        raw = {}
        for name, aim in ((STABLE, 300), (THREE, 500)):
            if name in self.packs:
                raw[f'{name}: starts'] = daemon_cost.add_starts(self.aims, name, self.packs[name], aim)
        for name, aim in ((STABLE, 16), (THREE, 12)):
            if name in self.packs:
                raw[f'{name}: idle'] = daemon_cost.add_idle(self.aims, name, self.packs[name], aim)
        if OURS in self.packs:
            raw['latency ms'] = daemon_cost.add_latency(self.aims, self.packs[OURS])
            raw['flood'] = daemon_cost.add_flood(self.aims, OURS, self.packs[OURS])
        if THREE in self.packs:
            raw['state'] = state.add(self.aims, THREE, self.packs[THREE])
        save_raw('daemon', raw)

    def replay(self):
        """Events a second on one core."""
        def build(path):
            return build_pack(os.path.join(self.folder, 'every.rpk'), path)
        name = THREE if THREE in self.packs else OURS
        save_raw('replay', replays.measure(self.aims, build, self.packs[name], self.folder))

    def compile(self):
        """Time and memory of rulec."""
        raw = {}
        if self.stable:
            rulec_cost.add_official(self.aims, self.stable, self.folder, raw)
        rulec_cost.add_generated(self.aims, self.folder, raw)
        rulec_cost.add_list(self.aims, self.folder, raw)
        save_raw('compile', raw)


PARTS = {'daemon': Bench.daemon, 'events': Bench.events, 'lists': Bench.lists,
         'replay': Bench.replay, 'compile': Bench.compile, 'calls': Bench.calls}


def bench(folder, parts, rounds, end):
    """The tables, as text."""
    whole = Bench(folder, rounds, end)
    out = [f'Kernel {os.uname().release}, {os.cpu_count()} processors, load '
           f'{os.getloadavg()[0]:.1f} at the start.']
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
    """Puts the tables between the marks of docs/performance.md, and the plots beside it."""
    path = os.path.join(ROOT, 'docs/performance.md')
    with open(path, encoding='utf-8') as source:
        before, rest = source.read().split(MARKS[0])
    after = rest.split(MARKS[1])[1]
    with open(path, 'w', encoding='utf-8') as out:
        out.write(f'{before}{MARKS[0]}\n{text}{MARKS[1]}{after}')
    for name in PLOTS:
        if os.path.exists(os.path.join(RESULTS, name)):
            shutil.copy(os.path.join(RESULTS, name), os.path.join(ROOT, 'docs', name))


def main():
    options = argparse.ArgumentParser()
    options.add_argument('--rounds', type=int, default=15, help='at most so many')
    options.add_argument('--seconds', type=int, default=600, help='for all of it')
    options.add_argument('--only', action='append', choices=list(PARTS))
    options.add_argument('--paste', action='store_true')
    args = options.parse_args()
    reason = why_not_live()
    if reason:
        print(f'bench: {reason}', file=sys.stderr)
        return 2
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with scratch('rulerun-bench-') as folder:
        text = bench(folder, args.only or list(PARTS), args.rounds, START + args.seconds)
    save('bench.md', text)
    print(text, end='')
    if args.paste:
        paste(text)
    progress(f'done; tables, raw data and plots are in {os.path.relpath(RESULTS, ROOT)}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
