/*
 * Counting what a reverse script would lose: see risk.h.
 *
 * The class of a statement (migrate/sql/script.h) says whether it can lose anything. Dropped tables
 * and columns and TRUNCATE are counted; whatever else changes rows cannot be.
 */
#include "migrate/reverse/risk.h"

#include "base/limits.h"
#include "base/strbuf.h"
#include "migrate/reverse/keep.h"
#include "migrate/sql/tree.h"

#include <assert.h>

#define TEXT_BYTES (4 * KIB)

struct count {
    struct pg *db;
    struct arena *a;
    struct strbuf text;
    int64_t rows;
    bool is_unknown;
};

static void add_text(struct count *c, const char *what)
{
    (void)strbuf_printf(&c->text, "%s%s", c->text.n > 0 ? ", " : "", what);
}

static void unknown(struct count *c, const char *what)
{
    c->is_unknown = true;
    add_text(c, arena_printf(c->a, "rows that %s changes", what));
}

/* An identifier as SQL wants it quoted. */
static const char *quoted(struct arena *a, const char *name)
{
    CLEANUP(strbuf) struct strbuf b = strbuf_init(KIB);
    (void)strbuf_addc(&b, '"');
    for (const char *p = name; *p; p++) {
        if (*p == '"')
            (void)strbuf_addc(&b, '"');
        (void)strbuf_addc(&b, *p);
    }
    (void)strbuf_addc(&b, '"');
    return arena_strdup(a, strbuf_text(&b));
}

static const char *qualified(struct arena *a, const char *schema, const char *name)
{
    return arena_printf(a, "%s.%s", quoted(a, schema ? schema : "public"), quoted(a, name));
}

static bool exists(struct count *c, const char *relation, bool *ret, struct err *e)
{
    struct pg_rows rows;
    if (!pg_query(c->db, c->a, "select to_regclass($1) is not null", PG_PARAMS(relation), &rows, e))
        return false;
    *ret = pg_bool(&rows, 0, 0);
    return true;
}

/* Counts with one query; a relation that does not exist has nothing to lose. */
static bool count_rows(struct count *c, const char *relation, const char *where, const char *what,
                       struct err *e)
{
    bool is_there = false;
    if (!exists(c, relation, &is_there, e))
        return false;
    if (!is_there)
        return true;
    struct pg_rows rows;
    const char *sql = arena_printf(c->a, "select count(*) from %s%s", relation, where);
    if (!pg_query(c->db, c->a, sql, PG_NONE, &rows, e))
        return err_wrap(e, "count %s", what);
    int64_t n = pg_int(&rows, 0, 0);
    if (n > 0)
        add_text(c, arena_printf(c->a, "%lld %s", (long long)n, what));
    c->rows += n;
    return true;
}

/* ---- statements ---- */

static const char *relation_name(struct arena *a, struct sql_name n)
{
    return n.name ? qualified(a, n.schema, n.name) : NULL;
}

static bool count_table(struct count *c, struct sql_name table, struct err *e)
{
    const char *name = relation_name(c->a, table);
    return !name || count_rows(c, name, "", arena_printf(c->a, "rows in %s", name), e);
}

#define OBJECT(name) PG_QUERY__OBJECT_TYPE__OBJECT_##name

static bool count_drop(struct count *c, const struct sql_statement *s, struct err *e)
{
    const PgQuery__DropStmt *d = s->tree->drop_stmt;
    bool cascades = d->behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE;
    int kind = (int)d->remove_type;
    if (kind == OBJECT(SCHEMA) || kind == OBJECT(EXTENSION) || kind == OBJECT(MATVIEW) ||
        kind == OBJECT(FOREIGN_TABLE) ||
        (cascades && (kind == OBJECT(TYPE) || kind == OBJECT(DOMAIN))))
        unknown(c, s->what);
    for (size_t i = 0; kind == OBJECT(TABLE) && i < d->n_objects; i++)
        if (!count_table(c, tree_node_name(d->objects[i]), e))
            return false;
    return true; /* the rest is replaceable */
}

/* The constant default of a column, as SQL; NULL if it has none, or one that is computed. */
static bool constant_default(struct count *c, const char *relation, const char *column,
                             const char **ret, struct err *e)
{
    struct pg_rows rows;
    *ret = NULL;
    if (!pg_query(c->db, c->a,
                  "select pg_get_expr(d.adbin, d.adrelid) from pg_catalog.pg_attrdef d "
                  "join pg_catalog.pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum "
                  "where d.adrelid = to_regclass($1) and a.attname = $2 and a.attgenerated = '' "
                  "and pg_get_expr(d.adbin, d.adrelid) !~ '\\('",
                  PG_PARAMS(relation, column), &rows, e))
        return false;
    *ret = rows.n > 0 ? pg_value(&rows, 0, 0) : NULL;
    return true;
}

