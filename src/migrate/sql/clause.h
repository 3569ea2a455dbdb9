/*
 * A clause is what a row of rules.h speaks of: a statement, or one command of ALTER TABLE, with the
 * conditions that rows ask of it.
 */
#ifndef LOCKFLIGHT_MIGRATE_CLAUSE_H
#define LOCKFLIGHT_MIGRATE_CLAUSE_H

#include "migrate/sql/tree.h"

struct clause {
    const PgQuery__Node *statement;
    int kind;                              /* see clause_of; what sql_rule.kind is compared with */
    const PgQuery__AlterTableCmd *command; /* NULL unless ALTER TABLE */
    const PgQuery__ColumnDef *column;      /* of the command */
    const PgQuery__Constraint *constraint; /* of the command */
};

/* The statement itself; for ALTER TABLE its command i. */
struct clause clause_of(const PgQuery__Node *statement, size_t i);

/* Does a default call a function whose result changes from row to row? DEPENDS if the function is
 * not one of Postgres' own. */
enum sql_answer clause_default_is_volatile(const PgQuery__ColumnDef *c);

/* Is the result of this call the same within a statement? NO, or YES it changes, or DEPENDS on a
 * function that is not one of Postgres' own. */
enum sql_answer clause_call_is_volatile(const PgQuery__FuncCall *f);

/* Is it a type that comes with Postgres, so certainly no domain? */
bool clause_type_is_builtin(const PgQuery__TypeName *t);

/* Conditions, for rows. */
bool on_table(const struct clause *c);
bool on_index(const struct clause *c);
bool on_view(const struct clause *c);
bool on_type(const struct clause *c);
bool column_has_volatile_default(const struct clause *c);
bool column_may_have_volatile_default(const struct clause *c);
bool column_is_computed(const struct clause *c); /* serial, identity, GENERATED STORED */
bool column_has_own_type(const struct clause *c);
bool column_has_references(const struct clause *c);
bool column_has_check(const struct clause *c);
bool column_has_index(const struct clause *c); /* UNIQUE, PRIMARY KEY */
bool cascades(const struct clause *c);
bool constraint_is_check(const struct clause *c);
bool constraint_is_check_not_valid(const struct clause *c);
bool constraint_is_foreign(const struct clause *c);
bool constraint_is_foreign_not_valid(const struct clause *c);
bool constraint_is_unique(const struct clause *c);
bool constraint_is_primary(const struct clause *c);
bool constraint_is_exclusion(const struct clause *c);
bool constraint_uses_index(const struct clause *c);
bool detaches_concurrently(const struct clause *c);
bool is_concurrent(const struct clause *c);
bool is_not_concurrent(const struct clause *c);
bool table_is_partition(const struct clause *c);
bool table_has_references(const struct clause *c);
bool table_is_like(const struct clause *c);
bool table_inherits(const struct clause *c);
bool view_is_replaced(const struct clause *c);
bool adds_label(const struct clause *c);
bool renames_label(const struct clause *c);
bool domain_adds_check(const struct clause *c);
bool domain_adds_check_not_valid(const struct clause *c);
bool domain_sets_not_null(const struct clause *c);
bool domain_validates(const struct clause *c);
bool domain_changes_otherwise(const struct clause *c);
bool is_vacuum(const struct clause *c);
bool is_vacuum_full(const struct clause *c);
bool is_analyze(const struct clause *c);
bool is_filled(const struct clause *c); /* CREATE TABLE AS, MATERIALIZED VIEW: not WITH NO DATA */
bool sequence_is_owned(const struct clause *c);
bool select_locks_rows(const struct clause *c);
bool is_select_into(const struct clause *c);
bool is_plain_select(const struct clause *c);
bool writes_in_with(const struct clause *c);
bool deletes_in_with(const struct clause *c);
bool copies_from(const struct clause *c);
bool comments_on_relation(const struct clause *c); /* or its column */
bool comments_on_part(const struct clause *c);     /* constraint, trigger, policy, rule */

#endif
