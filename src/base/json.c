/*
 * JSON: see json.h.
 */
#include "base/json.h"

#include "base/limits.h"

// NOLINTNEXTLINE(misc-no-recursion): no deeper than what is allowed
static unsigned depth_of(const json_t *value, unsigned allowed)
{
    if (allowed == 0 || !(json_is_object(value) || json_is_array(value)))
        return 0;
    unsigned deepest = 0;
    if (json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value); i++) {
            unsigned d = depth_of(json_array_get(value, i), allowed - 1);
            deepest = d > deepest ? d : deepest;
        }
        return deepest + 1;
    }
    /* jansson's iterator wants a non-const object and does not change it */
    json_t *object = (json_t *)(uintptr_t)value;
    for (void *it = json_object_iter(object); it; it = json_object_iter_next(object, it)) {
        unsigned d = depth_of(json_object_iter_value(it), allowed - 1);
        deepest = d > deepest ? d : deepest;
    }
    return deepest + 1;
}

json_t *json_parse(struct str text, const char *name, struct err *e)
{
    if (text.n > LIMIT_JSON_BYTES) {
        err_set(e, ERR_LIMIT, "%s: %zu bytes of JSON; at most %zu are read", name, text.n,
                LIMIT_JSON_BYTES);
        return NULL;
    }
    json_error_t at;
    json_t *value = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &at);
    if (!value) {
        err_set(e, ERR_DATA, "%s: not valid JSON: %s", name, at.text);
        err_where(e, "%s:%d:%d", name, at.line, at.column);
        return NULL;
    }
    if (depth_of(value, LIMIT_JSON_DEPTH + 1) > LIMIT_JSON_DEPTH) {
        err_set(e, ERR_LIMIT, "%s: JSON nested deeper than %d", name, LIMIT_JSON_DEPTH);
        json_decref(value);
        return NULL;
    }
    return value;
}

static char *dump(struct arena *a, const json_t *value, size_t flags)
{
    char *text = json_dumps(value, flags | JSON_COMPACT | JSON_ENCODE_ANY);
    if (!text)
        memory_exhausted(0);
    char *copy = arena_strdup(a, text);
    free(text);
    return copy;
}

char *json_text(struct arena *a, const json_t *value)
{
    return dump(a, value, JSON_SORT_KEYS);
}

char *json_text_in_order(struct arena *a, const json_t *value)
{
    return dump(a, value, 0);
}

const char *json_text_or(const json_t *object, const char *key, const char *otherwise)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : otherwise;
}

int64_t json_int_or(const json_t *object, const char *key, int64_t otherwise)
{
    const json_t *value = json_object_get(object, key);
    return json_is_integer(value) ? (int64_t)json_integer_value(value) : otherwise;
}

bool json_bool_or(const json_t *object, const char *key, bool otherwise)
{
    const json_t *value = json_object_get(object, key);
    return json_is_boolean(value) ? json_is_true(value) : otherwise;
}

bool json_need_text(const json_t *object, const char *key, const char *name, const char **ret,
                    struct err *e)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (!text)
        return err_set(e, ERR_DATA, "%s: no text \"%s\" in the answer", name, key);
    *ret = text;
    return true;
}

bool json_need_array(const json_t *object, const char *key, const char *name, json_t **ret,
                     struct err *e)
{
    json_t *value = json_object_get(object, key);
    if (!json_is_array(value))
        return err_set(e, ERR_DATA, "%s: no array \"%s\" in the answer", name, key);
    *ret = value;
    return true;
}
