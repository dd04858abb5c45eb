#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Live tests: every rule is made to fire in a real kernel, and so is what only looks like it.

    run.py [--only RULE]

The tables are stable.yaml (the official rules), ours.yaml (rules/) and article.yaml. Each row's
process is found by a tag in its command line, so that other programs of the machine do not matter.
"""
import argparse
import os
import shutil
import signal
import socket
import string
import subprocess
import sys
import tempfile
import time

import yaml

import behaviour
from lib import (ROOT, Places, Rulerun, Score, build_pack, loaded, programs_of, stable_rules,
                 why_not_live)

HERE = os.path.dirname(os.path.abspath(__file__))
COPIES = {'/bin/bash': ['early', 'ssh'], '/usr/bin/perl': ['httpd', 'other', 'runc', 'nginx'],
          '/bin/true': ['login', 'nc', 'shredder', 'nmap', 'nmapper', 'xmrig', 'systemctl']}

# What only a container engine tells, and what would take a kernel module.
NOT_LIVE = {'Debugfs Launched in Privileged Container',
            'Kernel module loaded by unexpected program'}


class Stage:
    """The folder that scenes play in, and what they need around them."""

    def __init__(self, nginx):
        self.dir = tempfile.mkdtemp(prefix='rulerun-live-')
        os.chmod(self.dir, 0o755)
        self.run = os.path.basename(self.dir)[-8:].replace('_', 'x')
        for program, names in COPIES.items():
            for name in names:
                shutil.copy(program, os.path.join(self.dir, name))
        shutil.copy(nginx, os.path.join(self.dir, 'nginx'))
        shutil.copy('/bin/true', '/dev/shm/' + self.run)
        for folder in ('mnt', '.ssh', 'overlay'):
            os.mkdir(os.path.join(self.dir, folder))
        for name in ('release_agent', 'release_agents', 'mode', '.bashrc', 'authorized_keys',
                     '.bash_history', '.ssh/id_ed25519', '.ssh/id_ed25519.pub'):
            with open(os.path.join(self.dir, name), 'w', encoding='ascii'):
                pass
        self.overlay()
        self.server = socket.create_server(('127.0.0.1', 0))

    def overlay(self):
        """A layered file system such as a container's: `old` is of the image, `new` was added."""
        top = os.path.join(self.dir, 'overlay')
        subprocess.run(['mount', '-t', 'tmpfs', 'tmpfs', top], check=True)
        for name in ('lower', 'upper', 'work', 'all'):
            os.mkdir(os.path.join(top, name))
        shutil.copy('/bin/true', os.path.join(top, 'lower/old'))
        layers = f'lowerdir={top}/lower,upperdir={top}/upper,workdir={top}/work'
        subprocess.run(['mount', '-t', 'overlay', 'overlay', '-o', layers, top + '/all'], check=True)
        shutil.copy('/bin/true', os.path.join(top, 'all/new'))

    def names(self, places):
        """What the tables call things."""
        return {'T': self.dir, 'RUN': self.run, 'PORT': self.server.getsockname()[1],
                'PYTHON': '/usr/bin/python3', 'CONTAINER': places.id[:12]}

    def close(self):
        """Leaves nothing."""
        self.server.close()
        for path in ('overlay/all', 'overlay'):
            subprocess.run(['umount', os.path.join(self.dir, path)], check=False)
        shutil.rmtree(self.dir, ignore_errors=True)
        for path in ('/dev/shm/' + self.run, f'/var/log/{self.run}.log'):
            if os.path.exists(path):
                os.unlink(path)


def fill(value, names):
    """A table's value with its names put in."""
    if isinstance(value, list):
        return [fill(one, names) for one in value]
    return string.Template(value).substitute(names) if isinstance(value, str) else value


