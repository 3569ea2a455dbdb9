/*
 * Copies of rows before a statement writes over them, and what they became afterwards. The tables
 * that hold the copies are described in keep_table.h.
 *
 * Nobody else writes to the table between the copy and the change (SHARE ROW EXCLUSIVE; readers are
 * not held up). What the rows became is read back after the change instead of being worked out, so
 * that triggers and volatile expressions are in it.
 */
#include "migrate/reverse/keep_inside.h"
#include "migrate/reverse/keep_table.h"

#define DEPTH_MAX 8 /* of cascading deletes */

enum layout {
    REMOVED,
    CHANGED,
    ANYTHING
};

/* Text to run after the statement, collected while the copies are made. */
struct copying {
    struct keep_work *w;
    const char *after;
};

/* ---- the copy ---- */

static bool is_wanted(const struct keep_column *c, const char *const *only, size_t n)
{
    for (size_t i = 0; only && i < n; i++)
        if (streq(only[i], c->name))
            return true;
    return !only;
}

static const char *copy_columns(struct keep_work *w, const struct keep_table *t, enum layout layout,
                                const char *as, const char *const *only, size_t only_count)
{
    const char *list = layout == ANYTHING ? ", true AS had, false AS has" : "";
    for (size_t i = 0; i < t->columns.n; i++) {
        const struct keep_column *c = &t->columns.v[i];
        const char *name = sql_quote(w->a, c->name);
        if (layout != REMOVED && c->is_key)
            list = arena_printf(w->a, "%s, %s.%s AS %s", list, as, name,
                                keep_name(w->a, "key_", c->name));
        if (c->is_computed || (layout != REMOVED && c->is_key) || !is_wanted(c, only, only_count))
            continue;
        list =
            arena_printf(w->a, "%s, %s.%s AS %s", list, as, name, keep_name(w->a, "old_", c->name));
        if (layout != REMOVED)
            list = arena_printf(w->a, "%s, NULL::%s AS %s", list, c->type,
                                keep_name(w->a, "new_", c->name));
    }
    return list;
}

/* CREATE TABLE … AS and its limits. Returns the name of the copy. */
static const char *add_copy(struct keep_work *w, const struct keep_table *t, enum layout layout,
                            const struct keep_selection *s, const char *const *only,
                            size_t only_count)
{
    const char *copy = arena_printf(w->a, "v%s_%zu", w->m->version, ++w->copies);
    if (!w->has_undo)
        keep_add(w, "CREATE SCHEMA IF NOT EXISTS " KEEP_UNDO ";");
    w->has_undo = true;
    keep_add(w, "LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE;", t->name);
    keep_add(
        w,
        "CREATE TABLE " KEEP_UNDO ".%s AS\n"
        "  SELECT row_number() OVER () AS row_no, sum(pg_column_size(%s.*)) OVER (ROWS UNBOUNDED "
        "PRECEDING) AS bytes%s\n"
        "  FROM %s\n"
        "  LIMIT %d;",
        copy, s->as, copy_columns(w, t, layout, s->as, only, only_count), s->from,
        KEEP_ROWS_MAX + 1);
    keep_add(w,
             "ALTER TABLE " KEEP_UNDO ".%s\n"
             "  ADD CONSTRAINT \"at most %d rows are kept\" CHECK (row_no <= %d),\n"
             "  ADD CONSTRAINT \"at most 1 GB is kept\" CHECK (bytes <= %d);",
             copy, KEEP_ROWS_MAX, KEEP_ROWS_MAX, KEEP_BYTES_MAX);
    return copy;
}

/* "new_a = t.a, new_b = t.b" */
static const char *new_values(struct keep_work *w, const struct keep_table *t,
                              const char *const *only, size_t n)
{
    const char *list = "";
    for (size_t i = 0; i < t->columns.n; i++) {
        const struct keep_column *c = &t->columns.v[i];
        if (c->is_key || c->is_computed || !is_wanted(c, only, n))
            continue;
        list = arena_printf(w->a, "%s%s%s = t.%s", list, *list ? ", " : "",
                            keep_name(w->a, "new_", c->name), sql_quote(w->a, c->name));
    }
    return list;
}

