#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The live tests on other kernels: Debian's, booted under QEMU, never installed here.

    run.py [--quick | --run LINE] [--series 6.1]...

A kernel is fetched once (apt-get download) and kept in RULEC_KERNELS, by default a folder in the
user's cache. Its guest gets a root made of this machine's programs (root.py), runs the tests' own
scripts, and powers off. All guests run at a time. --quick: the stable rules are armed and a handful of
them fires; without it, every table. --run: a line of shell instead, and what the guest prints. A kernel
that cannot be had is skipped, by name.
"""
import argparse
import concurrent.futures
import ctypes
import glob
import lzma
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import root
from root import ROOT

sys.path.insert(0, os.path.join(ROOT, 'tests'))

from score import Score  # noqa: E402

SERIES = {'6.1': r'^linux-image-6\.1\.0-[0-9]+-cloud-amd64$',
          '6.12': r'^linux-image-6\.12\.[0-9]+\+deb12-cloud-amd64$'}
CACHE = os.environ.get('RULEC_KERNELS') or os.path.join(
    os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache'), 'rulec-kernels')
FALCO = os.environ.get('FALCO_RULES', os.path.join(os.path.dirname(ROOT), 'shared/rules/falco'))
APT = ['-q', '-o', 'APT::Sandbox::User=root', '-o', 'Acquire::Retries=1', '-o', 'Acquire::http::Timeout=20']
NETWORK_SECONDS, QUICK_SECONDS, WHOLE_SECONDS = 180, 900, 5400 # a busy machine's
PATIENCE = 600 # seconds for arming in a guest
COUNTS = re.compile(r'^(\d+) passed, (\d+) failed, (\d+) skipped\s*$', re.M)
EXIT = re.compile(r'^guest: (.+) exit (\d+) after (\d+) s\s*$', re.M)

HANDFUL = ['Read sensitive file untrusted', 'Terminal shell in container',
           'Contact K8S API Server From Container', 'Drop and execute new binary in container',
           'PTRACE attached to process', 'Fileless execution via memfd_create']
OWN_HANDFUL = ['Sensitive file read', 'Shell started in container', 'Program run from memory']


class Unavailable(Exception):
    """A kernel cannot be had here, and why."""


# ---- kernels ----

def version(package):
    """Order of packages of one series."""
    return [int(number) for number in re.findall(r'\d+', package)]


def output_of(argv, folder=None):
    """What a command prints, or why not."""
    try:
        run = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False,
                             timeout=NETWORK_SECONDS, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(str(error)) from error
    if run.returncode != 0:
        raise Unavailable(f'{" ".join(argv[:2])}: {run.stderr.strip()[-300:]}')
    return run.stdout


def fetch(series):
    """Downloads the newest kernel of a series; of its package only what is needed is kept."""
    found = output_of(['apt-cache', 'search', '-n', SERIES[series]])
    packages = sorted((line.split()[0] for line in found.splitlines()), key=version)
    if not packages:
        raise Unavailable(f'apt knows no package {SERIES[series]}')
    os.makedirs(CACHE, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        output_of(['apt-get', *APT, 'download', packages[-1]], folder)
        output_of(['dpkg', '-x', glob.glob(f'{folder}/*.deb')[0], f'{folder}/all'])
        os.mkdir(f'{folder}/kept')
        for pattern in ('boot/vmlinuz-*', 'lib/modules/*/kernel/fs/overlayfs/overlay.ko*'):
            shutil.copy(glob.glob(f'{folder}/all/{pattern}')[0], f'{folder}/kept')
        try:
            os.rename(f'{folder}/kept', os.path.join(CACHE, packages[-1]))
        except OSError:
            pass # another run was faster
    return os.path.join(CACHE, packages[-1])


def kernel(series):
    """(image, bytes of its module overlay) of a series."""
    wanted = re.compile(SERIES[series])
    kept = sorted((name for name in (os.listdir(CACHE) if os.path.isdir(CACHE) else [])
                   if wanted.match(name)), key=version)
    folder = os.path.join(CACHE, kept[-1]) if kept else fetch(series)
    image, module = glob.glob(f'{folder}/vmlinuz-*')[0], glob.glob(f'{folder}/overlay.ko*')[0]
    with (lzma.open if module.endswith('.xz') else open)(module, 'rb') as file:
        return image, file.read()


# ---- guests ----

def commands(quick, line=None):
    """(name, line of shell) of what a guest runs."""
    if line:
        return [('line', line)]
    live, table = 'python3 tests/live/run.py --no-audit', 'stable' if os.path.isdir(FALCO) else 'ours'
    if quick:
        only = HANDFUL if table == 'stable' else OWN_HANDFUL
        return [(f'{table}, a handful', f'{live} --table {table} ' +
                 ' '.join(f'--only {shlex.quote(rule)}' for rule in only))]
    tables = ['ours', 'article', 'around']
    if table == 'stable':
        tables = ['stable', 'incubating', 'sandbox', *tables]
    return [*[(name, f'{live} --table {name}') for name in tables],
            ('fields', 'python3 tests/live/fields.py')]


def die_with_parent():
    """For a child, before exec: it is killed if we are."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def end_guests(running):
    """For a signal, or an error: nothing of ours stays."""
    for guest in list(running):
        guest.kill()


