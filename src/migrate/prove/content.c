#include "migrate/prove/content.h"

#include "base/limits.h"
#include "base/vec.h"

#define ROWS_COMPARED "20000" /* of one table; a scratch database holds what migrations inserted */

bool content_tables(struct pg *db, struct arena *a, const char *const *oids, size_t n,
                    struct content_tables *ret, struct err *e)
{
    struct pg_rows r;
    if (!pg_query(
            db, a,
            "SELECT c.oid, format('%I.%I', n.nspname, c.relname),"
            " 'SELECT md5(ROW(' || string_agg(format('%I::text', a.attname), ', ' ORDER BY "
            "a.attnum)"
            "  || ')::text) COLLATE \"C\" FROM ' || format('%I.%I', n.nspname, c.relname)"
            "  || ' ORDER BY 1 LIMIT " ROWS_COMPARED "'"
            " , 'SELECT v.key FROM (SELECT ' || string_agg(format('count(%I) AS c%s', a.attname,"
            "  a.attnum), ', ') || ' FROM ' || format('%I.%I', n.nspname, c.relname) || ') AS n"
            "  CROSS JOIN LATERAL (VALUES ' || string_agg(format('(''%s.%s'', n.c%s)', c.oid,"
            "  a.attnum, a.attnum), ', ') || ') AS v(key, n) WHERE v.n = 0'"
            " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
            " WHERE c.oid = ANY($1::oid[]) AND c.relkind IN ('r', 'p')"
            " AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
            " AND c.relpersistence <> 't'"
            " GROUP BY 1, n.nspname, c.relname ORDER BY 2",
            PG_PARAMS(pg_text_array(a, oids, n)), &r, e))
        return false;
    *ret = (struct content_tables){ .v = ARENA_ARRAY(a, struct content_table, r.n + 1), .n = r.n };
    for (size_t i = 0; i < r.n; i++)
        ret->v[i] = (struct content_table){ pg_value(&r, i, 0), pg_value(&r, i, 1),
                                            pg_value(&r, i, 2), pg_value(&r, i, 3) };
    return true;
}

/* One table; what cannot be read is no failure of ours. */
static bool read_one(struct pg *db, struct arena *a, const char *query, struct pg_rows *ret,
                     bool *ret_is_readable, struct err *e)
{
    bool inside = pg_in_transaction(db);
    struct err why = { 0 };
    if (inside && !pg_exec(db, "SAVEPOINT lockflight_content", PG_NONE, NULL, e))
        return false;
    *ret_is_readable = pg_query(db, a, query, PG_NONE, ret, &why);
    if (!*ret_is_readable && why.code != ERR_DB) {
        *e = why;
        return false;
    }
    return !inside || pg_exec(db,
                              *ret_is_readable ? "RELEASE lockflight_content"
                                               : "ROLLBACK TO lockflight_content",
                              PG_NONE, NULL, e);
}

bool content_read(struct pg *db, struct arena *a, const struct content_tables *tables,
                  struct content *ret, struct err *e)
{
    *ret = (struct content){ .of = ARENA_ARRAY(a, struct pg_rows, tables->n + 1),
                             .is_readable = ARENA_ARRAY(a, bool, tables->n + 1) };
    for (size_t i = 0; i < tables->n; i++)
        if (!read_one(db, a, tables->v[i].query, &ret->of[i], &ret->is_readable[i], e))
            return err_wrap(e, "read the rows of %s", tables->v[i].name);
    return true;
}

bool content_blind(struct pg *db, struct arena *a, const struct content_tables *tables,
                   struct pg_rows *ret, struct err *e)
{
    VEC(const char *) keys = { 0 };
    for (size_t i = 0; i < tables->n; i++) {
        struct pg_rows r = { 0 };
        bool ignored;
        if (!read_one(db, a, tables->v[i].blind_query, &r, &ignored, e))
            return false;
        for (size_t k = 0; k < r.n; k++)
            *vec_add(&keys, a) = pg_value(&r, k, 0);
    }
    *ret = (struct pg_rows){ .n = keys.n, .columns = 1, .v = keys.v };
    return true;
}

/* Both are sorted: a merge. Counts rows of x that y lacks. */
static size_t lacking(const struct pg_rows *x, const struct pg_rows *y)
{
    size_t count = 0;
    for (size_t i = 0, k = 0; i < x->n;) {
        int order = k == y->n ? -1 : strcmp(pg_value(x, i, 0), pg_value(y, k, 0));
        count += order < 0;
        i += order <= 0;
        k += order >= 0;
    }
    return count;
}

const char *content_lost(const struct content_tables *tables, const struct content *before,
                         const struct content *after, bool exactly, size_t *ret_rows)
{
    for (size_t i = 0; i < tables->n; i++) {
        if (!before->is_readable[i])
            continue;
        size_t lost =
            after->is_readable[i] ? lacking(&before->of[i], &after->of[i]) : before->of[i].n;
        if (lost == 0 && exactly && after->is_readable[i])
            lost = lacking(&after->of[i], &before->of[i]);
        if (lost > 0) {
            *ret_rows = lost;
            return tables->v[i].name;
        }
    }
    return NULL;
}
