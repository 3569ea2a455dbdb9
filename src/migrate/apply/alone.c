#include "migrate/apply/alone.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fault.h"
#include "migrate/apply/recover.h"
#include "migrate/sql/tree.h"

#include <stdio.h>

#define PAUSE_MS 500 /* before a statement that found a table locked is tried again */

/* One step alone while it is worked on. */
struct alone {
    const struct alone_spec *spec;
    const struct sql_statement *s;
    struct beside b;
    json_t *before; /* NULL: no attempt was begun */
};

static void alone_cleanup(struct alone *x)
{
    beside_close(&x->b);
    json_decref(x->before);
}

static bool open_alone(struct alone *x, const struct alone_spec *spec, struct pg *db,
                       struct arena *a, struct err *e)
{
    int budget_ms =
        spec->w->o->lock_timeout_ms > 0 ? spec->w->o->lock_timeout_ms : MIGRATE_LOCK_TIMEOUT_MS;
    x->spec = spec;
    x->s = &spec->step->v[0];
    x->b = (struct beside){ .db = db, .w = spec->w, .a = a };
    x->b.what = arena_printf(a, "step %d of %zu, %s", spec->step->number, spec->steps, x->s->what);
    if (spec->row) {
        if (!beside_follow(&x->b, spec->row->backend_pid, spec->row->backend_start, false, e))
            return false;
        x->before = json_parse(str_of(spec->row->before ? spec->row->before : "{}"),
                               "what was there before the step", e);
        if (!x->before)
            return false;
    }
    return beside_open(&x->b, spec->step, recover_is_gentle(x->s) ? 0 : budget_ms, e);
}

/* ---- when it cannot be known ---- */

static bool ask_a_person(const struct alone *x, struct err *e)
{
    const struct work *w = x->spec->w;
    const char *where =
        arena_printf(x->b.a, "version = '%s' AND direction = '%s' AND step = %d", w->version,
                     w->migration ? "apply" : "reverse", x->spec->step->number);
    sql_error_at(e, ERR_BLOCKED, w->file, w->sql, x->s->offset,
                 "%s was interrupted, and the catalogue does not tell whether it took effect",
                 x->b.what);
    return err_hint(e,
                    "look whether it did; if so: UPDATE lockflight.migration_steps SET state ="
                    " 'done' WHERE %s; if not: DELETE FROM lockflight.migration_steps WHERE %s",
                    where, where);
}

/* ---- one attempt ---- */

static bool begin(struct alone *x, struct err *e)
{
    bool is_first = x->before == NULL;
    if (is_first && !recover_before(&x->b, x->s, &x->before, e))
        return false;
    struct step_begin begin = { .step = x->spec->step,
                                .before = x->before,
                                .backend_pid = pg_backend_pid_of(x->b.session),
                                .keeps_progress = !is_first };
    return step_row_begin(x->spec->w, x->b.db, x->b.a, &begin, e);
}

static bool run_statement(struct alone *x, struct err *e)
{
    int position = 0;
    if (!FAULT_POINT("migrate.statement.before", e))
        return false;
    beside_say(&x->b, "%s", x->b.what);
    if (beside_run(&x->b, str_dup(x->b.a, x->s->text), &position, e))
        return FAULT_POINT("migrate.step.ran", e);
    return transaction_statement_failed(x->spec->w, x->s, position, e);
}

/* A command tag is not enough: the effect has to be there. */
static bool is_in_effect(struct alone *x, struct err *e)
{
    enum found found;
    if (!recover_look(&x->b, x->s, x->before, &found, e))
        return false;
    bool must_tell = x->s->tree && x->s->tree->node_case == PG_QUERY__NODE__NODE_INDEX_STMT;
    if (found != FOUND_BROKEN && found != FOUND_HALF && !(must_tell && found == FOUND_NOTHING))
        return true;
    return sql_error_at(e, ERR_DB, x->spec->w->file, x->spec->w->sql, x->s->offset,
                        "%s reported success, and its effect is not whole", x->b.what);
}

