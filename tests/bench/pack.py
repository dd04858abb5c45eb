#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a pack of any size, as YAML, on standard output: for measuring how rulec scales.

    pack.py rules N [--seed S]    N distinct rules over 1,000 macros and lists of 10,000 items
    pack.py list N [--seed S]     one rule that holds a path against one list of N items

The same arguments give the same bytes. Rules look as people write them: an event, a place or a
program of their own, macros and lists that they share, an exception.
"""
import argparse
import random
import sys

MACROS, ITEMS, LISTS = 1000, 10000, 4
WRITES = 'evt.type in (open, openat, openat2) and evt.is_open_write = true'
READS = 'evt.type in (open, openat, openat2) and evt.is_open_read = true'
WORDS = ('api auth batch cache core cron data edge feed gate hub index job kv log mail node ops '
         'proxy queue relay shard store sync task user vault web').split()
PRIORITIES = ('CRITICAL', 'ERROR', 'WARNING', 'NOTICE')


def program(rng):
    """A name that fits into a process's name."""
    return f'{rng.choice(WORDS)}-{rng.randrange(10 ** 6):06d}'


def path(rng):
    """A file's path."""
    return '/' + '/'.join(('srv', rng.choice(WORDS), rng.choice(WORDS),
                           f'{rng.choice(WORDS)}{rng.randrange(10 ** 7):07d}'))


def distinct(make, rng, count):
    """`count` different things, in the order they were made."""
    found = {}
    while len(found) < count:
        found[make(rng)] = None
    return list(found)


def a_list(name, items):
    """A list's document."""
    return f'- list: {name}\n  items: [{", ".join(items)}]\n'


def lists(rng):
    """Half of them are of programs, half of paths."""
    for i in range(LISTS):
        make = program if i % 2 == 0 else path
        yield a_list(f'list_{i}', distinct(make, rng, ITEMS))


def macro(rng, i):
    """One in 25 asks a long list; the others a few constants of their own."""
    if i % 25 == 0:
        which = i // 25 % LISTS
        field = 'proc.name' if which % 2 == 0 else 'fd.name'
        condition = f'{field} in (list_{which})'
    elif i % 2 == 0:
        names = ', '.join(distinct(program, rng, 4))
        condition = f'proc.name in ({names}) or proc.pname = {program(rng)}'
    else:
        condition = f'fd.name startswith {path(rng)}/ or fd.name = {path(rng)}'
    return f'- macro: macro_{i}\n  condition: ({condition})\n'


def condition_of(rng, i):
    """A rule's condition; `i` alone makes it distinct."""
    allowed = f'not macro_{rng.randrange(MACROS)}'
    kind = rng.randrange(4)
    if kind == 0:
        return f'{WRITES} and fd.name startswith /srv/rule{i}/ and {allowed}'
    if kind == 1:
        return f'{READS} and fd.name = /etc/rule{i}.conf and {allowed}'
    if kind == 2:
        return (f'evt.type in (execve, execveat) and proc.name = rule{i} and '
                f'(proc.pname in ({", ".join(distinct(program, rng, 3))}) or '
                f'proc.cmdline contains "--{rng.choice(WORDS)}={i}") and {allowed}')
    return (f'evt.type = connect and fd.sport = {1 + i % 65535} and proc.name = rule{i} and '
            f'{allowed}')


def rule(rng, i, condition):
    """A rule's document."""
    return (f'- rule: Generated rule {i}\n'
            f'  desc: A rule of a generated pack\n'
            f'  condition: >\n    {condition}\n'
            f'  output: Rule {i} (process=%proc.name file=%fd.name user=%user.uid)\n'
            f'  priority: {rng.choice(PRIORITIES)}\n')


def rules_pack(rng, count):
    """The documents of a pack of rules."""
    yield from lists(rng)
    for i in range(MACROS):
        yield macro(rng, i)
    for i in range(count):
        yield rule(rng, i, condition_of(rng, i))


def list_pack(rng, count):
    """The documents of a pack of one rule and one list."""
    yield a_list('long_list', distinct(path, rng, count))
    yield rule(rng, 0, f'{READS} and fd.name in (long_list)')


def main():
    options = argparse.ArgumentParser()
    options.add_argument('kind', choices=('rules', 'list'))
    options.add_argument('count', type=int)
    options.add_argument('--seed', type=int, default=1)
    args = options.parse_args()
    make = rules_pack if args.kind == 'rules' else list_pack
    sys.stdout.writelines(make(random.Random(args.seed), args.count))
    return 0


if __name__ == '__main__':
    sys.exit(main())
