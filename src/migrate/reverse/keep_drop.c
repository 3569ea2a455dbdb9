/*
 * Columns and tables that go out of sight instead of away.
 */
#include "migrate/reverse/keep_inside.h"

#include <stdio.h>

#define NAME_MAX_BYTES 63

/* ---- DROP COLUMN ---- */

/* "_gone_20260102030405_note", cut where Postgres would cut it, but not inside a character. */
static const char *gone_name(struct keep_work *w, const char *column)
{
    char *name = arena_printf(w->a, "_gone_%s_%s", w->m->version, column);
    size_t n = strlen(name);
    if (n > NAME_MAX_BYTES) {
        n = NAME_MAX_BYTES;
        while (((unsigned char)name[n] & 0xc0) == 0x80)
            n--;
        name[n] = '\0';
    }
    return name;
}

/* Views, policies, triggers, keys of other tables: what CASCADE would take along. */
static bool find_dependents(struct keep_work *w, const char *oid, const char *column,
                            const char **ret, struct err *e)
{
    return keep_ask_text(
        w,
        "SELECT pg_catalog.string_agg(DISTINCT"
        " CASE WHEN d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass"
        "  THEN (SELECT pg_catalog.pg_describe_object('pg_catalog.pg_class'::pg_catalog.regclass,"
        "   r.ev_class, 0) FROM pg_catalog.pg_rewrite r WHERE r.oid = d.objid)"
        "  ELSE pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid) END, ', ')"
        " FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid"
        " AND a.attnum = d.refobjsubid"
        " WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = $1::oid"
        " AND a.attname = $2 AND d.deptype = 'n'"
        " AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint c WHERE d.classid ="
        "  'pg_catalog.pg_constraint'::pg_catalog.regclass AND c.oid = d.objid AND c.conrelid ="
        "  $1::oid)",
        PG_PARAMS(oid, column), ret, e);
}

/* DROP CONSTRAINT and DROP INDEX for all that would refuse rows because of a column nobody fills. */
static bool add_drops(struct keep_work *w, const char *table, const char *oid, const char *column,
                      struct err *e)
{
    struct pg_rows r;
    if (!keep_ask(w,
                  "SELECT DISTINCT CASE WHEN c.oid IS NOT NULL THEN pg_catalog.format("
                  "'ALTER TABLE %s DROP CONSTRAINT %I;', $3::text, c.conname)"
                  " ELSE pg_catalog.format('DROP INDEX %I.%I;', n.nspname, x.relname) END"
                  " FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_attribute a ON a.attrelid ="
                  " d.refobjid AND a.attnum = d.refobjsubid"
                  " LEFT JOIN pg_catalog.pg_constraint c ON d.classid ="
                  " 'pg_catalog.pg_constraint'::pg_catalog.regclass AND c.oid = d.objid"
                  " AND c.conrelid = $1::oid AND c.coninhcount = 0 AND c.contype <> 'n'"
                  " LEFT JOIN pg_catalog.pg_index i ON d.classid ="
                  " 'pg_catalog.pg_class'::pg_catalog.regclass AND i.indexrelid = d.objid"
                  " AND i.indisunique"
                  " LEFT JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid"
                  " LEFT JOIN pg_catalog.pg_namespace n ON n.oid = x.relnamespace"
                  " WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass"
                  " AND d.refobjid = $1::oid AND a.attname = $2"
                  " AND (c.oid IS NOT NULL OR i.indexrelid IS NOT NULL) ORDER BY 1",
                  PG_PARAMS(oid, column, table), &r, e))
        return false;
    for (size_t i = 0; i < r.n; i++)
        keep_add(w, "%s", pg_value(&r, i, 0));
    return true;
}

