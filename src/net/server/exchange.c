/*
 * One request from its head to the end of its answer: notes of handlers become actions here.
 */
#include "net/server/internal.h"

#include <assert.h>
#include <sys/socket.h>
#include <unistd.h>

static const char continue_line[] = "HTTP/1.1 100 Continue\r\n\r\n";

/* ---- Notes: what handlers call, on whatever thread ------------------------------------------- */

static void note(struct request *r, enum action action, request_fn then, void *context)
{
    struct exchange *x = exchange_of(r);
    assert(x->action == ACTION_NONE); /* one thing at a time: see request.h */
    x->action = action;
    x->then = then;
    x->then_context = context;
}

void request_read_body(struct request *r, size_t max_bytes, request_fn then, void *context)
{
    exchange_of(r)->max_body_bytes = max_bytes;
    note(r, ACTION_READ, then, context);
}

void request_sink_body(struct request *r, uint64_t max_bytes, body_sink_fn sink, void *sink_context,
                       request_fn then, void *context)
{
    struct exchange *x = exchange_of(r);
    x->max_body_bytes = max_bytes;
    x->sink = sink;
    x->sink_context = sink_context;
    note(r, ACTION_SINK, then, context);
}

void request_to_pool(struct request *r, request_fn then, void *context)
{
    note(r, ACTION_POOL, then, context);
}

void request_suspend(struct request *r)
{
    note(r, ACTION_SUSPEND, NULL, NULL);
}

static void resume(struct loop *l, void *arg)
{
    (void)l;
    struct conn *c = arg;
    if (!c->x.is_suspended) { /* the handler that suspends it has not come back yet */
        c->x.is_resumed = true;
        return;
    }
    c->x.is_suspended = false;
    c->is_held = false;
    if (!c->is_gone)
        exchange_call(c, c->x.resume_then, c->x.resume_context);
    conn_advance(c);
}

void request_resume(struct request *r, request_fn then, void *context)
{
    struct exchange *x = exchange_of(r);
    x->resume_then = then;
    x->resume_context = context;
    x->conn->resume_message = (struct message){ .run = resume, .arg = x->conn };
    loop_post(x->conn->loop, &x->conn->resume_message);
}

void request_on_end(struct request *r, server_fn fn, void *context)
{
    struct exchange *x = exchange_of(r);
    struct end_hook *hook = ARENA_NEW(r->arena, struct end_hook);
    *hook = (struct end_hook){ .next = x->end_hooks, .fn = fn, .context = context };
    x->end_hooks = hook;
}

void request_proxy(struct request *r, struct upstream *u, const struct proxy_spec *spec)
{
    struct exchange *x = exchange_of(r);
    struct proxy_spec *copy = ARENA_NEW(r->arena, struct proxy_spec);
    *copy = *spec;
    x->proxy_spec = copy;
    x->proxy_upstream = u;
    note(r, ACTION_PROXY, NULL, NULL);
}

/* ---- The pool -------------------------------------------------------------------------------- */

static void come_back(struct loop *l, void *arg)
{
    (void)l;
    struct conn *c = arg;
    c->is_held = false;
    /* With nobody left to answer, only a suspension must still be seen: its resume will come. */
    if (!c->is_gone || c->x.action == ACTION_SUSPEND)
        exchange_act(c);
    conn_advance(c);
}

static void run_on_pool(void *arg)
{
    struct conn *c = arg;
    struct exchange *x = &c->x;
    request_fn then = x->then;
    void *context = x->then_context;
    x->action = ACTION_NONE;
    then(&x->pub, context);
    c->message = (struct message){ .run = come_back, .arg = c };
    loop_post(c->loop, &c->message);
}

/* ---- The sink -------------------------------------------------------------------------------- */

static void sink_came_back(struct loop *l, void *arg)
{
    (void)l;
    struct conn *c = arg;
    struct exchange *x = &c->x;
    c->is_held = false;
    x->is_sink_busy = false;
    strbuf_clear(&x->memory);
    if (!c->is_gone)
        exchange_after_feed(c);
    conn_advance(c);
}

