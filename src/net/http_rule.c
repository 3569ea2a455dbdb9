/*
 * The rules of http.h as three functions: may it be repeated, when, and what is it called if not.
 */
#include "net/http_rule.h"

#include <curl/curl.h>
#include <stdlib.h>

enum {
    BACKOFF_FIRST_MS = 500,
    BACKOFF_MAX_MS = 30000,
    RESET_MIN_MS = 1000, /* a reset that has passed: the window's edge, so not at once */
};

/* Failures that pass by themselves, answered by the server or by something before it. */
static bool is_passing(int status)
{
    return status == 500 || status == 502 || status == 503 || status == 504;
}

/* Answers of a gateway that did not get one itself: the request may well have been carried out. */
static bool is_gateway_without_answer(int status)
{
    return status == 502 || status == 504;
}

bool http_rule_may_repeat(enum http_effect effect, const struct http_attempt *at)
{
    switch (at->outcome) {
    case HTTP_NOT_SENT:
        return true;
    case HTTP_LOST:
        return effect != HTTP_MUTATING;
    case HTTP_ANSWERED:
        return at->status == 429 || (effect != HTTP_MUTATING && is_passing(at->status));
    case HTTP_TOO_LARGE:
    case HTTP_REFUSED:
        return false;
    }
    return false;
}

static bool digits(const char *text, int64_t *ret)
{
    uint64_t value;
    if (!text || !str_to_u64(str_trim(str_of(text)), &value) || value > INT64_MAX / 1000)
        return false;
    *ret = (int64_t)value;
    return true;
}

/* What the server asks for, in milliseconds from now; -1 if it says nothing. */
static int64_t asked_wait_ms(const struct http_attempt *at, enum http_reset reset,
                             int64_t now_unix_ms)
{
    int64_t seconds;
    if (digits(at->retry_after, &seconds))
        return seconds * 1000;
    if (at->retry_after) {
        time_t date = curl_getdate(at->retry_after, NULL);
        if (date > 0)
            return (int64_t)date * 1000 - now_unix_ms;
    }
    if (at->status == 429 && digits(at->reset, &seconds))
        return reset == HTTP_RESET_UNIX ? seconds * 1000 - now_unix_ms : seconds * 1000;
    return -1;
}

int64_t http_rule_wait_ms(const struct http_attempt *at, enum http_reset reset, int attempt,
                          double jitter, int64_t now_unix_ms)
{
    if (at->outcome == HTTP_ANSWERED && (at->retry_after || at->reset)) {
        int64_t asked_ms = asked_wait_ms(at, reset, now_unix_ms);
        if (asked_ms >= 0 || at->status == 429) {
            if (asked_ms < RESET_MIN_MS)
                asked_ms = RESET_MIN_MS;
            if (asked_ms > HTTP_WAIT_MAX_MS)
                asked_ms = HTTP_WAIT_MAX_MS;
            return asked_ms;
        }
    }
    int64_t ceiling_ms = BACKOFF_FIRST_MS;
    for (int i = 1; i < attempt && ceiling_ms < BACKOFF_MAX_MS; i++)
        ceiling_ms *= 2;
    if (ceiling_ms > BACKOFF_MAX_MS)
        ceiling_ms = BACKOFF_MAX_MS;
    return (int64_t)((double)ceiling_ms * jitter);
}

static enum err_code code_of_status(enum http_effect effect, int status)
{
    if (status < 300)
        return ERR_NONE;
    if (effect == HTTP_MUTATING && is_gateway_without_answer(status))
        return ERR_UNKNOWN_OUTCOME;
    switch (status) {
    case 401:
    case 403:
        return ERR_AUTH;
    case 404:
    case 410:
        return ERR_NOT_FOUND;
    case 409:
        return ERR_CONFLICT;
    default:
        return ERR_REMOTE;
    }
}

enum err_code http_rule_code(enum http_effect effect, const struct http_attempt *at)
{
    switch (at->outcome) {
    case HTTP_ANSWERED:
        return code_of_status(effect, at->status);
    case HTTP_NOT_SENT:
        return at->timed_out ? ERR_TIMEOUT : ERR_NET;
    case HTTP_LOST:
        if (effect == HTTP_MUTATING)
            return ERR_UNKNOWN_OUTCOME;
        return at->timed_out ? ERR_TIMEOUT : ERR_NET;
    case HTTP_TOO_LARGE:
        return effect == HTTP_MUTATING ? ERR_UNKNOWN_OUTCOME : ERR_LIMIT;
    case HTTP_REFUSED:
        return ERR_NET;
    }
    return ERR_INTERNAL;
}
