#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds C sources to the limits of the house: shape.py FOLDER...

A function has at most 80 lines, name to closing brace; a file at most 800; of all functions 95% have at
most 50. No mutable variable at file scope outside bpf/. No ring of modules (x.c and x.h are one) that
include each other.
"""
import graphlib
import os
import re
import sys

FUNCTION = re.compile(r'^[a-z_][^;={}]*\([^;{}]*\)\s*\n?\{', re.M)
GLOBAL = re.compile(r'^static\s+(?!const|inline|struct \w+ \*?\w+\(|.*\()[^;(]*(=|;)', re.M)
INCLUDE = re.compile(r'^#include "([^"]+)"', re.M)
QUOTED = ('grammar', 'compiler', 'runtime')  # -iquote in the Makefile
STRIP = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def functions(text):
    """(line, length) of each function: from its first line to the brace in column 1."""
    for match in FUNCTION.finditer(text):
        end = text.find('\n}', match.start())
        if end > 0:
            head = text[match.start():match.end()].rstrip('{').rstrip()
            name_line = text.count('\n', 0, match.start() + head.rfind('('))
            yield name_line + 1, text.count('\n', 0, end) + 1 - name_line


def included(files, path):
    """The files among `files` that this one includes: beside it, or by -iquote."""
    for name in INCLUDE.findall(files[path]):
        near = os.path.normpath(os.path.join(os.path.dirname(path), name))
        found = [p for p in (near, *(f'{f}/{name}' for f in QUOTED)) if p in files]
        yield from found[:1]


def rings(files):
    """Headers that include each other, and modules: x.c with x.h, which may both include y.h."""
    def module(path):
        return os.path.splitext(path)[0]
    headers = {p: {i for i in included(files, p) if i.endswith('.h')}
               for p in files if p.endswith('.h')}
    modules = {module(p): set() for p in files if p.endswith('.c')}
    for path in files:
        if module(path) in modules:
            modules[module(path)] |= {module(i) for i in included(files, path)}
    modules = {m: (uses & modules.keys()) - {m} for m, uses in modules.items()}
    for graph in (headers, modules):
        try:
            graphlib.TopologicalSorter(graph).prepare()
        except graphlib.CycleError as error:
            yield ' -> '.join(error.args[1])


def main():
    wrong, lengths, files = [], [], {}
    for top in sys.argv[1:]:
        for folder, _, names in os.walk(top):
            for path in sorted(os.path.join(folder, n) for n in names if n.endswith(('.c', '.h'))):
                with open(path, encoding='utf-8') as source:
                    files[path] = raw = source.read()
                text = STRIP.sub(lambda m: re.sub(r'[^\n]', ' ', m.group()), raw)
                lines = raw.count('\n')
                if lines > 800:
                    wrong.append(f'{path}: {lines} lines')
                for line, length in functions(text):
                    lengths.append(length)
                    if length > 80:
                        wrong.append(f'{path}:{line}: a function of {length} lines')
                if not path.startswith('bpf'):
                    for match in GLOBAL.finditer(text):
                        if 'const' not in match.group():
                            wrong.append(f'{path}:{text.count(chr(10), 0, match.start()) + 1}: '
                                         f'mutable at file scope: {match.group().strip()[:60]}')
    wrong += [f'include each other: {ring}' for ring in rings(files)]
    lengths.sort()
    if lengths:
        at95 = lengths[int(len(lengths) * 0.95)]
        print(f'{len(lengths)} functions: median {lengths[len(lengths) // 2]}, 95% {at95}, '
              f'longest {lengths[-1]}')
        if at95 > 50:
            wrong.append(f'5% of the functions are longer than {at95 - 1} lines')
    print('\n'.join(wrong))
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
