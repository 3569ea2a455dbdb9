/*
 * Every endpoint of the Netlify client, met by every fault.
 */
#include "assert_ok.h"

#include "provider/faults.h"
#include "provider/netlify.h"

#include <string.h>

#define SITE "11111111-2222-4333-8444-555555555555"
#define SHA  "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8" /* of "a" */
#define API  "/api/v1"
#define S    API "/sites/" SITE
#define ENVS API "/accounts/team/env"
#define OF   "?site_id=" SITE

#define SITE_WITH(more) "{\"id\":\"" SITE "\",\"name\":\"shop\",\"account_slug\":\"team\"" more "}"
#define LIVE(id, locked)                                                                           \
    SITE_WITH(",\"published_deploy\":{\"id\":\"" id "\",\"locked\":" locked "}")
#define BUILDS(stopped)                                                                            \
    SITE_WITH(",\"build_settings\":{\"repo_url\":\"r\",\"stop_builds\":" stopped "}")
#define DEPLOY(id, state)                                                                          \
    "{\"id\":\"" id "\",\"state\":\"" state "\",\"title\":\"r1\",\"draft\":true,\"required\":[]}"
#define VARIABLE(value)                                                                            \
    "{\"key\":\"A\",\"scopes\":[\"builds\"],\"values\":[{\"id\":\"v1\",\"context\":\"all\","       \
    "\"value\":"                                                                                   \
    "\"" value "\"}]}"
#define NO_VALUE "{\"key\":\"A\",\"scopes\":[\"builds\"],\"values\":[]}"

/* ---- the calls ------------------------------------------------------------------------------- */

static bool accounts(struct cast *c, struct err *e)
{
    struct netlify_account *all = NULL;
    size_t n = 0;
    return netlify_accounts(c->n, c->a, &all, &n, e);
}

static bool sites(struct cast *c, struct err *e)
{
    struct netlify_site *all = NULL;
    size_t n = 0;
    return netlify_sites(c->n, c->a, NULL, &all, &n, e);
}

static bool site_get(struct cast *c, struct err *e)
{
    struct netlify_site site;
    return netlify_site_get(c->n, c->a, &site, e);
}

static bool site_create(struct cast *c, struct err *e)
{
    struct netlify_site site;
    return netlify_site_create(c->n, c->a, "team", "shop", &site, e);
}

static bool site_create_in_default_team(struct cast *c, struct err *e)
{
    struct netlify_site site;
    return netlify_site_create(c->n, c->a, NULL, "shop", &site, e);
}

static bool site_is_made(struct cast *c, bool *ret, struct err *e)
{
    struct netlify_site site;
    if (!netlify_site_find(c->n, c->a, "shop", &site, e))
        return false;
    *ret = *site.id != '\0';
    return true;
}

static bool site_stop_builds(struct cast *c, struct err *e)
{
    return netlify_site_stop_builds(c->n, c->a, true, e);
}

static bool builds_are_stopped(struct cast *c, bool *ret, struct err *e)
{
    struct netlify_site site;
    if (!netlify_site_get(c->n, c->a, &site, e))
        return false;
    *ret = site.is_build_stopped;
    return true;
}

static bool site_delete(struct cast *c, struct err *e)
{
    return netlify_site_delete(c->n, c->a, SITE, e);
}

static bool site_is_gone(struct cast *c, bool *ret, struct err *e)
{
    struct netlify_site site;
    *ret = !netlify_site_get(c->n, c->a, &site, e);
    return !*ret || e->code == ERR_NOT_FOUND;
}

static bool site_files(struct cast *c, struct err *e)
{
    struct netlify_site_file *files = NULL;
    size_t n = 0;
    return netlify_site_files(c->n, c->a, &files, &n, e);
}

static bool deploys(struct cast *c, struct err *e)
{
    struct netlify_deploy *all = NULL;
    size_t n = 0;
    return netlify_deploys(c->n, c->a, 0, &all, &n, e);
}

static bool deploy_get(struct cast *c, struct err *e)
{
    struct netlify_deploy d;
    return netlify_deploy_get(c->n, c->a, "d1", &d, e);
}

