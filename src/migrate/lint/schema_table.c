/*
 * The schema model follows CREATE TABLE, ALTER TABLE and CREATE INDEX. See schema_follow.c.
 */
#include "base/str.h"
#include "migrate/lint/inside.h"

#define MAX_COLUMNS 8

static size_t names_of(PgQuery__Node *const *nodes, size_t n, const char **ret)
{
    size_t count = 0;
    for (size_t i = 0; i < n && count < MAX_COLUMNS; i++)
        ret[count++] = tree_string(nodes[i]);
    return count;
}

static enum lint_constraint_kind kind_of(PgQuery__ConstrType t, bool *ret_is_one)
{
    *ret_is_one = true;
    if (t == PG_QUERY__CONSTR_TYPE__CONSTR_CHECK)
        return LINT_CHECK;
    if (t == PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY)
        return LINT_PRIMARY;
    if (t == PG_QUERY__CONSTR_TYPE__CONSTR_UNIQUE)
        return LINT_UNIQUE;
    if (t == PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN)
        return LINT_FOREIGN;
    *ret_is_one = t == PG_QUERY__CONSTR_TYPE__CONSTR_EXCLUSION;
    return LINT_EXCLUDE;
}

/* The name the server would choose, for the simple cases. */
static const char *chosen_name(struct lint_schema *s, const struct lint_table *t,
                               const struct lint_constraint *c)
{
    static const char *const suffix[] = { "check", "fkey", NULL, "key", "excl" };
    if (c->kind == LINT_PRIMARY)
        return arena_printf(s->arena, "%s_pkey", t->name.name);
    if (c->column_count == 0)
        return arena_printf(s->arena, "%s_%s", t->name.name, suffix[c->kind]);
    return arena_printf(s->arena, "%s_%s_%s", t->name.name, c->columns[0], suffix[c->kind]);
}

static struct sql_name keep_name(struct lint_schema *s, struct sql_name n)
{
    return (struct sql_name){ lint_schema_keep(s, n.schema), lint_schema_keep(s, n.name) };
}

static void keep_constraint(struct lint_schema *s, struct lint_constraint *k)
{
    k->name = lint_schema_keep(s, k->name);
    k->target = keep_name(s, k->target);
    k->target_column = lint_schema_keep(s, k->target_column);
    k->not_null_column = lint_schema_keep(s, k->not_null_column);
    for (size_t i = 0; i < k->column_count; i++)
        k->columns[i] = lint_schema_keep(s, k->columns[i]);
}

static void add_constraint(struct lint_schema *s, struct lint_table *t, const char *column,
                           const PgQuery__Constraint *c, const void *file)
{
    bool is_one;
    enum lint_constraint_kind kind = kind_of(c->contype, &is_one);
    struct lint_column *on = column ? lint_table_column(t, column) : NULL;
    if (c->contype == PG_QUERY__CONSTR_TYPE__CONSTR_NOTNULL && on)
        on->is_not_null = true;
    if (c->contype == PG_QUERY__CONSTR_TYPE__CONSTR_DEFAULT && on)
        on->has_default = true;
    if ((c->contype == PG_QUERY__CONSTR_TYPE__CONSTR_IDENTITY ||
         c->contype == PG_QUERY__CONSTR_TYPE__CONSTR_GENERATED) &&
        on)
        on->is_identity = on->has_default = true;
    if (!is_one)
        return;
    struct lint_constraint k = {
        .name = tree_text(c->conname),
        .kind = kind,
        .is_valid = !c->skip_validation,
        .added_in = s->is_judging ? file : NULL,
    };
    if (kind == LINT_FOREIGN) {
        k.column_count = names_of(c->fk_attrs, c->n_fk_attrs, k.columns);
        k.target = c->pktable ? tree_range(c->pktable) : (struct sql_name){ 0 };
        k.target_column = c->n_pk_attrs > 0 ? tree_string(c->pk_attrs[0]) : NULL;
    } else if (kind == LINT_CHECK) {
        k.column_count = lint_columns_of(c->raw_expr, k.columns, MAX_COLUMNS);
        k.not_null_column = lint_not_null_check(c->raw_expr);
    } else {
        k.column_count = names_of(c->keys, c->n_keys, k.columns);
    }
    if (k.column_count == 0 && column)
        k.columns[k.column_count++] = column;
    if (tree_text(c->indexname)) { /* USING INDEX: the index becomes the constraint */
        struct lint_index *index = NULL;
        (void)lint_schema_index(s, c->indexname, &index);
        for (size_t i = 0; index && i < index->column_count && k.column_count < MAX_COLUMNS; i++)
            k.columns[k.column_count++] = index->columns[i];
        if (!k.name)
            k.name = c->indexname;
    }
    if (!k.name)
        k.name = chosen_name(s, t, &k);
    if (kind == LINT_PRIMARY)
        for (size_t i = 0; i < k.column_count; i++) {
            struct lint_column *key = lint_table_column(t, k.columns[i]);
            if (key)
                key->is_not_null = true;
        }
    keep_constraint(s, &k);
    *vec_add(&t->constraints, s->arena) = k;
}

static void add_column(struct lint_schema *s, struct lint_table *t, const PgQuery__ColumnDef *d,
                       const void *file)
{
    if (lint_table_column(t, d->colname))
        return;
    struct lint_column *c = vec_add(&t->columns, s->arena);
    c->name = lint_schema_keep(s, d->colname);
    c->type = lint_type_of(d->type_name);
    c->type.name = lint_schema_keep(s, c->type.name);
    c->is_not_null = d->is_not_null;
    c->is_new = s->is_judging;
    if (d->type_name && d->type_name->n_names > 0) {
        const char *written = tree_string(d->type_name->names[d->type_name->n_names - 1]);
        c->has_default = ends_with(written ? written : "", "serial");
        c->is_not_null |= c->has_default;
    }
    for (size_t i = 0; i < d->n_constraints; i++)
        if (tree_constraint(d->constraints[i]))
            add_constraint(s, t, d->colname, tree_constraint(d->constraints[i]), file);
}