/* What a refused statement left is taken away at once: a broken unique index rejects rows. */
static void tidy(struct alone *x, struct err *e)
{
    enum found found = FOUND_UNKNOWN;
    struct err second = { 0 };
    if (!pg_is_alive(x->b.session) || !pg_is_alive(x->b.db))
        return;
    recover_explain(&x->b, x->s, x->before, e);
    if (recover_clean(&x->b, x->s, x->before, &second) &&
        recover_look(&x->b, x->s, x->before, &found, &second) && found == FOUND_NOTHING &&
        step_row_forget(x->spec->w, x->b.db, x->b.a, x->spec->step->number, &second))
        return;
    beside_say(&x->b, "%s: what it left stays for the next run: %s", x->b.what,
               second.why[0] ? second.why : "the catalogue does not tell");
}

static bool attempt(struct alone *x, enum found found, struct err *e)
{
    if (!begin(x, e))
        return false;
    if (found == FOUND_BROKEN && !recover_clean(&x->b, x->s, x->before, e))
        return false;
    if (found == FOUND_HALF) {
        beside_say(&x->b, "%s: finishing what was begun", x->b.what);
        return recover_finish(&x->b, x->s, e) && is_in_effect(x, e);
    }
    if (run_statement(x, e) && is_in_effect(x, e))
        return true;
    if (e->code == ERR_DB || e->code == ERR_BLOCKED)
        tidy(x, e);
    return false;
}

/* ---- until it is in effect ---- */

static bool look(struct alone *x, enum found *ret, struct err *e)
{
    if (!recover_look(&x->b, x->s, x->before, ret, e)) {
        char why[sizeof e->why], hint[sizeof e->hint];
        if (e->code != ERR_CONFLICT)
            return false;
        (void)snprintf(why, sizeof why, "%s", e->why);
        (void)snprintf(hint, sizeof hint, "%s", e->hint);
        sql_error_at(e, ERR_BLOCKED, x->spec->w->file, x->spec->w->sql, x->s->offset, "%s", why);
        return err_hint(e, "%s", hint);
    }
    return *ret != FOUND_UNKNOWN || ask_a_person(x, e);
}

static bool is_lock_trouble(const struct err *e)
{
    return e->code == ERR_DB && (streq(e->sqlstate, "55P03") || streq(e->sqlstate, "40P01"));
}

static bool run_alone(struct alone *x, struct err *e)
{
    const struct migrate_options *o = x->spec->w->o;
    int64_t give_up_at =
        clock_boot_ms() + (o->lock_wait_ms > 0 ? o->lock_wait_ms : MIGRATE_LOCK_WAIT_MS);
    enum found found;
    if (!look(x, &found, e))
        return false;
    if (found == FOUND_DONE && x->before) {
        beside_say(&x->b, "%s: done by the run that was interrupted", x->b.what);
        return true;
    }
    while (!attempt(x, found, e)) {
        if (!is_lock_trouble(e) || clock_boot_ms() >= give_up_at)
            return false;
        beside_say(&x->b, "%s waits for a lock: %s", x->b.what, e->why);
        if (!clock_sleep_ms(PAUSE_MS))
            return err_set(e, ERR_INTERRUPTED, "stopped while waiting for a lock");
        if (!look(x, &found, e))
            return false;
    }
    return true;
}

bool alone_run(const struct alone_spec *spec, struct pg *db, struct arena *a, struct err *e)
{
    CLEANUP(alone) struct alone x = { 0 };
    return open_alone(&x, spec, db, a, e) && run_alone(&x, e);
}

bool alone_take_away(const struct alone_spec *spec, struct pg *db, struct arena *a, struct err *e)
{
    CLEANUP(alone) struct alone x = { 0 };
    enum found found;
    if (!open_alone(&x, spec, db, a, e) || !recover_look(&x.b, x.s, x.before, &found, e))
        return false;
    if (found == FOUND_HALF)
        return recover_finish(&x.b, x.s, e);
    return found != FOUND_BROKEN || recover_clean(&x.b, x.s, x.before, e);
}
