/*
 * What the pending migrations ask of the tables that are there: the strongest lock on each, whether
 * it is written anew or read whole, how many rows it has, and which rows would be gone. Measured
 * where the pair was proved, else read from the text.
 */
#include "base/vec.h"
#include "engine/plan.h"
#include "migrate/apply/locks.h"

typedef VEC(struct plan_lock) lock_list;
typedef VEC(const char *) text_list_vec;

/* ---- from the text ---- */

/* `table` is quoted and has its schema; a file that names none means public, or nearly always. */
static bool is_named(struct arena *a, const struct sql_lock *lock, const char *table)
{
    struct sql_name full = { lock->name.schema ? lock->name.schema : "public", lock->name.name };
    return lock->reach == SQL_ITSELF && streq(sql_name_text(a, full), table);
}

static void mark(struct plan *plan, const struct sql_statement *s, lock_list *list)
{
    for (size_t k = 0; k < s->lock_count; k++)
        for (size_t i = 0; i < list->n; i++) {
            struct plan_lock *x = &list->v[i];
            if (!is_named(plan->arena, &s->locks[k], x->table))
                continue;
            x->rewrites = x->rewrites || s->rewrites == SQL_YES;
            x->scans = x->scans || s->scans == SQL_YES;
        }
}

static bool predict(struct plan *plan, struct pg *db, const struct sql_script *script,
                    lock_list *list, struct err *e)
{
    VEC(struct sql_lock) wanted = { 0 };
    struct locks *l;
    for (size_t i = 0; i < script->n; i++)
        for (size_t k = 0; k < script->statements[i].lock_count; k++)
            *vec_add(&wanted, plan->arena) = script->statements[i].locks[k];
    struct locks_spec spec = { .wanted = wanted.v, .wanted_count = wanted.n };
    if (!locks_open(db, plan->arena, &spec, &l, e))
        return false;
    for (size_t i = 0; i < locks_count(l); i++)
        if (locks_level(l, i) >= SQL_ROW_EXCLUSIVE)
            *vec_add(list, plan->arena) =
                (struct plan_lock){ .table = locks_name(l, i),
                                    .lock = sql_lock_name(locks_level(l, i)) };
    for (size_t i = 0; i < script->n; i++)
        mark(plan, &script->statements[i], list);
    return true;
}

/* ---- rows ---- */

/* Names as format('%I.%I') writes them; -1 for a table that was never analysed. */
static bool read_rows(struct pg *db, struct arena *a, const char *const *names, size_t n,
                      int64_t *ret, struct err *e)
{
    struct pg_rows r;
    for (size_t i = 0; i < n; i++)
        ret[i] = -2; /* there is no such table */
    if (n == 0)
        return true;
    if (!pg_query(db, a,
                  "SELECT t.i - 1, c.reltuples::bigint FROM unnest($1::text[]) WITH ORDINALITY"
                  " AS t (name, i) JOIN pg_class c ON c.oid = to_regclass(t.name)",
                  PG_PARAMS(pg_text_array(a, names, n)), &r, e))
        return false;
    for (size_t i = 0; i < r.n; i++)
        ret[pg_int(&r, i, 0)] = pg_int(&r, i, 1);
    return true;
}

/* Keeps those that are there, with their sizes. */
static bool keep_existing(struct plan *plan, struct pg *db, const lock_list *list,
                          struct plan_locks *ret, struct err *e)
{
    struct arena *a = plan->arena;
    const char **names = ARENA_ARRAY(a, const char *, list->n + 1);
    int64_t *rows = ARENA_ARRAY(a, int64_t, list->n + 1);
    for (size_t i = 0; i < list->n; i++)
        names[i] = list->v[i].table;
    if (!read_rows(db, a, names, list->n, rows, e))
        return false;
    ret->v = ARENA_ARRAY(a, struct plan_lock, list->n + 1);
    for (size_t i = 0; i < list->n; i++) {
        if (rows[i] == -2)
            continue;
        ret->v[ret->n] = list->v[i];
        ret->v[ret->n++].rows = rows[i];
    }
    return true;
}

/* ---- what would be gone ---- */

static const char *risk_of(struct arena *a, const struct sql_object *o, int64_t rows)
{
    const char *name = sql_name_text(a, o->name);
    const char *what = o->part ? arena_printf(a, "column %s.%s", name, sql_quote(a, o->part))
                               : arena_printf(a, "table %s", name);
    return rows < 0 ? arena_printf(a, "%s, size unknown", what)
                    : arena_printf(a, "%s, about %lld row%s", what, (long long)rows,
                                   rows == 1 ? "" : "s");
}

static bool is_lost(const struct sql_statement *s, const struct sql_object *o)
{
    return o->kind == SQL_TABLE && s->class == SQL_DESTRUCTIVE &&
           (o->effect == SQL_DROPS || (o->effect == SQL_WRITES && !o->part));
}

static bool find_risks(struct plan *plan, struct pg *db, const struct sql_script *script,
                       struct plan_locks *ret, struct err *e)
{
    struct arena *a = plan->arena;
    text_list_vec risks = { 0 };
    for (size_t i = 0; i < script->n; i++) {
        const struct sql_statement *s = &script->statements[i];
        for (size_t k = 0; k < s->object_count; k++) {
            const struct sql_object *o = &s->objects[k];
            struct sql_name full = { o->name.schema ? o->name.schema : "public", o->name.name };
            const char *name = sql_name_text(a, full);
            int64_t rows = 0;
            if (!is_lost(s, o))
                continue;
            if (!read_rows(db, a, &name, 1, &rows, e))
                return false;
            if (rows != -2)
                *vec_add(&risks, a) = risk_of(a, o, rows);
        }
    }
    ret->at_risk = risks.v;
    ret->at_risk_n = risks.n;
    return true;
}

/* ---- the whole ---- */

static bool find_one(struct plan *plan, struct pg *db, size_t nth, struct err *e)
{
    const struct migration *m = plan->schema.pending[nth];
    const struct proof_row *pair = &plan->pairs[nth];
    struct plan_locks *ret = &plan->locks[nth];
    struct sql_script script;
    struct err unreadable = { 0 };
    lock_list list = { 0 };
    if (!sql_script_read(plan->arena, m->file, m->sql, &script, &unreadable))
        return true; /* the gate says so */
    ret->is_measured = pair->is_found && pair->has_locks;
    for (size_t i = 0; ret->is_measured && i < pair->locks.n; i++)
        *vec_add(&list, plan->arena) =
            (struct plan_lock){ .table = pair->locks.v[i].name,
                                .lock = pair->locks.v[i].lock,
                                .rewrites = pair->locks.v[i].is_rewritten,
                                .scans = pair->locks.v[i].is_scanned };
    if (!ret->is_measured && !predict(plan, db, &script, &list, e))
        return false;
    return keep_existing(plan, db, &list, ret, e) && find_risks(plan, db, &script, ret, e);
}

bool plan_find_locks(struct target *t, struct plan *plan, struct err *e)
{
    size_t n = plan->schema.pending_count;
    plan->locks = ARENA_ARRAY(plan->arena, struct plan_locks, n + 1);
    for (size_t i = 0; i < n; i++)
        if (!find_one(plan, t->db, i, e))
            return err_wrap(e, "look at the tables of %s", plan->schema.pending[i]->file);
    return true;
}
