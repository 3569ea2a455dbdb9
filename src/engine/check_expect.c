/*
 * The pure half of checks: templates, comparing JSON, packing. See check.h.
 */
#include "base/limits.h"
#include "base/strbuf.h"
#include "engine/check.h"

#include <stdio.h>

#define TEMPLATE_BYTES (64 * KIB)

static const char *template_value(struct str name, const struct check_values *v, bool *ret_known)
{
    const struct {
        const char *name;
        const char *value;
    } rows[] = {
        { "site", v->site },           { "functions", v->functions },
        { "supabase", v->supabase },   { "release", v->release },
        { "permalink", v->permalink }, { "environment", v->environment },
        { "anon_key", v->anon_key },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (str_is(name, rows[i].name)) {
            *ret_known = true;
            return rows[i].value;
        }
    }
    *ret_known = false;
    return NULL;
}

/* Is {…} a template, or just a brace (JSON is full of them)? Templates are lower-case words. */
static bool is_template(struct str name)
{
    if (name.n == 0 || name.n > 32)
        return false;
    for (size_t i = 0; i < name.n; i++) {
        if (!((name.p[i] >= 'a' && name.p[i] <= 'z') || name.p[i] == '_'))
            return false;
    }
    return true;
}

bool check_expand(struct arena *a, const char *text, const struct check_values *values,
                  const char **ret, struct err *e)
{
    CLEANUP(strbuf) struct strbuf out = strbuf_init(TEMPLATE_BYTES);
    for (const char *p = text; *p;) {
        const char *end = *p == '{' ? strchr(p, '}') : NULL;
        struct str name = end ? (struct str){ p + 1, (size_t)(end - p - 1) } : (struct str){ 0 };
        if (!end || !is_template(name)) {
            (void)strbuf_addc(&out, *p++);
            continue;
        }
        bool known = false;
        const char *value = template_value(name, values, &known);
        if (!known)
            return err_set(e, ERR_CONFIG, "unknown template {%.*s} in \"%s\"", STR_FMT(name), text);
        if (!value)
            return err_set(e, ERR_CONFIG, "{%.*s} has no value here, in \"%s\"", STR_FMT(name),
                           text);
        (void)strbuf_adds(&out, value);
        p = end + 1;
    }
    if (out.overflowed)
        return err_set(e, ERR_LIMIT, "a filled-in template is larger than %zu bytes",
                       TEMPLATE_BYTES);
    *ret = arena_strdup(a, strbuf_text(&out));
    return true;
}

static const char *join_path(struct arena *a, const char *outer, const char *key)
{
    return outer[0] ? arena_printf(a, "%s.%s", outer, key) : arena_strdup(a, key);
}

// NOLINTNEXTLINE(misc-no-recursion): both documents passed the parser's depth limit
static bool contains(struct arena *a, const json_t *whole, json_t *part, const char *path,
                     const char **ret_path)
{
    if (json_is_object(part) && json_is_object(whole)) {
        const char *key;
        json_t *value;
        json_object_foreach (part, key, value) {
            const char *inner = join_path(a, path, key);
            const json_t *found = json_object_get(whole, key);
            if (!found || !contains(a, found, value, inner, ret_path)) {
                if (!found)
                    *ret_path = inner;
                return false;
            }
        }
        return true;
    }
    if (json_is_array(part) && json_is_array(whole) &&
        json_array_size(part) <= json_array_size(whole)) {
        for (size_t i = 0; i < json_array_size(part); i++) {
            const char *inner = join_path(a, path, arena_printf(a, "%zu", i));
            if (!contains(a, json_array_get(whole, i), json_array_get(part, i), inner, ret_path))
                return false;
        }
        return true;
    }
    if (json_is_number(part) && json_is_number(whole) &&
        json_number_value(part) == json_number_value(whole))
        return true;
    if (json_equal(whole, part))
        return true;
    *ret_path = path;
    return false;
}

bool check_json_contains(struct arena *a, const json_t *whole, json_t *part, const char **ret_path)
{
    const char *path = "";
    bool same = contains(a, whole, part, "", &path);
    if (!same && ret_path)
        *ret_path = path;
    return same;
}

static json_t *text_or_null(const char *text)
{
    return text ? json_string(text) : json_null();
}

json_t *check_pack(const struct config_check *check)
{
    json_t *headers = json_object();
    for (size_t i = 0; i < check->expect.headers.n; i++)
        json_object_set_new(headers, check->expect.headers.v[i].name,
                            json_string(check->expect.headers.v[i].value));
    return json_pack("{s:s, s:o, s:o, s:I, s:o, s:o, s:o, s:I, s:I, s:I, s:o}", "name", check->name,
                     "url", text_or_null(check->url), "run", text_or_null(check->run), "status",
                     (json_int_t)check->expect.status, "contains",
                     text_or_null(check->expect.contains), "json", text_or_null(check->expect.json),
                     "headers", headers, "repeat", (json_int_t)check->repeat, "within_ms",
                     (json_int_t)check->within_ms, "timeout_ms", (json_int_t)check->timeout_ms,
                     "module", text_or_null(check->module));
}

static const char *copy_text(struct arena *a, const json_t *object, const char *key)
{
    const char *text = json_text_or(object, key, NULL);
    return text ? arena_strdup(a, text) : NULL;
}

struct config_check check_unpack(struct arena *a, const json_t *packed)
{
    struct config_check check = {
        .name = arena_strdup(a, json_text_or(packed, "name", "unnamed")),
        .url = copy_text(a, packed, "url"),
        .run = copy_text(a, packed, "run"),
        .expect = { .status = json_int_or(packed, "status", 200),
                    .contains = copy_text(a, packed, "contains"),
                    .json = copy_text(a, packed, "json") },
        .repeat = json_int_or(packed, "repeat", 1),
        .within_ms = json_int_or(packed, "within_ms", 10000),
        .timeout_ms = json_int_or(packed, "timeout_ms", 60000),
        .module = copy_text(a, packed, "module"),
    };
    json_t *headers = json_object_get(packed, "headers");
    size_t n = json_object_size(headers);
    check.expect.headers.v = ARENA_ARRAY(a, struct text_pair, n > 0 ? n : 1);
    const char *key;
    json_t *value;
    json_object_foreach (headers, key, value) {
        check.expect.headers.v[check.expect.headers.n++] =
            (struct text_pair){ arena_strdup(a, key), arena_strdup(a, json_string_value(value)) };
    }
    return check;
}