static bool count_column(struct count *c, const char *relation, const char *column, struct err *e)
{
    struct pg_rows rows;
    if (!pg_query(c->db, c->a,
                  "select 1 from pg_catalog.pg_attribute where attrelid = to_regclass($1) and "
                  "attname = $2 "
                  "and not attisdropped and attgenerated = ''",
                  PG_PARAMS(relation, column), &rows, e))
        return false;
    if (rows.n == 0)
        return true; /* not there, or computed from others */
    const char *constant;
    if (!constant_default(c, relation, column, &constant, e))
        return false;
    const char *name = quoted(c->a, column);
    const char *where = constant
                            ? arena_printf(c->a, " where %s is not null and %s is distinct from %s",
                                           name, name, constant)
                            : arena_printf(c->a, " where %s is not null", name);
    return count_rows(c, relation, where, arena_printf(c->a, "values in %s.%s", relation, column),
                      e);
}

static bool count_alter(struct count *c, const struct sql_statement *s, struct err *e)
{
    struct sql_name table = { 0 };
    const char *relation = tree_relation(s->tree, &table) ? relation_name(c->a, table) : NULL;
    for (size_t i = 0; relation && i < tree_command_count(s->tree); i++) {
        const PgQuery__AlterTableCmd *command = tree_command(s->tree, i);
        if (command->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_AlterColumnType)
            unknown(c, "a changed type");
        if (command->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_DropColumn &&
            !count_column(c, relation, command->name, e))
            return false;
    }
    return true;
}

static bool count_truncate(struct count *c, const struct sql_statement *s, struct err *e)
{
    const PgQuery__TruncateStmt *t = s->tree->truncate_stmt;
    for (size_t i = 0; i < t->n_relations; i++)
        if (!count_table(c, tree_node_name(t->relations[i]), e))
            return false;
    return true;
}

static bool count_statement(struct count *c, const struct sql_statement *s, struct err *e)
{
    int node = s->tree ? (int)s->tree->node_case : PG_QUERY__NODE__NODE__NOT_SET;
    if (keep_is_restoring(s))
        return true;
    if (node == PG_QUERY__NODE__NODE_DROP_STMT)
        return count_drop(c, s, e);
    if (node == PG_QUERY__NODE__NODE_ALTER_TABLE_STMT)
        return count_alter(c, s, e);
    if (node == PG_QUERY__NODE__NODE_TRUNCATE_STMT)
        return count_truncate(c, s, e);
    if (!s->is_analysed)
        unknown(c, "a statement this grammar does not know");
    else if (s->is_opaque || s->rule_count == 0 || s->class == SQL_BACKFILLING ||
             s->class == SQL_DESTRUCTIVE)
        unknown(c, s->what);
    return true;
}

static bool count_script(struct count *c, const char *sql, struct err *e)
{
    struct sql_script script = { 0 };
    if (!sql_script_read(c->a, "the reverse script", str_of(sql), &script, e)) {
        if (e->code != ERR_CONFIG && e->code != ERR_LIMIT)
            return false;
        unknown(c, "a script that nobody can run");
        return true;
    }
    for (size_t i = 0; i < script.n; i++)
        if (!count_statement(c, &script.statements[i], e))
            return false;
    return true;
}

bool migration_risk(struct pg *db, struct arena *a, const struct migration_state *s,
                    struct migration_risk *ret, struct err *e)
{
    const char *sql = NULL;
    assert(s->row || s->file);
    if (s->row && s->row->reverse_sql)
        sql = s->row->reverse_sql;
    else if (s->file && s->file->has_reverse)
        sql = str_dup(a, s->file->reverse_sql);
    if (!sql)
        return err_set(e, ERR_BLOCKED, "%s has no reverse script",
                       s->row ? s->row->version : s->file->version);
    struct count c = { .db = db, .a = a, .text = strbuf_init(TEXT_BYTES) };
    bool ok = count_script(&c, sql, e);
    if (ok)
        *ret = (struct migration_risk){ .is_lossless = c.rows == 0 && !c.is_unknown,
                                        .rows = c.rows,
                                        .text = c.text.n > 0 ? arena_strdup(a, strbuf_text(&c.text))
                                                             : "nothing" };
    strbuf_done(&c.text);
    return ok;
}
