#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a command in a network namespace of its own, where ADDRESS is local and listens on PORT.

    net.py ADDRESS PORT COMMAND...
"""
import ctypes
import socket
import subprocess
import sys

CLONE_NEWNET = 0x40000000


def main():
    address, port, command = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        sys.exit('net.py: no network namespace: errno %d' % ctypes.get_errno())
    subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
    subprocess.run(['ip', 'address', 'add', address + '/32', 'dev', 'lo'], check=True)
    with socket.socket() as server:
        server.bind((address, port))
        server.listen(16)
        subprocess.run(command, stdin=subprocess.DEVNULL, check=False)


if __name__ == '__main__':
    main()
