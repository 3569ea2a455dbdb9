#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "local/functions.h"
#include "local/rest.h"
#include "local/supabase_inside.h"
#include "net/server/route.h"

#include <stdarg.h>

#define DEPLOY_BODY_BYTES (LIMIT_FUNCTION_BYTES + 4 * MIB) /* files, and the lines between them */
#define RATE_LIMIT        "120"
#define RATE_WINDOW_S     "60"

/* ---- Shared ---------------------------------------------------------------------------------- */

void supabase_refuse(struct request *r, int status, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const char *text = arena_vprintf(r->arena, fmt, ap);
    va_end(ap);
    respond_json(r, status, json_pack("{s:s}", "message", text));
}

struct platform_environment *supabase_environment(struct request *r, struct platform *p)
{
    struct platform_environment *env = platform_by_ref(p, request_param(r, "ref"));
    if (!env)
        supabase_refuse(r, 404, "Project not found");
    return env;
}

json_t *supabase_body(struct request *r, json_type type)
{
    struct err e;
    json_t *body = json_parse(r->body, "request body", &e);
    if (body && json_typeof(body) == type)
        return body;
    supabase_refuse(r, 400, "%s", body ? "The body has the wrong type" : e.why);
    json_decref(body);
    return NULL;
}

/* ---- Projects and organizations -------------------------------------------------------------- */

static const char *created_at(struct request *r)
{
    return clock_rfc3339(r->arena, 1767225600000); /* 2026-01-01: what has no date of its own */
}

static json_t *project_of(struct request *r, const struct platform_environment *env)
{
    const struct platform *p = env->platform;
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:{s:s, s:s, s:s, s:s}}", "id",
                     env->id.project_ref, "ref", env->id.project_ref, "organization_id",
                     p->id.project, "organization_slug", p->id.project, "name", env->id.site_name,
                     "region", "local", "created_at", created_at(r), "status", "ACTIVE_HEALTHY",
                     "database", "host", "127.0.0.1", "version", "15.8.1.0", "postgres_engine",
                     "15", "release_channel", "ga");
}

static void profile_get(struct request *r, void *context)
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

static void organizations_get(struct request *r, void *context)
{
    respond_json(r, 200, json_pack("[o]", organization_of(context)));
}

static void organization_get(struct request *r, void *context)
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

static void projects_get(struct request *r, void *context)
{
    struct platform *p = context;
    json_t *list = json_array();
    for (size_t i = 0; i < atomic_load(&p->environments_n); i++)
        (void)json_array_append_new(list, project_of(r, p->environments[i]));
    respond_json(r, 200, list);
}

static void projects_post(struct request *r, void *context)
{
    (void)context;
    supabase_refuse(r, 400,
                    "The local platform has one project for each environment of lockflight.toml; "
                    "add one there and run `lockflight local up`");
}

static void project_get(struct request *r, void *context)
{
    struct platform_environment *env = supabase_environment(r, context);
    if (env)
        respond_json(r, 200, project_of(r, env));
}

static void api_keys_get(struct request *r, void *context)
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

static void health_get(struct request *r, void *context)
{
    static const char *const all[] = {
        "auth", "db", "rest", "pooler", "realtime", "storage", NULL
    };
    struct platform_environment *env = supabase_environment(r, context);
    json_t *list = json_array();
    for (const char *const *name = all; env && *name; name++) {
        bool healthy = is_healthy(env, *name);
        if (strstr(r->query, *name))
            (void)json_array_append_new(list, json_pack("{s:s, s:b, s:s}", "name", *name, "healthy",
                                                        healthy, "status",
                                                        healthy ? "ACTIVE_HEALTHY" : "UNHEALTHY"));
    }
    if (env)
        respond_json(r, 200, list);
    else
        json_decref(list);
}

static void addons_get(struct request *r, void *context)
{
    if (supabase_environment(r, context))
        respond_json(r, 200, json_pack("{s:[], s:[]}", "selected_addons", "available_addons"));
}

/* ---- Branches: an environment here is a project, never a branch ------------------------------ */

static void branches_get(struct request *r, void *context)
{
    if (supabase_environment(r, context))
        respond_json(r, 200, json_array());
}

static void branch_get(struct request *r, void *context)
{
    (void)context;
    supabase_refuse(r, 404, "Branch not found");
}

static void branches_post(struct request *r, void *context)
{
    (void)context;
    supabase_refuse(r, 400,
                    "The local platform has no branches; add an environment to lockflight.toml");
}

/* ---- The table ------------------------------------------------------------------------------- */

#define P "/v1/projects/:ref"

/* clang-format off */
static const struct route routes[] = {
    { "GET",    "/v1/profile",                   profile_get },
    { "GET",    "/v1/organizations",             organizations_get },
    { "GET",    "/v1/organizations/:slug",       organization_get },
    { "GET",    "/v1/projects",                  projects_get },
    { "POST",   "/v1/projects",                  projects_post },
    { "GET",    P,                               project_get },
    { "GET",    P "/api-keys",                   api_keys_get },
    { "GET",    P "/health",                     health_get },
    { "GET",    P "/billing/addons",             addons_get },

    { "GET",    P "/functions",                  functions_list_get },
    { "POST",   P "/functions/deploy",           functions_deploy_post, .max_body_bytes = DEPLOY_BODY_BYTES },
    { "PUT",    P "/functions",                  functions_put },
    { "GET",    P "/functions/:slug",            function_get },
    { "PATCH",  P "/functions/:slug",            function_patch },
    { "DELETE", P "/functions/:slug",            function_delete },
    { "GET",    P "/functions/:slug/body",       function_body_get },

    { "GET",    P "/secrets",                    secrets_get },
    { "POST",   P "/secrets",                    secrets_post, .max_body_bytes = 4 * MIB },
    { "DELETE", P "/secrets",                    secrets_delete },

    { "POST",   P "/database/query",             query_post, .max_body_bytes = LIMIT_SQL_FILE_BYTES },
    { "POST",   P "/database/query/read-only",   query_read_only_post },
    { "POST",   P "/cli/login-role",             login_role_post },
    { "DELETE", P "/cli/login-role",             login_role_delete },
    { "GET",    P "/postgrest",                  postgrest_get },
    { "GET",    P "/config/database/pooler",     pooler_get },

    { "GET",    P "/branches",                   branches_get },
    { "POST",   P "/branches",                   branches_post },
    { "GET",    P "/branches/:name",             branch_get },
    { "GET",    "/v1/branches/:name",            branch_get },
    { 0 },
};
/* clang-format on */

static bool is_ours(const struct request *r)
{
    return starts_with(r->raw_path, "/v1/") || starts_with(r->raw_path, "/v2/");
}

bool supabase_api_serve(struct platform *p, struct request *r)
{
    if (!is_ours(r))
        return false;
    response_header(r, "x-ratelimit-limit", RATE_LIMIT);
    response_header(r, "x-ratelimit-remaining", "119"); /* nobody is turned away here */
    response_header(r, "x-ratelimit-reset", RATE_WINDOW_S);
    const char *token = request_bearer(r);
    if (!token || !str_eq_secret(str_of(token), str_of(p->id.supabase_token)))
        supabase_refuse(r, 401, "Unauthorized");
    else
        route_dispatch(routes, r, r->raw_path, p);
    return true;
}
