/*
 * The index that a CREATE INDEX statement wants, looked up in the catalogue: is it there, is it
 * whole, is it the same. See recover.h.
 */
#ifndef LOCKFLIGHT_MIGRATE_INDEX_STATE_H
#define LOCKFLIGHT_MIGRATE_INDEX_STATE_H

#include "migrate/apply/recover.h"
#include "migrate/sql/tree.h"

/* The oids of all indexes of the table, as a JSON array of texts; empty if the table is not there.
 */
bool index_list(struct beside *b, const PgQuery__IndexStmt *s, json_t **ret,
                struct err *e) MUST_USE;

bool index_look(struct beside *b, const PgQuery__IndexStmt *s, const json_t *before,
                enum found *ret, struct err *e) MUST_USE;

bool index_clean(struct beside *b, const PgQuery__IndexStmt *s, const json_t *before,
                 struct err *e) MUST_USE;

void index_explain_duplicates(struct beside *b, const PgQuery__IndexStmt *s, const json_t *before,
                              struct err *e);

/* Drops one index concurrently, after waiting for whoever still builds it. `name` is SQL. */
bool index_drop(struct beside *b, const char *oid, const char *name, struct err *e) MUST_USE;

#endif
