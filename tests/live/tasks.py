#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is decided once per task, and every way in which a task changes.

    tasks.py [--seconds N] [SCENE...]

tests/live/tasks.c plays scenes: a process opens the same files before and after it, or one above it,
has changed. Each rule looks at one thing of the process and at its own folder, so that what a look
must raise is literal below; each file is opened twice, so that the second is judged by what was kept.
Then the same scenes, and many processes that change at random, under audit: no disagreement.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import time

from lib import ROOT, Places, Rulerun, Score, build_pack, fdinfos, scratch, why_not_live

PROGRAM = os.path.join(ROOT, 'build/release/tests/live/tasks')
NAMES = ('task-a', 'task-b', 'task-p', 'task-q')
KEYS = {
    'name-a': 'proc.name = task-a',
    'not-a': 'not proc.name = task-a',
    'parent-a': 'proc.pname = task-a',
    'parent-p': 'proc.pname = task-p',
    'parent-q': 'proc.pname = task-q',
    'first-q': 'proc.aname[1] = task-q',
    'second-a': 'proc.aname[2] = task-a',
    'second-q': 'proc.aname[2] = task-q',
    'above-p': 'proc.aname = task-p',
    'pcmd-q': 'proc.pcmdline startswith "task-q "',
    'asked': 'proc.args contains " look "',
    'uid': 'user.uid = 12345',
    'gid': 'group.gid = 12345',
    'admin': 'thread.cap_effective contains CAP_SYS_ADMIN',
    'first': 'proc.vpid = 1',
    'inside': 'container.id != host',
}
RULE = """
- rule: {name}
  desc: a test of the process, and a folder
  condition: evt.type = openat and evt.is_open_read = true and fd.name startswith {top}/{key}/ and {test}
  output: '%fd.name'
  priority: INFO
"""
ABOVE = 'parent-a parent-p parent-q first-q second-a second-q above-p pcmd-q'
SCENES = {
    'cred': {'cred-root': 'name-a admin', 'cred-uid': 'name-a uid', 'cred-back': 'name-a admin',
             'cred-gid': 'name-a admin gid'},
    'caps': {'caps-all': 'name-a admin', 'caps-less': 'name-a', 'caps-again': 'name-a admin'},
    'thread': {'thread-main': 'name-a admin', 'thread-before': 'name-a admin',
               'thread-uid': 'name-a uid', 'thread-main-after': 'name-a admin'},
    'names': {'names-before': 'name-a admin', 'names-prctl': 'name-a admin',
              'names-failed-exec': 'name-a admin', 'names-unshared': 'name-a admin',
              'names-exec': 'not-a admin asked'},
    'exec-thread': {'exec-main-before': 'name-a admin', 'exec-thread-before': 'name-a admin',
                    'exec-thread-after': 'not-a admin asked'},
    'group': {'group-before': 'name-a admin', 'group-moved': 'name-a admin',
              'group-child': 'name-a parent-a admin inside',
              'group-exec': 'name-a admin asked inside'},
    'namespaces': {'ns-before': 'name-a admin', 'ns-unshared': 'name-a admin',
                   'ns-first': 'name-a parent-a admin first',
                   'ns-first-exec': 'not-a parent-a admin asked first',
                   'ns-back': 'name-a admin'},
    # What is not known passes: a test, its negation, and what is asked of the processes above.
    'forgotten': {'forgot-own': 'name-a not-a parent-a asked admin',
                  'forgot-child': f'name-a not-a asked admin {ABOVE}',
                  'forgot-exec': f'not-a asked admin {ABOVE}'},
    'siblings': {'siblings-first': 'name-a parent-a admin',
                 'siblings-second': 'name-a parent-a admin',
                 'siblings-third': 'not-a parent-q first-q pcmd-q admin'},
    'parent-exec': {'pexec-before': 'name-a parent-a admin',
                    'pexec-after': 'name-a parent-q first-q pcmd-q admin'},
    'parent-exec-thread': {'pthread-before': 'name-a parent-a admin',
                           'pthread-after': 'name-a parent-q first-q pcmd-q admin'},
    'grand-exec': {'grand-before': 'name-a parent-a second-a admin',
                   'grand-after': 'name-a parent-a second-q admin'},
    'subreaper': {'zombie-before': 'not-a parent-p second-a above-p admin',
                  'zombie-after': 'not-a parent-a admin'},
    'subreaper reaped': {'reaped-before': 'not-a parent-p second-a above-p admin',
                         'reaped-after': 'not-a parent-a admin'},
    'thread-exit': {'texit-before': 'name-a parent-a admin',
                    'texit-after': 'name-a parent-a admin'},
    'leader-exit': {'lexit-before': 'name-a parent-a admin',
                    'lexit-after': 'name-a parent-a admin'},
}


def build(top, name, prefixes):
    """A pack with each rule as often as there are prefixes of its name."""
    rules = os.path.join(top, name + '.yaml')
    with open(rules, 'w', encoding='ascii') as text:
        for prefix in prefixes:
            for key, test in KEYS.items():
                text.write(RULE.format(top=top, key=key, name=prefix + key, test=test))
    return build_pack(os.path.join(top, name + '.rpk'), rules)


