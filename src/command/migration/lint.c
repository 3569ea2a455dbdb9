/*
 * `lockflight migration lint`: what may go wrong while a migration runs beside people. Looks only.
 */
#include "base/cleanup.h"
#include "cli/output.h"
#include "command/migration/lint_view.h"
#include "command/migration/migration.h"
#include "command/migration/session.h"
#include "migrate/lint/running.h"
#include "migrate/prove/proof_record.h"

struct lint_args {
    struct session_args session;
    struct text_list versions;
    bool all;
    bool github;
    bool by_hand;
    bool is_static;
    const char *queries;
};

/* At most all of the set. */
typedef struct {
    const struct migration **v;
    size_t n;
} migrations;

static void choose_one(migrations *list, const struct migration *m)
{
    list->v[list->n++] = m;
}

static bool is_chosen(const migrations *chosen, const struct migration *m)
{
    for (size_t i = 0; i < chosen->n; i++)
        if (chosen->v[i] == m)
            return true;
    return false;
}

static bool choose_named(struct session *s, const struct text_list *versions, migrations *ret,
                         struct err *e)
{
    for (size_t i = 0; i < s->set.n; i++)
        for (size_t k = 0; k < versions->n; k++)
            if (strcmp(s->set.v[i].version, versions->v[k]) == 0) {
                choose_one(ret, &s->set.v[i]);
                break;
            }
    for (size_t k = 0; k < versions->n; k++)
        if (!migration_find(&s->set, versions->v[k]))
            return err_set(e, ERR_USAGE, "there is no migration %s in %s", versions->v[k],
                           s->config.paths.migrations);
    return true;
}

static migrations none_yet(const struct session *s)
{
    return (migrations){ .v = ARENA_ARRAY(s->c->arena, const struct migration *, s->set.n + 1) };
}

static void choose_all(struct session *s, migrations *ret)
{
    for (size_t i = 0; i < s->set.n; i++)
        choose_one(ret, &s->set.v[i]);
}

static void choose_pending(struct session *s, migrations *ret)
{
    for (size_t i = 0; i < s->plan.pending_count; i++)
        choose_one(ret, s->plan.pending[i]);
}

/* The database is in the state before them only if none of them has run there. */
static bool are_pending(const struct session *s, const migrations *chosen)
{
    for (size_t i = 0; i < chosen->n; i++) {
        bool is_pending = false;
        for (size_t k = 0; k < s->plan.pending_count; k++)
            is_pending |= s->plan.pending[k] == chosen->v[i];
        if (!is_pending)
            return false;
    }
    return true;
}

/* The files before the first chosen one, for what the schema is made of. */
static void find_before(struct session *s, const migrations *chosen, migrations *ret)
{
    for (size_t i = 0; i < s->set.n && !is_chosen(chosen, &s->set.v[i]); i++)
        choose_one(ret, &s->set.v[i]);
}

/* Schemas that the public API shows; outside of Supabase there is no such API. */
static const char *const *exposed_schemas(const struct session *s)
{
    struct arena *a = s->c->arena;
    const struct text_array *schemas = &s->environment.supabase_config.api_schemas;
    const char **list = ARENA_ARRAY(a, const char *, schemas->n + 2);
    for (size_t i = 0; i < schemas->n; i++)
        list[i] = schemas->v[i];
    if (schemas->n == 0 && (s->has_project || strstr(s->config.paths.migrations, "supabase")))
        list[0] = "public";
    return list;
}

static bool choose(struct session *s, const struct lint_args *a, struct pg **ret_db,
                   migrations *ret, struct err *e)
{
    bool has_database = s->environment.database_url != NULL;
    if (has_database && (!session_connect(s, "lint", ret_db, e) || !session_compare(s, *ret_db, e)))
        return false;
    if (a->versions.n > 0 && !choose_named(s, &a->versions, ret, e))
        return false;
    if (a->versions.n == 0 && has_database && !a->all)
        choose_pending(s, ret);
    else if (a->versions.n == 0)
        choose_all(s, ret);
    return true;
}

/* ---- what is known of the way back ---- */

/* A pair that no proof is kept for; where another environment must have proved it, its own database
 * knows. */
static bool find_unproved(struct session *s, struct pg *db, const migrations *chosen,
                          struct lint_report *report, struct err *e)
{
    struct arena *a = s->c->arena;
    struct proof_row *rows = ARENA_ARRAY(a, struct proof_row, chosen->n + 1);
    if (!s->has_environment || s->environment.requires)
        return true;
    if (!proof_find(db, a, chosen->v, chosen->n, pg_server_version(db) / 10000, rows, e))
        return false;
    for (size_t i = 0; i < chosen->n; i++) {
        const struct migration *m = chosen->v[i];
        struct lint_finding f = {
            .rule = &lint_rules[LINT_D03],
            .severity = LINT_WARN,
            .migration = m,
            .what = arena_printf(a, "%s has no proof for the files as they are", m->version),
        };
        if (m->has_reverse && !rows[i].is_found && !lint_report_add(a, report, &f, e))
            return false;
    }
    lint_report_count(report);
    return true;
}

/* ---- trying it out ---- */

static bool read_queries(struct session *s, const struct lint_args *a, struct pg *db,
                         struct running_queries *ret, struct err *e)
{
    if (a->queries && !running_read_file(s->c->arena, a->queries, ret, e))
        return false;
    return !db || a->is_static || running_read_statistics(db, s->c->arena, ret, e);
}

