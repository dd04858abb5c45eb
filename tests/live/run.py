#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Live tests: every rule is made to fire in a real kernel, and so is what only looks like it.

    run.py [--table TABLE] [--only RULE]... [--no-audit]

The tables are stable.yaml, incubating.yaml and sandbox.yaml (the official rules, those switched off
too), ours.yaml (rules/), article.yaml, and around.yaml: ways around a rule. Each row's process is
found by a tag in its command line, so that other programs of the machine do not matter. A row that
cannot be played gives its events as `rulec eval` reads them (`inject`, `inject_near`), and says `why`.
At the end a line for each rule of the official files tells how it was seen to fire.
"""
import argparse
import json
import os
import shutil
import signal
import socket
import string
import subprocess
import sys
import time

import yaml

import behaviour
from lib import (OFFICIAL, ROOT, Places, Rulerun, Score, build_pack, loaded, official, programs_of,
                 scratch, stable_rules, why_not_live)

HERE = os.path.dirname(os.path.abspath(__file__))
COPIES = {'/bin/bash': ['early', 'ssh'], '/bin/cat': ['sshd'],
          '/usr/bin/perl': ['trusted', 'anything', 'httpd', 'other', 'runc', 'nginx', 'mysqld',
                           'npm', 'java'],
          '/bin/true': ['login', 'nc', 'shredder', 'nmap', 'nmapper', 'xmrig', 'systemctl',
                        'crontab', 'rsync', 'kubectl', 'sudoedit', 'pkexec']}
FILES = ['release_agent', 'release_agents', 'mode', '.bashrc', 'authorized_keys', '.bash_history',
         '.ssh/id_ed25519', '.ssh/id_ed25519.pub', 'liblzma.so.5.6.1', 'liblzma.so.5.6.2']
FOLDERS = ['mnt', '.ssh', 'overlay', 'jail', 'jail/host', 'jail/hosts']
HOSTS = ('127.0.0.1 localhost\n203.0.113.10 kubernetes.default.svc.cluster.local other\n'
         '203.0.113.10 another pool.minexmr.com\n')

# What users of the official rules are told to fill in.
ADAPTED = {'incubating': [{'list': 'namespace_scope_network_only_subnet', 'items': ['watched']}],
           'sandbox': [{'macro': 'allowed_containers', 'condition': 'container.id = allowed'}]}

# Of rules/: what would take a kernel module.
NOT_LIVE = {'Kernel module loaded by unexpected program'}


class Stage:
    """The folder that scenes play in, and what they need around them. Use as a context manager."""

    def __init__(self, folder):
        self.dir = folder
        self.run = os.path.basename(folder)[-8:].replace('_', 'x')
        self.server = socket.create_server(('127.0.0.1', 0))

    def set_up(self, nginx):
        """Programs, files, and a file system as of a container."""
        for program, names in COPIES.items():
            for name in names:
                shutil.copy(program, os.path.join(self.dir, name))
        shutil.copy(nginx, os.path.join(self.dir, 'nginx'))
        shutil.copy('/bin/true', '/dev/shm/' + self.run)
        for folder in FOLDERS:
            os.mkdir(os.path.join(self.dir, folder))
        for name in FILES:
            with open(os.path.join(self.dir, name), 'w', encoding='ascii'):
                pass
        self.overlay()

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
                'PYTHON': '/usr/bin/python3', 'CONTAINER': places.id[:12], 'HERE': HERE,
                'ROOT': os.getcwd(), 'BUILD': os.path.join(ROOT, 'build/release'),
                'LONG': 5000 * 'x'}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """Leaves nothing outside of the folder."""
        self.server.close()
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

    def option(self, name, kind):
        """A row's option; the near miss may have one of its own."""
        own = self.row.get('near_' + name) if kind == 'near' else None
        return own or self.row.get(name)

    def command(self, kind):
        """The command line of one kind."""
        argv = fill(self.row[kind], self.names[kind])
        net, over = self.option('net', kind), self.option('over', kind) or []
        own = [word for folder in over for word in ('--over', folder)]
        if net:
            own += ['--net', net[0]] + [word for port in net[1:] for word in ('--listen', str(port))]
        return ['/usr/bin/python3', os.path.join(HERE, 'own.py'), *own, *argv] if own else argv

    def start(self, kind):
        """Starts one kind; it may have to wait for a line."""
        process = self.places.popen(self.option('in', kind) or 'host', self.command(kind),
                                    stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                    stderr=subprocess.DEVNULL)
        self.names[kind]['PID'] = process.pid
        self.processes.append(process)

    def finish(self):
        """Lets what was started go on, and waits for its end."""
        for process in self.processes:
            try:
                process.communicate(b'\n', timeout=120)
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
            return ' '.join(str(fields.get(name)) for name in
                            ('proc.cmdline', 'proc.args', 'proc.exepath', 'container.id'))
        mark = fill(self.row.get('mark', '$TAG'), self.names[kind])
        return [alert for alert in alerts
                if alert['rule'] == self.row['rule'] and mark in text(alert)]

    def wrong(self, alert):
        """What an alert says otherwise than the row knows."""
        fields = alert['output_fields']
        wanted = {name: str(fill(value, self.names['hit']))
                  for name, value in self.row.get('values', {}).items()}
        wrong = [f'{name} is {fields.get(name)!r}, not {want!r}' for name, want in wanted.items()
                 if str(fields.get(name)) != want]
        uncertain = alert.get('rulerun', {}).get('uncertain', False)
        if uncertain != self.row.get('uncertain', False):
            wrong.append(f'uncertain is {uncertain}')
        return wrong

    def judge(self, alerts, score):
        """Holds the alerts against the row; True if the rule fired as it should."""
        rule, hits = self.row['rule'], self.mine(alerts, 'hit')
        if not score.check(hits, f'{rule}: no alert for {self.command("hit")}; the process raised '
                                 f'{[a["rule"] for a in alerts if self.tags["hit"] in str(a)]}'):
            return False
        wrong = min((self.wrong(alert) for alert in hits), key=len)
        near = self.mine(alerts, 'near')
        if 'mark' in self.row: # which both have: one alert, of the hit
            near = near[1:]
        good = score.check(not wrong, f'{rule}: {"; ".join(wrong)}')
        quiet = score.check(not near, f'{rule}: alert for the near miss {self.command("near")}')
        return good and quiet


