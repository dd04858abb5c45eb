#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Frames of the programs as older kernels count them: frames.py [BUNDLE...]

A BPF program may have eight functions above each other, which take 512 bytes of stack together. Kernels
before 6.2 count each frame in steps of 32 bytes, later ones in steps of 16: what is too much is refused
there alone, and with the whole program. Seen here, it is seen in a second and not only in a guest.
Without arguments: our rules, many made ones, and the official ones, which are read from FALCO_RULES or from
../shared/rules/falco beside this repository; without them there is less to see.
"""
import bisect
import collections
import glob
import os
import re
import subprocess
import sys
import tempfile

from score import Score

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OFFICIAL = os.environ.get('FALCO_RULES', os.path.join(os.path.dirname(ROOT), 'shared/rules/falco'))
FRAMES, STACK, STEP = 8, 512, 32
SECTION = re.compile(r'^Disassembly of section (\S+):')
HEAD = re.compile(r'^([0-9a-f]+) <(\w+)>:')
PLACE = re.compile(r'\(r10 - (\d+)\)')        # a load or store there
BELOW = re.compile(r'r(\d) \+= -(\d+)\s*$')     # an address, of a register that was set to r10
CODE = re.compile(r'r\d = (\d+) ll')           # where a callback is, if a relocation says so
CALL = re.compile(r'R_BPF_64_(?:32|64)\s+(\S+)')


class Program:
    """The functions of a bundle: what each calls, and its bytes of stack."""

    def __init__(self, path):
        self.calls, self.stack = collections.defaultdict(set), collections.Counter()
        self.text = []  # (address, name) of what is in .text, in order
        run = subprocess.run(['llvm-objdump', '-dr', path], capture_output=True, text=True, check=True)
        self.read(run.stdout.splitlines())

    def read(self, lines):
        """Fills it from a disassembly."""
        section = name = before = None
        for line in lines:
            head = HEAD.match(line)
            section = (SECTION.match(line) or [None, section])[1]
            if head and not head.group(2).startswith('LBB'):
                name = head.group(2)
                if section == '.text':
                    self.text.append((int(head.group(1), 16), name))
            elif name:
                self.see(name, line, before)
            before = line

    def see(self, name, line, before):
        """One line of a function."""
        call, below = CALL.search(line), BELOW.search(line)
        for depth in PLACE.findall(line):
            self.stack[name] = max(self.stack[name], int(depth))
        if below and re.search(rf'r{below.group(1)} = r10\s*$', before):
            self.stack[name] = max(self.stack[name], int(below.group(2)))
        if call:
            place = CODE.search(before) if call.group(1) == '.text' else None
            self.calls[name].add(int(place.group(1)) if place else call.group(1))

    def called(self, name):
        """Names of the functions that one calls, or has called in a loop."""
        for to in self.calls[name]:
            if isinstance(to, int):
                to = self.text[bisect.bisect(self.text, (to, '\uffff')) - 1][1]
            if to in self.calls or to in self.stack:
                yield to

    def worst(self, name, known):
        """(frames, names of the chain with most), (bytes, the same) from a function on."""
        if name not in known:
            below = [self.worst(to, known) for to in self.called(name) if to != name]
            size = -(-max(self.stack[name], 1) // STEP) * STEP
            known[name] = tuple(
                (most + own, [name, *chain]) for own, (most, chain) in
                zip((1, size), (max((row[i] for row in below), default=(0, [])) for i in (0, 1))))
        return known[name]


def packs(folder):
    """Bundles of our rules, of the official ones, apart and together, and of very many."""
    official = [path for path in sorted(glob.glob(os.path.join(OFFICIAL, '*_rules.yaml')))
                if 'deprecated' not in path]
    sources = {'ours': ['stdlib', 'rules'], 'every event': ['tests/live/around_rules.yaml'],
               **{os.path.basename(path): [path] for path in official}}
    if official:
        sources['all official'] = official
    large = os.path.join(folder, 'large.yaml')
    with open(large, 'w', encoding='utf-8') as text:
        subprocess.run([sys.executable, 'tests/bench/genpack.py', '--shape', 'mixed', '--rules', '2000',
                        '--seed', '1'], cwd=ROOT, check=True, stdout=text)
    sources['tables of classes'] = [large]
    for name, source in sources.items():
        path = os.path.join(folder, name + '.rpk')
        subprocess.run(['build/rulec', 'build', '-o', path, *source], cwd=ROOT, check=True,
                       capture_output=True)
        yield path


def main():
    score = Score()
    with tempfile.TemporaryDirectory(prefix='rulec-frames-') as folder:
        for path in sys.argv[1:] or packs(folder):
            program, known = Program(path), {}
            for name in [name for name in program.calls if name.startswith(('on_', 'judge_'))]:
                (frames, deep), (size, large) = program.worst(name, known)
                what = f'{os.path.basename(path)}: {name}'
                score.check(frames <= FRAMES, f'{what}: {frames} frames: {" > ".join(deep)}')
                score.check(size <= STACK, f'{what}: {size} bytes of stack: {" > ".join(large)}')
    return score.close()


if __name__ == '__main__':
    sys.exit(main())
