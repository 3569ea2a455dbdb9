#include "migrate/apply/index_state.h"

#include "base/cleanup.h"
#include "base/vec.h"

#include <pg_query.h>
#include <stdio.h>

/* Everything that makes an index what it is, but its name, its table's name and its place on disk.
 */
#define PARTS_SQL                                                                                  \
    "concat_ws('|', i.indisunique, coalesce(to_jsonb(i) ->> 'indnullsnotdistinct', 'false'),"      \
    " am.amname, i.indnkeyatts, i.indoption, i.indclass, i.indcollation,"                          \
    " coalesce(c.reloptions::text, ''), coalesce(pg_get_expr(i.indpred, i.indrelid), ''),"         \
    " (SELECT string_agg(pg_get_indexdef(i.indexrelid, k, false), ',' ORDER BY k)"                 \
    "  FROM generate_series(1, i.indnatts) k))"

/* An index that may be the wanted one. */
struct candidate {
    const char *oid, *name; /* the name as SQL */
    const char *parts;      /* NULL: it is no index */
    bool is_whole, is_on_table, was_there;
};

typedef VEC(struct candidate) candidate_vec;

/* ---- looking up ---- */

/* The table's oid in the file's own search path; NULL if there is none. */
static bool table_of(struct beside *b, const PgQuery__IndexStmt *s, const char **ret, struct err *e)
{
    struct pg_rows r;
    if (!pg_query(b->session, b->a, "SELECT to_regclass($1)::oid",
                  PG_PARAMS(sql_name_text(b->a, tree_range(s->relation))), &r, e))
        return false;
    *ret = pg_value(&r, 0, 0);
    return true;
}

bool index_list(struct beside *b, const PgQuery__IndexStmt *s, json_t **ret, struct err *e)
{
    const char *table;
    struct pg_rows r = { 0 };
    if (!table_of(b, s, &table, e) ||
        !pg_query(b->session, b->a,
                  "SELECT indexrelid FROM pg_catalog.pg_index WHERE indrelid = $1",
                  PG_PARAMS(table), &r, e))
        return false;
    *ret = json_array();
    for (size_t i = 0; i < r.n; i++)
        (void)json_array_append_new(*ret, json_string(pg_value(&r, i, 0)));
    return true;
}

static bool is_in(const json_t *list, const char *oid)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (streq(json_string_value(json_array_get(list, i)), oid))
            return true;
    return false;
}

/* With a name: whatever has it. Without: all indexes of the table. */
static bool candidates(struct beside *b, const PgQuery__IndexStmt *s, const json_t *before,
                       candidate_vec *ret, struct err *e)
{
    struct pg_rows r;
    const char *table;
    if (!table_of(b, s, &table, e))
        return false;
    if (!table)
        return true;
    if (!pg_query(b->session, b->a,
                  "SELECT c.oid, format('%I.%I', n.nspname, c.relname),"
                  " CASE WHEN i.indexrelid IS NOT NULL THEN " PARTS_SQL " END,"
                  " i.indisvalid AND i.indisready AND i.indislive, i.indrelid = t.oid"
                  " FROM pg_catalog.pg_class t JOIN pg_catalog.pg_class c"
                  " ON c.relnamespace = t.relnamespace JOIN pg_catalog.pg_namespace n"
                  " ON n.oid = c.relnamespace LEFT JOIN pg_catalog.pg_index i"
                  " ON i.indexrelid = c.oid LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam"
                  " WHERE t.oid = $1 AND CASE WHEN $2::text IS NULL THEN i.indrelid = t.oid"
                  " ELSE c.relname = $2::name END ORDER BY c.oid",
                  PG_PARAMS(table, tree_text(s->idxname)), &r, e))
        return false;
    for (size_t i = 0; i < r.n; i++)
        *vec_add(ret, b->a) = (struct candidate){
            .oid = pg_value(&r, i, 0),
            .name = pg_value(&r, i, 1),
            .parts = pg_value(&r, i, 2),
            .is_whole = pg_bool(&r, i, 3),
            .is_on_table = pg_bool(&r, i, 4),
            .was_there = before && is_in(before, pg_value(&r, i, 0)),
        };
    return true;
}

/* ---- what it should be ---- */

