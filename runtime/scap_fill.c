/* SPDX-License-Identifier: Apache-2.0 */
/* Slots of the process and of those above it. */
#include "fmt.h"
#include "scap_record.h"

#include <string.h>

#define CUT_AT (ARGS_CAP - 1) /* bytes of arguments and environment that the file can hold */

static bool is_group(const struct scap_record *r, enum slot_group g)
{
    return r->groups >> g & 1;
}

/* ---- texts ---- */

static void put_known(struct scap_record *r, enum str_slot slot, const struct scap_thread *h,
                      enum scap_txt which)
{
    const struct scap_text *x = h->text[which];

    if (x)
        scap_put_text(r, slot, x->s, strnlen(x->s, x->len));
}

/* Texts with a NUL behind each, joined by blanks; their number. */
static uint32_t join(struct fmt *out, const struct scap_text *x, bool first_blank)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < x->len; n++) {
        size_t len = strnlen(x->s + i, x->len - i);

        if (n || first_blank)
            fmt_char(out, ' ');
        fmt_add(out, x->s + i, len);
        i += (uint32_t)len + 1;
    }
    return n;
}

static bool is_cut(const struct scap_thread *h)
{
    const struct scap_text *exe = h->text[TT_EXE], *args = h->text[TT_ARGS];

    return exe && args && exe->len + 1 + args->len >= CUT_AT;
}

static void put_args(struct scap_record *r, enum str_slot slot, const struct scap_thread *h)
{
    struct fmt out = scap_room(r, ARGS_CAP);
    uint32_t n;

    if (!h->text[TT_ARGS])
        return;
    n = join(&out, h->text[TT_ARGS], false);
    scap_put_made(r, slot, &out);
    if (is_cut(h))
        scap_put_state(r, slot, ST_CUT);
    if (slot == S_ARGS && !is_cut(h))
        scap_put_num(r, N_CMD_NARGS, n);
}

static void put_cmdline(struct scap_record *r, enum str_slot slot, const struct scap_thread *h)
{
    struct fmt out = scap_room(r, catalog_slot(SLOT_OF_STR(S_CMDLINE))->cap);
    const struct scap_text *comm = h->text[TT_COMM];

    if (!comm || !h->text[TT_ARGS])
        return;
    fmt_add(&out, comm->s, strnlen(comm->s, comm->len));
    join(&out, h->text[TT_ARGS], true);
    scap_put_made(r, slot, &out);
    if (is_cut(h))
        scap_put_state(r, slot, ST_CUT);
}

static void put_env(struct scap_record *r, const struct scap_thread *leader)
{
    const struct scap_text *env = leader->text[TT_ENV];
    struct fmt out = scap_room(r, ENV_CAP);

    if (!env)
        return;
    join(&out, env, false);
    scap_put_made(r, S_ENV, &out);
    scap_put_text(r, S_ENV_RAW, env->s,
                  env->len && !env->s[env->len - 1] ? env->len - 1 : env->len);
    if (env->len >= CUT_AT) {
        scap_put_state(r, S_ENV, ST_CUT);
        scap_put_state(r, S_ENV_RAW, ST_CUT);
    }
}

/* ---- numbers ---- */

static bool has(const struct scap_thread *h, enum scap_num n)
{
    return h->has >> n & 1;
}

