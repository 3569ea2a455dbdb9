/*
 * The heartbeat of a lease: one thread, with a connection of its own, that renews the row while the
 * runner works.
 *
 * It only ever moves expires_at forward under the epoch it was started with; it takes no lock and
 * changes nothing else. How long the lease is still valid is counted from before the request was
 * sent, by the boot clock of this machine, so it is never longer than what the database grants.
 */
#ifndef LOCKFLIGHT_ENGINE_HEARTBEAT_H
#define LOCKFLIGHT_ENGINE_HEARTBEAT_H

#include "engine/lease.h"

struct heartbeat;

struct heartbeat_spec {
    const char *url;
    const char *target;
    int64_t epoch;
    struct lease_times times;
    int64_t renewed_boot_ms; /* when the lease was taken */
};

bool heartbeat_start(const struct heartbeat_spec *spec, struct heartbeat **ret,
                     struct err *e) MUST_USE;
void heartbeat_stop(struct heartbeat *h); /* accepts NULL */

/* Another runner has taken over. Once true, true for ever. */
bool heartbeat_is_fenced(struct heartbeat *h);

/* How long the lease is still valid; negative when it ran out. */
int64_t heartbeat_left_ms(struct heartbeat *h);

/* The owner renewed it over its own connection, in a request sent at that time. */
void heartbeat_note_renewal(struct heartbeat *h, int64_t sent_boot_ms);

/* The renewal itself, for both: pushes expires_at forward if the epoch still stands. *ret_is_ours
 * is false otherwise. */
bool heartbeat_renew(struct pg *db, const struct heartbeat_spec *spec, bool *ret_is_ours,
                     struct err *e) MUST_USE;

#endif
