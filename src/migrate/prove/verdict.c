/*
 * What a run has shown: is it proven, and what is lost on the way back.
 */
#include "base/cleanup.h"
#include "base/limits.h"
#include "base/strbuf.h"
#include "migrate/prove/inside.h"

#define OBJECTS_NAMED 4

/* ---- words ---- */

const char *loss_sentence(struct arena *a, char loss, const char *what)
{
    bool named = what && *what;
    switch (loss) {
    case 'A':
        return "restores schema and data exactly as before";
    case 'B':
        return arena_printf(a,
                            "restores the schema; what is stored in %s after the migration is lost",
                            named ? what : "what the migration adds");
    case 'C':
        return arena_printf(a, "restores the structure of %s, not the contents",
                            named ? what : "what the migration removes");
    default:
        return arena_printf(a, "cannot be undone%s%s", named ? ": " : "", named ? what : "");
    }
}

const char *proof_change_text(struct arena *a, const struct catalogue_change *c)
{
    switch (c->what) {
    case CATALOGUE_ADDED:
        return arena_printf(a, "%s %s is there and was not", c->kind, c->identity);
    case CATALOGUE_REMOVED:
        return arena_printf(a, "%s %s is missing", c->kind, c->identity);
    case CATALOGUE_CHANGED:
        break;
    }
    CLEANUP(strbuf) struct strbuf b = strbuf_init(256 * KIB);
    strbuf_printf(&b, "%s %s: ", c->kind, c->identity);
    for (size_t i = 0; i < c->field_count; i++)
        strbuf_printf(&b, "%s%s is %s, was %s", i ? "; " : "", c->fields[i].name,
                      c->fields[i].after ? c->fields[i].after : "nothing",
                      c->fields[i].before ? c->fields[i].before : "nothing");
    return str_dup(a, strbuf_str(&b));
}

/* ---- what is lost ---- */

static bool has(const struct pg_rows *rows, size_t column, const char *value)
{
    for (size_t i = 0; i < rows->n; i++)
        if (streq(pg_value(rows, i, column), value))
            return true;
    return false;
}

/* Would a loss in this column have been seen? */
static bool is_blind(const struct run *r, const char *key, const char *table_oid)
{
    for (size_t i = 0; i < r->tables.n; i++)
        if (streq(r->tables.v[i].oid, table_oid))
            return has(&r->blind, 0, key);
    return true;
}

/* "table public.a, column public.t.c and 2 more": columns of x that y has not; whole tables are named
 * once. NULL if there are none. */
static const char *columns_only_in(const struct run *r, const struct columns *x,
                                   const struct columns *y, bool only_blind)
{
    const char *list = NULL, *last = "";
    size_t count = 0;
    for (size_t i = 0, k = 0; i < x->rows.n;) {
        const char *key = pg_value(&x->rows, i, 0), *table = pg_value(&x->rows, i, 3);
        int order = k == y->rows.n ? -1 : strcmp(key, pg_value(&y->rows, k, 0));
        if (order < 0 && (!only_blind || is_blind(r, key, table))) {
            const char *name = pg_value(&x->rows, i, has(&y->rows, 3, table) ? 1 : 2);
            if (!streq(last, name) && count++ < OBJECTS_NAMED)
                list = list ? arena_printf(r->a, "%s, %s", list, name) : name;
            last = name;
        }
        i += order <= 0;
        k += order >= 0;
    }
    return count > OBJECTS_NAMED
               ? arena_printf(r->a, "%s and %zu more", list, count - OBJECTS_NAMED)
               : list;
}

/* A column whose type changed, in a table without a row that would show what that does. */
static bool unseen_cast(const struct run *r, const char **ret, struct err *e)
{
    struct catalogue_change *v;
    size_t n;
    *ret = NULL;
    if (!catalogue_changes(r->a, &r->before, &r->after, &v, &n, e))
        return false;
    for (size_t i = 0; i < n && !*ret; i++) {
        if (v[i].what != CATALOGUE_CHANGED || !streq(v[i].kind, "column"))
            continue;
        const char *name = arena_printf(r->a, "column %s", v[i].identity);
        for (size_t k = 0; k < v[i].field_count && !*ret; k++)
            for (size_t j = 0; streq(v[i].fields[k].name, "type") && j < r->columns_before.rows.n;
                 j++)
                if (streq(pg_value(&r->columns_before.rows, j, 1), name) &&
                    is_blind(r, pg_value(&r->columns_before.rows, j, 0),
                             pg_value(&r->columns_before.rows, j, 3)))
                    *ret = name;
    }
    return true;
}

struct seen {
    char loss;
    const char *what; /* objects */
};

