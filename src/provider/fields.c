#include "provider/fields.h"

#include "base/json.h"

#include <string.h>

struct fields fields_of(struct arena *a, const json_t *value, const char *name, struct err *e)
{
    struct fields f = { .arena = a, .object = value, .name = name, .e = e };
    if (!json_is_object(value)) {
        err_set(e, ERR_DATA, "%s: the answer is no object", name);
        f.has_failed = true;
    }
    return f;
}

bool fields_ok(const struct fields *f)
{
    return !f->has_failed;
}

static void surprise(struct fields *f, const char *key, const char *what)
{
    if (!f->has_failed)
        err_set(f->e, ERR_DATA, "%s: \"%s\" %s", f->name, key, what);
    f->has_failed = true;
}

/* The member, NULL when it is absent, null, or a surprise came before. */
static const json_t *member(const struct fields *f, const char *key)
{
    const json_t *value = f->has_failed ? NULL : json_object_get(f->object, key);
    return json_is_null(value) ? NULL : value;
}

static bool is_word(const char *text, size_t n)
{
    if (n == 0 || n > FIELD_ID_BYTES || strlen(text) != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] <= ' ' || text[i] == 127)
            return false;
    return true;
}

const char *field_id(struct fields *f, const char *key)
{
    const json_t *value = member(f, key);
    if (!value)
        surprise(f, key, "is missing");
    else if (!json_is_string(value))
        surprise(f, key, "is no text");
    else if (!is_word(json_string_value(value), json_string_length(value)))
        surprise(f, key, "is empty, too long, or has blanks in it");
    return f->has_failed ? "" : arena_strdup(f->arena, json_string_value(value));
}

const char *field_text(struct fields *f, const char *key)
{
    const json_t *value = member(f, key);
    if (!value)
        return "";
    if (!json_is_string(value))
        surprise(f, key, "is no text");
    else if (json_string_length(value) > FIELD_TEXT_BYTES)
        surprise(f, key, "is longer than 64 KiB");
    else if (strlen(json_string_value(value)) != json_string_length(value))
        surprise(f, key, "has a zero byte in it");
    return f->has_failed ? "" : arena_strdup(f->arena, json_string_value(value));
}

const char *field_need_text(struct fields *f, const char *key)
{
    const char *text = field_text(f, key);
    if (!*text)
        surprise(f, key, "is missing or empty");
    return text;
}

bool field_flag(struct fields *f, const char *key, bool otherwise)
{
    const json_t *value = member(f, key);
    if (value && !json_is_boolean(value))
        surprise(f, key, "is neither true nor false");
    return value && !f->has_failed ? json_is_true(value) : otherwise;
}

int64_t field_number(struct fields *f, const char *key, int64_t otherwise)
{
    const json_t *value = member(f, key);
    if (value && !json_is_integer(value))
        surprise(f, key, "is no whole number");
    return value && !f->has_failed ? (int64_t)json_integer_value(value) : otherwise;
}

int64_t field_count(struct fields *f, const char *key)
{
    int64_t n = field_number(f, key, -1);
    if (n < 0)
        surprise(f, key, "is missing or below zero");
    return n < 0 ? 0 : n;
}

const json_t *field_object(struct fields *f, const char *key)
{
    const json_t *value = member(f, key);
    if (value && !json_is_object(value))
        surprise(f, key, "is no object");
    return f->has_failed ? NULL : value;
}

const json_t *field_list(struct fields *f, const char *key)
{
    const json_t *value = member(f, key);
    if (value && !json_is_array(value))
        surprise(f, key, "is no list");
    return f->has_failed ? NULL : value;
}

const json_t *field_need_list(struct fields *f, const char *key)
{
    const json_t *value = field_list(f, key);
    if (!value)
        surprise(f, key, "is missing: it must be a list");
    return value;
}

bool answer_is_list(const json_t *value, const char *name, struct err *e)
{
    return json_is_array(value) || err_set(e, ERR_DATA, "%s: the answer is no list", name);
}
