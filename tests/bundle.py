#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bundles: the same bytes each time, good for other people's tools, and hostile ones refused.

    bundle.py
"""
import os
import shutil
import stat
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'live'))

from lib import ROOT, Score, build_pack, scratch, stable_rules  # noqa: E402

RULEC, ASAN = os.path.join(ROOT, 'build/rulec'), os.path.join(ROOT, 'build/asan/rulec')


def run(*argv, **options):
    """One run, text out."""
    return subprocess.run(argv, capture_output=True, text=True, errors='replace', timeout=600,
                          check=False, **options)


def reproducible(name, inputs, folder, score):
    """Built in two directories, under two names, the bytes are the same."""
    built = []
    for place in ('one', 'two/deeper'):
        where = os.path.join(folder, name + place)
        os.makedirs(where)
        names = []
        for path in inputs:
            target = os.path.join(where, os.path.basename(path))
            (shutil.copytree if os.path.isdir(path) else shutil.copy)(path, target)
            names.append(os.path.basename(path))
        told = run(RULEC, 'build', '-o', 'p.rpk', *names, cwd=where)
        if not score.check(told.returncode == 0, f'{name}: {told.stderr}'):
            return
        with open(os.path.join(where, 'p.rpk'), 'rb') as pack:
            built.append(pack.read())
    score.check(built[0] == built[1], f'{name}: two builds differ')


def special(inputs, folder, score):
    """What is no file (a pipe, /dev/null) is written to, and stays what it is."""
    pipe, plain = os.path.join(folder, 'pipe/p.rpk'), os.path.join(folder, 'plain/p.rpk')
    for path in (pipe, plain):
        os.makedirs(os.path.dirname(path))
    os.mkfifo(pipe)
    with tempfile.TemporaryFile() as taken:
        with subprocess.Popen(['cat', pipe], stdout=taken) as reader:
            told = run(RULEC, 'build', '-o', pipe, *inputs)
            if not stat.S_ISFIFO(os.stat(pipe).st_mode):
                reader.kill() # nobody will ever write
        taken.seek(0)
        got = taken.read()
    run(RULEC, 'build', '-o', plain, *inputs)
    with open(plain, 'rb') as pack:
        score.check(told.returncode == 0 and got == pack.read(), f'to a pipe: {told.stderr}')
    score.check(stat.S_ISFIFO(os.stat(pipe).st_mode), 'a pipe was replaced by a file')
    with subprocess.Popen([RULEC, 'build', '-o', '-', *inputs], stdout=subprocess.PIPE) as writer:
        told = run(RULEC, 'dump', '--rules', '-', stdin=writer.stdout)
    score.check(told.stdout == run(RULEC, 'dump', '--rules', plain).stdout != '', f'-o -: {told.stderr}')


def tools(name, pack, folder, score):
    """readelf, llvm-objdump and bpftool take it."""
    told = run('readelf', '-a', pack)
    score.check(told.returncode == 0 and 'rror' not in told.stderr and 'arning' not in told.stderr,
                f'{name}: readelf: {told.stderr[:2000]}')
    told = run('llvm-objdump', '-d', pack)
    score.check(told.returncode == 0 and 'exit' in told.stdout and not told.stderr,
                f'{name}: llvm-objdump: {told.stderr[:2000]}')
    if os.geteuid() != 0:
        score.skip(f'{name}: bpftool needs root')
        return
    mount = os.path.join(folder, 'bpffs')
    script = ('mkdir -p "$1" && mount -t bpf bpf "$1" && bpftool prog loadall "$2" "$1/p" && '
              'ls "$1/p"')
    told = run('unshare', '-m', '--propagation', 'private', 'sh', '-c', script, 'sh', mount, pack)
    score.check(told.returncode == 0 and told.stdout.strip(), f'{name}: bpftool: {told.stderr[-2000:]}')
    first = script.replace('loadall', 'load')
    told = run('unshare', '-m', '--propagation', 'private', 'sh', '-c', first, 'sh', mount, pack)
    score.check(told.returncode == 0, f'{name}: bpftool prog load: {told.stderr[-2000:]}')


def dump(name, pack, rules, score):
    """rulec dump: all parts, and the rules' names alone."""
    told = run(RULEC, 'dump', pack)
    score.check(told.returncode == 0, f'{name}: dump: {told.stderr}')
    for rule in rules:
        score.check(rule in told.stdout, f'{name}: dump does not name {rule}')
    listed = run(RULEC, 'dump', '--rules', pack)
    score.check(listed.stdout.splitlines() == rules, f'{name}: dump --rules: {listed.stdout[:500]}')


def refused(data, path, what, score):
    """One hostile bundle: an error, no crash. Several programs read bundles; the sanitized one."""
    with open(path, 'wb') as out:
        out.write(data)
    told = run(ASAN, 'dump', path)
    score.check(told.returncode in (1, 2) and told.stderr and 'Sanitizer' not in told.stderr,
                f'{what}: exit {told.returncode}: {told.stderr[-500:]}')


def hostile(pack, folder, score):
    """Samples of cuts and flipped bytes; every one of them is in tests/unit/test_rpk.c."""
    with open(pack, 'rb') as whole:
        good = whole.read()
    path = os.path.join(folder, 'hostile.rpk')
    for size in sorted({0, 1, 63, 64, *range(0, len(good) - 1, max(1, len(good) // 60))}):
        refused(good[:size], path, f'cut at {size}', score)
    at = good.find((0x4b50522e72756c65).to_bytes(8, 'little'))
    score.check(at > 0, 'the manifest was not found')
    refused(good[:at + 8] + b'\x63' + good[at + 9:], path, 'another version', score)
    refused(good[:at + 16] + b'\xaa' * 8 + good[at + 24:], path, 'another catalog', score)


def bundles(folder, score):
    """Ours and the official one, what is special, and what is hostile."""
    ours = [os.path.join(ROOT, 'stdlib'), os.path.join(ROOT, 'rules')]
    packs = {'ours': ours}
    special(ours, folder, score)
    if stable_rules():
        packs['stable'] = [stable_rules()]
    else:
        score.skip('the official rules as a bundle', 30)
    for name, inputs in packs.items():
        reproducible(name, inputs, folder, score)
        pack = build_pack(os.path.join(folder, name + '.rpk'), *inputs)
        tools(name, pack, folder, score)
        rules = run(RULEC, 'dump', '--rules', pack).stdout.splitlines()
        score.check(len(rules) >= (25 if name == 'stable' else 20), f'{name}: {len(rules)} rules')
        dump(name, pack, rules, score)
    hostile(os.path.join(folder, 'ours.rpk'), folder, score)


def main():
    score = Score()
    try:
        with scratch('rulec-bundle-') as folder:
            bundles(folder, score)
    except RuntimeError as error:
        score.check(False, str(error))
    return score.close()


if __name__ == '__main__':
    sys.exit(main())
