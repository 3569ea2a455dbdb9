/*
 * Migration files as they lie in the project: supabase/migrations/<version>_<name>.sql, and their
 * reverse scripts supabase/rollbacks/<version>_<name>.sql.
 *
 * Names and order are the Supabase CLI's: version is a text of digits, files in byte order of their
 * names. What the CLI skips with a warning is skipped here and listed. Files must be UTF-8; a byte
 * order mark is dropped for execution; line ends stay as they are. Digests are of the bytes of the
 * file.
 */
#ifndef LOCKFLIGHT_MIGRATE_MIGRATION_H
#define LOCKFLIGHT_MIGRATE_MIGRATION_H

#include "base/arena.h"
#include "base/hash.h"
#include "base/str.h"

struct migration {
    const char *version;
    const char *name;
    const char *file; /* path as opened: "supabase/migrations/2026…_crm.sql" */
    struct str sql;   /* without byte order mark */
    const char *sha256;
    const char *reverse_file; /* where the reverse script is, or would be */
    bool has_reverse;
    struct str reverse_sql;
    const char *reverse_sha256; /* NULL without one */
};

struct migration_set {
    struct migration *v; /* in order of version (text, bytewise) */
    size_t n;
    const char **skipped; /* sentences for the user: files whose names do not match */
    size_t skipped_count;
};

/* Reads both folders. A missing migrations folder is an empty set. ERR_CONFIG for two files of one
 * version, a reverse script without its migration, or bytes that are not UTF-8; ERR_LIMIT for size
 * and number. */
bool migration_read(struct arena *a, const char *migrations_dir, const char *reverse_dir,
                    struct migration_set *ret, struct err *e) MUST_USE;

/* NULL if there is none. */
const struct migration *migration_find(const struct migration_set *set, const char *version);

/* Creates <dir>/<UTC yyyymmddhhmmss>_<name>.sql and the empty reverse script beside; ERR_USAGE for
 * a name that is not [A-Za-z0-9_-]+, ERR_CONFLICT if there is such a file. */
bool migration_create(struct arena *a, const char *migrations_dir, const char *reverse_dir,
                      const char *name, struct migration *ret, struct err *e) MUST_USE;

#endif
