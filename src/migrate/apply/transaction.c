/*
 * One transaction of a migration: see transaction.h for what is in it, locks.h for how it comes to
 * its locks.
 */
#include "migrate/apply/transaction.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/vec.h"
#include "migrate/apply/locks.h"
#include "migrate/sql/tree.h"

#include <stdio.h>

#define SETTLE_MS       15000 /* how long the fate of a lost commit is looked for */
#define SETTLE_PAUSE_MS 200

#define TRANSACTION_TIMEOUT_SINCE 170000 /* PostgreSQL 17 */

static char *number(struct arena *a, int64_t n)
{
    return arena_printf(a, "%lld", (long long)n);
}

static int or_default(int value, int otherwise)
{
    return value > 0 ? value : otherwise;
}

/* ---- one statement ---- */

bool transaction_statement_failed(const struct work *w, const struct sql_statement *s, int position,
                                  struct err *e)
{
    return sql_refused_at(e, w->file, w->sql, s, position);
}

/* Settings first, then the statements: the n-th of all. */
static const struct sql_statement *statement_at(const struct work *w, size_t n)
{
    return n < w->settings_count ? w->settings[n] : &w->statements[n - w->settings_count];
}

/* libpq cannot go on when the server wants rows from us, or sends some in its own manner. */
static bool is_copy(const struct sql_statement *s)
{
    const PgQuery__Node *n = s->tree;
    return n && n->node_case == PG_QUERY__NODE__NODE_COPY_STMT &&
           !tree_text(n->copy_stmt->filename);
}

static bool run_statements(const struct work *w, struct pg *db, struct arena *a, struct err *e)
{
    for (size_t i = 0; i < w->settings_count + w->statement_count; i++) {
        const struct sql_statement *s = statement_at(w, i);
        if (!FAULT_POINT("migrate.statement.before", e))
            return false;
        if (is_copy(s))
            return sql_error_at(e, ERR_DB, w->file, w->sql, s->offset,
                                "COPY … FROM STDIN and TO STDOUT are not supported; use INSERT");
        if (!pg_run(db, str_dup(a, s->text), NULL, e))
            return false;
    }
    return true;
}

/* Statements that change the catalogue, and can change nothing of the session. */
static bool is_plain(const struct sql_statement *s)
{
    static const char *const verbs[] = {
        "CREATE ", "ALTER ", "DROP ", "COMMENT", "GRANT", "REVOKE"
    };
    const PgQuery__Node *n = s->tree;
    if (!n || n->node_case == PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT ||
        (n->node_case == PG_QUERY__NODE__NODE_CREATE_STMT &&
         streq(n->create_stmt->relation->relpersistence, "t")))
        return false;
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (str_starts(str_of(s->what), verbs[i]))
            return true;
    return false;
}

bool transaction_is_plain(const struct work *w)
{
    bool is_all = w->settings_count == 0;
    for (size_t i = 0; i < w->statement_count; i++)
        is_all = is_all && is_plain(&w->statements[i]);
    return is_all;
}

/* ---- the transaction ---- */

/* What the Supabase CLI gives each file: a session without anyone's settings, and with nothing that
 * an attempt or a file before it prepared. Plus ours, until the commit. TimeZone: in UTC timestamp and timestamptz turn
 * into each other without a rewrite; but a database or role that was given a zone means it. */
static bool prepare_session(const struct work *w, struct pg *db, struct arena *a, int lock_ms,
                            struct err *e)
{
    int statement_ms = or_default(w->o->statement_timeout_ms, MIGRATE_STATEMENT_TIMEOUT_MS);
    int whole_ms = or_default(w->o->transaction_timeout_ms, MIGRATE_TRANSACTION_TIMEOUT_MS);
    return pg_exec(db, "RESET ALL", PG_NONE, NULL, e) &&
           pg_exec(db, "DEALLOCATE ALL", PG_NONE, NULL, e) &&
           pg_exec(db, "DISCARD TEMP", PG_NONE, NULL, e) &&
           pg_exec(db,
                   "SELECT pg_catalog.set_config('lock_timeout', $1, false),"
                   " pg_catalog.set_config('statement_timeout', $2, false),"
                   " pg_catalog.set_config('idle_in_transaction_session_timeout', $3, false),"
                   " pg_catalog.set_config('client_connection_check_interval', '500ms', false),"
                   " pg_catalog.set_config('synchronous_commit', 'on', false),"
                   " pg_catalog.set_config('TimeZone', coalesce($4,"
                   " pg_catalog.current_setting('TimeZone')), false)",
                   PG_PARAMS(number(a, lock_ms), number(a, statement_ms),
                             number(a, MIGRATE_IDLE_TIMEOUT_MS),
                             w->around->has_zone ? NULL : "UTC"),
                   NULL, e) &&
           (pg_server_version(db) < TRANSACTION_TIMEOUT_SINCE ||
            pg_exec(db, "SELECT pg_catalog.set_config('transaction_timeout', $1, false)",
                    PG_PARAMS(number(a, whole_ms)), NULL, e));
}

