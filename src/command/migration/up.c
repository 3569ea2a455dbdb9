/*
 * `lockflight migration up`: applies what is pending, without a release.
 */
#include "cli/output.h"
#include "cli/prompt.h"
#include "command/migration/change.h"
#include "command/migration/migration.h"
#include "migrate/apply/pipeline.h"
#include "migrate/prove/proof_record.h"

struct up_args {
    struct session_args session;
    bool any_order;
    int64_t wait_ms;
    int64_t cancel_ms;
};

/* What is older than the newest applied one was written against another schema: it is shown, and
 * asked about. */
static bool confirm_order(struct session *s, struct err *e)
{
    struct command_context *c = s->c;
    size_t n = 0;
    for (size_t i = 0; i < s->plan.n; i++)
        if (s->plan.v[i].status == MIGRATION_OUT_OF_ORDER) {
            print(&c->err, "  late  %s\n", s->plan.v[i].file->file);
            n++;
        }
    return n == 0 ||
           prompt_continue(c, s->environment.name,
                           "They run after newer ones, in an order nobody has tried; a database "
                           "made anew runs them in the order of their versions.",
                           e);
}

static bool check(struct session *s, bool any_order, struct err *e)
{
    if (!any_order)
        return migration_plan_check(s->c->arena, &s->plan, e);
    return migration_plan_check_any_order(s->c->arena, &s->plan, e) && confirm_order(s, e);
}

/* ---- the gate of an environment that requires another one ---- */

static bool find_there(struct session *s, int major, struct proof_row *ret, struct err *e)
{
    CLEANUP(pg) struct pg *db = NULL;
    struct environment there;
    const char *name = s->environment.requires;
    if (!config_environment_database(&s->config, name, &there, e) ||
        !pg_open(&(struct pg_spec){ .url = there.database_url, .purpose = "proofs" }, &db, e) ||
        !proof_find(db, s->c->arena, s->plan.pending, s->plan.pending_count, major, ret, e))
        return err_wrap(e, "look for proofs of %s", name);
    return true;
}

static bool refuse_unproven(const struct session *s, const struct migration *m, struct err *e)
{
    err_set(e, ERR_BLOCKED,
            m->has_reverse ? "%s was never run up, down and up again: that it can be taken back is "
                             "not proven"
                           : "%s has no reverse script",
            m->file);
    err_where(e, "%s", m->has_reverse ? m->file : m->reverse_file);
    return err_hint(e, "lockflight migration %s %s %s",
                    m->has_reverse ? "prove" : "reverse --write", s->environment.requires,
                    m->version);
}

/* As for a deploy: what the environment before it has not proved is not tried here first. */
static bool gate(struct session *s, struct pg *db, struct err *e)
{
    size_t n = s->plan.pending_count;
    int major = pg_server_version(db) / 10000;
    struct proof_row *here = ARENA_ARRAY(s->c->arena, struct proof_row, n + 1);
    struct proof_row *there = ARENA_ARRAY(s->c->arena, struct proof_row, n + 1);
    bool all = true;
    if (!s->environment.requires || n == 0)
        return true;
    if (!proof_find(db, s->c->arena, s->plan.pending, n, major, here, e))
        return false;
    for (size_t i = 0; i < n; i++)
        all = all && here[i].is_found;
    if (!all && !find_there(s, major, there, e))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!here[i].is_found && !there[i].is_found)
            return refuse_unproven(s, s->plan.pending[i], e);
    return true;
}

static bool up(struct command_context *c, void *args, struct err *e)
{
    const struct up_args *a = args;
    struct session s;
    CLEANUP(change) struct change x = { 0 };
    if (!session_begin(c, &a->session, true, &s, e) ||
        !change_open_waiting(&s, "migration up", a->wait_ms, &x, e) || !change_compare(&x, e) ||
        !check(&s, a->any_order, e) || !gate(&s, change_db(&x), e))
        return false;

    struct migrate_options o = change_options(&x, CHANGE_APPLY);
    o.end_older_ms = a->cancel_ms;
    size_t applied = 0, n = s.plan.pending_count;
    if (n > 0 && !change_tell_drift(&x, e))
        return false;
    if (!pipeline_apply(change_db(&x), c->arena, s.plan.pending, n, &o, &applied, e)) {
        const char *half = arena_strdup(c->arena, e->state);
        return applied > 0 ? err_state(e, "%zu of %zu pending migrations were applied and stay%s%s",
                                       applied, n, half[0] ? "; " : "", half)
                           : false;
    }
    if (n > 0 && !change_keep_catalogue(&x, e))
        return false;
    const char **versions = ARENA_ARRAY(c->arena, const char *, n + 1);
    for (size_t i = 0; i < n; i++)
        versions[i] = s.plan.pending[i]->version;
    change_answer(&s, "applied", versions, n);
    return true;
}

static const struct option up_options[] = {
    { "include-out-of-order", 0, OPT_FLAG, AT(up_args, any_order), NULL,
      "Also run what is older than the newest applied one, after asking" },
    { "wait", 0, OPT_MS, AT(up_args, wait_ms), "<time>", "Wait this long for another runner" },
    CHANGE_CANCEL_OPTION(up_args, cancel_ms),
    SESSION_OPTIONS(up_args, session),
    { 0 },
};

static const struct argument up_arguments[] = {
    SESSION_ARGUMENT(up_args, session),
    { 0 },
};

const struct command cmd_migration_up = {
    .name = "up",
    .synopsis = "migration up [environment]",
    .summary = "Apply pending migrations without a release",
    .description =
        "Each file is one transaction, with its row in the history that the Supabase CLI reads; "
        "one that cannot be runs in steps, and goes on where it was after an interruption. "
        "Nothing runs if a file was changed after it was applied, is missing, or is older than "
        "the newest applied one; an environment that requires another one asks for the proof of "
        "every pair, too.",
    .examples = "lockflight migration up staging",
    .group = GROUP_PREPARE,
    .offers = COMMAND_JSON | COMMAND_ASKS,
    .options = up_options,
    .arguments = up_arguments,
    .args_size = sizeof(struct up_args),
    .run = up,
};
