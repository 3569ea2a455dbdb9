#include "migrate/apply/recover.h"

#include "base/cleanup.h"
#include "migrate/apply/index_state.h"
#include "migrate/sql/tree.h"

#define NODE(name) PG_QUERY__NODE__NODE_##name

/* ---- CREATE INDEX CONCURRENTLY ---- */

static bool index_before(struct beside *b, const PgQuery__Node *n, json_t *before, struct err *e)
{
    json_t *list = NULL;
    return index_list(b, n->index_stmt, &list, e) &&
           json_object_set_new(before, "indexes", list) == 0;
}

static bool create_index_look(struct beside *b, const PgQuery__Node *n, const json_t *before,
                              enum found *ret, struct err *e)
{
    return index_look(b, n->index_stmt, json_object_get(before, "indexes"), ret, e);
}

static bool create_index_clean(struct beside *b, const PgQuery__Node *n, const json_t *before,
                               struct err *e)
{
    return index_clean(b, n->index_stmt, json_object_get(before, "indexes"), e);
}

/* ---- what is there or not: one query each ---- */

/* True if the thing is there. */
static bool ask(struct beside *b, const char *sql, const char *name, bool *ret, struct err *e)
{
    struct pg_rows r;
    if (!pg_query(b->session, b->a, sql, PG_PARAMS(name), &r, e))
        return false;
    *ret = r.n > 0 && pg_bool(&r, 0, 0);
    return true;
}

#define INDEX_EXISTS      "SELECT to_regclass($1) IS NOT NULL"
#define DATABASE_EXISTS   "SELECT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = $1)"
#define TABLESPACE_EXISTS "SELECT EXISTS (SELECT FROM pg_catalog.pg_tablespace WHERE spcname = $1)"
#define SUBSCRIPTION_EXISTS                                                                        \
    "SELECT EXISTS (SELECT FROM pg_catalog.pg_subscription s JOIN pg_catalog.pg_database d"        \
    " ON d.oid = s.subdbid WHERE d.datname = current_database() AND s.subname = $1)"

/* What is asked about, and whether the statement makes it or takes it away. */
static bool question(struct arena *a, const PgQuery__Node *n, const char **ret_sql,
                     const char **ret_name, bool *ret_is_drop)
{
    *ret_is_drop = false;
    if (n->node_case == NODE(CREATEDB_STMT)) {
        *ret_sql = DATABASE_EXISTS;
        *ret_name = n->createdb_stmt->dbname;
    } else if (n->node_case == NODE(CREATE_TABLE_SPACE_STMT)) {
        *ret_sql = TABLESPACE_EXISTS;
        *ret_name = n->create_table_space_stmt->tablespacename;
    } else if (n->node_case == NODE(CREATE_SUBSCRIPTION_STMT)) {
        *ret_sql = SUBSCRIPTION_EXISTS;
        *ret_name = n->create_subscription_stmt->subname;
    } else {
        *ret_is_drop = true;
        if (n->node_case == NODE(DROPDB_STMT)) {
            *ret_sql = DATABASE_EXISTS;
            *ret_name = n->dropdb_stmt->dbname;
        } else if (n->node_case == NODE(DROP_TABLE_SPACE_STMT)) {
            *ret_sql = TABLESPACE_EXISTS;
            *ret_name = n->drop_table_space_stmt->tablespacename;
        } else if (n->node_case == NODE(DROP_SUBSCRIPTION_STMT)) {
            *ret_sql = SUBSCRIPTION_EXISTS;
            *ret_name = n->drop_subscription_stmt->subname;
        } else if (n->node_case == NODE(DROP_STMT) && n->drop_stmt->n_objects == 1) {
            *ret_sql = INDEX_EXISTS;
            *ret_name = sql_name_text(a, tree_node_name(n->drop_stmt->objects[0]));
        } else {
            return false;
        }
    }
    return true;
}

static bool existence(struct beside *b, const PgQuery__Node *n, bool *ret, bool *ret_is_drop,
                      struct err *e)
{
    const char *sql, *name;
    *ret = false;
    return question(b->a, n, &sql, &name, ret_is_drop) && ask(b, sql, name, ret, e);
}

static bool thing_before(struct beside *b, const PgQuery__Node *n, json_t *before, struct err *e)
{
    bool is_there, is_drop;
    return existence(b, n, &is_there, &is_drop, e) &&
           json_object_set_new(before, "existed", json_boolean(is_there)) == 0;
}

/* Done only if it was the other way round before: otherwise the server has something to say. An
 * index whose dropping was interrupted is there still, and is dropped again. */
static bool thing_look(struct beside *b, const PgQuery__Node *n, const json_t *before,
                       enum found *ret, struct err *e)
{
    bool is_there, is_drop;
    if (!existence(b, n, &is_there, &is_drop, e))
        return false;
    bool existed = json_bool_or(before, "existed", is_there);
    *ret = is_there != existed && is_there != is_drop ? FOUND_DONE : FOUND_NOTHING;
    return true;
}

