/*
 * Answers: the respond_… calls fill struct answer; the loop turns it into a head and bytes. Also
 * the streams that other threads write to.
 */
#include "net/server/internal.h"

#include <stdarg.h>
#include <strings.h>
#include <unistd.h>

/* ---- Status and headers ---------------------------------------------------------------------- */

const char *status_text(int status)
{
    static const struct {
        int status;
        const char *text;
    } texts[] = {
        { 200, "OK" },
        { 201, "Created" },
        { 202, "Accepted" },
        { 204, "No Content" },
        { 206, "Partial Content" },
        { 301, "Moved Permanently" },
        { 302, "Found" },
        { 303, "See Other" },
        { 304, "Not Modified" },
        { 307, "Temporary Redirect" },
        { 308, "Permanent Redirect" },
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 406, "Not Acceptable" },
        { 408, "Request Timeout" },
        { 409, "Conflict" },
        { 410, "Gone" },
        { 412, "Precondition Failed" },
        { 413, "Content Too Large" },
        { 414, "URI Too Long" },
        { 416, "Range Not Satisfiable" },
        { 417, "Expectation Failed" },
        { 422, "Unprocessable Content" },
        { 429, "Too Many Requests" },
        { 431, "Request Header Fields Too Large" },
        { 500, "Internal Server Error" },
        { 501, "Not Implemented" },
        { 502, "Bad Gateway" },
        { 503, "Service Unavailable" },
        { 504, "Gateway Timeout" },
        { 505, "HTTP Version Not Supported" },
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (texts[i].status == status)
            return texts[i].text;
    }
    return "Status";
}

static bool is_framing(const char *name)
{
    static const char *const ours[] = { "content-length", "transfer-encoding", "connection", "date",
                                        "keep-alive" };
    if (!strchr("ctdkCTDK", *name)) /* most are not worth a comparison */
        return false;
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
        if (strcasecmp(name, ours[i]) == 0)
            return true;
    }
    return false;
}

void response_header(struct request *r, const char *name, const char *value)
{
    struct answer *a = &exchange_of(r)->answer;
    for (const char *p = value; *p; p++) {
        if (((unsigned char)*p < 0x20 && *p != '\t') || *p == 0x7f)
            return;
    }
    if (!*name || strpbrk(name, "\r\n: ") || is_framing(name))
        return;
    struct out_header *h = ARENA_NEW(r->arena, struct out_header);
    *h = (struct out_header){ .name = name, .value = value };
    *a->headers_tail = h;
    a->headers_tail = &h->next;
}

void response_set_header(struct request *r, const char *name, const char *value)
{
    struct answer *a = &exchange_of(r)->answer;
    struct out_header **at = &a->headers;
    while (*at) {
        if (strcasecmp((*at)->name, name) == 0)
            *at = (*at)->next;
        else
            at = &(*at)->next;
    }
    a->headers_tail = at;
    response_header(r, name, value);
}

/* ---- respond --------------------------------------------------------------------------------- */

static struct answer *answer_begin(struct request *r, enum answer_kind kind, int status,
                                   const char *content_type)
{
    struct exchange *x = exchange_of(r);
    x->action = ACTION_RESPOND;
    x->answer.kind = kind;
    x->answer.status = status;
    x->answer.content_type = content_type;
    return &x->answer;
}

void respond(struct request *r, int status, const char *content_type, struct str body)
{
    struct answer *a = answer_begin(r, ANSWER_BYTES, status, content_type);
    a->body = body;
    a->length = (int64_t)body.n;
}

void respond_text(struct request *r, int status, const char *text)
{
    respond(r, status, "text/plain; charset=utf-8", str_of(text));
}

void respond_empty(struct request *r, int status)
{
    respond(r, status, NULL, (struct str){ "", 0 });
}

static void free_text(void *text)
{
    free(text);
}

void respond_json(struct request *r, int status, json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    if (!text)
        memory_exhausted(0);
    json_decref(value);
    respond_shared(r, status, "application/json; charset=utf-8", str_of(text), free_text, text);
}

