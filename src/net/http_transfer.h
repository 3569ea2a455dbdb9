/*
 * One sending of one request through libcurl: what http.c and http_upload.c share, and the inside
 * of struct http. Included by those files only.
 */
#ifndef LOCKFLIGHT_NET_HTTP_TRANSFER_H
#define LOCKFLIGHT_NET_HTTP_TRANSFER_H

#include "base/limits.h"
#include "base/strbuf.h"
#include "net/http_rule.h"

#include <curl/curl.h>

#define HTTP_MAX_HEADERS      100
#define HTTP_MAX_HEADER_BYTES (64 * KIB)

struct http {
    struct arena *arena;
    const char *name;
    const char *base_url;      /* NULL: requests give whole URLs */
    const char *authorization; /* the header line, NULL: none */
    enum http_reset reset;
    struct budget *budget; /* NULL: none */
    int reserved_calls;
    int patience_ms; /* 0: no cap on deadlines */
    json_t *last; /* what http_json answered last: for http_checked */
    char last_at[512];
    http_guard guard;
    void *guard_context;
    http_waiter wait;
    void *wait_context;
    CURL *easy; /* lives as long as we do: its connections are reused */
};

/* What comes back while a request is under way. Reset by http_transfer_begin. */
struct http_transfer {
    CURL *easy;
    struct arena *arena; /* headers are kept here */
    struct strbuf body;
    struct http_header headers[HTTP_MAX_HEADERS];
    size_t n_headers;
    size_t header_bytes;
    bool too_large;
    const struct str *sent_values; /* of the request: in no error */
    size_t n_sent_values;
    char text[CURL_ERROR_SIZE];
};

static inline void http_transfer_cleanup(struct http_transfer *t)
{
    strbuf_done(&t->body);
}

/* The deadline of one sending, in a client that has been told to be impatient. */
static inline int http_deadline(const struct http *h, int ms)
{
    return h->patience_ms > 0 && h->patience_ms < ms ? h->patience_ms : ms;
}

/* Sets what every request has: callbacks, protocols, deadlines, no redirects, no signals, proxy
 * rule. */
void http_transfer_begin(struct http_transfer *t, CURL *easy, struct arena *a, const char *url,
                         size_t max_answer_bytes, int deadline_ms);

/* Reads off what libcurl's result means. */
struct http_attempt http_transfer_end(struct http_transfer *t, CURLcode result);

/* Sets *e for an attempt that stays failed, in words that name method, URL without query, and
 * cause. */
bool http_transfer_error(const struct http_transfer *t, const struct http_attempt *at,
                         enum http_effect effect, const char *method, const char *url,
                         struct err *e);

/* The fault points "<what>.before" and "<what>.after". */
bool http_fault_before(const char *what, struct err *e) MUST_USE;
bool http_fault_after(const char *what, enum http_effect effect, struct err *e) MUST_USE;

/* Waits between sendings. ERR_INTERRUPTED if a stop was asked meanwhile (one asked before is being
 * obeyed by taking back, and that must not be cut short). */
bool http_wait(void *context, int64_t ms, struct err *e);

double http_jitter(void);

#endif
