/*
 * The rows of lockflight.migration_steps: how far a migration of several steps came. Rules in
 * steps.h.
 */
#ifndef LOCKFLIGHT_MIGRATE_STEP_ROW_H
#define LOCKFLIGHT_MIGRATE_STEP_ROW_H

#include "base/json.h"
#include "migrate/apply/steps.h"

struct step_row {
    int number;
    bool is_reverse;
    bool is_done;
    const char *kind, *sql, *sha256;
    const char *before; /* JSON; NULL: nothing was kept */
    const char *cursor; /* JSON; NULL: no batch was committed */
    int64_t rows_done;
    int64_t backend_pid; /* of the session that runs a step alone */
    const char *backend_start;
};

struct step_rows {
    struct step_row *v; /* in order */
    size_t n;
};

/* Those of both directions: a migration that is taken back before it was wholly applied has both. */
bool step_rows_read(struct pg *db, struct arena *a, const char *version, struct step_rows *ret,
                    struct err *e) MUST_USE;

struct step_rows step_rows_of(const struct step_rows *rows, struct arena *a, bool is_reverse);

const struct step_row *step_row_find(const struct step_rows *rows, int number); /* or NULL */

/* What is known of a step when it begins. */
struct step_begin {
    const struct migration_step *step;
    const json_t *before; /* NULL: nothing to keep */
    int64_t backend_pid;  /* 0: our own session */
    bool keeps_progress;  /* a row of an earlier attempt keeps `before` and its cursor */
};

/* Commits the row as 'applying', under the fence; with the first one also what w->write_begun says.
 */
bool step_row_begin(struct work *w, struct pg *db, struct arena *a, const struct step_begin *b,
                    struct err *e) MUST_USE;

/* Forgets a step that certainly had no effect. */
bool step_row_forget(const struct work *w, struct pg *db, struct arena *a, int number,
                     struct err *e) MUST_USE;

/* Inside a transaction. */
bool step_row_done(const struct work *w, struct pg *db, struct arena *a, int number,
                   struct err *e) MUST_USE;

/* Inside a transaction: where a backfill is. */
struct step_place {
    int number;
    const char *cursor; /* JSON */
    int64_t rows_done;
};
bool step_row_cursor(const struct work *w, struct pg *db, struct arena *a,
                     const struct step_place *p, struct err *e) MUST_USE;

/* Inside the last step's transaction: the rows go, what they said about time and number stays with
 * the migration. */
bool step_rows_finish(const struct work *w, struct pg *db, struct arena *a, size_t steps,
                      struct err *e) MUST_USE;

#endif
