/*
 * Taking the lease: see lease.h. What a takeover does, in this order and for this reason:
 *
 *   1  end the old runner's backend    a stopped process keeps its transaction and its advisory
 *                                      lock otherwise
 *   2  take the advisory lock          a statement that outlived its client holds it until it has
 *                                      ended
 *   3  epoch + 1, holder = us          from here on every write of the old runner matches no row
 *   4  tell whether an intent is open  a remote call may still be under way; the caller drains and
 *                                      probes
 *
 * Nearly always the lease is free, and then all of it is one exchange behind the connection: schema
 * lockflight if it is missing, the row, 2 to 4, and what the caller wants to know. Anything else makes
 * that exchange fail without a trace, and it is looked at step by step.
 */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "engine/event.h"
#include "engine/lease.h"
#include "engine/lease_inside.h"
#include "engine/runner_identity.h"
#include "engine/schema.h"

#include <poll.h>
#include <stdio.h>

#define WAIT_PAUSE_MS 1000

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

/* ---- looking ---- */

#define LOOK_SQL                                                                                   \
    "SELECT epoch, holder, purpose, host, host_key, pid, pid_start, backend_pid, backend_start,"   \
    " holder IS NOT NULL AND expires_at > clock_timestamp(),"                                      \
    " (extract(epoch FROM expires_at - clock_timestamp()) * 1000)::bigint, request_ms,"            \
    " (extract(epoch FROM clock_timestamp() - given_back_at) * 1000)::bigint,"                     \
    " locked_by, lock_reason FROM lockflight.lease WHERE target = $1"

static const char look_sql[] = LOOK_SQL;
static const char look_for_update_sql[] = LOOK_SQL " FOR UPDATE";

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

#define ELSEWHERE_SQL                                                                              \
    "SELECT target FROM lockflight.releases WHERE target <> $1 ORDER BY created_at DESC LIMIT 1"

static bool insert_rows(struct lease *l, struct err *e)
{
    return pg_exec(l->db,
                   "INSERT INTO lockflight.fence (target) VALUES ($1) ON CONFLICT DO NOTHING",
                   PG_PARAMS(l->target), NULL, e) &&
           pg_exec(l->db,
                   "INSERT INTO lockflight.lease (target) VALUES ($1) ON CONFLICT DO NOTHING",
                   PG_PARAMS(l->target), NULL, e);
}

