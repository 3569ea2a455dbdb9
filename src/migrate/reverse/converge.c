/*
 * The way back: see inside.h.
 *
 * The catalogue is read, compared with the old one, and what differs is tried step by step: names,
 * then what is new goes, then what is gone is made again, then what was changed is changed back. A
 * step that the server refuses is tried again in the next round, when others may have cleared its
 * way; so nothing here needs to know the order in which objects depend on each other, beyond that
 * what was made first is usually needed first. Every round must get something done. When none does,
 * the next level allows rougher means:
 *
 *   1   take apart what would go by itself (foreign keys in a circle), lend a name for a moment
 *   2   make again what cannot be changed
 *   3   do not check function bodies while they are created
 */
#include "base/cleanup.h"
#include "migrate/reverse/inside.h"

#include <stdarg.h>

#define ROUNDS     24 /* a migration with every kind of change needs five or six */
#define LAST_LEVEL 3

/* ---- steps ---- */

/* Statements of one step are separated by ";\n": a body of a function may have such a sequence too,
 * so they are run as the script reader cuts them. */
static bool run_step(struct run *r, const char *sql, struct err *e)
{
    CLEANUP(arena) struct arena *scratch = arena_new(0);
    struct statement *v;
    size_t n;
    statement_split(scratch, str_of(sql), &v, &n);
    for (size_t i = 0; i < n; i++)
        if (!pg_run(r->db, str_dup(scratch, v[i].text), NULL, e))
            return false;
    return true;
}

static const char *table_of(struct run *r, const struct object *o)
{
    const char *table = o->parent;
    if (object_is(o, "index") || object_is(o, "statistics"))
        table = object_text(r, o, "table");
    return table ? arena_strdup(r->a, table) : NULL;
}

/* Values and keys that do not fit are a better reason than what only waits for another step. */
static bool is_about_rows(const struct err *e)
{
    return starts_with(e->sqlstate, "22") || starts_with(e->sqlstate, "23");
}

static bool try_step(struct run *r, const struct object *about, const char *sql,
                     const char *written, const char *note)
{
    struct err e = { 0 }, ignored;
    if (!pg_exec(r->db, "SAVEPOINT lockflight_step", PG_NONE, NULL, &e))
        return false;
    bool is_done = run_step(r, sql, &e);
    if (!is_done && (!r->why.code || (is_about_rows(&e) && !is_about_rows(&r->why)))) {
        r->why = e;
        r->why_what = about ? arena_printf(r->a, "%s %s", about->kind, about->identity) : "rows";
    }
    (void)!pg_exec(r->db, is_done ? "RELEASE lockflight_step" : "ROLLBACK TO lockflight_step",
                   PG_NONE, NULL, &ignored);
    if (!is_done)
        return false;
    *vec_add(&r->actions, r->a) = (struct action){
        .sql = arena_strdup(r->a, written),
        .kind = about ? arena_strdup(r->a, about->kind) : "",
        .identity = about ? arena_strdup(r->a, about->identity) : "",
        .table = about ? table_of(r, about) : NULL,
        .note = note ? arena_strdup(r->a, note) : NULL,
        .cause = r->cause,
    };
    return true;
}

bool attempt(struct run *r, const struct object *about, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const char *sql = arena_vprintf(r->a, fmt, ap);
    va_end(ap);
    return try_step(r, about, sql, sql, NULL);
}

bool attempt_with(struct run *r, const struct object *about, const char *note, const char *sql)
{
    return try_step(r, about, sql, sql, note);
}

bool attempt_as(struct run *r, const struct object *about, const char *sql, const char *written)
{
    return try_step(r, about, sql, written, NULL);
}

bool was_made(const struct run *r, const char *relation)
{
    for (size_t i = 0; i < r->made.n; i++)
        if (streq(r->made.v[i], relation))
            return true;
    return false;
}

/* ---- rounds ---- */

/* Tables, columns and sequences that the migration made under an old name are not the old ones: what
 * is in them was put there since. Everything else may keep its place and be changed. */
