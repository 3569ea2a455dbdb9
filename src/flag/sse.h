/*
 * The event stream of a flag server: "there is another version, fetch again", and nothing else. What
 * the version holds is never pushed, so a stream needs no token and may be cut at any time.
 *
 *     retry: 2000
 *
 *     id: 812.0
 *     event: message
 *     data: {"type":"refetchEvaluation","etag":"812"}
 *
 * Whoever connects is told the current version, unless it says (Last-Event-ID) that it knows it; so
 * a reconnect needs no replay. The id has the next scheduled change in it, because a schedule that
 * falls due changes answers without a new version. A comment every 20 s keeps proxies from closing,
 * and at most one event goes out per 100 ms.
 */
#ifndef LOCKFLIGHT_FLAG_SSE_H
#define LOCKFLIGHT_FLAG_SSE_H

#include "flag/snapshot.h"
#include "net/server/request.h"

struct sse;

struct sse *sse_new(void);
void sse_free(struct sse *s); /* accepts NULL; its streams have been ended */

/* Answers `r` with a stream. False, and nothing is answered, when there are too many. On the loop. */
bool sse_serve(struct sse *s, struct request *r, const struct flag_snapshot *now) MUST_USE;

/* Tells what is to be told now; milliseconds until the next call is due, or until it changes. */
int64_t sse_pulse(struct sse *s, const struct flag_snapshot *now);

/* Ends all streams and takes no new ones: before a drain. */
void sse_end(struct sse *s);

#endif
