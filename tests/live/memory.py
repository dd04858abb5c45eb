#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What rulerun says at start about its memory holds, at rest and under load.

    memory.py

The load fills what can be filled: alerts for a reader that takes none, events that wait for containers
that nobody knows, an engine's file of eight megabytes, a recording.
"""
import contextlib
import json
import os
import re
import sys
import time

from lib import Places, Rulerun, Score, build_pack, fdinfos, scratch, why_not_live

RULES = """
- {rule: opens, desc: d, priority: INFO, condition: evt.type = openat and fd.name = FOLDER/opened,
   output: "%container.name %container.image.repository %proc.cmdline %user.name %group.name %LONG"}
- {rule: environments, desc: d, priority: INFO, output: o,
   condition: evt.type = openat and fd.name = FOLDER/other and proc.env contains nothing}
"""
KERNEL = re.compile(r'memory in the kernel: at most ([\d.]+) MiB \(buffer ([\d.]+), maps ([\d.]+), '
                    r'programs ([\d.]+)\), and ([\d.]+) KiB a process: ([\d.]+) MiB for (\d+) now, '
                    r'([\d.]+) MiB for (\d+), which is pid_max; '
                    r'a process with the longest texts takes ([\d.]+) KiB more')
DAEMON = re.compile(r'memory of the daemon: at most ([\d.]+) MiB; ([\d.]+) MiB now')
STATUS = re.compile(r'^(VmSize|VmHWM|VmRSS):\s+(\d+) kB$', re.M)
MIB = 1 << 20
SHOWN = 0.06 # MiB that a figure with one digit may differ from what it stands for
STORAGE, RINGBUF = 29, 27
CONTAINERS = 40


def status(pid):
    """{VmSize, VmHWM, VmRSS} of a process, in bytes."""
    with open(f'/proc/{pid}/status', encoding='ascii') as text:
        return {key: 1024 * int(value) for key, value in STATUS.findall(text.read())}


def kernel_side(said, pid, score):
    """The kernel's own accounts against what was said."""
    figures = KERNEL.search(said)
    if not score.check(figures, f'nothing said of the kernel:\n{said}'):
        return
    total, buffer, maps, programs, each, now, count, most, pid_max, texts = map(float, figures.groups())
    rows = {row.get('map_id', -row.get('prog_id', 0)): row
            for row in fdinfos(pid) if 'memlock' in row}.values()
    held = {'buffer': 0, 'maps': 0, 'programs': 0}
    for row in rows:
        kind = row.get('map_type')
        held['programs' if kind is None else 'buffer' if kind == RINGBUF else 'maps'] += row['memlock']
    for what, limit in (('buffer', buffer), ('maps', maps), ('programs', programs)):
        score.check(0 < held[what] <= (limit + SHOWN) * MIB, f'{what}: {held[what]}, said {limit} MiB')
    score.check(abs(total - buffer - maps - programs) < 4 * SHOWN, f'no sum: {figures.group(0)}')
    sizes = sorted(row['value_size'] for row in rows if row.get('map_type') == STORAGE)
    score.check(sizes[:1] == [432] and each == 0.8, f'a process: {each} KiB, values of {sizes}')
    score.check(sizes[-2:] == [4104, 4104] and texts == 16, f'texts: {texts} KiB, values of {sizes}')
    with open('/proc/sys/kernel/pid_max', encoding='ascii') as text:
        score.check(int(text.read()) == pid_max, f'pid_max: {pid_max}')
    score.check(abs(now - each * count / 1024) < 2 * SHOWN + count / 10000 and
                abs(most - each * pid_max / 1024) < 2 * SHOWN + pid_max / 10000,
                f'not the product: {figures.group(0)}')


def flood(places, path):
    """Many opens at a time, in each of some containers, and on the host."""
    loop = f'i=0; while [ $i -lt 3000 ]; do : < {path}; i=$((i+1)); done'
    started = [place.popen('container', ['sh', '-c', loop]) for place in places]
    started += [places[0].popen('host', ['sh', '-c', loop]) for _ in range(4)]
    for process in started:
        process.wait()


def daemon_side(said, daemon, fill, score):
    """At rest, and once `fill` has filled what can be filled."""
    figures = DAEMON.search(said)
    if not score.check(figures, f'nothing said of the daemon:\n{said}'):
        return
    limit, now = (float(figure) * MIB for figure in figures.groups())
    rest = status(daemon.process.pid)
    score.check(abs(rest['VmRSS'] - now) < 2 * MIB, f'at rest {rest}, said {now}')
    fill()
    full = status(daemon.process.pid)
    print(f'at most {limit / MIB:.1f} MiB; at rest {rest["VmRSS"] / MIB:.1f}, '
          f'under load {full["VmRSS"] / MIB:.1f}')
    for what, bytes_ in full.items():
        score.check(bytes_ <= limit + SHOWN * MIB, f'{what} under load: {bytes_}, said {limit}')
    score.check(full['VmSize'] <= rest['VmSize'] + MIB, f'it grew: {rest}, {full}')
    score.check(full['VmRSS'] > rest['VmRSS'] + 10 * MIB, f'no load: {rest}, {full}')


def main():
    score = Score()
    reason = why_not_live()
    if reason:
        score.skip(f'memory: {reason}', 12)
        return score.close()
    with scratch('rulerun-memory-') as folder, contextlib.ExitStack() as undoing:
        opened, rules = os.path.join(folder, 'opened'), os.path.join(folder, 'rules.yaml')
        with open(opened, 'w', encoding='ascii'):
            pass
        with open(rules, 'w', encoding='ascii') as text:
            text.write(RULES.replace('FOLDER', folder).replace('%LONG', 3000 * 'x'))
        pack = build_pack(os.path.join(folder, 'pack.rpk'), rules)
        places = [undoing.enter_context(Places()) for _ in range(CONTAINERS)]
        root = os.path.join(folder, 'docker')
        os.makedirs(os.path.join(root, 'containers', places[0].id))
        with open(os.path.join(root, 'containers', places[0].id, 'config.v2.json'), 'w',
                  encoding='ascii') as text:
            json.dump({'Name': '/big', 'pad': [1000 * 'x'] * 7500}, text)
        pipe = os.path.join(folder, 'pipe')
        os.mkfifo(pipe)
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        daemon = Rulerun(pack, '--format', 'json', '--output', 'file:' + pipe, '--record',
                         os.path.join(folder, 'capture'), '--container-root', 'docker=' + root,
                         '--container-wait', '2000')
        said = daemon.read('err')
        if score.check(daemon.armed, f'did not arm:\n{said}'):
            kernel_side(said, daemon.process.pid, score)

            def fill():
                flood(places, opened)
                time.sleep(3)
            daemon_side(said, daemon, fill, score)
        score.check(daemon.stop() == 0, f'exit code:\n{daemon.read("err")}')
        score.check('too slow' in daemon.read('err'), f'the reader kept up:\n{daemon.read("err")}')
        os.close(reader)
    return score.close()


if __name__ == '__main__':
    sys.exit(main())
