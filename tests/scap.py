#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Replays of scap files, held against sysdig on the same files and against what is written here.

The files are made by scapfile.py and scapscene.py. sysdig (0.29.3, of 2022) is asked which events
each filter of FILTERS passes, and the values of FIELDS of each event; rulerun replays the same
file with a rule of each filter. Where sysdig's version means another thing than the language of
today, DIFFERENT says so, with the reason, and such a difference must be there: a reason for nothing
is a failure too. `old` and `latest` files, which sysdig reads otherwise or not at all, are held
against the same scene in sysdig's own version.

Without the program sysdig (tests/deps.sh installs it) its comparisons are skipped, and said to be.
"""
import argparse
import collections
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import scapfile
import scapscene

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RULEC = os.path.join(ROOT, 'build/rulec')
RULERUN = os.path.join(ROOT, 'build/rulerun')

FIELDS = ('evt.type evt.res proc.name proc.pid proc.ppid proc.pname proc.cmdline proc.exe proc.args '
          'proc.cwd proc.exepath proc.vpid proc.sid proc.aname[2] thread.tid user.uid user.name '
          'group.name fd.num fd.name fd.type fd.typechar fd.directory fd.filename fd.sip fd.cip '
          'fd.sport fd.cport fd.l4proto container.id evt.is_open_read evt.is_open_write').split()

FILTERS = [
    'evt.type = open', 'evt.type in (open, openat, creat)', 'evt.type = execve',
    'evt.type = execve and evt.res = SUCCESS', 'evt.type = execve and evt.failed = true',
    'evt.type = clone', 'evt.type in (read, write) and evt.res = SUCCESS', 'evt.type != read',
    'not evt.type in (read, write, open)', 'evt.type startswith rename', 'evt.type contains link',
    'evt.res = ENOENT', 'evt.res = EACCES', 'evt.res != SUCCESS and evt.type = open',
    'evt.rawres = 0', 'evt.rawres > 0 and evt.type = openat', 'evt.rawres < 0',
    'evt.failed = true', 'evt.is_open_read = true', 'evt.is_open_write = true',
    'evt.is_open_read = true and fd.name = /etc/shadow',
    'evt.is_open_write = true and fd.directory = /home/ann/work', 'evt.is_io_write = true',
    'evt.is_io_read = true and fd.num = 3', 'evt.io_dir = write', 'evt.buffer contains GET',
    'evt.buffer contains root', 'evt.category = file and evt.type = open',
    'proc.name = cat', 'proc.name != cat', 'proc.name in (cat, curl, sudo)',
    'proc.name startswith c', 'proc.name contains as', 'proc.name endswith x', 'proc.name exists',
    'proc.pname = bash', 'proc.pname != bash', 'proc.pname exists', 'proc.aname = sshd',
    'proc.aname[2] = sshd', 'proc.aname[3] = systemd', 'not proc.aname = sshd',
    'proc.pid = 200', 'proc.pid > 200', 'proc.ppid = 100', 'proc.ppid = 1',
    'proc.cmdline = "cat /etc/shadow -n"', 'proc.cmdline contains shadow',
    'proc.cmdline startswith "curl -s"', 'proc.args = "/etc/shadow -n"', 'proc.args contains -n',
    'proc.exe = /bin/cat', 'proc.exe startswith /usr', 'proc.exepath = /usr/bin/sudo',
    'proc.exepath startswith /usr/bin', 'proc.cwd = /home/ann/', 'proc.cwd startswith /home',
    'proc.cwd = /home/ann/work/', 'proc.vpid = 1', 'proc.vpid = 7', 'proc.sid = 100',
    'proc.tty = 34816', 'proc.env contains HOME', 'thread.tid = 211',
    'thread.tid = 211 and proc.pid = 210', 'proc.loginshellid = 100', 'proc.is_exe_writable = true',
    'user.uid = 0', 'user.uid = 1000', 'user.uid >= 1000', 'user.name = root', 'user.name = ann',
    'user.name != root', 'user.loginuid = 1000', 'group.name = ann', 'group.name = root',
    'fd.name = /etc/shadow', 'fd.name startswith /etc', 'fd.name endswith /list',
    'fd.name contains ":443"', 'fd.name exists and evt.type = open', 'fd.name glob /etc/*',
    'fd.name pmatch (/etc, /home)', 'fd.directory = /etc', 'fd.directory in (/etc, /tmp)',
    'fd.filename = passwd', 'fd.filename startswith s', 'fd.type = file and evt.type = read',
    'fd.type = ipv4', 'fd.type = ipv6', 'fd.type = unix and evt.type = connect',
    'fd.typechar = 4', 'fd.typechar = 6', 'fd.typechar = p and evt.type = write', 'fd.num = 3',
    'fd.num in (7, 8)', 'fd.num >= 20 and evt.type = read', 'fd.sip = 93.184.216.34',
    'fd.cip = 10.0.0.9', 'fd.sip in (8.8.8.8, 10.0.0.7)', 'fd.ip = 10.0.0.5', 'fd.sport = 80',
    'fd.sport in (80, 443)', 'fd.cport = 6000', 'fd.port = 53', 'fd.sport > 1000',
    'fd.l4proto = tcp', 'fd.l4proto = udp', 'fd.net = 10.0.0.0/8', 'fd.snet = 8.8.0.0/16',
    'fd.sockfamily = ip and evt.type = connect', 'fd.lport = 80', 'fd.rip = 10.0.0.9',
    'evt.arg.flags contains O_CREAT', 'evt.arg.flags contains O_DIRECTORY', 'evt.arg.mode = 0644',
    'evt.arg.name contains shadow', 'evt.arg.path = new', 'evt.arg.oldpath contains x',
    'evt.arg.mode contains S_ISUID', 'evt.arg.sig = SIGKILL', 'evt.arg.pid = bash',
    'evt.arg.uid = root', 'evt.arg.res = ENOENT', 'evt.arg.request contains ATTACH',
    'evt.arg.type = ext4', 'evt.arg.domain contains AF_INET6', 'evt.arg.tuple contains 8080',
    'evt.arg[1] contains new', 'evt.rawarg.res = 0', 'evt.args contains hello',
    'container.id = host', 'container.id != host', 'container.id = 3ad7b26ded6d',
    'container.name = cache', 'container.name = host', 'container.image = "example.org/redis:6.2"',
    'container.image.repository endswith redis', 'container.image.tag = 6.2',
    'container.privileged = true', 'evt.type = unlinkat and not proc.name in (rm, mv)',
]

# Parameters that a file in sysdig's version may have at the start of a call: sysdig is asked there
# too.
AT_START = {'evt.arg.sig = SIGKILL', 'evt.arg.pid = bash', 'evt.arg.uid = root',
            'evt.arg.request contains ATTACH', 'evt.arg.domain contains AF_INET6'}

# Where the file does not tell what a rule asks: it may match, and rulerun says that it is not sure.
UNCERTAIN = {
    'the parent has ended, and who took the process over is not told': [
        'proc.pname = bash', 'proc.pname != bash', 'proc.pname exists', 'proc.aname = sshd',
        'proc.aname[2] = sshd', 'proc.aname[3] = systemd', 'not proc.aname = sshd',
        'proc.loginshellid = 100'],
    'the list of processes has no terminals': ['proc.tty = 34816'],
    'the flags of socket are of a later version': ['evt.arg.flags contains O_CREAT',
                                                   'evt.arg.flags contains O_DIRECTORY'],
    'names of other descriptors than fd.name, and some parameters, are in no record': [
        'evt.arg.res = ENOENT', 'evt.arg[1] contains new', 'evt.args contains hello'],
}

# Fields, event types, what sysdig shows there, why. Fields may end in a star.
Different = collections.namedtuple('Different', 'fields types theirs reason')
ANY = None
DIFFERENT = [
    Different('fd.typechar', 'open', 'f', 'an `open` that failed has the letter o since then'),
    Different('fd.typechar fd.name fd.directory', 'read', ANY,
              'where there is no descriptor sysdig shows what an empty one would be'),
    Different('fd.*', 'mmap fchmod', '<NA>', 'calls that had no descriptor then'),
    Different('fd.num', 'unlinkat fchmodat', '<NA>', 'calls that had no descriptor then'),
    Different('fd.*', 'pipe socketpair', ANY, 'it shows the second descriptor; now there is none'),
    Different('fd.num', 'fcntl', '12', 'it shows the new descriptor; now it is the old one'),
    Different('fd.type', 'openat', '<NA>', 'of an open that failed it tells the letter alone'),
    Different('fd.name', 'connect', 'NULL', 'of a refused connection it shows the empty parameter'),
    Different('proc.pname', 'clone open', 'sudo', 'the parent of a thread was who started it'),
    Different('fd.cport', 'connect bind listen read write dup lseek close', '0',
              'sockets that have no client showed port 0'),
    Different('fd.sip', 'read write lseek close', '<NA>',
              'it does not know that a listed socket which waits is a server'),
    Different('fd.filename', 'open openat read write dup lseek close', '/',
              'behind the last slash of / nothing is left'),
    Different('proc.exepath', '*', '', 'old files: unknown is shown as an empty text'),
    Different('proc.sid', '*', '-1', 'old files: unknown is shown as a number'),
    Different('evt.is_open_read evt.is_open_write', 'openat', 'false',
              'old files: it does not look at the flags, which are at the start of the call'),
    Different('fd.name fd.directory', 'openat', '<NA>',
              'old files: it does not look at the name of a failed open at the start of the call'),
]
# The same for filters: which of both lets events of these types through alone, and why.
Apart = collections.namedtuple('Apart', 'condition types ours reason')
APART = [
    Apart('proc.pname = bash', 'clone open', True, 'the parent of a thread was who started it'),
    Apart('proc.pname != bash', 'clone open', False, 'the parent of a thread was who started it'),
    Apart('user.name != root', 'clone execve open', True,
          'a user without a name is called <NA> now, and was nothing then'),
    Apart('evt.arg.uid = root', 'execve', True, 'execve tells whose it is now'),
    Apart('fd.num in (7, 8)', 'fcntl', True, 'of fcntl fd.num is the old one now'),
    Apart('fd.lport = 80', 'read write lseek close', True,
          'it does not know that a listed socket which waits is a server'),
] + [Apart(c, 'mmap', True, 'mmap had no descriptor then')
     for c in ('fd.name = /etc/shadow', 'fd.name startswith /etc', 'fd.name glob /etc/*',
               'fd.name pmatch (/etc, /home)', 'fd.directory = /etc',
               'fd.directory in (/etc, /tmp)', 'fd.filename startswith s', 'fd.num = 3')]

# Values that no other version tells, of the scene in the latest: the first event of a type by a
# thread, and fields of it.
LATEST = [
    (200, 'execve', {'proc.exepath': '/bin/cat', 'thread.cap_effective': 'CAP_NET_RAW',
                     'thread.cap_permitted': 'CAP_NET_ADMIN CAP_NET_RAW', 'proc.exe_ino': 55,
                     'proc.exe_ino.ctime': 7, 'proc.exe_ino.mtime': 8, 'user.loginuid': 1000,
                     'evt.arg.flags': 'EXE_WRITABLE', 'evt.arg.filename': '/bin/cat',
                     'proc.is_exe_writable': True, 'proc.tty': 34816, 'proc.env': 'A=1 B=two',
                     'proc.env[B]': 'two', 'proc.pgid': 200, 'proc.cmdnargs': 2,
                     'proc.aname[3]': 'systemd', 'proc.sname': 'bash', 'proc.pcmdline': 'bash'}),
    (200, 'open', {'fd.ino': 5, 'fd.dev': '8', 'fd.nameraw': '/etc/shadow', 'fs.path.name': '/etc/shadow',
                   'evt.arg.fd': '<f>/etc/shadow', 'proc.fdopencount': 5,
                   'proc.stdin.name': '/dev/pts/0', 'proc.nthreads': 1}),
    (200, 'rename', {'fs.path.source': '/home/ann/work/new', 'fs.path.target': '/tmp/newer',
                     'evt.arg.oldpath': '/home/ann/work/new'}),
    (200, 'dup', {'fd.num': 7, 'fd.name': '/home/ann/work/list', 'evt.arg.oldfd': None}),
    (210, 'unshare', {'evt.arg.flags': 'CLONE_NEWUSER', 'evt.category': 'process'}),
    (210, 'ptrace', {'evt.arg.request': 'PTRACE_ATTACH', 'evt.arg.pid': 'bash'}),
    (211, 'open', {'proc.nthreads': 2, 'proc.pid': 210, 'thread.ismain': False}),
    (220, 'connect', {'fd.lip': '10.0.0.5', 'fd.rip': '93.184.216.34', 'fd.connected': True,
                      'fd.is_server': False, 'fd.sockfamily': 'ip'}),
    (300, 'poll', {'evt.arg.fds': '31:41 44:i4'}),
    (410, 'execve', {'container.id': scapscene.CONTAINER[:12], 'proc.vpid': 7,
                     'container.full_id': scapscene.CONTAINER, 'user.loginuid': -1,
                     'container.name': 'cache', 'container.image': 'example.org/redis:6.2',
                     'container.image.digest': 'sha256:12ab', 'container.image.id': 'f68d',
                     'container.label.team': 'data', 'container.type': 'docker',
                     'container.mount.source[/data]': '/srv/redis'}),
    (210, 'kill', {'container.name': 'host', 'container.privileged': False}),
]


def build(folder, conditions, fields=FIELDS):
    """A bundle with a rule for each condition, and one that shows all values. Its path."""
    rules = [{'rule': f'f{i}', 'desc': 'd', 'condition': c, 'output': '%evt.num %evt.type',
              'priority': 'INFO', 'warn_evttypes': False} for i, c in enumerate(conditions)]
    rules.append({'rule': 'values', 'desc': 'd', 'condition': 'evt.num > 0', 'priority': 'INFO',
                  'warn_evttypes': False, 'output': '%evt.num ' + ' '.join(f'%{f}' for f in fields)})
    with open(folder + '/r.yaml', 'w', encoding='utf-8') as out:
        json.dump(rules, out)
    done = subprocess.run([RULEC, 'build', '-o', folder + '/r.rpk', folder + '/r.yaml'],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return folder + '/r.rpk'


def replay(path, pack, *options):
    """The run of a replay in JSON."""
    return subprocess.run([RULERUN, '--format', 'json', '--all-matches', *options, '--replay', path,
                           pack], capture_output=True, timeout=120, check=False,
                          env={**os.environ, 'TZ': 'UTC'})


# Events that are no calls: sysdig has them in the direction of a start.
TOLD = ('procexit', 'signaldeliver', 'switch')


def judged(path, pack):
    """{rule: {event}}, those that are uncertain apart, and {event: values} of a replay."""
    sure, unsure, values = (collections.defaultdict(set), collections.defaultdict(set), {})
    for line in replay(path, pack).stdout.splitlines():
        alert = json.loads(line)
        number = alert['output_fields']['evt.num']
        if alert['output_fields']['evt.type'] in TOLD:
            continue
        if alert['rule'] == 'values':
            values[number] = alert['output_fields']
        else:
            (unsure if 'uncertain' in alert.get('rulerun', {}) else sure)[alert['rule']].add(number)
    return sure, unsure, values


def sysdig(path, condition, shown, at='<'):
    """Rows of values of the events that a filter of sysdig passes, at the end of calls or (>) the
    start; or None and the error."""
    form = '*' + '\x1e' + '\x1f'.join('%' + f for f in ['evt.num', *shown]) + '\x1f'
    run = subprocess.run(['sysdig', '-r', path, '-p', form, f'evt.dir = {at} and ({condition})'],
                         capture_output=True, timeout=120, check=False, env={**os.environ, 'TZ': 'UTC'})
    if run.returncode:
        return None, run.stderr.decode(errors='replace').strip()
    rows = run.stdout.decode(errors='replace').split('\x1e')[1:]
    return {int(r.split('\x1f')[0]): r.split('\x1f')[1:-1] for r in rows}, None


def as_text(value):
    """A value of an alert as sysdig would print it."""
    if value is None:
        return '<NA>'
    return str(value).lower() if isinstance(value, bool) else str(value)


class Score:
    """What went well, what did not, and which reasons for a difference were needed."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.used = set()

    def check(self, good, text):
        self.passed += bool(good)
        self.failed += not good
        if not good:
            print(f'scap: {text}')