class Scene:
    """One row: its two commands, run, and what the alerts must say."""

    def __init__(self, number, row, names, places):
        self.row, self.places = row, places
        self.tags = {kind: f'{kind}{number}x{names["RUN"]}' for kind in ('near', 'hit')}
        self.names = {kind: {**names, 'TAG': tag} for kind, tag in self.tags.items()}
        self.processes = []

    def command(self, kind):
        """The command line of one kind."""
        argv = fill(self.row[kind], self.names[kind])
        net = self.row.get('near_net' if kind == 'near' else 'net') or self.row.get('net')
        if net:
            argv = ['/usr/bin/python3', os.path.join(HERE, 'net.py'), *map(str, net), *argv]
        return argv

    def start(self, kind):
        """Starts one kind; it may have to wait for a line."""
        process = self.places.popen(self.row.get('in', 'host'), self.command(kind),
                                    stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                    stderr=subprocess.DEVNULL)
        self.processes.append(process)

    def finish(self):
        """Lets what was started go on, and waits for its end."""
        for process in self.processes:
            try:
                process.communicate(b'\n', timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes = []
        if 'undo' in self.row:
            subprocess.run(self.row['undo'], shell=True, check=False)

    def mine(self, alerts, kind):
        """Alerts of this row's rule that its process of one kind raised."""
        def text(alert):
            fields = alert['output_fields']
            return ' '.join(str(fields.get(name))
                            for name in ('proc.cmdline', 'proc.args', 'container.id'))
        mark = fill(self.row.get('mark', '$TAG'), self.names[kind])
        return [alert for alert in alerts
                if alert['rule'] == self.row['rule'] and mark in text(alert)]

    def judge(self, alerts, score):
        """Holds the alerts against the row."""
        rule, hits = self.row['rule'], self.mine(alerts, 'hit')
        if score.check(hits, f'{rule}: no alert for {self.command("hit")}; the process raised '
                             f'{[a["rule"] for a in alerts if self.tags["hit"] in str(a)]}'):
            fields = hits[0]['output_fields']
            for name, value in self.row.get('values', {}).items():
                if name in fields:
                    want = fill(value, self.names['hit'])
                    score.check(str(fields[name]) == str(want),
                                f'{rule}: {name} is {fields[name]!r}, not {want!r}')
        near = self.mine(alerts, 'near')
        if 'mark' in self.row: # which both have: one alert, of the hit
            near = near[1:]
        score.check(not near, f'{rule}: alert for the near miss {self.command("near")}')


def play(scenes, daemon):
    """Plays all scenes; the alerts when all have come, or none came for a while."""
    for scene in scenes:
        if not scene.row.get('early'):
            for kind in ('near', 'hit'):
                scene.start(kind)
                if 'sleep' not in str(scene.row['hit']):
                    scene.finish()
    for scene in scenes:
        scene.finish()
    end = time.monotonic() + 3
    while time.monotonic() < end and not all(s.mine(daemon.alerts(), 'hit') for s in scenes):
        time.sleep(0.05)


def scenes_of(table, only, names, places):
    """The scenes of a table, in order."""
    with open(os.path.join(HERE, table + '.yaml'), encoding='utf-8') as text:
        rows = yaml.safe_load(text)
    for number, row in enumerate(rows):
        if only in (None, row['rule']):
            yield Scene(number, row, names, places)


def every_rule_has_a_row(pack, table, score):
    """A rule without a row is not tested live; those that cannot be have events in tests/rules.py."""
    run = subprocess.run([os.path.join(ROOT, 'build/rulec'), 'dump', '--rules', pack],
                         capture_output=True, text=True, check=True)
    with open(os.path.join(HERE, table + '.yaml'), encoding='utf-8') as text:
        rows = {row['rule'] for row in yaml.safe_load(text)}
    for rule in set(run.stdout.splitlines()) - NOT_LIVE:
        score.check(rule in rows, f'{table}: rule {rule} has no row in tests/live/{table}.yaml')


def perform(table, inputs, number, only, score):
    """One pack: build, arm, play, end, judge."""
    stage = Stage('/bin/bash' if table == 'stable' else '/usr/bin/perl')
    try:
        with Places() as places:
            pack = build_pack(os.path.join(stage.dir, table + '.rpk'), *inputs)
            every_rule_has_a_row(pack, table, score)
            scenes = list(scenes_of(table, only, stage.names(places), places))
            for scene in scenes:
                if scene.row.get('early'):
                    scene.start('near')
                    scene.start('hit')
            hosts = os.path.join(stage.dir, 'hosts')
            with open(hosts, 'w', encoding='ascii') as text:
                text.write('127.0.0.1 localhost\n'
                           '203.0.113.10 kubernetes.default.svc.cluster.local\n')
            daemon = Rulerun(pack, '--format', 'json', wrap=(
                'unshare', '-m', 'sh', '-c', f'mount --bind {hosts} /etc/hosts && exec "$@"', 'sh'))
            if not score.check(daemon.armed, f'{table}: rulerun did not arm:\n{daemon.read("err")}'):
                daemon.stop()
                return
            programs = programs_of(daemon.process.pid)
            play(scenes, daemon)
            code = daemon.stop(number)
            score.check(code == 0, f'{table}: exit {code} after signal {number}')
            behaviour.counts_add_up(table, daemon, score)
            score.check(programs, f'{table}: no program is attached')
            left = loaded(programs)
            score.check(not left, f'{table}: programs {left} stayed')
            for scene in scenes:
                scene.judge(daemon.alerts(), score)
    finally:
        stage.close()


def main():
    options = argparse.ArgumentParser()
    options.add_argument('--only')
    options.add_argument('--table')
    args = options.parse_args()
    score = Score()
    reason = why_not_live()
    if reason:
        score.skip(f'live tests: {reason}', 100)
        return score.close()
    stable = stable_rules()
    tables = [('ours', ['stdlib', 'rules'], signal.SIGTERM),
              ('article', ['stdlib', 'tests/rules/article.yaml'], signal.SIGINT)]
    if stable:
        tables.insert(0, ('stable', [stable], signal.SIGINT))
    else:
        score.skip('the official rules, live', 25)
    for table, inputs, number in tables:
        if args.table in (None, table):
            perform(table, inputs, number, args.only, score)
    if not args.only and not args.table:
        behaviour.run(score)
    return score.close()


if __name__ == '__main__':
    sys.exit(main())
