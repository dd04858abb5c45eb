#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the reference of fields and events, in Markdown, from what the catalog in rulec says.

    reference.py RULEC > reference.md
"""
import subprocess
import sys


def section(rulec, command, title):
    """One catalog, as the program prints it."""
    run = subprocess.run([rulec, command], capture_output=True, text=True, check=True)
    print(f'## {title}\n\n```text\n{run.stdout.rstrip()}\n```\n')


def main():
    rulec = sys.argv[1]
    print('# Reference\n\nMade from the catalog by `make docs`.\n')
    section(rulec, 'fields', 'Fields')
    section(rulec, 'events', 'Events and their parameters')


if __name__ == '__main__':
    main()
