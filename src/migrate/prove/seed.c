/*
 * Synthetic rows: see seed.h. seed.sql reads what there is to know, in an order in which referred tables
 * come first; seed_value.c guesses one value; here rows are tried.
 */
#include "migrate/prove/seed.h"

#include "base/cleanup.h"
#include "base/limits.h"
#include "base/strbuf.h"
#include "migrate/prove/seed_value.h"

#include <stdio.h>

extern const char seed_sql[];

#define TRIES_FULL    6 /* with all columns, other values each time */
#define TRIES_MINIMAL 4 /* with only what must be given */
#define TRIES         (TRIES_FULL + TRIES_MINIMAL)

struct seed_table {
    const char *name;
    const struct seed_spec *spec;
    struct seed_column *columns;
    size_t n;
};

static struct seed_column column_of(const struct pg_rows *r, size_t i, unsigned position)
{
    return (struct seed_column){
        .position = position,
        .name = pg_value(r, i, 1),
        .is_required = pg_bool(r, i, 2),
        .is_made = pg_bool(r, i, 3),
        .counts = pg_bool(r, i, 4),
        .has_default = pg_bool(r, i, 5),
        .type = pg_value(r, i, 6),
        .base_name = pg_value(r, i, 7),
        .kind = pg_value(r, i, 8)[0],
        .category = pg_value(r, i, 9)[0],
        .base_type = pg_value(r, i, 10),
        .element_name = pg_value(r, i, 11),
        .element_type = pg_value(r, i, 12),
        .labels = pg_value(r, i, 13),
        .checks = pg_value(r, i, 14),
        .target = pg_value(r, i, 15),
        .target_column = pg_value(r, i, 16),
        .is_self = pg_bool(r, i, 17),
        .range_of = pg_value(r, i, 18),
        .is_unique = pg_bool(r, i, 19),
    };
}

/* INSERT INTO t (columns) VALUES (…), as this try would have it. */
static const char *statement(struct arena *a, const struct seed_table *t, unsigned row,
                             unsigned attempt)
{
    CLEANUP(strbuf) struct strbuf names = strbuf_init(1 * MIB);
    CLEANUP(strbuf) struct strbuf values = strbuf_init(4 * MIB);
    bool is_minimal = attempt >= TRIES_FULL;
    unsigned variant = is_minimal ? attempt - TRIES_FULL : attempt;
    for (size_t i = 0; i < t->n; i++) {
        const struct seed_column *c = &t->columns[i];
        if (c->is_made || c->counts || (is_minimal && (c->has_default || !c->is_required)))
            continue;
        const char *value = seed_value(a, c, t->spec, row, variant);
        if (!value)
            continue;
        strbuf_printf(&names, "%s%s", names.n ? ", " : "", c->name);
        strbuf_printf(&values, "%s%s", values.n ? ", " : "", value);
    }
    if (names.n == 0)
        return arena_printf(a, "INSERT INTO %s DEFAULT VALUES", t->name);
    return arena_printf(a, "INSERT INTO %s (%s) VALUES (%s)", t->name, strbuf_text(&names),
                        strbuf_text(&values));
}

/* One table being filled. */
struct filling {
    struct pg *db;
    struct arena *a;
    const struct seed_table *t;
    unsigned attempt; /* where to begin: what worked for the row before */
    bool is_done;     /* the row is in */
    struct err why;   /* or the refusal that says most */
};

static bool insert_row(struct filling *f, unsigned row, struct err *e)
{
    unsigned first = f->attempt;
    f->is_done = false;
    for (unsigned attempt = first; attempt < TRIES && !f->is_done; attempt++) {
        struct err refusal = { 0 };
        if (!pg_exec(f->db, "SAVEPOINT lockflight_seed", PG_NONE, NULL, e))
            return false;
        f->is_done = pg_exec(f->db, statement(f->a, f->t, row, attempt), PG_NONE, NULL, &refusal);
        if (!f->is_done && refusal.code != ERR_DB) {
            *e = refusal;
            return false;
        }
        if (!f->is_done && (attempt == first || attempt == TRIES_FULL))
            f->why = refusal;
        if (!pg_exec(f->db, f->is_done ? "RELEASE lockflight_seed" : "ROLLBACK TO lockflight_seed",
                     PG_NONE, NULL, e))
            return false;
        f->attempt = attempt;
    }
    return true;
}

static bool is_empty(struct pg *db, struct arena *a, const char *table, bool *ret, struct err *e)
{
    struct pg_rows r;
    if (!pg_query(db, a, arena_printf(a, "SELECT NOT EXISTS (SELECT FROM %s)", table), PG_NONE, &r,
                  e))
        return false;
    *ret = pg_bool(&r, 0, 0);
    return true;
}

static bool seed_table(struct pg *db, struct arena *a, const struct seed_table *t,
                       struct seed_report *report, struct err *e)
{
    struct filling f = { .db = db, .a = a, .t = t, .is_done = true };
    size_t rows = 0;
    for (unsigned i = 0; i < SEED_ROWS && f.is_done; i++) {
        if (!insert_row(&f, t->spec->from + i, e))
            return err_wrap(e, "put rows into %s", t->name);
        rows += f.is_done;
    }
    report->rows += rows;
    bool empty = rows == 0;
    if (empty) {
        struct err ignored = { 0 };
        if (!pg_exec(db, "SAVEPOINT lockflight_seed", PG_NONE, NULL, e))
            return false;
        if (!is_empty(db, a, t->name, &empty, &ignored))
            empty = true;
        if (!pg_exec(db, "ROLLBACK TO lockflight_seed", PG_NONE, NULL, e))
            return false;
    }
    if (empty)
        *vec_add(&report->untouched, a) = arena_printf(a, "%s: %s", t->name, f.why.why);
    return true;
}

bool seed_tables(struct pg *db, struct arena *a, const struct seed_spec *spec,
                 struct seed_report *ret, struct err *e)
{
    struct pg_rows r;
    *ret = (struct seed_report){ 0 };
    if (spec->n == 0)
        return true;
    if (!pg_query(db, a, seed_sql, PG_PARAMS(pg_text_array(a, spec->oids, spec->n)), &r, e))
        return err_wrap(e, "look at the tables to fill");
    for (size_t i = 0, next; i < r.n; i = next) {
        struct seed_table t = { .name = pg_value(&r, i, 0), .spec = spec };
        for (next = i; next < r.n && streq(pg_value(&r, next, 0), t.name); next++)
            t.n++;
        t.columns = ARENA_ARRAY(a, struct seed_column, t.n);
        for (size_t k = 0; k < t.n; k++)
            t.columns[k] = column_of(&r, i + k, (unsigned)k);
        if (!seed_table(db, a, &t, ret, e))
            return false;
    }
    return pg_exec(db, "SET CONSTRAINTS ALL IMMEDIATE", PG_NONE, NULL, e);
}
