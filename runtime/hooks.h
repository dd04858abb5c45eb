/* SPDX-License-Identifier: Apache-2.0 */
/* The probe's hooks: their names, what each supplies, and which of them an event can come from. */
#ifndef RULEC_HOOKS_H
#define RULEC_HOOKS_H

#include <stdbool.h>
#include <stdint.h>

#include "../grammar/catalog.h"
#include "rpk.h"

struct hook_info {
    const char *tracepoint; /* "sched_process_exec" */
    const char *name;       /* "exec" */
    const char *supplies;   /* "starts of programs" */
    bool state;             /* keeps the state of processes: attached before the others */
};
/* `h` is less than HOOK_COUNT. */
const struct hook_info *hook_info(enum hook_id h);
/* Of a program, by its section, "tp_btf/sys_exit"; HOOK_COUNT: none. */
enum hook_id hook_of_section(const char *section);

/*
 * Those that can supply an event (bit per hook_id); of EV_generic the call `sysnr`, -1: any. Calls
 * of exec come from HOOK_SYS_EXIT only if they failed.
 */
uint8_t hooks_of_event(enum event_id event, int32_t sysnr);

/* Hooks whose events another program judges for all of them (bpf/hook_judge.bpf.c). */
#define HOOKS_JUDGED                                                                               \
    (1u << HOOK_EXIT | 1u << HOOK_SYS_ENTER | 1u << HOOK_RING | 1u << HOOK_SIGNAL |                \
     1u << HOOK_SWITCH)

/*
 * Of a set of hooks (bit per hook_id) those that are worth having, given those that are missing:
 * without HOOK_EXEC none that keeps the state of processes.
 */
uint8_t hooks_kept(uint8_t wanted, uint8_t missing);

#endif
