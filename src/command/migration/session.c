#include "command/migration/session.h"

#include "base/env.h"
#include "base/fs.h"
#include "cli/output.h"
#include "config/local_state.h"

#include <errno.h>
#include <signal.h>

#define NAME_OUTSIDE "standalone" /* the lease of a database that belongs to no environment yet */

/* ---- where the files are ---- */

/* "db/migrations" → "db/rollbacks" */
static const char *beside(struct arena *a, const char *dir)
{
    size_t n = strlen(dir);
    while (n > 1 && dir[n - 1] == '/')
        n--;
    while (n > 0 && dir[n - 1] != '/')
        n--;
    return arena_printf(a, "%.*srollbacks", (int)n, dir);
}

static bool is_there(const char *dir, const char *flag, struct err *e)
{
    if (fs_is_dir(dir))
        return true;
    return err_set(e, ERR_USAGE, "%s %s: there is no such folder", flag, dir);
}

static bool choose_paths(struct session *s, const struct session_args *args, struct err *e)
{
    struct arena *a = s->c->arena;
    if (!s->has_project) {
        s->config.paths.migrations = "supabase/migrations";
        s->config.paths.reverse = "supabase/rollbacks";
    }
    if (args->migrations) {
        if (!args->makes_folders && !is_there(args->migrations, "--migrations", e))
            return false;
        s->config.paths.migrations = args->migrations;
        s->config.paths.reverse = beside(a, args->migrations);
    }
    if (args->rollbacks) {
        if (!args->makes_folders && !is_there(args->rollbacks, "--rollbacks", e))
            return false;
        s->config.paths.reverse = args->rollbacks;
    }
    if (s->has_project || args->migrations || args->makes_folders ||
        fs_is_dir(s->config.paths.migrations))
        return true;
    err_set(e, ERR_CONFIG, "there is neither a lockflight.toml nor supabase/migrations here");
    return err_hint(e, "say where the files are: --migrations <dir>");
}

bool session_paths(struct command_context *c, const struct session_args *args, struct session *ret,
                   struct err *e)
{
    *ret = (struct session){ .c = c };
    ret->has_project = args->environment || c->config_path || config_find(c->arena, NULL);
    return (!ret->has_project || config_load(c->arena, c->config_path, &ret->config, e)) &&
           choose_paths(ret, args, e);
}

/* ---- which database ---- */

static const char *local_name(const struct config *c)
{
    const char *found = NULL;
    for (size_t i = c->envs_n; i-- > 0;)
        if (c->envs[i].platform == PLATFORM_LOCAL && (!found || !c->envs[i].requires))
            found = c->envs[i].name;
    return found;
}

/* The project's platform, if it runs. `ret_name`: the environment meant when none is named. */
static void find_local(struct session *s, const char **ret_name)
{
    struct arena *a = s->c->arena;
    const char *name = s->has_project ? local_name(&s->config) : NULL;
    struct local_platform platform;
    struct err none = { 0 };
    if (!name || !local_platform_read(a, local_state_dir(a, s->config.project, s->config.dir),
                                      &platform, &none))
        return;
    const struct local_environment *found = local_environment_find(&platform, name);
    if (!found || platform.pid <= 0 || (kill(platform.pid, 0) != 0 && errno == ESRCH))
        return;
    s->local_url = found->database;
    *ret_name = name;
}

static bool take_url(struct session *s, const struct session_args *args, struct err *e)
{
    const char *url = args->database_url;
    if (args->environment)
        return err_set(e, ERR_USAGE, "either an environment (%s) or --database-url, not both",
                       args->environment);
    if (strncmp(url, "env:", 4) == 0) {
        const char *variable = url + 4;
        url = env_value(variable);
        if (!url)
            return err_set(e, ERR_AUTH, "--database-url names the variable %s, which is not set",
                           variable);
    }
    s->environment = (struct environment){ .name = NAME_OUTSIDE, .database_url = url };
    s->where = NAME_OUTSIDE;
    return true;
}

