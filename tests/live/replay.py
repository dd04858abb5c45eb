# SPDX-License-Identifier: Apache-2.0
"""Recordings: a replay gives the alerts of the live run byte for byte, or those of other rules."""
import glob
import os
import shutil
import subprocess
import time

import yaml

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
    """
    What many rules speak of; in a container and on the host, as two users. Few events: a recording
    of everything takes some kilobytes for each.
    """
    text = (f'cat /etc/shadow >/dev/null; find /root -maxdepth 1 -name id_rsa >/dev/null; '
            f'ls /dev/shm # {tag}')
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
    with open(path, 'rb') as recording:
        run = subprocess.run([RULERUN, '--replay', '-', '--format', 'json', '--all-matches', pack],
                             input=recording.read(), capture_output=True, timeout=60, check=False)
    run.stdout, run.stderr = run.stdout.decode(), run.stderr.decode()
    same('from a pipe', daemon, run, score)


# What says which event an alert is about, whatever the daemon and its clock: its thread, call and
# result, and the path as the caller gave it, which is the same under each reading.
EVENT = ('thread.tid', 'evt.type', 'evt.rawres', 'fs.path.nameraw')


def told(alerts, tag):
    """What alerts say of the processes with a tag, but for the time."""
    found = []
    for alert in alerts:
        fields = alert['output_fields']
        fields.pop('evt.time')
        if tag in str(fields):
            found.append((alert['rule'], alert['priority'], tuple(sorted(fields.items()))))
    return sorted(found, key=str)


def event_of(row):
    """The event that a row of told() is about."""
    fields = dict(row[2])
    return tuple(fields[name] for name in EVENT)


def marked_pack(folder):
    """Our rules, each with EVENT behind its output."""
    path = os.path.join(folder, 'marks.yaml')
    names = []
    for file in sorted(glob.glob(os.path.join(ROOT, 'rules/*.yaml'))):
        if not file.endswith('.test.yaml'):
            with open(file, encoding='utf-8') as text:
                names += [item['rule'] for item in yaml.safe_load(text) if 'rule' in item]
    marks = ''.join(f' %{name}' for name in EVENT)
    with open(path, 'w', encoding='utf-8') as out:
        yaml.safe_dump([{'rule': name, 'output': marks, 'override': {'output': 'append'}}
                        for name in names], out)
    return build_pack(os.path.join(folder, 'marked.rpk'), os.path.join(ROOT, 'stdlib'),
                      os.path.join(ROOT, 'rules'), path)


def held_pack(folder, tag, types):
    """A rule that tells every event of some types by the processes with a tag and their children."""
    path = os.path.join(folder, 'held.yaml')
    condition = (f'evt.type in ({", ".join(types)}) and '
                 f'(proc.cmdline contains "{tag}" or proc.pcmdline contains "{tag}")')
    with open(path, 'w', encoding='utf-8') as out:
        yaml.safe_dump([{'rule': 'held', 'desc': 'd', 'priority': 'INFO', 'warn_evttypes': False,
                         'condition': condition, 'output': ' '.join(
                             f'%{name}' for name in (*EVENT, 'proc.cmdline', 'proc.pcmdline'))}], out)
    return build_pack(os.path.join(folder, 'held.rpk'), path)


def replayed(path, pack, out):
    """The run of a replay, and its alerts."""
    if os.path.exists(out):
        os.unlink(out)
    run = replay(path, pack, '--format', 'json', '--output', 'file:' + out)
    return run, Rulerun.alerts_of(out)


def live_beside(stable, marked, path, tag):
    """
    A recording of everything, and the alerts that other rules made at the same time. The events
    that pass their filter are few: none of them may be lost, or there is nothing to compare with.
    """
    for _ in range(5):
        beside = Rulerun(marked, '--format', 'json', '--buffer', '16M')
        daemon = record_once(stable, '--record-all', path, 'json', tag)
        beside.stop()
        if not daemon.armed or ' lost=0 ' in beside.read('err'):
            break
    return daemon, beside