def of_type(types, name):
    return types == '*' or name in types.split()


def of_field(fields, name):
    return any(name == f or (f[-1] == '*' and name.startswith(f[:-1])) for f in fields.split())


def explained(score, field, kind, theirs):
    """A reason for a value that differs."""
    for row in DIFFERENT:
        if of_field(row.fields, field) and of_type(row.types, kind) and row.theirs in (ANY, theirs):
            score.used.add(row)
            return True
    return False


def compare_values(score, name, path, values):
    """Each field of each event."""
    rows, error = sysdig(path, 'evt.num > 0', FIELDS)
    if rows is None:
        score.check(False, f'{name}: sysdig: {error}')
        return
    known = set(rows)
    score.check(known == set(values), f'{name}: events {sorted(known ^ set(values))[:9]}')
    same = 0
    for number in sorted(known & set(values)):
        mine = values[number]
        for field, theirs in zip(FIELDS, rows[number]):
            equal = as_text(mine[field]) == theirs
            same += equal
            if not equal and not explained(score, field, mine['evt.type'], theirs):
                score.check(False, f'{name}: event {number} ({mine["evt.type"]}): {field} is '
                                   f'{as_text(mine[field])!r}, sysdig has {theirs!r}')
    score.check(same, f'{name}: nothing was compared')
    print(f'scap: {name}: {len(known)} events, {same} of {len(known) * len(FIELDS)} values are '
          "sysdig's, the others are explained")


