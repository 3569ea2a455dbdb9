/*
 * Getting table locks without making visitors queue.
 *
 * A request for a lock that must wait stands in the way of everybody who comes after it, readers
 * included. So:
 *
 *   LOOK     Until nobody in the way has had his transaction open for long, pg_locks is looked at
 *            and nothing is asked for: queues nobody (locks_wait).
 *   SHORT    Then everything that the transaction will need is asked for at once, in one order, by
 *            name (locks_sql), with a lock_timeout a little longer than the transactions that are
 *            usual on these tables (locks_timeout_ms). It is the longest a visitor can be kept
 *            waiting for a lock that we do not get, and never more than the budget.
 *   AGAIN    An attempt that got no lock has changed nothing: roll back, locks_missed, pause, look.
 *            Several misses after a clear look mean that the timeout was too short: it doubles.
 *
 * AUTOVACUUM steps aside only for who waits longer than deadlock_timeout. It is cancelled where that
 *            is permitted; else outwaited if the budget allows; else waited for, and said so. One
 *            that prevents wraparound is always waited for.
 *
 * ENDING     Only where a person has said how old a transaction has to be for it (end_older_ms): an
 *            application's session in the way is made to give it up (blockers.h), and named.
 *
 * What cannot be locked by name (views, indexes, tables of others) is looked at all the same, and
 * taken by the statements themselves, under the same lock_timeout.
 */
#ifndef LOCKFLIGHT_MIGRATE_LOCKS_H
#define LOCKFLIGHT_MIGRATE_LOCKS_H

#include "migrate/apply/blockers.h"
#include "migrate/sql/script.h"

struct locks;

struct locks_spec {
    const struct sql_lock *wanted; /* as the statements say (sql/script.h) */
    size_t wanted_count;
    int budget_ms; /* the most for lock_timeout */
    int wait_ms;   /* patience over all attempts */
    int64_t
        end_older_ms; /* sessions of applications whose transaction is that old are ended; 0: none */
    void (*tell)(void *context, const char *sentence); /* may be NULL */
    void *context;
    const char *file; /* for the sentences */
};

/* Finds the relations meant. The result lives in `a`. */
bool locks_open(struct pg *db, struct arena *a, const struct locks_spec *spec, struct locks **ret,
                struct err *e) MUST_USE;

/* The relations found, in the order in which they would be locked. */
size_t locks_count(const struct locks *l);
const char *locks_name(const struct locks *l, size_t i); /* public.orders */
enum sql_lock_level locks_level(const struct locks *l, size_t i);

/* Looks until nobody old is in the way. ERR_BLOCKED, with the one in the way, when patience ends;
 * ERR_INTERRUPTED when a signal asks to stop. Outside of a transaction. */
bool locks_wait(struct locks *l, struct pg *db, struct err *e) MUST_USE;

/* Of the next attempt. */
int locks_timeout_ms(const struct locks *l);

/* LOCK TABLE statements for what exists and may be locked by name, in the order in which they are
 * to run. */
const char *const *locks_sql(const struct locks *l, size_t *ret_count);

/* An attempt ended with 55P03 or 40P01 and is rolled back; *e says so. Says who is in the way and
 * pauses. False: patience has ended, *e is ERR_BLOCKED with the one in the way. */
bool locks_missed(struct locks *l, struct pg *db, struct err *e) MUST_USE;

/* After a commit: says so if the strongest locks were held for longer than the budget. */
void locks_held(const struct locks *l, int64_t held_ms);

int locks_attempts(const struct locks *l);       /* so far, this one included */
int64_t locks_blocked_ms(const struct locks *l); /* spent waiting and in vain */

#endif
