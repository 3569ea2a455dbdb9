/*
 * Makes every call that our clients know, in an order that makes sense, at an address given: for
 * whoever listens there and judges what is asked and answered.
 *
 *     calls netlify ADDRESS TOKEN [--mock]
 *     calls supabase ADDRESS TOKEN [--mock]
 *
 * Prints a line per call, "ok netlify.restore" or "FAILED netlify.restore: why". With --mock the
 * answers are made up, so that only what is asked matters: "asked netlify.restore".
 */
#include "base/cleanup.h"
#include "base/hash.h"
#include "provider/netlify.h"
#include "provider/supabase.h"

#include <stdio.h>
#include <string.h>

static bool is_mock;
static int failures;
static struct err error;

static void tell(const char *what, bool ok)
{
    if (is_mock)
        printf("asked %s\n", what);
    else if (ok)
        printf("ok %s\n", what);
    else
        printf("FAILED %s: %s: %s\n", what, error.what, error.why);
    failures += !ok && !is_mock;
    (void)fflush(stdout);
}

#define CALL(what, call) tell(what, call)

static bool at_once(void *context, int64_t ms, struct err *e)
{
    (void)context, (void)ms;
    return err_set(e, ERR_TIMEOUT, "nothing is asked twice here");
}

/* ---- Netlify --------------------------------------------------------------------------------- */

static void netlify_variables_calls(struct netlify *n, struct arena *a)
{
    const struct netlify_env_value values[] = { { "", "production", "", "one" },
                                                { "", "branch", "next", "two" } };
    const struct netlify_env v = { .name = "LOCKFLIGHT_TEST",
                                   .scopes = NETLIFY_BUILDS | NETLIFY_FUNCTIONS | NETLIFY_RUNTIME,
                                   .values = values,
                                   .n_values = 2 };
    const struct netlify_env_value preview = { "", "deploy-preview", "", "three" };
    struct netlify_env *all = NULL, one = { 0 };
    size_t count = 0;
    CALL("netlify.variable_set", netlify_env_put(n, a, &v, &error)); /* new */
    CALL("netlify.variable_set", netlify_env_put(n, a, &v, &error)); /* again */
    CALL("netlify.variable_value_set", netlify_env_value_set(n, a, v.name, &preview, &error));
    CALL("netlify.variables", netlify_envs(n, a, &all, &count, &error));
    bool ok = netlify_env_get(n, a, v.name, &one, &error);
    CALL("netlify.variable_get", ok);
    CALL("netlify.variable_value_delete",
         netlify_env_value_delete(n, a, v.name, ok && one.n_values ? one.values[0].id : "v",
                                  &error));
    CALL("netlify.variable_set", /* a secret */
         netlify_variable_set(n, a,
                              &(struct netlify_variable){ .name = "LOCKFLIGHT_SECRET",
                                                          .value = "s3cret-of-a-test",
                                                          .is_secret = true },
                              &error));
    CALL("netlify.variable_delete", netlify_variable_delete(n, a, v.name, &error));
    CALL("netlify.variable_delete", netlify_variable_delete(n, a, "LOCKFLIGHT_SECRET", &error));
}

/* A deploy with one page; its id. */
static const char *netlify_deploy_calls(struct netlify *n, struct arena *a, const char *title)
{
    char sha1[SHA1_HEX_BYTES];
    hash_hex(HASH_SHA1, str_of(title), sha1);
    const struct netlify_file file = {
        .path = "/index.html", .sha1 = sha1, .bytes = strlen(title), .content = str_of(title)
    };
    const struct netlify_variable variable = { .name = "RELEASE", .value = title };
    const struct netlify_deploy_spec spec = { .title = title,
                                              .variables = &variable,
                                              .n_variables = 1 };
    const char *const required[] = { sha1 };
    struct netlify_deploy d = { .id = "d1" }, synced, ready;
    CALL("netlify.deploy_create", netlify_deploy_create(n, a, &spec, &d, &error));
    CALL("netlify.deploy_sync", netlify_deploy_sync(n, a, d.id, &file, 1, &synced, &error));
    CALL("netlify.upload", netlify_deploy_upload(n,
                                                 &(struct netlify_upload_spec){
                                                     .deploy_id = d.id,
                                                     .files = &file,
                                                     .n_files = 1,
                                                     .required = required,
                                                     .n_required = 1,
                                                 },
                                                 &error));
    if (!is_mock)
        CALL("netlify.deploy_get", netlify_deploy_wait(n, a, d.id, 10000, &ready, &error));
    else
        CALL("netlify.deploy_get", netlify_deploy_get(n, a, d.id, &ready, &error));
    return d.id;
}