class Injected(Scene):
    """A row that cannot be played: its events are judged by the table, from the record on."""

    def inject(self, pack, score):
        """True if the rule fires on the one event and not on the other."""
        events = os.path.join(os.path.dirname(pack), 'events.jsonl')
        with open(events, 'w', encoding='ascii') as text:
            for kind in ('inject', 'inject_near'):
                text.write(json.dumps(self.row[kind]) + '\n')
        run = subprocess.run([os.path.join(ROOT, 'build/rulec'), 'eval', '--engine', 'table', '--all',
                              '--alerts', '--events', events, pack], capture_output=True, text=True,
                             check=False)
        rule, told = self.row['rule'], [json.loads(line) for line in run.stdout.splitlines()]
        if not score.check(len(told) == 2, f'{rule}: rulec eval: {run.stderr}'):
            return False
        fires = [rule in one['rules'] for one in told]
        words = [f'{value}' for value in self.row.get('values', {}).values()]
        missing = [word for word in words if word not in str(told[0].get('alerts'))]
        return (score.check(fires == [True, False], f'{rule}: injected: fires {fires}')
                and score.check(not missing, f'{rule}: injected: no {missing} in {told[0]}'))


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
    end = time.monotonic() + 20
    while time.monotonic() < end and not all(s.mine(daemon.alerts(), 'hit') for s in scenes):
        time.sleep(0.05)


def scenes_of(table, only, names, places):
    """The scenes of a table, in order."""
    with open(os.path.join(HERE, table + '.yaml'), encoding='utf-8') as text:
        rows = yaml.safe_load(text)
    for number, row in enumerate(rows):
        if not only or row['rule'] in only:
            yield (Injected if 'inject' in row else Scene)(number, row, names, places)


def every_rule_has_a_row(pack, table, score):
    """A rule without a row is not tested live; those that cannot be have events in tests/rules.py."""
    run = subprocess.run([os.path.join(ROOT, 'build/rulec'), 'dump', '--rules', pack],
                         capture_output=True, text=True, check=True)
    with open(os.path.join(HERE, table + '.yaml'), encoding='utf-8') as text:
        rows = {row['rule'] for row in yaml.safe_load(text)}
    for rule in set(run.stdout.splitlines()) - NOT_LIVE:
        score.check(rule in rows, f'{table}: rule {rule} has no row in tests/live/{table}.yaml')


def arm(pack, folder):
    """A daemon that resolves names by a file of our own. No limit: one row races for a while."""
    hosts = os.path.join(folder, 'hosts')
    with open(hosts, 'w', encoding='ascii') as text:
        text.write(HOSTS)
    return Rulerun(pack, '--format', 'json', '--all-matches', '--rate', '0', wrap=(
        'unshare', '-m', 'sh', '-c', f'mount --bind {hosts} /etc/hosts && exec "$@"', 'sh'))


