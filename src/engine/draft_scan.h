/*
 * What the built site of this release must not contain, and the search for it.
 */
#ifndef LOCKFLIGHT_ENGINE_DRAFT_SCAN_H
#define LOCKFLIGHT_ENGINE_DRAFT_SCAN_H

#include "engine/release.h"
#include "site/artefact.h"

/* ERR_BLOCKED if the site holds a secret of this environment or, as far as this machine has them, of
 * another one; a credential of a release; a secret of a known provider; or an address that would be
 * wrong where these bytes go. What [allow.<name>] names passes. */
bool draft_scan(struct release *r, const struct artefact *artefact, struct err *e) MUST_USE;

#endif
