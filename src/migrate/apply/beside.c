#include "migrate/apply/beside.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/signals.h"
#include "migrate/apply/blockers.h"
#include "migrate/sql/tree.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#define LOOK_MS      250   /* how often the statement is looked after */
#define SAY_MS       1000  /* how often the user is told */
#define FENCE_MS     5000  /* how often the lease is proved to be ours */
#define CANCEL_MS    20000 /* how long the answer to a cancel is waited for */
#define END_AGAIN_MS 1000  /* whoever was cancelled has so long to roll back */
#define SENTENCE_MAX 512

void beside_say(const struct beside *b, const char *fmt, ...)
{
    char sentence[SENTENCE_MAX];
    va_list args;
    if (!b->w->o->on_progress)
        return;
    va_start(args, fmt);
    (void)vsnprintf(sentence, sizeof sentence, fmt, args);
    va_end(args);
    b->w->o->on_progress(b->w->o->context, sentence);
}

/* ---- the session ---- */

/* SET LOCAL means nothing outside of a transaction; what it says holds for this session, which ends
 * with the step. */
static const char *as_session_setting(struct arena *a, const struct sql_statement *s)
{
    char *text = str_dup(a, s->text);
    if (!s->tree || s->tree->node_case != PG_QUERY__NODE__NODE_VARIABLE_SET_STMT ||
        !s->tree->variable_set_stmt->is_local)
        return text;
    for (char *p = text; *p; p++) {
        if (strncasecmp(p, "local", 5) != 0)
            continue;
        memset(p, ' ', 5);
        break;
    }
    return text;
}

bool beside_open(struct beside *b, const struct migration_step *step, int lock_timeout_ms,
                 struct err *e)
{
    if (!pg_open_beside(b->db, "step", &b->session, e) ||
        !pg_exec(b->session, "RESET ALL", PG_NONE, NULL, e) ||
        !pg_exec(b->session,
                 "SELECT pg_catalog.set_config('lock_timeout', $1, false),"
                 " pg_catalog.set_config('statement_timeout', '0', false),"
                 " pg_catalog.set_config('idle_in_transaction_session_timeout', '0', false),"
                 " pg_catalog.set_config('client_connection_check_interval', '0', false)",
                 PG_PARAMS(arena_printf(b->a, "%d", lock_timeout_ms)), NULL, e))
        return err_wrap(e, "open a session for %s", b->what);
    for (size_t i = 0; i < step->settings_count; i++)
        if (!pg_run(b->session, as_session_setting(b->a, step->settings[i]), NULL, e))
            return err_wrap(e, "make the settings for %s", b->what);
    return true;
}

void beside_close(struct beside *b)
{
    pg_close(b->session);
    b->session = NULL;
}

/* ---- looking ---- */

struct look {
    bool is_there, is_idle, is_blocked, is_building;
    const char *phase; /* of an index build; may be NULL */
    const char *done;  /* per cent; may be NULL */
    const char *blocker;
    int64_t blocker_pid; /* 0: a prepared transaction, or nobody */
};

static const char *describe_blocker(struct arena *a, const struct pg_rows *r)
{
    if (!pg_value(r, 0, 5))
        return "a prepared transaction";
    return arena_printf(a, "pid %s (%s), %s for %s", pg_value(r, 0, 5), pg_value(r, 0, 6),
                        pg_value(r, 0, 7) ? pg_value(r, 0, 7) : "in a transaction",
                        clock_duration(a, pg_int(r, 0, 8)));
}

