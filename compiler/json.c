/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include <float.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "base64.h"
#include "intern.h"

#define LIST_MAX 1024 /* elements of one array */

void json_start(struct json *j, struct comp *c, const char *text, size_t len, char *err,
                size_t errlen)
{
    *j = (struct json){.c = c, .text = text, .len = len, .err = err, .errlen = errlen};
    if (errlen)
        err[0] = 0;
}

bool json_fail(struct json *j, size_t at, const char *fmt, ...)
{
    if (j->failed)
        return false;
    j->failed = true;
    int n = snprintf(j->err, j->errlen, "%zu: ", at + 1);
    if (n < 0 || (size_t)n >= j->errlen)
        return false;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(j->err + n, j->errlen - (size_t)n, fmt, ap);
    va_end(ap);
    return false;
}

static int peek(struct json *j)
{
    while (j->at < j->len && strchr(" \t\r\n", j->text[j->at]) && j->text[j->at])
        j->at++;
    return j->at < j->len ? (unsigned char)j->text[j->at] : -1;
}

static bool expect(struct json *j, char want)
{
    if (peek(j) != (unsigned char)want)
        return json_fail(j, j->at, j->at < j->len ? "expected '%c'" : "the line ends before '%c'",
                         want);
    j->at++;
    return true;
}

static bool word(struct json *j, const char *want)
{
    size_t n = strlen(want);
    if (j->len - j->at < n || memcmp(j->text + j->at, want, n) != 0)
        return json_fail(j, j->at, "expected %s", want);
    j->at += n;
    return true;
}

static bool hex4(struct json *j, size_t at, uint32_t *out)
{
    *out = 0;
    for (size_t i = at; i < at + 4; i++) {
        int ch = i < j->len ? (unsigned char)j->text[i] : 0;
        uint32_t digit;
        if (ch >= '0' && ch <= '9')
            digit = (uint32_t)(ch - '0');
        else if ((ch | 32) >= 'a' && (ch | 32) <= 'f')
            digit = (uint32_t)((ch | 32) - 'a' + 10);
        else
            return json_fail(j, i, "expected four hexadecimal digits after \\u");
        *out = *out << 4 | digit;
    }
    return true;
}

static size_t put_utf8(char *out, uint32_t ch)
{
    if (ch < 0x80) {
        out[0] = (char)ch;
        return 1;
    }
    if (ch < 0x800) {
        out[0] = (char)(0xc0 | ch >> 6);
        out[1] = (char)(0x80 | (ch & 63));
        return 2;
    }
    if (ch < 0x10000) {
        out[0] = (char)(0xe0 | ch >> 12);
        out[1] = (char)(0x80 | (ch >> 6 & 63));
        out[2] = (char)(0x80 | (ch & 63));
        return 3;
    }
    out[0] = (char)(0xf0 | ch >> 18);
    out[1] = (char)(0x80 | (ch >> 12 & 63));
    out[2] = (char)(0x80 | (ch >> 6 & 63));
    out[3] = (char)(0x80 | (ch & 63));
    return 4;
}

/* A \u escape whose four digits start at j->at; pairs of surrogates are one character. */
static bool unicode(struct json *j, char *out, size_t *n)
{
    uint32_t ch, low;
    size_t start = j->at;
    if (!hex4(j, j->at, &ch))
        return false;
    j->at += 4;
    if (ch >= 0xd800 && ch < 0xdc00) {
        if (j->len - j->at < 6 || j->text[j->at] != '\\' || j->text[j->at + 1] != 'u')
            return json_fail(j, start, "half of a surrogate pair");
        if (!hex4(j, j->at + 2, &low))
            return false;
        if (low < 0xdc00 || low > 0xdfff)
            return json_fail(j, start, "half of a surrogate pair");
        j->at += 6;
        ch = 0x10000 + ((ch - 0xd800) << 10) + (low - 0xdc00);
    } else if (ch >= 0xdc00 && ch < 0xe000) {
        return json_fail(j, start, "half of a surrogate pair");
    }
    *n += put_utf8(out + *n, ch);
    return true;
}

