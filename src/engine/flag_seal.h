/*
 * What a release still owes its flags when its code is live: the list of flags that this code knows,
 * marks on those that it knows no more, and changes that waited for it.
 */
#ifndef LOCKFLIGHT_ENGINE_FLAG_SEAL_H
#define LOCKFLIGHT_ENGINE_FLAG_SEAL_H

#include "engine/release.h"

#define FLAGS_PHASE "flags"
#define FLAGS_KIND  "flags"
#define FLAGS_KEY   "definitions"

/* A part of sealing. May be called again. */
bool flag_seal(struct release *r, struct err *e) MUST_USE;

/* After the release is recorded as live: schedules that waited for its content are written down, the
 * first variant of a flag that begins as something else than off among them. Only a convenience:
 * readers count them in from the record on, and whoever writes next would do the same. */
void flag_seal_waiting(struct release *r);

/* The release, as the one who writes. */
struct flag_author flag_seal_author(struct release *r);

#endif
