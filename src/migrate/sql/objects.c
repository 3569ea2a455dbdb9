/*
 * Listing the things that a statement names: see objects.h.
 *
 * Most statements name one relation; a row says what it is and what happens to it. The others have
 * a function each. What queries read and write is added to all of them.
 */
#include "migrate/sql/objects.h"

#define NODE(name)   PG_QUERY__NODE__NODE_##name
#define OBJECT(name) PG_QUERY__OBJECT_TYPE__OBJECT_##name
#define ALTER(name)  PG_QUERY__ALTER_TABLE_TYPE__AT_##name

struct finding {
    struct arena *a;
    object_list *list;
};

static void add(struct finding *f, enum sql_effect effect, enum sql_kind kind, struct sql_name name,
                const char *part)
{
    if (!name.name)
        return;
    struct sql_object o = { kind, effect, name, tree_text(part) };
    for (size_t i = 0; i < f->list->n; i++) {
        const struct sql_object *old = &f->list->v[i];
        if (old->kind == kind && old->effect == effect && sql_name_eq(old->name, name) &&
            streq(old->part, o.part))
            return;
    }
    *vec_add(f->list, f->a) = o;
}

/* ---- statements about one relation ---- */

// clang-format off
static const struct {
    int node;
    enum sql_effect effect;
    enum sql_kind kind;
} simple[] = {
    { NODE(CREATE_STMT),               SQL_CREATES, SQL_TABLE         },
    { NODE(CREATE_FOREIGN_TABLE_STMT), SQL_CREATES, SQL_FOREIGN_TABLE },
    { NODE(VIEW_STMT),                 SQL_CREATES, SQL_VIEW          },
    { NODE(CREATE_SEQ_STMT),           SQL_CREATES, SQL_SEQUENCE      },
    { NODE(ALTER_SEQ_STMT),            SQL_CHANGES, SQL_SEQUENCE      },
    { NODE(COMPOSITE_TYPE_STMT),       SQL_CREATES, SQL_TYPE          },
    { NODE(REFRESH_MAT_VIEW_STMT),     SQL_WRITES,  SQL_MATVIEW       },
    { NODE(CLUSTER_STMT),              SQL_CHANGES, SQL_TABLE         },
    { NODE(INDEX_STMT),                SQL_CHANGES, SQL_TABLE         },
};
// clang-format on

static void find_simple(struct finding *f, const PgQuery__Node *n)
{
    struct sql_name name = { 0 };
    for (size_t i = 0; i < sizeof simple / sizeof *simple; i++)
        if (simple[i].node == (int)n->node_case && tree_relation(n, &name))
            add(f, simple[i].effect, simple[i].kind, name, NULL);
}

/* ---- ALTER TABLE ---- */

static enum sql_effect effect_of(int command)
{
    switch (command) {
    case ALTER(AddColumn):
    case ALTER(AddConstraint):
        return SQL_CREATES;
    case ALTER(DropColumn):
    case ALTER(DropConstraint):
        return SQL_DROPS;
    default:
        return SQL_CHANGES;
    }
}

static void find_alter(struct finding *f, const PgQuery__Node *n)
{
    struct sql_name name = { 0 };
    enum sql_kind kind = target_kind((int)n->alter_table_stmt->objtype);
    if (!tree_relation(n, &name))
        return;
    for (size_t i = 0; i < tree_command_count(n); i++) {
        const PgQuery__AlterTableCmd *c = tree_command(n, i);
        const PgQuery__ColumnDef *column = tree_column(c->def);
        const PgQuery__Constraint *constraint = tree_constraint(c->def);
        const char *part = tree_text(c->name);
        if (!part && column)
            part = column->colname;
        else if (!part && constraint)
            part = constraint->conname;
        add(f, tree_text(part) ? effect_of((int)c->subtype) : SQL_CHANGES, kind, name, part);
    }
}

/* ---- the rest ---- */

static void find_drop(struct finding *f, const PgQuery__Node *n)
{
    const PgQuery__DropStmt *d = n->drop_stmt;
    struct clause c = clause_of(n, 0);
    targets list = { 0 };
    target_find(f->a, &c, SQL_LISTED, &list);
    for (size_t i = 0; i < list.n; i++)
        add(f, SQL_DROPS, target_kind((int)d->remove_type), list.v[i].name, list.v[i].part);
}

static void find_rename(struct finding *f, const PgQuery__Node *n)
{
    const PgQuery__RenameStmt *r = n->rename_stmt;
    struct sql_name name = r->relation ? tree_range(r->relation) : tree_node_name(r->object);
    enum sql_kind kind = target_kind((int)r->rename_type);
    if (r->rename_type == OBJECT(SCHEMA) || r->rename_type == OBJECT(DATABASE) ||
        r->rename_type == OBJECT(ROLE))
        name.name = tree_text(r->subname);
    if (r->rename_type == OBJECT(COLUMN))
        kind = target_kind((int)r->relation_type);
    bool is_part = r->relation && tree_text(r->subname);
    add(f, SQL_CHANGES, kind, name, is_part ? r->subname : NULL);
}

