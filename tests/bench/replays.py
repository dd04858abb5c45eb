# SPDX-License-Identifier: Apache-2.0
"""How many events a second one core judges: recordings, replayed, and the decision table alone; and how
large recordings are.

Two recordings are made: of a walk over files, with every event in it, of which no rule matches; and of
opens that all match a rule whose output has twelve fields. Processor time counts, not the clock.
"""
import os
import resource
import statistics
import subprocess

from calls import started
from report import BIN, ROOT, progress, run_pinned

RUNS, OPENS = 5, 20000
MATCHED = '/etc/shadow'
RULE = '''- rule: Every open
  desc: All of them
  condition: evt.type in (open, openat) and fd.name = /etc/shadow
  output: "%evt.time %evt.type %evt.res %proc.name %proc.pid %proc.cmdline %proc.pname %user.uid
    %fd.name %fd.type %proc.exepath %container.id"
  priority: INFO
'''


def record(pack, how, path, argv):
    """A recording of what a program does."""
    daemon = started(pack, how, path, '--output', 'file:/dev/null')
    try:
        run_pinned(argv, (0, 1))
    finally:
        daemon.stop()
    return path


def judge(pack, recording):
    """(records, those that match, ns each) by the table alone."""
    run = subprocess.run([os.path.join(BIN, 'judge'), pack, recording], capture_output=True, text=True,
                         check=True)
    records, matched, cost = run.stdout.split()
    return int(records), int(matched), float(cost)


def replay(pack, recording):
    """Seconds of processor time of a whole replay."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run_pinned([os.path.join(ROOT, 'build/rulerun'), '--replay', recording, '--format', 'json',
                '--output', 'file:/dev/null', pack])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def add(aims, what, pack, recording, replayed_aim):
    """Rows for one recording; the raw numbers."""
    progress(f'replay: {what}')
    judged = [judge(pack, recording) for _ in range(RUNS)]
    records, matched, _ = judged[0]
    replayed = [replay(pack, recording) for _ in range(RUNS)]
    of = f'{records:,} records, {matched:,} match'
    aims.add_least(f'{what}: judged by the table alone, events a second',
                   1e9 / statistics.median(cost for _, _, cost in judged), 1e6, '/s', of)
    aims.add_least(f'{what}: replayed, events a second', records / statistics.median(replayed),
                   replayed_aim, '/s', of)
    size = os.path.getsize(recording)
    aims.add(f'{what}: the recording, bytes a record', size / records, None, 'B', f'{size:,} bytes')
    return {'records': records, 'matched': matched, 'bytes': size,
            'judged ns': [cost for _, _, cost in judged], 'replayed s': replayed}


def measure(aims, build, rules, folder):
    """Both recordings; `build` makes a pack of rules, `rules` is the pack that does not match."""
    path = os.path.join(folder, 'every.yaml')
    with open(path, 'w', encoding='ascii') as out:
        out.write(RULE)
    every = build(path)
    walk = record(rules, '--record-all', os.path.join(folder, 'walk.rec'),
                  ['find', '/usr', '-xdev', '-maxdepth', '4', '-size', '+1k'])
    opens = record(every, '--record', os.path.join(folder, 'opens.rec'),
                   [os.path.join(BIN, 'flood'), str(OPENS), MATCHED])
    return {'none match': add(aims, 'events that no official rule matches', rules, walk, 2e6),
            'all match': add(aims, 'events that match, with twelve fields as JSON', every, opens, 3e5)}
