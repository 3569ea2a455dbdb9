#include "migrate/shadow/trace.h"

#include "migrate/sql/script.h"

/* The files of a table and its indexes, and how often it was read whole in this transaction. A scan
 * counts by its beginning: the tables of a scratch database may be empty. */
static const char before_sql[] =
    "SELECT c.oid, format('%I.%I', n.nspname, c.relname),"
    " (SELECT string_agg(pg_relation_filenode(f.oid)::text, ' ' ORDER BY f.oid) FROM (SELECT c.oid"
    "  UNION ALL SELECT i.indexrelid FROM pg_index i WHERE i.indrelid = c.oid) f),"
    " pg_stat_get_xact_numscans(c.oid),"
    " coalesce((SELECT max(array_position(ARRAY['AccessShareLock', 'RowShareLock',"
    "  'RowExclusiveLock', 'ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock',"
    "  'ExclusiveLock', 'AccessExclusiveLock'], l.mode)) FROM pg_locks l"
    "  WHERE l.locktype = 'relation' AND l.relation = c.oid AND l.pid = pg_backend_pid()), 0)"
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't' AND n.nspname !~ '^pg_'"
    " AND n.nspname NOT IN ('information_schema', 'lockflight', 'supabase_migrations')"
    " ORDER BY c.oid";

/* The same of those that were there. What was dropped has a lock and no row in pg_class any more. */
static const char after_sql[] =
    "SELECT w.oid, pg_stat_get_xact_numscans(w.oid),"
    " (SELECT string_agg(pg_relation_filenode(f.oid)::text, ' ' ORDER BY f.oid) FROM (SELECT w.oid"
    "  UNION ALL SELECT i.indexrelid FROM pg_index i WHERE i.indrelid = w.oid) f),"
    " coalesce((SELECT max(array_position(ARRAY['AccessShareLock', 'RowShareLock',"
    "  'RowExclusiveLock', 'ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock',"
    "  'ExclusiveLock', 'AccessExclusiveLock'], l.mode)) FROM pg_locks l"
    "  WHERE l.locktype = 'relation' AND l.relation = w.oid AND l.pid = pg_backend_pid()), 0)"
    " FROM unnest($1::oid[]) AS w (oid) ORDER BY w.oid";

bool trace_begin(struct pg *db, struct arena *a, struct trace_before *ret, struct err *e)
{
    return pg_query(db, a, before_sql, PG_NONE, &ret->rows, e) ||
           err_wrap(e, "look at the tables before");
}

/* Every file that is gone or new makes it rewritten, but for those of indexes that came or went. */
static bool has_new_files(const char *before, const char *after)
{
    if (!before || !after)
        return false;
    size_t n = strcspn(before, " ");
    if (strcspn(after, " ") != n || strncmp(before, after, n) != 0)
        return true;
    return strlen(before) == strlen(after) && !streq(before, after);
}

static int by_name(const void *x, const void *y)
{
    return strcmp(((const struct trace_table *)x)->name, ((const struct trace_table *)y)->name);
}

bool trace_end(struct pg *db, struct arena *a, const struct trace_before *before, struct trace *ret,
               struct err *e)
{
    const struct pg_rows *b = &before->rows;
    const char **oids = ARENA_ARRAY(a, const char *, b->n + 1);
    for (size_t i = 0; i < b->n; i++)
        oids[i] = pg_value(b, i, 0);
    struct pg_rows r;
    if (!pg_query(db, a, after_sql, PG_PARAMS(pg_text_array(a, oids, b->n)), &r, e))
        return err_wrap(e, "look at the tables after");
    *ret = (struct trace){ .v = ARENA_ARRAY(a, struct trace_table, r.n + 1) };
    for (size_t i = 0; i < r.n && i < b->n; i++) {
        struct trace_table t = {
            .name = pg_value(b, i, 1),
            .is_scanned = pg_int(&r, i, 1) > pg_int(b, i, 3),
            .is_rewritten = has_new_files(pg_value(b, i, 2), pg_value(&r, i, 2)),
        };
        if (pg_int(&r, i, 3) > pg_int(b, i, 4))
            t.level = (int)pg_int(&r, i, 3);
        t.lock = sql_lock_name((enum sql_lock_level)t.level);
        if (t.level >= SQL_ROW_EXCLUSIVE || (t.level > SQL_NO_LOCK && t.is_scanned))
            ret->v[ret->n++] = t;
    }
    qsort(ret->v, ret->n, sizeof *ret->v, by_name);
    return true;
}

/* ---- as a document ---- */

json_t *trace_json(const struct trace *t)
{
    json_t *list = json_array();
    for (size_t i = 0; i < t->n; i++)
        (void)json_array_append_new(
            list, json_pack("{s:s, s:s, s:b, s:b}", "table", t->v[i].name, "lock", t->v[i].lock,
                            "rewrite", (int)t->v[i].is_rewritten, "scan", (int)t->v[i].is_scanned));
    return list;
}

static int level_of(const char *name)
{
    for (int i = SQL_ACCESS_SHARE; i <= SQL_ACCESS_EXCLUSIVE; i++)
        if (streq(sql_lock_name((enum sql_lock_level)i), name))
            return i;
    return SQL_NO_LOCK;
}

void trace_from_json(struct arena *a, const json_t *list, struct trace *ret)
{
    size_t n = json_array_size(list);
    *ret = (struct trace){ .v = ARENA_ARRAY(a, struct trace_table, n + 1) };
    for (size_t i = 0; i < n; i++) {
        const json_t *one = json_array_get(list, i);
        const char *name = json_text_or(one, "table", NULL);
        if (!name)
            continue;
        int level = level_of(json_text_or(one, "lock", ""));
        ret->v[ret->n++] = (struct trace_table){
            .name = arena_strdup(a, name),
            .level = level,
            .lock = sql_lock_name((enum sql_lock_level)level),
            .is_rewritten = json_is_true(json_object_get(one, "rewrite")),
            .is_scanned = json_is_true(json_object_get(one, "scan")),
        };
    }
}
