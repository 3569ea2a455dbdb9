/*
 * What is asked about flags without being about one row: see store.h.
 */
#include "base/json.h"
#include "flag/store_inside.h"

bool flag_store_adrift(struct pg *db, struct arena *a, const char *open_release, const char ***ret,
                       size_t *ret_n, struct err *e)
{
    struct pg_rows r;
    if (!store_read(db, a,
                    "SELECT f.flag_key FROM lockflight.flag f"
                    " JOIN lockflight.releases r ON r.id = f.needs_release"
                    " WHERE r.state <> 'committed' AND r.id IS DISTINCT FROM $1::uuid ORDER BY 1",
                    PG_PARAMS(open_release), &r, e))
        return false;
    *ret = ARENA_ARRAY(a, const char *, r.n + 1);
    *ret_n = r.n;
    for (size_t i = 0; i < r.n; i++)
        (*ret)[i] = pg_value(&r, i, 0);
    return true;
}

/* All writers wait for one row; whoever has the oldest transaction there is in the way. */
bool flag_store_writer(struct pg *db, struct arena *a, struct flag_writer *ret, struct err *e)
{
    struct pg_rows r;
    *ret = (struct flag_writer){ 0 };
    if (!store_read(db, a,
                    "SELECT a.pid, a.application_name, a.usename,"
                    " (extract(epoch FROM clock_timestamp() - a.xact_start) * 1000)::bigint"
                    " FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a USING (pid)"
                    " WHERE l.relation = 'lockflight.flag_set'::regclass AND l.granted"
                    " AND l.mode IN ('RowShareLock', 'RowExclusiveLock')"
                    " AND a.pid <> pg_catalog.pg_backend_pid() ORDER BY a.xact_start LIMIT 1",
                    PG_NONE, &r, e))
        return false;
    if (r.n > 0)
        *ret = (struct flag_writer){ pg_value(&r, 0, 0), pg_value(&r, 0, 1), pg_value(&r, 0, 2),
                                     pg_int(&r, 0, 3) };
    return true;
}

bool flag_store_policies(struct pg *db, struct arena *a, struct flag_policy **ret, size_t *ret_n,
                         struct err *e)
{
    struct pg_rows r;
    if (!store_read(db, a,
                    "SELECT schemaname || '.' || tablename, policyname, qual, with_check"
                    " FROM pg_catalog.pg_policies"
                    " WHERE concat(qual, ' ', with_check) ~ '(is_on|module_enabled)\\s*\\('"
                    " ORDER BY 1, 2",
                    PG_NONE, &r, e))
        return false;
    *ret = ARENA_ARRAY(a, struct flag_policy, r.n + 1);
    *ret_n = r.n;
    for (size_t i = 0; i < r.n; i++)
        (*ret)[i] = (struct flag_policy){ pg_value(&r, i, 0),
                                          pg_value(&r, i, 1),
                                          { pg_value(&r, i, 2), pg_value(&r, i, 3) } };
    return true;
}

bool flag_store_is_on_reads(struct pg *db, struct arena *a, const json_t *conditions,
                            const json_t *shares, bool *ret, struct err *e)
{
    struct pg_rows r;
    if (!store_read(db, a,
                    "SELECT NOT EXISTS (SELECT FROM pg_catalog.jsonb_array_elements($1::jsonb) c"
                    "  WHERE lockflight.flag_condition(c, 'u') IS NULL)"
                    " AND NOT EXISTS (SELECT FROM pg_catalog.jsonb_array_elements($2::jsonb) s"
                    "  WHERE lockflight.flag_fractional(s, 'k', 'u') IS NULL)",
                    PG_PARAMS(json_text(a, conditions), json_text(a, shares)), &r, e))
        return false;
    *ret = r.n > 0 && pg_bool(&r, 0, 0);
    return true;
}
