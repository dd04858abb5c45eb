#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bad input: rulec tells what is wrong and where, exits 1, writes nothing, and never crashes.

    bad.py [--variant release|asan]

Inputs that are too large or too odd to stand in tests/golden/bad are made here.
"""
import argparse
import os
import random
import subprocess
import sys
import tempfile

from score import Score

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MEMORY_MAX = 1024  # MiB; the sanitizers' own need has no bound
RULE = '- rule: r\n  desc: d\n  condition: {}\n  output: o\n  priority: INFO\n'


def rule(condition):
    """A rule with this condition."""
    return RULE.format(condition).encode()


# name, bytes, words of which the message must hold one, must it be refused
CASES = [
    ('not YAML', b'- rule: [\n', ['yaml', 'YAML', 'not'], True),
    ('bytes that are no text', b'- rule: \xff\xfe\x00\n', ['UTF-8', 'text', 'byte', 'character'], True),
    ('a NUL', b'- rule: a\x00b\n', ['NUL', 'control', 'character', 'text'], True),
    ('a mapping on top', b'rule: x\n', ['list', 'sequence'], True),
    ('a scalar on top', b'hello\n', ['list', 'sequence'], True),
    ('an item that is no mapping', b'- hello\n', ['mapping'], True),
    ('a rule without condition', b'- rule: r\n  desc: d\n  output: o\n  priority: INFO\n',
     ['condition'], True),
    ('unknown field', rule('proc.nmae = x'), ['proc.nmae'], True),
    ('unknown macro', rule('spawned_proces'), ['spawned_proces'], True),
    ('unknown operator', rule('proc.name like x'), ['like'], True),
    ('unknown priority', RULE.format('proc.name = x').replace('INFO', 'LOUD').encode(), ['LOUD'], True),
    ('unknown event type', rule('evt.type = opne'), ['opne'], True),
    ('operator the type lacks', rule('fd.num startswith 3'), ['startswith'], True),
    ('literal of the wrong type', rule('fd.num = three'), ['three'], True),
    ('no address', rule('fd.sip = 300.1.1.1'), ['300.1.1.1'], True),
    ('a number too large for 64 bits', rule('fd.num = 99999999999999999999'),
     ['99999999999999999999'], False),
    ('macro cycle', b'- macro: a\n  condition: b\n- macro: b\n  condition: a\n' + rule('a'),
     ['cycle', 'itself', 'macro'], True),
    ('a macro of itself', b'- macro: a\n  condition: a\n' + rule('a'), ['a'], True),
    ('unclosed parenthesis', rule('(proc.name = x'), [')', 'end', 'parenthesis'], True),
    ('unclosed quote', rule('proc.name = "x'), ['"', 'quote', 'string', 'closed'], True),
    ('empty condition', rule('""'), ['condition', 'empty'], True),
    ('100,000 parentheses', rule('(' * 100000 + 'proc.name = x' + ')' * 100000),
     ['deep', 'nest', 'parenthes'], True),
    ('100,000 open parentheses', rule('(' * 100000), ['deep', 'nest', 'parenthes'], True),
    ('100,000 nots', rule('not ' * 100000 + 'proc.name = x'), ['deep', 'nest', 'long', 'not'], None),
    ('a word of 1 MB', rule('proc.name = ' + 'x' * 1000000), ['at most 255'], True),
    ('a field of 1 MB', rule('x' * 1000000 + ' = 1'), ['field', 'macro', 'unknown', 'long'], True),
    ('40,000 brackets of YAML', b'[' * 40000, ['deep', 'nest'], True),
    ('an alias bomb', b'- &a [x, x, x, x, x, x, x, x]\n' + b''.join(
        b'- &%c [%s]\n' % (98 + i, b', '.join([b'*%c' % (97 + i)] * 8)) for i in range(12)), [], True),
    ('unknown key', RULE.format('proc.name = x').encode() + b'  colour: red\n', ['colour'], False),
    ('a word like a list', b'- list: shells\n  items: [sh]\n' + rule('proc.name in (shels)'),
     ['shels', 'shells'], False),
    ('400 rules over a list of 950 levels', b''.join(
        b'- {list: l%d, items: [l%d, x]}\n' % (i, i - 1) for i in range(950, 0, -1))
     + b''.join(b'- {rule: r%d, desc: d, output: o, priority: INFO, condition: proc.name in (l950)}\n' % i
                for i in range(400)), ['items'], True),
    ('600 rules over a list that stands for 262,144', b''.join(
        b'- {list: l%d, items: [l%d, l%d, l%d, l%d]}\n' % (i, i - 1, i - 1, i - 1, i - 1)
        for i in range(9, 0, -1))
     + b''.join(b'- {rule: r%d, desc: d, output: o, priority: INFO, condition: proc.name in (l9)}\n' % i
                for i in range(600)), ['items'], True),
    ('600 rules over a macro of 16,384 tests', b'- {macro: m0, condition: fd.num=1}\n' + b''.join(
        b'- {macro: m%d, condition: m%d or m%d}\n' % (i, i - 1, i - 1) for i in range(1, 15))
     + b''.join(b'- {rule: r%d, desc: d, output: o, priority: INFO, condition: m14}\n' % i
                for i in range(600)), ['parts', 'tests'], True),
    ('450 patterns without a small automaton', b''.join(
        rule("proc.cmdline regex '(a|ab|abc|abcd|b.*|c.*d){90}%d'" % i).replace(b': r', b': r%d' % i)
        for i in range(450)), [], False),
    ('an empty file', b'', [], False),
    ('a file of comments', b'# nothing\n', [], False),
]

# options and words, exit status, what is said
COMMAND_LINES = [
    ('nonsense', 2, 'there is no command `nonsense`'),
    ('chek', 2, 'did you mean `check`?'),
    ('check --frmat json good.yaml', 2, 'rulec check: unrecognized option'),
    ('check --format xml good.yaml', 2, '--format is text or json, not `xml`'),
    ('check --deny=errors good.yaml', 2, '--deny is for warnings, not `errors`'),
    ('build --dump=atoms good.yaml', 2, 'rulec build --help'),
    ('explain --rule q good.yaml', 1, 'did you mean `r`?'),
    ('fields proc.nmae', 1, 'did you mean `proc.name`?'),
    ('fields --format xml', 2, 'rulec fields: --format is text or json, not `xml`'),
    ('events opne', 1, 'did you mean `open`?'),
    ('events uname', 0, '`evt.type = uname` can be asked'),
]


class Bad(Score):
    """Runs cases and counts."""

    def __init__(self, program, folder, memory):
        super().__init__()
        self.program, self.folder = program, folder
        self.bound = ['prlimit', f'--as={memory << 20}'] if memory else []

    def rulec(self, *arguments):
        """One run; a crash and a hang are failures whatever the case wants."""
        try:
            run = subprocess.run([*self.bound, self.program, *arguments], capture_output=True, timeout=60,
                                 cwd=self.folder, check=False, stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            self.check(False, f'rulec {arguments}: no end within a minute')
            return 124, ''
        told = run.stderr.decode(errors='replace')
        self.check(run.returncode in (0, 1, 2) and 'Sanitizer' not in told,
                   f'rulec {arguments}: exit {run.returncode}: {told[-2000:]}')
        return run.returncode, told

    def case(self, name, content, words, refused):
        """One input, checked and built."""
        with open(os.path.join(self.folder, 'in.yaml'), 'wb') as out:
            out.write(content)
        code, told = self.rulec('check', 'in.yaml')
        if refused is not None:
            self.check(code == int(refused), f'{name}: exit {code}: {told}')
        if refused:
            self.check('in.yaml:' in told and 'error:' in told, f'{name}: no place: {told}')
        if code == 1 or words and refused is False:
            self.check(not words or any(word in told for word in words),
                       f'{name}: none of {words} in: {told}')
        self.check(len(told) < 100000, f'{name}: {len(told)} bytes of message')
        self.rulec('build', '-o', 'out.rpk', 'in.yaml')
        written = os.path.exists(os.path.join(self.folder, 'out.rpk'))
        self.check(written == (code == 0), f'{name}: exit {code}, but bundle written: {written}')
        if written:
            os.unlink(os.path.join(self.folder, 'out.rpk'))

    def missed_calls(self):
        """A rule on `open` alone misses what a modern libc calls: a warning names it."""
        code, told = self.rulec('check', os.path.join(ROOT, 'stdlib'),
                                os.path.join(ROOT, 'tests/rules/article.yaml'))
        self.check(code == 0 and 'warning:' in told and 'openat' in told,
                   f'article: exit {code}, no warning of openat: {told}')

    def files(self):
        """Files that are not there, or not readable, or folders."""
        for name in ('none.yaml', 'none/none.yaml'):
            code, told = self.rulec('check', name)
            self.check(code in (1, 2) and name in told, f'{name}: exit {code}: {told}')
        code, told = self.rulec('build', '-o', 'no/such/folder/x.rpk', 'in.yaml')
        self.check(code == 2 and 'x.rpk' in told, f'no folder for -o: exit {code}: {told}')
        with open(os.path.join(self.folder, 'good.yaml'), 'wb') as out:
            out.write(rule('evt.type = execve'))
        os.symlink('good.yaml', os.path.join(self.folder, 'link.yaml'))
        for name in ('good.yaml', './good.yaml', 'link.yaml'):
            code, told = self.rulec('build', '-o', 'good.yaml', name)
            with open(os.path.join(self.folder, 'good.yaml'), 'rb') as kept:
                self.check(code == 2 and kept.read() == rule('evt.type = execve'),
                           f'the bundle in place of its rules: exit {code}: {told}')

    def command_lines(self):
        """Command lines that ask for nothing there is: what is wrong, and what could be meant."""
        for line, wanted, words in COMMAND_LINES:
            code, told = self.rulec(*line.split())
            self.check(code == wanted and words in told, f'rulec {line}: exit {code}: {told}')

    def bombs(self):
        """Small inputs that stand for much are refused within a second and 100 MB."""
        doubling = [f'- list: l{i}\n  items: [l{i - 1}, l{i - 1}]\n' for i in range(60, 0, -1)]
        macros = [f'- macro: m{i}\n  condition: m{i - 1} and m{i - 1}\n' for i in range(1, 60)]
        aliases = [f'- list: a{i}\n  items: &a{i} [{", ".join([f"*a{i - 1}"] * 9)}]\n'
                   for i in range(1, 12)]
        values = [f'- rule: r{i}\n  exceptions: &e{i} [{", ".join([f"*e{i - 1}"] * 9)}]\n'
                  for i in range(1, 10)]
        grown = ['- list: l\n  override: {items: append}\n  items: [l, l]\n'] * 2000
        end = rule('proc.name in (l60)').decode()
        self.bomb('lists', ''.join(doubling) + '- list: l0\n  items: [x]\n' + end)
        self.bomb('macros', '- macro: m0\n  condition: fd.num=1\n' + ''.join(macros) +
                  rule('m59').decode())
        self.bomb('aliases', '- list: a0\n  items: &a0 [x]\n' + ''.join(aliases))
        self.bomb('aliases of mappings', '- rule: r\n  exceptions: &e0 [{name: a}]\n' + ''.join(values))
        self.bomb('a list that holds itself', '- list: l\n  items: [x]\n' + ''.join(grown) +
                  rule('proc.name in (l)').decode())
        self.bomb('an alias of a long text', '- list: a\n  items: [&x ' + 'y' * 100000 + ']\n'
                  '- list: b\n  items: [' + ', '.join(['*x'] * 100000) + ']\n' +
                  rule('proc.name in (b)').decode())

    def bomb(self, name, text):
        """One of them: refused, and what it took."""
        self.timed(name, text, ['check'], 1, (1, 100))

    def large(self):
        """What is right, but has many parts, takes time in proportion: whatever the parts are."""
        many = range(10000)
        names = {
            'prefixes': ' or '.join(f'fd.name startswith /x{i}' for i in many),
            'suffixes that must not be': ' and '.join(f'not fd.name endswith .x{i}' for i in many),
            'variables': ' or '.join(f'proc.env[V{i}] = x' for i in many),
            'pairs': ' or '.join(f'(fd.name = /x{i} and proc.pname = p{i})' for i in many),
        }
        for name, tests in names.items():
            text = RULE.format(f'evt.type in (open, openat, openat2) and ({tests})')
            for command in (['check'], ['build', '-o', 'large.rpk']):
                self.timed(f'{name}, {command[0]}', text, command, 0, (3, 400))

    def timed(self, name, text, command, wanted, limits):
        """A run with this exit status, and within so many seconds and MB."""
        with open(os.path.join(self.folder, 'timed.yaml'), 'w', encoding='utf-8') as out:
            out.write(text)
        with subprocess.Popen([self.program, *command, 'timed.yaml'], cwd=self.folder,
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as run:
            _, status, used = os.wait4(run.pid, 0)
            run.returncode = os.waitstatus_to_exitcode(status)
        self.check(run.returncode == wanted, f'{name}: exit {run.returncode}')
        if 'asan' not in self.program:
            seconds, megabytes = used.ru_utime + used.ru_stime, used.ru_maxrss / 1000
            self.check(seconds < limits[0] and megabytes < limits[1],
                       f'{name}: {seconds} s, {megabytes} MB')

    def noise(self, rounds):
        """A good file with bytes changed at random, by a fixed seed: any answer but a crash."""
        chance = random.Random(3)
        with open(os.path.join(ROOT, 'rules/tamper.yaml'), 'rb') as text:
            good = text.read()
        for _ in range(rounds):
            bad = bytearray(good)
            for _ in range(chance.randrange(1, 6)):
                bad[chance.randrange(len(bad))] = chance.choice(b'()[]{}"\'\\%:#&*|>!-\n \0\xff=,x')
            with open(os.path.join(self.folder, 'noise.yaml'), 'wb') as out:
                out.write(bad)
            self.rulec('check', os.path.join(ROOT, 'stdlib'), 'noise.yaml')


def main():
    options = argparse.ArgumentParser()
    options.add_argument('--variant', default='release')
    args = options.parse_args()
    with tempfile.TemporaryDirectory(prefix='rulec-bad-') as folder:
        bad = Bad(os.path.join(ROOT, 'build', args.variant, 'rulec'), folder,
                  MEMORY_MAX if args.variant == 'release' else 0)
        for case in CASES:
            bad.case(*case)
        bad.missed_calls()
        bad.files()
        bad.command_lines()
        bad.bombs()
        bad.large()
        bad.noise(60 if args.variant == 'release' else 120)
    return bad.close()


if __name__ == '__main__':
    sys.exit(main())