/* The same statement for the empty copy, as SQL; NULL if it cannot be written. */
static char *statement_for_copy(struct arena *a, const PgQuery__IndexStmt *s)
{
    PgQuery__RangeVar copy = PG_QUERY__RANGE_VAR__INIT;
    char schema[] = "pg_temp", table[] = "lockflight_copy", name[] = "lockflight_copy_index";
    char persistence[] = "p";
    copy.schemaname = schema;
    copy.relname = table;
    copy.inh = 1;
    copy.relpersistence = persistence;
    PgQuery__IndexStmt index = *s;
    index.relation = &copy;
    index.idxname = name;
    index.concurrent = 0;
    index.if_not_exists = 0;
    PgQuery__Node node = PG_QUERY__NODE__INIT;
    node.node_case = PG_QUERY__NODE__NODE_INDEX_STMT;
    node.index_stmt = &index;
    PgQuery__RawStmt raw = PG_QUERY__RAW_STMT__INIT;
    raw.stmt = &node;
    PgQuery__RawStmt *statements[] = { &raw };
    PgQuery__ParseResult tree = PG_QUERY__PARSE_RESULT__INIT;
    tree.n_stmts = 1;
    tree.stmts = statements;
    size_t bytes = protobuf_c_message_get_packed_size(&tree.base);
    char *packed = arena_alloc(a, bytes);
    (void)protobuf_c_message_pack(&tree.base, (uint8_t *)packed);
    PgQueryDeparseResult text =
        pg_query_deparse_protobuf((PgQueryProtobuf){ .len = bytes, .data = packed });
    char *sql = text.error ? NULL : arena_strdup(a, text.query);
    pg_query_free_deparse_result(text);
    return sql;
}

static bool build_copy(struct beside *b, const PgQuery__IndexStmt *s, const char *sql,
                       const char **ret, struct err *e)
{
    struct pg_rows r;
    const char *copy = arena_printf(b->a, "CREATE TEMP TABLE lockflight_copy (LIKE %s)",
                                    sql_name_text(b->a, tree_range(s->relation)));
    if (!pg_begin(b->session, e) || !pg_run(b->session, copy, NULL, e) ||
        !pg_run(b->session, sql, NULL, e) ||
        !pg_query(b->session, b->a,
                  "SELECT " PARTS_SQL " FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c"
                  " ON c.oid = i.indexrelid JOIN pg_catalog.pg_am am ON am.oid = c.relam"
                  " WHERE c.oid = 'pg_temp.lockflight_copy_index'::regclass",
                  PG_NONE, &r, e))
        return false;
    *ret = pg_value(&r, 0, 0);
    return true;
}

/* The parts that the statement would make; *ret NULL if they cannot be found out (no right to make
 * temporary tables). */
static bool wanted_parts(struct beside *b, const PgQuery__IndexStmt *s, const char **ret,
                         struct err *e)
{
    const char *sql = statement_for_copy(b->a, s);
    *ret = NULL;
    if (!sql)
        return true;
    bool ok = build_copy(b, s, sql, ret, e);
    pg_rollback(b->session);
    if (!ok && e->code == ERR_DB)
        err_clear(e);
    return ok || e->code == ERR_NONE;
}

/* ---- judging ---- */

static bool something_else(const PgQuery__IndexStmt *s, const struct candidate *c, struct err *e)
{
    (void)s;
    err_set(e, ERR_CONFLICT, "%s is there already and is not what this statement would make",
            c->name);
    return err_hint(e, "compare: SELECT pg_get_indexdef('%s'::regclass); then drop or rename it",
                    c->name);
}

/* Its own work of an earlier attempt: it was not there before, so nobody else is meant by its name. */
static bool is_ours(const struct candidate *c, const json_t *before)
{
    return before && !c->was_there;
}

bool index_look(struct beside *b, const PgQuery__IndexStmt *s, const json_t *before,
                enum found *ret, struct err *e)
{
    candidate_vec list = { 0 };
    const char *wanted;
    *ret = FOUND_NOTHING;
    if (!candidates(b, s, before, &list, e))
        return false;
    bool has_name = tree_text(s->idxname) != NULL;
    if (list.n == 0 || (!has_name && !before))
        return true;
    if (!wanted_parts(b, s, &wanted, e))
        return false;
    for (size_t i = 0; i < list.n; i++) {
        const struct candidate *c = &list.v[i];
        bool is_same = c->is_on_table && (wanted ? streq(c->parts, wanted) : is_ours(c, before));
        if (!has_name && (!is_same || c->was_there))
            continue;
        if (is_same && c->is_whole) {
            *ret = FOUND_DONE;
            return true;
        }
        if (!c->parts || (!is_same && (c->is_whole || !is_ours(c, before))))
            return something_else(s, c, e);
        *ret = FOUND_BROKEN;
    }
    return true;
}

/* ---- removing ---- */

