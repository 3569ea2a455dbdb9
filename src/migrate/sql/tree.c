/*
 * Walking parse trees: see tree.h.
 */
#include "migrate/sql/tree.h"

#include "base/cleanup.h"
#include "base/vec.h"

const char *tree_text(const char *s)
{
    return s && *s ? s : NULL;
}

/* ---- names ---- */

struct sql_name tree_range(const PgQuery__RangeVar *r)
{
    if (!r)
        return (struct sql_name){ 0 };
    return (struct sql_name){ tree_text(r->schemaname), tree_text(r->relname) };
}

const char *tree_string(const PgQuery__Node *n)
{
    return n && n->node_case == PG_QUERY__NODE__NODE_STRING ? n->string->sval : NULL;
}

struct sql_name tree_name(PgQuery__Node *const *names, size_t n)
{
    struct sql_name name = { 0 };
    if (n > 0)
        name.name = tree_string(names[n - 1]);
    if (n > 1 && name.name)
        name.schema = tree_string(names[n - 2]);
    return name;
}

struct sql_name tree_type_name(const PgQuery__TypeName *t)
{
    return t ? tree_name(t->names, t->n_names) : (struct sql_name){ 0 };
}

struct sql_name tree_node_name(const PgQuery__Node *n)
{
    if (!n)
        return (struct sql_name){ 0 };
    switch ((int)n->node_case) {
    case PG_QUERY__NODE__NODE_LIST:
        return tree_name(n->list->items, n->list->n_items);
    case PG_QUERY__NODE__NODE_TYPE_NAME:
        return tree_type_name(n->type_name);
    case PG_QUERY__NODE__NODE_OBJECT_WITH_ARGS:
        return tree_name(n->object_with_args->objname, n->object_with_args->n_objname);
    case PG_QUERY__NODE__NODE_RANGE_VAR:
        return tree_range(n->range_var);
    default:
        return (struct sql_name){ NULL, tree_string(n) };
    }
}

/* ---- the subject of a statement ---- */

static const PgQuery__RangeVar *subject(const PgQuery__Node *n)
{
    switch ((int)n->node_case) {
    case PG_QUERY__NODE__NODE_ALTER_TABLE_STMT:
        return n->alter_table_stmt->relation;
    case PG_QUERY__NODE__NODE_CREATE_STMT:
        return n->create_stmt->relation;
    case PG_QUERY__NODE__NODE_CREATE_FOREIGN_TABLE_STMT:
        return n->create_foreign_table_stmt->base_stmt->relation;
    case PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT:
        return n->create_table_as_stmt->into ? n->create_table_as_stmt->into->rel : NULL;
    case PG_QUERY__NODE__NODE_INDEX_STMT:
        return n->index_stmt->relation;
    case PG_QUERY__NODE__NODE_VIEW_STMT:
        return n->view_stmt->view;
    case PG_QUERY__NODE__NODE_RULE_STMT:
        return n->rule_stmt->relation;
    case PG_QUERY__NODE__NODE_CREATE_TRIG_STMT:
        return n->create_trig_stmt->relation;
    case PG_QUERY__NODE__NODE_CREATE_POLICY_STMT:
        return n->create_policy_stmt->table;
    case PG_QUERY__NODE__NODE_ALTER_POLICY_STMT:
        return n->alter_policy_stmt->table;
    case PG_QUERY__NODE__NODE_RENAME_STMT:
        return n->rename_stmt->relation;
    case PG_QUERY__NODE__NODE_ALTER_OBJECT_SCHEMA_STMT:
        return n->alter_object_schema_stmt->relation;
    case PG_QUERY__NODE__NODE_ALTER_OBJECT_DEPENDS_STMT:
        return n->alter_object_depends_stmt->relation;
    case PG_QUERY__NODE__NODE_ALTER_OWNER_STMT:
        return n->alter_owner_stmt->relation;
    case PG_QUERY__NODE__NODE_CREATE_SEQ_STMT:
        return n->create_seq_stmt->sequence;
    case PG_QUERY__NODE__NODE_ALTER_SEQ_STMT:
        return n->alter_seq_stmt->sequence;
    case PG_QUERY__NODE__NODE_REFRESH_MAT_VIEW_STMT:
        return n->refresh_mat_view_stmt->relation;
    case PG_QUERY__NODE__NODE_REINDEX_STMT:
        return n->reindex_stmt->relation;
    case PG_QUERY__NODE__NODE_CLUSTER_STMT:
        return n->cluster_stmt->relation;
    case PG_QUERY__NODE__NODE_COPY_STMT:
        return n->copy_stmt->relation;
    case PG_QUERY__NODE__NODE_INSERT_STMT:
        return n->insert_stmt->relation;
    case PG_QUERY__NODE__NODE_UPDATE_STMT:
        return n->update_stmt->relation;
    case PG_QUERY__NODE__NODE_DELETE_STMT:
        return n->delete_stmt->relation;
    case PG_QUERY__NODE__NODE_MERGE_STMT:
        return n->merge_stmt->relation;
    case PG_QUERY__NODE__NODE_COMPOSITE_TYPE_STMT:
        return n->composite_type_stmt->typevar;
    default:
        return NULL;
    }
}

