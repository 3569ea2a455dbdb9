/*
 * Proofs of several migrations, in the order in which they are applied: one scratch database walks
 * through the whole set, each chosen pair is proved where it stands.
 */
#ifndef LOCKFLIGHT_MIGRATE_SERIES_H
#define LOCKFLIGHT_MIGRATE_SERIES_H

#include "migrate/prove/proof.h"

struct series_spec {
    const char *server_url; /* for the scratch database, see shadow.h */
    const struct migration_set *set;
    const struct migration *const *chosen; /* of the set, in order; those without a reverse script
                                              are stepped over */
    size_t n;

    void (*on_begin)(void *context, const struct migration *m); /* may be NULL */
    /* Valid during the call only. False, with *e set, ends the series. */
    bool (*on_proof)(void *context, const struct proof *p, struct err *e);
    void *context;
};

/* Asks on_proof about each. After a migration that does not run there is nothing to go on from: the
 * series ends there, and that is no error. */
bool series_prove(const struct series_spec *spec, struct err *e) MUST_USE;

#endif
