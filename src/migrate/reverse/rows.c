/*
 * What the statements did to rows of tables that were there before: see generate.h.
 *
 * Read from the statement, for the rows of a scratch database say little about those of the real
 * one. Rows of tables and columns that the migration itself made go with them and need no word.
 */
#include "migrate/reverse/rows.h"

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "migrate/reverse/keep.h"

#include <ctype.h>

void rows_stay(struct run *r, struct rows_seen *s, const char *sentence)
{
    loss_raise(s->l, 'D');
    for (size_t i = 0; i < s->l->stays.n; i++)
        if (streq(s->l->stays.v[i], sentence))
            return;
    *vec_add(&s->l->stays, r->a) = sentence;
}

/* ---- tables and columns ---- */

/* The table as it was before the migration, or NULL: it is new, or nobody's business. */
const struct object *rows_table(struct run *r, struct rows_seen *s, struct sql_name name,
                                struct err *e)
{
    struct pg_rows rows;
    if (!name.name || streq(name.schema, KEEP_UNDO) ||
        !pg_query(r->db, r->a, "SELECT to_regclass($1)::oid::int8",
                  PG_PARAMS(sql_name_text(r->a, name)), &rows, e) ||
        !pg_value(&rows, 0, 0))
        return NULL;
    uint32_t oid = (uint32_t)pg_int(&rows, 0, 0);
    for (size_t i = 0; i < s->before->n; i++) {
        const struct object *o = &s->before->v[i];
        if (o->key.oid == oid && object_is(o, "relation"))
            return o;
    }
    return NULL;
}

static bool is_old_column(struct run *r, struct rows_seen *s, const struct object *t,
                          const char *column, struct err *e)
{
    struct pg_rows rows;
    const char *oid = arena_printf(r->a, "%u", t->key.oid);
    if (!pg_query(r->db, r->a,
                  "SELECT attnum FROM pg_attribute WHERE attrelid = $1::oid AND attname = $2",
                  PG_PARAMS(oid, column), &rows, e) ||
        rows.n == 0)
        return true;
    for (size_t i = 0; i < s->before->n; i++) {
        const struct object *o = &s->before->v[i];
        if (object_is(o, "column") && o->key.oid == t->key.oid &&
            o->key.column == pg_int(&rows, 0, 0))
            return true;
    }
    return false;
}

static bool is_copied(const struct rows_seen *s, const struct object *t)
{
    for (size_t i = 0; i < s->copies.n; i++)
        if (s->copies.v[i].oid == t->key.oid)
            return true;
    return false;
}

static void explain(struct run *r, struct rows_seen *s, const struct object *t)
{
    *vec_add(&s->explained, r->a) = t->key.oid;
}

/* ---- what nobody said: triggers, functions ---- */

/* The server counts what a transaction writes; outside of one there is nothing to count with. */
static bool read_counts(struct run *r, struct pg_rows *ret, struct err *e)
{
    return pg_query(r->db, r->a,
                    "SELECT relid::int8, n_tup_ins + n_tup_upd + n_tup_del FROM"
                    " pg_stat_xact_user_tables WHERE n_tup_ins + n_tup_upd + n_tup_del > 0",
                    PG_NONE, ret, e);
}

static bool is_unchanged(const struct pg_rows *counts, int64_t oid, int64_t n)
{
    for (size_t i = 0; i < counts->n; i++)
        if (pg_int(counts, i, 0) == oid)
            return pg_int(counts, i, 1) == n;
    return false;
}

static const struct object *find_table(const struct world *w, int64_t oid)
{
    for (size_t i = 0; i < w->n; i++)
        if (w->v[i].key.oid == oid && object_is(&w->v[i], "relation"))
            return &w->v[i];
    return NULL;
}

