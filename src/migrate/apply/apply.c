/*
 * Applying and reversing: see apply.h. The two directions differ only in the statements and in what
 * happens to the rows.
 */
#include "migrate/apply/apply.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "migrate/apply/step_row.h"
#include "migrate/apply/take_back.h"
#include "migrate/record.h"

/* ---- the rows ---- */

static bool write_applied(const struct work *w, struct pg *db, struct arena *a, struct err *e)
{
    struct record_how how = {
        .state = "applied",
        .release_id = w->o->release_id,
        .applied_by = w->o->applied_by,
        .attempts = w->attempts,
        .blocked_ms = w->blocked_ms,
        .history = &w->around->history,
        .epoch = w->o->epoch,
        .started_unix_ms = w->started_unix_ms,
    };
    return record_applied(db, a, w->migration, &how, e);
}

static bool write_begun(const struct work *w, struct pg *db, struct arena *a, struct err *e)
{
    struct record_how how = { .release_id = w->o->release_id,
                              .applied_by = w->o->applied_by,
                              .attempts = 1,
                              .steps = w->steps,
                              .epoch = w->o->epoch,
                              .started_unix_ms = clock_unix_ms() };
    return record_begun(db, a, w->migration, &how, e);
}

static bool write_reversing(const struct work *w, struct pg *db, struct arena *a, struct err *e)
{
    return record_reversing(db, a, w->version, w->steps, e);
}

static bool write_reversed(const struct work *w, struct pg *db, struct arena *a, struct err *e)
{
    (void)a;
    return record_reversed(db, w->version, w->o->applied_by, e);
}

/* ---- the two directions ---- */

static bool is_on_its_way_back(const struct work *w, struct err *e)
{
    err_set(e, ERR_BLOCKED, "%s was half applied, and taking it back was interrupted", w->file);
    return err_hint(e, "finish that first: lockflight migration down");
}

void apply_tell_unknown(const struct work *w, struct arena *a)
{
    for (size_t i = 0; w->o->on_unknown && i < w->statement_count; i++) {
        const struct sql_statement *s = &w->statements[i];
        if (!s->is_analysed)
            w->o->on_unknown(w->o->context,
                             arena_printf(a, "%s:%u: not analysed: %s (%s); the server decides",
                                          w->file, s->line, s->what, s->complaint));
    }
}

/* A file that is one transaction is run as such; anything else, and what an earlier run has begun,
 * goes step by step. */
static bool run_file(struct work *w, const struct step_rows *rows, struct pg *db, struct arena *a,
                     struct err *e)
{
    struct sql_script script;
    struct migration_steps steps;
    struct step_rows begun = step_rows_of(rows, a, !w->migration);
    if (w->migration && begun.n < rows->n)
        return is_on_its_way_back(w, e);
    if (!sql_script_read(a, w->file, w->sql, &script, e) ||
        !migration_steps_cut(a, &script, &steps, e))
        return false;
    w->statements = script.statements;
    w->statement_count = script.n;
    apply_tell_unknown(w, a);
    w->lock_budget_ms = (int)directives_lock_budget_ms(&script.head, 0);
    bool is_one = steps.n == 0 || (steps.n == 1 && steps.v[0].kind == STEP_TRANSACTION);
    if (!is_one || begun.n > 0)
        return migration_steps_run(w, &steps, &begun, db, a, e);
    w->is_last = true;
    return transaction_run(w, db, a, e);
}

void apply_work_init(struct work *w, const struct migration *m, const struct migrate_options *o)
{
    *w = (struct work){ .file = m->file,
                        .version = m->version,
                        .sql = m->sql,
                        .migration = m,
                        .o = o,
                        .write_rows = write_applied,
                        .write_begun = write_begun };
}

bool migration_apply(struct pg *db, struct arena *scratch, const struct migration *m,
                     const struct migrate_options *o, struct err *e)
{
    struct work w;
    struct step_rows rows;
    apply_work_init(&w, m, o);
    return (step_rows_read(db, scratch, m->version, &rows, e) &&
            run_file(&w, &rows, db, scratch, e)) ||
           err_wrap(e, "apply %s", m->file);
}

/* The script as it was when the migration was applied; else the file's. */
static bool choose_script(struct arena *a, const struct migration_state *s, struct work *w,
                          struct err *e)
{
    if (s->row->reverse_sql) {
        w->sql = str_of(s->row->reverse_sql);
        w->file = s->file
                      ? s->file->reverse_file
                      : arena_printf(a, "the kept reverse script of version %s", s->row->version);
        return true;
    }
    if (s->file && s->file->has_reverse && s->status != MIGRATION_CHANGED) {
        w->sql = s->file->reverse_sql;
        w->file = s->file->reverse_file;
        return true;
    }
    err_set(e, ERR_BLOCKED, "version %s has no reverse script", s->row->version);
    return err_hint(e, "write %s",
                    s->file ? s->file->reverse_file : "one beside the migration it reverses");
}

/* Nothing was ever wholly applied: the common table is not there. */
static bool is_no_history(const struct err *e)
{
    return streq(e->sqlstate, "42P01") || streq(e->sqlstate, "3F000");
}

static bool is_newest(struct pg *db, struct arena *a, const char *version, struct err *e)
{
    struct pg_rows r;
    if (!pg_query(db, a,
                  "SELECT version FROM supabase_migrations.schema_migrations"
                  " WHERE version COLLATE \"C\" > $1 ORDER BY version COLLATE \"C\" DESC LIMIT 1",
                  PG_PARAMS(version), &r, e)) {
        if (!is_no_history(e))
            return false;
        err_clear(e);
        return true;
    }
    if (r.n == 0)
        return true;
    return err_set(e, ERR_BLOCKED,
                   "version %s was applied on top of %s; it has to be reversed first",
                   pg_value(&r, 0, 0), version);
}

bool migration_reverse(struct pg *db, struct arena *scratch, const struct migration_state *s,
                       const struct migrate_options *o, struct err *e)
{
    struct work w = { .version = s->row->version,
                      .o = o,
                      .write_rows = write_reversed,
                      .write_begun = write_reversing };
    struct step_rows rows;
    bool is_half = s->row->state == HISTORY_APPLYING;
    bool ok = choose_script(scratch, s, &w, e) && is_newest(db, scratch, w.version, e) &&
              step_rows_read(db, scratch, w.version, &rows, e) &&
              (is_half ? migration_take_back(&w, &rows, db, scratch, e)
                       : run_file(&w, &rows, db, scratch, e));
    return ok || err_wrap(e, "reverse %s %s", s->row->version, s->row->name ? s->row->name : "");
}

bool migration_is_begun(struct pg *db, const char *version, bool *ret, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct step_rows rows;
    if (!step_rows_read(db, a, version, &rows, e))
        return false;
    *ret = rows.n > 0;
    return true;
}

bool migration_is_applied(struct pg *db, const char *version, bool *ret, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct pg_rows r;
    if (pg_query(
            db, a,
            "SELECT EXISTS (SELECT FROM supabase_migrations.schema_migrations WHERE version = $1)",
            PG_PARAMS(version), &r, e)) {
        *ret = pg_bool(&r, 0, 0);
        return true;
    }
    if (!is_no_history(e))
        return err_wrap(e, "look for version %s", version);
    err_clear(e);
    *ret = false;
    return true;
}