static void drop_column(struct lint_table *t, const char *name)
{
    for (size_t i = 0; i < t->columns.n; i++) {
        if (!streq(t->columns.v[i].name, name))
            continue;
        memmove(&t->columns.v[i], &t->columns.v[i + 1],
                (t->columns.n - i - 1) * sizeof *t->columns.v);
        t->columns.n--;
        return;
    }
}

static void drop_constraint(struct lint_table *t, const char *name)
{
    for (size_t i = 0; i < t->constraints.n; i++) {
        if (!streq(t->constraints.v[i].name, name))
            continue;
        memmove(&t->constraints.v[i], &t->constraints.v[i + 1],
                (t->constraints.n - i - 1) * sizeof *t->constraints.v);
        t->constraints.n--;
        return;
    }
}

void lint_schema_create_table(struct lint_schema *s, const PgQuery__CreateStmt *c, const void *file)
{
    struct sql_name name = tree_range(c->relation);
    if (lint_schema_table(s, name))
        return;
    struct lint_table *t =
        lint_schema_add_table(s, name, c->partspec ? LINT_PARTITIONED : LINT_TABLE);
    t->has_columns = c->n_inh_relations == 0;
    for (size_t i = 0; i < c->n_table_elts; i++) {
        if (tree_column(c->table_elts[i]))
            add_column(s, t, tree_column(c->table_elts[i]), file);
        else if (c->table_elts[i]->node_case == PG_QUERY__NODE__NODE_TABLE_LIKE_CLAUSE)
            t->has_columns = false;
    }
    for (size_t i = 0; i < c->n_table_elts; i++)
        if (tree_constraint(c->table_elts[i]))
            add_constraint(s, t, NULL, tree_constraint(c->table_elts[i]), file);
    for (size_t i = 0; i < c->n_constraints; i++)
        if (tree_constraint(c->constraints[i]))
            add_constraint(s, t, NULL, tree_constraint(c->constraints[i]), file);
}

static struct lint_type keep_type(struct lint_schema *s, struct lint_type t)
{
    t.name = lint_schema_keep(s, t.name);
    return t;
}

static void alter_column(struct lint_schema *s, struct lint_table *t,
                         const PgQuery__AlterTableCmd *c)
{
    struct lint_column *column = lint_table_column(t, c->name);
    if (!column)
        return;
    const PgQuery__ColumnDef *d = c->def ? tree_column(c->def) : NULL;
    if (c->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_SetNotNull)
        column->is_not_null = true;
    else if (c->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_DropNotNull)
        column->is_not_null = false;
    else if (c->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_ColumnDefault)
        column->has_default = c->def != NULL;
    else if (c->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_AddIdentity)
        column->is_identity = column->has_default = true;
    else if (c->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_DropIdentity)
        column->is_identity = column->has_default = false;
    else if (c->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_AlterColumnType && d)
        column->type = keep_type(s, lint_type_of(d->type_name));
}

void lint_schema_alter_table(struct lint_schema *s, const PgQuery__Node *n, const void *file)
{
    const PgQuery__AlterTableStmt *a = n->alter_table_stmt;
    struct lint_table *t = a->relation ? lint_schema_table(s, tree_range(a->relation)) : NULL;
    if (!t)
        return;
    lint_schema_touch(s, t);
    for (size_t i = 0; i < tree_command_count(n); i++) {
        const PgQuery__AlterTableCmd *c = tree_command(n, i);
        struct lint_constraint *named = lint_table_constraint(t, c->name);
        if (c->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_AddColumn && c->def && tree_column(c->def))
            add_column(s, t, tree_column(c->def), file);
        else if (c->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_DropColumn)
            drop_column(t, c->name);
        else if (c->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_AddConstraint && c->def &&
                 tree_constraint(c->def))
            add_constraint(s, t, NULL, tree_constraint(c->def), file);
        else if (c->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_DropConstraint)
            drop_constraint(t, c->name);
        else if (c->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_ValidateConstraint && named)
            named->is_valid = true;
        else if (c->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_EnableRowSecurity)
            t->has_row_security = true;
        else if (c->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_DisableRowSecurity)
            t->has_row_security = false;
        else if (c->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_ReplicaIdentity)
            t->has_identity = true;
        else
            alter_column(s, t, c);
    }
}

void lint_schema_create_index(struct lint_schema *s, const PgQuery__IndexStmt *x)
{
    struct lint_table *t = lint_schema_table(s, tree_range(x->relation));
    if (!t)
        return;
    struct lint_index *index = vec_add(&t->indexes, s->arena);
    lint_schema_touch(s, t);
    index->name = lint_schema_keep(s, tree_text(x->idxname));
    index->method = lint_schema_keep(s, x->access_method);
    index->is_unique = x->unique;
    index->is_partial = x->where_clause || x->n_index_including_params > 0;
    for (size_t i = 0; i < x->n_index_params && index->column_count < MAX_COLUMNS; i++) {
        const PgQuery__IndexElem *e = x->index_params[i]->index_elem;
        index->is_partial |= e->expr || e->n_opclass > 0;
        index->columns[index->column_count++] = lint_schema_keep(s, e->name);
    }
}
