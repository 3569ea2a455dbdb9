#include "migrate/prove/inside.h"

/* Not the weakest lock: that is taken by everything that only looks. Tables of the system are not
 * ours. */
static const char locked_sql[] =
    "SELECT DISTINCT c.oid FROM pg_catalog.pg_locks l"
    " JOIN pg_catalog.pg_class c ON c.oid = l.relation"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE l.locktype = 'relation' AND l.pid = pg_catalog.pg_backend_pid()"
    " AND l.mode <> 'AccessShareLock' AND c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_'"
    " AND n.nspname NOT IN ('information_schema', 'lockflight', 'supabase_migrations')";

static const char named_sql[] =
    "SELECT c.oid FROM pg_catalog.pg_class c"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_'"
    " AND n.nspname NOT IN ('information_schema', 'lockflight', 'supabase_migrations')"
    " AND (pg_catalog.strpos($1, c.relname) > 0 OR pg_catalog.strpos($2, c.relname) > 0)";

static void add(struct run *r, const struct pg_rows *rows)
{
    for (size_t i = 0; i < rows->n; i++) {
        bool known = false;
        for (size_t k = 0; k < r->oids.n && !known; k++)
            known = streq(r->oids.v[k], pg_value(rows, i, 0));
        if (!known)
            *vec_add(&r->oids, r->a) = pg_value(rows, i, 0);
    }
}

bool touched_add(struct run *r, struct err *e)
{
    struct pg_rows rows;
    bool ok = r->inside
                  ? pg_query(r->db, r->a, locked_sql, PG_NONE, &rows, e)
                  : pg_query(r->db, r->a, named_sql,
                             PG_PARAMS(str_dup(r->a, r->m->sql), str_dup(r->a, r->m->reverse_sql)),
                             &rows, e);
    if (!ok)
        return err_wrap(e, "look which tables are touched");
    add(r, &rows);
    return true;
}

/* Runs both once without rows. What does not run is told when it is run in earnest. */
static bool rehearse(struct run *r, struct err *e)
{
    struct err ignored;
    bool ran = false;
    struct trace_before before;
    if (!pg_exec(r->db, "SAVEPOINT lockflight_touched", PG_NONE, NULL, e) ||
        !trace_begin(r->db, r->a, &before, e) ||
        !run_script(r, r->m->file, r->m->sql, &ran, &ignored, e) ||
        !trace_end(r->db, r->a, &before, &r->trace, e) || !touched_add(r, e))
        return false;
    r->is_traced = ran;
    if (ran && (!run_script(r, r->m->reverse_file, r->m->reverse_sql, &ran, &ignored, e) ||
                !touched_add(r, e)))
        return false;
    return pg_exec(r->db, "ROLLBACK TO lockflight_touched", PG_NONE, NULL, e);
}

bool touched_find(struct run *r, struct err *e)
{
    return r->inside ? rehearse(r, e) : touched_add(r, e);
}

bool columns_read(struct pg *db, struct arena *a, struct columns *ret, struct err *e)
{
    return pg_query(db, a,
                    "SELECT c.oid || '.' || a.attnum,"
                    " format('column %I.%I.%I', n.nspname, c.relname, a.attname),"
                    " format('table %I.%I', n.nspname, c.relname), c.oid"
                    " FROM pg_catalog.pg_class c"
                    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
                    " JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0"
                    "  AND NOT a.attisdropped AND a.attgenerated = ''"
                    " WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'"
                    " AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema',"
                    " 'lockflight', 'lockflight_gone', 'lockflight_undo', 'supabase_migrations')"
                    " ORDER BY (c.oid || '.' || a.attnum) COLLATE \"C\"",
                    PG_NONE, &ret->rows, e);
}
