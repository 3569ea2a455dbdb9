/*
 * Finding the names in a clause: see target.h.
 */
#include "migrate/sql/target.h"

#define OBJECT(name) PG_QUERY__OBJECT_TYPE__OBJECT_##name

static void add(struct arena *a, targets *list, struct sql_name name, const char *part)
{
    if (name.name)
        *vec_add(list, a) = (struct target){ name, tree_text(part) };
}

static void add_range(struct arena *a, targets *list, const PgQuery__RangeVar *r)
{
    add(a, list, tree_range(r), NULL);
}

enum sql_kind target_kind(int object_type)
{
    static const enum sql_kind kinds[] = {
        [OBJECT(TABLE)] = SQL_TABLE,
        [OBJECT(COLUMN)] = SQL_TABLE,
        [OBJECT(TABCONSTRAINT)] = SQL_TABLE,
        [OBJECT(TRIGGER)] = SQL_TABLE,
        [OBJECT(POLICY)] = SQL_TABLE,
        [OBJECT(RULE)] = SQL_TABLE,
        [OBJECT(INDEX)] = SQL_INDEX,
        [OBJECT(SEQUENCE)] = SQL_SEQUENCE,
        [OBJECT(VIEW)] = SQL_VIEW,
        [OBJECT(MATVIEW)] = SQL_MATVIEW,
        [OBJECT(FOREIGN_TABLE)] = SQL_FOREIGN_TABLE,
        [OBJECT(TYPE)] = SQL_TYPE,
        [OBJECT(ATTRIBUTE)] = SQL_TYPE,
        [OBJECT(DOMAIN)] = SQL_DOMAIN,
        [OBJECT(DOMCONSTRAINT)] = SQL_DOMAIN,
        [OBJECT(FUNCTION)] = SQL_FUNCTION,
        [OBJECT(PROCEDURE)] = SQL_FUNCTION,
        [OBJECT(ROUTINE)] = SQL_FUNCTION,
        [OBJECT(AGGREGATE)] = SQL_FUNCTION,
        [OBJECT(SCHEMA)] = SQL_SCHEMA,
        [OBJECT(EXTENSION)] = SQL_EXTENSION,
        [OBJECT(ROLE)] = SQL_ROLE,
        [OBJECT(DATABASE)] = SQL_DATABASE,
        [OBJECT(PUBLICATION)] = SQL_PUBLICATION,
    };
    bool is_known = object_type > 0 && (size_t)object_type < sizeof kinds / sizeof *kinds;
    enum sql_kind kind = is_known ? kinds[object_type] : SQL_OTHER;
    return kind == SQL_TABLE && object_type != OBJECT(TABLE) && object_type != OBJECT(COLUMN) &&
                   object_type != OBJECT(TABCONSTRAINT) && object_type != OBJECT(TRIGGER) &&
                   object_type != OBJECT(POLICY) && object_type != OBJECT(RULE)
               ? SQL_OTHER
               : kind;
}

/* ---- what queries read and write ---- */

struct reads {
    struct arena *a;
    targets *read, *written;
    VEC(const char *) ctes;
    VEC(const void *) not_read; /* RangeVars that are targets, or names of something else */
};

static void leave_out(struct reads *r, const void *range)
{
    if (range)
        *vec_add(&r->not_read, r->a) = range;
}

static bool is_left_out(const struct reads *r, const void *range)
{
    for (size_t i = 0; i < r->not_read.n; i++)
        if (r->not_read.v[i] == range)
            return true;
    return false;
}

static void write_to(struct reads *r, const PgQuery__RangeVar *range)
{
    add_range(r->a, r->written, range);
    leave_out(r, range);
}

