/*
 * /auth/v1: a minimal sign-in for the users in auth.users, in the shapes that supabase-js reads. It
 * is not GoTrue: no sign-up, no e-mail, no external providers, no second factor. What it does it
 * does properly: bcrypt in the database, refresh tokens that rotate, reuse that ends the session,
 * slow guessing.
 */
#ifndef LOCKFLIGHT_LOCAL_AUTH_H
#define LOCKFLIGHT_LOCAL_AUTH_H

#include "local/platform.h"
#include "net/server/request.h"

struct auth *auth_new(struct platform_environment *env);
void auth_free(struct auth *auth); /* accepts NULL */

/* Closes idle connections, because the database is about to be replaced. */
void auth_disconnect(struct auth *auth);

/* Answers a request below /auth/v1. On the loop thread. */
void auth_serve(struct auth *auth, struct request *r);

#endif
