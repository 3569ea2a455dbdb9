/*
 * Applying and reversing: see apply.h. One attempt is
 *
 *   BEGIN · fence · settings as a fresh session has them, with our timeouts ·
 *   the file's statements, one by one · history row · our row · the caller's record · COMMIT
 *
 * and the two directions differ only in the statements and in what happens to the rows (struct
 * work).
 */
#include "migrate/apply/apply.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/limits.h"
#include "migrate/sql/statement.h"

#include <poll.h>
#include <stdio.h>

#define PAUSE_FIRST_MS 50 /* between attempts to get a lock; doubles, with half of it at random */
#define PAUSE_MOST_MS  2000

struct work {
    const char *file; /* for messages */
    const char *version;
    struct str sql;
    bool (*write_rows)(const struct work *w, struct pg *db, struct arena *a, struct err *e);
    const struct migration *migration; /* applying */
    const struct migrate_options *o;
    struct statement *statements;
    size_t statement_count;
    int attempts;
    int64_t started_unix_ms;
};

static char *number(struct arena *a, int64_t n)
{
    return arena_printf(a, "%lld", (long long)n);
}

static int or_default(int value, int otherwise)
{
    return value > 0 ? value : otherwise;
}

/* ---- one statement ---- */

/* The server counts characters from the start of the statement; people want a place in the file. */
static size_t offset_of(const struct statement *s, int position)
{
    size_t i = 0;
    if (position <= 0)
        return s->offset + s->code;
    for (int characters = 0; i < s->text.n; i++) {
        if (((unsigned char)s->text.p[i] & 0xc0) != 0x80 && ++characters == position)
            break;
    }
    return s->offset + i;
}

static bool statement_failed(const struct work *w, struct arena *a, const struct statement *s,
                             int position, struct err *e)
{
    char cause[sizeof e->why];
    if (e->code != ERR_DB)
        return false;
    struct place p = statement_place(w->sql, offset_of(s, position));
    char sqlstate[sizeof e->sqlstate];
    (void)snprintf(sqlstate, sizeof sqlstate, "%s", e->sqlstate);
    (void)snprintf(cause, sizeof cause, "%s", e->why);
    err_set(e, ERR_DB, "%s\n%s", cause, statement_excerpt(a, &p));
    (void)snprintf(e->sqlstate, sizeof e->sqlstate, "%s", sqlstate);
    err_where(e, "%s:%u:%u", w->file, p.line, p.column);
    if (streq(sqlstate, "55P04"))
        err_hint(e, "a new enum value can be used only after the migration that adds it: use two "
                    "migrations");
    return false;
}

static bool run_statements(const struct work *w, struct pg *db, struct arena *a, struct err *e)
{
    for (size_t i = 0; i < w->statement_count; i++) {
        const struct statement *s = &w->statements[i];
        int position = 0;
        if (!FAULT_POINT("migrate.statement.before", e))
            return false;
        if (!pg_run(db, str_dup(a, s->text), &position, e))
            return statement_failed(w, a, s, position, e);
    }
    return true;
}

/* ---- the transaction ---- */

/* What the Supabase CLI gives each file: a session without anyone's settings. Plus ours, until the
 * commit. */
static bool prepare_session(const struct work *w, struct pg *db, struct arena *a, struct err *e)
{
    int lock_ms = or_default(w->o->lock_timeout_ms, MIGRATE_LOCK_TIMEOUT_MS);
    int statement_ms = or_default(w->o->statement_timeout_ms, MIGRATE_STATEMENT_TIMEOUT_MS);
    return pg_exec(db, "RESET ALL", PG_NONE, NULL, e) &&
           pg_exec(db,
                   "SELECT pg_catalog.set_config('lock_timeout', $1, true),"
                   " pg_catalog.set_config('statement_timeout', $2, true),"
                   " pg_catalog.set_config('client_connection_check_interval', '500ms', true),"
                   " pg_catalog.set_config('synchronous_commit', 'on', true)",
                   PG_PARAMS(number(a, lock_ms), number(a, statement_ms)), NULL, e);
}

/* The file may have changed the role or the path; what follows is ours. */
static bool back_to_us(struct pg *db, struct err *e)
{
    return pg_exec(db, "RESET SESSION AUTHORIZATION", PG_NONE, NULL, e) &&
           pg_exec(db,
                   "SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true),"
                   " pg_catalog.set_config('row_security', 'on', true)",
                   PG_NONE, NULL, e);
}

