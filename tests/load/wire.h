/*
 * A blocking HTTP/1.1 client that hides nothing: no retry, no second connection, no patience.
 *
 * The load test counts what a visitor would have noticed, so whatever a friendly client would
 * smooth over (a reset, a connection closed under a request, an answer that stops in the middle) is
 * an error here, with a word for it.
 */
#ifndef LOAD_WIRE_H
#define LOAD_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    WIRE_BODY_MAX = 64 * 1024,
    WIRE_HEAD_MAX = 16 * 1024
};

struct wire {
    int port;     /* on 127.0.0.1 */
    int fd;       /* -1: not connected; the next request connects */
    char *buffer; /* WIRE_HEAD_MAX + WIRE_BODY_MAX bytes, and one for a terminator */
};

struct answer {
    int status;
    const char *body; /* in the wire's buffer, until its next request; ends with a NUL besides */
    size_t body_bytes;
    bool closes;     /* the server said "connection: close" */
    int64_t took_ns; /* from the first byte sent to the last one read */
};

bool wire_init(struct wire *w, int port);
void wire_done(struct wire *w);

/*
 * Sends one request and reads its answer. `headers` is complete lines, each ending in \r\n, or "".
 * Returns NULL, or a short word for what went wrong ("refused", "reset", "cut off", "stalled",
 * "malformed"), after which it is not connected.
 */
const char *wire_request(struct wire *w, const char *method, const char *path, const char *headers,
                         const void *body, size_t body_bytes, struct answer *ret_answer);

int64_t now_ns(void);

#endif