/* DROP TRIGGER t ON s.r: the object is {s, r, t}. */
static bool dropped_on(const PgQuery__DropStmt *d, struct sql_name *ret)
{
    bool stands_on_a_table = d->remove_type == PG_QUERY__OBJECT_TYPE__OBJECT_TRIGGER ||
                             d->remove_type == PG_QUERY__OBJECT_TYPE__OBJECT_POLICY ||
                             d->remove_type == PG_QUERY__OBJECT_TYPE__OBJECT_RULE;
    const PgQuery__Node *object = d->n_objects > 0 ? d->objects[0] : NULL;
    if (!object)
        return false;
    if (stands_on_a_table && object->node_case == PG_QUERY__NODE__NODE_LIST)
        *ret = tree_name(object->list->items, object->list->n_items - 1);
    else
        *ret = tree_node_name(object);
    return ret->name != NULL;
}

static bool first_range(PgQuery__Node *const *v, size_t n, struct sql_name *ret)
{
    if (n == 0)
        return false;
    const PgQuery__Node *first = v[0];
    if (first->node_case == PG_QUERY__NODE__NODE_VACUUM_RELATION)
        *ret = tree_range(first->vacuum_relation->relation);
    else
        *ret = tree_node_name(first);
    return ret->name != NULL;
}

bool tree_relation(const PgQuery__Node *n, struct sql_name *ret)
{
    if (!n)
        return false;
    if (n->node_case == PG_QUERY__NODE__NODE_DROP_STMT)
        return dropped_on(n->drop_stmt, ret);
    if (n->node_case == PG_QUERY__NODE__NODE_TRUNCATE_STMT)
        return first_range(n->truncate_stmt->relations, n->truncate_stmt->n_relations, ret);
    if (n->node_case == PG_QUERY__NODE__NODE_LOCK_STMT)
        return first_range(n->lock_stmt->relations, n->lock_stmt->n_relations, ret);
    if (n->node_case == PG_QUERY__NODE__NODE_VACUUM_STMT)
        return first_range(n->vacuum_stmt->rels, n->vacuum_stmt->n_rels, ret);
    *ret = tree_range(subject(n));
    return ret->name != NULL;
}

/* ---- ALTER TABLE ---- */

size_t tree_command_count(const PgQuery__Node *n)
{
    bool is_alter = n && n->node_case == PG_QUERY__NODE__NODE_ALTER_TABLE_STMT;
    return is_alter ? n->alter_table_stmt->n_cmds : 0;
}

const PgQuery__AlterTableCmd *tree_command(const PgQuery__Node *n, size_t i)
{
    return n->alter_table_stmt->cmds[i]->alter_table_cmd;
}

const PgQuery__ColumnDef *tree_column(const PgQuery__Node *n)
{
    return n && n->node_case == PG_QUERY__NODE__NODE_COLUMN_DEF ? n->column_def : NULL;
}

const PgQuery__Constraint *tree_constraint(const PgQuery__Node *n)
{
    return n && n->node_case == PG_QUERY__NODE__NODE_CONSTRAINT ? n->constraint : NULL;
}

/* ---- every message ---- */

typedef VEC(const ProtobufCMessage *) pile;

static const ProtobufCMessage *pointer_at(const char *at)
{
    return *(const ProtobufCMessage *const *)(const void *)at;
}

/* Is this field the one of its union that is set? */
static bool is_set(const ProtobufCFieldDescriptor *f, const char *message)
{
    return !(f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) ||
           *(const uint32_t *)(const void *)(message + f->quantifier_offset) == f->id;
}

/* NOLINTBEGIN(bugprone-sizeof-expression): a list of pointers */

/* Puts what a message holds on the pile, last first, so that the first comes off first. */
static void pile_children(struct arena *a, pile *p, const ProtobufCMessage *m)
{
    const char *at = (const char *)m;
    const ProtobufCMessageDescriptor *d = m->descriptor;
    for (unsigned i = d->n_fields; i-- > 0;) {
        const ProtobufCFieldDescriptor *f = &d->fields[i];
        if (f->type != PROTOBUF_C_TYPE_MESSAGE || !is_set(f, at))
            continue;
        const ProtobufCMessage *child = pointer_at(at + f->offset);
        if (child && f->label == PROTOBUF_C_LABEL_REPEATED) {
            size_t n = *(const size_t *)(const void *)(at + f->quantifier_offset);
            const char *items = (const char *)child;
            while (n-- > 0)
                *vec_add(p, a) = pointer_at(items + n * sizeof(void *));
        } else if (child) {
            *vec_add(p, a) = child;
        }
    }
}

/* A Node is a wrapper whose members share one place. */
static const ProtobufCMessage *unwrap(const ProtobufCMessage *m)
{
    if (!m || m->descriptor != &pg_query__node__descriptor)
        return m;
    const PgQuery__Node *n = (const PgQuery__Node *)m;
    return n->node_case != PG_QUERY__NODE__NODE__NOT_SET ? &n->list->base : NULL;
}

bool tree_walk(const PgQuery__Node *n, tree_visitor *visit, void *context)
{
    CLEANUP(arena) struct arena *a = arena_new(0); /* for piles that outgrow `first` */
    const ProtobufCMessage *first[64];
    pile p = { .v = first, .capacity = sizeof first / sizeof *first };
    *vec_add(&p, a) = n ? &n->base : NULL;
    while (p.n > 0) {
        const ProtobufCMessage *m = unwrap(p.v[--p.n]);
        if (!m)
            continue;
        if (!visit(context, m))
            return false;
        pile_children(a, &p, m);
    }
    return true;
}

/* NOLINTEND(bugprone-sizeof-expression) */
