/*
 * The context a rule sees: see normalise.h, whose numbers stand beside the code.
 */
#include "flag/normalise.h"

#include "base/json.h"
#include "base/limits.h"
#include "flag/version.h"

#include <math.h>

#define NUMBER_MAX 9007199254740991 /* 2^53 - 1: beyond it JavaScript's numbers have gaps */

static const char *const type_names[] = {
    [FLAG_ATTRIBUTE_STRING] = "string",   [FLAG_ATTRIBUTE_NUMBER] = "number",
    [FLAG_ATTRIBUTE_BOOLEAN] = "boolean", [FLAG_ATTRIBUTE_LIST] = "list",
    [FLAG_ATTRIBUTE_VERSION] = "version",
};

bool flag_attribute_type(const char *name, enum flag_attribute_type *ret)
{
    for (size_t i = 0; i < sizeof type_names / sizeof type_names[0]; i++) {
        if (streq(name, type_names[i])) {
            *ret = (enum flag_attribute_type)i;
            return true;
        }
    }
    return false;
}

const char *flag_attribute_type_name(enum flag_attribute_type type)
{
    return type_names[type];
}

bool flag_attribute_find(const json_t *declared, const char *name, enum flag_attribute_type *ret,
                         bool *ret_trusted)
{
    const json_t *row = json_object_get(declared, name);
    if (!row || !flag_attribute_type(json_text_or(row, "type", NULL), ret))
        return false;
    *ret_trusted = json_bool_or(row, "trusted", false);
    return true;
}

/* Some engines read blanks around a version and a second v, others do not: nobody gets to see them. */
static bool is_version(const json_t *value)
{
    const char *text = json_string_value(value);
    size_t n = json_string_length(value);
    if (!text || n > VERSION_BYTES_MAX)
        return false;
    if (*text == 'v' || *text == 'V') {
        text++;
        n--;
    }
    return *text >= '0' && *text <= '9' &&
           strspn(text, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.+-") == n;
}

bool flag_attribute_fits(enum flag_attribute_type type, const json_t *value)
{
    switch (type) {
    case FLAG_ATTRIBUTE_STRING:
        return json_is_string(value);
    case FLAG_ATTRIBUTE_VERSION:
        return is_version(value);
    case FLAG_ATTRIBUTE_NUMBER:
        return json_is_number(value);
    case FLAG_ATTRIBUTE_BOOLEAN:
        return json_is_boolean(value);
    case FLAG_ATTRIBUTE_LIST:
        break;
    }
    if (!json_is_array(value))
        return false;
    for (size_t i = 0; i < json_array_size(value); i++) {
        if (!json_is_string(json_array_get(value, i)))
            return false;
    }
    return true;
}

json_t *flag_context_parse(struct str text, const char *name, struct err *e)
{
    return json_parse(text, name, e); /* which is strict about all that rule 1 lists */
}

/* ---- refused ---- */

/* 2 */
static bool number_is_exact(const json_t *value)
{
    if (json_is_integer(value)) {
        json_int_t i = json_integer_value(value);
        return i >= -NUMBER_MAX && i <= NUMBER_MAX;
    }
    double d = json_real_value(value);
    /* beyond 2^53 every double is whole */
    return isfinite(d) && d >= -(double)NUMBER_MAX && d <= (double)NUMBER_MAX;
}

// NOLINTNEXTLINE(misc-no-recursion): json_parse has limited the depth
static bool numbers_are_exact(const json_t *value)
{
    if (json_is_number(value))
        return number_is_exact(value);
    if (json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value); i++) {
            if (!numbers_are_exact(json_array_get(value, i)))
                return false;
        }
    }
    if (json_is_object(value)) {
        /* jansson's iterator wants a non-const object and does not change it */
        json_t *object = (json_t *)(uintptr_t)value;
        for (void *it = json_object_iter(object); it; it = json_object_iter_next(object, it)) {
            if (!numbers_are_exact(json_object_iter_value(it)))
                return false;
        }
    }
    return true;
}

static bool check_given(const json_t *given, struct err *e)
{
    if (!numbers_are_exact(given))
        return err_set(e, ERR_DATA, "the context has a number beyond 2^53 - 1");
    if (given && !json_is_object(given) && !json_is_null(given)) /* 3 */
        return err_set(e, ERR_DATA, "the context is not an object");
    const json_t *key = json_object_get(given, "targetingKey");
    if (key && !json_is_string(key) && !json_is_null(key)) /* 4 */
        return err_set(e, ERR_DATA, "targetingKey is not text");
    return true;
}

/* ---- dropped ---- */

/* 6, 7 and 8 for one member that is not null. */
static bool is_kept(const json_t *declared, const struct flag_caller *caller, const char *name,
                    const json_t *value)
{
    enum flag_attribute_type type;
    bool is_trusted;
    if (streq(name, "$flagd"))
        return false;
    if (!declared || streq(name, "targetingKey"))
        return true;
    if (!flag_attribute_find(declared, name, &type, &is_trusted))
        return false;
    return flag_attribute_fits(type, value) && (!is_trusted || caller->kind == FLAG_CALLER_SERVER);
}

static void keep(json_t *to, const char *name, const json_t *value)
{
    /* a reference more is not a change */
    if (json_object_set(to, name, (json_t *)(uintptr_t)value) != 0)
        memory_exhausted(0);
}

/* 9 */
static unsigned take_identity(json_t *to, const json_t *declared, const struct flag_caller *caller)
{
    unsigned dropped = 0;
    json_t *rows = (json_t *)(uintptr_t)declared;
    if (json_object_set_new(to, "targetingKey", json_string(caller->subject)) != 0)
        memory_exhausted(0);
    for (void *it = json_object_iter(rows); it; it = json_object_iter_next(rows, it)) {
        const char *name = json_object_iter_key(it);
        const json_t *value = json_object_get(caller->app_metadata, name);
        enum flag_attribute_type type;
        bool is_trusted;
        if (!value || json_is_null(value) || streq(name, "targetingKey") ||
            !flag_attribute_find(declared, name, &type, &is_trusted) || !is_trusted)
            continue;
        if (flag_attribute_fits(type, value) && numbers_are_exact(value))
            keep(to, name, value);
        else
            dropped++;
    }
    return dropped;
}

bool flag_normalise(const json_t *declared, const struct flag_caller *caller, const json_t *given,
                    json_t **ret, unsigned *ret_dropped, struct err *e)
{
    if (!check_given(given, e))
        return false;
    json_t *context = json_object();
    if (!context)
        memory_exhausted(0);
    unsigned dropped = 0;
    json_t *members = (json_t *)(uintptr_t)given;
    for (void *it = json_object_iter(members); it; it = json_object_iter_next(members, it)) {
        const char *name = json_object_iter_key(it);
        const json_t *value = json_object_iter_value(it);
        if (json_is_null(value)) /* 5 */
            continue;
        if (is_kept(declared, caller, name, value))
            keep(context, name, value);
        else
            dropped++;
    }
    if (caller->kind == FLAG_CALLER_USER)
        dropped += take_identity(context, declared, caller);
    *ret = context;
    *ret_dropped = dropped;
    return true;
}
