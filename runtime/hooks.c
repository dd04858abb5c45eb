/* SPDX-License-Identifier: Apache-2.0 */
#include "hooks.h"

#include <string.h>

static const struct hook_info hooks[HOOK_COUNT] = {
    [HOOK_EXEC] = {"sched_process_exec", "exec", "starts of programs, and all state of processes",
                   true},
    [HOOK_FORK] = {"sched_process_fork", "fork",
                   "what a new process has of its parent until it starts a program", true},
    [HOOK_EXIT] = {"sched_process_exit", "exit",
                   "ends of threads, and that tests of ancestors are made once per process", false},
    [HOOK_SYS_ENTER] = {"sys_enter", "sys_enter", "descriptors that are closed", false},
    [HOOK_SYS_EXIT] = {"sys_exit", "sys_exit", "system calls", false},
    [HOOK_RING] = {"io_uring", "io_uring", "calls that are made through an io_uring", false},
    [HOOK_SIGNAL] = {"signal_deliver", "signal", "signals that are taken", false},
    [HOOK_SWITCH] = {"sched_switch", "switch", "changes of the running thread", false},
};

const struct hook_info *hook_info(enum hook_id h)
{
    return &hooks[h];
}

enum hook_id hook_of_section(const char *section)
{
    const char *slash = strrchr(section, '/');
    unsigned h = 0;

    if (slash && strncmp(slash + 1, "io_uring_", 9) == 0)
        return HOOK_RING;
    while (h < HOOK_COUNT && strcmp(slash ? slash + 1 : section, hooks[h].tracepoint) != 0)
        h++;
    return (enum hook_id)h;
}

/* ---- what they supply ---- */

uint8_t hooks_kept(uint8_t wanted, uint8_t missing)
{
    if (missing >> HOOK_EXEC & 1)
        missing |= 1u << HOOK_FORK;
    return wanted & (uint8_t)~missing;
}

/* Can the event's call be made through an io_uring? */
static bool comes_by_ring(enum event_id event, int32_t sysnr)
{
    uint64_t calls[CATALOG_CALLS / 64] = {0}, ring[CATALOG_CALLS / 64];
    bool found = false;

    catalog_ring_calls(ring);
    if (event == EV_generic && sysnr >= 0 && sysnr < CATALOG_CALLS)
        return ring[sysnr / 64] >> (sysnr % 64) & 1;
    catalog_calls(event, calls);
    for (int i = 0; i < CATALOG_CALLS / 64; i++)
        found |= (calls[i] & ring[i]) != 0;
    return found;
}

uint8_t hooks_of_event(enum event_id event, int32_t sysnr)
{
    uint8_t ring = comes_by_ring(event, sysnr) ? 1u << HOOK_RING : 0;

    switch ((int)event) {
    case EV_execve:
        return 1u << HOOK_EXEC | 1u << HOOK_SYS_EXIT;
    case EV_close:
        return (uint8_t)(1u << HOOK_SYS_ENTER | ring);
    case EV_procexit:
        return 1u << HOOK_EXIT;
    case EV_signaldeliver:
        return 1u << HOOK_SIGNAL;
    case EV_switch:
        return 1u << HOOK_SWITCH;
    default:
        return (uint8_t)(1u << HOOK_SYS_EXIT | ring);
    }
}