static bool look(const struct beside *b, struct arena *a, int64_t pid, const char *start,
                 struct look *ret, struct err *e)
{
    struct pg_rows r;
    if (!pg_query(
            b->db, a,
            "SELECT true, a.state = 'idle', a.wait_event_type = 'Lock', c.phase,"
            " CASE WHEN c.blocks_total > 0 THEN 100 * c.blocks_done / c.blocks_total"
            "  WHEN c.tuples_total > 0 THEN 100 * c.tuples_done / c.tuples_total"
            "  WHEN v.heap_blks_total > 0 THEN 100 * v.heap_blks_scanned / v.heap_blks_total END,"
            " nullif(k.pid, 0), coalesce(nullif(o.application_name, ''), o.usename, '?'), o.state,"
            " (extract(epoch FROM clock_timestamp() - coalesce(o.xact_start, o.query_start))"
            "  * 1000)::bigint"
            " FROM pg_stat_activity a"
            " LEFT JOIN pg_stat_progress_create_index c ON c.pid = a.pid"
            " LEFT JOIN pg_stat_progress_vacuum v ON v.pid = a.pid"
            " LEFT JOIN LATERAL (SELECT unnest(pg_blocking_pids(a.pid)) AS pid LIMIT 1) k ON true"
            " LEFT JOIN pg_stat_activity o ON o.pid = k.pid"
            " WHERE a.pid = $1 AND ($2::timestamptz IS NULL OR a.backend_start = $2)",
            PG_PARAMS(arena_printf(a, "%lld", (long long)pid), start), &r, e))
        return false;
    *ret = (struct look){ .is_there = r.n == 1 };
    if (r.n == 0)
        return true;
    ret->is_idle = pg_bool(&r, 0, 1);
    ret->is_blocked = pg_bool(&r, 0, 2);
    ret->phase = pg_value(&r, 0, 3);
    ret->is_building = ret->phase != NULL;
    ret->done = pg_value(&r, 0, 4);
    if (ret->is_blocked)
        ret->blocker = describe_blocker(a, &r);
    ret->blocker_pid = ret->is_blocked ? pg_int(&r, 0, 5) : 0;
    return true;
}

/* What one watched statement remembers between two looks. */
struct watch {
    int64_t started_ms, said_ms, fenced_ms, blocked_since_ms;
    int64_t ended_pid, ended_ms; /* whom we made give up, and when */
    char blocker[256];
};

static void tell(const struct beside *b, const struct look *l)
{
    if (l->is_blocked)
        beside_say(b, "%s waits for %s", b->what, l->blocker);
    else if (l->phase)
        beside_say(b, "%s: %s%s%s%s", b->what, l->phase, l->done ? ", " : "",
                   l->done ? l->done : "", l->done ? " %" : "");
    else
        beside_say(b, "%s%s%s%s", b->what, l->done ? ": " : "", l->done ? l->done : "",
                   l->done ? " %" : "");
}

/* The lease, asked in a transaction that changes nothing. */
static bool is_still_ours(const struct beside *b, struct err *e)
{
    if (!b->w->o->fence)
        return true;
    bool ok = pg_begin(b->db, e) && b->w->o->fence(b->w->o->context, b->db, e);
    pg_rollback(b->db);
    return ok;
}

static bool blocked_too_long(const struct beside *b, const struct watch *t, struct err *e)
{
    err_set(e, ERR_BLOCKED, "%s was blocked for %s by %s", b->what,
            clock_duration(b->a, clock_boot_ms() - t->blocked_since_ms), t->blocker);
    return err_hint(e, "end that transaction, or raise schema.lock_wait");
}

/* Whoever a person wanted ended. */
static void end_blocker(const struct beside *b, struct watch *t, const struct look *l)
{
    struct err not_permitted = { 0 };
    const char *done = NULL;
    bool is_again = t->ended_pid == l->blocker_pid;
    int64_t now = clock_boot_ms();
    if (b->w->o->end_older_ms <= 0 || l->blocker_pid == 0 ||
        (is_again && now - t->ended_ms < END_AGAIN_MS))
        return;
    bool ok =
        blocker_end(b->db, l->blocker_pid, b->w->o->end_older_ms, is_again, &done, &not_permitted);
    if (done)
        beside_say(b, "%s: %s %s", b->what, done, l->blocker);
    else if (!ok && !is_again)
        beside_say(b, "%s may not end %s: %s", b->what, l->blocker, not_permitted.why);
    if (done || !ok) {
        t->ended_pid = l->blocker_pid;
        t->ended_ms = now;
    }
}

