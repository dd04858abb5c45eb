#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""When more happens than can be told: nothing is lost in silence, and no rule starves another.

    flood.py [--only CASE]

The floods are made by flood.c. Each event of them has its own file, so that what was told, limited
and lost must add up to what was done, exactly.
"""
import argparse
import contextlib
import datetime
import json
import os
import re
import subprocess
import sys
import time

from lib import ROOT, Rulerun, Score, build_pack, scratch, why_not_live

FLOOD = os.path.join(ROOT, 'build/release/tests/live/flood')
LOST, LIMITED, DROPPED = 'rulerun: events lost', 'rulerun: alerts limited', 'rulerun: alerts dropped'
WAIT = 60           # seconds for what must come; it mostly comes at once
LIMIT = '1000,10000'
PROCESSES, EVERY = 100000, 975
SLEEPERS, ROOM = 1200, 2 << 20      # bytes that are left for their states
LEFT_OVER = 4000    # of the machine's own coming and going, in objects of a process's state


class Files:
    """Files that only a test opens, and rules about them."""

    def __init__(self, folder):
        self.folder = folder

    def path(self, name):
        """A file; it is there."""
        path = os.path.join(self.folder, name)
        if not os.path.exists(path):
            with open(path, 'w', encoding='ascii'):
                pass
        return path

    def rule(self, name, condition, output=''):
        """A rule as an item of a rules file."""
        return {'rule': name, 'desc': 'a test', 'condition': condition, 'priority': 'WARNING',
                'output': f'{name} pid=%proc.pid {output}'}

    def opened(self, name, output=''):
        """A rule about opening the file of its own name."""
        return self.rule(name, 'evt.type in (open, openat) and fd.name = ' + self.path(name), output)

    def pack(self, *rules):
        """A bundle of rules."""
        source = os.path.join(self.folder, 'rules.yaml')
        with open(source, 'w', encoding='utf-8') as text:
            json.dump(list(rules), text)
        return build_pack(os.path.join(self.folder, 'pack.rpk'), source)


def flood(*words):
    """Runs flood.c; its lines."""
    run = subprocess.run([FLOOD, *map(str, words)], capture_output=True, text=True, check=True)
    return run.stdout.splitlines()


def alerts_of(daemon, rule):
    """Alerts of one rule so far."""
    return [alert for alert in daemon.alerts() if alert['rule'] == rule]


def await_alerts(daemon, rule, number=1):
    """Waits for so many alerts of a rule; those that there are."""
    end = time.monotonic() + WAIT
    while len(found := alerts_of(daemon, rule)) < number and time.monotonic() < end:
        time.sleep(0.05)
    return found


def of_rule(daemon, rule, words):
    """What the closing lines say of a rule."""
    found = re.findall(rf'^rulerun: rule "{re.escape(rule)}": (\d+) {words}$', daemon.read('err'),
                       re.MULTILINE)
    return sum(map(int, found))


def own(daemon, notice, key):
    """Sum of a number over all alerts of our own of one kind."""
    return sum(alert['output_fields'].get(key, 0) for alert in alerts_of(daemon, notice))


def started(pack, *options):
    """A daemon that is armed."""
    daemon = Rulerun(pack, '--format', 'json', *options)
    if not daemon.armed:
        daemon.stop()
        raise RuntimeError('rulerun did not arm: ' + daemon.read('err'))
    return daemon


def check_sums(name, daemon, score):
    """seen = filtered + limited + sent + lost, for each type of event and in sum."""
    events, total = daemon.events(), daemon.counts()
    if not score.check(events and total, f'{name}: no counts:\n{daemon.read("err")}'):
        return
    for event, n in [*events.items(), ('all', total)]:
        score.check(n['seen'] == n['filtered'] + n['limited'] + n['sent'] + n['lost'],
                    f'{name}: {event} does not add up: {n}')
    for key, value in total.items():
        score.check(value == sum(n[key] for n in events.values()), f'{name}: sum of {key}')


def check_told(name, daemon, rule, count, score):
    """Of so many events of a rule each was told, limited or lost, and our own alerts say which."""
    told, lost = len(alerts_of(daemon, rule)), of_rule(daemon, rule, 'records were lost')
    limited = of_rule(daemon, rule, 'alerts were beyond the limit')
    score.check(told + limited + lost == count,
                f'{name}: {told} told, {limited} limited, {lost} lost of {count}')
    score.check(own(daemon, LOST, f'lost[{rule}]') == lost, f'{name}: lost, as told, of {lost}')
    score.check(own(daemon, LIMITED, f'limited[{rule}]') == limited,
                f'{name}: limited, as told, of {limited}')
    return told, limited, lost


def check_rate(name, daemon, notice, score):
    """Our own alerts of one kind come once a second at most, but for the last."""
    times = [datetime.datetime.fromisoformat(alert['time'][:26])
             for alert in alerts_of(daemon, notice)]
    least = datetime.timedelta(milliseconds=999)
    score.check(all(b - a >= least for a, b in zip(times[:-1], times[1:-1])),
                f'{name}: "{notice}" is told too often: {times}')


def case_million(files, score):
    """A million matches of one rule; one exec and one open of another rule in their midst."""
    run = files.rule('run', 'evt.type = execve and proc.name = flood-run', '%proc.name')
    pack = files.pack(files.opened('flood'), files.opened('other'), run)
    program = os.path.join(files.folder, 'flood-run')
    os.symlink(FLOOD, program)
    daemon = started(pack)
    flood('opens', 1000000, 2, files.path('flood'), files.path('other'),
          program, 'mark')
    for rule in ('other', 'run'):
        score.check(len(await_alerts(daemon, rule)) == 1, f'million: rule "{rule}" is not told')
    score.check(daemon.stop() == 0, 'million: exit code')
    check_sums('million', daemon, score)
    told, limited, _ = check_told('million', daemon, 'flood', 1000000, score)
    score.check(told >= 10000 and limited > 100000, f'million: {told} told, {limited} limited')
    check_rate('million', daemon, LIMITED, score)


def case_small_buffer(files, score):
    """A buffer that cannot hold the flood, and no limit: what is lost is told, others come through."""
    pack = files.pack(files.opened('flood'), files.opened('other'))
    daemon = started(pack, '--buffer', '64K', '--rate', '0')
    flood('opens', 100000, 2, files.path('flood'), files.path('other'), FLOOD, 'mark')
    score.check(len(await_alerts(daemon, 'other')) == 1, 'small buffer: the other rule is not told')
    score.check(await_alerts(daemon, LOST), 'small buffer: nothing was told of the loss')
    score.check(daemon.stop() == 0, 'small buffer: exit code')
    check_sums('small buffer', daemon, score)
    _, _, lost = check_told('small buffer', daemon, 'flood', 100000, score)
    counts = daemon.counts() or {}
    score.check(lost > 0 and counts.get('lost') == lost and own(daemon, LOST, 'lost') == lost,
                f'small buffer: {lost} of the rule, {counts}')
    for alert in alerts_of(daemon, LOST)[:1]:
        score.check(alert['source'] == 'internal' and alert['priority'] == 'Warning'
                    and 'lost[flood]' in alert['output_fields'], f'small buffer: {alert}')
    check_rate('small buffer', daemon, LOST, score)


def case_maybe(files, score):
    """A flood of events that pass the filter but match nothing: limits nobody, starves nobody."""
    guess = files.rule('guess', 'evt.type in (open, openat) and user.name = nobody-of-that-name '
                       'and fd.name = ' + files.path('guess'))
    pack = files.pack(guess, files.opened('other'))
    daemon = started(pack, '--buffer', '64K', '--rate', '5,5')
    flood('opens', 200000, 2, files.path('guess'), files.path('other'), FLOOD, 'mark')
    score.check(len(await_alerts(daemon, 'other')) == 1, 'maybe: the other rule is not told')
    score.check(daemon.stop() == 0, 'maybe: exit code')
    check_sums('maybe', daemon, score)
    counts = daemon.counts() or {}
    score.check(counts.get('limited') == 0 and counts.get('sent', 0) > 1000,
                f'maybe: {counts}')
    score.check(not alerts_of(daemon, 'guess') and not alerts_of(daemon, LIMITED),
                'maybe: something was told of the rule')


def check_limit(name, daemon, files, first, second, score):
    """An event of two rules: the first tells its burst, the second its own; later both again."""
    path = files.path(first)
    flood('opens', 500, 1, path)
    told = len(await_alerts(daemon, first, 20))
    await_alerts(daemon, second, 20)
    score.check(await_alerts(daemon, LIMITED), f'{name}: nothing was told of the limit')
    time.sleep(2.5)
    flood('opens', 1, 1, path)
    again = await_alerts(daemon, first, told + 1)
    score.check(daemon.stop() == 0, f'{name}: exit code')
    seconds = (again[-1]['output_fields']['evt.time'] - again[0]['output_fields']['evt.time']) / 1e9
    for rule in (first, second):
        number = len(alerts_of(daemon, rule))
        score.check(20 <= number <= 21 + 10 * seconds, f'{name}: {number} alerts of "{rule}"')
    score.check(len(again) > told, f'{name}: the limit does not end')
    check_sums(name, daemon, score)
    # What was beyond both limits was counted for the first rule, by the kernel, or for both.
    first_of, second_of = (of_rule(daemon, rule, 'alerts were beyond the limit')
                           for rule in (first, second))
    told = len(alerts_of(daemon, first))
    score.check(first_of + told >= 501 - len(alerts_of(daemon, second)) and second_of > 0,
                f'{name}: {told} told, {first_of} and {second_of} beyond the limit')
    for rule, number in ((first, first_of), (second, second_of)):
        score.check(own(daemon, LIMITED, f'limited[{rule}]') == number,
                    f'{name}: limited, as told, of {number} of "{rule}"')


def case_limit(files, score):
    """The limit of a rule, in code: the next rule that matches the event goes on."""
    second = files.rule('second', 'evt.type in (open, openat) and fd.name = ' + files.path('first'))
    pack = files.pack(files.opened('first'), second)
    check_limit('limit', started(pack, '--rate', '10,20'), files, 'first', 'second', score)


def case_limit_table(files, score):
    """The same of rules that are rows of a table."""
    rules = [files.opened(f'f{number}') for number in range(300)]
    rules.append(files.rule('second', 'evt.type in (open, openat) and fd.name = '
                            + files.path('f150')))
    pack = files.pack(*rules)
    check_limit('table', started(pack, '--rate', '10,20'), files, 'f150', 'second', score)


def case_turns(files, score):
    """Amid a flood what is like it but in one respect is judged for what it is."""
    folder = files.folder
    os.chmod(folder, 0o755)
    for name in ('a', 'b'):
        os.mkdir(os.path.join(folder, name))
    os.symlink('a', os.path.join(folder, 'c'))
    other, write, nobody, behind = (files.opened(name) for name in ('a/other', 'a/file', 'a/file', 'b'))
    write['rule'], write['condition'] = 'write', write['condition'] + ' and evt.is_open_write = true'
    nobody['rule'], nobody['condition'] = 'nobody', nobody['condition'] + ' and user.uid = 65534'
    behind['condition'] += '/file'
    os.link(files.path('a/file'), os.path.join(folder, 'b/file'))
    os.symlink('b', os.path.join(folder, 'to-b'))
    os.symlink(files.path('a/other'), os.path.join(folder, 'to-other'))
    os.symlink('file', os.path.join(folder, 'a/file-'))
    pack = files.pack(other, write, nobody, behind, files.opened('c/file'), files.opened('a/file-'),
                      files.opened('a/file'))
    daemon = started(pack, '--rate', '1,3')
    count = int(flood('turns', folder)[0])
    for rule, number in (('a/other', 2), ('write', 1), ('nobody', 1), ('b', 1), ('c/file', 1),
                         ('a/file-', 1)):
        score.check(len(await_alerts(daemon, rule, number)) == number, f'turns: alerts of "{rule}"')
    score.check(daemon.stop() == 0, 'turns: exit code')
    check_sums('turns', daemon, score)
    told, limited, _ = check_told('turns', daemon, 'a/file', count, score)
    score.check(limited > 10 * told, f'turns: {told} told, {limited} limited')


def case_output(files, score):
    """An output that takes nothing is told of where one does."""
    pack = files.pack(files.opened('flood'))
    daemon = started(pack, '--output', 'stdout', '--output', 'file:/dev/full')
    flood('opens', 10, 1, files.path('flood'))
    told = await_alerts(daemon, DROPPED)
    time.sleep(2.2)
    score.check(daemon.stop() == 0, 'output: exit code')
    score.check(len(alerts_of(daemon, 'flood')) == 10, 'output: the other output has not all')
    score.check(told and told[0]['output_fields'].get('dropped[file:/dev/full]', 0) > 0,
                f'output: {told}')
    score.check(own(daemon, DROPPED, 'dropped') == 10, 'output: what is told does not add up')


def objects():
    """Objects in use of the sizes that the kernel keeps a process's state in; None: it cannot say."""
    try:
        with open('/proc/slabinfo', encoding='ascii') as slabs:
            rows = [line.split() for line in slabs]
    except OSError:
        return None
    return sum(int(row[1]) for row in rows if re.match(r'kmalloc(-\w+)*-512$', row[0]))