def boot(image, initrd, log, seconds, running):
    """Runs a guest until it powers off; None, or what went wrong.

    Its processors take turns on one thread of the emulator: with one each, a processor can still run
    what another has just patched in the kernel's text, and the guest dies of a breakpoint.
    """
    argv = ['nice', 'qemu-system-x86_64', '-accel', 'tcg,thread=single', '-cpu', 'max', '-smp', '2',
            '-m', '1536', '-kernel', image, '-initrd', initrd, '-nographic', '-no-reboot',
            '-net', 'none', '-append',
            'console=ttyS0 quiet panic=-1 no_timer_check lsm=landlock,lockdown,yama,bpf']
    with open(log, 'wb') as out:
        guest = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                 preexec_fn=die_with_parent)
        running.append(guest)
        try:
            guest.wait(seconds)
        except subprocess.TimeoutExpired:
            return f'did not end within {seconds} s'
        finally:
            guest.kill()
            guest.wait()
            running.remove(guest)
    return None if guest.returncode == 0 else f'QEMU ended with {guest.returncode}'


def run(series, lines, seconds, running):
    """One guest from nothing to its end: (what went wrong or None, its log, seconds)."""
    start = time.monotonic()
    image, overlay = kernel(series)
    script = f'export RULEC_PATIENCE={PATIENCE}\n' + ''.join(f't=$(date +%s); {line}; '
                     f'echo "guest: {name} exit $? after $(($(date +%s) - t)) s"\n'
                     for name, line in lines)
    with tempfile.TemporaryDirectory(prefix='rulec-kernel-') as folder:
        root.build(f'{folder}/initrd', FALCO, overlay, script)
        wrong = boot(image, f'{folder}/initrd', f'{folder}/log', seconds, running)
        with open(f'{folder}/log', encoding='utf-8', errors='replace') as text:
            return wrong, text.read().replace('\r', ''), time.monotonic() - start


def judge(series, lines, result, score):
    """Adds a guest's own counts to ours; its log is shown if anything is wrong."""
    wrong, log, seconds = result
    ends = EXIT.findall(log)
    good = score.check(not wrong and 'guest: end' in log, f'{series}: {wrong or "no end"}')
    good &= score.check([name for name, _, _ in ends] == [name for name, _ in lines],
                        f'{series}: ran {ends}')
    parts = re.split(EXIT.pattern, log, flags=re.M)[:-1:4] # the log before each end
    for (name, code, took), part in zip(ends, parts):
        counts = COUNTS.findall(part)
        passed, failed, skipped = map(int, counts[-1]) if counts else (0, 1, 0)
        good &= score.check(code == '0' and counts and not failed, f'{series}, {name}: exit {code}')
        score.passed += passed
        if skipped:
            score.skip(f'{series}, {name}: {re.findall("^SKIP.*", part, re.M)}', skipped)
        print(f'{series:5} {name:22} {passed:5} passed, {failed} failed, {skipped} skipped ({took} s)')
    print(f'{series:5} in all {seconds:.0f} s')
    if not good:
        print(f'---- {series}: log of the guest ----\n{log[-20000:]}\n---- {series}: end ----')


def main():
    options = argparse.ArgumentParser()
    options.add_argument('--quick', action='store_true')
    options.add_argument('--series', action='append', choices=sorted(SERIES), default=[])
    options.add_argument('--run')
    args = options.parse_args()
    running = []
    score = Score()
    if not shutil.which('qemu-system-x86_64'):
        score.skip('other kernels: there is no qemu-system-x86_64', 20)
        return score.close()
    chosen, lines = args.series or list(SERIES), commands(args.quick, args.run)
    seconds = QUICK_SECONDS if args.quick else WHOLE_SECONDS
    pool = concurrent.futures.ThreadPoolExecutor(len(chosen))
    try:
        guests = {series: pool.submit(run, series, lines, seconds, running) for series in chosen}
        for series, guest in guests.items():
            try:
                result = guest.result()
            except Unavailable as error:
                score.skip(f'kernel {series} cannot be had here: {error}', 10)
                continue
            if args.run:
                print(result[1])
            else:
                judge(series, lines, result, score)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        end_guests(running)
        pool.shutdown()
    return score.close()


if __name__ == '__main__':
    sys.exit(main())