static void compare_after(struct copying *c, const struct keep_table *t, const char *copy,
                          const char *const *only, size_t n)
{
    struct arena *a = c->w->a;
    c->after =
        arena_printf(a, "%sUPDATE " KEEP_UNDO ".%s AS u SET %s\n  FROM %s AS t WHERE %s;\n",
                     c->after, copy, new_values(c->w, t, only, n), t->name, keep_key_match(a, t));
}

static void note_triggers(struct keep_work *w, const struct keep_table *t)
{
    if (t->has_triggers)
        w->note = "what its triggers write to other tables is not kept";
}

/* The statement itself between what goes before and what comes after. */
static bool finish(struct copying *c)
{
    struct keep_work *w = c->w;
    if (w->refusal)
        return true;
    keep_add(w, "%.*s;", STR_FMT(w->statement->text));
    if (*c->after)
        strbuf_adds(&w->text, c->after);
    return true;
}

/* The table of a statement; *ret_wanted is false if it is none that was there before. */
static bool find_table(struct keep_work *w, const PgQuery__RangeVar *relation,
                       struct keep_table *ret, bool *ret_wanted, struct err *e)
{
    const char *oid = NULL;
    *ret_wanted = false;
    if (!keep_resolve(w, tree_range(relation), &oid, e))
        return false;
    return !oid || (keep_is_old(w, oid, NULL, ret_wanted, e) &&
                    (!*ret_wanted || keep_table_read(w->db, w->a, oid, ret, e)));
}

static bool needs_key(struct keep_work *w, const struct keep_table *t)
{
    if (!t->has_key)
        keep_refuse(w,
                    "%s has no key by which its rows could be found again; add a primary key in "
                    "an earlier migration",
                    t->name);
    return t->has_key;
}

/* ---- UPDATE ---- */

static bool key_is_safe(struct keep_work *w, const struct keep_table *t, const char *const *set,
                        size_t n, struct err *e)
{
    const char *follower = NULL;
    for (size_t i = 0; i < t->columns.n; i++)
        if (t->columns.v[i].is_key && is_wanted(&t->columns.v[i], set, n))
            return keep_refuse(w,
                               "it changes the key (%s), so that the rows could not be found again",
                               t->columns.v[i].name);
    if (!keep_ask_text(
            w,
            "SELECT min(c.conrelid::pg_catalog.regclass::text) FROM pg_catalog.pg_constraint c"
            " JOIN pg_catalog.pg_attribute a ON a.attrelid = c.confrelid AND a.attnum ="
            " ANY (c.confkey) WHERE c.contype = 'f' AND c.confrelid = $1::oid AND c.confupdtype IN"
            " ('c', 'n', 'd') AND a.attname = ANY ($2::text[])",
            PG_PARAMS(t->oid, pg_text_array(w->a, set, n)), &follower, e))
        return false;
    return !follower ||
           keep_refuse(w,
                       "ON UPDATE changes rows of %s too; change those in a statement of its own",
                       follower);
}

bool keep_update(struct keep_work *w, struct err *e)
{
    const PgQuery__UpdateStmt *s = w->statement->tree->update_stmt;
    struct keep_table t = { 0 };
    struct keep_selection rows = { 0 };
    bool wanted = false, any_old = false;
    if (!find_table(w, s->relation, &t, &wanted, e))
        return false;
    if (!wanted)
        return true;
    const char **set = ARENA_ARRAY(w->a, const char *, s->n_target_list + 1);
    for (size_t i = 0; i < s->n_target_list; i++) {
        bool is_old = false;
        set[i] = s->target_list[i]->res_target->name;
        if (!keep_is_old(w, t.oid, set[i], &is_old, e))
            return false;
        any_old = any_old || is_old;
    }
    if (!any_old && !t.has_row_triggers)
        return true; /* the way back drops what it fills */
    w->what = arena_printf(w->a, "UPDATE %s", t.name);
    if (!needs_key(w, &t))
        return true;
    struct keep_writing x = { s->relation, s->from_clause, s->n_from_clause, s->where_clause,
                              s->with_clause };
    if (!key_is_safe(w, &t, set, s->n_target_list, e) || !keep_select_rows(w, &x, t.name, &rows, e))
        return false;
    if (w->refusal)
        return true;
    const char *const *only = t.has_row_triggers ? NULL : set;
    struct copying c = { w, "" };
    const char *copy = add_copy(w, &t, CHANGED, &rows, only, s->n_target_list);
    compare_after(&c, &t, copy, only, s->n_target_list);
    note_triggers(w, &t);
    return finish(&c);
}