/* ---- DETACH PARTITION CONCURRENTLY ---- */

static const PgQuery__RangeVar *partition_of(const PgQuery__Node *n)
{
    const PgQuery__AlterTableCmd *c = tree_command_count(n) == 1 ? tree_command(n, 0) : NULL;
    bool is_detach = c && c->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_DetachPartition && c->def &&
                     c->def->node_case == NODE(PARTITION_CMD);
    return is_detach ? c->def->partition_cmd->name : NULL;
}

enum attachment {
    DETACHED,
    ATTACHED,
    DETACHING
};

static bool attachment(struct beside *b, const PgQuery__Node *n, enum attachment *ret,
                       struct err *e)
{
    struct pg_rows r;
    if (!pg_query(b->session, b->a,
                  "SELECT inhdetachpending FROM pg_catalog.pg_inherits"
                  " WHERE inhparent = to_regclass($1) AND inhrelid = to_regclass($2)",
                  PG_PARAMS(sql_name_text(b->a, tree_range(n->alter_table_stmt->relation)),
                            sql_name_text(b->a, tree_range(partition_of(n)))),
                  &r, e))
        return false;
    *ret = r.n == 0 ? DETACHED : pg_bool(&r, 0, 0) ? DETACHING : ATTACHED;
    return true;
}

static bool detach_before(struct beside *b, const PgQuery__Node *n, json_t *before, struct err *e)
{
    enum attachment is;
    return attachment(b, n, &is, e) &&
           json_object_set_new(before, "attached", json_boolean(is != DETACHED)) == 0;
}

static bool detach_look(struct beside *b, const PgQuery__Node *n, const json_t *before,
                        enum found *ret, struct err *e)
{
    enum attachment is;
    if (!attachment(b, n, &is, e))
        return false;
    bool was_attached = json_bool_or(before, "attached", false);
    *ret = is == DETACHING                  ? FOUND_HALF
           : is == DETACHED && was_attached ? FOUND_DONE
                                            : FOUND_NOTHING;
    return true;
}

static bool detach_finish(struct beside *b, const PgQuery__Node *n, struct err *e)
{
    const char *sql = arena_printf(b->a, "ALTER TABLE %s DETACH PARTITION %s FINALIZE",
                                   sql_name_text(b->a, tree_range(n->alter_table_stmt->relation)),
                                   sql_name_text(b->a, tree_range(partition_of(n))));
    return beside_run(b, sql, NULL, e);
}

/* ---- REINDEX CONCURRENTLY ---- */

/* What an interrupted REINDEX CONCURRENTLY leaves: broken indexes with names of its own, beside the
 * old ones, which stay in use. */
static bool leftovers(struct beside *b, const PgQuery__Node *n, struct pg_rows *ret, struct err *e)
{
    const PgQuery__ReindexStmt *s = n->reindex_stmt;
    const char *relation = s->relation ? sql_name_text(b->a, tree_range(s->relation)) : NULL;
    const char *schema =
        s->kind == PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_SCHEMA ? s->name : NULL;
    return pg_query(
        b->session, b->a,
        "SELECT c.oid, format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_index i"
        " JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid"
        " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " LEFT JOIN pg_catalog.pg_class t ON t.reltoastrelid = i.indrelid"
        " WHERE NOT (i.indisvalid AND i.indisready AND i.indislive)"
        " AND c.relname ~ '_cc(new|old)[0-9]*$'"
        " AND ($2::text IS NULL OR n.nspname = $2 OR t.relnamespace = to_regnamespace($2))"
        " AND ($1::text IS NULL OR i.indrelid = to_regclass($1) OR t.oid = to_regclass($1)"
        "  OR i.indrelid = (SELECT indrelid FROM pg_catalog.pg_index"
        "   WHERE indexrelid = to_regclass($1)))",
        PG_PARAMS(relation, schema), ret, e);
}

/* Leftovers of others are not ours to take away: only after an attempt of our own. */
static bool reindex_look(struct beside *b, const PgQuery__Node *n, const json_t *before,
                         enum found *ret, struct err *e)
{
    struct pg_rows r = { 0 };
    if (before && !leftovers(b, n, &r, e))
        return false;
    *ret = r.n > 0 ? FOUND_BROKEN : FOUND_NOTHING;
    return true;
}

static bool reindex_clean(struct beside *b, const PgQuery__Node *n, const json_t *before,
                          struct err *e)
{
    struct pg_rows r;
    (void)before;
    if (!leftovers(b, n, &r, e))
        return false;
    for (size_t i = 0; i < r.n; i++)
        if (!index_drop(b, pg_value(&r, i, 0), pg_value(&r, i, 1), e))
            return false;
    return true;
}

/* ---- the kinds ---- */