def prepare(top):
    """Folders and names of the program."""
    os.chmod(top, 0o777)
    for folder in (*KEYS, 'bin'):
        os.mkdir(os.path.join(top, folder))
        os.chmod(os.path.join(top, folder), 0o777)
    for name in NAMES:
        shutil.copy(PROGRAM, os.path.join(top, 'bin', name))


def play(top, places, scene, *argument):
    """One scene, in the host's groups, to its end; its exit code."""
    # With umask 0, so that the files of one identity do not hinder the next.
    argv = [os.path.join(top, 'bin/task-a'), top, scene, *argument]
    return places.popen('host', argv, umask=0, stdin=subprocess.DEVNULL).wait()


def arguments(scene, places):
    """A scene's name in tasks.c, and its argument."""
    name, _, argument = scene.partition(' ')
    if name == 'group':
        for root, _ in sorted(places.roots, key=lambda row: row[1]): # the unified one last
            procs = os.path.join(root, places.group, 'cgroup.procs')
            if os.path.exists(procs):
                return name, procs
    return (name, argument) if argument else (name,)


def raised(daemon, top):
    """{step: {key: number of alerts}}."""
    found = {}
    for alert in daemon.alerts():
        key, step = alert['output_fields']['fd.name'][len(top) + 1:].split('/')
        counts = found.setdefault(step, {})
        counts[key] = counts.get(key, 0) + 1
        if alert['rule'] != key:
            counts[f'{alert["rule"]} in the folder of {key}'] = 1
    return found


def expected(scene):
    """The same of what a scene must raise: each file is opened twice."""
    return {step: dict.fromkeys(keys.split(), 2) for step, keys in SCENES[scene].items()}


def kept_rows(pid):
    """How many rows of tasks a daemon keeps."""
    for number in {str(row['map_id']) for row in fdinfos(pid) if 'map_id' in row}:
        show = subprocess.run(['bpftool', '-j', 'map', 'show', 'id', number], check=False,
                              capture_output=True, text=True).stdout
        if '"name":"tasks"' in show:
            rows = json.loads(subprocess.run(['bpftool', '-j', 'map', 'dump', 'id', number],
                                             check=True, capture_output=True, text=True).stdout)
            return sum(any(byte != '0x00' for byte in row['value']) for row in rows)
    return 0


def directly(pack, top, places, scenes, score):
    """Each look raises what it must, at once after the change."""
    daemon = Rulerun(pack, '--format', 'json')
    if not score.check(daemon.armed, f'did not arm:\n{daemon.read("err")}'):
        return
    want = {}
    for scene in scenes:
        code = play(top, places, *arguments(scene, places))
        score.check(code == 0, f'{scene}: exit {code}')
        want.update(expected(scene))
    end = time.monotonic() + 20
    while time.monotonic() < end and raised(daemon, top) != want:
        time.sleep(0.1)
    got = raised(daemon, top)
    for step in sorted(want.keys() | got.keys()):
        score.check(got.get(step) == want.get(step),
                    f'{step}: raised {got.get(step)}, not {want.get(step)}')
    score.check(kept_rows(daemon.process.pid) > 0, 'nothing was kept of any task')
    score.check(daemon.stop() == 0, f'exit code:\n{daemon.read("err")[-2000:]}')


def audited(packs, top, places, scenes, seconds, score):
    """The same, and a storm of changes: filter and table agree on every event."""
    daemons = {name: Rulerun(pack, '--audit', '--buffer', '128M') for name, pack in packs.items()}
    for name, daemon in daemons.items():
        score.check(daemon.armed, f'audit of {name}: did not arm:\n{daemon.read("err")}')
    for scene in scenes:
        play(top, places, *arguments(scene, places))
    for key in KEYS:
        with open(os.path.join(top, key, 'storm'), 'w', encoding='ascii'):
            pass
    code = play(top, places, 'storm', str(seconds))
    score.check(code == 0, f'storm: exit {code}')
    for name, daemon in daemons.items():
        code, told = daemon.stop(), daemon.read('err')
        score.check(code == 0,
                    f'audit of {name}: exit {code} (3: filter and table disagree)\n{told[-3000:]}')
        print(f'audit of {name}: {daemon.counts()}')


def main():
    options = argparse.ArgumentParser()
    options.add_argument('--seconds', type=int, default=10)
    options.add_argument('scenes', nargs='*', default=list(SCENES))
    args = options.parse_args()
    score = Score()
    reason = why_not_live()
    if reason:
        score.skip(f'tasks: {reason}', 2)
        return score.close()
    try:
        with scratch('rulerun-tasks-') as top, Places() as places:
            prepare(top)
            # Sixteen rules and more are found by a value that they ask for, and judged otherwise.
            packs = {'few': build(top, 'few', ['']), 'many': build(top, 'many', ['', 'again '])}
            directly(packs['few'], top, places, args.scenes, score)
            audited(packs, top, places, args.scenes, args.seconds, score)
    except RuntimeError as error:
        score.check(False, str(error))
    return score.close()


if __name__ == '__main__':
    sys.exit(main())