static bool visit(void *context, const ProtobufCMessage *m)
{
    struct reads *r = context;
    if (TREE_IS(m, insert_stmt)) {
        write_to(r, ((const PgQuery__InsertStmt *)m)->relation);
    } else if (TREE_IS(m, update_stmt)) {
        write_to(r, ((const PgQuery__UpdateStmt *)m)->relation);
    } else if (TREE_IS(m, delete_stmt)) {
        write_to(r, ((const PgQuery__DeleteStmt *)m)->relation);
    } else if (TREE_IS(m, merge_stmt)) {
        write_to(r, ((const PgQuery__MergeStmt *)m)->relation);
    } else if (TREE_IS(m, into_clause)) {
        leave_out(r, ((const PgQuery__IntoClause *)m)->rel);
    } else if (TREE_IS(m, common_table_expr)) {
        *vec_add(&r->ctes, r->a) = ((const PgQuery__CommonTableExpr *)m)->ctename;
    } else if (TREE_IS(m, locking_clause)) {
        const PgQuery__LockingClause *l = (const PgQuery__LockingClause *)m;
        for (size_t i = 0; i < l->n_locked_rels; i++) /* these are aliases */
            leave_out(r, l->locked_rels[i]->range_var);
    } else if (TREE_IS(m, range_var) && !is_left_out(r, m)) {
        add_range(r->a, r->read, (const PgQuery__RangeVar *)m);
    }
    return true;
}

static bool is_cte(const struct reads *r, struct sql_name n)
{
    for (size_t i = 0; !n.schema && i < r->ctes.n; i++)
        if (streq(r->ctes.v[i], n.name))
            return true;
    return false;
}

void target_find_used(struct arena *a, const PgQuery__Node *n, targets *read, targets *written)
{
    targets all = { 0 };
    struct reads r = { .a = a, .read = &all, .written = written };
    if (n->node_case == PG_QUERY__NODE__NODE_VIEW_STMT)
        leave_out(&r, n->view_stmt->view);
    else if (n->node_case == PG_QUERY__NODE__NODE_CREATE_POLICY_STMT)
        leave_out(&r, n->create_policy_stmt->table);
    else if (n->node_case == PG_QUERY__NODE__NODE_ALTER_POLICY_STMT)
        leave_out(&r, n->alter_policy_stmt->table);
    else if (n->node_case == PG_QUERY__NODE__NODE_RULE_STMT)
        leave_out(&r, n->rule_stmt->relation);
    else if (n->node_case == PG_QUERY__NODE__NODE_COPY_STMT && n->copy_stmt->is_from)
        write_to(&r, n->copy_stmt->relation);
    (void)tree_walk(n, visit, &r);
    for (size_t i = 0; i < all.n; i++)
        if (!is_cte(&r, all.v[i].name))
            add(a, read, all.v[i].name, NULL);
}

/* ---- lists ---- */

/* {schema, table, part}: the relation before the last name. */
static void add_parent(struct arena *a, targets *list, const PgQuery__Node *n)
{
    if (n && n->node_case == PG_QUERY__NODE__NODE_LIST && n->list->n_items > 1)
        add(a, list, tree_name(n->list->items, n->list->n_items - 1),
            tree_string(n->list->items[n->list->n_items - 1]));
}

static bool hangs_on_a_relation(int type)
{
    return type == OBJECT(COLUMN) || type == OBJECT(TABCONSTRAINT) || type == OBJECT(TRIGGER) ||
           type == OBJECT(POLICY) || type == OBJECT(RULE);
}

static bool is_a_relation(int type)
{
    return type == OBJECT(TABLE) || type == OBJECT(INDEX) || type == OBJECT(SEQUENCE) ||
           type == OBJECT(VIEW) || type == OBJECT(MATVIEW) || type == OBJECT(FOREIGN_TABLE);
}

static void add_commented(struct arena *a, targets *list, int type, const PgQuery__Node *object)
{
    if (hangs_on_a_relation(type))
        add_parent(a, list, object);
    else if (is_a_relation(type))
        add(a, list, tree_node_name(object), NULL);
}

static void add_dropped(struct arena *a, targets *list, const PgQuery__DropStmt *d)
{
    for (size_t i = 0; i < d->n_objects; i++) {
        if (hangs_on_a_relation((int)d->remove_type))
            add_parent(a, list, d->objects[i]);
        else
            add(a, list, tree_node_name(d->objects[i]), NULL);
    }
}

