# SPDX-License-Identifier: Apache-2.0
"""What live tests share: places to run in, and a rulerun that is watched.

A *place* is a set of cgroups. `container` has a path such as engines give a container, without an
engine; `host` is the root of every hierarchy. Both are undone by `Places.close()`, which a test calls
whatever happened. Other namespaces are made by own.py; nothing leaves this machine.
"""
import atexit
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import yaml

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'tests'))

from score import Score  # noqa: E402,F401
from undo import scratch  # noqa: E402,F401

FALCO = os.environ.get('FALCO_RULES', os.path.join(os.path.dirname(ROOT), 'shared/rules/falco'))
# Seconds for arming: a busy machine's verifier takes its time, and that of an emulated one more.
PATIENCE = int(os.environ.get('RULEC_PATIENCE', 60))
KEYS = ('seen', 'filtered', 'sent', 'lost', 'limited')
COUNTS = re.compile('rulerun: ' + ' '.join(rf'{key}=(\d+)' for key in KEYS))
EVENTS = re.compile(r'^rulerun: (\w+) +(\d+) +(\d+) +(\d+) +(\d+) +(\d+)$', re.MULTILINE)


def hierarchies():
    """Mount points of the cgroup hierarchies, the unified one first: (path, is it version 2)."""
    found = []
    with open('/proc/self/mountinfo', encoding='utf-8') as mounts:
        for line in mounts:
            left, right = line.split(' - ')
            kind = right.split()[0]
            if kind in ('cgroup', 'cgroup2'):
                found.append((left.split()[4], kind == 'cgroup2'))
    return sorted(found, key=lambda row: not row[1])


