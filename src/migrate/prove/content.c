#include "migrate/prove/content.h"

#include "base/limits.h"
#include "base/vec.h"

#define ROWS_COMPARED "20000" /* of one table; a scratch database holds what migrations inserted */

/* Ordinary tables; of a partitioned one its partitions, because a partition that comes or goes takes
 * its rows along. */
static const char tables_sql[] =
    "SELECT DISTINCT c.oid::int8::text, format('%I.%I', n.nspname, c.relname)"
    " FROM unnest($1::oid[]) o"
    " CROSS JOIN LATERAL (SELECT o UNION SELECT relid FROM pg_partition_tree(o::regclass)) p(oid)"
    " JOIN pg_class c ON c.oid = p.oid JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relkind = 'r' AND c.relpersistence <> 't'"
    " AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
    " AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0"
    "  AND NOT attisdropped) ORDER BY 2";

static const char columns_sql[] =
    "SELECT a.attrelid::int8::text, a.attnum, a.attname FROM pg_attribute a"
    " WHERE a.attrelid = ANY($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1, 2";

bool content_tables(struct pg *db, struct arena *a, const char *const *oids, size_t n,
                    struct content_tables *ret, struct err *e)
{
    struct pg_rows r;
    *ret = (struct content_tables){ 0 };
    if (!pg_query(db, a, tables_sql, PG_PARAMS(pg_text_array(a, oids, n)), &r, e))
        return false;
    const char **of = ARENA_ARRAY(a, const char *, r.n + 1);
    ret->v = ARENA_ARRAY(a, struct content_table, r.n + 1);
    ret->n = r.n;
    for (size_t i = 0; i < r.n; i++) {
        ret->v[i] = (struct content_table){ .oid = pg_value(&r, i, 0), .name = pg_value(&r, i, 1) };
        of[i] = ret->v[i].oid;
    }
    return pg_query(db, a, columns_sql, PG_PARAMS(pg_text_array(a, of, r.n)), &ret->shape, e);
}

/* ---- how they are read now ---- */

/* A table and a column are known by where the server keeps them, and by their name if they were made
 * again. NULL: a column of the shape is not there. */
static const char queries_sql[] =
    "WITH t AS (SELECT t.oid AS was, coalesce(c.oid, to_regclass(t.name)) AS oid, t.n"
    "  FROM unnest($1::oid[], $2::text[]) WITH ORDINALITY AS t(oid, name, n)"
    "  LEFT JOIN pg_class c ON c.oid = t.oid),"
    " k AS (SELECT t.n AS t, k.n, k.num, t.oid, coalesce(a.attname, b.attname) AS name,"
    "  coalesce(a.atttypid, b.atttypid) AS type"
    "  FROM unnest($3::oid[], $4::int2[], $5::text[]) WITH ORDINALITY AS k(oid, num, name, n)"
    "  JOIN t ON t.was = k.oid"
    "  LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.num AND NOT a.attisdropped"
    "   AND t.oid = k.oid"
    "  LEFT JOIN pg_attribute b ON a.attname IS NULL AND b.attrelid = t.oid"
    "   AND b.attname = k.name AND NOT b.attisdropped)"
    " SELECT CASE WHEN bool_and(k.name IS NOT NULL) THEN"
    "  'SELECT md5(ROW(' || string_agg(format(CASE WHEN $6::boolean AND y.typtype = 'e'"
    "   THEN 'array_position(enum_range(NULL::%2$s), %1$I)::text' ELSE '%1$I::text' END, "
    "coalesce(k.name, ''),"
    "   y.oid::regtype), ', ' ORDER BY k.n) || ')::text) COLLATE \"C\" FROM ONLY '"
    "  || max(k.oid)::regclass || ' ORDER BY 1 LIMIT " ROWS_COMPARED "' END,"
    "  CASE WHEN bool_and(k.name IS NOT NULL) THEN"
    "  'SELECT v.key FROM (SELECT ' || string_agg(format('count(%I) AS c%s', coalesce(k.name, ''), "
    "k.n), ', ')"
    "  || ' FROM ONLY ' || max(k.oid)::regclass || ') AS n CROSS JOIN LATERAL (VALUES '"
    "  || string_agg(format('(''%s.%s'', n.c%s)', k.oid, k.num, k.n), ', ')"
    "  || ') AS v(key, n) WHERE v.n = 0' END"
    " FROM k JOIN t ON t.n = k.t LEFT JOIN pg_type y ON y.oid = k.type GROUP BY t.n ORDER BY t.n";

static bool queries(struct pg *db, struct arena *a, const struct content_tables *t, bool by_place,
                    struct pg_rows *ret, struct err *e)
{
    size_t n = t->n > t->shape.n ? t->n : t->shape.n;
    const char **list[5];
    for (size_t i = 0; i < 5; i++)
        list[i] = ARENA_ARRAY(a, const char *, n + 1);
    for (size_t i = 0; i < t->n; i++) {
        list[0][i] = t->v[i].oid;
        list[1][i] = t->v[i].name;
    }
    for (size_t i = 0; i < t->shape.n; i++)
        for (size_t k = 0; k < 3; k++)
            list[2 + k][i] = pg_value(&t->shape, i, k);
    return pg_query(db, a, queries_sql,
                    PG_PARAMS(pg_text_array(a, list[0], t->n), pg_text_array(a, list[1], t->n),
                              pg_text_array(a, list[2], t->shape.n),
                              pg_text_array(a, list[3], t->shape.n),
                              pg_text_array(a, list[4], t->shape.n), by_place ? "true" : "false"),
                    ret, e);
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
                  bool by_place, struct content *ret, struct err *e)
{
    struct pg_rows how;
    *ret = (struct content){ .of = ARENA_ARRAY(a, struct pg_rows, tables->n + 1),
                             .is_readable = ARENA_ARRAY(a, bool, tables->n + 1) };
    if (!queries(db, a, tables, by_place, &how, e))
        return err_wrap(e, "look at the tables");
    for (size_t i = 0; i < how.n; i++)
        if (pg_value(&how, i, 0) &&
            !read_one(db, a, pg_value(&how, i, 0), &ret->of[i], &ret->is_readable[i], e))
            return err_wrap(e, "read the rows of %s", tables->v[i].name);
    return true;
}

bool content_blind(struct pg *db, struct arena *a, const struct content_tables *tables,
                   struct pg_rows *ret, struct err *e)
{
    VEC(const char *) keys = { 0 };
    struct pg_rows how;
    if (!queries(db, a, tables, false, &how, e))
        return false;
    for (size_t i = 0; i < how.n; i++) {
        struct pg_rows r = { 0 };
        bool ignored;
        if (pg_value(&how, i, 1) && !read_one(db, a, pg_value(&how, i, 1), &r, &ignored, e))
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

void content_without(struct arena *a, const struct content_tables *tables, struct content *x,
                     const struct content *y)
{
    for (size_t i = 0; i < tables->n; i++) {
        struct pg_rows *of = &x->of[i];
        const struct pg_rows *others = &y->of[i];
        VEC(const char *) rest = { 0 };
        for (size_t k = 0, m = 0; k < of->n;) {
            int order = m == others->n ? -1 : strcmp(pg_value(of, k, 0), pg_value(others, m, 0));
            if (order < 0)
                *vec_add(&rest, a) = pg_value(of, k, 0);
            k += order <= 0;
            m += order >= 0;
        }
        *of = (struct pg_rows){ .n = rest.n, .columns = 1, .v = rest.v };
    }
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
