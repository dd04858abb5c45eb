# SPDX-License-Identifier: Apache-2.0
"""Bars as SVG: for each operation a row of charts, what each set-up adds, and its spread.

A bar is the median over rounds, the line over it the quartiles, the dots the rounds themselves. Each
operation has a scale of its own, because a fork costs a thousand times what getppid does.
"""
import statistics
from html import escape

WIDTH, LABEL, BAR, GAP, TITLE = 760, 190, 16, 6, 34
PLOT = WIDTH - LABEL - 110      # room for the number behind the bar
COLOURS = ('#4c78a8', '#f58518', '#54a24b', '#b279a2', '#e45756', '#72b7b2', '#9d755d')


def quartiles(values):
    """(first, median, third)."""
    if len(values) < 2:
        return values[0], values[0], values[0]
    return tuple(statistics.quantiles(values, n=4, method='inclusive'))


def text(x, y, words, more=''):
    """A label."""
    return f'<text x="{x:.1f}" y="{y:.1f}" {more}>{escape(words)}</text>'


def one_bar(y, name, values, place, colour):
    """A set-up's bar; `place` turns nanoseconds into a coordinate."""
    low, middle, high = quartiles(values)
    left, right = sorted((place(0), place(middle)))
    centre = y + BAR / 2
    out = [text(LABEL - 8, centre + 4, name, 'text-anchor="end"'),
           f'<rect x="{left:.1f}" y="{y}" width="{right - left:.1f}" height="{BAR}" fill="{colour}"/>',
           f'<path d="M{place(low):.1f} {centre}H{place(high):.1f}" stroke="#222" stroke-width="2"/>']
    out += [f'<circle cx="{place(value):.1f}" cy="{centre}" r="1.6" fill="#222" fill-opacity="0.5"/>'
            for value in values]
    out.append(text(LABEL + PLOT + 10, centre + 4, f'{middle:+,.0f} ns'))
    return out


def one_chart(top, title, bars):
    """(lines, bottom) of an operation's chart; `bars` is {set-up: values}."""
    every = [value for values in bars.values() for value in values]
    least, most = min(0, *every), max(1, *every)

    def place(value):
        return LABEL + (value - least) / (most - least) * PLOT
    out = [text(LABEL, top + 20, title, 'font-weight="bold"')]
    y = top + TITLE
    for i, (name, values) in enumerate(bars.items()):
        out += one_bar(y, name, values, place, COLOURS[i % len(COLOURS)])
        y += BAR + GAP
    out.append(f'<path d="M{place(0):.1f} {top + TITLE - 4}V{y}" stroke="#888"/>')
    return out, y


def added_costs(charts, title):
    """An SVG; `charts` is {operation: {set-up: nanoseconds added, one a round}}."""
    body, bottom = [], 30
    for operation, bars in charts.items():
        lines, bottom = one_chart(bottom, operation, bars)
        body += lines
    return '\n'.join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{bottom + 16}" '
        'font-family="sans-serif" font-size="12">',
        '<!-- SPDX-License-Identifier: Apache-2.0 -->',
        '<rect width="100%" height="100%" fill="white"/>',
        text(12, 22, title, 'font-size="14" font-weight="bold"'), *body, '</svg>', ''])
