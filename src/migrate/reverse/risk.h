/*
 * What a reverse script would lose, counted in the database as it is now.
 *
 * The script is parsed with the grammar of Postgres, never guessed from its text. A dropped table
 * counts its rows, a dropped column the values that are neither null nor its constant default;
 * replaceable objects (views, functions, policies, triggers, indexes, grants) count nothing. What
 * cannot be counted (DELETE, UPDATE, DO, a dropped schema, a changed type) is said, and is not
 * lossless.
 */
#ifndef LOCKFLIGHT_MIGRATE_RISK_H
#define LOCKFLIGHT_MIGRATE_RISK_H

#include "migrate/history.h"

struct migration_risk {
    bool is_lossless;
    int64_t rows;     /* rows and values that would go */
    const char *text; /* "41 rows in invoice_reminders", "nothing" */
};

/* ERR_BLOCKED if there is no reverse script. Reads only. */
bool migration_risk(struct pg *db, struct arena *a, const struct migration_state *s,
                    struct migration_risk *ret, struct err *e) MUST_USE;

#endif
