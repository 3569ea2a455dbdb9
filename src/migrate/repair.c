#include "migrate/repair.h"

/* ---- reverted ---- */

/* The common history may not exist yet: then nothing is in it. */
static bool history_exists(struct pg *db, bool *ret, struct err *e)
{
    uint64_t rows = 0;
    if (!pg_exec(db,
                 "SELECT FROM pg_class WHERE oid ="
                 " to_regclass('supabase_migrations.schema_migrations')",
                 PG_NONE, &rows, e))
        return false;
    *ret = rows > 0;
    return true;
}

bool repair_reverted(struct pg *db, const char *version, const char *by, struct err *e)
{
    uint64_t theirs = 0, ours = 0;
    bool exists = false;
    if (!history_exists(db, &exists, e) ||
        (exists &&
         !pg_exec(db, "DELETE FROM supabase_migrations.schema_migrations WHERE version = $1",
                  PG_PARAMS(version), &theirs, e)) ||
        !pg_exec(db,
                 "UPDATE lockflight.migrations SET state = 'reversed',"
                 " reversed_at = clock_timestamp(), reversed_by = $2"
                 " WHERE version = $1 AND state <> 'reversed'",
                 PG_PARAMS(version, by), &ours, e) ||
        !pg_exec(db, "DELETE FROM lockflight.migration_steps WHERE version = $1",
                 PG_PARAMS(version), NULL, e))
        return false;
    if (theirs + ours > 0)
        return true;
    return err_set(e, ERR_NOT_FOUND, "version %s is not applied", version);
}

/* ---- accepting what changed ---- */

bool repair_accept(struct pg *db, struct arena *a, const struct migration_state *s,
                   const struct record_how *how, struct err *e)
{
    if (s->status != MIGRATION_CHANGED)
        return err_set(e, ERR_CONFLICT, "version %s is %s: there is no change to accept",
                       s->file ? s->file->version : s->row->version,
                       migration_status_name(s->status));
    struct migration m = *s->file;
    if (!m.has_reverse && s->row->reverse_sql) {
        m.has_reverse = true;
        m.reverse_sql = str_of(s->row->reverse_sql);
        m.reverse_sha256 = s->row->reverse_sha256;
    }
    struct record_how as_before = *how;
    as_before.state = s->row->state == HISTORY_BASELINE ? "baseline" : "applied";
    as_before.release_id = s->row->release_id;
    as_before.started_unix_ms = s->row->applied_unix_ms;
    as_before.loss_class = s->row->loss_class;
    as_before.replaces = true;
    return record_applied(db, a, &m, &as_before, e);
}

/* ---- baseline ---- */

static bool is_in_the_way(const struct migration_state *s, struct err *e)
{
    if (s->status != MIGRATION_CHANGED && s->status != MIGRATION_INTERRUPTED)
        return false;
    const char *version = s->file ? s->file->version : s->row->version;
    err_set(e, ERR_BLOCKED, "version %s is %s; a baseline would cover that up", version,
            migration_status_name(s->status));
    err_hint(e,
             s->status == MIGRATION_CHANGED ? "lockflight migration repair --accept-changed %s"
                                            : "lockflight migration up, or down (version %s)",
             version);
    return true;
}

bool repair_baseline_choose(struct arena *a, const struct migration_plan *p, const char *version,
                            const struct migration ***ret, size_t *ret_count, struct err *e)
{
    const struct migration **v = ARENA_ARRAY(a, const struct migration *, p->n + 1);
    size_t n = 0;
    bool is_found = false;
    for (size_t i = 0; i < p->n; i++) {
        const struct migration_state *s = &p->v[i];
        if (!s->file || strcmp(s->file->version, version) > 0)
            continue;
        is_found |= streq(s->file->version, version);
        if (is_in_the_way(s, e))
            return false;
        if (!s->row || !s->row->is_ours)
            v[n++] = s->file;
    }
    if (!is_found)
        return err_set(e, ERR_NOT_FOUND, "no migration has version %s", version);
    *ret = v;
    *ret_count = n;
    return true;
}
