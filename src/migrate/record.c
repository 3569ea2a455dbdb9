#include "migrate/record.h"

#include "migrate/sql/statement.h"

static char *number(struct arena *a, int64_t n)
{
    return arena_printf(a, "%lld", (long long)n);
}

bool record_look_later(struct pg *db, struct arena *a, struct pg_rows *ret, struct err *e)
{
    return pg_query_later(
        db, a,
        "SELECT count(*) FILTER (WHERE attname IN ('version', 'statements', 'name')),"
        " count(*) FILTER (WHERE attname = 'rollback' AND atttypid = 'text[]'::regtype)"
        " FROM pg_attribute WHERE attrelid ="
        " to_regclass('supabase_migrations.schema_migrations') AND NOT attisdropped",
        PG_NONE, ret, e);
}

void record_look_read(const struct pg_rows *r, struct record_history *ret)
{
    *ret = (struct record_history){ .is_there = pg_int(r, 0, 0) == 3,
                                    .has_rollback = pg_int(r, 0, 1) == 1 };
}

bool record_look(struct pg *db, struct arena *a, struct record_history *ret, struct err *e)
{
    struct pg_rows r;
    if (!record_look_later(db, a, &r, e))
        return err_wrap(e, "look at the migration history");
    record_look_read(&r, ret);
    return true;
}

static bool make_history(struct pg *db, struct record_history *h, struct err *e)
{
    static const char *const sql[] = {
        "CREATE SCHEMA IF NOT EXISTS supabase_migrations",
        "CREATE TABLE IF NOT EXISTS supabase_migrations.schema_migrations"
        " (version text NOT NULL PRIMARY KEY)",
        "ALTER TABLE supabase_migrations.schema_migrations"
        " ADD COLUMN IF NOT EXISTS statements text[], ADD COLUMN IF NOT EXISTS name text",
    };
    for (size_t i = 0; i < sizeof sql / sizeof *sql && !h->is_there; i++)
        if (!pg_exec(db, sql[i], PG_NONE, NULL, e))
            return false;
    h->is_there = true; /* for who is queued behind; who rolls back looks again */
    return true;
}

/* ---- applied ---- */

static char *statements_array(struct arena *a, struct str sql)
{
    struct str *v = NULL;
    size_t n = 0;
    statement_split_as_cli(a, sql, &v, &n);
    const char **texts = ARENA_ARRAY(a, const char *, n + 1);
    for (size_t i = 0; i < n; i++)
        texts[i] = str_dup(a, v[i]);
    return pg_text_array(a, texts, n);
}

static const char our_row_sql[] =
    "INSERT INTO lockflight.migrations AS m (version, name, state, release, up_sha256,"
    " down_sha256, down_sql, applied_by, attempts, epoch, started_at, finished_at,"
    " tool_version, server_version_num, steps, loss_class, blocked_ms)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, to_timestamp($11::float8 / 1000),"
    " clock_timestamp(), $12, $13, $14, $15, $16)"
    " ON CONFLICT (version) DO UPDATE SET name = excluded.name, state = excluded.state,"
    " release = excluded.release, up_sha256 = excluded.up_sha256,"
    " down_sha256 = excluded.down_sha256, down_sql = excluded.down_sql,"
    " applied_by = excluded.applied_by, attempts = excluded.attempts,"
    " epoch = excluded.epoch, started_at = excluded.started_at,"
    " finished_at = excluded.finished_at, reversed_at = NULL, reversed_by = NULL,"
    " tool_version = excluded.tool_version,"
    " server_version_num = excluded.server_version_num, steps = excluded.steps,"
    " loss_class = excluded.loss_class, blocked_ms = excluded.blocked_ms";

enum {
    OUR_PARAMS = 16,
    COMMON_PARAMS = 2 /* behind them; version and name are among ours */
};

