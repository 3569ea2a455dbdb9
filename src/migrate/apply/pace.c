#include "migrate/apply/pace.h"

#include "base/clock.h"

#include <stdio.h>

#define LOOK_MS       1000
#define DEAD_ROWS_FEW 100000 /* below that nobody minds */
#define SNAPSHOT_OLD                                                                               \
    100000000               /* transactions; the server takes measures of its own at twice that */
#define HOLDS_BACK_MS 60000 /* a transaction open for longer is named */

/* replay_lag alone does not grow while a replica stands still: so a place in the log is marked, and
 * it is watched how long the replica takes to come to it. */
static const char replica_sql[] =
    "SELECT pg_current_wal_lsn(), coalesce(min(replay_lsn) >= nullif($1, '')::pg_lsn, true),"
    " coalesce((extract(epoch FROM max(replay_lag)) * 1000)::bigint, 0)"
    " FROM pg_stat_replication WHERE replay_lsn IS NOT NULL";

static const char *replica_is_behind(struct pace *p, struct pg *db, struct arena *a)
{
    struct pg_rows r;
    struct err unseen;
    int64_t now = clock_boot_ms();
    int64_t most = p->replica_lag_ms > 0 ? p->replica_lag_ms : PACE_REPLICA_LAG_MS;
    if (!pg_query(db, a, replica_sql, PG_PARAMS(p->mark), &r, &unseen))
        return NULL;
    int64_t behind = pg_int(&r, 0, 2);
    if (pg_bool(&r, 0, 1)) {
        (void)snprintf(p->mark, sizeof p->mark, "%s", pg_value(&r, 0, 0));
        p->mark_ms = now;
    } else if (now - p->mark_ms > behind) {
        behind = now - p->mark_ms;
    }
    if (behind <= most)
        return NULL;
    return arena_printf(a, "a replica is %s behind", clock_duration(a, behind));
}

/* Of the table with its partitions: dead rows; how many two vacuums would wait for; whether there is
 * an autovacuum to wait for. Then the oldest snapshot, and whose it is. */
static const char dead_sql[] =
    "WITH part AS (SELECT c.oid, greatest(c.reltuples, 0) AS rows, c.reloptions FROM pg_class c"
    "  WHERE c.oid = $1 OR c.oid IN (SELECT relid FROM pg_partition_tree($1::oid))),"
    " option AS (SELECT p.oid, p.rows, coalesce(max(o.option_value) FILTER (WHERE o.option_name ="
    "   'autovacuum_vacuum_threshold'), current_setting('autovacuum_vacuum_threshold'))::float8"
    "   AS threshold, coalesce(max(o.option_value) FILTER (WHERE o.option_name ="
    "   'autovacuum_vacuum_scale_factor'),"
    "   current_setting('autovacuum_vacuum_scale_factor'))::float8 AS scale,"
    "  coalesce(max(o.option_value) FILTER (WHERE o.option_name = 'autovacuum_enabled'), 'on')"
    "   ::boolean AS is_on"
    "  FROM part p LEFT JOIN LATERAL pg_options_to_table(p.reloptions) o ON true"
    "  GROUP BY p.oid, p.rows),"
    " oldest AS (SELECT pid, coalesce(nullif(application_name, ''), usename) AS name,"
    "   age(backend_xmin) AS age,"
    "   (extract(epoch FROM clock_timestamp() - xact_start) * 1000)::bigint AS open_ms"
    "  FROM pg_stat_activity WHERE backend_xmin IS NOT NULL AND pid <> pg_backend_pid()"
    "  ORDER BY age(backend_xmin) DESC LIMIT 1)"
    "SELECT coalesce(sum(pg_stat_get_dead_tuples(o.oid)), 0)::bigint,"
    " (2 * sum(o.threshold + o.scale * o.rows))::bigint,"
    " current_setting('autovacuum')::boolean AND bool_and(o.is_on),"
    " (SELECT age FROM oldest), (SELECT pid FROM oldest), (SELECT name FROM oldest),"
    " (SELECT open_ms FROM oldest) FROM option o";

static const char *vacuum_is_behind(const struct pace *p, struct pg *db, struct arena *a)
{
    struct pg_rows r;
    struct err unseen;
    if (!pg_query(db, a, dead_sql, PG_PARAMS(p->table), &r, &unseen))
        return NULL;
    int64_t dead = pg_int(&r, 0, 0), most = pg_int(&r, 0, 1), age = pg_int(&r, 0, 3),
            open_ms = pg_int(&r, 0, 6);
    bool has_vacuum = pg_bool(&r, 0, 2);
    const char *who = arena_printf(a, "%s, pid %s, in a transaction for %s",
                                   pg_value(&r, 0, 5) ? pg_value(&r, 0, 5) : "a session",
                                   pg_value(&r, 0, 4), clock_duration(a, open_ms));
    if (age > (int64_t)SNAPSHOT_OLD << p->patience)
        return arena_printf(a, "the oldest snapshot is %lld transactions old (%s)", (long long)age,
                            who);
    if (most < DEAD_ROWS_FEW)
        most = DEAD_ROWS_FEW;
    if (!has_vacuum || dead <= most << p->patience)
        return NULL;
    return arena_printf(a, "%lld dead rows wait for the vacuum%s%s%s", (long long)dead,
                        open_ms > HOLDS_BACK_MS ? " (" : "", open_ms > HOLDS_BACK_MS ? who : "",
                        open_ms > HOLDS_BACK_MS ? " keeps it from them)" : "");
}

/* What may never get better is waited for only so long. */
static const char *be_patient(struct pace *p, int64_t now, const char *reason)
{
    if (!reason) {
        p->waiting_ms = 0;
    } else if (!p->waiting_ms) {
        p->waiting_ms = now;
    } else if (now - p->waiting_ms >= PACE_WAIT_MS) {
        p->waiting_ms = 0;
        p->patience += p->patience < 20;
        return NULL;
    }
    return reason;
}

void pace_look(struct pace *p, struct pg *db, struct arena *a, const char **ret_reason)
{
    int64_t now = clock_boot_ms();
    *ret_reason = NULL;
    if (p->looked_ms && !p->is_pausing && now - p->looked_ms < LOOK_MS)
        return;
    p->looked_ms = now;
    *ret_reason = replica_is_behind(p, db, a);
    if (!*ret_reason)
        *ret_reason = be_patient(p, now, vacuum_is_behind(p, db, a));
    p->is_pausing = *ret_reason != NULL;
}