static struct seen look(const struct run *r, const char *cast)
{
    size_t n = 0;
    const char *table = content_lost(&r->tables, &r->rows_before, &r->rows_back, true, &n);
    if (table)
        return (struct seen){ 'C', arena_printf(r->a, "table %s", table) };
    const char *remade = columns_only_in(r, &r->columns_before, &r->columns_back, true);
    if (remade)
        return (struct seen){ 'C', remade };
    if (cast)
        return (struct seen){ 'C', cast };
    const char *write = unseen_write(r);
    bool was_changed = content_lost(&r->tables, &r->rows_before, &r->rows_after, true, &n) != NULL;
    if (write && !was_changed)
        return (struct seen){ 'C', arena_printf(r->a, "the rows that %s changed", write) };
    const char *added = columns_only_in(r, &r->columns_after, &r->columns_before, false);
    if (added)
        return (struct seen){ 'B', added };
    if (r->was_written) {
        table = content_lost(&r->tables, &r->rows_written, &r->rows_end, false, &n);
        if (table && content_lost(&r->tables, &r->places_written, &r->places_end, false, &n))
            return (struct seen){ 'B', arena_printf(r->a, "table %s", table) };
    }
    return (struct seen){ 'A', NULL };
}

/* ---- the result ---- */

static void refuse(struct proof *p, const char *reason)
{
    p->is_proven = false;
    p->reason = reason;
}

/* Are two catalogues the same? If not the result says where. */
static bool same(struct run *r, struct proof *p, const struct catalogue *x,
                 const struct catalogue *y, const char *when, struct err *e)
{
    if (!catalogue_changes(r->a, x, y, &p->changes, &p->change_count, e))
        return false;
    residue_take(r->a, &r->residue, p->changes, &p->change_count);
    if (p->change_count > 0) {
        p->compared = when;
        refuse(p, arena_printf(r->a, "%s the schema is not as before: %s%s", when,
                               proof_change_text(r->a, &p->changes[0]),
                               p->change_count > 1
                                   ? arena_printf(r->a, ", and %zu more", p->change_count - 1)
                                   : ""));
    }
    return true;
}

static bool declare(struct run *r, struct proof *p, struct err *e)
{
    const char *cast;
    if (!unseen_cast(r, &cast, e))
        return false;
    const struct directive *d = directive_find(&r->down.head, DIRECTIVE_LOSS);
    struct seen seen = look(r, cast);
    const char declared = d ? d->first[0] : '\0';
    p->is_declared = d != NULL;
    p->loss = seen.loss;
    if (declared > seen.loss)
        p->loss = declared;
    if (d && d->rest[0] && declared >= seen.loss)
        p->loss_text = d->rest;
    else
        p->loss_text = loss_sentence(r->a, p->loss, seen.what);
    if (seen.loss == 'A' || seen.loss <= declared)
        return true;
    if (declared)
        refuse(p, arena_printf(r->a, "the reverse script claims class %c, but it %s", declared,
                               loss_sentence(r->a, seen.loss, seen.what)));
    else if (seen.loss > 'B')
        refuse(p, arena_printf(r->a,
                               "the reverse script %s; it must say so: -- loss: %c <what is lost>",
                               loss_sentence(r->a, seen.loss, seen.what), seen.loss));
    return true;
}

bool verdict(struct run *r, struct proof *p, struct err *e)
{
    p->rows = r->seeded.rows;
    p->loss = 'D';
    p->migration_runs = r->migration_ran;
    p->locks = r->trace;
    p->has_locks = r->is_traced;
    memcpy(&p->notes, &r->notes, sizeof p->notes);
    memcpy(p->digest_before, r->before.digest, sizeof p->digest_before);
    memcpy(p->digest_after, r->after.digest, sizeof p->digest_after);
    if (r->failed) {
        refuse(p, arena_printf(r->a, "%s: %s", r->failed, r->why.why));
        if (r->why.hint[0])
            *vec_add(&p->notes, r->a) = arena_strdup(r->a, r->why.hint);
        p->where = r->why.where[0] ? arena_strdup(r->a, r->why.where) : NULL;
        return true;
    }
    p->is_proven = true;
    if (!same(r, p, &r->before, &r->back, "after the reverse script", e) ||
        (p->change_count == 0 && !same(r, p, &r->after, &r->again, "after applying it again", e)))
        return false;
    for (size_t i = 0; i < r->residue.n; i++)
        if (r->residue.is_seen[i])
            *vec_add(&p->leaves, r->a) = r->residue.declared[i];
        else
            *vec_add(&p->notes, r->a) =
                arena_printf(r->a, "it does not leave %s, as it says", r->residue.declared[i]);
    return p->change_count > 0 || declare(r, p, e);
}
