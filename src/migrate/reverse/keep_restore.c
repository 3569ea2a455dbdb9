/*
 * Putting copied rows back. The kind of a copy (keep_table.h) is seen from its columns.
 *
 * A row goes back only where the migration's own result still stands there, and is then taken out of
 * the copy; what is left in the copy at the end goes on record. Triggers of people are still during
 * it: what they did the first time is part of what is put back.
 */
#include "base/strbuf.h"
#include "migrate/reverse/keep.h"
#include "migrate/reverse/keep_table.h"
#include "migrate/sql/tree.h"

#include <stdio.h>

#define TEXT_MAX (4 << 20)

bool keep_is_copy(const struct sql_statement *s, const char **ret_copy, struct sql_name *ret_table)
{
    if (!s->tree || s->tree->node_case != PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT)
        return false;
    const PgQuery__CreateTableAsStmt *c = s->tree->create_table_as_stmt;
    if (!c->into || !streq(tree_range(c->into->rel).schema, KEEP_UNDO) || !c->query ||
        c->query->node_case != PG_QUERY__NODE__NODE_SELECT_STMT)
        return false;
    const PgQuery__SelectStmt *q = c->query->select_stmt;
    if (q->n_from_clause == 0 || q->from_clause[0]->node_case != PG_QUERY__NODE__NODE_RANGE_VAR)
        return false;
    *ret_copy = tree_range(c->into->rel).name;
    *ret_table = tree_range(q->from_clause[0]->range_var);
    return true;
}

static bool find_copy(void *context, const ProtobufCMessage *m)
{
    bool *found = context;
    if (TREE_IS(m, range_var))
        *found |= streq(tree_range((const PgQuery__RangeVar *)m).schema, KEEP_UNDO);
    return true;
}

bool keep_is_restoring(const struct sql_statement *s)
{
    bool found = false;
    if (s->tree && s->tree->node_case == PG_QUERY__NODE__NODE_DROP_STMT) {
        const PgQuery__DropStmt *d = s->tree->drop_stmt;
        for (size_t i = 0; i < d->n_objects; i++)
            if (!streq(tree_node_name(d->objects[i]).schema, KEEP_UNDO))
                return false;
        return true;
    }
    if (s->tree)
        (void)tree_walk(s->tree, find_copy, &found);
    return found;
}

struct restoring {
    struct arena *a;
    struct strbuf text;
    struct keep_table t;
    struct pg_rows copy; /* names of its columns */
    const char *name;    /* lockflight_undo.v…_1 */
};

static bool copy_has(const struct restoring *r, const char *prefix, const char *column)
{
    const char *name = arena_printf(r->a, "%s%s", prefix, column);
    for (size_t i = 0; i < r->copy.n; i++)
        if (streq(pg_value(&r->copy, i, 0), name))
            return true;
    return false;
}

static bool copy_has_any(const struct restoring *r, const char *prefix)
{
    for (size_t i = 0; i < r->copy.n; i++)
        if (starts_with(pg_value(&r->copy, i, 0), prefix))
            return true;
    return false;
}

/* " AND t.a IS NOT DISTINCT FROM u.new_a …" */
static const char *still_so(const struct restoring *r)
{
    const char *text = "";
    for (size_t i = 0; i < r->t.columns.n; i++)
        if (copy_has(r, "new_", r->t.columns.v[i].name))
            text = arena_printf(r->a, "%s AND %s", text,
                                keep_same(r->a, &r->t.columns.v[i], "t", "new_"));
    return text;
}

static void delete_added(struct restoring *r)
{
    strbuf_printf(&r->text,
                  "WITH gone AS (DELETE FROM %s AS t USING %s AS u WHERE NOT u.had AND %s%s"
                  " RETURNING u.ctid)\n  DELETE FROM %s WHERE ctid IN (SELECT ctid FROM gone);\n",
                  r->t.name, r->name, keep_key_match(r->a, &r->t), still_so(r), r->name);
}

static void update_changed(struct restoring *r, const char *condition)
{
    const char *set = "";
    for (size_t i = 0; i < r->t.columns.n; i++) {
        const char *name = r->t.columns.v[i].name;
        if (copy_has(r, "new_", name))
            set = arena_printf(r->a, "%s%s%s = u.%s", set, *set ? ", " : "", sql_quote(r->a, name),
                               keep_name(r->a, "old_", name));
    }
    if (*set)
        strbuf_printf(&r->text,
                      "WITH back AS (UPDATE %s AS t SET %s FROM %s AS u WHERE %s%s%s RETURNING"
                      " u.ctid)\n  DELETE FROM %s WHERE ctid IN (SELECT ctid FROM back);\n",
                      r->t.name, set, r->name, condition, keep_key_match(r->a, &r->t), still_so(r),
                      r->name);
}

