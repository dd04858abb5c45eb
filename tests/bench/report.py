# SPDX-License-Identifier: Apache-2.0
"""What a benchmark leaves: progress on standard error while it runs, tables in Markdown, raw data."""
import json
import os
import subprocess
import sys
import time

START = time.monotonic()
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RESULTS = os.path.join(ROOT, 'build/bench')
BIN = os.path.join(ROOT, 'build/release/tests/bench')


def progress(text):
    """Says what is being measured now."""
    print(f'bench: {time.monotonic() - START:5.0f} s  {text}', file=sys.stderr, flush=True)


def run_pinned(argv, processors=(0,)):
    """Runs a program on some of the processors; its output is not kept."""
    has = [cpu for cpu in processors if cpu in os.sched_getaffinity(0)]
    subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True,
                   preexec_fn=lambda: os.sched_setaffinity(0, has) if has else None)


def save(name, text):
    """A file of results."""
    os.makedirs(RESULTS, exist_ok=True)
    with open(os.path.join(RESULTS, name), 'w', encoding='utf-8') as out:
        out.write(text)


def save_raw(name, data):
    """Raw data, as they were measured."""
    save(name + '.json', json.dumps(data, indent=1) + '\n')


def one_line(text):
    """A reason that fits into a cell."""
    return ' '.join(str(text).split()).replace('|', '/')[-120:]


def number(value):
    """Three digits that count; whole numbers above."""
    if value != value:
        return 'not measurable'
    return f'{value:,.0f}' if abs(value) >= 100 else f'{value:.3g}'


def shown(aim, unit, sign='<='):
    """An aim as the tables show it; None: there is none."""
    return '' if aim is None else f'{sign} {aim:,.10g} {unit}'.strip()


class Aims:
    """Rows of the second table: what was measured, the aim beside it. Nothing is asserted."""

    def __init__(self):
        self.rows = []

    def add(self, what, value, aim=None, unit='', raw=''):
        """One row; `value` is what is held against the aim, `raw` the numbers it was made of."""
        unclear = aim is None or value != value
        met = '' if unclear else 'met' if value <= aim else '**missed**'
        self.rows.append((what, f'{number(value)} {unit}'.strip(), shown(aim, unit), met, raw))

    def add_least(self, what, value, aim=None, unit='', raw=''):
        """The same where more is better."""
        met = '' if aim is None else 'met' if value >= aim else '**missed**'
        self.rows.append((what, f'{number(value)} {unit}'.strip(), shown(aim, unit, '>='), met, raw))

    def failed(self, what, aim, unit, reason):
        """A row for what could not be measured; never met."""
        self.rows.append((what, '-', shown(aim, unit), '**missed**', one_line(reason)))

    def table(self):
        """The table, in Markdown."""
        return markdown(('what', 'measured', 'aim', '', 'raw numbers'), self.rows)


def markdown(head, rows):
    """A table with columns that stand under one another in plain text too."""
    widths = [max(len(str(row[i])) for row in [head, *rows]) for i in range(len(head))]

    def line(cells):
        return '| ' + ' | '.join(str(c).ljust(w) for c, w in zip(cells, widths)) + ' |'
    return '\n'.join([line(head), line(['-' * width for width in widths]), *map(line, rows)])
