/*
 * One transaction of a migration: see transaction.h for what is in it, locks.h for how it comes to
 * its locks.
 */
#include "migrate/apply/transaction.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/vec.h"
#include "migrate/apply/locks.h"
#include "migrate/sql/tree.h"

#include <stdio.h>

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
static size_t offset_of(const struct sql_statement *s, int position)
{
    size_t i = 0;
    if (position <= 0)
        return s->offset;
    for (int characters = 0; i < s->text.n; i++) {
        if (((unsigned char)s->text.p[i] & 0xc0) != 0x80 && ++characters == position)
            break;
    }
    return s->offset + i;
}

bool transaction_statement_failed(const struct work *w, const struct sql_statement *s, int position,
                                  struct err *e)
{
    char cause[sizeof e->why], sqlstate[sizeof e->sqlstate];
    if (e->code != ERR_DB)
        return false;
    (void)snprintf(sqlstate, sizeof sqlstate, "%s", e->sqlstate);
    (void)snprintf(cause, sizeof cause, "%s", e->why);
    sql_error_at(e, ERR_DB, w->file, w->sql, offset_of(s, position), "%s", cause);
    (void)snprintf(e->sqlstate, sizeof e->sqlstate, "%s", sqlstate);
    return false;
}

static bool run_statement(const struct work *w, struct pg *db, struct arena *a,
                          const struct sql_statement *s, struct err *e)
{
    int position = 0;
    return FAULT_POINT("migrate.statement.before", e) &&
           (pg_run(db, str_dup(a, s->text), &position, e) ||
            transaction_statement_failed(w, s, position, e));
}

static bool run_statements(const struct work *w, struct pg *db, struct arena *a, struct err *e)
{
    for (size_t i = 0; i < w->settings_count; i++)
        if (!run_statement(w, db, a, w->settings[i], e))
            return false;
    for (size_t i = 0; i < w->statement_count; i++)
        if (!run_statement(w, db, a, &w->statements[i], e))
            return false;
    return true;
}

/* ---- the transaction ---- */

/* What the Supabase CLI gives each file: a session without anyone's settings. Plus ours, until the
 * commit. TimeZone: in UTC timestamp and timestamptz turn into each other without a rewrite; but a
 * database or role that was given a zone means it. */
static bool prepare_session(const struct work *w, struct pg *db, struct arena *a, int lock_ms,
                            struct err *e)
{
    int statement_ms = or_default(w->o->statement_timeout_ms, MIGRATE_STATEMENT_TIMEOUT_MS);
    return pg_exec(db, "RESET ALL", PG_NONE, NULL, e) &&
           pg_exec(db,
                   "SELECT pg_catalog.set_config('lock_timeout', $1, true),"
                   " pg_catalog.set_config('statement_timeout', $2, true),"
                   " pg_catalog.set_config('idle_in_transaction_session_timeout', $3, true),"
                   " pg_catalog.set_config('client_connection_check_interval', '500ms', true),"
                   " pg_catalog.set_config('synchronous_commit', 'on', true),"
                   " CASE WHEN s.source NOT IN ('database', 'user', 'database user')"
                   " THEN pg_catalog.set_config('TimeZone', 'UTC', true) END"
                   " FROM pg_catalog.pg_settings s WHERE s.name = 'TimeZone'",
                   PG_PARAMS(number(a, lock_ms), number(a, statement_ms),
                             number(a, MIGRATE_IDLE_TIMEOUT_MS)),
                   NULL, e);
}

static bool lock_tables(const struct locks *l, struct pg *db, struct err *e)
{
    size_t n = 0;
    const char *const *sql = locks_sql(l, &n);
    for (size_t i = 0; i < n; i++)
        if (!pg_exec(db, sql[i], PG_NONE, NULL, e))
            return false;
    return true;
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

static bool attempt(struct work *w, const struct locks *l, struct pg *db, struct arena *a,
                    struct err *e)
{
    int64_t locked_boot_ms = 0;
    w->attempts = locks_attempts(l);
    w->blocked_ms = locks_blocked_ms(l);
    bool ok = pg_begin(db, e) && (!w->o->fence || w->o->fence(w->o->context, db, e)) &&
              prepare_session(w, db, a, locks_timeout_ms(l), e) && lock_tables(l, db, e) &&
              (locked_boot_ms = clock_boot_ms()) > 0 && run_statements(w, db, a, e) &&
              back_to_us(db, e) && w->write_rows(w, db, a, e) &&
              (!w->is_last || !w->o->record || w->o->record(w->o->context, db, w->version, e)) &&
              FAULT_POINT("migrate.commit.before", e) && pg_commit(db, e);
    if (!ok) {
        pg_rollback(db);
        return false;
    }
    locks_held(l, clock_boot_ms() - locked_boot_ms);
    return FAULT_POINT("migrate.commit.after", e);
}

/* ---- until it works ---- */

static bool is_lock_trouble(const struct err *e)
{
    return e->code == ERR_DB && (streq(e->sqlstate, "55P03") || streq(e->sqlstate, "40P01"));
}

/* Until sql/ says which locks a statement wants: that of ALTER TABLE. */
static struct sql_lock lock_of_tree(const struct sql_statement *s)
{
    struct sql_lock none = { .level = SQL_NO_LOCK };
    if (!s->tree || s->tree->node_case != PG_QUERY__NODE__NODE_ALTER_TABLE_STMT)
        return none;
    const PgQuery__RangeVar *r = s->tree->alter_table_stmt->relation;
    return (struct sql_lock){ .name = { *r->schemaname ? r->schemaname : NULL, r->relname },
                              .level = SQL_ACCESS_EXCLUSIVE,
                              .reach = SQL_ITSELF };
}

static bool open_locks(const struct work *w, struct pg *db, struct arena *a, struct locks **ret,
                       struct err *e)
{
    VEC(struct sql_lock) wanted = { 0 };
    for (size_t i = 0; i < w->statement_count; i++) {
        for (size_t k = 0; k < w->statements[i].lock_count; k++)
            *vec_add(&wanted, a) = w->statements[i].locks[k];
        struct sql_lock guess = lock_of_tree(&w->statements[i]);
        if (w->statements[i].lock_count == 0 && guess.level != SQL_NO_LOCK)
            *vec_add(&wanted, a) = guess;
    }
    struct locks_spec spec = {
        .wanted = wanted.v,
        .wanted_count = wanted.n,
        .budget_ms = or_default(w->lock_budget_ms,
                                or_default(w->o->lock_timeout_ms, MIGRATE_LOCK_TIMEOUT_MS)),
        .wait_ms = or_default(w->o->lock_wait_ms, MIGRATE_LOCK_WAIT_MS),
        .tell = w->o->on_wait,
        .context = w->o->context,
        .file = w->file,
    };
    return locks_open(db, a, &spec, ret, e);
}

bool transaction_run(struct work *w, struct pg *db, struct arena *a, struct err *e)
{
    struct locks *l;
    w->started_unix_ms = clock_unix_ms();
    if (!open_locks(w, db, a, &l, e) || !locks_wait(l, db, e))
        return false;
    while (!attempt(w, l, db, a, e)) {
        if (!is_lock_trouble(e) || !locks_missed(l, db, e) || !locks_wait(l, db, e))
            return false;
    }
    return !pg_is_alive(db) || pg_session_reset(db, e);
}
