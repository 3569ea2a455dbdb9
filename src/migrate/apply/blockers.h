/*
 * Who holds a lock that would stand in our way: one look at pg_locks. Queues behind nobody.
 *
 * Age and query of other users' sessions are visible only to members of pg_monitor; without that
 * they are unknown, and whoever asks again later knows at least since when he has been watching.
 */
#ifndef LOCKFLIGHT_MIGRATE_BLOCKERS_H
#define LOCKFLIGHT_MIGRATE_BLOCKERS_H

#include "provider/pg.h"

#define BLOCKER_AGE_UNKNOWN (-1)

enum blocker_kind {
    BLOCKER_SESSION,
    BLOCKER_PREPARED,   /* a prepared transaction: it has no process */
    BLOCKER_AUTOVACUUM, /* steps aside once the server has noticed that it is waited for */
    BLOCKER_WRAPAROUND, /* an autovacuum that never steps aside */
};

struct blocker {
    enum blocker_kind kind;
    int pid;
    int64_t age_ms;          /* of its transaction, or BLOCKER_AGE_UNKNOWN */
    const char *transaction; /* the server's name for it, the same from look to look */
    const char *state;       /* "idle in transaction"; NULL: not visible */
    const char *name;        /* application, else user; of a prepared transaction its own name */
    const char *query;       /* its first 120 characters; NULL: not visible */
    const char *relation;    /* public.orders */
    const char *mode;        /* AccessShareLock */
};

struct blockers {
    struct blocker *v; /* one per transaction; idle ones first, then by age */
    size_t n;
};

/* Holders of one of the modes on the relation beside it (arrays in parallel, as literals). */
bool blockers_look(struct pg *db, struct arena *a, const char *relations, const char *modes,
                   struct blockers *ret, struct err *e) MUST_USE;

/* Whoever has a transaction open, the oldest first: the guess when nothing is known of the locks. */
bool blockers_guess(struct pg *db, struct arena *a, struct blockers *ret, struct err *e) MUST_USE;

/* An autovacuum steps aside. False: it may not be asked to. */
bool blocker_cancel_vacuum(struct pg *db, const struct blocker *b);

/* Makes an application's session give up the transaction that it has had open for at least older_ms:
 * its statement is cancelled, or, when it is idle in the transaction or was cancelled before
 * (is_again), it is disconnected. Never a session of ours, never the server's own. What was done is
 * the word for it: "cancelled", "disconnected"; NULL: nothing. ERR_DB if we may not. */
bool blocker_end(struct pg *db, int64_t pid, int64_t older_ms, bool is_again, const char **ret_done,
                 struct err *e) MUST_USE;

/* "psql, pid 4711, idle in transaction for 5.2 s, holds AccessShareLock on public.orders: SELECT …" */
const char *blocker_text(struct arena *a, const struct blocker *b);

/* What a person can do about it. */
const char *blocker_hint(struct arena *a, const struct blocker *b);

#endif
