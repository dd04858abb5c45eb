#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a command in namespaces of its own, so that what it does is gone with it.

    own.py [--net ADDRESS [--listen PORT]] [--over DIR]... COMMAND...

--net     a network namespace where ADDRESS is local, and this listens on PORT
--over    a mount namespace where an empty file system hides what DIR has
"""
import argparse
import ctypes
import socket
import subprocess
import sys

CLONE_NEWNET, CLONE_NEWNS = 0x40000000, 0x20000


def unshare(flags):
    """Leaves the namespaces of the caller."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags) != 0:
        sys.exit('own.py: no namespace: errno %d' % ctypes.get_errno())


def network(address, port):
    """A network with this address; the listening socket, or None."""
    unshare(CLONE_NEWNET)
    subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
    subprocess.run(['ip', 'address', 'add', address + '/32', 'dev', 'lo'], check=True)
    return socket.create_server((address, port), backlog=16) if port else None


def main():
    options = argparse.ArgumentParser()
    options.add_argument('--net')
    options.add_argument('--listen', type=int)
    options.add_argument('--over', action='append', default=[])
    options.add_argument('command', nargs=argparse.REMAINDER)
    args = options.parse_args()
    nothing = open('/dev/null', 'rb') # before something hides it
    server = network(args.net, args.listen) if args.net else None
    if args.over:
        unshare(CLONE_NEWNS)
        subprocess.run(['mount', '--make-rprivate', '/'], check=True)
        for folder in args.over:
            subprocess.run(['mount', '-t', 'tmpfs', 'own', folder], check=True)
    subprocess.run(args.command, stdin=nothing, check=False)
    if server:
        server.close()


if __name__ == '__main__':
    main()
