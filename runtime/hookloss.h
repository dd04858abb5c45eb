/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is lost where the kernel refuses a hook.
 *
 * Two kinds of harm: a rule loses events that come from that hook alone, or its values of
 * processes, because the hook keeps them. Without HOOK_EXEC nothing is kept at all: what a process
 * has from its parent would be taken for its own. Values are then those of now where the kernel
 * has them, and unknown where it has not (arguments, environments).
 */
#ifndef RULEC_HOOKLOSS_H
#define RULEC_HOOKLOSS_H

#include <stdio.h>

#include "hooks.h"
#include "own.h"
#include "select.h"

/* Can any rule that is on still fire with these hooks (bit per hook_id)? */
bool hooks_suffice(const struct rpk *p, const struct selected *s, uint8_t hooks);

/* A missing hook, and the names of the rules that are on and suffer, each with a NUL. */
struct hook_loss {
    enum hook_id hook;
    const char *reason;   /* the caller's */
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
