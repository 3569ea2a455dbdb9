/*
 * Phase 4: the pending migrations. One that is a single transaction commits together with its
 * history row and its journal row; so after a crash there is no third state: the history row says
 * what happened. One of several steps (migrate/apply/steps.h) can be half applied: its journal step
 * stays "intent" then, and `resume` goes on with it where it was.
 *
 * UNDO     Newest first, by the reverse script that was kept when the migration was applied. A
 *          script that would lose rows is not run by itself (migrate/reverse/risk.h): that is for a person,
 *          with `lockflight rollback <env> --through schema`. What is half applied is taken back
 *          from where it is (migrate/apply/take_back.h), not finished first.
 *
 * STOP     A signal cancels the statement that is running. One transaction is rolled back, and the
 *          release goes the usual way back; in the middle of several steps the release stays open,
 *          because a long step is worth more than a minute of order.
 */
#include "engine/phase_table.h"
#include "engine/release.h"
#include "migrate/apply/pipeline.h"
#include "migrate/reverse/risk.h"

#define PHASE "database"
#define KIND  "migration"

/* What the callbacks of a migration need: the release, and when reversing the step that is
 * running. */
struct running {
    struct release *r;
    struct step *step;
    size_t applied;
};

static bool fence(void *context, struct pg *db, struct err *e)
{
    const struct running *run = context;
    return lease_fence(run->r->lease, db, e);
}

static bool record_done(void *context, struct pg *db, const char *version, struct err *e)
{
    (void)db;
    struct running *run = context;
    struct step *step = step_find(run->r, PHASE, KIND, version);
    return step_done(run->r, step, json_pack("{s:s}", "version", version), e);
}

static bool record_undone(void *context, struct pg *db, const char *version, struct err *e)
{
    (void)db;
    (void)version;
    struct running *run = context;
    return step_undone(run->r, run->step, NULL, e);
}

static void tell_wait(void *context, const char *sentence)
{
    const struct running *run = context;
    report_note(run->r->sink, PHASE, "%s", sentence);
}

static bool intend(struct release *r, const struct migration *m, struct err *e)
{
    struct step *step;
    return step_intent(r, PHASE, KIND, m->version,
                       json_pack("{s:s, s:s}", "name", m->name, "sha256", m->sha256), &step, e);
}

/* The intents of all that is about to run, committed in one exchange. */
static bool intend_all(void *context, struct pg *db, const struct migration *const *v, size_t n,
                       struct err *e)
{
    const struct running *run = context;
    size_t total = run->r->plan->schema.pending_count;
    report_note(run->r->sink, PHASE, "%s (%zu of %zu)", v[0]->name, run->applied + 1, total);
    if (n == 1)
        return intend(run->r, v[0], e);
    pg_queue_begin(db);
    for (size_t i = 0; i < n; i++)
        if (!intend(run->r, v[i], e)) {
            pg_queue_drop(db);
            return false;
        }
    return pg_queue_end(db, NULL, NULL, NULL, e) || step_unrecorded(run->r, e);
}

static void tell_applied(void *context, const struct migration *m)
{
    struct running *run = context;
    run->applied++;
    if (run->applied > 1)
        report_note(run->r->sink, PHASE, "%s (%zu of %zu)", m->name, run->applied,
                    run->r->plan->schema.pending_count);
}

static struct migrate_options options_for(struct running *run, bool forward)
{
    const struct release *r = run->r;
    return (struct migrate_options){
        MIGRATE_LIMITS(r->target->config),
        .end_older_ms = r->options.end_older_ms,
        .release_id = r->id,
        .applied_by = r->options.actor,
        .epoch = lease_epoch(r->lease),
        .fence = fence,
        .record = forward ? record_done : record_undone,
        .before = intend_all,
        .on_applied = tell_applied,
        .on_wait = tell_wait,
        .on_progress = tell_wait,
        .on_unknown = tell_wait,
        .context = run,
    };
}

/* ---- run ---- */

/* What was begun and is not in the history was rolled back by the database itself. */
static bool note_rolled_back(struct release *r, struct step *step, struct err *e)
{
    step->state = STEP_INTENT;
    return step_undo_intent(r, step, e) &&
           step_undone(r, step, json_pack("{s:s}", "by", "the database"), e);
}

/* After a failure the history, not the error, says which migrations are in. True: all of them. */
static bool settle_failure(struct release *r, struct err *e)
{
    struct err unreadable = { 0 };
    size_t missing = 0;
    if (r->is_unrecorded || e->code == ERR_FENCED)
        return false;
    if (!pg_is_alive(lease_db(r->lease)) && !lease_reconnect(r->lease, &unreadable))
        return false; /* in doubt: the steps stay as intended, and the undo asks again */
    for (size_t i = 0; i < r->plan->schema.pending_count; i++) {
        bool applied = false, begun = false;
        const struct migration *m = r->plan->schema.pending[i];
        struct step *step = step_find(r, PHASE, KIND, m->version);
        if (!migration_is_applied(lease_db(r->lease), m->version, &applied, &unreadable))
            return false;
        missing += !applied;
        if (applied || !step_stands(step))
            continue;
        if (!migration_is_begun(lease_db(r->lease), m->version, &begun, &unreadable))
            return false;
        if (begun) { /* the step stands: some of it is in the database */
            r->stays_open = e->code == ERR_INTERRUPTED;
            continue;
        }
        if (!note_rolled_back(r, step, &unreadable)) {
            report_warn(r->sink, "the rolled-back migration could not be recorded: %s",
                        unreadable.why);
            return false;
        }
    }
    return missing == 0; /* the last commit's answer was lost, the commit was not */
}

