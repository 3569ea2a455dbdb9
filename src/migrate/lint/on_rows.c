/*
 * INSERT, UPDATE, DELETE: how many rows at once, and whether the old values are kept.
 */
#include "base/str.h"
#include "migrate/lint/inside.h"

/* The statement runs in batches: its own directive, or a file that is a backfill. */
static bool is_batched(const struct lint *l)
{
    return l->statement->mode == SQL_BACKFILL ||
           directive_find(&l->statement->directives, DIRECTIVE_BACKFILL);
}

/* WHERE c = constant, or c IN (constants), on a column that is unique: a few rows. */
struct key {
    const struct lint_table *t;
    bool is_found;
};

static bool is_unique_column(const struct lint_table *t, const char *column)
{
    if (!t)
        return streq(column, "id"); /* nothing is known; the usual name of a key */
    for (size_t i = 0; i < t->constraints.n; i++) {
        const struct lint_constraint *k = &t->constraints.v[i];
        if ((k->kind == LINT_PRIMARY || k->kind == LINT_UNIQUE) && k->column_count == 1 &&
            streq(k->columns[0], column))
            return true;
    }
    for (size_t i = 0; i < t->indexes.n; i++)
        if (t->indexes.v[i].is_unique && t->indexes.v[i].column_count == 1 &&
            streq(t->indexes.v[i].columns[0], column))
            return true;
    return false;
}

static bool is_equality(const struct lint_table *t, const PgQuery__Node *where)
{
    if (!where || where->node_case != PG_QUERY__NODE__NODE_A_EXPR)
        return false;
    const PgQuery__AExpr *e = where->a_expr;
    bool is_equal = (e->kind == PG_QUERY__A__EXPR__KIND__AEXPR_OP ||
                     e->kind == PG_QUERY__A__EXPR__KIND__AEXPR_IN) &&
                    e->n_name == 1 && streq(tree_string(e->name[0]), "=");
    const char *column[2];
    return is_equal && lint_columns_of(e->lexpr, column, 2) == 1 &&
           lint_columns_of(e->rexpr, column + 1, 1) == 0 && is_unique_column(t, column[0]);
}

static bool is_key_condition(const struct lint_table *t, const PgQuery__Node *where)
{
    if (!where || where->node_case != PG_QUERY__NODE__NODE_BOOL_EXPR)
        return is_equality(t, where);
    if (where->bool_expr->boolop != PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR)
        return false;
    for (size_t i = 0; i < where->bool_expr->n_args; i++)
        if (is_equality(t, where->bool_expr->args[i]))
            return true;
    return false;
}

static void many(struct lint *l, struct sql_name name, const struct lint_table *t,
                 const PgQuery__Node *where)
{
    if (is_batched(l) || lint_is_new(t) || is_key_condition(t, where))
        return;
    if (t && t->is_sized) {
        if (t->rows > LINT_MANY_ROWS)
            (void)lint_found_on(l, LINT_L24, 0, t, "%s", lint_text(l, name));
        return;
    }
    struct lint_finding *f =
        lint_found(l, LINT_L24, 0, "%s may have many rows", lint_text(l, name));
    lint_assume(l, f, where != NULL);
}

/* c IS NULL for every column that is set: nothing was there. */
static bool fills_nulls(const PgQuery__UpdateStmt *u, const char *column)
{
    const PgQuery__Node *w = u->where_clause;
    const char *tested[1];
    if (w && w->node_case == PG_QUERY__NODE__NODE_BOOL_EXPR &&
        w->bool_expr->boolop == PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR) {
        for (size_t i = 0; i < w->bool_expr->n_args; i++) {
            const PgQuery__Node *one = w->bool_expr->args[i];
            if (one->node_case == PG_QUERY__NODE__NODE_NULL_TEST &&
                one->null_test->nulltesttype == PG_QUERY__NULL_TEST_TYPE__IS_NULL &&
                lint_columns_of(one, tested, 1) == 1 && streq(tested[0], column))
                return true;
        }
        return false;
    }
    return w && w->node_case == PG_QUERY__NODE__NODE_NULL_TEST &&
           w->null_test->nulltesttype == PG_QUERY__NULL_TEST_TYPE__IS_NULL &&
           lint_columns_of(w, tested, 1) == 1 && streq(tested[0], column);
}

static void update(struct lint *l, const PgQuery__UpdateStmt *u)
{
    struct sql_name name = tree_range(u->relation);
    const struct lint_table *t = lint_schema_table(&l->schema, name);
    const char *lost = NULL;
    for (size_t i = 0; i < u->n_target_list; i++) {
        const char *column = u->target_list[i]->res_target->name;
        const struct lint_column *c = lint_table_column(t, column);
        for (size_t k = 0; k < i; k++)
            if (streq(u->target_list[k]->res_target->name, column) &&
                u->target_list[k]->res_target->n_indirection == 0)
                (void)lint_found(l, LINT_Q08, u->target_list[i]->res_target->location,
                                 "%s is set twice", column);
        if (!(c && c->is_new) && !fills_nulls(u, column) && !lost)
            lost = column;
    }
    if (lint_is_new(t) || lint_is_kept_schema(name.schema))
        return;
    if (!u->where_clause && !is_batched(l))
        (void)lint_found(l, LINT_D02, 0, "UPDATE %s", lint_text(l, name));
    many(l, name, t, u->where_clause);
    if (lost && !lint_has_image(l, name))
        (void)lint_found(l, LINT_D01, 0, "the old values of %s.%s", lint_text(l, name), lost);
}

static void delete (struct lint *l, const PgQuery__DeleteStmt *d)
{
    struct sql_name name = tree_range(d->relation);
    const struct lint_table *t = lint_schema_table(&l->schema, name);
    if (lint_is_new(t) || lint_is_kept_schema(name.schema))
        return;
    if (!d->where_clause && !is_batched(l))
        (void)lint_found(l, LINT_D02, 0, "DELETE FROM %s", lint_text(l, name));
    many(l, name, t, d->where_clause);
    if (!lint_has_image(l, name))
        (void)lint_found(l, LINT_D01, 0, "the deleted rows of %s", lint_text(l, name));
}

static void insert(struct lint *l, const PgQuery__InsertStmt *i)
{
    for (size_t k = 0; k < i->n_cols; k++)
        for (size_t m = 0; m < k; m++)
            if (streq(i->cols[k]->res_target->name, i->cols[m]->res_target->name))
                (void)lint_found(l, LINT_Q08, i->cols[k]->res_target->location, "%s is named twice",
                                 i->cols[k]->res_target->name);
}

void lint_on_rows(struct lint *l, const PgQuery__Node *n)
{
    if (n->node_case == PG_QUERY__NODE__NODE_UPDATE_STMT)
        update(l, n->update_stmt);
    else if (n->node_case == PG_QUERY__NODE__NODE_DELETE_STMT)
        delete (l, n->delete_stmt);
    else if (n->node_case == PG_QUERY__NODE__NODE_INSERT_STMT)
        insert(l, n->insert_stmt);
}
