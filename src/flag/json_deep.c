/*
 * JSON that holds rules: see flag_json_parse() in document.h.
 */
#include "base/limits.h"
#include "flag/document.h"

#define DEEPER 8 /* {"document":{"flags":{"key":{"targeting": stands around a rule */

// NOLINTNEXTLINE(misc-no-recursion): no deeper than `allowed`
static bool fits(const json_t *value, unsigned allowed)
{
    if (!json_is_object(value) && !json_is_array(value))
        return true;
    if (allowed == 0)
        return false;
    for (size_t i = 0; i < json_array_size(value); i++)
        if (!fits(json_array_get(value, i), allowed - 1))
            return false;
    const char *key;
    json_t *member;
    /* jansson's iterator wants a non-const object and does not change it */
    json_object_foreach ((json_t *)(uintptr_t)value, key, member)
        if (!fits(member, allowed - 1))
            return false;
    return true;
}

json_t *flag_json_parse(struct str text, const char *name, struct err *e)
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
    if (fits(value, LIMIT_JSON_DEPTH + DEEPER))
        return value;
    err_set(e, ERR_LIMIT, "%s: JSON nested deeper than %d", name, LIMIT_JSON_DEPTH + DEEPER);
    json_decref(value);
    return NULL;
}
