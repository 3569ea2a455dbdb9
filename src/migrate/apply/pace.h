/*
 * What a backfill must wait for between two batches, so that the database stays well while a large
 * table is written anew:
 *
 *   REPLICA    One that is further behind than replica_lag: whoever reads there sees the past. Waited
 *              for until it has caught up.
 *   DEAD ROWS  More of them in the table than two autovacuums would take away: the table grows, and
 *              every reader reads past them. Whose old transaction keeps the vacuum from them is said.
 *   OLD        A snapshot so old that transaction numbers come near their end.
 *
 * The last two are waited for while they may get better by themselves, for PACE_WAIT_MS at most; then
 * it goes on, and waits again only when it has become twice as bad.
 */
#ifndef LOCKFLIGHT_MIGRATE_PACE_H
#define LOCKFLIGHT_MIGRATE_PACE_H

#include "provider/pg.h"

#define PACE_REPLICA_LAG_MS 10000
#define PACE_WAIT_MS        120000

struct pace {
    const char *table;  /* its oid */
    int replica_lag_ms; /* 0: the default above */
    int64_t looked_ms;  /* boot clock */
    bool is_pausing;
    char mark[32];      /* a place in the log that a replica had not reached ... */
    int64_t mark_ms;    /* ... then */
    int64_t waiting_ms; /* since when for the vacuum; 0: not */
    int patience;       /* how often it went on all the same: each doubles the limits */
};

/* Looks once a second at most. *ret_reason, in `a`: why not to go on yet, for people; NULL: go on.
 * What cannot be seen is no reason. */
void pace_look(struct pace *p, struct pg *db, struct arena *a, const char **ret_reason);

#endif
