/*
 * For the files of the store only: how its statements are asked and what their refusals mean.
 */
#ifndef LOCKFLIGHT_FLAG_STORE_INSIDE_H
#define LOCKFLIGHT_FLAG_STORE_INSIDE_H

#include "flag/store.h"

#define STORE_UNIX_MS(x) "coalesce((extract(epoch FROM " x ") * 1000)::bigint, 0)"
#define STORE_RFC3339(x) "to_char(" x " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"

/* A number as a bound value. */
const char *store_number(struct arena *a, int64_t n);

/* JSON as a bound value; NULL stays NULL. */
const char *store_json(struct arena *a, const json_t *value);

/* A reading. Where the schema has no flags yet, no rows, unless a transaction is open. */
bool store_read(struct pg *db, struct arena *a, const char *sql, struct pg_params params,
                struct pg_rows *ret, struct err *e) MUST_USE;

/* A write: one SELECT of a function of the schema, which gives one row. `key` is for the hint of a
 * conflict; NULL: no hint. */
bool store_write(struct pg *db, struct arena *a, const char *key, const char *sql,
                 struct pg_params params, struct pg_rows *ret, struct err *e) MUST_USE;

#endif