/* A server that was restarted in the middle of several steps has kept those that were done: the
 * rest can go on at once. */
static bool goes_on_after_loss(struct release *r, const struct migration *m, struct err *e)
{
    bool begun = false;
    struct err lost = { 0 };
    if ((e->code != ERR_NET && e->code != ERR_UNKNOWN_OUTCOME) || r->is_unrecorded ||
        !lease_reconnect(r->lease, &lost) ||
        !migration_is_begun(lease_db(r->lease), m->version, &begun, &lost) || !begun)
        return false;
    report_note(r->sink, PHASE, "%s: the connection was lost; going on", m->name);
    err_clear(e);
    return true;
}

static bool apply_pending(struct release *r, const struct migrate_options *o, struct err *e)
{
    const struct migration_plan *plan = &r->plan->schema;
    struct pg *db = lease_db(r->lease);
    size_t done = 0, more = 0;
    if (pipeline_apply(db, r->arena, plan->pending, plan->pending_count, o, &done, e))
        return true;
    return (done < plan->pending_count && goes_on_after_loss(r, plan->pending[done], e) &&
            pipeline_apply(db, r->arena, plan->pending + done, plan->pending_count - done, o, &more,
                           e)) ||
           settle_failure(r, e);
}

bool database_run(struct release *r, struct err *e)
{
    const struct migration_plan *plan = &r->plan->schema;
    struct running run = { .r = r };
    struct migrate_options options = options_for(&run, true);
    if (!migration_plan_check(r->arena, plan, e) || !apply_pending(r, &options, e))
        return false;
    size_t applied = 0;
    for (size_t i = 0; i < r->steps.n; i++)
        applied += streq(r->steps.v[i].phase, PHASE) && streq(r->steps.v[i].kind, KIND);
    if (applied == 0)
        release_summary(r, "nothing pending");
    else
        release_summary(r, "%zu migration%s", applied, applied == 1 ? "" : "s");
    return true;
}

/* ---- undo ---- */

static const struct migration_state *state_of(const struct migration_plan *plan,
                                              const char *version)
{
    for (size_t i = 0; i < plan->n; i++) {
        const struct migration_state *s = &plan->v[i];
        if (s->row && streq(s->row->version, version))
            return s;
    }
    return NULL;
}

/* Refuses a reverse that loses rows, unless a person confirmed it (r->may_lose_rows). */
static bool is_lossless(struct release *r, const struct migration_state *s, struct err *e)
{
    if (r->may_lose_rows)
        return true;
    struct migration_risk risk;
    if (!migration_risk(lease_db(r->lease), r->arena, s, &risk, e))
        return false;
    if (risk.is_lossless)
        return true;
    err_set(e, ERR_BLOCKED, "reversing %s would lose %s", s->row->version, risk.text);
    return err_hint(e, "lockflight rollback %s --through schema --dry-run", r->target->name);
}

static bool reverse_one(struct release *r, struct step *step, const struct migration_plan *plan,
                        struct err *e)
{
    const struct migration_state *s = state_of(plan, step->key);
    if (!s) { /* never committed: the database itself took it back */
        return step_undo_intent(r, step, e) && step_undone(r, step, NULL, e);
    }
    if (!is_lossless(r, s, e))
        return false;
    report_note(r->sink, PHASE, "reversing %s", step->key);
    struct running run = { .r = r, .step = step };
    struct migrate_options options = options_for(&run, false);
    if (!step_undo_intent(r, step, e))
        return false;
    if (!migration_reverse(lease_db(r->lease), r->arena, s, &options, e)) {
        step->state = r->is_unrecorded ? step->state : STEP_UNDO_INTENT;
        return err_wrap(e, "reverse %s", step->key);
    }
    return true;
}

bool database_undo(struct release *r, struct err *e)
{
    struct history history;
    struct migration_set set;
    struct migration_plan plan;
    const struct config *config = r->target->config;
    if (!history_read(lease_db(r->lease), r->arena, &history, e) ||
        !migration_read(r->arena, config->paths.migrations, config->paths.reverse, &set, e))
        return false;
    migration_plan(r->arena, &set, &history, &plan);
    size_t reversed = 0;
    for (size_t i = r->steps.n; i-- > 0;) {
        struct step *step = &r->steps.v[i];
        if (!streq(step->phase, PHASE) || !streq(step->kind, KIND) || !step_stands(step))
            continue;
        if (!reverse_one(r, step, &plan, e))
            return false;
        reversed++;
    }
    release_summary(r, "%zu migration%s reversed", reversed, reversed == 1 ? "" : "s");
    return true;
}

/* ---- probe ---- */

bool database_probe(struct release *r, bool *ret_done, struct err *e)
{
    (void)e;
    *ret_done = r->plan->schema.pending_count ==
                0; /* the plan was made from the history, after the crash */
    return true;
}
