#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Language cases: each line of tests/lang/*.txt says what one condition must come to.

    lang.py [--rulec PROGRAM] [--filter] [TABLE...]

    event NAME JSON      an event, as `rulec eval` reads it; known to all tables
    on NAME...           the events that the next lines are about
    yes CONDITION        loads, and is true of each of them; `tree` and `table` must agree
    no CONDITION         loads, and is false of each of them
    ask tree table       the engines that judge from here on, unless these two
    bad CODE CONDITION   does not load, and CODE is among the errors: RK0301 or Falco's name
    load CONDITION       loads
    warn CODE CONDITION  loads with this warning; `info` with this remark, that is no warning
    fine CONDITION       loads without a warning
    near WORD CONDITION  does not load, or only with a warning; a hint names WORD
    pack NAME            then indented YAML (`+++` begins a second file), and about it:
      fires RULE EVENT..., quiet RULE EVENT..., order RULE,RULE EVENT: all that fire, in order;
      bad CODE, warn CODE, load, fine

A condition that begins with @ is a JSON string, for bytes that a line cannot hold. `--filter` asks
the kernel's filter too, in its interpreter: it must let the events of each `yes` pass; how many of
`no` it drops is printed.
"""
import argparse
import concurrent.futures
import glob
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ENGINES = ('tree', 'table')
OF_PACK = ('fires', 'quiet', 'order')
VERDICTS = ('yes', 'no', 'load', 'warn', 'info', 'fine') + OF_PACK


class Case:
    """One expectation. `rule` is the name of the rule that holds the condition."""

    def __init__(self, where, what, arg, text, events, pack):
        self.where, self.what, self.arg, self.text = where, what, arg, text
        self.events, self.pack, self.rule, self.engines = events, pack, None, ENGINES

    def __str__(self):
        words = [self.what, self.arg, self.text, 'on ' + ' '.join(self.events) if self.events else '']
        return f'{self.where}: {" ".join(word for word in words if word)}'


class Table:
    """All cases, events and packs that the files hold."""

    def __init__(self):
        self.cases, self.events, self.packs, self.engines = [], {}, {}, ENGINES

    def read(self, path):
        """Adds one file."""
        on, pack, self.engines = [], None, ENGINES
        with open(path, encoding='utf-8') as lines:
            for number, line in enumerate(lines, 1):
                where = f'{os.path.relpath(path, ROOT)}:{number}'
                if line.startswith('    '):
                    self.packs[pack].append(line[4:])
                    continue
                word, _, rest = line.rstrip('\n').partition(' ')
                rest = rest.strip()
                if not word or word.startswith('#'):
                    continue
                if word == 'event':
                    name, _, text = rest.partition(' ')
                    self.events[name] = json.loads(text)
                elif word == 'ask':
                    self.engines = rest.split()
                elif word == 'on':
                    on = rest.split()
                elif word == 'pack':
                    pack = f'{path}: {rest}'
                    self.packs[pack] = []
                else:
                    self.add(where, word, rest, on, pack)

    def add(self, where, what, rest, on, pack):
        """One case line."""
        arg, events = None, on if what in ('yes', 'no') else []
        if what in ('bad', 'warn', 'info', 'near'):
            arg, _, rest = rest.partition(' ')
        elif what not in VERDICTS:
            raise ValueError(f'{where}: {what} is not known')
        if what in OF_PACK:
            rest, *events = rest.split()
        elif rest:
            pack = None
        if what in ('yes', 'no') + OF_PACK and not events:
            raise ValueError(f'{where}: no event')
        text = json.loads(rest.strip()[1:]) if rest.startswith('@') else rest.strip()
        self.cases.append(Case(where, what, arg, text, events, pack))
        self.cases[-1].engines = self.engines


class Rulec:
    """Runs the program on files that it makes."""

    def __init__(self, program, folder):
        self.program, self.folder = program, folder

    def file(self, text, suffix):
        number, path = tempfile.mkstemp(suffix, dir=self.folder)
        with open(number, 'w', encoding='utf-8') as out:
            out.write(text)
        return path

    def run(self, *words):
        return subprocess.run([self.program, *words], capture_output=True, text=True, cwd=ROOT,
                              stdin=subprocess.DEVNULL, check=False)

    def check(self, files):
        """The findings."""
        run = self.run('check', '--verbose', '--format', 'json', *files)
        if run.returncode not in (0, 1):
            raise RuntimeError(f'rulec check: exit {run.returncode}: {run.stderr}')
        return json.loads(run.stdout)

    def judge(self, engine, files, events):
        """The rules that fire, in order, for each event."""
        path = self.file(''.join(json.dumps(event) + '\n' for event in events), '.jsonl')
        run = self.run('eval', '--engine', engine, '--all', '--events', path, *files)
        if run.returncode != 0:
            raise RuntimeError(f'rulec eval --engine {engine}: exit {run.returncode}: {run.stderr}')
        return [json.loads(line)['rules'] for line in run.stdout.splitlines()]


def rule_text(name, condition):
    return (f'- rule: {name}\n  desc: d\n  priority: INFO\n  output: o\n'
            f'  condition: {json.dumps(condition, ensure_ascii=False)}\n')


def is_code(finding, code):
    return code in (finding['code'], finding['falco_code'] or '')


def why_wrong(case, findings):
    """What is wrong about a case's findings, or None."""
    errors = [f for f in findings if f['severity'] == 'error']
    warnings = [f for f in findings if f['severity'] == 'warning']
    told = ', '.join(f'{f["code"]} {f["message"]}' for f in findings) or 'nothing'
    if case.what == 'bad' and not any(is_code(f, case.arg) for f in errors):
        return f'must be refused; told: {told}'
    if case.what == 'near' and not any(case.arg in (f['hint'] or '') for f in findings):
        return f'must be named; told: {told} {[f["hint"] for f in findings]}'
    if case.what in VERDICTS and errors:
        return f'must load; told: {told}'
    if case.what == 'warn' and not any(is_code(f, case.arg) for f in warnings):
        return f'must warn; told: {told}'
    if case.what == 'info' and not any(is_code(f, case.arg) for f in findings if f not in warnings):
        return f'must be remarked; told: {told}'
    if case.what == 'fine' and warnings:
        return f'must not warn; told: {told}'
    return None