/* ---- DELETE ---- */

static bool copy_removed(struct copying *c, const struct keep_table *t,
                         const struct keep_selection *s, unsigned depth, struct err *e);

/* A table whose foreign key does something to its rows when rows of another go. */
struct follower {
    const char *oid;
    const char *action;     /* 'c', 'n', 'd' as in pg_constraint */
    const char *columns;    /* "t.owner" */
    const char *referenced; /* "p.id" */
    const char *names;      /* of its columns, a line each */
};

// NOLINTNEXTLINE(misc-no-recursion): ends at DEPTH_MAX
static bool copy_follower(struct copying *c, const struct keep_table *parent,
                          const struct keep_selection *s, const struct follower *f, unsigned depth,
                          struct err *e)
{
    struct keep_work *w = c->w;
    struct keep_table child = { 0 };
    if (depth >= DEPTH_MAX || streq(f->oid, parent->oid))
        return keep_refuse(w, "the delete cascades through %s in a circle or too deep",
                           parent->name);
    if (!keep_table_read(w->db, w->a, f->oid, &child, e))
        return false;
    struct keep_selection rows = { arena_printf(w->a, "%s AS t WHERE (%s) IN (SELECT %s FROM %s)",
                                                child.name, f->columns, f->referenced, s->from),
                                   "t" };
    if (streq(f->action, "c"))
        return copy_removed(c, &child, &rows, depth + 1, e);
    if (!needs_key(w, &child))
        return true;
    VEC(const char *) set = { 0 };
    struct str rest = str_of(f->names);
    while (rest.n > 0)
        *vec_add(&set, w->a) = str_dup(w->a, str_cut(&rest, '\n'));
    const char *copy = add_copy(w, &child, CHANGED, &rows, set.v, set.n);
    compare_after(c, &child, copy, set.v, set.n);
    return true;
}

/* Followers first: on the way back, which goes the other way, they come after what they refer to. */
// NOLINTNEXTLINE(misc-no-recursion): ends at DEPTH_MAX
static bool copy_removed(struct copying *c, const struct keep_table *t,
                         const struct keep_selection *s, unsigned depth, struct err *e)
{
    struct keep_work *w = c->w;
    struct pg_rows r;
    if (!keep_ask(
            w,
            "SELECT c.conrelid, c.confdeltype::text,"
            " (SELECT pg_catalog.string_agg('t.' || pg_catalog.quote_ident(a.attname), ', ' ORDER "
            "BY"
            "  k.i) FROM unnest(c.conkey) WITH ORDINALITY k(n, i) JOIN pg_catalog.pg_attribute a ON"
            "  a.attrelid = c.conrelid AND a.attnum = k.n),"
            " (SELECT pg_catalog.string_agg($2::text || '.' || pg_catalog.quote_ident(a.attname),"
            "  ', ' ORDER BY k.i) FROM unnest(c.confkey) WITH ORDINALITY k(n, i) JOIN"
            "  pg_catalog.pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.n),"
            " (SELECT pg_catalog.string_agg(a.attname, chr(10)) FROM unnest(c.conkey) k(n) JOIN"
            "  pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.n)"
            " FROM pg_catalog.pg_constraint c WHERE c.contype = 'f' AND c.confrelid = $1::oid"
            " AND c.confdeltype IN ('c', 'n', 'd') AND c.conparentid = 0 ORDER BY c.conrelid",
            PG_PARAMS(t->oid, s->as), &r, e))
        return false;
    for (size_t i = 0; i < r.n && !w->refusal; i++) {
        struct follower f = { pg_value(&r, i, 0), pg_value(&r, i, 1), pg_value(&r, i, 2),
                              pg_value(&r, i, 3), pg_value(&r, i, 4) };
        if (!copy_follower(c, t, s, &f, depth, e))
            return false;
    }
    if (!w->refusal)
        (void)add_copy(w, t, REMOVED, s, NULL, 0);
    note_triggers(w, t);
    return true;
}