static void run_sink(void *arg)
{
    struct conn *c = arg;
    struct exchange *x = &c->x;
    x->is_sink_failed = !x->sink(x->sink_context, strbuf_str(&x->memory));
    c->message = (struct message){ .run = sink_came_back, .arg = c };
    loop_post(c->loop, &c->message);
}

static void give_piece(struct conn *c)
{
    c->x.is_sink_busy = true;
    c->is_held = true;
    c->job = (struct job){ .run = run_sink, .arg = c };
    pool_add(c->loop->server->pool, &c->job);
}

/* ---- Actions: on the loop -------------------------------------------------------------------- */

void exchange_call(struct conn *c, request_fn fn, void *context)
{
    c->x.action = ACTION_NONE;
    fn(&c->x.pub, context);
    c->x.must_act =
        true; /* by conn_advance, so that a chain of callbacks does not grow the stack */
}

static void begin_body(struct conn *c, enum body_mode mode)
{
    struct exchange *x = &c->x;
    x->body_mode = mode;
    size_t most = mode == BODY_MEMORY ? (size_t)x->max_body_bytes + LIMIT_HTTP_PIECE_BYTES
                                      : 4 * LIMIT_HTTP_PIECE_BYTES;
    x->memory = strbuf_init(most);
    c->window_ms = c->loop->now_ms;
    c->window_bytes = 0;
    if (x->announced_bytes > 0 && (uint64_t)x->announced_bytes > x->max_body_bytes) {
        x->is_too_large = true;
    } else if (x->expects_continue && !x->is_body_done && x->body_bytes == 0) {
        strbuf_add(&c->head, continue_line, sizeof continue_line - 1);
        x->expects_continue = false;
    }
    exchange_after_feed(c);
}

static void suspend(struct conn *c)
{
    struct exchange *x = &c->x;
    if (x->is_resumed) {
        x->is_resumed = false;
        exchange_call(c, x->resume_then, x->resume_context);
        return;
    }
    x->is_suspended = true;
    c->is_held = true;
}

static void begin_answer(struct conn *c)
{
    struct exchange *x = &c->x;
    if (x->expects_continue && !x->is_body_done)
        c->must_close = true; /* whether a body will come is the client's guess */
    x->body_mode = BODY_IGNORE;
    response_make_head(c);
    c->deadline_ms = c->loop->now_ms + 30000;
    if (x->answer.stream)
        stream_pull(x);
}

void exchange_act(struct conn *c)
{
    struct exchange *x = &c->x;
    enum action action = x->action;
    x->action = ACTION_NONE;
    switch (action) {
    case ACTION_NONE:
        if (x->answer.kind != ANSWER_NONE)
            return;
        respond_error(&x->pub, 500, "no answer was made for this request");
        x->action = ACTION_NONE;
        begin_answer(c);
        return;
    case ACTION_RESPOND:
        begin_answer(c);
        return;
    case ACTION_READ:
        begin_body(c, BODY_MEMORY);
        return;
    case ACTION_SINK:
        begin_body(c, BODY_SINK);
        return;
    case ACTION_POOL:
        c->is_held = true;
        c->job = (struct job){ .run = run_on_pool, .arg = c };
        pool_add(c->loop->server->pool, &c->job);
        return;
    case ACTION_PROXY:
        x->max_body_bytes =
            x->proxy_spec->max_body_bytes ? x->proxy_spec->max_body_bytes : LIMIT_SITE_FILE_BYTES;
        proxy_begin(c);
        return;
    case ACTION_SUSPEND:
        suspend(c);
        return;
    }
}

/* ---- The body -------------------------------------------------------------------------------- */

bool exchange_wants_body(const struct conn *c)
{
    const struct exchange *x = &c->x;
    if (x->is_body_done || x->is_sink_busy || x->is_too_large)
        return false;
    if (x->body_mode == BODY_PROXY)
        return !x->proxy || !proxy_is_behind(x->proxy);
    return x->body_mode != BODY_HOLD;
}

