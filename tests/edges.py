#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Loops of the probe as older kernels want them: edges.py [OBJECT...]

Before 6.3 the verifier walks a function's instructions depth first, the next one before the one that a
jump leads to, and refuses an edge back to where it came from unless that edge is a jump ("back-edge from
insn"). clang makes such edges of a loop that it enters in its middle. Seen here, it is seen in a second
and not only in a guest.
"""
import os
import re
import subprocess
import sys

from objects import bpf_objects
from score import Score

HEAD = re.compile(r'^[0-9a-f]+ <(\w+)>:')
LINE = re.compile(r'^\s+(\d+):\s+(?:[0-9a-f]{2}\s)+\s*(.*)$')
JUMP = re.compile(r'goto ([+-]\d+)')


def functions(path):
    """{name: {number: (text, number of the next one)}} of an object."""
    run = subprocess.run(['llvm-objdump', '-d', path], capture_output=True, text=True, check=True)
    found, now = {}, {}
    for line in run.stdout.splitlines():
        head, row = HEAD.match(line), LINE.match(line)
        if head and not head.group(1).startswith('LBB'):
            now = found.setdefault(head.group(1), [])
        elif row:
            now.append((int(row.group(1)), row.group(2)))
    return {name: {number: (text, rows[i + 1][0] if i + 1 < len(rows) else None)
                   for i, (number, text) in enumerate(rows)} for name, rows in found.items() if rows}


def edges(number, text, following):
    """(where to, may it lead back) of an instruction, in the verifier's order."""
    jump = JUMP.search(text)
    if text.startswith('exit'):
        return []
    to = [(number + 1 + int(jump.group(1)), True)] if jump else []
    return to if text.startswith('goto') else [(following, bool(jump)), *to]


def refused(rows):
    """Edges of a function that lead back and are not a jump's."""
    first = next(iter(rows))
    begun, path, wrong = {first}, [(first, iter(edges(first, *rows[first])))], []
    above = {first}
    while path:
        number, rest = path[-1]
        to, may = next(rest, (None, None))
        if may is None:
            above.discard(path.pop()[0])
        elif to in above and not may:
            wrong.append((number, to))
        elif to in rows and to not in begun:
            begun.add(to)
            above.add(to)
            path.append((to, iter(edges(to, *rows[to]))))
    return wrong


def main():
    score = Score()
    for path in sys.argv[1:] or bpf_objects():
        for name, rows in functions(path).items():
            wrong = refused(rows)
            score.check(not wrong, f'{os.path.basename(path)}: {name}: a loop that is entered in its middle: '
                                   f'{wrong}')
    return score.close()


if __name__ == '__main__':
    sys.exit(main())