bool keep_delete(struct keep_work *w, struct err *e)
{
    const PgQuery__DeleteStmt *s = w->statement->tree->delete_stmt;
    struct keep_table t = { 0 };
    struct keep_selection rows = { 0 };
    bool wanted = false;
    if (!find_table(w, s->relation, &t, &wanted, e))
        return false;
    if (!wanted)
        return true;
    w->what = arena_printf(w->a, "DELETE FROM %s", t.name);
    struct keep_writing x = { s->relation, s->using_clause, s->n_using_clause, s->where_clause,
                              s->with_clause };
    if (!keep_select_rows(w, &x, t.name, &rows, e))
        return false;
    if (w->refusal)
        return true;
    struct copying c = { w, "" };
    return copy_removed(&c, &t, &rows, 0, e) && finish(&c);
}

/* ---- TRUNCATE ---- */

bool keep_truncate(struct keep_work *w, struct err *e)
{
    const PgQuery__TruncateStmt *s = w->statement->tree->truncate_stmt;
    const char *list = "";
    struct copying c = { w, "" };
    for (size_t i = 0; i < s->n_relations; i++) {
        const char *oid = NULL;
        bool is_old = false;
        if (!keep_resolve(w, tree_node_name(s->relations[i]), &oid, e) ||
            (oid && !keep_is_old(w, oid, NULL, &is_old, e)))
            return false;
        if (is_old)
            list = arena_printf(w->a, "%s%s%s", list, *list ? "," : "", oid);
    }
    w->what = "TRUNCATE";
    if (!*list)
        return true;
    if (s->restart_seqs)
        return keep_refuse(w, "RESTART IDENTITY would give numbers again that the kept rows have; "
                              "leave it out");
    struct pg_rows r;
    if (!keep_ask(w,
                  "WITH RECURSIVE f(oid, depth) AS (SELECT unnest($1::oid[]), 0 UNION"
                  " SELECT c.conrelid, f.depth + 1 FROM f JOIN pg_catalog.pg_constraint c ON"
                  " c.contype = 'f' AND c.confrelid = f.oid AND c.conrelid <> f.oid"
                  " WHERE f.depth < $2::int)"
                  " SELECT oid FROM f GROUP BY oid ORDER BY max(depth) DESC, oid",
                  PG_PARAMS(arena_printf(w->a, "{%s}", list), arena_printf(w->a, "%d", DEPTH_MAX)),
                  &r, e))
        return false;
    for (size_t i = 0; i < r.n; i++) {
        struct keep_table t;
        if (!keep_table_read(w->db, w->a, pg_value(&r, i, 0), &t, e))
            return false;
        (void)add_copy(w, &t, REMOVED,
                       &(struct keep_selection){ arena_printf(w->a, "%s AS t", t.name), "t" }, NULL,
                       0);
        note_triggers(w, &t);
    }
    return finish(&c);
}

/* ---- MERGE, INSERT … ON CONFLICT DO UPDATE ---- */

