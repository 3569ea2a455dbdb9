#include "local/project.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/limits.h"

#include <ctype.h>
#include <pthread.h>
#include <string.h>

struct project {
    struct arena *arena;
    pthread_mutex_t mutex;
    const char *dir;
    json_t *functions; /* slug → object */
    json_t *secrets;   /* name → {"value","updated_at"} */
};

/* ---- Files ----------------------------------------------------------------------------------- */

static bool load(struct project *p, const char *file, json_t **ret, struct err *e)
{
    struct arena *scratch = arena_new(64 * MIB);
    struct str text;
    json_t *value = NULL;
    const char *path = fs_join(scratch, p->dir, file);
    if (!fs_exists(path))
        value = json_object();
    else if (fs_read(scratch, path, LIMIT_JSON_BYTES, &text, e))
        value = json_parse(text, file, e);
    arena_free(scratch);
    if (!value)
        return false;
    *ret = value;
    return true;
}

/* Writes `value`; only then does *current become it. Takes the reference. */
static bool store(struct project *p, const char *file, json_t *value, json_t **current,
                  struct err *e)
{
    struct arena *scratch = arena_new(64 * MIB);
    bool ok =
        fs_replace(fs_join(scratch, p->dir, file), str_of(json_text(scratch, value)), 0600, e);
    arena_free(scratch);
    if (!ok) {
        json_decref(value);
        return false;
    }
    json_decref(*current);
    *current = value;
    return true;
}

bool project_open(const char *dir, struct project **ret, struct err *e)
{
    struct arena *a = arena_new(1 * MIB);
    struct project *p = ARENA_NEW(a, struct project);
    p->arena = a;
    p->dir = arena_strdup(a, dir);
    (void)pthread_mutex_init(&p->mutex, NULL);
    if (!fs_mkdirs(dir, 0700, e) || !load(p, "functions.json", &p->functions, e) ||
        !load(p, "secrets.json", &p->secrets, e)) {
        project_close(p);
        return false;
    }
    *ret = p;
    return true;
}

void project_close(struct project *p)
{
    if (!p)
        return;
    json_decref(p->functions);
    json_decref(p->secrets);
    (void)pthread_mutex_destroy(&p->mutex);
    arena_free(p->arena);
}

const char *project_dir(const struct project *p)
{
    return p->dir;
}

bool project_clear(struct project *p, struct err *e)
{
    (void)pthread_mutex_lock(&p->mutex);
    bool ok = store(p, "functions.json", json_object(), &p->functions, e) &&
              store(p, "secrets.json", json_object(), &p->secrets, e);
    (void)pthread_mutex_unlock(&p->mutex);
    return ok;
}

/* ---- Functions ------------------------------------------------------------------------------- */

json_t *project_functions(struct project *p)
{
    json_t *list = json_array();
    const char *slug;
    json_t *one;
    (void)pthread_mutex_lock(&p->mutex);
    json_object_foreach (p->functions, slug, one)
        (void)json_array_append_new(list, json_deep_copy(one));
    (void)pthread_mutex_unlock(&p->mutex);
    return list;
}

json_t *project_function(struct project *p, const char *slug)
{
    (void)pthread_mutex_lock(&p->mutex);
    json_t *copy = json_deep_copy(json_object_get(p->functions, slug));
    (void)pthread_mutex_unlock(&p->mutex);
    return copy;
}

json_t *project_next_function(struct project *p, const char *slug, const json_t *members)
{
    int64_t now_ms = clock_unix_ms();
    json_t *next = project_function(p, slug);
    if (!next) {
        struct arena *scratch = arena_new(64 * KIB);
        next = json_pack("{s:s, s:s, s:s, s:s, s:i, s:I, s:b, s:b}", "id", random_uuid(scratch),
                         "slug", slug, "name", slug, "status", "ACTIVE", "version", 0, "created_at",
                         (json_int_t)now_ms, "verify_jwt", 1, "import_map", 0);
        arena_free(scratch);
    }
    (void)json_object_del(next, "import_map_path");
    json_t *copy = json_deep_copy(members);
    (void)json_object_update(next, copy);
    json_decref(copy);
    (void)json_object_set_new(next, "version", json_integer(json_int_or(next, "version", 0) + 1));
    (void)json_object_set_new(next, "updated_at", json_integer(now_ms));
    return next;
}

/* One function of a bulk update: only what we know, and a version that never falls. */
static json_t *laid_over(const json_t *functions, const json_t *given)
{
    static const char *const kept[] = { "id",
                                        "slug",
                                        "name",
                                        "status",
                                        "verify_jwt",
                                        "import_map",
                                        "entrypoint_path",
                                        "import_map_path",
                                        "created_at",
                                        "ezbr_sha256",
                                        NULL };
    const json_t *old = json_object_get(functions, json_text_or(given, "slug", ""));
    json_t *one = old ? json_deep_copy(old) : json_object();
    if (old && !json_object_get(given, "import_map_path"))
        (void)json_object_del(one, "import_map_path");
    for (const char *const *key = kept; *key; key++)
        if (json_object_get(given, *key))
            (void)json_object_set_new(one, *key, json_deep_copy(json_object_get(given, *key)));
    int64_t before = json_int_or(old, "version", 0);
    int64_t version = json_int_or(given, "version", before + 1);
    bool is_same =
        old && streq(json_text_or(old, "ezbr_sha256", ""), json_text_or(given, "ezbr_sha256", "?"));
    if (version < before || (version == before && !is_same))
        version = before + 1;
    (void)json_object_set_new(one, "version", json_integer(version));
    (void)json_object_set_new(one, "updated_at", json_integer(clock_unix_ms()));
    if (!json_object_get(one, "created_at"))
        (void)json_object_set_new(one, "created_at", json_integer(clock_unix_ms()));
    return one;
}

