/*
 * The HTTP client: one request, its deadline, its retries, and a plain statement of what is known
 * after it.
 *
 * RULE    After a failed call the code in `struct err` says what may have happened on the other
 *         side:
 *           ERR_NET              no connection was made, nothing was sent
 *           ERR_TIMEOUT          a deadline passed: nothing was sent, or it was a read
 *           ERR_UNKNOWN_OUTCOME  a mutating request was sent and no complete, readable answer came:
 *                                probe
 *           ERR_AUTH 401 403, ERR_NOT_FOUND 404 410, ERR_CONFLICT 409, ERR_REMOTE any other
 *                                refusal: a complete answer said no; http_status has the number
 *           ERR_LIMIT, ERR_DATA  the answer to a read was too large or malformed
 *
 * RETRY   Reads and idempotent uploads are repeated after connection failures, timeouts, cut
 *         answers, 429, 500, 502, 503 and 504: 0.5 s doubling to 30 s, full jitter, at most
 *         HTTP_ATTEMPTS times. A mutating request is repeated only if it provably did nothing: no
 *         connection was made, or 429. A 502 or 504 to a mutating request counts as "no complete
 *         answer". Retry-After and X-RateLimit-Reset replace the wait, at most 120 s. A stop signal
 *         that arrives during a wait ends it with ERR_INTERRUPTED.
 *
 * GUARD   The guard is asked directly before every sending of a mutating request, thus again after
 *         each wait; the engine checks there that it still holds the lease.
 *
 * FAULTS  Each sending passes the fault points "<what>.before" and "<what>.after"; an error
 *         injected after a mutating request reads as ERR_UNKNOWN_OUTCOME. This is the only place of
 *         the program that sends.
 *
 * TOKENS  The token is registered for redaction and is in no error, trace or URL. Redirects are
 *         never followed, so it goes nowhere else.
 *
 * One struct http serves one thread. Connections stay open between calls, except that mutating
 * requests travel on a connection of their own, because libcurl would silently re-send on one that
 * had died.
 */
#ifndef LOCKFLIGHT_NET_HTTP_H
#define LOCKFLIGHT_NET_HTTP_H

#include "base/arena.h"
#include "base/str.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_ATTEMPTS           6
#define HTTP_READ_DEADLINE_MS   30000
#define HTTP_MUTATE_DEADLINE_MS 20000 /* T_req: the lease must last longer than this */
#define HTTP_UPLOAD_DEADLINE_MS 300000
#define HTTP_WAIT_MAX_MS        120000 /* what a rate limit header may make us wait */
#define HTTP_UPLOAD_CONNECTIONS 8

struct http;

/* How a server writes X-RateLimit-Reset. */
enum http_reset {
    HTTP_RESET_UNIX,    /* Netlify: Unix seconds */
    HTTP_RESET_SECONDS, /* Supabase: seconds to the end of the window */
};

/* Asked before each sending of a mutating request. False with *e set: it is not sent. */
typedef bool (*http_guard)(void *context, struct err *e);

struct http_spec {
    const char *name;     /* "netlify": begins the errors */
    const char *base_url; /* every request's path is joined to it; NULL: requests give whole URLs */
    const char *token;    /* sent as Authorization: Bearer; NULL: none */
    enum http_reset reset;
    int calls_per_minute; /* budget of this host and token (net/budget.h); 0: none */
    int reserved_calls;   /* of it, kept for the way back until http_use_reserve */
};

/* What a repetition does. */
enum http_effect {
    HTTP_READ,       /* nothing */
    HTTP_IDEMPOTENT, /* the same again, and nothing that a visitor sees: uploads, digests, … */
    HTTP_MUTATING,   /* sent once; see RULE */
};

struct http_header {
    const char *name;
    const char *value;
};

struct http_request {
    const char *what;   /* "netlify.restore": names the fault points and the error */
    const char *method; /* "GET" */
    const char *path;   /* encoded, with query; or a whole URL */
    enum http_effect effect;

    const json_t *json;       /* body as JSON; borrowed */
    struct str body;          /* else body as bytes; borrowed */
    const char *content_type; /* of `body` */
    bool send_empty_body;     /* Content-Length: 0 without a content type */

    const struct http_header *headers; /* further ones */
    size_t n_headers;

    const struct str *sent_values; /* values in the body that no error may echo, secret or not */
    size_t n_sent_values;

