/*
 * What releases write: definitions, attributes, and which flags the code of a deploy knows.
 */
#include "base/cleanup.h"
#include "flag/store_inside.h"

/* NOLINTNEXTLINE(readability-function-size): what, by which release and whom, and the answer */
bool flag_store_define(struct pg *db, struct arena *a, const json_t *definitions,
                       const char *release_id, const struct flag_author *by, const char **ret,
                       struct err *e)
{
    struct pg_rows r;
    if (!store_write(
            db, a, NULL, "SELECT lockflight.flag_define($1::jsonb, $2, $3::uuid, $4, $5)",
            PG_PARAMS(store_json(a, definitions), by->actor, release_id, by->via, by->reason), &r,
            e))
        return false;
    *ret = pg_value(&r, 0, 0);
    return true;
}

bool flag_store_mark_removed(struct pg *db, const char *key, const char *release_id,
                             const struct flag_author *by, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    return store_write(db, a, NULL, "SELECT lockflight.flag_removed($1, $2, $3::uuid, $4)",
                       PG_PARAMS(key, by->actor, release_id, by->via), NULL, e);
}

bool flag_store_archive(struct pg *db, const char *key, const struct flag_author *by, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    return store_write(db, a, NULL, "SELECT lockflight.flag_archive($1, $2, $3, $4)",
                       PG_PARAMS(key, by->actor, by->via, by->reason), NULL, e);
}

/* ---- what a deploy's code knows ---- */

bool flag_store_manifest_put(struct pg *db, const struct flag_manifest *m, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    return pg_exec(db,
                   "INSERT INTO lockflight.flag_manifest (deploy_id, release, code_rev, flags)"
                   " VALUES ($1, $2::uuid, $3, $4::jsonb) ON CONFLICT (deploy_id) DO UPDATE SET"
                   " release = excluded.release, code_rev = excluded.code_rev,"
                   " flags = excluded.flags, published_at = clock_timestamp()",
                   PG_PARAMS(m->deploy_id, m->release_id, m->code_rev, m->flags), NULL, e) ||
           err_wrap(e, "record which flags deploy %s knows", m->deploy_id);
}

bool flag_store_manifests(struct pg *db, struct arena *a, struct flag_manifest **ret, size_t *ret_n,
                          struct err *e)
{
    struct pg_rows r;
    if (!store_read(db, a,
                    "SELECT deploy_id, release::text, code_rev, flags::text,"
                    " " STORE_UNIX_MS("published_at") " FROM lockflight.flag_manifest"
                                                      " ORDER BY published_at DESC LIMIT $1::int",
                    PG_PARAMS(store_number(a, FLAG_MANIFESTS_KEPT)), &r, e))
        return false;
    *ret = ARENA_ARRAY(a, struct flag_manifest, r.n);
    *ret_n = r.n;
    for (size_t i = 0; i < r.n; i++)
        (*ret)[i] = (struct flag_manifest){
            .deploy_id = pg_value(&r, i, 0),
            .release_id = pg_value(&r, i, 1),
            .code_rev = pg_value(&r, i, 2),
            .flags = pg_value(&r, i, 3),
            .published_unix_ms = pg_int(&r, i, 4),
        };
    return true;
}

/* ---- attributes ---- */

bool flag_store_attribute_set(struct pg *db, const struct flag_attribute *attribute,
                              const struct flag_author *by, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    return store_write(db, a, NULL,
                       "SELECT lockflight.flag_attribute_set($1, $2, $3::boolean, $4, $5, $6)",
                       PG_PARAMS(attribute->name, attribute->type,
                                 attribute->is_trusted ? "t" : "f", by->actor, by->via, by->reason),
                       NULL, e) ||
           err_wrap(e, "attribute %s", attribute->name);
}

bool flag_store_attributes(struct pg *db, struct arena *a, struct flag_attribute **ret,
                           size_t *ret_n, struct err *e)
{
    struct pg_rows r;
    if (!store_read(db, a,
                    "SELECT name, type, trusted FROM lockflight.flag_attribute"
                    " ORDER BY name COLLATE \"C\"",
                    PG_NONE, &r, e))
        return false;
    *ret = ARENA_ARRAY(a, struct flag_attribute, r.n);
    *ret_n = r.n;
    for (size_t i = 0; i < r.n; i++)
        (*ret)[i] =
            (struct flag_attribute){ pg_value(&r, i, 0), pg_value(&r, i, 1), pg_bool(&r, i, 2) };
    return true;
}
