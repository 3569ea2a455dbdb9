/*
 * An environment is a database, a site, a PostgREST, its functions and a port. Each step of
 * bringing one up finds out by itself whether it was done before.
 */
#include "local/environments.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "base/log.h"
#include "local/auth.h"
#include "local/flag_gate.h"
#include "local/functions.h"
#include "local/identity.h"
#include "local/rest.h"
#include "local/routes.h"

#include <ctype.h>

struct platform_environment *platform_by_name(struct platform *p, const char *name)
{
    for (size_t i = 0; i < atomic_load(&p->environments_n); i++)
        if (!atomic_load(&p->environments[i]->is_removed) &&
            (streq(p->environments[i]->id.name, name) || streq(p->environments[i]->attached, name)))
            return p->environments[i];
    return NULL;
}

struct platform_environment *platform_by_ref(struct platform *p, const char *ref)
{
    for (size_t i = 0; i < atomic_load(&p->environments_n); i++)
        if (streq(p->environments[i]->id.project_ref, ref))
            return p->environments[i];
    return NULL;
}

/* "my-app" and "staging" → my_app_staging: a name that needs no quotes anywhere. */
static char *database_name(struct arena *a, const char *project, const char *environment)
{
    char *name = arena_printf(a, "%s_%s", project, environment);
    for (char *c = name; *c; c++)
        *c = isalnum((unsigned char)*c) ? (char)tolower((unsigned char)*c) : '_';
    if (strlen(name) > 63)
        name[63] = '\0';
    return name;
}

static bool make_parts(struct platform *p, struct platform_environment *env, struct err *e)
{
    struct site_spec site = { .name = env->id.site_name,
                              .id = env->id.site_id,
                              .port = env->id.port };
    env->auth = auth_new(env);
    if (!env->flags)
        env->flags = flag_gate_new(env);
    if (!cluster_database(p->cluster, env->database, e) || !rest_start(env, &env->rest, e) ||
        !functions_open(env, p->tools, &env->functions, e))
        return false;
    if (env->id.is_created) /* sites are made by themselves */
        return true;
    if (!sites_ensure(p->sites, &site, &env->site, e))
        return false;
    env->id.site_id = arena_strdup(p->arena, site_id(env->site));
    return true;
}

static void stop_parts(struct platform_environment *env)
{
    functions_close(env->functions);
    rest_stop(env->rest);
    auth_free(env->auth);
    env->functions = NULL;
    env->auth = NULL;
    env->rest = NULL;
}

static void take_settings(struct platform *p, const json_t *wanted, struct platform_settings *ret)
{
    struct arena *a = p->arena;
    *ret = (struct platform_settings){
        .api_schemas = arena_strdup(a, json_text_or(wanted, "schemas", "public,graphql_public")),
        .api_extra_search_path =
            arena_strdup(a, json_text_or(wanted, "search_path", "public,extensions")),
        .api_max_rows = (int)json_int_or(wanted, "max_rows", 1000),
    };
}

/* One that failed to come up before and has its port, or a new one. */
static bool make_environment(struct platform *p, const json_t *wanted,
                             struct platform_environment **ret, struct err *e)
{
    struct arena *a = p->arena;
    const char *name = json_text_or(wanted, "name", "");
    for (struct platform_environment **at = &p->unready; *at; at = &(*at)->next_unready) {
        if (streq((*at)->id.name, name)) {
            *ret = *at;
            *at = (*at)->next_unready;
            return true;
        }
    }
    struct platform_environment *env = ARENA_NEW(a, struct platform_environment);
    env->platform = p;
    identity_environment(a, &p->id, name, &env->id);
    take_settings(p, wanted, &env->settings);
    env->database = database_name(a, p->id.project, name);
    if (!routes_listen(p, env, e))
        return false;
    identity_finish(a, &p->id, p->database_password, env->database, &env->id);
    *ret = env;
    return true;
}

/* Room for one more? Those that were removed keep their slot until the daemon ends. */
static bool check_room(const struct platform *p, struct err *e)
{
    size_t n = atomic_load(&p->environments_n);
    size_t live = 0;
    for (size_t i = 0; i < n; i++)
        live += !atomic_load(&p->environments[i]->is_removed);
    if (live < PLATFORM_ENVIRONMENTS_MAX && n < PLATFORM_SLOTS_MAX)
        return true;
    err_set(e, ERR_LIMIT, "more than %d environments", PLATFORM_ENVIRONMENTS_MAX);
    return live < PLATFORM_ENVIRONMENTS_MAX
               ? err_hint(e, "lockflight local down && lockflight local up")
               : false;
}

static void publish(struct platform *p, struct platform_environment *env)
{
    size_t n = atomic_load(&p->environments_n);
    p->environments[n] = env;
    atomic_store(&p->environments_n, n + 1);
}

