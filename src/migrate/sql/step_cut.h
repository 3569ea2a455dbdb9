/*
 * Cutting a migration file into the steps in which it is run. Pure text: makes no connection.
 *
 * A run of statements that may share a transaction is one step. What cannot run inside a transaction
 * (CREATE INDEX CONCURRENTLY, VACUUM …) is a step alone. New enum values are a transaction of their
 * own, so that what follows can use them. A statement with a `-- backfill:` directive is a step that
 * runs in batches. SET and the like belong to no step: they are repeated before each step that
 * follows them.
 */
#ifndef LOCKFLIGHT_MIGRATE_STEP_CUT_H
#define LOCKFLIGHT_MIGRATE_STEP_CUT_H

#include "migrate/sql/script.h"

enum step_kind {
    STEP_TRANSACTION,
    STEP_ALONE,
    STEP_BACKFILL,
};

struct migration_step {
    enum step_kind kind;
    int number;                    /* from 1 */
    const struct sql_statement *v; /* its statements, without settings */
    size_t n;
    const struct sql_statement *const *settings; /* SET … that stand before it in the file */
    size_t settings_count;
    struct str text;    /* from its first statement to the end of its last */
    const char *sha256; /* of text */
};

struct migration_steps {
    struct migration_step *v;
    size_t n;
};

/* Cuts. ERR_CONFIG with file, line and caret for what cannot be run at all, and for a backfill that
 * cannot be cut into batches. The gate asks it before anything runs. */
bool migration_steps_cut(struct arena *a, const struct sql_script *script,
                         struct migration_steps *ret, struct err *e) MUST_USE;

/* As migration_steps_cut, but every statement is a step. */
bool migration_steps_cut_each(struct arena *a, const struct sql_script *script,
                              struct migration_steps *ret, struct err *e) MUST_USE;

/* Reads and cuts a file, for its errors only. */
bool migration_steps_check(struct arena *a, const char *file, struct str sql,
                           struct err *e) MUST_USE;

#endif