def allowed(score, condition, kind, ours):
    for row in APART:
        if row.condition == condition and of_type(row.types, kind) and row.ours == ours:
            score.used.add(row)
            return True
    return False


def compare_filter(score, name, path, condition, mine, unsure, values, ends):
    """The events that one filter lets through. `ends`: from the start of a call to its end."""
    rows, error = sysdig(path, condition, ['evt.type'])
    if rows is None:
        score.check(False, f'{name}: {condition}: sysdig: {error}')
        return
    theirs = set(rows)
    if condition in AT_START:
        theirs |= {ends.get(n) for n in sysdig(path, condition, ['evt.type'], '>')[0]} - {None}
    odd = {n for n in mine - theirs if not allowed(score, condition, values[n]['evt.type'], True)}
    odd |= {n for n in theirs - mine - unsure
            if not allowed(score, condition, values[n]['evt.type'], False)}
    reason = next((r for r, c in UNCERTAIN.items() if condition in c), None)
    if unsure:
        score.used.add(reason)
    shown = [(n, values[n]['evt.type']) for n in sorted(odd)[:5]]
    score.check(not odd, f'{name}: {condition}: {len(mine)} events, sysdig has {len(theirs)}: {shown}')
    score.check(reason or not unsure, f'{name}: {condition}: not sure of {sorted(unsure)[:5]}')


