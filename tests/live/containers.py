#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Live tests with a real container engine: podman, offline, everything below a folder of its own.

    containers.py [--starts N]

What a rule and its alert say of containers must be right from a container's first process on. N
containers (100) are started while a rule waits for their image; each must give its alert, with its
own id and name.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

from lib import ROOT, Rulerun, Score, build_pack, hierarchies, scratch, stable_rules, why_not_live

PATIENCE = 20
RULES = '''
- rule: Started
  desc: a process of our image starts
  condition: >
    evt.type in (execve, execveat) and evt.failed = false and proc.exepath startswith /bin/
    and container.image.repository = localhost/bb
  output: >
    %proc.cmdline %container.id %container.full_id %container.name %container.image
    %container.image.tag %container.image.digest %container.image.id %container.privileged
    %container.type %container.mounts %container.host_network %container.host_pid
  priority: INFO
- rule: Privileged
  desc: a program of a container that may do as it likes
  condition: >
    evt.type in (execve, execveat) and proc.exepath startswith /bin/
    and container.privileged = true and container.mount.source[/data] exists
  output: "%proc.cmdline %container.name"
  priority: INFO
- rule: Other image
  desc: never
  condition: >
    evt.type in (execve, execveat) and container.type = podman
    and container.image.repository != localhost/bb
  output: "%proc.cmdline %container.name"
  priority: INFO
'''
OUTPUT_RULES = '''
- rule: Named in the output alone
  desc: the condition does not ask for metadata, the output does
  condition: evt.type in (open, openat, openat2) and fd.name = /etc/marker
  output: "%evt.num %proc.cmdline %container.name %container.image.tag"
  priority: INFO
- rule: No metadata
  desc: neither the condition nor the output asks for metadata
  condition: evt.type in (open, openat, openat2) and fd.name = /etc/plain
  output: "%evt.num %proc.cmdline"
  priority: INFO
'''

TOLD_RULES = '''
- rule: Another image opens
  desc: never
  condition: >
    evt.type in (open, openat, openat2) and fd.name = /etc/plain
    and container.image.repository = localhost/none
  output: "%container.name"
  priority: INFO
- rule: Our image opens
  desc: the near miss
  condition: >
    evt.type in (open, openat, openat2) and fd.name = /etc/marker
    and container.image.repository = localhost/bb and not container.privileged = true
  output: "%proc.cmdline %container.name"
  priority: INFO
'''


class Podman:
    """
    An engine with nothing in it but an image of one program, `localhost/bb:1`, all below a folder.
    Use as a context manager.
    """

    def __init__(self, folder):
        self.dir = folder
        self.roots = [os.path.join(self.dir, name) for name in ('root', 'run')]
        self.base = ['podman', '--root', self.roots[0], '--runroot', self.roots[1], '--tmpdir',
                     os.path.join(self.dir, 'tmp'), '--runtime', 'runc', '--cgroup-manager',
                     'cgroupfs', '--events-backend', 'file']
        self.group = 'libpod_parent'
        self.limits = ['--network', 'none', '--ulimit', 'nofile=1024:1024', '--ulimit',
                       'nproc=1024:1024']

    def __call__(self, *args, check=True):
        """Runs podman; its standard output."""
        # Not pipes: what stays behind in the background holds them open.
        with tempfile.TemporaryFile('w+') as out, tempfile.TemporaryFile('w+') as err:
            code = subprocess.run([*self.base, *args], stdin=subprocess.DEVNULL, stdout=out,
                                  stderr=err, timeout=120, check=False).returncode
            out.seek(0)
            err.seek(0)
            if check and code != 0:
                raise RuntimeError(f'podman {" ".join(args)}: exit {code}\n{err.read()}')
            return out.read().strip()

    def run(self, *args, check=True):
        """`podman run` with what it needs here."""
        return self('run', *self.limits, *args, check=check)

    def make_image(self):
        """A file system with busybox, as an image."""
        tree = os.path.join(self.dir, 'fs')
        for folder in ('bin', 'etc', 'tmp'):
            os.makedirs(os.path.join(tree, folder))
        shutil.copy('/bin/busybox', os.path.join(tree, 'bin'))
        for name in ('sh', 'cat', 'sleep', 'true'):
            os.symlink('busybox', os.path.join(tree, 'bin', name))
        for name in ('marker', 'plain'):
            with open(os.path.join(tree, 'etc', name), 'w', encoding='ascii'):
                pass
        shutil.copy('/bin/busybox', os.path.join(tree, 'bin', 'debugfs'))
        subprocess.run(['tar', '-C', tree, '-cf', tree + '.tar', '.'], check=True)
        self('import', tree + '.tar', 'localhost/bb:1')
        with open(os.path.join(self.roots[0], 'overlay-images/images.json'), encoding='ascii') as f:
            image = json.load(f)[0]
        return image['id'], image['digest']

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """No trace is left outside of the folder: containers, groups."""
        self('rm', '-f', '-a', '-t', '0', check=False)
        for root, _ in hierarchies():
            for path, _, _ in os.walk(os.path.join(root, self.group), topdown=False):
                try:
                    os.rmdir(path)
                except OSError:
                    pass  # another engine's