static void find_moved(struct finding *f, const PgQuery__RangeVar *relation,
                       const PgQuery__Node *object, int type)
{
    struct sql_name name = relation ? tree_range(relation) : tree_node_name(object);
    add(f, SQL_CHANGES, target_kind(type), name, NULL);
}

static void find_listed(struct finding *f, const PgQuery__Node *n, enum sql_effect effect,
                        enum sql_kind kind)
{
    struct clause c = clause_of(n, 0);
    targets list = { 0 };
    target_find(f->a, &c, SQL_LISTED, &list);
    for (size_t i = 0; i < list.n; i++)
        add(f, effect, kind, list.v[i].name, list.v[i].part);
}

static void find_grant(struct finding *f, const PgQuery__GrantStmt *g)
{
    if (g->targtype == PG_QUERY__GRANT_TARGET_TYPE__ACL_TARGET_OBJECT)
        for (size_t i = 0; i < g->n_objects; i++)
            add(f, SQL_CHANGES, target_kind((int)g->objtype), tree_node_name(g->objects[i]), NULL);
}

static void find_part(struct finding *f, const PgQuery__Node *n, const char *part,
                      enum sql_effect effect)
{
    struct sql_name name = { 0 };
    if (tree_relation(n, &name))
        add(f, effect, SQL_TABLE, name, part);
}

static void find_index(struct finding *f, const PgQuery__IndexStmt *i)
{
    struct sql_name name = tree_range(i->relation);
    name.name = tree_text(i->idxname);
    add(f, SQL_CREATES, SQL_INDEX, name, NULL);
}

static void find_in_schema(struct finding *f, const PgQuery__Node *n)
{
    switch ((int)n->node_case) {
    case NODE(CREATE_FUNCTION_STMT):
        add(f, SQL_CREATES, SQL_FUNCTION,
            tree_name(n->create_function_stmt->funcname, n->create_function_stmt->n_funcname),
            NULL);
        break;
    case NODE(ALTER_FUNCTION_STMT):
        add(f, SQL_CHANGES, SQL_FUNCTION,
            tree_name(n->alter_function_stmt->func->objname,
                      n->alter_function_stmt->func->n_objname),
            NULL);
        break;
    case NODE(CREATE_ENUM_STMT):
        add(f, SQL_CREATES, SQL_TYPE,
            tree_name(n->create_enum_stmt->type_name, n->create_enum_stmt->n_type_name), NULL);
        break;
    case NODE(ALTER_ENUM_STMT):
        add(f, SQL_CHANGES, SQL_TYPE,
            tree_name(n->alter_enum_stmt->type_name, n->alter_enum_stmt->n_type_name),
            n->alter_enum_stmt->new_val);
        break;
    case NODE(CREATE_RANGE_STMT):
        add(f, SQL_CREATES, SQL_TYPE,
            tree_name(n->create_range_stmt->type_name, n->create_range_stmt->n_type_name), NULL);
        break;
    case NODE(CREATE_DOMAIN_STMT):
        add(f, SQL_CREATES, SQL_DOMAIN,
            tree_name(n->create_domain_stmt->domainname, n->create_domain_stmt->n_domainname),
            NULL);
        break;
    case NODE(ALTER_DOMAIN_STMT):
        add(f, SQL_CHANGES, SQL_DOMAIN,
            tree_name(n->alter_domain_stmt->type_name, n->alter_domain_stmt->n_type_name),
            n->alter_domain_stmt->name);
        break;
    case NODE(DEFINE_STMT):
        add(f, SQL_CREATES, target_kind((int)n->define_stmt->kind),
            tree_name(n->define_stmt->defnames, n->define_stmt->n_defnames), NULL);
        break;
    default:
        break;
    }
}