static bool deploy_create(struct cast *c, struct err *e)
{
    struct netlify_deploy d;
    return netlify_deploy_create(c->n, c->a, &(struct netlify_deploy_spec){ .title = "r1" }, &d, e);
}

static bool deploy_is_made(struct cast *c, bool *ret, struct err *e)
{
    struct netlify_deploy d;
    if (!netlify_deploy_find(c->n, c->a, "r1", &d, e))
        return false;
    *ret = *d.id != '\0';
    return true;
}

static const struct netlify_file file = {
    .path = "/a", .sha1 = SHA, .bytes = 1, .content = { "a", 1 }
};

static bool deploy_sync(struct cast *c, struct err *e)
{
    struct netlify_deploy d;
    return netlify_deploy_sync(c->n, c->a, "d1", &file, 1, &d, e);
}

static bool upload(struct cast *c, struct err *e)
{
    const char *const required[] = { SHA };
    const struct netlify_upload_spec spec = {
        .deploy_id = "d1", .files = &file, .n_files = 1, .required = required, .n_required = 1
    };
    return netlify_deploy_upload(c->n, &spec, e);
}

static bool deploy_cancel(struct cast *c, struct err *e)
{
    return netlify_deploy_cancel(c->n, c->a, "d1", e);
}

static bool deploy_has_ended(struct cast *c, bool *ret, struct err *e)
{
    struct netlify_deploy d;
    if (!netlify_deploy_get(c->n, c->a, "d1", &d, e))
        return false;
    *ret = d.state == NETLIFY_FAILED;
    return true;
}

static bool deploy_delete(struct cast *c, struct err *e)
{
    return netlify_deploy_delete(c->n, c->a, "d1", e);
}

static bool deploy_is_gone(struct cast *c, bool *ret, struct err *e)
{
    struct netlify_deploy d;
    *ret = !netlify_deploy_get(c->n, c->a, "d1", &d, e);
    return !*ret || e->code == ERR_NOT_FOUND;
}

static bool restore(struct cast *c, struct err *e)
{
    return netlify_restore(c->n, c->a, "d1", e);
}

static bool is_live(struct cast *c, bool *ret, struct err *e)
{
    struct netlify_site site;
    if (!netlify_site_get(c->n, c->a, &site, e))
        return false;
    *ret = streq(site.published_id, "d1");
    return true;
}

static bool lock(struct cast *c, struct err *e)
{
    return netlify_lock(c->n, c->a, "d1", e);
}

static bool unlock(struct cast *c, struct err *e)
{
    return netlify_unlock(c->n, c->a, "d1", e);
}

static bool is_locked(struct cast *c, bool *ret, struct err *e)
{
    struct netlify_site site;
    if (!netlify_site_get(c->n, c->a, &site, e))
        return false;
    *ret = site.is_locked;
    return true;
}

static bool is_unlocked(struct cast *c, bool *ret, struct err *e)
{
    bool ok = is_locked(c, ret, e);
    *ret = ok && !*ret;
    return ok;
}

static bool variables(struct cast *c, struct err *e)
{
    struct netlify_env *all = NULL;
    size_t n = 0;
    return netlify_envs(c->n, c->a, &all, &n, e);
}

static bool variable_get(struct cast *c, struct err *e)
{
    struct netlify_env v;
    return netlify_env_get(c->n, c->a, "A", &v, e);
}

static const struct netlify_env_value new_value = { .context = "all",
                                                    .branch = "",
                                                    .value = "new" };

static bool variable_set(struct cast *c, struct err *e)
{
    const struct netlify_env v = { .name = "A", .values = &new_value, .n_values = 1 };
    return netlify_env_put(c->n, c->a, &v, e);
}

static bool variable_value_set(struct cast *c, struct err *e)
{
    return netlify_env_value_set(c->n, c->a, "A", &new_value, e);
}

/* Is there a variable with the new value? */
static bool variable_is_set(struct cast *c, bool *ret, struct err *e)
{
    struct netlify_env v = { 0 };
    *ret = false;
    if (!netlify_env_get(c->n, c->a, "A", &v, e))
        return e->code == ERR_NOT_FOUND;
    *ret = v.n_values > 0 && streq(v.values[0].value, "new");
    return true;
}

