#include "migrate/history.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "migrate/sql/statement.h"

/* ---- reading ---- */

static bool table_exists(struct pg *db, const char *name, bool *ret, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct pg_rows rows;
    if (!pg_query(db, a, "SELECT to_regclass($1) IS NOT NULL", PG_PARAMS(name), &rows, e))
        return false;
    *ret = pg_bool(&rows, 0, 0);
    return true;
}

/* With our own columns, or with nulls in their place where schema lockflight is not there yet. */
#define HISTORY_SQL(columns, join)                                                                 \
    "SELECT h.version, h.name, CASE WHEN cardinality(h.statements) > 0 THEN " STATEMENT_TEXT_SQL(  \
        "h.statements") " END, " columns " FROM supabase_migrations.schema_migrations h " join     \
                        " ORDER BY h.version COLLATE \"C\""

bool history_read(struct pg *db, struct arena *a, struct history *ret, struct err *e)
{
    static const char with_ours[] = HISTORY_SQL(
        "m.up_sha256, m.down_sha256, m.down_sql, m.release, m.applied_by,"
        " (extract(epoch FROM m.finished_at) * 1000)::bigint",
        "LEFT JOIN lockflight.migrations m ON m.version = h.version AND m.state = 'applied'");
    static const char without[] = HISTORY_SQL("NULL, NULL, NULL, NULL, NULL, NULL", "");
    bool has_history = false, has_ours = false;
    struct pg_rows r = { 0 };
    if (!table_exists(db, "supabase_migrations.schema_migrations", &has_history, e) ||
        !table_exists(db, "lockflight.migrations", &has_ours, e))
        return err_wrap(e, "read the migration history");
    if (has_history && !pg_query(db, a, has_ours ? with_ours : without, PG_NONE, &r, e))
        return err_wrap(e, "read the migration history");

    struct history_row *v = ARENA_ARRAY(a, struct history_row, r.n + 1);
    for (size_t i = 0; i < r.n; i++)
        v[i] = (struct history_row){
            .version = pg_value(&r, i, 0),
            .name = pg_value(&r, i, 1),
            .text_sha256 = pg_value(&r, i, 2),
            .is_ours = pg_value(&r, i, 3) != NULL,
            .sha256 = pg_value(&r, i, 3),
            .reverse_sha256 = pg_value(&r, i, 4),
            .reverse_sql = pg_value(&r, i, 5),
            .release_id = pg_value(&r, i, 6),
            .applied_by = pg_value(&r, i, 7),
            .applied_unix_ms = pg_int(&r, i, 8),
        };
    *ret = (struct history){ .v = v, .n = r.n };
    return true;
}

/* ---- comparing ---- */

const char *migration_status_name(enum migration_status s)
{
    static const char *const names[] = {
        [MIGRATION_APPLIED] = "applied",           [MIGRATION_PENDING] = "pending",
        [MIGRATION_OUT_OF_ORDER] = "out of order", [MIGRATION_CHANGED] = "changed",
        [MIGRATION_MISSING] = "missing",
    };
    return names[s];
}

/* Ours: byte for byte. Another tool's row keeps only the statements, so what they say is compared;
 * a row that keeps none (repair, an older tool) is believed. */
static bool is_what_was_applied(const struct migration *m, const struct history_row *row)
{
    char digest[SHA256_HEX_BYTES];
    if (row->is_ours)
        return streq(row->sha256, m->sha256);
    if (!row->text_sha256)
        return true;
    statement_text_digest(m->sql, digest);
    return streq(digest, row->text_sha256);
}

static struct migration_state state_of(const struct migration *m, const struct history_row *row,
                                       const char *newest)
{
    struct migration_state s = { .file = m, .row = row };
    if (!m)
        s.status = MIGRATION_MISSING;
    else if (row)
        s.status = is_what_was_applied(m, row) ? MIGRATION_APPLIED : MIGRATION_CHANGED;
    else
        s.status =
            newest && strcmp(m->version, newest) < 0 ? MIGRATION_OUT_OF_ORDER : MIGRATION_PENDING;
    return s;
}

/* Both lists are in order of version: a merge. */
void migration_plan(struct arena *a, const struct migration_set *set, const struct history *h,
                    struct migration_plan *ret)
{
    VEC(struct migration_state) states = { 0 };
    VEC(const struct migration *) pending = { 0 };
    const char *newest = h->n ? h->v[h->n - 1].version : NULL;
    size_t i = 0, k = 0;
    while (i < set->n || k < h->n) {
        int order = i == set->n ? 1 : k == h->n ? -1 : strcmp(set->v[i].version, h->v[k].version);
        const struct migration *m = order <= 0 ? &set->v[i++] : NULL;
        const struct history_row *row = order >= 0 ? &h->v[k++] : NULL;
        *vec_add(&states, a) = state_of(m, row, newest);
        if (!row) /* NOLINTNEXTLINE(bugprone-sizeof-expression): they are pointers */
            *vec_add(&pending, a) = m;
    }
    *ret = (struct migration_plan){
        .v = states.v, .n = states.n, .pending = pending.v, .pending_count = pending.n
    };
}

/* ---- what forbids applying ---- */

static bool refuse_state(const struct migration_state *s, struct err *e)
{
    switch (s->status) {
    case MIGRATION_APPLIED:
    case MIGRATION_PENDING:
        return true;
    case MIGRATION_CHANGED:
        err_set(e, ERR_BLOCKED,
                "%s is not what was applied as version %s: the file was changed since",
                s->file->file, s->file->version);
        err_where(e, "%s", s->file->file);
        return err_hint(e, "restore it (git log -- %s) and put the change into a new migration",
                        s->file->file);
    case MIGRATION_MISSING:
        err_set(e, ERR_BLOCKED,
                "version %s (%s) is applied in the database, and there is no file for it",
                s->row->version, s->row->name ? s->row->name : "unnamed");
        return err_hint(
            e, "bring the file back from the branch it came from; `supabase migration fetch` "
               "writes what the database keeps of it");
    case MIGRATION_OUT_OF_ORDER:
        err_set(e, ERR_BLOCKED,
                "%s is older than the newest applied migration, and is not applied itself",
                s->file->file);
        err_where(e, "%s", s->file->file);
        return err_hint(e, "give it a newer version: `git mv` it to the time of now");
    }
    return true;
}

bool migration_plan_check(struct arena *a, const struct migration_plan *p, struct err *e)
{
    for (size_t i = 0; i < p->n; i++)
        if (!refuse_state(&p->v[i], e))
            return false;
    for (size_t i = 0; i < p->pending_count; i++) {
        const struct migration *m = p->pending[i];
        if (!statement_all_transactional(a, m->file, m->sql, e) ||
            (m->has_reverse && !statement_all_transactional(a, m->reverse_file, m->reverse_sql, e)))
            return false;
    }
    return true;
}
