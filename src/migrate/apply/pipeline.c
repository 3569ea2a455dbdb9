#include "migrate/apply/pipeline.h"

#include "base/clock.h"
#include "migrate/apply/transaction.h"
#include "migrate/sql/step_cut.h"

#define TOGETHER_MOST       1000
#define TOGETHER_BYTES_MOST ((size_t)8 * 1024 * 1024) /* of SQL in one exchange */

struct member {
    struct work w;
    bool is_one;   /* transaction */
    bool is_new;   /* names nothing that exists, as far as can be read */
    bool is_begun; /* by an earlier run that was interrupted */
};

struct pipeline {
    struct pg *db;
    struct arena *a;
    const struct migrate_options *o;
    const struct migration *const *pending;
    struct member *v;
    size_t n;
    bool is_quiet; /* nobody else is connected */
    struct around around;
    size_t applied;
};

/* ---- what they are ---- */

/* What such a statement does cannot be read from it. */
static bool is_opaque(const struct sql_statement *s)
{
    return !s->is_analysed || streq(s->what, "DO") || streq(s->what, "CALL") ||
           streq(s->what, "SELECT") || streq(s->what, "EXECUTE");
}

static bool read_member(struct pipeline *p, size_t i, struct err *e)
{
    struct sql_script *script = ARENA_NEW(p->a, struct sql_script);
    struct migration_steps steps;
    const struct migration *m = p->pending[i];
    struct member *x = &p->v[i];
    if (!sql_script_read(p->a, m->file, m->sql, script, e) ||
        !migration_steps_cut(p->a, script, &steps, e))
        return err_wrap(e, "apply %s", m->file);
    apply_work_init(&x->w, m, p->o);
    x->w.statements = script->statements;
    x->w.statement_count = script->n;
    x->w.lock_budget_ms = (int)directives_lock_budget_ms(&script->head, 0);
    x->w.is_last = true;
    x->w.around = &p->around;
    x->is_one = steps.n == 0 || (steps.n == 1 && steps.v[0].kind == STEP_TRANSACTION);
    x->is_new = true;
    for (size_t k = 0; k < script->n; k++)
        x->is_new = x->is_new && !is_opaque(&script->statements[k]);
    return true;
}

/* Every wanted lock, as three arrays in parallel: schema, name, whose. */
static struct pg_params names_of(struct pipeline *p)
{
    size_t count = 0, n = 0;
    for (size_t i = 0; i < p->n; i++)
        for (size_t k = 0; k < p->v[i].w.statement_count; k++)
            count += p->v[i].w.statements[k].lock_count;
    const char **schemas = ARENA_ARRAY(p->a, const char *, count + 1);
    const char **names = ARENA_ARRAY(p->a, const char *, count + 1);
    const char **owners = ARENA_ARRAY(p->a, const char *, count + 1);
    for (size_t i = 0; i < p->n; i++) {
        const char *owner = arena_printf(p->a, "%zu", i);
        const struct work *w = &p->v[i].w;
        for (size_t k = 0; k < w->statement_count; k++)
            for (size_t q = 0; q < w->statements[k].lock_count; q++, n++) {
                const struct sql_name *name = &w->statements[k].locks[q].name;
                schemas[n] = name->schema ? name->schema : "";
                names[n] = name->name ? name->name : "";
                owners[n] = owner;
            }
    }
    const char **params = ARENA_ARRAY(p->a, const char *, 3);
    params[0] = pg_text_array(p->a, schemas, n);
    params[1] = pg_text_array(p->a, names, n);
    params[2] = pg_text_array(p->a, owners, n);
    return (struct pg_params){ params, 3 };
}

/* A name without a schema may be in any; a type or schema of that name counts, too. */
static const char existing_sql[] =
    "SELECT DISTINCT w.owner FROM unnest($1::text[], $2::text[], $3::int[]) w (schema, name, owner)"
    " WHERE w.name = '' OR EXISTS (SELECT FROM pg_class c JOIN pg_namespace s"
    "  ON s.oid = c.relnamespace WHERE c.relname = w.name AND w.schema IN ('', s.nspname)"
    "  AND s.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast'))"
    " OR EXISTS (SELECT FROM pg_type t JOIN pg_namespace s ON s.oid = t.typnamespace"
    "  WHERE t.typname = w.name AND w.schema IN ('', s.nspname))"
    " OR EXISTS (SELECT FROM pg_namespace s WHERE s.nspname = w.name)";

