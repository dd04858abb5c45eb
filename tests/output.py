#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Output templates: each row of output.yaml is compiled and shown on the event below.

The JSON alert's `output` is the row's text behind time and priority, its `output_fields` are the
row's, and the text alert is the same line as in JSON.
"""
import json
import os
import subprocess
import sys
import tempfile

import yaml

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RULEC = os.path.join(ROOT, 'build/rulec')
EVENT = {'evt.type': 'openat', 'evt.num': 3, 'evt.rawtime': 1795494299068892935,
         'evt.rawarg.fd': 3, 'evt.rawarg.flags': 255, 'evt.rawarg.mode': 0o644,
         'fd.name': '/etc/x', 'fd.type': 'file', 'fd.dev': 43, 'fd.cip': '10.0.0.1',
         'fd.sip': 'fe80::1', 'fd.sport': 443,
         'fd.types': ['-a', '-b', 'x'], 'user.name': 'cm9vdA', 'proc.pid': 7, 'proc.name': 'cat',
         'proc.args': '-a "b"\x7f', 'proc.aname': ['sh', 'bash', 'init'],
         'proc.is_exe_writable': True, 'user.loginuid': -1, 'container.id': 'host'}
PREFIX = '04:24:59.068892935: Warning '


def evaluate(folder, style):
    """The run of one rule on the event."""
    return subprocess.run([RULEC, 'eval', '--alerts=' + style, '--events', folder + '/e.jsonl',
                           folder + '/r.yaml'], capture_output=True, text=True, check=False)


def wrong(row, folder):
    """What is wrong with one row; None: nothing."""
    rule = {'rule': 'r', 'desc': 'd', 'priority': 'WARNING', 'output': row['template'],
            'condition': 'evt.type = openat'}
    with open(folder + '/r.yaml', 'w', encoding='utf-8') as out:
        yaml.safe_dump([rule], out)
    run = evaluate(folder, 'json')
    if 'error' in row:
        good = run.returncode == 1 and f'[{row["error"]}]' in run.stderr
        return None if good else f'no {row["error"]}: {run.stdout}{run.stderr}'
    if run.returncode:
        return run.stderr
    alert = json.loads(run.stdout)['alerts'][0]
    fields = dict(alert['output_fields'])
    if fields.pop('evt.time', None) != EVENT['evt.rawtime'] or fields != row['fields']:
        return f'fields {fields}'
    if list(alert['output_fields']) != sorted(alert['output_fields']):
        return f'order {list(fields)}'
    if alert['output'] != PREFIX + row['text']:
        return f'text {alert["output"]!r}'
    line = json.loads(evaluate(folder, 'text').stdout)['alerts'][0]
    return None if json.loads(f'"{line}"') == alert['output'] else f'line {line!r}'


def main():
    with open(os.path.join(ROOT, 'tests/output.yaml'), encoding='utf-8') as text:
        rows = yaml.safe_load(text)
    counts = [0, 0]
    with tempfile.TemporaryDirectory(prefix='rulec-output-') as folder:
        with open(folder + '/e.jsonl', 'w', encoding='utf-8') as out:
            out.write(json.dumps(EVENT) + '\n')
        for row in rows:
            error = wrong(row, folder)
            counts[error is not None] += 1
            if error:
                print('FAIL', row['template'], error)
    print(f'{counts[0]} passed, {counts[1]} failed')
    return 1 if counts[1] else 0


if __name__ == '__main__':
    sys.exit(main())
