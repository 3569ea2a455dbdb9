/*
 * A step alone: one statement outside of any transaction, on a session beside the lease's.
 *
 *   look what is there · row 'applying' with it · run · look again
 *
 * and after a crash: wait for the old session, look what became of it, and then adopt it, finish
 * it, take its remains away and run it again, or, where the catalogue does not tell, stop and say
 * what a person must look at.
 */
#ifndef LOCKFLIGHT_MIGRATE_ALONE_H
#define LOCKFLIGHT_MIGRATE_ALONE_H

#include "migrate/apply/step_row.h"

struct alone_spec {
    struct work *w;
    const struct migration_step *step;
    const struct step_row *row; /* of an earlier attempt; NULL: this is the first */
    size_t steps;               /* how many the migration has, for messages */
};

/* When it returns true the statement's effect is in the database; its row is still 'applying'.
 * After a refusal that certainly left nothing behind the row is forgotten. */
bool alone_run(const struct alone_spec *spec, struct pg *db, struct arena *a,
               struct err *e) MUST_USE;

/* Takes away what a step left that is not in the file any more. */
bool alone_take_away(const struct alone_spec *spec, struct pg *db, struct arena *a,
                     struct err *e) MUST_USE;

#endif