bool project_put_functions(struct project *p, const json_t *functions, json_t **ret, struct err *e)
{
    json_t *stored = json_array();
    size_t i;
    json_t *given;
    (void)pthread_mutex_lock(&p->mutex);
    json_t *all = json_copy(p->functions);
    json_array_foreach (functions, i, given) {
        json_t *one = laid_over(p->functions, given);
        (void)json_object_set(all, json_text_or(one, "slug", ""), one);
        (void)json_array_append_new(stored, json_deep_copy(one));
        json_decref(one);
    }
    bool ok = store(p, "functions.json", all, &p->functions, e);
    (void)pthread_mutex_unlock(&p->mutex);
    if (!ok) {
        json_decref(stored);
        return false;
    }
    *ret = stored;
    return true;
}

bool project_delete_function(struct project *p, const char *slug, bool *ret_found, struct err *e)
{
    (void)pthread_mutex_lock(&p->mutex);
    bool found = json_object_get(p->functions, slug) != NULL;
    json_t *all = json_copy(p->functions);
    (void)json_object_del(all, slug);
    bool ok = store(p, "functions.json", all, &p->functions, e);
    (void)pthread_mutex_unlock(&p->mutex);
    *ret_found = found;
    return ok;
}

/* ---- Secrets --------------------------------------------------------------------------------- */

json_t *project_secret_digests(struct project *p)
{
    json_t *list = json_array();
    const char *name;
    json_t *secret;
    (void)pthread_mutex_lock(&p->mutex);
    json_object_foreach (p->secrets, name, secret) {
        char digest[SHA256_HEX_BYTES];
        hash_hex(HASH_SHA256, str_of(json_text_or(secret, "value", "")), digest);
        (void)json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "name", name, "value",
                                                    digest, "updated_at",
                                                    json_text_or(secret, "updated_at", "")));
    }
    (void)pthread_mutex_unlock(&p->mutex);
    return list;
}

json_t *project_secret_values(struct project *p)
{
    json_t *values = json_object();
    const char *name;
    json_t *secret;
    (void)pthread_mutex_lock(&p->mutex);
    json_object_foreach (p->secrets, name, secret)
        (void)json_object_set_new(values, name, json_string(json_text_or(secret, "value", "")));
    (void)pthread_mutex_unlock(&p->mutex);
    return values;
}

/* A name that an environment can carry, and that the platform does not keep for itself. */
static bool check_secret(const json_t *secret, struct err *e)
{
    const char *name = json_text_or(secret, "name", "");
    const json_t *value = json_object_get(secret, "value");
    size_t n = strlen(name);
    bool is_word = n > 0 && !isdigit((unsigned char)name[0]);
    for (size_t i = 0; i < n; i++)
        is_word = is_word && (isalnum((unsigned char)name[i]) || name[i] == '_');
    if (!is_word || n > LIMIT_SECRET_NAME_BYTES)
        return err_set(e, ERR_DATA, "Invalid secret name: %.80s", name);
    if (starts_with(name, "SUPABASE_"))
        return err_set(e, ERR_DATA, "Secret names must not start with SUPABASE_: %.80s", name);
    if (!json_is_string(value))
        return err_set(e, ERR_DATA, "Secret %.80s has no value", name);
    if (json_string_length(value) > LIMIT_SECRET_VALUE_BYTES)
        return err_set(e, ERR_DATA, "Secret %.80s is longer than %d bytes", name,
                       LIMIT_SECRET_VALUE_BYTES);
    return strlen(json_string_value(value)) == json_string_length(value) ||
           err_set(e, ERR_DATA, "Secret %.80s contains a zero byte", name);
}

bool project_set_secrets(struct project *p, const json_t *secrets, struct err *e)
{
    struct arena *scratch = arena_new(64 * KIB);
    const char *now = clock_rfc3339(scratch, clock_unix_ms());
    size_t i;
    json_t *one;
    bool ok = true;
    (void)pthread_mutex_lock(&p->mutex);
    json_t *all = json_copy(p->secrets);
    json_array_foreach (secrets, i, one) {
        ok = ok && check_secret(one, e);
        if (ok)
            (void)json_object_set_new(
                all, json_text_or(one, "name", ""),
                json_pack("{s:O, s:s}", "value", json_object_get(one, "value"), "updated_at", now));
    }
    if (ok && json_object_size(all) > LIMIT_VARIABLES)
        ok = err_set(e, ERR_DATA, "A project has at most %d secrets", LIMIT_VARIABLES);
    if (ok)
        ok = store(p, "secrets.json", all, &p->secrets, e);
    else
        json_decref(all);
    (void)pthread_mutex_unlock(&p->mutex);
    arena_free(scratch);
    return ok;
}

bool project_unset_secrets(struct project *p, const json_t *names, struct err *e)
{
    size_t i;
    json_t *name;
    (void)pthread_mutex_lock(&p->mutex);
    json_t *all = json_copy(p->secrets);
    json_array_foreach (names, i, name)
        if (json_is_string(name))
            (void)json_object_del(all, json_string_value(name));
    bool ok = store(p, "secrets.json", all, &p->secrets, e);
    (void)pthread_mutex_unlock(&p->mutex);
    return ok;
}
