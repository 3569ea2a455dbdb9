/*
 * What most tests of migrations begin with: a new database with schema lockflight, a connection for the
 * runner and one for somebody who looks at it, or is in its way.
 */
#ifndef LOCKFLIGHT_TESTS_PAIR_FIXTURE_H
#define LOCKFLIGHT_TESTS_PAIR_FIXTURE_H

#include "assert_ok.h"
#include "pg_fixture.h"

#include "engine/schema.h"
#include "provider/pg.h"

/* The other one is named as ours: for pipeline.h no stranger. */
static inline void pair_connect(const char *url, struct pg **db, struct pg **other)
{
    struct err e = { 0 };
    assert_ok(pg_open(&(struct pg_spec){ .url = url }, db, &e), &e);
    assert_ok(pg_open(&(struct pg_spec){ .url = url, .purpose = "other" }, other, &e), &e);
}

/* Returns the URL. */
static inline char *pair_open(struct arena *a, struct pg **db, struct pg **other)
{
    struct err e = { 0 };
    char *url = pg_fixture_database(a);
    pair_connect(url, db, other);
    assert_ok(schema_ensure(*db, &e), &e);
    return url;
}

static inline void pair_run(struct pg *db, const char *sql)
{
    struct err e = { 0 };
    assert_ok(pg_run(db, sql, NULL, &e), &e);
}

/* The first value of the answer; NULL: there is none. */
static inline const char *pair_ask(struct pg *db, struct arena *a, const char *sql)
{
    struct err e = { 0 };
    struct pg_rows rows;
    assert_ok(pg_query(db, a, sql, PG_NONE, &rows, &e), &e);
    return rows.n ? pg_value(&rows, 0, 0) : NULL;
}

#endif
