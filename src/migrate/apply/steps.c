#include "migrate/apply/steps.h"

#include "base/signals.h"
#include "migrate/apply/alone.h"
#include "migrate/apply/backfill.h"
#include "migrate/apply/step_row.h"

/* ---- running ---- */

struct walk {
    struct work *w;
    const struct migration_steps *steps;
    struct step_rows rows;
    struct pg *db;
    struct arena *a;
};

/* One transaction of the walk, and what its row writes need. */
struct step_work {
    struct work w;
    const struct walk *walk;
    const struct migration_step *step;
};

static bool is_last(const struct walk *k, const struct migration_step *s)
{
    return (size_t)s->number == k->steps->n;
}

static bool write_step(const struct work *w, struct pg *db, struct arena *a, struct err *e)
{
    const struct step_work *x = (const struct step_work *)(uintptr_t)w; /* its first member */
    if (!is_last(x->walk, x->step))
        return step_row_done(w, db, a, x->step->number, e);
    return x->walk->w->write_rows(w, db, a, e) && step_rows_finish(w, db, a, x->walk->steps->n, e);
}

/* The step's own transaction, or, with no statements, the one that records a step alone. */
static bool commit_step(struct walk *k, const struct migration_step *s, bool has_statements,
                        struct err *e)
{
    struct step_work x = { .w = *k->w, .walk = k, .step = s };
    x.w.statements = has_statements ? s->v : NULL;
    x.w.statement_count = has_statements ? s->n : 0;
    x.w.settings = has_statements ? s->settings : NULL;
    x.w.settings_count = has_statements ? s->settings_count : 0;
    x.w.is_last = is_last(k, s);
    x.w.write_rows = write_step;
    return transaction_run(&x.w, k->db, k->a, e);
}

/* A transaction that was refused had no effect: its row must not look like an interruption. */
static bool run_transaction(struct walk *k, const struct migration_step *s, struct err *e)
{
    struct step_begin begin = { .step = s };
    struct err second = { 0 };
    if (!step_row_begin(k->w, k->db, k->a, &begin, e))
        return false;
    if (commit_step(k, s, true, e))
        return true;
    if ((e->code == ERR_DB || e->code == ERR_BLOCKED) && pg_is_alive(k->db))
        (void)!step_row_forget(k->w, k->db, k->a, s->number, &second);
    return false;
}

static bool run_kind(struct walk *k, const struct migration_step *s, struct err *e)
{
    struct alone_spec spec = {
        .w = k->w, .step = s, .row = step_row_find(&k->rows, s->number), .steps = k->steps->n
    };
    switch (s->kind) {
    case STEP_TRANSACTION:
        return run_transaction(k, s, e);
    case STEP_ALONE:
        return alone_run(&spec, k->db, k->a, e) && commit_step(k, s, false, e);
    case STEP_BACKFILL:
        return backfill_run(&spec, k->db, k->a, e) && commit_step(k, s, false, e);
    }
    return true;
}

/* What takes a half applied migration back meets things that were never made, and things that were
 * never taken away. */
static bool is_not_needed(const struct walk *k, const struct err *e)
{
    static const char *const states[] = {
        "42P01", "42703", "42704", "42883", "3F000", /* no such table, column, thing, function, … */
        "42P07", "42701", "42710", "42723", "42P06", /* it is there already */
    };
    if (!k->w->is_half || e->code != ERR_DB)
        return false;
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (streq(e->sqlstate, states[i]))
            return true;
    return false;
}

static bool run_step(struct walk *k, const struct migration_step *s, struct err *e)
{
    if (run_kind(k, s, e))
        return true;
    if (!is_not_needed(k, e))
        return false;
    if (k->w->o->on_progress)
        k->w->o->on_progress(
            k->w->o->context,
            arena_printf(k->a, "step %d of %zu is not needed: %s", s->number, k->steps->n, e->why));
    struct step_begin begin = { .step = s };
    err_clear(e);
    return step_row_begin(k->w, k->db, k->a, &begin, e) && commit_step(k, s, false, e);
}

/* ---- going on after an interruption ---- */

static bool was_changed(const struct walk *k, const struct step_row *row, struct err *e)
{
    err_set(e, ERR_BLOCKED, "step %d of %s is in the database, and is not what the file says now",
            row->number, k->w->file);
    err_where(e, "%s", k->w->file);
    return err_hint(e, "put the file back as it was; what is not done yet may be changed");
}

/* The text of a step whose file was changed after it was begun, as a step. */
static bool read_old_step(struct walk *k, const struct step_row *row, struct migration_step *ret,
                          struct err *e)
{
    struct sql_script script;
    struct migration_steps steps;
    if (!sql_script_read(k->a, "the step that was interrupted", str_of(row->sql), &script, e) ||
        !migration_steps_cut(k->a, &script, &steps, e))
        return false;
    *ret = steps.n ? steps.v[0] : (struct migration_step){ .kind = STEP_TRANSACTION };
    ret->number = row->number;
    return true;
}

/* What was begun and is not in the file any more: its remains go, and it is forgotten. */
static bool drop_old_step(struct walk *k, struct step_row *row, struct err *e)
{
    struct migration_step old;
    if (streq(row->kind, "alone")) {
        if (!read_old_step(k, row, &old, e))
            return false;
        struct alone_spec spec = { .w = k->w, .step = &old, .row = row, .steps = k->steps->n };
        if (old.kind == STEP_ALONE && !alone_take_away(&spec, k->db, k->a, e))
            return false;
    }
    return step_row_forget(k->w, k->db, k->a, row->number, e);
}

static bool compare_rows(struct walk *k, struct err *e)
{
    size_t kept = 0;
    for (size_t i = 0; i < k->rows.n; i++) {
        struct step_row *row = &k->rows.v[i];
        const struct migration_step *s =
            (size_t)row->number <= k->steps->n ? &k->steps->v[row->number - 1] : NULL;
        bool is_same = s && streq(s->sha256, row->sha256);
        if (row->is_done && !is_same)
            return was_changed(k, row, e);
        if (!is_same && !drop_old_step(k, row, e))
            return false;
        if (is_same)
            k->rows.v[kept++] = *row;
    }
    k->rows.n = kept;
    return true;
}

static void say_how_far(const struct walk *k, int done, struct err *e)
{
    if (done > 0)
        err_state(e, "%d of the %zu steps of %s %s done; the next run goes on behind them", done,
                  k->steps->n, k->w->file, done == 1 ? "is" : "are");
}

bool migration_steps_run(struct work *w, const struct migration_steps *steps,
                         const struct step_rows *begun, struct pg *db, struct arena *a,
                         struct err *e)
{
    struct walk k = { .w = w, .steps = steps, .rows = *begun, .db = db, .a = a };
    int done = 0;
    w->steps = (int)steps->n;
    if (!compare_rows(&k, e))
        return false;
    for (size_t i = 0; i < steps->n; i++) {
        const struct migration_step *s = &steps->v[i];
        const struct step_row *row = step_row_find(&k.rows, s->number);
        bool ok = row && row->is_done;
        if (!ok && signals_stop_asked())
            err_set(e, ERR_INTERRUPTED, "asked to stop before step %d of %zu", s->number, steps->n);
        else
            ok = ok || run_step(&k, s, e);
        if (!ok) {
            say_how_far(&k, done, e);
            return false;
        }
        done++;
    }
    /* a file that lost its last steps after those before them were done */
    const struct step_row *last = steps->n ? step_row_find(&k.rows, (int)steps->n) : NULL;
    return !last || !last->is_done || commit_step(&k, &steps->v[steps->n - 1], false, e);
}