static bool see_counts(struct run *r, struct rows_seen *s, size_t statement, struct err *e)
{
    struct pg_rows now;
    if (!read_counts(r, &now, e))
        return false;
    for (size_t i = 0; i < now.n; i++) {
        int64_t oid = pg_int(&now, i, 0);
        const struct object *t = find_table(s->before, oid);
        bool is_explained = is_unchanged(&s->counts, oid, pg_int(&now, i, 1));
        for (size_t k = 0; k < s->explained.n; k++)
            is_explained |= s->explained.v[k] == oid;
        for (size_t k = 0; k < s->copies.n; k++) /* of what a cascade reaches too */
            is_explained |= s->copies.v[k].oid == oid;
        if (t && !is_explained)
            rows_stay(r, s,
                      arena_printf(r->a,
                                   "rows of %s stay as line %u left them through a trigger, a "
                                   "function or a cascade",
                                   t->identity, r->script->statements[statement].line));
    }
    return true;
}

/* ---- statements ---- */

static void see_change(struct run *r, struct rows_seen *s, const PgQuery__RangeVar *range,
                       const char *what, struct err *e)
{
    const struct object *t = rows_table(r, s, tree_range(range), e);
    if (t)
        explain(r, s, t);
    if (t && !is_copied(s, t))
        rows_stay(r, s, arena_printf(r->a, "%s %s", what, t->identity));
}

/* A trigger that runs before an UPDATE may write other columns than the statement does: a time of
 * change, mostly. */
static void see_touch(struct run *r, struct rows_seen *s, const struct object *t, struct err *e)
{
    struct pg_rows rows;
    if (!pg_query(r->db, r->a,
                  "SELECT quote_ident(tgname), oid::int8 FROM pg_trigger WHERE tgrelid = $1::oid"
                  " AND NOT tgisinternal AND tgenabled IN ('O', 'A') AND tgtype & 19 = 19"
                  " AND tgattr = '' ORDER BY tgname",
                  PG_PARAMS(arena_printf(r->a, "%u", t->key.oid)), &rows, e))
        return;
    for (size_t i = 0; i < s->before->n; i++)
        for (size_t k = 0; k < rows.n; k++)
            if (object_is(&s->before->v[i], "trigger") &&
                s->before->v[i].key.oid == pg_int(&rows, k, 1))
                rows_stay(r, s,
                          arena_printf(r->a, "what trigger %s of %s wrote during the UPDATE stays",
                                       pg_value(&rows, k, 0), t->identity));
}

static void see_update(struct run *r, struct rows_seen *s, const PgQuery__UpdateStmt *u,
                       struct err *e)
{
    const struct object *t = rows_table(r, s, tree_range(u->relation), e);
    bool is_old = false;
    for (size_t i = 0; t && i < u->n_target_list; i++)
        if (u->target_list[i]->node_case == PG_QUERY__NODE__NODE_RES_TARGET)
            is_old |= is_old_column(r, s, t, u->target_list[i]->res_target->name, e);
    if (t)
        explain(r, s, t);
    if (t && !is_old && !is_copied(s, t))
        see_touch(r, s, t, e);
    if (is_old && !is_copied(s, t))
        rows_stay(
            r, s,
            arena_printf(r->a, "values that UPDATE changed in %s stay as they are", t->identity));
}

struct visit {
    struct run *r;
    struct rows_seen *s;
    struct err *e;
    size_t depth;
    VEC(const char *) functions;
};

static bool see_node(void *context, const ProtobufCMessage *m)
{
    struct visit *v = context;
    struct run *r = v->r;
    if (TREE_IS(m, update_stmt))
        see_update(r, v->s, (const PgQuery__UpdateStmt *)m, v->e);
    else if (TREE_IS(m, delete_stmt))
        see_change(r, v->s, ((const PgQuery__DeleteStmt *)m)->relation,
                   "rows do not come back that DELETE removed from", v->e);
    else if (TREE_IS(m, merge_stmt))
        see_change(r, v->s, ((const PgQuery__MergeStmt *)m)->relation,
                   "rows stay as MERGE left them in", v->e);
    else if (TREE_IS(m, insert_stmt) && v->depth > 0)
        see_change(r, v->s, ((const PgQuery__InsertStmt *)m)->relation,
                   "rows stay that a query added to", v->e);
    else if (TREE_IS(m, func_call)) {
        const PgQuery__FuncCall *f = (const PgQuery__FuncCall *)m;
        const char *name = tree_name(f->funcname, f->n_funcname).name;
        if (name)
            *vec_add(&v->functions, r->a) = name;
    }
    v->depth++;
    return true;
}

