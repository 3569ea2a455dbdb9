#include "migrate/reverse/keep_table.h"

#include "migrate/sql/script.h"

static const char columns_sql[] =
    "WITH key AS (SELECT i.indkey::int2[] AS columns FROM pg_catalog.pg_index i"
    " WHERE i.indrelid = $1::oid AND i.indisunique AND i.indisvalid AND i.indimmediate"
    " AND i.indpred IS NULL AND i.indexprs IS NULL AND NOT EXISTS (SELECT FROM"
    "  pg_catalog.pg_attribute a WHERE a.attrelid = i.indrelid AND NOT a.attnotnull"
    "  AND a.attnum = ANY (i.indkey))"
    " ORDER BY i.indisprimary DESC, i.indnkeyatts, i.indexrelid LIMIT 1)"
    " SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),"
    " coalesce(a.attnum = ANY ((SELECT columns FROM key)::int2[]), false), a.attgenerated <> '',"
    " NOT EXISTS (SELECT FROM pg_catalog.pg_type t LEFT JOIN pg_catalog.pg_type b"
    "  ON b.oid = coalesce(nullif(t.typbasetype, 0), nullif(t.typelem, 0), t.oid)"
    "  WHERE t.oid = a.atttypid AND b.typname NOT IN ('json', 'xml', 'point', 'line', 'lseg', "
    "'box',"
    "  'path', 'polygon', 'circle') AND b.typtype <> 'c')"
    " FROM pg_catalog.pg_attribute a WHERE a.attrelid = $1::oid AND a.attnum > 0"
    " AND NOT a.attisdropped ORDER BY a.attnum";

static const char facts_sql[] =
    "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname),"
    " EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal"
    "  AND t.tgenabled IN ('O', 'A') AND t.tgtype & 17 = 17),"
    " EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal"
    "  AND t.tgenabled IN ('O', 'A'))"
    " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.oid = $1::oid";

bool keep_table_read(struct pg *db, struct arena *a, const char *oid, struct keep_table *ret,
                     struct err *e)
{
    struct pg_rows facts, columns;
    if (!pg_query(db, a, facts_sql, PG_PARAMS(oid), &facts, e) ||
        !pg_query(db, a, columns_sql, PG_PARAMS(oid), &columns, e))
        return false;
    if (facts.n == 0)
        return err_set(e, ERR_NOT_FOUND, "there is no relation with OID %s", oid);
    *ret = (struct keep_table){ .oid = oid,
                                .name = pg_value(&facts, 0, 0),
                                .has_row_triggers = pg_bool(&facts, 0, 1),
                                .has_triggers = pg_bool(&facts, 0, 2) };
    for (size_t i = 0; i < columns.n; i++) {
        *vec_add(&ret->columns, a) = (struct keep_column){
            .name = pg_value(&columns, i, 0),
            .type = pg_value(&columns, i, 1),
            .is_key = pg_bool(&columns, i, 2),
            .is_computed = pg_bool(&columns, i, 3),
            .lacks_equals = pg_bool(&columns, i, 4),
        };
        ret->has_key = ret->has_key || pg_bool(&columns, i, 2);
    }
    return true;
}

const char *keep_name(struct arena *a, const char *prefix, const char *column)
{
    return sql_quote(a, arena_printf(a, "%s%s", prefix, column));
}

const char *keep_same(struct arena *a, const struct keep_column *c, const char *left,
                      const char *right_prefix)
{
    const char *cast = c->lacks_equals ? "::text" : "";
    return arena_printf(a, "%s.%s%s IS NOT DISTINCT FROM u.%s%s", left, sql_quote(a, c->name), cast,
                        keep_name(a, right_prefix, c->name), cast);
}

const char *keep_key_match(struct arena *a, const struct keep_table *t)
{
    const char *text = "";
    for (size_t i = 0; i < t->columns.n; i++)
        if (t->columns.v[i].is_key)
            text = arena_printf(a, "%s%st.%s = u.%s", text, *text ? " AND " : "",
                                sql_quote(a, t->columns.v[i].name),
                                keep_name(a, "key_", t->columns.v[i].name));
    return text;
}
