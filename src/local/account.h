/*
 * Who the platform runs as. Started by root, it runs as the system user `lockflight`, who owns the
 * state and nothing else; started by anybody else it runs as that person.
 */
#ifndef LOCKFLIGHT_LOCAL_ACCOUNT_H
#define LOCKFLIGHT_LOCAL_ACCOUNT_H

#include "base/arena.h"

#define ACCOUNT_NAME "lockflight"

/* As root: makes the user if it is missing, and the folders, owned by it, with parents that it can
 * pass. Otherwise: makes the folders. */
bool account_prepare(struct arena *a, const char *state_dir, const char *run_dir,
                     struct err *e) MUST_USE;

/* As root: becomes that user for good, checked. Otherwise nothing. */
bool account_become(struct err *e) MUST_USE;

#endif
