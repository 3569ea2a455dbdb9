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
    const char *unproven;
    bool wants_drift;
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

/* A person's decision, and what it is about. */
static bool accept_unproven(struct change *x, const char *reason, json_t *versions, struct err *e)
{
    struct command_context *c = x->s->c;
    json_auto_t *body = json_pack("{s:s, s:O, s:s}", "reason", reason, "versions", versions, "by",
                                  lease_holder(x->lease));
    print_styled(
        &c->err, STYLE_WARN, "%s accepted without proof: %s\n",
        text_count(c->arena, (int64_t)json_array_size(versions), "migration is", "migrations are"),
        reason);
    return journal_note(x->lease, "migrations.unproven", body, e);
}

/* As for a deploy: what the environment before it has not proved is not tried here first. */
static bool gate(struct change *x, const char *unproven, struct err *e)
{
    struct session *s = x->s;
    struct arena *a = s->c->arena;
    size_t n = s->plan.pending_count;
    int major = pg_server_version(change_db(x)) / 10000;
    struct proof_row *here = ARENA_ARRAY(a, struct proof_row, n + 1);
    struct proof_row *there = ARENA_ARRAY(a, struct proof_row, n + 1);
    json_auto_t *accepted = json_array();
    bool all = true;
    if (!s->environment.requires || n == 0)
        return true;
    if (!proof_find(change_db(x), a, s->plan.pending, n, major, here, e))
        return false;
    for (size_t i = 0; i < n; i++)
        all = all && here[i].is_found;
    if (!all && !find_there(s, major, there, e))
        return false;
    for (size_t i = 0; i < n; i++) {
        const struct migration *m = s->plan.pending[i];
        if (here[i].is_found || there[i].is_found)
            continue;
        if (!unproven || !m->has_reverse)
            return refuse_unproven(s, m, e);
        (void)json_array_append_new(accepted, json_string(m->version));
    }
    return json_array_size(accepted) == 0 || accept_unproven(x, unproven, accepted, e);
}

static bool up(struct command_context *c, void *args, struct err *e)
{
    const struct up_args *a = args;
    struct session s;
    CLEANUP(change) struct change x = { 0 };
    if (!session_begin(c, &a->session, true, &s, e) ||
        !change_open_waiting(&s, "migration up", a->wait_ms, &x, e) || !change_compare(&x, e) ||
        !check(&s, a->any_order, e) || !gate(&x, a->unproven, e))
        return false;

    x.wants_drift = a->wants_drift;
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
    { "unproven", 0, OPT_TEXT, AT(up_args, unproven), "<reason>",
      "Apply migrations whose way back was never proved, and say why" },
    { "drift", 0, OPT_FLAG, AT(up_args, wants_drift), NULL,
      "Keep the schema for --drift of later runs in a database named by its URL, too" },
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
        "every pair, or with --unproven for a reason, which is kept.",
    .examples = "lockflight migration up staging",
    .group = GROUP_PREPARE,
    .offers = COMMAND_JSON | COMMAND_ASKS,
    .options = up_options,
    .arguments = up_arguments,
    .args_size = sizeof(struct up_args),
    .run = up,
};
