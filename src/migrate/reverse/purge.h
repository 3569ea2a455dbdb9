/*
 * The end of what keep.h put aside: a migration that really drops the tables in lockflight_gone, the
 * columns named "_gone_…" and the copies in lockflight_undo, and its reverse script. Loss class C:
 * the way back makes the structures again, so that earlier reverse scripts find what they expect,
 * but nothing is in them.
 */
#ifndef LOCKFLIGHT_MIGRATE_PURGE_H
#define LOCKFLIGHT_MIGRATE_PURGE_H

#include "migrate/shadow/shadow.h"

struct purge_item {
    const char *what; /* "table lockflight_gone.pets", "column public.people._gone_2026…_note" */
    int64_t rows;     /* that go for good; values that are not null for a column. -1: unknown */
};

struct purge {
    struct purge_item *items;
    size_t n;
    const char *up;   /* NULL if there is nothing to drop */
    const char *down; /* its reverse script */
};

/* What there is to drop. `all` is a shadow with every migration of the project, which is used up by
 * this. `db`, which may be NULL, is the database in question: only what is in it too is dropped, and
 * its rows are counted. */
bool purge_plan(struct shadow *all, struct pg *db, struct arena *a, struct purge *ret,
                struct err *e) MUST_USE;

#endif
