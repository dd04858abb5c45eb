#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# From rules to alerts in half a minute: compiles our pack, starts rulerun, does four harmless things
# that the rules speak of, and shows what the kernel kept to itself.
#
#   demo.sh          the demonstration; ends by itself
#   demo.sh --stay   no tricks: runs until Ctrl-C
set -u
cd "$(dirname "$0")/.." || exit 2
if [ "$(id -u)" -ne 0 ]; then
    echo "demo: rulerun loads programs into the kernel, which needs root: sudo make demo" >&2
    exit 2
fi

work=$(mktemp -d) || exit 2
daemon=
groups=()

# ---- undo everything, whatever happened ----
clean_up() {
    [ -z "$daemon" ] || kill -TERM "$daemon" 2>/dev/null
    rm -f /etc/rulerun-demo
    for ((i = ${#groups[@]} - 1; i >= 0; i--)); do rmdir "${groups[i]}" 2>/dev/null; done
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' HUP INT TERM

# ---- compile ----
echo "== Compiling stdlib/ and rules/ into one bundle"
build/rulec build -o "$work/ours.rpk" stdlib rules || exit 1
printf '   %s rules, %s bytes\n' "$(build/rulec dump --rules "$work/ours.rpk" | wc -l)" \
    "$(stat -c %s "$work/ours.rpk")"

if [ "${1:-}" = --stay ]; then
    echo "== Watching this machine; Ctrl-C ends it"
    trap '' INT
    build/rulerun "$work/ours.rpk" &
    daemon=$!
    # Ctrl-C reaches this shell and make as well: only the daemon may decide when it is over.
    trap 'kill -TERM $daemon' INT TERM
    while kill -0 $daemon 2>/dev/null; do wait $daemon; status=$?; done
    daemon=
    exit "$status"
fi

# ---- places: the root of every cgroup hierarchy is the host; docker/<64 digits> is a container ----
id=$(od -An -tx1 -N32 /dev/urandom | tr -d ' \n')
mapfile -t hierarchies < <(awk '$0 ~ / - cgroup2? / { print $5 }' /proc/self/mountinfo)
for root in "${hierarchies[@]}"; do
    case "$root" in */cpu | */cpu,cpuacct | */unified | /sys/fs/cgroup)
        for group in "$root/docker" "$root/docker/$id"; do
            mkdir "$group" 2>/dev/null && groups+=("$group")
        done ;;
    esac
done

# Runs a command in a place, in a process of its own.
run_in() {
    local place=$1 root
    shift
    (
        for root in "${hierarchies[@]}"; do
            if [ "$place" = container ] && [ -d "$root/docker/$id" ]; then
                echo "$BASHPID" >"$root/docker/$id/cgroup.procs"
            else
                echo "$BASHPID" >"$root/cgroup.procs"
            fi
        done 2>/dev/null
        exec "$@"
    ) >"$work/quiet" 2>&1 </dev/null
}

# ---- start ----
echo "== Starting rulerun"
: >"$work/alerts"
# Line by line to the terminal as they come, and to a file that tells us when they have come.
build/rulerun "$work/ours.rpk" > >(tee "$work/alerts" | sed -u 's/^/   ALERT  /') 2>"$work/err" &
daemon=$!
for _ in $(seq 200); do
    grep -q armed "$work/err" && break
    kill -0 $daemon 2>/dev/null || break
    sleep 0.05
done
grep armed "$work/err" | sed 's/^/   /' || { cat "$work/err" >&2; exit 2; }

# Does one thing, and waits until its alert is there.
missing=0
scene() {
    local title=$1 want=$2
    shift 2
    printf '== %s\n' "$title"
    "$@"
    for _ in $(seq 60); do
        grep -qF -- "$want" "$work/alerts" && { sleep 0.1; return; }
        sleep 0.05
    done
    echo "   no alert came ($want)"
    missing=$((missing + 1))
}

scene "1. A shell starts in a container (cgroup docker/${id:0:12}...)" \
    "Shell started in a container" run_in container sh -c 'true # demo'
scene "2. A file appears below /etc (and goes again)" \
    "File below /etc opened for writing" run_in host touch /etc/rulerun-demo
rm -f /etc/rulerun-demo
scene "3. Something that has no business with it reads /etc/shadow" \
    "Sensitive file read" run_in host cat /etc/shadow
scene "4. A program runs from memory, with no file on disk" \
    "Program run from memory" run_in host /usr/bin/python3 -c '
import os
f = os.memfd_create("demo")
os.write(f, open("/bin/true", "rb").read())
os.execve(f, ["demo"], {})'

# ---- the counts ----
kill -TERM $daemon
wait $daemon
status=$?
daemon=
sleep 0.2
echo "== What the kernel kept to itself"
sed -n 's/.*seen=\([0-9]*\) filtered=\([0-9]*\) sent=\([0-9]*\) lost=\([0-9]*\).*/\1 \2 \3 \4/p' "$work/err" |
    awk '{ printf "   %d events seen in the kernel, %d dropped there (%.2f%%), %d sent to rulerun, %d lost\n",
           $1, $2, $1 ? 100 * $2 / $1 : 0, $3, $4 }'
if [ "$missing" -gt 0 ] || [ "$status" -ne 0 ]; then
    cat "$work/err" >&2
    exit 1
fi
