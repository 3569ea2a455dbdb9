/*
 * What an attempt came to, whether it may be made again, and after how long: decisions without any
 * work, so that a test can go through all of them.
 */
#ifndef LOCKFLIGHT_NET_HTTP_RULE_H
#define LOCKFLIGHT_NET_HTTP_RULE_H

#include "net/http.h"

enum http_outcome {
    HTTP_ANSWERED,  /* a complete answer, of any status */
    HTTP_NOT_SENT,  /* no connection: the other side knows nothing of it */
    HTTP_LOST,      /* at least a byte was sent, no complete answer came */
    HTTP_TOO_LARGE, /* the answer was longer than we accept */
    HTTP_REFUSED,   /* we would not: bad address, certificate not trusted, body not as promised */
};

struct http_attempt {
    enum http_outcome outcome;
    int status; /* when answered */
    bool timed_out;
    bool was_refused;        /* nobody listens there */
    const char *retry_after; /* headers of the answer, NULL if absent */
    const char *reset;
};

/* May the same request be sent again after this? Says nothing about how often. */
bool http_rule_may_repeat(enum http_effect effect, const struct http_attempt *at);

/* Milliseconds to wait before sending number `attempt` + 1 (the first was
 * 1). `jitter` is in 0..1. */
int64_t http_rule_wait_ms(const struct http_attempt *at, enum http_reset reset, int attempt,
                          double jitter, int64_t now_unix_ms);

/* The error code for an attempt that stays failed; a status below 300 has none (ERR_NONE). */
enum err_code http_rule_code(enum http_effect effect, const struct http_attempt *at);

#endif
