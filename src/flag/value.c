/*
 * Values: see value.h.
 */
#include "flag/value.h"

#include "flag/number.h"

#include <math.h>

struct value value_of_json(const json_t *j)
{
    switch (json_typeof(j)) {
    case JSON_OBJECT:
        return (struct value){ .kind = VALUE_OBJECT, .json = j };
    case JSON_ARRAY:
        return (
            struct value){ .kind = VALUE_JSON_LIST, .n = (uint32_t)json_array_size(j), .json = j };
    case JSON_STRING:
        return (struct value){ .kind = VALUE_TEXT,
                               .n = (uint32_t)json_string_length(j),
                               .text = json_string_value(j) };
    case JSON_INTEGER:
    case JSON_REAL:
        return value_of_number(json_number_value(j));
    case JSON_TRUE:
        return value_of_kind(VALUE_TRUE);
    case JSON_FALSE:
        return value_of_kind(VALUE_FALSE);
    case JSON_NULL:
        break;
    }
    return value_of_kind(VALUE_NULL);
}

bool value_is_true_otherwise(struct value v)
{
    switch ((enum value_kind)v.kind) {
    case VALUE_NUMBER:
        return v.number != 0 && !isnan(v.number);
    case VALUE_TEXT:
    case VALUE_LIST:
    case VALUE_JSON_LIST:
        return v.n > 0;
    case VALUE_OBJECT:
        return json_object_size(v.json) > 0;
    case VALUE_TRUE:
    case VALUE_ROOT:
    case VALUE_FLAGD:
    case VALUE_PAIR:
    case VALUE_STEP:
        return true;
    case VALUE_UNDEFINED:
    case VALUE_NULL:
    case VALUE_FALSE:
    case VALUE_EMPTY:
    case VALUE_RAISED:
    case VALUE_UNKNOWN:
        break;
    }
    return false;
}

bool value_same(struct value a, struct value b)
{
    if (a.kind != b.kind)
        return false;
    switch ((enum value_kind)a.kind) {
    case VALUE_NUMBER:
        return a.number == b.number;
    case VALUE_TEXT:
        return a.n == b.n && memcmp(a.text, b.text, a.n) == 0;
    case VALUE_LIST:
    case VALUE_PAIR:
    case VALUE_STEP:
        return a.list == b.list && a.n == b.n && a.list;
    case VALUE_JSON_LIST:
    case VALUE_OBJECT:
        return a.json == b.json;
    case VALUE_EMPTY:
        return false;
    case VALUE_UNDEFINED:
    case VALUE_NULL:
    case VALUE_FALSE:
    case VALUE_TRUE:
    case VALUE_ROOT:
    case VALUE_FLAGD:
    case VALUE_RAISED:
    case VALUE_UNKNOWN:
        break;
    }
    return true;
}

double value_number(struct value v)
{
    switch ((enum value_kind)v.kind) {
    case VALUE_NULL:
    case VALUE_FALSE:
        return 0;
    case VALUE_TRUE:
        return 1;
    case VALUE_NUMBER:
        return v.number;
    case VALUE_TEXT:
        return number_read(value_str(v));
    case VALUE_UNDEFINED:
    case VALUE_LIST:
    case VALUE_JSON_LIST:
    case VALUE_OBJECT:
    case VALUE_EMPTY:
    case VALUE_ROOT:
    case VALUE_FLAGD:
    case VALUE_PAIR:
    case VALUE_STEP:
    case VALUE_RAISED:
    case VALUE_UNKNOWN:
        break;
    }
    return NAN;
}

/* Surrogates (of code points from U+10000) sort below U+E000 to U+FFFF. */
static unsigned utf16_rank(unsigned char lead)
{
    if (lead >= 0xF0)
        return 0xED; /* as a surrogate */
    return lead >= 0xEE ? lead + 1U : lead;
}

int value_compare_texts(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    size_t i = 0;
    while (i < n && a.p[i] == b.p[i])
        i++;
    if (i == n)
        return a.n < b.n ? -1 : a.n > b.n;
    unsigned char x = (unsigned char)a.p[i];
    unsigned char y = (unsigned char)b.p[i];
    if (utf16_rank(x) != utf16_rank(y))
        return utf16_rank(x) < utf16_rank(y) ? -1 : 1;
    return x < y ? -1 : 1;
}
