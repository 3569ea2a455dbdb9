/*
 * Proofs that are kept: rows of lockflight.proofs, keyed by the bytes of both files, the major version
 * of the server and the algorithm of the digest. A file that changes by one byte has no proof.
 */
#ifndef LOCKFLIGHT_MIGRATE_PROOF_RECORD_H
#define LOCKFLIGHT_MIGRATE_PROOF_RECORD_H

#include "migrate/prove/proof.h"

/* Keeps a proof that holds (assert), or renews it. `by`: who proved. */
bool proof_record(struct pg *db, struct arena *a, const struct proof *p, const char *by,
                  struct err *e) MUST_USE;

struct proof_row {
    bool is_found;
    char loss;
    const char *proved_by;
    int64_t proved_unix_ms;
    bool has_locks;
    struct trace locks; /* what the migration did to tables, measured then */
};

/* Looks for the proofs of pairs for a server of this major version: ret[i] is that of v[i]. A database
 * without our schema, or with an older one, has none. */
bool proof_find(struct pg *db, struct arena *a, const struct migration *const *v, size_t n,
                int server_major, struct proof_row *ret, struct err *e) MUST_USE;

/* Writes the proven class beside what is applied, where it is not known yet. */
bool proof_mark_applied(struct pg *db, struct err *e) MUST_USE;

#endif