static bool keep_column(struct keep_work *w, const char *table, const char *oid,
                        const PgQuery__AlterTableCmd *cmd, struct err *e)
{
    struct pg_rows r;
    const char *dependents = NULL;
    const char *column = cmd->name, *quoted = sql_quote(w->a, column);
    w->what = arena_printf(w->a, "DROP COLUMN %s.%s", table, quoted);
    if (!keep_ask(w,
                  "SELECT a.attnotnull AND NOT a.atthasdef AND a.attidentity = '',"
                  " (SELECT pg_catalog.string_agg(DISTINCT CASE x.grantee WHEN 0 THEN 'public' ELSE"
                  "   pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(x.grantee)) END, ', ')"
                  "  FROM pg_catalog.aclexplode(a.attacl) x)"
                  " FROM pg_catalog.pg_attribute a WHERE a.attrelid = $1::oid AND a.attname = $2"
                  " AND NOT a.attisdropped",
                  PG_PARAMS(oid, column), &r, e))
        return false;
    if (r.n == 0)
        return true; /* IF EXISTS, or the server will say */
    if (cmd->behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE) {
        if (!find_dependents(w, oid, column, &dependents, e))
            return false;
        if (dependents)
            return keep_refuse(w,
                               "CASCADE takes along: %s. Drop or change that in statements of its "
                               "own before this one, then keep again",
                               dependents);
    }
    if (!add_drops(w, table, oid, column, e))
        return false;
    if (pg_bool(&r, 0, 0)) {
        keep_add(w, "ALTER TABLE %s ALTER COLUMN %s DROP NOT NULL;", table, quoted);
        w->note = "rows written meanwhile have no value in it; the way back stops at them, because "
                  "it was NOT NULL without a default";
    }
    if (pg_value(&r, 0, 1))
        keep_add(w, "REVOKE ALL (%s) ON %s FROM %s;", quoted, table, pg_value(&r, 0, 1));
    keep_add(w, "ALTER TABLE %s RENAME COLUMN %s TO %s;", table, quoted,
             sql_quote(w->a, gone_name(w, column)));
    return true;
}

/* What ALTER TABLE does besides dropping columns. */
static bool add_rest(struct keep_work *w, const PgQuery__AlterTableStmt *s)
{
    PgQuery__AlterTableStmt rest = *s;
    rest.cmds = ARENA_ARRAY(w->a, PgQuery__Node *, s->n_cmds);
    rest.n_cmds = 0;
    for (size_t i = 0; i < s->n_cmds; i++)
        if (s->cmds[i]->alter_table_cmd->subtype != PG_QUERY__ALTER_TABLE_TYPE__AT_DropColumn)
            rest.cmds[rest.n_cmds++] = s->cmds[i];
    if (rest.n_cmds == 0)
        return true;
    PgQuery__Node n = PG_QUERY__NODE__INIT;
    n.node_case = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT;
    n.alter_table_stmt = &rest;
    const char *text = keep_deparse(w->a, &n);
    if (!text)
        return keep_refuse(w, "it does other things too; give DROP COLUMN a statement of its own");
    keep_add(w, "%s;", text);
    return true;
}

static bool drops_old(struct keep_work *w, const PgQuery__AlterTableStmt *s, const char *oid,
                      bool *ret, struct err *e)
{
    *ret = false;
    for (size_t i = 0; i < s->n_cmds && !*ret; i++) {
        const PgQuery__AlterTableCmd *cmd = tree_command(w->statement->tree, i);
        if (cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_DropColumn &&
            !keep_is_old(w, oid, cmd->name, ret, e))
            return false;
    }
    return true;
}

bool keep_columns(struct keep_work *w, struct err *e)
{
    const PgQuery__AlterTableStmt *s = w->statement->tree->alter_table_stmt;
    const char *oid = NULL;
    bool any_old = false;
    if (s->objtype != PG_QUERY__OBJECT_TYPE__OBJECT_TABLE)
        return true;
    if (!keep_resolve(w, tree_range(s->relation), &oid, e) ||
        (oid && !drops_old(w, s, oid, &any_old, e)))
        return false;
    if (!any_old)
        return true; /* or there is no such table: the server will say */
    const char *table = sql_name_text(w->a, tree_range(s->relation));
    for (size_t i = 0; i < s->n_cmds && !w->refusal; i++) {
        const PgQuery__AlterTableCmd *cmd = tree_command(w->statement->tree, i);
        bool is_old = false;
        if (cmd->subtype != PG_QUERY__ALTER_TABLE_TYPE__AT_DropColumn)
            continue;
        if (!keep_is_old(w, oid, cmd->name, &is_old, e) ||
            (is_old && !keep_column(w, table, oid, cmd, e)))
            return false;
        if (!is_old)
            keep_add(w, "ALTER TABLE %s DROP COLUMN %s;", table, sql_quote(w->a, cmd->name));
    }
    return w->refusal || w->text.n == 0 || add_rest(w, s);
}

