/*
 * `lockflight rehearse`: what a release would do to the database, done to a copy. Every pending
 * migration is linted, proved, and then applied, reversed and applied again by the code that does it
 * in earnest, locks and history included. The database itself is only asked what is pending.
 */
#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/output.h"
#include "command/commands.h"
#include "command/flight.h"
#include "command/migration/lint_view.h"
#include "command/migration/proof_view.h"
#include "command/migration/session.h"
#include "engine/schema.h"
#include "migrate/apply/apply.h"
#include "migrate/prove/series.h"

struct rehearse_args {
    struct session_args session;
    struct text_list only;
};

struct rehearsal {
    struct command_context *c;
    struct session *s;
    const char *server;
    const struct migration **chosen;
    size_t n;
    size_t not_proven, without_reverse;
    struct lint_report lint;
    json_t *proofs;
    json_t *steps;
};

/* ---- which ---- */

static bool is_wanted(const struct rehearse_args *a, const struct migration *m)
{
    for (size_t i = 0; i < a->only.n; i++)
        if (streq(a->only.v[i], m->version))
            return true;
    return a->only.n == 0;
}

static bool choose(struct rehearsal *x, const struct rehearse_args *a, struct err *e)
{
    struct session *s = x->s;
    CLEANUP(pg) struct pg *db = NULL;
    x->chosen = ARENA_ARRAY(x->c->arena, const struct migration *, s->set.n + 1);
    if (a->only.n > 0) {
        for (size_t i = 0; i < a->only.n; i++)
            if (!migration_find(&s->set, a->only.v[i]))
                return err_set(e, ERR_USAGE, "there is no migration %s in %s", a->only.v[i],
                               s->config.paths.migrations);
        for (size_t i = 0; i < s->set.n; i++)
            if (is_wanted(a, &s->set.v[i]))
                x->chosen[x->n++] = &s->set.v[i];
        return true;
    }
    if (!session_connect(s, "rehearse", &db, e) || !session_compare(s, db, e) ||
        !migration_plan_check(x->c->arena, &s->plan, e))
        return false;
    for (size_t i = 0; i < s->plan.pending_count; i++)
        x->chosen[x->n++] = s->plan.pending[i];
    return true;
}

/* ---- lint and proof ---- */

static bool lint(struct rehearsal *x, struct shadow *at, struct err *e)
{
    struct lint_input in = {
        .files = x->chosen, .n = x->n, .db = shadow_db(at), .is_one_release = true
    };
    if (!lint_run(x->c->arena, &in, &x->lint, e))
        return false;
    if (!x->c->wants_json)
        lint_view_people(x->c, &x->lint);
    return true;
}

static bool take_proof(void *context, const struct proof *p, struct err *e)
{
    struct rehearsal *x = context;
    (void)e;
    x->not_proven += !p->is_proven;
    if (x->c->wants_json)
        (void)json_array_append_new(x->proofs, proof_json(x->c->arena, p));
    else
        proof_view_people(x->c, p);
    return true;
}

static bool prove(struct rehearsal *x, struct err *e)
{
    struct series_spec spec = { .server_url = x->server,
                                .set = &x->s->set,
                                .chosen = x->chosen,
                                .n = x->n,
                                .on_proof = take_proof,
                                .context = x };
    for (size_t i = 0; i < x->n; i++)
        x->without_reverse += !x->chosen[i]->has_reverse;
    return series_prove(&spec, e);
}

/* ---- in earnest, on a copy ---- */

static void told(struct rehearsal *x, const char *what, const char *version, int64_t began_ms)
{
    int64_t ms = clock_boot_ms() - began_ms;
    if (x->c->wants_json)
        (void)json_array_append_new(x->steps, json_pack("{s:s, s:s, s:I}", "step", what, "version",
                                                        version, "ms", (json_int_t)ms));
    else
        print(&x->c->out, "%-7s%s  %s\n", what, version, clock_duration(x->c->arena, ms));
}

static struct migrate_options options_of(const struct rehearsal *x)
{
    const struct config *config = &x->s->config;
    return (struct migrate_options){ MIGRATE_LIMITS(config), .applied_by = flight_actor(x->c) };
}

static bool apply_all(struct rehearsal *x, struct pg *db, const char *word, struct err *e)
{
    struct migrate_options o = options_of(x);
    for (size_t i = 0; i < x->n; i++) {
        int64_t began = clock_boot_ms();
        if (!migration_apply(db, x->c->arena, x->chosen[i], &o, e))
            return false;
        told(x, word, x->chosen[i]->version, began);
    }
    return true;
}