static void add_ranges(struct arena *a, targets *list, PgQuery__Node *const *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (v[i]->node_case == PG_QUERY__NODE__NODE_RANGE_VAR)
            add_range(a, list, v[i]->range_var);
        else if (v[i]->node_case == PG_QUERY__NODE__NODE_VACUUM_RELATION)
            add_range(a, list, v[i]->vacuum_relation->relation);
        else if (v[i]->node_case == PG_QUERY__NODE__NODE_PUBLICATION_OBJ_SPEC &&
                 v[i]->publication_obj_spec->pubtable)
            add_range(a, list, v[i]->publication_obj_spec->pubtable->relation);
    }
}

static void find_listed(struct arena *a, const PgQuery__Node *n, targets *list)
{
    switch ((int)n->node_case) {
    case PG_QUERY__NODE__NODE_DROP_STMT:
        add_dropped(a, list, n->drop_stmt);
        break;
    case PG_QUERY__NODE__NODE_TRUNCATE_STMT:
        add_ranges(a, list, n->truncate_stmt->relations, n->truncate_stmt->n_relations);
        break;
    case PG_QUERY__NODE__NODE_LOCK_STMT:
        add_ranges(a, list, n->lock_stmt->relations, n->lock_stmt->n_relations);
        break;
    case PG_QUERY__NODE__NODE_VACUUM_STMT:
        add_ranges(a, list, n->vacuum_stmt->rels, n->vacuum_stmt->n_rels);
        break;
    case PG_QUERY__NODE__NODE_CREATE_STATS_STMT:
        add_ranges(a, list, n->create_stats_stmt->relations, n->create_stats_stmt->n_relations);
        break;
    case PG_QUERY__NODE__NODE_CREATE_PUBLICATION_STMT:
        add_ranges(a, list, n->create_publication_stmt->pubobjects,
                   n->create_publication_stmt->n_pubobjects);
        break;
    case PG_QUERY__NODE__NODE_ALTER_PUBLICATION_STMT:
        add_ranges(a, list, n->alter_publication_stmt->pubobjects,
                   n->alter_publication_stmt->n_pubobjects);
        break;
    case PG_QUERY__NODE__NODE_COMMENT_STMT:
        add_commented(a, list, (int)n->comment_stmt->objtype, n->comment_stmt->object);
        break;
    case PG_QUERY__NODE__NODE_SEC_LABEL_STMT:
        add_commented(a, list, (int)n->sec_label_stmt->objtype, n->sec_label_stmt->object);
        break;
    default:
        break;
    }
}

/* ---- the other roles ---- */

static void find_subject(struct arena *a, const struct clause *c, targets *list)
{
    struct sql_name name = { 0 };
    const PgQuery__Node *n = c->statement;
    if (n->node_case == PG_QUERY__NODE__NODE_ALTER_DOMAIN_STMT)
        name = tree_name(n->alter_domain_stmt->type_name, n->alter_domain_stmt->n_type_name);
    else if (!tree_relation(n, &name))
        return;
    add(a, list, name, c->command ? c->command->name : NULL);
}

static void add_referenced(struct arena *a, targets *list, const PgQuery__Constraint *k)
{
    if (k && k->contype == PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN)
        add_range(a, list, k->pktable);
}

static void add_referenced_by_column(struct arena *a, targets *list, const PgQuery__ColumnDef *c)
{
    for (size_t i = 0; c && i < c->n_constraints; i++)
        add_referenced(a, list, tree_constraint(c->constraints[i]));
}

static void find_referenced(struct arena *a, const struct clause *c, targets *list)
{
    add_referenced(a, list, c->constraint);
    add_referenced_by_column(a, list, c->column);
    if (c->statement->node_case != PG_QUERY__NODE__NODE_CREATE_STMT)
        return;
    const PgQuery__CreateStmt *create = c->statement->create_stmt;
    for (size_t i = 0; i < create->n_table_elts; i++) {
        add_referenced(a, list, tree_constraint(create->table_elts[i]));
        add_referenced_by_column(a, list, tree_column(create->table_elts[i]));
    }
    size_t kept = 0; /* a table that refers to itself is new: nobody waits for it */
    for (size_t i = 0; i < list->n; i++)
        if (!sql_name_eq(list->v[i].name, tree_range(create->relation)))
            list->v[kept++] = list->v[i];
    list->n = kept;
}

