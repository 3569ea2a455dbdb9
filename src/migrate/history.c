#include "migrate/history.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "migrate/sql/statement.h"
#include "migrate/sql/step_cut.h"

/* ---- reading ---- */

/* Row by row: the history of all tools, with ours beside it; then what we have begun and not
 * finished, which the other tools do not know of. The text of a row that is ours is not asked for:
 * its bytes are known. */
#define OURS_FIRST_SQL                                                                             \
    "m.up_sha256, m.down_sha256, m.down_sql, m.release::text, m.applied_by,"                       \
    " (extract(epoch FROM m.finished_at) * 1000)::bigint, m.state, 1, 0::bigint, NULL"
#define OURS_SQL                                                                                   \
    "m.up_sha256, m.down_sha256, m.down_sql, m.release::text, m.applied_by,"                       \
    " (extract(epoch FROM m.finished_at) * 1000)::bigint, m.state, m.steps,"                       \
    " (SELECT count(*) FROM lockflight.migration_steps s"                                          \
    "  WHERE s.version = m.version AND s.state = 'done'"                                           \
    "   AND s.direction = CASE m.state WHEN 'reversing' THEN 'reverse' ELSE 'apply' END),"         \
    " m.loss_class"
#define APPLIED_SQL(columns)                                                                       \
    "SELECT h.version, h.name, CASE WHEN m.version IS NULL AND cardinality(h.statements) > 0"      \
    " THEN " STATEMENT_TEXT_SQL("h.statements") " END, " columns                                   \
                                                " FROM supabase_migrations.schema_migrations h "   \
                                                "LEFT JOIN lockflight.migrations m"                \
                                                " ON m.version = h.version AND m.state IN "        \
                                                "('applied', 'baseline', 'reversing')"
#define BEGUN_SQL                                                                                  \
    "SELECT m.version, m.name, NULL, " OURS_SQL " FROM lockflight.migrations m"                    \
    " WHERE m.state = 'applying'"
#define FOREIGN_SQL                                                                                \
    "SELECT h.version, h.name, CASE WHEN cardinality(h.statements) > 0 THEN " STATEMENT_TEXT_SQL(  \
        "h.statements") " END, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL"         \
                        " FROM supabase_migrations.schema_migrations h"
#define NOT_IN_HISTORY_SQL                                                                         \
    " AND NOT EXISTS (SELECT FROM supabase_migrations.schema_migrations h"                         \
    "                 WHERE h.version = m.version)"
#define IN_ORDER(rows) "SELECT * FROM (" rows ") x ORDER BY x.version COLLATE \"C\""

// clang-format off
static const char all_sql[] =
    IN_ORDER(APPLIED_SQL(OURS_SQL) " UNION ALL " BEGUN_SQL NOT_IN_HISTORY_SQL);
static const char begun_sql[] = IN_ORDER(BEGUN_SQL);
static const char first_script_sql[] = IN_ORDER(APPLIED_SQL(OURS_FIRST_SQL));
static const char foreign_sql[] = IN_ORDER(FOREIGN_SQL);
// clang-format on

static const char tables_sql[] =
    "SELECT to_regclass('supabase_migrations.schema_migrations') IS NOT NULL,"
    " to_regclass('lockflight.migrations') IS NOT NULL,"
    " to_regclass('lockflight.migration_steps') IS NOT NULL";

/* Which of the queries fits the tables that are there: a database that another tool uses has no
 * schema lockflight, and that of an older Lockflight knows no steps. NULL: nothing was applied. */
static const char *choose_sql(const struct pg_rows *tables)
{
    bool has_history = pg_bool(tables, 0, 0), has_ours = pg_bool(tables, 0, 1),
         has_steps = pg_bool(tables, 0, 2);
    if (has_history)
        return has_steps ? all_sql : has_ours ? first_script_sql : foreign_sql;
    return has_steps ? begun_sql : NULL;
}

/* A table or a column is not there. */
static bool is_other_schema(const struct err *e)
{
    return streq(e->sqlstate, "42P01") || streq(e->sqlstate, "3F000") ||
           streq(e->sqlstate, "42703");
}

static bool query_rows(struct pg *db, struct arena *a, struct pg_rows *ret, struct err *e)
{
    struct pg_rows tables;
    /* one round trip where the tables are as this program makes them */
    if (!pg_in_transaction(db)) {
        if (pg_query(db, a, all_sql, PG_NONE, ret, e))
            return true;
        if (!is_other_schema(e))
            return false;
        err_clear(e);
    }
    if (!pg_query(db, a, tables_sql, PG_NONE, &tables, e))
        return false;
    const char *sql = choose_sql(&tables);
    return !sql || pg_query(db, a, sql, PG_NONE, ret, e);
}

