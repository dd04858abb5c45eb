#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A hook that the kernel does not take is missing alone, and is told of with the rules that suffer.

    missing.py

The code of one hook is damaged in a bundle, so that the verifier refuses it; attaching is refused by a
seccomp filter around the daemon. What the other hooks supply must still fire.
"""
import ctypes
import os
import shutil
import struct
import subprocess
import sys
import time

from lib import ROOT, Rulerun, Score, build_pack, scratch, why_not_live

RULES = """
- {rule: starts, desc: d, output: o, priority: INFO,
   condition: evt.type = execve and evt.rawres >= 0 and proc.name = PROGRAM}
- {rule: opens, desc: d, output: o, priority: INFO,
   condition: evt.type = openat and fd.name = FOLDER/opened}
- {rule: with arguments, desc: d, output: o, priority: INFO,
   condition: evt.type = openat and fd.name = FOLDER/named and proc.args contains named}
"""
# Damaged hook; rules that miss events; that know less; that fire; those of them that are uncertain.
CASES = [
    ('sys_exit', ['opens', 'with arguments'], [], ['starts'], []),
    ('sched_process_exec', ['starts'], ['with arguments'], ['opens', 'with arguments'],
     ['with arguments']),
    ('sched_process_fork', [], ['starts', 'with arguments'], ['opens', 'starts', 'with arguments'],
     []),
]
OWN = 'rulerun: hook missing'
BAD_LOAD = bytes([0x79, 0x92, 0, 0, 0, 0, 0, 0])  # r2 = *(u64 *)(r9 + 0): nothing ever set r9


def code_of(elf, hook):
    """Where the program of a hook stands in a bundle, by the names of its ELF sections."""
    table, = struct.unpack_from('<Q', elf, 0x28)
    size, count, names = struct.unpack_from('<HHH', elf, 0x3a)
    heads = [struct.unpack_from('<IIQQQQ', elf, table + i * size) for i in range(count)]
    for name, _, _, _, offset, _ in heads:
        at = heads[names][4] + name
        if elf[at:elf.index(b'\0', at)] in (kind + hook.encode() for kind in (b'tp_btf/', b'raw_tp/')):
            return offset
    raise RuntimeError(f'no section of {hook}')


def damage(pack, *hooks):
    """A copy of a bundle in which these hooks do not verify."""
    with open(pack, 'rb') as whole:
        elf = bytearray(whole.read())
    for hook in hooks:
        at = code_of(elf, hook)
        elf[at:at + len(BAD_LOAD)] = BAD_LOAD
    path = f'{pack}.{"-".join(hooks)}'
    with open(path, 'wb') as part:
        part.write(elf)
    return path


def trigger(folder, program):
    """One event for each rule."""
    subprocess.run([os.path.join(folder, program)], check=True)
    for name in ('opened', 'named'):
        subprocess.run(['cat', os.path.join(folder, name)], check=True)


def wait_for(daemon, rules):
    """The alerts, once these rules have fired or none came for long."""
    end = time.monotonic() + 20
    while time.monotonic() < end and not set(rules) <= {a['rule'] for a in daemon.alerts()}:
        time.sleep(0.05)
    return daemon.alerts()


def goes_on(pack, folder, program, case, score):
    """Without one hook: who fires, and what is told."""
    hook, blind, unsure, fires, uncertain = case
    daemon = Rulerun(damage(pack, hook), '--format', 'json', '--all-matches')
    said = daemon.read('err')
    if not score.check(daemon.armed, f'{hook}: did not arm:\n{said}'):
        daemon.stop()
        return
    trigger(folder, program)
    alerts = wait_for(daemon, [OWN, *fires])
    score.check(daemon.stop() == 0, f'{hook}: exit code')
    told = [alert for alert in alerts if alert['rule'] == OWN]
    rest = [alert for alert in alerts if alert['rule'] != OWN]
    got = sorted({alert['rule'] for alert in rest})
    score.check(got == fires, f'{hook}: {got} fired, not {fires}')
    got = sorted({a['rule'] for a in rest if a.get('rulerun', {}).get('uncertain')})
    score.check(got == uncertain, f'{hook}: {got} uncertain, not {uncertain}')
    if score.check(len(told) == 1 and alerts[0] == told[0], f'{hook}: told {told}'):
        fields = told[0]['output_fields']
        score.check(fields['hook'] == hook and sorted(fields['rules']) == blind and
                    sorted(fields['rules_uncertain']) == unsure and '!read_ok' in fields['reason'],
                    f'{hook}: {fields}')
        score.check(told[0]['priority'] == ('Critical' if blind else 'Warning') and
                    told[0]['source'] == 'internal', f'{hook}: {told[0]}')
    words = [f'hook {hook} is missing', 'R9 !read_ok', *[f'"{name}"' for name in blind + unsure]]
    score.check(all(word in said for word in words), f'{hook}: not said {words}:\n{said}')


def text_form(pack, score):
    """The same as a line of text."""
    daemon = Rulerun(damage(pack, 'sys_exit'))
    daemon.stop()
    lines = daemon.read('out').splitlines()
    score.check(lines and 'Critical A hook in the kernel is missing (hook="sys_exit" ' in lines[0],
                f'text: {lines}')


def refused(name, argv, words, score, **options):
    """A start that must not be."""
    run = subprocess.run([os.path.join(ROOT, 'build/rulerun'), *argv], capture_output=True, text=True,
                         timeout=60, check=False, stdin=subprocess.DEVNULL, **options)
    score.check(run.returncode == 2, f'{name}: exit {run.returncode}:\n{run.stderr}')
    score.check(all(word in run.stderr for word in words), f'{name}: not {words}:\n{run.stderr}')
    score.check(not run.stdout, f'{name}: alerts:\n{run.stdout}')


def no_attaching():
    """For a child, before exec: bpf() makes no links, nor does its command of old; EACCES."""
    rows = [(0x20, 0, 0, 0), (0x15, 0, 4, 321),                       # is the call bpf?
            (0x20, 0, 0, 16), (0x15, 1, 0, 28), (0x15, 0, 1, 17),     # which command?
            (0x06, 0, 0, 0x50000 | 13), (0x06, 0, 0, 0x7fff0000)]
    code = b''.join(struct.pack('<HBBI', *row) for row in rows)
    keep = ctypes.create_string_buffer(code, len(code))
    prog = struct.pack('<H6xQ', len(rows), ctypes.addressof(keep))
    if ctypes.CDLL(None).prctl(22, 2, ctypes.create_string_buffer(prog, len(prog)), 0, 0) != 0:
        os._exit(99)


def main():
    score = Score()
    reason = why_not_live()
    if reason:
        score.skip(f'missing hooks: {reason}', 30)
        return score.close()
    with scratch('rulerun-missing-') as folder:
        program = 'miss' + os.path.basename(folder)[-8:].replace('_', 'x')
        shutil.copy('/bin/true', os.path.join(folder, program))
        for name in ('opened', 'named'):
            with open(os.path.join(folder, name), 'w', encoding='ascii'):
                pass
        rules = os.path.join(folder, 'rules.yaml')
        with open(rules, 'w', encoding='ascii') as text:
            text.write(RULES.replace('PROGRAM', program).replace('FOLDER', folder))
        pack = build_pack(os.path.join(folder, 'pack.rpk'), rules)
        for case in CASES:
            goes_on(pack, folder, program, case, score)
            refused(f'{case[0]}, strict', ['--strict', damage(pack, case[0])],
                    ['--strict', f'hook {case[0]} is missing'], score)
        text_form(pack, score)
        refused('no events left', [damage(pack, 'sched_process_exec', 'sys_exit', 'judge')],
                ['no rule can fire', 'sys_exit', 'sched_process_exec'], score)
        refused('nothing attaches', [pack], ['cannot be attached: Permission denied', 'sys_exit',
                                             'no rule can fire'], score, preexec_fn=no_attaching)
        whole = Rulerun(pack, '--strict')
        score.check(whole.armed, f'strict, all hooks: {whole.read("err")}')
        score.check(whole.stop() == 0, 'strict, all hooks: exit code')
    return score.close()


if __name__ == '__main__':
    sys.exit(main())