static void netlify_calls(const char *address, const char *token)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    CLEANUP(netlify) struct netlify *account = NULL;
    CLEANUP(netlify) struct netlify *n = NULL;
    struct netlify_account *accounts = NULL;
    struct netlify_site *sites = NULL, site = { .id = "site" }, second = { .id = "site" };
    struct netlify_site_file *files = NULL;
    struct netlify_deploy *deploys = NULL, draft = { .id = "d2" };
    size_t count = 0;
    struct netlify_spec spec = { .api = address, .token = token, .site = "" };
    if (!netlify_open(&spec, &account, &error)) {
        tell("netlify_open", false);
        return;
    }
    bool ok = netlify_accounts(account, a, &accounts, &count, &error);
    CALL("netlify.accounts", ok);
    const char *team = ok && count ? accounts[0].slug : "team";
    CALL("netlify.site_create", netlify_site_create(account, a, team, "calls-one", &site, &error));
    CALL("netlify.site_create",
         netlify_site_create(account, a, NULL, "calls-two", &second, &error));
    CALL("netlify.sites", netlify_sites(account, a, "calls", &sites, &count, &error));
    CALL("netlify.site_delete", netlify_site_delete(account, a, second.id, &error));

    spec.site = site.id;
    if (!netlify_open(&spec, &n, &error))
        return;
    if (is_mock)
        http_set_waiter(netlify_http(n), at_once, NULL);
    CALL("netlify.site_get", netlify_site_get(n, a, &site, &error));
    CALL("netlify.site_update", netlify_site_stop_builds(n, a, true, &error));
    netlify_variables_calls(n, a);
    const char *first = netlify_deploy_calls(n, a, "calls, first");
    const char *next = netlify_deploy_calls(n, a, "calls, second");
    CALL("netlify.restore", netlify_restore(n, a, first, &error));
    CALL("netlify.lock", netlify_lock(n, a, first, &error));
    CALL("netlify.unlock", netlify_unlock(n, a, first, &error));
    CALL("netlify.restore", netlify_restore(n, a, next, &error));
    CALL("netlify.deploys", netlify_deploys(n, a, 0, &deploys, &count, &error));
    CALL("netlify.site_files", netlify_site_files(n, a, &files, &count, &error));
    const struct netlify_deploy_spec unfinished = { .title = "calls, third" };
    CALL("netlify.deploy_create", netlify_deploy_create(n, a, &unfinished, &draft, &error));
    CALL("netlify.deploy_cancel", netlify_deploy_cancel(n, a, draft.id, &error));
    CALL("netlify.deploy_delete", netlify_deploy_delete(n, a, draft.id, &error));
    CALL("netlify.site_delete", netlify_site_delete(n, a, site.id, &error));
}

/* ---- Supabase -------------------------------------------------------------------------------- */

