/*
 * What the running release really asks of the database, tried on a scratch database before and after
 * a migration: its queries are prepared, the bodies of its SQL functions are read again. What could
 * be understood before and cannot be afterwards breaks (P01, P03); a query whose columns change is
 * the trap of SELECT * (P02). What fails on both sides says nothing and is left out.
 *
 * QUERIES  From pg_stat_statements of the live database where that exists, and from a file: one per
 *          line, or over several lines up to a semicolon.
 *
 * CALLS    running_read_… → running_try for each migration in order, on one shadow that stands
 *          before the first. What was seen after one is what is there before the next.
 */
#ifndef LOCKFLIGHT_MIGRATE_LINT_RUNNING_H
#define LOCKFLIGHT_MIGRATE_LINT_RUNNING_H

#include "base/vec.h"
#include "migrate/lint/lint.h"
#include "migrate/shadow/shadow.h"

struct running_queries {
    VEC(const char *) list;
};

struct running_side;

struct running {
    struct shadow *shadow;
    struct arena *arena;
    struct running_queries queries;
    const struct running_side *last; /* NULL: not looked yet */
};

/* The most used statements of this database. Nothing if the extension is not there, or may not be
 * read: that is no error. */
bool running_read_statistics(struct pg *live, struct arena *a, struct running_queries *ret,
                             struct err *e) MUST_USE;

bool running_read_file(struct arena *a, const char *path, struct running_queries *ret,
                       struct err *e) MUST_USE;

/* Applies m to the shadow for good, and adds what it breaks to the report. ERR_DB if m itself does
 * not run there. */
bool running_try(struct running *r, const struct migration *m, struct lint_report *report,
                 struct err *e) MUST_USE;

/* Applies a migration that is not to be judged. */
bool running_pass(struct running *r, const struct migration *m, struct err *e) MUST_USE;

#endif
