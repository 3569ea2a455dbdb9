#include "migrate/apply/transaction.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/hash.h"

#include <poll.h>
#include <stdio.h>

#define PAUSE_FIRST_MS 50 /* between attempts to get a lock; doubles, with half of it at random */
#define PAUSE_MOST_MS  2000

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
bool transaction_run(struct work *w, struct pg *db, struct arena *a, struct err *e)
{
    int64_t began = clock_boot_ms();
    int64_t patience_ms = or_default(w->o->lock_wait_ms, MIGRATE_LOCK_WAIT_MS);
    w->started_unix_ms = clock_unix_ms();
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
