#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a pack of many rules, all different, to standard output.

    genpack.py [--rules N] [--shape SHAPE] [--macros M] [--list-items K] [--seed S]

The same arguments give the same bytes. What rules ask for is their shape:

    name    a program of its own
    path    a file of its own
    prefix  a folder of its own
    mixed   a third of each, with `not`
    usual   what people write, in turn: writes below a folder, reads of a file, a program by its
            parents or command line, a connection
    list    reads of one of the K paths of one list

M macros say what rules leave out, one a rule; a few test one of two lists of K items. Names and paths
begin with "gp": nothing on a machine is called so, and no rule fires by accident.
"""
import argparse
import random
import string
import sys

LETTERS = string.ascii_lowercase + string.digits
SPAWNED, OPENED = 'spawned_process', 'opened_file'
USUAL = 4           # kinds of rules of that shape


def word(rng, least, most):
    """Letters and digits."""
    return ''.join(rng.choice(LETTERS) for _ in range(rng.randint(least, most)))


def name(rng):
    """A name that fits into a process's name."""
    return 'gp' + word(rng, 4, 10)


def path(rng):
    """A file's path."""
    parts = [word(rng, 3, 9) for _ in range(rng.randint(1, 4))]
    return '/gp/' + '/'.join(parts) + '/' + word(rng, 6, 14)


def unique(make, rng, count):
    """`count` different things, in the order in which they were made."""
    found = {}
    while len(found) < count:
        found[make(rng)] = True
    return list(found)


def listed(items):
    """A YAML flow sequence, several to the line."""
    lines = [', '.join(items[i:i + 8]) for i in range(0, len(items), 8)]
    return '[' + ',\n          '.join(lines) + ']'


# ---- conditions, by shape: of rule i, `own` being a name or a path that no other rule has ----
def by_name(_rng, own, _i):
    """A program."""
    return f'{SPAWNED} and proc.name = {own}'


def by_path(_rng, own, _i):
    """A file."""
    return f'{OPENED} and fd.name = {own}'


def by_prefix(_rng, own, _i):
    """A folder."""
    return f'{OPENED} and fd.name startswith {own}/'


def by_list(_rng, _own, _i):
    """The list of paths."""
    return f'{OPENED} and fd.name in (big_paths)'


def mixed(rng, own, i):
    """A third of each, with exceptions."""
    other = name(rng)
    if own[0] != '/':
        return (f'{SPAWNED} and proc.name in ({own}, {other}) and '
                f'not proc.pname in ({name(rng)}, {name(rng)})')
    test = f'fd.name = {own}' if i % 2 else f'fd.name startswith {own}'
    more = f'not proc.name in ({other}, {name(rng)})'
    if i % 5 == 0:
        more += f' and not fd.name endswith .{word(rng, 2, 4)}'
    if i % 7 == 0:
        more += ' and user.uid != 0'
    return f'{OPENED} and {test} and {more}'


def usual(rng, own, i):
    """What people write."""
    kind = i % USUAL
    if kind == 0:
        return f'{OPENED} and evt.is_open_write = true and fd.name startswith {own}/'
    if kind == 1:
        return f'{OPENED} and evt.is_open_read = true and fd.name = {own}'
    if kind == 2:
        return (f'{SPAWNED} and proc.name = {own} and (proc.pname in ({name(rng)}, {name(rng)}) '
                f'or proc.cmdline contains "--{word(rng, 3, 6)}={i}")')
    return f'evt.type = connect and fd.sport = {1 + i % 65535} and proc.name = {own}'


# shape: (a rule's condition, has rule i a name of its own, or a path?)
SHAPES = {
    'name': (by_name, lambda i: True),
    'path': (by_path, lambda i: False),
    'prefix': (by_prefix, lambda i: False),
    'mixed': (mixed, lambda i: i % 3 == 0),
    'usual': (usual, lambda i: i % USUAL >= 2),
    'list': (by_list, lambda i: False),
}


def macro(rng, i, args):
    """Macro i: what the rules that use it leave out. A few test a big list."""
    each = max(50, args.macros // 4)
    if args.list_items and i % each == 0:
        return 'proc.pname in (big_names)'
    if args.list_items and i % each == 25:
        return 'fd.name in (big_paths)'
    if i % 2:
        return f'proc.pname = {name(rng)}'
    return f'(proc.pname = {name(rng)} and user.uid = {rng.randint(1, 60000)})'


def pack(args):
    """The documents."""
    rng = random.Random(args.seed)
    condition, has_name = SHAPES[args.shape]
    names, paths = unique(name, rng, args.rules), unique(path, rng, args.rules)
    yield f'- macro: {SPAWNED}\n  condition: (evt.type in (execve, execveat))\n'
    yield f'- macro: {OPENED}\n  condition: (evt.type in (open, openat, openat2))\n'
    if args.list_items:
        yield f'- list: big_names\n  items: {listed(unique(name, rng, args.list_items))}\n'
        yield f'- list: big_paths\n  items: {listed(unique(path, rng, args.list_items))}\n'
    for i in range(args.macros):
        yield f'- macro: gp_macro_{i}\n  condition: {macro(rng, i, args)}\n'
    for i in range(args.rules):
        text = condition(rng, (names if has_name(i) else paths)[i], i)
        if args.macros:
            text += f' and not gp_macro_{i % args.macros}'
        yield (f'- rule: Generated {i}\n  desc: Rule {i} of {args.rules}\n  condition: {text}\n'
               '  output: Generated (command=%proc.cmdline parent=%proc.pname)\n'
               '  priority: NOTICE\n  tags: [generated]\n')


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--rules', type=int, default=1000)
    parser.add_argument('--shape', choices=sorted(SHAPES), default='mixed')
    parser.add_argument('--macros', type=int, default=0)
    parser.add_argument('--list-items', type=int, default=0)
    parser.add_argument('--seed', type=int, default=1)
    args = parser.parse_args()
    if args.rules < 0 or args.macros < 0 or args.list_items < 0:
        parser.error('numbers cannot be negative')
    if args.shape == 'list' and not args.list_items:
        parser.error('--shape list needs --list-items')
    sys.stdout.writelines(pack(args))
    return 0


if __name__ == '__main__':
    sys.exit(main())
