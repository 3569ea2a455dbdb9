/*
 * Many statements in one exchange: see pg.h. Nothing is sent before pg_queue_end, so a queue that
 * is dropped has touched nothing. Then all of it goes out with a Sync behind each part: the first
 * error makes the server skip the rest of its part, transactions committed before it stay. A Flush
 * behind commits brings their answers while the next ones run.
 *
 * A statement with parameters that comes up often is prepared once: planning an INSERT takes longer
 * than running it.
 */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/signals.h"
#include "base/vec.h"
#include "provider/pg_inside.h"

#include <assert.h>
#include <poll.h>

#define LOOK_MS       250 /* how often a signal is looked for while the server works */
#define FLUSHES       8   /* the first commits are told at once, then every eighth */
#define PREPARED_MOST 16  /* different statements */
#define PREPARED_FROM 4   /* times that one must come up */

enum queued_kind {
    QUEUED_STATEMENT,
    QUEUED_EXPECTATION, /* must touch a row */
    QUEUED_COMMIT,
};

struct queued {
    enum queued_kind kind;
    int shape;     /* of those with parameters: the number of the text, or -1 */
    bool prepares; /* its answer comes behind that of PREPARE */
    const char *sql;
    struct pg_params params;
    const struct err *nothing; /* of an expectation */
    struct arena *rows_arena;  /* of a query */
    struct pg_rows *rows;
};

/* A text that came up, with parameters. */
struct shape {
    const char *sql;
    int times;
    bool is_prepared; /* while sending */
};

/* From a Sync to the next one. */
struct part {
    size_t first;    /* item */
    struct err *own; /* where its error goes; NULL: to the caller of pg_queue_end */
};

struct pg_queue {
    struct arena *arena;
    VEC(struct queued) items;
    VEC(struct part) parts;
    struct shape shapes[PREPARED_MOST];
    int shape_count;
    bool in_transaction;
};

/* ---- filling ---- */

void pg_queue_begin(struct pg *db)
{
    assert(!db->queue);
    struct arena *a = arena_new(0);
    db->queue = ARENA_NEW(a, struct pg_queue);
    *db->queue = (struct pg_queue){ .arena = a };
    *vec_add(&db->queue->parts, a) = (struct part){ 0 };
}

void pg_queue_part(struct pg *db, struct err *own)
{
    struct pg_queue *q = db->queue;
    if (q->parts.v[q->parts.n - 1].first == q->items.n)
        q->parts.n--; /* an empty one is none */
    *vec_add(&q->parts, q->arena) = (struct part){ .first = q->items.n, .own = own };
    if (own)
        err_clear(own);
}

void pg_queue_drop(struct pg *db)
{
    if (!db->queue)
        return;
    arena_free(db->queue->arena);
    db->queue = NULL;
}

size_t pg_queue_length(const struct pg *db)
{
    return db->queue ? db->queue->items.n : 0;
}

bool pg_queue_in_transaction(const struct pg_queue *q)
{
    return q->in_transaction;
}

static int shape_of(struct pg_queue *q, const char *sql)
{
    for (int i = 0; i < q->shape_count; i++)
        if (streq(q->shapes[i].sql, sql)) {
            q->shapes[i].times++;
            return i;
        }
    if (q->shape_count == PREPARED_MOST)
        return -1;
    q->shapes[q->shape_count] = (struct shape){ .sql = sql, .times = 1 };
    return q->shape_count++;
}

static struct queued *add(struct pg_queue *q, enum queued_kind kind, const char *sql,
                          struct pg_params params)
{
    const char **v = ARENA_ARRAY(q->arena, const char *, params.n + 1);
    for (size_t i = 0; i < params.n; i++)
        v[i] = params.v[i] ? arena_strdup(q->arena, params.v[i]) : NULL;
    struct queued *item = vec_add(&q->items, q->arena);
    *item = (struct queued){
        .kind = kind, .shape = -1, .sql = arena_strdup(q->arena, sql), .params = { v, params.n }
    };
    if (params.n > 0)
        item->shape = shape_of(q, item->sql);
    return item;
}

bool pg_queue_add(struct pg *db, const char *sql, struct pg_params params)
{
    (void)add(db->queue, QUEUED_STATEMENT, sql, params);
    return true;
}

bool pg_queue_add_begin(struct pg *db, const char *sql)
{
    db->queue->in_transaction = true;
    return pg_queue_add(db, sql, PG_NONE);
}

bool pg_queue_add_commit(struct pg *db)
{
    db->queue->in_transaction = false;
    (void)add(db->queue, QUEUED_COMMIT, "COMMIT", PG_NONE);
    return true;
}

/* The server itself has to stop at a change that touches nothing: dividing by the number of rows
 * makes it an error. */