void respond_error(struct request *r, int status, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const char *text = arena_vprintf(r->arena, fmt, ap);
    va_end(ap);
    json_t *value = json_pack("{s:i, s:s?, s:s?}", "code", status, "message", text, "msg", text);
    if (!value) /* a text that is not UTF-8 */
        value = json_pack("{s:i, s:s}", "code", status, "message", status_text(status));
    respond_json(r, status, value);
}

void respond_shared(struct request *r, int status, const char *content_type, struct str body,
                    server_fn release, void *owner)
{
    respond(r, status, content_type, body);
    exchange_of(r)->answer.release = release;
    exchange_of(r)->answer.owner = owner;
}

void respond_file(struct request *r, int status, const char *content_type, int fd, uint64_t offset,
                  uint64_t bytes)
{
    struct answer *a = answer_begin(r, ANSWER_FILE, status, content_type);
    a->fd = fd;
    a->offset = offset;
    a->left = bytes;
    a->length = (int64_t)bytes;
}

/* ---- The head -------------------------------------------------------------------------------- */

static void add_line(struct strbuf *b, const char *name, const char *value)
{
    strbuf_adds(b, name);
    strbuf_add(b, ": ", 2);
    strbuf_adds(b, value);
    strbuf_add(b, "\r\n", 2);
}

static void add_number(struct strbuf *b, const char *name, uint64_t value)
{
    char digits[24];
    (void)snprintf(digits, sizeof digits, "%llu", (unsigned long long)value);
    add_line(b, name, digits);
}

static void add_status_line(struct strbuf *b, int status)
{
    if (status == 200) {
        strbuf_adds(b, "HTTP/1.1 200 OK\r\n");
        return;
    }
    strbuf_printf(b, "HTTP/1.1 %d %s\r\n", status, status_text(status));
}

/* How the end of the body is told: by length, by chunks, or by closing. */
static void add_framing(struct conn *c)
{
    struct exchange *x = &c->x;
    struct answer *a = &x->answer;
    bool bodyless = a->status == 204 || a->status == 304 || a->status < 200;
    if (bodyless) {
        /* no framing: the status says it */
    } else if (a->length >= 0) {
        add_number(&c->head, "Content-Length", (uint64_t)a->length);
    } else if (x->is_http10) {
        c->must_close = true;
    } else {
        strbuf_adds(&c->head, "Transfer-Encoding: chunked\r\n");
        a->is_chunked = true;
    }
    if (bodyless || x->pub.method == METHOD_HEAD) {
        a->body.n = 0;
        a->left = 0;
        a->is_chunked = false;
        strbuf_clear(&a->queue);
        if (a->kind == ANSWER_QUEUE)
            a->is_ended = true;
    }
}

void response_make_head(struct conn *c)
{
    struct exchange *x = &c->x;
    struct answer *a = &x->answer;
    struct strbuf *b = &c->head;
    if (atomic_load(&c->loop->server->is_draining))
        c->must_close = true;
    add_status_line(b, a->status);
    add_line(b, "Date", loop_date(c->loop));
    if (c->loop->server->spec.server_name)
        add_line(b, "Server", c->loop->server->spec.server_name);
    if (a->content_type)
        add_line(b, "Content-Type", a->content_type);
    for (const struct out_header *h = a->headers; h; h = h->next)
        add_line(b, h->name, h->value);
    add_framing(c);
    if (c->must_close)
        strbuf_adds(b, "Connection: close\r\n");
    else if (x->is_http10)
        strbuf_adds(b, "Connection: keep-alive\r\n");
    strbuf_add(b, "\r\n", 2);
    if (b->overflowed)
        conn_gone(c); /* a handler made a head larger than we send */
    a->is_head_made = true;
}

/* ---- Queues: answers that come over time ----------------------------------------------------- */

