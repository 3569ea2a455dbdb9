/*
 * Postgres, over libpq. One struct pg is one connection and belongs to one thread.
 *
 * CALLS    pg_open → pg_query / pg_exec … → pg_close. A unit of work is pg_begin … pg_commit; a
 *          scope that is left early calls pg_rollback (harmless when nothing is open).
 *
 * SAFETY   Values are always bound ($1, $2 …), never glued into SQL. Every statement is sent by
 *          itself, so that the server cannot go on with the rest of a script after this program
 *          died. The server notices a dead client within 500 ms (client_connection_check_interval).
 *          Our own SQL names every schema; search_path is set to pg_catalog so that nobody's
 *          function shadows ours.
 *
 * ERRORS   ERR_DB               the server refused; e->sqlstate says why, the connection is still
 *                               good
 *          ERR_NET              no connection, or lost before a commit was asked for: nothing took
 *                               effect
 *          ERR_UNKNOWN_OUTCOME  lost while a COMMIT, or a statement outside a transaction, was in
 *                               flight
 *          After the last two pg_is_alive() is false until pg_reconnect() succeeds.
 */
#ifndef LOCKFLIGHT_PROVIDER_PG_H
#define LOCKFLIGHT_PROVIDER_PG_H

#include "base/arena.h"
#include "base/str.h"

#include <stdint.h>

struct pg;

/* How to connect. Zero values are the defaults. */
struct pg_spec {
    const char *url;       /* postgresql://… or a libpq key=value string */
    const char *database;  /* instead of the one the URL names; NULL: that one */
    const char *purpose;   /* shown to administrators: application_name "lockflight <purpose>" */
    int connect_timeout_s; /* 0: PG_CONNECT_TIMEOUT_S */

    /* Fills the exchange that sets the session up with questions, each a pg_queue_part. They may
     * only look: it is not known yet whether the session is ours. NULL: none. */
    bool (*ask)(void *context, struct pg *db, struct err *e);
    void *context;
};

#define PG_CONNECT_TIMEOUT_S 10

/* Connects. The errors never contain the password. A transaction pooler is refused with
 * ERR_CONFIG (advisory locks and settings do not survive one). Close with pg_close. */
bool pg_open(const struct pg_spec *spec, struct pg **ret, struct err *e) MUST_USE;
void pg_close(struct pg *db); /* accepts NULL */

/* A second connection to the same server under the same account. */
bool pg_open_beside(const struct pg *db, const char *purpose, struct pg **ret,
                    struct err *e) MUST_USE;

/* A new connection in place, with the same settings. What the session held (locks, transaction) is
 * gone. */
bool pg_reconnect(struct pg *db, struct err *e) MUST_USE;

bool pg_is_alive(const struct pg *db);
bool pg_in_transaction(const struct pg *db);
unsigned pg_transaction_number(const struct pg *db); /* another one after each pg_begin */
int pg_backend_pid_of(const struct pg *db);
int pg_server_version(const struct pg *db); /* 150020 */

/* "host:port/database", for messages; no user, no password. Lives as long as db. */
const char *pg_where(const struct pg *db);

/* A result, copied. value(row, column) is NULL for SQL NULL. */
struct pg_rows {
    size_t n;
    size_t columns;
    const char *const *v; /* v[row * columns + column] */
};

static inline const char *pg_value(const struct pg_rows *r, size_t row, size_t column)
{
    return r->v[row * r->columns + column];
}

/* Typed readings of columns that cannot hold anything else: numbers, and 't' or 'f'. NULL reads as
 * 0. */
int64_t pg_int(const struct pg_rows *r, size_t row, size_t column);
bool pg_bool(const struct pg_rows *r, size_t row, size_t column);

/* Bound values: pg_exec(db, "… $1 … $2", PG_PARAMS(name, version), NULL, e); a NULL is SQL NULL. */
struct pg_params {
    const char *const *v;
    size_t n;
};
#define PG_PARAMS(...)                                                                             \
    ((struct pg_params){ (const char *const[]){ __VA_ARGS__ },                                     \
                         sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *) })
#define PG_NONE ((struct pg_params){ NULL, 0 })

/* One statement whose rows are wanted. Rows live in `a`. */
bool pg_query(struct pg *db, struct arena *a, const char *sql, struct pg_params params,
              struct pg_rows *ret, struct err *e) MUST_USE;

/* From here on an answer that has not come after answer_ms counts as none: the connection is given
 * up (ERR_NET, ERR_UNKNOWN_OUTCOME). For threads that must go on whatever the server does. Holds for
 * pg_query and pg_exec outside a queue. 0: wait for as long as it takes. */
void pg_be_impatient(struct pg *db, int answer_ms);

/* The columns that one statement would answer with. It is parsed and its names are looked up, but it
 * is not run; ERR_DB if the server cannot. Parameters may be left open: $1. */
struct pg_column {
    const char *name;
    unsigned type; /* OID */
    int modifier;
};
struct pg_columns {
    const struct pg_column *v;
    size_t n;
};
bool pg_describe(struct pg *db, struct arena *a, const char *sql, struct pg_columns *ret,
                 struct err *e) MUST_USE;