def other_rules(stable, folder, score):
    """
    Of a recording of everything, other rules make the alerts that they would have made live: those
    whose event it holds, no more and no fewer. On a busy machine events are lost on the way to a
    recording of everything; the recording itself is asked which it holds.
    """
    path, out = os.path.join(folder, 'everything'), os.path.join(folder, 'out.jsonl')
    marked = marked_pack(folder)
    daemon, beside = live_beside(stable, marked, path, 'other-rules')
    score.check(daemon.code == 0, f'other rules: exit {daemon.code}')
    score.check(' lost=0 ' in beside.read('err'), f'other rules: {beside.read("err")}')
    live = told(beside.alerts(), 'other-rules')
    types = sorted({event_of(row)[1] for row in live})
    run, alerts = replayed(path, held_pack(folder, 'other-rules', types), out)
    held = {event_of(row) for row in told(alerts, 'other-rules')}
    score.check(run.returncode == 0 and held, f'held: exit {run.returncode}\n{run.stderr}')
    run, alerts = replayed(path, marked, out)
    score.check(run.returncode == 0, f'other rules: exit {run.returncode}\n{run.stderr}')
    again = told(alerts, 'other-rules')
    there = [row for row in live if event_of(row) in held]
    score.check(again and again == there,
                f'other rules: live {live}\n--- of which it holds {there}\n--- replayed {again}')
    score.check(there == live or not is_whole(daemon, lost=True),
                f'other rules: nothing was lost, and it does not hold all of {live}')


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


def ended(what, daemon, why, score):
    """A recording that ends by itself says so, and detection goes on."""
    end = time.monotonic() + 60
    while daemon.armed and time.monotonic() < end and not daemon.wait_for('it ends here', 0.1):
        workload('much')
    score.check(why in daemon.read('err'), f'{what}: no end:\n{daemon.read("err")}')
    before = daemon.read('out').count('/etc/shadow')
    workload('after')
    end = time.monotonic() + 10
    while time.monotonic() < end and daemon.read('out').count('/etc/shadow') == before:
        time.sleep(0.05)
    score.check(daemon.read('out').count('/etc/shadow') > before, f'{what}: no alert after its end')


def whole(what, path, ours, told, score):
    """What a recording that ended by itself holds is whole, and it is told why there is no more."""
    run = replay(path, ours)
    score.check(run.returncode == 0 and told in run.stderr,
                f'{what}: replay: exit {run.returncode}\n{run.stderr}')


def bounded(ours, folder, score):
    """A recording keeps to its size, and leaves a file system what it needs."""
    path = os.path.join(folder, 'small')
    daemon = Rulerun(ours, '--record-all', path, '--record-max', '256K')
    ended('--record-max', daemon, 'it has the size that --record-max allows', score)
    code = daemon.stop()
    score.check(code == 0 and 'came after its end' in daemon.read('err'),
                f'--record-max: exit {code}\n{daemon.read("err")}')
    size = os.path.getsize(path)
    score.check(100 << 10 < size <= 256 << 10, f'--record-max: {size} bytes')
    whole('--record-max', path, ours, 'the size that --record-max allowed', score)
    disk = os.path.join(folder, 'disk')
    os.mkdir(disk)
    daemon = Rulerun(ours, '--record-all', os.path.join(disk, 'some'), wrap=[
        'unshare', '-m', 'sh', '-c', f'mount -t tmpfs -o size=2M test {disk} && exec "$@"', 'sh'])
    ended('a small disk', daemon, 'little of the file system is free', score)
    there = f'/proc/{daemon.process.pid}/root{disk}'
    room = os.statvfs(there)
    score.check(room.f_bavail * 100 >= room.f_blocks * 3, f'a small disk: {room.f_bavail} blocks free')
    shutil.copy(os.path.join(there, 'some'), path)
    code = daemon.stop()
    score.check(code == 0, f'a small disk: exit {code}\n{daemon.read("err")}')
    whole('a small disk', path, ours, 'little of its file system was free', score)


def run(ours, folder, score):
    """All of it."""
    stable = stable_rules()
    if stable:
        stable = build_pack(os.path.join(folder, 'stable.rpk'), stable)
        os.chmod(stable, 0o644)
        identical(stable, folder, score)
        other_rules(stable, folder, score)
    else:
        score.skip('recordings of the official rules', 15)
        identical(ours, folder, score)
    lacking(ours, folder, score)
    torn(ours, folder, score)
    no_room(ours, score)
    bounded(ours, folder, score)
