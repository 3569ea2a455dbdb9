/*
 * SQL and database settings in the management API.
 */
#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/limits.h"
#include "local/supabase_inside.h"

#define LOGIN_TTL_S    3600
#define PARAMETERS_MAX 100

static const char *parameter(struct request *r, const json_t *value)
{
    if (json_is_null(value))
        return NULL;
    return json_is_string(value) ? json_string_value(value) : json_text(r->arena, value);
}

static bool run(struct request *r, struct sql *db, const json_t *body, json_t **ret, struct err *e)
{
    const char *text = json_text_or(body, "query", NULL);
    const json_t *given = json_object_get(body, "parameters");
    const char *params[PARAMETERS_MAX];
    size_t n = json_array_size(given);
    if (!text)
        return err_set(e, ERR_DATA, "query is required");
    if (!n)
        return sql_rows(db, text, ret, e);
    if (n > PARAMETERS_MAX)
        return err_set(e, ERR_DATA, "more than %d parameters", PARAMETERS_MAX);
    for (size_t i = 0; i < n; i++)
        params[i] = parameter(r, json_array_get(given, i));
    return sql_query(db, text, params, (int)n, ret, e);
}

/* As role postgres, which is not a superuser, like every other client of an environment. */
static void query(struct request *r, void *context, bool read_only)
{
    struct err e;
    struct platform_environment *env = supabase_environment(r, context);
    json_auto_t *body = env ? supabase_body(r, JSON_OBJECT) : NULL;
    CLEANUP(sql) struct sql *db = NULL;
    json_t *rows = NULL;
    if (!body)
        return;
    read_only = read_only || json_bool_or(body, "read_only", false);
    bool ok =
        cluster_connect(env->platform->cluster, env->database, "postgres", NULL, &db, &e) &&
        (!read_only || sql_run(db, "set session characteristics as transaction read only", &e)) &&
        run(r, db, body, &rows, &e);
    if (ok)
        respond_json(r, 201, rows);
    else if (e.code == ERR_DB)
        supabase_refuse(r, 400, "Failed to run sql query: ERROR:  %s: %s\n", e.sqlstate, e.why);
    else
        supabase_refuse(r, e.code == ERR_DATA ? 400 : 500, "%s", e.why);
}

void query_post(struct request *r, void *context)
{
    query(r, context, false);
}

void query_read_only_post(struct request *r, void *context)
{
    query(r, context, true);
}

/* A role that can log in for an hour and step down to the one it is a member of. */
void login_role_post(struct request *r, void *context)
{
    struct err e;
    struct platform_environment *env = supabase_environment(r, context);
    json_auto_t *body = env ? supabase_body(r, JSON_OBJECT) : NULL;
    CLEANUP(sql) struct sql *db = NULL;
    if (!body)
        return;
    const char *of =
        json_bool_or(body, "read_only", false) ? "supabase_read_only_user" : "postgres";
    const char *password = random_hex(r->arena, 20);
    const char *until = clock_rfc3339(r->arena, clock_unix_ms() + (int64_t)LOGIN_TTL_S * 1000);
    const char *role = arena_printf(r->arena, "cli_login_%s", of);
    const char *text = arena_printf(
        r->arena,
        "do $$ begin if not exists (select from pg_roles where rolname = '%s') then create role %s "
        "noinherit; end if; end $$; alter role %s login password '%s' valid until '%s'; grant %s "
        "to %s",
        role, role, role, password, until, of, role);
    if (cluster_connect(env->platform->cluster, env->database, "supabase_admin", NULL, &db, &e) &&
        sql_run(db, text, &e))
        respond_json(r, 201,
                     json_pack("{s:s, s:s, s:i}", "role", role, "password", password, "ttl_seconds",
                               LOGIN_TTL_S));
    else
        supabase_refuse(r, 500, "%s", e.why);
}

void login_role_delete(struct request *r, void *context)
{
    struct err e;
    struct platform_environment *env = supabase_environment(r, context);
    CLEANUP(sql) struct sql *db = NULL;
    if (!env)
        return;
    if (cluster_connect(env->platform->cluster, env->database, "supabase_admin", NULL, &db, &e) &&
        sql_run(db, "drop role if exists cli_login_postgres, cli_login_supabase_read_only_user",
                &e))
        respond_json(r, 200, json_pack("{s:s}", "message", "ok"));
    else
        supabase_refuse(r, 500, "%s", e.why);
}

void postgrest_get(struct request *r, void *context)
{
    struct platform_environment *env = supabase_environment(r, context);
    if (env)
        respond_json(r, 200,
                     json_pack("{s:s, s:i, s:s, s:n}", "db_schema", env->settings.api_schemas,
                               "max_rows", env->settings.api_max_rows, "db_extra_search_path",
                               env->settings.api_extra_search_path, "db_pool"));
}

/* A project that was made here has a role of its own, so it can be reached the way that the hosted
 * pooler is: user postgres.<ref>. Nothing pools. */
void pooler_get(struct request *r, void *context)
{
    struct platform_environment *env = supabase_environment(r, context);
    if (!env)
        return;
    if (!env->id.is_created) {
        supabase_refuse(r, 404, "The local platform has no pooler");
        return;
    }
    int port = cluster_port(env->platform->cluster);
    const char *user = arena_printf(r->arena, "postgres.%s", env->id.project_ref);
    const char *url = arena_printf(r->arena, "postgresql://%s:[YOUR-PASSWORD]@127.0.0.1:%d/%s",
                                   user, port, env->database);
    respond_json(r, 200,
                 json_pack("[{s:s, s:s, s:b, s:s, s:s, s:i, s:s, s:s, s:s, s:n, s:n, s:s}]",
                           "identifier", env->id.project_ref, "database_type", "PRIMARY",
                           "is_using_scram_auth", 1, "db_user", user, "db_host", "127.0.0.1",
                           "db_port", port, "db_name", env->database, "connection_string", url,
                           "connectionString", url, "default_pool_size", "max_client_conn",
                           "pool_mode", "session"));
}
