# SPDX-License-Identifier: Apache-2.0
"""What rulerun needs: time to start, memory, an idle daemon's time, and the time to an alert."""
import os
import select
import statistics
import subprocess
import time

from calls import started
from report import BIN, ROOT, progress

STARTS = 7
QUIET = 5           # seconds that an idle daemon is watched
ALERTS = 500        # of which the latency is taken
FLOOD, FLOODS = 1000000, 3  # opens of each processor, seconds of them, and how often
MATCHED = '/etc/shadow'


def used(pid):
    """(ms of CPU, times it slept) of a process."""
    with open(f'/proc/{pid}/schedstat', encoding='ascii') as stat:
        ran = int(stat.read().split()[0]) / 1e6
    return ran, field_of(pid, 'voluntary_ctxt_switches')


def used_by_threads(pid):
    """ms of CPU of a process, with its threads that have ended; in ticks of the clock."""
    with open(f'/proc/{pid}/stat', encoding='ascii') as stat:
        fields = stat.read().rpartition(')')[2].split()
    return 1000 * (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def field_of(pid, name):
    """A number of /proc/PID/status."""
    with open(f'/proc/{pid}/status', encoding='ascii') as status:
        return next(int(line.split()[1]) for line in status if line.startswith(name + ':'))


def add_starts(aims, name, pack, aim):
    """Start to armed; [{ms, ms of CPU}]."""
    starts = []
    for turn in range(STARTS):
        progress(f'start to armed, {turn + 1} of {STARTS}: {name}')
        daemon = started(pack)
        starts.append({'ms': daemon.start_seconds * 1000, 'cpu': used_by_threads(daemon.process.pid)})
        daemon.stop()
    took = [one['ms'] for one in starts]
    aims.add(f'{name}: start to armed', statistics.median(took), aim, 'ms',
             f'{STARTS} starts, {min(took):.0f} to {max(took):.0f} ms, CPU '
             f'{statistics.median(one["cpu"] for one in starts):.0f} ms')
    return starts


def add_idle(aims, name, pack, aim):
    """Memory, and what an idle daemon uses."""
    progress(f'{QUIET} quiet seconds: {name}')
    daemon = started(pack)
    pid = daemon.process.pid
    try:
        time.sleep(0.5)
        before = used(pid)
        time.sleep(QUIET)
        cpu, sleeps = (now - then for now, then in zip(used(pid), before))
        resident, peak = field_of(pid, 'VmRSS') / 1024, field_of(pid, 'VmHWM') / 1024
    finally:
        daemon.stop()
    aims.add(f'{name}: resident memory', resident, aim, 'MB', f'peak {peak:.1f} MB')
    aims.add(f'{name}: CPU in {QUIET} quiet seconds', cpu, 1, 'ms',
             f'woken {sleeps} times, alerts {len(daemon.alerts())}')
    return {'cpu': cpu, 'sleeps': sleeps, 'resident': resident, 'peak': peak}


class Lines:
    """Lines of a pipe, each waited for with a limit."""

    def __init__(self, pipe):
        self.fd, self.buffer = pipe.fileno(), b''

    def find(self, words, seconds):
        """True once a line holds all the words; False at the limit or the end."""
        end = time.monotonic() + seconds
        while True:
            *lines, self.buffer = self.buffer.split(b'\n')
            if any(all(word in line for word in words) for line in lines):
                return True
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                return False
            more = os.read(self.fd, 65536)
            if not more:
                return False
            self.buffer += more


def latencies(pack):
    """(milliseconds from before a read of /etc/shadow to the line of its alert, how many got lost)."""
    daemon = subprocess.Popen([os.path.join(ROOT, 'build/rulerun'), pack], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, cwd=ROOT)
    with open('/proc/self/comm', 'rb') as comm:
        words = (b'Sensitive file read', b'process=' + comm.read().strip())
    taken, lost = [], 0
    try:
        if not Lines(daemon.stderr).find((b'armed',), 20):
            raise RuntimeError('rulerun did not arm')
        lines = Lines(daemon.stdout)
        for _ in range(ALERTS):
            start = time.monotonic()
            os.close(os.open('/etc/shadow', os.O_RDONLY))
            if lines.find(words, 2):
                taken.append((time.monotonic() - start) * 1000)
            else:
                lost += 1
            time.sleep(0.004)
    finally:
        daemon.terminate()
        daemon.communicate()
    return taken, lost


def add_latency(aims, pack):
    """From the event to its line; milliseconds, in the order of the events."""
    progress(f'latency of {ALERTS} alerts')
    taken, lost = latencies(pack)
    if lost or not taken:
        aims.failed('our rules: alert latency', None, 'ms', f'{lost} of {ALERTS} alerts did not come')
        return taken
    order = sorted(taken)
    raw = f'{len(order)} alerts, {order[0]:.2f} to {order[-1]:.2f} ms'
    aims.add('our rules: alert latency, median', statistics.median(order), None, 'ms', raw)
    aims.add('our rules: alert latency, 99 of 100', order[int(len(order) * 0.99) - 1], None, 'ms',
             raw)
    return taken


def flood():
    """ns of an open and close of a file, while each processor does nothing else."""
    run = subprocess.run([os.path.join(BIN, 'flood'), str(FLOOD), MATCHED], capture_output=True,
                         text=True, check=True)
    return float(run.stdout)


def flood_watched(pack):
    """The same, each a match; and the daemon's counts."""
    daemon = started(pack, '--format', 'json', '--output', 'file:/dev/null')
    try:
        cost = flood()
    finally:
        daemon.stop()
    return cost, daemon.counts()


def add_flood(aims, name, pack):
    """How much slower all processors open files, when each open is a match."""
    raw = {'nothing attached': [], name: [], 'counts': []}
    for turn in range(FLOODS):
        progress(f'flood {turn + 1} of {FLOODS}')
        raw['nothing attached'].append(flood())
        cost, counts = flood_watched(pack)
        raw[name].append(cost)
        raw['counts'].append(counts)
    slower = [100 * (one / bare - 1) for one, bare in zip(raw[name], raw['nothing attached'])]
    seen, lost = (sum(counts[key] for counts in raw['counts']) for key in ('seen', 'lost'))
    aims.add(f'{name}: slow-down of opens, all processors at it and each a match',
             statistics.median(slower), 25, '%',
             f'{statistics.median(raw[name]):,.0f} ns / '
             f'{statistics.median(raw["nothing attached"]):,.0f} ns, {lost:,} of {seen:,} records lost')
    return raw