/* Whole rows. Where the key is taken by now, the new row stays. */
static void insert_removed(struct restoring *r, const char *condition, bool keyed)
{
    const char *columns = "", *values = "", *returning = "", *match = "";
    for (size_t i = 0; i < r->t.columns.n; i++) {
        const struct keep_column *c = &r->t.columns.v[i];
        const char *name = sql_quote(r->a, c->name);
        const char *prefix = copy_has(r, "old_", c->name) ? "old_" : "key_";
        if (!copy_has(r, prefix, c->name))
            continue;
        const char *kept = keep_name(r->a, prefix, c->name);
        columns = arena_printf(r->a, "%s%s%s", columns, *columns ? ", " : "", name);
        values = arena_printf(r->a, "%s%su.%s", values, *values ? ", " : "", kept);
        if (c->is_key) {
            returning = arena_printf(r->a, "%s%st.%s", returning, *returning ? ", " : "", name);
            match =
                arena_printf(r->a, "%s%su.%s = back.%s", match, *match ? " AND " : "", kept, name);
        }
    }
    if (keyed)
        strbuf_printf(
            &r->text,
            "WITH back AS (INSERT INTO %s AS t (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM"
            " %s AS u%s ORDER BY u.row_no\n  ON CONFLICT DO NOTHING RETURNING %s)\n"
            "  DELETE FROM %s AS u USING back WHERE %s;\n",
            r->t.name, columns, values, r->name, condition, returning, r->name, match);
    else
        strbuf_printf(&r->text,
                      "INSERT INTO %s AS t (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM %s AS u%s"
                      " ORDER BY u.row_no;\nDELETE FROM %s;\n",
                      r->t.name, columns, values, r->name, condition, r->name);
}

/* Each with the manner in which it was enabled. */
static bool add_triggers(struct restoring *r, struct pg *db, const char *before, const char *after,
                         struct err *e)
{
    struct pg_rows rows;
    if (!pg_query(
            db, r->a,
            "SELECT pg_catalog.quote_ident(tgname), tgenabled = 'A' FROM pg_catalog.pg_trigger"
            " WHERE tgrelid = $1::oid AND NOT tgisinternal AND tgenabled IN ('O', 'A')"
            " ORDER BY 1",
            PG_PARAMS(r->t.oid), &rows, e))
        return false;
    for (size_t i = 0; i < rows.n; i++)
        strbuf_printf(&r->text, "ALTER TABLE %s %s %s;\n", r->t.name,
                      pg_bool(&rows, i, 1) ? after : before, pg_value(&rows, i, 0));
    return true;
}

static void add_rows(struct restoring *r)
{
    if (copy_has(r, "", "had")) {
        delete_added(r);
        update_changed(r, "u.had AND u.has AND ");
        insert_removed(r, " WHERE u.had AND NOT u.has", true);
    } else if (copy_has_any(r, "new_"))
        update_changed(r, "");
    else
        insert_removed(r, "", r->t.has_key);
}

static void put_on_record(struct restoring *r, const char *version)
{
    strbuf_printf(&r->text,
                  "CREATE TABLE IF NOT EXISTS " KEEP_UNDO ".left_behind (at timestamptz NOT NULL"
                  " DEFAULT now(), version text NOT NULL, of text NOT NULL, kept jsonb NOT NULL);\n"
                  "INSERT INTO " KEEP_UNDO ".left_behind (version, of, kept)"
                  " SELECT '%s', '%s', to_jsonb(u) FROM %s AS u;\n"
                  "DROP TABLE %s;\n",
                  version, r->t.name, r->name, r->name);
}

static bool look(struct restoring *r, struct pg *db, struct sql_name table, struct err *e)
{
    struct pg_rows oid;
    const char *name = sql_name_text(r->a, table);
    if (!pg_query(db, r->a, "SELECT pg_catalog.to_regclass($1)::pg_catalog.oid", PG_PARAMS(name),
                  &oid, e))
        return false;
    if (!pg_value(&oid, 0, 0))
        return err_set(e, ERR_NOT_FOUND, "there is no table %s", name);
    return keep_table_read(db, r->a, pg_value(&oid, 0, 0), &r->t, e) &&
           pg_query(db, r->a,
                    "SELECT attname FROM pg_catalog.pg_attribute WHERE attrelid = $1::regclass AND"
                    " attnum > 0 AND NOT attisdropped",
                    PG_PARAMS(r->name), &r->copy, e);
}

// NOLINTNEXTLINE(readability-function-size): what is put back, and where
bool keep_restore(struct pg *db, struct arena *a, const char *version, const char *copy,
                  struct sql_name table, const char **ret, struct err *e)
{
    struct restoring r = { .a = a, .text = strbuf_init(TEXT_MAX) };
    r.name = arena_printf(a, KEEP_UNDO ".%s", sql_quote(a, copy));
    bool ok =
        look(&r, db, table, e) && add_triggers(&r, db, "DISABLE TRIGGER", "DISABLE TRIGGER", e);
    if (ok) {
        add_rows(&r);
        ok = add_triggers(&r, db, "ENABLE TRIGGER", "ENABLE ALWAYS TRIGGER", e);
        put_on_record(&r, version);
    }
    if (ok)
        *ret = arena_strdup(a, strbuf_text(&r.text));
    strbuf_done(&r.text);
    return ok || err_wrap(e, "restore the rows of %s", r.name);
}

bool keep_left_behind(struct pg *db, struct arena *a, const char *version, const char *since,
                      const char **ret, struct err *e)
{
    struct pg_rows rows;
    *ret = NULL;
    if (!pg_query(db, a, "SELECT pg_catalog.to_regclass('" KEEP_UNDO ".left_behind') IS NOT NULL",
                  PG_NONE, &rows, e))
        return false;
    if (!pg_bool(&rows, 0, 0))
        return true;
    if (!pg_query(db, a,
                  "SELECT string_agg(format('%s: %s %s', of, n, CASE n WHEN 1 THEN 'row was written"
                  " since and stays as it is' ELSE 'rows were written since and stay as they are'"
                  " END), '; ' ORDER BY of) FROM (SELECT of, count(*) AS n FROM " KEEP_UNDO
                  ".left_behind WHERE version = $1 AND at >= coalesce($2::timestamptz, "
                  "'-infinity') GROUP BY"
                  " of) x",
                  PG_PARAMS(version, since), &rows, e))
        return false;
    *ret = pg_value(&rows, 0, 0);
    return true;
}
