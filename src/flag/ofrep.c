/*
 * ORDER    path and method → address within its rate → token → body → (wait for a version) →
 *          answer. Whatever a stranger can cause before the token is read costs little.
 */
#include "flag/ofrep.h"

#include "base/clock.h"
#include "base/limits.h"
#include "flag/ofrep_answer.h"
#include "flag/rate.h"
#include "flag/sse.h"

#include <stdlib.h>
#include <strings.h>

#define FLAGS_PATH  OFREP_PREFIX "/v1/evaluate/flags"
#define STREAM_PATH OFREP_PREFIX "/v1/stream"
#define JSON        "application/json"

struct ofrep {
    struct ofrep_spec spec;
    struct flag_live *live;
    struct sse *sse;
    struct rate *addresses;
    struct rate *tokens;
};

/* One request on its way. In its arena. */
struct asking {
    struct ofrep *ofrep;
    struct request *request;
    const char *key; /* NULL: all flags */
    struct flag_caller caller;
    json_t *claims; /* what caller points at */
    struct flag_live_waiter waiter;
};

/* ---- Answers --------------------------------------------------------------------------------- */

static void allow_origins(struct request *r)
{
    response_header(r, "Access-Control-Allow-Origin", "*");
    response_header(r, "Access-Control-Expose-Headers", "ETag, Retry-After");
}

static void refuse(struct request *r, int status, const char *why)
{
    struct strbuf body = strbuf_init(LIMIT_FLAG_ANSWER_BYTES);
    strbuf_adds(&body, "{\"errorDetails\":");
    ofrep_add_text(&body, why);
    strbuf_addc(&body, '}');
    respond_shared(r, status, JSON, strbuf_str(&body), free, body.p);
}

static void refuse_until(struct request *r, int status, int wait_s, const char *why)
{
    response_header(r, "Retry-After", arena_printf(r->arena, "%d", wait_s));
    refuse(r, status, why);
}

static void refuse_method(struct request *r, const char *allowed)
{
    response_header(r, "Allow", allowed);
    refuse(r, 405, "this path does not know the method");
}

static void answer_options(struct request *r)
{
    response_header(r, "Access-Control-Allow-Methods", "POST, GET, OPTIONS");
    response_header(r, "Access-Control-Allow-Headers",
                    "content-type, authorization, x-api-key, if-none-match, apikey, "
                    "flagd-selector, last-event-id, cache-control");
    response_header(r, "Access-Control-Max-Age", "3600");
    respond_empty(r, 204);
}

/* ---- Who, and how often ---------------------------------------------------------------------- */

static bool is_loopback(const char *address)
{
    return starts_with(address, "127.") || streq(address, "::1");
}

/* Behind a proxy on this machine the client is whom the proxy saw: the last one it wrote down. */
static struct str address_of(const struct request *r)
{
    struct str peer = str_of(r->peer);
    const char *forwarded = is_loopback(r->peer) ? request_header(r, "x-forwarded-for") : NULL;
    if (!forwarded)
        return peer;
    const char *comma = strrchr(forwarded, ',');
    struct str last = str_trim(str_of(comma ? comma + 1 : forwarded));
    return last.n ? last : peer;
}

static const char *token_of(const struct request *r)
{
    const char *bearer = request_bearer(r);
    return bearer ? bearer : request_header(r, "x-api-key");
}

static bool is_within(struct rate *rate, struct str who, struct request *r)
{
    int wait_s = rate_wait_s(rate, who, clock_boot_ms());
    if (wait_s)
        refuse_until(r, 429, wait_s, "too many requests");
    return wait_s == 0;
}

static void give_claims_back(void *context)
{
    json_decref(context);
}

/* True if the request may go on; else it has been answered. */
static bool admit(struct asking *q)
{
    struct request *r = q->request;
    const char *token = token_of(r);
    const char *why = NULL;
    if (!is_within(q->ofrep->addresses, address_of(r), r))
        return false;
    int status =
        caller_of(&q->ofrep->spec.callers, token, clock_unix_ms(), &q->caller, &q->claims, &why);
    if (q->claims)
        request_on_end(r, give_claims_back, q->claims);
    if (status) {
        refuse(r, status, why);
        return false;
    }
    return !token || is_within(q->ofrep->tokens, str_of(token), r);
}

/* ---- Evaluation ------------------------------------------------------------------------------ */

/* "flagSetId=x" of Flagd-Selector; other selectors choose among sources, and here is one. */
static const char *flag_set_of(const struct request *r)
{
    static const char name[] = "flagSetId=";
    const char *selector = request_header(r, "flagd-selector");
    if (!selector || !starts_with(selector, name))
        return NULL;
    const char *id = selector + sizeof name - 1;
    return *id && str_is_utf8(str_of(id)) ? id : NULL;
}

static void respond_answer(struct asking *q, struct ofrep_answer *answer)
{
    struct request *r = q->request;
    if (*answer->etag) {
        response_header(r, "ETag", arena_strdup(r->arena, answer->etag));
        if (ofrep_etag_matches(request_header(r, "if-none-match"), answer->etag)) {
            strbuf_done(&answer->body);
            respond_empty(r, 304);
            return;
        }
    }
    respond_shared(r, answer->status, JSON, strbuf_str(&answer->body), free, answer->body.p);
}