def check_conditions(rulec, cases):
    """Findings of each case: the conditions of a batch are rules of one file."""
    for number, case in enumerate(cases):
        case.rule = f'r{number}'
    text = ''.join(rule_text(case.rule, case.text) for case in cases)
    by_rule = {case.rule: [] for case in cases}
    for finding in rulec.check([rulec.file(text, '.yaml')]):
        by_rule.setdefault(finding['rule'], []).append(finding)
    return [by_rule[case.rule] for case in cases]


def judge_conditions(rulec, cases, table):
    """(case, engine, event) of each wrong verdict, of cases that are known to load."""
    names = sorted({name for case in cases for name in case.events})
    files = [rulec.file(''.join(rule_text(case.rule, case.text) for case in cases), '.yaml')]
    for engine in ENGINES:
        fired = dict(zip(names, rulec.judge(engine, files, [table.events[n] for n in names])))
        for case in cases:
            for name in case.events if engine in case.engines else ():
                if (case.rule in fired[name]) != (case.what == 'yes'):
                    yield case, engine, name


def ask_filter(rulec, table, case):
    """(what is wrong or None, number of events dropped)."""
    events = [table.events[name] for name in case.events]
    try:
        fired = rulec.judge('bytecode', [rulec.file(rule_text('r', case.text), '.yaml')], events)
    except RuntimeError as error:
        return str(error), 0
    dropped = [name for name, rules in zip(case.events, fired) if not rules]
    wrong = f'the filter drops {dropped}' if dropped and case.what == 'yes' else None
    return wrong, len(dropped)