static bool choose_database(struct session *s, const struct session_args *args, struct err *e)
{
    const char *name = args->environment, *local = NULL;
    find_local(s, &local);
    if (args->database_url)
        return take_url(s, args, e);
    if (!name)
        name = local;
    if (name && !config_environment_database(&s->config, name, &s->environment, e))
        return false;
    s->has_environment = name != NULL;
    if (!name)
        s->environment.name = NAME_OUTSIDE;
    s->where = s->environment.name;
    return true;
}

bool session_begin(struct command_context *c, const struct session_args *args, bool wants_actor,
                   struct session *ret, struct err *e)
{
    if (!session_paths(c, args, ret, e) || !choose_database(ret, args, e))
        return false;
    session_files_start(ret, wants_actor);
    return true;
}

bool session_open(struct command_context *c, const struct session_args *args, struct session *ret,
                  struct err *e)
{
    return session_begin(c, args, false, ret, e) && session_files_finish(ret, e);
}

bool session_which_database(const struct session *s, struct err *e)
{
    if (s->has_project) {
        err_set(e, ERR_USAGE,
                "which database? No environment was named, and the local platform "
                "does not run");
        return err_hint(e, "name an environment, or give --database-url; `lockflight local up` "
                           "starts the platform");
    }
    err_set(e, ERR_USAGE, "which database? There is no lockflight.toml that would say");
    return err_hint(e, "--database-url postgresql://…, or --database-url env:DATABASE_URL");
}

bool session_name(struct session *s, struct pg *db, struct err *e)
{
    struct pg_rows r;
    struct arena *a = s->c->arena;
    if (s->has_environment)
        return true;
    if (!pg_query(db, a,
                  "SELECT target FROM lockflight.lease"
                  " ORDER BY taken_at DESC NULLS LAST, target LIMIT 1",
                  PG_NONE, &r, e)) {
        bool is_new = streq(e->sqlstate, "42P01") || streq(e->sqlstate, "3F000");
        if (is_new)
            err_clear(e);
        return is_new;
    }
    if (r.n > 0)
        s->environment.name = pg_value(&r, 0, 0);
    return true;
}

void session_found(struct session *s, const struct pg *db, const char *name)
{
    if (s->has_environment)
        return;
    s->where = arena_strdup(s->c->arena, pg_where(db));
    s->environment.name = arena_strdup(s->c->arena, name);
}

bool session_connect(struct session *s, const char *purpose, struct pg **ret, struct err *e)
{
    struct err unreadable;
    struct pg_spec spec = { .url = s->environment.database_url, .purpose = purpose };
    bool ok = spec.url ? pg_open(&spec, ret, e) : session_which_database(s, e);
    if (!session_files_finish(s, &unreadable)) { /* that comes first */
        *e = unreadable;
        return false;
    }
    if (ok)
        session_found(s, *ret, s->environment.name);
    return ok;
}

bool session_server(const struct session *s, const char **ret_url, struct err *e)
{
    const char *url = s->environment.database_url;
    if (s->has_environment && s->local_url)
        url = s->local_url;
    if (!url)
        return session_which_database(s, e);
    *ret_url = url;
    return true;
}

bool session_compare(struct session *s, struct pg *db, struct err *e)
{
    if (!history_read(db, s->c->arena, &s->history, e))
        return false;
    migration_plan(s->c->arena, &s->set, &s->history, &s->plan);
    return true;
}

/* ---- arguments ---- */

void session_shift_version(struct arena *a, struct session_args *args, struct text_list *versions)
{
    const char *word = args->environment;
    if (!word || !*word || word[strspn(word, "0123456789")])
        return;
    const char **v = ARENA_ARRAY(a, const char *, versions->n + 1);
    v[0] = word;
    for (size_t i = 0; i < versions->n; i++)
        v[i + 1] = versions->v[i];
    *versions = (struct text_list){ .v = v, .n = versions->n + 1, .capacity = versions->n + 1 };
    args->environment = NULL;
}
