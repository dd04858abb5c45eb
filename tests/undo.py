# SPDX-License-Identifier: Apache-2.0
"""What a test changed is undone however it ends: it passes, it fails, or a signal ends it.

A signal that asks a program to end unwinds it, as Ctrl-C does: `finally` and `with` have their turn.
"""
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PATIENCE = 20  # seconds that what we started has to end


def ignore(*_):
    """A handler, not SIG_IGN: what is started to undo things must not inherit it."""


def unwind(number, _):
    """The first signal is an exception; a second one does not disturb the undoing."""
    for other in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(other, ignore)
    sys.exit(128 + number)


def unwind_on_signals():
    """From here on. What a parent has us ignore (nohup) stays ignored."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, unwind)


def children():
    """Processes that this one started and that run."""
    found = []
    for name in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open(f'/proc/{name}/stat', encoding='utf-8', errors='replace') as text:
                state, parent = text.read().rsplit(')', 1)[1].split()[:2]
        except OSError:
            continue  # it has ended
        if int(parent) == os.getpid() and state != 'Z':
            found.append(int(name))
    return found


def end_children():
    """Gently, then not."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        end = time.monotonic() + PATIENCE
        for pid in children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        while children() and time.monotonic() < end:
            time.sleep(0.02)


def mounts_below(path):
    """Mount points at a path and below it, the last first."""
    with open('/proc/self/mountinfo', encoding='utf-8', errors='surrogateescape') as lines:
        points = [line.split()[4] for line in lines]
    return [point for point in reversed(points) if point == path or point.startswith(path + '/')]


def remove(path):
    """A folder with all that is mounted in it. Of what stays mounted nothing is removed."""
    for point in mounts_below(path):
        subprocess.run(['umount', '-l', point], check=False)
    left = mounts_below(path)
    if left:
        print(f'{path} stays: {left} is mounted there')
    else:
        shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def scratch(prefix, mode=0o700, parent=None):
    """A new folder, which is gone afterwards. If the test fails its children end first."""
    unwind_on_signals()
    path = os.path.realpath(tempfile.mkdtemp(prefix=prefix, dir=parent))
    try:
        os.chmod(path, mode)
        yield path
    except BaseException:
        end_children()
        raise
    finally:
        remove(path)