static bool variable_value_delete(struct cast *c, struct err *e)
{
    return netlify_env_value_delete(c->n, c->a, "A", "v1", e);
}

static bool variable_delete(struct cast *c, struct err *e)
{
    return netlify_variable_delete(c->n, c->a, "A", e);
}

/* No such variable, or one without a value. */
static bool variable_is_gone(struct cast *c, bool *ret, struct err *e)
{
    struct netlify_env v = { 0 };
    *ret = true;
    if (!netlify_env_get(c->n, c->a, "A", &v, e))
        return e->code == ERR_NOT_FOUND;
    *ret = v.n_values == 0;
    return true;
}

/* ---- the table ------------------------------------------------------------------------------- */

#define READ  .effect = HTTP_READ
#define AGAIN .effect = HTTP_IDEMPOTENT
#define ONCE  .effect = HTTP_MUTATING
#define GONE                                                                                       \
    {                                                                                              \
        NULL, 404, "{\"code\":404,\"message\":\"Not Found\"}", NULL                                \
    }
#define BODY(text)                                                                                 \
    {                                                                                              \
        NULL, 200, text, NULL                                                                      \
    }

/* clang-format off */
static const struct endpoint rows[] = {
    { "netlify.accounts",    READ, .call = accounts, .request = { "GET " API "/accounts ", 200, "[{\"id\":\"1\",\"slug\":\"team\"}]" } },
    { "netlify.sites",       READ, .call = sites, .request = { "GET " API "/sites?", 200, "[" SITE_WITH("") "]" } },
    { "netlify.site_get",    READ, .call = site_get, .request = { "GET " S " ", 200, SITE_WITH("") } },
    { "netlify.site_create", ONCE, .call = site_create, .request = { "POST " API "/team/sites ", 201, SITE_WITH("") },
      .is_done = site_is_made, .question = "GET " API "/sites?name=shop&", BODY("[]"), BODY("[" SITE_WITH("") "]") },
    { "netlify.site_create", ONCE, .call = site_create_in_default_team, .request = { "POST " API "/sites ", 201, SITE_WITH("") },
      .is_done = site_is_made, .question = "GET " API "/sites?name=shop&", BODY("[]"), BODY("[" SITE_WITH("") "]") },
    { "netlify.site_update", ONCE, .call = site_stop_builds, .request = { "PATCH " S " ", 200, BUILDS("true") },
      .is_done = builds_are_stopped, .question = "GET " S " ", BODY(BUILDS("false")), BODY(BUILDS("true")) },
    { "netlify.site_delete", ONCE, .call = site_delete, .request = { "DELETE " S " ", 204 },
      .is_done = site_is_gone, .question = "GET " S " ", BODY(SITE_WITH("")), GONE },
    { "netlify.site_files",  READ, .call = site_files, .request = { "GET " S "/files ", 200, "[{\"path\":\"/a\",\"sha\":\"" SHA "\",\"size\":1}]" } },

    { "netlify.deploys",     READ, .call = deploys, .request = { "GET " S "/deploys?", 200, "[" DEPLOY("d1", "ready") "]" } },
    { "netlify.deploy_get",  READ, .call = deploy_get, .request = { "GET " S "/deploys/d1 ", 200, DEPLOY("d1", "ready") } },
    { "netlify.deploy_create", ONCE, .call = deploy_create, .request = { "POST " S "/deploys?title=r1 ", 200, DEPLOY("d1", "new") },
      .is_done = deploy_is_made, .question = "GET " S "/deploys?", BODY("[]"), BODY("[" DEPLOY("d1", "new") "]"),
      BODY("[" DEPLOY("d2", "new") "," DEPLOY("d1", "new") "]"), "DELETE " S "/deploys/d2 " },
    { "netlify.deploy_sync", AGAIN, .call = deploy_sync, .request = { "PUT " S "/deploys/d1 ", 200, DEPLOY("d1", "uploading") } },
    { "netlify.upload",      AGAIN, .call = upload, .request = { "PUT " API "/deploys/d1/files/a ", 200, "{\"id\":\"/a\",\"sha\":\"" SHA "\"}" } },
    { "netlify.deploy_cancel", ONCE, .call = deploy_cancel, .request = { "POST " API "/deploys/d1/cancel ", 201, DEPLOY("d1", "error") },
      .is_done = deploy_has_ended, .question = "GET " S "/deploys/d1 ", BODY(DEPLOY("d1", "uploading")), BODY(DEPLOY("d1", "error")) },
    { "netlify.deploy_delete", ONCE, .call = deploy_delete, .request = { "DELETE " S "/deploys/d1 ", 204 },
      .is_done = deploy_is_gone, .question = "GET " S "/deploys/d1 ", BODY(DEPLOY("d1", "ready")), GONE },

    { "netlify.restore",     ONCE, .call = restore, .request = { "POST " S "/deploys/d1/restore ", 201, DEPLOY("d1", "ready") },
      .is_done = is_live, .question = "GET " S " ", BODY(LIVE("d0", "false")), BODY(LIVE("d1", "false")) },
    { "netlify.lock",        ONCE, .call = lock, .request = { "POST " API "/deploys/d1/lock ", 200, "{\"id\":\"d1\",\"state\":\"ready\",\"locked\":true}" },
      .is_done = is_locked, .question = "GET " S " ", BODY(LIVE("d1", "false")), BODY(LIVE("d1", "true")) },
    { "netlify.unlock",      ONCE, .call = unlock, .request = { "POST " API "/deploys/d1/unlock ", 200, "{\"id\":\"d1\",\"state\":\"ready\",\"locked\":false}" },
      .is_done = is_unlocked, .question = "GET " S " ", BODY(LIVE("d1", "true")), BODY(LIVE("d1", "false")) },

    { "netlify.variables",    READ, .call = variables, .request = { "GET " ENVS OF " ", 200, "[" VARIABLE("old") "]" } },
    { "netlify.variable_get", READ, .call = variable_get, .request = { "GET " ENVS "/A" OF " ", 200, VARIABLE("old") } },
    { "netlify.variable_set", ONCE, .call = variable_set, .request = { "POST " ENVS OF " ", 201, "[" VARIABLE("new") "]" },
      .is_done = variable_is_set, .question = "GET " ENVS "/A" OF " ", GONE, BODY(VARIABLE("new")) },
    { "netlify.variable_set", ONCE, .call = variable_set, .request = { "PUT " ENVS "/A" OF " ", 200, VARIABLE("new") },
      .is_done = variable_is_set, .question = "GET " ENVS "/A" OF " ", BODY(VARIABLE("old")), BODY(VARIABLE("new")) },
    { "netlify.variable_value_set", ONCE, .call = variable_value_set, .request = { "PATCH " ENVS "/A" OF " ", 201, VARIABLE("new") },
      .is_done = variable_is_set, .question = "GET " ENVS "/A" OF " ", BODY(VARIABLE("old")), BODY(VARIABLE("new")) },
    { "netlify.variable_value_delete", ONCE, .call = variable_value_delete, .request = { "DELETE " ENVS "/A/value/v1" OF " ", 204 },
      .is_done = variable_is_gone, .question = "GET " ENVS "/A" OF " ", BODY(VARIABLE("old")), BODY(NO_VALUE) },
    { "netlify.variable_delete", ONCE, .call = variable_delete, .request = { "DELETE " ENVS "/A" OF " ", 204 },
      .is_done = variable_is_gone, .question = "GET " ENVS "/A" OF " ", BODY(VARIABLE("old")), GONE },
};

static const struct stage aside[] = {
    { "GET " S " ", 200, SITE_WITH("") }, /* for its account */
    { "GET " API "/sites?", 200, "[]" },
    { 0 },
};
/* clang-format on */

static bool open_client(struct cast *c, const char *address, struct err *e)
{
    return netlify_open(&(struct netlify_spec){ .api = address, .token = "nfp_x", .site = SITE },
                        &c->n, e);
}

static struct http *http_of(const struct cast *c)
{
    return netlify_http(c->n);
}

static void close_client(struct cast *c)
{
    netlify_close(c->n);
    c->n = NULL;
}

int main(void)
{
    return faults_run(&(struct client){
        .vendor = "netlify",
        .base_path = API,
        .aside = aside,
        .open = open_client,
        .http = http_of,
        .close = close_client,
        .rows = rows,
        .n_rows = sizeof rows / sizeof *rows,
    });
}
