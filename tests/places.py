#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`contains` and `icontains` in the kernel: patterns at each place of a text, and what is not one.

The kernel looks at many places in one turn (bpf/match.bpf.c); so each pattern stands at every place
of two turns and more, at the text's end and before it, whole, without its last letter (which the text
before still has behind it, in the same memory) and with another one.
"""
import json
import os
import subprocess
import sys
import tempfile

from score import Score

RULEC = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'build/rulec')
PLACES = range(66)
# Operator, pattern, the same as it stands in the text.
PATTERNS = [('contains', 'q', 'q'), ('contains', 'qr', 'qr'), ('contains', 'qqrstuvw', 'qqrstuvw'),
            ('icontains', 'Qrstuvwxy', 'qRstuvWxy'),
            ('contains', 'qrst-qrst-qrst-qrst-qrst', 'qrst-qrst-qrst-qrst-qrst')]


def texts(pattern):
    """(text, whether the pattern is in it)."""
    for at in PLACES:
        for tail in ('', 'q' * 7, 'z' * 40):
            head = 'z' * at
            yield head + pattern + tail, True
            yield head + pattern[:-1], False
            yield head + pattern[:-1] + '!', False
            yield 'q' * at + pattern + tail, True


def judged(folder, operator, pattern, cases):
    """The kernel's verdict on each text."""
    rule, events = os.path.join(folder, 'rule.yaml'), os.path.join(folder, 'events.jsonl')
    condition = f'evt.type = mkdir and proc.env {operator} "{pattern}"'
    with open(rule, 'w', encoding='ascii') as out:
        json.dump([{'rule': 'r', 'desc': 'd', 'priority': 'INFO', 'output': 'o',
                    'condition': condition}], out)
    with open(events, 'w', encoding='ascii') as out:
        for text, _ in cases:
            print(json.dumps({'evt.type': 'mkdir', 'proc.env': text}), file=out)
    run = subprocess.run([RULEC, 'eval', '--engine', 'kernel', '--events', events, rule],
                         capture_output=True, text=True, check=True)
    return [json.loads(line)['verdict'] for line in run.stdout.splitlines()]


def main():
    """Each pattern."""
    score = Score()
    if os.geteuid() != 0:
        score.skip('the kernel asks for root', len(PATTERNS))
        return score.close()
    with tempfile.TemporaryDirectory() as folder:
        for operator, pattern, written in PATTERNS:
            cases = list(texts(written))
            found = judged(folder, operator, pattern, cases)
            wrong = [(text, verdict) for (text, there), verdict in zip(cases, found)
                     if verdict != ('maybe' if there else 'none')]
            score.check(len(found) == len(cases) and not wrong, f'{operator} {pattern}: {wrong[:5]}')
    return score.close()


if __name__ == '__main__':
    sys.exit(main())
