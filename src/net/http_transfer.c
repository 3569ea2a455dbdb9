/*
 * One sending: setting up libcurl, collecting the answer within limits, and saying what the result
 * means.
 *
 * "Nothing was sent" is read from CURLINFO_REQUEST_SIZE, which counts the bytes of the request that
 * the kernel took: zero proves that the other side has seen none of it, whatever failed.
 */
#include "net/http_transfer.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/signals.h"
#include "net/url.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum {
    CONNECT_TIMEOUT_MS = 10000,
    WAIT_SLICE_MS = 100,
    MESSAGE_BYTES = 300,            /* of a server's explanation in our error */
    MAX_REDACTED_BYTES = 64 * 1024, /* of it that is looked through: more than the longest secret */
};

// NOLINTNEXTLINE(readability-non-const-parameter): libcurl's type
static size_t on_body(char *bytes, size_t size, size_t n, void *context)
{
    struct http_transfer *t = context;
    if (!strbuf_add(&t->body, bytes, size * n)) {
        t->too_large = true;
        return 0; /* aborts the transfer */
    }
    return size * n;
}

// NOLINTNEXTLINE(readability-non-const-parameter): libcurl's type
static size_t on_header(char *bytes, size_t size, size_t n, void *context)
{
    struct http_transfer *t = context;
    struct str line = str_trim((struct str){ bytes, size * n });
    if (str_starts(line, "HTTP/")) { /* a new answer begins: 100-continue came before */
        t->n_headers = t->header_bytes = 0;
        return size * n;
    }
    struct str value = line;
    struct str name = str_cut(&value, ':');
    if (!value.p)
        return size * n;
    t->header_bytes += line.n;
    if (t->n_headers == HTTP_MAX_HEADERS || t->header_bytes > HTTP_MAX_HEADER_BYTES) {
        t->too_large = true;
        return 0;
    }
    t->headers[t->n_headers++] = (struct http_header){
        .name = str_dup(t->arena, name),
        .value = str_dup(t->arena, str_trim(value)),
    };
    return size * n;
}

/* Is the file of certificates there that libcurl was built for? */
static bool bundle_is_there(void)
{
    const curl_version_info_data *v = curl_version_info(CURLVERSION_NOW);
    return v->age >= CURLVERSION_SEVENTH && v->cainfo && access(v->cainfo, R_OK) == 0;
}

void http_transfer_begin(struct http_transfer *t, CURL *easy, struct arena *a, const char *url,
                         size_t max_answer_bytes, int deadline_ms)
{
    t->easy = easy;
    t->arena = a;
    strbuf_clear(&t->body);
    t->body.max_bytes = max_answer_bytes;
    t->body.overflowed = false;
    t->n_headers = t->header_bytes = 0;
    t->too_large = false;
    t->text[0] = '\0';

    curl_easy_reset(easy);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "lockflight/" LOCKFLIGHT_VERSION);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)deadline_ms);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)(deadline_ms < CONNECT_TIMEOUT_MS ? deadline_ms : CONNECT_TIMEOUT_MS));
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->text);

    if (bundle_is_there()) /* libcurl reads it once for all connections, unless there is a folder too */
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);

    struct url u;
    struct err ignored;
    if (url_parse(a, url, &u, &ignored) && url_host_is_loopback(u.host))
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
}

static const char *find_header(const struct http_transfer *t, const char *name)
{
    for (size_t i = 0; i < t->n_headers; i++)
        if (strcasecmp(t->headers[i].name, name) == 0)
            return t->headers[i].value;
    return NULL;
}

/* Results that mean "we would not", whatever the network does. */
static bool is_our_refusal(CURLcode result)
{
    return result == CURLE_URL_MALFORMAT || result == CURLE_UNSUPPORTED_PROTOCOL ||
           result == CURLE_PEER_FAILED_VERIFICATION || result == CURLE_SSL_CACERT_BADFILE ||
           result == CURLE_SSL_ISSUER_ERROR || result == CURLE_ABORTED_BY_CALLBACK ||
           result == CURLE_READ_ERROR;
}

struct http_attempt http_transfer_end(struct http_transfer *t, CURLcode result)
{
    struct http_attempt at = { .timed_out = result == CURLE_OPERATION_TIMEDOUT };
    long status = 0, request_bytes = 0, os_errno = 0;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &request_bytes);
    curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &os_errno);
    at.was_refused = result == CURLE_COULDNT_CONNECT && os_errno == ECONNREFUSED;

    if (result == CURLE_OK) {
        at.outcome = HTTP_ANSWERED;
        at.status = (int)status;
        at.retry_after = find_header(t, "retry-after");
        at.reset = find_header(t, "x-ratelimit-reset");
    } else if (t->too_large) {
        at.outcome = HTTP_TOO_LARGE;
    } else if (is_our_refusal(result)) {
        at.outcome = HTTP_REFUSED;
    } else {
        at.outcome = request_bytes > 0 ? HTTP_LOST : HTTP_NOT_SENT;
    }
    if (t->text[0] == '\0' && result != CURLE_OK)
        (void)snprintf(t->text, sizeof t->text, "%s", curl_easy_strerror(result));
    return at;
}

