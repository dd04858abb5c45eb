/* SPDX-License-Identifier: Apache-2.0 */
/* The catalog's tables, and how they are searched. See catalog.h. */
#include "catalog.h"

#include <string.h>

#define LEN(a) (sizeof(a) / sizeof(*(a)))

static const struct type_info types[T_COUNT] = {
    [T_NONE] = {"", BASE_NONE, 0, ""},
#define TYPE(id, base, bits, doc) [T_##id] = {#id, BASE_##base, bits, doc},
#include "types.def"
};

static const struct op_info ops[OP_COUNT] = {
    [OP_NONE] = {"", OPG_UNARY, ""},
#define OP(id, text, group, doc) [OP_##id] = {text, OPG_##group, doc},
#include "ops.def"
};

#define NUM(slot) SLOT_OF_NUM(N_##slot)
#define STR(slot) SLOT_OF_STR(S_##slot)
#define NOSLOT (-1)

static const struct field_info fields[F_COUNT] = {
    [F_NONE] = {"", T_NONE, FMT_NA, ARG_NONE, 0, "", SRC_MISSING, -1, FT_NONE, ""},
#define FIELD(id, name, type, fmt, arg, flags, cls, source, slot, table, doc)                      \
    [F_##id] = {name, T_##type,     FMT_##fmt, ARG_##arg,  flags,                                  \
                cls,  SRC_##source, slot,      FT_##table, doc},
#include "fields.def"
};

/* One row per parameter; `event` tells whose, and rows of one event stand together. */
struct param_row {
    enum event_id event;
    struct param_info info;
};

static const struct param_row params[] = {
#define PARAM(event, index, name, type, format, table, slot)                                       \
    {EV_##event, {name, T_##type, FMT_##format, FT_##table, slot}},
#include "params.def"
};

static const struct {
    const char *name;
    enum type_id type;
} raw_types[] = {
#define RAW_TYPE(name, type) {name, T_##type},
#include "params.def"
};

static const struct event_info events[EV_COUNT] = {
    [EV_NONE] = {"", "", 0, false},
#define EVENT(id, name, category, flags, live) [EV_##id] = {name, category, flags, live},
#include "events.def"
};

static const char *const old_names[] = {
#define EVENT_OLD_NAME(name) name,
#include "events.def"
};

static const struct syscall_info syscalls[] = {
#define SYSCALL(name, nr, nr_ia32, event) {name, nr, nr_ia32, EV_##event},
#include "syscalls.def"
};

/* Rows of it by number, from 1 on; those of calls without a number come behind. */
#define ROW_OF_LINE(line) ROW_##line
#define ROW(line) ROW_OF_LINE(line)
enum {
#define SYSCALL(name, nr, nr_ia32, event) ROW(__LINE__),
#include "syscalls.def"
};
static const uint16_t by_nr[] = {
#define SYSCALL(name, nr, nr_ia32, event)                                                          \
    [(nr) < 0 ? CATALOG_CALLS + ROW(__LINE__) : (nr)] = 1 + ROW(__LINE__),
#include "syscalls.def"
};

/* In order of the source's name. */
static const struct source_row {
    const char *source, *plugin;
} source_rows[] = {
#define SOURCE(source, plugin) {source, plugin},
#include "sources.def"
};

static const struct slot_info slots[SLOT_COUNT] = {
#define SLOT_NUM(id, group, doc)                                                                   \
    [SLOT_OF_NUM(N_##id)] = {#id, G_##group, 0, offsetof(struct ev, h.num) + 8 * N_##id},
#define SLOT_STR(id, group, cap, doc)                                                              \
    [SLOT_OF_STR(S_##id)] = {#id, G_##group, cap, offsetof(struct ev, s_##id)},
#include "slots.def"
};

/* In lower case, which the preprocessor cannot make: a test holds them against the ids. */
static const char *const groups[G_COUNT] = {
    [G_EVENT] = "event",     [G_ARGS] = "args",       [G_DATA] = "data",
    [G_FD] = "fd",           [G_SOCK] = "sock",       [G_PATH] = "path",
    [G_DIR] = "dir",         [G_RAW] = "raw",         [G_FSPATH] = "fspath",
    [G_ABSPATH] = "abspath", [G_FDTAB] = "fdtab",     [G_STDIO] = "stdio",
    [G_OTHER] = "other",     [G_POLL] = "poll",       [G_PROC] = "proc",
    [G_USE] = "use",         [G_CRED] = "cred",       [G_EXE] = "exe",
    [G_CMD] = "cmd",         [G_EXEPATH] = "exepath", [G_CWD] = "cwd",
    [G_PARENT] = "parent",   [G_ANC] = "anc",         [G_PEXEPATH] = "pexepath",
    [G_LEAD] = "lead",       [G_SHELL] = "shell",     [G_EXTRA] = "extra",
    [G_ENV] = "env",         [G_ENVRAW] = "envraw",   [G_CONTAINER] = "container",
};

const struct type_info *catalog_type(enum type_id id)
{
    return &types[id < T_COUNT ? id : T_NONE];
}

const struct event_info *catalog_event(enum event_id id)
{
    return &events[id < EV_COUNT ? id : EV_NONE];
}

const struct field_info *catalog_field(enum field_id id)
{
    return &fields[id < F_COUNT ? id : F_NONE];
}

int catalog_path_slot(const struct param_info *p)
{
    if (p->type != T_FSPATH && p->type != T_FSRELPATH)
        return -1;
    return p->slot == SLOT_OF_STR(S_A0)   ? SLOT_OF_STR(S_ABS0)
           : p->slot == SLOT_OF_STR(S_A1) ? SLOT_OF_STR(S_ABS1)
                                          : -1;
}

const struct op_info *catalog_op(enum op_id id)
{
    return &ops[id < OP_COUNT ? id : OP_NONE];
}

const char *catalog_source_plugin(const char *source)
{
    size_t lo = 0, hi = LEN(source_rows);
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int d = strcmp(source, source_rows[mid].source);
        if (!d)
            return source_rows[mid].plugin;
        *(d < 0 ? &hi : &lo) = d < 0 ? mid : mid + 1;
    }
    return NULL;
}

const struct slot_info *catalog_slot(unsigned slot)
{
    return slot < SLOT_COUNT ? &slots[slot] : NULL;
}

const char *catalog_group_name(enum slot_group g)
{
    return groups[g];
}

/* First row of the event's parameters: rows are in the order of the events. */
static unsigned param_first(enum event_id id)
{
    unsigned lo = 0, hi = LEN(params);

    while (lo < hi) {
        unsigned mid = lo + (hi - lo) / 2;

        if (params[mid].event < id)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

unsigned catalog_param_count(enum event_id id)
{
    return param_first((enum event_id)(id + 1)) - param_first(id);
}

const struct param_info *catalog_param(enum event_id id, unsigned index)
{
    return index < catalog_param_count(id) ? &params[param_first(id) + index].info : NULL;
}

static bool same(const char *name, const char *text, size_t len)
{
    return strlen(name) == len && memcmp(name, text, len) == 0;
}

int catalog_param_index(enum event_id id, const char *name, size_t len)
{
    unsigned n = catalog_param_count(id), first = param_first(id);

    for (unsigned i = 0; i < n; i++)
        if (same(params[first + i].info.name, name, len))
            return (int)i;
    return -1;
}

enum type_id catalog_param_type(const char *name, size_t len)
{
    for (size_t i = 0; i < LEN(raw_types); i++)
        if (same(raw_types[i].name, name, len))
            return raw_types[i].type;
    for (size_t i = 0; i < LEN(params); i++)
        if (same(params[i].info.name, name, len))
            return params[i].info.type;
    return T_NONE;
}

bool catalog_param_known(const char *name, size_t len)
{
    return catalog_param_type(name, len) != T_NONE;
}

/* Order of a NUL-terminated name against bytes. */
static int order(const char *name, const char *text, size_t len)
{
    size_t n = strlen(name);
    int d = memcmp(name, text, n < len ? n : len);

    return d != 0 ? d : (n > len) - (n < len);
}

/* Row of `text` among `n` rows of `size` bytes that begin with their sorted name; -1: none. */
static int search(const void *rows, size_t first, size_t n, size_t size, const char *text,
                  size_t len)
{
    size_t lo = first, hi = n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        /* The analyzer loses sight of rows of another type than their first member. */
        // NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign)
        const char *name = *(const char *const *)((const char *)rows + mid * size);
        int d = order(name, text, len);

        if (d == 0)
            return (int)mid;
        if (d < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return -1;
}

enum event_id catalog_event_by_name(const char *name, size_t len)
{
    int row = search(events, 1, EV_COUNT, sizeof(*events), name, len);

    return row < 0 || row == EV_generic ? EV_NONE : (enum event_id)row;
}

enum op_id catalog_op_by_name(const char *name, size_t len)
{
    int row;

    if (same("==", name, len))
        return OP_EQ;
    row = search(ops, 1, OP_COUNT, sizeof(*ops), name, len);
    return row < 0 ? OP_NONE : (enum op_id)row;
}

enum field_id catalog_field_by_name(const char *name, size_t len, size_t *used)
{
    while (len > 0) {
        int row = search(fields, 1, F_COUNT, sizeof(*fields), name, len);

        if (row >= 0) {
            *used = len;
            return (enum field_id)row;
        }
        do
            len--;
        while (len > 0 && name[len] != '.');
    }
    *used = 0;
    return F_NONE;
}

bool catalog_event_old_name(const char *name, size_t len)
{
    return search(old_names, 0, LEN(old_names), sizeof(*old_names), name, len) >= 0;
}

const struct syscall_info *catalog_syscall_by_name(const char *name, size_t len)
{
    int row = search(syscalls, 0, LEN(syscalls), sizeof(*syscalls), name, len);

    return row < 0 ? NULL : &syscalls[row];
}

const struct syscall_info *catalog_syscall_by_nr(int32_t nr)
{
    return nr < 0 || nr >= CATALOG_CALLS || !by_nr[nr] ? NULL : &syscalls[by_nr[nr] - 1];
}

/* Each number is one event's: the first one that names it. */
static void name_call(int32_t nr, bool its, uint64_t *named, uint64_t *bits)
{
    uint64_t bit = nr >= 0 && nr < CATALOG_CALLS ? 1ull << (nr % 64) : 0;

    if (!bit || named[nr / 64] & bit)
        return;
    named[nr / 64] |= bit;
    bits[nr / 64] |= its ? bit : 0;
}

void catalog_calls(enum event_id id, uint64_t bits[CATALOG_CALLS / 64])
{
    uint64_t named[CATALOG_CALLS / 64] = {0};

#define EVENT_TRACE(event, number) name_call(number, id == EV_##event, named, bits);
#include "events.def"
    for (size_t i = 0; i < LEN(syscalls); i++)
        name_call(syscalls[i].nr, id == syscalls[i].event, named, bits);
    for (int i = 0; i < CATALOG_CALLS / 64 && id == EV_generic; i++)
        bits[i] |= ~named[i];
}

/* Of 32-bit programs: calls that stand for several, by an argument. */
#define NR_SOCKETCALL 102
#define NR_IPC 117

/* Number of a 32-bit program, and of the call that it means. */
static const struct number_row {
    int16_t number; /* -1: none */
    int16_t nr;     /* -1: none */
} numbers_ia32[] = {
#define SYSCALL(name, nr, nr_ia32, event) {nr_ia32, nr},
#define SYSCALL_IA32(nr_ia32, nr) {nr_ia32, nr},
#define SOCKETCALL(number, nr) {NR_SOCKETCALL, nr},
#define IPCCALL(number, nr) {NR_IPC, nr},
#include "syscalls.def"
};

void catalog_numbers(const uint64_t calls[CATALOG_CALLS / 64], uint64_t numbers[CATALOG_CALLS / 64])
{
    memcpy(numbers, calls, CATALOG_CALLS / 8);
    for (size_t i = 0; i < LEN(numbers_ia32); i++) {
        const struct number_row *row = &numbers_ia32[i];

        if (row->number >= 0 && row->nr >= 0 && calls[row->nr / 64] >> (row->nr % 64) & 1)
            numbers[row->number / 64] |= 1ull << (row->number % 64);
    }
}

void catalog_ring_calls(uint64_t bits[CATALOG_CALLS / 64])
{
    static const uint16_t calls[] = {
#define RING_OP(name, op, nr) nr,
#include "rings.def"
    };

    memset(bits, 0, CATALOG_CALLS / 8);
    for (size_t i = 0; i < LEN(calls); i++)
        bits[calls[i] / 64] |= 1ull << (calls[i] % 64);
}

const struct syscall_info *catalog_syscall_at(unsigned i)
{
    return i < LEN(syscalls) ? &syscalls[i] : NULL;
}

/* Tracepoints are rows of the system calls too: without a number, and called otherwise. */
bool catalog_event_is_syscall(enum event_id id)
{
    const struct syscall_info *s;
    const char *name = catalog_event(id)->name;

    for (unsigned i = 0; (s = catalog_syscall_at(i)); i++)
        if (s->event == id && (s->nr >= 0 || !strcmp(s->name, name)))
            return true;
    return false;
}
