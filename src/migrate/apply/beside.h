/*
 * A session beside the lease's, with the settings that the file has made so far: where a statement
 * runs that cannot run in a transaction.
 *
 * WHY        While it works, perhaps for hours, the lease's own session is free to look how far it
 *            came, who is in its way, and whether the lease is still ours. And a runner that dies
 *            does not take the statement with it: this session has no
 *            client_connection_check_interval, because a concurrent index build that is stopped
 *            half-way leaves an invalid index, and one that is let finish leaves a valid one. The
 *            next runner finds it by its process id and start time, and waits for its end.
 */
#ifndef LOCKFLIGHT_MIGRATE_BESIDE_H
#define LOCKFLIGHT_MIGRATE_BESIDE_H

#include "migrate/apply/steps.h"

struct beside {
    struct pg *session; /* NULL before beside_open */
    struct pg *db;      /* the lease's */
    const struct work *w;
    struct arena *a;
    const char *what; /* for people: "step 2 of 4, CREATE INDEX CONCURRENTLY" */
};

/* Connects and makes the settings that stand before the step. `lock_timeout_ms` 0: none, for what
 * waits without anybody waiting behind it. */
bool beside_open(struct beside *b, const struct migration_step *step, int lock_timeout_ms,
                 struct err *e) MUST_USE;
void beside_close(struct beside *b);

/* One statement, watched to its end. Says through on_progress how far it is and who blocks it. It
 * is cancelled, and waited for, when a signal asks to stop (ERR_INTERRUPTED), when the lease is lost
 * (ERR_FENCED), and when it has been blocked for lock_wait_ms (ERR_BLOCKED, names who). Otherwise
 * the errors of pg_run. */
bool beside_run(struct beside *b, const char *sql, int *ret_position, struct err *e) MUST_USE;

/* Waits for what another session does, watched in the same way, and never cancelled. An earlier
 * runner's session is waited for until it has ended, and ended when it only holds on to a client
 * that does not listen any more; a stranger's until it builds no index. */
bool beside_follow(struct beside *b, int64_t backend_pid, const char *backend_start,
                   bool is_stranger, struct err *e) MUST_USE;

/* Tells the user, if anybody listens. */
void beside_say(const struct beside *b, const char *fmt, ...) PRINTF(2, 3);

static inline void beside_cleanup(struct beside *b)
{
    beside_close(b);
}

#endif
