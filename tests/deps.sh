#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The one list of Debian packages that building, testing and linting need. Installs what is
# missing; quick and silent when nothing is. Root, or sudo, is needed only to install.
set -eu

PACKAGES="
gcc libc6-dev make binutils pkg-config
clang llvm libclang-rt-14-dev clang-format clang-tidy cppcheck
libbpf-dev libelf-dev zlib1g-dev liblz4-dev libyaml-dev libcmocka-dev
re2c bison bpftool
python3 python3-yaml jq perl man-db mandoc shellcheck
podman runc conmon qemu-system-x86
util-linux busybox-static iproute2 procps strace openssh-client tar findutils git
"

# Not in every release; a suite that is compared with it says that it skips the comparison. It is
# the program alone, 10 MB with its libraries, without the kernel module that it can use.
OPTIONAL="sysdig"

absent() {
    for package in "$@"; do
        state=$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null || true)
        [ "$state" = "ii " ] || printf ' %s' "$package"
    done
}
# shellcheck disable=SC2086 # lists of words
missing=$(absent $PACKAGES) optional=$(absent $OPTIONAL)
[ -n "$missing$optional" ] || exit 0

sudo=
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "deps: need root to install:$missing" >&2; exit 2; }
    sudo=sudo
fi
echo "deps: installing$missing$optional"
# No service is started for being installed, unless the machine has its own say in that.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    trap '$sudo rm -f $policy' EXIT
    printf '#!/bin/sh\nexit 101\n' | $sudo tee $policy >/dev/null
    $sudo chmod 755 $policy
fi
install() {
    $sudo env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -q --no-install-recommends "$@" </dev/null
}
# An old package list names versions that are gone: then bring it up to date and try again.
# shellcheck disable=SC2086 # lists of words
if ! install $missing $optional >/dev/null 2>&1; then
    $sudo apt-get update -q
    [ -z "$missing" ] || install $missing
    [ -z "$optional" ] || install $optional || echo "deps: going on without$optional"
fi
