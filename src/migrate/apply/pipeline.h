/*
 * All pending migrations, in as few exchanges as is safe.
 *
 * One at a time, each with the lock protocol of locks.h, is right where visitors are. Where there
 * are none (a new database, a pipeline's scratch database) or where only new tables are touched,
 * many migrations are sent in one exchange, each still its own BEGIN … COMMIT with its rows and the
 * caller's record: at 20 ms of distance a hundred of them take two round trips instead of hundreds.
 * The first error stops the rest; those before it stay, and are in the history.
 *
 * TOGETHER   Consecutive files that are one transaction each, of which nothing was begun before, and
 *            that name no relation that exists, or nobody else is connected to the database. A lock
 *            that is not got after all is got one at a time.
 */
#ifndef LOCKFLIGHT_MIGRATE_PIPELINE_H
#define LOCKFLIGHT_MIGRATE_PIPELINE_H

#include "migrate/apply/apply.h"

/* What is asked before the first one, by pipeline_apply itself or by its caller in an exchange that
 * does other things as well (a pg_queue_part); options->look then. */
struct pipeline_look;
bool pipeline_look_ask(struct pg *db, struct arena *a, struct pipeline_look **ret,
                       struct err *e) MUST_USE;

/* Applies them in order. *ret_applied, also on failure: how many are applied, from the first.
 * o->before and o->on_applied are called as apply.h says. Errors as migration_apply. */
bool pipeline_apply(struct pg *db, struct arena *scratch, const struct migration *const *pending,
                    size_t n, const struct migrate_options *o, size_t *ret_applied,
                    struct err *e) MUST_USE;

#endif
