/*
 * Taking, keeping and giving back the lease: see lease.h. What a takeover does, in this order and
 * for this reason:
 *
 *   1  end the old runner's backend    a stopped process keeps its transaction and its advisory
 *                                      lock otherwise
 *   2  take the advisory lock          a statement that outlived its client holds it until it has
 *                                      ended
 *   3  epoch + 1, holder = us          from here on every write of the old runner matches no row
 *   4  tell whether an intent is open  a remote call may still be under way; the caller drains and
 *                                      probes
 */
#include "engine/lease.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "engine/event.h"
#include "engine/heartbeat.h"
#include "engine/runner_identity.h"
#include "engine/schema.h"

#include <poll.h>
#include <stdio.h>

#define RECONNECT_PAUSE_MS 500
#define WAIT_PAUSE_MS      1000
#define LOCK_PATIENCE_MS   3000 /* how long a just-ended session may still hold the advisory lock */

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

/* The row as the last look found it. */
struct holder {
    int64_t epoch;
    const char *name, *purpose, *host, *host_key, *pid_start, *backend_start;
    int pid, backend_pid;
    bool is_valid; /* has a holder and time left */
    int64_t left_ms;
    int64_t request_ms;
    int64_t given_back_ago_ms;
    const char *locked_by, *lock_reason;
};

enum take_result {
    TAKE_GOT,
    TAKE_BUSY,
    TAKE_FAILED
};

static char *number(struct arena *a, int64_t n)
{
    return arena_printf(a, "%lld", (long long)n);
}

/* ---- looking ---- */

/* The row as the last look found it, and the advisory lock if it was free. */
static const char look_sql[] =
    "SELECT epoch, holder, purpose, host, host_key, pid, pid_start, backend_pid, backend_start,"
    " holder IS NOT NULL AND expires_at > clock_timestamp(),"
    " (extract(epoch FROM expires_at - clock_timestamp()) * 1000)::bigint, request_ms,"
    " (extract(epoch FROM clock_timestamp() - given_back_at) * 1000)::bigint,"
    " locked_by, lock_reason FROM lockflight.lease WHERE target = $1";

static bool read_row(const struct lease *l, const struct pg_rows *r, struct holder *ret,
                     struct err *e)
{
    if (r->n != 1)
        return err_set(e, ERR_DATA, "lockflight.lease has no row for %s", l->target);
    *ret = (struct holder){
        .epoch = pg_int(r, 0, 0),
        .name = pg_value(r, 0, 1),
        .purpose = pg_value(r, 0, 2),
        .host = pg_value(r, 0, 3),
        .host_key = pg_value(r, 0, 4),
        .pid = (int)pg_int(r, 0, 5),
        .pid_start = pg_value(r, 0, 6),
        .backend_pid = (int)pg_int(r, 0, 7),
        .backend_start = pg_value(r, 0, 8),
        .is_valid = pg_bool(r, 0, 9),
        .left_ms = pg_int(r, 0, 10),
        .request_ms = pg_int(r, 0, 11),
        .given_back_ago_ms = pg_int(r, 0, 12),
        .locked_by = pg_value(r, 0, 13),
        .lock_reason = pg_value(r, 0, 14),
    };
    return true;
}

/* A database belongs to one environment: another name is a mistake in the configuration, and the
 * costliest one to make. */
static bool belongs_elsewhere(const struct lease *l, const struct pg_rows *r, struct err *e)
{
    if (r->n == 0)
        return false;
    err_set(e, ERR_CONFIG, "the database at %s belongs to environment \"%s\", not to \"%s\"",
            pg_where(l->db), pg_value(r, 0, 0), l->target);
    err_hint(e, "check `database` of [env.%s] in lockflight.toml", l->target);
    return true;
}

