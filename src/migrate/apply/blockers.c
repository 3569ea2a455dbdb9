#include "migrate/apply/blockers.h"

#include "base/cleanup.h"
#include "base/clock.h"

/* What both looks select; `l` is pg_locks. */
#define BLOCKER_COLUMNS                                                                            \
    " coalesce(a.pid, l.pid, 0), coalesce(a.backend_type = 'autovacuum worker', false),"           \
    " coalesce(a.query LIKE '%to prevent wraparound%', false), l.pid IS NULL,"                     \
    " (extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, p.prepared)) * "              \
    "1000)::bigint,"                                                                               \
    " l.virtualtransaction, a.state, coalesce(nullif(a.application_name, ''), a.usename, p.gid),"  \
    " left(regexp_replace(a.query, '\\s+', ' ', 'g'), 120), l.relation::regclass, l.mode"

/* A prepared transaction is known by the lock that it holds on its own number. */
#define BLOCKER_JOINS                                                                              \
    " LEFT JOIN pg_stat_activity a ON a.pid = l.pid"                                               \
    " LEFT JOIN LATERAL (SELECT p.gid, p.prepared FROM pg_locks x"                                 \
    "  JOIN pg_prepared_xacts p ON p.transaction = x.transactionid WHERE l.pid IS NULL"            \
    "  AND x.locktype = 'transactionid' AND x.pid IS NULL AND x.granted"                           \
    "  AND x.virtualtransaction = l.virtualtransaction LIMIT 1) p ON true"

#define BLOCKER_ORDER                                                                              \
    " ORDER BY coalesce(a.state LIKE 'idle in transaction%', false) DESC,"                         \
    " coalesce(a.xact_start, p.prepared) NULLS LAST"

static enum blocker_kind kind_of(const struct pg_rows *r, size_t row)
{
    if (pg_bool(r, row, 3))
        return BLOCKER_PREPARED;
    if (!pg_bool(r, row, 1))
        return BLOCKER_SESSION;
    return pg_bool(r, row, 2) ? BLOCKER_WRAPAROUND : BLOCKER_AUTOVACUUM;
}

/* A transaction that holds several of the locks has several rows: the first speaks for it. */
static bool is_known(const struct blockers *b, const char *transaction)
{
    for (size_t i = 0; i < b->n; i++)
        if (streq(b->v[i].transaction, transaction))
            return true;
    return false;
}

static void from_rows(struct arena *a, const struct pg_rows *r, struct blockers *ret)
{
    struct blockers b = { .v = ARENA_ARRAY(a, struct blocker, r->n + 1) };
    for (size_t i = 0; i < r->n; i++) {
        const char *transaction = pg_value(r, i, 5);
        if (is_known(&b, transaction))
            continue;
        b.v[b.n++] = (struct blocker){
            .kind = kind_of(r, i),
            .pid = (int)pg_int(r, i, 0),
            .age_ms = pg_value(r, i, 4) ? pg_int(r, i, 4) : BLOCKER_AGE_UNKNOWN,
            .transaction = transaction,
            .state = pg_value(r, i, 6),
            .name = pg_value(r, i, 7),
            .query = pg_value(r, i, 8),
            .relation = pg_value(r, i, 9),
            .mode = pg_value(r, i, 10),
        };
    }
    *ret = b;
}

bool blockers_look(struct pg *db, struct arena *a, const char *relations, const char *modes,
                   struct blockers *ret, struct err *e)
{
    static const char sql[] =
        "SELECT" BLOCKER_COLUMNS " FROM unnest($1::oid[], $2::text[]) AS w (relation, mode)"
        " JOIN pg_locks l ON l.relation = w.relation AND l.mode = w.mode" BLOCKER_JOINS
        " WHERE l.locktype = 'relation' AND l.granted AND l.pid IS DISTINCT FROM pg_backend_pid()"
        " AND l.database = (SELECT oid FROM pg_database WHERE datname = "
        "current_database())" BLOCKER_ORDER;
    struct pg_rows r;
    if (!pg_query(db, a, sql, PG_PARAMS(relations, modes), &r, e))
        return err_wrap(e, "look for sessions in the way");
    from_rows(a, &r, ret);
    return true;
}

