/*
 * A private server with a scene of tables, on which statements are measured: see measure.c.
 *
 *     cmocka_run_group_tests_name("…", tests, measure_setup, measure_teardown);
 *     in a test: struct measure *m = *state; … measure_foretold(m, "SET NOT NULL", sql)
 */
#ifndef LOCKFLIGHT_TESTS_MEASURE_H
#define LOCKFLIGHT_TESTS_MEASURE_H

#include "assert_ok.h"

#include "base/cleanup.h"
#include "migrate/sql/script.h"
#include "provider/pg.h"

struct measure {
    struct arena *a;
    struct pg *db, *other;
    struct err e;
    const char *told; /* for the test that asks */
};

int measure_setup(void **state);
int measure_teardown(void **state);

/* Runs one statement in a transaction, and rolls back. Prints what is not as foretold; true if all
 * is, and the row `says` was one of the reasons. */
bool measure_foretold(struct measure *f, const char *says, const char *sql);

/* Is it described by this row; or, if the grammar does not know it, by these words? */
bool measure_is_about(const struct sql_statement *s, const char *says);

/* The level that a statement waits for while somebody else has the relation, and the one foretold;
 * 0 if none. */
int measure_awaited_level(struct measure *f, const char *relation, const char *sql);
int measure_foretold_level(struct measure *f, const struct sql_statement *s, const char *relation);

#endif