bool pg_expect(struct pg *db, const char *sql, struct pg_params params, const struct err *nothing,
               struct err *e)
{
    uint64_t rows = 0;
    if (!db->queue) {
        if (!pg_exec(db, sql, params, &rows, e))
            return false;
        if (rows > 0)
            return true;
        *e = *nothing;
        return false;
    }
    const char *returning = str_starts(str_of(sql), "SELECT") ? "" : " RETURNING 1";
    struct arena *a = db->queue->arena;
    struct err *kept = ARENA_NEW(a, struct err);
    *kept = *nothing;
    add(db->queue, QUEUED_EXPECTATION,
        arena_printf(a, "WITH touched AS (%s%s) SELECT 1 / pg_catalog.count(*) FROM touched", sql,
                     returning),
        params)
        ->nothing = kept;
    return true;
}

bool pg_query_later(struct pg *db, struct arena *a, const char *sql, struct pg_params params,
                    struct pg_rows *ret, struct err *e)
{
    if (!db->queue)
        return pg_query(db, a, sql, params, ret, e);
    struct queued *item = add(db->queue, QUEUED_STATEMENT, sql, params);
    item->rows_arena = a;
    item->rows = ret;
    return true;
}

/* ---- sending ---- */

static bool send_prepared(struct pg *db, struct shape *shape, struct queued *item, size_t part)
{
    char name[64];
    /* what a queue, or a part, that failed has left behind has another name */
    (void)snprintf(name, sizeof name, "lockflight_%u_%zu_%d", db->queues, part, item->shape);
    item->prepares = !shape->is_prepared;
    shape->is_prepared = true;
    return (!item->prepares || PQsendPrepare(db->conn, name, item->sql, 0, NULL) == 1) &&
           PQsendQueryPrepared(db->conn, name, (int)item->params.n, item->params.v, NULL, NULL,
                               0) == 1;
}

static void forget_prepared(struct pg_queue *q)
{
    for (int i = 0; i < q->shape_count; i++)
        q->shapes[i].is_prepared = false;
}

static bool send_item(struct pg *db, struct pg_queue *q, struct queued *item, size_t part)
{
    if (item->shape >= 0 && q->shapes[item->shape].times >= PREPARED_FROM)
        return send_prepared(db, &q->shapes[item->shape], item, part);
    if (strcasestr(item->sql, "deallocate")) /* ours, or a file's */
        forget_prepared(q);
    return PQsendQueryParams(db->conn, item->sql, (int)item->params.n, NULL, item->params.v, NULL,
                             NULL, 0) == 1;
}

/* What the queue has prepared goes with it, and is not in the way of the next one. */
static bool must_deallocate(const struct pg_queue *q)
{
    for (int i = 0; i < q->shape_count; i++)
        if (q->shapes[i].times >= PREPARED_FROM)
            return true;
    return false;
}

/* Does the part behind this one begin with that item? */
static bool is_next_part(const struct pg_queue *q, size_t part, size_t item)
{
    return part + 1 < q->parts.n && q->parts.v[part + 1].first <= item;
}

static bool send_all(struct pg *db, struct pg_queue *q)
{
    if (PQenterPipelineMode(db->conn) != 1)
        return false;
    if (must_deallocate(q))
        (void)add(q, QUEUED_STATEMENT, "DEALLOCATE ALL", PG_NONE);
    db->queues++;
    size_t commits = 0, part = 0;
    for (size_t i = 0; i < q->items.n; i++) {
        struct queued *item = &q->items.v[i];
        for (; is_next_part(q, part, i); part++) {
            forget_prepared(q);
            if (PQpipelineSync(db->conn) != 1)
                return false;
        }
        if (!send_item(db, q, item, part))
            return false;
        commits += item->kind == QUEUED_COMMIT;
        if (item->kind == QUEUED_COMMIT && (commits <= FLUSHES || commits % FLUSHES == 0) &&
            PQsendFlushRequest(db->conn) != 1)
            return false;
    }
    return PQpipelineSync(db->conn) == 1;
}

/* ---- answers ---- */

struct answers {
    struct pg *db;
    struct pg_queue *q;
    size_t part;
    bool part_failed; /* the rest of it was skipped */
    bool failed;      /* *e is set */
    bool is_cancelled;
    struct pg_queue_outcome outcome;
};

/* Waits for the next result. Cancels what runs when a signal asks to stop, and waits on. */
static PGresult *next_result(struct answers *x)
{
    PGconn *conn = x->db->conn;
    struct err ignored; /* a statement that cannot be cancelled is waited for */
    unsigned looks = 0;
    while (PQisBusy(conn)) {
        struct pollfd p = { .fd = PQsocket(conn), .events = POLLIN };
        (void)poll(&p, 1, LOOK_MS);
        if (PQconsumeInput(conn) == 0) {
            x->db->is_lost = true;
            return NULL;
        }
        /* once a second: a request that comes between two statements is passed over */
        if (signals_stop_asked() && PQisBusy(conn) && looks++ % 4 == 0 &&
            pg_cancel(x->db, &ignored))
            x->is_cancelled = true;
    }
    return PQgetResult(conn);
}

