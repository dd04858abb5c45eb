#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds C sources to the limits of the house: shape.py FOLDER...

A function has at most 80 lines, name to closing brace; a file at most 800; of all functions 95% have at
most 50. No mutable variable at file scope outside bpf/.
"""
import os
import re
import sys

FUNCTION = re.compile(r'^[a-z_][^;={}]*\([^;{}]*\)\s*\n?\{', re.M)
GLOBAL = re.compile(r'^static\s+(?!const|inline|struct \w+ \*?\w+\(|.*\()[^;(]*(=|;)', re.M)
STRIP = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def functions(text):
    """(line, length) of each function: from its first line to the brace in column 1."""
    for match in FUNCTION.finditer(text):
        end = text.find('\n}', match.start())
        if end > 0:
            head = text[match.start():match.end()].rstrip('{').rstrip()
            name_line = text.count('\n', 0, match.start() + head.rfind('('))
            yield name_line + 1, text.count('\n', 0, end) + 1 - name_line


def main():
    wrong, lengths = [], []
    for top in sys.argv[1:]:
        for folder, _, names in os.walk(top):
            for path in sorted(os.path.join(folder, n) for n in names if n.endswith(('.c', '.h'))):
                with open(path, encoding='utf-8') as source:
                    raw = source.read()
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
