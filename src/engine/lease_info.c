/*
 * The lease from outside: who holds it, and the lock that a person sets. See the end of lease.h.
 */
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/json.h"
#include "engine/event.h"
#include "engine/lease.h"
#include "engine/schema.h"

#include <stdio.h>

#define UNIX_MS(column) "(extract(epoch FROM " column ") * 1000)::bigint"

bool lease_read(struct pg *db, struct arena *a, const char *target, struct lease_info *ret,
                struct err *e)
{
    enum schema_presence presence;
    struct pg_rows r;
    *ret = (struct lease_info){ 0 };
    if (!schema_look(db, &presence, e))
        return false;
    if (presence == SCHEMA_ABSENT || presence == SCHEMA_ABSENT_BESIDE_HISTORY)
        return true;
    if (!pg_query(db, a,
                  "SELECT epoch, holder, host, purpose, pid, expires_at > "
                  "clock_timestamp(), " UNIX_MS("taken_at") ", " UNIX_MS(
                      "expires_at") ", locked_by, lock_reason, " UNIX_MS("locked_at") " FROM "
                                                                                      "lockflight."
                                                                                      "lease WHERE "
                                                                                      "target = $1",
                  PG_PARAMS(target), &r, e))
        return err_wrap(e, "read the lease of %s", target);
    if (r.n == 0)
        return true;
    bool has_holder = pg_value(&r, 0, 1) != NULL;
    *ret = (struct lease_info){
        .is_held = has_holder && pg_bool(&r, 0, 5),
        .is_expired = has_holder && !pg_bool(&r, 0, 5),
        .epoch = pg_int(&r, 0, 0),
        .holder = pg_value(&r, 0, 1),
        .host = pg_value(&r, 0, 2),
        .purpose = pg_value(&r, 0, 3),
        .pid = pg_int(&r, 0, 4),
        .taken_unix_ms = pg_int(&r, 0, 6),
        .expires_unix_ms = pg_int(&r, 0, 7),
        .is_locked = pg_value(&r, 0, 8) != NULL,
        .locked_by = pg_value(&r, 0, 8),
        .lock_reason = pg_value(&r, 0, 9),
        .locked_unix_ms = pg_int(&r, 0, 10),
    };
    return true;
}

/* Both directions: one guarded update and its event, in one transaction. */
struct lock_change {
    const char *event;
    const char *sql; /* $1 target, $2 who, $3 why; returns the epoch if it changed something */
};

static bool rows_are_there(struct pg *db, const char *target, struct err *e)
{
    return schema_ensure(db, e) &&
           pg_exec(db, "INSERT INTO lockflight.fence (target) VALUES ($1) ON CONFLICT DO NOTHING",
                   PG_PARAMS(target), NULL, e) &&
           pg_exec(db, "INSERT INTO lockflight.lease (target) VALUES ($1) ON CONFLICT DO NOTHING",
                   PG_PARAMS(target), NULL, e);
}

static bool change_inside(struct pg *db, const struct lock_change *change, struct pg_params who,
                          bool *ret_changed, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct pg_rows rows;
    if (!pg_query(db, a, change->sql, who, &rows, e))
        return false;
    *ret_changed = rows.n == 1;
    if (rows.n == 0)
        return true;
    json_auto_t *body = json_pack("{s:s*, s:s*}", "by", who.v[1], "reason", who.v[2]);
    struct event v = { .target = who.v[0],
                       .epoch = pg_int(&rows, 0, 0),
                       .type = change->event,
                       .body = json_text(a, body),
                       .nonce = random_uuid(a) };
    return event_append(db, &v, e);
}

static bool change_lock(struct pg *db, const struct lock_change *change, struct pg_params who,
                        bool *ret_changed, struct err *e)
{
    if (rows_are_there(db, who.v[0], e) && pg_begin(db, e) &&
        change_inside(db, change, who, ret_changed, e) && pg_commit(db, e))
        return true;
    pg_rollback(db);
    return false;
}

bool lease_lock(struct pg *db, const char *target, const char *by, const char *reason,
                struct err *e)
{
    static const struct lock_change set = {
        "lock.set",
        "UPDATE lockflight.lease SET locked_by = $2, lock_reason = $3, locked_at = "
        "clock_timestamp()"
        " WHERE target = $1 AND locked_by IS NULL RETURNING epoch",
    };
    bool changed = false;
    struct lease_info info;
    if (!change_lock(db, &set, PG_PARAMS(target, by, reason), &changed, e))
        return err_wrap(e, "lock %s", target);
    if (changed)
        return true;
    CLEANUP(arena) struct arena *a = arena_new(0);
    if (!lease_read(db, a, target, &info, e))
        return false;
    return err_set(e, ERR_CONFLICT, "%s is already locked by %s: %s", target,
                   info.locked_by ? info.locked_by : "?", info.lock_reason ? info.lock_reason : "");
}

bool lease_unlock(struct pg *db, const char *target, const char *by, const char *reason,
                  struct err *e)
{
    static const struct lock_change clear = {
        "lock.cleared",
        "UPDATE lockflight.lease SET locked_by = NULL, lock_reason = NULL, locked_at = NULL"
        " WHERE target = $1 AND locked_by IS NOT NULL AND ($2::text IS NOT NULL OR $3::text IS NOT "
        "NULL)"
        " RETURNING epoch",
    };
    bool changed = false;
    if (!change_lock(db, &clear, PG_PARAMS(target, by, reason), &changed, e))
        return err_wrap(e, "unlock %s", target);
    return changed ? true : err_set(e, ERR_NOT_FOUND, "%s is not locked", target);
}