static void find_in_create(struct arena *a, const struct clause *c, enum sql_whom whom,
                           targets *list)
{
    if (c->statement->node_case != PG_QUERY__NODE__NODE_CREATE_STMT)
        return;
    const PgQuery__CreateStmt *create = c->statement->create_stmt;
    if (whom == SQL_PARENTS)
        add_ranges(a, list, create->inh_relations, create->n_inh_relations);
    for (size_t i = 0; whom == SQL_LIKED && i < create->n_table_elts; i++)
        if (create->table_elts[i]->node_case == PG_QUERY__NODE__NODE_TABLE_LIKE_CLAUSE)
            add_range(a, list, create->table_elts[i]->table_like_clause->relation);
}

static void find_partition(struct arena *a, const struct clause *c, targets *list)
{
    const PgQuery__Node *def = c->command ? c->command->def : NULL;
    if (def && def->node_case == PG_QUERY__NODE__NODE_PARTITION_CMD)
        add_range(a, list, def->partition_cmd->name);
    else if (def && def->node_case == PG_QUERY__NODE__NODE_RANGE_VAR)
        add_range(a, list, def->range_var);
    else if (def && def->node_case == PG_QUERY__NODE__NODE_TYPE_NAME)
        add(a, list, tree_type_name(def->type_name), NULL);
}

/* An index is named without its schema, which is that of its table. */
static void find_index(struct arena *a, const struct clause *c, targets *list)
{
    struct sql_name n = { 0 };
    const PgQuery__Node *def = c->command ? c->command->def : NULL;
    (void)tree_relation(c->statement, &n);
    n.name = c->constraint ? tree_text(c->constraint->indexname) : NULL;
    if (c->kind == PG_QUERY__ALTER_TABLE_TYPE__AT_ClusterOn && c->command)
        n.name = tree_text(c->command->name);
    if (def && def->node_case == PG_QUERY__NODE__NODE_REPLICA_IDENTITY_STMT)
        n.name = tree_text(def->replica_identity_stmt->name);
    add(a, list, n, NULL);
}

static void find_owner(struct arena *a, const struct clause *c, targets *list)
{
    const PgQuery__Node *n = c->statement;
    bool is_new = n->node_case == PG_QUERY__NODE__NODE_CREATE_SEQ_STMT;
    PgQuery__Node *const *v = is_new ? n->create_seq_stmt->options : n->alter_seq_stmt->options;
    size_t count = is_new ? n->create_seq_stmt->n_options : n->alter_seq_stmt->n_options;
    for (size_t i = 0; i < count; i++)
        if (streq(v[i]->def_elem->defname, "owned_by"))
            add_parent(a, list, v[i]->def_elem->arg);
}

void target_find(struct arena *a, const struct clause *c, enum sql_whom whom, targets *list)
{
    targets others = { 0 };
    switch (whom) {
    case SQL_NOBODY:
        break;
    case SQL_SUBJECT:
        find_subject(a, c, list);
        break;
    case SQL_LISTED:
        find_listed(a, c->statement, list);
        break;
    case SQL_REFERENCED:
        find_referenced(a, c, list);
        break;
    case SQL_PARTITION:
        find_partition(a, c, list);
        break;
    case SQL_PARENTS:
    case SQL_LIKED:
        find_in_create(a, c, whom, list);
        break;
    case SQL_READ:
        target_find_used(a, c->statement, list, &others);
        break;
    case SQL_WRITTEN:
        target_find_used(a, c->statement, &others, list);
        break;
    case SQL_NAMED_INDEX:
        find_index(a, c, list);
        break;
    case SQL_OWNER:
        find_owner(a, c, list);
        break;
    }
}