bool blockers_guess(struct pg *db, struct arena *a, struct blockers *ret, struct err *e)
{
    static const char sql[] =
        "SELECT DISTINCT ON (a.xact_start, l.virtualtransaction)" BLOCKER_COLUMNS
        " FROM pg_locks l" BLOCKER_JOINS
        " WHERE l.locktype = 'relation' AND l.granted AND l.pid IS DISTINCT FROM pg_backend_pid()"
        " AND l.relation >= 16384 AND (a.xact_start IS NOT NULL OR l.pid IS NULL)"
        " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        " ORDER BY a.xact_start NULLS LAST, l.virtualtransaction";
    struct pg_rows r;
    if (!pg_query(db, a, sql, PG_NONE, &r, e))
        return err_wrap(e, "look for open transactions");
    from_rows(a, &r, ret);
    return true;
}

const char *blocker_text(struct arena *a, const struct blocker *b)
{
    const char *age = b->age_ms == BLOCKER_AGE_UNKNOWN
                          ? NULL
                          : arena_printf(a, " for %s", clock_duration(a, b->age_ms));
    const char *holds = arena_printf(a, "holds %s on %s", b->mode, b->relation);
    switch (b->kind) {
    case BLOCKER_PREPARED:
        return arena_printf(a, "the prepared transaction '%s', open%s, %s", b->name ? b->name : "?",
                            age ? age : "", holds);
    case BLOCKER_AUTOVACUUM:
        return arena_printf(a, "autovacuum, pid %d, %s", b->pid, holds);
    case BLOCKER_WRAPAROUND:
        return arena_printf(a, "an autovacuum to prevent wraparound, pid %d, %s", b->pid, holds);
    case BLOCKER_SESSION:
        break;
    }
    return arena_printf(a, "%s, pid %d, %s%s, %s%s%s", b->name ? b->name : "a session", b->pid,
                        b->state ? b->state : "state unknown", age ? age : "", holds,
                        b->query && *b->query ? ": " : "", b->query ? b->query : "");
}

const char *blocker_hint(struct arena *a, const struct blocker *b)
{
    switch (b->kind) {
    case BLOCKER_PREPARED:
        return arena_printf(a, "end it: COMMIT PREPARED '%s', or ROLLBACK PREPARED '%s'", b->name,
                            b->name);
    case BLOCKER_WRAPAROUND:
        return "let it finish: it protects the database, and cannot be stopped for long";
    case BLOCKER_AUTOVACUUM:
    case BLOCKER_SESSION:
        break;
    }
    return arena_printf(a, "end it: SELECT pg_terminate_backend(%d), or raise schema.lock_wait",
                        b->pid);
}

/* ---- ending them ---- */

bool blocker_cancel_vacuum(struct pg *db, const struct blocker *b)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct pg_rows r;
    struct err not_permitted;
    return pg_query(db, a, "SELECT pg_cancel_backend($1)", PG_PARAMS(arena_printf(a, "%d", b->pid)),
                    &r, &not_permitted) &&
           pg_bool(&r, 0, 0);
}

/* The age is looked at once more by the statement that ends it: the transaction may be another one by
 * now. */
bool blocker_end(struct pg *db, int64_t pid, int64_t older_ms, bool is_again, const char **ret_done,
                 struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct pg_rows r;
    *ret_done = NULL;
    if (!pg_query(db, a,
                  "SELECT a.state = 'active' AND NOT $3::boolean,"
                  " CASE WHEN a.state = 'active' AND NOT $3::boolean THEN pg_cancel_backend(a.pid)"
                  " ELSE pg_terminate_backend(a.pid) END FROM pg_stat_activity a WHERE a.pid = $1"
                  " AND a.backend_type = 'client backend' AND a.pid <> pg_backend_pid()"
                  " AND a.application_name NOT LIKE 'lockflight %'"
                  " AND clock_timestamp() - a.xact_start >= $2::float8 * interval '1 ms'",
                  PG_PARAMS(arena_printf(a, "%lld", (long long)pid),
                            arena_printf(a, "%lld", (long long)older_ms), is_again ? "t" : "f"),
                  &r, e))
        return false;
    if (r.n == 1 && pg_bool(&r, 0, 1))
        *ret_done = pg_bool(&r, 0, 0) ? "cancelled" : "disconnected";
    return true;
}
