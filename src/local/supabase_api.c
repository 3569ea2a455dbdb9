#include "base/json.h"
#include "base/limits.h"
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

struct platform_environment *supabase_project_of(struct request *r, struct platform *p)
{
    struct platform_environment *env = platform_by_ref(p, request_param(r, "ref"));
    if (!env) {
        supabase_refuse(r, 404, "Project not found");
        return NULL;
    }
    if (!atomic_load(&env->is_removed))
        return env;
    supabase_refuse(r, 400, "Resource has been removed");
    return NULL;
}

struct platform_environment *supabase_environment(struct request *r, struct platform *p)
{
    struct platform_environment *env = supabase_project_of(r, p);
    if (!env || atomic_load(&env->is_ready))
        return env;
    supabase_refuse(r, 400, "The project is not ready: wait until it is ACTIVE_HEALTHY");
    return NULL;
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
    { "DELETE", P,                               project_delete },
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
