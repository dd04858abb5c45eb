# SPDX-License-Identifier: Apache-2.0
"""Recordings: a replay gives the alerts of the live run byte for byte, or those of other rules."""
import os
import shutil
import subprocess
import time

from lib import ROOT, Places, Rulerun, build_pack, stable_rules

RULERUN = os.path.join(ROOT, 'build/rulerun')
EXEC_RULES = """
- {rule: started, desc: d, output: "%proc.name", priority: INFO,
   condition: evt.type = execve and evt.rawres >= 0 and proc.name = no-such-program}
"""
OPEN_RULES = """
- {rule: opened, desc: d, output: "%fd.name by %proc.cmdline", priority: INFO,
   condition: evt.type = openat and fd.name = /etc/shadow}
"""


def workload(tag):
    """What many rules speak of; in a container and on the host, as two users."""
    text = f'cat /etc/shadow >/dev/null; find /root -name id_rsa >/dev/null; ls /dev/shm # {tag}'
    with Places() as places:
        for place in ('host', 'container'):
            for shell in (['sh', '-c', text], ['bash', '-c', text],
                          ['setpriv', '--reuid=65534', 'bash', '-c', text]):
                places.popen(place, shell, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL).wait()


def is_whole(daemon, lost):
    """Nothing was dropped from the recording, nor (if asked) lost before it."""
    err = daemon.read('err')
    return ' dropped=0' in err and (not lost or ' lost=0 ' in err)


def record(pack, option, path, form, tag, *more):
    """
    A daemon that has recorded the workload, and ended. Everything that the whole machine does is
    recorded too: where that was more than a disk takes, once more, in the hope of a calmer moment.
    """
    for _ in range(2):
        daemon = record_once(pack, option, path, form, tag, *more)
        if not daemon.armed or is_whole(daemon, lost=False):
            break
    return daemon


def record_once(pack, option, path, form, tag, *more):
    """The same, once."""
    daemon = Rulerun(pack, option, path, '--format', form, '--buffer', '128M', *more)
    if daemon.armed:
        workload(tag)
        end = time.monotonic() + 5
        while time.monotonic() < end and '/etc/shadow' not in daemon.read('out'):
            time.sleep(0.05)
        time.sleep(0.3)
    daemon.code = daemon.stop()
    return daemon


def replay(path, pack, *options, wrap=(), **env):
    """A replay that has ended."""
    return subprocess.run([*wrap, RULERUN, '--replay', path, *options, pack], capture_output=True,
                          text=True, timeout=60, check=False, env={**os.environ, **env})


def same(what, daemon, run, score):
    """The same bytes, and some."""
    score.check(daemon.armed, f'{what}: did not arm:\n{daemon.read("err")}')
    score.check(run.returncode == 0, f'{what}: replay: exit {run.returncode}\n{run.stderr}')
    live = daemon.read('out')
    score.check('/etc/shadow' in live, f'{what}: no alert')
    score.check(run.stdout == live, f'{what}: a replay differs:\n{live}\n--- not\n{run.stdout}')


def identical(pack, folder, score):
    """Text and JSON, matches and everything; elsewhere, where names and the zone are others."""
    path = os.path.join(folder, 'recording')
    for option in ('--record', '--record-all'):
        for form in ('text', 'json'):
            daemon = record(pack, option, path, form, 'same', '--all-matches')
            what = f'{option} {form}'
            score.check(daemon.code == 0, f'{what}: exit {daemon.code}\n{daemon.read("err")}')
            same(what, daemon, replay(path, pack, '--format', form, '--all-matches'), score)
    mask = 'mount --bind /dev/null /etc/passwd && mount --bind /dev/null /etc/hosts && exec "$@"'
    same('elsewhere', daemon,
         replay(path, pack, '--format', 'json', '--all-matches', TZ='Asia/Tokyo',
                FALCO_HOSTNAME='other', wrap=['unshare', '-m', 'sh', '-c', mask, 'sh']), score)
    copy = os.path.join(folder, 'rulerun')
    shutil.copy(RULERUN, copy)
    run = subprocess.run(
        ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--bounding-set=-all', copy,
         '--replay', '-', '--format', 'json', '--all-matches', pack],
        stdin=open(path, 'rb'), capture_output=True, text=True, timeout=60, check=False)
    same('without privileges, from standard input', daemon, run, score)


def told(alerts, tag):
    """What alerts say of the processes with a tag, but for the time."""
    found = []
    for alert in alerts:
        fields = alert['output_fields']
        fields.pop('evt.time')
        if tag in str(fields):
            found.append((alert['rule'], alert['priority'], tuple(sorted(fields.items()))))
    return sorted(found, key=str)


