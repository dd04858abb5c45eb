#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Diagnostics: the exact place of each, near names, JSON, codes and what is said of them.

    diag.py [--rulec PROGRAM]

In the cases of PLACES the place that a finding must name stands between « and », the places of its
notes between ‹ and › in the order of the notes, where a case is about them.
"""
import argparse
import json
import os
import pty
import re
import subprocess
import sys
import tempfile
import unicodedata

from score import Score

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
KEYS = ['severity', 'code', 'falco_code', 'file', 'line', 'column', 'endLine', 'endColumn', 'message', 'rule',
        'hint', 'notes', 'also']
LINE_MAX = 160  # bytes of a line that is shown whole
MARKS = re.compile('[«»‹›]')
HEAD = '- rule: r\n  desc: d\n  priority: INFO\n'
RULE = HEAD + '  output: o\n  condition: {}\n'
SHELLS = '- list: shells\n  items: [sh, bash]\n'

# name, code, text
PLACES = [
    ('plain', 'RK0301', RULE.format('evt.type = execve and «proc.nmae» = x')),
    ('plain, on lines', 'RK0301', RULE.format('evt.type = execve\n    and «proc.nmae» = x\n'
     '    and fd.num = 1')),
    ('single quotes', 'RK0301', RULE.format("'proc.name = ''x'' and «proc.nmae» = x'")),
    ('double quotes', 'RK0301', RULE.format('"proc.name = \\"x\\" and «proc.nmae» = x"')),
    ('escapes', 'RK0301', RULE.format('"proc.name = \\x41\\u00e9\\t and «proc.nmae» = x"')),
    ('an escaped line end', 'RK0301', RULE.format('"proc.name = a \\\n    and «proc.nmae» = x"')),
    ('escapes inside', 'RK0301', RULE.format('"evt.type = open and «proc.\\x6emae» = x"')),
    ('literal', 'RK0301', RULE.format('|\n    evt.type = execve\n    and «proc.nmae» = x')),
    ('literal, indent told', 'RK0301', RULE.format('|2\n      evt.type = execve\n'
     '    and «proc.nmae» = x')),
    ('folded', 'RK0301', RULE.format('>\n    evt.type = execve and\n    «proc.nmae» = x\n'
     '    and fd.num = 1')),
    ('folded, empty lines', 'RK0301', RULE.format('>-\n\n    evt.type = execve and\n\n'
     '    «proc.nmae» = x')),
    ('folded, more indented', 'RK0301', RULE.format('>\n    evt.type = execve\n      and\n'
     '      «proc.nmae» = x')),
    ('tabs', 'RK0301', RULE.format('evt.type = execve\tand\t«proc.nmae» = x')),
    ('multi-byte', 'RK0301', RULE.format('proc.name = "äöü" and «proc.nmae» = x')),
    ('wide', 'RK0301', RULE.format('proc.name = "日本語" and «proc.nmae» = x')),
    ('combining', 'RK0301', RULE.format('proc.name = "e\u0301" and «proc.nmae» = x')),
    ('emoji', 'RK0301', RULE.format('proc.name = "🦀🦀" and «proc.nmae» = x')),
    ('CRLF', 'RK0301', RULE.format('>\n    evt.type = execve and\n    «proc.nmae» = x').replace('\n',
     '\r\n')),
    ('CRLF, plain', 'RK0301', RULE.format('evt.type = execve\n    and «proc.nmae» = x').replace('\n',
     '\r\n')),
    ('CR', 'RK0301', RULE.format('evt.type = execve\n    and «proc.nmae» = x').replace('\n', '\r')),
    ('BOM', 'RK0111', '\ufeff- {list: l, items: [a], «itmes»: [b]}\n'),
    ('BOM, later', 'RK0301', '\ufeff' + RULE.format('evt.type = execve and «proc.nmae» = x')),
    ('flow', 'RK0301', '- {rule: r, desc: d, priority: INFO, output: o, condition: «proc.nmae» = x}\n'),
    ('a second document', 'RK0301', SHELLS + '---\n' + RULE.format('«proc.nmae» = x')),
    ('anchored', 'RK0301', RULE.format('&c evt.type = execve and «proc.nmae» = x')),
    ('tagged', 'RK0301', RULE.format('!!str evt.type = execve and «proc.nmae» = x')),
    ('constant', 'RK0305', RULE.format('evt.type = execve and user.uid in (1, «root», 2)')),
    ('constant in quotes', 'RK0305', RULE.format('evt.type = execve and user.uid = «"root"»')),
    ('operator', 'RK0231', RULE.format('evt.type = execve and proc.name «contain» x')),
    ('operator of another type', 'RK0304', RULE.format('evt.type = execve and proc.pid «contains» 1')),
    ('event', 'RK0307', RULE.format('evt.type in (execve, «exceve»)')),
    ('parameter', 'RK0303', RULE.format('evt.type = execve and «evt.arg.flasg» contains EXE_WRITABLE')),
    ('argument', 'RK0302', RULE.format('evt.type = execve and «proc.aname[two]» = sh')),
    ('transformer', 'RK0234', RULE.format('evt.type = execve and «lower»(proc.name) = sh')),
    ('field in a transformer', 'RK0301', RULE.format('evt.type = execve and tolower(«proc.nmae») = sh')),
    ('field on the right', 'RK0301', RULE.format('evt.type = execve and proc.name = val(«proc.nmae»)')),
    ('macro', 'RK0219', RULE.format('evt.type = execve and not «spawned»')),
    ('flag', 'RK0403', RULE.format('evt.type = openat and evt.arg.flags contains «O_RDONYL»')),
    ('key', 'RK0111', RULE.format('evt.type = execve') + '  «tgas»: [a]\n'),
    ('key in quotes', 'RK0111', RULE.format('evt.type = execve') + '  «"tgas"»: [a]\n'),
    ('priority', 'RK0204', RULE.replace('INFO', '«WARNIN»').format('evt.type = execve')),
    ('output', 'RK0241', HEAD + '  condition: evt.type = execve\n'
     '  output: a %proc.name b %20fd.name %«proc.nmae» c %evt.type\n'),
    ('output, folded', 'RK0241', HEAD + '  condition: evt.type = execve\n  output: >\n    a %proc.name\n'
     '    é %«proc.nmae» %evt.type\n'),
    ('output, escaped', 'RK0241', HEAD + '  condition: evt.type = execve\n'
     '  output: "\\u00e9 %proc.name %«proc.nmae»"\n'),
    ('output that is cut', 'RK0240', HEAD + '  condition: evt.type = execve\n  output: "100«% »sure"\n'),
    ('unknown item of a list', 'RK0305', '- list: uids\n  items: [0, «root»]\n'
     + RULE.format('evt.type = execve and user.uid in (‹uids›)')),
    ('list in a list', 'RK0305', '- list: inner\n  items: [«root»]\n- list: outer\n'
     '  items: [1, ‹inner›]\n'
     + RULE.format('evt.type = execve and user.uid in (‹outer›)')),
    ('macro in a macro', 'RK0301', '- macro: inner\n  condition: evt.type = open and «fd.nmae» = x\n'
     '- macro: outer\n  condition: ‹inner› or fd.num = 1\n'
     + RULE.format('proc.name = x and (‹outer›)')),
    ('list in a macro', 'RK0305', '- list: uids\n  items: ["«root»"]\n- macro: m\n'
     '  condition: user.uid in (‹uids›)\n'
     + RULE.format('evt.type = execve and ‹m›')),
    ('appended', 'RK0301', RULE.format('evt.type = execve') + '- rule: r\n'
     '  condition: and «proc.nmae» = x\n  append: true\n'),
    ('appended, later', 'RK0301', RULE.format('evt.type = execve') + '- rule: r\n  condition: >-\n'
     '    and fd.num = 1\n    and «proc.nmae» = x\n  override: {condition: append}\n'),
    ('replaced', 'RK0301', RULE.format('evt.type = execve') + '- rule: r\n'
     '  condition: evt.type = open and «proc.nmae» = x\n  override: {condition: replace}\n'),
    ('appended macro', 'RK0301', '- macro: m\n  condition: evt.type = execve\n- macro: m\n'
     '  condition: and «proc.nmae» = x\n  override: {condition: append}\n' + RULE.format('‹m›')),
    ('appended list', 'RK0305', '- list: l\n  items: [1]\n- list: l\n  items: [2, «x»]\n'
     '  append: true\n' + RULE.format('evt.type = execve and user.uid in (‹l›)')),
    ('exception, value', 'RK0305', RULE.format('evt.type = execve') + '  exceptions:\n    - name: e\n'
     '      fields: [proc.name, user.uid]\n      values:\n        - [a, 1]\n        - [b, «two»]\n'),
    ('exception, value of a list', 'RK0305', RULE.format('evt.type = execve') + '  exceptions:\n'
     '    - name: e\n      fields: [proc.name, user.uid]\n      comps: [=, in]\n      values:\n'
     '        - [b, [1, «two»]]\n'),
    ('exception, one field', 'RK0305', RULE.format('evt.type = execve') + '  exceptions:\n'
     '    - name: e\n      fields: user.uid\n      values: [1, «two»]\n'),
    ('exception, appended', 'RK0305', RULE.format('evt.type = execve') + '  exceptions:\n    - name: e\n'
     '      fields: user.uid\n      values: [1]\n'
     '- rule: r\n  exceptions:\n    - name: e\n      values: [2, «x»]\n'
      '  override: {exceptions: append}\n'),
    ('exception, field', 'RK0216', RULE.format('evt.type = execve') + '  exceptions:\n    - name: e\n'
     '      fields: [«proc.nmae»]\n      values: [[a]]\n'),
    ('exception, operator', 'RK0216', RULE.format('evt.type = execve') + '  exceptions:\n    - name: e\n'
     '      fields: [proc.name]\n      comps: [«startwith»]\n      values: [[a]]\n'),
    ('exception, list as value', 'RK0305', '- list: uids\n  items: [0, «root»]\n'
     + RULE.format('evt.type = execve')
     + '  exceptions:\n    - name: e\n      fields: user.uid\n      values: [1, ‹uids›]\n'),
    ('a quoted string that does not end', 'RK0233', RULE.format('|\n    evt.type = execve\n'
     '    and proc.name = «"»abc')),
    ('a wrong escape', 'RK0233', RULE.format("'evt.type = execve and proc.name = \"a«\\d»\"'")),
    ('an open parenthesis', 'RK0230', RULE.format('(evt.type = execv«e»')),
    ('a word too many', 'RK0230', RULE.format('evt.type = execve and proc.name in (a «b»)')),
    ('override key', 'RK0205', SHELLS + '- list: shells\n  items: [x]\n  override: {items: «apend»}\n'),
    ('rule with every event', 'RK0401', RULE.replace(' r\n', ' «r»\n').format('proc.name = x')),
    ('misspelt list', 'RK0225', SHELLS + RULE.format('evt.type = execve and proc.name in (a, «shels»)')),
    ('a long line', 'RK0301', RULE.format(
        'proc.name in (' + 'abc, ' * 80 + 'x) and «proc.nmae» = x' + ' and fd.num = 1' * 30)),
    ('a long line, the end', 'RK0301', RULE.format(
        'proc.name in (' + 'abc, ' * 80 + 'x) and «proc.nmae» = x')),
    ('a long line, wide', 'RK0301', RULE.format(
        'proc.name in (' + '日本語, ' * 80 + 'x) and «proc.nmae» in (' + 'ö, ' * 99 + 'a)')),
    ('a long line, wide and odd', 'RK0301', RULE.format(
        'proc.name in (' + 'a日本語, ' * 80 + 'xy) and «proc.nmae» in (' + '日ö, ' * 99 + 'a)')),
    ('comment lines', 'RK0301', '# ä\n# 日本\n' + RULE.format('«proc.nmae» = x # no')),
    ('blanks at the ends of lines', 'RK0301', RULE.format('>\n    evt.type = execve   \n'
     '    and   «proc.nmae» = x  \n\n')),
    ('quotes on lines', 'RK0301', RULE.format("'evt.type = execve\n\n    and\n      «proc.nmae» = x'")),
    ('double quotes on lines', 'RK0301', RULE.format('"evt.type = execve\n\n    and \\\n'
     '      \\  «proc.nmae» = x"')),
    ('literal, CRLF', 'RK0301', RULE.format('|\n    evt.type = execve\n\n'
     '    and «proc.nmae» = x').replace('\n', '\r\n')),
    ('a string of several words',
     'RK0305', RULE.format('evt.type = execve and user.uid in («"a b"», 1)')),
    ('item with a blank', 'RK0305', '- list: uids\n  items: [0, «a b»]\n'
     + RULE.format('evt.type = execve and user.uid in (‹uids›)')),
    ('output after append', 'RK0241', RULE.format('evt.type = execve')
     + '- rule: r\n  output: and %proc.name %«fd.nmae»\n  override: {output: append}\n'),
    ('exception over two macros', 'RK0305', '- {macro: m, condition: evt.type = execve}\n'
     + RULE.format('m')
     + '  exceptions:\n'
      '    - {name: e, fields: [user.uid, proc.name], comps: [in, =], values: [[[1, «a»], b]]}\n'),
    ('calls of before', 'RK0402', RULE.format('evt.type in (execve, «open») and proc.name = x')),
]

# a condition of people who come from elsewhere, what the hint must say; None: there is none
HINTS = [
    ('proc.name = a AND fd.num = 4', 'small letters'),
    ('NOT proc.name = a', 'small letters'),
    ('proc.name = a and NOT proc.name = b', 'small letters'),
    ('proc.name = a && fd.num = 4', 'write `and`'),
    ('proc.name = a or or fd.num = 4', 'missing before `or`'),
    ('and proc.name = a', 'missing before `and`'),
    ('(exists proc.name)', '`exists` stands behind the field'),
    ('proc.name exists a', None),
    ('proc.name not in (a)', 'not proc.name in (a, b)'),
    ('proc.name in [a, b]', 'write `(a, b)`'),
    ('proc.name startswith (a, b)', '`anyof` before them'),
    ('proc.name like "a*"', 'write `glob`'),
    ('proc.name liken a', 'operators are != < <= = > >= bcontains'),
    ('proc.name ~ a', 'write `regex`'),
    ('proc.is_exe_upper_layer', 'write `= true`'),
    ('proc.is_exe_upper_layer and fd.num = 4', 'write `= true`'),
    ('(proc.is_exe_upper_layer)', 'write `= true`'),
    ('proc.is_exe_upper_layer = TRUE', 'write `true`'),
    ('proc.is_exe_upper_layer = 0', 'write `false`'),
    ('evt.type = OPEN', 'did you mean `open`?'),
    ('proc.name[0] = a', '`proc.name` takes no argument'),
    ('proc.env[A B] = a', 'needs quotes'),
    ('tolower (proc.name) = a', 'no blank'),
    ('lower(proc.name) = a', 'transformers are tolower toupper'),
    ('val(proc.name) = a', 'right side'),
    ('fd.num contains 3', 'it has != < <= = > >= exists in intersects'),
    ('fd.num = 0x1f', 'write `31`'),
    ('fd.num = 0x1g', None),
    ('fd.sip = 10.0.0.0/8', 'fd.snet'),
    ('fd.snet = 10.0.0.1', '`10.0.0.1/32`'),
    ('fd.snet = fe80::1', '`fe80::1/128`'),
    ('proc.name = a # why', 'no comments'),
]

# an item, what the hint of its only finding must say
APPENDED = RULE.format('evt.type = execve') + '- {{rule: r, append: true, {}}}\n'
ITEM_HINTS = [
    ('RK0204', 'priorities are EMERGENCY ALERT', RULE.replace('INFO', 'HIGH').format('evt.type = execve')),
    ('RK0209', 'write `override: {exceptions: append}`',
     APPENDED.format('exceptions: [{name: e, fields: proc.name, values: [a]}]')),
    ('RK0209', 'write `override: {condition: append}`', APPENDED.format('condition: and proc.name = x')),
    ('RK0216', 'write [[a, b]]', RULE.format('evt.type = execve') 
     + '  exceptions: [{name: e, fields: [proc.name, fd.name], values: [a]}]\n'),
    ('RK0240', "a field's name has a dot in it",
     RULE.replace('output: o', 'output: "%name"').format('evt.type = execve')),
    ('RK0240', 'no way to write a percent sign',
     RULE.replace('output: o', 'output: "5% a"').format('evt.type = execve')),
    ('RK0202', None, RULE.replace('output: o', 'output: [o]').format('evt.type = execve')),
    ('RK0105', 'begins with %', RULE.replace('output: o', 'output: %proc.name').format('evt.type = execve')),
    ('RK0105', 'needs quotes', RULE.format('proc.name = x: y')),
    ('RK0105', 'closing quotes', RULE.format("'proc.name = x' and")),
    ('RK0105', 'single quotes', RULE.format('"proc.name = \\d"')),
    ('RK0105', 'indent with blanks', '- rule: r\n\tdesc: d\n'),
    ('RK0105', 'indented otherwise', '- rule: r\n  desc: d\n condition: x\n'),
    ('RK0111', 'keys are not merged', RULE.format('evt.type = execve') + '  <<: x\n'),
]

# what is misspelt, the word that must be proposed, text
NEAR = [
    ('key of an item', 'rule', '- ruel: r\n'),
    ('key of a rule', 'priority', RULE.format('evt.type = execve') + '  prioritty: INFO\n'),
    ('key of a list', 'items', '- list: l\n  itmes: [a]\n'),
    ('key of a macro', 'condition', '- macro: m\n  conditon: evt.type = open\n'),
    ('key of an exception', 'values', RULE.format('evt.type = execve')
     + '  exceptions: [{name: e, fields: proc.name, value: [a]}]\n'),
    ('key of an override', 'condition', RULE.format('evt.type = execve')
     + '- {rule: r, condition: or fd.num = 1, override: {conditon: append}}\n'),
    ('how to override', 'append', SHELLS + '- {list: shells, items: [a], override: {items: apend}}\n'),
    ('key of a plugin', 'version', '- required_plugin_versions: [{name: container, versoin: 0.4.0}]\n'),
    ('plugin', 'container', '- required_plugin_versions: [{name: contianer, version: 0.4.0}]\n'),
    ('priority', 'WARNING', RULE.replace('INFO', 'WARNIN').format('evt.type = execve')),
    ('boolean', 'false', RULE.format('evt.type = execve') + '  enabled: flase\n'),
    ('source', 'syscall', RULE.format('evt.type = execve') + '  source: sycall\n'),
    ('field', 'proc.name', RULE.format('evt.type = execve and proc.nmae = x')),
    ('field on the right', 'proc.name', RULE.format('evt.type = execve and proc.pname = val(proc.nmae)')),
    ('field of an output', 'proc.name', RULE.replace(': o',
     ': "%proc.nmae"').format('evt.type = execve')),
    ('field of an exception', 'proc.name', RULE.format('evt.type = execve')
     + '  exceptions: [{name: e, fields: [proc.nmae], values: [[a]]}]\n'),
    ('operator of an exception', 'startswith', RULE.format('evt.type = execve')
     + '  exceptions: [{name: e, fields: [proc.name], comps: [startwith], values: [[a]]}]\n'),
    ('macro', 'spawned_process', '- {macro: spawned_process, condition: evt.type = execve}\n'
     + RULE.format('spawned_proces')),
    ('macro to append to', 'spawned', '- {macro: spawned, condition: evt.type = execve}\n'
     '- {macro: spawnd, condition: or fd.num = 1, override: {condition: append}}\n'),
    ('list to append to', 'shells', SHELLS + '- {list: shels, items: [a], override: {items: append}}\n'),
    ('rule to append to', 'Shell started', RULE.replace(': r',
     ': Shell started').format('evt.type = execve')
     + '- {rule: Shell startd, condition: or fd.num = 1, override: {condition: append}}\n'),
    ('rule to disable', 'Shell started', RULE.replace(': r',
     ': Shell started').format('evt.type = execve')
     + '- {rule: Shel started, enabled: false}\n'),
    ('exception to append to', 'known', RULE.format('evt.type = execve')
     + '  exceptions: [{name: known, fields: proc.name, values: [a]}]\n'
     '- {rule: r, exceptions: [{name: knwon, values: [b]}], override: {exceptions: append}}\n'),
    ('list', 'shells', SHELLS + RULE.format('evt.type = execve and proc.name in (shels)')),
    ('event', 'execve', RULE.format('evt.type = exceve')),
    ('system call', 'execve', RULE.format('evt.type = execve and syscall.type = exceve')),
    ('event in a field', 'execve', RULE.format('evt.type.is.exceve = 1')),
    ('flag', 'O_RDONLY', RULE.format('evt.type = openat and evt.arg.flags contains O_RDONYL')),
    ('error', 'ENOENT', RULE.format('evt.type = openat and evt.res = ENOETN')),
    ('parameter', 'flags', RULE.format('evt.type = openat and evt.arg.flasg contains O_RDONLY')),
    ('operator', 'contains', RULE.format('evt.type = execve and proc.name contain x')),
    ('transformer', 'tolower', RULE.format('evt.type = execve and tolowr(proc.name) = x')),
]


def shown_width(text):
    """Columns of a terminal that a text takes; a tab counts as one."""
    return sum(0 if unicodedata.combining(ch) else 2 if unicodedata.east_asian_width(ch) in 'WF' else 1
               for ch in text)


def places(marked, first, last):
    """(line, column, endLine, endColumn) of each pair of marks, as an editor counts."""
    found, out, line, column, ends = [], [], 1, 1, re.compile('\r\n|\r|\n')
    at = 0
    while at < len(marked):
        ch, end = marked[at], ends.match(marked, at)
        if ch == first:
            out.append((line, column))
        elif ch == last:
            found.append((*out.pop(), line, column))
        elif end:
            line, column = line + 1, 1
            at = end.end() - 1
        elif ch not in '«»‹›\ufeff':
            column += 1
        at += 1
    return found


def as_file(example):
    """An example as a whole file: keys of a rule get those that are missing."""
    if example.lstrip().startswith('-') or ':' not in example or example.startswith('rule:'):
        return example + '\n'
    keys = {'rule': 'r', 'desc': 'd', 'condition': 'evt.type = execve', 'output': 'o', 'priority': 'INFO'}
    given = re.findall(r'^([\w-]+):', example, re.M)
    lines = [f'{key}: {value}' for key, value in keys.items() if key not in given] + example.splitlines()
    return ''.join(f'{"  " if n else "- "}{line}\n' for n, line in enumerate(lines))


def warnings_of(name, condition):
    """A rule on one line."""
    return f'- {{rule: {name}, desc: d, priority: INFO, output: o, condition: {condition}}}\n'


class Diag(Score):
    """Runs and counts."""

    def __init__(self, program, folder):
        super().__init__()
        self.program, self.folder = program, folder

    def rulec(self, *arguments, data=b'', env=None):
        """Exit status, standard output, standard error."""
        run = subprocess.run([self.program, *arguments], input=data, capture_output=True, timeout=60,
                             cwd=self.folder, check=False, env={**os.environ, **(env or {})})
        return run.returncode, run.stdout.decode(), run.stderr.decode()

    def findings(self, data, *arguments):
        """What `check --format json` says of standard input."""
        code, out, err = self.rulec('check', '--format', 'json', *arguments, '-', data=data)
        self.check(code in (0, 1), f'check: exit {code}: {err}')
        return json.loads(out)

    # ---- places ----

    def place(self, name, code, marked):
        """The place of one finding, in JSON and under the caret."""
        data = MARKS.sub('', marked).encode()
        want = places(marked, '«', '»')[0]
        found = [one for one in self.findings(data) if one['code'] == code]
        got = [(one['line'], one['column'], one['endLine'], one['endColumn']) for one in found]
        if not self.check(want in got, f'{name}: {code} at {got}, not at {want}\n{marked}'):
            return
        one = found[got.index(want)]
        notes = [(note['line'], note['column'], note['endLine'], note['endColumn']) for note in one['notes']]
        told = places(marked, '‹', '›')
        in_order = sorted(told, key=lambda at: notes.index(at) if at in notes else -1)
        self.check(sorted(notes) == sorted(told) and in_order == notes,
                   f'{name}: notes at {notes}, not at {told}\n{one["notes"]}')
        self.caret(name, data, want, code)

    def caret(self, name, data, want, code):
        """The caret stands below the first character, and the line under it is as wide as the text."""
        lines = self.rulec('check', '-', data=data)[2].split('\n')
        head = f'<stdin>:{want[0]}:{want[1]}: '
        at = [n for n, line in enumerate(lines) if line.startswith(head) and line.endswith(f'[{code}]')]
        if not self.check(at, f'{name}: no {head} in {lines}'):
            return
        source, under = lines[at[0] + 1], lines[at[0] + 2]
        mark = under.lstrip(' \t')
        before = under[:len(under) - len(mark)]
        text = re.split('\r\n|\r|\n', data.decode().lstrip('\ufeff'))[want[0] - 1]
        if len(text.encode()) > LINE_MAX:
            self.window(name, source, (before, mark), text[want[1] - 1:want[3] - 1])
            return
        self.check(source == '  ' + text, f'{name}: shows {source!r}, not {text!r}')
        last = want[3] - 1 if want[2] == want[0] else len(text)
        self.check(shown_width(before) == 2 + shown_width(text[:want[1] - 1]),
                   f'{name}: the caret is off:\n{source}\n{under}')
        width = max(1, shown_width(text[want[1] - 1:last]))
        self.check(mark == '^' + '~' * (width - 1), f'{name}: the line is not as wide:\n{source}\n{under}')

    # ---- near names ----

    def near(self, name, want, text):
        """Some finding proposes the word."""
        hints = [one['hint'] for one in self.findings(text.encode())]
        self.check(f'did you mean `{want}`?' in hints, f'{name}: no `{want}` in {hints}\n{text}')

    # ---- JSON ----

    def hint(self, condition, want):
        """The one finding of a condition has this hint."""
        text = RULE.format(json.dumps(condition)) + '  warn_evttypes: false\n'
        found = self.findings(text.encode())
        hint = found[0]['hint'] if found else ''
        self.check(len(found) == 1 and (want in (hint or '') if want else hint is None),
                   f'{condition}: {found}')

    def item_hint(self, code, want, text):
        """The one finding of an item has this hint."""
        found = [(one['code'], want in (one['hint'] or '') if want else one['hint'] is None)
                 for one in self.findings(text.encode())]
        self.check(found == [(code, True)], f'{text}: {found}')

    def other_files(self):
        """Files that hold no UTF-8: what they are."""
        text = RULE.format('evt.type = execve')
        for data, want in ((text.encode('utf-16'), 'UTF-16'), (text.encode('utf-16-le'), 'UTF-16LE'),
                           (text.encode('utf-16-be'), 'UTF-16BE'), (b'\177ELF\2\1\1\0', 'a bundle')):
            found = self.findings(data)
            self.check(len(found) == 1 and found[0]['code'] == 'RK0104' and want in found[0]['hint'],
                       f'{data[:8]}: {found}')
        self.check(self.findings(b'- \xff\n')[0]['hint'] is None, 'a wrong byte in UTF-8 has a hint')

    def shape(self, one, name):
        """One element of the array has every key, of the right kind."""
        self.check(list(one) == KEYS, f'{name}: keys {list(one)}')
        self.check(one['severity'] in ('error', 'warning', 'info') and re.fullmatch(r'RK\d{4}', one['code'])
                   and isinstance(one['message'], str), f'{name}: {one}')
        for key in ('falco_code', 'rule', 'hint'):
            self.check(one[key] is None or one[key] and isinstance(one[key], str), f'{name}: {key}: {one}')
        for place in [one, *one['notes'], *(note for also in one['also'] for note in also['notes'])]:
            first, last = ((place[line], place[column]) for line, column in
                           (('line', 'column'), ('endLine', 'endColumn')))
            self.check(isinstance(place['file'], str) and (first <= last or first == (0, 0)),
                       f'{name}: place {place}')

    def json(self):
        """Every input gives one array; files of any name, bytes of any kind."""
        self.check(self.findings(RULE.format('evt.type = execve').encode()) == [], 'no findings: not []')
        self.check(self.rulec('check', '--format=json', '-', data=b'')[:2] == (0, '[]\n'), 'no text: not []')
        for folder in ('tests/golden/diag', 'tests/golden/bad'):
            for name in sorted(os.listdir(os.path.join(ROOT, folder))):
                if name.endswith('.yaml'):
                    path = os.path.join(ROOT, folder, name)
                    code, out, err = self.rulec('check', '--verbose', '--format', 'json', path)
                    self.check(code in (0, 1) and err.count('\n') == 1, f'{name}: exit {code}: {err}')
                    for one in json.loads(out):
                        self.shape(one, name)
        for name in (b'new\nline.yaml', b'"quo\\te.yaml', b'\xff\xfe.yaml', b'\x1b[31m.yaml',
                     '日本.yaml'.encode()):
            with open(os.path.join(os.fsencode(self.folder), name), 'wb') as out:
                out.write(b'- rule: \xff\n')
            for path in (name, b'none-' + name):
                code, told, _ = self.rulec('check', '--format', 'json', os.fsdecode(path))
                found = json.loads(told)
                self.check(code == 1 and len(found) == 1 and found[0]['code'] in ('RK0101', 'RK0104'),
                           f'{path}: exit {code}: {found}')
                self.check(found[0]['file'] == path.decode(errors='replace'), f'{path}: {found[0]["file"]}')

    def repeats(self):
        """One mistake in a macro is one finding, which tells all the rules that it is met by."""
        text = '- {macro: m, condition: proc.nmae = x}\n' + ''.join(
            RULE.replace(': r', f': r{n}').format('evt.type = execve and m') for n in range(6))
        found = self.findings(text.encode())
        self.check(len(found) == 1 and found[0]['rule'] == 'r0' and
                   [also['rule'] for also in found[0]['also']] == ['r1', 'r2', 'r3', 'r4', 'r5'],
                   f'repeats: {found}')
        lines = [note['line'] for also in found[0]['also'] for note in also['notes']]
        self.check(lines == [11, 16, 21, 26, 31], f'repeats: lines {lines}')
        _, _, told = self.rulec('check', '-', data=text.encode())
        for words in ('<stdin>:11:36: note: the same in macro m, used here', '<stdin>:21:',
                      'the same in 2 more places', '6 rules, 1 error, 0 warnings'):
            self.check(words in told, f'repeats: no {words!r} in {told}')

    # ---- codes ----

    def codes(self):
        """explain tells of each code of the table; its example raises it."""
        with open(os.path.join(ROOT, 'compiler/diag.def'), encoding='utf-8') as table:
            known = re.findall(r'^\s*DIAG\(\s*(RK\d{4}), SEV_(\w+)', table.read(), re.M)
        code, out, _ = self.rulec('explain', '--codes')
        listed = [tuple(line.split()[:2]) for line in out.splitlines()]
        self.check(code == 0 and listed == [(name, severity.lower()) for name, severity in known],
                   f'explain --codes: {listed}')
        self.check(listed == sorted(set(listed)), f'explain --codes: not in order: {listed}')
        os.makedirs(os.path.join(self.folder, 'an/empty/directory'))
        with open(os.path.join(self.folder, 'a-file-of-65-MiB.yaml'), 'wb') as large:
            large.truncate(65 << 20)
        for name, severity in known:
            self.explain(name, severity.lower())
        for word, near in (('RK03001', 'RK0301'), ('rk0301', None), ('RF0301', 'RK0301'),
                           ('KR0310', 'RK0310')):
            code, out, err = self.rulec('explain', word)
            good = code == 2 and f'did you mean `{near}`' in err if near else code == 0 and 'RK0301' in out
            self.check(good, f'explain {word}: exit {code}: {err}')

    def explain(self, name, severity):
        """One code."""
        code, out, err = self.rulec('explain', name)
        head, _, example = out.partition('\nExample:\n\n')
        self.check(code == 0 and head.startswith(f'{name}, {severity}: ') and 'Falco' in head,
                   f'{name}: {err}{out}')
        example = '\n'.join(line[2:] for line in example.splitlines())
        if not self.check(example, f'{name}: no example'):
            return
        if example.startswith('$ '):
            path = f'{os.path.dirname(self.program)}:{os.environ["PATH"]}'
            run = subprocess.run(['bash', '-c', example[2:]], cwd=self.folder, capture_output=True,
                                 check=False, env={**os.environ, 'PATH': path})
            told = run.stderr.decode()
        else:
            told = ''.join(self.rulec(*command, data=as_file(example).encode())[2]
                           for command in (('check', '--verbose', '-'), ('build', '--dump=plan', '-')))
        self.check(f' {severity}: ' in told and f'[{name}]' in told,
                   f'{name}: the example does not raise it:\n{example}\n{told}')

    # ---- the rest ----

    def closing(self):
        """The line that counts, and what exit status goes with it."""
        fine, warns = RULE.format('evt.type = execve'), RULE.format('proc.name = x')
        both = RULE.format('evt.type = execve and proc.nmae = x and fd.nmae = y')
        for text, options, status, told in ((fine, (), 0, '1 rule, 0 errors, 0 warnings'),
                                            (warns, (), 0, '1 rule, 0 errors, 1 warning'),
                                            (warns, ('--deny=warnings',), 1,
                                             '1 rule, 0 errors, 1 warning'),
                                            (both, (), 1, '1 rule, 2 errors, 0 warnings'),
                                            ('', ('--deny=warnings',), 0,
                                             '0 rules, 0 errors, 0 warnings')):
            for form in ('text', 'json'):
                code, out, err = self.rulec('check', '--format', form, *options, '-', data=text.encode())
                self.check(code == status and err.splitlines()[-1] == told and (form == 'json') == bool(out),
                           f'{options}: exit {code}: {out}{err}')

    def all_at_once(self):
        """One run tells the findings of all passes, in the order of the file."""
        text = ('- just a word\n' + warnings_of('a', 'proc.name = x') + warnings_of('b', 'proc.nmae = x')
                + '- {list: l, itmes: [a]}\n' + warnings_of('c', 'evt.type = open'))
        found = [(one['line'], one['code']) for one in self.findings(text.encode())]
        self.check(found == [(1, 'RK0109'), (2, 'RK0401'), (3, 'RK0301'), (4, 'RK0201'), (4, 'RK0111'),
                             (5, 'RK0402')], f'all at once: {found}')

    def very_many(self):
        """No number of lesser findings hides an error; what is not shown is counted, by severity."""
        lists = ''.join(f'- {{list: l{i}, items: [a]}}\n' for i in range(10050))
        warns = ''.join(warnings_of(f'w{i}', 'evt.type = open') for i in range(10050))
        for text, options, told in ((lists, (), None), (lists, ('--verbose',), 50), (warns, (), 50)):
            text += warnings_of('bad', 'proc.nmae = x')
            code, _, err = self.rulec('check', *options, '-', data=text.encode())
            said = f'rulec: {told} more findings are not shown' in err if told else 'not shown' not in err
            self.check(code == 1 and ' [RK0301]' in err and said, f'very many: exit {code}: {err[-300:]}')

    def color(self):
        """Colour is for terminals, and not for those who do not want it."""
        with open(os.path.join(self.folder, 'colour.yaml'), 'w', encoding='ascii') as out:
            out.write(RULE.format('proc.nmae = x'))
        for env, want in (({'TERM': 'xterm'}, True), ({'TERM': 'xterm', 'NO_COLOR': '1'}, False),
                          ({'TERM': 'xterm', 'NO_COLOR': ''}, True), ({'TERM': 'dumb'}, False)):
            ours, theirs = pty.openpty()
            subprocess.run([self.program, 'check', 'colour.yaml'], cwd=self.folder, stderr=theirs,
                           check=False, stdout=subprocess.DEVNULL, env={'PATH': os.environ['PATH'], **env})
            os.close(theirs)
            told = b''
            try:
                while more := os.read(ours, 4096):
                    told += more
            except OSError:
                pass  # the other end is closed
            os.close(ours)
            self.check((b'\x1b[' in told) == want and b'proc.nmae' in told, f'{env}: {told}')
        told = self.rulec('check', 'colour.yaml', env={'TERM': 'xterm'})[2]
        self.check('\x1b' not in told, 'colour in a pipe')

    def window(self, name, source, under, word):
        """Of a long line a part is shown, with the word in it above the mark."""
        before, mark = under
        left = next((n for n in range(len(source)) if shown_width(source[:n]) == shown_width(before)), 0)
        self.check(source[left:].startswith(word) and len(mark) == shown_width(word)
                   and len(source) < LINE_MAX + 20, f'{name}: the caret is off:\n{source}\n{before}{mark}')

    def run(self):
        """All tests."""
        for case in PLACES:
            self.place(*case)
        for case in NEAR:
            self.near(*case)
        for case in HINTS:
            self.hint(*case)
        for case in ITEM_HINTS:
            self.item_hint(*case)
        self.other_files()
        self.json()
        self.repeats()
        self.codes()
        self.closing()
        self.all_at_once()
        self.very_many()
        self.color()


def main():
    options = argparse.ArgumentParser()
    options.add_argument('--rulec', default='build/rulec')
    args = options.parse_args()
    with tempfile.TemporaryDirectory(prefix='rulec-diag-') as folder:
        diag = Diag(os.path.join(ROOT, args.rulec), folder)
        diag.run()
    return diag.close()


if __name__ == '__main__':
    sys.exit(main())
