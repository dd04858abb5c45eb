/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fields that the language derives from others, for events that are given as text. Written apart
 * from runtime/record.c on purpose: the differential test holds the two against each other.
 *
 * A fact that is given always wins. What is derived from something unknown is unknown, and from
 * something absent absent, unless the field says otherwise. A derivation asks for other fields by
 * fact_of(); where two fields follow from each other, one of them looks only at what is given.
 *
 * event_derive.c has the table of derivations and the order of asking, event_evt.c, event_fd.c and
 * event_proc.c the derivations by class of field. Nobody else includes this.
 */
#ifndef RULEC_EVENT_DERIVE_H
#define RULEC_EVENT_DERIVE_H

#include <string.h>

#include "event.h"
#include "event_param.h"
#include "intern.h"

#define PLAIN(id) ((struct field_ref){.field = (id), .index = -1})

static inline struct fact fact_of(struct comp *c, const struct event *e, enum field_id field)
{
    return event_fact(c, e, PLAIN(field));
}

static inline struct fact fact_word(struct comp *c, struct field_ref f, const char *s)
{
    return fact_text(c, f, s, strlen(s));
}

/* The same value under another field's name. */
static inline struct fact fact_as(struct fact v, struct field_ref f)
{
    v.field = f;
    return v;
}

static inline bool fact_is(struct comp *c, struct fact v, const char *word)
{
    return v.state == FACT_PRESENT && v.kind == VAL_TEXT && !strcmp(STR(c, v.text), word);
}

/* PRESENT only if both are. Where one is absent, so is what needs both, whatever the other is. */
static inline enum fact_state fact_both(struct fact a, struct fact b)
{
    if (a.state == FACT_ABSENT || b.state == FACT_ABSENT)
        return FACT_ABSENT;
    return a.state == FACT_PRESENT && b.state == FACT_PRESENT ? FACT_PRESENT : FACT_UNKNOWN;
}

static inline uint32_t event_row_flags(const struct event *e)
{
    return catalog_event(e->type)->flags;
}

bool event_opens(enum event_id type); /* open, openat, openat2, open_by_handle_at */
bool fact_given(const struct event *e, enum field_id field, struct fact *out); /* and present */
uint64_t flag_bit(enum flag_table table, const char *name);
/* Text a, `between`, text b. */
struct fact fact_joined(struct comp *c, struct field_ref f, struct fact a, const char *between,
                        struct fact b);

/* What `arg` of some derivations may be. */
#define LEN_IN 1
#define LEN_OUT 2
#define LEN_FILE 4
#define LEN_NET 8
#define CLOCK_DATE 1
#define CLOCK_NS 4
enum open_kind { OPEN_READ, OPEN_WRITE, OPEN_EXEC, OPEN_CREATE };

typedef struct fact derive_fn(struct comp *c, const struct event *e, struct field_ref f, int arg);

/* event_evt.c */
derive_fn derive_const_num, derive_const_dir, derive_const_source, derive_const_human,
    derive_same_as, derive_rawres, derive_res, derive_failed, derive_type_is, derive_has_flag,
    derive_io_dir, derive_syslog, derive_category, derive_count_error, derive_buflen,
    derive_syscall_type, derive_open_is, derive_age, derive_exe_age, derive_rawtime_part,
    derive_clock_text, derive_number_of;
/* event_fd.c */
derive_fn derive_fd_num, derive_fd_type, derive_directory, derive_filename, derive_sockfamily,
    derive_l4proto, derive_port_text, derive_dev_part, derive_in_container, derive_tuple,
    derive_fd_uid, derive_one_side;
/* event_proc.c */
derive_fn derive_cmdline, derive_exeline, derive_nargs, derive_lenargs, derive_args_at,
    derive_leader, derive_is_main, derive_exe_is, derive_all_args, derive_nchilds, derive_of_main,
    derive_nametid, derive_env;
/* Ancestor `f.index` by a field such as proc.aname. False: that is no field of ancestors. */
bool derive_ancestor(struct comp *c, const struct event *e, struct field_ref f, struct fact *out);
/* proc.pname and its like, where only proc.aname[1] or the list of all was given. */
struct fact derive_parent(struct comp *c, const struct event *e, struct field_ref f);

#endif
