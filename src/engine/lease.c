/*
 * Keeping the lease and giving it back: see lease.h; taking it is lease_take.c.
 */
#include "engine/lease.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "engine/lease_inside.h"

#include <poll.h>
#include <stdio.h>

#define RECONNECT_PAUSE_MS 500
#define LOCK_PATIENCE_MS   3000 /* how long a just-ended session may still hold the advisory lock */

static void free_lease(struct lease *l)
{
    heartbeat_stop(l->heartbeat);
    pg_close(l->db);
    arena_free(l->arena);
    free(l);
}

bool lease_end_backend(struct lease *l, struct arena *a, int backend_pid, const char *backend_start,
                       struct err *e)
{
    if (backend_pid == 0 || !backend_start)
        return true;
    return pg_exec(l->db,
                   "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid = $1"
                   " AND backend_start = $2 AND pid <> pg_backend_pid()",
                   PG_PARAMS(lease_number(a, backend_pid), backend_start), NULL, e) ||
           err_wrap(e, "end the session of the previous runner");
}

bool lease_try_lock(struct lease *l, struct arena *a, bool *ret_got, struct err *e)
{
    struct pg_rows rows;
    int64_t give_up_at = clock_boot_ms() + LOCK_PATIENCE_MS;
    do {
        if (!pg_query(l->db, a, "SELECT pg_try_advisory_lock(" LEASE_LOCK_KEY ")", PG_NONE, &rows,
                      e))
            return false;
        *ret_got = pg_bool(&rows, 0, 0);
    } while (!*ret_got && clock_boot_ms() < give_up_at && poll(NULL, 0, 100) == 0);
    return true;
}

struct pg *lease_db(struct lease *l)
{
    return l->db;
}

int64_t lease_epoch(const struct lease *l)
{
    return l->epoch;
}

const char *lease_target(const struct lease *l)
{
    return l->target;
}

const char *lease_holder(const struct lease *l)
{
    return l->holder;
}

/* ---- keeping ---- */

static bool fenced(const struct lease *l, struct err *e)
{
    err_set(e, ERR_FENCED,
            "another runner has taken over %s; this one (epoch %lld) stops and touches nothing",
            l->target, (long long)l->epoch);
    return err_hint(e, "lockflight status %s", l->target);
}

/* The new session becomes the recorded one, if the epoch is still ours. */
static bool record_backend(struct lease *l, struct arena *a, struct err *e)
{
    struct pg_rows rows;
    if (!pg_query(l->db, a,
                  "UPDATE lockflight.lease SET backend_pid = pg_backend_pid(), backend_start ="
                  " (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid())"
                  " WHERE target = $1 AND epoch = $2 RETURNING backend_start",
                  PG_PARAMS(l->target, lease_number(a, l->epoch)), &rows, e))
        return false;
    if (rows.n == 0)
        return fenced(l, e);
    (void)snprintf(l->backend_start, sizeof l->backend_start, "%s", pg_value(&rows, 0, 0));
    return true;
}

/* One attempt: connect, end our own old session if it outlived the connection, lock, prove the
 * epoch. */
static bool reconnect_once(struct lease *l, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    int old_backend = pg_backend_pid_of(l->db);
    bool got = false;
    if (!pg_reconnect(l->db, e) || !lease_end_backend(l, a, old_backend, l->backend_start, e) ||
        !lease_try_lock(l, a, &got, e))
        return false;
    if (!got) {
        /* either a takeover is under way, then the epoch tells, or our old session has not ended
         * yet */
        bool is_ours = record_backend(l, a, e);
        return is_ours ? err_set(e, ERR_NET, "the lock of %s is still held", l->target) : false;
    }
    return record_backend(l, a, e);
}

bool lease_reconnect(struct lease *l, struct err *e)
{
    int64_t give_up_at = clock_boot_ms() + l->renewal.times.lease_ms;
    for (;;) {
        if (heartbeat_is_fenced(l->heartbeat))
            return fenced(l, e);
        if (reconnect_once(l, e))
            return true;
        if (e->code == ERR_FENCED || clock_boot_ms() >= give_up_at)
            return err_wrap(e, "reconnect to %s", pg_where(l->db));
        log_event("lease.reconnect", "%s", e->why);
        (void)poll(NULL, 0, RECONNECT_PAUSE_MS);
    }
}

