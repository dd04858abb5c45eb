#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Writes a pack of many rules, all different, to standard output. The same arguments give the same bytes.

  --rules N        rules
  --shape SHAPE    what they ask for: name, path, prefix, or mixed (a third of each, with `not`)
  --macros M       macros; every rule uses one
  --list-items K   items of each of the two big lists (0: none), which some macros test
  --seed S         other names

Names and paths begin with "gp": nothing on a machine is called so, and no rule fires by accident.
"""

import argparse
import random
import string
import sys

LETTERS = string.ascii_lowercase + string.digits
HEAD = {
    "name": "spawned_process",
    "path": "opened_file",
    "prefix": "opened_file",
    "mixed": None,
}


def word(rng, least, most):
    return "".join(rng.choice(LETTERS) for _ in range(rng.randint(least, most)))


def unique(make, n):
    """n different things, in the order in which they were made."""
    found = {}
    while len(found) < n:
        found[make()] = True
    return list(found)


def name(rng):
    return "gp" + word(rng, 4, 10)


def path(rng):
    parts = [word(rng, 3, 9) for _ in range(rng.randint(1, 4))]
    return "/gp/" + "/".join(parts) + "/" + word(rng, 6, 14)


def listed(items):
    """A YAML flow sequence, several to the line."""
    lines = [", ".join(items[i : i + 8]) for i in range(0, len(items), 8)]
    return "[" + ",\n          ".join(lines) + "]"


def condition(rng, shape, own, i):
    """What rule i asks for, `own` being a name or a path that no other rule has."""
    if shape == "name":
        return f"proc.name = {own}"
    if shape == "path":
        return f"fd.name = {own}"
    if shape == "prefix":
        return f"fd.name startswith {own}/"
    other = name(rng)
    if own[0] != "/":
        return f"proc.name in ({own}, {other}) and not proc.pname in ({name(rng)}, {name(rng)})"
    test = f"fd.name = {own}" if i % 2 else f"fd.name startswith {own}"
    more = f"not proc.name in ({other}, {name(rng)})"
    if i % 5 == 0:
        more += f" and not fd.name endswith .{word(rng, 2, 4)}"
    if i % 7 == 0:
        more += " and user.uid != 0"
    return f"{test} and {more}"


def macro(rng, i, args):
    """Macro i: what the rules that use it leave out. A few test a big list."""
    each = max(50, args.macros // 4)
    if args.list_items and i % each == 0:
        return "proc.pname in (big_names)"
    if args.list_items and i % each == 25:
        return "fd.name in (big_paths)"
    if i % 2:
        return f"proc.pname = {name(rng)}"
    return f"(proc.pname = {name(rng)} and user.uid = {rng.randint(1, 60000)})"


def head_of(shape, own):
    return HEAD[shape] or ("spawned_process" if own[0] != "/" else "opened_file")


def pack(args, out):
    rng = random.Random(args.seed)
    by_name = args.shape == "name"
    owns = [unique(lambda: name(rng), args.rules), unique(lambda: path(rng), args.rules)]
    print("- macro: spawned_process\n  condition: (evt.type in (execve, execveat))", file=out)
    print("- macro: opened_file\n  condition: (evt.type in (open, openat, openat2))", file=out)
    if args.list_items:
        names = unique(lambda: name(rng), args.list_items)
        paths = unique(lambda: path(rng), args.list_items)
        print(f"- list: big_names\n  items: {listed(names)}", file=out)
        print(f"- list: big_paths\n  items: {listed(paths)}", file=out)
    for i in range(args.macros):
        print(f"- macro: gp_macro_{i}\n  condition: {macro(rng, i, args)}", file=out)
    for i in range(args.rules):
        own = owns[0 if by_name or (args.shape == "mixed" and i % 3 == 0) else 1][i]
        text = f"{head_of(args.shape, own)} and {condition(rng, args.shape, own, i)}"
        if args.macros:
            text += f" and not gp_macro_{i % args.macros}"
        print(f"- rule: Generated {i}\n  desc: Rule {i} of {args.rules}", file=out)
        print(f"  condition: {text}", file=out)
        print("  output: Generated (command=%proc.cmdline parent=%proc.pname)", file=out)
        print("  priority: NOTICE\n  tags: [generated]", file=out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--rules", type=int, default=1000)
    parser.add_argument("--shape", choices=sorted(HEAD), default="mixed")
    parser.add_argument("--macros", type=int, default=0)
    parser.add_argument("--list-items", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    if args.rules < 0 or args.macros < 0 or args.list_items < 0:
        parser.error("numbers cannot be negative")
    pack(args, sys.stdout)


if __name__ == "__main__":
    main()
