/*
 * How the commands speak to the daemon: a unix socket in the run folder, one JSON line each way.
 *
 *     {"do":"up","program":"…","environments":[{"name":"staging", …}]}
 *     {"do":"status"}   {"do":"down"}   {"do":"reset","environment":"staging"}
 *
 *     {"ok":true, …}
 *     {"ok":true,"is_other_build":true}     to "up": start me anew
 *     {"ok":false,"error":{"code":"conflict","why":"…","hint":"…"}}
 */
#ifndef LOCKFLIGHT_LOCAL_CONTROL_H
#define LOCKFLIGHT_LOCAL_CONTROL_H

#include "base/arena.h"

#include <jansson.h>

#define CONTROL_LINE_BYTES ((size_t)256 * 1024)

/* The daemon's end. */
bool control_listen(const char *run_dir, int *ret_fd, struct err *e) MUST_USE;
bool control_receive(int fd, json_t **ret, struct err *e) MUST_USE;
bool control_send(int fd, json_t *message, struct err *e) MUST_USE; /* takes the reference */

/* The commands' end: connects, asks, waits. ERR_NET if no daemon listens. Takes the reference to
 * `request`; an answer with ok = false becomes *e. */
bool control_ask(const char *run_dir, json_t *request, int timeout_ms, json_t **ret,
                 struct err *e) MUST_USE;

/* Which file this process was started from: equal texts are the same build. Lives in the arena. */
char *control_program(struct arena *a);

/* True if the answer says ok; else its error in *e. */
bool control_check(const json_t *answer, struct err *e) MUST_USE;

/* {"ok":false,"error":…} of an error. */
json_t *control_refusal(const struct err *e);

#endif
