/*
 * What synthetic rows may not have shown: statements that change or remove rows of a kind that is not
 * among them. Nobody can say that such a change was taken back.
 *
 * What a migration writes into its own tables and columns is not among these: it goes with them, and
 * losing them is what the class of the new table or column says already. A trigger or rule on such a
 * table may write elsewhere; then nothing is taken for granted.
 */
#include "migrate/prove/inside.h"
#include "migrate/sql/tree.h"

/* Does the file's name for a table mean this one ("public.t", quoted where needed)? Without a schema
 * every table of that name may be meant. */
static bool is_table(const struct run *r, struct sql_name name, const char *table)
{
    if (name.schema)
        return streq(table, sql_name_text(r->a, name));
    const char *dot = arena_printf(r->a, ".%s", sql_quote(r->a, name.name));
    return ends_with(table, dot);
}

/* Is it this column (NULL: any) of a table that the name may mean? */
static bool is_column(const struct run *r, const struct columns *c, size_t i, struct sql_name table,
                      const char *column)
{
    const char *of = pg_value(&c->rows, i, 2) + sizeof "table " - 1;
    return is_table(r, table, of) &&
           (!column || streq(pg_value(&c->rows, i, 1),
                             arena_printf(r->a, "column %s.%s", of, sql_quote(r->a, column))));
}

static bool has_column(const struct run *r, const struct columns *c, struct sql_name table,
                       const char *column)
{
    for (size_t i = 0; i < c->rows.n; i++)
        if (is_column(r, c, i, table, column))
            return true;
    return false;
}

/* Was a column that has this name afterwards there before under another one? */
static bool was_renamed(const struct run *r, struct sql_name table, const char *column)
{
    for (size_t i = 0; i < r->columns_after.rows.n; i++) {
        const char *key = pg_value(&r->columns_after.rows, i, 0);
        bool is_it = is_column(r, &r->columns_after, i, table, column);
        for (size_t k = 0; is_it && k < r->columns_before.rows.n; k++)
            if (streq(pg_value(&r->columns_before.rows, k, 0), key))
                return true;
    }
    return false;
}

static bool runs_code(const struct run *r, const struct catalogue *c, struct sql_name table)
{
    for (size_t i = 0; i < c->n; i++) {
        const struct catalogue_object *o = &c->objects[i];
        if (!streq(o->kind, "trigger") && !streq(o->kind, "rule"))
            continue;
        for (const char *dot = strchr(o->identity, '.'); dot; dot = strchr(dot + 1, '.'))
            if (is_table(r, table, arena_strndup(r->a, o->identity, (size_t)(dot - o->identity))))
                return true;
    }
    return false;
}

/* Was this column (NULL: the whole table) made by the migration, and nothing runs when it is written? */
static bool is_own(const struct run *r, struct sql_name table, const char *column)
{
    return table.name && has_column(r, &r->columns_after, table, column) &&
           !has_column(r, &r->columns_before, table, column) && !was_renamed(r, table, column) &&
           !runs_code(r, &r->before, table) && !runs_code(r, &r->after, table);
}

static bool is_own_update(const struct run *r, const PgQuery__UpdateStmt *u)
{
    for (size_t i = 0; i < u->n_target_list; i++)
        if (u->target_list[i]->node_case != PG_QUERY__NODE__NODE_RES_TARGET ||
            !is_own(r, tree_range(u->relation), u->target_list[i]->res_target->name))
            return false;
    return u->n_target_list > 0;
}

struct search {
    const struct run *r;
    const char *found; /* "DELETE" */
};

static bool is_own_truncate(const struct run *r, const PgQuery__TruncateStmt *t)
{
    for (size_t i = 0; i < t->n_relations; i++)
        if (!is_own(r, tree_node_name(t->relations[i]), NULL))
            return false;
    return true;
}

static bool see(void *context, const ProtobufCMessage *m)
{
    struct search *x = context;
    const struct run *r = x->r;
    if (TREE_IS(m, update_stmt) && !is_own_update(r, (const PgQuery__UpdateStmt *)m))
        x->found = "UPDATE";
    if (TREE_IS(m, delete_stmt) &&
        !is_own(r, tree_range(((const PgQuery__DeleteStmt *)m)->relation), NULL))
        x->found = "DELETE";
    if (TREE_IS(m, merge_stmt) &&
        !is_own(r, tree_range(((const PgQuery__MergeStmt *)m)->relation), NULL))
        x->found = "MERGE";
    if (TREE_IS(m, truncate_stmt) && !is_own_truncate(r, (const PgQuery__TruncateStmt *)m))
        x->found = "TRUNCATE";
    if (TREE_IS(m, insert_stmt)) {
        const PgQuery__InsertStmt *i = (const PgQuery__InsertStmt *)m;
        if (i->on_conflict_clause &&
            i->on_conflict_clause->action == PG_QUERY__ON_CONFLICT_ACTION__ONCONFLICT_UPDATE &&
            !is_own(r, tree_range(i->relation), NULL))
            x->found = "INSERT ON CONFLICT";
    }
    return !x->found;
}

/* What a rule or a function will do one day is not done by the migration. */
static bool is_for_later(const struct sql_statement *s)
{
    return s->tree->node_case == PG_QUERY__NODE__NODE_RULE_STMT ||
           s->tree->node_case == PG_QUERY__NODE__NODE_CREATE_FUNCTION_STMT;
}

/* A statement that is not analysed is known by its first word. */
static const char *by_its_words(const struct sql_statement *s)
{
    static const char *const words[] = { "UPDATE", "DELETE", "MERGE", "TRUNCATE", NULL };
    for (const char *const *w = words; *w; w++)
        if (starts_with(s->what, *w))
            return *w;
    return NULL;
}

const char *unseen_write(const struct run *r)
{
    struct search x = { .r = r };
    for (size_t i = 0; i < r->up.n && !x.found; i++) {
        const struct sql_statement *s = &r->up.statements[i];
        if (!s->tree)
            x.found = by_its_words(s);
        else if (!is_for_later(s))
            (void)!tree_walk(s->tree, see, &x);
    }
    return x.found;
}
