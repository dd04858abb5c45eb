# SPDX-License-Identifier: Apache-2.0
"""What the kernel keeps of processes: ten thousand of them, by what its allocator gives away."""
import os
import subprocess
import time

import kernel
from lib import Rulerun
from report import BIN, progress

COUNT = 10000
TASK_STORAGE = 29       # of enum bpf_map_type
SETTLE = 1.0            # seconds until what was freed is free
PATIENCE = 240          # seconds: each process that runs is looked at before the daemon is armed


def slab():
    """Kilobytes of kernel objects. Not those of files in /proc, of which a start opens some for each
    process: they stay as long as nothing else wants the memory."""
    with open('/proc/meminfo', encoding='ascii') as info:
        return next(int(line.split()[1]) for line in info if line.startswith('SUnreclaim:'))


def settled():
    """The same, once the kernel has freed what it will."""
    time.sleep(SETTLE)
    return slab()


def grown(pack):
    """(kilobytes that a daemon's start adds, its state maps' values in bytes)."""
    before = settled()
    daemon = Rulerun(pack, '--output', 'file:/dev/null')
    try:
        if not daemon.armed and not daemon.wait_for('armed', PATIENCE):
            raise RuntimeError('rulerun did not arm: ' + daemon.read('err').strip())
        after = settled()
        maps = kernel.held(daemon.process.pid)[1].values()
        values = sorted(row['value_size'] for row in maps if row['map_type'] == TASK_STORAGE)
    finally:
        daemon.stop()
    return after - before, values


def used_by_texts(name):
    """Bytes that the processes' own arguments (`cmdline`) or environments take, on the average."""
    sizes = []
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open(f'/proc/{pid}/{name}', 'rb') as text:
                sizes.append(len(text.read()))
        except OSError:
            continue    # it has ended
    return sum(sizes) / len(sizes)


def add(aims, name, pack):
    """Rows for the state of processes; raw numbers."""
    progress(f'state of {COUNT:,} processes: {name}')
    alone, values = grown(pack)
    with subprocess.Popen([os.path.join(BIN, 'procs'), str(COUNT)], stdin=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as processes:
        if 'ready' not in processes.stderr.readline():
            raise RuntimeError(f'{COUNT} processes could not be started')
        many, _ = grown(pack)
        texts = {name: used_by_texts(name) for name in ('cmdline', 'environ')}
        processes.stdin.close()
    each = (many - alone) / COUNT * 1024
    aims.add(f'{name}: kernel memory for the state of {COUNT:,} processes', (many - alone) / 1024, None,
             'MB', f'{each:,.0f} bytes each, {values[0]} of them the state, if its texts are short; on the '
             f'average arguments have {texts["cmdline"]:.0f} and environments {texts["environ"]:,.0f}')
    return {'alone kB': alone, 'with processes kB': many, 'value sizes': values,
            'texts, bytes': texts}
