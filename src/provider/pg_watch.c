/*
 * Statements that take long: started, watched, cancelled; those that must not take long; and waiting
 * for notifications. See pg.h.
 */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/signals.h"
#include "provider/pg_inside.h"

#include <poll.h>

#define LOOK_MS      250 /* how often a signal is looked for while the server works */
#define CANCEL_EVERY 40  /* looks, of 25 ms once a signal came */

/* True while the server has not answered; waits for it up to wait_ms. */
static bool is_busy(struct pg *db, int wait_ms)
{
    int64_t until = clock_boot_ms() + wait_ms;
    for (;;) {
        if (PQconsumeInput(db->conn) == 0) {
            db->is_lost = true;
            return false;
        }
        if (!PQisBusy(db->conn))
            return false;
        int64_t left_ms = until - clock_boot_ms();
        if (left_ms <= 0 || signals_stop_asked())
            return true;
        struct pollfd p = { .fd = PQsocket(db->conn), .events = POLLIN };
        (void)poll(&p, 1, (int)left_ms);
    }
}

static bool started(struct pg *db, int sent, struct err *e)
{
    if (sent == 1)
        return true;
    if (PQstatus(db->conn) == CONNECTION_OK)
        db->is_lost = true; /* what libpq refuses to send it never sends on this connection */
    return pg_lost(db, true, e);
}

bool pg_start(struct pg *db, const char *sql, struct err *e)
{
    if (!pg_is_alive(db))
        return pg_lost(db, true, e);
    db->started_in_transaction = pg_in_transaction(db);
    return started(db, PQsendQuery(db->conn, sql), e);
}

/* The first error among the results counts; there is one result unless something is wrong. */
static bool take_answer(struct pg *db, int *ret_position, struct err *e)
{
    bool ok = true;
    for (PGresult *r = PQgetResult(db->conn); r; r = PQgetResult(db->conn)) {
        CLEANUP(result) PGresult *result = r;
        pg_notice_loss(db, result);
        if (!pg_is_alive(db))
            continue; /* libpq ends by itself */
        if (!ok || pg_check_result(db, result, e))
            continue;
        ok = false;
        const char *position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
        if (ret_position)
            *ret_position = position ? (int)strtol(position, NULL, 10) : 0;
    }
    return pg_is_alive(db) ? ok : pg_lost(db, db->started_in_transaction, e);
}

bool pg_wait(struct pg *db, int wait_ms, bool *ret_done, int *ret_position, struct err *e)
{
    *ret_done = !is_busy(db, wait_ms);
    if (ret_position)
        *ret_position = 0;
    if (!*ret_done)
        return true;
    return pg_is_alive(db) ? take_answer(db, ret_position, e)
                           : pg_lost(db, db->started_in_transaction, e);
}

bool pg_cancel(struct pg *db, struct err *e)
{
    char why[256] = "";
    PGcancel *cancel = PQgetCancel(db->conn);
    bool ok = cancel && PQcancel(cancel, why, sizeof why) == 1;
    PQfreeCancel(cancel);
    return ok || err_set(e, ERR_NET, "the statement could not be cancelled: %s", why);
}

/* The statement was cancelled because we asked for it. */
static bool was_stopped(struct err *e)
{
    if (e->code != ERR_DB || !streq(e->sqlstate, "57014"))
        return false;
    return !err_set(e, ERR_INTERRUPTED, "stopped while the database was working");
}

bool pg_run(struct pg *db, const char *sql, int *ret_position, struct err *e)
{
    struct err ignored; /* a statement that cannot be cancelled is waited for */
    bool is_done = false, is_cancelled = false;
    unsigned looks = 0;
    if (db->queue)
        return pg_queue_add(db, sql, PG_NONE);
    if (!pg_is_alive(db))
        return pg_lost(db, true, e);
    db->started_in_transaction = pg_in_transaction(db);
    /* the extended protocol takes exactly one statement */
    if (!started(db, PQsendQueryParams(db->conn, sql, 0, NULL, NULL, NULL, NULL, 0), e))
        return false;
    for (;;) {
        bool ok = pg_wait(db, LOOK_MS, &is_done, ret_position, e);
        if (is_done && !ok && is_cancelled)
            (void)was_stopped(e);
        if (!ok || is_done)
            return ok;
        if (!signals_stop_asked())
            continue;
        /* again and again: a request that comes before the server has begun is passed over */
        if (looks++ % CANCEL_EVERY == 0 && pg_cancel(db, &ignored))
            is_cancelled = true;
        (void)poll(NULL, 0, LOOK_MS / 10);
    }
}

/* ---- In time, or not at all ---- */

void pg_be_impatient(struct pg *db, int answer_ms)
{
    db->answer_ms = answer_ms;
}

/* Not ended by a signal, as is_busy is: the answer is short, or it is not waited for. */
static bool answers_in_time(struct pg *db)
{
    int64_t until = clock_boot_ms() + db->answer_ms;
    for (;;) {
        if (PQconsumeInput(db->conn) == 0)
            return false;
        if (!PQisBusy(db->conn))
            return true;
        int64_t left_ms = until - clock_boot_ms();
        if (left_ms <= 0)
            return false;
        struct pollfd p = { .fd = PQsocket(db->conn), .events = POLLIN };
        (void)poll(&p, 1, (int)left_ms);
    }
}

PGresult *pg_exec_in_time(struct pg *db, const char *sql, struct pg_params params)
{
    PGresult *last = NULL;
    if (PQsendQueryParams(db->conn, sql, (int)params.n, NULL, params.v, NULL, NULL, 0) != 1)
        return NULL;
    for (;;) {
        if (!answers_in_time(db))
            break;
        PGresult *r = PQgetResult(db->conn);
        if (!r)
            return last;
        PQclear(last);
        last = r;
        ExecStatusType status = PQresultStatus(r);
        if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH)
            return last;
    }
    PQclear(last);
    return NULL;
}

/* ---- Notifications ---- */

static bool take_notices(struct pg *db)
{
    bool came = false;
    for (PGnotify *n = PQnotifies(db->conn); n; n = PQnotifies(db->conn)) {
        came = true;
        PQfreemem(n);
    }
    return came;
}

bool pg_await(struct pg *db, int wake_fd, int64_t wait_ms, bool *ret_came, struct err *e)
{
    if (!pg_is_alive(db))
        return pg_lost(db, true, e);
    *ret_came = take_notices(db); /* those that came with an answer */
    if (*ret_came)
        return true;
    struct pollfd fds[] = { { .fd = PQsocket(db->conn), .events = POLLIN },
                            { .fd = wake_fd, .events = POLLIN } };
    int64_t most_ms = wait_ms < 0 ? 0 : wait_ms;
    if (poll(fds, 2, most_ms > 60000 ? 60000 : (int)most_ms) <= 0 || !fds[0].revents)
        return true;
    if (PQconsumeInput(db->conn) == 0) {
        db->is_lost = true;
        return pg_lost(db, true, e);
    }
    *ret_came = take_notices(db);
    return true;
}
