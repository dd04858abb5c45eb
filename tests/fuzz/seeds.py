# SPDX-License-Identifier: Apache-2.0
"""Seeds for the fuzzers, from what the repository has anyway: rules, goldens, events of rule tests.

The official rules are read from FALCO_RULES, or from ../shared/rules/falco beside this repository;
without them there are fewer seeds.
"""
import glob
import json
import os
import re
import struct
import subprocess
import sys
import tempfile

import yaml

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'tests'))
import scapfile
import scapscene

OFFICIAL = os.environ.get('FALCO_RULES', os.path.join(ROOT, '../shared/rules/falco'))
SIZE_MAX = 65536
WORD = re.compile(r'(?<![\w.%])[A-Za-z_]\w*(?![\w.])')


def paths(*patterns):
    """Files of the repository, in order."""
    return [path for pattern in patterns for path in sorted(glob.glob(os.path.join(ROOT, pattern)))]


def rule_files():
    """Files of rules: ours, the goldens', the official ones."""
    found = paths('rules/*.yaml', 'stdlib/*.yaml', 'tests/rules/*.yaml', 'tests/golden/*.yaml',
                  'tests/golden/diag/*.yaml', 'tests/golden/bad/*.yaml')
    found += sorted(glob.glob(os.path.join(OFFICIAL, '*.yaml')))
    return [path for path in found if os.path.isfile(path)]


def items(path):
    """The items of a file that is good YAML."""
    with open(path, encoding='utf-8', errors='replace') as text:
        try:
            found = [item for doc in yaml.safe_load_all(text) for item in doc or []]
        except (yaml.YAMLError, TypeError, ValueError, RecursionError):
            return []
    return [item for item in found if isinstance(item, dict)]


def expand(text, macros, lists, depth=0):
    """A condition with macros and lists in it replaced, as far as the text stays short."""
    def one(match):
        word = match.group()
        if word in lists:
            return ', '.join(lists[word])
        return f'({macros[word]})' if word in macros else word
    more = WORD.sub(one, text)
    return text if depth > 5 or more == text or len(more) > 4000 else expand(more, macros, lists, depth + 1)


def condition():
    """Conditions and macros as they stand, and with what they use put in."""
    for path in rule_files():
        found = [item for item in items(path) if isinstance(item.get('condition'), str)]
        macros = {item['macro']: item['condition'] for item in found if isinstance(item.get('macro'), str)}
        lists = {item['list']: [str(one) for one in item['items']] for item in items(path)
                 if isinstance(item.get('list'), str) and isinstance(item.get('items'), list)}
        for item in found:
            yield item['condition'].encode(errors='replace')
            yield expand(item['condition'], macros, lists).encode(errors='replace')


def output():
    """Output templates."""
    for path in rule_files():
        for item in items(path):
            if isinstance(item.get('output'), str):
                yield item['output'].encode(errors='replace')


def rules():
    """Files of rules, whole."""
    for path in rule_files():
        with open(path, 'rb') as text:
            yield text.read()


def event():
    """The events of rule tests, one each."""
    for path in paths('rules/*.test.yaml', 'tests/*/*.test.yaml'):
        for test in items(path):
            for one in (test.get('fires') or []) + (test.get('quiet') or []):
                yield json.dumps(one).encode()


def sections(folder, *files):
    """The rule section of a bundle: as the only section of an ELF file, and bare."""
    pack, elf, bare = (os.path.join(folder, name) for name in ('pack', 'elf', 'bare'))
    built = subprocess.run(['build/rulec', 'build', '-o', pack, *files], cwd=ROOT, check=False,
                           stderr=subprocess.DEVNULL)
    if built.returncode:
        return []
    subprocess.run(['llvm-objcopy', '--only-section=.rulepack', f'--dump-section=.rulepack={bare}',
                    pack, elf], check=True)
    return [elf, bare]


def bundle():
    """Bundles of ours, each with a few records."""
    events = [text.decode() for text in event()]
    with tempfile.TemporaryDirectory() as folder:
        seed = os.path.join(folder, 'seed')
        packs = [[path] for path in paths('tests/golden/*.yaml')]
        packs += [['stdlib', path] for path in paths('rules/*.yaml', 'tests/rules/*.yaml')
                  if not path.endswith('.test.yaml')]
        for n, files in enumerate(packs):
            for part in sections(folder, *files):
                for step in range(3):
                    text = events[(n * 7 + step * 31) % len(events)]
                    subprocess.run(['build/release/fuzz_tool_seed', part, text, seed], cwd=ROOT,
                                   check=True)
                    with open(seed, 'rb') as data:
                        yield data.read()


def capture():
    """Recordings of a few events each, which the harness packs, makes thin or leaves as they are."""
    events = list(event())
    with tempfile.TemporaryDirectory() as folder:
        lines, made = os.path.join(folder, 'events'), os.path.join(folder, 'recording')
        for at in range(0, len(events), 3):
            with open(lines, 'wb') as out:
                out.write(b'\n'.join(events[at:at + 3]) + b'\n')
            subprocess.run(['build/rulec', 'eval', '--record', made, '--events', lines, 'stdlib', 'rules'],
                           cwd=ROOT, check=False, capture_output=True)
            with open(made, 'rb') as data:
                found = data.read()
            yield b'\0' + found
            yield b'\x40' + found
            yield b'\x20' + found


def scap():
    """Scap files as they are, and as the pieces that tests/fuzz/scap.c makes one of."""
    types = [0x0a0d0d0a, 0x201, 0x202, 0x207, 0x209, 0x210, 0x211, 0x212, 0x213, 0x214, 0x215, 0x203,
             0x218, 0x205, 0x219, 0x206, 0x220, 0x204, 0x208, 0x216, 0x217, 0x221, 0x222]

    class Pieces(scapfile.Writer):
        """Writes pieces in place of blocks; the file's first block is made by the harness."""

        def block(self, kind, body):
            if kind != types[0]:
                self.out += struct.pack('<BH', types.index(kind), len(body)) + body

        def event(self, code, tid, params, flags=False):
            self.number += 1
            self.out += struct.pack('<BHBB', 200, code, tid & 255, len(params))
            for value in params:
                self.out += bytes([min(len(value), 255)]) + value[:255]
            return self.number

    for version in scapfile.VERSIONS:
        yield b'\x80' + scapscene.scene(scapfile.Writer(version)).bytes()
        yield b'\x80' + scapscene.scene(scapfile.Writer(version)).bytes(packed=True)
        yield b'\0' + scapscene.scene(Pieces(version)).bytes()
        for part in (scapscene.shell_work, scapscene.rights, scapscene.network, scapscene.container):
            pieces = Pieces(version)
            part(pieces)
            yield b'\0' + pieces.bytes()
    for seed in range(6):
        yield b'\0' + scapscene.chaos(Pieces('2022'), seed, 60).bytes()


# A harness that is not here starts from what is committed.
KINDS = {'rules': rules, 'condition': condition, 'output': output, 'event': event, 'bundle': bundle,
         'capture': capture, 'scap': scap}


def write(kind, folder):
    """Fills a folder; how many seeds there are."""
    seeds = sorted({data for data in KINDS.get(kind, tuple)() if len(data) <= SIZE_MAX})
    for n, data in enumerate(seeds):
        with open(os.path.join(folder, f'{n:04}'), 'wb') as out:
            out.write(data)
    return len(seeds)