/* The row, made if there is none, and what is in it, in one exchange. */
static bool make_row(struct lease *l, struct err *e)
{
    struct pg_rows strangers;
    pg_queue_begin(l->db);
    bool ok =
        pg_exec(l->db, "INSERT INTO lockflight.fence (target) VALUES ($1) ON CONFLICT DO NOTHING",
                PG_PARAMS(l->target), NULL, e) &&
        pg_exec(l->db, "INSERT INTO lockflight.lease (target) VALUES ($1) ON CONFLICT DO NOTHING",
                PG_PARAMS(l->target), NULL, e) &&
        pg_query_later(l->db, l->arena,
                       "SELECT target FROM lockflight.releases WHERE target <> $1"
                       " ORDER BY created_at DESC LIMIT 1",
                       PG_PARAMS(l->target), &strangers, e) &&
        pg_query_later(l->db, l->arena, look_sql, PG_PARAMS(l->target), &l->first_look, e) &&
        pg_queue_end(l->db, NULL, NULL, NULL, e);
    pg_queue_drop(l->db);
    return ok && !belongs_elsewhere(l, &strangers, e);
}

/* The first look came with make_row. */
static bool look(struct lease *l, struct arena *a, struct holder *ret, struct err *e)
{
    struct pg_rows r = l->first_look;
    l->first_look = (struct pg_rows){ 0 };
    return (r.n > 0 || pg_query(l->db, a, look_sql, PG_PARAMS(l->target), &r, e)) &&
           read_row(l, &r, ret, e);
}

static char *describe(struct arena *a, const struct holder *h)
{
    return arena_printf(a, "%s on %s, pid %d (%s)", h->name, h->host ? h->host : "?", h->pid,
                        h->purpose ? h->purpose : "?");
}

static bool held_by_a_person(const struct lease *l, const struct holder *h, struct err *e)
{
    err_set(e, ERR_BLOCKED, "%s is locked by %s: %s", l->target, h->locked_by,
            h->lock_reason ? h->lock_reason : "no reason given");
    return err_hint(e, "lockflight unlock %s", l->target);
}

/* ---- taking ---- */

/* Ends one session of an older runner, if it is still that session. Waits for its end. */
static bool end_backend(struct lease *l, struct arena *a, int backend_pid,
                        const char *backend_start, struct err *e)
{
    if (backend_pid == 0 || !backend_start)
        return true;
    return pg_exec(l->db,
                   "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid = $1"
                   " AND backend_start = $2 AND pid <> pg_backend_pid()",
                   PG_PARAMS(number(a, backend_pid), backend_start), NULL, e) ||
           err_wrap(e, "end the session of the previous runner");
}

static bool try_advisory_lock(struct lease *l, struct arena *a, bool *ret_got, struct err *e)
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

static void drop_advisory_lock(struct lease *l)
{
    struct err ignored; /* the lock goes with the session in any case */
    if (pg_is_alive(l->db))
        (void)!pg_exec(l->db, "SELECT pg_advisory_unlock(" LEASE_LOCK_KEY ")", PG_NONE, NULL,
                       &ignored);
}

static bool append(struct lease *l, struct arena *a, int64_t epoch, const char *type,
                   const char *body, struct err *e)
{
    struct event v = {
        .target = l->target, .epoch = epoch, .type = type, .body = body, .nonce = random_uuid(a)
    };
    return event_append(l->db, &v, e);
}

/* Step 3. Nothing of it holds if the row changed since we looked: `faster`. */
static bool write_row(struct lease *l, struct arena *a, const struct holder *seen,
                      const struct err *faster, struct err *e)
{
    json_auto_t *body = json_pack("{s:s, s:s, s:s*}", "holder", l->holder, "purpose", l->purpose,
                                  "took_over_from", seen->name ? describe(a, seen) : NULL);
    return pg_expect(l->db,
                     "UPDATE lockflight.lease SET epoch = epoch + 1, holder = $3, purpose = $4, "
                     "host = $5,"
                     " host_key = $6, pid = $7, pid_start = $8, backend_pid = pg_backend_pid(),"
                     " backend_start = (SELECT backend_start FROM pg_stat_activity WHERE pid ="
                     " pg_backend_pid()),"
                     " request_ms = $9, taken_at = clock_timestamp(), given_back_at = NULL,"
                     " expires_at = clock_timestamp() + $10::float8 * interval '1 ms'"
                     " WHERE target = $1 AND epoch = $2",
                     PG_PARAMS(l->target, number(a, seen->epoch), l->holder, l->purpose, l->me.host,
                               l->me.host_key, number(a, l->me.pid), l->me.pid_start,
                               number(a, l->renewal.times.request_ms),
                               number(a, l->renewal.times.lease_ms)),
                     faster, e) &&
           pg_exec(l->db, "UPDATE lockflight.fence SET epoch = $2 WHERE target = $1",
                   PG_PARAMS(l->target, number(a, seen->epoch + 1)), NULL, e) &&
           append(l, a, seen->epoch + 1, "lease.taken", json_text(a, body), e);
}

