#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs each fuzzer for a while: run.py [SECONDS]. What it finds belongs into tests/fuzz/NAME/ as a seed.

A harness is tests/fuzz/NAME.c; tests/fuzz/NAME/ holds inputs that once failed or that lead far in. Our own
rules, and a bundle of them, are seeds as well.
"""
import glob
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def seeds(name, folder):
    """Fills a corpus folder."""
    for path in glob.glob(os.path.join(ROOT, 'tests/fuzz', name, '*')):
        shutil.copy(path, folder)
    if name == 'bundle':
        subprocess.run([os.path.join(ROOT, 'build/rulec'), 'build', '-o', os.path.join(folder, 'ours'),
                        os.path.join(ROOT, 'stdlib'), os.path.join(ROOT, 'rules')], check=False)
    elif name == 'rules':
        for path in glob.glob(os.path.join(ROOT, 'rules/*.yaml')) + glob.glob(os.path.join(ROOT, 'stdlib/*')):
            shutil.copy(path, folder)


def main():
    seconds = sys.argv[1] if len(sys.argv) > 1 else '60'
    passed = failed = 0
    for source in sorted(glob.glob(os.path.join(ROOT, 'tests/fuzz/*.c'))):
        name = os.path.basename(source)[:-2]
        with tempfile.TemporaryDirectory() as folder:
            seeds(name, folder)
            run = subprocess.run([os.path.join(ROOT, 'build/fuzz/tests/fuzz', name), '-timeout=10',
                                  f'-max_total_time={seconds}', '-max_len=200000',
                                  f'-artifact_prefix={ROOT}/build/{name}-', folder], check=False)
        passed += run.returncode == 0
        failed += run.returncode != 0
    print(f'{passed} passed, {failed} failed')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
