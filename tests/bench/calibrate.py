#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures what tests and extractors cost the kernel, and writes compiler/cost.def.

    calibrate.py [--rounds N] [--unit NS] [--print]

The unit is what an empty hook on every call's exit adds to a call. Tests are measured in the kernel
on an event that is all there (filter_time), by what many of a kind add to a filter. Extractors are
measured in rulerun, by what a rule that asks for one more value adds to the run time of its programs.
Of several rounds the least counts: noise only adds. --unit says how long the unit is, for a
machine where other hooks are attached; --print shows the file and writes nothing.
"""
import argparse
import datetime
import json
import os
import platform
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'live'))

import calls  # noqa: E402
import kernel  # noqa: E402
from lib import build_pack, scratch, why_not_live  # noqa: E402
from report import BIN, ROOT, progress  # noqa: E402

TARGET = os.path.join(ROOT, 'compiler/cost.def')
OPEN, EVERY = 'evt.type in (open, openat)', 'evt.rawres >= -9999'
NEVER = 'evt.rawres = -9998'
CONNECT, CHMOD = 'evt.type = connect', 'evt.type in (chmod, fchmodat)'
RENAME, WRITE = 'evt.type in (rename, renameat, renameat2)', 'evt.type = write'
EVENT = {'evt.type': 'openat', 'evt.rawres': 3, 'proc.name': 'gpname77', 'fd.type': 'file',
         'fd.name': '/gp/abcx', 'proc.aname[1]': 'bash', 'proc.aname[2]': 'sshd',
         'proc.aname[3]': 'gpname77', 'proc.aname[4]': 'systemd'}
SOCKET = {'evt.type': 'connect', 'evt.rawres': 0, 'fd.sip': '10.200.0.1', 'fd.cip': '10.200.0.2',
          'fd.sport': 80, 'fd.cport': 4000, 'fd.l4proto': 'tcp', 'fd.type': 'ipv4'}
MANY = 20           # tests of a kind in one rule
LEAST_UNIT = 20     # ns
RUNS = 5            # of the loop that finds the unit, in a round


def text(length, last='x'):
    """A path of so many bytes."""
    return ('/gp/' + 'abcdefghijklmnopqrstuvwxyz0123456789' * 20)[:length - 1] + last


def numbered(i, length):
    """The i-th of different texts of a length; they differ at the end."""
    return text(length - 4, '-') + f'{i:04}'


def several(test):
    """Tests that all hold, one behind the other."""
    return ' and '.join([OPEN, EVERY, *(test(i) for i in range(MANY))])


def listed(values):
    """A list's text."""
    return '(' + ', '.join(values) + ')'


def one(test):
    """A single test that does not hold."""
    return f'{OPEN} and {EVERY} and {test}'


def hashed(tests):
    """So many rules that they are looked up; that of the event has tests that hold."""
    rules = [f'{OPEN} and fd.name = {numbered(i, 40)}' for i in range(400)]
    return rules + [' and '.join([OPEN, 'fd.name = ' + text(40),
                                  *(f'evt.rawres > -{i + 2}' for i in range(tests))])]


BARE = several(lambda i: EVERY)     # equal tests are one
WORDS = {'fd.name': text(40)}
# What is measured is a difference: (conditions, what their event has of its own) more and less.
LISTS = [(one(f'fd.name in {listed(numbered(i, 40) for i in range(count))}'), WORDS)
         for count in (8, 128, 200)]
SHORT = (BARE, {})
ALONE = (one(f'fd.name = {numbered(0, 40)}'), WORDS)  # as a list does, it has the path looked at
NOT_EQUAL = [(several(lambda i, n=n: f'fd.name != {numbered(i, n)}'), {'fd.name': text(n)})
             for n in (8, 40)]
