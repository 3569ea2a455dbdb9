/*
 * The catalogue as text, one line per object, and its digest: equal digests mean equal schemas.
 *
 * Covers schemas, extensions, types, tables, columns, constraints, indexes, sequences, views,
 * functions and aggregates, triggers, rules, policies, grants, default privileges, statistics,
 * publications, event triggers, operators and their classes, casts, collations, conversions,
 * languages, foreign data, text search, transforms, and comments on all of them. Leaves out system
 * schemas, temporary objects, what belongs to an extension, lockflight, lockflight_gone,
 * lockflight_undo and supabase_migrations. No OIDs, names qualified, order fixed; comparable within
 * one major version of the server.
 *
 * A line says everything that is needed to make the object again. The order of columns is a soft
 * fact: a dropped column that comes back stands last, and that is not another schema. It is read
 * and can be compared, but is not in `lines` and not in the digest.
 */
#ifndef LOCKFLIGHT_MIGRATE_CATALOGUE_H
#define LOCKFLIGHT_MIGRATE_CATALOGUE_H

#include "base/hash.h"
#include "provider/pg.h"

/* Raised whenever the same schema would give another digest than before. Kept beside every digest
 * that is stored, because digests of two algorithms cannot be compared. */
#define DIGEST_ALGORITHM 2

/* Where the server keeps an object: the same for as long as the object lives, whatever it is called.
 */
struct catalogue_key {
    uint32_t catalogue; /* OID of pg_class, pg_proc … */
    uint32_t oid;
    int32_t column; /* 0 for the whole */
};

struct catalogue_object {
    const char *kind;     /* "column", "event trigger" */
    const char *identity; /* qualified and quoted: app.t."Upper" */
    const char *what;     /* JSON */
    struct catalogue_key key;
};

struct catalogue {
    struct catalogue_object *objects;
    const char *
        *lines; /* "kind identity {json}", one for each object, in order of kind, identity */
    size_t n;
    struct catalogue_object *orders; /* "column order", soft */
    size_t order_count;
    char digest[SHA256_HEX_BYTES];
};

bool catalogue_read(struct pg *db, struct arena *a, struct catalogue *ret, struct err *e) MUST_USE;
bool catalogue_digest(struct pg *db, char ret[SHA256_HEX_BYTES], struct err *e) MUST_USE;

/* Lines only in one of the two, with "- " or "+ " before them. */
void catalogue_diff(struct arena *a, const struct catalogue *before, const struct catalogue *after,
                    const char ***ret, size_t *ret_count);

#endif
