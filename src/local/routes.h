/*
 * Which handler answers which path, on the API's port and on each environment's port.
 */
#ifndef LOCKFLIGHT_LOCAL_ROUTES_H
#define LOCKFLIGHT_LOCAL_ROUTES_H

#include "local/platform.h"

/* Binds the API's port: `preferred`, or the next free one. Sets api_port and the addresses of
 * p->id. */
bool routes_listen_api(struct platform *p, int preferred, struct err *e) MUST_USE;

/* Binds an environment's port: the one it had if that is free, else the next free one, and sets
 * env->id.port. Requests are answered 503 until env->is_ready. */
bool routes_listen(struct platform *p, struct platform_environment *env, struct err *e) MUST_USE;

#endif
