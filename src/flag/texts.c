/*
 * Texts of rules: see run.h. They are UTF-8; positions are counted in UTF-16 units, as JavaScript
 * counts. Half of a surrogate pair, which substr can cut off, is kept as the three bytes it would
 * have in UTF-8, and joined again when its other half follows.
 */
#include "flag/number.h"
#include "flag/run.h"

#include <math.h>

#define LIST_DEPTH (LIMIT_JSON_DEPTH + LIMIT_FLAG_RULE_DEPTH)

/* A text being made at the end of the room. */
struct making {
    struct run *run;
    char *p;
    size_t n;
    size_t room;
    bool failed;
};

static struct making make(struct run *r)
{
    size_t left = RUN_ROOM_BYTES - r->room_used;
    return (struct making){ .run = r,
                            .p = r->room + r->room_used,
                            .room = left < LIMIT_FLAG_TEXT_BYTES ? left : LIMIT_FLAG_TEXT_BYTES };
}

static bool made(struct making *m, struct str *ret)
{
    if (m->failed || !run_take(m->run, m->n / 1024))
        return false;
    *ret = (struct str){ m->p, m->n };
    return run_room(m->run, m->n) != NULL;
}

static bool is_half(const char *p, size_t n, unsigned char lowest, unsigned char highest)
{
    return n >= 3 && (unsigned char)p[0] == 0xED && (unsigned char)p[1] >= lowest &&
           (unsigned char)p[1] <= highest;
}

/* The code point of two halves, in place of the first. */
static void join_halves(char *high, const char *low)
{
    unsigned h = (unsigned)(high[1] & 0x0F) << 6 | (unsigned)(high[2] & 0x3F);
    unsigned l = (unsigned)(low[1] & 0x0F) << 6 | (unsigned)(low[2] & 0x3F);
    unsigned point = 0x10000 + (h << 10) + l;
    high[0] = (char)(0xF0 | point >> 18);
    high[1] = (char)(0x80 | (point >> 12 & 0x3F));
    high[2] = (char)(0x80 | (point >> 6 & 0x3F));
    high[3] = (char)(0x80 | (point & 0x3F));
}

static void add(struct making *m, struct str s)
{
    if (m->failed || s.n > m->room - m->n) {
        if (!m->failed)
            (void)run_raise_limit(m->run, "the rule makes a text of more than 64 KiB");
        m->failed = true;
        return;
    }
    if (m->n >= 3 && is_half(m->p + m->n - 3, 3, 0xA0, 0xAF) && is_half(s.p, s.n, 0xB0, 0xBF)) {
        join_halves(m->p + m->n - 3, s.p);
        m->n++;
        s = (struct str){ s.p + 3, s.n - 3 };
    }
    memmove(m->p + m->n, s.p, s.n);
    m->n += s.n;
}

// NOLINTNEXTLINE(misc-no-recursion): no deeper than LIST_DEPTH
static void add_value(struct making *m, struct value v, unsigned depth)
{
    char number[NUMBER_TEXT_BYTES];
    switch ((enum value_kind)v.kind) {
    case VALUE_TEXT:
        add(m, value_str(v));
        return;
    case VALUE_NUMBER:
        add(m, (struct str){ number, number_print(v.number, number) });
        return;
    case VALUE_LIST:
    case VALUE_JSON_LIST:
        if (depth == 0 || !run_take(m->run, v.n / 64)) {
            (void)run_raise_limit(m->run, "a list nested too deep to be a text");
            m->failed = true;
            return;
        }
        for (uint32_t i = 0; i < v.n && !m->failed; i++) {
            struct value item = value_item(v, i);
            if (i > 0)
                add(m, STR(","));
            if (!value_is_nothing(item))
                add_value(m, item, depth - 1);
        }
        return;
    case VALUE_UNDEFINED:
        add(m, STR("undefined"));
        return;
    case VALUE_NULL:
        add(m, STR("null"));
        return;
    case VALUE_FALSE:
        add(m, STR("false"));
        return;
    case VALUE_TRUE:
        add(m, STR("true"));
        return;
    case VALUE_OBJECT:
    case VALUE_EMPTY:
    case VALUE_ROOT:
    case VALUE_FLAGD:
    case VALUE_PAIR:
    case VALUE_STEP:
    case VALUE_RAISED:
    case VALUE_UNKNOWN:
        add(m, STR("[object Object]"));
        return;
    }
}

bool run_text(struct run *r, struct value v, struct str *ret)
{
    if (v.kind == VALUE_TEXT) {
        *ret = value_str(v);
        return true;
    }
    struct making m = make(r);
    add_value(&m, v, LIST_DEPTH);
    return made(&m, ret);
}

struct value run_cat(struct run *r, struct value operands)
{
    struct str text;
    if (!value_is_list(operands)) {
        if (value_is_nothing(operands))
            return run_raise(r, "cat of null");
        return run_text(r, operands, &text) ? value_of_text(text) : value_of_kind(VALUE_RAISED);
    }
    struct making m = make(r);
    for (uint32_t i = 0; i < operands.n; i++) {
        struct value v = value_item(operands, i);
        if (!value_is_nothing(v))
            add_value(&m, v, LIST_DEPTH);
    }
    return made(&m, &text) ? value_of_text(text) : value_of_kind(VALUE_RAISED);
}

/* ---- substr ---------------------------------------------------------------------------------- */

