/*
 * Upstreams: HTTP/1.1 servers behind ours (a function's process, PostgREST), and the switch between
 * two versions of one that loses no request.
 *
 * An upstream is one version: an address, and connections kept for reuse. A slot is the place a
 * route points at; it holds the current version. upstream_slot_enter counts the request in, in the
 * same instant as it reads which version is current; so after upstream_slot_set returned, the old
 * version's count only falls, and when upstream_in_flight(old) is 0 its process may be stopped:
 *
 *     old = upstream_slot_set(slot, fresh);
 *     upstream_retire(old);
 *     wait until upstream_in_flight(old) == 0 or the deadline;
 *     stop the process; upstream_unref(old);
 *
 * RETRY    A request is sent again, on a new connection, only if the connection was a reused one,
 *          no byte of an answer came, the method is idempotent and there is no body. Never
 *          otherwise.
 */
#ifndef LOCKFLIGHT_NET_SERVER_UPSTREAM_H
#define LOCKFLIGHT_NET_SERVER_UPSTREAM_H

#include "net/server/request.h"

struct upstream;
struct upstream_slot;

struct upstream_spec {
    const char *name;        /* for figures and errors: "whatsapp v12" */
    const char *socket_path; /* a unix socket, else NULL */
    const char *host;        /* numeric address, with port, when socket_path is NULL */
    int port;
    int idle_ms; /* connections kept unused for this long are closed; default 10 s */
};

/* One reference, the caller's. */
struct upstream *upstream_new(const struct upstream_spec *spec);
struct upstream *upstream_ref(struct upstream *u);
void upstream_unref(struct upstream *u);

/* Idle connections are closed, and none is kept any more. Running requests go on. */
void upstream_retire(struct upstream *u);

/* Requests entered and not yet answered in full. Any thread. */
unsigned upstream_in_flight(const struct upstream *u);

/* Requests that got no answer from it, since the start. Any thread. */
unsigned upstream_failures(const struct upstream *u);

struct upstream_slot *upstream_slot_new(void);
void upstream_slot_free(struct upstream_slot *slot);

/* Makes u (may be NULL) current; takes the caller's reference and returns the old one, which the
 * caller now owns (may be NULL). */
struct upstream *upstream_slot_set(struct upstream_slot *slot, struct upstream *u);

/* The current version with a reference of the caller's, not counted in; NULL if there is none. */
struct upstream *upstream_slot_get(struct upstream_slot *slot);

/* The current version, one request counted in; NULL if there is none. Give the result to
 * request_proxy, which counts it out, or to upstream_leave. */
struct upstream *upstream_slot_enter(struct upstream_slot *slot);
void upstream_leave(struct upstream *u);

enum proxy_failure {
    PROXY_NO_CONNECTION, /* it refused, or has gone */
    PROXY_NO_ANSWER,     /* the connection ended before the answer's head */
    PROXY_BAD_ANSWER,    /* not HTTP, or a head over the limits */
    PROXY_LATE,          /* no head of an answer before the deadline */
};

struct proxy_spec {
    const char *target;       /* path and query to ask for; NULL: r->target */
    const struct header *set; /* headers to add; they replace those of the same name */
    size_t set_count;
    const char *const
        *drop;       /* names of request headers to leave out, NULL-terminated; may be NULL */
    int deadline_ms; /* until the answer's head; default 60 s */
    int idle_ms;     /* between two pieces of the answer; default 5 min (SSE) */
    uint64_t max_body_bytes; /* of the request; default 100 MiB */

    /* Called on the loop thread to answer when the upstream did not; NULL: 502 or 504 as JSON. */
    void (*failed)(struct request *r, enum proxy_failure why, void *context);

    /* Called on the loop thread once the status is known, before the head goes out: may add or set
     * headers of the answer with response_header. NULL: not wanted. */
    void (*answered)(struct request *r, int status, void *context);
    void *context;
};

/* Passes the request on. `u` comes from upstream_slot_enter and is counted out at the end. Bodies
 * are streamed both ways. Host is passed on; X-Forwarded-{For,Host,Proto} are set. Call on the loop
 * thread. */
void request_proxy(struct request *r, struct upstream *u, const struct proxy_spec *spec);

#endif