def against_sysdig(score, folder):
    """All filters and all values of the scene; of random calls all values, and some filters."""
    if not shutil.which('sysdig'):
        print('scap: SKIPPED: sysdig is not installed (sh tests/deps.sh installs it): nothing is '
              'compared with it')
        score.skipped += 1
        return
    pack = build(folder, FILTERS)
    noted = [row.condition for row in APART] + [c for row in UNCERTAIN.values() for c in row]
    files = [('scene', scapscene.scene(scapfile.Writer('2022'))),
             ('random', scapscene.chaos(scapfile.Writer('2022'), 1, 1500)),
             ('old scene', scapscene.scene(scapfile.Writer('old')))]
    for name, writer in files:
        path = os.path.join(folder, 'file.scap')
        with open(path, 'wb') as out:
            out.write(writer.bytes(packed=name == 'random'))
        sure, unsure, values = judged(path, pack)
        compare_values(score, name, path, values)
        for i, condition in enumerate(FILTERS):
            if name == 'old scene' or (name == 'random' and i % 6 and condition not in noted):
                continue
            compare_filter(score, name, path, condition, sure[f'f{i}'], unsure[f'f{i}'], values,
                           writer.ends)
    unused = [row for row in [*DIFFERENT, *APART, *UNCERTAIN] if row not in score.used]
    score.check(not unused, f'reasons that nothing needed: {unused}')


