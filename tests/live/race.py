#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Opens a file by a name that another thread keeps writing anew.

    race.py NAME OTHER TAG

Both are of one length or OTHER is the shorter. Ends once the call has opened OTHER while the name
had been NAME before it, or after some seconds, or when OTHER is not there.
"""
import ctypes
import os
import sys
import threading
import time


def main():
    name, other = (os.fsencode(path) for path in sys.argv[1:3])
    libc = ctypes.CDLL(None)
    text = ctypes.create_string_buffer(max(len(name), len(other)) + 1)
    end = time.monotonic() + 5

    def write():
        while time.monotonic() < end:
            text.value = name
            text.value = other

    thread = threading.Thread(target=write)
    thread.start()
    try:
        wanted = os.stat(other).st_ino
    except FileNotFoundError:
        end = time.monotonic() + 0.5
        wanted = None
    while time.monotonic() < end:
        before = text.value
        found = libc.open(text, os.O_RDONLY)
        if found >= 0:
            if before == name and os.fstat(found).st_ino == wanted:
                end = 0
            os.close(found)
    end = 0
    thread.join()


if __name__ == '__main__':
    main()