def judge_all(scenes, pack, alerts, score):
    """{rule: how it was seen to fire, or None} of a table's scenes."""
    seen = {}
    for scene in scenes:
        rule = scene.row['rule']
        if isinstance(scene, Injected):
            seen[rule] = scene.inject(pack, score) and f'injected: {scene.row["why"]}'
        elif not scene.judge(alerts, score):
            seen[rule] = None
        else:
            seen.setdefault(rule, 'live')
    return seen


def audited(table, auditor, score):
    """Ends the daemon that held the filter against the rules while the table was played."""
    code = auditor.stop()
    told = auditor.read('err')
    wrong = [line for line in told.splitlines() if line.startswith('{"audit"')]
    score.check(code == 0, f'{table}: exit {code} of the audit (3: the table disagrees with the '
                           'filter)\n' + '\n'.join(wrong[:10] or [told[-3000:]]))
    print(f'{table}: audit {auditor.counts()}')


def perform(table, inputs, number, args, score):
    """One pack: build, arm, play, end, judge."""
    with scratch('rulerun-live-', 0o755) as folder, Stage(folder) as stage, Places() as places:
        stage.set_up('/bin/bash' if table in OFFICIAL else '/usr/bin/perl')
        pack = build_pack(os.path.join(stage.dir, table + '.rpk'),
                          *(inputs or official(stage.dir, table, more=ADAPTED.get(table, []))))
        every_rule_has_a_row(pack, table, score)
        scenes = list(scenes_of(table, args.only, stage.names(places), places))
        live = [scene for scene in scenes if not isinstance(scene, Injected)]
        for scene in live:
            if scene.row.get('early'):
                scene.start('near')
                scene.start('hit')
        daemon = arm(pack, stage.dir)
        if not score.check(daemon.armed, f'{table}: rulerun did not arm:\n{daemon.read("err")}'):
            daemon.stop()
            return {}
        score.check(' is missing: ' not in daemon.read('err'),
                    f'{table}: not all hooks:\n{daemon.read("err")}')
        programs = programs_of(daemon.process.pid)
        auditor = None if args.no_audit else Rulerun(pack, '--audit')
        if auditor:
            score.check(auditor.armed, f'{table}: no audit:\n{auditor.read("err")}')
        play(live, daemon)
        code = daemon.stop(number)
        if auditor:
            audited(table, auditor, score)
        score.check(code == 0, f'{table}: exit {code} after signal {number}')
        behaviour.counts_add_up(table, daemon, score)
        score.check(programs, f'{table}: no program is attached')
        left = loaded(programs)
        score.check(not left, f'{table}: programs {left} stayed')
        return judge_all(scenes, pack, daemon.alerts(), score)


def show(seen):
    """The table of the official rules: which fired, and how."""
    for table, rules in seen.items():
        for rule, how in rules.items():
            print(f'{table:<11} {rule:<75} {how or "NOT SEEN"}')
    hows = [how for rules in seen.values() for how in rules.values()]
    if hows:
        print(f'{len(hows)} official rules: {hows.count("live")} live, '
              f'{sum(str(how).startswith("injected") for how in hows)} injected, '
              f'{hows.count(None)} not')


def main():
    options = argparse.ArgumentParser()
    options.add_argument('--only', action='append', default=[])
    options.add_argument('--no-audit', action='store_true')
    options.add_argument('--table')
    args = options.parse_args()
    score = Score()
    reason = why_not_live()
    if reason:
        score.skip(f'live tests: {reason}', 100)
        return score.close()
    tables = [('ours', ['stdlib', 'rules'], signal.SIGTERM),
              ('article', ['stdlib', 'tests/rules/article.yaml'], signal.SIGINT),
              ('around', ['tests/live/around_rules.yaml'], signal.SIGTERM)]
    if stable_rules():
        tables = [(table, None, signal.SIGINT) for table in OFFICIAL] + tables
    else:
        score.skip('the official rules, live', 93)
    seen = {}
    for table, inputs, number in tables:
        if args.table in (None, table):
            found = perform(table, inputs, number, args, score)
            if table in OFFICIAL:
                seen[table] = found
    show(seen)
    if not args.only and not args.table:
        behaviour.run(score)
    return score.close()


if __name__ == '__main__':
    sys.exit(main())