static void put_numbers(struct scap_record *r, const struct scap_thread *h)
{
    static const struct {
        uint8_t slot, from;
        bool not_zero; /* 0 is none */
    } rows[] = {
        {N_VPID, TN_VPID, false},
        {N_VTID, TN_VTID, false},
        {N_SID, TN_SID, false},
        {N_PGID, TN_PGID, false},
        {N_VPGID, TN_VPGID, false},
        {N_TTY, TN_TTY, false},
        {N_START_TS, TN_START_TS, true},
        {N_PIDNS_TS, TN_PIDNS_TS, true},
        {N_EXE_FLAGS, TN_EXE_FLAGS, false},
        {N_EXE_INO, TN_EXE_INO, true},
        {N_EXE_CTIME, TN_EXE_CTIME, true},
        {N_EXE_MTIME, TN_EXE_MTIME, true},
        {N_VM_SIZE, TN_VM_SIZE, false},
        {N_VM_RSS, TN_VM_RSS, false},
        {N_VM_SWAP, TN_VM_SWAP, false},
        {N_PF_MAJOR, TN_PF_MAJOR, false},
        {N_PF_MINOR, TN_PF_MINOR, false},
        {N_FD_LIMIT, TN_FDLIMIT, false},
        {N_UID, TN_UID, false},
        {N_GID, TN_GID, false},
        {N_CAP_EFFECTIVE, TN_CAP_EFFECTIVE, false},
        {N_CAP_PERMITTED, TN_CAP_PERMITTED, false},
        {N_CAP_INHERITABLE, TN_CAP_INHERITABLE, false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t v = h->num[rows[i].from];

        if (rows[i].not_zero && has(h, (enum scap_num)rows[i].from) && v == 0)
            scap_put_num_state(r, (enum num_slot)rows[i].slot, ST_ABSENT);
        else if (has(h, (enum scap_num)rows[i].from))
            scap_put_num(r, (enum num_slot)rows[i].slot, v);
    }
    if (has(h, TN_LOGINUID))
        scap_put_num(r, N_LOGINUID, (int32_t)h->num[TN_LOGINUID]);
    if (h->known && !has(h, TN_START_TS)) /* listed: Falco does not have it either */
        scap_put_num_state(r, N_START_TS, ST_ABSENT);
}

static void put_exe_flags(struct scap_record *r, const struct scap_thread *h)
{
    static const enum num_slot slots[] = {N_EXE_WRITABLE, N_EXE_UPPER, N_EXE_MEMFD, N_EXE_LOWER};

    for (unsigned i = 0; i < 4 && has(h, TN_EXE_FLAGS); i++)
        scap_put_num(r, slots[i], h->num[TN_EXE_FLAGS] >> i & 1);
}

static void put_container(struct scap_record *r, const struct scap_thread *h)
{
    const struct scap_text *id = h->text[TT_CONTAINER];
    int64_t kind = h->num[TN_CONTAINER];

    if (!id || !has(h, TN_CONTAINER))
        return;
    scap_put_num(r, N_CONTAINER_KIND, kind);
    scap_put_text(r, S_CONTAINER_FULL, id->s, id->len);
    if (kind == CONTAINER_HOST)
        scap_put_text(r, S_CONTAINER_ID, "host", 4);
    else
        scap_put_text(r, S_CONTAINER_ID, id->s,
                      kind != CONTAINER_LXC && id->len > CONTAINER_ID_SHOWN ? CONTAINER_ID_SHOWN
                                                                            : id->len);
}

/* ---- those above ---- */

static void no_parent(struct scap_record *r, enum slot_state st)
{
    static const enum str_slot texts[] = {S_PNAME, S_PEXE, S_PCMDLINE, S_PEXEPATH};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        scap_put_state(r, texts[i], st);
    scap_put_num_state(r, N_PVPID, st);
    scap_put_num_state(r, N_PSTART_TS, st);
}

static void put_parent(struct scap_record *r, const struct scap_thread *h)
{
    const struct scap_thread *p = scap_parent(r->state->procs, h);

    if (h->knows_ppid)
        scap_put_num(r, N_PPID, p ? p->pid : h->ppid);
    if (!p) {
        no_parent(r, h->knows_ppid && h->ppid <= 0 ? ST_ABSENT : ST_UNKNOWN);
        return;
    }
    put_known(r, S_PNAME, p, TT_COMM);
    put_known(r, S_PEXE, p, TT_EXE);
    put_known(r, S_PEXEPATH, p, TT_EXEPATH);
    if (is_group(r, G_PARENT))
        put_cmdline(r, S_PCMDLINE, p);
    if (has(p, TN_VPID))
        scap_put_num(r, N_PVPID, p->num[TN_VPID]);
    if (has(p, TN_START_TS))
        scap_put_num(r, N_PSTART_TS, p->num[TN_START_TS]);
    else if (p->known)
        scap_put_num_state(r, N_PSTART_TS, ST_ABSENT);
}

static void put_extra(struct scap_record *r, const struct scap_thread *h, unsigned index)
{
    for (unsigned i = 0; i < 4; i++) {
        enum str_slot slot = (enum str_slot)(S_X0 + i);

        if (r->extra[i].kind == EXTRA_NONE || r->extra[i].index != index)
            continue;
        if (r->extra[i].kind == EXTRA_EXE)
            put_known(r, slot, h, TT_EXE);
        else if (r->extra[i].kind == EXTRA_EXEPATH)
            put_known(r, slot, h, TT_EXEPATH);
        else if (r->extra[i].kind == EXTRA_CMDLINE)
            put_cmdline(r, slot, h);
        else
            put_args(r, slot, h);
    }
}

/* Names from the parent up, as far as they are known. */
static void put_ancestors(struct scap_record *r, const struct scap_thread *leader)
{
    struct ev_head *out = &r->rec.h;
    const struct scap_thread *a = leader;
    bool top = false;

    for (unsigned i = 0; i < 4; i++)
        scap_put_state(r, (enum str_slot)(S_X0 + i), ST_ABSENT);
    put_extra(r, leader, 0);
    while (out->anc_count < ANC_MAX) {
        const struct scap_text *comm;

        top = a->knows_ppid && a->ppid <= 0;
        a = scap_parent(r->state->procs, a);
        comm = a ? a->text[TT_COMM] : NULL;
        if (!comm)
            break;
        memcpy(out->anc[out->anc_count], comm->s, comm->len < COMM_SIZE ? comm->len : COMM_SIZE);
        put_extra(r, a, ++out->anc_count);
    }
    out->anc_state = top ? ST_PRESENT : out->anc_count == ANC_MAX ? ST_CUT : ST_UNKNOWN;
    for (unsigned i = 0; i < 4 && !top; i++)
        if (r->extra[i].index > out->anc_count)
            scap_put_state(r, (enum str_slot)(S_X0 + i), ST_UNKNOWN);
}

/* ---- leaders ---- */

/* The process of that number, if it is known; else the last in a row above that shares it. */
static const struct scap_thread *leader_of(const struct scap_record *r, const struct scap_thread *h,
                                           enum scap_num by)
{
    const struct scap_thread *l = scap_thread_find(r->state->procs, h->num[by]), *up;
    bool host = !has(h, TN_VTID) || h->num[TN_VTID] == h->tid;
    bool in_row = has(h, TN_VPID) && h->num[TN_VPID] == h->num[by];

    if (host && l && l->pid == l->tid)
        return l;
    for (unsigned i = 0; i < SCAP_DEPTH; i++) {
        up = scap_parent(r->state->procs, h);
        if (!up || !has(up, by) || up->num[by] != h->num[by])
            break;
        h = up;
        in_row = true;
    }
    return in_row ? h : NULL;
}

static void put_leader(struct scap_record *r, const struct scap_thread *h, enum scap_num by)
{
    const struct scap_thread *l = has(h, by) ? leader_of(r, h, by) : NULL;
    bool session = by == TN_SID;
    enum str_slot name = session ? S_SNAME : S_PG_NAME, exe = session ? S_SID_EXE : S_PG_EXE;
    enum str_slot path = session ? S_SID_EXEPATH : S_PG_EXEPATH;

    if (!has(h, by))
        return;
    if (!l) {
        scap_put_text(r, name, "", 0);
        scap_put_text(r, exe, "", 0);
        scap_put_text(r, path, "", 0);
        return;
    }
    put_known(r, name, l, TT_COMM);
    put_known(r, exe, l, TT_EXE);
    put_known(r, path, l, TT_EXEPATH);
}

/* The last from the process up whose name ends in `sh`. */
static void put_shell(struct scap_record *r, const struct scap_thread *h)
{
    const struct scap_thread *shell = NULL, *last = NULL;
    unsigned depth = 0;

    for (; h && depth < SCAP_DEPTH; depth++) {
        const struct scap_text *comm = h->text[TT_COMM];

        if (comm && comm->len >= 2 && memcmp(comm->s + comm->len - 2, "sh", 2) == 0)
            shell = h;
        last = h;
        h = scap_parent(r->state->procs, h);
    }
    if (!last || h || !last->knows_ppid || last->ppid > 0)
        return;
    if (shell)
        scap_put_num(r, N_LOGIN_SHELL, shell->pid);
    else
        scap_put_num_state(r, N_LOGIN_SHELL, ST_ABSENT);
}

/* ---- all ---- */

void scap_fill_process(struct scap_record *r, const struct scap_event *e,
                       const struct scap_thread *h)
{
    const struct scap_thread *leader = scap_leader(r->state->procs, h);

    (void)e;
    if (!leader)
        leader = h;
    put_numbers(r, h);
    put_exe_flags(r, h);
    put_container(r, h);
    put_known(r, S_NAME, h, TT_COMM);
    put_known(r, S_EXE, h, TT_EXE);
    put_known(r, S_EXEPATH, h, TT_EXEPATH);
    put_known(r, S_CWD, leader, TT_CWD);
    if (leader->known)
        scap_put_num(r, N_NTHREADS, leader->nthreads);
    if (is_group(r, G_CMD)) {
        put_args(r, S_ARGS, h);
        put_cmdline(r, S_CMDLINE, h);
    }
    if (is_group(r, G_ENV) || is_group(r, G_ENVRAW))
        put_env(r, leader);
    put_parent(r, leader->knows_ppid ? leader : h);
    if (is_group(r, G_ANC) || is_group(r, G_EXTRA)) {
        put_ancestors(r, leader->knows_ppid ? leader : h);
        put_leader(r, h, TN_SID);
    }
    if (is_group(r, G_LEAD)) {
        put_leader(r, h, TN_SID);
        put_leader(r, h, TN_PGID);
    }
    if (is_group(r, G_SHELL))
        put_shell(r, leader);
}
