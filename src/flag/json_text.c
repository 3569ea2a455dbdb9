/*
 * JSON text: see json_text.h.
 */
#include "flag/json_text.h"

#include "base/limits.h"
#include "flag/number.h"

#include <math.h>
#include <stdlib.h>

bool json_text_add_number(struct strbuf *b, double x)
{
    if (!isfinite(x))
        return strbuf_adds(b, "null");
    char text[NUMBER_TEXT_BYTES];
    size_t n = number_print(x, text);
    return strbuf_add(b, text, n);
}

/* A UTF-16 surrogate that stands alone, as three bytes. */
static bool is_surrogate(const char *p, size_t n)
{
    return n >= 3 && (unsigned char)p[0] == 0xED && (unsigned char)p[1] >= 0xA0;
}

static bool add_escaped(struct strbuf *b, const char *p, size_t n)
{
    unsigned char c = (unsigned char)*p;
    switch (c) {
    case '"':
        return strbuf_adds(b, "\\\"");
    case '\\':
        return strbuf_adds(b, "\\\\");
    case '\b':
        return strbuf_adds(b, "\\b");
    case '\t':
        return strbuf_adds(b, "\\t");
    case '\n':
        return strbuf_adds(b, "\\n");
    case '\f':
        return strbuf_adds(b, "\\f");
    case '\r':
        return strbuf_adds(b, "\\r");
    default:
        if (is_surrogate(p, n))
            return strbuf_printf(b, "\\u%04x",
                                 0xD000U | (unsigned)(p[1] & 0x3F) << 6 | (unsigned)(p[2] & 0x3F));
        return strbuf_printf(b, "\\u%04x", c);
    }
}

bool json_text_add_string(struct strbuf *b, struct str text)
{
    bool ok = strbuf_addc(b, '"');
    size_t plain = 0;
    for (size_t i = 0; i < text.n && ok;) {
        unsigned char c = (unsigned char)text.p[i];
        bool half = is_surrogate(text.p + i, text.n - i);
        if (c >= 0x20 && c != '"' && c != '\\' && !half) {
            i++;
            continue;
        }
        ok = strbuf_add(b, text.p + plain, i - plain) && add_escaped(b, text.p + i, text.n - i);
        i += half ? 3 : 1;
        plain = i;
    }
    return ok && strbuf_add(b, text.p + plain, text.n - plain) && strbuf_addc(b, '"');
}

bool json_name_is_index(struct str name, uint32_t *ret)
{
    uint64_t x;
    if (!name.n || name.n > 10 || (name.p[0] == '0' && name.n > 1) || !str_to_u64(name, &x) ||
        x >= UINT32_MAX)
        return false;
    *ret = (uint32_t)x;
    return true;
}

struct member {
    struct str name;
    const json_t *value;
    uint32_t index;
    bool is_index;
    size_t place;
};

static int by_place(const void *a, const void *b)
{
    const struct member *x = a;
    const struct member *y = b;
    if (x->is_index != y->is_index)
        return x->is_index ? -1 : 1;
    if (x->is_index)
        return x->index < y->index ? -1 : 1;
    return x->place < y->place ? -1 : 1;
}

static int by_name(const void *a, const void *b)
{
    const struct member *x = a;
    const struct member *y = b;
    if (x->is_index || y->is_index)
        return by_place(a, b);
    return str_compare(x->name, y->name);
}

static bool add(struct strbuf *b, const json_t *value, enum json_order order, unsigned depth);

// NOLINTNEXTLINE(misc-no-recursion): as add()
static bool add_members(struct strbuf *b, const struct member *members, size_t n,
                        enum json_order order, unsigned depth)
{
    bool ok = strbuf_addc(b, '{');
    for (size_t i = 0; i < n && ok; i++)
        ok = (i == 0 || strbuf_addc(b, ',')) && json_text_add_string(b, members[i].name) &&
             strbuf_addc(b, ':') && add(b, members[i].value, order, depth - 1);
    return ok && strbuf_addc(b, '}');
}

// NOLINTNEXTLINE(misc-no-recursion): as add()
static bool add_object(struct strbuf *b, const json_t *value, enum json_order order, unsigned depth)
{
    /* jansson's iterator wants a non-const object and does not change it */
    json_t *object = (json_t *)(uintptr_t)value;
    size_t n = json_object_size(object);
    CLEANUP(mem) struct member *members = calloc(n ? n : 1, sizeof *members);
    if (!members)
        memory_exhausted(n * sizeof *members);
    size_t i = 0;
    for (void *it = json_object_iter(object); it; it = json_object_iter_next(object, it)) {
        struct member *m = &members[i];
        *m = (struct member){ .name = { json_object_iter_key(it), json_object_iter_key_len(it) },
                              .value = json_object_iter_value(it),
                              .place = i++ };
        m->is_index = json_name_is_index(m->name, &m->index);
    }
    qsort(members, n, sizeof *members, order == JSON_BY_NAME ? by_name : by_place);
    return add_members(b, members, n, order, depth);
}

// NOLINTNEXTLINE(misc-no-recursion): no deeper than LIMIT_JSON_DEPTH
static bool add(struct strbuf *b, const json_t *value, enum json_order order, unsigned depth)
{
    if (depth == 0)
        return false;
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return add_object(b, value, order, depth);
    case JSON_ARRAY: {
        bool ok = strbuf_addc(b, '[');
        for (size_t i = 0; i < json_array_size(value) && ok; i++)
            ok = (i == 0 || strbuf_addc(b, ',')) &&
                 add(b, json_array_get(value, i), order, depth - 1);
        return ok && strbuf_addc(b, ']');
    }
    case JSON_STRING:
        return json_text_add_string(
            b, (struct str){ json_string_value(value), json_string_length(value) });
    case JSON_INTEGER:
    case JSON_REAL:
        return json_text_add_number(b, json_number_value(value));
    case JSON_TRUE:
        return strbuf_adds(b, "true");
    case JSON_FALSE:
        return strbuf_adds(b, "false");
    case JSON_NULL:
        return strbuf_adds(b, "null");
    }
    return false;
}

bool json_text_add(struct strbuf *b, const json_t *value, enum json_order order)
{
    return add(b, value, order, LIMIT_JSON_DEPTH + 1);
}