/* Functions of the project that a statement calls: their text is looked at as that of a DO is. */
static bool see_functions(struct run *r, struct rows_seen *s, const struct sql_statement *x,
                          const char *const *names, size_t n, struct err *e)
{
    struct pg_rows rows;
    if (n == 0)
        return true;
    for (size_t i = 0; i < n; i++)
        if (streq(names[i], "setval") || streq(names[i], "nextval"))
            rows_stay(
                r, s,
                arena_printf(r->a, "the sequence that line %u moved stays where it is", x->line));
    if (!pg_query(r->db, r->a,
                  "SELECT p.proname, p.prosrc, l.lanname IN ('c', 'internal') FROM pg_proc p"
                  " JOIN pg_language l ON l.oid = p.prolang"
                  " WHERE p.oid >= 16384 AND p.provolatile = 'v' AND p.proname = ANY ($1::text[])",
                  PG_PARAMS(pg_text_array(r->a, names, n)), &rows, e))
        return false;
    for (size_t i = 0; i < rows.n; i++)
        if (pg_bool(&rows, i, 2) || rows_text_writes(pg_value(&rows, i, 1)))
            rows_stay(r, s,
                      arena_printf(r->a, "what function %s wrote in line %u stays",
                                   pg_value(&rows, i, 0), x->line));
    return true;
}

static void see_truncate(struct run *r, struct rows_seen *s, const PgQuery__TruncateStmt *t,
                         struct err *e)
{
    for (size_t i = 0; i < t->n_relations; i++)
        if (t->relations[i]->node_case == PG_QUERY__NODE__NODE_RANGE_VAR)
            see_change(r, s, t->relations[i]->range_var,
                       "rows do not come back that TRUNCATE removed from", e);
}

static bool restarts(PgQuery__Node *const *options, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (options[i]->node_case == PG_QUERY__NODE__NODE_DEF_ELEM &&
            streq(options[i]->def_elem->defname, "restart"))
            return true;
    return false;
}

static void see_restart(struct run *r, struct rows_seen *s, const struct sql_statement *x)
{
    bool is_restart =
        x->tree->node_case == PG_QUERY__NODE__NODE_ALTER_SEQ_STMT &&
        restarts(x->tree->alter_seq_stmt->options, x->tree->alter_seq_stmt->n_options);
    for (size_t i = 0; i < tree_command_count(x->tree); i++) {
        const PgQuery__AlterTableCmd *c = tree_command(x->tree, i);
        if (c->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_SetIdentity && c->def &&
            c->def->node_case == PG_QUERY__NODE__NODE_LIST)
            is_restart |= restarts(c->def->list->items, c->def->list->n_items);
    }
    if (is_restart)
        rows_stay(
            r, s,
            arena_printf(r->a, "the sequence that line %u restarted stays where it is", x->line));
}

/* What cannot be read: the words have to do. */
static void see_words(struct run *r, struct rows_seen *s, const struct sql_statement *x,
                      const char *what)
{
    if (rows_text_writes(str_dup(r->a, x->text)))
        rows_stay(r, s, arena_printf(r->a, "what %s in line %u wrote stays", what, x->line));
}