void exchange_body(struct exchange *x, const char *p, size_t n)
{
    if (x->body_bytes > x->max_body_bytes && x->body_mode != BODY_IGNORE) {
        x->is_too_large = true;
        return;
    }
    if (x->body_mode == BODY_MEMORY || (x->body_mode == BODY_SINK && !x->is_sink_failed))
        strbuf_add(&x->memory, p, n);
    else if (x->body_mode == BODY_PROXY && x->proxy)
        proxy_body(x->proxy, p, n);
}

static void go_on(struct conn *c)
{
    struct exchange *x = &c->x;
    x->body_mode = BODY_IGNORE;
    exchange_call(c, x->then, x->then_context);
}

void exchange_after_feed(struct conn *c)
{
    struct exchange *x = &c->x;
    if (x->is_too_large) {
        conn_refuse(c, 413);
        return;
    }
    if (x->body_mode == BODY_MEMORY && x->is_body_done) {
        x->pub.body = strbuf_str(&x->memory);
        go_on(c);
    } else if (x->body_mode == BODY_SINK && !x->is_sink_busy) {
        bool full = x->memory.n >= LIMIT_HTTP_PIECE_BYTES || x->is_body_done;
        if (x->memory.n > 0 && full && !x->is_sink_failed)
            give_piece(c);
        else if (x->is_body_done)
            go_on(c);
    } else if (x->body_mode == BODY_PROXY && x->proxy) {
        if (x->is_body_done)
            proxy_body_done(x->proxy);
        proxy_flush(x->proxy);
    }
}

/* ---- Begin and end --------------------------------------------------------------------------- */

void exchange_begin(struct conn *c)
{
    c->x.is_counted = true;
    (void)atomic_fetch_add(&c->loop->server->in_flight, 1);
    exchange_call(c, c->listener->handler, c->listener->context);
}

void exchange_clean(struct conn *c)
{
    struct exchange *x = &c->x;
    if (x->proxy)
        proxy_abort(x->proxy);
    else if (x->proxy_upstream)
        upstream_leave(x->proxy_upstream);
    x->proxy_upstream = NULL;
    if (x->answer.stream)
        stream_detach(x->answer.stream);
    if (x->answer.release)
        x->answer.release(x->answer.owner);
    if (x->answer.kind == ANSWER_FILE && x->answer.fd >= 0)
        (void)close(x->answer.fd);
    for (struct end_hook *h = x->end_hooks; h; h = h->next)
        h->fn(h->context);
    strbuf_done(&x->memory);
    strbuf_done(&x->answer.queue);
    if (x->is_counted) {
        (void)atomic_fetch_sub(&c->loop->server->in_flight, 1);
        (void)atomic_fetch_add(&c->loop->server->requests, 1);
    }
    memset(x, 0, sizeof *x);
}

bool exchange_finish(struct conn *c)
{
    struct exchange *x = &c->x;
    bool cut = x->answer.is_cut;
    bool body_left = !x->is_body_done;
    if (body_left && !c->must_close && !cut) {
        uint64_t left = x->announced_bytes < 0 ? 0 : (uint64_t)x->announced_bytes - x->body_bytes;
        if (left <= LIMIT_HTTP_BEHIND_BYTES && x->body_bytes <= 2 * LIMIT_HTTP_BEHIND_BYTES)
            return false; /* short: read it away and keep the connection */
    }
    c->answered++;
    exchange_clean(c);
    if (cut) {
        conn_close(c);
    } else if (c->must_close || body_left) {
        (void)shutdown(c->source.fd, SHUT_WR);
        c->phase = PHASE_LINGER;
        c->deadline_ms = c->loop->now_ms + 2000;
    } else {
        c->phase = PHASE_HEAD;
        c->scanned = 0;
        c->deadline_ms = c->loop->now_ms + c->loop->server->spec.idle_timeout_ms;
    }
    return true;
}
