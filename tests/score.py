# SPDX-License-Identifier: Apache-2.0
"""Counts tests, for every suite in Python: what failed is printed, and at the end one line that
run.py reads. A signal that ends a suite unwinds it (undo.py)."""
import sys

from undo import unwind_on_signals


class Score:
    """Counts tests and prints those that failed."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        unwind_on_signals()

    def check(self, good, text):
        """One test; its truth."""
        self.passed += bool(good)
        self.failed += not good
        if not good:
            print('FAIL', text[:3000])
        return bool(good)

    def skip(self, text, tests=1):
        """Tests that could not run, and why."""
        self.skipped += tests
        print('SKIP', text)

    def close(self):
        """Prints the closing line; the exit code."""
        print(f'{self.passed} passed, {self.failed} failed, {self.skipped} skipped')
        sys.stdout.flush()
        return 1 if self.failed else 0
