/*
 * Before-images and other bytes that an undo needs: function bodies, manifests. Kept by content in
 * lockflight.artifacts, stored before the step whose undo needs them (journal.h, rule).
 */
#ifndef LOCKFLIGHT_ENGINE_ARTIFACT_STORE_H
#define LOCKFLIGHT_ENGINE_ARTIFACT_STORE_H

#include "base/hash.h"
#include "base/limits.h"
#include "engine/lease.h"

/* One artefact: the hosted bundle limit with room for its sources; larger
 * ones are not functions. */
#define LIMIT_ARTIFACT_BYTES (32 * MIB)

/* Stores bytes; equal bytes are stored once. `kind` says what they are: "function.body",
 * "site.manifest". */
bool artifact_put(struct lease *l, const char *kind, struct str bytes,
                  char ret_sha256[SHA256_HEX_BYTES], struct err *e) MUST_USE;

/* ERR_NOT_FOUND, or ERR_DATA if what is stored does not have that digest. */
bool artifact_get(struct pg *db, struct arena *a, const char *sha256, struct str *ret,
                  struct err *e) MUST_USE;

bool artifact_has(struct pg *db, const char *sha256, bool *ret, struct err *e) MUST_USE;

#endif
