# SPDX-License-Identifier: Apache-2.0
"""The probe's objects, as `make` leaves them: those that there is a source for, not what an earlier
state of the sources left beside them."""
import glob
import os

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def bpf_objects():
    """Their paths, sorted."""
    sources = glob.glob(os.path.join(ROOT, 'bpf/*.bpf.c'))
    return sorted(os.path.join(ROOT, 'build/bpf', os.path.basename(path)[:-1] + 'o')
                  for path in sources)