static void find_doomed(struct run *r, struct world *now)
{
    for (size_t i = 0; i < now->n; i++) {
        const struct object *o = &now->v[i];
        if (!o->twin || (holds_data(r, now, o) && is_another(r, o->twin, o)))
            *vec_add(&r->doomed, r->a) = o->key;
    }
}

static bool is_reached(struct run *r, const struct world *was, const struct world *now)
{
    for (size_t i = 0; i < now->n; i++)
        if (!now->v[i].twin || !object_same(r, now->v[i].twin, &now->v[i]))
            return false;
    for (size_t i = 0; i < was->n; i++)
        if (!was->v[i].twin)
            return false;
    return true;
}

static void remember(struct run *r, const struct world *was)
{
    for (size_t i = 0; i < was->n; i++) {
        const struct object *o = &was->v[i];
        if (o->twin && (o->twin->key.oid != o->key.oid || o->twin->key.column != o->key.column))
            *vec_add(&r->aliases, r->a) = (struct alias){ o->key, o->twin->key };
    }
}

/* The first thing that is not as it was, for the reason of a refusal. */
static const char *first_difference(struct run *r, const struct world *was, const struct world *now)
{
    for (size_t i = 0; i < was->n; i++) {
        const struct object *o = &was->v[i];
        if (!o->twin)
            return arena_printf(r->a, "%s %s is not there again", o->kind, o->identity);
        if (!object_same(r, o, o->twin)) {
            const char *name;
            json_t *value;
            json_object_foreach (object_json(r, o), name, value)
                if (!field_same(r, o, o->twin, name))
                    return streq(name, "local") && object_is(o, "column")
                               ? arena_printf(r->a,
                                              "no statement makes column %s come from the parent "
                                              "table again",
                                              o->identity)
                               : arena_printf(r->a, "%s of %s %s stays", name, o->kind,
                                              o->identity);
            return arena_printf(r->a, "%s %s stays changed", o->kind, o->identity);
        }
    }
    for (size_t i = 0; i < now->n; i++)
        if (!now->v[i].twin)
            return arena_printf(r->a, "%s %s stays", now->v[i].kind, now->v[i].identity);
    return "nothing differs";
}

static bool stuck(struct run *r, const struct world *was, const struct world *now, struct err *e)
{
    if (!r->why.code)
        return err_set(e, ERR_BLOCKED, "%s", first_difference(r, was, now));
    const char *why = arena_strdup(r->a, r->why.why);
    return err_set(e, ERR_BLOCKED, "%s cannot be restored: %s", r->why_what, why);
}

/* One round; *ret_done says whether anything moved. */
static void steps(struct run *r)
{
    size_t before = r->actions.n;
    if (names_restore(r))
        return;
    (void)drops_all(r);
    if (r->actions.n > before)
        return;
    (void)creates_all(r);
    (void)alters_all(r);
}

bool converge(struct run *r, struct world *was, struct world *seen, struct err *e)
{
    r->level = 0;
    r->was = was;
    r->doomed.n = 0;
    for (int round = 0; round < ROUNDS; round++) {
        CLEANUP(arena) struct arena *scratch = arena_new(0);
        struct world now;
        if (round == 0 && seen)
            now = *seen;
        else if (!world_read(r, scratch, &now, e))
            return false;
        world_match(r, was, &now);
        if (round == 0) {
            find_doomed(r, &now);
            world_match(r, was, &now);
        }
        r->now = &now;
        if (is_reached(r, was, &now)) {
            remember(r, was);
            return true;
        }
        err_clear(&r->why);
        size_t before = r->actions.n;
        steps(r);
        if (!pg_is_alive(r->db))
            return err_set(e, ERR_NET, "lost the connection to %s", pg_where(r->db));
        if (round + 1 == ROUNDS)
            return stuck(r, was, &now, e);
        if (r->actions.n > before) {
            r->level = r->level > 1 ? 1 : r->level;
        } else if (r->level++ == LAST_LEVEL) {
            return stuck(r, was, &now, e);
        }
    }
    return err_set(e, ERR_INTERNAL, "no round was walked");
}