/* Whoever builds it now: another session, or the one that an earlier runner left. */
static bool wait_for_builder(struct beside *b, const char *oid, struct err *e)
{
    struct pg_rows r;
    do {
        if (!pg_query(b->db, b->a,
                      "SELECT a.pid, a.backend_start FROM pg_stat_progress_create_index p"
                      " JOIN pg_stat_activity a ON a.pid = p.pid WHERE p.index_relid = $1 LIMIT 1",
                      PG_PARAMS(oid), &r, e))
            return false;
        if (r.n > 0 && !beside_follow(b, pg_int(&r, 0, 0), pg_value(&r, 0, 1), true, e))
            return false;
    } while (r.n > 0);
    return true;
}

bool index_drop(struct beside *b, const char *oid, const char *name, struct err *e)
{
    struct pg_rows r;
    if (!wait_for_builder(b, oid, e) ||
        !pg_query(b->session, b->a,
                  "SELECT NOT (indisvalid AND indisready AND indislive) FROM pg_catalog.pg_index"
                  " WHERE indexrelid = $1",
                  PG_PARAMS(oid), &r, e))
        return false;
    if (r.n == 0 || !pg_bool(&r, 0, 0))
        return true; /* gone, or finished by whom we waited for */
    beside_say(b, "%s: removing the broken index %s", b->what, name);
    return beside_run(b, arena_printf(b->a, "DROP INDEX CONCURRENTLY IF EXISTS %s", name), NULL,
                      e) ||
           err_wrap(e, "remove the broken index %s", name);
}

bool index_clean(struct beside *b, const PgQuery__IndexStmt *s, const json_t *before, struct err *e)
{
    candidate_vec list = { 0 };
    const char *wanted = NULL;
    if (!candidates(b, s, before, &list, e))
        return false;
    if (!tree_text(s->idxname) && !wanted_parts(b, s, &wanted, e))
        return false;
    for (size_t i = 0; i < list.n; i++) {
        const struct candidate *c = &list.v[i];
        bool is_meant = tree_text(s->idxname) || (!c->was_there && streq(c->parts, wanted));
        if (c->parts && c->is_on_table && !c->is_whole && is_meant &&
            !index_drop(b, c->oid, c->name, e))
            return false;
    }
    return true;
}

/* ---- what stands in the way of a unique index ---- */

#define DUPLICATES_SHOWN 5

/* The keys that are there more than once, counted with the broken index's own expressions. */
static const char *duplicates(struct beside *b, const struct candidate *c)
{
    struct pg_rows q, r;
    struct err ignored = { 0 };
    if (!pg_query(
            b->session, b->a,
            "SELECT format('SELECT %1$s, count(*) FROM %2$s%3$s GROUP BY %4$s HAVING count(*) > 1"
            " ORDER BY count(*) DESC, 1 LIMIT 6', format('concat_ws('', '', %s)', k.list),"
            " i.indrelid::regclass, coalesce(' WHERE ' || pg_get_expr(i.indpred, i.indrelid), ''),"
            " k.list) FROM pg_catalog.pg_index i, LATERAL (SELECT string_agg(pg_get_indexdef("
            "i.indexrelid, n, false), ', ' ORDER BY n) AS list"
            " FROM generate_series(1, i.indnkeyatts) n) k WHERE i.indexrelid = $1",
            PG_PARAMS(c->oid), &q, &ignored) ||
        q.n == 0 || !pg_query(b->session, b->a, pg_value(&q, 0, 0), PG_NONE, &r, &ignored) ||
        r.n == 0)
        return NULL;
    const char *text = "";
    for (size_t i = 0; i < r.n && i < DUPLICATES_SHOWN; i++)
        text = arena_printf(b->a, "%s%s(%s) %s times", text, i ? ", " : "", pg_value(&r, i, 0),
                            pg_value(&r, i, 1));
    return r.n > DUPLICATES_SHOWN ? arena_printf(b->a, "%s, …", text) : text;
}

void index_explain_duplicates(struct beside *b, const PgQuery__IndexStmt *s, const json_t *before,
                              struct err *e)
{
    candidate_vec list = { 0 };
    struct err ignored = { 0 };
    if (!streq(e->sqlstate, "23505") || !candidates(b, s, before, &list, &ignored))
        return;
    for (size_t i = 0; i < list.n; i++) {
        const struct candidate *c = &list.v[i];
        if (!c->parts || c->is_whole || c->was_there)
            continue;
        const char *keys = duplicates(b, c);
        if (!keys)
            return;
        size_t n = strlen(e->why);
        (void)snprintf(e->why + n, sizeof e->why - n, "\nthere more than once: %s", keys);
        err_hint(e, "make these rows unique, then run it again; the index was taken away");
        return;
    }
}
