# SPDX-License-Identifier: Apache-2.0
"""How rulerun behaves around its alerts: outputs, refusals, counts, exit codes."""
import fcntl
import os
import pty
import re
import shutil
import signal
import subprocess
import termios
import time

import replay
from lib import ROOT, Places, Rulerun, build_pack, scratch, verified

TEXT_LINE = re.compile(r'^\d\d:\d\d:\d\d\.\d{9}: Warning Sensitive file read \(file=/etc/shadow ')
RULERUN = os.path.join(ROOT, 'build/rulerun')


def counts_add_up(name, daemon, score):
    """seen = filtered + limited + sent + lost, always."""
    counts = daemon.counts()
    if score.check(counts, f'{name}: no closing counts:\n{daemon.read("err")}'):
        score.check(counts['seen'] == sum(counts.values()) - counts['seen'],
                    f'{name}: counts do not add up: {counts}')


def read_shadow():
    """An event that our pack tells of."""
    with Places() as places:
        places.popen('host', ['cat', '/etc/shadow'], stdout=subprocess.DEVNULL).wait()


def text_output(pack, score):
    """Falco's text line on standard output is the default."""
    daemon = Rulerun(pack)
    read_shadow()
    end = time.monotonic() + 3
    while time.monotonic() < end and 'Sensitive file read' not in daemon.read('out'):
        time.sleep(0.02)
    score.check(daemon.stop() == 0, 'text: exit code')
    score.check(any(TEXT_LINE.match(line) for line in daemon.read('out').splitlines()),
                f'text: no such line:\n{daemon.read("out")}')


def file_output(pack, folder, score):
    """--output file:PATH takes the alerts, standard output stays empty."""
    path = os.path.join(folder, 'alerts')
    daemon = Rulerun(pack, '--format', 'json', '--output', 'file:' + path)
    read_shadow()
    end = time.monotonic() + 10
    while time.monotonic() < end and not (os.path.exists(path) and os.path.getsize(path)):
        time.sleep(0.02)
    score.check(daemon.stop() == 0, 'file: exit code')
    with open(path, encoding='utf-8') as text:
        score.check('"Sensitive file read"' in text.read(), 'file: no alert in it')
    score.check(daemon.read('out') == '', 'file: something on standard output')


def full_disk(pack, score):
    """A full disk is reported, and detection goes on."""
    daemon = Rulerun(pack, '--output', 'file:/dev/full')
    for _ in range(3):
        read_shadow()
    time.sleep(0.5)
    score.check(daemon.process.poll() is None, 'full disk: rulerun ended')
    score.check(daemon.stop() == 0, 'full disk: exit code')
    score.check('No space left' in daemon.read('err'), f'full disk: not told:\n{daemon.read("err")}')
    counts_add_up('full disk', daemon, score)


def refusal(name, argv, words, score, code=2):
    """A start that must be refused, with the reason."""
    run = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False,
                         stdin=subprocess.DEVNULL)
    score.check(run.returncode == code, f'{name}: exit {run.returncode}, not {code}\n{run.stderr}')
    score.check(any(word in run.stderr for word in words), f'{name}: does not say why:\n{run.stderr}')


# Command lines that are no good, and what is said of them.
NO_SIZE = ': not a size of 64K or more (K, M or G behind a number)'
NO_BUFFER = ': not a size from 64K to 1G'
OPTIONS = [
    ('size', ['--record', 'x', '--record-max', size], f'--record-max {size}{NO_SIZE}')
    for size in ('', '63K', '0', '-1G', '10T', '10GB', 'G', '1.5G', ' 1G', '0x1000000', '9999999999G')
] + [
    ('buffer', ['--buffer', size], f'--buffer {size}{NO_BUFFER}')
    for size in ('', '63K', '-4M', '2G', '4m', '17179869185G')
] + [
    ('no recording', ['--record-max', '1G'], '--record-max is for --record or --record-all'),
    ('a replay', ['--replay', 'x', '--record-max', '1G'], '--record-max is for --record or --record-all'),
]


