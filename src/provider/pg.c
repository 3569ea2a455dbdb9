/*
 * Postgres over libpq: see pg.h for the contract.
 *
 * Every statement of ours goes through send_one(), in the extended protocol, which takes exactly one
 * statement; what may take long goes through pg_watch.c. There is one place that turns a PGresult
 * into an answer, pg_check_result(), and one that decides what a lost connection means, pg_lost().
 */
#include "provider/pg.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "provider/pg_inside.h"

#include <assert.h>
#include <poll.h>

#define PG_MINIMUM_VERSION 140000 /* client_connection_check_interval */
#define PG_SETTLE_MS       15000  /* how long pg_commit looks for the fate of a lost commit */
#define PG_SETTLE_PAUSE_MS 200

static inline void conn_cleanup(PGconn **c)
{
    PQfinish(*c);
}

/* ---- errors ---- */

/* libpq ends its messages with a line end, and some have several lines. One line reads better. */
static void first_line(char *to, size_t size, const char *message)
{
    size_t n = strcspn(message ? message : "", "\n");
    (void)snprintf(to, size, "%.*s", (int)n, message ? message : "");
}

bool pg_refused(const PGresult *result, struct err *e)
{
    const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    char line[512];
    first_line(line, sizeof line, primary ? primary : PQresultErrorMessage(result));
    err_set(e, ERR_DB, "%s%s%s", line, detail ? "; " : "", detail ? detail : "");
    (void)snprintf(e->sqlstate, sizeof e->sqlstate, "%s", state ? state : "");
    return false;
}

/* The connection is gone. What that means depends on what was in flight. */
bool pg_lost(struct pg *db, bool nothing_took_effect, struct err *e)
{
    char line[512];
    first_line(line, sizeof line, PQerrorMessage(db->conn));
    if (!*line && db->answer_ms)
        (void)snprintf(line, sizeof line, "no answer within %d ms", db->answer_ms);
    if (nothing_took_effect)
        return err_set(e, ERR_NET, "connection to %s lost: %s", db->where, line);
    return err_set(e, ERR_UNKNOWN_OUTCOME, "connection to %s lost while it was answering: %s",
                   db->where, line);
}

/* ---- connecting ---- */

static void notice(void *context, const PGresult *result)
{
    (void)context;
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    log_event("pg.notice", "%s", text ? text : "");
}

/* The session as all our SQL expects it, in one round trip. Returns the backend's process id as
 * well. */
static const char session_settings[] =
    "SELECT pg_catalog.pg_backend_pid(),"
    " pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false),"
    " pg_catalog.set_config('client_connection_check_interval', '500ms', false),"
    " pg_catalog.set_config('synchronous_commit', 'on', false),"
    " pg_catalog.set_config('client_min_messages', 'notice', false),"
    " pg_catalog.set_config('DateStyle', 'ISO', false),"
    " pg_catalog.set_config('IntervalStyle', 'postgres', false),"
    " pg_catalog.set_config('TimeZone', 'UTC', false),"
    " pg_catalog.set_config('bytea_output', 'hex', false),"
    " pg_catalog.set_config('lock_timeout', '0', false),"
    " pg_catalog.set_config('statement_timeout', '0', false),"
    " pg_catalog.set_config('idle_in_transaction_session_timeout', '0', false)";

static bool transaction_pooler(struct pg *db, struct err *e)
{
    err_set(e, ERR_CONFIG,
            "%s is a transaction pooler: each statement may run in another session, so "
            "locks and settings are lost between them",
            db->where);
    return err_hint(e, "use the direct database URL or the session pooler (port 5432)");
}

static bool ask_pid(struct pg *db, PGconn *conn, int *ret, struct err *e)
{
    CLEANUP(result)
    PGresult *r =
        PQexecParams(conn, "SELECT pg_catalog.pg_backend_pid()", 0, NULL, NULL, NULL, NULL, 0);
    if (PQresultStatus(r) != PGRES_TUPLES_OK)
        return PQstatus(conn) == CONNECTION_OK ? pg_refused(r, e) : pg_lost(db, true, e);
    *ret = (int)strtol(PQgetvalue(r, 0, 0), NULL, 10);
    return true;
}