/* ---- DROP TABLE ---- */

static const char table_facts[] =
    "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), c.relname, c.relkind::text,"
    " (SELECT pg_catalog.format('%I.%I', pn.nspname, p.relname) FROM pg_catalog.pg_inherits i"
    "  JOIN pg_catalog.pg_class p ON p.oid = i.inhparent JOIN pg_catalog.pg_namespace pn"
    "  ON pn.oid = p.relnamespace WHERE i.inhrelid = c.oid AND c.relispartition),"
    " pg_catalog.to_regclass(pg_catalog.format('" KEEP_GONE ".%I', c.relname)) IS NOT NULL"
    " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.oid = $1::oid";

/* What would go with the tables ($1, an array of OIDs) and is not one of them. */
static const char table_dependents[] =
    "SELECT pg_catalog.string_agg(DISTINCT CASE WHEN v.oid IS NOT NULL THEN"
    "  pg_catalog.pg_describe_object('pg_catalog.pg_class'::pg_catalog.regclass, v.oid, 0)"
    "  ELSE pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid) END, ', ')"
    " FROM pg_catalog.pg_class t JOIN pg_catalog.pg_depend d ON d.deptype = 'n' AND"
    "  (d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = t.oid OR"
    "   d.refclassid = 'pg_catalog.pg_type'::pg_catalog.regclass AND d.refobjid = t.reltype)"
    " LEFT JOIN pg_catalog.pg_rewrite r ON d.classid ="
    "  'pg_catalog.pg_rewrite'::pg_catalog.regclass AND r.oid = d.objid"
    " LEFT JOIN pg_catalog.pg_class v ON v.oid = r.ev_class"
    " LEFT JOIN pg_catalog.pg_constraint c ON d.classid ="
    "  'pg_catalog.pg_constraint'::pg_catalog.regclass AND c.oid = d.objid"
    " LEFT JOIN pg_catalog.pg_trigger g ON d.classid ="
    "  'pg_catalog.pg_trigger'::pg_catalog.regclass AND g.oid = d.objid"
    " LEFT JOIN pg_catalog.pg_policy p ON d.classid ="
    "  'pg_catalog.pg_policy'::pg_catalog.regclass AND p.oid = d.objid"
    " WHERE t.oid = ANY ($1::oid[])"
    " AND NOT coalesce(v.oid, c.conrelid, g.tgrelid, p.polrelid, CASE WHEN d.classid ="
    "  'pg_catalog.pg_class'::pg_catalog.regclass THEN d.objid END, 0) = ANY ($1::oid[])";

static const char grantees[] =
    "SELECT pg_catalog.string_agg(DISTINCT CASE x.grantee WHEN 0 THEN 'public' ELSE"
    " pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(x.grantee)) END, ', ')"
    " FROM pg_catalog.pg_class c, LATERAL (SELECT * FROM pg_catalog.aclexplode(c.relacl)"
    "  UNION ALL SELECT y.* FROM pg_catalog.pg_attribute a, pg_catalog.aclexplode(a.attacl) y"
    "  WHERE a.attrelid = c.oid) x WHERE c.oid = $1::oid AND x.grantee <> c.relowner";

/* Keys to tables that stay, which would hold up a delete there for rows nobody sees. */
static const char blocking_keys[] =
    "SELECT pg_catalog.quote_ident(conname) FROM pg_catalog.pg_constraint WHERE conrelid = $1::oid"
    " AND contype = 'f' AND confdeltype IN ('a', 'r') AND NOT confrelid = ANY ($2::oid[])"
    " AND coninhcount = 0 ORDER BY 1";

