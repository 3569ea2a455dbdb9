/*
 * One request passed on to an upstream.
 *
 * The request's head is written anew (the client's framing never travels on), its body follows in
 * our own framing. The answer's head is read whole, its hop-by-hop fields are dropped, its body
 * goes into the exchange's queue. Each side waits while the other is more than a piece behind.
 */
#include "net/server/internal.h"

#include <errno.h>
#include <strings.h>

struct proxy {
    struct conn *conn;
    const struct proxy_spec *spec;
    struct upstream *upstream;
    struct uconn *u;
    struct str request_head;
    bool is_chunked;  /* the request's body, towards the upstream */
    bool is_body_out; /* the request's body is complete in u->out */
    bool is_waiting;  /* for a place in the upstream's queue */
    bool has_answer;  /* its head has been read */
    bool was_heard;   /* at least one byte came */
    bool is_complete;
    int64_t deadline_ms;
    struct header *fields; /* of the answer */
    size_t field_count;
    bool in_body;
};

static void fail(struct proxy *p, enum proxy_failure why);

/* ---- The request's head ---------------------------------------------------------------------- */

static bool is_listed(const char *list, const char *name)
{
    struct str rest = str_of(list);
    while (list && rest.p) {
        struct str item = str_trim(str_cut(&rest, ','));
        if (item.n == strlen(name) && strncasecmp(item.p, name, item.n) == 0)
            return true;
    }
    return false;
}

static bool is_hop_by_hop(const char *name, const char *connection)
{
    static const char fixed[] =
        "connection,keep-alive,proxy-connection,proxy-authenticate,"
        "proxy-authorization,te,trailer,transfer-encoding,upgrade,content-length";
    return is_listed(fixed, name) || is_listed(connection, name);
}

static bool is_left_out(const struct proxy_spec *spec, const char *name)
{
    static const char ours[] = "host,expect,x-forwarded-for,x-forwarded-host,x-forwarded-proto";
    if (is_listed(ours, name))
        return true;
    for (size_t i = 0; i < spec->set_count; i++) {
        if (strcasecmp(spec->set[i].name, name) == 0)
            return true;
    }
    for (const char *const *drop = spec->drop; drop && *drop; drop++) {
        if (strcasecmp(*drop, name) == 0)
            return true;
    }
    return false;
}

static void add_line(struct strbuf *b, const char *name, const char *value)
{
    strbuf_adds(b, name);
    strbuf_adds(b, ": ");
    strbuf_adds(b, value);
    strbuf_adds(b, "\r\n");
}

static struct str make_request_head(const struct exchange *x, const struct proxy_spec *spec)
{
    const struct request *r = &x->pub;
    CLEANUP(strbuf) struct strbuf b = strbuf_init(4 * LIMIT_HTTP_ANSWER_HEAD);
    strbuf_printf(&b, "%s %s HTTP/1.1\r\n", r->method_name,
                  spec->target ? spec->target : r->target);
    add_line(&b, "Host", *r->authority ? r->authority : "localhost");
    const char *connection = request_header(r, "connection");
    for (size_t i = 0; i < r->header_count; i++) {
        const struct header *h = &r->headers[i];
        if (!is_hop_by_hop(h->name, connection) && !is_left_out(spec, h->name))
            add_line(&b, h->name, h->value);
    }
    for (size_t i = 0; i < spec->set_count; i++)
        add_line(&b, spec->set[i].name, spec->set[i].value);
    add_line(&b, "X-Forwarded-For", r->peer);
    add_line(&b, "X-Forwarded-Host", r->authority);
    add_line(&b, "X-Forwarded-Proto", "http");
    if (x->announced_bytes < 0)
        add_line(&b, "Transfer-Encoding", "chunked");
    else if (x->announced_bytes > 0 || r->method == METHOD_POST || r->method == METHOD_PUT ||
             r->method == METHOD_PATCH)
        strbuf_printf(&b, "Content-Length: %lld\r\n", (long long)x->announced_bytes);
    strbuf_adds(&b, "\r\n");
    return (struct str){ arena_strndup(r->arena, strbuf_text(&b), b.n), b.n };
}

