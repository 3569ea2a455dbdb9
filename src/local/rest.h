/*
 * /rest/v1: one PostgREST process per environment, on a unix socket.
 */
#ifndef LOCKFLIGHT_LOCAL_REST_H
#define LOCKFLIGHT_LOCAL_REST_H

#include "local/platform.h"
#include "net/server/request.h"

/* Starts PostgREST and returns when it answers (its schema cache is loaded). */
bool rest_start(struct platform_environment *env, struct rest **ret, struct err *e) MUST_USE;
void rest_stop(struct rest *r); /* accepts NULL */

/* Ends the process while its database is replaced, and starts it again. In between requests get
 * 503. */
bool rest_pause(struct rest *r, struct err *e) MUST_USE;
bool rest_resume(struct rest *r, struct err *e) MUST_USE;

pid_t rest_pid(const struct rest *r);
bool rest_is_running(struct rest *r);

/* Starts it again if it has died, not more often than once in two seconds. */
void rest_revive(struct rest *r);

/* Answers a request below /rest/v1. On the loop thread. */
void rest_serve(struct platform_environment *env, struct request *r);

#endif
