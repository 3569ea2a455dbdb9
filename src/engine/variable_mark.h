/*
 * How the journal remembers a value without keeping it, and how a mark is recognised again.
 *
 *     { "digest": sha256 }                                  of a value that is no secret, or whose
 *                                                           source is outside the repository
 *     { "fingerprint": hex, "key": generation, "revision"?: n }   of one from the secrets file
 *
 * A bare digest of a short secret can be guessed. A fingerprint is keyed with the file's data key;
 * after a rotation the revision tells instead.
 */
#ifndef LOCKFLIGHT_ENGINE_VARIABLE_MARK_H
#define LOCKFLIGHT_ENGINE_VARIABLE_MARK_H

#include "base/json.h"
#include "engine/target.h"

enum mark_verdict {
    MARK_SAME,
    MARK_OTHER,
    MARK_UNKNOWN, /* there is no key here, or no such revision, to tell it with */
};

/* The mark of the value with this SHA-256. The caller owns it. */
json_t *variable_mark(const struct variable_spec *spec, const char *sha256);

/* Is the value with this SHA-256 the one that was marked? */
enum mark_verdict variable_mark_is(struct target *t, const char *name, const json_t *mark,
                                   const char *sha256);

#endif
