/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "get.h"

static void add_local(struct enrich *e, const struct sockaddr *sa)
{
    if (e->nlocal == ENRICH_ADDRS)
        return;
    if (sa->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)sa;

        e->local[e->nlocal].len = 4;
        memcpy(e->local[e->nlocal++].addr, &in->sin_addr, 4);
    } else if (sa->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const void *)sa;

        e->local[e->nlocal].len = 16;
        memcpy(e->local[e->nlocal++].addr, &in6->sin6_addr, 16);
    }
}

/* The loopback is not among them, as in Falco: of a connection to oneself the server is local. */
static void read_addresses(struct enrich *e)
{
    struct ifaddrs *all = NULL;

    if (getifaddrs(&all) != 0)
        return;
    for (struct ifaddrs *i = all; i; i = i->ifa_next)
        if (i->ifa_addr && !(i->ifa_flags & IFF_LOOPBACK))
            add_local(e, i->ifa_addr);
    freeifaddrs(all);
}

int enrich_open(struct enrich *e, const char *etc, const struct metacache_options *o)
{
    const char *given = getenv("FALCO_HOSTNAME");

    memset(e, 0, sizeof(*e));
    e->names = names_new(etc);
    e->hosts = hosts_new(etc);
    e->containers = metacache_new(o);
    if (!e->names || !e->hosts || !e->containers)
        return -ENOMEM;
    if (given && *given)
        snprintf(e->hostname, sizeof(e->hostname), "%s", given);
    else if (gethostname(e->hostname, sizeof(e->hostname) - 1) != 0)
        snprintf(e->hostname, sizeof(e->hostname), "localhost");
    read_addresses(e);
    return 0;
}

void enrich_recorded(struct enrich *e, const char *hostname)
{
    memset(e, 0, sizeof(*e));
    snprintf(e->hostname, sizeof(e->hostname), "%s", hostname);
}

void enrich_close(struct enrich *e)
{
    names_free(e->names);
    hosts_free(e->hosts);
    metacache_free(e->containers);
    e->names = NULL;
    e->hosts = NULL;
    e->containers = NULL;
}

static struct val keep(struct enrich *e, const char *s, size_t n)
{
    char *to = e->text[e->next++ % ENRICH_TEXTS];

    if (n > ENRICH_TEXT)
        n = ENRICH_TEXT;
    memcpy(to, s, n);
    return val_text(to, n);
}

/* ---- users and groups ---- */

/* "" on the host, else the container's id; false if that is not known. */
#define CONTAINER_ID_SIZE 65

static bool container_of(const struct record *r, char *id, size_t cap)
{
    struct val v = slot_text(r, S_CONTAINER_ID);
    size_t n = v.len < cap ? v.len : cap - 1;

    id[0] = '\0';
    if (!val_here(v))
        return v.state == ST_ABSENT;
    if (v.len != 4 || memcmp(v.text, "host", 4) != 0) {
        memcpy(id, v.text, n);
        id[n] = '\0';
    }
    return true;
}

struct id_field {
    enum field_id field;
    enum num_slot slot;
    enum names_kind kind;
    unsigned column;
    const char *of_root; /* what id 0 is called where no file says it */
};

static const struct id_field id_fields[] = {
    {F_user_name, N_UID, NAMES_PASSWD, 0, "root"},
    {F_user_loginname, N_LOGINUID, NAMES_PASSWD, 0, "root"},
    {F_user_homedir, N_UID, NAMES_PASSWD, 5, "/root"},
    {F_user_shell, N_UID, NAMES_PASSWD, 6, "<NA>"},
    {F_group_name, N_GID, NAMES_GROUP, 0, "root"},
};

