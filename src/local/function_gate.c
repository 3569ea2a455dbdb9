/*
 * The gate of /functions/v1/<slug>: who may pass, what waits for a start, and how failures look.
 * Statuses, bodies and sb-error-code are the hosted service's, so that client libraries read them
 * the same way.
 */
#include "base/clock.h"
#include "base/limits.h"
#include "local/functions_run.h"
#include "net/jwt.h"

#include <string.h>

#define PREFIX          "/functions/v1/"
#define BODY_BYTES_MAX  ((uint64_t)100 * MIB)
#define EXIT_HEAP_LIMIT 133 /* V8 traps when the heap limit is met */
#define EXIT_ABORT      134
#define CRASH_KNOWN_MS                                                                             \
    300 /* the end of the connection comes before the end of the process is seen */
#define CRASH_RECENT_MS 2000

static void refuse(struct request *r, int status, const char *error_code, json_t *body)
{
    response_header(r, "sb-error-code", error_code);
    respond_json(r, status, body);
}

static void refuse_named(struct request *r, int status, const char *code, const char *message)
{
    refuse(r, status, code, json_pack("{s:s, s:s}", "code", code, "message", message));
}

static void refuse_token(struct request *r, const char *error_code, const char *message)
{
    refuse(r, 401, error_code, json_pack("{s:i, s:s}", "code", 401, "message", message));
}

/* ---- Who may pass ---------------------------------------------------------------------------- */

/* True if the request may go on; else it has been answered. Any role passes, as hosted. */
static bool check_token(struct request *r, const struct local_environment *id)
{
    if (!request_header(r, "Authorization")) {
        refuse_token(r, "UNAUTHORIZED_NO_AUTH_HEADER", "Missing authorization header");
        return false;
    }
    const char *token = request_bearer(r);
    if (!token) {
        refuse_token(r, "UNAUTHORIZED_INVALID_JWT_FORMAT", "Invalid JWT");
        return false;
    }
    switch (jwt_verify(str_of(token), id->jwt_secret, clock_unix_ms(), NULL)) {
    case JWT_GOOD:
        return true;
    case JWT_MALFORMED:
        refuse_token(r, "UNAUTHORIZED_INVALID_JWT_FORMAT", "Invalid JWT");
        return false;
    case JWT_WRONG_ALGORITHM:
        refuse_token(r, "UNAUTHORIZED_UNSUPPORTED_TOKEN_ALGORITHM", "Invalid JWT");
        return false;
    case JWT_BAD_SIGNATURE:
    case JWT_EXPIRED:
        refuse_token(r, "UNAUTHORIZED_LEGACY_JWT", "Invalid JWT");
        return false;
    }
    return false;
}

/* ---- How failures look ----------------------------------------------------------------------- */

/* On the pool: why did the process end? */
static void explain_crash(struct request *r, void *context)
{
    struct run *run = context;
    int status = -1;
    for (int waited = 0; status < 0 && waited < CRASH_KNOWN_MS; waited += 10) {
        (void)pthread_mutex_lock(&run->functions->mutex);
        if (clock_boot_ms() - run->last_exit_boot_ms < CRASH_RECENT_MS)
            status = run->last_exit_status;
        (void)pthread_mutex_unlock(&run->functions->mutex);
        if (status < 0)
            (void)clock_sleep_ms(10);
    }
    if (status == EXIT_HEAP_LIMIT || status == EXIT_ABORT)
        refuse_named(r, 546, "WORKER_LIMIT",
                     "Worker failed to respond due to a resource limit (please check logs)");
    else
        refuse_named(r, 500, "WORKER_ERROR", "Function exited due to an error (please check logs)");
}

static void wait_for_start(struct run *run, struct request *r);

static void failed(struct request *r, enum proxy_failure why, void *context)
{
    struct run *run = context;
    switch (why) {
    case PROXY_NO_CONNECTION: /* it has just crashed: nothing was sent, so the next one may have it
                               */
        functions_wake(run->functions);
        if (request_body_bytes(r) == 0)
            wait_for_start(run, r);
        else
            request_to_pool(r, explain_crash, run);
        break;
    case PROXY_NO_ANSWER:
        request_to_pool(r, explain_crash, run);
        break;
    case PROXY_BAD_ANSWER:
        refuse_named(r, 500, "EDGE_FUNCTION_ERROR", "The function's answer is not HTTP");
        break;
    case PROXY_LATE:
        (void)pthread_mutex_lock(&run->functions->mutex);
        run->is_suspect = true;
        (void)pthread_mutex_unlock(&run->functions->mutex);
        functions_wake(run->functions);
        refuse_named(r, 504, "IDLE_TIMEOUT", "The function did not answer in time");
        break;
    }
}

