#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lore: what user space knows of a user and of an address is told to the kernel, and holds.

    lore.py

The daemon runs in a mount namespace where /etc/passwd and /etc/hosts are files of the test. What
must be: events of a user or to an address that is known end in the kernel; the near miss fires,
each time; a change of a file is seen; under an audit the filter and the table agree. How often a
thing is told again depends on the machine's load: held is that most events are not sent.
"""
import os
import shutil
import subprocess
import sys
import time

from lib import (OFFICIAL, PATIENCE, Places, Rulerun, Score, build_pack, official, scratch,
                 stable_rules, why_not_live)

EVENTS, PAUSE = 3000, 0.001
USERS = 4000  # about twice as many as there are rows
ROOT_ID, OTHER_ID = 0, 4242
FAR, NEAR, API = '127.0.0.7', '127.0.0.8', '127.0.0.9'
RULES = '''
- rule: Opened by lorena
  desc: the user's name is known in user space alone
  condition: >
    evt.type in (open, openat, openat2) and fd.name startswith {top}/mark and user.name = lorena
  output: "%fd.name %user.name"
  priority: INFO
- rule: Opened by a stranger
  desc: the same under a negation
  condition: >
    evt.type in (open, openat, openat2) and fd.name startswith {top}/not and not user.name = root
  output: "%fd.name %user.name"
  priority: INFO
- rule: Connected
  desc: so is the address's
  condition: evt.type = connect and fd.sip.name = near.example
  output: "%fd.sip"
  priority: INFO
'''
# Opens a path so many times as a user; runs in a place of its own.
OPENER = '''
import os, sys, time
path, number, pause, user = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
if user:
    os.setuid(user)
for _ in range(number):
    os.close(os.open(path, os.O_RDONLY))
    time.sleep(pause)
'''
# Opens a path as many users in turn, and as one of them each time in between.
CROWD = '''
import os, sys
path, users, one = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
for user in range(1, users + 1):
    for name in (user + 100000, one):
        os.seteuid(name)
        os.close(os.open(path, os.O_RDONLY))
        os.seteuid(0)
'''
# The same of connections, which nobody need answer.
CONNECTER = '''
import socket, sys, time
address, number, pause = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
for _ in range(number):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.connect((address, 9))
    time.sleep(pause)
'''
# The files over those of /etc, for what the shell becomes alone.
ENTER = 'mount --bind "$0/passwd" /etc/passwd && mount --bind "$0/hosts" /etc/hosts && exec "$@"'


class Lore:
    """A folder with the files, a pack, a place to act in, a daemon."""

    def __init__(self, top, places, score):
        self.top, self.places, self.score = top, places, score
        os.chmod(top, 0o755)
        self.names('root', 'lorena')
        self.put('hosts', f'{NEAR} near.example\n{API} kubernetes.default.svc.cluster.local\n')
        for name in ('mark', 'not'):
            self.put(name, '')
        self.put('rules.yaml', RULES.format(top=top))
        self.pack = build_pack(os.path.join(top, 'p.rpk'), os.path.join(top, 'rules.yaml'))

    def put(self, name, text):
        """Writes a file, in place: what is mounted stays so."""
        with open(os.path.join(self.top, name), 'w', encoding='ascii') as out:
            out.write(text)

    def names(self, zero, other):
        """What the two users are called."""
        self.put('passwd', f'{zero}:x:{ROOT_ID}:0::/root:/bin/sh\n'
                           f'{other}:x:{OTHER_ID}:1::/:/bin/sh\n')

    def start(self, *options, pack=None):
        """A daemon that sees the test's files."""
        daemon = Rulerun(pack or self.pack, '--format=json', *options,
                         wrap=('unshare', '-m', 'sh', '-c', ENTER, self.top))
        self.score.check(daemon.armed, f'did not arm:\n{daemon.read("err")}')
        return daemon

    def opens(self, name, number, user, pause=PAUSE):
        """Opens a file as a user."""
        code = self.places.popen('host', [sys.executable, '-c', OPENER,
                                          os.path.join(self.top, name), str(number), str(pause),
                                          str(user)]).wait()
        self.score.check(code == 0, f'the opener ends with {code}')

    def connects(self, address, number, place='host'):
        """Connects to an address."""
        code = self.places.popen(place, [sys.executable, '-c', CONNECTER, address, str(number),
                                         str(PAUSE)]).wait()
        self.score.check(code == 0, f'the connecter ends with {code}')

    def told(self, daemon, number, what, **fields):
        """Waits for that many alerts, and no more, with these fields; how many there are."""
        end = time.monotonic() + PATIENCE
        found = []
        while len(found) < number and time.monotonic() < end:
            found = [alert for alert in daemon.alerts()
                     if all(alert['output_fields'].get(key) == value
                            for key, value in fields.items())]
            time.sleep(0.02)
        self.score.check(len(found) == number, f'{what}: {len(found)} alerts, not {number}')

    def quiet(self, daemon, events, number, what):
        """Ends the daemon. Most events ended in the kernel, and none was lost."""
        self.score.check(daemon.stop() == 0, f'{what}: {daemon.read("err")[-2000:]}')
        rows = [row for event, row in daemon.events().items() if event in events]
        sent, lost = sum(row['sent'] for row in rows), sum(row['lost'] for row in rows)
        print(f'{what}: {number} events, {sent} sent')
        self.score.check(lost == 0 and 0 < sent < number / 2, f'{what}: {sent} sent, {lost} lost')

    def users(self):
        """Of a user that is known, events end in the kernel; the near miss fires each time."""
        daemon = self.start()
        self.opens('mark', EVENTS, ROOT_ID)
        self.opens('not', EVENTS, ROOT_ID)
        self.opens('mark', 20, OTHER_ID)
        self.opens('not', 20, OTHER_ID)
        self.told(daemon, 20, 'a test', **{'fd.name': os.path.join(self.top, 'mark'),
                                           'user.name': 'lorena'})
        self.told(daemon, 20, 'a negation', **{'fd.name': os.path.join(self.top, 'not'),
                                               'user.name': 'lorena'})
        self.score.check(len(daemon.alerts()) == 40, f'alerts of others: {daemon.alerts()[:3]}')
        self.quiet(daemon, ('open', 'openat', 'openat2'), 2 * EVENTS, 'users')

    def change(self):
        """A user who was known gets another name: that is seen, though nothing else happens."""
        daemon = self.start()
        self.opens('mark', 100, ROOT_ID)
        self.score.check(not daemon.alerts(), 'an alert before the change')
        self.names('lorena', 'root')
        start = time.monotonic()
        while not daemon.alerts() and time.monotonic() - start < PATIENCE:
            self.opens('mark', 1, ROOT_ID)
        seconds = time.monotonic() - start
        print(f'change: seen after {seconds:.2f} s')
        self.told(daemon, len(daemon.alerts()) or 1, 'a change', **{'user.name': 'lorena'})
        daemon.stop()
        self.names('root', 'lorena')

    def addresses(self):
        """The same of an address."""
        daemon = self.start()
        self.connects(FAR, EVENTS)
        self.connects(NEAR, 20)
        self.told(daemon, 20, 'an address', **{'fd.sip': NEAR})
        self.score.check(len(daemon.alerts()) == 20, f'alerts of others: {daemon.alerts()[:3]}')
        self.quiet(daemon, ('connect',), EVENTS, 'addresses')

    def official(self):
        """The official rules, from a container that no engine knows: names of addresses, images."""
        if not stable_rules():
            self.score.skip('the official rules and lore')
            return
        pack = build_pack(os.path.join(self.top, 'o.rpk'), *official(self.top, *OFFICIAL))
        daemon = self.start(pack=pack)
        self.connects(FAR, EVENTS, 'container')
        self.connects(API, 20, 'container')
        self.told(daemon, 20, 'an official rule', **{'evt.type': 'connect'})
        rules = {alert['rule'] for alert in daemon.alerts()
                 if alert['output_fields'].get('evt.type') == 'connect'}
        self.score.check(rules == {'Contact K8S API Server From Container'}, f'official: {rules}')
        self.quiet(daemon, ('connect',), EVENTS, 'official')

    def audit(self):
        """What the filter decides by what it was told, the table decides alike."""
        daemon = self.start('--audit')
        self.opens('mark', 300, ROOT_ID)
        self.opens('not', 300, OTHER_ID)
        self.connects(FAR, 300)
        self.connects(NEAR, 20)
        self.told(daemon, 20, 'audit, an address', **{'fd.sip': NEAR})
        code, told = daemon.stop(), daemon.read('err')
        self.score.check(code == 0 and 'disagreements=0' in told, f'audit: {code}\n{told[-2000:]}')

    def crowd(self):
        """More users than there are rows, several at a time: rows are written while they are read."""
        daemon = self.start('--audit', '--rate=0', '--buffer=64M')
        crowd = [sys.executable, '-c', CROWD, os.path.join(self.top, 'mark'), str(USERS),
                 str(OTHER_ID)]
        for one in [self.places.popen('host', crowd) for _ in range(3)]:
            self.score.check(one.wait() == 0, 'a crowd ends badly')
        self.told(daemon, 3 * USERS, 'a crowd', **{'user.name': 'lorena'})
        code, told = daemon.stop(), daemon.read('err')
        self.score.check(code == 0 and 'disagreements=0' in told, f'crowd: {code}\n{told[-2000:]}')


def main():
    score = Score()
    reason = why_not_live() or (None if shutil.which('unshare') else 'unshare is not installed')
    if reason:
        score.skip(f'lore: {reason}')
        return score.close()
    try:
        with scratch('rulerun-lore-') as top, Places() as places:
            lore = Lore(top, places, score)
            for part in (lore.users, lore.change, lore.addresses, lore.official, lore.audit,
                         lore.crowd):
                part()
    except (RuntimeError, subprocess.SubprocessError) as error:
        score.check(False, str(error))
    return score.close()


if __name__ == '__main__':
    sys.exit(main())