def other_rules(stable, ours, folder, score):
    """
    Of a recording of everything, other rules make the alerts that they would have made live. What
    was lost on the way to the recording is not in it: then there are fewer, but no others.
    """
    path, out = os.path.join(folder, 'everything'), os.path.join(folder, 'out.jsonl')
    for _ in range(2):
        beside = Rulerun(ours, '--format', 'json')
        daemon = record_once(stable, '--record-all', path, 'json', 'other-rules')
        beside.stop()
        whole = is_whole(daemon, lost=True)
        if whole or not daemon.armed:
            break
    score.check(daemon.code == 0, f'other rules: exit {daemon.code}')
    if os.path.exists(out):
        os.unlink(out)
    run = replay(path, ours, '--format', 'json', '--output', 'file:' + out)
    score.check(run.returncode == 0, f'other rules: exit {run.returncode}\n{run.stderr}')
    replayed = Rulerun.alerts_of(out)
    live, again = told(beside.alerts(), 'other-rules'), told(replayed, 'other-rules')
    fits = live == again if whole else all(alert in live for alert in again)
    score.check(again and fits, f'other rules: live {live}\n--- replayed {again}')


def lacking(ours, folder, score):
    """Rules that a recording cannot answer for are named with what it lacks, or refused."""
    path = os.path.join(folder, 'few')
    for name, text in (('exec', EXEC_RULES), ('open', OPEN_RULES)):
        with open(os.path.join(folder, name + '.yaml'), 'w', encoding='ascii') as out:
            out.write(text)
    packs = {name: build_pack(os.path.join(folder, name + '.rpk'),
                              os.path.join(folder, name + '.yaml')) for name in ('exec', 'open')}
    daemon = Rulerun(packs['exec'], '--record', path)
    daemon.stop()
    run = replay(path, ours)
    score.check(run.returncode == 2 and 'passed the filter of other rules (exec)' in run.stderr,
                f'lacking: exit {run.returncode}\n{run.stderr}')
    score.check('rule "Sensitive file read" is left out: it has no open events' in run.stderr,
                f'lacking: {run.stderr}')
    score.check('none of them can be judged' in run.stderr, f'lacking: {run.stderr}')
    daemon = Rulerun(packs['exec'], '--record-all', path)
    workload('lacking')
    time.sleep(0.3)
    daemon.stop()
    run = replay(path, packs['open'])
    score.check(run.returncode == 0 and '/etc/shadow by cat /etc/shadow' in run.stdout,
                f'everything of a small pack: exit {run.returncode}\n{run.stderr}')


def torn(ours, folder, score):
    """A daemon that was killed, and a file that was cut: what is whole is judged, and exit 1."""
    path = os.path.join(folder, 'torn')
    daemon = Rulerun(ours, '--record', path)
    workload('torn')
    end = time.monotonic() + 5
    while time.monotonic() < end and '/etc/shadow' not in daemon.read('out'):
        time.sleep(0.05)
    time.sleep(0.5)
    daemon.process.kill()
    daemon.stop()
    run = replay(path, ours)
    score.check(run.returncode == 1 and 'cut behind byte' in run.stderr,
                f'killed: exit {run.returncode}\n{run.stderr}')
    score.check('/etc/shadow' in run.stdout, 'killed: no alerts')
    os.truncate(path, os.path.getsize(path) - 5)
    cut = replay(path, ours)
    score.check(cut.returncode == 1 and run.stdout.startswith(cut.stdout) and cut.stdout,
                f'cut: exit {cut.returncode}\n{cut.stderr}')
    with open(path, 'r+b') as damaged:
        damaged.seek(os.path.getsize(path) // 2)
        byte = damaged.read(1)[0]
        damaged.seek(-1, os.SEEK_CUR)
        damaged.write(bytes([byte ^ 1]))
    run = replay(path, ours)
    score.check(run.returncode == 1 and 'damaged at byte' in run.stderr,
                f'damaged: exit {run.returncode}\n{run.stderr}')
    run = replay(ours, ours)
    score.check(run.returncode == 2 and 'no recording' in run.stderr,
                f'no recording: exit {run.returncode}\n{run.stderr}')


def no_room(ours, score):
    """A disk that is full is told, and detection goes on."""
    daemon = record(ours, '--record', '/dev/full', 'text', 'full')
    score.check(daemon.code == 0, f'full disk: exit {daemon.code}')
    score.check('/etc/shadow' in daemon.read('out'), 'full disk: no alert')
    score.check('recording /dev/full: No space left' in daemon.read('err'),
                f'full disk: not told:\n{daemon.read("err")}')


def run(ours, folder, score):
    """All of it."""
    stable = stable_rules()
    if stable:
        stable = build_pack(os.path.join(folder, 'stable.rpk'), stable)
        os.chmod(stable, 0o644)
        identical(stable, folder, score)
        other_rules(stable, ours, folder, score)
    else:
        score.skip('recordings of the official rules', 15)
        identical(ours, folder, score)
    lacking(ours, folder, score)
    torn(ours, folder, score)
    no_room(ours, score)
