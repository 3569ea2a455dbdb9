/*
 * Flags as people see them: definition and state side by side.
 */
#include "base/nearest.h"
#include "base/str.h"
#include "flag/store_inside.h"

#include <string.h>

// clang-format off
/* In the order of the members of struct flag_row. */
#define ROW \
    "SELECT f.flag_key, f.value_type, f.variants::text, f.off_variant, f.exposure, f.kind," \
    " f.owner, f.description, f.expires_on::text, f.requires::text, f.needs::text," \
    " f.created_by_release::text, f.code_rev, " \
    STORE_UNIX_MS("f.code_removed_at") ", " STORE_UNIX_MS("f.archived_at") "," \
    " s.enabled, s.killed, s.default_variant, s.targeting::text, s.bucketing, s.version, " \
    STORE_UNIX_MS("s.updated_at") ", s.updated_by, s.updated_via, s.updated_reason," \
    " w.n, " STORE_RFC3339("w.first") ", to_jsonb(lockflight.flag_missing(f.flag_key))::text," \
    " NOT lockflight.flag_may_serve(f, s)" \
    " FROM lockflight.flag f JOIN lockflight.flag_states(clock_timestamp()) s USING (flag_key)" \
    " CROSS JOIN LATERAL (SELECT count(*) AS n, min(d.run_at) AS first" \
    "  FROM lockflight.flag_schedule d WHERE d.flag_key = f.flag_key AND d.applied_at IS NULL" \
    "  AND d.cancelled_at IS NULL AND d.suspended_at IS NULL" \
    "  AND d.run_at > clock_timestamp()) w "
// clang-format on

static struct flag_row row_of(const struct pg_rows *r, size_t i)
{
    size_t c = 0;
    return (struct flag_row){
        .key = pg_value(r, i, c++),
        .value_type = pg_value(r, i, c++),
        .variants = pg_value(r, i, c++),
        .off_variant = pg_value(r, i, c++),
        .exposure = pg_value(r, i, c++),
        .kind = pg_value(r, i, c++),
        .owner = pg_value(r, i, c++),
        .description = pg_value(r, i, c++),
        .expires_on = pg_value(r, i, c++),
        .requires = pg_value(r, i, c++),
        .needs = pg_value(r, i, c++),
        .created_by_release = pg_value(r, i, c++),
        .code_rev = pg_value(r, i, c++),
        .code_removed_unix_ms = pg_int(r, i, c++),
        .archived_unix_ms = pg_int(r, i, c++),
        .is_enabled = pg_bool(r, i, c++),
        .is_killed = pg_bool(r, i, c++),
        .default_variant = pg_value(r, i, c++),
        .targeting = pg_value(r, i, c++),
        .bucketing = (int)pg_int(r, i, c++),
        .version = pg_int(r, i, c++),
        .updated_unix_ms = pg_int(r, i, c++),
        .updated_by = pg_value(r, i, c++),
        .updated_via = pg_value(r, i, c++),
        .updated_reason = pg_value(r, i, c++),
        .schedules = pg_int(r, i, c++),
        .next_run = pg_value(r, i, c++),
        .missing = pg_value(r, i, c++),
        .serves_off_to_all = pg_bool(r, i, c++),
    };
}

bool flag_store_list(struct pg *db, struct arena *a, bool with_archived, struct flag_rows *ret,
                     struct err *e)
{
    struct pg_rows r;
    int64_t version = 0;
    if (!flag_store_version(db, &version, e) ||
        !store_read(db, a,
                    ROW "WHERE $1::boolean OR f.archived_at IS NULL ORDER BY f.flag_key COLLATE"
                        " \"C\"",
                    PG_PARAMS(with_archived ? "t" : "f"), &r, e))
        return false;
    struct flag_row *rows = ARENA_ARRAY(a, struct flag_row, r.n);
    for (size_t i = 0; i < r.n; i++)
        rows[i] = row_of(&r, i);
    *ret = (struct flag_rows){ rows, r.n, version };
    return true;
}

static bool not_found(struct pg *db, struct arena *a, const char *key, struct err *e)
{
    struct pg_rows r;
    if (!store_read(db, a,
                    "SELECT flag_key FROM lockflight.flag WHERE archived_at IS NULL"
                    " ORDER BY flag_key COLLATE \"C\"",
                    PG_NONE, &r, e))
        return false;
    struct nearest near = nearest_to(key);
    for (size_t i = 0; i < r.n; i++)
        nearest_offer(&near, pg_value(&r, i, 0));
    err_set(e, ERR_NOT_FOUND, "there is no flag \"%s\"", key);
    return near.best ? err_hint(e, "did you mean %s?", near.best)
                     : err_hint(e, "lockflight flags list");
}

static const char one_flag[] = ROW "WHERE f.flag_key = $1";

bool flag_store_get(struct pg *db, struct arena *a, const char *key, struct flag_row *ret,
                    struct err *e)
{
    struct pg_rows r;
    if (!store_read(db, a, one_flag, PG_PARAMS(key), &r, e))
        return false;
    if (r.n == 0)
        return not_found(db, a, key, e);
    *ret = row_of(&r, 0);
    return true;
}

bool flag_store_get_later(struct pg *db, struct arena *a, const char *key,
                          struct flag_question *ret, struct err *e)
{
    *ret = (struct flag_question){ .key = key };
    pg_queue_part(db, &ret->refused);
    return pg_query_later(db, a, one_flag, PG_PARAMS(key), &ret->rows, e);
}

bool flag_store_get_answer(struct pg *db, struct arena *a, const struct flag_question *q,
                           struct flag_row *ret, struct err *e)
{
    if (q->refused.code != ERR_NONE || q->rows.n == 0) /* why: asked again, by itself */
        return flag_store_get(db, a, q->key, ret, e);
    *ret = row_of(&q->rows, 0);
    return true;
}
