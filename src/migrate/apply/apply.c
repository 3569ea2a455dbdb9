/*
 * Applying and reversing: see apply.h. The two directions differ only in the statements and in what
 * happens to the rows.
 */
#include "migrate/apply/apply.h"

#include "base/cleanup.h"
#include "migrate/apply/transaction.h"

static char *number(struct arena *a, int64_t n)
{
    return arena_printf(a, "%lld", (long long)n);
}

/* ---- the rows ---- */

/* Schema, table and columns as the Supabase CLI makes them, only if they are missing: ALTER TABLE
 * would queue for a lock that nobody needs. */
static bool ensure_history(struct pg *db, struct arena *a, struct err *e)
{
    struct pg_rows r;
    if (!pg_query(db, a,
                  "SELECT count(*) FROM pg_attribute WHERE attrelid ="
                  " to_regclass('supabase_migrations.schema_migrations')"
                  " AND attname IN ('version', 'statements', 'name') AND NOT attisdropped",
                  PG_NONE, &r, e))
        return false;
    if (pg_int(&r, 0, 0) == 3)
        return true;
    return pg_script(
        db,
        "CREATE SCHEMA IF NOT EXISTS supabase_migrations;"
        "CREATE TABLE IF NOT EXISTS supabase_migrations.schema_migrations"
        " (version text NOT NULL PRIMARY KEY);"
        "ALTER TABLE supabase_migrations.schema_migrations ADD COLUMN IF NOT EXISTS statements "
        "text[];"
        "ALTER TABLE supabase_migrations.schema_migrations ADD COLUMN IF NOT EXISTS name text;",
        e);
}

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

static bool write_applied(const struct work *w, struct pg *db, struct arena *a, struct err *e)
{
    const struct migration *m = w->migration;
    return ensure_history(db, a, e) &&
           pg_exec(db,
                   "INSERT INTO supabase_migrations.schema_migrations (version, name, statements)"
                   " VALUES ($1, $2, $3)",
                   PG_PARAMS(m->version, m->name, statements_array(a, m->sql)), NULL, e) &&
           pg_exec(db,
                   "INSERT INTO lockflight.migrations (version, name, state, release, up_sha256, "
                   "down_sha256,"
                   " down_sql, applied_by, attempts, epoch, started_at, finished_at, tool_version,"
                   " server_version_num) VALUES ($1, $2, 'applied', $3, $4, $5, $6, $7, $8, $9,"
                   " to_timestamp($10::float8 / 1000), clock_timestamp(), $11, $12)"
                   " ON CONFLICT (version) DO UPDATE SET name = excluded.name, state = 'applied',"
                   " release = excluded.release, up_sha256 = excluded.up_sha256,"
                   " down_sha256 = excluded.down_sha256, down_sql = excluded.down_sql,"
                   " applied_by = excluded.applied_by, attempts = excluded.attempts, epoch = "
                   "excluded.epoch,"
                   " started_at = excluded.started_at, finished_at = excluded.finished_at,"
                   " reversed_at = NULL, reversed_by = NULL, tool_version = excluded.tool_version,"
                   " server_version_num = excluded.server_version_num",
                   PG_PARAMS(m->version, m->name, w->o->release_id, m->sha256, m->reverse_sha256,
                             m->has_reverse ? str_dup(a, m->reverse_sql) : NULL,
                             w->o->applied_by ? w->o->applied_by : "?", number(a, w->attempts),
                             number(a, w->o->epoch), number(a, w->started_unix_ms),
                             LOCKFLIGHT_VERSION, number(a, pg_server_version(db))),
                   NULL, e);
}

static bool write_reversed(const struct work *w, struct pg *db, struct arena *a, struct err *e)
{
    uint64_t rows = 0;
    (void)a;
    if (!pg_exec(db, "DELETE FROM supabase_migrations.schema_migrations WHERE version = $1",
                 PG_PARAMS(w->version), &rows, e))
        return false;
    if (rows == 0)
        return err_set(e, ERR_CONFLICT, "version %s is not in the history any more", w->version);
    return pg_exec(
        db,
        "UPDATE lockflight.migrations SET state = 'reversed', reversed_at = clock_timestamp(),"
        " reversed_by = $2 WHERE version = $1",
        PG_PARAMS(w->version, w->o->applied_by), NULL, e);
}

/* ---- the two directions ---- */

static bool run_file(struct work *w, struct pg *db, struct arena *a, struct err *e)
{
    struct statement *v;
    if (!statement_all_transactional(a, w->file, w->sql, e))
        return false;
    statement_split(a, w->sql, &v, &w->statement_count);
    w->statements = v;
    return transaction_run(w, db, a, e);
}

bool migration_apply(struct pg *db, struct arena *scratch, const struct migration *m,
                     const struct migrate_options *o, struct err *e)
{
    struct work w = { .file = m->file,
                      .version = m->version,
                      .sql = m->sql,
                      .migration = m,
                      .o = o,
                      .write_rows = write_applied };
    return run_file(&w, db, scratch, e) || err_wrap(e, "apply %s", m->file);
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
    if (s->status == MIGRATION_APPLIED && s->file->has_reverse) {
        w->sql = s->file->reverse_sql;
        w->file = s->file->reverse_file;
        return true;
    }
    err_set(e, ERR_BLOCKED, "version %s has no reverse script", s->row->version);
    return err_hint(e, "write %s",
                    s->file ? s->file->reverse_file : "one beside the migration it reverses");
}

static bool is_newest(struct pg *db, struct arena *a, const char *version, struct err *e)
{
    struct pg_rows r;
    if (!pg_query(db, a,
                  "SELECT version FROM supabase_migrations.schema_migrations"
                  " WHERE version COLLATE \"C\" > $1 ORDER BY version COLLATE \"C\" DESC LIMIT 1",
                  PG_PARAMS(version), &r, e))
        return false;
    if (r.n == 0)
        return true;
    return err_set(e, ERR_BLOCKED,
                   "version %s was applied on top of %s; it has to be reversed first",
                   pg_value(&r, 0, 0), version);
}

bool migration_reverse(struct pg *db, struct arena *scratch, const struct migration_state *s,
                       const struct migrate_options *o, struct err *e)
{
    struct work w = { .version = s->row->version, .o = o, .write_rows = write_reversed };
    if (!choose_script(scratch, s, &w, e) || !is_newest(db, scratch, w.version, e) ||
        !run_file(&w, db, scratch, e))
        return err_wrap(e, "reverse %s %s", s->row->version, s->row->name ? s->row->name : "");
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
    if (!streq(e->sqlstate, "42P01") && !streq(e->sqlstate, "3F000"))
        return err_wrap(e, "look for version %s", version);
    err_clear(e);
    *ret = false;
    return true;
}
