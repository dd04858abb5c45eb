#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Alerts against those that Falco wrote: every line of the reference capture, byte for byte.

An event is made of each line's own fields, the rule has the official output, and `rulec eval
--alerts=json` must write the line again: the same keys in the same order, the same types, the same
text. The capture and the official rules are not part of this repository: without them all is skipped.
"""
import glob
import json
import os
import subprocess
import sys
import tempfile

import yaml

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SHARED = os.path.join(ROOT, '../shared')
LINES = os.path.join(SHARED, 'spec/reference-alerts.jsonl')


def official_rules():
    """Output templates of each official rule, by its name."""
    found = {}
    for path in sorted(glob.glob(os.path.join(SHARED, 'rules/falco/*.yaml'))):
        with open(path, encoding='utf-8') as text:
            for item in yaml.safe_load(text):
                if 'output' in item:
                    found.setdefault(item['rule'], []).append(item['output'])
    return found


def event_of(alert):
    """The event that an alert tells of."""
    fields = {name: value for name, value in alert['output_fields'].items() if value is not None}
    fields['evt.rawtime'] = fields.pop('evt.time')
    return fields


def alert_of(alert, output, folder):
    """What rulec writes for the event with one output, or why it writes nothing."""
    rule = {'rule': alert['rule'], 'desc': 'd', 'output': output, 'priority': alert['priority'],
            'tags': alert['tags'], 'condition': 'evt.type = ' + alert['output_fields']['evt.type']}
    rules, events = os.path.join(folder, 'r.yaml'), os.path.join(folder, 'e.jsonl')
    with open(rules, 'w', encoding='utf-8') as text:
        yaml.safe_dump([rule], text)
    with open(events, 'w', encoding='utf-8') as text:
        text.write(json.dumps(event_of(alert)) + '\n')
    run = subprocess.run([os.path.join(ROOT, 'build/rulec'), 'eval', '--alerts=json', '--events', events,
                          rules], capture_output=True, text=True, check=False,
                         env={**os.environ, 'FALCO_HOSTNAME': alert['hostname']})
    start, end = run.stdout.find('"alerts": ['), run.stdout.rfind(']}')
    return run.stdout[start + 11:end] if run.returncode == 0 and start > 0 else run.stderr


def check(line, templates, folder):
    """None if the line is written again by one of the rule's outputs; else the difference."""
    alert = json.loads(line)
    got = ''
    for output in templates.get(alert['rule'], []):
        got = alert_of(alert, output, folder)
        if got == line:
            return None
    return f'{alert["rule"]}\n  want {line}\n  got  {got}'


def main():
    if not os.path.exists(LINES):
        print(f'SKIP: {LINES} is not there: alerts are not held against Falco\'s')
        print('0 passed, 0 failed, 1 skipped')
        return 0
    templates = official_rules()
    counts = [0, 0]
    with tempfile.TemporaryDirectory(prefix='rulec-reference-') as folder, \
            open(LINES, encoding='utf-8') as lines:
        for line in lines.read().splitlines():
            wrong = check(line, templates, folder)
            counts[wrong is not None] += 1
            if wrong:
                print('FAIL', wrong)
    print(f'{counts[0]} passed, {counts[1]} failed')
    return 1 if counts[1] else 0


if __name__ == '__main__':
    sys.exit(main())
