#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes docs/missing.md: what this version does not supply, and why, from the catalog.

    missing.py RULEC > missing.md

tests/catalog.py holds the page against this.
"""
import json
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HEAD = """# What is not supplied

Made from the catalog by `docs/missing.py`. A rule that needs one of these is checked like any other; `rulec build` refuses it, with
its place. What of a field is supplied in part, and what differs, is in [compatibility.md](compatibility.md).
"""

PARAMETERS = {'cgroups': 'of the control groups the container alone is read',
              'env': '`proc.env` has it'}


def rows(rulec, command):
    """A catalog, one object a row."""
    run = subprocess.run([rulec, command, '--format', 'json'], capture_output=True, text=True,
                         check=True)
    return [json.loads(line) for line in run.stdout.splitlines()]


def table(title, head, lines):
    """One section."""
    print(f'\n## {title}\n\n| {head} | why |\n| --- | --- |')
    for names, why in lines:
        print(f'| {", ".join(f"`{name}`" for name in names)} | {why} |')


def by_reason(pairs):
    """(names, reason), in the order of the first name of each reason."""
    reasons = {}
    for name, reason in pairs:
        reasons.setdefault(reason, []).append(name)
    return [(names, reason) for reason, names in reasons.items()]


def ring_operations():
    """Operations of an io_uring that stand for no call."""
    with open(os.path.join(ROOT, 'grammar/rings.def'), encoding='ascii') as text:
        return re.findall(r'^RING_OP_NONE\((\w+), \d+, "([^"]+)"\)', text.read(), re.M)


def main():
    rulec = sys.argv[1]
    fields, events = rows(rulec, 'fields'), rows(rulec, 'events')
    live = [event for event in events if event['live']]
    print(HEAD, end='')
    table('Fields', 'field', by_reason((f['name'], f['reason']) for f in fields if 'reason' in f))
    table('Parameters', 'event and parameter', by_reason(
        (f'{event["name"]}: {one["name"]}', PARAMETERS[one['name']])
        for event in live for one in event['parameters'] if not one['supplied']))
    table(f'Events: {len(live)} of {len(events)} are delivered', 'event', by_reason(
        (event['name'], event['reason']) for event in events if not event['live']))
    table('Operations of an io_uring that are no events', 'operation', by_reason(ring_operations()))


if __name__ == '__main__':
    main()
