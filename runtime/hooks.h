/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The probe's hooks: their names, what each supplies, and what is lost where one cannot be had.
 *
 * Two kinds of harm: a rule loses events that come from that hook alone, or its values of
 * processes, because the hook keeps them. Without HOOK_EXEC nothing is kept at all: what a process
 * has from its parent would be taken for its own. Values are then those of now where the kernel
 * has them, and unknown where it has not (arguments, environments).
 */
#ifndef RULEC_HOOKS_H
#define RULEC_HOOKS_H

#include <stdio.h>

#include "own.h"
#include "select.h"

struct hook_info {
    const char *tracepoint; /* "sched_process_exec" */
    const char *name;       /* "exec" */
    const char *supplies;   /* "starts of programs" */
    bool state;             /* keeps the state of processes: attached before the others */
};
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

/* Of a set of hooks (bit per hook_id) those that are worth having, given those that are missing. */
uint8_t hooks_kept(uint8_t wanted, uint8_t missing);
/* Can any rule that is on still fire with these hooks? */
bool hooks_suffice(const struct rpk *p, const struct selected *s, uint8_t hooks);

/* A missing hook, and the names of the rules that suffer, one behind the other, each with a NUL. */
struct hook_loss {
    const struct hook_info *hook;
    const char *reason;
    char *blind, *unsure; /* lose events; only know less of processes */
    uint64_t nblind, nunsure;
};

/* 0, or -ENOMEM; to be closed in either case. `reason` must outlive it. */
int hook_loss_open(struct hook_loss *l, const struct rpk *p, const struct selected *s,
                   enum hook_id missing, const char *reason);
void hook_loss_close(struct hook_loss *l);
/* For people, all rules by name. */
void hook_loss_say(const struct hook_loss *l, FILE *out);
/* The alert "rulerun: hook missing"; length, or 0 if `cap` is too small. */
size_t hook_loss_alert(const struct hook_loss *l, const struct alert_style *style, uint64_t ts,
                       int32_t utc_offset, char *buf, size_t cap);

#endif
