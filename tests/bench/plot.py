# SPDX-License-Identifier: Apache-2.0
"""Plots as SVG: bars with their spread, and curves on logarithmic axes.

A bar is the median over rounds, the line over it the quartiles, the dots the rounds themselves. Each
chart of bars has a scale of its own, because a fork costs a thousand times what getppid does.
"""
import math
import statistics
from html import escape

WIDTH, LABEL, BAR, GAP, TITLE, AXIS = 780, 200, 14, 5, 30, 34
PLOT = WIDTH - LABEL - 110      # room for the number behind the bar
COLOURS = ('#4c78a8', '#f58518', '#54a24b', '#b279a2', '#e45756', '#72b7b2', '#9d755d', '#bab0ac')


def quartiles(values):
    """(first, median, third)."""
    if len(values) < 2:
        return values[0], values[0], values[0]
    return tuple(statistics.quantiles(values, n=4, method='inclusive'))


def text(x, y, words, more=''):
    """A label."""
    return f'<text x="{x:.1f}" y="{y:.1f}" {more}>{escape(words)}</text>'


def line(x1, y1, x2, y2, colour='#ddd'):
    """A straight line."""
    return f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="{colour}" fill="none"/>'


def ticks(least, most):
    """Some five round numbers between two."""
    step = 10 ** math.floor(math.log10((most - least) / 4))
    step *= next(factor for factor in (1, 2, 5, 10) if (most - least) / (step * factor) <= 6)
    first = math.ceil(least / step - 1e-9)
    return [step * i for i in range(first, math.floor(most / step + 1e-9) + 1)]


def figure(value):
    """A number at an axis."""
    return f'{value:,.0f}' if abs(value) >= 10 else f'{value:g}'


def page(height, title, body):
    """A whole picture."""
    return '\n'.join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12">',
        '<!-- SPDX-License-Identifier: Apache-2.0 -->',
        '<rect width="100%" height="100%" fill="white"/>',
        text(12, 22, title, 'font-size="14" font-weight="bold"'), *body, '</svg>', ''])


# ---- bars ----

def one_bar(y, name, values, place, colour, base):
    """A set-up's bar from `base` on; `place` turns a value into a coordinate."""
    low, middle, high = quartiles(values)
    left, right = sorted((place(base), place(middle)))
    centre = y + BAR / 2
    out = [text(LABEL - 8, centre + 4, name, 'text-anchor="end"'),
           f'<rect x="{left:.1f}" y="{y}" width="{right - left:.1f}" height="{BAR}" fill="{colour}"/>',
           f'<path d="M{place(low):.1f} {centre}H{place(high):.1f}" stroke="#222" stroke-width="2"/>']
    return out + [f'<circle cx="{place(value):.1f}" cy="{centre}" r="1.5" fill="#222" '
                  'fill-opacity="0.5"/>' for value in values]


def linear(values, base):
    """(function to a coordinate, ticks, where bars begin) of an axis that has `base` on it."""
    least, most = min(base, *values), max(base, *values)
    most = most if most > least else least + 1
    return (lambda value: LABEL + (value - least) / (most - least) * PLOT), ticks(least, most), base


def logarithmic(values, _):
    """The same of whole decades."""
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    marks = [10 ** i for i in range(low, max(high, low + 1) + 1)]
    span = math.log10(marks[-1]) - low
    return (lambda value: LABEL + (math.log10(value) - low) / span * PLOT), marks, marks[0]


def one_chart(top, title, chart, unit, axis):
    """(lines, bottom) of a chart; `chart` is {set-up: values}, `axis` (function, base)."""
    place, marks, base = axis[0]([value for values in chart.values() for value in values], axis[1])
    bottom = top + TITLE + len(chart) * (BAR + GAP)
    out = [text(LABEL, top + 18, title, 'font-weight="bold"')]
    for value in marks:
        out += [line(place(value), top + TITLE - 4, place(value), bottom),
                text(place(value), bottom + 14, figure(value), 'text-anchor="middle" fill="#555"')]
    y = top + TITLE
    for i, (name, values) in enumerate(chart.items()):
        out += one_bar(y, name, values, place, COLOURS[i % len(COLOURS)], base)
        out.append(text(LABEL + PLOT + 10, y + BAR / 2 + 4, shown(statistics.median(values), unit)))
        y += BAR + GAP
    out += [line(place(base), top + TITLE - 4, place(base), bottom, '#555'),
            text(LABEL - 60, bottom + 14, unit, 'text-anchor="end" fill="#555"')]
    return out, bottom + AXIS - 10