static struct val id_name(struct enrich *e, const struct record *r, const struct id_field *f,
                          int32_t index)
{
    struct val id = index >= 0 ? val_num(BASE_UINT, index) : slot_num(r, f->slot);
    struct val pid = slot_num(r, N_PID);
    const char *name = NULL, *none;
    char container[64];
    size_t n;

    if (id.state != ST_PRESENT)
        return id;
    if (!container_of(r, container, sizeof(container)))
        return val_unknown();
    n = names_find(e->names, f->kind, container, (int32_t)pid.num, (uint32_t)id.num, f->column,
                   r->h->ts, &name);
    e->holds = names_until(e->names);
    if (n)
        return keep(e, name, n);
    none = (uint32_t)id.num == 0 ? f->of_root : "<NA>";
    return val_text(none, strlen(none));
}

/* The name that a process has now; only for ids in parameters, which carry no state. */
static bool process_name(struct enrich *e, int32_t pid, struct val *out)
{
    char path[64], buf[64];
    ssize_t n;
    int fd;

    snprintf(path, sizeof(path), "/proc/%d/comm", pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    n = read(fd, buf, sizeof(buf));
    close(fd);
    if (n < 1)
        return false;
    *out = keep(e, buf, (size_t)n - (buf[n - 1] == '\n'));
    return true;
}

/* ---- ends of a connection ---- */

static bool is_local(const struct enrich *e, struct val addr)
{
    for (unsigned i = 0; i < e->nlocal; i++)
        if (e->local[i].len == addr.len && memcmp(e->local[i].addr, addr.text, addr.len) == 0)
            return true;
    return false;
}

static struct val raw_addr(const struct record *r, enum str_slot slot, enum base_type base)
{
    uint8_t st = r->h->st[SLOT_OF_STR(slot)];
    struct val v = val_state(st == ST_ABSENT ? ST_ABSENT : ST_UNKNOWN);

    if (st == ST_PRESENT && r->text[slot] && (r->h->len[slot] == 4 || r->h->len[slot] == 16)) {
        v = val_text(r->text[slot], r->h->len[slot]);
        v.base = (uint8_t)base;
        v.family = v.len == 4 ? 4 : 6;
    }
    return v;
}

/* The client's end is local if its address is this machine's; else the server's end is. */
static struct val end_of(const struct enrich *e, const struct record *r, bool local, bool port,
                         enum base_type base)
{
    struct val client = raw_addr(r, S_CIP, base), server = raw_addr(r, S_SIP, base);
    bool is_client;

    if (client.state == ST_UNKNOWN || server.state == ST_UNKNOWN)
        return val_unknown();
    is_client = client.state == ST_PRESENT && is_local(e, client);
    if (!local)
        is_client = !is_client;
    if (port) {
        client = slot_num(r, is_client ? N_CPORT : N_SPORT);
        client.base = BASE_PORT;
        return client;
    }
    return is_client ? client : server;
}

static struct val port_text(struct enrich *e, struct val port)
{
    char buf[8];

    if (port.state != ST_PRESENT)
        return port;
    return keep(e, buf, (size_t)snprintf(buf, sizeof(buf), "%u", (unsigned)(uint16_t)port.num));
}

static struct val is_server(const struct enrich *e, const struct record *r)
{
    struct val type = slot_num(r, N_FD_TYPE), server = raw_addr(r, S_SIP, BASE_IP);

    if (type.state != ST_PRESENT || (type.num >= 5 && type.num <= 6))
        return type.state == ST_PRESENT ? val_num(BASE_BOOL, 1) : type;
    if (type.num < 3 || type.num > 6)
        return val_absent();
    return server.state == ST_PRESENT ? val_num(BASE_BOOL, is_local(e, server)) : server;
}

/* Name number `index` of an address; below 0: the first. */
static struct val addr_name(struct enrich *e, const struct record *r, struct val addr,
                            int32_t index)
{
    struct hosts_want want = {addr.text, addr.len, index > 0 ? (unsigned)index : 0};
    const char *name = NULL;
    size_t n;

    if (addr.state != ST_PRESENT)
        return addr;
    n = hosts_find(e->hosts, want, r->h->ts, &name);
    e->holds = hosts_until(e->hosts);
    return n ? keep(e, name, n) : val_absent();
}

static bool named(struct enrich *e, const struct record *r, enum field_id f, int32_t index,
                  struct val *out)
{
    if (f == F_fd_cip_name)
        *out = addr_name(e, r, raw_addr(r, S_CIP, BASE_IP), index);
    else if (f == F_fd_sip_name)
        *out = addr_name(e, r, raw_addr(r, S_SIP, BASE_IP), index);
    else if (f == F_fd_lip_name || f == F_fd_rip_name)
        *out = addr_name(e, r, end_of(e, r, f == F_fd_lip_name, false, BASE_IP), index);
    else
        return false;
    return true;
}

static bool connection(struct enrich *e, const struct record *r, enum field_id f, struct val *out)
{
    bool local = f == F_fd_lip || f == F_fd_lnet || f == F_fd_lport || f == F_fd_lproto;

    if (f == F_fd_lip || f == F_fd_rip)
        *out = end_of(e, r, local, false, BASE_IP);
    else if (f == F_fd_lnet || f == F_fd_rnet)
        *out = end_of(e, r, local, false, BASE_NET);
    else if (f == F_fd_lport || f == F_fd_rport)
        *out = end_of(e, r, local, true, BASE_IP);
    else if (f == F_fd_lproto || f == F_fd_rproto)
        *out = port_text(e, end_of(e, r, local, true, BASE_IP));
    else if (f == F_fd_is_server)
        *out = is_server(e, r);
    else
        return false;
    return true;
}

/* ---- containers ---- */

/* On the host: its name and type are `host`, texts are empty, nothing is privileged. */
static struct val on_host(enum field_id f)
{
    const struct field_info *info = catalog_field(f);

    if (f == F_container_name || f == F_container_type)
        return val_text("host", 4);
    if (strncmp(info->name, "container.", 10) != 0 || info->arg != ARG_NONE)
        return val_absent();
    return catalog_type(info->type)->base == BASE_BOOL ? val_num(BASE_BOOL, 0) : val_text("", 0);
}

void enrich_event(struct enrich *e)
{
    for (unsigned k = 0; k < LORE_KINDS; k++)
        e->until[k] = UINT64_MAX;
}

void enrich_begin(struct enrich *e, bool may_wait)
{
    e->has_key = e->missing = e->pending = false;
    e->may_wait = may_wait;
}

/* The record's container in the cache; false: the kernel did not say which it is. */
static bool find_key(struct enrich *e, const struct record *r)
{
    struct val kind = slot_num(r, N_CONTAINER_KIND), id = slot_text(r, S_CONTAINER_FULL);

    if (e->has_key)
        return true;
    if (kind.state != ST_PRESENT || id.state != ST_PRESENT || kind.num <= CONTAINER_HOST ||
        kind.num >= CONTAINER_KINDS)
        return false;
    e->key = metacache_find(e->containers, (enum container_kind)kind.num, id.text, id.len,
                            clock_ns(CLOCK_MONOTONIC));
    return e->has_key = true;
}

bool enrich_pending(struct enrich *e, const struct record *r)
{
    return find_key(e, r) && metacache_state(e->containers, e->key) == META_PENDING;
}

/* What is said of the record's container will be the same until then. */
static uint64_t container_until(const struct enrich *e, const struct record *r)
{
    uint64_t ns = metacache_holds(e->containers, e->key, clock_ns(CLOCK_MONOTONIC));

    return ns < UINT64_MAX - r->h->ts ? r->h->ts + ns : UINT64_MAX;
}

/* By who knows it, or else by the form of the id. */
static struct val type_of(enum container_kind kind, bool known, enum engine_id engine)
{
    static const char *const types[CONTAINER_KINDS] = {
        [CONTAINER_HOST] = "host",     [CONTAINER_PODMAN] = "podman",
        [CONTAINER_CRIO] = "cri-o",    [CONTAINER_CRI] = "containerd",
        [CONTAINER_DOCKER] = "docker", [CONTAINER_BARE] = "docker",
        [CONTAINER_LXC] = "lxc",       [CONTAINER_CONTAINERD] = "containerd",
    };
    const char *t = known && engine == ENGINE_CONTAINERD ? "containerd" : types[kind];

    return val_text(t, strlen(t));
}

static struct val in_container(struct enrich *e, const struct record *r, enum field_id f,
                               int32_t index, const char *name)
{
    struct fmt made = fmt_in(e->made[e->next_made++ % ENRICH_MADE], META_POOL);
    struct val kind = slot_num(r, N_CONTAINER_KIND);
    enum engine_id engine = ENGINE_COUNT;
    const struct meta *m;
    enum meta_state state;

    if (f == F_container_full_id)
        return slot_text(r, S_CONTAINER_FULL);
    if (!find_key(e, r))
        return val_unknown();
    state = metacache_state(e->containers, e->key);
    e->holds = container_until(e, r);
    m = metacache_get(e->containers, e->key, &engine);
    if (state == META_PENDING && e->may_wait) {
        e->pending = true;
        return val_unknown();
    }
    if (f == F_container_type)
        return type_of((enum container_kind)kind.num, state == META_KNOWN, engine);
    if (state == META_KNOWN)
        return meta_get(m, f, index, name, &made);
    e->missing = true;
    return val_absent();
}

bool enrich_is_metadata(enum field_id f)
{
    const struct field_info *info = catalog_field(f);

    return info->source == SRC_USER && f != F_container_full_id &&
           (strncmp(info->name, "container.", 10) == 0 || strncmp(info->name, "k8s.", 4) == 0);
}

static bool container_field(struct enrich *e, const struct record *r, enum field_id f,
                            int32_t index, const char *name, struct val *out)
{
    const struct field_info *info = catalog_field(f);
    char id[64];

    if (strncmp(info->name, "container.", 10) != 0 && strncmp(info->name, "k8s.", 4) != 0)
        return false;
    if (info->flags & FF_DEPRECATED)
        *out = val_absent();
    else if (!container_of(r, id, sizeof(id)))
        *out = val_unknown();
    else if (id[0])
        *out = in_container(e, r, f, index, name);
    else
        *out = on_host(f);
    return true;
}

static bool since_start(const struct enrich *e, const struct record *r, enum field_id f,
                        struct val *out)
{
    uint64_t ns = r->h->ts > e->start_ts ? r->h->ts - e->start_ts : 0;

    if (f == F_evt_reltime)
        *out = val_num(BASE_UINT, (int64_t)ns);
    else if (f == F_evt_reltime_s)
        *out = val_num(BASE_UINT, (int64_t)(ns / 1000000000));
    else if (f == F_evt_reltime_ns)
        *out = val_num(BASE_UINT, (int64_t)(ns % 1000000000));
    else
        return false;
    return true;
}

static bool look_up(struct enrich *e, const struct record *r, enum field_id field, int32_t index,
                    const char *name, struct val *out)
{
    for (size_t i = 0; i < sizeof(id_fields) / sizeof(id_fields[0]); i++)
        if (id_fields[i].field == field) {
            *out = id_name(e, r, &id_fields[i], index);
            return true;
        }
    if (field == F_proc_name)
        return process_name(e, index, out);
    if (field == F_evt_hostname) {
        *out = val_text(e->hostname, strlen(e->hostname));
        return true;
    }
    return since_start(e, r, field, out) || connection(e, r, field, out) ||
           named(e, r, field, index, out) || container_field(e, r, field, index, name, out);
}

bool enrich_get(void *ctx, const struct record *r, enum field_id field, int32_t index,
                const char *name, struct val *out)
{
    enum lore_kind kind = lore_of_field(field, index);
    struct enrich *e = ctx;
    bool known;

    e->holds = UINT64_MAX;
    known = look_up(e, r, field, index, name, out);
    if (kind != LORE_KINDS && e->holds < e->until[kind])
        e->until[kind] = e->holds;
    return known;
}

/* ---- keys ---- */

struct key_head {
    uint16_t field;
    uint16_t nid; /* bytes of the container's id behind this; then the argument's text */
    int32_t index;
    int64_t num; /* the id that is asked for */
};

static const struct id_field *id_field_of(enum field_id field)
{
    for (size_t i = 0; i < sizeof(id_fields) / sizeof(id_fields[0]); i++)
        if (id_fields[i].field == field)
            return &id_fields[i];
    return NULL;
}

/* The address whose name is asked for; ABSENT for other fields. */
static struct val named_addr(const struct enrich *e, const struct record *r, enum field_id f)
{
    if (f == F_fd_cip_name || f == F_fd_sip_name)
        return raw_addr(r, f == F_fd_cip_name ? S_CIP : S_SIP, BASE_IP);
    if (f == F_fd_lip_name || f == F_fd_rip_name)
        return end_of(e, r, f == F_fd_lip_name, false, BASE_IP);
    return val_absent();
}

static size_t make_key(char *key, struct key_head h, const char *id, const char *arg, size_t narg)
{
    size_t at = sizeof(h) + strlen(id);

    h.nid = (uint16_t)strlen(id);
    if (narg > ENRICH_KEY - at)
        narg = ENRICH_KEY - at;
    memcpy(key, &h, sizeof(h));
    memcpy(key + sizeof(h), id, h.nid);
    memcpy(key + at, arg, narg);
    return at + narg;
}

static size_t id_key(const struct record *r, const struct id_field *f, int32_t index,
                     const char *container, char *key)
{
    struct val id = index >= 0 ? val_num(BASE_UINT, index) : slot_num(r, f->slot);
    struct key_head h = {.field = (uint16_t)f->field, .num = (uint32_t)id.num};

    return id.state == ST_PRESENT ? make_key(key, h, container, "", 0) : 0;
}

/* Metadata is that of a whole id; container.id may be the beginning of several. */
static const char *whole_id(const struct record *r, char *id, size_t cap)
{
    struct val v = slot_text(r, S_CONTAINER_FULL);

    if (v.state == ST_PRESENT && v.len) {
        v.len = v.len < cap ? v.len : (uint32_t)cap - 1;
        memcpy(id, v.text, v.len);
        id[v.len] = '\0';
    }
    return id;
}

size_t enrich_key(const struct enrich *e, const struct record *r, const struct enrich_question *q,
                  char key[ENRICH_KEY])
{
    const struct field_info *info = catalog_field(q->field);
    const struct id_field *f = id_field_of(q->field);
    struct val addr = named_addr(e, r, q->field);
    struct key_head h = {.field = (uint16_t)q->field, .index = q->index};
    char container[CONTAINER_ID_SIZE];
    bool of_container =
        strncmp(info->name, "container.", 10) == 0 || strncmp(info->name, "k8s.", 4) == 0;

    if (q->field == F_proc_name)
        return make_key(key, h, "", "", 0);
    if (addr.state == ST_PRESENT)
        return make_key(key, (struct key_head){F_fd_sip_name, 0, q->index > 0 ? q->index : 0, 0},
                        "", addr.text, addr.len);
    if ((!f && !of_container) || !container_of(r, container, sizeof(container)))
        return 0;
    if (f)
        return id_key(r, f, q->index, container, key);
    if (info->flags & FF_DEPRECATED || !container[0] || q->field == F_container_full_id)
        return 0;
    return make_key(key, h, whole_id(r, container, sizeof(container)), q->name, strlen(q->name));
}
