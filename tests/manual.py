#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The options that a program takes, those its --help tells, and those of its manual page are the same.

Of rulec each command's: its table of options in compiler/cmd_NAME.c, `rulec NAME --help`, and the
command's part of the SYNOPSIS. Every option of a page stands in its description, too.
"""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
COMMANDS = {'check': 'check', 'build': 'build', 'eval': 'eval', 'explain': 'explain', 'dump': 'dump',
            'fields': 'fields', 'events': 'fields'}


def read(path):
    """A file of the repository."""
    with open(os.path.join(ROOT, path), encoding='utf-8') as text:
        return text.read()


def taken(path):
    """What getopt_long is told of."""
    return {'--' + name for name in re.findall(r'\{"([a-z-]+)", (?:no|required|optional)_argument',
                                               read(path))}


def told(*command):
    """What --help says."""
    text = subprocess.run([os.path.join(ROOT, 'build', command[0]), *command[1:], '--help'],
                          capture_output=True, text=True, check=True).stdout
    # An option's line begins with it; what it says may name others.
    heads = [re.split(r'\s{2,}', line.strip())[0] for line in text.splitlines()
             if line.startswith('  -')]
    return set(re.findall(r'(?<![\w-])--[a-z][a-z-]*', ' '.join(heads)))


def written(mdoc):
    """What a part of a manual page names."""
    lines = [line for line in mdoc.splitlines() if re.search(r'\bFl ', line)]
    return {'--' + name for name in re.findall(r'(?<=[ |,]) ?-([a-z][a-z-]+)', '\n'.join(lines))}


def section(page, name):
    """A section's text."""
    return page.split(f'\n.Sh {name}\n')[1].split('\n.Sh ')[0]


def synopsis(page):
    """{command: its part}; fields and events share one."""
    parts = {}
    for part in section(page, 'SYNOPSIS').split('.Nm\n'):
        words = re.match(r'\.Cm ([a-z |]+)', part)
        for command in words.group(1).split(' | ') if words else ['']:
            parts[command] = parts.get(command, '') + part
    return parts


def same(score, what, have, want):
    """One test: two sets of options are equal."""
    score(have == want, f'{what}: missing {sorted(want - have)}, too many {sorted(have - want)}')


def rulec(score):
    """rulec's commands."""
    page = read('docs/rulec.1')
    parts = synopsis(page)
    score(set(COMMANDS) | {''} == set(parts), f'rulec.1: commands: {sorted(parts)}')
    overview = subprocess.run([os.path.join(ROOT, 'build/rulec'), '--help'], capture_output=True,
                              text=True, check=True).stdout
    for command, file in COMMANDS.items():
        options = taken(f'compiler/cmd_{file}.c')
        score(f'\n  {command} ' in overview, f'rulec --help does not tell of {command}')
        same(score, f'rulec {command} --help', told('rulec', command), options)
        same(score, f'rulec.1, synopsis of {command}', written(parts.get(command, '')), options)
    every = set().union(*map(written, parts.values()))
    missing = every - {'--help', '--version'} - written(section(page, 'DESCRIPTION'))
    score(not missing, f'rulec.1, description: missing {sorted(missing)}')


def rulerun(score):
    """rulerun."""
    page, options = read('docs/rulerun.1'), taken('runtime/main.c')
    same(score, 'rulerun --help', told('rulerun'), options)
    same(score, 'rulerun.1, synopsis', written(section(page, 'SYNOPSIS')), options)
    same(score, 'rulerun.1, description', written(section(page, 'DESCRIPTION')), options)


def main():
    counts = [0, 0]

    def score(good, text):
        counts[not good] += 1
        if not good:
            print('FAIL', text)

    rulec(score)
    rulerun(score)
    print(f'{counts[0]} passed, {counts[1]} failed')
    return 1 if counts[1] else 0


if __name__ == '__main__':
    sys.exit(main())
