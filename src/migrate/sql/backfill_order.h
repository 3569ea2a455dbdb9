/*
 * The directive of a backfill, and which statements can be one.
 *
 * DIRECTIVE  `key=` the columns whose order the batches follow, with commas between them; without
 *            it the primary key. They must not be null, and an index must begin with them. `table=`
 *            says whose rows these are, for readers; it must be the statement's table. `batch=` rows
 *            looked at in the first batch (1000).
 */
#ifndef LOCKFLIGHT_MIGRATE_BACKFILL_ORDER_H
#define LOCKFLIGHT_MIGRATE_BACKFILL_ORDER_H

#include "migrate/sql/tree.h"

#define BACKFILL_ROWS       1000
#define BACKFILL_ROWS_LEAST 10
#define BACKFILL_ROWS_MOST  100000
#define BACKFILL_KEYS_MOST  8

struct backfill_order {
    const char *table; /* NULL: not said */
    const char *keys[BACKFILL_KEYS_MOST];
    size_t key_count; /* 0: not said */
    int64_t batch;
};

bool backfill_order_read(struct arena *a, const struct sql_script *script,
                         const struct directive *d, struct backfill_order *ret,
                         struct err *e) MUST_USE;

/* The table whose rows an UPDATE or DELETE writes; NULL if it cannot be cut into batches. */
const PgQuery__RangeVar *backfill_target(const struct sql_statement *s);

/* Is the directive well written, and the statement one that can be cut? ERR_CONFIG with the place.
 */
bool backfill_order_check(struct arena *a, const struct sql_script *script,
                          const struct sql_statement *s, struct err *e) MUST_USE;

#endif
