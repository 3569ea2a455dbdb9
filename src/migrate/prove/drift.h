/*
 * Drift: has somebody changed the schema since Lockflight last left it? After every run that applied
 * or reversed something the catalogue is kept, once, in the environment's own database
 * (lockflight.catalogue); later it is held beside what is there.
 *
 * What the services around a Supabase project do in their own schemas (auth, storage …) is not drift,
 * but for the triggers and policies that an application puts there. When the migration history is not
 * the one the kept catalogue was taken with, there is nothing to compare with, and that is no drift.
 */
#ifndef LOCKFLIGHT_MIGRATE_DRIFT_H
#define LOCKFLIGHT_MIGRATE_DRIFT_H

#include "migrate/catalogue/change.h"

enum drift_state {
    DRIFT_UNKNOWN, /* nothing kept, or kept at another history, server version or algorithm */
    DRIFT_NONE,
    DRIFT_FOUND,
};

struct drift {
    enum drift_state state;
    struct catalogue_change *changes; /* FOUND: from what was kept to what is there */
    size_t n;
    int64_t taken_unix_ms;
};

/* Compares. Reads only. */
bool drift_look(struct pg *db, struct arena *a, struct drift *ret, struct err *e) MUST_USE;

/* Queues the question whether a catalogue is kept, as a part of an exchange; and its answer: no schema
 * lockflight is no. */
struct drift_question {
    struct pg_rows rows;
    struct err absent;
};
bool drift_ask(struct pg *db, struct arena *a, struct drift_question *ret, struct err *e) MUST_USE;
bool drift_is_kept(const struct drift_question *q);

/* Keeps the catalogue as it is now. Needs schema lockflight. */
bool drift_keep(struct pg *db, struct arena *a, struct err *e) MUST_USE;

/* "column public.t.c changed: default …, and 2 more" */
const char *drift_text(struct arena *a, const struct drift *d);

#endif