static bool is_copy(const PGresult *r)
{
    ExecStatusType s = PQresultStatus(r);
    return s == PGRES_COPY_IN || s == PGRES_COPY_OUT || s == PGRES_COPY_BOTH;
}

/* The first error of a part, as its item wants it said. */
static void item_failed(struct answers *x, size_t i, const PGresult *r, struct err *e)
{
    const struct queued *item = &x->q->items.v[i];
    struct err *own = x->q->parts.v[x->part].own, unheard;
    const char *position = PQresultErrorField(r, PG_DIAG_STATEMENT_POSITION);
    x->part_failed = true;
    if (own || x->failed) {
        e = own ? own : &unheard;
    } else {
        x->failed = true;
        x->outcome.failed_at = i;
        x->outcome.position = position ? (int)strtol(position, NULL, 10) : 0;
    }
    (void)pg_refused(r, e);
    if (item->kind == QUEUED_EXPECTATION && streq(e->sqlstate, "22012"))
        *e = *item->nothing;
    else if (x->is_cancelled && streq(e->sqlstate, "57014"))
        err_set(e, ERR_INTERRUPTED, "stopped while the database was working");
}

static void take_result(struct answers *x, size_t i, const PGresult *r, struct err *e)
{
    const struct queued *item = &x->q->items.v[i];
    ExecStatusType status = PQresultStatus(r);
    pg_notice_loss(x->db, r);
    if (is_copy(r)) { /* libpq has no way on from here */
        x->db->is_lost = true;
        return;
    }
    if (x->part_failed || status == PGRES_PIPELINE_ABORTED)
        return;
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY) {
        item_failed(x, i, r, e);
        return;
    }
    if (item->rows)
        pg_rows_copy(item->rows_arena, r, item->rows);
    if (item->kind == QUEUED_COMMIT)
        x->outcome.commits++;
}

/* Of one message: its result, and the end of results. */
static void take_answers(struct answers *x, size_t i, bool is_prepare, struct err *e)
{
    for (PGresult *r = next_result(x); r; r = next_result(x)) {
        CLEANUP(result) PGresult *result = r;
        bool is_fine = is_prepare && PQresultStatus(result) == PGRES_COMMAND_OK;
        if (!is_fine)
            take_result(x, i, result, e);
        if (!pg_is_alive(x->db))
            break;
    }
}

/* The answer to the Sync. */
static void end_part(struct answers *x)
{
    PQclear(next_result(x));
    x->part++;
    x->part_failed = false;
}

static void take_all(struct answers *x, void (*committed)(void *context, size_t nth), void *context,
                     struct err *e)
{
    for (size_t i = 0; i < x->q->items.n && pg_is_alive(x->db); i++) {
        size_t commits = x->outcome.commits;
        while (is_next_part(x->q, x->part, i) && pg_is_alive(x->db))
            end_part(x);
        if (!pg_is_alive(x->db))
            break;
        if (x->q->items.v[i].prepares)
            take_answers(x, i, true, e);
        if (pg_is_alive(x->db))
            take_answers(x, i, false, e);
        if (committed && x->outcome.commits > commits)
            committed(context, commits);
    }
    if (pg_is_alive(x->db))
        end_part(x);
    if (pg_is_alive(x->db) && PQexitPipelineMode(x->db->conn) != 1)
        x->db->is_lost = true;
}

static bool has_commit(const struct pg_queue *q)
{
    for (size_t i = 0; i < q->items.n; i++)
        if (q->items.v[i].kind == QUEUED_COMMIT)
            return true;
    return false;
}

bool pg_queue_end(struct pg *db, void (*committed)(void *context, size_t nth), void *context,
                  struct pg_queue_outcome *ret, struct err *e)
{
    struct pg_queue_outcome unused;
    struct pg_queue *q = db->queue;
    struct answers x = { .db = db, .q = q };
    bool nothing_took_effect = pg_in_transaction(db) || !has_commit(q);
    db->queue = NULL;
    bool ok = pg_is_alive(db);
    if (ok && !send_all(db, q))
        db->is_lost = true;
    if (ok)
        take_all(&x, committed, context, e);
    if (!pg_is_alive(db)) {
        const char *reason = x.failed ? arena_strdup(q->arena, e->why) : NULL;
        (void)pg_lost(db, !ok || nothing_took_effect, e);
        if (reason) /* the server's last words */
            err_set(e, e->code, "connection to %s lost: %s", db->where, reason);
    }
    ok = ok && pg_is_alive(db) && !x.failed;
    *(ret ? ret : &unused) = x.outcome;
    arena_free(q->arena);
    return ok;
}
