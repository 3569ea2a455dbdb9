/*
 * `lockflight migration baseline`: begins with a database that has its schema already. The files up
 * to a version count as applied "before Lockflight" and are never run.
 */
#include "cli/output.h"
#include "cli/prompt.h"
#include "command/migration/change.h"
#include "command/migration/migration.h"
#include "migrate/repair.h"

#define BEFORE_US "before Lockflight"

struct baseline_args {
    struct session_args session;
    struct text_list version;
};

static bool confirm(struct session *s, const struct migration **v, size_t n, struct err *e)
{
    struct command_context *c = s->c;
    for (size_t i = 0; i < n; i++)
        print(&c->err, "  mark  %s\n", v[i]->file);
    return n == 0 ||
           prompt_continue(c, s->environment.name,
                           "They count as applied and are not run: what they do must be in the "
                           "database already.",
                           e);
}

static bool mark(struct change *x, const struct migration **v, size_t n, const char *version,
                 struct err *e)
{
    struct record_how how = {
        .state = "baseline",
        .applied_by = BEFORE_US,
        .epoch = lease_epoch(x->lease),
        .started_unix_ms = change_began_unix_ms(x),
        .replaces = true,
    };
    json_auto_t *body = json_pack("{s:s, s:I}", "version", version, "migrations", (json_int_t)n);
    if (!change_begin(x, e))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!record_applied(change_db(x), x->s->c->arena, v[i], &how, e))
            return err_wrap(e, "mark %s", v[i]->file);
    return journal_note(x->lease, "migration.baseline", body, e) && change_commit(x, e);
}

static bool baseline(struct command_context *c, void *args, struct err *e)
{
    struct baseline_args *a = args;
    struct session s;
    const struct migration **v = NULL;
    size_t n = 0;
    CLEANUP(change) struct change x = { 0 };
    session_shift_version(c->arena, &a->session, &a->version);
    if (a->version.n != 1)
        return err_set(e, ERR_USAGE, "up to which version? One is needed");
    const char *version = a->version.v[0];
    if (!session_open(c, &a->session, &s, e) || !change_open(&s, "migration baseline", &x, e) ||
        !change_compare(&x, e) || !repair_baseline_choose(c->arena, &s.plan, version, &v, &n, e) ||
        !confirm(&s, v, n, e) || (n > 0 && !mark(&x, v, n, version, e)))
        return false;
    const char **versions = ARENA_ARRAY(c->arena, const char *, n + 1);
    for (size_t i = 0; i < n; i++)
        versions[i] = v[i]->version;
    change_answer(&s, "marked", versions, n);
    return true;
}

static const struct option baseline_options[] = {
    SESSION_OPTIONS(baseline_args, session),
    { 0 },
};

static const struct argument baseline_arguments[] = {
    SESSION_ARGUMENT(baseline_args, session),
    { "version", ARG_MANY, COMPLETE_NOTHING, AT(baseline_args, version),
      "The last one that is in the database already" },
    { 0 },
};

const struct command cmd_migration_baseline = {
    .name = "baseline",
    .synopsis = "migration baseline [environment] <version>",
    .summary = "Begin with a database that has its schema already",
    .description = "Every migration up to this version is marked as applied before Lockflight and "
                   "is not run. What another tool applied keeps its place in the history, and from "
                   "now on a changed file is noticed.",
    .examples = "lockflight migration baseline production 20260314101500",
    .group = GROUP_PREPARE,
    .offers = COMMAND_JSON | COMMAND_ASKS,
    .options = baseline_options,
    .arguments = baseline_arguments,
    .args_size = sizeof(struct baseline_args),
    .run = baseline,
};
