/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The maps and constants that all of the probe shares (probe.h).
 *
 * This object must be the first to be linked of those that use a map: bpf_linker (libbpf 1.1) gives
 * a map that it meets as `extern` first no place in the linked BTF. Name order has it so.
 */
#include "probe.h"

struct scratch_map scratch SEC(".maps");
struct work_map work SEC(".maps");
struct mount_sets_map mount_sets SEC(".maps");
struct procs_map procs SEC(".maps");
#define TEXT_MAP_HERE(class, size, kind) struct kind##class##_map kind##class SEC(".maps");
TEXT_SIZES(TEXT_MAP_HERE, args)
TEXT_SIZES(TEXT_MAP_HERE, envs)
struct tasks_map tasks SEC(".maps");
struct lineages_map lineages SEC(".maps");
struct generation_map generation SEC(".maps");
struct patterns_map patterns SEC(".maps");
struct names_map name_sets SEC(".maps");
struct edges_map class_edges SEC(".maps");
struct class_rows_map class_rows SEC(".maps");
struct class_cands_map class_cands SEC(".maps");
struct class_tests_map class_tests SEC(".maps");
struct judges_map judges SEC(".maps");
struct sketch_map sketch_rows SEC(".maps");
struct events_map events SEC(".maps");
struct stats_map stats SEC(".maps");
struct lanes_map lanes SEC(".maps");
struct reader_map reader SEC(".maps");
struct lore_map lore SEC(".maps");

const volatile struct probe_plan plan SEC(".rodata") = {};
const volatile struct sketch_head sketch_head SEC(".rodata") = {};
const volatile __u64 boot_offset_ns SEC(".rodata") = 0;
const volatile __u64 name_bits[NAME_BITS / 64] SEC(".rodata") = {
    [0 ... NAME_BITS / 64 - 1] = ~0ull, /* until user space has looked */
};
const volatile __u32 task_slots SEC(".rodata") = 1;
const volatile __u32 lore_rows SEC(".rodata") = 1;

char LICENSE[] SEC("license") = "Dual BSD/GPL";
