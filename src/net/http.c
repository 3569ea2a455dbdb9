/*
 * The HTTP client: see http.h for the rules. This file is the loop "may I → send → what came of it
 * → again?".
 */
#include "net/http.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "net/budget.h"
#include "net/http_transfer.h"
#include "net/url.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>
#include <strings.h>

enum {
    PATIENCE_MS = 90000,    /* no repetition of a failed read begins later than this */
    ATTEMPTS_IF_NOBODY = 3, /* a refused connection on loopback: nobody listens, and nobody will */
    SHAPE_BYTES = 300,
    START_BYTES = 60,
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void curl_start(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

bool http_check_base(const char *base_url, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct url u;
    if (!url_parse(a, base_url, &u, e))
        return err_recode(e, ERR_CONFIG);
    if (u.query[0])
        return err_set(e, ERR_CONFIG, "the address of an API has no query: %s", base_url);
    if (streq(u.scheme, "http") && !url_host_is_loopback(u.host))
        return err_set(e, ERR_CONFIG, "%s would get our token unencrypted; use https", base_url);
    return true;
}

/* Who is counted together: one token at one host. What is kept of the token is its digest. */
static const char *budget_name(struct arena *a, const char *base_url, const char *token,
                               const char *thing)
{
    char digest[SHA256_HEX_BYTES];
    struct url u = { .host = "" };
    struct err ignored;
    hash_hex(HASH_SHA256, str_of(token ? token : ""), digest);
    (void)!(base_url && url_parse(a, base_url, &u, &ignored));
    return arena_printf(a, "%s:%u %s %s", u.host, u.port, digest, thing);
}

struct http *http_open(const struct http_spec *spec)
{
    (void)pthread_once(&curl_once, curl_start);
    struct arena *a = arena_new(0);
    struct http *h = ARENA_NEW(a, struct http);
    *h = (struct http){
        .arena = a,
        .name = arena_strdup(a, spec->name),
        .base_url = spec->base_url ? arena_strdup(a, spec->base_url) : NULL,
        .reset = spec->reset,
        .reserved_calls = spec->reserved_calls,
        .easy = curl_easy_init(),
        .wait = http_wait,
    };
    if (!h->easy)
        memory_exhausted(0);
    if (spec->token) {
        log_redact(str_of(spec->token));
        h->authorization = arena_printf(a, "Authorization: Bearer %s", spec->token);
    }
    if (spec->calls_per_minute > 0)
        h->budget =
            budget_of(budget_name(a, spec->base_url, spec->token, ""), spec->calls_per_minute);
    return h;
}

void http_close(struct http *h)
{
    if (!h)
        return;
    curl_easy_cleanup(h->easy);
    json_decref(h->last);
    arena_free(h->arena);
}

void http_set_waiter(struct http *h, http_waiter wait, void *context)
{
    h->wait = wait;
    h->wait_context = context;
}

void http_set_patience(struct http *h, int ms)
{
    h->patience_ms = ms;
}

bool http_pause(struct http *h, int64_t ms, struct err *e)
{
    return h->wait(h->wait_context, ms, e);
}

void http_set_guard(struct http *h, http_guard guard, void *context)
{
    h->guard = guard;
    h->guard_context = context;
}

const char *http_find_header(const struct http_answer *answer, const char *name)
{
    for (size_t i = 0; i < answer->n_headers; i++)
        if (strcasecmp(answer->headers[i].name, name) == 0)
            return answer->headers[i].value;
    return NULL;
}

void http_use_reserve(struct http *h)
{
    h->reserved_calls = 0;
}

static bool take_from(struct http *h, struct budget *b, int reserved, struct err *e)
{
    int64_t now_ms = clock_boot_ms();
    int64_t wait_ms = budget_take(b, reserved, now_ms) - now_ms;
    if (wait_ms <= 0)
        return true;
    log_event("http.budget", "%s: %lld ms", h->name, (long long)wait_ms);
    return http_pause(h, wait_ms, e);
}

bool http_spend(struct http *h, const char *thing, int calls_per_minute, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    const char *token = h->authorization ? h->authorization : "";
    return take_from(h, budget_of(budget_name(a, h->base_url, token, thing), calls_per_minute), 0,
                     e);
}

static int deadline_of(const struct http_request *q)
{
    if (q->deadline_ms > 0)
        return q->deadline_ms;
    switch (q->effect) {
    case HTTP_READ:
        return HTTP_READ_DEADLINE_MS;
    case HTTP_IDEMPOTENT:
        return HTTP_UPLOAD_DEADLINE_MS;
    case HTTP_MUTATING:
        return HTTP_MUTATE_DEADLINE_MS;
    }
    return HTTP_READ_DEADLINE_MS;
}

static struct curl_slist *request_headers(const struct http *h, struct arena *a,
                                          const struct http_request *q)
{
    struct curl_slist *list = NULL;
    list = curl_slist_append(list, "Expect:"); /* never wait for 100-continue */
    if (h->authorization)
        list = curl_slist_append(list, h->authorization);
    if (q->json)
        list = curl_slist_append(list, "Content-Type: application/json");
    else if (q->content_type)
        list = curl_slist_append(list, arena_printf(a, "Content-Type: %s", q->content_type));
    else
        list = curl_slist_append(list, "Content-Type:");
    bool has_accept = false;
    for (size_t i = 0; i < q->n_headers; i++) {
        list = curl_slist_append(
            list, arena_printf(a, "%s: %s", q->headers[i].name, q->headers[i].value));
        has_accept |= strcasecmp(q->headers[i].name, "accept") == 0;
    }
    if (h->base_url && !has_accept)
        list = curl_slist_append(list, "Accept: application/json");
    return list;
}

static void set_method_and_body(CURL *easy, struct arena *a, const struct http_request *q)
{
    struct str body = q->json ? str_of(json_text_in_order(a, q->json)) : q->body;
    if (q->json || body.p || q->send_empty_body) {
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.p ? body.p : "");
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
    } else if (streq(q->method, "HEAD")) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, q->method);
    if (q->effect ==
        HTTP_MUTATING) /* or libcurl would re-send when a reused connection turns out dead */
        curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
}

