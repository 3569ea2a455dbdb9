/*
 * Corrections of the history where it and the database tell different stories. The schema itself is
 * never touched: these say what is true, they do not make it true. Inside the caller's transaction.
 */
#ifndef LOCKFLIGHT_MIGRATE_REPAIR_H
#define LOCKFLIGHT_MIGRATE_REPAIR_H

#include "migrate/history.h"
#include "migrate/record.h"

/* "It is not applied": out of the common history; ours stays as "reversed", what was begun of it is
 * forgotten. ERR_NOT_FOUND if neither knows it as applied or begun. */
bool repair_reverted(struct pg *db, const char *version, const char *by, struct err *e) MUST_USE;

/* "The file as it is now is what was applied." A reverse script that was kept is kept on if the
 * file has none. `s` is MIGRATION_CHANGED, else ERR_CONFLICT. */
bool repair_accept(struct pg *db, struct arena *a, const struct migration_state *s,
                   const struct record_how *how, struct err *e) MUST_USE;

/* What a baseline at `version` would mark: files up to it that are not applied, or were applied by
 * another tool. ERR_NOT_FOUND if no file has that version, ERR_BLOCKED if one of them was changed
 * or interrupted. */
bool repair_baseline_choose(struct arena *a, const struct migration_plan *p, const char *version,
                            const struct migration ***ret, size_t *ret_count,
                            struct err *e) MUST_USE;

#endif
