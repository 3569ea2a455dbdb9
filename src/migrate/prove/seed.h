/*
 * Synthetic rows: a few per table, of the right types, in the order of the foreign keys, within the
 * constraints where that can be guessed. A proof without rows would believe everybody.
 *
 * Values come from the catalogue: the type, the labels of an enum, the constants in CHECK constraints,
 * the rows of the table that a foreign key points to. A row that is refused is tried again with other
 * values, then with only what must be given. Tables that nothing helps are told, not hidden.
 */
#ifndef LOCKFLIGHT_MIGRATE_SEED_H
#define LOCKFLIGHT_MIGRATE_SEED_H

#include "base/vec.h"
#include "migrate/prove/seed_value.h"
#include "provider/pg.h"

struct seed_report {
    size_t rows;
    VEC(const char *) untouched; /* "public.t: why": empty tables that could not be filled */
};

/* Inserts rows into these tables and, before them, into the tables they refer to. Needs an open
 * transaction. */
bool seed_tables(struct pg *db, struct arena *a, const struct seed_spec *spec,
                 struct seed_report *ret, struct err *e) MUST_USE;

#endif
