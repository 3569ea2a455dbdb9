/*
 * Every endpoint of the Supabase client, met by every fault.
 */
#include "assert_ok.h"

#include "provider/faults.h"
#include "provider/supabase.h"

#include <string.h>

#define REF    "abcdefghijklmnopqrst"
#define OTHER  "bcdefghijklmnopqrstu"
#define P      "/v1/projects/" REF
#define DIGEST "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" /* of "test" */

#define PROJECT(ref)                                                                               \
    "{\"ref\":\"" ref "\",\"name\":\"shop\",\"organization_slug\":\"acme\",\"status\":"            \
    "\"ACTIVE_HEALTHY\"}"
#define FUNCTION(version, hash)                                                                    \
    "{\"id\":\"f\",\"slug\":\"hi\",\"name\":\"hi\",\"status\":\"ACTIVE\",\"version\":" version     \
    ",\"ezbr_sha256\":\"" hash "\",\"entrypoint_path\":\"supabase/functions/hi/index.ts\"}"
#define SECRET "[{\"name\":\"A\",\"value\":\"" DIGEST "\"}]"

/* ---- the calls ------------------------------------------------------------------------------- */

static bool organizations(struct cast *c, struct err *e)
{
    struct supabase_organization *all = NULL;
    size_t n = 0;
    return supabase_organizations(c->s, c->a, &all, &n, e);
}

static bool projects(struct cast *c, struct err *e)
{
    struct supabase_project *all = NULL;
    size_t n = 0;
    return supabase_projects(c->s, c->a, &all, &n, e);
}

static bool project(struct cast *c, struct err *e)
{
    struct supabase_project p;
    return supabase_project(c->s, c->a, &p, e);
}

static bool project_create(struct cast *c, struct err *e)
{
    const struct supabase_project_spec spec = {
        .organization = "acme", .name = "shop", .region = "eu-central-1", .password = "pw-secret"
    };
    struct supabase_project p;
    return supabase_project_create(c->s, c->a, &spec, &p, e);
}

static bool project_is_made(struct cast *c, bool *ret, struct err *e)
{
    struct supabase_project *all = NULL;
    size_t n = 0;
    if (!supabase_projects(c->s, c->a, &all, &n, e))
        return false;
    *ret = n > 0;
    return true;
}

static bool project_delete(struct cast *c, struct err *e)
{
    return supabase_project_delete(c->s, c->a, REF, e);
}

static bool project_is_gone(struct cast *c, bool *ret, struct err *e)
{
    struct supabase_project p;
    *ret = !supabase_project(c->s, c->a, &p, e);
    return !*ret || e->code == ERR_NOT_FOUND;
}

static bool health(struct cast *c, struct err *e)
{
    return supabase_health(c->s, c->a, "db", e);
}

static bool api_keys(struct cast *c, struct err *e)
{
    struct supabase_api_keys keys;
    return supabase_api_keys(c->s, c->a, &keys, e);
}

static bool pooler(struct cast *c, struct err *e)
{
    struct supabase_pooler p;
    return supabase_pooler(c->s, c->a, &p, e);
}

static bool branches(struct cast *c, struct err *e)
{
    struct supabase_branch *all = NULL;
    size_t n = 0;
    return supabase_branches(c->s, c->a, &all, &n, e);
}

static bool functions(struct cast *c, struct err *e)
{
    struct supabase_function *all = NULL;
    size_t n = 0;
    return supabase_functions(c->s, c->a, &all, &n, e);
}

static bool function_get(struct cast *c, struct err *e)
{
    struct supabase_function f;
    return supabase_function_get(c->s, c->a, "hi", &f, e);
}

static bool function_body(struct cast *c, struct err *e)
{
    struct function_source source;
    return supabase_function_source(c->s, c->a, "hi", &source, e);
}

static bool deploy(struct cast *c, bool bundle_only, struct err *e)
{
    static struct function_file file = { .path = "supabase/functions/hi/index.ts",
                                         .content = { "serve()", 7 } };
    struct function_source source = { .slug = "hi",
                                      .entrypoint_path = "supabase/functions/hi/index.ts",
                                      .import_map_path = "",
                                      .files = &file,
                                      .n_files = 1 };
    struct supabase_function f;
    function_source_seal(c->a, &source);
    return supabase_function_deploy(c->s, c->a, &source, bundle_only, &f, e);
}