    int deadline_ms;         /* of one sending; 0: by effect */
    int attempts;            /* 0: by effect; 1: never repeated */
    size_t max_answer_bytes; /* 0: LIMIT_JSON_BYTES */
    bool redirect_is_answer; /* 3xx is success */
    bool any_status;         /* a complete answer of any status is success (checks, probes) */
};

struct http_answer {
    int status;
    struct str body; /* in the arena */
    const struct http_header *headers;
    size_t n_headers;
    int64_t took_ms; /* the last sending */
};

/* Is this an address a token may be sent to? https, or http on loopback; no
 * query. Else ERR_CONFIG. */
bool http_check_base(const char *base_url, struct err *e) MUST_USE;

struct http *http_open(const struct http_spec *spec);
void http_close(struct http *h); /* accepts NULL */

static inline void http_cleanup(struct http **h)
{
    http_close(*h);
}

/* Replaces the sleep between sendings: tests let no time pass. False with *e set ends the call. */
typedef bool (*http_waiter)(void *context, int64_t ms, struct err *e);
void http_set_waiter(struct http *h, http_waiter wait, void *context);

/* No deadline is longer than this: tests play slow servers in little time. */
void http_set_patience(struct http *h, int ms);

/* Waits as the client itself does between sendings, for callers that poll. */
bool http_pause(struct http *h, int64_t ms, struct err *e) MUST_USE;

void http_set_guard(struct http *h, http_guard guard, void *context);

/* Spends one of the few calls a minute that the other side allows for a thing of its own ("deploys
 * of <site>"), besides the budget of all calls; waits if there is none left. */
bool http_spend(struct http *h, const char *thing, int calls_per_minute, struct err *e) MUST_USE;

/* Taking back has begun: the reserved calls may be used. */
void http_use_reserve(struct http *h);

/* Sends one request by the rules above. The answer's texts live in `a`. */
bool http_send(struct http *h, struct arena *a, const struct http_request *q,
               struct http_answer *ret, struct err *e) MUST_USE;

/* http_send, and the body parsed as JSON, which the caller then owns (json_auto_t). An unreadable
 * body is ERR_DATA after a read, ERR_UNKNOWN_OUTCOME after a mutating request. `ret_answer` may be
 * NULL. */
bool http_json(struct http *h, struct arena *a, const struct http_request *q, json_t **ret,
               struct http_answer *ret_answer, struct err *e) MUST_USE;

/* http_send for calls whose answer tells nothing that is needed. It must still be one of that API:
 * empty, or JSON. A page of something in between is no success: ERR_UNKNOWN_OUTCOME after a mutating
 * request, else ERR_DATA. */
bool http_done(struct http *h, struct arena *a, const struct http_request *q,
               struct err *e) MUST_USE;

/* For who reads what http_json answered: `ok`, or the error about a field completed by where it
 * came from and what it looked like (names and types, no values: those may be secret). */
bool http_checked(struct http *h, bool ok, struct err *e) MUST_USE;

/* The value of the first such header, any case; NULL if absent. */
const char *http_find_header(const struct http_answer *answer, const char *name);

/* One of many bodies sent in parallel: a file or bytes in memory. */
struct http_upload {
    const char *path; /* encoded, with query, joined to base_url */
    const char *file; /* sent from one open descriptor; NULL: `content` is sent */
    struct str content;
    const char *sha1_hex; /* the bytes sent are hashed on the way; a difference is ERR_CONFLICT.
                             NULL: not */
    uint64_t bytes;       /* the file's expected size */
    const char *show;     /* how an error calls it: "/assets/app.js" */
};

/* Called after each finished item. */
typedef void (*http_progress)(void *context, size_t done, size_t total, uint64_t bytes_done);

struct http_uploads {
    const char *what;   /* "netlify.upload" */
    const char *method; /* "PUT" */
    const struct http_upload *items;
    size_t n_items;
    int connections; /* 0: HTTP_UPLOAD_CONNECTIONS */
    http_progress progress;
    void *context;
};

/* Sends all items, several at a time, each with the retries of HTTP_IDEMPOTENT. The first item that
 * fails for good ends the call; items already sent stay sent. Answers' bodies are not kept. */
bool http_upload_all(struct http *h, const struct http_uploads *u, struct err *e) MUST_USE;

#endif
