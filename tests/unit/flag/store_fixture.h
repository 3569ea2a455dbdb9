/*
 * A database with schema lockflight and two flags, for the tests of the flag store.
 */
#ifndef LOCKFLIGHT_TESTS_STORE_FIXTURE_H
#define LOCKFLIGHT_TESTS_STORE_FIXTURE_H

#include "assert_ok.h"
#include "pg_fixture.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "engine/schema.h"
#include "flag/store.h"

#include <stdlib.h>

struct fixture {
    struct arena *a;
    char *url;
    struct pg *db;
    struct err e;
};

static const struct flag_author ana = { "ana@laptop", "cli", "because" };
static const struct flag_author ben = { "ben@desk", "cli", NULL };

static inline void run(struct fixture *f, const char *sql)
{
    assert_ok(pg_run(f->db, sql, NULL, &f->e), &f->e);
}

static inline const char *ask(struct fixture *f, const char *sql)
{
    struct pg_rows r;
    assert_ok(pg_query(f->db, f->a, sql, PG_NONE, &r, &f->e), &f->e);
    return r.n > 0 && pg_value(&r, 0, 0) ? pg_value(&r, 0, 0) : "(null)";
}

/* JSON with ' for ". */
static inline json_t *json_of(struct fixture *f, const char *text)
{
    char *copy = arena_strdup(f->a, text);
    for (char *c = copy; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    json_t *value = json_parse(str_of(copy), text, &f->e);
    assert_non_null(value);
    return value;
}

static inline bool define(struct fixture *f, const char *definitions, const char *release)
{
    json_auto_t *d = json_of(f, definitions);
    const struct flag_author deploy = { "deploy", "deploy", NULL };
    const char *answer;
    return flag_store_define(f->db, f->a, d, release, &deploy, &answer, &f->e);
}

static inline bool set_as(struct fixture *f, const struct flag_author *by, const char *key,
                          int64_t expected, const char *patch)
{
    json_auto_t *p = json_of(f, patch);
    int64_t version;
    return flag_store_set(f->db, key, p, expected, by, &version, &f->e);
}

static inline bool set(struct fixture *f, const char *key, int64_t expected, const char *patch)
{
    return set_as(f, &ana, key, expected, patch);
}

static inline struct flag_row get(struct fixture *f, const char *key)
{
    struct flag_row row = { 0 };
    assert_ok(flag_store_get(f->db, f->a, key, &row, &f->e), &f->e);
    return row;
}

static inline int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->a = arena_new(0);
    f->url = pg_fixture_database(f->a);
    assert_ok(pg_open(&(struct pg_spec){ .url = f->url, .purpose = "test" }, &f->db, &f->e), &f->e);
    assert_ok(schema_ensure(f->db, &f->e), &f->e);
    assert_ok(define(f,
                     "[{'key':'crm','exposure':'client','owner':'sales','initial':'on'},"
                     " {'key':'financial','exposure':'db','expires':'2027-06-01'}]",
                     NULL),
              &f->e);
    *state = f;
    return 0;
}

static inline int teardown(void **state)
{
    struct fixture *f = *state;
    pg_close(f->db);
    arena_free(f->a);
    free(f);
    return 0;
}

#endif