static void supabase_function_calls(struct supabase *s, struct arena *a)
{
    struct function_file file = { .path = "supabase/functions/calls/index.ts",
                                  .content = STR("Deno.serve(() => new Response(\"hi\"));\n") };
    struct function_source source = { .slug = "calls",
                                      .entrypoint_path = file.path,
                                      .import_map_path = "",
                                      .files = &file,
                                      .n_files = 1 },
                           live;
    struct supabase_function f = { .id = "x",
                                   .slug = "calls",
                                   .name = "calls",
                                   .status = "ACTIVE",
                                   .entrypoint_path = "",
                                   .import_map_path = "",
                                   .ezbr_sha256 = "" },
                             *all = NULL;
    size_t count = 0;
    function_source_seal(a, &source);
    CALL("supabase.function_deploy", supabase_function_deploy(s, a, &source, false, &f, &error));
    CALL("supabase.function_bundle", supabase_function_deploy(s, a, &source, true, &f, &error));
    CALL("supabase.functions_activate", supabase_functions_activate(s, a, &f, 1, &error));
    CALL("supabase.functions", supabase_functions(s, a, &all, &count, &error));
    CALL("supabase.function_get", supabase_function_get(s, a, "calls", &f, &error));
    CALL("supabase.function_body", supabase_function_source(s, a, "calls", &live, &error));
    CALL("supabase.function_delete", supabase_function_delete(s, a, "calls", &error));
}

static void supabase_calls(const char *address, const char *token)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    CLEANUP(supabase) struct supabase *s = NULL;
    struct supabase_organization *organizations = NULL;
    struct supabase_project *projects = NULL, made = { .ref = "abcdefghijklmnopqrst" };
    struct supabase_pooler pooler;
    struct supabase_api_keys keys;
    struct supabase_secret *secrets = NULL;
    struct supabase_branch *branches = NULL;
    size_t count = 0;
    const struct supabase_spec spec = { .api = address, .token = token };
    if (!supabase_open(&spec, &s, &error)) {
        tell("supabase_open", false);
        return;
    }
    if (is_mock)
        http_set_waiter(supabase_http(s), at_once, NULL);
    bool ok = supabase_organizations(s, a, &organizations, &count, &error);
    CALL("supabase.organizations", ok);
    const struct supabase_project_spec wish = {
        .organization = ok && count ? organizations[0].slug : "team",
        .name = "calls",
        .region = "eu-central-1",
        .password = "a-password-of-a-test",
    };
    CALL("supabase.project_create", supabase_project_create(s, a, &wish, &made, &error));
    CALL("supabase.projects", supabase_projects(s, a, &projects, &count, &error));
    if (!supabase_use_project(s, made.ref, &error)) {
        tell("supabase_use_project", false);
        return;
    }
    ok = is_mock ? supabase_project(s, a, &made, &error)
                 : supabase_project_wait(s, a, 30000, &made, &error);
    CALL("supabase.project", ok);
    CALL("supabase.health", supabase_health(s, a, "db,rest,auth", &error));
    CALL("supabase.api_keys", supabase_api_keys(s, a, &keys, &error));
    CALL("supabase.branches", supabase_branches(s, a, &branches, &count, &error));
    CALL("supabase.pooler", supabase_pooler(s, a, &pooler, &error));
    const struct supabase_secret_value value = { "LOCKFLIGHT_TEST", STR("value-of-a-test") };
    const char *const names[] = { "LOCKFLIGHT_TEST" };
    CALL("supabase.secrets_set", supabase_secrets_set(s, a, &value, 1, &error));
    CALL("supabase.secrets", supabase_secrets(s, a, &secrets, &count, &error));
    CALL("supabase.secrets_unset", supabase_secrets_unset(s, a, names, 1, &error));
    supabase_function_calls(s, a);
    CALL("supabase.project_delete", supabase_project_delete(s, a, made.ref, &error));
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        (void)fprintf(stderr, "usage: calls netlify|supabase ADDRESS TOKEN [--mock]\n");
        return 2;
    }
    is_mock = argc > 4 && streq(argv[4], "--mock");
    if (streq(argv[1], "netlify"))
        netlify_calls(argv[2], argv[3]);
    else
        supabase_calls(argv[2], argv[3]);
    return failures ? 1 : 0;
}
