/*
 * Values while a rule runs: sixteen bytes that point at the context, at the program or at the room
 * of the run, with JavaScript's ideas of truth, text and number.
 */
#ifndef LOCKFLIGHT_FLAG_VALUE_H
#define LOCKFLIGHT_FLAG_VALUE_H

#include "base/str.h"

#include <jansson.h>

enum value_kind {
    VALUE_UNDEFINED, /* an absent operand; equal to nothing but itself */
    VALUE_NULL,
    VALUE_FALSE,
    VALUE_TRUE,
    VALUE_NUMBER,
    VALUE_TEXT,
    VALUE_LIST,      /* of values */
    VALUE_JSON_LIST, /* one of the context */
    VALUE_OBJECT,    /* one of the context */
    VALUE_EMPTY,     /* {} in a rule */
    VALUE_ROOT,      /* the whole context, with $flagd */
    VALUE_FLAGD,     /* {"flagKey","timestamp"} */
    VALUE_PAIR,      /* {"accumulator","current"} inside reduce */
    VALUE_STEP,      /* {"iterator","index"} above the items of a list */
    VALUE_RAISED,    /* no value: the rule failed, the run says why */
    VALUE_UNKNOWN,   /* not looked up yet */
};

struct value {
    uint32_t kind;
    uint32_t n; /* bytes of a text, items of a list */
    union {
        double number;
        const char *text;
        const struct value *list;
        const json_t *json;
        const struct value *two; /* of a pair or a step: its members, in the order above */
    };
};

static inline struct value value_of_kind(enum value_kind kind)
{
    return (struct value){ .kind = kind };
}

static inline struct value value_of_bool(bool b)
{
    return (struct value){ .kind = b ? VALUE_TRUE : VALUE_FALSE };
}

static inline struct value value_of_number(double x)
{
    return (struct value){ .kind = VALUE_NUMBER, .number = x };
}

static inline struct value value_of_text(struct str s)
{
    return (struct value){ .kind = VALUE_TEXT, .n = (uint32_t)s.n, .text = s.p };
}

static inline struct str value_str(struct value v)
{
    return (struct str){ v.text, v.n };
}

static inline bool value_is_list(struct value v)
{
    return v.kind == VALUE_LIST || v.kind == VALUE_JSON_LIST;
}

static inline bool value_is_object(struct value v)
{
    return v.kind >= VALUE_OBJECT && v.kind <= VALUE_STEP;
}

static inline bool value_is_nothing(struct value v)
{
    return v.kind <= VALUE_NULL;
}

struct value value_of_json(const json_t *j);

/* An empty list, an empty object, "", 0 and NaN are false besides what is. */
bool value_is_true_otherwise(struct value v);
static inline bool value_is_true(struct value v)
{
    return v.kind == VALUE_TRUE || (v.kind > VALUE_TRUE && value_is_true_otherwise(v));
}

/* What === says: lists and objects are equal to themselves only. */
bool value_same(struct value a, struct value b);

/* An item of a list; UNDEFINED behind its end. */
static inline struct value value_item(struct value list, size_t i)
{
    if (i >= list.n)
        return value_of_kind(VALUE_UNDEFINED);
    return list.kind == VALUE_LIST ? list.list[i] : value_of_json(json_array_get(list.json, i));
}

/* Number(v) of all but lists and objects, which give NaN. */
double value_number(struct value v);

/* What JavaScript's < says of two texts: by UTF-16 units, which differs from bytes above U+FFFF. */
int value_compare_texts(struct str a, struct str b);

#endif
