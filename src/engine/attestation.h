/*
 * Attestations: "this content was proved here", a row in the database of the environment that
 * proved it, read by the environment that requires it. Bound to digests, never to a branch or a
 * release name.
 */
#ifndef LOCKFLIGHT_ENGINE_ATTESTATION_H
#define LOCKFLIGHT_ENGINE_ATTESTATION_H

#include "base/json.h"
#include "engine/lease.h"

struct attestation {
    const char *environment; /* who proved it */
    const char *release_id, *release_name;
    const char *source_digest; /* SHA-256, hex */
    const char *artefact_digest;
    const char *claims; /* JSON object: tests, checks, permalink, requires … */
    const char *created_by;
    int64_t created_unix_ms;
};

/* How long proved content lay in the environment without anything else in between: the last time that
 * it did. By that database's clock. */
struct attestation_stay {
    int64_t for_ms;
    const char *followed_by; /* the release that came after it; NULL: it lies there now */
};

/* Writes one, under the lease. The same content may be proved many times; the newest counts.
 * created_unix_ms is the database's clock. */
bool attestation_write(struct lease *l, const struct attestation *x, struct err *e) MUST_USE;

/* The newest for this source digest, whatever the artefact. Without the schema there is none. */
bool attestation_find(struct pg *db, struct arena *a, const char *environment,
                      const char *source_digest, struct attestation *ret, bool *ret_found,
                      struct err *e) MUST_USE;

bool attestation_stay(struct pg *db, struct arena *a, const struct attestation *x,
                      struct attestation_stay *ret, struct err *e) MUST_USE;

/* The newest of the environment: for "waiting" in status. */
bool attestation_newest(struct pg *db, struct arena *a, const char *environment,
                        struct attestation *ret, bool *ret_found, struct err *e) MUST_USE;

#endif
