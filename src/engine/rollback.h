/*
 * Going back to a release that was live: first the site, then the functions, and only when a person
 * says so, the schema. Each layer is proved by the old release's own checks before the next one is
 * touched.
 *
 * A rollback is a release of its own in the journal (kind "rollback"). Every move is absolute, so a
 * rollback that was interrupted is simply made again. What fails stays where it is and is said:
 * taking a rollback back by itself would be guessing.
 *
 * CALLS   rollback_plan_make → show it, ask → rollback_run, or rollback_again after a crash
 */
#ifndef LOCKFLIGHT_ENGINE_ROLLBACK_H
#define LOCKFLIGHT_ENGINE_ROLLBACK_H

#include "engine/phase.h"
#include "engine/release.h"

struct rollback_migration {
    const struct history_row *row;
    bool has_reverse;
    bool is_lossless;
    int64_t rows;     /* rows and values that its reverse would lose */
    const char *text; /* the same for people */
};

struct rollback_plan {
    enum layer through;
    struct release_record from, to; /* both as deployed; never a rollback's own record */
    json_t *manifest;               /* of `to`. Owned: rollback_plan_done */
    const char *deploy;             /* what becomes live */
    json_t *images;                 /* slug → saved image or null. Owned */
    json_t *variables;              /* NAME → what the host had: variable_restore.h. Owned */
    struct rollback_migration *migrations; /* newest first; what `to` does not know */
    size_t migrations_n;
    int64_t rows_at_risk;
};

/* `to` NULL: the release before the live one; or, through the schema and with a database that is
 * ahead of the live release, that release itself. ERR_NOT_FOUND if there is none. Zeroes `ret`
 * first. */
bool rollback_plan_make(struct target *t, const struct live *live, const char *to,
                        enum layer through, struct rollback_plan *ret, struct err *e) MUST_USE;
void rollback_plan_done(struct rollback_plan *plan);

/* How many migrations of ours the database has beyond what the live release knows. */
size_t rollback_ahead(const struct live *live);

static inline void rollback_plan_cleanup(struct rollback_plan *plan)
{
    rollback_plan_done(plan);
}

/* Begins the journal and goes back. `reason` is why; the release that was left is
 * quarantined with it. ERR_STUCK says which layer did not come back. */
bool rollback_run(struct release *r, const struct rollback_plan *plan, const char *reason,
                  struct err *e) MUST_USE;

/* Goes on with a rollback that release_open_again found. */
bool rollback_again(struct release *r, struct err *e) MUST_USE;

#endif
