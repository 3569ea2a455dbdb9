/*
 * One transaction of a migration, in either direction:
 *
 *   BEGIN · fence · settings as a fresh session has them, with our timeouts · locks ·
 *   the statements, one by one · rows · the caller's record · COMMIT
 *
 * sent in one exchange, so that the locks are held for as long as the server works and not for as
 * long as the network takes. A client that dies leaves all of it or nothing.
 *
 * The locks are got as locks.h says: a lock not got in time (55P03) or a deadlock (40P01) rolls
 * back, and it is tried again until options->lock_wait_ms has passed; then ERR_BLOCKED, nothing
 * changed. See apply.h for what a crash leaves.
 */
#ifndef LOCKFLIGHT_MIGRATE_TRANSACTION_H
#define LOCKFLIGHT_MIGRATE_TRANSACTION_H

#include "migrate/apply/apply.h"
#include "migrate/record.h"
#include "migrate/sql/script.h"

/* What is asked once, before the first transaction of a run. */
struct around {
    struct record_history history; /* the common one */
    bool has_zone;                 /* this database or role was given a time zone */
};

/* Migrations that are sent in one exchange, and which of them this is. */
struct run {
    const struct migration *const *v;
    size_t n, nth;
};

struct work {
    const char *file; /* for messages */
    const char *version;
    struct str sql; /* the whole file: statements point into it, messages quote it */
    const struct sql_statement *statements; /* those of this transaction */
    size_t statement_count;
    const struct sql_statement *const *settings; /* SET … of earlier ones: run again before them */
    size_t settings_count;
    const struct migration *migration; /* applying; NULL when reversing */
    const struct migrate_options *o;
    struct around *around; /* NULL: looked at when run */
    int lock_budget_ms;    /* what the file says; 0: what the options say */
    bool is_last;          /* the caller's record belongs into this transaction */
    struct run run;        /* what is sent in one exchange with it; n 0: nothing */
    int steps;             /* of several: how many */
    bool is_half;          /* takes back what was not wholly applied: see take_back.h */

    /* After the statements, as the user who connected: history row, our row, … */
    bool (*write_rows)(const struct work *w, struct pg *db, struct arena *a, struct err *e);

    /* Of several steps: when the first of them begins. */
    bool (*write_begun)(const struct work *w, struct pg *db, struct arena *a, struct err *e);

    /* What came of it; write_rows may store it. */
    int attempts;
    int64_t blocked_ms; /* waiting for locks */
    int64_t started_unix_ms;

    /* While it is queued: the number of its first statement, and the server's clock from having the
     * locks to giving them back. */
    size_t first_statement;
    struct pg_rows locked, unlocked;
};

/* The error of a statement, with its place in the file. Returns false. */
bool transaction_statement_failed(const struct work *w, const struct sql_statement *s, int position,
                                  struct err *e);

/* Runs one, with all that locks.h says. */
bool transaction_run(struct work *w, struct pg *db, struct arena *scratch, struct err *e) MUST_USE;

/* ---- what pipeline.c needs ---- */

/* In two halves, for a queue. */
struct around_rows {
    struct pg_rows history, zone;
};
bool transaction_look_later(struct pg *db, struct arena *a, struct around_rows *ret,
                            struct err *e) MUST_USE;
void transaction_look_read(const struct around_rows *r, struct around *ret);

/* The work of applying, but for its statements (apply.c). */
/* Tells the user what of a file was not analysed. */
void apply_tell_unknown(const struct work *w, struct arena *a);

void apply_work_init(struct work *w, const struct migration *m, const struct migrate_options *o);

/* The most for lock_timeout: the file's word, else the options'. */
int transaction_lock_budget_ms(const struct work *w);

struct transaction_locks {
    bool keeps_session; /* the session is as the transaction before it, of a plain file, left it */
    int timeout_ms;
    const char *const *sql; /* LOCK TABLE … */
    size_t count;
};

/* Nothing in it can change the session: no SET, no temporary table, no function that is called. */
bool transaction_is_plain(const struct work *w);

/* Puts a whole transaction into the queue of `db` (pg_queue_begin). False: the queue is to be
 * dropped. */
bool transaction_queue(struct work *w, const struct transaction_locks *l, struct pg *db,
                       struct arena *a, struct err *e) MUST_USE;

/* Gives an error of pg_queue_end its place in the file, if it is of one of w's statements. Returns
 * false. */
bool transaction_refused(const struct work *w, const struct pg_queue_outcome *o, struct err *e);

/* 55P03 or 40P01: to be tried again. */
bool transaction_lock_trouble(const struct err *e);

/* After ERR_UNKNOWN_OUTCOME: ends what may still run on the lost connection, and asks over another
 * which of these versions are in the history. False: nobody answers, *e stays. */
bool transaction_settle(struct pg *db, struct arena *a, const char *const *versions, size_t n,
                        struct pg_rows *ret, struct err *e) MUST_USE;

#endif