static enum history_state state_of_row(const char *state)
{
    static const struct {
        const char *name;
        enum history_state state;
    } names[] = {
        { "applied", HISTORY_APPLIED },
        { "baseline", HISTORY_BASELINE },
        { "applying", HISTORY_APPLYING },
        { "reversing", HISTORY_REVERSING },
    };
    for (size_t i = 0; state && i < sizeof names / sizeof *names; i++)
        if (streq(state, names[i].name))
            return names[i].state;
    return HISTORY_FOREIGN;
}

static struct history_row row_of(const struct pg_rows *r, size_t i)
{
    enum history_state state = state_of_row(pg_value(r, i, 9));
    return (struct history_row){
        .version = pg_value(r, i, 0),
        .name = pg_value(r, i, 1),
        .state = state,
        .is_ours = state != HISTORY_FOREIGN,
        .text_sha256 = pg_value(r, i, 2),
        .sha256 = pg_value(r, i, 3),
        .reverse_sha256 = pg_value(r, i, 4),
        .reverse_sql = pg_value(r, i, 5),
        .release_id = pg_value(r, i, 6),
        .applied_by = pg_value(r, i, 7),
        .applied_unix_ms = pg_int(r, i, 8),
        .steps = pg_int(r, i, 10),
        .steps_done = pg_int(r, i, 11),
        .loss_class = pg_value(r, i, 12),
    };
}

static void read_rows(struct arena *a, const struct pg_rows *r, struct history *ret)
{
    struct history h = { .v = ARENA_ARRAY(a, struct history_row, r->n + 1),
                         .begun = ARENA_ARRAY(a, struct history_row, r->n + 1) };
    for (size_t i = 0; i < r->n; i++) {
        struct history_row row = row_of(r, i);
        if (row.state == HISTORY_APPLYING)
            h.begun[h.begun_count++] = row;
        else
            h.v[h.n++] = row;
    }
    *ret = h;
}

bool history_read(struct pg *db, struct arena *a, struct history *ret, struct err *e)
{
    struct pg_rows r = { 0 };
    if (!query_rows(db, a, &r, e))
        return err_wrap(e, "read the migration history");
    read_rows(a, &r, ret);
    return true;
}

bool history_ask(struct pg *db, struct arena *a, struct history_answers *ret, struct err *e)
{
    pg_queue_part(db, &ret->not_all);
    if (!pg_query_later(db, a, all_sql, PG_NONE, &ret->all, e))
        return false;
    pg_queue_part(db, &ret->not_begun);
    return pg_query_later(db, a, tables_sql, PG_NONE, &ret->tables, e) &&
           pg_query_later(db, a, begun_sql, PG_NONE, &ret->begun, e);
}

bool history_answer(struct pg *db, struct arena *a, const struct history_answers *x,
                    struct history *ret, struct err *e)
{
    if (x->not_all.code == ERR_NONE) {
        read_rows(a, &x->all, ret);
        return true;
    }
    if (is_other_schema(&x->not_all) && x->not_begun.code == ERR_NONE &&
        choose_sql(&x->tables) == begun_sql) {
        read_rows(a, &x->begun, ret);
        return true;
    }
    return history_read(db, a, ret, e);
}

/* ---- comparing ---- */