static size_t letter_bytes(unsigned char lead)
{
    return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

static size_t units_of(struct str s)
{
    size_t units = 0;
    for (size_t i = 0; i < s.n; i += letter_bytes((unsigned char)s.p[i]))
        units += letter_bytes((unsigned char)s.p[i]) == 4 ? 2 : 1;
    return units;
}

/* Where a unit begins; *ret_half if that is inside a pair, which then begins at the returned place. */
static size_t byte_of_unit(struct str s, size_t unit, bool *ret_half)
{
    size_t i = 0;
    size_t at = 0;
    while (i < s.n && at < unit) {
        size_t n = letter_bytes((unsigned char)s.p[i]);
        if (n == 4 && at + 1 == unit) {
            *ret_half = true;
            return i;
        }
        at += n == 4 ? 2 : 1;
        i += n;
    }
    *ret_half = false;
    return i;
}

static void add_half(struct making *m, const char *pair, bool high)
{
    unsigned point = (unsigned)(pair[0] & 0x07) << 18 | (unsigned)(pair[1] & 0x3F) << 12 |
                     (unsigned)(pair[2] & 0x3F) << 6 | (unsigned)(pair[3] & 0x3F);
    unsigned unit = high ? 0xD800 + ((point - 0x10000) >> 10) : 0xDC00 + (point & 0x3FF);
    char bytes[3] = { (char)(0xE0 | unit >> 12), (char)(0x80 | (unit >> 6 & 0x3F)),
                      (char)(0x80 | (unit & 0x3F)) };
    add(m, (struct str){ bytes, 3 });
}

/* Units from..to of a text. */
static struct value cut(struct run *r, struct str s, size_t from, size_t to)
{
    bool starts_inside;
    bool ends_inside;
    size_t a = byte_of_unit(s, from, &starts_inside);
    size_t b = byte_of_unit(s, to, &ends_inside);
    if (!starts_inside && !ends_inside)
        return value_of_text((struct str){ s.p + a, b - a });
    struct making m = make(r);
    if (starts_inside && from < to) {
        add_half(&m, s.p + a, false);
        a += 4;
    }
    if (b > a)
        add(&m, (struct str){ s.p + a, b - a });
    if (ends_inside && from < to)
        add_half(&m, s.p + b, true);
    struct str text;
    return made(&m, &text) ? value_of_text(text) : value_of_kind(VALUE_RAISED);
}

/* As JavaScript turns a number into a position. */
static double position(double x)
{
    return isnan(x) ? 0 : trunc(x);
}

struct value run_substr(struct run *r, struct value operands)
{
    struct value whole = value_item(operands, 0);
    struct value end = value_item(operands, 2);
    double from;
    double count;
    if (whole.kind != VALUE_TEXT)
        return run_raise(r, "substr of what is no text");
    if (!run_take(r, whole.n / 1024) || !run_number(r, value_item(operands, 1), &from) ||
        !run_number(r, end, &count))
        return value_of_kind(VALUE_RAISED);
    double units = (double)units_of(value_str(whole));
    from = position(from);
    from = from < 0 ? fmax(units + from, 0) : fmin(from, units);
    double to = units;
    if (end.kind != VALUE_UNDEFINED && count < 0)
        /* a text is put behind the length there, which is no number any more */
        to = end.kind == VALUE_NUMBER ? fmax(units - from + position(count), 0) + from : from;
    else if (end.kind != VALUE_UNDEFINED)
        to = fmin(from + fmax(position(count), 0), units);
    return cut(r, value_str(whole), (size_t)from, (size_t)to);
}

bool run_letters(struct run *r, struct str text, struct value *ret)
{
    struct value *letters = run_room(r, text.n * sizeof *letters);
    uint32_t n = 0;
    if (!letters)
        return false;
    for (size_t i = 0; i < text.n;) {
        size_t bytes = letter_bytes((unsigned char)text.p[i]);
        letters[n++] = value_of_text((struct str){ text.p + i, bytes });
        i += bytes;
    }
    *ret = (struct value){ .kind = VALUE_LIST, .n = n, .list = letters };
    return true;
}

/* ---- in, starts_with, ends_with -------------------------------------------------------------- */

static bool same_or_both_nan(struct value a, struct value b)
{
    return value_same(a, b) ||
           (a.kind == VALUE_NUMBER && b.kind == VALUE_NUMBER && isnan(a.number) && isnan(b.number));
}

struct value run_in(struct run *r, struct value operands)
{
    struct value what = value_item(operands, 0);
    struct value where = value_item(operands, 1);
    if (where.kind == VALUE_TEXT && where.n) {
        struct str text;
        if (!run_take(r, where.n / 1024) || !run_text(r, what, &text))
            return value_of_kind(VALUE_RAISED);
        return value_of_bool(!text.n || memmem(where.text, where.n, text.p, text.n));
    }
    if (!value_is_list(where)) {
        if (value_is_object(where) || value_is_true(where))
            return run_raise(r, "in looks into lists and texts only");
        return value_of_kind(VALUE_FALSE);
    }
    if (!run_take(r, where.n / 64))
        return value_of_kind(VALUE_RAISED);
    for (uint32_t i = 0; i < where.n; i++)
        if (same_or_both_nan(what, value_item(where, i)))
            return value_of_kind(VALUE_TRUE);
    return value_of_kind(VALUE_FALSE);
}

struct value run_affix(enum op op, struct value operands)
{
    struct value a = value_item(operands, 0);
    struct value b = value_item(operands, 1);
    if (operands.n != 2 || a.kind != VALUE_TEXT || b.kind != VALUE_TEXT)
        return value_of_kind(VALUE_NULL);
    if (b.n > a.n)
        return value_of_kind(VALUE_FALSE);
    const char *at = op == OP_STARTS_WITH ? a.text : a.text + (a.n - b.n);
    return value_of_bool(memcmp(at, b.text, b.n) == 0);
}