/* ---- The answer ------------------------------------------------------------------------------ */

static struct proxy *proxy_at(llhttp_t *parser)
{
    return parser->data;
}

static int on_field(llhttp_t *parser, const char *at, size_t n)
{
    struct proxy *p = proxy_at(parser);
    if (p->in_body)
        return 0; /* trailers are not passed on */
    if (p->field_count == LIMIT_HTTP_FIELDS)
        return HPE_USER;
    struct arena *a = p->conn->arena;
    p->fields[p->field_count++] = (struct header){ .name = arena_strndup(a, at, n), .value = "" };
    return 0;
}

static int on_value(llhttp_t *parser, const char *at, size_t n)
{
    struct proxy *p = proxy_at(parser);
    if (p->in_body || p->field_count == 0)
        return 0;
    struct header *h = &p->fields[p->field_count - 1];
    h->value = arena_printf(p->conn->arena, "%s%.*s", h->value, (int)n, at);
    return 0;
}

static int on_head(llhttp_t *parser)
{
    struct proxy *p = proxy_at(parser);
    p->in_body = true;
    parser->upgrade = 0;
    return p->conn->x.pub.method == METHOD_HEAD ? 1 : 0; /* 1: no body follows */
}

static int on_body(llhttp_t *parser, const char *at, size_t n)
{
    struct proxy *p = proxy_at(parser);
    queue_add(&p->conn->x, (struct str){ at, n });
    return 0;
}

static int on_end(llhttp_t *parser)
{
    proxy_at(parser)->is_complete = true;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_headers_complete = on_head,
    .on_body = on_body,
    .on_message_complete = on_end,
};

static void listen_anew(struct proxy *p)
{
    llhttp_init(&p->u->parser, HTTP_RESPONSE, &settings);
    p->u->parser.data = p;
    p->field_count = 0;
    p->in_body = false;
    p->is_complete = false;
}

static void begin_answer(struct proxy *p)
{
    struct exchange *x = &p->conn->x;
    struct answer *a = &x->answer;
    a->kind = ANSWER_QUEUE;
    a->status = p->u->parser.status_code;
    a->queue = strbuf_init(8 * LIMIT_HTTP_BEHIND_BYTES);
    a->length = -1;
    const char *connection = NULL;
    for (size_t i = 0; i < p->field_count; i++) {
        if (strcasecmp(p->fields[i].name, "connection") == 0)
            connection = p->fields[i].value;
        uint64_t n = 0;
        if (strcasecmp(p->fields[i].name, "content-length") == 0 &&
            str_to_u64(str_of(p->fields[i].value), &n))
            a->length = (int64_t)n;
    }
    for (size_t i = 0; i < p->field_count; i++) {
        if (!is_hop_by_hop(p->fields[i].name, connection))
            response_header(&x->pub, p->fields[i].name, p->fields[i].value);
    }
    p->has_answer = true;
    if (p->spec->answered)
        p->spec->answered(&x->pub, a->status, p->spec->context);
    response_make_head(p->conn);
}

static void complete(struct proxy *p)
{
    struct exchange *x = &p->conn->x;
    struct uconn *u = p->u;
    queue_end(x);
    bool keep = llhttp_should_keep_alive(&u->parser) && p->is_body_out && u->out.n == u->out_sent;
    if (keep)
        uconn_keep(u);
    else
        uconn_close(u);
    upstream_leave(p->upstream);
    x->proxy = NULL;
    x->proxy_upstream = NULL;
    x->body_mode = BODY_IGNORE;
}