/* A declared environment that names a created project is that project, with its own settings. */
static bool attach(struct platform *p, const json_t *wanted, struct platform_environment *env,
                   struct err *e)
{
    struct platform_settings settings;
    env->attached = arena_strdup(p->arena, json_text_or(wanted, "name", ""));
    take_settings(p, wanted, &settings);
    bool is_same = streq(settings.api_schemas, env->settings.api_schemas) &&
                   streq(settings.api_extra_search_path, env->settings.api_extra_search_path) &&
                   settings.api_max_rows == env->settings.api_max_rows;
    if (is_same)
        return true;
    env->settings = settings;
    return !atomic_load(&env->is_ready) || (rest_pause(env->rest, e) && rest_resume(env->rest, e));
}

static bool bring_up(struct platform *p, const json_t *wanted, struct err *e)
{
    const char *name = json_text_or(wanted, "name", "");
    struct platform_environment *env = platform_by_ref(p, json_text_or(wanted, "ref", ""));
    if (env && env->id.is_created && !atomic_load(&env->is_removed))
        return attach(p, wanted, env, e);
    if (platform_by_name(p, name))
        return true;
    if (!check_room(p, e))
        return false;
    if (!make_environment(p, wanted, &env, e))
        return false;
    if (!make_parts(p, env, e)) {
        stop_parts(env);
        env->next_unready = p->unready;
        p->unready = env;
        return err_wrap(e, "bring up %s", name);
    }
    atomic_store(&env->is_ready, true);
    publish(p, env);
    return true;
}

static bool has_slot(const struct platform *p, const char *name)
{
    for (size_t i = 0; i < atomic_load(&p->environments_n); i++)
        if (streq(p->environments[i]->id.name, name))
            return true;
    return false;
}

/* What runs, and what was known before and is not declared now: its keys are kept. */
static bool write_down(struct platform *p, struct err *e)
{
    size_t running = atomic_load(&p->environments_n);
    size_t n = 0;
    struct local_environment *all =
        ARENA_ARRAY(p->arena, struct local_environment, running + p->id.environments_n);
    for (size_t i = 0; i < running; i++)
        if (!atomic_load(&p->environments[i]->is_removed))
            all[n++] = p->environments[i]->id;
    for (size_t i = 0; i < p->id.environments_n; i++)
        if (!has_slot(p, p->id.environments[i].name))
            all[n++] = p->id.environments[i];
    p->id.environments = all;
    p->id.environments_n = n;
    return local_platform_write(p->arena, p->state_dir, &p->id, e);
}

/* ---- Projects made over the API -------------------------------------------------------------- */

bool environments_add_created(struct platform *p, struct platform_environment *env, struct err *e)
{
    env->platform = p;
    take_settings(p, NULL, &env->settings);
    env->database = arena_printf(p->arena, "project_%s", env->id.project_ref);
    if (!check_room(p, e) || !routes_listen(p, env, e))
        return false;
    identity_finish(p->arena, &p->id, p->database_password, env->database, &env->id);
    publish(p, env);
    if (write_down(p, e))
        return true;
    atomic_store(&env->is_removed, true);
    return false;
}

/* Those of an earlier life of the daemon get their slots back. */
static void recall(struct platform *p)
{
    struct err e;
    for (size_t i = 0; i < p->id.environments_n; i++) {
        if (!p->id.environments[i].is_created || has_slot(p, p->id.environments[i].name))
            continue;
        struct platform_environment *env = ARENA_NEW(p->arena, struct platform_environment);
        env->id = p->id.environments[i];
        if (!environments_add_created(p, env, &e))
            log_event("project.recall", "%s: %s", env->id.name, e.why);
    }
}

/* The role of the project's own password: it is postgres as soon as it has logged in. */
static bool make_role(struct platform *p, const struct platform_environment *env, struct err *e)
{
    CLEANUP(sql) struct sql *admin = NULL;
    CLEANUP(arena) struct arena *a = arena_new(0);
    if (!cluster_connect(p->cluster, "template1", "supabase_admin", NULL, &admin, e))
        return false;
    const char *name = arena_printf(a, "postgres.%s", env->id.project_ref);
    const char *role = sql_identifier(admin, a, name);
    const char *sql = arena_printf(
        a,
        "do $$ begin if not exists (select from pg_roles where rolname = '%s') then create role %s "
        "in role postgres; end if; end $$; alter role %s login password %s; "
        "alter role %s set role = postgres",
        name, role, role, sql_literal(admin, a, env->id.password), role);
    return sql_run(admin, sql, e);
}

