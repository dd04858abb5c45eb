# SPDX-License-Identifier: Apache-2.0
"""Seeds for the fuzzers, from what the repository has anyway: rules, goldens, events of rule tests.

The official rules are read from FALCO_RULES, or from ../shared/rules/falco beside this repository;
without them there are fewer seeds.
"""
import glob
import json
import os
import re
import subprocess
import tempfile

import yaml

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
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


def bundle():
    """The rule section of bundles, bare and as the only section of an ELF file, with a record."""
    events = [text.decode() for text in event()]
    with tempfile.TemporaryDirectory() as folder:
        pack, part, seed = (os.path.join(folder, name) for name in ('pack', 'part', 'seed'))
        for n, path in enumerate(paths('tests/golden/*.yaml', 'tests/rules/article.yaml')):
            built = subprocess.run(['build/rulec', 'build', '-o', pack, path], cwd=ROOT, check=False,
                                   stderr=subprocess.DEVNULL)
            for form in ([], ['-O', 'binary']):
                if built.returncode:
                    continue
                subprocess.run(['llvm-objcopy', *form, '--only-section=.rulepack', pack, part], check=True)
                subprocess.run(['build/release/fuzz_tool_seed', part, events[n % len(events)], seed],
                               cwd=ROOT, check=True)
                with open(seed, 'rb') as data:
                    yield data.read()


KINDS = {'rules': rules, 'condition': condition, 'output': output, 'event': event, 'bundle': bundle}


def write(kind, folder):
    """Fills a folder; how many seeds there are."""
    seeds = sorted({data for data in KINDS[kind]() if len(data) <= SIZE_MAX})
    for n, data in enumerate(seeds):
        with open(os.path.join(folder, f'{n:04}'), 'wb') as out:
            out.write(data)
    return len(seeds)
