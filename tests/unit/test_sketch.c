/* SPDX-License-Identifier: Apache-2.0 */
/* The sketch of a text (bpf/sketch.h) over a table made by hand: which bits each path has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../compiler/eval_sketch.h"

#define ROWS 64

enum { ANY = 1, LAST = 2, DIR = 4, FIRST = 8, PART = 16, TAIL = 32, WITHIN = 64, SHALLOW = 128 };
enum { DOTS = 256 };

static struct sketch_row table[1 + ROWS];

static struct sketch_row *row(const char *word)
{
    const struct sketch_head *h = (const void *)table;
    uint64_t w = 0;

    memcpy(&w, word, strnlen(word, 8));
    struct sketch_row *r = &table[sketch_place(h, w)];
    assert_true(r->word == 0 || r->word == w); /* else choose another multiplier */
    r->word = w;
    return r;
}

static int setup(void **state)
{
    struct sketch_head *h = (void *)table;

    (void)state;
    h->mul = 0x9e3779b97f4a7c15ull;
    h->shift = 58;
    h->shallow = SHALLOW;
    h->dots = DOTS;
    h->firsts = 1 << 2;
    h->tails = 1 << 0 | 1 << 3;
    h->within = 1;
    row(".ssh")->any = ANY;
    row("shadow")->last = LAST;
    row("pam.d")->dir = DIR;
    row("etc")->first = FIRST;
    row("ro")->part = PART;
    row("_history")->tail = TAIL;
    row("log")->tail = TAIL;
    row("lzma.so.")->within = WITHIN;
    return 0;
}

static void test_texts(void **state)
{
    static const struct {
        const char *text;
        uint64_t bits;
    } cases[] = {
        {"/usr/lib/libc.so.6", 0},
        {"/etc/shadow", FIRST | LAST},
        {"/etc/shadow-", FIRST},
        {"/etc/shadow/x", FIRST},
        {"//etc//./shadow/", FIRST | LAST},
        {"/usr/etc/x", 0},
        {"/etc", FIRST | SHALLOW},
        {"/", SHALLOW},
        {"", SHALLOW},
        {"/root/x", PART},
        {"/ro/x", PART},
        {"/r/x", 0},
        {"/home/ro/x", 0},
        {"/home/u/.ssh/key", ANY},
        {"/home/u/x.ssh/key", 0},
        {"/.ssh", ANY | SHALLOW},
        {"/a/pam.d/su", DIR},
        {"/a/pam.d", DIR},
        {"/a/pam.d/b/c", 0},
        {"/home/u/.zsh_history", TAIL},
        {"/home/u/_history", TAIL},
        {"/home/u/history", 0},
        {"/var/x.log", TAIL},
        {"/var/log", TAIL},
        {"/var/log/x", 0},
        {"/lib/lib-----lzma.so.5", WITHIN},
        {"/lib/liblzma.so.5", 0},
        {"/lib/lzma.so./x", WITHIN},
        {"/a/b../c", DOTS},
        {"/a/b..c/d", 0},
        {"/a/../b", SKETCH_UNKNOWN},
        {"/a/..", SKETCH_UNKNOWN},
        {"/a/.../b", DOTS},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t bits = eval_sketch_text(table, cases[i].text, strlen(cases[i].text));

        if (bits != cases[i].bits)
            fail_msg("%s: %#llx, not %#llx", cases[i].text, (unsigned long long)bits,
                     (unsigned long long)cases[i].bits);
    }
}

/* Slots are looked at for their own tests alone; what is not known has all of their bits. */
static void test_slots(void **state)
{
    static struct ev ev;
    struct sketch_head *h = (void *)table;

    (void)state;
    h->name = FIRST;
    h->dir = DIR;
    h->file = LAST;
    h->raw = DOTS;
    memset(ev.h.st, ST_ABSENT, sizeof(ev.h.st));
    assert_int_equal(eval_sketch(table, &ev), 0);
    ev.h.st[SLOT_OF_STR(S_FD_NAME)] = ST_UNKNOWN;
    assert_int_equal(eval_sketch(table, &ev), FIRST);
    ev.h.st[SLOT_OF_STR(S_FD_NAME)] = ST_PRESENT;
    strcpy(ev.s_FD_NAME, "/etc/shadow");
    ev.h.len[S_FD_NAME] = 11;
    assert_int_equal(eval_sketch(table, &ev), FIRST);
    ev.h.st[SLOT_OF_STR(S_FD_FILE)] = ST_PRESENT;
    strcpy(ev.s_FD_FILE, "shadow");
    ev.h.len[S_FD_FILE] = 6;
    assert_int_equal(eval_sketch(table, &ev), FIRST | LAST);
    ev.h.st[SLOT_OF_STR(S_FD_RAW)] = ST_CUT;
    assert_int_equal(eval_sketch(table, &ev), FIRST | LAST | DOTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_texts), cmocka_unit_test(test_slots)};

    return cmocka_run_group_tests(tests, setup, NULL);
}
