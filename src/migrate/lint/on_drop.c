/*
 * DROP, RENAME, SET SCHEMA, TRUNCATE: what the running release would look for in vain.
 */
#include "base/str.h"
#include "migrate/lint/inside.h"

#define OBJECT(name) PG_QUERY__OBJECT_TYPE__OBJECT_##name

/* ---- DROP ---- */

static void drop_relation(struct lint *l, const PgQuery__DropStmt *d, struct sql_name name)
{
    const struct lint_table *t = lint_schema_table(&l->schema, name);
    if (lint_is_new(t) || lint_is_kept_schema(name.schema))
        return;
    (void)lint_found(l, LINT_C02, 0, "%s %s", l->statement->what + strlen("DROP "),
                     lint_text(l, name));
    if (d->remove_type == OBJECT(TABLE))
        (void)lint_found(l, LINT_D01, 0, "the rows of %s", lint_text(l, name));
    for (size_t i = 0; t && i < t->constraints.n; i++)
        if (t->constraints.v[i].kind == LINT_FOREIGN)
            (void)lint_found(l, LINT_L22, 0, "takes ACCESS EXCLUSIVE on %s too",
                             lint_text(l, t->constraints.v[i].target));
}

static void drop_index(struct lint *l, const PgQuery__DropStmt *d, struct sql_name name)
{
    struct lint_index *index = NULL;
    const struct lint_table *t = lint_schema_index(&l->schema, name.name, &index);
    if (!d->concurrent)
        (void)lint_found_on(l, LINT_L02, 0, t, "%s", lint_text(l, name));
    if (index && index->is_unique && !lint_is_new(t))
        (void)lint_found(l, LINT_C16, 0, "%s keeps %s free of duplicates", name.name,
                         lint_text(l, t->name));
}

struct wanted {
    const struct lint *l;
    struct sql_name name;
    const char *part;
    const char *arguments;
    const struct lint_function *old;
};

/* A function of the same name, arguments and result comes back in the same transaction. */
static bool makes_same_function(void *context, const PgQuery__Node *n)
{
    const struct wanted *w = context;
    struct lint_function f = lint_function_of(w->l->arena, n->create_function_stmt);
    if (!sql_name_eq(f.name, w->name))
        return false;
    return !w->old || (streq(f.arguments, w->old->arguments) && streq(f.returns, w->old->returns) &&
                       (!w->old->results || streq(f.results, w->old->results)));
}

static void drop_function(struct lint *l, const PgQuery__Node *object)
{
    struct sql_name name = tree_node_name(object);
    struct wanted w = { .l = l, .name = name, .old = lint_dropped_function(&l->schema, object) };
    if ((w.old && w.old->is_new) ||
        lint_later(l, PG_QUERY__NODE__NODE_CREATE_FUNCTION_STMT, makes_same_function, &w))
        return;
    (void)lint_found(l, LINT_C10, 0, "%s is dropped", lint_text(l, name));
}

static bool makes_same_policy(void *context, const PgQuery__Node *n)
{
    const struct wanted *w = context;
    return streq(n->create_policy_stmt->policy_name, w->part) &&
           sql_name_eq(tree_range(n->create_policy_stmt->table), w->name);
}

/* DROP POLICY name ON table: the list holds the table's name and then the policy's. */
static void drop_part(struct lint *l, const PgQuery__DropStmt *d, const PgQuery__Node *object)
{
    if (object->node_case != PG_QUERY__NODE__NODE_LIST || object->list->n_items < 2)
        return;
    size_t n = object->list->n_items;
    struct sql_name table = tree_name(object->list->items, n - 1);
    const char *part = tree_string(object->list->items[n - 1]);
    const struct lint_table *t = lint_schema_table(&l->schema, table);
    if (lint_is_new(t))
        return;
    (void)lint_found_on(l, LINT_L22, 0, t, "reads and writes of %s wait", lint_text(l, table));
    if (d->remove_type != OBJECT(POLICY))
        return;
    struct wanted w = { .l = l, .name = table, .part = part };
    bool comes_back = lint_later(l, PG_QUERY__NODE__NODE_CREATE_POLICY_STMT, makes_same_policy, &w);
    struct lint_finding *f = lint_found(l, LINT_C17, 0,
                                        comes_back ? "policy %s of %s may allow less than it did"
                                                   : "policy %s of %s is dropped",
                                        part, lint_text(l, table));
    if (comes_back)
        f->severity = LINT_WARN;
}