def check_left_over(before, score):
    """No process has left its state behind."""
    end = time.monotonic() + WAIT
    while (left := objects() - before) > LEFT_OVER and time.monotonic() < end:
        time.sleep(0.5)
    score.check(left <= LEFT_OVER, f'storm: {left} objects are left behind')


def case_storm(files, score):
    """A hundred thousand short processes: each mark is told with its parents, no state is left."""
    output = 'ppid=%proc.ppid name=%proc.name pname=%proc.pname'
    pack = files.pack(files.opened('mark', output))
    program = os.path.join(files.folder, 'storm-exec')
    os.symlink(FLOOD, program)
    daemon = started(pack)
    before = objects()
    marks = [line.split() for line in flood('storm', PROCESSES, 2, EVERY, files.path('mark'), program)]
    if before is None:
        score.skip('storm: /proc/slabinfo cannot be read: what is left behind')
    else:
        check_left_over(before, score)
    await_alerts(daemon, 'mark', len(marks))
    score.check(daemon.stop() == 0, 'storm: exit code')
    told = [(f['proc.pid'], f['proc.ppid'], f['proc.name'], f['proc.pname'])
            for f in (alert['output_fields'] for alert in alerts_of(daemon, 'mark'))]
    done = [(int(pid), int(ppid), 'storm-exec' if how == 'exec' else 'flood', 'flood')
            for pid, ppid, how in marks]
    score.check(len(done) >= PROCESSES // EVERY - 2, f'storm: only {len(done)} marks')
    score.check(sorted(told) == sorted(done), f'storm: of {len(done)} marks {len(told)} were told; '
                f'differ: {sorted(set(told) ^ set(done))[:6]}')
    check_sums('storm', daemon, score)
    score.check((daemon.counts() or {}).get('lost') == 0, 'storm: records were lost')


def case_seeded(files, score):
    """What ran before the daemon has its long arguments and environment, and so have its children."""
    mark = files.opened('mark', 'args=%proc.args env=%proc.env')
    mark['condition'] += ' and proc.env contains yyyyy'
    script = f'read line; : < {files.path("mark")}; (: < {files.path("mark")}); exit 0'
    sizes = (100, 900, 1900, 3900)
    early = [subprocess.Popen(['sh', '-c', script, 'x' * size], stdin=subprocess.PIPE,
                              env={'A': 'y' * size}) for size in sizes]
    daemon = started(files.pack(mark))
    for process in early:
        process.communicate(b'\n')
    told = [(f['proc.args'], f['proc.env']) for f in
            (alert['output_fields'] for alert in await_alerts(daemon, 'mark', 2 * len(sizes)))]
    score.check(daemon.stop() == 0, 'seeded: exit code')
    want = [(f'-c {script} ' + 'x' * size, 'A=' + 'y' * size) for size in sizes for _ in range(2)]
    score.check(sorted(told) == sorted(want), f'seeded: {[(len(a), len(e)) for a, e in told]}')


@contextlib.contextmanager
def limited_group():
    """(a control group, its files of memory used and of the limit), or None; removed at the end."""
    for root, used, limit in (('/sys/fs/cgroup/memory', 'memory.usage_in_bytes', 'memory.limit_in_bytes'),
                              ('/sys/fs/cgroup', 'memory.current', 'memory.max')):
        group = os.path.join(root, f'rulerun-room-{os.getpid()}')
        with contextlib.suppress(OSError):
            os.mkdir(group)
            if os.path.exists(os.path.join(group, limit)):
                break
            os.rmdir(group)
    else:
        yield None
        return
    try:
        yield group, os.path.join(group, used), os.path.join(group, limit)
    finally:
        os.rmdir(group)


def put(path, value):
    """Writes a file of a control group."""
    with open(path, 'w', encoding='ascii') as out:
        out.write(str(value))


def starved(pack, group, used, limit):
    """A daemon whose maps may take no more than a little; it is itself in no such group."""
    start = f'echo $$ > {group}/cgroup.procs; exec "$0" "$@"'
    daemon = Rulerun(pack, '--format', 'json', wrap=('sh', '-c', start))
    put(os.path.join(os.path.dirname(group), 'cgroup.procs'), daemon.process.pid)
    with open(used, encoding='ascii') as text:
        put(limit, int(text.read()) + ROOM)
    return daemon


def case_room(files, score):
    """Without memory for their states processes are unknown, which is counted, and known after."""
    mark = files.opened('mark')
    mark['condition'] += ' and proc.env contains ROOM'

    def unsure(value):
        """Whether what a new process with this environment does is told, and as uncertain. It is told
        before what this process does then."""
        known, seals = len(alerts_of(daemon, 'mark')), len(alerts_of(daemon, 'seal'))
        subprocess.run(['sh', '-c', ': < ' + files.path('mark')], env={'B': value}, check=True)
        with open(files.path('seal'), encoding='ascii'):
            await_alerts(daemon, 'seal', seals + 1)
        return [bool(alert.get('rulerun', {}).get('uncertain'))
                for alert in alerts_of(daemon, 'mark')[known:]]

    with limited_group() as places:
        if not places:
            score.skip('room: memory cannot be limited here')
            return
        daemon = starved(files.pack(mark, files.opened('seal')), *places)
        sleepers = [subprocess.Popen(['sleep', '600'], env={'A': 'y' * 3000}) for _ in range(SLEEPERS)]
        try:
            told = [unsure('y' * 3000) for _ in range(20)]
            score.check(told.count([True]) > 0 and told.count([True]) + told.count([]) == 20,
                        f'room: {told}')
        finally:
            for sleeper in sleepers:
                sleeper.kill()
                sleeper.wait()
        put(places[2], 1 << 40)
        end = time.monotonic() + WAIT
        while unsure('ROOM') != [False] and time.monotonic() < end:
            time.sleep(0.2)
        score.check(time.monotonic() < end and unsure('y' * 3000) == [], 'room: there is none after')
        score.check(daemon.stop() == 0, f'room: exit code\n{daemon.read("err")}')
    score.check(re.search(r'^rulerun: [1-9]\d* states of processes or texts of them found no room$',
                          daemon.read('err'), re.MULTILINE), f'room: {daemon.read("err")}')
    check_sums('room', daemon, score)


CASES = {name[5:]: case for name, case in list(globals().items()) if name.startswith('case_')}


def main():
    """Runs the cases, each in a folder of its own."""
    options = argparse.ArgumentParser()
    options.add_argument('--only', choices=CASES)
    only = options.parse_args().only
    score = Score()
    reason = why_not_live()
    if reason:
        score.skip(f'floods: {reason}', len(CASES))
        return score.close()
    for name, case in CASES.items():
        if only not in (None, name):
            continue
        start = time.monotonic()
        try:
            with scratch('flood-') as folder:
                case(Files(folder), score)
        except (RuntimeError, subprocess.CalledProcessError) as error:
            score.check(False, f'{name}: {error}')
        print(f'{name}: {time.monotonic() - start:.1f} s')
    return score.close()


if __name__ == '__main__':
    sys.exit(main())