static bool again_look(struct beside *b, const PgQuery__Node *n, const json_t *before,
                       enum found *ret, struct err *e)
{
    (void)b;
    (void)n;
    (void)before;
    (void)e;
    *ret = FOUND_NOTHING;
    return true;
}

struct kind {
    PgQuery__Node__NodeCase node;
    bool is_gentle;
    bool (*before)(struct beside *b, const PgQuery__Node *n, json_t *before, struct err *e);
    bool (*look)(struct beside *b, const PgQuery__Node *n, const json_t *before, enum found *ret,
                 struct err *e);
    bool (*clean)(struct beside *b, const PgQuery__Node *n, const json_t *before, struct err *e);
    bool (*finish)(struct beside *b, const PgQuery__Node *n, struct err *e);
};

// clang-format off
static const struct kind kinds[] = {
    /* node                           gentle  before         look               clean               finish */
    { NODE(INDEX_STMT),               true,   index_before,  create_index_look, create_index_clean, NULL          },
    { NODE(DROP_STMT),                true,   thing_before,  thing_look,        NULL,               NULL          },
    { NODE(ALTER_TABLE_STMT),         true,   detach_before, detach_look,       NULL,               detach_finish },
    { NODE(REINDEX_STMT),             true,   NULL,          reindex_look,      reindex_clean,      NULL          },
    { NODE(CREATEDB_STMT),            true,   thing_before,  thing_look,        NULL,               NULL          },
    { NODE(DROPDB_STMT),              false,  thing_before,  thing_look,        NULL,               NULL          },
    { NODE(CREATE_TABLE_SPACE_STMT),  true,   thing_before,  thing_look,        NULL,               NULL          },
    { NODE(DROP_TABLE_SPACE_STMT),    false,  thing_before,  thing_look,        NULL,               NULL          },
    { NODE(CREATE_SUBSCRIPTION_STMT), true,   thing_before,  thing_look,        NULL,               NULL          },
    { NODE(DROP_SUBSCRIPTION_STMT),   false,  thing_before,  thing_look,        NULL,               NULL          },
    /* these may simply run again */
    { NODE(VACUUM_STMT),              false,  NULL,          again_look,        NULL,               NULL          },
    { NODE(CLUSTER_STMT),             false,  NULL,          again_look,        NULL,               NULL          },
    { NODE(ALTER_SYSTEM_STMT),        true,   NULL,          again_look,        NULL,               NULL          },
    { NODE(ALTER_DATABASE_STMT),      false,  NULL,          again_look,        NULL,               NULL          },
    { NODE(ALTER_SUBSCRIPTION_STMT),  true,   NULL,          again_look,        NULL,               NULL          },
    { 0 },
};
// clang-format on

static const struct kind *kind_of(const struct sql_statement *s)
{
    const char *sql, *name;
    CLEANUP(arena) struct arena *a = arena_new(0);
    bool is_drop;
    for (const struct kind *k = kinds; s->tree && k->look; k++) {
        if (k->node != s->tree->node_case)
            continue;
        if (k->look == detach_look && !partition_of(s->tree))
            return NULL;
        if (k->look == thing_look && !question(a, s->tree, &sql, &name, &is_drop))
            return NULL;
        return k;
    }
    return NULL;
}

bool recover_is_gentle(const struct sql_statement *s)
{
    const struct kind *k = kind_of(s);
    if (k && k->look == reindex_look) /* a plain REINDEX locks, only the other one is gentle */
        return strstr(s->what, "CONCURRENTLY") != NULL;
    return k && k->is_gentle;
}

bool recover_before(struct beside *b, const struct sql_statement *s, json_t **ret, struct err *e)
{
    const struct kind *k = kind_of(s);
    json_auto_t *before = json_object();
    if (k && k->before && !k->before(b, s->tree, before, e))
        return err_wrap(e, "look at what is there before %s", b->what);
    *ret = json_incref(before);
    return true;
}

bool recover_look(struct beside *b, const struct sql_statement *s, const json_t *before,
                  enum found *ret, struct err *e)
{
    const struct kind *k = kind_of(s);
    *ret = before ? FOUND_UNKNOWN : FOUND_NOTHING;
    return !k || k->look(b, s->tree, before, ret, e) ||
           err_wrap(e, "look at what became of %s", b->what);
}

bool recover_clean(struct beside *b, const struct sql_statement *s, const json_t *before,
                   struct err *e)
{
    const struct kind *k = kind_of(s);
    return !k || !k->clean || k->clean(b, s->tree, before, e);
}

bool recover_finish(struct beside *b, const struct sql_statement *s, struct err *e)
{
    const struct kind *k = kind_of(s);
    return !k || !k->finish || k->finish(b, s->tree, e);
}

void recover_explain(struct beside *b, const struct sql_statement *s, const json_t *before,
                     struct err *e)
{
    if (s->tree && s->tree->node_case == NODE(INDEX_STMT))
        index_explain_duplicates(b, s->tree->index_stmt, json_object_get(before, "indexes"), e);
}
