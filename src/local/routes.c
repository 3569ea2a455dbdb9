/*
 *     API port           /api/v1/… /team/… /site/…   Netlify's API          (sites.h)
 *                        /v1/… /v2/…                 Supabase's API         (supabase_api.h)
 *     environment port   /rest/v1/…                  PostgREST              (rest.h)
 *                        /auth/v1/…                  sign-in                (auth.h)
 *                        /functions/v1/<slug>…       Edge Functions         (functions.h)
 *                        /ofrep/v1/…                 feature flags          (flag_gate.h)
 *                        anything else               the site               (sites.h)
 *
 * A port is bound on 127.0.0.1 only.
 */
#include "local/routes.h"

#include "local/auth.h"
#include "local/flag_gate.h"
#include "local/functions.h"
#include "local/rest.h"
#include "local/supabase_api.h"
#include "net/server/request.h"

#define PORTS_TRIED 200

static bool is_below(const struct request *r, const char *prefix)
{
    size_t n = strlen(prefix);
    return strncmp(r->raw_path, prefix, n) == 0 && (r->raw_path[n] == '/' || !r->raw_path[n]);
}

static void answer_api(struct request *r, void *context)
{
    struct platform *p = context;
    if (!netlify_api_serve(p->sites, r) && !supabase_api_serve(p, r))
        respond_error(r, 404, "Not found");
}

static void answer_environment(struct request *r, void *context)
{
    struct platform_environment *env = context;
    if (atomic_load(&env->is_removed))
        respond_error(r, 404, "The project has been removed");
    else if (!atomic_load(&env->is_ready))
        respond_error(r, 503, "The environment is starting");
    else if (is_below(r, "/rest/v1"))
        rest_serve(env, r);
    else if (is_below(r, "/auth/v1"))
        auth_serve(env->auth, r);
    else if (is_below(r, "/functions/v1"))
        functions_serve(env->functions, r);
    else if (is_below(r, "/ofrep"))
        flag_gate_serve(env->flags, r);
    else if (!env->site)
        respond_error(r, 404, "A project made over the API serves no site on its own port");
    else
        sites_serve(env->platform->sites, env->site, r);
}

bool routes_listen_api(struct platform *p, int preferred, struct err *e)
{
    int port = preferred;
    while (!server_listen(p->server, "127.0.0.1", port, answer_api, p, &p->api_port, e))
        if (e->code != ERR_CONFLICT || ++port >= preferred + PORTS_TRIED || port > 65535)
            return err_wrap(e, "bind the API's port");
    p->id.api = arena_printf(p->arena, "http://127.0.0.1:%d", p->api_port);
    p->id.netlify_api = arena_printf(p->arena, "%s/api/v1", p->id.api);
    p->id.supabase_api = p->id.api;
    return true;
}

/* Ports that another environment of this project has or had are not given away. */
static bool is_taken_by_ours(const struct platform *p, const struct platform_environment *env,
                             int port)
{
    for (size_t i = 0; i < p->id.environments_n; i++)
        if (p->id.environments[i].port == port && !streq(p->id.environments[i].name, env->id.name))
            return true;
    return false;
}

bool routes_listen(struct platform *p, struct platform_environment *env, struct err *e)
{
    if (env->id.port &&
        server_listen(p->server, "127.0.0.1", env->id.port, answer_environment, env, NULL, e))
        return true;
    int first = p->api_port + 1;
    for (int port = first; port < first + PORTS_TRIED && port < 65536; port++) {
        if (is_taken_by_ours(p, env, port))
            continue;
        if (server_listen(p->server, "127.0.0.1", port, answer_environment, env, &env->id.port, e))
            return true;
        if (e->code != ERR_CONFLICT)
            return false;
    }
    return err_set(e, ERR_CONFLICT, "no free port after %d", p->api_port);
}
