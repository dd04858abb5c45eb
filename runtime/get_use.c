/* SPDX-License-Identifier: Apache-2.0 */
/* What a process uses, where that is more than a slot. */
#include "get.h"

struct val get_proc_nchilds(struct record *r, const struct want *w)
{
    struct val n = get_field(r, F_proc_nthreads);

    (void)w;
    return n.state == ST_PRESENT ? val_num(BASE_UINT, n.num > 0 ? n.num - 1 : 0) : n;
}

/* Of the process in its main thread, and 0 in the others. */
static struct val of_main(struct record *r, enum field_id field, int64_t scale)
{
    struct val n = get_field(r, field), main_thread = get_field(r, F_thread_ismain);

    if (n.state != ST_PRESENT)
        return n;
    if (main_thread.state != ST_PRESENT)
        return main_thread;
    return val_num(BASE_UINT, main_thread.num ? (int64_t)((uint64_t)n.num * (uint64_t)scale) : 0);
}

struct val get_thread_vmsize(struct record *r, const struct want *w)
{
    (void)w;
    return of_main(r, F_proc_vmsize, 1);
}

struct val get_thread_vmsize_b(struct record *r, const struct want *w)
{
    (void)w;
    return of_main(r, F_proc_vmsize, 1024);
}

struct val get_thread_vmrss(struct record *r, const struct want *w)
{
    (void)w;
    return of_main(r, F_proc_vmrss, 1);
}

struct val get_thread_vmrss_b(struct record *r, const struct want *w)
{
    (void)w;
    return of_main(r, F_proc_vmrss, 1024);
}

struct val get_thread_nametid(struct record *r, const struct want *w)
{
    struct val name = get_field(r, F_proc_name), tid = get_field(r, F_thread_tid);
    struct fmt t;

    (void)w;
    if (name.state == ST_ABSENT || tid.state == ST_ABSENT)
        return val_absent();
    if (name.state != ST_PRESENT || tid.state != ST_PRESENT)
        return val_unknown();
    t = scratch_begin(r);
    fmt_add(&t, name.text, name.len);
    fmt_signed(&t, tid.num);
    return scratch_end(r, &t);
}

/* In percent; the bits of a double. */
struct val get_proc_fdusage(struct record *r, const struct want *w)
{
    struct val open = get_field(r, F_proc_fdopencount), limit = get_field(r, F_proc_fdlimit);
    double percent;
    struct val v;

    (void)w;
    if (open.state != ST_PRESENT || limit.state != ST_PRESENT)
        return open.state != ST_PRESENT ? open : limit;
    percent = limit.num > 0 ? 100.0 * (double)open.num / (double)limit.num : 0;
    v = val_num(BASE_DOUBLE, 0);
    memcpy(&v.num, &percent, sizeof(v.num));
    return v;
}