/* Newest first, down to the first that has no reverse script. */
static bool reverse_all(struct rehearsal *x, struct pg *db, bool *ret_all, struct err *e)
{
    struct history history;
    struct migration_plan plan;
    struct migrate_options o = options_of(x);
    if (!history_read(db, x->c->arena, &history, e))
        return false;
    migration_plan(x->c->arena, &x->s->set, &history, &plan);
    for (size_t i = plan.n; i-- > 0;) {
        const struct migration_state *m = &plan.v[i];
        if (!m->row)
            continue;
        if (!m->row->reverse_sql)
            return true;
        int64_t began = clock_boot_ms();
        if (!migration_reverse(db, x->c->arena, m, &o, e))
            return false;
        told(x, "down", m->row->version, began);
    }
    *ret_all = true;
    return true;
}

static bool fly(struct rehearsal *x, struct shadow *at, struct err *e)
{
    struct pg *db = shadow_db(at);
    bool is_back = false;
    return schema_ensure(db, e) && apply_all(x, db, "up", e) && reverse_all(x, db, &is_back, e) &&
           (!is_back || apply_all(x, db, "again", e));
}

/* ---- the whole ---- */

static bool finish(struct rehearsal *x, struct err *e)
{
    if (x->c->wants_json)
        print_json(x->c,
                   json_pack("{s:I, s:I, s:I, s:I, s:o, s:o}", "rehearsed", (json_int_t)x->n,
                             "not_proven", (json_int_t)x->not_proven, "without_reverse",
                             (json_int_t)x->without_reverse, "lint_errors",
                             (json_int_t)x->lint.errors, "proofs", x->proofs, "steps", x->steps));
    else if (x->n == 0)
        print(&x->c->out, "Nothing is pending on %s.\n", x->s->where);
    else
        print(&x->c->out, "%s rehearsed on a copy; %s was not touched.\n",
              text_count(x->c->arena, (int64_t)x->n, "migration", "migrations"), x->s->where);
    if (x->c->wants_json && (x->not_proven > 0 || x->lint.errors > 0)) {
        /* the document has said it */
        answer_refuses(x->c);
        return true;
    }
    if (x->not_proven > 0)
        return err_set(e, ERR_BLOCKED, "%zu of %zu pairs do not prove", x->not_proven, x->n);
    return x->lint.errors == 0 || lint_report_check(x->c->arena, &x->lint, e);
}

static bool rehearse(struct command_context *c, void *args, struct err *e)
{
    struct rehearse_args *a = args;
    struct session s;
    struct rehearsal x = { .c = c, .s = &s };
    CLEANUP(shadow) struct shadow *at = NULL;
    if (!session_open(c, &a->session, &s, e) || !session_server(&s, &x.server, e) ||
        !choose(&x, a, e))
        return false;
    x.proofs = c->wants_json ? json_array() : NULL;
    x.steps = c->wants_json ? json_array() : NULL;
    struct shadow_spec spec = { .server_url = x.server,
                                .set = &s.set,
                                .upto = x.n ? x.chosen[0]->version : NULL };
    bool ok = x.n == 0 || (shadow_open(&spec, c->arena, &at, e) && lint(&x, at, e) &&
                           prove(&x, e) && (x.not_proven > 0 || fly(&x, at, e)));
    if (ok)
        return finish(&x, e);
    json_decref(x.proofs);
    json_decref(x.steps);
    return err_wrap(e, "rehearse");
}

static const struct option rehearse_options[] = {
    { "only", 0, OPT_LIST, AT(rehearse_args, only), "<version>",
      "This migration instead of those that are pending; may be repeated" },
    SESSION_OPTIONS(rehearse_args, session),
    { 0 },
};

static const struct argument rehearse_arguments[] = {
    SESSION_ARGUMENT(rehearse_args, session),
    { 0 },
};

const struct command cmd_rehearse = {
    .name = "rehearse",
    .synopsis = "rehearse [environment]",
    .summary = "Do to a copy what a release would do to the database",
    .description =
        "Lints and proves every pending migration, then applies, reverses and applies them again "
        "on a scratch database with the code that does it in earnest. On the local platform's "
        "cluster, or on the server of --database-url. Ends with 5 if something would stop the "
        "release.",
    .examples = "lockflight rehearse\nlockflight rehearse staging --only 20260314100500",
    .group = GROUP_PREPARE,
    .offers = COMMAND_JSON,
    .options = rehearse_options,
    .arguments = rehearse_arguments,
    .args_size = sizeof(struct rehearse_args),
    .run = rehearse,
};
