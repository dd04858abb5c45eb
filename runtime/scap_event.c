/* SPDX-License-Identifier: Apache-2.0 */
#include "scap_event.h"

#include <errno.h>
#include <string.h>

/* Blocks of events. Those with flags have four bytes more; in old ones no count of parameters. */
static const struct {
    uint32_t type;
    bool flags, counted;
} blocks[] = {
    {0x204, false, false}, {0x8010abcd, false, false}, {0x208, true, false}, {0x216, false, true},
    {0x217, true, true},   {0x221, false, true},       {0x222, true, true},
};
#define BLOCKS (sizeof(blocks) / sizeof(blocks[0]))

/* ---- what the numbers are ---- */

/* Names to indexes; an empty list is all parameters of the event. */
static void fill(struct scap_code *c, enum event_id event, enum scap_side side, const char *names)
{
    unsigned n = catalog_param_count(event);

    *c = (struct scap_code){.event = (uint16_t)event, .side = (uint8_t)side, .wide = 2};
    memset(c->of, -1, sizeof(c->of));
    if (!*names && side == SCAP_EXIT) {
        c->n = (uint8_t)(n < SCAP_PARAMS ? n : SCAP_PARAMS);
        for (unsigned i = 0; i < c->n; i++)
            c->of[i] = (int8_t)i;
        return;
    }
    while (*names && c->n < SCAP_PARAMS) {
        size_t len = strcspn(names, " ");

        c->of[c->n++] = (int8_t)catalog_param_index(event, names, len);
        names += len + (names[len] == ' ');
    }
}

uint16_t scap_codes_fill(struct scap_code codes[SCAP_CODES])
{
    uint16_t last = SCAP_CODES - 1;

    memset(codes, 0, SCAP_CODES * sizeof(*codes));
#define SCAP(number, event, enter, exit)                                                           \
    fill(&codes[number], EV_##event, SCAP_ENTER, enter);                                           \
    fill(&codes[(number) + 1], EV_##event, SCAP_EXIT, exit);
#define SCAP_META(number, event, names, bytes)                                                     \
    fill(&codes[number], EV_##event, SCAP_TOLD, names);                                            \
    codes[number].wide = bytes;
#include "../grammar/scap.def"
    while (codes[last].event == EV_NONE)
        last--;
    return last;
}

/* ---- reading ---- */

bool scap_event_is(uint32_t type)
{
    for (size_t i = 0; i < BLOCKS; i++)
        if (blocks[i].type == type)
            return true;
    return false;
}

/* `n` lengths of `wide` bytes each, and that many bytes, are there; `exactly`: and nothing else. */
static bool adds_up(const struct scap_bytes *b, size_t wide, uint32_t n, bool exactly)
{
    uint64_t sum = (uint64_t)wide * n;

    if (sum > b->left)
        return false;
    for (uint32_t i = 0; i < n; i++)
        sum += scap_number(b->at + wide * i, wide);
    return exactly ? sum == b->left : sum <= b->left;
}

/* The count of parameters in an old event: the most that its lengths allow. */
static int64_t count_params(const struct scap_bytes *b, const struct scap_code *c)
{
    for (unsigned n = c->n + 1u; n-- > 0;)
        if (adds_up(b, c->wide, n, true))
            return n;
    return -1;
}

static int take_params(struct scap_event *e, const struct scap_code *c, struct scap_bytes *b,
                       int64_t n)
{
    const uint8_t *lens = b->at;

    if (n < 0)
        n = count_params(b, c);
    if (n < 0 || !adds_up(b, c->wide, (uint32_t)n, false))
        return -EPROTO;
    scap_take(b, c->wide * (size_t)n);
    for (int64_t i = 0; i < n; i++) {
        uint32_t len = (uint32_t)scap_number(lens + c->wide * (size_t)i, c->wide);
        const uint8_t *at = scap_take(b, len);

        if (i < c->n && c->of[i] >= 0)
            e->param[c->of[i]] = (struct scap_param){at, len};
    }
    return 1;
}

int scap_event_read(const struct scap_code *codes, const struct scap_block *block,
                    struct scap_event *e)
{
    struct scap_bytes b = {block->body, block->size, false};
    const struct scap_code *c;
    size_t i = 0, head;
    uint32_t len, n;

    while (i < BLOCKS && blocks[i].type != block->type)
        i++;
    if (i == BLOCKS)
        return 0;
    memset(e, 0, sizeof(*e));
    e->cpu = (uint16_t)scap_take_number(&b, 2);
    scap_take(&b, blocks[i].flags ? 4 : 0);
    head = blocks[i].counted ? 26 : 22;
    e->ts = scap_take_number(&b, 8);
    e->tid = (int64_t)scap_take_number(&b, 8);
    len = (uint32_t)scap_take_number(&b, 4);
    e->code = (uint16_t)scap_take_number(&b, 2);
    n = blocks[i].counted ? (uint32_t)scap_take_number(&b, 4) : 0;
    if (b.bad || len < head || len - head > b.left)
        return -EPROTO;
    c = e->code < SCAP_CODES ? &codes[e->code] : &codes[SCAP_CODES - 1];
    if (c->event == EV_NONE)
        return 0;
    e->event = (enum event_id)c->event;
    e->side = (enum scap_side)c->side;
    b.left = len - head; /* zeros, or what later versions put there, follow */
    return take_params(e, c, &b, blocks[i].counted ? (int64_t)n : -1);
}

void scap_event_join(struct scap_event *e, const struct scap_event *enter)
{
    if (enter->code + 1 != e->code)
        return;
    for (unsigned i = 0; i < SCAP_PARAMS; i++)
        if (!e->param[i].at)
            e->param[i] = enter->param[i];
}

/* ---- values ---- */

const struct scap_param *scap_param(const struct scap_event *e, const char *name)
{
    int i = catalog_param_index(e->event, name, strlen(name));

    return i < 0 || i >= SCAP_PARAMS ? NULL : &e->param[i];
}

static bool has_sign(enum type_id type)
{
    return catalog_type(type)->base == BASE_INT;
}

bool scap_param_num(const struct scap_event *e, unsigned index, int64_t *out)
{
    const struct param_info *info = catalog_param(e->event, index);
    const struct scap_param *p = index < SCAP_PARAMS ? &e->param[index] : NULL;

    if (!p || !info || !p->at || (p->len != 1 && p->len != 2 && p->len != 4 && p->len != 8))
        return false;
    *out = (int64_t)scap_number(p->at, p->len);
    if (p->len < 8 && has_sign(info->type)) {
        unsigned shift = 64 - 8 * p->len;

        *out = (int64_t)((uint64_t)*out << shift) >> shift;
    }
    return true;
}

bool scap_named_num(const struct scap_event *e, const char *name, int64_t *out)
{
    int i = catalog_param_index(e->event, name, strlen(name));

    return i >= 0 && scap_param_num(e, (unsigned)i, out);
}

bool scap_param_text(const struct scap_event *e, const char *name, const char **s, uint32_t *n)
{
    const struct scap_param *p = scap_param(e, name);

    if (!p || !p->at || p->len == 0)
        return false;
    *s = (const char *)p->at;
    *n = (uint32_t)strnlen(*s, p->len);
    return true;
}
