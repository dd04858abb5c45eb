#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Audit: a real, mixed workload under `rulerun --audit`, and not one disagreement.

    audit.py [--events N] [PACK.rpk...]

In audit mode every event crosses to user space with the filter's verdict, and the table judges each
one exactly. Bundles whose plan was spoiled must be found out. The workload compiles, unpacks, walks
and removes trees, starts many short processes, talks over loopback and works in cgroups that look
like containers, and asks for calls through an io_uring. It is made of rounds and ends when every
daemon must have seen N events (200,000), or after a time that fits them.
"""
import argparse
import concurrent.futures
import os
import socket
import subprocess
import sys
import threading
import time

from lib import (OFFICIAL, ROOT, Places, Rulerun, Score, build_pack, official, scratch,
                 stable_rules, why_not_live)

FILES = 1500
SECONDS = 90  # for 200,000 events
URING = os.path.join(ROOT, 'build/release/tests/live/uring')
QUIET = {'stdin': subprocess.DEVNULL, 'stdout': subprocess.DEVNULL, 'stderr': subprocess.DEVNULL}


def make_tree(top):
    """A tree of small files, and an archive of it; how many files."""
    for number in range(FILES):
        folder = os.path.join(top, 'tree', f'd{number % 30}')
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, f'f{number}.c'), 'w', encoding='ascii') as text:
            text.write(f'int f{number}(int x) {{ return x + {number}; }}\n')
    subprocess.run(['tar', '-C', top, '-cf', os.path.join(top, 'tree.tar'), 'tree'], check=True)


class Workload:
    """Rounds of it. `certain` counts the opens that must have happened."""

    def __init__(self, top, places):
        self.top, self.places, self.certain, self.round = top, places, 0, 0
        make_tree(top)
        self.server = socket.create_server(('127.0.0.1', 0), backlog=128)
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        """Answers each connection with a line."""
        while True:
            try:
                peer, _ = self.server.accept()
            except OSError:
                return
            with peer:
                peer.sendall(b'hello\n')

    def call(self, place, *argv):
        """Runs one command to its end."""
        return self.places.popen(place, argv, cwd=self.top, **QUIET).wait()

    def trees(self):
        """Unpack, search, pack and remove."""
        out = os.path.join(self.top, f'out{self.round}')
        os.mkdir(out)
        self.call('host', 'tar', '-C', out, '-xf', 'tree.tar')
        self.call('container', 'grep', '-r', 'no such text', out)
        self.call('host', 'tar', '-C', out, '-cf', os.path.join(self.top, 'again.tar'), 'tree')
        self.call('host', 'find', out, '-name', '*.none')
        self.call('container', 'cp', '-r', out, out + '.copy')
        self.call('container', 'rm', '-rf', out, out + '.copy')
        self.certain += 5 * FILES

    def compiling(self):
        """A compiler, an assembler, a linker."""
        for number in range(8):
            source = f'tree/d{number}/f{number}.c'
            self.call('host', 'gcc', '-O1', '-include', 'stdio.h', '-c', '-o', f'o{number}.o', source)
        self.call('container', 'gcc', '-shared', '-o', 'o.so', *[f'o{n}.o' for n in range(8)])

    def processes(self):
        """Many that live for a moment, in a container and out of one."""
        loop = 'i=0; while [ $i -lt 60 ]; do /bin/true $i; ls / >/dev/null; i=$((i+1)); done'
        self.call('container', 'sh', '-c', loop)
        self.call('host', 'bash', '-c', loop)
        self.call('container', 'bash', '-c', 'cat /etc/hostname /etc/passwd; ln -s /etc t; rm t')
        self.call('host', 'perl', '-e', 'for (1..200) { fork or exit; wait }')

    def rings(self):
        """Files by way of links, and directories, each through an io_uring."""
        link = os.path.join(self.top, f'link{self.round}')
        os.symlink('/etc/group', link)
        calls = (('open', link), ('open', '/etc/shadow'), ('mkdir', link + '.d'),
                 ('rename', link + '.d', link + '.e'), ('connect', '127.0.0.1', str(self.port)))
        for place in ('host', 'container'):
            for how in ((), ('async',), ('poll',)):
                for call in calls:
                    self.call(place, URING, *how, *call)
                os.rmdir(link + '.e')
        os.unlink(link)

    def traffic(self):
        """Connections over loopback, some onto standard input."""
        talk = (f'for i in 1 2 3 4 5 6 7 8; do exec 3<>/dev/tcp/127.0.0.1/{self.port}; read x <&3; '
                'exec 0<&3; exec 3<&-; done')
        for place in ('host', 'container'):
            self.call(place, 'bash', '-c', talk)
        for _ in range(100):
            with socket.create_connection(('127.0.0.1', self.port)) as peer:
                peer.recv(16)

    def play(self):
        """One round, its parts beside each other."""
        parts = (self.trees, self.compiling, self.processes, self.rings, self.traffic)
        with concurrent.futures.ThreadPoolExecutor(len(parts)) as pool:
            for done in [pool.submit(part) for part in parts]:
                done.result()
        self.round += 1

    def close(self):
        """Ends the server."""
        self.server.close()


# struct rpk_head: where the plan's system calls and the needed hooks stand (runtime/rpk.h).
CALLS_AT, FAILED_AT, HOOKS_AT, SYS_EXIT, OPENAT, EXECVE = 88, 162, 168, 4, 257, 59
RULES = """
- rule: opened
  desc: an open
  condition: evt.type = openat and fd.name = /etc/hostname
  output: opened
  priority: INFO
