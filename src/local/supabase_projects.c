/*
 * Projects, organizations and API keys in the management API. There is one organization, named as
 * the Lockflight project. A project stands for an environment of lockflight.toml, or was made here.
 */
#include "base/clock.h"
#include "base/json.h"
#include "local/projects.h"
#include "local/rest.h"
#include "local/supabase_inside.h"

#include <string.h>

#define PROJECT_NAME_BYTES 256

static const char *created_at(struct request *r)
{
    return clock_rfc3339(r->arena, 1767225600000); /* 2026-01-01: what has no date of its own */
}

static const char *status_of(struct platform_environment *env)
{
    if (atomic_load(&env->is_ready))
        return "ACTIVE_HEALTHY";
    return atomic_load(&env->has_failed) ? "INIT_FAILED" : "COMING_UP";
}

/* Without its database: as it is answered to the call that makes it. */
static json_t *project_of(struct request *r, struct platform_environment *env)
{
    const struct platform *p = env->platform;
    bool is_created = env->id.is_created;
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "id", env->id.project_ref, "ref",
                     env->id.project_ref, "organization_id", p->id.project, "organization_slug",
                     p->id.project, "name", is_created ? env->id.title : env->id.site_name,
                     "region", is_created ? env->id.region : "local", "created_at",
                     is_created ? env->id.created_at : created_at(r), "status", status_of(env));
}

static json_t *project_with_database(struct request *r, struct platform_environment *env)
{
    json_t *project = project_of(r, env);
    (void)json_object_set_new(project, "database",
                              json_pack("{s:s, s:s, s:s, s:s}", "host", "127.0.0.1", "version",
                                        "15.8.1.0", "postgres_engine", "15", "release_channel",
                                        "ga"));
    return project;
}

void profile_get(struct request *r, void *context)
{
    (void)context;
    respond_json(r, 200,
                 json_pack("{s:s, s:s, s:s}", "gotrue_id", "00000000-0000-0000-0000-000000000000",
                           "primary_email", "local@localhost", "username", "local"));
}

static json_t *organization_of(const struct platform *p)
{
    return json_pack("{s:s, s:s, s:s}", "id", p->id.project, "slug", p->id.project, "name",
                     p->id.project);
}

void organizations_get(struct request *r, void *context)
{
    respond_json(r, 200, json_pack("[o]", organization_of(context)));
}

void organization_get(struct request *r, void *context)
{
    struct platform *p = context;
    if (streq(request_param(r, "slug"), p->id.project))
        respond_json(r, 200,
                     json_pack("{s:s, s:s, s:s, s:[], s:[s]}", "id", p->id.project, "name",
                               p->id.project, "plan", "free", "opt_in_tags",
                               "allowed_release_channels", "ga"));
    else
        supabase_refuse(r, 404, "Organization not found");
}

void projects_get(struct request *r, void *context)
{
    struct platform *p = context;
    json_t *list = json_array();
    for (size_t i = 0; i < atomic_load(&p->environments_n); i++)
        if (!atomic_load(&p->environments[i]->is_removed))
            (void)json_array_append_new(list, project_with_database(r, p->environments[i]));
    respond_json(r, 200, list);
}

/* What the vendor requires of a new project; NULL after having answered 400. */
static const struct project_wish *wish_of(struct request *r, struct platform *p, const json_t *body)
{
    struct project_wish *wish = ARENA_NEW(r->arena, struct project_wish);
    const char *organization =
        json_text_or(body, "organization_slug", json_text_or(body, "organization_id", ""));
    const json_t *selection = json_object_get(body, "region_selection");
    *wish = (struct project_wish){
        .title = json_text_or(body, "name", ""),
        .password = json_text_or(body, "db_pass", ""),
        .region = json_text_or(body, "region", json_text_or(selection, "code", "local")),
    };
    if (!*wish->title || strlen(wish->title) > PROJECT_NAME_BYTES)
        supabase_refuse(r, 400, "name must be a text of 1 to %d bytes", PROJECT_NAME_BYTES);
    else if (!*wish->password || strlen(wish->password) > PROJECT_NAME_BYTES)
        supabase_refuse(r, 400, "db_pass must be a text of 1 to %d bytes", PROJECT_NAME_BYTES);
    else if (!streq(organization, p->id.project))
        supabase_refuse(r, 400, "organization_slug: there is only %s here", p->id.project);
    else
        return wish;
    return NULL;
}