static void find_without_schema(struct finding *f, const PgQuery__Node *n)
{
    switch ((int)n->node_case) {
    case NODE(CREATE_SCHEMA_STMT):
        add(f, SQL_CREATES, SQL_SCHEMA,
            (struct sql_name){ NULL, tree_text(n->create_schema_stmt->schemaname) }, NULL);
        break;
    case NODE(CREATE_EXTENSION_STMT):
        add(f, SQL_CREATES, SQL_EXTENSION,
            (struct sql_name){ NULL, n->create_extension_stmt->extname }, NULL);
        break;
    case NODE(ALTER_EXTENSION_STMT):
        add(f, SQL_CHANGES, SQL_EXTENSION,
            (struct sql_name){ NULL, n->alter_extension_stmt->extname }, NULL);
        break;
    case NODE(CREATE_ROLE_STMT):
        add(f, SQL_CREATES, SQL_ROLE, (struct sql_name){ NULL, n->create_role_stmt->role }, NULL);
        break;
    case NODE(CREATE_PUBLICATION_STMT):
        add(f, SQL_CREATES, SQL_PUBLICATION,
            (struct sql_name){ NULL, n->create_publication_stmt->pubname }, NULL);
        break;
    case NODE(ALTER_PUBLICATION_STMT):
        add(f, SQL_CHANGES, SQL_PUBLICATION,
            (struct sql_name){ NULL, n->alter_publication_stmt->pubname }, NULL);
        break;
    default:
        break;
    }
}

static void find_special(struct finding *f, const PgQuery__Node *n)
{
    switch ((int)n->node_case) {
    case NODE(ALTER_TABLE_STMT):
        find_alter(f, n);
        break;
    case NODE(CREATE_TABLE_AS_STMT):
        add(f, SQL_CREATES, target_kind((int)n->create_table_as_stmt->objtype),
            tree_range(n->create_table_as_stmt->into->rel), NULL);
        break;
    case NODE(INDEX_STMT):
        find_index(f, n->index_stmt);
        break;
    case NODE(DROP_STMT):
        find_drop(f, n);
        break;
    case NODE(RENAME_STMT):
        find_rename(f, n);
        break;
    case NODE(ALTER_OBJECT_SCHEMA_STMT):
        find_moved(f, n->alter_object_schema_stmt->relation, n->alter_object_schema_stmt->object,
                   (int)n->alter_object_schema_stmt->object_type);
        break;
    case NODE(ALTER_OWNER_STMT):
        find_moved(f, n->alter_owner_stmt->relation, n->alter_owner_stmt->object,
                   (int)n->alter_owner_stmt->object_type);
        break;
    case NODE(CREATE_TRIG_STMT):
        find_part(f, n, n->create_trig_stmt->trigname, SQL_CREATES);
        break;
    case NODE(CREATE_POLICY_STMT):
        find_part(f, n, n->create_policy_stmt->policy_name, SQL_CREATES);
        break;
    case NODE(ALTER_POLICY_STMT):
        find_part(f, n, n->alter_policy_stmt->policy_name, SQL_CHANGES);
        break;
    case NODE(RULE_STMT):
        find_part(f, n, n->rule_stmt->rulename, SQL_CREATES);
        break;
    case NODE(TRUNCATE_STMT):
        find_listed(f, n, SQL_WRITES, SQL_TABLE);
        break;
    case NODE(COMMENT_STMT):
        find_listed(f, n, SQL_CHANGES, target_kind((int)n->comment_stmt->objtype));
        break;
    case NODE(GRANT_STMT):
        find_grant(f, n->grant_stmt);
        break;
    default:
        find_in_schema(f, n);
        find_without_schema(f, n);
        break;
    }
}

static void find_used(struct finding *f, const PgQuery__Node *n)
{
    targets written = { 0 }, read = { 0 };
    target_find_used(f->a, n, &read, &written);
    for (size_t i = 0; i < written.n; i++)
        add(f, SQL_WRITES, SQL_TABLE, written.v[i].name, NULL);
    for (size_t i = 0; i < read.n; i++)
        add(f, SQL_READS, SQL_TABLE, read.v[i].name, NULL);
}

/* Are there queries in it? In other statements each relation has its role already. */
static bool has_queries(const PgQuery__Node *n)
{
    switch ((int)n->node_case) {
    case NODE(SELECT_STMT):
    case NODE(INSERT_STMT):
    case NODE(UPDATE_STMT):
    case NODE(DELETE_STMT):
    case NODE(MERGE_STMT):
    case NODE(VIEW_STMT):
    case NODE(CREATE_TABLE_AS_STMT):
    case NODE(CREATE_POLICY_STMT):
    case NODE(ALTER_POLICY_STMT):
    case NODE(RULE_STMT):
    case NODE(COPY_STMT):
        return true;
    default:
        return false;
    }
}

void objects_find(struct arena *a, const PgQuery__Node *statement, object_list *ret)
{
    struct finding f = { a, ret };
    find_simple(&f, statement);
    find_special(&f, statement);
    if (has_queries(statement))
        find_used(&f, statement);
    for (size_t i = 0; i < tree_command_count(statement) || i == 0; i++) {
        struct clause c = clause_of(statement, i);
        targets referenced = { 0 };
        target_find(a, &c, SQL_REFERENCED, &referenced);
        for (size_t k = 0; k < referenced.n; k++)
            add(&f, SQL_READS, SQL_TABLE, referenced.v[k].name, NULL);
    }
}
