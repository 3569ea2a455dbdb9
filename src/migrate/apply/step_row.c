#include "migrate/apply/step_row.h"

#include "base/fault.h"

static const char *direction_of(const struct work *w)
{
    return w->migration ? "apply" : "reverse";
}

static char *number(struct arena *a, int64_t n)
{
    return arena_printf(a, "%lld", (long long)n);
}

static const char *kind_name(enum step_kind kind)
{
    static const char *const names[] = {
        [STEP_TRANSACTION] = "transaction", [STEP_ALONE] = "alone", [STEP_BACKFILL] = "backfill"
    };
    return names[kind];
}

bool step_rows_read(struct pg *db, struct arena *a, const char *version, struct step_rows *ret,
                    struct err *e)
{
    struct pg_rows r;
    if (!pg_query(
            db, a,
            "SELECT step, state = 'done', kind, sql, sql_sha256, before, cursor, rows_done,"
            " backend_pid, backend_start, direction = 'reverse' FROM lockflight.migration_steps"
            " WHERE version = $1 ORDER BY direction, step",
            PG_PARAMS(version), &r, e))
        return err_wrap(e, "read how far %s came", version);
    struct step_row *v = ARENA_ARRAY(a, struct step_row, r.n + 1);
    for (size_t i = 0; i < r.n; i++)
        v[i] = (struct step_row){
            .number = (int)pg_int(&r, i, 0),
            .is_done = pg_bool(&r, i, 1),
            .kind = pg_value(&r, i, 2),
            .sql = pg_value(&r, i, 3),
            .sha256 = pg_value(&r, i, 4),
            .before = pg_value(&r, i, 5),
            .cursor = pg_value(&r, i, 6),
            .rows_done = pg_int(&r, i, 7),
            .backend_pid = pg_int(&r, i, 8),
            .backend_start = pg_value(&r, i, 9),
            .is_reverse = pg_bool(&r, i, 10),
        };
    *ret = (struct step_rows){ .v = v, .n = r.n };
    return true;
}

struct step_rows step_rows_of(const struct step_rows *rows, struct arena *a, bool is_reverse)
{
    struct step_rows some = { .v = ARENA_ARRAY(a, struct step_row, rows->n + 1) };
    for (size_t i = 0; i < rows->n; i++)
        if (rows->v[i].is_reverse == is_reverse)
            some.v[some.n++] = rows->v[i];
    return some;
}

const struct step_row *step_row_find(const struct step_rows *rows, int number)
{
    for (size_t i = 0; i < rows->n; i++)
        if (rows->v[i].number == number)
            return &rows->v[i];
    return NULL;
}

/* ---- writing ---- */

static bool upsert(const struct work *w, struct pg *db, struct arena *a, const struct step_begin *b,
                   struct err *e)
{
    const struct migration_step *s = b->step;
    const char *keep = b->keeps_progress ? "t" : "f";
    return pg_exec(
        db,
        "INSERT INTO lockflight.migration_steps AS m (version, direction, step, kind, sql,"
        " sql_sha256, state, before, epoch, backend_pid, backend_start)"
        " SELECT $1, $2, $3, $4, $5, $6, 'applying', $7::jsonb, $8, s.pid, s.backend_start"
        " FROM (SELECT coalesce($9::int, pg_backend_pid()) AS pid) mine"
        " LEFT JOIN pg_stat_activity s ON s.pid = mine.pid"
        " ON CONFLICT (version, direction, step) DO UPDATE SET kind = excluded.kind,"
        " sql = excluded.sql, sql_sha256 = excluded.sql_sha256, state = 'applying',"
        " before = CASE WHEN $10::bool THEN m.before ELSE excluded.before END,"
        " cursor = CASE WHEN $10::bool THEN m.cursor END,"
        " rows_done = CASE WHEN $10::bool THEN m.rows_done ELSE 0 END, epoch = excluded.epoch,"
        " backend_pid = excluded.backend_pid, backend_start = excluded.backend_start",
        PG_PARAMS(w->version, direction_of(w), number(a, s->number), kind_name(s->kind),
                  str_dup(a, s->text), s->sha256, b->before ? json_text(a, b->before) : NULL,
                  number(a, w->o->epoch), b->backend_pid ? number(a, b->backend_pid) : NULL, keep),
        NULL, e);
}

bool step_row_begin(struct work *w, struct pg *db, struct arena *a, const struct step_begin *b,
                    struct err *e)
{
    bool ok = FAULT_POINT("migrate.step.before", e) && pg_begin(db, e) &&
              (!w->o->fence || w->o->fence(w->o->context, db, e)) &&
              (b->step->number > 1 || !w->write_begun || w->write_begun(w, db, a, e)) &&
              upsert(w, db, a, b, e) && pg_commit(db, e);
    if (!ok) {
        pg_rollback(db);
        return err_wrap(e, "record step %d", b->step->number);
    }
    return FAULT_POINT("migrate.step.begun", e);
}

/* With the last row goes what the first one brought. */
bool step_row_forget(const struct work *w, struct pg *db, struct arena *a, int step, struct err *e)
{
    return pg_exec(
        db,
        "WITH gone AS (DELETE FROM lockflight.migration_steps WHERE version = $1"
        "  AND direction = $2 AND step = $3 AND epoch <= $4 RETURNING version),"
        " last_one AS (SELECT FROM gone g WHERE NOT EXISTS (SELECT FROM lockflight.migration_steps "
        "s"
        "  WHERE s.version = g.version AND NOT (s.direction = $2 AND s.step = $3))),"
        " begun AS (DELETE FROM lockflight.migrations WHERE version = $1 AND state = 'applying'"
        "  AND EXISTS (SELECT FROM last_one))"
        " UPDATE lockflight.migrations SET state = 'applied' WHERE version = $1"
        " AND state = 'reversing' AND EXISTS (SELECT FROM last_one)",
        PG_PARAMS(w->version, direction_of(w), number(a, step), number(a, w->o->epoch)), NULL, e);
}

bool step_row_done(const struct work *w, struct pg *db, struct arena *a, int step, struct err *e)
{
    return pg_exec(db,
                   "UPDATE lockflight.migration_steps SET state = 'done',"
                   " finished_at = clock_timestamp() WHERE version = $1 AND direction = $2"
                   " AND step = $3",
                   PG_PARAMS(w->version, direction_of(w), number(a, step)), NULL, e);
}

bool step_row_cursor(const struct work *w, struct pg *db, struct arena *a,
                     const struct step_place *p, struct err *e)
{
    return pg_exec(db,
                   "UPDATE lockflight.migration_steps SET cursor = $4, rows_done = $5"
                   " WHERE version = $1 AND direction = $2 AND step = $3",
                   PG_PARAMS(w->version, direction_of(w), number(a, p->number), p->cursor,
                             number(a, p->rows_done)),
                   NULL, e);
}

bool step_rows_finish(const struct work *w, struct pg *db, struct arena *a, size_t steps,
                      struct err *e)
{
    return pg_exec(db,
                   "UPDATE lockflight.migrations m SET steps = $2, started_at = coalesce((SELECT"
                   " min(s.started_at) FROM lockflight.migration_steps s WHERE s.version = $1 AND"
                   " s.direction = 'apply'), m.started_at) WHERE m.version = $1 AND m.state ="
                   " 'applied'",
                   PG_PARAMS(w->version, number(a, (int64_t)steps)), NULL, e) &&
           pg_exec(db, "DELETE FROM lockflight.migration_steps WHERE version = $1",
                   PG_PARAMS(w->version), NULL, e);
}
