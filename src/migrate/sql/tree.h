/*
 * Walking a parse tree without knowing all of it: names, the relation a statement is about, the
 * commands of ALTER TABLE, every node of a kind.
 *
 * The structs are libpg_query's (pg_query.pb-c.h): n->node_case says which member of the union is
 * set, PG_QUERY__NODE__NODE_INDEX_STMT → n->index_stmt. Absent texts are "" there, never NULL.
 * Everything lives in the arena that the script was read with.
 */
#ifndef LOCKFLIGHT_MIGRATE_TREE_H
#define LOCKFLIGHT_MIGRATE_TREE_H

#include "migrate/sql/script.h"

#include <pg_query/pg_query.pb-c.h>

/* NULL for "" */
const char *tree_text(const char *s);

struct sql_name tree_range(const PgQuery__RangeVar *r);

/* A list of String nodes, the last of which is the name: {public,orders}; also a List node that
 * holds such a list, a TypeName, an ObjectWithArgs. An empty name if it is none of these. */
struct sql_name tree_name(PgQuery__Node *const *names, size_t n);
struct sql_name tree_node_name(const PgQuery__Node *n);
struct sql_name tree_type_name(const PgQuery__TypeName *t);

/* The text of a String, or NULL. */
const char *tree_string(const PgQuery__Node *n);

/* The relation that a statement names as its subject: the table of ALTER TABLE, CREATE INDEX,
 * CREATE TRIGGER, CREATE POLICY, INSERT … ; false if there is none. */
bool tree_relation(const PgQuery__Node *statement, struct sql_name *ret);

/* The commands of an ALTER TABLE (INDEX, VIEW, …), in order:
 *
 *     for (size_t i = 0; i < tree_command_count(n); i++)
 *         switch (tree_command(n, i)->subtype) … */
size_t tree_command_count(const PgQuery__Node *statement);
const PgQuery__AlterTableCmd *tree_command(const PgQuery__Node *statement, size_t i);

/* The column or constraint that a command carries in `def`, or NULL. */
const PgQuery__ColumnDef *tree_column(const PgQuery__Node *n);
const PgQuery__Constraint *tree_constraint(const PgQuery__Node *n);

/* Calls `visit` for everything in a statement, parents first, until it returns false. Nodes come without their wrapper; ask what one is by its descriptor:
 *
 *     if (TREE_IS(m, range_var)) … (const PgQuery__RangeVar *)m
 */
typedef bool tree_visitor(void *context, const ProtobufCMessage *m);
bool tree_walk(const PgQuery__Node *n, tree_visitor *visit, void *context);

#define TREE_IS(message, type) ((message)->descriptor == &pg_query__##type##__descriptor)

#endif