def refusals(pack, folder, score):
    """Without root, without BTF, without a pack, with a broken pack."""
    shutil.copy(RULERUN, os.path.join(folder, 'rulerun'))
    refusal('not root', ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups',
                         os.path.join(folder, 'rulerun'), pack], ['root', 'privilege', 'CAP_'], score)
    refusal('no BTF', ['unshare', '-m', 'sh', '-c',
                       f'mount -t tmpfs none /sys/kernel/btf && exec {RULERUN} {pack}'], ['BTF'], score)
    refusal('not root of the machine', ['unshare', '-Ur', os.path.join(folder, 'rulerun'), pack],
            ['user namespace'], score)
    refusal('no file', [RULERUN, os.path.join(folder, 'none.rpk')], ['No such file'], score)
    broken = os.path.join(folder, 'broken.rpk')
    with open(pack, 'rb') as whole, open(broken, 'wb') as part:
        part.write(whole.read()[:1000])
    run = subprocess.run([RULERUN, broken], capture_output=True, text=True, timeout=20, check=False)
    score.check(run.returncode in (1, 2) and run.stderr, f'broken pack: exit {run.returncode}')
    refusal('no arguments', [RULERUN], ['sage', 'PACK'], score)
    refusal('rules', [RULERUN, os.path.join(ROOT, 'stdlib/lists.yaml')], ['`rulec build` makes one'], score)
    refusal('the bundle as recording', [RULERUN, '--record', pack, pack], ['this is the bundle'], score)
    for name, argv, words in OPTIONS:
        refusal(name, [RULERUN, *argv, pack], [words], score)


def on_terminal(path):
    """For a child, before exec: a terminal of its own, of which the test holds the other end."""
    os.setsid()
    fcntl.ioctl(os.open(path, os.O_RDWR), termios.TIOCSCTTY, 0)


def without_hangup(path):
    """The same as nohup(1) would have it."""
    on_terminal(path)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def hangups(pack, score):
    """SIGHUP ends what runs on a terminal, in good order; nothing else ends by it, or by SIGUSR1."""
    ours, theirs = pty.openpty()
    path = os.ttyname(theirs)
    for what, before, ends in (('a terminal', lambda: on_terminal(path), True),
                               ('nohup', lambda: without_hangup(path), False),
                               ('no terminal', os.setsid, False)):
        daemon = Rulerun(pack, before=before)
        if not score.check(daemon.armed, f'{what}: did not arm:\n{daemon.read("err")}'):
            continue
        daemon.process.send_signal(signal.SIGUSR1)
        told = daemon.wait_for('SIGUSR1: rules and outputs stay', 10)
        daemon.process.send_signal(signal.SIGHUP)
        score.check(told and daemon.wait_for('seen=' if ends else 'SIGHUP: rules and outputs stay', 10),
                    f'{what}: SIGHUP does something else:\n{daemon.read("err")}')
        score.check(daemon.stop() == 0, f'{what}: exit code')
        counts_add_up(what, daemon, score)
    os.close(ours)
    os.close(theirs)


def file_at_limit(pack, folder, score):
    """A file that may not grow is as a full disk."""
    path = os.path.join(folder, 'limited')
    with open(path, 'wb') as out:
        out.truncate(64 << 20)
    daemon = Rulerun(pack, '--output', 'file:' + path, wrap=['prlimit', f'--fsize={64 << 20}'])
    read_shadow()
    score.check(daemon.wait_for('File too large', 10), f'limit: not told:\n{daemon.read("err")}')
    score.check(daemon.process.poll() is None and daemon.stop() == 0, 'limit: rulerun ended')


def empty_pack(folder, score):
    """A pack without rules attaches nothing, and is no error."""
    empty = os.path.join(folder, 'empty.yaml')
    with open(empty, 'w', encoding='ascii'):
        pass
    pack = build_pack(os.path.join(folder, 'empty.rpk'), empty)
    daemon = Rulerun(pack)
    if score.check(daemon.armed, f'empty pack: did not arm:\n{daemon.read("err")}'):
        links = subprocess.run(['bpftool', '-j', 'link', 'list'], capture_output=True, text=True,
                               check=False).stdout
        score.check(f'"pid":{daemon.process.pid},' not in links, 'empty pack: something is attached')
    score.check(daemon.stop() == 0, 'empty pack: exit code')
    counts_add_up('empty pack', daemon, score)


