/*
 * The Edge Functions of one environment: what the management API stores, and the processes that
 * serve it.
 *
 * THE KEEPER   One thread per environment makes the running processes match what is stored: it
 *              starts a version when it is activated or first asked for, switches to it when its
 *              socket accepts, lets the old one finish its requests, starts again what crashed
 *              (with growing pauses), and replaces all when a secret changes. No request is lost by
 *              any of these.
 *
 * BOOT ERRORS  A version that does not come up twice answers 503 BOOT_ERROR, as hosted; the version
 *              before it is not served in its name.
 */
#ifndef LOCKFLIGHT_LOCAL_FUNCTIONS_H
#define LOCKFLIGHT_LOCAL_FUNCTIONS_H

#include "local/bundle.h"
#include "local/platform.h"
#include "local/project.h"
#include "net/server/request.h"

bool functions_open(struct platform_environment *env, const struct bundle_tools *tools,
                    struct functions **ret, struct err *e) MUST_USE;

/* Stops all processes. The server must not send requests any more. Accepts NULL. */
void functions_close(struct functions *f);

struct project *functions_project(struct functions *f);
const struct bundle_tools *functions_tools(struct functions *f);

/* The stored functions or secrets have changed: brings the processes in line, and waits until each
 * changed one serves or has failed to boot. */
void functions_settle(struct functions *f);
void functions_secrets_changed(struct functions *f); /* the same, with fresh environments */

/* Forgets everything: `local reset`. */
bool functions_reset(struct functions *f, struct err *e) MUST_USE;

/* Answers a request below /functions/v1. On the loop thread. */
void functions_serve(struct functions *f, struct request *r);

/* Adds one object per function to the array `parts`. */
void functions_status(struct functions *f, json_t *parts);

#endif
