/*
 * One transaction of a migration, in either direction:
 *
 *   BEGIN · fence · settings as a fresh session has them, with our timeouts · locks ·
 *   the statements, one by one · rows · the caller's record · COMMIT
 *
 * The locks are got as locks.h says: a lock not got in time (55P03) or a deadlock (40P01) rolls
 * back, and it is tried again until options->lock_wait_ms has passed; then ERR_BLOCKED, nothing
 * changed. See apply.h for what a crash leaves.
 */
#ifndef LOCKFLIGHT_MIGRATE_TRANSACTION_H
#define LOCKFLIGHT_MIGRATE_TRANSACTION_H

#include "migrate/apply/apply.h"
#include "migrate/sql/script.h"

struct work {
    const char *file; /* for messages */
    const char *version;
    struct str sql; /* the whole file: statements point into it, messages quote it */
    const struct sql_statement *statements; /* those of this transaction */
    size_t statement_count;
    const struct sql_statement *const *settings; /* SET … of earlier ones: run again before them */
    size_t settings_count;
    const struct migration *migration; /* applying; NULL when reversing */
    const struct migrate_options *o;
    int lock_budget_ms; /* what the file says; 0: what the options say */
    bool is_last;       /* the caller's record belongs into this transaction */

    /* After the statements, as the user who connected: history row, our row, … */
    bool (*write_rows)(const struct work *w, struct pg *db, struct arena *a, struct err *e);

    /* Of several steps: when the first of them begins. */
    bool (*write_begun)(const struct work *w, struct pg *db, struct arena *a, struct err *e);

    /* What came of it; write_rows may store it. */
    int attempts;
    int64_t blocked_ms; /* waiting for locks */
    int64_t started_unix_ms;
};

/* The error of a statement, with its place in the file. Returns false. */
bool transaction_statement_failed(const struct work *w, const struct sql_statement *s, int position,
                                  struct err *e);

bool transaction_run(struct work *w, struct pg *db, struct arena *scratch, struct err *e) MUST_USE;

#endif
