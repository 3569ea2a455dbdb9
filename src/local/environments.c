/*
 * An environment is a database, a site, a PostgREST, its functions and a port. Each step of
 * bringing one up finds out by itself whether it was done before.
 */
#include "local/environments.h"

#include "base/json.h"
#include "base/log.h"
#include "local/auth.h"
#include "local/functions.h"
#include "local/identity.h"
#include "local/rest.h"
#include "local/routes.h"

#include <ctype.h>

struct platform_environment *platform_by_name(struct platform *p, const char *name)
{
    for (size_t i = 0; i < atomic_load(&p->environments_n); i++)
        if (streq(p->environments[i]->id.name, name))
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
    if (!cluster_database(p->cluster, env->database, e) || !rest_start(env, &env->rest, e) ||
        !functions_open(env, p->tools, &env->functions, e) ||
        !sites_ensure(p->sites, &site, &env->site, e))
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
    env->settings = (struct platform_settings){
        .api_schemas = arena_strdup(a, json_text_or(wanted, "schemas", "public,graphql_public")),
        .api_extra_search_path =
            arena_strdup(a, json_text_or(wanted, "search_path", "public,extensions")),
        .api_max_rows = (int)json_int_or(wanted, "max_rows", 1000),
    };
    env->database = database_name(a, p->id.project, name);
    if (!routes_listen(p, env, e))
        return false;
    identity_finish(a, &p->id, p->database_password, env->database, &env->id);
    *ret = env;
    return true;
}

static bool bring_up(struct platform *p, const json_t *wanted, struct err *e)
{
    const char *name = json_text_or(wanted, "name", "");
    size_t n = atomic_load(&p->environments_n);
    struct platform_environment *env = NULL;
    if (platform_by_name(p, name))
        return true;
    if (n == PLATFORM_ENVIRONMENTS_MAX)
        return err_set(e, ERR_LIMIT, "more than %d environments", PLATFORM_ENVIRONMENTS_MAX);
    if (!make_environment(p, wanted, &env, e))
        return false;
    if (!make_parts(p, env, e)) {
        stop_parts(env);
        env->next_unready = p->unready;
        p->unready = env;
        return err_wrap(e, "bring up %s", name);
    }
    atomic_store(&env->is_ready, true);
    p->environments[n] = env;
    atomic_store(&p->environments_n, n + 1);
    return true;
}

/* What runs, and what was known before and is not declared now: its keys are kept. */
static bool write_down(struct platform *p, struct err *e)
{
    size_t running = atomic_load(&p->environments_n);
    size_t n = 0;
    struct local_environment *all =
        ARENA_ARRAY(p->arena, struct local_environment, running + p->id.environments_n);
    for (size_t i = 0; i < running; i++)
        all[n++] = p->environments[i]->id;
    for (size_t i = 0; i < p->id.environments_n; i++)
        if (!platform_by_name(p, p->id.environments[i].name))
            all[n++] = p->id.environments[i];
    p->id.environments = all;
    p->id.environments_n = n;
    return local_platform_write(p->arena, p->state_dir, &p->id, e);
}

bool environments_up(struct platform *p, const json_t *wanted, struct err *e)
{
    size_t i;
    json_t *one;
    json_array_foreach (wanted, i, one)
        if (!bring_up(p, one, e))
            return false;
    return write_down(p, e);
}

bool environments_reset(struct platform *p, const char *name, struct err *e)
{
    struct platform_environment *env = platform_by_name(p, name);
    if (!env)
        return err_set(e, ERR_NOT_FOUND, "environment %s is not up", name);
    struct site_spec site = { .name = env->id.site_name,
                              .id = env->id.site_id,
                              .port = env->id.port };
    auth_disconnect(env->auth);
    if (!functions_reset(env->functions, e) || !rest_pause(env->rest, e) ||
        !cluster_database_reset(p->cluster, env->database, e) || !rest_resume(env->rest, e) ||
        !sites_remove(p->sites, env->id.site_name, e) ||
        !sites_ensure(p->sites, &site, &env->site, e))
        return err_wrap(e, "reset %s", name);
    return true;
}

void environments_look(struct platform *p)
{
    for (size_t i = 0; i < atomic_load(&p->environments_n); i++)
        rest_revive(p->environments[i]->rest);
}

void environments_status(struct platform *p, json_t *parts)
{
    for (size_t i = 0; i < atomic_load(&p->environments_n); i++) {
        struct platform_environment *env = p->environments[i];
        (void)json_array_append_new(parts,
                                    json_pack("{s:s, s:s, s:b, s:i}", "part", "rest", "environment",
                                              env->id.name, "running", rest_is_running(env->rest),
                                              "pid", (int)rest_pid(env->rest)));
        functions_status(env->functions, parts);
    }
}

void environments_stop(struct platform *p)
{
    for (size_t i = 0; i < atomic_load(&p->environments_n); i++)
        stop_parts(p->environments[i]);
}