/* Not by the view, whose joins take longer to plan than this to run. */
static const char strangers_sql[] =
    "SELECT count(*) FROM pg_stat_get_activity(NULL)"
    " WHERE datid = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND coalesce(backend_type, 'client backend') = 'client backend'"
    " AND pid <> pg_backend_pid() AND coalesce(application_name, '') NOT LIKE 'lockflight %'";

struct pipeline_look {
    struct around_rows around;
    struct pg_rows strangers, begun;
    struct err failed;
};

bool pipeline_look_ask(struct pg *db, struct arena *a, struct pipeline_look **ret, struct err *e)
{
    struct pipeline_look *x = *ret = ARENA_NEW(a, struct pipeline_look);
    pg_queue_part(db, &x->failed);
    return transaction_look_later(db, a, &x->around, e) &&
           pg_query_later(db, a, strangers_sql, PG_NONE, &x->strangers, e) &&
           pg_query_later(db, a, "SELECT DISTINCT version FROM lockflight.migration_steps", PG_NONE,
                          &x->begun, e);
}

static bool look_now(struct pipeline *p, const struct pipeline_look **ret, struct err *e)
{
    struct pipeline_look *x = NULL;
    *ret = p->o->look;
    if (*ret && p->o->look->failed.code == ERR_NONE)
        return true;
    pg_queue_begin(p->db);
    bool ok = pipeline_look_ask(p->db, p->a, &x, e) && pg_queue_end(p->db, NULL, NULL, NULL, e);
    pg_queue_drop(p->db);
    if (ok && x->failed.code != ERR_NONE) {
        *e = x->failed;
        ok = false;
    }
    *ret = x;
    return ok || err_wrap(e, "look at the database");
}

/* Where nobody else is, nobody waits, and what is new need not be known. */
static bool look_for_names(struct pipeline *p, struct err *e)
{
    struct pg_rows existing;
    if (!pg_query(p->db, p->a, existing_sql, names_of(p), &existing, e))
        return err_wrap(e, "look at the database");
    for (size_t i = 0; i < existing.n; i++)
        p->v[pg_int(&existing, i, 0)].is_new = false;
    return true;
}

static bool look_around(struct pipeline *p, struct err *e)
{
    const struct pipeline_look *x;
    if (!look_now(p, &x, e))
        return false;
    transaction_look_read(&x->around, &p->around);
    p->is_quiet = pg_int(&x->strangers, 0, 0) == 0;
    for (size_t i = 0; i < p->n; i++)
        for (size_t k = 0; k < x->begun.n; k++)
            p->v[i].is_begun =
                p->v[i].is_begun || streq(p->pending[i]->version, pg_value(&x->begun, k, 0));
    return p->is_quiet || look_for_names(p, e);
}

static bool may_go_together(const struct pipeline *p, const struct member *x)
{
    return x->is_one && !x->is_begun && (p->is_quiet || x->is_new);
}

/* How many from `from` on go together. */
static size_t run_length(const struct pipeline *p, size_t from)
{
    size_t bytes = 0, n = 0;
    while (from + n < p->n && n < TOGETHER_MOST && may_go_together(p, &p->v[from + n])) {
        bytes += p->pending[from + n]->sql.n;
        if (n > 0 && bytes > TOGETHER_BYTES_MOST)
            break;
        n++;
    }
    return n;
}

/* ---- running ---- */

static void tell_applied(void *context, size_t nth)
{
    struct pipeline *p = context;
    (void)nth;
    const struct migration *m = p->pending[p->applied++];
    if (p->o->on_applied)
        p->o->on_applied(p->o->context, m);
}

static bool before(struct pipeline *p, size_t n, struct err *e)
{
    return !p->o->before || p->o->before(p->o->context, p->db, p->pending + p->applied, n, e);
}

