#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# Writes the assembler file that puts the objects named on the command line into `rulec`
# (compiler/probes.h). Usage: embed.sh OBJECT.bpf.o... > probes.S
set -eu
echo '    .section .rodata'
i=0
for object; do
    name=$(basename "$object" .bpf.o)
    printf '    .balign 8\nbytes%d:\n    .incbin "%s"\nend%d:\nname%d:\n    .asciz "%s"\n' \
        "$i" "$object" "$i" "$i" "$name"
    i=$((i + 1))
done
printf '    .balign 8\n    .globl probe_object_count\nprobe_object_count:\n    .quad %d\n' "$i"
# The table holds addresses: relocated once at start, then read-only.
printf '    .section .data.rel.ro, "aw"\n    .balign 8\n    .globl probe_objects\nprobe_objects:\n'
while [ "$i" -gt 0 ]; do
    table="    .quad name$((i - 1)), bytes$((i - 1)), end$((i - 1)) - bytes$((i - 1))
${table:-}"
    i=$((i - 1))
done
printf '%s    .section .note.GNU-stack, "", @progbits\n' "${table:-}"
