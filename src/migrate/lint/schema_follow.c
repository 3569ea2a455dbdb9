/*
 * The schema model follows the statements: what each one makes, changes and takes away.
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

static void add_constraint(struct lint_schema *s, struct lint_table *t, const char *column,
                           const PgQuery__Constraint *c, const void *script)
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
        .added_in = s->is_judging ? script : NULL,
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
        for (size_t i = 0; index && i < index->column_count; i++)
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
    *vec_add(&t->constraints, s->arena) = k;
}

static void add_column(struct lint_schema *s, struct lint_table *t, const PgQuery__ColumnDef *d,
                       const void *script)
{
    if (lint_table_column(t, d->colname))
        return;
    struct lint_column *c = vec_add(&t->columns, s->arena);
    c->name = d->colname;
    c->type = lint_type_of(d->type_name);
    c->is_not_null = d->is_not_null;
    c->is_new = s->is_judging;
    if (d->type_name && d->type_name->n_names > 0) {
        const char *written = tree_string(d->type_name->names[d->type_name->n_names - 1]);
        c->has_default = ends_with(written ? written : "", "serial");
        c->is_not_null |= c->has_default;
    }
    for (size_t i = 0; i < d->n_constraints; i++)
        if (tree_constraint(d->constraints[i]))
            add_constraint(s, t, d->colname, tree_constraint(d->constraints[i]), script);
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

static void create_table(struct lint_schema *s, const PgQuery__CreateStmt *c, const void *script)
{
    struct sql_name name = tree_range(c->relation);
    if (lint_schema_table(s, name))
        return;
    struct lint_table *t =
        lint_schema_add_table(s, name, c->partspec ? LINT_PARTITIONED : LINT_TABLE);
    t->has_columns = c->n_inh_relations == 0;
    for (size_t i = 0; i < c->n_table_elts; i++) {
        if (tree_column(c->table_elts[i]))
            add_column(s, t, tree_column(c->table_elts[i]), script);
        else if (c->table_elts[i]->node_case == PG_QUERY__NODE__NODE_TABLE_LIKE_CLAUSE)
            t->has_columns = false;
    }
    for (size_t i = 0; i < c->n_table_elts; i++)
        if (tree_constraint(c->table_elts[i]))
            add_constraint(s, t, NULL, tree_constraint(c->table_elts[i]), script);
    for (size_t i = 0; i < c->n_constraints; i++)
        if (tree_constraint(c->constraints[i]))
            add_constraint(s, t, NULL, tree_constraint(c->constraints[i]), script);
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
        column->type = lint_type_of(d->type_name);
    (void)s;
}

static void alter_table(struct lint_schema *s, const PgQuery__Node *n, const void *script)
{
    const PgQuery__AlterTableStmt *a = n->alter_table_stmt;
    struct lint_table *t = a->relation ? lint_schema_table(s, tree_range(a->relation)) : NULL;
    if (!t)
        return;
    for (size_t i = 0; i < tree_command_count(n); i++) {
        const PgQuery__AlterTableCmd *c = tree_command(n, i);
        struct lint_constraint *named = lint_table_constraint(t, c->name);
        if (c->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_AddColumn && c->def && tree_column(c->def))
            add_column(s, t, tree_column(c->def), script);
        else if (c->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_DropColumn)
            drop_column(t, c->name);
        else if (c->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_AddConstraint && c->def &&
                 tree_constraint(c->def))
            add_constraint(s, t, NULL, tree_constraint(c->def), script);
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

static void create_index(struct lint_schema *s, const PgQuery__IndexStmt *x)
{
    struct lint_table *t = lint_schema_table(s, tree_range(x->relation));
    if (!t)
        return;
    struct lint_index *index = vec_add(&t->indexes, s->arena);
    index->name = tree_text(x->idxname);
    index->method = x->access_method;
    index->is_unique = x->unique;
    index->is_partial = x->where_clause || x->n_index_including_params > 0;
    for (size_t i = 0; i < x->n_index_params && index->column_count < MAX_COLUMNS; i++) {
        const PgQuery__IndexElem *e = x->index_params[i]->index_elem;
        index->is_partial |= e->expr || e->n_opclass > 0;
        index->columns[index->column_count++] = e->name;
    }
}

static void create_view(struct lint_schema *s, const PgQuery__ViewStmt *v)
{
    struct sql_name name = tree_range(v->view);
    struct lint_table *t = lint_schema_table(s, name);
    if (!t)
        t = lint_schema_add_table(s, name, LINT_VIEW);
    t->is_invoker = lint_has_option(v->options, v->n_options, "security_invoker");
    t->columns.n = 0;
    t->has_columns = lint_view_columns(v, NULL, 0) > 0;
    const char *columns[64];
    size_t n = lint_view_columns(v, columns, 64);
    for (size_t i = 0; i < n; i++)
        vec_add(&t->columns, s->arena)->name = columns[i];
}

static void create_function(struct lint_schema *s, const PgQuery__CreateFunctionStmt *c)
{
    struct lint_function f = lint_function_of(s->arena, c);
    for (struct lint_function *old = lint_schema_function(s, f.name, NULL); old;
         old = lint_schema_function(s, f.name, old)) {
        if (!streq(old->arguments, f.arguments))
            continue;
        f.is_new = old->is_new;
        *old = f;
        return;
    }
    f.is_new = s->is_judging;
    *vec_add(&s->functions, s->arena) = f;
}

static void drop(struct lint_schema *s, const PgQuery__DropStmt *d)
{
    for (size_t i = 0; i < d->n_objects; i++) {
        struct sql_name name = tree_node_name(d->objects[i]);
        struct lint_table *t = name.name ? lint_schema_table(s, name) : NULL;
        struct lint_index *index = NULL;
        switch ((int)d->remove_type) {
        case PG_QUERY__OBJECT_TYPE__OBJECT_TABLE:
        case PG_QUERY__OBJECT_TYPE__OBJECT_VIEW:
        case PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW:
        case PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE:
        case PG_QUERY__OBJECT_TYPE__OBJECT_FOREIGN_TABLE:
            if (t)
                t->is_gone = true;
            break;
        case PG_QUERY__OBJECT_TYPE__OBJECT_INDEX:
            t = name.name ? lint_schema_index(s, name.name, &index) : NULL;
            if (t)
                *index = t->indexes.v[--t->indexes.n];
            break;
        case PG_QUERY__OBJECT_TYPE__OBJECT_FUNCTION:
        case PG_QUERY__OBJECT_TYPE__OBJECT_PROCEDURE:
        case PG_QUERY__OBJECT_TYPE__OBJECT_ROUTINE: {
            struct lint_function *f = name.name ? lint_dropped_function(s, d->objects[i]) : NULL;
            if (f)
                f->is_gone = true;
            break;
        }
        default:
            break;
        }
    }
}

/* A renamed thing is a new one, and the old one is gone. */
static void rename_table(struct lint_schema *s, struct sql_name from, struct sql_name to)
{
    struct lint_table *old = lint_schema_table(s, from);
    if (!old)
        return;
    bool is_new = old->is_new;
    struct lint_table copy = *old;
    struct lint_table *t = lint_schema_add_table(s, to, copy.kind);
    struct sql_name name = t->name;
    *t = copy;
    t->name = name;
    t->is_new = is_new;
    old->is_gone = true;
}