class Places:
    """Cgroups to run in. Use as a context manager."""

    def __init__(self, container_id=None):
        self.id = container_id or os.urandom(32).hex()
        # A parent of our own: with `docker`, tests that run at a time would remove each other's.
        self.group = os.path.join(f'rulerun-test-{self.id[:8]}', self.id)
        self.made = []
        self.roots = hierarchies()

    def __enter__(self):
        for root, unified in self.roots:
            if unified or root.endswith(('/cpu', '/cpu,cpuacct')):
                parent = os.path.join(root, os.path.dirname(self.group))
                self.make(parent)
                if unified:
                    self.delegate(parent)
                self.make(os.path.join(root, self.group))
        return self

    @staticmethod
    def delegate(path):
        """Groups below get the controllers, as an engine's have them: by these they are found."""
        with open(os.path.join(path, 'cgroup.controllers'), encoding='ascii') as text:
            names = text.read().split()
        if 'memory' in names:
            with open(os.path.join(path, 'cgroup.subtree_control'), 'w', encoding='ascii') as control:
                control.write('+memory')

    def make(self, path):
        """Makes a group, and remembers that it was us."""
        if not os.path.isdir(path):
            os.mkdir(path)
            self.made.append(path)

    def enter(self, place):
        """Moves the calling process: for a child, between fork and exec."""
        for root, _ in self.roots:
            path = os.path.join(root, self.group)
            if place != 'container' or not os.path.isdir(path):
                path = root
            with open(os.path.join(path, 'cgroup.procs'), 'w', encoding='ascii') as procs:
                procs.write(str(os.getpid()))

    def popen(self, place, argv, **options):
        """Starts a program in a place."""
        return subprocess.Popen(argv, preexec_fn=lambda: self.enter(place), **options)

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Removes what was made; what still runs there is ended first."""
        for path in reversed(self.made):
            for _ in range(50):
                try:
                    os.rmdir(path)
                    break
                except OSError:
                    self.empty(path)
                    time.sleep(0.02)
        self.made = []

    @staticmethod
    def empty(path):
        """Ends the processes of a group that this test made."""
        try:
            with open(os.path.join(path, 'cgroup.procs'), encoding='ascii') as procs:
                for pid in procs.read().split():
                    os.kill(int(pid), signal.SIGKILL)
        except (OSError, ValueError):
            pass


class Rulerun:
    """A daemon under test: started, armed, ended by a signal, its alerts and counts read."""

    def __init__(self, pack, *options, program='build/rulerun', wrap=(), before=None):
        self.dir = tempfile.mkdtemp(prefix='rulerun-')
        self.process = None
        atexit.register(self.close)
        self.out = open(os.path.join(self.dir, 'out'), 'wb')
        self.err = open(os.path.join(self.dir, 'err'), 'wb')
        start = time.monotonic()
        self.process = subprocess.Popen([*wrap, os.path.join(ROOT, program), *options, pack],
                                        cwd=ROOT, stdin=subprocess.DEVNULL, stdout=self.out,
                                        stderr=self.err, preexec_fn=before)
        self.armed = self.wait_for('armed', PATIENCE)
        self.start_seconds = time.monotonic() - start

    def read(self, name):
        """What was written so far to `out` or `err`."""
        with open(os.path.join(self.dir, name), encoding='utf-8', errors='replace') as text:
            return text.read()

    def wait_for(self, word, seconds):
        """The line of standard error that holds a word, or None."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for line in self.read('err').splitlines():
                if word in line:
                    return line
            if self.process.poll() is not None:
                return None
            time.sleep(0.005)
        return None

    def alerts(self):
        """Alerts so far, with --format json. A line that is not finished yet waits."""
        return self.alerts_of(os.path.join(self.dir, 'out'))

    @staticmethod
    def alerts_of(path):
        """Alerts of a file."""
        with open(path, encoding='utf-8', errors='replace') as lines:
            text = lines.read()
        return [json.loads(line) for line in text[:text.rfind('\n') + 1].splitlines()]

    def stop(self, number=signal.SIGTERM):
        """Ends it; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
        finally:
            self.out.close()
            self.err.close()

    def close(self):
        """At the end of the test, whatever happened to it."""
        if self.process and self.process.poll() is None:
            self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    def counts(self):
        """{seen, filtered, sent, lost, limited} of the closing line, or None."""
        found = COUNTS.findall(self.read('err'))
        return dict(zip(KEYS, map(int, found[-1]))) if found else None

    def events(self):
        """The same by type of event, of the closing table."""
        order = ('seen', 'filtered', 'limited', 'sent', 'lost')
        return {event: dict(zip(order, map(int, numbers)))
                for event, *numbers in EVENTS.findall(self.read('err'))}


def build_pack(output, *inputs):
    """Compiles a pack, or says why not and raises."""
    run = subprocess.run([os.path.join(ROOT, 'build/rulec'), 'build', '-o', output, *inputs],
                         cwd=ROOT, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise RuntimeError(f'rulec build {" ".join(inputs)}: exit {run.returncode}\n{run.stderr}')
    return output


def stable_rules():
    """The official stable rules, or None (told loudly: they are not ours to copy)."""
    path = os.path.join(FALCO, 'falco_rules.yaml')
    if os.path.exists(path):
        return path
    print(f'SKIP {path} is not there: set FALCO_RULES to the folder of the official rules')
    return None


OFFICIAL = {'stable': 'falco_rules.yaml', 'incubating': 'falco-incubating_rules.yaml',
            'sandbox': 'falco-sandbox_rules.yaml'}


def official(folder, *tables, more=()):
    """What a pack of official files is built from: every rule of them is switched on."""
    paths = [os.path.join(FALCO, OFFICIAL[table]) for table in tables]
    items = list(more)
    for path in paths:
        with open(path, encoding='utf-8') as text:
            items += [{'rule': item['rule'], 'enabled': True} for item in yaml.safe_load(text)
                      if item.get('enabled') is False]
    last = os.path.join(folder, 'more.yaml')
    with open(last, 'w', encoding='ascii') as text:
        yaml.safe_dump(items, text)
    return [*paths, last]


def why_not_live():
    """The reason why nothing live can run here, or None."""
    if os.geteuid() != 0:
        return 'needs root'
    if not os.path.exists('/sys/kernel/btf/vmlinux'):
        return 'the kernel has no BTF'
    return None


def fdinfos(pid):
    """{key: number} of each descriptor of a process, as /proc has it."""
    for name in os.listdir(f'/proc/{pid}/fdinfo'):
        try:
            with open(f'/proc/{pid}/fdinfo/{name}', encoding='ascii') as text:
                found = re.findall(r'^(\w+):\s*(\d+)$', text.read(), re.MULTILINE)
        except (FileNotFoundError, ProcessLookupError):
            continue    # closed since it was listed
        yield {key: int(value) for key, value in found}


def programs_of(pid):
    """Ids of the BPF programs that a process holds, as its descriptors tell."""
    return {row['prog_id'] for row in fdinfos(pid) if 'prog_id' in row}


def verified(pid):
    """How many instructions the kernel walked through to verify each program of a process."""
    return [row['verified_insns'] for row in fdinfos(pid) if 'verified_insns' in row]


def loaded(programs, seconds=5):
    """Those of some programs' ids that the kernel still has; it lets go of them a little later."""
    end = time.monotonic() + seconds
    while programs and time.monotonic() < end:
        programs = {number for number in programs
                    if subprocess.run(['bpftool', 'prog', 'show', 'id', str(number)], check=False,
                                      capture_output=True).returncode == 0}
        time.sleep(0.05)
    return programs