/* Takes bytes of the answer. */
static void hear(struct proxy *p, const char *bytes, size_t n)
{
    struct uconn *u = p->u;
    p->was_heard = true;
    p->deadline_ms = p->conn->loop->now_ms + (p->spec->idle_ms ? p->spec->idle_ms : 300000);
    if (!p->has_answer) {
        strbuf_add(&u->head, bytes, n);
        for (;;) {
            const char *end = u->head.n ? memmem(u->head.p, u->head.n, "\r\n\r\n", 4) : NULL;
            if (!end) {
                if (u->head.n > LIMIT_HTTP_ANSWER_HEAD)
                    fail(p, PROXY_BAD_ANSWER);
                return;
            }
            size_t head_bytes = (size_t)(end - u->head.p) + 4;
            llhttp_errno_t result = llhttp_execute(&u->parser, u->head.p, head_bytes);
            if ((result != HPE_OK && result != HPE_PAUSED) || u->parser.status_code == 101) {
                fail(p, PROXY_BAD_ANSWER);
                return;
            }
            strbuf_drop(&u->head, head_bytes);
            if (u->parser.status_code >= 200)
                break;
            listen_anew(p); /* 100 Continue and its kind are ours to give */
        }
        begin_answer(p);
        bytes = u->head.p;
        n = u->head.n;
    }
    if (!p->is_complete && n > 0) {
        llhttp_errno_t result = llhttp_execute(&u->parser, bytes, n);
        if (result != HPE_OK && result != HPE_PAUSED) {
            fail(p, PROXY_BAD_ANSWER);
            return;
        }
    }
    if (p->is_complete)
        complete(p);
}

/* ---- Life ------------------------------------------------------------------------------------ */

static void connect_and_send(struct proxy *p, bool fresh)
{
    struct exchange *x = &p->conn->x;
    struct loop *l = p->conn->loop;
    enum uconn_result result = uconn_take(l, p->upstream, fresh, &p->u);
    if (p->is_waiting) {
        p->is_waiting = false;
        l->retries--;
    }
    if (result == UCONN_BUSY) {
        p->is_waiting = true;
        l->retries++;
        return;
    }
    if (result == UCONN_NONE) {
        p->u = NULL;
        fail(p, PROXY_NO_CONNECTION);
        return;
    }
    p->u->proxy = p;
    p->was_heard = false;
    listen_anew(p);
    strbuf_add(&p->u->out, p->request_head.p, p->request_head.n);
    p->is_body_out = x->is_body_done;
    uconn_flush(p->u);
}

void proxy_begin(struct conn *c)
{
    struct exchange *x = &c->x;
    struct proxy *p = ARENA_NEW(c->arena, struct proxy);
    *p = (struct proxy){
        .conn = c,
        .spec = x->proxy_spec,
        .upstream = x->proxy_upstream,
        .is_chunked = x->announced_bytes < 0,
        .fields = arena_array(c->arena, LIMIT_HTTP_FIELDS, sizeof(struct header)),
    };
    p->deadline_ms = c->loop->now_ms + (p->spec->deadline_ms ? p->spec->deadline_ms : 60000);
    x->proxy = p;
    x->body_mode = BODY_PROXY;
    c->window_ms = c->loop->now_ms;
    c->window_bytes = 0;
    if (x->announced_bytes > 0 && (uint64_t)x->announced_bytes > x->max_body_bytes) {
        x->is_too_large = true;
        exchange_after_feed(c);
        return;
    }
    if (x->expects_continue && !x->is_body_done) {
        strbuf_adds(&c->head, "HTTP/1.1 100 Continue\r\n\r\n");
        x->expects_continue = false;
    }
    p->request_head = make_request_head(x, p->spec);
    connect_and_send(p, false);
}

/* Lets go of the upstream; the exchange has no proxy afterwards. */
static void let_go(struct proxy *p)
{
    struct exchange *x = &p->conn->x;
    if (p->is_waiting)
        p->conn->loop->retries--;
    if (p->u)
        uconn_close(p->u);
    p->u = NULL;
    upstream_leave(p->upstream);
    x->proxy = NULL;
    x->proxy_upstream = NULL;
}

void proxy_abort(struct proxy *p)
{
    let_go(p);
}

static void fail_by_default(struct request *r, enum proxy_failure why)
{
    if (why == PROXY_LATE)
        respond_error(r, 504, "the server behind this address did not answer in time");
    else
        respond_error(r, 502, "the server behind this address gave no answer");
}

static void fail(struct proxy *p, enum proxy_failure why)
{
    struct conn *c = p->conn;
    struct exchange *x = &c->x;
    const struct proxy_spec *spec = p->spec;
    (void)atomic_fetch_add(&p->upstream->failures, 1);
    let_go(p);
    if (x->answer.is_head_made) { /* too late for another answer: end it visibly short */
        x->answer.is_cut = true;
        x->answer.is_ended = true;
        return;
    }
    x->action = ACTION_NONE;
    if (spec->failed)
        spec->failed(&x->pub, why, spec->context);
    else
        fail_by_default(&x->pub, why);
    x->must_act = true;
}

