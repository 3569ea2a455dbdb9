/*
 * What lease.c (keeping, giving back) and lease_take.c share.
 */
#ifndef LOCKFLIGHT_ENGINE_LEASE_INSIDE_H
#define LOCKFLIGHT_ENGINE_LEASE_INSIDE_H

#include "base/arena.h"
#include "engine/heartbeat.h"
#include "engine/lease.h"
#include "engine/runner_identity.h"

/* One key for releases and migrations; advisory locks are per database, so per environment. */
#define LEASE_LOCK_KEY "7305813346150401"

struct lease {
    struct pg *db;
    struct heartbeat *heartbeat;
    struct heartbeat_spec renewal;
    struct arena *arena; /* what follows lives here */
    const char *url, *target, *holder, *purpose;
    struct runner_identity me;
    int64_t epoch;
    int64_t drained_boot_ms; /* no call of the previous runner lands after this */
    char backend_start[64];
    struct pg_rows first_look;
    unsigned fenced_transaction; /* of db: it holds the fence row until it ends */
};

static inline char *lease_number(struct arena *a, int64_t n)
{
    return arena_printf(a, "%lld", (long long)n);
}

/* Ends one session of an older runner, if it is still that session. Waits for its end. */
bool lease_end_backend(struct lease *l, struct arena *a, int backend_pid, const char *backend_start,
                       struct err *e) MUST_USE;

/* Tries for a while: a session that was just ended may still hold it. */
bool lease_try_lock(struct lease *l, struct arena *a, bool *ret_got, struct err *e) MUST_USE;

#endif