static void drop_object(struct lint *l, const PgQuery__DropStmt *d, const PgQuery__Node *object)
{
    struct sql_name name = tree_node_name(object);
    switch ((int)d->remove_type) {
    case OBJECT(TABLE):
    case OBJECT(VIEW):
    case OBJECT(MATVIEW):
    case OBJECT(SEQUENCE):
    case OBJECT(FOREIGN_TABLE):
        drop_relation(l, d, name);
        break;
    case OBJECT(INDEX):
        drop_index(l, d, name);
        break;
    case OBJECT(FUNCTION):
    case OBJECT(PROCEDURE):
    case OBJECT(ROUTINE):
    case OBJECT(AGGREGATE):
        drop_function(l, object);
        break;
    case OBJECT(POLICY):
    case OBJECT(TRIGGER):
    case OBJECT(RULE):
        drop_part(l, d, object);
        break;
    case OBJECT(TYPE):
    case OBJECT(DOMAIN):
    case OBJECT(SCHEMA):
    case OBJECT(EXTENSION): {
        const struct lint_user_type *t = lint_schema_type(&l->schema, name);
        const char *what = l->statement->what + strlen("DROP ");
        if (!(t && t->is_new) && !lint_is_kept_schema(name.name))
            (void)lint_found(l, LINT_C13, 0, "%s %s", what, lint_text(l, name));
        if (d->remove_type == OBJECT(SCHEMA) &&
            d->behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE)
            (void)lint_found(l, LINT_D01, 0, "the rows of every table in %s", lint_text(l, name));
        break;
    }
    default:
        break;
    }
}

static void drop(struct lint *l, const PgQuery__DropStmt *d)
{
    for (size_t i = 0; i < d->n_objects; i++)
        drop_object(l, d, d->objects[i]);
    bool is_said = d->remove_type == OBJECT(TYPE) || d->remove_type == OBJECT(DOMAIN) ||
                   d->remove_type == OBJECT(SCHEMA) || d->remove_type == OBJECT(EXTENSION);
    if (d->behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE && !is_said)
        (void)lint_found(l, LINT_C13, 0, "CASCADE takes along whatever depends on it");
    if (d->missing_ok)
        (void)lint_found(l, LINT_T07, 0, "does nothing if it is not there, and nobody notices");
}

static void empty(struct lint *l, const PgQuery__TruncateStmt *t)
{
    for (size_t i = 0; i < t->n_relations; i++) {
        if (t->relations[i]->node_case != PG_QUERY__NODE__NODE_RANGE_VAR)
            continue;
        struct sql_name name = tree_range(t->relations[i]->range_var);
        if (lint_is_new(lint_schema_table(&l->schema, name)) || lint_is_kept_schema(name.schema))
            continue;
        (void)lint_found(l, LINT_C14, 0, "%s", lint_text(l, name));
        if (!lint_has_image(l, name))
            (void)lint_found(l, LINT_D01, 0, "the rows of %s", lint_text(l, name));
    }
    if (t->behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE)
        (void)lint_found(l, LINT_C13, 0, "CASCADE empties every table that references it");
    if (t->restart_seqs)
        (void)lint_found(l, LINT_C24, 0, "RESTART IDENTITY: numbers begin again");
}

void lint_on_drop(struct lint *l, const PgQuery__Node *n)
{
    if (n->node_case == PG_QUERY__NODE__NODE_DROP_STMT)
        drop(l, n->drop_stmt);
    else if (n->node_case == PG_QUERY__NODE__NODE_TRUNCATE_STMT)
        empty(l, n->truncate_stmt);
    else if (n->node_case == PG_QUERY__NODE__NODE_DROPDB_STMT)
        (void)lint_found(l, LINT_C15, 0, "%s", n->dropdb_stmt->dbname);
    else if (n->node_case == PG_QUERY__NODE__NODE_DROP_OWNED_STMT)
        (void)lint_found(l, LINT_C13, 0, "DROP OWNED drops whatever the role owns");
}

/* ---- RENAME and SET SCHEMA ---- */

static void rename_column(struct lint *l, const PgQuery__RenameStmt *r, struct sql_name name,
                          const struct lint_table *t)
{
    const struct lint_column *column = lint_table_column(t, r->subname);
    if (lint_is_new(t) || (column && column->is_new))
        return;
    if (lint_is_soft_drop_name(r->newname)) { /* a soft drop is a drop to whoever reads it */
        (void)lint_found(l, LINT_C01, 0, "%s.%s", lint_text(l, name), r->subname);
    } else if (!lint_is_soft_drop_name(r->subname)) {
        (void)lint_found(l, LINT_C03, 0, "%s.%s is %s from now on", lint_text(l, name), r->subname,
                         r->newname);
    }
    lint_column_leaves(l, name, r->subname);
}

