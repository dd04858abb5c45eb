/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The catalog: events, their parameters, system calls, fields, types, operators.
 *
 * Everything here is made from the tables *.def beside it, is `const`, and needs no init call.
 * Id 0 of each kind is "none". Names are looked up by binary search; a test asserts the order.
 * Used by the compiler, the runtime, the documentation and the tests; nothing is listed twice.
 */
#ifndef RULEC_CATALOG_H
#define RULEC_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../bpf/abi.h"
#include "flags.h"

/* types.def: TYPE(ID, base, bits, doc). T_CHARBUF, T_UINT32, ... */
enum type_id {
    T_NONE,
#define TYPE(id, base, bits, doc) T_##id,
#include "types.def"
    T_COUNT
};

/* What a type's values are made of; decides which operators it has and how constants parse. */
enum base_type {
    BASE_NONE, /* no test is possible */
    BASE_TEXT,
    BASE_BYTES,
    BASE_INT, /* signed; width in type_info */
    BASE_UINT,
    BASE_BOOL,
    BASE_PORT,
    BASE_IP,
    BASE_NET,
    BASE_DOUBLE,
};

struct type_info {
    const char *name; /* as in the field tables: "CHARBUF" */
    enum base_type base;
    uint8_t bits; /* width of integers, else 0 */
    const char *doc;
};

/* How a number is printed. */
enum num_format { FMT_NA, FMT_DEC, FMT_HEX, FMT_OCT, FMT_ID, FMT_PADDED_DEC, FMT_DIR };

/* events.def: EVENT(ID, name, category, flags, live). EV_open, EV_execve, ... current exits. */
enum event_id {
    EV_NONE,
#define EVENT(id, name, category, flags, live) EV_##id,
#include "events.def"
    EV_COUNT
};

#define EVF_CREATES_FD 0x01u
#define EVF_USES_FD 0x02u
#define EVF_DESTROYS_FD 0x04u
#define EVF_READS_FD 0x08u
#define EVF_WRITES_FD 0x10u
#define EVF_MODIFIES_STATE 0x20u
#define EVF_WAITS 0x40u

struct event_info {
    const char *name;     /* evt.type */
    const char *category; /* evt.category */
    uint32_t flags;       /* EVF_* */
    bool live;            /* the probe of this version delivers it */
};

/* params.def: PARAM(EVENT, index, name, TYPE, FMT, FLAGTABLE, SLOT). */
struct param_info {
    const char *name;
    enum type_id type;
    enum num_format format;
    enum flag_table flags;
    int16_t slot; /* SLOT_OF_NUM / SLOT_OF_STR, or -1: this version's probe has no such value */
};

/* fields.def: FIELD(ID, name, TYPE, FMT, ARG, FLAGS, CLASS, SOURCE, SLOT, TABLE, doc). */
enum field_id {
    F_NONE,
#define FIELD(id, name, type, fmt, arg, flags, cls, source, slot, table, doc) F_##id,
#include "fields.def"
    F_COUNT
};

enum field_arg {
    ARG_NONE,          /* proc.name */
    ARG_INDEX_OPT,     /* proc.aname, proc.aname[2] */
    ARG_TEXT_OPT,      /* proc.env, proc.env[HOME] */
    ARG_TEXT,          /* container.mount[...]: required */
    ARG_NAME_OR_INDEX, /* evt.arg.flags, evt.arg[1]: required */
    ARG_NAME,          /* evt.rawarg.flags, evt.type.is.open, thread.cgroup.cpu: required */
    ARG_NAME_OPT,      /* evt.abspath.src */
    ARG_INDEX_OR_TEXT, /* proc.aenv[2], proc.aenv[HOME] */
    ARG_NAME_OR_TEXT,  /* container.label.x, container.label[x]: required */
    ARG_TIME,          /* evt.around[...] */
};

#define FF_FILTER_ONLY 0x01u
#define FF_PRINT_ONLY 0x02u
#define FF_NO_TRANSFORMER 0x04u
#define FF_NO_RHS 0x08u
#define FF_DEPRECATED 0x10u
#define FF_LIST 0x20u
#define FF_SUGGESTED 0x40u
#define FF_TABLE_ONLY 0x80u
#define FF_ANCESTOR 0x100u    /* without index: a test of *some* ancestor */
#define FF_FALCO_WARNS 0x400u /* deprecated, and Falco says so */
#define FF_EITHER_SIDE 0x200u /* fd.ip, fd.port, fd.net, fd.proto: own comparison */
#define FF_OURS 0x800u        /* Falco has no such field */

/* Who supplies a field's value. */
enum field_source {
    SRC_SLOT,    /* the kernel: `slot` */
    SRC_PARAM,   /* a parameter of the event: by name or index, see param_info.slot */
    SRC_ANC,     /* ev_head.anc[], or slots PNAME/PEXE/X0..: an ancestor */
    SRC_DERIVED, /* computed from other slots when asked (runtime/record.c) */
    SRC_USER,    /* only user space has it (runtime/enrich.c): unknown to the kernel */
    SRC_CONST,   /* the same for every event (evt.dir, evt.count, ...) */
    SRC_MISSING, /* not supplied by this version: rulec build refuses a rule that needs it */
};