/* One sending with everything that belongs directly before and after it. False only if it may not
 * be sent or a test wants a failure; whatever the network does is in *ret. */
static bool send_once(struct http *h, const struct http_request *q, const char *url,
                      struct http_transfer *t, struct http_attempt *ret, struct err *e)
{
    if (h->budget && !take_from(h, h->budget, h->reserved_calls, e))
        return false;
    if (q->effect == HTTP_MUTATING && h->guard && !h->guard(h->guard_context, e))
        return false;
    if (!http_fault_before(q->what, e))
        return false;

    size_t max_bytes = q->max_answer_bytes > 0 ? q->max_answer_bytes : LIMIT_JSON_BYTES;
    http_transfer_begin(t, h->easy, t->arena, url, max_bytes, http_deadline(h, deadline_of(q)));
    struct curl_slist *headers = request_headers(h, t->arena, q);
    curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, headers);
    set_method_and_body(h->easy, t->arena, q);
    CURLcode result = curl_easy_perform(h->easy);
    *ret = http_transfer_end(t, result);
    curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);

    log_event("http", "%s %s %.*s -> %d %s", q->what, q->method, (int)strcspn(url, "?"), url,
              ret->status, t->text);
    return http_fault_after(q->what, q->effect, e);
}

/* May it be tried again, by the rule, the count and the time gone by? */
static bool goes_on(const struct http_request *q, const struct http_attempt *at, int attempt,
                    int64_t failing_ms)
{
    int attempts = q->attempts > 0 ? q->attempts : HTTP_ATTEMPTS;
    if (at->was_refused && attempts > ATTEMPTS_IF_NOBODY)
        attempts = ATTEMPTS_IF_NOBODY;
    if (attempt >= attempts || (q->any_status && at->outcome == HTTP_ANSWERED))
        return false;
    return http_rule_may_repeat(q->effect, at) && (at->status == 429 || failing_ms < PATIENCE_MS);
}

static bool is_success(const struct http_request *q, int status)
{
    return status < 300 || q->any_status || (status < 400 && q->redirect_is_answer);
}

bool http_send(struct http *h, struct arena *a, const struct http_request *q,
               struct http_answer *ret, struct err *e)
{
    assert(q->what && q->method && q->path);
    bool is_whole = starts_with(q->path, "http://") || starts_with(q->path, "https://");
    const char *url = is_whole || !h->base_url ? q->path : url_join(a, h->base_url, q->path);
    if (is_whole && h->authorization && !url_same_origin(a, url, h->base_url))
        return err_set(e, ERR_DATA, "%s: an address at another host would get our token", h->name);