static bool escape(struct json *j, char *out, size_t *n)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    int ch = j->at < j->len ? (unsigned char)j->text[j->at] : 0;
    if (ch == 'u') {
        j->at++;
        return unicode(j, out, n);
    }
    const char *hit = ch ? strchr(from, ch) : NULL;
    if (!hit)
        return json_fail(j, j->at, "an escape that JSON does not have");
    out[(*n)++] = to[hit - from];
    j->at++;
    return true;
}

/* No escape and no control character: the text stands for itself. */
static bool plain(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (s[i] == '\\' || (unsigned char)s[i] < 0x20)
            return false;
    return true;
}

/* A string; j->at is at its first quote. Bytes that are no UTF-8 are taken as they are. */
static bool string(struct json *j, str_id *out)
{
    size_t start = j->at, end = start + 1;
    while (end < j->len && j->text[end] != '"')
        end += j->text[end] == '\\' ? 2 : 1;
    if (end >= j->len)
        return json_fail(j, start, "a string without its closing quote");
    if (plain(j->text + start + 1, end - start - 1)) {
        *out = intern_put(j->c->intern, j->text + start + 1, end - start - 1);
        j->at = end + 1;
        return true;
    }
    char *buf = arena_alloc(j->c->arena, end - start);
    size_t n = 0;
    j->at++;
    while (j->text[j->at] != '"') {
        char ch = j->text[j->at];
        if ((unsigned char)ch < 0x20)
            return json_fail(j, j->at, "a control character inside a string");
        j->at++;
        if (ch != '\\')
            buf[n++] = ch;
        else if (!escape(j, buf, &n))
            return false;
    }
    j->at++;
    *out = intern_put(j->c->intern, buf, n);
    return true;
}

static bool digit_at(const struct json *j, size_t at)
{
    return at < j->len && j->text[at] >= '0' && j->text[at] <= '9';
}

static size_t digits(const struct json *j, size_t at)
{
    while (digit_at(j, at))
        at++;
    return at;
}

/* A number that began at `start` and goes on with a fraction or an exponent. */
static bool real(struct json *j, size_t start, struct json_value *out)
{
    size_t at = j->at;
    bool good = true;
    if (j->text[at] == '.') {
        good = digit_at(j, at + 1);
        at = digits(j, at + 1);
    }
    if (at < j->len && (j->text[at] == 'e' || j->text[at] == 'E')) {
        at++;
        at += at < j->len && (j->text[at] == '+' || j->text[at] == '-');
        good = good && digit_at(j, at);
        at = digits(j, at);
    }
    str_id text = intern_put(j->c->intern, j->text + start, at - start);
    out->kind = JSON_REAL;
    out->real = strtod(STR(j->c, text), NULL);
    if (!good || out->real > DBL_MAX || out->real < -DBL_MAX)
        return json_fail(j, start, "a number that cannot be read");
    j->at = at;
    return true;
}

static bool number(struct json *j, struct json_value *out)
{
    size_t start = j->at;
    out->negative = j->text[j->at] == '-';
    if (out->negative)
        j->at++;
    if (!digit_at(j, j->at))
        return json_fail(j, start, "expected a value");
    if (j->text[j->at] == '0' && digit_at(j, j->at + 1))
        return json_fail(j, start, "a number cannot start with 0");
    uint64_t v = 0, limit = out->negative ? (uint64_t)INT64_MAX + 1 : UINT64_MAX;
    for (; digit_at(j, j->at); j->at++) {
        uint64_t digit = (uint64_t)(j->text[j->at] - '0');
        if (v > (limit - digit) / 10)
            return json_fail(j, start, "a number beyond 64 bits");
        v = v * 10 + digit;
    }
    if (j->at < j->len && strchr(".eE", j->text[j->at]) && j->text[j->at])
        return real(j, start, out);
    out->kind = JSON_INT;
    out->num = (int64_t)(out->negative ? 0 - v : v);
    return true;
}

/* The bytes of {"base64": "..."}, behind its colon. */
static bool bytes(struct json *j, struct json_value *out)
{
    str_id coded;
    size_t at = j->at;
    if (peek(j) != '"' || !string(j, &coded))
        return false;
    char *buf = arena_alloc(j->c->arena, STRLEN(j->c, coded) + 1);
    int64_t n = base64_decode(STR(j->c, coded), STRLEN(j->c, coded), buf);
    if (n < 0)
        return json_fail(j, at, "this is not base64");
    out->kind = JSON_BYTES;
    out->text = intern_put(j->c->intern, buf, (size_t)n);
    return true;
}

