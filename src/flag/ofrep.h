/*
 * The flag server: OFREP 1 over HTTP, from one environment's database.
 *
 *     POST /ofrep/v1/evaluate/flags          all flags for a context; ETag, If-None-Match
 *     POST /ofrep/v1/evaluate/flags/<key>    one
 *     GET  /ofrep/v1/stream                  server-sent events: another version is there
 *     OPTIONS                                for browsers of other origins
 *
 * Answered on the loop thread: nothing blocks but a request that must see a version which has not
 * come yet (flagConfigEtag), and that one is suspended.
 *
 * STATUS   200, 304 (no body) · 400 the context · 401, 403 the token · 404 path or flag · 405 · 413
 *          body over 64 KiB · 429 with Retry-After in whole seconds · 503 no flags were loaded yet.
 *          Whatever is not about a flag says {"errorDetails":…}.
 *
 * CALLS    ofrep_open → ofrep_serve … → ofrep_stop → (the HTTP server is drained and freed) →
 *          ofrep_free
 */
#ifndef LOCKFLIGHT_FLAG_OFREP_H
#define LOCKFLIGHT_FLAG_OFREP_H

#include "flag/caller.h"
#include "flag/live.h"
#include "net/server/request.h"

struct ofrep;

#define OFREP_PREFIX "/ofrep"
#define OFREP_PER_MINUTE                                                                           \
    20000 /* of one address or one token: an office behind one address is many */

struct ofrep_spec {
    const char *name;     /* of the environment, for the trace */
    const char *url;      /* of its database, direct */
    const char *database; /* instead of the one the URL names; NULL: that one */
    struct caller_rules callers;
    unsigned per_minute; /* 0: no limit */
};

/* Starts to watch the database and returns at once. The texts must outlive it. */
bool ofrep_open(const struct ofrep_spec *spec, struct ofrep **ret, struct err *e) MUST_USE;

/* Any request below OFREP_PREFIX. On the loop. */
void ofrep_serve(struct ofrep *o, struct request *r);

/* What it answers from, for readiness. */
struct flag_live *ofrep_live(struct ofrep *o);

/* Ends the event streams, so that a drain need not wait for them, and looks at the database no more.
 * Requests are answered still. */
void ofrep_stop(struct ofrep *o);

/* No request is at work any more, or will come. Accepts NULL. */
void ofrep_free(struct ofrep *o);

#endif
