# SPDX-License-Identifier: Apache-2.0
"""Inside the kernel: what each kind of event costs, and what share of events comes out."""
import statistics

import calls
import kernel
from calls import started
from report import markdown, progress


def by_type(pack, rounds):
    """{operation: [ns that the daemon's BPF programs take for it, one a round]}.

    The kernel's own counters tell; they add some 20 ns to each run of a program, and calls of other
    processes count, so that this wants a quiet machine. getppid is the price of a call that no rule
    looks at.
    """
    found = {}
    daemon = started(pack)
    try:
        with kernel.RunStats():
            for turn in range(rounds):
                progress(f'events by kind, round {turn + 1} of {rounds}')
                for name in calls.micro_names():
                    found.setdefault(name, []).append(calls.bpf_cost(daemon.process.pid, name))
    finally:
        daemon.stop()
    return found


def table(name, found):
    """A row for each kind of event."""
    rows = [(operation, f'{statistics.median(values):,.0f}', f'{min(values):,.0f} to {max(values):,.0f}')
            for operation, values in found.items()]
    return markdown((f'{name}: its BPF programs, for each', 'ns', 'all rounds'), rows)


def add_share(aims, name, pack, programs):
    """How many of the whole programs' events the kernel drops."""
    progress('whole programs, for the share of events that is dropped')
    daemon = started(pack)
    try:
        programs.run()
    finally:
        daemon.stop()
    counts = daemon.counts()
    if not counts or not counts['seen']:
        aims.failed(f'{name}: events that the kernel lets through', 0.1, '%', 'no counts')
        return counts
    passed = 100 * (counts['sent'] + counts['lost']) / counts['seen']
    aims.add(f'{name}: events of whole programs that the kernel lets through', passed, 0.1, '%',
             f'seen {counts["seen"]:,}, sent {counts["sent"]:,}, lost {counts["lost"]:,}, '
             f'alerts {len(daemon.alerts()):,}')
    return counts
