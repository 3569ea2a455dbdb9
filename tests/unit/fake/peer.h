/*
 * A scripted HTTP peer: a real server on loopback that is told, request by request, what to expect
 * and how to behave. The client under test runs whole, wire included.
 *
 *     struct peer *p = peer_start((struct peer_step[]){
 *         { "GET /a", .status = 429, .headers = "Retry-After: 2\r\n" },
 *         { "GET /a", .status = 200, .body = "{}" },
 *     }, 2);
 *     … the client does its work at peer_url(p) …
 *     peer_stop(p);   fails the test if a step was not used or a request was not as expected
 *
 * Steps are taken in the order in which requests arrive. With parallel requests use peer_start_with
 * and a function that answers by what is asked.
 */
#ifndef LOCKFLIGHT_TESTS_FAKE_PEER_H
#define LOCKFLIGHT_TESTS_FAKE_PEER_H

#include <stdbool.h>
#include <stddef.h>

enum peer_act {
    PEER_ANSWER,
    PEER_STALL,       /* reads the request, never answers */
    PEER_CUT,         /* promises the whole body, sends half, closes */
    PEER_CLOSE,       /* reads the request, closes without a byte */
    PEER_RESET,       /* the same with a reset */
    PEER_DRIP,        /* answers a byte at a time, until the client has had enough */
    PEER_CLOSE_AFTER, /* answers, then closes the connection although it promised to keep it */
};

struct peer_step {
    const char *expect; /* "POST /path?query": what the request line begins with; NULL: anything */
    const char *expect_text; /* what head or body must contain; NULL: nothing */
    int status;              /* 0: 200 */
    const char *headers;     /* further ones, each with \r\n; NULL: none */
    const char *body;        /* NULL: empty */
    enum peer_act act;
    size_t body_bytes; /* of `body`; 0: as text. Without a body: that many blanks are sent */
};

struct peer_request {
    char *line; /* "GET /path HTTP/1.1" */
    char *head; /* with the line */
    char *body;
    size_t body_bytes;
};

struct peer;

struct peer *peer_start(const struct peer_step *steps, size_t n);

/* Answers are the function's; it is called under a lock. Returned texts
 * live until the next call. */
struct peer *peer_start_with(struct peer_step (*answer)(void *context,
                                                        const struct peer_request *r),
                             void *context);

const char *peer_url(const struct peer *p);
size_t peer_count(struct peer *p); /* requests so far */
const struct peer_request *peer_seen(struct peer *p, size_t i);
size_t peer_connections(struct peer *p); /* accepted so far */
void peer_stop(struct peer *p);

/* ---- peers that do not get as far as a request ---- */

enum bad_peer {
    BAD_PEER_RESETS,  /* accepts and resets at once */
    BAD_PEER_BABBLES, /* accepts and says something that is neither TLS nor HTTP */
    BAD_PEER_FULL,    /* its queue is full: no connection is ever made */
};

/* The port of one, on 127.0.0.1; it lives until bad_peer_stop. */
struct bad_peer_server;
struct bad_peer_server *bad_peer_start(enum bad_peer how);
int bad_peer_port(const struct bad_peer_server *b);
void bad_peer_stop(struct bad_peer_server *b);

/* An address at which nobody listens. Lives until the next call. */
const char *peer_nowhere(void);

#endif
