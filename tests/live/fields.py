#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Fields and parameters from the live kernel, each against a witness of its own.

One process runs the actions of fields.yaml, and says what it knows of each (numbers that it was
given, what /proc and stat say). One rulerun prints, for the process's events, every field that the
table names; the alert that a case picks must say what the witness says. Another has the cases' own
rules, so that the filter asks for the same fields in the kernel: each must have fired.

    fields.py [-v] [CASE...]
"""
import json
import os
import subprocess
import sys
import time

import yaml

from lib import Rulerun, Score, build_pack, scratch, why_not_live

HERE = os.path.dirname(os.path.abspath(__file__))
NAME = 'fields-live'
PRELUDE = '''
import array, ctypes, fcntl, json, os, resource, select, signal, socket, struct, sys, threading, time
T = sys.argv[1]
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
w = {'T': T, 'pid': os.getpid(), 'ppid': os.getppid()}
keep = []
def status(word):
    """A line of /proc/self/status."""
    with open('/proc/self/status') as text:
        return next(line.split()[1] for line in text if line.startswith(word + ':'))
def call(number, *args):
    """A system call by its number. Whole words: of a seventh argument, int would leave half unset."""
    return libc.syscall(number, *(ctypes.c_long(a) if isinstance(a, int) else a for a in args))
'''


def read_cases(wanted):
    """The table's rows, all or those asked for."""
    with open(os.path.join(HERE, 'fields.yaml'), encoding='utf-8') as text:
        cases = yaml.safe_load(text)
    return [case for case in cases if not wanted or case['name'] in wanted]


def fields_of(cases):
    """Every field that the table names, in order."""
    names = {'evt.type': None}
    for case in cases:
        for name in (*case.get('when', {}), *case['is']):
            names[name] = None
    return list(names)


def build(folder, name, rules):
    """A pack of rules that are given as [(name, condition, output)]."""
    path = os.path.join(folder, name)
    with open(path + '.yaml', 'w', encoding='utf-8') as text:
        yaml.safe_dump([{'rule': rule, 'desc': 'd', 'condition': condition, 'output': output,
                         'priority': 'INFO'} for rule, condition, output in rules], text, width=1000)
    return build_pack(path + '.rpk', path + '.yaml')


def print_pack(folder, cases):
    """One rule that prints everything."""
    events = sorted({case['event'] for case in cases})
    outputs = ' '.join(f'{name}=%{name}' for name in fields_of(cases))
    condition = f'evt.type in ({", ".join(events)}) and proc.name = {NAME}'
    return build(folder, 'print', [('all', condition, outputs)])


def rules_pack(folder, cases):
    """The cases' rules."""
    rules = [(case['name'],
              f'evt.type = {case["event"]} and ({case["rule"].replace("{T}", folder)}) '
              f'and proc.name = {NAME}', 'o')
             for case in cases if 'rule' in case]
    return build(folder, 'rules', rules)


def act(folder, cases):
    """Runs the actions; what the process knows, by name. Its output ends the same way as the last."""
    code = PRELUDE
    for case in cases:
        lines = case['do'].replace('\n', '\n    ')
        code += f'def case():\n    {lines}\n    w.update(locals())\ncase()\n'
    code += 'print(json.dumps({k: v for k, v in w.items() if isinstance(v, (int, str))}))\n'
    program = os.path.join(folder, NAME)
    os.symlink(sys.executable, program)
    run = subprocess.run([program, '-c', code, folder], cwd=folder, stdin=subprocess.DEVNULL,
                         capture_output=True, text=True, timeout=60, check=False)
    if run.returncode != 0:
        raise RuntimeError(f'the actions failed:\n{run.stderr}')
    return json.loads(run.stdout)


def filled(template, witness):
    """A value of the table with the witness's words in it."""
    text = str(template)
    for name, value in witness.items():
        text = text.replace('{' + name + '}', str(value))
    return text


def shown(value):
    """A value of an alert as the table writes it."""
    if value is None:
        return '<NA>'
    if isinstance(value, list):
        return f'({",".join(value)})'
    return str(value).lower() if isinstance(value, bool) else str(value)


def judge(case, alerts, witness, score):
    """The case's alert says what is expected."""
    picked = [a['output_fields'] for a in alerts
              if a['output_fields'].get('evt.type') == case['event'] and
              all(shown(a['output_fields'].get(name)) == filled(value, witness)
                  for name, value in case.get('when', {}).items())]
    if not score.check(picked, f'{case["name"]}: no such event'):
        return
    wrong = []
    for fields in picked:
        wrong = [f'{name}: {shown(fields.get(name))}, not {filled(value, witness)}'
                 for name, value in case['is'].items()
                 if shown(fields.get(name)) != filled(value, witness)]
        if not wrong:
            break
    score.check(not wrong, f'{case["name"]}: ' + '; '.join(wrong))


def run(folder, cases, verbose, score):
    """Both packs over the same actions."""
    daemons = [Rulerun(pack(folder, cases), '--format', 'json', '--all-matches')
               for pack in (print_pack, rules_pack)]
    witness = {}
    if all(score.check(d.armed, f'did not arm:\n{d.read("err")}') for d in daemons):
        witness = act(folder, cases)
        time.sleep(1)
    for daemon in daemons:
        score.check(daemon.stop() == 0, f'exit code:\n{daemon.read("err")}')
        score.check((daemon.counts() or {}).get('lost') == 0, 'records were lost')
    alerts, fired = daemons[0].alerts(), {alert['rule'] for alert in daemons[1].alerts()}
    if verbose:
        print(*map(json.dumps, alerts), sep='\n')
    for case in cases:
        judge(case, alerts, witness, score)
        if 'rule' in case:
            score.check(case['name'] in fired, f'{case["name"]}: its rule did not fire')


def main():
    """All cases, or those named."""
    why = why_not_live()
    if why:
        print(f'SKIP {why}\n0 passed, 0 failed, 1 skipped')
        return 0
    try:
        os.setsid() # the leader of group and session is there to be looked at, whoever started us
    except PermissionError:
        pass # it leads its group already
    score = Score()
    cases = read_cases([word for word in sys.argv[1:] if word != '-v'])
    with scratch('fields-') as folder:
        run(folder, cases, '-v' in sys.argv, score)
    return score.close()


if __name__ == '__main__':
    sys.exit(main())