/* The file may have changed the role or the path; what follows is ours, the same for every migration, and
 * planned once. */
static bool back_to_us(const struct work *w, struct pg *db, struct err *e)
{
    return (transaction_is_plain(w) ||
            pg_exec(db, "RESET SESSION AUTHORIZATION", PG_NONE, NULL, e)) &&
           pg_exec(db,
                   "SELECT pg_catalog.set_config('search_path', $1, true),"
                   " pg_catalog.set_config('row_security', 'on', true),"
                   " pg_catalog.set_config('plan_cache_mode', 'force_generic_plan', true)",
                   PG_PARAMS("pg_catalog, pg_temp"), NULL, e);
}

static bool read_clock(struct pg *db, struct arena *a, struct pg_rows *ret, struct err *e)
{
    return pg_query_later(
        db, a,
        "SELECT (extract(epoch FROM pg_catalog.clock_timestamp()) OPERATOR(pg_catalog.*) 1000)"
        "::pg_catalog.int8",
        PG_NONE, ret, e);
}

static bool write_record(const struct work *w, struct pg *db, struct err *e)
{
    const struct migrate_options *o = w->o;
    const struct run *run = &w->run;
    if (run->n == 0 || !o->record_run)
        return !o->record || o->record(o->context, db, w->version, e);
    return (run->nth > 0 || o->record_run(o->context, db, MIGRATE_BEGINS, run->v, run->n, e)) &&
           (run->nth + 1 < run->n ||
            o->record_run(o->context, db, MIGRATE_ENDS, run->v, run->n, e));
}

bool transaction_queue(struct work *w, const struct transaction_locks *l, struct pg *db,
                       struct arena *a, struct err *e)
{
    if (!pg_begin(db, e) || (w->o->fence && !w->o->fence(w->o->context, db, e)) ||
        (!l->keeps_session && !prepare_session(w, db, a, l->timeout_ms, e)))
        return false;
    for (size_t i = 0; i < l->count; i++)
        if (!pg_exec(db, l->sql[i], PG_NONE, NULL, e))
            return false;
    if (l->count > 0 && !read_clock(db, a, &w->locked, e))
        return false;
    w->first_statement = pg_queue_length(db);
    return run_statements(w, db, a, e) && back_to_us(w, db, e) && w->write_rows(w, db, a, e) &&
           (!w->is_last || write_record(w, db, e)) &&
           (l->count == 0 || read_clock(db, a, &w->unlocked, e)) &&
           FAULT_POINT("migrate.commit.before", e) && pg_commit(db, e);
}

bool transaction_refused(const struct work *w, const struct pg_queue_outcome *o, struct err *e)
{
    size_t n = w->settings_count + w->statement_count;
    if (e->code != ERR_DB || o->failed_at < w->first_statement ||
        o->failed_at >= w->first_statement + n)
        return false;
    return transaction_statement_failed(w, statement_at(w, o->failed_at - w->first_statement),
                                        o->position, e);
}

/* ---- a lost answer ---- */

bool transaction_settle(struct pg *db, struct arena *a, const char *const *versions, size_t n,
                        struct pg_rows *ret, struct err *e)
{
    CLEANUP(pg) struct pg *second = NULL;
    int64_t give_up_at = clock_boot_ms() + SETTLE_MS;
    struct err last = *e;
    char *pid = number(a, pg_backend_pid_of(db)), *list = pg_text_array(a, versions, n);
    do {
        /* what it was doing ends first, so that the answer is the last word */
        if (pg_open_beside(db, "settle", &second, &last) &&
            pg_exec(second,
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid = $1"
                    " AND usename = current_user AND application_name LIKE 'lockflight %'",
                    PG_PARAMS(pid), NULL, &last) &&
            pg_query(second, a,
                     "SELECT version FROM supabase_migrations.schema_migrations"
                     " WHERE version = ANY ($1::text[]) ORDER BY version COLLATE \"C\"",
                     PG_PARAMS(list), ret, &last))
            return true;
        if (streq(last.sqlstate, "42P01") || streq(last.sqlstate, "3F000")) {
            *ret = (struct pg_rows){ 0 };
            return true;
        }
        pg_close(second);
        second = NULL;
    } while (clock_boot_ms() < give_up_at && clock_sleep_ms(SETTLE_PAUSE_MS));
    return false;
}

/* The answer to everything was lost: the history says whether it was committed. */
static bool settle(const struct work *w, struct pg *db, struct arena *a, struct err *e)
{
    struct pg_rows r;
    if (e->code != ERR_UNKNOWN_OUTCOME || !w->is_last ||
        !transaction_settle(db, a, &w->version, 1, &r, e))
        return false;
    if ((r.n == 1) == (w->migration != NULL))
        return true;
    return err_set(e, ERR_NET, "%s; nothing took effect", arena_strdup(a, e->why));
}

