#include "migrate/apply/take_back.h"

#include "migrate/apply/alone.h"

/* ---- what is half done ---- */

/* Whoever still builds does it for nobody. */
static bool end_builder(const struct step_row *row, struct pg *db, struct arena *a, struct err *e)
{
    if (!row->backend_start)
        return true;
    return pg_exec(
               db,
               "SELECT pg_terminate_backend(pid, 20000) FROM pg_stat_activity WHERE pid = $1"
               " AND backend_start = $2",
               PG_PARAMS(arena_printf(a, "%lld", (long long)row->backend_pid), row->backend_start),
               NULL, e) ||
           err_wrap(e, "end the session of step %d", row->number);
}

static bool settle(struct work *w, const struct step_row *row, struct pg *db, struct arena *a,
                   struct err *e)
{
    struct sql_script script;
    struct migration_steps steps;
    if (!end_builder(row, db, a, e) ||
        !sql_script_read(a, "the step that was interrupted", str_of(row->sql), &script, e) ||
        !migration_steps_cut(a, &script, &steps, e))
        return false;
    if (steps.n != 1 || steps.v[0].kind != STEP_ALONE)
        return true;
    struct alone_spec spec = { .w = w, .step = &steps.v[0], .row = row, .steps = 1 };
    return alone_take_away(&spec, db, a, e);
}

/* ---- the rows ---- */

static bool write_taken_back(const struct work *w, struct pg *db, struct arena *a, struct err *e)
{
    (void)a;
    return pg_exec(db,
                   "UPDATE lockflight.migrations SET state = 'reversed',"
                   " reversed_at = clock_timestamp(), reversed_by = $2,"
                   " finished_at = coalesce(finished_at, clock_timestamp()) WHERE version = $1",
                   PG_PARAMS(w->version, w->o->applied_by), NULL, e);
}

/* ---- the script ---- */

/* Statement by statement: one that is not needed must not undo its neighbours. */
bool migration_take_back(struct work *w, const struct step_rows *rows, struct pg *db,
                         struct arena *a, struct err *e)
{
    struct sql_script script;
    struct migration_steps steps;
    struct step_rows up = step_rows_of(rows, a, false), down = step_rows_of(rows, a, true);
    for (size_t i = 0; down.n == 0 && i < up.n; i++)
        if (!up.v[i].is_done && streq(up.v[i].kind, "alone") && !settle(w, &up.v[i], db, a, e))
            return err_wrap(e, "settle step %d", up.v[i].number);
    w->is_half = true;
    w->write_rows = write_taken_back;
    w->write_begun = NULL;
    if (!sql_script_read(a, w->file, w->sql, &script, e) ||
        !migration_steps_cut_each(a, &script, &steps, e))
        return false;
    w->lock_budget_ms = (int)directives_lock_budget_ms(&script.head, 0);
    if (steps.n > 0)
        return migration_steps_run(w, &steps, &down, db, a, e);
    w->is_last = true;
    return transaction_run(w, db, a, e);
}
