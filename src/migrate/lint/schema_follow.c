/*
 * The schema model follows the statements: what each one makes, changes and takes away.
 */
#include "base/str.h"
#include "migrate/lint/inside.h"

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
        vec_add(&t->columns, s->arena)->name = lint_schema_keep(s, columns[i]);
}

static void create_function(struct lint_schema *s, const PgQuery__CreateFunctionStmt *c)
{
    struct lint_function f = lint_function_of(s->arena, c);
    f.name =
        (struct sql_name){ lint_schema_keep(s, f.name.schema), lint_schema_keep(s, f.name.name) };
    f.volatility = lint_schema_keep(s, f.volatility);
    f.language = lint_schema_keep(s, f.language);
    f.body = lint_schema_keep(s, f.body);
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
            c->name = lint_schema_keep(s, r->newname);
    } else if (r->rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_TABCONSTRAINT) {
        struct lint_constraint *k = lint_table_constraint(t, r->subname);
        if (k)
            k->name = lint_schema_keep(s, r->newname);
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
            .name = { lint_schema_keep(s, name.schema), lint_schema_keep(s, name.name) },
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

void lint_schema_follow(struct lint_schema *s, const void *file,
                        const struct sql_statement *statement)
{
    const PgQuery__Node *n = statement->tree;
    if (!n)
        return;
    switch ((int)n->node_case) {
    case PG_QUERY__NODE__NODE_CREATE_STMT:
        lint_schema_create_table(s, n->create_stmt, file);
        break;
    case PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT:
        create_as(s, n->create_table_as_stmt);
        break;
    case PG_QUERY__NODE__NODE_ALTER_TABLE_STMT:
        lint_schema_alter_table(s, n, file);
        break;
    case PG_QUERY__NODE__NODE_INDEX_STMT:
        lint_schema_create_index(s, n->index_stmt);
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
