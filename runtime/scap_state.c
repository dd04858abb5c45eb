/* SPDX-License-Identifier: Apache-2.0 */
#include "scap_state.h"

#include <string.h>

#include "../bpf/abi.h"
#include "container.h"
#include "fmt.h"

#define CWD_FD (-100)

bool scap_succeeded(const struct scap_event *e)
{
    int64_t res = -1;

    return scap_param_num(e, 0, &res) && res >= 0;
}

bool scap_event_fd(const struct scap_event *e, int64_t *num)
{
    const struct event_info *info = catalog_event(e->event);
    const struct param_info *p;

    if (e->event == EV_pipe || e->event == EV_pipe2 || e->event == EV_socketpair)
        return false;
    if (info->flags & EVF_CREATES_FD) {
        if (!scap_param_num(e, 0, num))
            return false;
        *num = *num < 0 ? -1 : *num;
        return true;
    }
    if (!(info->flags & (EVF_USES_FD | EVF_DESTROYS_FD)))
        return false;
    for (unsigned i = e->event == EV_splice ? 2 : 1; (p = catalog_param(e->event, i)); i++)
        if (p->type == T_FD)
            return scap_param_num(e, i, num);
    return false;
}

/* ---- directories ---- */

void scap_state_cwd(struct scap_procs *t, struct scap_thread *h, const char *s, size_t n)
{
    char buf[PATH_CAP];

    n = strnlen(s, n < PATH_CAP - 1 ? n : PATH_CAP - 1);
    if (n)
        memcpy(buf, s, n);
    if (n && buf[n - 1] != '/')
        buf[n++] = '/';
    if (n)
        scap_thread_text(t, h, TT_CWD, buf, n);
    else
        scap_thread_unknown(t, h, TT_CWD);
}

const struct scap_text *scap_base(const struct scap_procs *t, const struct scap_thread *h,
                                  const struct scap_event *e, unsigned param)
{
    const struct scap_thread *leader = scap_leader(t, h);
    const struct param_info *info = catalog_param(e->event, param);
    const struct scap_fd *f;
    int64_t dir = CWD_FD;

    if (!leader || !info)
        return NULL;
    if (info->type == T_FSRELPATH && param && !scap_param_num(e, param - 1, &dir))
        return NULL;
    if (dir == CWD_FD)
        return leader->text[TT_CWD];
    f = scap_fd_find(leader, dir);
    return f && (f->type == SCAP_FD_DIRECTORY || f->type == SCAP_FD_FILE) ? f->name : NULL;
}

bool scap_path_of(const struct scap_state *s, const struct scap_thread *h,
                  const struct scap_event *e, const char *name, struct fmt *out)
{
    int i = catalog_param_index(e->event, name, strlen(name));
    const struct scap_text *base;
    const char *text;
    uint32_t n;

    if (i < 0 || !scap_param_text(e, name, &text, &n))
        return false;
    base = scap_base(s->procs, h, e, (unsigned)i);
    if (!base && (n == 0 || text[0] != '/'))
        return false;
    fmt_path(out, base ? base->s : "", base ? base->len : 0, text, n);
    return !out->full;
}

/* ---- containers ---- */

void scap_state_cgroups(struct scap_procs *t, struct scap_thread *h, const char *s, size_t n)
{
    char path[PATH_CAP], id[CONTAINER_ID_MAX];
    size_t len = 0;

    if (n == 0)
        return;
    scap_thread_set(h, TN_CONTAINER, CONTAINER_HOST);
    scap_thread_text(t, h, TT_CONTAINER, "", 0);
    for (const char *end = s + n; s < end; s += len + 1) {
        const char *at = memchr(s, '=', (size_t)(end - s));
        enum container_kind kind;
        size_t got = 0;

        len = strnlen(s, (size_t)(end - s));
        at = at && at < s + len ? at + 1 : s;
        if ((size_t)(s + len - at) >= sizeof(path))
            continue;
        memcpy(path, at, (size_t)(s + len - at));
        path[s + len - at] = '\0';
        kind = container_scan(path, id, &got);
        if (kind == CONTAINER_HOST)
            continue;
        scap_thread_set(h, TN_CONTAINER, kind);
        scap_thread_text(t, h, TT_CONTAINER, id, got);
        return;
    }
}