static bool function_bundle(struct cast *c, struct err *e)
{
    return deploy(c, true, e);
}

static bool function_deploy(struct cast *c, struct err *e)
{
    return deploy(c, false, e);
}

static bool functions_activate(struct cast *c, struct err *e)
{
    const struct supabase_function f = { .id = "f",
                                         .slug = "hi",
                                         .name = "hi",
                                         .status = "ACTIVE",
                                         .version = 2,
                                         .entrypoint_path = "",
                                         .import_map_path = "",
                                         .ezbr_sha256 = "new" };
    return supabase_functions_activate(c->s, c->a, &f, 1, e);
}

static bool function_is_new(struct cast *c, bool *ret, struct err *e)
{
    struct supabase_function f = { 0 };
    if (!supabase_function_get(c->s, c->a, "hi", &f, e))
        return false;
    *ret = streq(f.ezbr_sha256, "new");
    return true;
}

static bool function_delete(struct cast *c, struct err *e)
{
    return supabase_function_delete(c->s, c->a, "hi", e);
}

static bool function_is_gone(struct cast *c, bool *ret, struct err *e)
{
    struct supabase_function f;
    *ret = !supabase_function_get(c->s, c->a, "hi", &f, e);
    return !*ret || e->code == ERR_NOT_FOUND;
}

static bool secrets(struct cast *c, struct err *e)
{
    struct supabase_secret *all = NULL;
    size_t n = 0;
    return supabase_secrets(c->s, c->a, &all, &n, e);
}

static bool secrets_set(struct cast *c, struct err *e)
{
    const struct supabase_secret_value v = { "A", { "test", 4 } };
    return supabase_secrets_set(c->s, c->a, &v, 1, e);
}

static bool secrets_unset(struct cast *c, struct err *e)
{
    const char *const names[] = { "A" };
    return supabase_secrets_unset(c->s, c->a, names, 1, e);
}

/* By its digest: the value cannot be read. */
static bool secret_is_set(struct cast *c, bool *ret, struct err *e)
{
    struct supabase_secret *all = NULL;
    size_t n = 0;
    if (!supabase_secrets(c->s, c->a, &all, &n, e))
        return false;
    *ret = n == 1 && streq(all[0].digest, DIGEST);
    return true;
}

static bool secret_is_gone(struct cast *c, bool *ret, struct err *e)
{
    bool ok = secret_is_set(c, ret, e);
    *ret = ok && !*ret;
    return ok;
}

/* ---- the table ------------------------------------------------------------------------------- */

#define READ  .effect = HTTP_READ
#define AGAIN .effect = HTTP_IDEMPOTENT
#define ONCE  .effect = HTTP_MUTATING
#define GONE                                                                                       \
    {                                                                                              \
        NULL, 404, "{\"message\":\"not found\"}", NULL                                             \
    }
#define BODY(text)                                                                                 \
    {                                                                                              \
        NULL, 200, text, NULL                                                                      \
    }
#define MULTIPART "Content-Type: multipart/form-data; boundary=B\r\n"
#define PARTS                                                                                      \
    "--B\r\nContent-Disposition: form-data; name=\"file\"; "                                       \
    "filename=\"supabase/functions/hi/index.ts\"\r\n\r\nserve()\r\n--B--\r\n"

