/*
 * The catalogue: see catalogue.h. The query is catalogue.sql, carried inside the program.
 */
#include "migrate/catalogue/catalogue.h"

#include "base/cleanup.h"
#include "base/vec.h"

#include <stdio.h>
#include <stdlib.h>

extern const char catalogue_sql[];

/* Planning it takes as long as running it on a small schema, and a proof reads often: the plan is
 * kept in the session until that is reset. */
static bool run_prepared(struct pg *db, struct arena *a, struct pg_rows *ret, struct err *e)
{
    struct pg_rows r;
    return pg_query(db, a,
                    "SELECT pg_catalog.set_config('jit', 'off', true),"
                    " pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true),"
                    " EXISTS (SELECT FROM pg_catalog.pg_prepared_statements"
                    " WHERE name = 'lockflight_catalogue')",
                    PG_NONE, &r, e) &&
           (pg_bool(&r, 0, 2) ||
            pg_exec(db, arena_printf(a, "PREPARE lockflight_catalogue AS %s", catalogue_sql),
                    PG_NONE, NULL, e)) &&
           pg_query(db, a, "EXECUTE lockflight_catalogue", PG_NONE, ret, e);
}

/* The compiler of queries would take fifty times as long as the query. The path makes definitions
 * qualified. Inside somebody's transaction a savepoint gives both settings back. */
static bool read_lines(struct pg *db, struct arena *a, struct pg_rows *ret, struct err *e)
{
    bool ours = !pg_in_transaction(db);
    if (!(ours ? pg_begin(db, e) : pg_exec(db, "SAVEPOINT lockflight_catalogue", PG_NONE, NULL, e)))
        return false;
    bool ok = run_prepared(db, a, ret, e);
    if (ours)
        pg_rollback(db);
    else if (ok)
        ok = pg_exec(db, "ROLLBACK TO lockflight_catalogue", PG_NONE, NULL, e) &&
             pg_exec(db, "RELEASE lockflight_catalogue", PG_NONE, NULL, e);
    return ok || err_wrap(e, "read the catalogue of %s", pg_where(db));
}

static struct catalogue_object object_of(const struct pg_rows *rows, size_t row)
{
    return (struct catalogue_object){
        .kind = pg_value(rows, row, 0),
        .identity = pg_value(rows, row, 1),
        .what = pg_value(rows, row, 2),
        .key = { (uint32_t)pg_int(rows, row, 3), (uint32_t)pg_int(rows, row, 4),
                 (int32_t)pg_int(rows, row, 5) },
    };
}

/* By bytes, as everywhere; the server takes longer for it than we do. */
static int by_line(const void *x, const void *y)
{
    const struct catalogue_object *a = x, *b = y;
    int order = strcmp(a->kind, b->kind);
    order = order ? order : strcmp(a->identity, b->identity);
    return order ? order : strcmp(a->what, b->what);
}

static bool read_objects(struct pg *db, struct arena *a, struct catalogue_object **ret,
                         size_t *ret_n, struct err *e)
{
    struct pg_rows rows = { 0 };
    if (!read_lines(db, a, &rows, e))
        return false;
    struct catalogue_object *v = ARENA_ARRAY(a, struct catalogue_object, rows.n + 1);
    for (size_t i = 0; i < rows.n; i++)
        v[i] = object_of(&rows, i);
    if (rows.n > 1)
        qsort(v, rows.n, sizeof *v, by_line);
    *ret = v;
    *ret_n = rows.n;
    return true;
}

bool catalogue_read(struct pg *db, struct arena *a, struct catalogue *ret, struct err *e)
{
    struct catalogue_object *all;
    size_t n = 0;
    if (!read_objects(db, a, &all, &n, e))
        return false;
    struct catalogue c = { .objects = ARENA_ARRAY(a, struct catalogue_object, n + 1),
                           .orders = ARENA_ARRAY(a, struct catalogue_object, n + 1),
                           .lines = ARENA_ARRAY(a, const char *, n + 1) };
    struct hash *h = hash_new(HASH_SHA256);
    for (size_t i = 0; i < n; i++) {
        const struct catalogue_object *o = &all[i];
        if (streq(o->kind, "column order")) {
            c.orders[c.order_count++] = *o;
            continue;
        }
        c.objects[c.n] = *o;
        c.lines[c.n] = arena_printf(a, "%s %s %s", o->kind, o->identity, o->what);
        hash_add(h, c.lines[c.n], strlen(c.lines[c.n]));
        hash_add(h, "\n", 1);
        c.n++;
    }
    hash_finish(h, c.digest);
    *ret = c;
    return true;
}

bool catalogue_digest(struct pg *db, char ret[SHA256_HEX_BYTES], struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct catalogue c;
    if (!catalogue_read(db, a, &c, e))
        return false;
    (void)snprintf(ret, SHA256_HEX_BYTES, "%s", c.digest);
    return true;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The lines of a catalogue in byte order: they come in order of kind and identity, which is not the
 * same. */
static const char **sorted(struct arena *a, const struct catalogue *c)
{
    const char **lines = ARENA_ARRAY(a, const char *, c->n + 1);
    for (size_t i = 0; i < c->n; i++)
        lines[i] = c->lines[i];
    if (c->n > 1)
        qsort(lines, c->n, sizeof *lines, by_text);
    return lines;
}

void catalogue_diff(struct arena *a, const struct catalogue *before, const struct catalogue *after,
                    const char ***ret, size_t *ret_count)
{
    VEC(const char *) list = { 0 };
    const char **x = sorted(a, before), **y = sorted(a, after);
    size_t i = 0, k = 0;
    while (i < before->n || k < after->n) {
        int order = i == before->n ? 1 : k == after->n ? -1 : strcmp(x[i], y[k]);
        if (order < 0)
            *vec_add(&list, a) = arena_printf(a, "- %s", x[i]);
        else if (order > 0)
            *vec_add(&list, a) = arena_printf(a, "+ %s", y[k]);
        i += order <= 0;
        k += order >= 0;
    }
    *ret = list.v;
    *ret_count = list.n;
}