def fields(alert):
    """Its output_fields, shortly."""
    return alert['output_fields']


def of_rule(rulerun, rule):
    """Alerts of a rule so far."""
    return [alert for alert in rulerun.alerts() if alert['rule'] == rule]


def wait_alerts(rulerun, rule, good, number=1):
    """Waits until so many alerts of a rule please; those that do."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = [alert for alert in of_rule(rulerun, rule) if good(fields(alert))]
        if len(found) >= number:
            break
        time.sleep(0.02)
    return found


def by_name(name, cmdline):
    """A test of an alert's fields."""
    return lambda f: f['container.name'] == name and f['proc.cmdline'] == cmdline


class Tests:
    """The tests; each names its containers itself."""

    def __init__(self, podman, image, score):
        self.podman, self.image, self.score = podman, image, score
        self.pack = self.build('rules', RULES + OUTPUT_RULES)
        self.small = self.build('small', OUTPUT_RULES)

    def build(self, name, text):
        """A pack of some rules."""
        path = os.path.join(self.podman.dir, name + '.yaml')
        with open(path, 'w', encoding='ascii') as out:
            out.write(text)
        return build_pack(os.path.join(self.podman.dir, name + '.rpk'), path)

    def start(self, *options):
        """A daemon that looks where our engine keeps its files."""
        roots = [f'--container-root=podman={root}' for root in self.podman.roots]
        rulerun = Rulerun(self.pack, '--format=json', '--all-matches', *roots, *options)
        self.score.check(rulerun.armed, 'rulerun does not arm: ' + rulerun.read('err'))
        return rulerun

    def values(self, rulerun):
        """Every field of a privileged container and of a plain one."""
        podman = self.podman
        whole = podman.run('-d', '--name', 'web1', '--privileged', '-v', '/tmp:/data:ro',
                           'localhost/bb:1', '/bin/sleep', '1000')
        found = wait_alerts(rulerun, 'Started', by_name('web1', 'sleep 1000'))
        want = {'container.id': whole[:12], 'container.full_id': whole, 'container.name': 'web1',
                'container.image': 'localhost/bb:1', 'container.image.tag': '1',
                'container.image.id': self.image[0], 'container.image.digest': self.image[1],
                'container.privileged': True, 'container.type': 'podman',
                'container.mounts': '/tmp:/data::false:rprivate', 'container.host_network': False,
                'container.host_pid': False, 'proc.cmdline': 'sleep 1000'}
        got = {key: fields(found[0])[key] for key in want} if found else None
        self.score.check(got == want, f'values of a privileged container:\n{got}\n{want}')
        found = wait_alerts(rulerun, 'Privileged', by_name('web1', 'sleep 1000'))
        self.score.check(len(found) == 1, f'a rule on container.privileged: {len(found)} alerts')
        podman.run('-d', '--name', 'web2', '--pid', 'host', 'localhost/bb:1', '/bin/sleep', '1001')
        found = wait_alerts(rulerun, 'Started', by_name('web2', 'sleep 1001'))
        got = [fields(found[0])[key] for key in ('container.privileged', 'container.mounts',
                                                 'container.host_pid')] if found else None
        self.score.check(got in ([False, None, True], [False, '', True]),
                         f'values of a plain container: {got}')
        self.score.check(not [a for a in of_rule(rulerun, 'Privileged')
                              if fields(a)['container.name'] == 'web2'],
                         'a plain container is taken for a privileged one')

    def execs(self, rulerun):
        """A program that is started in a running container."""
        self.podman('exec', 'web1', '/bin/sh', '-c', 'exec /bin/cat /etc/marker')
        found = wait_alerts(rulerun, 'Started', by_name('web1', 'cat /etc/marker'))
        self.score.check(len(found) == 1, f'exec into a container: {len(found)} alerts')
        found = wait_alerts(rulerun, 'Named in the output alone', by_name('web1', 'cat /etc/marker'))
        self.score.check(len(found) == 1 and fields(found[0])['container.image.tag'] == '1',
                         f'metadata in the output alone: {found}')

    def short(self, rulerun):
        """A container that is removed the moment it ends."""
        self.podman.run('--rm', '--name', 'brief', 'localhost/bb:1', '/bin/true')
        found = wait_alerts(rulerun, 'Started', by_name('brief', 'true'))
        self.score.check(len(found) == 1 and 'rulerun' not in found[0],
                         f'a container removed at its end: {found}')

    def many(self, rulerun, number):
        """Many fresh containers: the first process of each is judged with its own image."""
        ids = {}
        start = time.monotonic()
        for i in range(number):
            ids[f'many{i}'] = self.podman.run('-d', '--name', f'many{i}', 'localhost/bb:1',
                                              '/bin/true', str(i))
        seconds = time.monotonic() - start
        found = wait_alerts(rulerun, 'Started', lambda f: f['proc.cmdline'].startswith('true '),
                            number)
        got = {fields(a)['container.name']: (fields(a)['container.full_id'],
                                             fields(a)['container.id'],
                                             fields(a)['container.image'],
                                             fields(a)['proc.cmdline']) for a in found}
        want = {name: (whole, whole[:12], 'localhost/bb:1', 'true ' + name[4:])
                for name, whole in ids.items()}
        self.score.check(len(found) == number and got == want,
                         f'{number} containers: {len(found)} alerts, wrong: '
                         f'{[k for k in want if got.get(k) != want[k]][:3]}')
        print(f'{number} containers in {seconds:.1f} s, {len(found)} alerts with their own id, '
              f'name and image')

    def aside(self):
        """Roots without a container, beside the engine's; and the options that name them."""
        aside = [tempfile.mkdtemp(dir=self.podman.dir) for _ in self.podman.roots]
        return aside, [f'--container-root=podman={other}' for other in aside]

    def running(self):
        """A process that ran in its container before the daemon was started."""
        roots = [f'--container-root=podman={root}' for root in self.podman.roots]
        self.podman.run('-d', '--name', 'before', 'localhost/bb:1', '/bin/sh', '-c',
                        'while :; do read x </etc/marker; sleep 0.2; done')
        rulerun = Rulerun(self.small, '--format=json', *roots)
        found = wait_alerts(rulerun, 'Named in the output alone',
                            lambda f: f['container.name'] == 'before')
        self.score.check(found and fields(found[0])['container.image.tag'] == '1',
                         f'a container that already ran: {rulerun.alerts()[:2]}')
        rulerun.stop()
        self.podman('rm', '-f', '-t', '0', 'before')

    def replayed(self, rulerun, pack, recording):
        """The recording gives the same alerts, also of events that had to wait, or in vain."""
        run = subprocess.run([os.path.join(ROOT, 'build/rulerun'), '--format=json', '--all-matches',
                              '--replay', recording, pack], cwd=ROOT, capture_output=True,
                             text=True, check=False)
        self.score.check(run.returncode == 0 and run.stdout == rulerun.read('out'),
                         f'the replay differs:\n{run.stdout}{run.stderr}\n{rulerun.read("out")}')

    def order(self):
        """Alerts of one process keep their order while one waits; others do not wait for it."""
        aside, links = self.aside()
        self.podman.run('-d', '--name', 'order', 'localhost/bb:1', '/bin/sleep', '1003')
        recording = os.path.join(self.podman.dir, 'order.rec')
        rulerun = Rulerun(self.small, '--format=json', '--container-wait=10000', '--record',
                          recording, *links)
        self.podman('exec', 'order', '/bin/sh', '-c', 'read x </etc/marker; read x </etc/plain; true')
        self.podman('exec', 'order', '/bin/cat', '/etc/plain')
        wait_alerts(rulerun, 'No metadata', lambda f: f['proc.cmdline'] == 'cat /etc/plain')
        got = [(alert['rule'], fields(alert)['proc.cmdline'][:3]) for alert in rulerun.alerts()]
        self.score.check(got == [('No metadata', 'cat')], f'while one waits: {got}')
        self.copy(self.podman.roots[0], aside[0])
        wait_alerts(rulerun, 'No metadata', lambda f: f['proc.cmdline'].startswith('sh'))
        got = [(alert['rule'], fields(alert)['proc.cmdline'][:3]) for alert in rulerun.alerts()]
        self.score.check(got == [('No metadata', 'cat'), ('Named in the output alone', 'sh '),
                                 ('No metadata', 'sh ')], f'after it has waited: {got}')
        rulerun.stop()
        self.replayed(rulerun, self.small, recording)

    def crowd(self, number):
        """More events than can wait: the oldest are judged early, none is lost, all in order."""
        _, links = self.aside()
        self.podman.run('-d', '--name', 'crowd', 'localhost/bb:1', '/bin/sleep', '1004')
        rulerun = Rulerun(self.small, '--format=json', '--container-wait=10000', '--buffer=64M',
                          *links)
        self.podman('exec', 'crowd', '/bin/sh', '-c',
                    f'i=0; while [ $i -lt {number} ]; do read x </etc/marker; i=$((i+1)); done')
        rule = 'Named in the output alone'
        early = len(wait_alerts(rulerun, rule, lambda f: True, number - 1024))
        rulerun.stop()
        found = of_rule(rulerun, rule)
        numbers = [fields(alert)['evt.num'] for alert in found]
        self.score.check(early == number - 1024, f'{early} alerts before the end')
        self.score.check(len(found) == number and numbers == sorted(numbers) and
                         all(alert['rulerun'] == {'no_metadata': True} for alert in found),
                         f'{len(found)} alerts of {number}')
        self.score.check(f'events waited={number}, judged early={number - 1024}' in
                         rulerun.read('err'), rulerun.read('err'))

    def told(self):
        """The kernel is told what is known of a container: its events need not be sent."""
        roots = [f'--container-root=podman={root}' for root in self.podman.roots]
        self.podman.run('-d', '--name', 'told', 'localhost/bb:1', '/bin/sleep', '1005')
        rulerun = Rulerun(self.build('told', TOLD_RULES), '--format=json', *roots)
        self.podman('exec', 'told', '/bin/sh', '-c', 'i=0; while [ $i -lt 300 ]; do '
                    'for x in 1 2 3 4 5; do read x </etc/plain; done; sleep 0.01; i=$((i+1)); done; '
                    'for x in 1 2 3; do read x </etc/marker; done; true')
        found = wait_alerts(rulerun, 'Our image opens', lambda f: f['container.name'] == 'told', 3)
        self.score.check(rulerun.stop() == 0, 'rulerun does not end well')
        rows = [row for event, row in rulerun.events().items() if event.startswith('open')]
        sent, lost = sum(row['sent'] for row in rows), sum(row['lost'] for row in rows)
        self.score.check(len(found) == len(rulerun.alerts()) == 3,
                         f'a container that was told of: {rulerun.alerts()[:5]}')
        print(f'told of a container: 1500 opens, {sent - 3} sent')
        self.score.check(lost == 0 and 3 < sent < 750, f'told of a container: {sent} sent')

    @staticmethod
    def copy(root, other):
        """What an engine's root says of containers, elsewhere."""
        for folder, _, names in os.walk(os.path.join(root, 'overlay-containers')):
            for name in names:
                if name in ('containers.json', 'volatile-containers.json', 'config.json'):
                    target = other + folder[len(root):]
                    os.makedirs(target, exist_ok=True)
                    shutil.copy(os.path.join(folder, name), target)

    def late(self):
        """The engine's files come after the first event: it waits, and is judged rightly."""
        aside, links = self.aside()
        for wait, known in ((5000, True), (100, False)):
            self.podman.run('-d', '--name', f'late{wait}', 'localhost/bb:1', '/bin/sleep', '1002')
            recording = os.path.join(self.podman.dir, f'late{wait}.rec')
            rulerun = Rulerun(self.pack, '--format=json', '--all-matches', '--record', recording,
                              f'--container-wait={wait}', *links)
            self.podman('exec', f'late{wait}', '/bin/cat', '/etc/marker')
            time.sleep(0.3)
            rule = 'Named in the output alone'
            self.score.check(bool(of_rule(rulerun, rule)) != known,
                             f'wait of {wait} ms: alerts after 300 ms: {of_rule(rulerun, rule)}')
            if known:
                for root, other in zip(self.podman.roots, aside):
                    self.copy(root, other)
            found = wait_alerts(rulerun, rule, lambda f: f['proc.cmdline'] == 'cat /etc/marker')
            name = f'late{wait}' if known else None
            self.score.check(len(found) == 1 and fields(found[0])['container.name'] == name and
                             ('no_metadata' in found[0].get('rulerun', {})) != known,
                             f'wait of {wait} ms: {found}')
            rulerun.stop()
            self.replayed(rulerun, self.pack, recording)
            for other in aside:
                shutil.rmtree(os.path.join(other, 'overlay-containers'), ignore_errors=True)

    def official(self):
        """The official rule that asks for a privileged container."""
        rules = stable_rules()
        if not rules:
            self.score.skip('the official rule of privileged containers')
            return
        pack = build_pack(os.path.join(self.podman.dir, 'official.rpk'), rules)
        roots = [f'--container-root=podman={root}' for root in self.podman.roots]
        rulerun = Rulerun(pack, '--format=json', '--rules=disable:*',
                          '--rules=enable:Debugfs Launched in Privileged Container', *roots)
        # It need not do anything: busybox does not know itself by this name.
        for name, options in (('plain', []), ('mighty', ['--privileged'])):
            self.podman.run('--rm', *options, 'localhost/bb:1', '/bin/debugfs', name, check=False)
        found = wait_alerts(rulerun, 'Debugfs Launched in Privileged Container',
                            lambda f: f['proc.cmdline'] == 'debugfs mighty')
        lines = [fields(alert)['proc.cmdline'] for alert in rulerun.alerts()]
        self.score.check(len(found) == 1 and lines == ['debugfs mighty'],
                         f'Debugfs Launched in Privileged Container: alerts of {lines}')
        rulerun.stop()


def play(podman, score, number):
    """Everything, in order."""
    image = podman.make_image()
    tests = Tests(podman, image, score)
    rulerun = tests.start()
    tests.values(rulerun)
    tests.execs(rulerun)
    tests.short(rulerun)
    tests.many(rulerun, number)
    score.check(rulerun.stop() == 0, 'rulerun does not end well')
    score.check(not of_rule(rulerun, 'Other image'), 'a rule of another image fires')
    print('\n'.join(line for line in rulerun.read('err').splitlines() if 'containers:' in line))
    tests.late()
    tests.running()
    tests.order()
    tests.crowd(3000)
    tests.told()
    tests.official()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--starts', type=int, default=100)
    options = parser.parse_args()
    score = Score()
    why = why_not_live() or next((f'{tool} is not installed: see tests/deps.sh'
                                  for tool in ('podman', 'runc', 'busybox')
                                  if not shutil.which(tool)), None)
    if why:
        score.skip(f'containers: {why}')
        return score.close()
    os.chdir(ROOT)
    with scratch('rulerun-podman-') as folder, Podman(folder) as podman:
        play(podman, score, options.starts)
    return score.close()


if __name__ == '__main__':
    sys.exit(main())