/* Whichever rows they touch: all are copied, and those that stayed the same forgotten again. */
static bool copy_anything(struct keep_work *w, const struct keep_table *t)
{
    struct copying c = { w, "" };
    struct arena *a = w->a;
    const char *same = "", *keys = "", *key_names = "", *columns = "", *new_names = "";
    if (!needs_key(w, t))
        return true;
    for (size_t i = 0; i < t->columns.n; i++) {
        const struct keep_column *k = &t->columns.v[i];
        const char *name = sql_quote(a, k->name);
        if (k->is_key) {
            keys = arena_printf(a, "%s, t.%s", keys, name);
            key_names = arena_printf(a, "%s, %s", key_names, keep_name(a, "key_", k->name));
        } else if (!k->is_computed) {
            const char *cast = k->lacks_equals ? "::text" : "";
            same = arena_printf(a, "%s AND %s%s IS NOT DISTINCT FROM %s%s", same,
                                keep_name(a, "old_", k->name), cast, keep_name(a, "new_", k->name),
                                cast);
            columns = arena_printf(a, "%s, t.%s", columns, name);
            new_names = arena_printf(a, "%s, %s", new_names, keep_name(a, "new_", k->name));
        }
    }
    const char *copy =
        add_copy(w, t, ANYTHING,
                 &(struct keep_selection){ arena_printf(a, "%s AS t", t->name), "t" }, NULL, 0);
    const char *set = new_values(w, t, NULL, 0), *match = keep_key_match(a, t);
    c.after = arena_printf(
        a,
        "INSERT INTO " KEEP_UNDO ".%s (had, has%s%s)\n  SELECT false, true%s%s FROM %s AS t"
        " WHERE NOT EXISTS (SELECT FROM " KEEP_UNDO ".%s AS u WHERE %s);\n"
        "UPDATE " KEEP_UNDO ".%s AS u SET has = true%s%s\n  FROM %s AS t WHERE u.had AND %s;\n"
        "DELETE FROM " KEEP_UNDO ".%s WHERE had AND has%s;\n",
        copy, key_names, new_names, keys, columns, t->name, copy, match, copy, *set ? ", " : "",
        set, t->name, match, copy, same);
    note_triggers(w, t);
    return finish(&c);
}

/* Rows of other tables that a MERGE would take along unseen. */
static bool has_no_followers(struct keep_work *w, const struct keep_table *t,
                             const PgQuery__Node *n, struct err *e)
{
    bool deletes = false;
    const char *follower = NULL;
    for (size_t i = 0;
         n->node_case == PG_QUERY__NODE__NODE_MERGE_STMT && i < n->merge_stmt->n_merge_when_clauses;
         i++)
        deletes =
            deletes || n->merge_stmt->merge_when_clauses[i]->merge_when_clause->command_type ==
                           PG_QUERY__CMD_TYPE__CMD_DELETE;
    if (!keep_ask_text(w,
                       "SELECT min(conrelid::pg_catalog.regclass::text) FROM"
                       " pg_catalog.pg_constraint WHERE contype = 'f' AND confrelid = $1::oid AND"
                       " (confupdtype IN ('c', 'n', 'd') OR $2::bool AND confdeltype IN"
                       " ('c', 'n', 'd'))",
                       PG_PARAMS(t->oid, deletes ? "t" : "f"), &follower, e))
        return false;
    return !follower || keep_refuse(w, "it changes rows of %s too, by a foreign key", follower);
}

bool keep_merge(struct keep_work *w, struct err *e)
{
    const PgQuery__Node *n = w->statement->tree;
    bool is_merge = n->node_case == PG_QUERY__NODE__NODE_MERGE_STMT, wanted = false;
    struct keep_table t;
    if (!is_merge && (!n->insert_stmt->on_conflict_clause ||
                      n->insert_stmt->on_conflict_clause->action !=
                          PG_QUERY__ON_CONFLICT_ACTION__ONCONFLICT_UPDATE))
        return true;
    if (!find_table(w, is_merge ? n->merge_stmt->relation : n->insert_stmt->relation, &t, &wanted,
                    e))
        return false;
    if (!wanted)
        return true;
    w->what = arena_printf(w->a, is_merge ? "MERGE INTO %s" : "INSERT INTO %s … DO UPDATE", t.name);
    if (!has_no_followers(w, &t, n, e))
        return false;
    return w->refusal || copy_anything(w, &t);
}
