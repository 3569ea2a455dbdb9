/*
 * What statements really did to the tables that were there before them, measured inside the
 * transaction that ran them on a scratch database: the strongest lock on each, whether it was
 * written anew, whether it was read whole. Nobody has to know every form of ALTER TABLE for that.
 *
 * CALLS    In a transaction: trace_begin → run the statements → trace_end. Locks that the
 *          transaction held before trace_begin are not counted.
 */
#ifndef LOCKFLIGHT_MIGRATE_TRACE_H
#define LOCKFLIGHT_MIGRATE_TRACE_H

#include "base/json.h"
#include "provider/pg.h"

struct trace_table {
    const char *name;  /* public.orders */
    int level;         /* 1 to 8, as Postgres numbers them: ROW EXCLUSIVE is 3 */
    const char *lock;  /* "ACCESS EXCLUSIVE" */
    bool is_rewritten; /* it, or its indexes, have new files */
    bool is_scanned;
};

struct trace {
    struct trace_table
        *v; /* by name; weaker than ROW EXCLUSIVE is left out unless it was read whole */
    size_t n;
};

struct trace_before {
    struct pg_rows rows;
};

bool trace_begin(struct pg *db, struct arena *a, struct trace_before *ret, struct err *e) MUST_USE;
bool trace_end(struct pg *db, struct arena *a, const struct trace_before *before, struct trace *ret,
               struct err *e) MUST_USE;

/* [{"table", "lock", "rewrite", "scan"}]; the caller owns it. And back: what cannot be read is not
 * there. */
json_t *trace_json(const struct trace *t);
void trace_from_json(struct arena *a, const json_t *list, struct trace *ret);

#endif
