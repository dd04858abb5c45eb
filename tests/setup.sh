#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# From a clean clone on a fresh Debian 12 to a make target: installs the packages, `make` among
# them, then builds and runs. Usage: sh tests/setup.sh demo|test|TARGET...
set -eu
cd "$(dirname "$0")/.."
sh tests/deps.sh
exec make -j"$(nproc)" "$@"
