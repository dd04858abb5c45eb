# SPDX-License-Identifier: Apache-2.0
"""What the kernel knows of the BPF programs and maps that a process holds."""
import ctypes
import os
import platform
import re

BPF_ENABLE_STATS = 32
SYS_BPF = {'x86_64': 321, 'aarch64': 280}
LINE = re.compile(r'^(\w+):\s*(\d+)$', re.MULTILINE)


class RunStats:
    """While it lives the kernel counts how often each program runs, and how long."""

    def __init__(self):
        attributes = ctypes.create_string_buffer(128)   # type 0: run time and count
        self.fd = ctypes.CDLL(None, use_errno=True).syscall(
            SYS_BPF[platform.machine()], BPF_ENABLE_STATS, attributes, len(attributes))
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), 'the kernel does not count runs of programs')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.fd)


def held(pid):
    """({program id: {key: number}}, {map id: {key: number}}), as the descriptors tell."""
    programs, maps = {}, {}
    for name in os.listdir(f'/proc/{pid}/fdinfo'):
        try:
            with open(f'/proc/{pid}/fdinfo/{name}', encoding='ascii') as text:
                row = {key: int(value) for key, value in LINE.findall(text.read())}
        except (FileNotFoundError, ProcessLookupError):
            continue    # closed since it was listed
        if 'map_id' in row and 'memlock' in row:
            maps[row['map_id']] = row
        elif 'verified_insns' in row:
            programs[row['prog_id']] = row
    return programs, maps


def memory(pid):
    """{what: bytes of kernel memory} that a process's programs and maps take."""
    programs, maps = held(pid)
    return {'programs': sum(row['memlock'] for row in programs.values()),
            'maps': sum(row['memlock'] for row in maps.values())}


def run_ns(pid):
    """How long the programs of a process have run."""
    return sum(row['run_time_ns'] for row in held(pid)[0].values())