static bool may_send_again(const struct proxy *p)
{
    const struct request *r = &p->conn->x.pub;
    bool idempotent = r->method == METHOD_GET || r->method == METHOD_HEAD ||
                      r->method == METHOD_OPTIONS || r->method == METHOD_PUT ||
                      r->method == METHOD_DELETE;
    return p->u->is_reused && !p->was_heard && idempotent && p->conn->x.announced_bytes == 0;
}

/* The upstream's connection has ended. */
static void ended(struct proxy *p)
{
    if (p->has_answer) {
        if (llhttp_finish(&p->u->parser) == HPE_OK || p->is_complete)
            complete(p);
        else
            fail(p, PROXY_BAD_ANSWER);
        return;
    }
    if (may_send_again(p)) {
        uconn_close(p->u);
        p->u = NULL;
        connect_and_send(p, true);
        return;
    }
    fail(p, p->u->is_connected || p->was_heard ? PROXY_NO_ANSWER : PROXY_NO_CONNECTION);
}

bool proxy_pump(struct proxy *p)
{
    struct conn *c = p->conn;
    struct uconn *u = p->u;
    const struct answer *a = &c->x.answer;
    bool is_behind = a->queue.n - a->queue_sent > LIMIT_HTTP_PIECE_BYTES;
    if (!u || !u->may_read || is_behind)
        return false;
    ssize_t n = recv(u->source.fd, c->loop->scratch, LIMIT_HTTP_PIECE_BYTES, MSG_DONTWAIT);
    if (n < 0 && errno == EINTR)
        return true;
    if (n < 0 && errno == EAGAIN) {
        u->may_read = false;
        return false;
    }
    if (n > 0 && (size_t)n < LIMIT_HTTP_PIECE_BYTES && !u->has_hung_up)
        u->may_read = false; /* emptied; more brings an event */
    if (n > 0)
        hear(p, c->loop->scratch, (size_t)n);
    else
        ended(p);
    return true;
}

void proxy_advance(struct proxy *p)
{
    conn_advance(p->conn);
}

/* ---- The request's body ---------------------------------------------------------------------- */

void proxy_body(struct proxy *p, const char *bytes, size_t n)
{
    struct strbuf *out = &p->u->out;
    if (p->is_chunked)
        strbuf_printf(out, "%zx\r\n", n);
    strbuf_add(out, bytes, n);
    if (p->is_chunked)
        strbuf_adds(out, "\r\n");
}

void proxy_body_done(struct proxy *p)
{
    if (p->is_body_out || !p->u)
        return;
    p->is_body_out = true;
    if (p->is_chunked)
        strbuf_adds(&p->u->out, "0\r\n\r\n");
}

void proxy_flush(struct proxy *p)
{
    if (p->u)
        uconn_flush(p->u);
}

bool proxy_is_behind(const struct proxy *p)
{
    return !p->u || p->u->out.n - p->u->out_sent > LIMIT_HTTP_PIECE_BYTES;
}

/* ---- Time ------------------------------------------------------------------------------------ */

void proxy_sweep(struct proxy *p)
{
    const struct answer *a = &p->conn->x.answer;
    bool client_is_behind = p->has_answer && a->queue.n > a->queue_sent;
    bool body_is_coming = !p->has_answer && !p->is_body_out && !p->is_waiting;
    int64_t now_ms = p->conn->loop->now_ms;
    if (client_is_behind || body_is_coming || now_ms < p->deadline_ms)
        return;
    struct conn *c = p->conn;
    fail(p, PROXY_LATE);
    conn_advance(c);
}

void proxy_retry_all(struct loop *l)
{
    for (struct conn *c = l->conns, *next; c; c = next) {
        next = c->next;
        if (!c->x.proxy || !c->x.proxy->is_waiting)
            continue;
        connect_and_send(c->x.proxy, true);
        conn_advance(c);
    }
}
