/*
 * What a release still owes its flags when its code is live: the list of flags that this code knows,
 * marks on those that it knows no more, and the first variant of those that were created before
 * what they need was live.
 */
#ifndef LOCKFLIGHT_ENGINE_FLAG_SEAL_H
#define LOCKFLIGHT_ENGINE_FLAG_SEAL_H

#include "engine/release.h"

#define FLAGS_PHASE "flags"
#define FLAGS_KIND  "flags"
#define FLAGS_KEY   "definitions"

/* A part of sealing. May be called again. */
bool flag_seal(struct release *r, struct err *e) MUST_USE;

/* After the release is recorded as live, because nothing is switched on before: what was created in
 * this environment as something else than off, and schedules that waited for the content. What
 * cannot be switched stays off and is said. */
void flag_seal_initial(struct release *r);

/* The release, as the one who writes. */
struct flag_author flag_seal_author(struct release *r);

#endif