def first(values, tid, kind):
    return next(v for v in values.values() if v['thread.tid'] == tid and v['evt.type'] == kind)


def versions(score, folder):
    """The scene is the same in each version of the format, and the latest tells more."""
    told = {}
    more = sorted({f for _, _, fields in LATEST for f in fields})
    pack = build(folder, [], [*FIELDS, *(f for f in more if f not in FIELDS)])
    for version in scapfile.VERSIONS:
        path = os.path.join(folder, 'file.scap')
        with open(path, 'wb') as out:
            out.write(scapscene.scene(scapfile.Writer(version)).bytes())
        told[version] = judged(path, pack)[2]
    score.check(len({len(v) for v in told.values()}) == 1, f'{[len(v) for v in told.values()]}')
    for version in ('old', 'latest'):
        for mine, theirs in zip(told[version].values(), told['2022'].values()):
            odd = {f: (mine[f], theirs[f]) for f in FIELDS if mine[f] != theirs[f]
                   and not (version == 'old' and mine[f] is None)}
            score.check(not odd, f'{version}: {theirs["evt.num"]} {theirs["evt.type"]}: {odd}')
    for tid, kind, fields in LATEST:
        row = first(told['latest'], tid, kind)
        odd = {f: row[f] for f, want in fields.items() if row[f] != want}
        score.check(not odd, f'latest: {kind} of {tid}: {odd}')