const char *migration_status_name(enum migration_status s)
{
    static const char *const names[] = {
        [MIGRATION_APPLIED] = "applied",           [MIGRATION_PENDING] = "pending",
        [MIGRATION_OUT_OF_ORDER] = "out of order", [MIGRATION_CHANGED] = "changed",
        [MIGRATION_MISSING] = "missing",           [MIGRATION_INTERRUPTED] = "interrupted",
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
    if (row && (row->state == HISTORY_APPLYING || row->state == HISTORY_REVERSING))
        s.status = MIGRATION_INTERRUPTED;
    else if (!m)
        s.status = MIGRATION_MISSING;
    else if (row)
        s.status = is_what_was_applied(m, row) ? MIGRATION_APPLIED : MIGRATION_CHANGED;
    else
        s.status =
            newest && strcmp(m->version, newest) < 0 ? MIGRATION_OUT_OF_ORDER : MIGRATION_PENDING;
    return s;
}

/* The next one of three ordered lists, by version. */
static int order_of(const char *x, const char *y)
{
    return !x ? 1 : !y ? -1 : strcmp(x, y);
}

static const struct history_row *next_row(const struct history *h, size_t *k, size_t *b,
                                          const char *upto)
{
    const char *applied = *k < h->n ? h->v[*k].version : NULL;
    const char *begun = *b < h->begun_count ? h->begun[*b].version : NULL;
    bool takes_begun = begun && order_of(begun, applied) < 0;
    const char *first = takes_begun ? begun : applied;
    if (!first || (upto && strcmp(first, upto) > 0))
        return NULL;
    return takes_begun ? &h->begun[(*b)++] : &h->v[(*k)++];
}

/* All lists are in order of version: a merge. */
void migration_plan(struct arena *a, const struct migration_set *set, const struct history *h,
                    struct migration_plan *ret)
{
    VEC(struct migration_state) states = { 0 };
    VEC(const struct migration *) pending = { 0 };
    const char *newest = h->n ? h->v[h->n - 1].version : NULL;
    size_t i = 0, k = 0, b = 0;
    for (;;) {
        const struct migration *m = i < set->n ? &set->v[i] : NULL;
        const struct history_row *row = next_row(h, &k, &b, m ? m->version : NULL);
        if (!m && !row)
            break;
        if (m && row && !streq(m->version, row->version))
            m = NULL; /* a row before the file: it has none */
        i += m != NULL;
        *vec_add(&states, a) = state_of(m, row, newest);
        if (m && (!row || row->state == HISTORY_APPLYING))
            /* NOLINTNEXTLINE(bugprone-sizeof-expression): they are pointers */
            *vec_add(&pending, a) = m;
    }
    *ret = (struct migration_plan){
        .v = states.v, .n = states.n, .pending = pending.v, .pending_count = pending.n
    };
}

/* ---- what forbids applying ---- */

static bool refuse_missing(const struct migration_state *s, struct err *e)
{
    err_set(e, ERR_BLOCKED,
            "version %s (%s) is applied in the database, and there is no file for it",
            s->row->version, s->row->name ? s->row->name : "unnamed");
    return err_hint(e,
                    "bring the file back from the branch it came from; `supabase migration fetch` "
                    "writes what the database keeps of it");
}

/* What stopped while it was applied goes on with `up`; what stopped on its way back does not. */
static bool refuse_interrupted(const struct migration_state *s, struct err *e)
{
    if (s->row->state == HISTORY_APPLYING)
        return s->file || refuse_missing(s, e);
    err_set(e, ERR_BLOCKED, "the reversal of version %s (%s) was interrupted", s->row->version,
            s->row->name ? s->row->name : "unnamed");
    return err_hint(e, "finish it first: lockflight migration down");
}

static bool refuse_state(const struct migration_state *s, bool any_order, struct err *e)
{
    switch (s->status) {
    case MIGRATION_APPLIED:
    case MIGRATION_PENDING:
        return true;
    case MIGRATION_INTERRUPTED:
        return refuse_interrupted(s, e);
    case MIGRATION_CHANGED:
        err_set(e, ERR_BLOCKED,
                "%s is not what was applied as version %s: the file was changed since",
                s->file->file, s->file->version);
        err_where(e, "%s", s->file->file);
        return err_hint(
            e,
            "restore it (git log -- %s) and put the change into a new migration; or, if "
            "the change means nothing, lockflight migration repair --accept-changed %s",
            s->file->file, s->file->version);
    case MIGRATION_MISSING:
        return refuse_missing(s, e);
    case MIGRATION_OUT_OF_ORDER:
        if (any_order)
            return true;
        err_set(e, ERR_BLOCKED,
                "%s is older than the newest applied migration, and is not applied itself",
                s->file->file);
        err_where(e, "%s", s->file->file);
        return err_hint(e, "give it a newer version: `git mv` it to the time of now; or "
                           "lockflight migration up --include-out-of-order");
    }
    return true;
}

static bool check(struct arena *a, const struct migration_plan *p, bool any_order, struct err *e)
{
    for (size_t i = 0; i < p->n; i++)
        if (!refuse_state(&p->v[i], any_order, e))
            return false;
    for (size_t i = 0; i < p->pending_count; i++) {
        const struct migration *m = p->pending[i];
        if (!migration_steps_check(a, m->file, m->sql, e) ||
            (m->has_reverse && !migration_steps_check(a, m->reverse_file, m->reverse_sql, e)))
            return false;
    }
    return true;
}

bool migration_plan_check(struct arena *a, const struct migration_plan *p, struct err *e)
{
    return check(a, p, false, e);
}

bool migration_plan_check_any_order(struct arena *a, const struct migration_plan *p, struct err *e)
{
    return check(a, p, true, e);
}