static bool attempt(const struct work *w, struct pg *db, struct arena *a, struct err *e)
{
    bool ok = pg_begin(db, e) && (!w->o->fence || w->o->fence(w->o->context, db, e)) &&
              prepare_session(w, db, a, e) && run_statements(w, db, a, e) && back_to_us(db, e) &&
              w->write_rows(w, db, a, e) &&
              (!w->o->record || w->o->record(w->o->context, db, w->version, e)) &&
              FAULT_POINT("migrate.commit.before", e) && pg_commit(db, e);
    if (!ok) {
        pg_rollback(db);
        return false;
    }
    return FAULT_POINT("migrate.commit.after", e);
}

/* ---- waiting for locks ---- */

static bool is_lock_trouble(const struct err *e)
{
    return e->code == ERR_DB && (streq(e->sqlstate, "55P03") || streq(e->sqlstate, "40P01"));
}

/* Whoever has had a transaction open for longest is the likely reason. */
static void tell_who_blocks(const struct work *w, struct pg *db, struct arena *a)
{
    struct pg_rows r;
    struct err ignored; /* a courtesy; without it the sentence is shorter */
    bool known = pg_query(db, a,
                          "SELECT pid, coalesce(nullif(application_name, ''), usename, '?'), state,"
                          " (extract(epoch FROM clock_timestamp() - xact_start) * 1000)::bigint"
                          " FROM pg_stat_activity WHERE datname = current_database()"
                          " AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
                          " ORDER BY xact_start LIMIT 1",
                          PG_NONE, &r, &ignored) &&
                 r.n == 1;
    if (!w->o->on_wait)
        return;
    const char *sentence =
        arena_printf(a, "%s waits for a lock (attempt %d)", w->file, w->attempts);
    if (known)
        sentence = arena_printf(a, "%s; oldest open transaction: %s, pid %s, %s for %s", sentence,
                                pg_value(&r, 0, 1), pg_value(&r, 0, 0),
                                pg_value(&r, 0, 2) ? pg_value(&r, 0, 2) : "?",
                                clock_duration(a, pg_int(&r, 0, 3)));
    w->o->on_wait(w->o->context, sentence);
}

static bool lock_not_got(const struct work *w, struct arena *a, int64_t waited_ms, struct err *e)
{
    const char *cause = arena_strdup(a, e->why), *where = arena_strdup(a, e->where);
    err_set(e, ERR_BLOCKED, "no lock within %s (%d attempts): %s", clock_duration(a, waited_ms),
            w->attempts, cause);
    err_where(e, "%s", where);
    return err_hint(e, "end the transaction that holds the table, or raise schema.lock_timeout");
}

static void pause_before_retry(int attempts)
{
    int pause_ms = attempts < 6 ? PAUSE_FIRST_MS << attempts : PAUSE_MOST_MS;
    if (pause_ms > PAUSE_MOST_MS)
        pause_ms = PAUSE_MOST_MS;
    (void)poll(NULL, 0, pause_ms / 2 + (int)random_below((uint32_t)pause_ms));
}

/* Attempts until it works, fails for another reason than a lock, or patience ends. */
static bool run_work(struct work *w, struct pg *db, struct arena *a, struct err *e)
{
    int64_t began = clock_boot_ms();
    int64_t patience_ms = or_default(w->o->lock_wait_ms, MIGRATE_LOCK_WAIT_MS);
    w->started_unix_ms = clock_unix_ms();
    if (!statement_all_transactional(a, w->file, w->sql, e))
        return false;
    statement_split(a, w->sql, &w->statements, &w->statement_count);
    for (w->attempts = 1; !attempt(w, db, a, e); w->attempts++) {
        if (!is_lock_trouble(e))
            return false;
        if (clock_boot_ms() - began >= patience_ms)
            return lock_not_got(w, a, clock_boot_ms() - began, e);
        tell_who_blocks(w, db, a);
        pause_before_retry(w->attempts);
    }
    return !pg_is_alive(db) || pg_session_reset(db, e);
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

bool migration_apply(struct pg *db, struct arena *scratch, const struct migration *m,
                     const struct migrate_options *o, struct err *e)
{
    struct work w = { .file = m->file,
                      .version = m->version,
                      .sql = m->sql,
                      .migration = m,
                      .o = o,
                      .write_rows = write_applied };
    return run_work(&w, db, scratch, e) || err_wrap(e, "apply %s", m->file);
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
        !run_work(&w, db, scratch, e))
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
