/*
 * Taking back a migration that was not wholly applied: some of its steps are done, perhaps one is
 * half done, and it cannot or shall not be finished.
 *
 * HOW        What an interrupted step alone left is settled first: its session ended, a broken index
 *            dropped, a half detached partition detached. Then the reverse script runs statement by
 *            statement. One that fails because what it takes away was never made, or what it brings
 *            back never went, is not needed and passed over; any other failure stops it. The steps
 *            of both directions are kept until the end, so that a crash on the way goes on with
 *            taking back, never forward.
 */
#ifndef LOCKFLIGHT_MIGRATE_TAKE_BACK_H
#define LOCKFLIGHT_MIGRATE_TAKE_BACK_H

#include "migrate/apply/step_row.h"

/* `w` is the reverse script's; `rows` those of both directions. */
bool migration_take_back(struct work *w, const struct step_rows *rows, struct pg *db,
                         struct arena *a, struct err *e) MUST_USE;

#endif