struct field_info {
    const char *name;
    enum type_id type;
    enum num_format format;
    enum field_arg arg;
    uint32_t flags;  /* FF_* */
    const char *cls; /* "process", "fd", ... */
    enum field_source source;
    int16_t slot;          /* SRC_SLOT only, else -1 */
    enum flag_table table; /* SRC_SLOT number that is shown as text by this table, else FT_NONE */
    const char *doc;
};

/* ops.def: OP(ID, spelling, group, doc). OP_EQ, OP_NE, OP_LT, ... */
enum op_id {
    OP_NONE,
#define OP(id, text, group, doc) OP_##id,
#include "ops.def"
    OP_COUNT
};

/* Which right side an operator takes, and in which order the parser tries it. */
enum op_group { OPG_UNARY, OPG_NUMERIC, OPG_STRING, OPG_LIST };

struct op_info {
    const char *text;
    enum op_group group;
    const char *doc;
};

enum op_modifier { MOD_NONE, MOD_ANYOF, MOD_ALLOF, MOD_ONEOF };

const struct type_info *catalog_type(enum type_id id);
const struct event_info *catalog_event(enum event_id id);
const struct field_info *catalog_field(enum field_id id);
/* The slot that has a path parameter as rules see it (ABS0, ABS1); -1: it is none, or has no slot.
 */
int catalog_path_slot(const struct param_info *p);
const struct op_info *catalog_op(enum op_id id);
unsigned catalog_param_count(enum event_id id);
/* Parameter `index` of event `id`; NULL beyond the last. */
const struct param_info *catalog_param(enum event_id id, unsigned index);
/* Index of the parameter called `name` (of length `len`) of event `id`, or -1. */
int catalog_param_index(enum event_id id, const char *name, size_t len);
/* The type that constants of evt.rawarg.NAME have; T_NONE: no event has such a parameter. */
enum type_id catalog_param_type(const char *name, size_t len);
/* True if some event has, or had, a parameter of exactly this name. */
bool catalog_param_known(const char *name, size_t len);

/*
 * Exact look-ups by name; the id, or the NONE id. EV_generic has no name to be found by: its
 * evt.type is the system call's, and "syscall" is an old name.
 */
enum event_id catalog_event_by_name(const char *name, size_t len);
enum op_id catalog_op_by_name(const char *name, size_t len);
/*
 * Longest field whose name begins `name` at a dot border. `*used` is how many bytes the field's
 * own name took: the rest (".flags" of evt.arg.flags) is its argument. F_NONE if there is none.
 */
enum field_id catalog_field_by_name(const char *name, size_t len, size_t *used);
/* True for names that no current event has, but that the language accepts as an evt.type. */
bool catalog_event_old_name(const char *name, size_t len);

/*
 * System calls of x86-64. `event` is EV_generic for those without an event of their own.
 * nr < 0 where the name exists on other machines only.
 */
struct syscall_info {
    const char *name;
    int32_t nr, nr_ia32; /* -1: none */
    enum event_id event;
};
const struct syscall_info *catalog_syscall_by_name(const char *name, size_t len);
const struct syscall_info *catalog_syscall_by_nr(int32_t nr);
/*
 * Adds the event's system calls, a bit per number below 512. EV_generic has all numbers that no
 * other event has, unassigned ones too; a tracepoint has one that no call has.
 */
#define CATALOG_CALLS 512
void catalog_calls(enum event_id id, uint64_t bits[CATALOG_CALLS / 64]);
/*
 * Sets the bits of the numbers by which a 64-bit or a 32-bit program asks for one of `calls`, and
 * no others. An x32 program's have a bit of their own (X32_BIT), and are not among them.
 */
void catalog_numbers(const uint64_t calls[CATALOG_CALLS / 64],
                     uint64_t numbers[CATALOG_CALLS / 64]);
/* Sets the bits of the calls that can be made through an io_uring, and no others. */
void catalog_ring_calls(uint64_t bits[CATALOG_CALLS / 64]);
/* Row `i` in name order; NULL beyond the last. */
const struct syscall_info *catalog_syscall_at(unsigned i);
/* True if the event is a system call's, and not a tracepoint's or one that Falco makes. */
bool catalog_event_is_syscall(enum event_id id);

/* Slots. */
struct slot_info {
    const char *name;
    enum slot_group group;
    uint32_t cap;    /* text: bytes that fit; number: 0 */
    uint32_t offset; /* of num[] or of the text's bytes, in struct ev */
};
const struct slot_info *catalog_slot(unsigned slot);
const char *catalog_group_name(enum slot_group g); /* "path": extract_path */

/* The plugin that supplies events of a source (sources.def); NULL: none that is known. */
const char *catalog_source_plugin(const char *source);

/* The names of one kind nearest to a misspelt one, by edit distance; NULL if none is near. */
enum near_kind { NEAR_FIELD, NEAR_EVENT, NEAR_OP, NEAR_PARAM, NEAR_TRANSFORMER };
const char *catalog_near(enum near_kind kind, const char *name, size_t len);
const char *catalog_near_flag(enum flag_table table, const char *name, size_t len);
/*
 * The distance both use: insertions, deletions, replacements, swaps; at most limit + 1. Names that
 * differ in nothing but the case of letters are 1 apart.
 */
unsigned catalog_distance(const char *a, size_t na, const char *b, size_t nb, unsigned limit);

/* Digest of all tables (FNV-1a, 64 bits): in every bundle and in the daemon, so that they agree. */
uint64_t catalog_digest(void);

#endif