/* The server's own sentence: JSON "message" (a text or the first of a list), "msg" or "error". JSON
 * without one says nothing to a person; anything else is taken as text. */
static struct str sentence(struct arena *a, struct str body)
{
    json_auto_t *value = json_loadb(body.p, body.n, JSON_REJECT_DUPLICATES, NULL);
    const char *keys[] = { "message", "msg", "error_description", "error" };
    for (size_t i = 0; value && i < sizeof keys / sizeof *keys; i++) {
        const json_t *found = json_object_get(value, keys[i]);
        if (json_is_array(found))
            found = json_array_get(found, 0);
        if (json_is_string(found))
            return str_of(arena_strdup(a, json_string_value(found)));
    }
    return value ? STR("") : body;
}

/* `text` with every `value` replaced by a mark. */
static struct str without(struct arena *a, struct str text, struct str value)
{
    static const char mark[] = "[value]";
    if (!value.p || value.n == 0 || memmem(mark, sizeof mark - 1, value.p, value.n))
        return text; /* part of the mark: too short to hide anything */
    CLEANUP(strbuf) struct strbuf out = strbuf_init((size_t)2 * MAX_REDACTED_BYTES);
    for (const char *hit; text.n > 0 && (hit = memmem(text.p, text.n, value.p, value.n));) {
        size_t before = (size_t)(hit - text.p);
        strbuf_add(&out, text.p, before);
        strbuf_adds(&out, mark);
        text = (struct str){ hit + value.n, text.n - before - value.n };
    }
    strbuf_add(&out, text.p, text.n);
    return (struct str){ arena_strndup(a, strbuf_text(&out), out.n), out.n };
}

/* What the server says about its refusal. Control characters would steer a terminal; secrets would
 * be echoes of what we sent. They are taken out before the text is cut, or half of one could stay.
 * */
static const char *explanation(const struct http_transfer *t)
{
    struct str text = sentence(t->arena, strbuf_str(&t->body));
    text.n = text.n < MAX_REDACTED_BYTES ? text.n : MAX_REDACTED_BYTES;
    for (size_t i = 0; i < t->n_sent_values; i++)
        text = without(t->arena, text, t->sent_values[i]);
    char *shown = log_redacted(t->arena, text);
    size_t n = strlen(shown);
    if (n > MESSAGE_BYTES)
        shown[n = MESSAGE_BYTES] = '\0';
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)shown[i] < ' ' || shown[i] == 127)
            shown[i] = ' ';
    return shown;
}

bool http_transfer_error(const struct http_transfer *t, const struct http_attempt *at,
                         enum http_effect effect, const char *method, const char *url,
                         struct err *e)
{
    enum err_code code = http_rule_code(effect, at);
    int shown = (int)strcspn(url, "?");
    if (at->outcome == HTTP_ANSWERED) {
        const char *why = explanation(t);
        err_set(e, code, "%s %.*s answered %d%s%s", method, shown, url, at->status,
                *why ? ": " : "", why);
        e->http_status = at->status;
        return false;
    }
    if (at->outcome == HTTP_TOO_LARGE)
        return err_set(e, code, "%s %.*s: the answer is larger than %zu bytes", method, shown, url,
                       t->body.max_bytes);
    if (code == ERR_UNKNOWN_OUTCOME)
        return err_set(e, code, "%s %.*s was sent, but its answer was lost (%s)", method, shown,
                       url, t->text);
    return err_set(e, code, "%s %.*s: %s", method, shown, url, t->text);
}

bool http_fault_before(const char *what, struct err *e)
{
    char name[128];
    (void)snprintf(name, sizeof name, "%s.before", what);
    return FAULT_POINT(name, e);
}

bool http_fault_after(const char *what, enum http_effect effect, struct err *e)
{
    char name[128];
    (void)snprintf(name, sizeof name, "%s.after", what);
    if (FAULT_POINT(name, e))
        return true;
    return effect == HTTP_MUTATING ? err_recode(e, ERR_UNKNOWN_OUTCOME) : false;
}

bool http_wait(void *context, int64_t ms, struct err *e)
{
    (void)context;
    bool stopping_before = signals_stop_asked();
    int64_t until_ms = clock_boot_ms() + ms;
    for (int64_t left_ms; (left_ms = until_ms - clock_boot_ms()) > 0;) {
        if (!stopping_before && signals_stop_asked())
            return err_set(e, ERR_INTERRUPTED, "stopped while waiting to repeat a request");
        int64_t slice_ms = left_ms < WAIT_SLICE_MS ? left_ms : WAIT_SLICE_MS;
        struct timespec pause = { .tv_nsec = slice_ms * 1000000 };
        (void)nanosleep(&pause, NULL);
    }
    return true;
}

double http_jitter(void)
{
    return (double)random_below(1000) / 1000.0;
}
