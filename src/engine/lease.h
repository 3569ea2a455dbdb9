/*
 * The lease: the right of one runner to change one environment, and the fence against a late one.
 *
 * WHAT       Three things together. A row in lockflight.lease says who (holder, host, pid), until
 *            when (by the database's clock) and under which epoch. An advisory lock, held by the
 *            runner's connection, says that nobody else acts now. The epoch, a number that only
 *            rises, is carried by every journal write: a write of an older epoch matches no row,
 *            and that runner stops at once (ERR_FENCED).
 *
 * HEARTBEAT  One thread with a connection of its own renews the row. If it cannot, the lease runs
 *            out by itself, and lease_check refuses further remote calls in time (boot clock, which
 *            goes on in suspend).
 *
 * TAKEOVER   Only from a holder whose lease expired, or whose process on this very machine is
 *            provably gone: end its backend → take the advisory lock → epoch + 1 → tell the caller
 *            whether an intent was open, because then a remote call of the old runner may still
 *            land and lease_drain must wait first.
 *
 * CALLS      lease_take → lease_db, lease_check … → lease_give_back (or lease_close after a failure
 *            that must leave the release open; the row is given back by both, only a crash leaves
 *            it to expire).
 *
 * TIMES      Defaults below. For tests the environment may lower them: LOCKFLIGHT_LEASE_MS,
 *            LOCKFLIGHT_RENEW_MS, LOCKFLIGHT_REQUEST_MS, LOCKFLIGHT_DRAIN_MS; refused (ERR_CONFIG)
 *            unless renew >= 100 ms, lease >= 4 renew, lease >= request + 2 renew, drain >=
 *            request. A runner drains for at least what the previous holder's own request deadline
 *            (kept in the row) asks for.
 */
#ifndef LOCKFLIGHT_ENGINE_LEASE_H
#define LOCKFLIGHT_ENGINE_LEASE_H

#include "engine/schema.h"

#define LEASE_MS       45000 /* how long the row is valid after a renewal */
#define LEASE_RENEW_MS 5000  /* how often it is renewed */
#define REQUEST_MS     20000 /* hard deadline of a mutating remote call */
#define DRAIN_MS       35000 /* after which a call of the old runner cannot land any more */

struct lease_times {
    int64_t lease_ms;
    int64_t renew_ms;
    int64_t request_ms;
    int64_t drain_ms;
};

/* The times in force: defaults, or the environment's. */
bool lease_times_read(struct lease_times *ret, struct err *e) MUST_USE;

struct lease;

struct lease_spec {
    const char *url;
    const char *target;    /* environment name */
    bool target_is_guess;  /* a name that the database knows already counts more */
    const char *holder;    /* a person or a job: "ana", "ci run 8123" */
    const char *purpose;   /* "deploy 2026-03-14.1a2b3c4d", "migration up" */
    int64_t wait_ms;       /* how long to wait for another runner; 0: do not */
    enum schema_part part; /* of schema lockflight, which is made if it is not there */
    bool past_manual_lock; /* rollback and unlock go on under a manual lock */

    /* Called about once a second while waiting; NULL: not wanted. */
    void (*on_wait)(void *context, const char *sentence);

    /* Called when the connection stands and before anything is changed: until then the caller may do
     * other things, and leave `holder` open. NULL: holder is set. */
    bool (*connected)(void *context, const char **ret_holder, struct err *e);

    /* Fills the exchange that takes the lease with the caller's questions, which come behind it: each
     * a pg_queue_part. Called again when it is tried again: the last answers count. NULL: none. */
    bool (*ask)(void *context, struct pg *db, struct err *e);
    void *context;
};

/* How the lease was got. */
struct lease_taken {
    bool took_over;     /* from a runner that had not given it back */
    char previous[256]; /* who that was: "ana on laptop, pid 4711, deploy …" */
    bool intent_open;   /* a step is in doubt: call lease_drain, then probe */
    char open[64];      /* name of the release that is open; "" if none */
};

/* ERR_BLOCKED names the holder, since when and until when, or the manual lock with its reason.
 * Creates or upgrades schema lockflight first. */
bool lease_take(const struct lease_spec *spec, struct lease **ret, struct lease_taken *ret_taken,
                struct err *e) MUST_USE;

/* The runner's connection: what holds the advisory lock. All journal writes and migrations go over
 * it. Stays the same pointer through reconnections. */
struct pg *lease_db(struct lease *l);
int64_t lease_epoch(const struct lease *l);
const char *lease_target(const struct lease *l);
const char *lease_holder(const struct lease *l);

/* Before every mutating remote call, and after every wait: the lease is ours, the epoch was just
 * re-read, and at least the request deadline is left. Reconnects and renews if needed. ERR_FENCED
 * otherwise. */
bool lease_check(struct lease *l, struct err *e) MUST_USE;

/* After ERR_NET or ERR_UNKNOWN_OUTCOME on lease_db: reconnects with back-off until the lease would
 * run out, takes the advisory lock again and proves that the epoch is still ours. ERR_FENCED if it
 * is not. */
bool lease_reconnect(struct lease *l, struct err *e) MUST_USE;

/* Inside a transaction: locks the lease row against takeover until commit
 * and compares the epoch. */
bool lease_fence(struct lease *l, struct pg *db, struct err *e) MUST_USE;

/* Waits until no call of the previous runner can land any more; the heartbeat goes on. Returns at
 * once when no intent was open at lease_take. ERR_INTERRUPTED if a signal asks to stop. */
bool lease_drain(struct lease *l, struct err *e) MUST_USE;
int64_t lease_drain_left_ms(const struct lease *l);

/* Gives the row and the lock back. */
bool lease_give_back(struct lease *l, struct err *e) MUST_USE;
void lease_close(struct lease *l); /* gives back if it can; frees. Accepts NULL */

static inline void lease_cleanup(struct lease **l)
{
    lease_close(*l);
}

/* Who holds it, for status; works without a lease and without the schema (then everything is
 * empty). */
struct lease_info {
    bool is_held;    /* and not expired */
    bool is_expired; /* a holder is named, but its time ran out: interrupted */
    int64_t epoch;
    const char *holder, *host, *purpose;
    int64_t pid;
    int64_t taken_unix_ms, expires_unix_ms;
    bool is_locked; /* by a person */
    const char *locked_by, *lock_reason;
    int64_t locked_unix_ms;
};
bool lease_read(struct pg *db, struct arena *a, const char *target, struct lease_info *ret,
                struct err *e) MUST_USE;

/* The manual lock never expires and is never waited on. Locking a locked environment is
 * ERR_CONFLICT that names who holds it; unlocking an unlocked one is ERR_NOT_FOUND. Both write an
 * event. `reason` may be NULL to unlock. */
bool lease_lock(struct pg *db, const char *target, const char *by, const char *reason,
                struct err *e) MUST_USE;
bool lease_unlock(struct pg *db, const char *target, const char *by, const char *reason,
                  struct err *e) MUST_USE;

#endif
