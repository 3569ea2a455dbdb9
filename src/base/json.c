/*
 * JSON: see json.h.
 */
#include "base/json.h"

#include "base/cleanup.h"
#include "base/limits.h"
#include "base/strbuf.h"

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

json_t *json_parse_deep(struct str text, const char *name, unsigned depth, struct err *e)
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
    if (depth_of(value, depth + 1) > depth) {
        err_set(e, ERR_LIMIT, "%s: JSON nested deeper than %u", name, depth);
        json_decref(value);
        return NULL;
    }
    return value;
}

json_t *json_parse(struct str text, const char *name, struct err *e)
{
    return json_parse_deep(text, name, LIMIT_JSON_DEPTH, e);
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

/* ---- shape ---- */

static const char *type_of(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "object";
    case JSON_ARRAY:
        return "list";
    case JSON_STRING:
        return *json_string_value(value) ? "text" : "empty text";
    case JSON_INTEGER:
    case JSON_REAL:
        return "number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "boolean";
    case JSON_NULL:
        return "null";
    }
    return "?";
}

/* A member's name comes from outside too. */
static void add_name(struct strbuf *to, const char *name)
{
    for (; *name; name++)
        (void)strbuf_add(to, (unsigned char)*name < ' ' || *name == 127 ? "?" : name, 1);
}

// NOLINTNEXTLINE(misc-no-recursion): three levels
static void add_shape(struct strbuf *to, const json_t *value, int levels)
{
    if (levels == 0 || !(json_is_object(value) || json_is_array(value))) {
        (void)strbuf_adds(to, value ? type_of(value) : "nothing");
        return;
    }
    if (json_is_array(value)) {
        char count[40];
        (void)snprintf(count, sizeof count, "[%zu × ", json_array_size(value));
        (void)strbuf_adds(to, json_array_size(value) ? count : "[");
        if (json_array_size(value))
            add_shape(to, json_array_get(value, 0), levels - 1);
        (void)strbuf_adds(to, "]");
        return;
    }
    const char *separator = "{";
    json_t *object = (json_t *)(uintptr_t)value; /* the iterator does not change it */
    for (void *it = json_object_iter(object); it; it = json_object_iter_next(object, it)) {
        (void)strbuf_adds(to, separator);
        add_name(to, json_object_iter_key(it));
        (void)strbuf_adds(to, ": ");
        add_shape(to, json_object_iter_value(it), levels - 1);
        separator = ", ";
    }
    (void)strbuf_adds(to, json_object_size(value) ? "}" : "{}");
}

char *json_shape(struct arena *a, const json_t *value, size_t max_bytes)
{
    CLEANUP(strbuf) struct strbuf text = strbuf_init(max_bytes);
    add_shape(&text, value, 3);
    return arena_printf(a, "%s%s", strbuf_text(&text), text.overflowed ? "…" : "");
}

/* ---- members ---- */

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
