/*
 * Applying and reversing migrations: each file in one explicit transaction, statement by statement,
 * together with its history row, our own row and the caller's record. So there is no third state:
 * row present, applied; absent, not.
 *
 * LOCKS    Nobody waits behind a migration for longer than lock_timeout_ms (locks.h). A lock not got
 *          in time rolls the file back and tries again after a growing pause, until lock_wait_ms
 *          has passed; then ERR_BLOCKED, nothing changed.
 *
 * CRASH    Killed anywhere, the server rolls back within a second. A commit whose answer is lost is
 *          settled by pg_commit.
 *
 * ERRORS   Of a statement: ERR_DB, `where` is file:line:column, `why` ends with the line and a
 *          caret below it.
 */
#ifndef LOCKFLIGHT_MIGRATE_APPLY_H
#define LOCKFLIGHT_MIGRATE_APPLY_H

#include "migrate/history.h"

#define MIGRATE_LOCK_TIMEOUT_MS        250
#define MIGRATE_LOCK_WAIT_MS           600000
#define MIGRATE_STATEMENT_TIMEOUT_MS   60000
#define MIGRATE_TRANSACTION_TIMEOUT_MS 600000
#define MIGRATE_IDLE_TIMEOUT_MS        10000 /* our own silence, while a transaction is open */

/* What lockflight.toml says of them, as the first members of a struct migrate_options. */
// clang-format off
#define MIGRATE_LIMITS(config)                                                                     \
    .lock_timeout_ms = (int)(config)->schema.lock_timeout_ms,                                      \
    .lock_wait_ms = (int)(config)->schema.lock_wait_ms,                                            \
    .statement_timeout_ms = (int)(config)->schema.statement_timeout_ms,                            \
    .transaction_timeout_ms = (int)(config)->schema.transaction_timeout_ms,                        \
    .replica_lag_ms = (int)(config)->schema.replica_lag_ms
// clang-format on

/* Where a run of migrations that are sent in one exchange stands (pipeline.h). */
enum migrate_moment {
    MIGRATE_BEGINS,
    MIGRATE_ENDS,
};

struct migrate_options {
    int lock_timeout_ms; /* the most anybody may wait behind us for a lock; 0: the default above */
    int lock_wait_ms;    /* how long we wait for others before we give up */
    int statement_timeout_ms;
    int transaction_timeout_ms; /* ends a transaction, and frees its locks; from PostgreSQL 17 on */
    int replica_lag_ms;         /* a backfill waits for replicas that are further behind (pace.h) */
    int64_t end_older_ms;       /* 0: nobody; else who is in the way with a transaction so old */
    const char *release_id;     /* NULL: applied without a release */
    const char *applied_by;
    int64_t epoch;

    /* Inside the transaction, first: ERR_FENCED if another runner has taken over (lease_fence). May
     * be NULL in tests. */
    bool (*fence)(void *context, struct pg *db, struct err *e);

    /* Inside the transaction, last: the caller's record of this step (journal_done joins the
     * transaction). */
    bool (*record)(void *context, struct pg *db, const char *version, struct err *e);

    /* Instead of `record`, for those that are sent in one exchange: which ones, in the transaction of
     * the first, and once more in that of the last. Whoever finds a beginning without an end asks
     * the history, whose rows are in each one's own transaction. Where one of them was refused, its
     * end names those before it, in a transaction of its own. NULL: `record` for each. */
    bool (*record_run)(void *context, struct pg *db, enum migrate_moment moment,
                       const struct migration *const *v, size_t n, struct err *e);

    /* Outside of a transaction, before these are sent in one exchange (pipeline.h): the lease is
     * checked, intents are written. May be NULL. */
    bool (*before)(void *context, struct pg *db, const struct migration *const *v, size_t n,
                   struct err *e);

    /* Answers that pipeline_apply need not ask for; NULL: it asks. */
    const struct pipeline_look *look;

    /* Each, as soon as its commit is known (pipeline.h). May be NULL. */
    void (*on_applied)(void *context, const struct migration *m);

    /* A sentence for the user while waiting for a lock: who blocks, which attempt. */
    void (*on_wait)(void *context, const char *sentence);

    /* A sentence about each statement that our grammar does not know, before its file is run: the
     * server decides, and nobody has read it. May be NULL. */
    void (*on_unknown)(void *context, const char *sentence);

    /* How far a step is that takes long: an index build, a backfill. May be NULL. */
    void (*on_progress)(void *context, const char *sentence);
    void *context;
};

/* Applies one pending file. */
bool migration_apply(struct pg *db, struct arena *scratch, const struct migration *m,
                     const struct migrate_options *o, struct err *e) MUST_USE;

/* Reverses one applied row, or takes back one that was begun (HISTORY_APPLYING: take_back.h), with the reverse script kept at apply time, else with the file's (which
 * must then exist and belong to an unchanged migration). Deletes the history row. ERR_BLOCKED if
 * there is no reverse script. */
bool migration_reverse(struct pg *db, struct arena *scratch, const struct migration_state *s,
                       const struct migrate_options *o, struct err *e) MUST_USE;

/* True while some of its steps are done and others are not, in either direction. */
bool migration_is_begun(struct pg *db, const char *version, bool *ret, struct err *e) MUST_USE;

/* The probe after a crash: is the version in the history? */
bool migration_is_applied(struct pg *db, const char *version, bool *ret, struct err *e) MUST_USE;

#endif