/* {"unknown": true} or {"base64": "..."}, the only objects that are values. */
static bool object(struct json *j, struct json_value *out)
{
    static const char only[] =
        "the only objects that are values are {\"unknown\": true} and {\"base64\": \"...\"}";
    size_t start = j->at++;
    str_id key;
    if (peek(j) != '"' || !string(j, &key) || !expect(j, ':')) {
        j->failed = false;
        return json_fail(j, start, "%s", only);
    }
    bool good = false;
    out->kind = JSON_UNKNOWN;
    if (!strcmp(STR(j->c, key), "base64"))
        good = bytes(j, out);
    else if (!strcmp(STR(j->c, key), "unknown"))
        good = peek(j) == 't' && word(j, "true");
    good = good && expect(j, '}');
    if (!good && out->kind == JSON_UNKNOWN) {
        j->failed = false;
        return json_fail(j, start, "%s", only);
    }
    return good;
}

/* A value that is no array. */
static bool scalar(struct json *j, struct json_value *out)
{
    int ch = peek(j);
    *out = (struct json_value){.at = j->at};
    switch (ch) {
    case '"':
        out->kind = JSON_TEXT;
        return string(j, &out->text);
    case 't':
    case 'f':
        out->kind = JSON_BOOL;
        out->num = ch == 't';
        return word(j, ch == 't' ? "true" : "false");
    case 'n':
        out->kind = JSON_NULL;
        return word(j, "null");
    case '{':
        return object(j, out);
    case -1:
        return json_fail(j, j->at, "the line ends before a value");
    default:
        return number(j, out);
    }
}

static bool element(struct json *j, json_list *list, struct json_value *out)
{
    struct json_value v;
    char buf[24];
    if (out->list_open)
        return json_fail(j, j->at, "nothing can follow an unknown element");
    if (out->nlist >= LIST_MAX)
        return json_fail(j, j->at, "more than %d elements", LIST_MAX);
    if (peek(j) == '[')
        return json_fail(j, j->at, "an array inside an array");
    if (!scalar(j, &v))
        return false;
    if (v.kind == JSON_UNKNOWN) {
        out->list_open = true;
        return true;
    }
    if (v.kind == JSON_INT) {
        int n = snprintf(buf, sizeof(buf), v.negative ? "%lld" : "%llu", (long long)v.num);
        v.text = intern_put(j->c->intern, buf, (size_t)n);
    } else if (v.kind != JSON_TEXT) {
        return json_fail(j, v.at, "elements are strings or whole numbers");
    }
    VEC_PUSH(j->c->arena, list, v.text);
    out->nlist++;
    return true;
}

static bool array(struct json *j, json_list *list, struct json_value *out)
{
    *out = (struct json_value){.kind = JSON_LIST, .at = j->at++, .list0 = list->n};
    if (peek(j) == ']') {
        j->at++;
        return true;
    }
    for (;;) {
        if (!element(j, list, out))
            return false;
        if (peek(j) == ',')
            j->at++;
        else
            return expect(j, ']');
    }
}

bool json_read(struct json *j, json_list *list, struct json_value *out)
{
    if (peek(j) == '[')
        return array(j, list, out);
    return scalar(j, out);
}

bool json_open(struct json *j)
{
    if (peek(j) != '{')
        return json_fail(j, j->at, "an event is one JSON object");
    j->at++;
    return true;
}

/* The end of the object: nothing but blanks may follow. */
static bool closed(struct json *j)
{
    j->at++;
    if (peek(j) != -1)
        json_fail(j, j->at, "text after the event's object");
    return false;
}

bool json_member(struct json *j, bool first, str_id *key, size_t *key_at)
{
    if (j->failed)
        return false;
    if (peek(j) == '}')
        return closed(j);
    if (!first && (!expect(j, ',') || peek(j) < 0))
        return json_fail(j, j->at, "the line ends inside the object");
    *key_at = j->at;
    if (peek(j) != '"')
        return json_fail(j, j->at, "expected a field's name in quotes");
    *key_at = j->at;
    return string(j, key) && expect(j, ':');
}
