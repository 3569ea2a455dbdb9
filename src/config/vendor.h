/*
 * The vendors' own files, read where their owners keep them. Keys that a deployer does not need are
 * passed over; a missing file is no error.
 */
#ifndef LOCKFLIGHT_CONFIG_VENDOR_H
#define LOCKFLIGHT_CONFIG_VENDOR_H

#include "config/config.h"
#include "config/origin.h"

/* netlify.toml at c->paths.netlify, with [context.production] laid over [build]. */
bool netlify_config_load(struct config *c, struct origins *origins, struct netlify_config *ret,
                         struct err *e) MUST_USE;

/* c->paths.supabase/config.toml and the folders of functions, with [remotes.<remote>] laid over
 * (NULL: none). With `ret_remotes` also the list of remotes. */
bool supabase_config_load(const struct config *c, struct origins *origins, const char *remote,
                          struct supabase_config *ret, struct err *e) MUST_USE;
bool supabase_remotes_load(const struct config *c, struct origins *origins,
                           struct config_remote **ret, size_t *ret_n, struct err *e) MUST_USE;

/* What children do not get: the credentials of every environment, and where its secrets come from. */
void environment_hide(const struct config *c);

/* Path as shown in errors: relative to the project where it is inside it. */
const char *config_shown_path(const struct config *c, const char *path);

#endif
