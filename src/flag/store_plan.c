/*
 * Segments, and changes that are planned.
 */
#include "base/cleanup.h"
#include "flag/store_inside.h"

/* ---- segments ---- */

bool flag_store_segments(struct pg *db, struct arena *a, struct flag_segment **ret, size_t *ret_n,
                         struct err *e)
{
    struct pg_rows r;
    if (!store_read(db, a,
                    "SELECT name, rule::text, version, " STORE_UNIX_MS(
                        "updated_at") ", updated_by FROM lockflight.flag_segment"
                                      " ORDER BY name COLLATE \"C\"",
                    PG_NONE, &r, e))
        return false;
    *ret = ARENA_ARRAY(a, struct flag_segment, r.n);
    *ret_n = r.n;
    for (size_t i = 0; i < r.n; i++)
        (*ret)[i] = (struct flag_segment){
            .name = pg_value(&r, i, 0),
            .rule = pg_value(&r, i, 1),
            .version = pg_int(&r, i, 2),
            .updated_unix_ms = pg_int(&r, i, 3),
            .updated_by = pg_value(&r, i, 4),
        };
    return true;
}

/* NOLINTNEXTLINE(readability-function-size): which, what, seen when, by whom, and the answer */
bool flag_store_segment_set(struct pg *db, const char *name, const json_t *rule,
                            int64_t expected_version, const struct flag_author *by,
                            int64_t *ret_version, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    const char *expected =
        expected_version == FLAG_ANY_VERSION ? NULL : store_number(a, expected_version);
    struct pg_rows r;
    if (!store_write(db, a, NULL,
                     "SELECT lockflight.flag_segment_set($1, $2::jsonb, $3::bigint, $4, $5, $6)",
                     PG_PARAMS(name, store_json(a, rule), expected, by->actor, by->via, by->reason),
                     &r, e))
        return false;
    *ret_version = pg_int(&r, 0, 0);
    return true;
}

/* ---- schedules ---- */

#define SCHEDULE                                                                                   \
    "SELECT d.id, d.flag_key, " STORE_UNIX_MS("d.run_at") ", " STORE_RFC3339(                      \
        "d.run_at") ", d.patch::text, CASE WHEN d.applied_at IS NOT NULL THEN 'applied'"           \
                    " WHEN d.cancelled_at IS NOT NULL THEN 'cancelled'"                            \
                    " WHEN d.suspended_at IS NOT NULL THEN 'suspended'"                            \
                    " WHEN d.run_at > clock_timestamp() THEN 'waiting'"                            \
                    " WHEN x.held IS NOT NULL THEN 'held' ELSE 'due' END,"                         \
                    " CASE WHEN d.suspended_at IS NOT NULL THEN format('%s changed the same by "   \
                    "hand at %s UTC,"                                                              \
                    " version %s', d.suspended_by, to_char(d.suspended_at AT TIME ZONE 'UTC',"     \
                    " 'YYYY-MM-DD HH24:MI:SS'), d.suspended_version)"                              \
                    " WHEN d.cancelled_at IS NOT NULL THEN format('cancelled by %s', "             \
                    "d.cancelled_by)"                                                              \
                    " WHEN d.applied_at IS NULL THEN coalesce(x.held, '') ELSE '' END,"            \
                    " d.base_version, d.created_by, " STORE_UNIX_MS(                               \
                        "d.created_at") ", d.reason"                                               \
                                        " FROM lockflight.flag_schedule d JOIN lockflight.flag f " \
                                        "USING (flag_key)"                                         \
                                        " JOIN lockflight.flag_state s USING (flag_key) CROSS "    \
                                        "JOIN LATERAL (SELECT CASE WHEN"                           \
                                        " lockflight.flag_may_serve(f, "                           \
                                        "lockflight.flag_patched(s, d.patch)) THEN"                \
                                        " nullif(array_to_string(lockflight.flag_missing(f.flag_"  \
                                        "key), '; '), '') END AS held) x "

static struct flag_schedule schedule_of(const struct pg_rows *r, size_t i)
{
    return (struct flag_schedule){
        .id = pg_int(r, i, 0),
        .key = pg_value(r, i, 1),
        .run_unix_ms = pg_int(r, i, 2),
        .run_at = pg_value(r, i, 3),
        .patch = pg_value(r, i, 4),
        .state = pg_value(r, i, 5),
        .detail = pg_value(r, i, 6),
        .base_version = pg_int(r, i, 7),
        .created_by = pg_value(r, i, 8),
        .created_unix_ms = pg_int(r, i, 9),
        .reason = pg_value(r, i, 10),
    };
}

/* NOLINTNEXTLINE(readability-function-size): from where, whose, which, and the list */
bool flag_store_schedules(struct pg *db, struct arena *a, const char *key, bool with_finished,
                          struct flag_schedule **ret, size_t *ret_n, struct err *e)
{
    struct pg_rows r;
    if (!store_read(db, a,
                    SCHEDULE "WHERE ($1::text IS NULL OR d.flag_key = $1) AND ($2::boolean OR"
                             " d.applied_at IS NULL AND d.cancelled_at IS NULL)"
                             " ORDER BY d.run_at, d.id",
                    PG_PARAMS(key, with_finished ? "t" : "f"), &r, e))
        return false;
    *ret = ARENA_ARRAY(a, struct flag_schedule, r.n);
    *ret_n = r.n;
    for (size_t i = 0; i < r.n; i++)
        (*ret)[i] = schedule_of(&r, i);
    return true;
}

/* NOLINTNEXTLINE(readability-function-size): which, when, what, by whom, and the answer */
bool flag_store_schedule_add(struct pg *db, const char *key, int64_t run_unix_ms,
                             const json_t *patch, const struct flag_author *by, int64_t *ret_id,
                             struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct pg_rows r;
    if (!store_write(db, a, NULL,
                     "SELECT lockflight.flag_schedule_add($1, timestamptz 'epoch' + $2::bigint *"
                     " interval '1 millisecond', $3::jsonb, $4, $5, $6)",
                     PG_PARAMS(key, store_number(a, run_unix_ms), store_json(a, patch), by->actor,
                               by->via, by->reason),
                     &r, e))
        return false;
    *ret_id = pg_int(&r, 0, 0);
    return true;
}

bool flag_store_schedule_cancel(struct pg *db, int64_t id, const struct flag_author *by,
                                struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    return store_write(db, a, NULL,
                       "SELECT lockflight.flag_schedule_cancel($1::bigint, $2, $3, $4)",
                       PG_PARAMS(store_number(a, id), by->actor, by->via, by->reason), NULL, e);
}