/* clang-format off */
static const struct endpoint rows[] = {
    { "supabase.organizations", READ, .call = organizations, .request = { "GET /v1/organizations ", 200, "[{\"slug\":\"acme\",\"name\":\"A\"}]" } },
    { "supabase.projects",      READ, .call = projects, .request = { "GET /v1/projects ", 200, "[" PROJECT(REF) "]" } },
    { "supabase.project",       READ, .call = project, .request = { "GET " P " ", 200, PROJECT(REF) } },
    { "supabase.project_create", ONCE, .call = project_create, .request = { "POST /v1/projects ", 201, PROJECT(REF) },
      .is_done = project_is_made, .question = "GET /v1/projects ", BODY("[]"), BODY("[" PROJECT(REF) "]"),
      BODY("[" PROJECT(OTHER) "," PROJECT(REF) "]"), "DELETE " P " " },
    { "supabase.project_delete", ONCE, .call = project_delete, .request = { "DELETE " P " ", 200, "{\"id\":1,\"ref\":\"" REF "\",\"name\":\"shop\"}" },
      .is_done = project_is_gone, .question = "GET " P " ", BODY(PROJECT(REF)), { NULL, 400, "{\"message\":\"Resource has been removed\"}", NULL } },
    { "supabase.health",        READ, .call = health, .request = { "GET " P "/health?", 200, "[{\"name\":\"db\",\"status\":\"ACTIVE_HEALTHY\",\"healthy\":true}]" } },
    { "supabase.api_keys",      READ, .call = api_keys, .request = { "GET " P "/api-keys?", 200, "[{\"name\":\"anon\",\"api_key\":\"k\"}]" } },
    { "supabase.pooler",        READ, .call = pooler, .request = { "GET " P "/config/database/pooler ", 200,
      "[{\"database_type\":\"PRIMARY\",\"db_user\":\"u\",\"db_host\":\"h\",\"db_name\":\"d\",\"db_port\":6543}]" } },

    { "supabase.branches",      READ, .call = branches, .request = { "GET " P "/branches ", 200, "[{\"name\":\"main\",\"is_default\":true,\"git_branch\":\"main\"}]" } },

    { "supabase.functions",     READ, .call = functions, .request = { "GET " P "/functions ", 200, "[" FUNCTION("1", "old") "]" } },
    { "supabase.function_get",  READ, .call = function_get, .request = { "GET " P "/functions/hi ", 200, FUNCTION("1", "old") } },
    { "supabase.function_body", READ, .call = function_body, .request = { "GET " P "/functions/hi/body ", 200, PARTS, MULTIPART } },
    { "supabase.function_bundle", AGAIN, .call = function_bundle, .request = { "POST " P "/functions/deploy?slug=hi&bundleOnly=true ", 201, FUNCTION("2", "new") } },
    { "supabase.function_deploy", ONCE, .call = function_deploy, .request = { "POST " P "/functions/deploy?slug=hi ", 201, FUNCTION("2", "new") },
      .is_done = function_is_new, .question = "GET " P "/functions/hi ", BODY(FUNCTION("1", "old")), BODY(FUNCTION("2", "new")) },
    { "supabase.functions_activate", ONCE, .call = functions_activate, .request = { "PUT " P "/functions ", 200, "{\"functions\":[" FUNCTION("2", "new") "]}" },
      .is_done = function_is_new, .question = "GET " P "/functions/hi ", BODY(FUNCTION("1", "old")), BODY(FUNCTION("2", "new")) },
    { "supabase.function_delete", ONCE, .call = function_delete, .request = { "DELETE " P "/functions/hi ", 200, "{\"message\":\"ok\"}" },
      .is_done = function_is_gone, .question = "GET " P "/functions/hi ", BODY(FUNCTION("1", "old")), GONE },

    { "supabase.secrets",       READ, .call = secrets, .request = { "GET " P "/secrets ", 200, SECRET } },
    { "supabase.secrets_set",   ONCE, .call = secrets_set, .request = { "POST " P "/secrets ", 201 },
      .is_done = secret_is_set, .question = "GET " P "/secrets ", BODY("[]"), BODY(SECRET) },
    { "supabase.secrets_unset", ONCE, .call = secrets_unset, .request = { "DELETE " P "/secrets ", 200 },
      .is_done = secret_is_gone, .question = "GET " P "/secrets ", BODY(SECRET), BODY("[]") },
};

static const struct stage aside[] = {
    { "GET " P "/functions/hi ", 200, FUNCTION("1", "old") }, /* before its body */
    { 0 },
};
/* clang-format on */

static bool open_client(struct cast *c, const char *address, struct err *e)
{
    return supabase_open(&(struct supabase_spec){ .api = address, .token = "sbp_x", .ref = REF },
                         &c->s, e);
}

static struct http *http_of(const struct cast *c)
{
    return supabase_http(c->s);
}

static void close_client(struct cast *c)
{
    supabase_close(c->s);
    c->s = NULL;
}

int main(void)
{
    return faults_run(&(struct client){
        .vendor = "supabase",
        .base_path = "",
        .aside = aside,
        .open = open_client,
        .http = http_of,
        .close = close_client,
        .rows = rows,
        .n_rows = sizeof rows / sizeof *rows,
    });
}