bool rows_before(struct run *r, struct rows_seen *s, size_t i, struct err *e)
{
    const struct sql_statement *x = &r->script->statements[i];
    err_clear(e);
    s->insert = NULL;
    s->explained.n = 0;
    s->is_counting = false;
    if (!x->tree) {
        if (x->is_bulk)
            return rows_bulk_before(r, s, x, e);
        if (!x->is_analysed)
            see_words(r, s, x, x->what);
        return true;
    }
    const char *copy;
    struct sql_name table;
    if (keep_is_copy(x, &copy, &table)) {
        const struct object *t = rows_table(r, s, table, e);
        if (t)
            *vec_add(&s->copies, r->a) = (struct rows_copy){ .name = arena_strdup(r->a, copy),
                                                             .table = table,
                                                             .oid = t->key.oid };
        return e->code == ERR_NONE;
    }
    if (x->tree->node_case == PG_QUERY__NODE__NODE_DO_STMT)
        see_words(r, s, x, "DO");
    if (x->tree->node_case == PG_QUERY__NODE__NODE_TRUNCATE_STMT)
        see_truncate(r, s, x->tree->truncate_stmt, e);
    see_restart(r, s, x);
    bool has_rows = x->tree->node_case == PG_QUERY__NODE__NODE_SELECT_STMT ||
                    x->tree->node_case == PG_QUERY__NODE__NODE_CALL_STMT ||
                    x->tree->node_case == PG_QUERY__NODE__NODE_INSERT_STMT ||
                    x->tree->node_case == PG_QUERY__NODE__NODE_UPDATE_STMT ||
                    x->tree->node_case == PG_QUERY__NODE__NODE_DELETE_STMT ||
                    x->tree->node_case == PG_QUERY__NODE__NODE_MERGE_STMT ||
                    x->tree->node_case == PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT;
    s->is_counting = r->script->is_transactional &&
                     (has_rows || x->tree->node_case == PG_QUERY__NODE__NODE_DO_STMT);
    if (s->is_counting && !read_counts(r, &s->counts, e))
        return false;
    if (!has_rows)
        return e->code == ERR_NONE;
    struct visit v = { .r = r, .s = s, .e = e };
    (void)tree_walk(x->tree, see_node, &v);
    return e->code == ERR_NONE && see_functions(r, s, x, v.functions.v, v.functions.n, e) &&
           (x->tree->node_case != PG_QUERY__NODE__NODE_INSERT_STMT ||
            rows_insert_before(r, s, x->tree->insert_stmt, e));
}

bool rows_after(struct run *r, struct rows_seen *s, size_t statement, struct err *e)
{
    if (s->insert)
        explain(r, s, s->insert->table);
    return (!s->is_counting || see_counts(r, s, statement, e)) &&
           (!s->insert || rows_insert_after(r, s, e));
}

/* ---- the way back ---- */

static void restore_copies(struct run *r, struct rows_seen *s, const char *version)
{
    for (size_t i = s->copies.n; i-- > 0;) {
        struct rows_copy *c = &s->copies.v[i];
        struct err e = { 0 };
        const char *sql = NULL;
        bool ok = pg_exec(r->db, "SAVEPOINT lockflight_copy", PG_NONE, NULL, &e) &&
                  keep_restore(r->db, r->a, version, c->name, c->table, &sql, &e);
        struct err ignored;
        (void)!pg_exec(r->db, ok ? "RELEASE lockflight_copy" : "ROLLBACK TO lockflight_copy",
                       PG_NONE, NULL, &ignored);
        size_t n = sql ? strlen(sql) : 0;
        while (n > 0 && (sql[n - 1] == ';' || isspace((unsigned char)sql[n - 1])))
            n--;
        if (!ok || !attempt_with(r, NULL, "The rows that were copied before they were changed.",
                                 arena_strndup(r->a, sql, n)))
            rows_stay(r, s,
                      arena_printf(r->a, "rows copied to %s.%s do not go back by themselves: %s",
                                   KEEP_UNDO, c->name, ok ? r->why.why : e.why));
    }
}

void rows_restore(struct run *r, struct rows_seen *s, const char *version)
{
    rows_insert_restore(r, s);
    restore_copies(r, s, version);
}
