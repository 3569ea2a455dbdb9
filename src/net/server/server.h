/*
 * The HTTP/1.1 server: a few loop threads, each with an epoll of its own, that never block, and a
 * small pool of workers for what does (SQL, hashing, disk).
 *
 * LIFE     server_new → server_listen (once per port; may be done while still root) → server_start
 *          → … → server_drain → server_free. A listener has one handler; what it does with the
 *          paths below it is its own business (route.h helps).
 *
 * THREADS  A handler is called on a loop thread and must not block. It answers (request.h), or asks
 *          for the body, or moves to the pool, or passes the request on to an upstream
 *          (upstream.h). A request belongs to one thread at a time, so it needs no lock; shared
 *          data is the handler's.
 *
 * STRICT   The parser is llhttp in strict mode; on top of it a head with folded lines, bare LF, no
 *          or two Hosts, control bytes, a path that leaves the root, or more than the limits allow
 *          is answered 400 (414, 431) and the connection closed. Upgrade and CONNECT are refused.
 */
#ifndef LOCKFLIGHT_NET_SERVER_SERVER_H
#define LOCKFLIGHT_NET_SERVER_SERVER_H

#include "base/str.h"

struct server;
struct request;

/* Called on a loop thread when the head of a request is complete. Never blocks. */
typedef void (*request_fn)(struct request *r, void *context);

/* Called by the server when a timer or a posted job is due. */
typedef void (*server_fn)(void *context);

/* Zero in any field takes the default given here (base/limits.h says why). */
struct server_spec {
    unsigned loops;           /* loop threads; default: cores, at most 4 */
    unsigned workers;         /* threads of the pool; default 4 */
    unsigned max_connections; /* default 4096; further ones wait in the kernel's queue */
    int head_timeout_ms;      /* a head must be complete after; default 10 s */
    int idle_timeout_ms;      /* keep-alive connections may idle; default 60 s */
    const char *server_name;  /* the Server header; default: none is sent */
};

struct server *server_new(const struct server_spec *spec);

/* Binds host:port (numeric address; port 0 picks one) and names the handler of all its requests.
 * ERR_CONFLICT if the port is taken. `ret_port` (may be NULL) receives the port. Before or after
 * start. */
bool server_listen(struct server *s, const char *host, int port, request_fn handler, void *context,
                   int *ret_port, struct err *e) MUST_USE;

/* True if one of the listeners has that port. Any thread. */
bool server_has_port(struct server *s, int port);

/* Starts loops and workers. SIGPIPE is ignored from here on. */
bool server_start(struct server *s, struct err *e) MUST_USE;

/* Stops accepting, closes idle connections, lets running requests finish for at most timeout_ms.
 * Returns how many were cut off. */
unsigned server_drain(struct server *s, int timeout_ms);

/* True from the beginning of the drain on: long work on the pool should stop. Any thread. */
bool server_is_draining(struct server *s);

/* Stops the threads and frees everything. Accepts NULL and a server that never started. */
void server_free(struct server *s);

/* ---- Work for the pool and the clock --------------------------------------------------------- */

/* Runs fn(context) on a pool worker. */
void server_work(struct server *s, server_fn fn, void *context);

/* Runs fn(context) on a pool worker after `ms`, once. */
void server_after(struct server *s, int64_t ms, server_fn fn, void *context);

/* ---- Figures --------------------------------------------------------------------------------- */

struct server_figures {
    uint64_t requests;    /* answered since start */
    uint64_t refused;     /* heads refused as malformed or too large */
    unsigned connections; /* open now */
    unsigned in_flight;   /* requests being worked on now */
};

struct server_figures server_figures(struct server *s);

#endif