/* What the journal says of releases that did not end, and who we are. */
static bool read_journal(struct lease *l, struct arena *a, struct pg_rows *intent,
                         struct pg_rows *open, struct pg_rows *backend, struct err *e)
{
    return pg_query_later(
               l->db, a,
               "SELECT EXISTS (SELECT FROM lockflight.steps s JOIN lockflight.releases r ON "
               "r.id = s.release"
               " WHERE r.target = $1 AND r.state IN ('forward', 'reversing', 'stuck')"
               " AND (s.state = 'undo_intent' OR s.state = 'intent' AND NOT EXISTS (SELECT FROM"
               " lockflight.steps u WHERE u.release = s.release AND u.seq = s.seq AND u.state = "
               "'undone')))",
               PG_PARAMS(l->target), intent, e) &&
           pg_query_later(l->db, a,
                          "SELECT name FROM lockflight.releases WHERE target = $1"
                          " AND state IN ('forward', 'reversing', 'stuck')",
                          PG_PARAMS(l->target), open, e) &&
           pg_query_later(l->db, a, "SELECT backend_start FROM lockflight.lease WHERE target = $1",
                          PG_PARAMS(l->target), backend, e);
}

/* A call of the old runner can land until its own deadline and the network's slack have passed:
 * since now if it was cut off, since it gave the lease back if it did. */
static void plan_drain(struct lease *l, const struct holder *seen, struct lease_taken *taken)
{
    int64_t drain_ms = l->renewal.times.drain_ms;
    if (seen->request_ms * 7 / 4 > drain_ms)
        drain_ms = seen->request_ms * 7 / 4;
    if (!taken->took_over)
        drain_ms -= seen->given_back_ago_ms;
    l->drained_boot_ms = taken->intent_open ? clock_boot_ms() + drain_ms : 0;
}

/* Steps 3 and 4, holding the advisory lock, in one exchange. */
static enum take_result take_row(struct lease *l, struct arena *a, const struct holder *seen,
                                 struct lease_taken *taken, struct err *e)
{
    struct pg_rows intent, open, backend;
    struct err faster = { 0 };
    (void)err_set(&faster, ERR_BLOCKED, "another runner was faster");
    l->renewal.renewed_boot_ms = clock_boot_ms();
    pg_queue_begin(l->db);
    bool ok = pg_begin(l->db, e) && write_row(l, a, seen, &faster, e) &&
              read_journal(l, a, &intent, &open, &backend, e) && pg_commit(l->db, e) &&
              pg_queue_end(l->db, NULL, NULL, NULL, e);
    pg_queue_drop(l->db);
    if (!ok)
        return e->code == ERR_BLOCKED ? TAKE_BUSY : TAKE_FAILED;
    l->epoch = seen->epoch + 1;
    (void)snprintf(l->backend_start, sizeof l->backend_start, "%s", pg_value(&backend, 0, 0));
    taken->intent_open = pg_bool(&intent, 0, 0);
    if (open.n > 0)
        (void)snprintf(taken->open, sizeof taken->open, "%s", pg_value(&open, 0, 0));
    taken->took_over = seen->name != NULL;
    if (seen->name)
        (void)snprintf(taken->previous, sizeof taken->previous, "%s", describe(a, seen));
    plan_drain(l, seen, taken);
    return TAKE_GOT;
}