/* Behind any pooler the process id that libpq was told is not the backend's. Whether the backend is
 * ours alone shows when a second client begins a transaction: a transaction pooler hands it the
 * backend that we have just used. */
static bool backend_is_shared(struct pg *db, const char *const *keys, const char *const *values,
                              bool *ret, struct err *e)
{
    int second_pid = 0, pid = 0;
    CLEANUP(conn) PGconn *second = PQconnectdbParams(keys, values, 1);
    if (PQstatus(second) != CONNECTION_OK)
        return pg_lost(db, true, e);
    CLEANUP(result) PGresult *begun = PQexec(second, "BEGIN");
    if (PQresultStatus(begun) != PGRES_COMMAND_OK)
        return pg_refused(begun, e);
    if (!ask_pid(db, second, &second_pid, e) || !ask_pid(db, db->conn, &pid, e))
        return false;
    *ret = second_pid == db->backend_pid || pid != db->backend_pid;
    return true;
}

/* The settings, and what the caller asks with them (NULL: nothing). */
static bool set_up_session(struct pg *db, const struct pg_spec *spec, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct pg_rows rows;
    pg_queue_begin(db);
    bool ok = pg_query_later(db, a, session_settings, PG_NONE, &rows, e) &&
              (!spec || !spec->ask || spec->ask(spec->context, db, e)) &&
              pg_queue_end(db, NULL, NULL, NULL, e);
    pg_queue_drop(db);
    if (ok)
        db->backend_pid = (int)pg_int(&rows, 0, 0);
    return ok;
}

/* Supabase's transaction pooler is known by its port as well. */
static bool session_is_ours(struct pg *db, const struct pg_spec *spec, const char *const *keys,
                            const char *const *values, struct err *e)
{
    bool is_shared =
        ends_with(PQhost(db->conn), ".pooler.supabase.com") && streq(PQport(db->conn), "6543");
    if (!is_shared && !set_up_session(db, spec, e))
        return false;
    if (!is_shared && PQbackendPID(db->conn) != db->backend_pid &&
        !backend_is_shared(db, keys, values, &is_shared, e))
        return false;
    return is_shared ? transaction_pooler(db, e) : true;
}

static bool connect_failed(struct pg *db, struct err *e)
{
    char line[512];
    first_line(line, sizeof line, PQerrorMessage(db->conn));
    bool wrong_password =
        PQconnectionNeedsPassword(db->conn) || strstr(line, "authentication failed") != NULL;
    return err_set(e, wrong_password ? ERR_AUTH : ERR_NET, "%s", line);
}

/* `spec` NULL: again, with nothing to ask. */
static bool connect_now(struct pg *db, const struct pg_spec *spec, struct err *e)
{
    char timeout[16];
    (void)snprintf(timeout, sizeof timeout, "%d", db->connect_timeout_s);
    /* gssencmode: the Kerberos library is not safe when memory runs out, and nobody here uses it.
     * The TCP settings let a vanished network be noticed in about half a minute. */
    const char *const keys[] = { "dbname",
                                 "gssencmode",
                                 "connect_timeout",
                                 "application_name",
                                 "client_encoding",
                                 "tcp_user_timeout",
                                 "keepalives_idle",
                                 "keepalives_interval",
                                 "keepalives_count",
                                 db->database ? "dbname" : NULL,
                                 NULL };
    const char *const values[] = { db->url, "disable",    timeout, db->application_name,
                                   "UTF8",  "30000",      "10",    "5",
                                   "3",     db->database, NULL };
    db->is_lost = false;
    db->conn = PQconnectdbParams(keys, values, 1);
    if (!db->conn)
        memory_exhausted(sizeof *db);
    (void)snprintf(db->where, sizeof db->where, "%s:%s/%s", PQhost(db->conn), PQport(db->conn),
                   PQdb(db->conn));
    if (PQstatus(db->conn) != CONNECTION_OK) {
        connect_failed(db, e);
        return err_wrap(e, "connect to %s", db->where);
    }
    (void)PQsetNoticeReceiver(db->conn, notice, NULL);
    if (PQserverVersion(db->conn) < PG_MINIMUM_VERSION)
        return err_set(e, ERR_CONFIG, "%s runs PostgreSQL %d; 14 is the oldest that works",
                       db->where, PQserverVersion(db->conn) / 10000);
    return session_is_ours(db, spec, keys, values, e);
}