SEARCH = one('fd.name contains gpabsent')
# key: (more, less, how many tests lie between them, what one is)
TESTS = {
    'NUM': ((several(lambda i: f'evt.rawres > -{i + 2}'), {}), SHORT, MANY,
            'a number against a constant'),
    'TEXT': (NOT_EQUAL[0], SHORT, MANY, 'a text of one word against a constant of its length'),
    'WORD': (NOT_EQUAL[1], NOT_EQUAL[0], 4 * MANY, 'each further word of 8 bytes'),
    'PREFIX': ((several(lambda i: f'not fd.name startswith {numbered(i, 8)}'), {}), SHORT, MANY,
               'the beginning of a text, one word'),
    'SUFFIX': ((several(lambda i: f'not fd.name endswith {numbered(i, 8)}'), {}), SHORT, MANY,
               'the end of a text, one word'),
    'LIST': (LISTS[0], ALONE, 1, 'a text against a list of 8, in code'),
    'LIST_STEP': (LISTS[1], LISTS[0], 4, 'each doubling of the list'),
    'LOOKUP': ((one(f'fd.name in {listed(numbered(i, 8) for i in range(200))}'), {}), SHORT, 1,
               'a text of one word looked up in a table'),
    'LOOKUP_WORD': (LISTS[2], (one(f'fd.name in {listed(numbered(i, 8) for i in range(200))}'), {}), 4,
                    'each further word of it'),
    'NAME_SET': ((one(f'proc.name in {listed(f"gpname{i:02}" for i in range(20))}'), {}), SHORT, 1,
                 'a process name in a set of them'),
    'CONTAINS': ((SEARCH, {}), SHORT, 1, 'a search in a text of 8 bytes'),
    'CONTAINS_BYTE': ((SEARCH, {'fd.name': text(408)}), (SEARCH, {}), 400,
                      'each further byte of the text'),
    'NET': ((one(f'fd.snet in {listed(f"10.{i}.0.0/16" for i in range(MANY))}').replace(OPEN, CONNECT),
             SOCKET), (BARE.replace(OPEN, CONNECT), SOCKET), MANY, 'an address against a network'),
    'ANC': ((several(lambda i: f'proc.aname[3] != gpname{i:02}'), {}), SHORT, MANY,
            'the name of one ancestor'),
    'ANC_ANY': ((one('proc.aname in (gpname1, gpname2)'), {}), SHORT, 1, 'the names of all ancestors'),
    'ROW': ((hashed(1 + MANY), WORDS), (hashed(1), WORDS), MANY,
            'a test of a rule that was looked up'),
}


# Group of slots: (the test that fills it, operation of micro, its events)
GROUPS = {
    'ARGS': ('evt.is_open_create = true', calls.OPEN, OPEN),
    'FD': ('fd.type = directory', calls.OPEN, OPEN),
    'SOCK': ('fd.sport = 1', 'connect+accept', CONNECT),
    'PATH': ('fd.name = /gp/none', calls.OPEN, OPEN),
    'DIR': ('fd.directory = /gp/none', calls.OPEN, OPEN),
    'RAW': ('fd.nameraw = /gp/none', calls.OPEN, OPEN),
    'FSPATH': ('fs.path.name = /gp/none', 'chmod', CHMOD),
    'ABSPATH': ('evt.arg.oldpath = /gp/none', 'rename, twice', RENAME),
    'DATA': ('evt.buffer bcontains 6770', 'pipe write+read', WRITE),
    'FDTAB': ('proc.fdopencount = 77777', calls.OPEN, OPEN),
    'STDIO': ('proc.stdin.type = ipv6', calls.OPEN, OPEN),
    'PROC': ('proc.name = gpnone', calls.OPEN, OPEN),
    'USE': ('proc.vmsize = 1', calls.OPEN, OPEN),
    'CRED': ('user.uid = 77777', calls.OPEN, OPEN),
    'EXE': ('proc.exe = gpnone', calls.OPEN, OPEN),
    'CMD': ('proc.cmdline = gpnone', calls.OPEN, OPEN),
    'ENV': ('proc.env = gpnone', calls.OPEN, OPEN),
    'EXEPATH': ('proc.exepath = /gp/none', calls.OPEN, OPEN),
    'CWD': ('proc.cwd = /gp/none/', calls.OPEN, OPEN),
    'PARENT': ('proc.pname = gpnone', calls.OPEN, OPEN),
    'PEXEPATH': ('proc.pexepath = /gp/none', calls.OPEN, OPEN),
    'ANC': ('proc.aname[2] = gpnone', calls.OPEN, OPEN),
    'LEAD': ('proc.pgid.name = gpnone', calls.OPEN, OPEN),
    'SHELL': ('proc.loginshellid = 7', calls.OPEN, OPEN),
    'EXTRA': ('proc.aexe[3] = gpnone', calls.OPEN, OPEN),
}