static bool try_all(struct session *s, const migrations *chosen, const char *server,
                    const struct running_queries *queries, struct lint_report *report,
                    struct err *e)
{
    CLEANUP(shadow) struct shadow *shadow = NULL;
    struct shadow_spec spec = { server, &s->set, chosen->v[0]->version };
    if (!shadow_open(&spec, s->c->arena, &shadow, e))
        return false;
    struct running r = { .shadow = shadow, .arena = s->c->arena, .queries = *queries };
    const struct migration *last = chosen->v[chosen->n - 1];
    for (const struct migration *m = chosen->v[0]; m <= last; m++)
        if (is_chosen(chosen, m) ? !running_try(&r, m, report, e) : !running_pass(&r, m, e))
            return false;
    return true;
}

/* On a scratch database, if there is a server for one. That it cannot be done is told, not an error:
 * the rules have spoken. */
static void try_out(struct session *s, const struct lint_args *a, const migrations *chosen,
                    const struct running_queries *queries, struct lint_report *report)
{
    struct err why = { 0 };
    const char *server = NULL;
    if (a->is_static || chosen->n == 0 || !session_server(s, &server, &why))
        return;
    if (!try_all(s, chosen, server, queries, report, &why))
        print_styled(&s->c->err, STYLE_WARN, "not tried on a scratch database: %s%s%s\n",
                     why.what[0] ? why.what : "", why.what[0] ? ": " : "", why.why);
}

static bool lint(struct command_context *c, void *args, struct err *e)
{
    struct lint_args *a = args;
    struct session s;
    struct lint_report report;
    CLEANUP(pg) struct pg *db = NULL;
    migrations chosen, before;
    struct running_queries queries = { 0 };
    session_shift_version(c->arena, &a->session, &a->versions);
    if (!session_open(c, &a->session, &s, e))
        return false;
    chosen = none_yet(&s);
    before = none_yet(&s);
    if (!choose(&s, a, &db, &chosen, e) || !read_queries(&s, a, db, &queries, e))
        return false;
    bool knows_database = db && are_pending(&s, &chosen);
    find_before(&s, &chosen, &before);
    struct lint_input in = {
        .files = chosen.v,
        .n = chosen.n,
        .before = before.v,
        .before_count = before.n,
        .db = knows_database ? db : NULL,
        .is_one_release = knows_database || a->versions.n > 0,
        .is_by_hand = a->by_hand,
        .wants_reverse = s.has_project || a->session.rollbacks,
        .queries = queries.list.v,
        .query_count = queries.list.n,
        .exposed = exposed_schemas(&s),
    };
    if (!lint_run(c->arena, &in, &report, e))
        return false;
    if (knows_database && !find_unproved(&s, db, &chosen, &report, e))
        return false;
    try_out(&s, a, &chosen, &queries, &report);
    if (c->wants_json)
        lint_view_json(c, &report);
    else if (a->github || c->is_github)
        lint_view_github(c, &report);
    else
        lint_view_people(c, &report);
    if (report.errors > 0)
        answer_refuses(c);
    return true;
}

// clang-format off
static const struct option lint_options[] = {
    { "all",     0, OPT_FLAG, AT(lint_args, all),     NULL, "All files, not only the pending ones" },
    { "github",  0, OPT_FLAG, AT(lint_args, github),  NULL, "Findings as annotations of GitHub Actions" },
    { "queries", 0, OPT_TEXT, AT(lint_args, queries), "<file>", "Queries of the running release, besides those that the database remembers" },
    { "static",  0, OPT_FLAG, AT(lint_args, is_static), NULL, "Only read; try nothing on a scratch database" },
    { "by-hand", 0, OPT_FLAG, AT(lint_args, by_hand), NULL, "The files are run with psql, not by Lockflight" },
    SESSION_OPTIONS(lint_args, session),
    { 0 },
};
// clang-format on

static const struct argument lint_arguments[] = {
    SESSION_ARGUMENT(lint_args, session),
    { "version", ARG_MANY, COMPLETE_NOTHING, AT(lint_args, versions), "Only these migrations" },
    { 0 },
};

const struct command cmd_migration_lint = {
    .name = "lint",
    .synopsis = "migration lint [environment] [version…]",
    .summary = "Find what would lock, rewrite, break or lose something",
    .description =
        "Judges migrations by the rules of docs/migrations.md: locks that make visitors wait, "
        "tables written anew, changes that the running release does not survive, data that is "
        "lost. With an environment or a database the pending files are judged, with the sizes and "
        "types it has, and tried on a scratch database, where the functions and queries of the "
        "running release are read again; else all files, each as a release of its own, and what "
        "cannot be known is "
        "supposed to be bad. `-- allow: L01 reason` before a statement excepts it. Exit status 5 "
        "if an error stands; warnings and notes do not count.",
    .examples = "lockflight migration lint\nlockflight migration lint production --json\n"
                "lockflight migration lint --migrations db/migrations --github",
    .group = GROUP_PREPARE,
    .offers = COMMAND_JSON,
    .options = lint_options,
    .arguments = lint_arguments,
    .args_size = sizeof(struct lint_args),
    .run = lint,
};
