#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The documents hold: each `sh` block of README.md and docs/ is run, each link leads somewhere.

Of a document, blocks run in order in one folder. ```yaml file=NAME writes a file there; ```sh must end
with 0, ```sh exit=N with N, ```sh root is left out without root; ```text and other blocks are not run.
The two set-up commands of the README are the demo and the tests themselves: `sh norun`. internals.md
names every source file.
"""
import fnmatch
import glob
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BLOCK = re.compile(r'^```(\w+)([^\n]*)\n(.*?)^```$', re.M | re.S)
LINK = re.compile(r'\]\(([^)#:]+)(?:#[^)]*)?\)')


def run_block(words, text, folder):
    """None if a block ends as it says, else what went wrong."""
    want = next((int(word[5:]) for word in words if word.startswith('exit=')), 0)
    path = os.path.join(ROOT, 'build') + ':' + os.environ['PATH']
    run = subprocess.run(['bash', '-e', '-c', text], cwd=folder, capture_output=True, text=True,
                         env={**os.environ, 'PATH': path}, timeout=120, check=False)
    if run.returncode == want:
        return None
    return f'exit {run.returncode}, not {want}\n{text}{run.stdout[-1000:]}{run.stderr[-1000:]}'


def document(path, score):
    """One document."""
    with open(path, encoding='utf-8') as source:
        text = source.read()
    name = os.path.relpath(path, ROOT)
    for target in LINK.findall(text):
        there = os.path.exists(os.path.join(os.path.dirname(path), target))
        score(there, f'{name}: a link leads nowhere: {target}')
    with tempfile.TemporaryDirectory(prefix='rulec-docs-') as folder:
        for shared in ('stdlib', 'rules', 'build'):
            os.symlink(os.path.join(ROOT, shared), os.path.join(folder, shared))
        for kind, words, body in BLOCK.findall(text):
            words = words.split()
            file = next((word[5:] for word in words if word.startswith('file=')), None)
            if file:
                with open(os.path.join(folder, file), 'w', encoding='utf-8') as out:
                    out.write(body)
            elif kind == 'sh' and 'norun' not in words:
                if 'root' in words and os.geteuid() != 0:
                    print(f'SKIP {name}: needs root: {body}')
                    continue
                wrong = run_block(words, body, folder)
                score(wrong is None, f'{name}: {wrong}')


def modules(score):
    """Every source file has its place in `Where things are` of internals.md, and nothing else has."""
    with open(os.path.join(ROOT, 'docs/internals.md'), encoding='utf-8') as text:
        part = text.read().split('### Where things are\n')[1].split('\n## ')[0]
    named = re.findall(r'`([\w*]+(?:\.bpf)?\.(?:c|y|re))`', part)
    files = [os.path.basename(path) for folder in ('compiler', 'runtime', 'grammar', 'bpf')
             for path in glob.glob(os.path.join(ROOT, folder, '*.*')) if path.endswith(('.c', '.y', '.re'))]
    for file in files:
        score(any(fnmatch.fnmatch(file, name) for name in named), f'internals.md does not name {file}')
    for name in named:
        score(fnmatch.filter(files, name), f'internals.md names {name}, which is not there')


def main():
    counts = [0, 0]

    def score(good, text):
        counts[not good] += 1
        if not good:
            print('FAIL', text)

    for path in [os.path.join(ROOT, 'README.md'), *sorted(glob.glob(os.path.join(ROOT, 'docs/*.md')))]:
        document(path, score)
    modules(score)
    for page in sorted(glob.glob(os.path.join(ROOT, 'docs/*.1'))):
        run = subprocess.run(['mandoc', '-T', 'lint', '-W', 'warning', page], capture_output=True,
                             text=True, check=False)
        score(run.returncode == 0, f'{page}: {run.stdout}')
    print(f'{counts[0]} passed, {counts[1]} failed')
    return 1 if counts[1] else 0


if __name__ == '__main__':
    sys.exit(main())
