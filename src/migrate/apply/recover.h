/*
 * What a statement that cannot run in a transaction has left in the database: done, nothing, or
 * half of it. Asked before it runs, after it ran, and by the next run after a crash.
 *
 * KINDS      One row each in recover.c: concurrent index builds, DROP INDEX CONCURRENTLY, REINDEX
 *            CONCURRENTLY, DETACH PARTITION CONCURRENTLY, what creates or drops databases,
 *            tablespaces and subscriptions, and what may simply run again (VACUUM, CLUSTER …).
 *
 * BEFORE     What was there before the first attempt is kept with the step, so that a later look
 *            can tell our work from what was there.
 *
 * INDEXES    An index is compared by its parts as the catalogue has them, with those of the same
 *            statement run on an empty copy of the table, in a transaction that is rolled back. A
 *            broken (not valid, not ready or not live) index is never believed, not even under IF
 *            NOT EXISTS, and never dropped while somebody still builds it.
 */
#ifndef LOCKFLIGHT_MIGRATE_RECOVER_H
#define LOCKFLIGHT_MIGRATE_RECOVER_H

#include "base/json.h"
#include "migrate/apply/beside.h"

enum found {
    FOUND_NOTHING, /* it has had no effect, or running it again is right: run it */
    FOUND_DONE,    /* its whole effect is there */
    FOUND_BROKEN,  /* half of it is: recover_clean, then run it */
    FOUND_HALF,    /* half of it is, and recover_finish does the rest */
    FOUND_UNKNOWN, /* the catalogue does not say */
};

/* True if nobody waits behind it while it waits: it needs no lock_timeout. */
bool recover_is_gentle(const struct sql_statement *s);

/* What is there before the first attempt; *ret is NULL where nothing need be kept, else the
 * caller's. */
bool recover_before(struct beside *b, const struct sql_statement *s, json_t **ret,
                    struct err *e) MUST_USE;

/* What is there now. `before` NULL: this is the first look, nothing can be ours. ERR_CONFLICT if
 * something else of that name is in the way. */
bool recover_look(struct beside *b, const struct sql_statement *s, const json_t *before,
                  enum found *ret, struct err *e) MUST_USE;

/* Takes away what is broken. Waits for whoever still builds it. */
bool recover_clean(struct beside *b, const struct sql_statement *s, const json_t *before,
                   struct err *e) MUST_USE;

/* Does the rest of FOUND_HALF. */
bool recover_finish(struct beside *b, const struct sql_statement *s, struct err *e) MUST_USE;

/* After the statement failed: adds to *e what the database knows about it (the keys that are there
 * twice). Call before recover_clean. */
void recover_explain(struct beside *b, const struct sql_statement *s, const json_t *before,
                     struct err *e);

#endif