void environments_raise(struct platform *p)
{
    struct err e;
    for (size_t i = 0; i < atomic_load(&p->environments_n); i++) {
        struct platform_environment *env = p->environments[i];
        if (atomic_load(&env->is_ready) || atomic_load(&env->is_removed) ||
            atomic_load(&env->has_failed))
            continue;
        if (make_role(p, env, &e) && make_parts(p, env, &e)) {
            atomic_store(&env->is_ready, true);
            continue;
        }
        stop_parts(env);
        atomic_store(&env->has_failed, true);
        log_event("project.raise", "%s: %s: %s", env->id.name, e.what, e.why);
    }
}

/* Its processes end; the structs stay, because a request may still hold them. */
static bool empty(struct platform *p, struct platform_environment *env, struct err *e)
{
    CLEANUP(sql) struct sql *admin = NULL;
    CLEANUP(arena) struct arena *a = arena_new(0);
    if (!cluster_connect(p->cluster, "template1", "supabase_admin", NULL, &admin, e))
        return false;
    const char *name = arena_printf(a, "postgres.%s", env->id.project_ref);
    const char *sql = arena_printf(a, "drop database if exists %s with (force)",
                                   sql_identifier(admin, a, env->database));
    if (env->auth)
        auth_disconnect(env->auth);
    return (!env->functions || functions_reset(env->functions, e)) &&
           (!env->rest || rest_pause(env->rest, e)) && sql_run(admin, sql, e) &&
           sql_run(admin, arena_printf(a, "drop role if exists %s", sql_identifier(admin, a, name)),
                   e);
}

bool environments_remove_created(struct platform *p, struct platform_environment *env,
                                 struct err *e)
{
    atomic_store(&env->is_removed, true); /* from here on nothing is served */
    flag_gate_stop(env->flags);
    if (write_down(p, e) && empty(p, env, e))
        return true;
    return err_wrap(e, "remove project %s", env->id.project_ref);
}

/* ---- All of them ----------------------------------------------------------------------------- */

bool environments_up(struct platform *p, const json_t *wanted, struct err *e)
{
    size_t i;
    json_t *one;
    recall(p);
    for (i = 0; i < atomic_load(&p->environments_n); i++)
        atomic_store(&p->environments[i]->has_failed, false);
    json_array_foreach (wanted, i, one)
        if (!bring_up(p, one, e))
            return false;
    environments_raise(p);
    return write_down(p, e);
}

bool environments_reset(struct platform *p, const char *name, struct err *e)
{
    struct platform_environment *env = platform_by_name(p, name);
    if (!env || !atomic_load(&env->is_ready))
        return err_set(e, ERR_NOT_FOUND, "environment %s is not up", name);
    struct site_spec site = { .name = env->id.site_name,
                              .id = env->id.site_id,
                              .port = env->id.port };
    auth_disconnect(env->auth);
    if (!functions_reset(env->functions, e) || !rest_pause(env->rest, e) ||
        !cluster_database_reset(p->cluster, env->database, e) || !rest_resume(env->rest, e))
        return err_wrap(e, "reset %s", name);
    if (env->id.is_created) /* its site is not ours to empty */
        return true;
    if (!sites_remove(p->sites, env->id.site_name, e) ||
        !sites_ensure(p->sites, &site, &env->site, e))
        return err_wrap(e, "reset %s", name);
    return true;
}

static bool is_serving(struct platform_environment *env)
{
    return atomic_load(&env->is_ready) && !atomic_load(&env->is_removed);
}

void environments_look(struct platform *p)
{
    for (size_t i = 0; i < atomic_load(&p->environments_n); i++)
        if (is_serving(p->environments[i]))
            rest_revive(p->environments[i]->rest);
}

void environments_status(struct platform *p, json_t *parts)
{
    for (size_t i = 0; i < atomic_load(&p->environments_n); i++) {
        struct platform_environment *env = p->environments[i];
        if (!is_serving(env))
            continue;
        (void)json_array_append_new(
            parts, json_pack("{s:s, s:s, s:b, s:i}", "part", "rest", "environment",
                             env->attached ? env->attached : env->id.name, "running",
                             rest_is_running(env->rest), "pid", (int)rest_pid(env->rest)));
        functions_status(env->functions, parts);
    }
}

void environments_quiet(struct platform *p)
{
    for (size_t i = 0; i < atomic_load(&p->environments_n); i++)
        flag_gate_stop(p->environments[i]->flags);
}

void environments_stop(struct platform *p)
{
    for (size_t i = 0; i < atomic_load(&p->environments_n); i++)
        stop_parts(p->environments[i]);
}

void environments_free(struct platform *p)
{
    for (size_t i = 0; i < atomic_load(&p->environments_n); i++)
        flag_gate_free(p->environments[i]->flags);
    for (struct platform_environment *env = p->unready; env; env = env->next_unready)
        flag_gate_free(env->flags);
}
