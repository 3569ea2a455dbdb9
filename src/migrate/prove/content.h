/*
 * The rows of tables, as hashes: whether a migration and its reverse keep what was there.
 *
 * A table's shape is taken before the migration; its rows are always read through the columns of that
 * shape, wherever they are by then and whatever they are called, so that what came since does not
 * count. Rows are a multiset, and those of a table alone, not of its children.
 */
#ifndef LOCKFLIGHT_MIGRATE_CONTENT_H
#define LOCKFLIGHT_MIGRATE_CONTENT_H

#include "provider/pg.h"

struct content_table {
    const char *oid;
    const char *name; /* qualified and quoted */
};

struct content_tables {
    struct content_table *v;
    size_t n;
    struct pg_rows shape; /* OID, number and name of each column */
};

/* The tables of these oids that exist, as they are now. Foreign tables have no rows of ours. */
bool content_tables(struct pg *db, struct arena *a, const char *const *oids, size_t n,
                    struct content_tables *ret, struct err *e) MUST_USE;

struct content {
    struct pg_rows *of; /* one per table */
    bool *is_readable;  /* false: the table, or a column of its shape, is not there any more */
};

/* Reads under a savepoint if a transaction is open. By place: a value of an enum is which label it is,
 * not what that is called. */
bool content_read(struct pg *db, struct arena *a, const struct content_tables *tables, bool by_place,
                  struct content *ret, struct err *e) MUST_USE;

/* Takes the rows of y out of x. */
void content_without(struct arena *a, const struct content_tables *tables, struct content *x,
                     const struct content *y);

/* The columns ("oid.number") in which no row of these tables has a value: whether they lose something
 * cannot be seen. */
bool content_blind(struct pg *db, struct arena *a, const struct content_tables *tables,
                   struct pg_rows *ret, struct err *e) MUST_USE;

/* The first table in which a row of `before` is not found in `after`; NULL if there is none. *ret_rows
 * is how many are missing there. With `exactly`, rows that came count too. */
const char *content_lost(const struct content_tables *tables, const struct content *before,
                         const struct content *after, bool exactly, size_t *ret_rows);

#endif