/* ---- Passing on ------------------------------------------------------------------------------ */

static void pass_on(struct run *run, struct request *r, struct upstream *u)
{
    struct proxy_spec *spec = ARENA_NEW(r->arena, struct proxy_spec);
    *spec = (struct proxy_spec){
        .target = r->target + strlen(PREFIX) - 1, /* "/<slug>…" */
        .deadline_ms = (int)run->functions->idle_ms,
        .max_body_bytes = BODY_BYTES_MAX,
        .failed = failed,
        .context = run,
    };
    request_proxy(r, u, spec);
}

static void answer_not_running(struct run *run, struct request *r)
{
    (void)pthread_mutex_lock(&run->functions->mutex);
    bool exists = run->exists;
    bool is_missing = run->is_missing;
    (void)pthread_mutex_unlock(&run->functions->mutex);
    if (!exists)
        refuse_named(r, 404, "NOT_FOUND", "Requested function was not found");
    else if (is_missing)
        refuse_named(r, 404, "NOT_FOUND_FUNCTION_BLOB", "Function deployment bundle not found");
    else
        refuse_named(r, 503, "BOOT_ERROR", "Worker failed to boot (please check logs)");
}

/* On the loop: the function has started, or it will not. */
void function_waiter_resumed(struct request *r, void *context)
{
    struct run *run = context;
    struct upstream *u = upstream_slot_enter(run->slot);
    if (u)
        pass_on(run, r, u);
    else
        answer_not_running(run, r);
}

static void wait_for_start(struct run *run, struct request *r)
{
    struct functions *f = run->functions;
    struct waiter *w = ARENA_NEW(r->arena, struct waiter);
    (void)pthread_mutex_lock(&f->mutex);
    if (run->boot_failed && clock_boot_ms() >= run->retry_boot_ms)
        run->boot_failed = false; /* time for another try */
    bool may_wait = run->exists && !run->boot_failed && run->waiters_n < FUNCTION_WAITERS_MAX;
    if (may_wait) {
        request_suspend(r); /* before anybody can resume it */
        *w = (struct waiter){ .next = run->waiters, .request = r, .run = run };
        run->waiters = w;
        run->waiters_n++;
    }
    run->is_wanted = true;
    (void)pthread_mutex_unlock(&f->mutex);
    functions_wake(f);
    if (!may_wait)
        answer_not_running(run, r);
}

/* /functions/v1/<slug>[/…] */
static struct run *addressed(struct functions *f, const struct request *r)
{
    char slug[128];
    const char *start = r->path + strlen(PREFIX);
    size_t n = strcspn(start, "/");
    if (!starts_with(r->path, PREFIX) || !n || n >= sizeof slug)
        return NULL;
    memcpy(slug, start, n);
    slug[n] = '\0';
    struct run *run = functions_find(f, slug);
    if (!run)
        return NULL;
    (void)pthread_mutex_lock(&f->mutex);
    bool exists = run->exists;
    (void)pthread_mutex_unlock(&f->mutex);
    return exists ? run : NULL;
}

void functions_serve(struct functions *f, struct request *r)
{
    struct run *run = addressed(f, r);
    if (!run) {
        refuse_named(r, 404, "NOT_FOUND", "Requested function was not found");
        return;
    }
    if (r->method == METHOD_OTHER || r->method == METHOD_HEAD) {
        respond_json(r, 405, json_pack("{s:i, s:s}", "code", 405, "message", "Method not allowed"));
        return;
    }
    /* a browser asks with OPTIONS before it may send a token; the function answers that itself */
    if (atomic_load(&run->verify_jwt) && r->method != METHOD_OPTIONS &&
        !check_token(r, &f->env->id))
        return;
    struct upstream *u = upstream_slot_enter(run->slot);
    if (u)
        pass_on(run, r, u);
    else
        wait_for_start(run, r);
}
