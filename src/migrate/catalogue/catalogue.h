/*
 * The catalogue as text, one line per object, and its digest: equal digests mean equal schemas.
 *
 * Covers schemas, extensions, types, tables, columns, constraints, indexes, sequences, views,
 * functions, triggers, rules, policies, grants, default privileges, publications, event triggers
 * and comments. Leaves out system schemas, temporary objects, lockflight, lockflight_gone,
 * lockflight_undo and supabase_migrations. No OIDs, names qualified, order fixed; comparable within
 * one major version of the server.
 */
#ifndef LOCKFLIGHT_MIGRATE_CATALOGUE_H
#define LOCKFLIGHT_MIGRATE_CATALOGUE_H

#include "base/hash.h"
#include "provider/pg.h"

struct catalogue {
    const char **lines; /* "kind identity {json}", sorted bytewise */
    size_t n;
    char digest[SHA256_HEX_BYTES];
};

bool catalogue_read(struct pg *db, struct arena *a, struct catalogue *ret, struct err *e) MUST_USE;
bool catalogue_digest(struct pg *db, char ret[SHA256_HEX_BYTES], struct err *e) MUST_USE;

/* Lines only in one of the two, with "- " or "+ " before them. */
void catalogue_diff(struct arena *a, const struct catalogue *before, const struct catalogue *after,
                    const char ***ret, size_t *ret_count);

#endif
