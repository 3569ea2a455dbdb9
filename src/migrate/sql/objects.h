/*
 * Which things a statement names, and what becomes of them. Internal to sql/: the list is
 * sql_statement.objects.
 */
#ifndef LOCKFLIGHT_MIGRATE_OBJECTS_H
#define LOCKFLIGHT_MIGRATE_OBJECTS_H

#include "migrate/sql/target.h"

typedef VEC(struct sql_object) object_list;

void objects_find(struct arena *a, const PgQuery__Node *statement, object_list *ret);

#endif