/* Looks, tells, and returns false if the statement must not go on. */
static bool may_go_on(const struct beside *b, struct watch *t, int64_t pid, const char *start,
                      struct look *ret, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct err unseen = { 0 };
    int64_t now = clock_boot_ms();
    int wait_ms = b->w->o->lock_wait_ms > 0 ? b->w->o->lock_wait_ms : MIGRATE_LOCK_WAIT_MS;
    *ret = (struct look){ .is_there = true };
    if (signals_stop_asked())
        return err_set(e, ERR_INTERRUPTED, "stopped during %s", b->what);
    if (now - t->fenced_ms >= FENCE_MS) {
        t->fenced_ms = now;
        if (!is_still_ours(b, &unseen) && unseen.code == ERR_FENCED) {
            *e = unseen;
            return false;
        }
    }
    if (!look(b, a, pid, start, ret, &unseen))
        return true; /* our own session has trouble; the statement need not */
    if (!ret->is_blocked)
        t->blocked_since_ms = 0;
    else if (t->blocked_since_ms == 0)
        t->blocked_since_ms = now;
    if (ret->is_blocked)
        (void)snprintf(t->blocker, sizeof t->blocker, "%s", ret->blocker);
    end_blocker(b, t, ret);
    if (now - t->said_ms >= SAY_MS && now - t->started_ms >= SAY_MS) {
        t->said_ms = now;
        tell(b, ret);
    }
    if (ret->is_blocked && now - t->blocked_since_ms >= wait_ms)
        return blocked_too_long(b, t, e);
    ret->phase = ret->done = ret->blocker = NULL; /* they die with the arena */
    return true;
}

/* ---- one statement ---- */

/* Asks the server to stop and waits for its answer, unless it does not come. */
static void stop_statement(struct beside *b)
{
    struct err ignored = { 0 };
    bool is_done = false;
    int64_t until = clock_boot_ms() + CANCEL_MS;
    if (!pg_cancel(b->session, &ignored))
        return;
    while (!is_done && clock_boot_ms() < until) {
        if (!pg_wait(b->session, LOOK_MS, &is_done, NULL, &ignored))
            return;
        if (!is_done && signals_stop_asked())
            (void)poll(NULL, 0, 20); /* pg_wait does not wait then */
    }
}

bool beside_run(struct beside *b, const char *sql, int *ret_position, struct err *e)
{
    struct watch t = { .started_ms = clock_boot_ms() };
    struct look l;
    bool is_done = false;
    t.fenced_ms = t.started_ms;
    if (!pg_start(b->session, sql, e))
        return false;
    for (;;) {
        if (!pg_wait(b->session, LOOK_MS, &is_done, ret_position, e))
            return false;
        if (is_done)
            return true;
        if (!may_go_on(b, &t, pg_backend_pid_of(b->session), NULL, &l, e)) {
            stop_statement(b);
            return false;
        }
    }
}

/* ---- somebody else's statement ---- */

bool beside_follow(struct beside *b, int64_t pid, const char *start, bool is_stranger,
                   struct err *e)
{
    struct watch t = { .started_ms = clock_boot_ms() };
    struct look l = { .is_there = true };
    t.fenced_ms = t.started_ms;
    if (pid == 0 || !start)
        return true;
    if (!look(b, b->a, pid, start, &l, e))
        return err_wrap(e, "look for the session that is still at it");
    if (l.is_there)
        beside_say(b, "%s: waiting for pid %lld, which is still at it", b->what, (long long)pid);
    while (is_stranger ? l.is_building : l.is_there) {
        if (!is_stranger && l.is_idle &&
            !pg_exec(b->db,
                     "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                     " WHERE pid = $1 AND backend_start = $2 AND state = 'idle'",
                     PG_PARAMS(arena_printf(b->a, "%lld", (long long)pid), start), NULL, e))
            return err_wrap(e, "end the session of an earlier runner");
        if (!FAULT_POINT("migrate.step.following", e) || !may_go_on(b, &t, pid, start, &l, e))
            return false;
        (void)clock_sleep_ms(l.is_there ? LOOK_MS : 0);
    }
    return true;
}
