/*
 * Names, tokens, keys and ports of a platform: made once, at random, and kept in platform.json.
 */
#ifndef LOCKFLIGHT_LOCAL_IDENTITY_H
#define LOCKFLIGHT_LOCAL_IDENTITY_H

#include "config/local_state.h"

/* What platform.json says, or a fresh identity if there is none. */
bool identity_load(struct arena *a, const char *state_dir, const char *project,
                   struct local_platform *ret, struct err *e) MUST_USE;

/* The environment of that name as it was kept; made if it is new. `env` texts live in `a`. Its port
 * is 0 when new; url and database are set by identity_finish. */
void identity_environment(struct arena *a, const struct local_platform *p, const char *name,
                          struct local_environment *ret);

/* A fresh one for a project made over the API; its name is its ref. */
void identity_created(struct arena *a, const char *title, const char *region, const char *password,
                      struct local_environment *ret);

/* Sets url and database, which follow from ports, password and the database's name. */
void identity_finish(struct arena *a, const struct local_platform *p, const char *password,
                     const char *database, struct local_environment *env);

/* The password of role postgres, kept in <state>/password; made at the first call. */
bool identity_password(struct arena *a, const char *state_dir, const char **ret,
                       struct err *e) MUST_USE;

int identity_api_port(const struct local_platform *p); /* 0: none yet */

#endif