static bool run_alone(struct pipeline *p, struct err *e)
{
    if (!before(p, 1, e) || !migration_apply(p->db, p->a, p->pending[p->applied], p->o, e))
        return false;
    tell_applied(p, 0);
    return true;
}

static bool fill_queue(struct pipeline *p, size_t n, struct err *e)
{
    for (size_t i = p->applied; i < p->applied + n; i++) {
        struct work *w = &p->v[i].w;
        struct transaction_locks none = { .timeout_ms = transaction_lock_budget_ms(w) };
        none.keeps_session = i > p->applied && transaction_is_plain(&p->v[i - 1].w) &&
                             w->lock_budget_ms == p->v[i - 1].w.lock_budget_ms;
        apply_tell_unknown(w, p->a);
        w->attempts = 1;
        w->started_unix_ms = clock_unix_ms();
        w->run = (struct run){ p->pending + p->applied, n, i - p->applied };
        if (!transaction_queue(w, &none, p->db, p->a, e))
            return false;
    }
    return pg_session_reset(p->db, e);
}

/* The connection was lost: the history says how far it came. */
static bool settle(struct pipeline *p, size_t end, struct err *e)
{
    struct pg_rows r;
    const char **versions = ARENA_ARRAY(p->a, const char *, end - p->applied + 1);
    for (size_t i = p->applied; i < end; i++)
        versions[i - p->applied] = p->pending[i]->version;
    if (e->code != ERR_UNKNOWN_OUTCOME ||
        !transaction_settle(p->db, p->a, versions, end - p->applied, &r, e))
        return false;
    for (size_t i = 0; i < r.n; i++)
        tell_applied(p, i);
    if (p->applied == end)
        return true;
    return err_set(e, ERR_NET, "%s; %s was not applied", arena_strdup(p->a, e->why),
                   p->pending[p->applied]->file);
}

/* One was refused: the record that ends the run did not come to be. Without it the history rows are
 * the truth, as after a crash. */
static void end_run(struct pipeline *p, size_t first)
{
    struct err unheard = { 0 };
    if (p->applied > first && p->o->record_run)
        (void)!p->o->record_run(p->o->context, p->db, MIGRATE_ENDS, p->pending + first,
                                p->applied - first, &unheard);
}

static bool run_together(struct pipeline *p, size_t n, struct err *e)
{
    size_t first = p->applied, end = p->applied + n;
    struct pg_queue_outcome outcome;
    struct err unheard = { 0 };
    if (!before(p, n, e))
        return false;
    const struct around found = p->around;
    pg_queue_begin(p->db);
    if (!fill_queue(p, n, e)) {
        pg_queue_drop(p->db);
        return false;
    }
    if (pg_queue_end(p->db, tell_applied, p, &outcome, e) || outcome.commits == n)
        return true;
    pg_rollback(p->db);
    if (outcome.commits == 0)
        p->around = found;
    if (!pg_is_alive(p->db))
        return settle(p, end, e);
    if (!pg_session_reset(p->db, &unheard))
        return err_wrap(e, "%s", unheard.why);
    end_run(p, first);
    if (transaction_lock_trouble(e))
        return run_alone(p, e);
    (void)transaction_refused(&p->v[first + outcome.commits].w, &outcome, e);
    return err_wrap(e, "apply %s", p->pending[p->applied]->file);
}

bool pipeline_apply(struct pg *db, struct arena *a, const struct migration *const *pending,
                    size_t n, const struct migrate_options *o, size_t *ret_applied, struct err *e)
{
    struct pipeline p = { .db = db,
                          .a = a,
                          .o = o,
                          .pending = pending,
                          .n = n,
                          .v = ARENA_ARRAY(a, struct member, n + 1) };
    bool ok = true;
    *ret_applied = 0;
    for (size_t i = 0; ok && i < n; i++)
        ok = read_member(&p, i, e);
    ok = ok && (n < 2 || look_around(&p, e));
    while (ok && p.applied < n) {
        size_t together = n < 2 ? 0 : run_length(&p, p.applied);
        ok = together > 1 ? run_together(&p, together, e) : run_alone(&p, e);
    }
    *ret_applied = p.applied;
    return ok;
}