def damaged(score, folder):
    """What is no capture is refused; what is cut is judged as far as it goes."""
    pack = build(folder, [])
    whole = scapscene.scene(scapfile.Writer('2022')).bytes()
    path = os.path.join(folder, 'file.scap')
    swapped, later, empty = (scapfile.Writer() for _ in range(3))
    swapped.section(magic=0x4d3c2b1a)
    later.section(version=(2, 0))
    scapscene.lists(empty)
    rows = [(whole[:20], 2, 'this is no recording'), (swapped.bytes(), 2, 'other byte order'),
            (later.bytes(), 2, 'a later version'), (b'\x1f\x8b' + whole, 2, 'this is no recording'),
            (empty.bytes(), 0, 'replayed=0 '), (whole[:200], 2, 'cut before its first event'),
            (whole[:-3], 1, 'cut behind byte'), (whole + b'\xff' * 12, 1, 'damaged at byte'),
            (scapscene.scene(scapfile.Writer()).bytes(packed=True)[:-30], 1, 'cut behind byte'),
            (whole, 0, 'replayed=100 ')]
    for data, code, text in rows:
        with open(path, 'wb') as out:
            out.write(data)
        run = replay(path, pack)
        err = run.stderr.decode()
        score.check(run.returncode == code and text in err, f'{text}: exit {run.returncode}: {err}')
    alerts = replay(path, pack).stdout
    piped = subprocess.run([RULERUN, '--format', 'json', '--all-matches', '--replay', '-', pack],
                           input=scapscene.scene(scapfile.Writer()).bytes(packed=True),
                           capture_output=True, check=False, env={**os.environ, 'TZ': 'UTC'})
    score.check(piped.stdout == alerts and alerts, f'through a pipe: {piped.stderr}')


def main():
    argparse.ArgumentParser(description=__doc__).parse_args()
    score = Score()
    with tempfile.TemporaryDirectory() as folder:
        for test in (versions, damaged, against_sysdig):
            test(score, folder)
    print(f'{score.passed} passed, {score.failed} failed, {score.skipped} skipped')
    sys.exit(score.failed != 0)


if __name__ == '__main__':
    main()
