/*
 * Which relations a clause speaks of, in the roles of enum sql_whom; and what a query in it reads
 * and writes.
 */
#ifndef LOCKFLIGHT_MIGRATE_TARGET_H
#define LOCKFLIGHT_MIGRATE_TARGET_H

#include "base/vec.h"
#include "migrate/sql/rules.h"

struct target {
    struct sql_name name;
    const char *part; /* the column, constraint … that it is about; NULL: all of it */
};

typedef VEC(struct target) targets;

/* Adds to *list. */
void target_find(struct arena *a, const struct clause *c, enum sql_whom whom, targets *list);

/* SQL_READ and SQL_WRITTEN at once: what queries in a statement, policy or view read, and what DML
 * writes. */
void target_find_used(struct arena *a, const PgQuery__Node *n, targets *read, targets *written);

/* The thing kind that an object type of the grammar stands for. */
enum sql_kind target_kind(int object_type);

#endif