/* Registers the password for redaction; refuses an URL that libpq cannot
 * read, without quoting it. */
static bool url_is_readable(const char *url, struct err *e)
{
    PQconninfoOption *options = url ? PQconninfoParse(url, NULL) : NULL;
    if (!options) {
        err_set(e, ERR_CONFIG, "the database URL is not a PostgreSQL URL");
        return err_hint(e, "it looks like postgresql://user:password@host:5432/postgres");
    }
    for (const PQconninfoOption *o = options; o->keyword; o++)
        if (streq(o->keyword, "password") && o->val)
            log_redact(str_of(o->val));
    PQconninfoFree(options);
    return true;
}

static char *text_copy(const char *s)
{
    char *copy = strdup(s);
    if (!copy)
        memory_exhausted(strlen(s));
    return copy;
}

bool pg_open(const struct pg_spec *spec, struct pg **ret, struct err *e)
{
    if (!url_is_readable(spec->url, e))
        return false;
    CLEANUP(pg) struct pg *db = calloc(1, sizeof *db);
    if (!db)
        memory_exhausted(sizeof *db);
    char name[64];
    (void)snprintf(name, sizeof name, "lockflight%s%s", spec->purpose ? " " : "",
                   spec->purpose ? spec->purpose : "");
    db->url = text_copy(spec->url);
    db->database = spec->database ? text_copy(spec->database) : NULL;
    db->application_name = text_copy(name);
    db->connect_timeout_s =
        spec->connect_timeout_s ? spec->connect_timeout_s : PG_CONNECT_TIMEOUT_S;
    if (!connect_now(db, spec, e))
        return false;
    *ret = db;
    db = NULL;
    return true;
}

void pg_close(struct pg *db)
{
    if (!db)
        return;
    pg_queue_drop(db);
    PQfinish(db->conn);
    free(db->url);
    free(db->database);
    free(db->application_name);
    free(db);
}

bool pg_open_beside(const struct pg *db, const char *purpose, struct pg **ret, struct err *e)
{
    struct pg_spec spec = { .url = db->url,
                            .database = db->database,
                            .purpose = purpose,
                            .connect_timeout_s = db->connect_timeout_s };
    return pg_open(&spec, ret, e);
}

bool pg_reconnect(struct pg *db, struct err *e)
{
    PQfinish(db->conn);
    db->conn = NULL;
    return connect_now(db, NULL, e);
}

bool pg_is_alive(const struct pg *db)
{
    return PQstatus(db->conn) == CONNECTION_OK && !db->is_lost;
}

/* libpq makes a result of its own when a write failed, and calls the connection good until it
 * reads. What the server says always has an SQLSTATE. */
void pg_notice_loss(struct pg *db, const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_FATAL_ERROR && !PQresultErrorField(result, PG_DIAG_SQLSTATE))
        db->is_lost = true;
}

bool pg_in_transaction(const struct pg *db)
{
    if (db->queue)
        return pg_queue_in_transaction(db->queue);
    PGTransactionStatusType s = PQtransactionStatus(db->conn);
    return s == PQTRANS_INTRANS || s == PQTRANS_INERROR;
}

unsigned pg_transaction_number(const struct pg *db)
{
    return db->transactions;
}

int pg_backend_pid_of(const struct pg *db)
{
    return db->backend_pid;
}

int pg_server_version(const struct pg *db)
{
    return PQserverVersion(db->conn);
}

const char *pg_where(const struct pg *db)
{
    return db->where;
}

/* ---- statements ---- */

/* A statement that wants data from us would wait for ever. Tells the server to give up. */
static bool refuse_copy(struct pg *db, struct err *e)
{
    (void)PQputCopyEnd(db->conn, "COPY from the client is not supported");
    for (PGresult *r = PQgetResult(db->conn); r; r = PQgetResult(db->conn))
        PQclear(r);
    return err_set(e, ERR_DB, "COPY … FROM STDIN is not supported; use INSERT");
}

