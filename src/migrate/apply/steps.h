/*
 * Migrations that do not fit into one transaction, cut into steps.
 *
 * CUT        See sql/step_cut.h.
 *
 * RULE       Before a step its row in lockflight.migration_steps is committed as 'applying'. It
 *            becomes 'done' in the step's own transaction, or, for a step alone, in a transaction
 *            right after it. The last step's transaction also holds the history row, our row and
 *            the caller's record, and takes the rows of the steps away: they exist exactly while a
 *            migration is half applied or half reversed.
 *
 * CRASH      The next run goes on at the first step that is not done. For a step alone that is
 *            'applying' the catalogue is asked what became of it (recover.h).
 */
#ifndef LOCKFLIGHT_MIGRATE_STEPS_H
#define LOCKFLIGHT_MIGRATE_STEPS_H

#include "migrate/apply/transaction.h"
#include "migrate/sql/step_cut.h"

struct step_rows;

/* Runs the steps that are not done; `begun` are the rows of this direction. `w` holds what both directions share; its write_rows is called
 * in the transaction of the last step, its statements are ignored. */
bool migration_steps_run(struct work *w, const struct migration_steps *steps,
                         const struct step_rows *begun, struct pg *db, struct arena *a,
                         struct err *e) MUST_USE;

#endif
