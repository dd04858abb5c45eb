# SPDX-License-Identifier: Apache-2.0
"""Whole programs, as people run them: a compile, a walk, an archive unpacked, a server with its client.

What they work on is made once, in a folder of the benchmark. Each runs pinned: the compile, which is
two at a time, to the first two processors, the others to the first.
"""
import os
import resource
import shutil
import subprocess
import tempfile
import time

from report import BIN, run_pinned

UNITS, REQUESTS = 8, 8000
COMPILE, WALK, UNPACK, SERVE = 'compile', 'find', 'tar', 'requests'
# What the tables' readers must know of each.
WHAT = {COMPILE: f'{UNITS} C files with gcc -O1, two at a time',
        WALK: 'find /usr, four levels deep, of files above 1 kB',
        UNPACK: 'tar -x of the C headers of /usr/include/linux',
        SERVE: f'{REQUESTS:,} requests over loopback: connect, read a file, answer'}
SOURCE = '''#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
static int by_text(const void *a, const void *b) { return strcmp(a, b); }
int part_%d(char (*lines)[64], size_t n)
{
    qsort(lines, n, sizeof *lines, by_text);
    for (size_t i = 0; i < n; i++)
        printf("%%zu %%s\\n", i, lines[i]);
    return n > %d;
}
'''


class Programs:
    """The programs and what they work on."""

    def __init__(self, folder):
        self.folder = tempfile.mkdtemp(prefix='programs-', dir=folder)
        self.unpacked = os.path.join(self.folder, 'unpacked')
        self.archive = os.path.join(self.folder, 'headers.tar')
        units = []
        for i in range(UNITS):
            units.append(os.path.join(self.folder, f'part{i}.c'))
            with open(units[-1], 'w', encoding='ascii') as out:
                out.write(SOURCE % (i, i))
        with open(os.path.join(self.folder, 'units'), 'w', encoding='ascii') as out:
            out.write('\n'.join(units))
        subprocess.run(['tar', '-cf', self.archive, '-C', '/usr/include', 'linux'], check=True)
        self.commands = {
            COMPILE: ((0, 1), ['xargs', '-a', os.path.join(self.folder, 'units'), '-P', '2', '-n', '1',
                               'gcc', '-O1', '-c', '-o', '/dev/null']),
            WALK: ((0,), ['find', '/usr', '-xdev', '-maxdepth', '4', '-type', 'f', '-size', '+1k']),
            UNPACK: ((0,), ['tar', '-xf', self.archive, '-C', self.unpacked]),
            SERVE: ((0,), [os.path.join(BIN, 'request'), str(REQUESTS), '/etc/passwd'])}

    def run_one(self, name):
        """(ns, ns of processor time) of a program."""
        processors, argv = self.commands[name]
        shutil.rmtree(self.unpacked, ignore_errors=True)
        os.mkdir(self.unpacked)
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic_ns()
        run_pinned(argv, processors)
        took = time.monotonic_ns() - start
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return took, 1e9 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)

    def run(self):
        """({program: ns}, {program: ns of processor time})."""
        both = {name: self.run_one(name) for name in self.commands}
        return ({name: took for name, (took, _) in both.items()},
                {name: cpu for name, (_, cpu) in both.items()})
