/*
 * What the files of provider/pg share: the connection itself and what an answer means. See pg.h.
 */
#ifndef LOCKFLIGHT_PROVIDER_PG_INSIDE_H
#define LOCKFLIGHT_PROVIDER_PG_INSIDE_H

#include "provider/pg.h"

#include <libpq-fe.h>

struct pg_queue;

struct pg {
    PGconn *conn;
    char *url;
    char *database; /* NULL: the one of the URL */
    char *application_name;
    char where[256];
    int connect_timeout_s;
    int answer_ms; /* 0: no end */
    int backend_pid;
    bool is_lost;                /* noticed by an answer that did not come from the server */
    bool started_in_transaction; /* pg_start: what its loss would mean */
    unsigned transactions;       /* begun so far */
    unsigned queues;             /* sent so far */
    struct pg_queue *queue;      /* NULL: every statement is answered before the next one */
};

static inline void result_cleanup(PGresult **r)
{
    PQclear(*r);
}

/* The server's refusal as ERR_DB with its SQLSTATE. Returns false. */
bool pg_refused(const PGresult *result, struct err *e);

/* The connection is gone; what that means depends on what was in flight. Returns false. */
bool pg_lost(struct pg *db, bool nothing_took_effect, struct err *e);

/* Notes that the connection is gone if this result says so. */
void pg_notice_loss(struct pg *db, const PGresult *result);

/* What a result says: true, or its error. */
bool pg_check_result(struct pg *db, const PGresult *result, struct err *e);

/* As PQexecParams, for at most db->answer_ms. NULL: no answer, and the connection is to be given up. */
PGresult *pg_exec_in_time(struct pg *db, const char *sql, struct pg_params params);

/* A result's rows, copied. */
void pg_rows_copy(struct arena *a, const PGresult *r, struct pg_rows *ret);

/* What the ordinary calls do while a queue is filled. */
bool pg_queue_add(struct pg *db, const char *sql, struct pg_params params);
bool pg_queue_add_begin(struct pg *db, const char *sql);
bool pg_queue_add_commit(struct pg *db);
bool pg_queue_in_transaction(const struct pg_queue *q);

#endif