/* One statement that changes something; ret_rows (may be NULL) is how many rows it touched. */
bool pg_exec(struct pg *db, const char *sql, struct pg_params params, uint64_t *ret_rows,
             struct err *e) MUST_USE;

/* One statement of foreign SQL, without parameters, rows discarded. On ERR_DB *ret_position (may be
 * NULL) is the 1-based character the server points at, or 0. COPY … FROM STDIN is refused. */
bool pg_run(struct pg *db, const char *sql, int *ret_position, struct err *e) MUST_USE;

/* pg_run looks for a signal that asks to stop (base/signals.h), cancels the statement then, and
 * returns ERR_INTERRUPTED. */

/* One statement without waiting for its end: pg_start, then pg_wait until *ret_done. It goes in the
 * simple protocol, as what must be alone wants it (CREATE INDEX CONCURRENTLY, VACUUM). pg_wait
 * returns after wait_ms at the latest, or at once when a signal asks to stop; its errors are those
 * of pg_run. Between the two calls nothing else can be done on this connection but pg_cancel. */
bool pg_start(struct pg *db, const char *sql, struct err *e) MUST_USE;
bool pg_wait(struct pg *db, int wait_ms, bool *ret_done, int *ret_position, struct err *e) MUST_USE;

/* Waits for a notification on a channel that was listened to, at most wait_ms, or until `wake_fd`
 * (-1: none) can be read. *ret_came: one or more came, and all are taken. ERR_NET if the connection
 * is gone; what was notified since is lost then, so ask what there is after a reconnect. */
bool pg_await(struct pg *db, int wake_fd, int64_t wait_ms, bool *ret_came, struct err *e) MUST_USE;

/* Asks the server to stop what it does on this connection; its answer still comes: ERR_DB, 57014.
 */
bool pg_cancel(struct pg *db, struct err *e) MUST_USE;

/* A script of our own with many statements, without parameters; only inside a transaction, so that
 * a client that dies in the middle leaves nothing. */
bool pg_script(struct pg *db, const char *sql, struct err *e) MUST_USE;

/* After foreign SQL: role, settings, prepared statements and temporary objects as pg_open left
 * them. Advisory locks stay. */
bool pg_session_reset(struct pg *db, struct err *e) MUST_USE;

/* Transactions. pg_commit settles a lost answer itself: it asks pg_xact_status over a second
 * connection and returns true if the transaction is committed (pg_is_alive() is false then),
 * ERR_NET if it is aborted, ERR_UNKNOWN_OUTCOME only if the server stayed out of reach. */
bool pg_begin(struct pg *db, struct err *e) MUST_USE;
bool pg_commit(struct pg *db, struct err *e) MUST_USE;
void pg_rollback(struct pg *db);

/* Many statements in one exchange. Between pg_queue_begin and pg_queue_end, pg_begin, pg_exec,
 * pg_expect, pg_run, pg_query_later, pg_session_reset and pg_commit succeed at once and send
 * nothing; calls that must have an answer (pg_query, pg_exec with ret_rows, pg_script) are not
 * allowed. pg_queue_end sends it all and reads the answers: the first error ends the rest, and
 * transactions committed before it stay. An open transaction is the caller's to roll back;
 * pg_rollback and pg_queue_drop forget a queue that was not sent. */
void pg_queue_begin(struct pg *db);
void pg_queue_drop(struct pg *db);
size_t pg_queue_length(const struct pg *db); /* the number that the next statement will have */

/* What follows is a part of its own, still in the same exchange: an error ends the rest of its part
 * only, and goes to *own, which says so by its code; own NULL: it is pg_queue_end's. Statements
 * outside of pg_begin … pg_commit are one transaction to the end of their part; a transaction left
 * open by an error stays so. */
void pg_queue_part(struct pg *db, struct err *own);

struct pg_queue_outcome {
    size_t commits;   /* whose success is known */
    size_t failed_at; /* the number of the statement that was refused */
    int position;     /* as pg_run: the character in it, or 0 */
};

/* `committed` (may be NULL) is told each commit as it is known, from 0. *ret (may be NULL) is
 * filled on failure too. ERR_UNKNOWN_OUTCOME: lost; commits beyond those counted may stand. */
bool pg_queue_end(struct pg *db, void (*committed)(void *context, size_t nth), void *context,
                  struct pg_queue_outcome *ret, struct err *e) MUST_USE;

/* A change that must touch a row, else *e becomes *nothing: INSERT, UPDATE, DELETE without
 * RETURNING, or a SELECT; queued or not. */
bool pg_expect(struct pg *db, const char *sql, struct pg_params params, const struct err *nothing,
               struct err *e) MUST_USE;

/* As pg_query; in a queue *ret is filled by pg_queue_end. */
bool pg_query_later(struct pg *db, struct arena *a, const char *sql, struct pg_params params,
                    struct pg_rows *ret, struct err *e) MUST_USE;

/* bytea as text parameter, and back. */
char *pg_bytea(struct arena *a, struct str bytes);
bool pg_bytea_decode(struct arena *a, const char *text, struct str *ret);

/* An array literal for a text[] parameter: {"a","b"}. */
char *pg_text_array(struct arena *a, const char *const *items, size_t n);

static inline void pg_cleanup(struct pg **db)
{
    pg_close(*db);
}

#endif
