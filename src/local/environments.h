/*
 * The environments of a running platform: brought up when `local up` names them, looked after,
 * reset. All calls are from the daemon's main thread.
 */
#ifndef LOCKFLIGHT_LOCAL_ENVIRONMENTS_H
#define LOCKFLIGHT_LOCAL_ENVIRONMENTS_H

#include "local/platform.h"

/* Brings up those of `wanted` (array of {"name","schemas","search_path","max_rows"}) that do not
 * run yet, then writes platform.json. */
bool environments_up(struct platform *p, const json_t *wanted, struct err *e) MUST_USE;

/* Brings up the created ones that are not ready yet, one after the other. Failures are logged and
 * seen in the project's status. Main thread, like the two below. */
void environments_raise(struct platform *p);

/* A new environment of a project made over the API: it has a port, its identity is written down,
 * and environments_raise will bring it up. */
bool environments_add_created(struct platform *p, struct platform_environment *env,
                              struct err *e) MUST_USE;

/* Takes a created one off: processes, database, its line in platform.json. */
bool environments_remove_created(struct platform *p, struct platform_environment *env,
                                 struct err *e) MUST_USE;

/* Makes one as new: database, functions, secrets and site; names, ports and keys stay. */
bool environments_reset(struct platform *p, const char *name, struct err *e) MUST_USE;

/* Restarts what died. */
void environments_look(struct platform *p);

/* Adds one object per running part to the array `parts`. */
void environments_status(struct platform *p, json_t *parts);

/* Ends what would hold up a drain: the streams of events. */
void environments_quiet(struct platform *p);

void environments_stop(struct platform *p);

/* What requests may hold to their end: after the HTTP server was freed. */
void environments_free(struct platform *p);

#endif