static bool keep_table(struct keep_work *w, const char *oid, const char *all, bool is_partition_too,
                       struct err *e)
{
    struct pg_rows r, keys;
    const char *revoke = NULL;
    if (!keep_ask(w, table_facts, PG_PARAMS(oid), &r, e) ||
        !keep_ask(w, blocking_keys, PG_PARAMS(oid, all), &keys, e) ||
        !keep_ask_text(w, grantees, PG_PARAMS(oid), &revoke, e))
        return false;
    const char *table = pg_value(&r, 0, 0);
    if (!w->what)
        w->what = arena_printf(w->a, "DROP TABLE %s", table);
    if (pg_bool(&r, 0, 4))
        return keep_refuse(w,
                           KEEP_GONE ".%s is there already, from an earlier migration; write its "
                                     "end first with `lockflight migration purge`",
                           sql_quote(w->a, pg_value(&r, 0, 1)));
    if (!w->has_gone)
        keep_add(w, "CREATE SCHEMA IF NOT EXISTS " KEEP_GONE ";");
    w->has_gone = true;
    if (!is_partition_too && pg_value(&r, 0, 3))
        keep_add(w, "ALTER TABLE %s DETACH PARTITION %s;", pg_value(&r, 0, 3), table);
    for (size_t i = 0; i < keys.n; i++)
        keep_add(w, "ALTER TABLE %s DROP CONSTRAINT %s;", table, pg_value(&keys, i, 0));
    if (revoke)
        keep_add(w, "REVOKE ALL ON %s FROM %s;", table, revoke);
    keep_add(w, "ALTER TABLE %s SET SCHEMA " KEEP_GONE ";", table);
    return true;
}

/* The table and its partitions. */
static bool keep_tree(struct keep_work *w, const char *oid, const char *all, struct err *e)
{
    struct pg_rows r;
    if (!keep_ask(w,
                  "SELECT relid::oid FROM pg_catalog.pg_partition_tree($1::oid::regclass)"
                  " UNION SELECT $1::oid ORDER BY 1",
                  PG_PARAMS(oid), &r, e))
        return false;
    for (size_t i = 0; i < r.n && !w->refusal; i++)
        if (!keep_table(w, pg_value(&r, i, 0), all, !streq(pg_value(&r, i, 0), oid), e))
            return false;
    return true;
}

/* OIDs of what the statement drops and is there, as an array; and whether any of it is old. */
static bool find_tables(struct keep_work *w, const PgQuery__DropStmt *s, const char **ret_all,
                        const char **oids, struct err *e)
{
    char *all = arena_strdup(w->a, "");
    for (size_t i = 0; i < s->n_objects; i++) {
        bool is_old = false;
        if (!keep_resolve(w, tree_node_name(s->objects[i]), &oids[i], e) ||
            (oids[i] && !keep_is_old(w, oids[i], NULL, &is_old, e)))
            return false;
        if (oids[i])
            all = arena_printf(w->a, "%s%s%s", all, *all ? "," : "", oids[i]);
        if (!is_old)
            oids[i] = NULL;
    }
    return keep_ask_text(
        w,
        "SELECT pg_catalog.array_agg(DISTINCT x)::text FROM (SELECT p.relid::oid AS"
        " x FROM unnest($1::oid[]) o, pg_catalog.pg_partition_tree(o::regclass) p"
        " UNION SELECT unnest($1::oid[])) y",
        PG_PARAMS(arena_printf(w->a, "{%s}", all)), ret_all, e);
}

bool keep_tables(struct keep_work *w, struct err *e)
{
    const PgQuery__DropStmt *s = w->statement->tree->drop_stmt;
    if (s->remove_type != PG_QUERY__OBJECT_TYPE__OBJECT_TABLE)
        return true;
    const char **oids = ARENA_ARRAY(w->a, const char *, s->n_objects + 1);
    const char *all = NULL, *dependents = NULL;
    if (!find_tables(w, s, &all, oids, e))
        return false;
    if (s->behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE && all) {
        if (!keep_ask_text(w, table_dependents, PG_PARAMS(all), &dependents, e))
            return false;
        if (dependents)
            return keep_refuse(w,
                               "CASCADE takes along: %s. Drop or change that in statements of its "
                               "own before this one, then keep again",
                               dependents);
    }
    for (size_t i = 0; i < s->n_objects && !w->refusal; i++)
        if (oids[i] && !keep_tree(w, oids[i], all, e))
            return false;
    for (size_t i = 0; i < s->n_objects && w->text.n > 0; i++)
        if (!oids[i])
            keep_add(w, "DROP TABLE IF EXISTS %s;",
                     sql_name_text(w->a, tree_node_name(s->objects[i])));
    return true;
}