void queue_add(struct exchange *x, struct str bytes)
{
    struct answer *a = &x->answer;
    if (bytes.n == 0 || a->is_ended)
        return;
    if (a->is_chunked)
        strbuf_printf(&a->queue, "%zx\r\n", bytes.n);
    strbuf_add(&a->queue, bytes.p, bytes.n);
    if (a->is_chunked)
        strbuf_add(&a->queue, "\r\n", 2);
    if (a->queue.overflowed)
        conn_gone(x->conn);
}

void queue_end(struct exchange *x)
{
    struct answer *a = &x->answer;
    if (a->is_ended)
        return;
    if (a->is_chunked)
        strbuf_adds(&a->queue, "0\r\n\r\n");
    a->is_ended = true;
}

/* ---- Streams: a queue that other threads fill ------------------------------------------------ */

struct stream {
    pthread_mutex_t lock;
    unsigned refs;      /* the writer's, the exchange's, the message's */
    struct exchange *x; /* NULL once detached */
    struct loop *loop;
    struct strbuf pending;
    bool is_ended;
    bool is_posted;
    struct message message;
};

static void stream_unref_unlock(struct stream *st)
{
    bool last = --st->refs == 0;
    (void)pthread_mutex_unlock(&st->lock);
    if (!last)
        return;
    strbuf_done(&st->pending);
    (void)pthread_mutex_destroy(&st->lock);
    free(st);
}

static void stream_message(struct loop *l, void *arg)
{
    (void)l;
    struct stream *st = arg;
    (void)pthread_mutex_lock(&st->lock);
    st->is_posted = false;
    struct exchange *x = st->x; /* only this thread detaches it */
    stream_unref_unlock(st);
    if (x && x->answer.is_head_made) {
        stream_pull(x);
        conn_advance(x->conn);
    }
}

static void stream_post(struct stream *st)
{
    if (st->is_posted || !st->x)
        return;
    st->is_posted = true;
    st->refs++;
    st->message = (struct message){ .run = stream_message, .arg = st };
    loop_post(st->loop, &st->message);
}

struct stream *respond_stream(struct request *r, int status, const char *content_type)
{
    struct answer *a = answer_begin(r, ANSWER_QUEUE, status, content_type);
    struct stream *st = calloc(1, sizeof *st);
    if (!st)
        memory_exhausted(sizeof *st);
    (void)pthread_mutex_init(&st->lock, NULL);
    st->refs = 2;
    st->x = exchange_of(r);
    st->loop = st->x->conn->loop;
    st->pending = strbuf_init(LIMIT_HTTP_BEHIND_BYTES);
    a->queue = strbuf_init(2 * LIMIT_HTTP_BEHIND_BYTES);
    a->length = -1;
    a->stream = st;
    return st;
}

bool stream_write(struct stream *st, struct str bytes)
{
    (void)pthread_mutex_lock(&st->lock);
    bool ok = st->x && !st->is_ended && strbuf_add(&st->pending, bytes.p, bytes.n);
    if (ok)
        stream_post(st);
    (void)pthread_mutex_unlock(&st->lock);
    return ok;
}

void stream_end(struct stream *st)
{
    (void)pthread_mutex_lock(&st->lock);
    st->is_ended = true;
    stream_post(st);
    stream_unref_unlock(st);
}

void stream_pull(struct exchange *x)
{
    struct stream *st = x->answer.stream;
    (void)pthread_mutex_lock(&st->lock);
    bool room = x->answer.queue.n - x->answer.queue_sent < LIMIT_HTTP_BEHIND_BYTES;
    if (room) {
        queue_add(x, strbuf_str(&st->pending));
        strbuf_clear(&st->pending);
    }
    if (st->is_ended && st->pending.n == 0)
        queue_end(x);
    (void)pthread_mutex_unlock(&st->lock);
}

void stream_detach(struct stream *st)
{
    (void)pthread_mutex_lock(&st->lock);
    st->x = NULL;
    stream_unref_unlock(st);
}