static void rename_object(struct lint_schema *s, const PgQuery__RenameStmt *r)
{
    struct sql_name name = r->relation ? tree_range(r->relation) : (struct sql_name){ 0 };
    struct lint_table *t = name.name ? lint_schema_table(s, name) : NULL;
    if (!t)
        return;
    if (r->rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_COLUMN) {
        struct lint_column *c = lint_table_column(t, r->subname);
        if (c)
            c->name = r->newname;
    } else if (r->rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_TABCONSTRAINT) {
        struct lint_constraint *k = lint_table_constraint(t, r->subname);
        if (k)
            k->name = r->newname;
    } else if (r->rename_type != PG_QUERY__OBJECT_TYPE__OBJECT_POLICY &&
               r->rename_type != PG_QUERY__OBJECT_TYPE__OBJECT_TRIGGER &&
               r->rename_type != PG_QUERY__OBJECT_TYPE__OBJECT_RULE) {
        rename_table(s, name, (struct sql_name){ name.schema, r->newname });
    }
}

static void add_type(struct lint_schema *s, struct sql_name name, enum lint_type_kind kind,
                     bool is_constrained)
{
    if (name.name && !lint_schema_type(s, name))
        *vec_add(&s->types, s->arena) = (struct lint_user_type){
            .name = name,
            .kind = kind,
            .is_constrained = is_constrained,
            .is_new = s->is_judging,
        };
}