bool pg_check_result(struct pg *db, const PGresult *result, struct err *e)
{
    switch (PQresultStatus(result)) {
    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:
    case PGRES_EMPTY_QUERY:
        return true;
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
    case PGRES_COPY_BOTH:
        return refuse_copy(db, e);
    case PGRES_BAD_RESPONSE:
    case PGRES_NONFATAL_ERROR:
    case PGRES_FATAL_ERROR:
    case PGRES_SINGLE_TUPLE:
    case PGRES_PIPELINE_SYNC:
    case PGRES_PIPELINE_ABORTED:
        break;
    }
    return pg_refused(result, e);
}

/* Sends one statement and checks the answer. *ret is the caller's to clear, also on failure. */
static bool send_one(struct pg *db, const char *sql, struct pg_params params, PGresult **ret,
                     struct err *e)
{
    if (!pg_is_alive(db))
        return pg_lost(db, true, e);
    bool nothing_took_effect = pg_in_transaction(db);
    *ret = db->answer_ms
               ? pg_exec_in_time(db, sql, params)
               : PQexecParams(db->conn, sql, (int)params.n, NULL, params.v, NULL, NULL, 0);
    pg_notice_loss(db, *ret);
    if (!pg_is_alive(db))
        return pg_lost(db, nothing_took_effect, e);
    return pg_check_result(db, *ret, e);
}

void pg_rows_copy(struct arena *a, const PGresult *r, struct pg_rows *ret)
{
    size_t rows = (size_t)PQntuples(r), columns = (size_t)PQnfields(r);
    const char **v = ARENA_ARRAY(a, const char *, rows *columns + 1);
    for (size_t i = 0; i < rows; i++)
        for (size_t k = 0; k < columns; k++)
            if (!PQgetisnull(r, (int)i, (int)k))
                v[i * columns + k] = arena_strndup(a, PQgetvalue(r, (int)i, (int)k),
                                                   (size_t)PQgetlength(r, (int)i, (int)k));
    *ret = (struct pg_rows){ .n = rows, .columns = columns, .v = v };
}

bool pg_query(struct pg *db, struct arena *a, const char *sql, struct pg_params params,
              struct pg_rows *ret, struct err *e)
{
    CLEANUP(result) PGresult *r = NULL;
    assert(!db->queue);
    if (!send_one(db, sql, params, &r, e))
        return false;
    pg_rows_copy(a, r, ret);
    return true;
}

bool pg_exec(struct pg *db, const char *sql, struct pg_params params, uint64_t *ret_rows,
             struct err *e)
{
    CLEANUP(result) PGresult *r = NULL;
    assert(!db->queue || !ret_rows);
    if (db->queue)
        return pg_queue_add(db, sql, params);
    if (!send_one(db, sql, params, &r, e))
        return false;
    if (ret_rows)
        *ret_rows = strtoull(PQcmdTuples(r), NULL, 10);
    return true;
}

bool pg_script(struct pg *db, const char *sql, struct err *e)
{
    assert(!db->queue && (pg_in_transaction(db) || !pg_is_alive(db)));
    if (!pg_is_alive(db))
        return pg_lost(db, true, e);
    CLEANUP(result) PGresult *r = PQexec(db->conn, sql);
    pg_notice_loss(db, r);
    if (!pg_is_alive(db))
        return pg_lost(db, true, e);
    return PQresultStatus(r) == PGRES_COMMAND_OK || PQresultStatus(r) == PGRES_TUPLES_OK ||
           pg_refused(r, e);
}

bool pg_session_reset(struct pg *db, struct err *e)
{
    return pg_exec(db, "RESET SESSION AUTHORIZATION", PG_NONE, NULL, e) &&
           pg_exec(db, "DEALLOCATE ALL", PG_NONE, NULL, e) &&
           pg_exec(db, "DISCARD TEMP", PG_NONE, NULL, e) &&
           pg_exec(db, "RESET ALL", PG_NONE, NULL, e) &&
           pg_exec(db, session_settings, PG_NONE, NULL, e);
}

/* ---- transactions ---- */

bool pg_begin(struct pg *db, struct err *e)
{
    static const char sql[] = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
    db->transactions++;
    return db->queue ? pg_queue_add_begin(db, sql) : pg_exec(db, sql, PG_NONE, NULL, e);
}

void pg_rollback(struct pg *db)
{
    struct err ignored; /* a dead connection has rolled back by itself */
    pg_queue_drop(db);
    if (pg_is_alive(db) && pg_in_transaction(db))
        (void)!pg_exec(db, "ROLLBACK", PG_NONE, NULL, &ignored);
}