bool lease_check(struct lease *l, struct err *e)
{
    for (int attempt = 0;; attempt++) {
        bool is_ours = false;
        if (heartbeat_is_fenced(l->heartbeat))
            return fenced(l, e);
        if (!pg_is_alive(l->db) && !lease_reconnect(l, e))
            return false;
        int64_t sent_boot_ms = clock_boot_ms();
        if (heartbeat_renew(l->db, &l->renewal, &is_ours, e)) {
            if (!is_ours)
                return fenced(l, e);
            heartbeat_note_renewal(l->heartbeat, sent_boot_ms);
            if (heartbeat_left_ms(l->heartbeat) >= l->renewal.times.request_ms)
                return true;
            /* perhaps an answer from before this process was suspended: it is asked for again */
            err_set(e, ERR_TIMEOUT, "the database at %s answers too slowly to keep the lease",
                    pg_where(l->db));
        }
        if ((pg_is_alive(l->db) && e->code != ERR_TIMEOUT) || attempt == 3)
            return err_wrap(e, "check the lease of %s", l->target);
    }
}

bool lease_fence(struct lease *l, struct pg *db, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct err lost = { 0 };
    bool is_ours = db == l->db && pg_in_transaction(db);
    if (is_ours && l->fenced_transaction == pg_transaction_number(db))
        return true;
    (void)fenced(l, &lost);
    if (!pg_expect(db, "SELECT 1 FROM lockflight.fence WHERE target = $1 AND epoch = $2 FOR SHARE",
                   PG_PARAMS(l->target, lease_number(a, l->epoch)), &lost, e))
        return false;
    if (is_ours)
        l->fenced_transaction = pg_transaction_number(db);
    return true;
}

int64_t lease_drain_left_ms(const struct lease *l)
{
    int64_t left = l->drained_boot_ms ? l->drained_boot_ms - clock_boot_ms() : 0;
    return left > 0 ? left : 0;
}

bool lease_drain(struct lease *l, struct err *e)
{
    int64_t left = lease_drain_left_ms(l);
    if (left > 0 && !clock_sleep_ms(left))
        return err_set(e, ERR_INTERRUPTED,
                       "stopped while waiting for the previous runner's calls to end");
    return true;
}

/* ---- giving back ---- */

/* The event only if the row was still ours. */
static bool give_back_row(struct lease *l, struct arena *a, struct err *e)
{
    return pg_exec(
        l->db,
        "WITH given AS (UPDATE lockflight.lease SET holder = NULL, purpose = NULL,"
        " backend_pid = NULL, backend_start = NULL, given_back_at = clock_timestamp(),"
        " expires_at = clock_timestamp() WHERE target = $1 AND epoch = $2 AND holder IS NOT NULL"
        " RETURNING target, epoch)"
        " SELECT lockflight.event_append(target, NULL, epoch, 'lease.given_back', '{}', $3)"
        " FROM given",
        PG_PARAMS(l->target, lease_number(a, l->epoch), random_uuid(a)), NULL, e);
}

bool lease_give_back(struct lease *l, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    heartbeat_stop(l->heartbeat);
    l->heartbeat = NULL;
    if (!pg_is_alive(l->db) && !pg_reconnect(l->db, e))
        return err_wrap(e, "give back the lease of %s", l->target);
    pg_rollback(l->db);
    pg_queue_begin(l->db);
    bool ok = pg_begin(l->db, e) && give_back_row(l, a, e) && pg_commit(l->db, e) &&
              pg_exec(l->db, "SELECT pg_advisory_unlock(" LEASE_LOCK_KEY ")", PG_NONE, NULL, e) &&
              pg_queue_end(l->db, NULL, NULL, NULL, e);
    pg_queue_drop(l->db);
    if (!ok) {
        pg_rollback(l->db);
        return err_wrap(e, "give back the lease of %s", l->target);
    }
    l->epoch = -1; /* no write can match any more */
    return true;
}

void lease_close(struct lease *l)
{
    struct err ignored; /* what cannot be given back runs out by itself */
    if (!l)
        return;
    if (l->epoch > 0)
        (void)!lease_give_back(l, &ignored);
    free_lease(l);
}