static void alter_domain(struct lint_schema *s, const PgQuery__AlterDomainStmt *d)
{
    struct lint_user_type *t = lint_schema_type(s, tree_name(d->type_name, d->n_type_name));
    if (t && (streq(d->subtype, "C") || streq(d->subtype, "O")))
        t->is_constrained = true;
}

static void add_policy(struct lint_schema *s, const PgQuery__CreatePolicyStmt *p)
{
    struct lint_table *t = p->table ? lint_schema_table(s, tree_range(p->table)) : NULL;
    if (t)
        t->has_policies = true;
}

static void create_as(struct lint_schema *s, const PgQuery__CreateTableAsStmt *c)
{
    if (c->into && c->into->rel && !lint_schema_table(s, tree_range(c->into->rel)))
        (void)lint_schema_add_table(
            s, tree_range(c->into->rel),
            c->objtype == PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW ? LINT_MATVIEW : LINT_TABLE);
}

void lint_schema_follow(struct lint_schema *s, const struct sql_script *script,
                        const struct sql_statement *statement)
{
    const PgQuery__Node *n = statement->tree;
    if (!n)
        return;
    switch ((int)n->node_case) {
    case PG_QUERY__NODE__NODE_CREATE_STMT:
        create_table(s, n->create_stmt, script);
        break;
    case PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT:
        create_as(s, n->create_table_as_stmt);
        break;
    case PG_QUERY__NODE__NODE_ALTER_TABLE_STMT:
        alter_table(s, n, script);
        break;
    case PG_QUERY__NODE__NODE_INDEX_STMT:
        create_index(s, n->index_stmt);
        break;
    case PG_QUERY__NODE__NODE_VIEW_STMT:
        create_view(s, n->view_stmt);
        break;
    case PG_QUERY__NODE__NODE_CREATE_FUNCTION_STMT:
        create_function(s, n->create_function_stmt);
        break;
    case PG_QUERY__NODE__NODE_DROP_STMT:
        drop(s, n->drop_stmt);
        break;
    case PG_QUERY__NODE__NODE_RENAME_STMT:
        rename_object(s, n->rename_stmt);
        break;
    case PG_QUERY__NODE__NODE_ALTER_OBJECT_SCHEMA_STMT:
        if (n->alter_object_schema_stmt->relation) {
            struct sql_name from = tree_range(n->alter_object_schema_stmt->relation);
            rename_table(s, from,
                         (struct sql_name){ n->alter_object_schema_stmt->newschema, from.name });
        }
        break;
    case PG_QUERY__NODE__NODE_CREATE_ENUM_STMT:
        add_type(s, tree_name(n->create_enum_stmt->type_name, n->create_enum_stmt->n_type_name),
                 LINT_ENUM, false);
        break;
    case PG_QUERY__NODE__NODE_CREATE_DOMAIN_STMT:
        add_type(s,
                 tree_name(n->create_domain_stmt->domainname, n->create_domain_stmt->n_domainname),
                 LINT_DOMAIN, lint_domain_is_constrained(n->create_domain_stmt));
        break;
    case PG_QUERY__NODE__NODE_COMPOSITE_TYPE_STMT:
        (void)lint_schema_add_table(s, tree_range(n->composite_type_stmt->typevar), LINT_COMPOSITE);
        break;
    case PG_QUERY__NODE__NODE_CREATE_SEQ_STMT:
        (void)lint_schema_add_table(s, tree_range(n->create_seq_stmt->sequence), LINT_SEQUENCE);
        break;
    case PG_QUERY__NODE__NODE_ALTER_DOMAIN_STMT:
        alter_domain(s, n->alter_domain_stmt);
        break;
    case PG_QUERY__NODE__NODE_CREATE_POLICY_STMT:
        add_policy(s, n->create_policy_stmt);
        break;
    case PG_QUERY__NODE__NODE_CREATE_PUBLICATION_STMT:
        s->publishes_all |= n->create_publication_stmt->for_all_tables;
        break;
    default:
        break;
    }
}
