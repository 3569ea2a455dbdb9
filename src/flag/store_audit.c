/*
 * What happened to flags, and how often each variant was served.
 */
#include "base/cleanup.h"
#include "flag/store_inside.h"

/* ---- the audit ---- */

#define ENTRY                                                                                      \
    "SELECT seq, " STORE_UNIX_MS("at") ", config_version, actor, via, reason, action, flag_key,"   \
                                       " object, old::text, new::text FROM lockflight.flag_audit "

static struct flag_audit entry_of(const struct pg_rows *r, size_t i)
{
    return (struct flag_audit){
        .seq = pg_int(r, i, 0),
        .at_unix_ms = pg_int(r, i, 1),
        .config_version = pg_int(r, i, 2),
        .actor = pg_value(r, i, 3),
        .via = pg_value(r, i, 4),
        .reason = pg_value(r, i, 5),
        .action = pg_value(r, i, 6),
        .key = pg_value(r, i, 7),
        .object = pg_value(r, i, 8),
        .old_image = pg_value(r, i, 9),
        .new_image = pg_value(r, i, 10),
    };
}

/* NOLINTNEXTLINE(readability-function-size): from where, whose, which page, and the list */
bool flag_store_history(struct pg *db, struct arena *a, const char *key, int64_t before_seq,
                        int limit, struct flag_audit **ret, size_t *ret_n, struct err *e)
{
    struct pg_rows r;
    const char *before = before_seq ? store_number(a, before_seq) : NULL;
    if (!store_read(db, a,
                    ENTRY "WHERE ($1::text IS NULL OR flag_key = $1)"
                          " AND ($2::bigint IS NULL OR seq < $2::bigint)"
                          " ORDER BY seq DESC LIMIT $3::int",
                    PG_PARAMS(key, before, store_number(a, limit > 0 ? limit : FLAG_HISTORY_PAGE)),
                    &r, e))
        return false;
    *ret = ARENA_ARRAY(a, struct flag_audit, r.n);
    *ret_n = r.n;
    for (size_t i = 0; i < r.n; i++)
        (*ret)[i] = entry_of(&r, i);
    return true;
}

bool flag_store_audit(struct pg *db, struct arena *a, int64_t seq, struct flag_audit *ret,
                      struct err *e)
{
    struct pg_rows r;
    if (!store_read(db, a, ENTRY "WHERE seq = $1::bigint", PG_PARAMS(store_number(a, seq)), &r, e))
        return false;
    if (r.n == 0) {
        err_set(e, ERR_NOT_FOUND, "there is no entry %lld in the history of flags", (long long)seq);
        return err_hint(e, "lockflight flags history");
    }
    *ret = entry_of(&r, 0);
    return true;
}

/* ---- usage ---- */

bool flag_store_usage_add(struct pg *db, const struct flag_use *uses, size_t n, struct err *e)
{
    if (n == 0)
        return true;
    CLEANUP(arena) struct arena *a = arena_new(0);
    json_auto_t *batch = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(batch, json_pack("{s:s, s:s, s:I}", "k", uses[i].key, "v",
                                               uses[i].variant, "n", (json_int_t)uses[i].n));
    return store_write(db, a, NULL, "SELECT lockflight.flag_usage_add($1::jsonb)",
                       PG_PARAMS(store_json(a, batch)), NULL, e) ||
           err_wrap(e, "count what was served");
}

bool flag_store_usage(struct pg *db, struct arena *a, int days, struct flag_use **ret,
                      size_t *ret_n, struct err *e)
{
    struct pg_rows r;
    if (!store_read(db, a,
                    "SELECT flag_key, variant, sum(n)::bigint FROM lockflight.flag_usage"
                    " WHERE day > (clock_timestamp() AT TIME ZONE 'UTC')::date - $1::int"
                    " GROUP BY 1, 2 ORDER BY flag_key COLLATE \"C\", variant COLLATE \"C\"",
                    PG_PARAMS(store_number(a, days)), &r, e))
        return false;
    *ret = ARENA_ARRAY(a, struct flag_use, r.n);
    *ret_n = r.n;
    for (size_t i = 0; i < r.n; i++)
        (*ret)[i] = (struct flag_use){ pg_value(&r, i, 0), pg_value(&r, i, 1), pg_int(&r, i, 2) };
    return true;
}