/* ---- one attempt ---- */

static void tell_held(const struct work *w, const struct locks *l)
{
    if (w->locked.n == 1 && w->unlocked.n == 1)
        locks_held(l, pg_int(&w->unlocked, 0, 0) - pg_int(&w->locked, 0, 0));
}

/* All of it is sent at once: whoever waits behind our locks does not wait for the network. */
static bool attempt(struct work *w, const struct locks *l, struct pg *db, struct arena *a,
                    struct err *e)
{
    struct transaction_locks asked = { .timeout_ms = locks_timeout_ms(l) };
    struct pg_queue_outcome outcome;
    asked.sql = locks_sql(l, &asked.count);
    w->attempts = locks_attempts(l);
    w->blocked_ms = locks_blocked_ms(l);
    pg_queue_begin(db);
    if (!transaction_queue(w, &asked, db, a, e) || !pg_session_reset(db, e)) {
        pg_queue_drop(db);
        return false;
    }
    bool ok = pg_queue_end(db, NULL, NULL, &outcome, e);
    if (!ok && outcome.commits == 0) {
        pg_rollback(db);
        (void)transaction_refused(w, &outcome, e);
        if (!settle(w, db, a, e))
            return false;
    }
    tell_held(w, l);
    return FAULT_POINT("migrate.commit.after", e);
}

/* ---- what is asked once ---- */

bool transaction_look_later(struct pg *db, struct arena *a, struct around_rows *ret, struct err *e)
{
    return record_look_later(db, a, &ret->history, e) &&
           pg_query_later(
               db, a,
               "SELECT EXISTS (SELECT FROM pg_db_role_setting s, unnest(s.setconfig) AS c (text)"
               " WHERE s.setdatabase IN (0, (SELECT oid FROM pg_database"
               "  WHERE datname = current_database()))"
               " AND s.setrole IN (0, (SELECT oid FROM pg_roles WHERE rolname = current_user))"
               " AND c.text ILIKE 'timezone=%')",
               PG_NONE, &ret->zone, e);
}

void transaction_look_read(const struct around_rows *r, struct around *ret)
{
    record_look_read(&r->history, &ret->history);
    ret->has_zone = pg_bool(&r->zone, 0, 0);
}

static bool look(struct pg *db, struct arena *a, struct around *ret, struct err *e)
{
    struct around_rows rows;
    pg_queue_begin(db);
    bool ok = transaction_look_later(db, a, &rows, e) && pg_queue_end(db, NULL, NULL, NULL, e);
    pg_queue_drop(db);
    if (!ok)
        return err_wrap(e, "look at the database");
    transaction_look_read(&rows, ret);
    return true;
}

/* ---- until it works ---- */

bool transaction_lock_trouble(const struct err *e)
{
    return e->code == ERR_DB && (streq(e->sqlstate, "55P03") || streq(e->sqlstate, "40P01"));
}

int transaction_lock_budget_ms(const struct work *w)
{
    return or_default(w->lock_budget_ms,
                      or_default(w->o->lock_timeout_ms, MIGRATE_LOCK_TIMEOUT_MS));
}

static bool open_locks(const struct work *w, struct pg *db, struct arena *a, struct locks **ret,
                       struct err *e)
{
    VEC(struct sql_lock) wanted = { 0 };
    for (size_t i = 0; i < w->statement_count; i++)
        for (size_t k = 0; k < w->statements[i].lock_count; k++)
            *vec_add(&wanted, a) = w->statements[i].locks[k];
    struct locks_spec spec = {
        .wanted = wanted.v,
        .wanted_count = wanted.n,
        .budget_ms = transaction_lock_budget_ms(w),
        .wait_ms = or_default(w->o->lock_wait_ms, MIGRATE_LOCK_WAIT_MS),
        .end_older_ms = w->o->end_older_ms,
        .tell = w->o->on_wait,
        .context = w->o->context,
        .file = w->file,
    };
    return locks_open(db, a, &spec, ret, e);
}

bool transaction_run(struct work *w, struct pg *db, struct arena *a, struct err *e)
{
    struct locks *l;
    struct around around;
    w->started_unix_ms = clock_unix_ms();
    if (!w->around) {
        if (!look(db, a, &around, e))
            return false;
        w->around = &around;
    }
    if (!open_locks(w, db, a, &l, e) || !locks_wait(l, db, e))
        return false;
    const struct around found = *w->around;
    while (!attempt(w, l, db, a, e)) {
        *w->around = found; /* what was made is rolled back */
        if (!transaction_lock_trouble(e) || !locks_missed(l, db, e) || !locks_wait(l, db, e))
            return false;
    }
    return true;
}