static void our_params(struct arena *a, const struct migration *m, const struct record_how *how,
                       int server_version, const char **v)
{
    const char *const values[OUR_PARAMS] = {
        m->version,
        m->name,
        how->state ? how->state : "applied",
        how->release_id,
        m->sha256,
        m->reverse_sha256,
        m->has_reverse ? str_dup(a, m->reverse_sql) : NULL,
        how->applied_by ? how->applied_by : "?",
        number(a, how->attempts),
        number(a, how->epoch),
        number(a, how->started_unix_ms),
        LOCKFLIGHT_VERSION,
        number(a, server_version),
        number(a, how->steps ? how->steps : 1),
        how->loss_class,
        number(a, how->blocked_ms),
    };
    memcpy(v, values, sizeof values);
}

/* Both rows by one statement: there may be hundreds. */
static const char *both_rows_sql(struct arena *a, const struct record_how *how, bool has_rollback)
{
    const char *update = !how->replaces ? ""
                         : has_rollback
                             ? " ON CONFLICT (version) DO UPDATE SET name = excluded.name,"
                               " statements = excluded.statements, rollback = excluded.rollback"
                             : " ON CONFLICT (version) DO UPDATE SET name = excluded.name,"
                               " statements = excluded.statements";
    return arena_printf(a,
                        "WITH common AS (INSERT INTO supabase_migrations.schema_migrations"
                        " (version, name, statements%s) VALUES ($1, $2, $17%s)%s) %s",
                        has_rollback ? ", rollback" : "", has_rollback ? ", $18" : "", update,
                        our_row_sql);
}

bool record_applied(struct pg *db, struct arena *a, const struct migration *m,
                    const struct record_how *how, struct err *e)
{
    struct record_history now;
    const char *v[OUR_PARAMS + COMMON_PARAMS];
    if (!how->history && !record_look(db, a, &now, e))
        return false;
    struct record_history *h = how->history ? how->history : &now;
    if (!make_history(db, h, e))
        return false;
    our_params(a, m, how, pg_server_version(db), v);
    v[OUR_PARAMS] = statements_array(a, m->sql);
    v[OUR_PARAMS + 1] = m->has_reverse ? statements_array(a, m->reverse_sql) : NULL;
    size_t n = OUR_PARAMS + (h->has_rollback ? 2 : 1);
    return pg_exec(db, both_rows_sql(a, how, h->has_rollback), (struct pg_params){ v, n }, NULL, e);
}

/* ---- begun ---- */

bool record_begun(struct pg *db, struct arena *a, const struct migration *m,
                  const struct record_how *how, struct err *e)
{
    struct record_how begun = *how;
    begun.state = "applying";
    const char *v[OUR_PARAMS];
    our_params(a, m, &begun, pg_server_version(db), v);
    return pg_exec(db, our_row_sql, (struct pg_params){ v, OUR_PARAMS }, NULL, e) &&
           pg_exec(db, "UPDATE lockflight.migrations SET finished_at = NULL WHERE version = $1",
                   PG_PARAMS(m->version), NULL, e);
}

bool record_reversing(struct pg *db, struct arena *a, const char *version, int steps, struct err *e)
{
    return pg_exec(db,
                   "UPDATE lockflight.migrations SET state = 'reversing', steps = $2"
                   " WHERE version = $1",
                   PG_PARAMS(version, number(a, steps)), NULL, e);
}

/* ---- reversed ---- */

bool record_reversed(struct pg *db, const char *version, const char *by, struct err *e)
{
    struct err gone = { 0 };
    (void)err_set(&gone, ERR_CONFLICT, "version %s is not in the history any more", version);
    return pg_expect(db, "DELETE FROM supabase_migrations.schema_migrations WHERE version = $1",
                     PG_PARAMS(version), &gone, e) &&
           pg_exec(db,
                   "UPDATE lockflight.migrations SET state = 'reversed', reversed_at = "
                   "clock_timestamp(),"
                   " reversed_by = $2 WHERE version = $1",
                   PG_PARAMS(version, by), NULL, e);
}
