/*
 * Backfills: an UPDATE or DELETE of many rows, in batches that each commit.
 *
 *     -- backfill: key=id batch=1000               (see sql/backfill_order.h)
 *     UPDATE public.contacts SET phone_e164 = e164(phone) WHERE phone_e164 IS NULL;
 *
 * BATCH      The next keys are read, the statement runs as it is written with "and the key is among
 *            these" added to its WHERE, and the last key read is stored with the step; all in one
 *            transaction, under the lock protocol of every other step. So a batch counts exactly
 *            once, whatever dies. A range without a row to write is not the end; a range without a
 *            key is.
 *
 * PACE       A batch that took less than 50 ms is followed by a larger one, one of more than 200 ms
 *            by a smaller one. After each there is a pause of a fifth of its time; while a replica
 *            lags behind by 10 s, longer.
 */
#ifndef LOCKFLIGHT_MIGRATE_BACKFILL_H
#define LOCKFLIGHT_MIGRATE_BACKFILL_H

#include "migrate/apply/alone.h"
#include "migrate/sql/backfill_order.h"

/* Runs the batches that are left. When it returns true all rows are written; the step's row is still
 * 'applying'. */
bool backfill_run(const struct alone_spec *spec, struct pg *db, struct arena *a,
                  struct err *e) MUST_USE;

#endif