/* The commit was sent and the answer is lost: only the server knows. Asks
 * it until it has decided. */
static bool settle_commit(struct pg *db, const char *xid, struct err *e)
{
    struct pg_spec spec = { .url = db->url, .database = db->database, .purpose = "settle" };
    int64_t give_up_at = clock_boot_ms() + PG_SETTLE_MS;
    struct err last = { 0 };
    do {
        CLEANUP(pg) struct pg *second = NULL;
        CLEANUP(arena) struct arena *a = arena_new(0);
        struct pg_rows rows;
        if (pg_open(&spec, &second, &last) &&
            pg_query(second, a, "SELECT pg_catalog.pg_xact_status($1::pg_catalog.xid8)",
                     PG_PARAMS(xid), &rows, &last)) {
            const char *status = pg_value(&rows, 0, 0);
            if (streq(status, "committed"))
                return true;
            if (streq(status, "aborted"))
                return err_set(e, ERR_NET, "connection to %s lost before the commit took effect",
                               db->where);
            err_set(&last, ERR_UNKNOWN_OUTCOME, "the server says \"%s\"",
                    status ? status : "unknown");
        }
    } while (clock_boot_ms() < give_up_at && poll(NULL, 0, PG_SETTLE_PAUSE_MS) == 0);
    return err_set(e, ERR_UNKNOWN_OUTCOME,
                   "the answer to COMMIT was lost and %s cannot be asked: %s", db->where, last.why);
}

bool pg_commit(struct pg *db, struct err *e)
{
    if (db->queue)
        return pg_queue_add_commit(db);
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct pg_rows rows;
    if (!pg_query(db, a, "SELECT pg_catalog.pg_current_xact_id_if_assigned()::pg_catalog.text",
                  PG_NONE, &rows, e))
        return false;
    const char *xid = pg_value(&rows, 0, 0);

    CLEANUP(result) PGresult *r = PQexecParams(db->conn, "COMMIT", 0, NULL, NULL, NULL, NULL, 0);
    pg_notice_loss(db, r);
    if (!pg_is_alive(db))
        return xid ? settle_commit(db, xid, e) : pg_lost(db, true, e);
    if (PQresultStatus(r) != PGRES_COMMAND_OK)
        return pg_refused(r, e);
    if (!streq(PQcmdStatus(r), "COMMIT"))
        return err_set(e, ERR_INTERNAL, "the transaction had failed before its commit");
    return true;
}

/* ---- values ---- */

int64_t pg_int(const struct pg_rows *r, size_t row, size_t column)
{
    const char *text = pg_value(r, row, column);
    return text ? strtoll(text, NULL, 10) : 0;
}

bool pg_bool(const struct pg_rows *r, size_t row, size_t column)
{
    return streq(pg_value(r, row, column), "t");
}

char *pg_bytea(struct arena *a, struct str bytes)
{
    char *text = arena_alloc(a, 2 * bytes.n + 3);
    text[0] = '\\';
    text[1] = 'x';
    hex_encode(bytes.p, bytes.n, text + 2);
    return text;
}

bool pg_bytea_decode(struct arena *a, const char *text, struct str *ret)
{
    size_t n = 0;
    CLEANUP(mem) unsigned char *bytes = PQunescapeBytea((const unsigned char *)text, &n);
    if (!bytes)
        return false;
    *ret = (struct str){ arena_strndup(a, (const char *)bytes, n), n };
    return true;
}

char *pg_text_array(struct arena *a, const char *const *items, size_t n)
{
    CLEANUP(strbuf) struct strbuf b = strbuf_init(LIMIT_SQL_FILE_BYTES * 3);
    strbuf_addc(&b, '{');
    for (size_t i = 0; i < n; i++) {
        strbuf_adds(&b, i ? ",\"" : "\"");
        for (const char *p = items[i]; *p; p++) {
            if (*p == '"' || *p == '\\')
                strbuf_addc(&b, '\\');
            strbuf_addc(&b, *p);
        }
        strbuf_addc(&b, '"');
    }
    strbuf_addc(&b, '}');
    assert(!b.overflowed);
    return str_dup(a, strbuf_str(&b));
}