static enum take_result try_take(struct lease *l, bool past_manual_lock, struct lease_taken *taken,
                                 struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct holder seen = { 0 };
    bool got_lock = false;
    if (!look(l, a, &seen, e))
        return TAKE_FAILED;
    if (seen.locked_by && !past_manual_lock) {
        held_by_a_person(l, &seen, e);
        return TAKE_FAILED;
    }
    if (seen.is_valid && !runner_is_gone(&l->me, seen.host_key, seen.pid, seen.pid_start)) {
        err_set(e, ERR_BLOCKED, "%s is being changed by %s; its lease runs for another %s",
                l->target, describe(a, &seen), clock_duration(a, seen.left_ms));
        err_hint(e, "wait for it, or look with: lockflight status %s", l->target);
        return TAKE_BUSY;
    }
    if (seen.name && !end_backend(l, a, seen.backend_pid, seen.backend_start, e))
        return TAKE_FAILED;
    if (!try_advisory_lock(l, a, &got_lock, e))
        return TAKE_FAILED;
    if (!got_lock) {
        err_set(e, ERR_BLOCKED, "another session holds Lockflight's lock on %s", pg_where(l->db));
        return TAKE_BUSY;
    }
    enum take_result result = take_row(l, a, &seen, taken, e);
    if (result != TAKE_GOT) {
        pg_rollback(l->db);
        drop_advisory_lock(l);
    }
    return result;
}

/* Tries until it works, must not be waited for, or the caller's patience ends. */
static bool take_or_wait(struct lease *l, const struct lease_spec *spec, struct lease_taken *taken,
                         struct err *e)
{
    int64_t give_up_at = clock_boot_ms() + spec->wait_ms;
    for (;;) {
        enum take_result result = try_take(l, spec->past_manual_lock, taken, e);
        if (result != TAKE_BUSY)
            return result == TAKE_GOT;
        if (clock_boot_ms() >= give_up_at)
            return false;
        if (spec->on_wait)
            spec->on_wait(spec->context, e->why);
        if (!clock_sleep_ms(WAIT_PAUSE_MS))
            return err_set(e, ERR_INTERRUPTED, "stopped while waiting for the lease");
    }
}

static void free_lease(struct lease *l)
{
    heartbeat_stop(l->heartbeat);
    pg_close(l->db);
    arena_free(l->arena);
    free(l);
}

bool lease_take(const struct lease_spec *spec, struct lease **ret, struct lease_taken *ret_taken,
                struct err *e)
{
    struct lease *l = calloc(1, sizeof *l);
    if (!l)
        memory_exhausted(sizeof *l);
    l->arena = arena_new(0);
    l->url = arena_strdup(l->arena, spec->url);
    l->target = arena_strdup(l->arena, spec->target);
    l->holder = arena_strdup(l->arena, spec->holder);
    l->purpose = arena_strdup(l->arena, spec->purpose);
    l->renewal = (struct heartbeat_spec){ .url = l->url, .target = l->target };
    l->db = spec->db;
    runner_identity_read(&l->me);

    struct lease_taken taken = { 0 };
    struct pg_spec pg = { .url = spec->url, .purpose = "runner" };
    bool ok = lease_times_read(&l->renewal.times, e) && (l->db || pg_open(&pg, &l->db, e)) &&
              (spec->is_bare ? schema_make(l->db, e) : schema_ensure(l->db, e)) && make_row(l, e) &&
              take_or_wait(l, spec, &taken, e);
    l->renewal.epoch = l->epoch;
    if (!ok || !heartbeat_start(&l->renewal, &l->heartbeat, e)) {
        free_lease(l);
        return err_wrap(e, "take the lease of %s", spec->target);
    }
    *ret_taken = taken;
    *ret = l;
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
                  PG_PARAMS(l->target, number(a, l->epoch)), &rows, e))
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
    if (!pg_reconnect(l->db, e) || !end_backend(l, a, old_backend, l->backend_start, e) ||
        !try_advisory_lock(l, a, &got, e))
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
                   PG_PARAMS(l->target, number(a, l->epoch)), &lost, e))
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
        PG_PARAMS(l->target, number(a, l->epoch), random_uuid(a)), NULL, e);
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