static bool makes_view(void *context, const PgQuery__Node *n)
{
    const struct sql_name *name = context;
    return sql_name_eq(tree_range(n->view_stmt->view), *name);
}

static void rename_relation(struct lint *l, struct sql_name name, const struct lint_table *t,
                            const char *to)
{
    bool keeps = lint_later(l, PG_QUERY__NODE__NODE_VIEW_STMT, makes_view, &name);
    if (!lint_is_new(t) && !keeps)
        (void)lint_found(l, LINT_C04, 0, "%s is %s from now on", lint_text(l, name), to);
}

static void rename_object(struct lint *l, const PgQuery__RenameStmt *r)
{
    struct sql_name name = r->relation ? tree_range(r->relation) : (struct sql_name){ 0 };
    const struct lint_table *t = name.name ? lint_schema_table(&l->schema, name) : NULL;
    switch ((int)r->rename_type) {
    case OBJECT(COLUMN):
        rename_column(l, r, name, t);
        break;
    case OBJECT(ATTRIBUTE):
        if (!lint_is_new(t))
            (void)lint_found(l, LINT_C25, 0, "%s of %s is %s from now on", r->subname,
                             lint_text(l, name), r->newname);
        break;
    case OBJECT(TABLE):
    case OBJECT(VIEW):
    case OBJECT(MATVIEW):
    case OBJECT(SEQUENCE):
    case OBJECT(FOREIGN_TABLE):
        rename_relation(l, name, t, r->newname);
        break;
    case OBJECT(SCHEMA):
        (void)lint_found(l, LINT_C04, 0, "schema %s is %s from now on", r->subname, r->newname);
        break;
    case OBJECT(FUNCTION):
    case OBJECT(PROCEDURE):
    case OBJECT(ROUTINE):
    case OBJECT(AGGREGATE): {
        const struct lint_function *f = lint_dropped_function(&l->schema, r->object);
        if (!(f && f->is_new))
            (void)lint_found(l, LINT_C10, 0, "%s is %s from now on",
                             lint_text(l, tree_node_name(r->object)), r->newname);
        break;
    }
    case OBJECT(TYPE):
    case OBJECT(DOMAIN):
        (void)lint_found(l, LINT_C13, 0, "%s is %s from now on",
                         lint_text(l, tree_node_name(r->object)), r->newname);
        break;
    case OBJECT(TRIGGER):
    case OBJECT(POLICY):
    case OBJECT(RULE):
        (void)lint_found_on(l, LINT_L22, 0, t, "reads and writes of %s wait", lint_text(l, name));
        break;
    default:
        break; /* constraints and indexes: nobody calls them by name */
    }
}

static void move(struct lint *l, const PgQuery__AlterObjectSchemaStmt *m)
{
    if (m->relation) {
        struct sql_name name = tree_range(m->relation);
        const struct lint_table *t = lint_schema_table(&l->schema, name);
        if (lint_is_kept_schema(m->newschema)) {
            if (!lint_is_new(t))
                (void)lint_found(l, LINT_C02, 0, "%s is kept in %s", lint_text(l, name),
                                 m->newschema);
            return;
        }
        if (!lint_is_kept_schema(name.schema))
            rename_relation(l, name, t, arena_printf(l->arena, "in %s", m->newschema));
        return;
    }
    struct sql_name name = m->object ? tree_node_name(m->object) : (struct sql_name){ 0 };
    bool is_function = m->object_type == OBJECT(FUNCTION) || m->object_type == OBJECT(PROCEDURE) ||
                       m->object_type == OBJECT(ROUTINE);
    if (is_function)
        (void)lint_found(l, LINT_C10, 0, "%s is in %s from now on", lint_text(l, name),
                         m->newschema);
    else if (name.name)
        (void)lint_found(l, LINT_C04, 0, "%s is in %s from now on", lint_text(l, name),
                         m->newschema);
}

void lint_on_rename(struct lint *l, const PgQuery__Node *n)
{
    if (n->node_case == PG_QUERY__NODE__NODE_RENAME_STMT)
        rename_object(l, n->rename_stmt);
    else if (n->node_case == PG_QUERY__NODE__NODE_ALTER_OBJECT_SCHEMA_STMT)
        move(l, n->alter_object_schema_stmt);
}