EVENTS = {'rename, twice': 2}     # of a kind in one operation, where there are several


def write_rules(path, conditions):
    """A rules file."""
    with open(path, 'w', encoding='ascii') as out:
        for i, condition in enumerate([conditions] if isinstance(conditions, str) else conditions):
            out.write(f'- rule: r{i}\n  desc: d\n  condition: {condition}\n  output: o\n'
                      '  priority: INFO\n')


class Calibration:
    """The least of what each thing took, in nanoseconds."""

    def __init__(self, folder, unit):
        self.folder, self.given, self.least = folder, unit, {}

    def note(self, key, value):
        """One more measurement."""
        self.least[key] = min(value, self.least.get(key, value))

    # ---- tests, on an event that is all there ----
    def time_filter(self, conditions, own):
        """ns of the filter for an event."""
        rules = os.path.join(self.folder, 'filter.yaml')
        write_rules(rules, conditions)
        event = {} if own is SOCKET else dict(EVENT)
        run = subprocess.run([os.path.join(BIN, 'filter_time'), rules, json.dumps({**event, **own})],
                             capture_output=True, text=True, check=False)
        if run.returncode:
            raise RuntimeError(f'{conditions[:200]}: {run.stderr}')
        return float(run.stdout)

    def time_tests(self):
        """One round of all kinds."""
        for key, (more, less, _, _) in TESTS.items():
            for side, (conditions, own) in (('more', more), ('less', less)):
                self.note((key, side), self.time_filter(conditions, own))

    def cost_of_test(self, key):
        """ns of one of a kind."""
        return (self.least[key, 'more'] - self.least[key, 'less']) / TESTS[key][2]

    # ---- extractors, in rulerun ----
    def time_inside(self, key, conditions, *operations):
        """ns that the BPF programs take for an operation."""
        rules, pack = (os.path.join(self.folder, f'live.{kind}') for kind in ('yaml', 'rpk'))
        write_rules(rules, conditions)
        daemon = calls.started(build_pack(pack, rules))
        try:
            with kernel.RunStats():
                for operation in operations:
                    self.note((key, operation), calls.bpf_cost(daemon.process.pid, operation))
        finally:
            daemon.stop()

    def time_base(self):
        """The unit, and what it takes to begin and to end."""
        for _ in range(RUNS):
            self.note('nothing', calls.micro('getppid')['getppid'][0])
        hook = calls.Hook('empty')
        try:
            for _ in range(RUNS):
                self.note('hook', calls.micro('getppid')['getppid'][0])
            with kernel.RunStats():
                self.note('inside hook', calls.bpf_cost(hook.process.pid, 'getppid'))
        finally:
            hook.stop()
        for events in dict.fromkeys(where for _, _, where in GROUPS.values()):
            operations = {operation for _, operation, where in GROUPS.values() if where == events}
            self.time_inside(events, f'{events} and {NEVER}', 'getppid', *operations)
        self.time_inside('send', f'{OPEN} and {EVERY}', calls.OPEN)

    def time_groups(self):
        """One round of all extractors."""
        for key, (test, operation, events) in GROUPS.items():
            self.time_inside(key, f'{events} and {EVERY} and {test}', operation)

    def costs(self):
        """[(kind of row, key, ns, what it is)]."""
        hook = self.least['inside hook']
        skip = self.least[OPEN, 'getppid'] - hook
        bare = self.least[OPEN, calls.OPEN]     # an open that is judged, a close that is not
        out = [('BASE', 'SKIP', skip, 'a call that no rule asks for'),
               ('BASE', 'JUDGE', bare - 2 * hook - skip, 'an event that is judged'),
               ('BASE', 'SEND', self.least['send', calls.OPEN] - bare, 'an event that is sent')]
        out += [('TEST', key, self.cost_of_test(key), TESTS[key][3]) for key in TESTS]
        return out + [('GROUP', key, self.cost_of_group(key), GROUPS[key][0]) for key in GROUPS]

    def cost_of_group(self, key):
        """ns of filling it once."""
        _, operation, events = GROUPS[key]
        more = self.least[key, operation] - self.least[events, operation]
        return more / EVENTS.get(operation, 1)

    def unit(self):
        """ns that an empty hook adds to a call."""
        unit = self.given or self.least['hook'] - self.least['nothing']
        if unit < LEAST_UNIT:
            raise RuntimeError(f'an empty hook seems to add {unit:.0f} ns: is another one attached?')
        return unit