/* The row, made if there is none, and what is in it, in one exchange. */
static bool make_row(struct lease *l, struct err *e)
{
    struct pg_rows strangers;
    pg_queue_begin(l->db);
    bool ok = insert_rows(l, e) &&
              pg_query_later(l->db, l->arena, ELSEWHERE_SQL, PG_PARAMS(l->target), &strangers, e) &&
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

static void drop_advisory_lock(struct lease *l)
{
    struct err ignored; /* the lock goes with the session in any case */
    if (pg_is_alive(l->db))
        (void)!pg_exec(l->db, "SELECT pg_advisory_unlock(" LEASE_LOCK_KEY ")", PG_NONE, NULL,
                       &ignored);
}

/* What an exchange that takes the lease answers. */
struct taking {
    struct pg_rows look, intent, open, row;
};

/* Step 3. Without a touched row nothing of it holds: `busy`. `seen` NULL: only where it is free; else
 * only if the row is as it was seen. */
static bool write_row(struct lease *l, struct arena *a, const struct holder *seen,
                      const struct err *busy, struct err *e)
{
    json_auto_t *body = json_pack("{s:s, s:s, s:s*}", "holder", l->holder, "purpose", l->purpose,
                                  "took_over_from", seen && seen->name ? describe(a, seen) : NULL);
    return pg_expect(l->db,
                     "UPDATE lockflight.lease SET epoch = epoch + 1, holder = $3, purpose = $4,"
                     " host = $5, host_key = $6, pid = $7, pid_start = $8,"
                     " backend_pid = pg_backend_pid(), backend_start = (SELECT backend_start"
                     "  FROM pg_stat_get_activity(pg_backend_pid())),"
                     " request_ms = $9, taken_at = clock_timestamp(), given_back_at = NULL,"
                     " expires_at = clock_timestamp() + $10::float8 * interval '1 ms'"
                     " WHERE target = $1 AND CASE WHEN $2::bigint IS NULL"
                     " THEN holder IS NULL AND locked_by IS NULL ELSE epoch = $2 END",
                     PG_PARAMS(l->target, seen ? lease_number(a, seen->epoch) : NULL, l->holder,
                               l->purpose, l->me.host, l->me.host_key, lease_number(a, l->me.pid),
                               l->me.pid_start, lease_number(a, l->renewal.times.request_ms),
                               lease_number(a, l->renewal.times.lease_ms)),
                     busy, e) &&
           pg_exec(l->db,
                   "UPDATE lockflight.fence f SET epoch = l.epoch FROM lockflight.lease l"
                   " WHERE f.target = $1 AND l.target = $1",
                   PG_PARAMS(l->target), NULL, e) &&
           pg_exec(l->db,
                   "SELECT lockflight.event_append($1, NULL, epoch, 'lease.taken', $2, $3)"
                   " FROM lockflight.lease WHERE target = $1",
                   PG_PARAMS(l->target, json_text(a, body), random_uuid(a)), NULL, e);
}

/* What the journal says of releases that did not end, and who we are. */
static bool read_journal(struct lease *l, struct arena *a, struct taking *ret, struct err *e)
{
    return pg_query_later(
               l->db, a,
               "SELECT EXISTS (SELECT FROM lockflight.steps s JOIN lockflight.releases r ON "
               "r.id = s.release"
               " WHERE r.target = $1 AND r.state IN ('forward', 'reversing', 'stuck')"
               " AND (s.state = 'undo_intent' OR s.state = 'intent' AND NOT EXISTS (SELECT FROM"
               " lockflight.steps u WHERE u.release = s.release AND u.seq = s.seq AND u.state = "
               "'undone')))",
               PG_PARAMS(l->target), &ret->intent, e) &&
           pg_query_later(l->db, a,
                          "SELECT name FROM lockflight.releases WHERE target = $1"
                          " AND state IN ('forward', 'reversing', 'stuck')",
                          PG_PARAMS(l->target), &ret->open, e) &&
           pg_query_later(l->db, a,
                          "SELECT epoch, backend_start FROM lockflight.lease WHERE target = $1",
                          PG_PARAMS(l->target), &ret->row, e);
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

static void got_it(struct lease *l, struct arena *a, const struct holder *seen,
                   const struct taking *x, struct lease_taken *taken)
{
    l->epoch = pg_int(&x->row, 0, 0);
    (void)snprintf(l->backend_start, sizeof l->backend_start, "%s", pg_value(&x->row, 0, 1));
    taken->intent_open = pg_bool(&x->intent, 0, 0);
    if (x->open.n > 0)
        (void)snprintf(taken->open, sizeof taken->open, "%s", pg_value(&x->open, 0, 0));
    taken->took_over = seen->name != NULL;
    if (seen->name)
        (void)snprintf(taken->previous, sizeof taken->previous, "%s", describe(a, seen));
    plan_drain(l, seen, taken);
}

/* What the caller wants to know as soon as the lease is ours. */
static bool ask_more(const struct lease *l, const struct lease_spec *spec, struct err *e)
{
    return !spec->ask || spec->ask(spec->context, l->db, e);
}

/* Steps 3 and 4, holding the advisory lock, in one exchange. */
static enum take_result take_row(struct lease *l, const struct lease_spec *spec, struct arena *a,
                                 const struct holder *seen, struct lease_taken *taken,
                                 struct err *e)
{
    struct taking x;
    struct err faster = { 0 };
    (void)err_set(&faster, ERR_BLOCKED, "another runner was faster");
    l->renewal.renewed_boot_ms = clock_boot_ms();
    pg_queue_begin(l->db);
    bool ok = pg_begin(l->db, e) && write_row(l, a, seen, &faster, e) &&
              read_journal(l, a, &x, e) && pg_commit(l->db, e) && ask_more(l, spec, e) &&
              pg_queue_end(l->db, NULL, NULL, NULL, e);
    pg_queue_drop(l->db);
    if (!ok)
        return e->code == ERR_BLOCKED ? TAKE_BUSY : TAKE_FAILED;
    got_it(l, a, seen, &x, taken);
    return TAKE_GOT;
}

static enum take_result try_take(struct lease *l, const struct lease_spec *spec,
                                 struct lease_taken *taken, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct holder seen = { 0 };
    bool got_lock = false;
    if (!look(l, a, &seen, e))
        return TAKE_FAILED;
    if (seen.locked_by && !spec->past_manual_lock) {
        held_by_a_person(l, &seen, e);
        return TAKE_FAILED;
    }
    if (seen.is_valid && !runner_is_gone(&l->me, seen.host_key, seen.pid, seen.pid_start)) {
        err_set(e, ERR_BLOCKED, "%s is being changed by %s; its lease runs for another %s",
                l->target, describe(a, &seen), clock_duration(a, seen.left_ms));
        err_hint(e, "wait for it, or look with: lockflight status %s", l->target);
        return TAKE_BUSY;
    }
    if (seen.name && !lease_end_backend(l, a, seen.backend_pid, seen.backend_start, e))
        return TAKE_FAILED;
    if (!lease_try_lock(l, a, &got_lock, e))
        return TAKE_FAILED;
    if (!got_lock) {
        err_set(e, ERR_BLOCKED, "another session holds Lockflight's lock on %s", pg_where(l->db));
        return TAKE_BUSY;
    }
    enum take_result result = take_row(l, spec, a, &seen, taken, e);
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
        enum take_result result = try_take(l, spec, taken, e);
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

/* ---- all at once ---- */

/* Asked with the settings of the connection. */
struct first_answers {
    struct lease *l;
    struct schema_number number;
    struct pg_rows name;
    struct err no_name;
};

static bool ask_first(void *context, struct pg *db, struct err *e)
{
    struct first_answers *x = context;
    pg_queue_part(db, &x->no_name);
    return pg_query_later(db, x->l->arena,
                          "SELECT target FROM lockflight.lease"
                          " ORDER BY taken_at DESC NULLS LAST, target LIMIT 1",
                          PG_NONE, &x->name, e) &&
           schema_number_later(db, x->l->arena, &x->number, e);
}

static bool open_connection(struct lease *l, const struct lease_spec *spec,
                            struct first_answers *ret, struct err *e)
{
    *ret = (struct first_answers){ .l = l };
    struct pg_spec pg = { .url = l->url, .purpose = "runner", .ask = ask_first, .context = ret };
    if (!pg_open(&pg, &l->db, e) || !schema_number_read(l->db, &ret->number, e))
        return false;
    if (spec->target_is_guess && ret->no_name.code == ERR_NONE && ret->name.n > 0)
        l->target = l->renewal.target = pg_value(&ret->name, 0, 0);
    return true;
}

/* Steps 2 to 4 where the lease is free. The advisory lock comes last: what fails before it leaves
 * nothing. */
static bool queue_take(struct lease *l, struct arena *a, struct taking *x, struct err *e)
{
    struct err busy = { 0 };
    (void)err_set(&busy, ERR_BLOCKED, "it is not free");
    return pg_begin(l->db, e) &&
           pg_expect(l->db, "SELECT 1 WHERE NOT EXISTS (" ELSEWHERE_SQL ")", PG_PARAMS(l->target),
                     &busy, e) &&
           pg_query_later(l->db, a, look_for_update_sql, PG_PARAMS(l->target), &x->look, e) &&
           write_row(l, a, NULL, &busy, e) && read_journal(l, a, x, e) &&
           pg_expect(l->db, "SELECT 1 WHERE pg_try_advisory_lock(" LEASE_LOCK_KEY ")", PG_NONE,
                     &busy, e) &&
           pg_commit(l->db, e);
}

/* Another runner that makes the schema at the same time makes ours fail, and what follows can work
 * all the same. TAKE_BUSY: not that simple; schema and row may be there now, nothing is taken. */
static enum take_result take_at_once(struct lease *l, const struct lease_spec *spec,
                                     const struct schema_number *number, struct lease_taken *taken,
                                     struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct taking x;
    struct holder seen;
    struct err no_schema = { 0 }, no_rows, not_taken;
    l->renewal.renewed_boot_ms = clock_boot_ms();
    pg_queue_begin(l->db);
    bool ok = schema_upgrade_later(l->db, number, spec->part, &no_schema, e);
    pg_queue_part(l->db, &no_rows);
    ok = ok && insert_rows(l, e);
    pg_queue_part(l->db, &not_taken);
    ok = ok && queue_take(l, a, &x, e) && ask_more(l, spec, e) &&
         pg_queue_end(l->db, NULL, NULL, NULL, e);
    pg_queue_drop(l->db);
    if (!ok)
        return TAKE_FAILED;
    if (not_taken.code != ERR_NONE) {
        pg_rollback(l->db);
        *e = not_taken;
        return e->code == ERR_INTERRUPTED ? TAKE_FAILED : TAKE_BUSY;
    }
    if (!read_row(l, &x.look, &seen, e))
        return TAKE_FAILED;
    got_it(l, a, &seen, &x, taken);
    return no_schema.code == ERR_NONE || schema_ensure_part(l->db, spec->part, e) ? TAKE_GOT
                                                                                  : TAKE_FAILED;
}

static bool take(struct lease *l, const struct lease_spec *spec, struct lease_taken *taken,
                 struct err *e)
{
    struct first_answers first;
    const char *holder = spec->holder;
    if (!lease_times_read(&l->renewal.times, e) || !open_connection(l, spec, &first, e) ||
        (spec->connected && !spec->connected(spec->context, &holder, e)))
        return false;
    l->holder = arena_strdup(l->arena, holder);
    enum take_result result = take_at_once(l, spec, &first.number, taken, e);
    if (result != TAKE_BUSY)
        return result == TAKE_GOT;
    err_clear(e);
    return schema_ensure_part(l->db, spec->part, e) && make_row(l, e) &&
           take_or_wait(l, spec, taken, e);
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
    l->purpose = arena_strdup(l->arena, spec->purpose);
    l->renewal = (struct heartbeat_spec){ .url = l->url, .target = l->target };
    runner_identity_read(&l->me);

    struct lease_taken taken = { 0 };
    bool ok = take(l, spec, &taken, e);
    l->renewal.epoch = l->epoch;
    if (!ok || !heartbeat_start(&l->renewal, &l->heartbeat, e)) {
        (void)err_wrap(e, "take the lease of %s", l->target);
        lease_close(l);
        return false;
    }
    *ret_taken = taken;
    *ret = l;
    return true;
}