def verifying(pack, score):
    """Nearly all of a start is the verifier's: a loop that it walks turn by turn shows here."""
    daemon = Rulerun(pack)
    walked = verified(daemon.process.pid)
    score.check(walked and max(walked) < 100000, f'verifying: {walked} instructions')
    daemon.stop()


def hooks(folder, score):
    """Only the hooks that the rules need: a pack of starts alone needs none on system calls."""
    rules = os.path.join(folder, 'exec.yaml')
    with open(rules, 'w', encoding='ascii') as text:
        text.write('- rule: r\n  desc: d\n  output: o\n  priority: INFO\n'
                   '  condition: spawned_process and proc.name = no-such-program\n')
    pack = build_pack(os.path.join(folder, 'exec.rpk'), 'stdlib', rules)
    daemon = Rulerun(pack)
    if score.check(daemon.armed, f'hooks: did not arm:\n{daemon.read("err")}'):
        score.check('sys_' not in daemon.armed, f'hooks: a system call hook: {daemon.armed}')
        score.check('exec' in daemon.armed, f'hooks: {daemon.armed}')
    daemon.stop()


SWITCHED = """
- {rule: on, desc: d, output: o, priority: INFO, tags: [start],
   condition: evt.type = execve and evt.rawres >= 0 and proc.name = PROGRAM}
- {rule: off, desc: d, output: o, priority: WARNING, tags: [start], enabled: false,
   condition: evt.type = execve and evt.rawres >= 0 and proc.name = PROGRAM}
- {rule: opened, desc: d, output: o, priority: INFO,
   condition: evt.type = openat and fd.name = FOLDER/opened}
"""
# Options of rulerun; the rules that alert, with --all-matches; is there a hook on system calls?
SWITCHES = [
    ([], ['on', 'opened'], True),
    (['--rules', 'disable:opened'], ['on'], False),
    (['--rules', 'disable:o*', '--rules', 'enable:tag=start'], ['on', 'off'], False),
    (['--rules', 'enable:off', '--rules', 'disable:on'], ['off', 'opened'], True),
    (['--priority', 'warning', '--rules', 'enable:*'], ['off'], False),
    (['--rules', 'disable:*'], [], False),
]


def switched_rules(folder, score):
    """--rules and --priority: who alerts, which hooks there are, and that nothing else is sent."""
    program = 'switch' + os.path.basename(folder)[-8:].replace('_', 'x')
    shutil.copy('/bin/true', os.path.join(folder, program))
    rules, opened = os.path.join(folder, 'switched.yaml'), os.path.join(folder, 'opened')
    with open(rules, 'w', encoding='ascii') as text:
        text.write(SWITCHED.replace('PROGRAM', program).replace('FOLDER', folder))
    pack = build_pack(os.path.join(folder, 'switched.rpk'), rules)
    for options, names, sys_exit in SWITCHES:
        daemon = Rulerun(pack, '--format', 'json', '--all-matches', *options)
        what = 'rules ' + ' '.join(options)
        if not score.check(daemon.armed, f'{what}: did not arm:\n{daemon.read("err")}'):
            continue
        score.check(('sys_exit' in daemon.armed) == sys_exit, f'{what}: {daemon.armed}')
        subprocess.run([os.path.join(folder, program)], check=True)
        with open(opened, 'w', encoding='ascii'):
            pass
        time.sleep(0.5)
        daemon.stop()
        score.check(('no rule is on' in daemon.read('err')) == (not names), f'{what}: {daemon.read("err")}')
        got = [alert['rule'] for alert in daemon.alerts()]
        score.check(got == names, f'{what}: alerts of {got}, not {names}')
        counts = daemon.counts()
        events = len({name == 'opened' for name in names})
        score.check(counts and counts['sent'] == events, f'{what}: {counts}, not {events} sent')


def run(score):
    """All of it, with our pack."""
    with scratch('rulerun-behaviour-', 0o755) as folder:
        pack = build_pack(os.path.join(folder, 'ours.rpk'), 'stdlib', 'rules')
        os.chmod(pack, 0o644)
        text_output(pack, score)
        file_output(pack, folder, score)
        full_disk(pack, score)
        file_at_limit(pack, folder, score)
        hangups(pack, score)
        refusals(pack, folder, score)
        empty_pack(folder, score)
        hooks(folder, score)
        verifying(pack, score)
        switched_rules(folder, score)
        replay.run(pack, folder, score)