def processor():
    """Its name."""
    with open('/proc/cpuinfo', encoding='utf-8') as info:
        names = [line.split(':')[1].strip() for line in info if line.startswith('model name')]
    return names[0] if names else platform.machine()


HEAD = '''/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What things cost the kernel's side, in thousandths of what an empty hook adds to a system call.
 * Written by `make calibrate`, which has measured it; not by hand.
 *
 * {machine}
 * Linux {kernel}, {date}; an empty hook {added} {unit:.0f} ns.
 *
 *   COST_BASE(KEY, cost)    of each call
 *   COST_TEST(KEY, cost)    of a test whose value is there
 *   COST_GROUP(ID, cost)    of filling a group of slots (grammar/slots.def), once for an event
 */
#ifndef COST_BASE
#define COST_BASE(key, cost)
#endif
#ifndef COST_TEST
#define COST_TEST(key, cost)
#endif
#ifndef COST_GROUP
#define COST_GROUP(id, cost)
#endif
'''
TAIL = '''
#undef COST_BASE
#undef COST_TEST
#undef COST_GROUP
'''


def shown(found):
    """The file's text."""
    unit = found.unit()
    lines, kind = [], None
    for section, key, ns, what in found.costs():
        if section != kind:
            lines.append('')
        kind = section
        row = f'COST_{section}({key}, {max(1, round(1000 * ns / unit))})'
        lines.append(f'{row:<32}/* {what} */')
    return HEAD.format(machine=processor(), kernel=platform.release(), unit=unit,
                       added='was taken to add' if found.given else 'added',
                       date=datetime.date.today()) + '\n'.join(lines) + '\n' + TAIL


def calibrate(rounds, unit):
    """The file's text, measured."""
    with scratch('rulec-calibrate-') as folder:
        found = Calibration(folder, unit)
        for turn in range(rounds):
            for name, part in (('the unit', found.time_base), ('extractors', found.time_groups),
                               ('tests', found.time_tests)):
                progress(f'round {turn + 1} of {rounds}: {name}')
                part()
    return shown(found)


def main():
    options = argparse.ArgumentParser()
    options.add_argument('--rounds', type=int, default=5)
    options.add_argument('--unit', type=float, help='nanoseconds')
    options.add_argument('--print', action='store_true')
    args = options.parse_args()
    reason = why_not_live()
    if reason:
        print(f'calibrate: {reason}', file=sys.stderr)
        return 2
    try:
        text_of_file = calibrate(args.rounds, args.unit)
    except RuntimeError as error:
        print(f'calibrate: {error}', file=sys.stderr)
        return 2
    if args.print:
        print(text_of_file, end='')
        return 0
    with open(TARGET, 'w', encoding='ascii') as out:
        out.write(text_of_file)
    return 0


if __name__ == '__main__':
    sys.exit(main())