    CLEANUP(http_transfer)
    struct http_transfer t = { .arena = a,
                               .sent_values = q->sent_values,
                               .n_sent_values = q->n_sent_values };
    int64_t begun_ms = clock_boot_ms(), sent_ms;
    struct http_attempt at;
    for (int attempt = 1;; attempt++) {
        sent_ms = clock_boot_ms();
        if (!send_once(h, q, url, &t, &at, e))
            return err_wrap(e, "%s", h->name);
        if (!goes_on(q, &at, attempt, clock_boot_ms() - begun_ms))
            break;
        int64_t wait_ms = http_rule_wait_ms(&at, h->reset, attempt, http_jitter(), clock_unix_ms());
        log_event("http.wait", "%s attempt %d, %lld ms", q->what, attempt, (long long)wait_ms);
        if (!http_pause(h, wait_ms, e))
            return err_wrap(e, "%s", h->name);
    }
    if (at.outcome != HTTP_ANSWERED || !is_success(q, at.status)) {
        http_transfer_error(&t, &at, q->effect, q->method, url, e);
        return err_wrap(e, "%s", h->name);
    }
    struct http_header *headers = ARENA_ARRAY(a, struct http_header, t.n_headers);
    memcpy(headers, t.headers, t.n_headers * sizeof *headers);
    *ret = (struct http_answer){
        .status = at.status,
        .body = { arena_strndup(a, strbuf_text(&t.body), t.body.n), t.body.n },
        .headers = headers,
        .n_headers = t.n_headers,
        .took_ms = clock_boot_ms() - sent_ms,
    };
    return true;
}

/* ---- answers that are JSON ---- */

static void remember(struct http *h, const struct http_request *q, json_t *value)
{
    bool is_whole = starts_with(q->path, "http") || !h->base_url;
    json_decref(h->last);
    h->last = json_incref(value);
    (void)snprintf(h->last_at, sizeof h->last_at, "%s %s%.*s", q->method,
                   is_whole ? "" : h->base_url, (int)strcspn(q->path, "?"), q->path);
}

/* How a body that is no JSON begins. One that begins like JSON may hold secrets, and is not shown.
 */
static const char *start_of(struct arena *a, struct str body)
{
    struct str text = str_trim(body);
    if (text.n == 0)
        return "nothing";
    if (strchr("{[\"", text.p[0]))
        return arena_printf(a, "%zu bytes that begin like JSON", body.n);
    text.n = text.n < START_BYTES ? text.n : START_BYTES;
    char *shown = log_redacted(a, text);
    for (char *c = shown; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127)
            *c = ' ';
    return arena_printf(a, "%zu bytes that begin with: %s", body.n, shown);
}

/* The body as JSON; what is none may mean that it was carried out, or that nobody saw it. */
static json_t *parsed(struct http *h, struct arena *a, const struct http_request *q,
                      const struct http_answer *answer, struct err *e)
{
    json_t *value = json_parse(answer->body, q->what, e);
    remember(h, q, value);
    if (value)
        return value;
    struct err parse = *e;
    const char *type = http_find_header(answer, "content-type");
    err_set(e, q->effect == HTTP_MUTATING ? ERR_UNKNOWN_OUTCOME : parse.code,
            "%s answered %d, %s: %s%s", h->last_at, answer->status, type ? type : "no type",
            start_of(a, answer->body), parse.code == ERR_LIMIT ? ", too much or too deep" : "");
    e->http_status = answer->status;
    err_wrap(e, "%s: the answer is not readable", h->name);
    return NULL;
}

bool http_json(struct http *h, struct arena *a, const struct http_request *q, json_t **ret,
               struct http_answer *ret_answer, struct err *e)
{
    struct http_answer answer = { 0 };
    if (!http_send(h, a, q, &answer, e))
        return false;
    json_t *value = parsed(h, a, q, &answer, e);
    if (!value)
        return false;
    *ret = value;
    if (ret_answer)
        *ret_answer = answer;
    return true;
}

bool http_done(struct http *h, struct arena *a, const struct http_request *q, struct err *e)
{
    struct http_answer answer = { 0 };
    if (!http_send(h, a, q, &answer, e))
        return false;
    if (str_trim(answer.body).n == 0)
        return true;
    json_auto_t *value = parsed(h, a, q, &answer, e);
    return value != NULL;
}

bool http_checked(struct http *h, bool ok, struct err *e)
{
    if (ok)
        return true;
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct err was = *e;
    err_set(e, was.code, "%s; %s answered %s", was.why, h->last_at,
            h->last ? json_shape(a, h->last, SHAPE_BYTES) : "nothing");
    memcpy(e->what, was.what, sizeof e->what);
    memcpy(e->hint, was.hint, sizeof e->hint);
    return err_where(e, "%s", h->last_at);
}