def shown(value, unit):
    """A number with its unit, as it stands behind a bar."""
    return f'{value:,.0f} {unit}' if abs(value) >= 20 else f'{value:.3g} {unit}'


def bars(charts, title, unit, base=0, kind=linear):
    """An SVG; `charts` is {title: {name: [value, one a round]}}, bars begin at `base`."""
    body, bottom = [], 30
    for name, chart in charts.items():
        lines, bottom = one_chart(bottom, name, chart, unit, (kind, base))
        body += lines
    return page(bottom + 10, title, body)


# ---- curves ----

LEFT, TOP, HEIGHT, LEGEND = 70, 44, 300, 270


def steps(values):
    """1, 2, 5, 10, 20, ... from below the least value to above the greatest."""
    found = [factor * 10 ** i for i in range(math.floor(math.log10(min(values))),
                                             math.ceil(math.log10(max(values))) + 1)
             for factor in (1, 2, 5)]
    low = max(i for i, step in enumerate(found) if step <= min(values))
    return found[low:next(i for i, step in enumerate(found) if step > max(values)) + 1]


def axes(places, xs, ys, labels):
    """Grid and labels; `places` are the functions of both axes."""
    (to_x, to_y), bottom, right = places, TOP + HEIGHT, WIDTH - LEGEND
    out = []
    for x in xs:
        out += [line(to_x(x), TOP, to_x(x), bottom),
                text(to_x(x), bottom + 16, figure(x), 'text-anchor="middle"')]
    for y in ys:
        out += [line(LEFT, to_y(y), right, to_y(y)),
                text(LEFT - 6, to_y(y) + 4, figure(y), 'text-anchor="end"')]
    middle = TOP + HEIGHT / 2
    return out + [text((LEFT + right) / 2, bottom + 36, labels[0], 'text-anchor="middle"'),
                  text(16, middle, labels[1], f'text-anchor="middle" transform="rotate(-90 16 {middle})"')]


def curves(series, title, labels):
    """An SVG, both axes logarithmic; `series` is {name: [(x, y)]}, labels those of the axes."""
    points = [point for one in series.values() for point in one if point[1] > 0]
    if not points:
        return page(60, title, [text(12, 44, 'nothing was measured')])
    xs, ys = sorted({x for x, _ in points}), steps([y for _, y in points])

    def to_x(x):
        return LEFT + 20 + (WIDTH - LEGEND - LEFT - 40) * math.log(x / xs[0]) / math.log(xs[-1] / xs[0])

    def to_y(y):
        return TOP + HEIGHT * (1 - math.log(y / ys[0]) / math.log(ys[-1] / ys[0]))
    body = axes((to_x, to_y), xs, ys, labels)
    for i, (name, one) in enumerate(series.items()):
        colour, y = COLOURS[i % len(COLOURS)], TOP + 14 + i * 20
        path = 'L'.join(f'{to_x(x):.1f} {to_y(v):.1f}' for x, v in one if v > 0)
        body += [f'<path d="M{path}" stroke="{colour}" stroke-width="2" fill="none"/>']
        body += [f'<circle cx="{to_x(x):.1f}" cy="{to_y(v):.1f}" r="3.5" fill="{colour}"/>'
                 for x, v in one if v > 0]
        body += [f'<rect x="{WIDTH - LEGEND + 16}" y="{y - 6}" width="24" height="4" fill="{colour}"/>',
                 text(WIDTH - LEGEND + 46, y, name)]
    return page(TOP + HEIGHT + 50, title, body)