void projects_post(struct request *r, void *context)
{
    struct err e;
    struct platform *p = context;
    struct platform_environment *env = NULL;
    json_auto_t *body = supabase_body(r, JSON_OBJECT);
    const struct project_wish *wish = body ? wish_of(r, p, body) : NULL;
    if (!wish)
        return;
    if (projects_make(p, wish, &env, &e))
        respond_json(r, 201, project_of(r, env));
    else
        supabase_refuse(r, e.code == ERR_LIMIT ? 402 : 500, "%s", e.why);
}

void project_get(struct request *r, void *context)
{
    struct platform_environment *env = supabase_project_of(r, context);
    if (env)
        respond_json(r, 200, project_with_database(r, env));
}

void project_delete(struct request *r, void *context)
{
    struct err e;
    struct platform_environment *env = supabase_project_of(r, context);
    if (!env)
        return;
    if (!env->id.is_created)
        supabase_refuse(r, 400,
                        "The project belongs to an environment of lockflight.toml; "
                        "take it out there");
    else if (projects_remove(context, env, &e))
        respond_json(r, 200,
                     json_pack("{s:i, s:s, s:s}", "id", 1, "ref", env->id.project_ref, "name",
                               env->id.title));
    else
        supabase_refuse(r, 500, "%s: %s", e.what, e.why);
}

void api_keys_get(struct request *r, void *context)
{
    struct platform_environment *env = supabase_environment(r, context);
    if (env)
        respond_json(r, 200,
                     json_pack("[{s:s, s:s, s:s, s:s}, {s:s, s:s, s:s, s:s}]", "name", "anon",
                               "api_key", env->id.anon_key, "id", "anon", "type", "legacy", "name",
                               "service_role", "api_key", env->id.service_role_key, "id",
                               "service_role", "type", "legacy"));
}

static bool is_healthy(struct platform_environment *env, const char *service)
{
    if (streq(service, "rest"))
        return rest_is_running(env->rest);
    if (starts_with(service, "db") || streq(service, "auth"))
        return cluster_is_running(env->platform->cluster);
    return false; /* no pooler, realtime or storage here */
}

/* The query names them one by one: services=db&services=rest, or services=db,rest. */
static bool is_asked(const struct request *r, const char *service)
{
    struct str rest = str_of(r->query);
    while (rest.p) {
        struct str pair = str_cut(&rest, '&');
        struct str name = str_cut(&pair, '=');
        if (!str_starts(name, "services"))
            continue;
        while (pair.p)
            if (str_eq(str_cut(&pair, ','), str_of(service)))
                return true;
    }
    return false;
}

void health_get(struct request *r, void *context)
{
    static const char *const all[] = {
        "auth", "db", "rest", "pooler", "storage", "realtime", "db_postgres_user", NULL
    };
    struct platform_environment *env = supabase_project_of(r, context);
    json_t *list = json_array();
    for (const char *const *name = all; env && *name; name++) {
        bool is_ready = atomic_load(&env->is_ready);
        bool healthy = is_ready && is_healthy(env, *name);
        const char *status = healthy ? "ACTIVE_HEALTHY" : is_ready ? "UNHEALTHY" : "COMING_UP";
        if (is_asked(r, *name))
            (void)json_array_append_new(list, json_pack("{s:s, s:b, s:s}", "name", *name, "healthy",
                                                        healthy, "status", status));
    }
    if (env)
        respond_json(r, 200, list);
    else
        json_decref(list);
}

void addons_get(struct request *r, void *context)
{
    if (supabase_environment(r, context))
        respond_json(r, 200, json_pack("{s:[], s:[]}", "selected_addons", "available_addons"));
}