def ask_filters(rulec, table, cases):
    """What is wrong by case, for those that are."""
    known = [case for case in cases if 'table' in case.engines and
             all('evt.type' in table.events[name] for name in case.events)]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        told = list(pool.map(lambda case: ask_filter(rulec, table, case), known))
    false = [(case, dropped) for case, (_, dropped) in zip(known, told) if case.what == 'no']
    print(f'the filter dropped {sum(dropped for _, dropped in false)} of '
          f'{sum(len(case.events) for case, _ in false)} events that do not match')
    return {case: wrong for case, (wrong, _) in zip(known, told) if wrong}


def check_pack(rulec, table, case):
    """What is wrong about a case of a pack, or None."""
    files = [rulec.file(text, '.yaml') for text in ''.join(table.packs[case.pack]).split('+++\n')]
    if case.what not in OF_PACK:
        return why_wrong(case, rulec.check(files))
    for engine in case.engines:
        for name in case.events:
            fired = rulec.judge(engine, files, [table.events[name]])[0]
            if case.what == 'order':
                wrong = fired != case.text.split(',')
            else:
                wrong = (case.text in fired) != (case.what == 'fires')
            if wrong:
                return f'{engine}, {name}: got {fired}'
    return None


def run(rulec, table, with_filter):
    """Yields (case, what is wrong or None) for every case."""
    for case in table.cases:
        if case.pack:
            try:
                yield case, check_pack(rulec, table, case)
            except RuntimeError as error:
                yield case, str(error)
    plain = [case for case in table.cases if not case.pack]
    refused = [case for case in plain if case.what in ('bad', 'near')]
    named = []
    for case, findings in zip(refused, check_conditions(rulec, refused)):
        if case.what == 'near' and not any(f['severity'] == 'error' for f in findings):
            named.append(case)
        else:
            yield case, why_wrong(case, findings)
    accepted = [case for case in plain if case.what in VERDICTS] + named
    while accepted:
        told = check_conditions(rulec, accepted)
        if not any(f['severity'] == 'error' for findings in told for f in findings):
            break
        for case, findings in zip(accepted, told):
            if any(f['severity'] == 'error' for f in findings):
                yield case, why_wrong(case, findings)
        accepted = [case for case, findings in zip(accepted, told)
                    if not any(f['severity'] == 'error' for f in findings)]
    judged = [case for case in accepted if case.events]
    wrong = {}
    for case, engine, name in judge_conditions(rulec, judged, table):
        wrong.setdefault(case, []).append(f'{engine} says otherwise of {name}')
    if with_filter:
        for case, text in ask_filters(rulec, table, judged).items():
            wrong.setdefault(case, []).append(text)
    for case, findings in zip(accepted, told if accepted else []):
        yield case, why_wrong(case, findings) or '; '.join(wrong.get(case, [])) or None


def main():
    options = argparse.ArgumentParser()
    options.add_argument('--rulec', default=os.path.join(ROOT, 'build/rulec'))
    options.add_argument('--filter', action='store_true')
    options.add_argument('tables', nargs='*')
    args = options.parse_args()
    table = Table()
    for path in args.tables or sorted(glob.glob(os.path.join(ROOT, 'tests/lang/*.txt'))):
        table.read(path)
    unknown = {name for case in table.cases for name in case.events} - set(table.events)
    if unknown:
        raise ValueError(f'no such event: {sorted(unknown)}')
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for case, wrong in run(Rulec(args.rulec, folder), table, args.filter):
            passed += not wrong
            failed += bool(wrong)
            if wrong:
                print(f'FAIL {case}\n     {wrong}')
    if passed + failed != len(table.cases):
        print(f'FAIL {len(table.cases)} cases, but {passed + failed} were judged')
        failed += 1
    print(f'{passed} passed, {failed} failed')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
