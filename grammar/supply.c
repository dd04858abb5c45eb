/* SPDX-License-Identifier: Apache-2.0 */
#include "supply.h"

#include <string.h>

#define BIT(g) SUPPLY_BIT(g)

const struct supply_anc *supply_anc(enum field_id field)
{
    static const struct supply_anc texts[] = {
        {F_proc_aexe, EXTRA_EXE, SLOT_OF_STR(S_EXE), SLOT_OF_STR(S_PEXE)},
        {F_proc_aexepath, EXTRA_EXEPATH, SLOT_OF_STR(S_EXEPATH), SLOT_OF_STR(S_PEXEPATH)},
        {F_proc_acmdline, EXTRA_CMDLINE, SLOT_OF_STR(S_CMDLINE), SLOT_OF_STR(S_PCMDLINE)},
        {F_proc_aargs, EXTRA_ARGS, SLOT_OF_STR(S_ARGS), -1},
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        if (texts[i].field == field)
            return &texts[i];
    return NULL;
}

bool supply_is_open(enum event_id e)
{
    return e == EV_open || e == EV_openat || e == EV_openat2 || e == EV_creat;
}

unsigned supply_readings(enum field_id f, enum event_id e)
{
    bool path = f == F_fd_name || f == F_fd_directory || f == F_fd_filename ||
                f == F_fd_containername || f == F_fd_containerdirectory || f == F_evt_is_syslog;
    if (!path)
        return READ_BIT(READ_KERNEL);
    return READ_BIT(READ_KERNEL) | READ_BIT(READ_STORED) |
           (supply_is_open(e) ? READ_BIT(READ_SPELLED) : 0);
}

static uint64_t slot_group(int slot)
{
    return BIT(catalog_slot((unsigned)slot)->group);
}

uint64_t supply_param(const struct param_info *p)
{
    uint64_t groups = p->slot >= 0 ? slot_group(p->slot) : 0;
    if (p->type == T_FSPATH || p->type == T_FSRELPATH)
        groups |= BIT(G_CWD) | BIT(G_ABSPATH);
    if (p->type == T_SOCKTUPLE || p->type == T_SOCKADDR)
        groups |= BIT(G_FD) | BIT(G_SOCK) | BIT(G_PATH);
    if (p->type == T_FD)
        groups |= BIT(G_FD) | BIT(G_PATH) | BIT(G_SOCK) | BIT(G_OTHER);
    if (p->type == T_UID || p->type == T_GID || p->type == T_PID)
        groups |= BIT(G_PROC);
    return groups;
}

/* Derived fields with needs of their own. */
static const struct {
    enum field_id field;
    uint64_t groups;
} derived[] = {
    {F_fd_containername, BIT(G_PROC) | BIT(G_PATH) | BIT(G_DIR)},
    {F_fd_containerdirectory, BIT(G_PROC) | BIT(G_PATH) | BIT(G_DIR)},
    {F_evt_is_syslog, BIT(G_FD) | BIT(G_PATH) | BIT(G_SOCK)},
    {F_evt_abspath, BIT(G_ARGS) | BIT(G_FD) | BIT(G_PATH) | BIT(G_FSPATH)},
    {F_fs_path_nameraw, BIT(G_ARGS) | BIT(G_FD) | BIT(G_PATH)},
    {F_fs_path_sourceraw, BIT(G_ARGS)},
    {F_fs_path_targetraw, BIT(G_ARGS)},
    {F_fd_types, BIT(G_FDTAB) | BIT(G_STDIO)},
    {F_fd_dev_major, BIT(G_FD)},
    {F_fd_dev_minor, BIT(G_FD)},
    {F_fd_uid, BIT(G_FD)},
    {F_fdlist_nums, BIT(G_POLL)},
    {F_proc_exeline, BIT(G_EXE) | BIT(G_CMD)},
    {F_proc_cmdlenargs, BIT(G_CMD)},
    {F_proc_fdusage, BIT(G_FDTAB) | BIT(G_USE)},
    {F_proc_nchilds, BIT(G_USE)},
    {F_proc_stdin_name, BIT(G_STDIO)},
    {F_proc_stdout_name, BIT(G_STDIO)},
    {F_proc_stderr_name, BIT(G_STDIO)},
    {F_thread_vmsize, BIT(G_USE)},
    {F_thread_vmsize_b, BIT(G_USE)},
    {F_thread_vmrss, BIT(G_USE)},
    {F_thread_vmrss_b, BIT(G_USE)},
};

/* By class, where one row says it for all: derived fields, and those that user space looks up. */
static const struct class_groups {
    const char *cls; /* NULL: any other */
    uint64_t derived, user;
} by_class[] = {
    {"container plugin", BIT(G_PROC), BIT(G_PROC) | BIT(G_CONTAINER)},
    {"evt", 0, 0},
    {"fd", BIT(G_FD) | BIT(G_SOCK), BIT(G_FD) | BIT(G_SOCK)},
    {"group", BIT(G_PROC), BIT(G_CRED) | BIT(G_PROC)},
    {"user", BIT(G_PROC), BIT(G_CRED) | BIT(G_PROC)},
    {NULL, BIT(G_PROC), BIT(G_PROC)},
};

static const struct class_groups *groups_of(const struct field_info *info)
{
    const struct class_groups *row = by_class;
    while (row->cls && strcmp(row->cls, info->cls) != 0)
        row++;
    return row;
}

/* What derived fields are derived from. */
static uint64_t derived_groups(const struct field_info *info, enum field_id f)
{
    for (size_t i = 0; i < sizeof(derived) / sizeof(*derived); i++)
        if (derived[i].field == f)
            return derived[i].groups;
    /* These differ by what kind of descriptor it is. */
    if (f == F_evt_category || !strncmp(info->name, "evt.buflen", 10) ||
        !strncmp(info->name, "evt.count.error.", 16))
        return BIT(G_FD);
    return groups_of(info)->derived;
}

/* Of the process and its parent; what lies beyond is in the extra slots. */
static uint64_t anc_groups(enum field_id f, int32_t index)
{
    const struct supply_anc *a = supply_anc(f);
    if (f == F_proc_aname)
        return index == 0 ? BIT(G_PROC) : BIT(G_ANC);
    if (f == F_proc_apid)
        return slot_group(index == 1 ? SLOT_OF_NUM(N_PPID) : SLOT_OF_NUM(N_PID));
    if (a && index == 0)
        return slot_group(a->own);
    return a && index == 1 && a->parent >= 0 ? slot_group(a->parent) : 0;
}

/* proc.env[NAME]. A number for a name means all of proc.env. */
static bool one_variable(enum field_id f, const char *name)
{
    return f == F_proc_env && name[strspn(name, "0123456789")];
}

uint64_t supply_field(enum field_id f, const char *name, int32_t index, enum event_id e)
{
    const struct field_info *info = catalog_field(f);
    switch (info->source) {
    case SRC_SLOT:
        if (one_variable(f, name))
            return slot_group(SLOT_OF_STR(S_ENV_RAW));
        /* A socket has no path: its name is made of its addresses. */
        return slot_group(info->slot) |
               (f == F_fd_name && !supply_is_open(e) ? BIT(G_FD) | BIT(G_SOCK) : 0);
    case SRC_ANC:
        return anc_groups(f, index);
    case SRC_DERIVED:
        return derived_groups(info, f);
    case SRC_USER:
        /* What user space asks the record for before it looks anything up. */
        return groups_of(info)->user;
    case SRC_PARAM:
    case SRC_CONST:
    case SRC_MISSING:
        break;
    }
    return 0;
}
