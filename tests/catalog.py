#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `rulec fields` and `rulec events` print: everything once, in columns, the same in JSON."""
import json
import os
import re
import subprocess
import sys

from score import Score

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
COLUMNS = 5 # of fields: name, argument, type, class, who supplies it; then the text


def lines(*command):
    """Lines that rulec prints."""
    run = subprocess.run([os.path.join(ROOT, 'build/rulec'), *command], capture_output=True, text=True,
                         check=True)
    return run.stdout.splitlines()


def rows(name):
    """Names of the rows of a table of the catalog."""
    with open(os.path.join(ROOT, 'grammar', name + 's.def'), encoding='utf-8') as text:
        return re.findall(r'^%s\(\w+, "([^"]+)"' % name.upper(), text.read(), re.M)


def check_fields(score):
    """One line each, aligned; who is not supplied says why."""
    text, names = lines('fields'), rows('field')
    score([line.split()[0] for line in text] == names, 'fields: not every field once and in order')
    score(len(set(names)) == 295, f'fields: {len(set(names))} of 295')
    columns = [match.end() for match in re.finditer(r' {2,}(?=\S)', text[0])][:COLUMNS]
    for line in text:
        score(all(line[at - 2:at] == '  ' and line[at] != ' ' for at in columns),
              f'fields: out of line: {line}')
        score(line[columns[3]:].startswith('no ') == ('(not supplied: ' in line),
              f'fields: why is it not supplied: {line}')
    for name, line in zip(names, lines('fields', '--format', 'json')):
        field = json.loads(line)
        score(field['name'] == name and field['supplied'] == ('reason' not in field),
              f'fields: JSON: {line}')
    score([line.split()[0] for line in lines('fields', 'user.', 'group.gid')] ==
          [name for name in names if name.startswith(('user.', 'group.gid'))], 'fields: beginnings')


def check_events(score):
    """One line each; of those that are asked for, parameters with the names of their flags."""
    names = rows('event')
    score([line.split()[0] for line in lines('events')] == names, 'events: not each once')
    for line, name in zip(lines('events', '--format', 'json'), names):
        score(json.loads(line)['name'] == name, f'events: JSON: {line}')
    page = lines('events', 'openat2')
    score(page[0] == 'openat2  file', f'events: {page[0]}')
    flags = next(at for at, line in enumerate(page) if re.match(r' +3  flags +FLAGS32$', line))
    score('O_RDONLY' in ' '.join(page[flags + 1:flags + 4]), f'events: flags: {page}')
    event = json.loads(lines('events', '--format', 'json', 'openat2')[0])
    resolve = next(one for one in event['parameters'] if one['name'] == 'resolve')
    score(resolve['flags'][0] == 'RESOLVE_BENEATH', f'events: {resolve}')


def check_missing(score):
    """The page of what is not supplied is the catalog's."""
    rulec, page = os.path.join(ROOT, 'build/rulec'), os.path.join(ROOT, 'docs/missing.md')
    run = subprocess.run([sys.executable, os.path.join(ROOT, 'docs/missing.py'), rulec],
                         capture_output=True, text=True, check=True)
    with open(page, encoding='utf-8') as text:
        score(text.read() == run.stdout, 'docs/missing.md is old: docs/missing.py build/rulec')


def main():
    tests = Score()
    score = tests.check
    check_fields(score)
    check_events(score)
    check_missing(score)
    return tests.close()


if __name__ == '__main__':
    sys.exit(main())