static void answer(struct request *r, void *context)
{
    struct asking *q = context;
    struct ofrep_answer answer;
    struct flag_live_state state = flag_live_state(q->ofrep->live);
    if (!state.has_loaded) {
        refuse_until(r, 503, 1, "the flags have not been loaded yet");
        return;
    }
    CLEANUP(flag_snapshot) struct flag_snapshot *snapshot = flag_live_take(q->ofrep->live);
    struct ofrep_question question = {
        .snapshot = snapshot,
        .caller = q->caller,
        .body = r->body,
        .now_s = clock_unix_ms() / 1000,
        .is_stale = state.is_stale,
        .flag_set_id = flag_set_of(r),
        .stream = STREAM_PATH,
    };
    if (q->key)
        ofrep_answer_single(&question, q->key, &answer);
    else
        ofrep_answer_bulk(&question, &answer);
    respond_answer(q, &answer);
}

static void version_came(void *context)
{
    struct asking *q = context;
    request_resume(q->request, answer, q);
}

/* A stream told the client of a version: it must not be answered from an older one. */
static int64_t wanted_version(struct request *r)
{
    uint64_t wanted = 0;
    const char *etag = *r->query ? request_query(r, "flagConfigEtag") : NULL;
    return etag && str_to_u64(str_of(etag), &wanted) && wanted < INT64_MAX ? (int64_t)wanted : 0;
}

static void body_came(struct request *r, void *context)
{
    struct asking *q = context;
    if (r->body.n > LIMIT_FLAG_REQUEST_BYTES) {
        refuse(r, 413, "the body is larger than 64 KiB");
        return;
    }
    q->waiter = (struct flag_live_waiter){ .version = wanted_version(r),
                                           .told = version_came,
                                           .context = q };
    if (flag_live_wait_for(q->ofrep->live, &q->waiter))
        request_suspend(r);
    else
        answer(r, q);
}

static void evaluate(struct ofrep *o, struct request *r, const char *key)
{
    struct asking *q = ARENA_NEW(r->arena, struct asking);
    *q = (struct asking){ .ofrep = o, .request = r, .key = key };
    if (!admit(q))
        return;
    int64_t announced = request_body_bytes(r);
    if (announced > (int64_t)LIMIT_FLAG_REQUEST_BYTES)
        refuse(r, 413, "the body is larger than 64 KiB");
    else if (announced == 0)
        body_came(r, q);
    else /* one in chunks may turn out a little too large: then the answer is still ours */
        request_read_body(r, 2 * LIMIT_FLAG_REQUEST_BYTES, body_came, q);
}

/* ---- Paths ----------------------------------------------------------------------------------- */

static void serve_stream(struct ofrep *o, struct request *r)
{
    CLEANUP(flag_snapshot) struct flag_snapshot *now = flag_live_take(o->live);
    if (r->method != METHOD_GET)
        refuse_method(r, "GET, OPTIONS");
    else if (is_within(o->addresses, address_of(r), r) && !sse_serve(o->sse, r, now))
        refuse_until(r, 503, 5, "too many streams are open");
}

/* The flag's key of .../flags/<key>; NULL if that is no path of ours. */
static const char *key_of(struct request *r)
{
    const char *decoded = NULL;
    const char *raw = r->raw_path + sizeof FLAGS_PATH - 1;
    if (*raw != '/' || strchr(raw + 1, '/') || !url_path_decode(r->arena, raw, &decoded))
        return NULL;
    return decoded + 1;
}

void ofrep_serve(struct ofrep *o, struct request *r)
{
    allow_origins(r);
    bool is_all = streq(r->raw_path, FLAGS_PATH) || streq(r->raw_path, FLAGS_PATH "/");
    const char *key = !is_all && starts_with(r->raw_path, FLAGS_PATH) ? key_of(r) : NULL;
    bool is_stream = streq(r->raw_path, STREAM_PATH);
    if (!is_all && !key && !is_stream)
        refuse(r, 404, "there is no such path");
    else if (r->method == METHOD_OPTIONS)
        answer_options(r);
    else if (is_stream)
        serve_stream(o, r);
    else if (r->method != METHOD_POST)
        refuse_method(r, "POST, OPTIONS");
    else
        evaluate(o, r, key);
}

/* ---- Begin and end --------------------------------------------------------------------------- */

static int64_t pulse(void *context, const struct flag_snapshot *now)
{
    struct ofrep *o = context;
    return sse_pulse(o->sse, now);
}

bool ofrep_open(const struct ofrep_spec *spec, struct ofrep **ret, struct err *e)
{
    struct ofrep *o = calloc(1, sizeof *o);
    if (!o)
        memory_exhausted(sizeof *o);
    o->spec = *spec;
    o->sse = sse_new();
    o->addresses = rate_new(spec->per_minute);
    o->tokens = rate_new(spec->per_minute);
    struct flag_live_spec live = { .url = spec->url,
                                   .database = spec->database,
                                   .name = spec->name,
                                   .pulse = pulse,
                                   .context = o };
    if (!flag_live_open(&live, &o->live, e)) {
        ofrep_free(o);
        return false;
    }
    *ret = o;
    return true;
}

struct flag_live *ofrep_live(struct ofrep *o)
{
    return o->live;
}

void ofrep_stop(struct ofrep *o)
{
    sse_end(o->sse);
    flag_live_stop(o->live);
}

void ofrep_free(struct ofrep *o)
{
    if (!o)
        return;
    flag_live_close(o->live);
    sse_free(o->sse);
    rate_free(o->addresses);
    rate_free(o->tokens);
    free(o);
}
