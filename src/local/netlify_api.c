/*
 * The Netlify API: its operations as one table, and what is true of all of them: the token, the
 * rate-limit headers, a request id.
 */
#include "base/clock.h"
#include "base/hash.h"
#include "local/netlify.h"
#include "net/server/route.h"

#define RATE_LIMIT "500"

static void get_user(struct request *r, void *context)
{
    struct sites *s = context;
    (void)pthread_mutex_lock(&s->lock);
    respond_json(r, 200, netlify_user_json(s));
    (void)pthread_mutex_unlock(&s->lock);
}

static void get_accounts(struct request *r, void *context)
{
    (void)context;
    respond_json(r, 200, json_pack("[o]", netlify_account_json()));
}

static void get_account(struct request *r, void *context)
{
    (void)context;
    respond_json(r, 200, netlify_account_json());
}

static void get_nothing(struct request *r, void *context)
{
    (void)context;
    respond_json(r, 200, json_array());
}

static void refuse_build(struct request *r, void *context)
{
    (void)context;
    respond_error(r, 422,
                  "the local platform builds nothing: build the site, then deploy the result");
}

/* clang-format off */
static const struct route routes[] = {
    { "GET",    "/user",                                   get_user },
    { "GET",    "/accounts",                               get_accounts },
    { "GET",    "/accounts/:account",                      get_account },

    { "GET",    "/accounts/:account/env",                  answer_env_list },
    { "POST",   "/accounts/:account/env",                  answer_env_create },
    { "GET",    "/accounts/:account/env/:key",             answer_env_get },
    { "PUT",    "/accounts/:account/env/:key",             answer_env_replace },
    { "PATCH",  "/accounts/:account/env/:key",             answer_env_patch },
    { "DELETE", "/accounts/:account/env/:key",             answer_env_delete },
    { "DELETE", "/accounts/:account/env/:key/value/:id",   answer_env_delete_value },

    { "GET",    "/sites",                                  answer_sites_list },
    { "POST",   "/sites",                                  answer_site_create },
    { "GET",    "/sites/:site",                            answer_site_get },
    { "PATCH",  "/sites/:site",                            answer_site_update },
    { "PUT",    "/sites/:site",                            answer_site_update },
    { "DELETE", "/sites/:site",                            answer_site_delete },
    { "GET",    "/sites/:site/env",                        answer_site_env_list },
    { "GET",    "/sites/:site/files",                      answer_site_files },
    { "GET",    "/sites/:site/deployed-branches",          get_nothing },
    { "GET",    "/sites/:site/build_hooks",                get_nothing },
    { "POST",   "/sites/:site/builds",                     refuse_build },
    { "GET",    "/hooks",                                  get_nothing },
    { "PUT",    "/sites/:site/rollback",                   answer_rollback },

    { "GET",    "/sites/:site/deploys",                    answer_deploys_list },
    { "POST",   "/sites/:site/deploys",                    answer_deploy_create,  .max_body_bytes = LIMIT_JSON_BYTES },
    { "GET",    "/sites/:site/deploys/:deploy",            answer_deploy_get },
    { "PUT",    "/sites/:site/deploys/:deploy",            answer_deploy_update,  .max_body_bytes = LIMIT_JSON_BYTES },
    { "DELETE", "/sites/:site/deploys/:deploy",            answer_deploy_delete },
    { "POST",   "/sites/:site/deploys/:deploy/restore",    answer_deploy_restore },
    { "GET",    "/deploys/:deploy",                        answer_deploy_get },
    { "DELETE", "/deploys/:deploy",                        answer_deploy_delete },
    { "POST",   "/deploys/:deploy/cancel",                 answer_deploy_cancel },
    { "POST",   "/deploys/:deploy/lock",                   answer_deploy_lock },
    { "POST",   "/deploys/:deploy/unlock",                 answer_deploy_unlock },

    { "PUT",    "/deploys/:deploy/files/*",                answer_file_put,       .on_loop = true },
    { "PUT",    "/deploys/:deploy/functions/:name",        answer_function_put,   .on_loop = true },
    { "PUT",    "/deploys/:deploy/edge_functions/:name",   answer_function_put,   .on_loop = true },
    { "PUT",    "/deploys/:deploy/server/:name",           answer_function_put,   .on_loop = true },

    { "POST",   "/:account/sites",                         answer_site_create },
    { "GET",    "/:account/sites",                         answer_sites_list },
    { 0 },
};
/* clang-format on */

static bool may_enter(const struct sites *s, const struct request *r)
{
    const char *token = request_bearer(r);
    return token && str_eq_secret(str_of(token), str_of(s->token));
}

static void add_standing_headers(struct request *r)
{
    int64_t reset_s = clock_unix_ms() / 1000 + 60;
    response_header(r, "X-RateLimit-Limit", RATE_LIMIT);
    response_header(r, "X-RateLimit-Remaining", RATE_LIMIT); /* nothing is counted on one machine */
    response_header(r, "X-RateLimit-Reset", arena_printf(r->arena, "%lld", (long long)reset_s));
    response_header(r, "X-Request-Id", random_uuid(r->arena));
    response_header(r, "Cache-Control", "no-store");
}

bool netlify_api_serve(struct sites *s, struct request *r)
{
    /* extensions of a team or site, which the vendor's client asks for at
     * the root: there are none */
    if (starts_with(r->raw_path, "/team/") || starts_with(r->raw_path, "/site/")) {
        get_nothing(r, s);
        return true;
    }
    if (!starts_with(r->raw_path, "/api/v1/"))
        return sites_serve_by_host(s, r);
    add_standing_headers(r);
    if (!may_enter(s, r)) {
        respond_error(r, 401, "Access Denied");
        return true;
    }
    route_dispatch(routes, r, r->raw_path + strlen("/api/v1"), s);
    return true;
}