- rule: started
  desc: a start, or one that failed
  condition: evt.type = execve and evt.arg.filename endswith rulerun-no-such-program
  output: started
  priority: INFO
"""


def cleared(pack, target, at, bit):
    """A copy of a bundle whose plan lacks one bit; the filter and the table are as they were."""
    with open(pack, 'rb') as source:
        data = bytearray(source.read())
    told = subprocess.run(['readelf', '-SW', pack], capture_output=True, text=True, check=True)
    row = next(line for line in told.stdout.splitlines() if '.rulepack' in line)
    place = int(row.split('.rulepack')[1].split()[2], 16) + at + bit // 8
    if not data[place] >> (bit % 8) & 1:
        raise RuntimeError(f'bit {bit} at {at} of the plan is not set')
    data[place] &= ~(1 << (bit % 8))
    with open(target, 'wb') as copy:
        copy.write(data)
    return target


def act():
    """One event of each of the two rules."""
    subprocess.run(['cat', '/etc/hostname'], check=True, **QUIET)
    try:
        subprocess.run(['/nowhere/rulerun-no-such-program'], check=False, **QUIET)
    except FileNotFoundError:
        pass


def plans(top, score):
    """A plan that does not ask for what a rule matches is found, whatever it leaves out."""
    rules = os.path.join(top, 'plan.yaml')
    with open(rules, 'w', encoding='ascii') as text:
        text.write(RULES)
    whole = build_pack(os.path.join(top, 'whole.rpk'), rules)
    broken = os.path.join(top, 'broken.rpk')
    cases = {'whole plan': (whole, None),
             'openat not asked for': ((CALLS_AT, OPENAT), 'opened'),
             'failed execve not asked for': ((FAILED_AT, 0), 'started'),
             'execve not asked for': ((CALLS_AT, EXECVE), 'started'),
             'no hook for system calls': ((HOOKS_AT, SYS_EXIT), 'opened')}
    for name, (change, rule) in cases.items():
        daemon = Rulerun(cleared(whole, broken, *change) if rule else whole, '--audit')
        if score.check(daemon.armed, f'{name}: did not arm:\n{daemon.read("err")}'):
            act()
        code, told = daemon.stop(), daemon.read('err')
        score.check(code == (3 if rule else 0), f'{name}: exit {code}:\n{told[-2000:]}')
        if rule:
            line = f'{{"audit":"not asked for","rule":"{rule}"'
            score.check(line in told, f'{name}: nothing of rule {rule}:\n{told[-2000:]}')


def judge(name, daemon, events, score):
    """Ends one daemon and holds what it says against the promise."""
    code = daemon.stop()
    told = daemon.read('err')
    score.check(code == 0, f'{name}: exit {code} (3: the table disagrees with the filter)\n{told[-3000:]}')
    counts = daemon.counts()
    if score.check(counts, f'{name}: no counts:\n{told[-2000:]}'):
        print(f'{name}: {counts}')
        score.check(counts['seen'] == sum(counts.values()) - counts['seen'],
                    f'{name}: counts do not add up: {counts}')
        score.check(counts['sent'] >= events, f'{name}: fewer than {events} events were judged')


def packs_of(paths, top, score):
    """{name: path} of the packs that are given, or of ours and the official ones."""
    if paths:
        return {os.path.basename(path): path for path in paths}
    packs = {'ours': build_pack(os.path.join(top, 'ours.rpk'), 'stdlib', 'rules')}
    if stable_rules():
        packs['official'] = build_pack(os.path.join(top, 'official.rpk'), *official(top, *OFFICIAL))
    else:
        score.skip('the official rules under audit')
    return packs


def hold(packs, top, events, score):
    """Plays the workload under an audit of each pack, until so many events are certain."""
    with Places() as places:
        workload = Workload(top, places)
        daemons = {name: Rulerun(path, '--audit') for name, path in packs.items()}
        for name, daemon in daemons.items():
            score.check(daemon.armed, f'{name}: did not arm:\n{daemon.read("err")}')
        start = time.monotonic()
        limit = SECONDS * max(1, events / 200000)
        while workload.certain < events * 1.1 and time.monotonic() - start < limit:
            workload.play()
        print(f'{workload.round} rounds, at least {workload.certain} opens, '
              f'{time.monotonic() - start:.1f} s')
        workload.close()
        for name, daemon in daemons.items():
            judge(name, daemon, events, score)


def main():
    options = argparse.ArgumentParser()
    options.add_argument('--events', type=int, default=200000)
    options.add_argument('packs', nargs='*')
    args = options.parse_args()
    score = Score()
    reason = why_not_live()
    if reason:
        score.skip(f'audit: {reason}', 2)
        return score.close()
    try:
        with scratch('rulerun-audit-') as top:
            hold(packs_of(args.packs, top, score), top, args.events, score)
            plans(top, score)
    except RuntimeError as error:
        score.check(False, str(error))
    return score.close()


if __name__ == '__main__':
    sys.exit(main())
