/*
 * The flags of one environment as they are now, in memory: a thread of its own listens to the
 * database and swaps one pointer whenever they changed.
 *
 *     NOTIFY lockflight_flags ─→ version moved? ─→ fetch, compile ─→ swap ─→ pulse (tells browsers)
 *        10 s ───────────────┘   schedule due?
 *
 * FAILURES   The database away: the last snapshot goes on being served, flag_live_state says that it is
 *            stale, and the connection is tried again for as long as it takes. A snapshot that cannot
 *            be read: the same, and the trace says why. No schema yet (nothing was ever deployed): an
 *            empty set, and that is no failure.
 *
 * CALLS      flag_live_open → flag_live_take, from any thread → flag_live_close
 */
#ifndef LOCKFLIGHT_FLAG_LIVE_H
#define LOCKFLIGHT_FLAG_LIVE_H

#include "base/cleanup.h"
#include "flag/snapshot.h"

struct flag_live;

struct flag_live_spec {
    const char *url;      /* a direct connection: notifications do not pass a transaction pooler */
    const char *database; /* instead of the one the URL names; NULL: that one */
    const char *name;     /* of the environment, for the trace */

    /* Called on live's thread after each swap, and when the time that it returned last has passed:
     * milliseconds until it wants to be called again. NULL: nobody is told. */
    int64_t (*pulse)(void *context, const struct flag_snapshot *now);
    void *context;
};

/* Starts the thread and returns at once. */
bool flag_live_open(const struct flag_live_spec *spec, struct flag_live **ret,
                    struct err *e) MUST_USE;

/* Ends the thread; whoever waits is told. What was loaded last is still there to be taken. */
void flag_live_stop(struct flag_live *l);

/* Stops, and frees. Accepts NULL. */
void flag_live_close(struct flag_live *l);

/* The snapshot of now, with a reference of the caller's: flag_snapshot_unref. Never NULL. */
struct flag_snapshot *flag_live_take(struct flag_live *l);

struct flag_live_state {
    bool has_loaded;  /* what is served came from the database */
    bool is_stale;    /* it could not be compared with the database lately */
    int64_t stale_ms; /* for how long that has been so; since the start if it never was */
    int64_t version;
};
struct flag_live_state flag_live_state(struct flag_live *l);

/* Why the last comparison failed; false if it did not. */
bool flag_live_trouble(struct flag_live *l, struct err *ret);

/* The database is asked, and `told` is called on live's thread once `version` is served, or the
 * database has no such version, or does not answer. Intrusive: the caller keeps `w` until then. */
struct flag_live_waiter {
    struct flag_live_waiter *next;
    int64_t version;
    void (*told)(void *context);
    void *context;
};

/* False if there is nothing to wait for: it is served already, or the database is away. Version 0
 * waits for whatever comes first. */
bool flag_live_wait_for(struct flag_live *l, struct flag_live_waiter *w);

static inline void flag_live_cleanup(struct flag_live **l)
{
    flag_live_close(*l);
}

#endif
