/*
 * A connection: bytes in, the advance loop, deadlines, and its end.
 *
 * conn_advance is the only place that moves a connection on. It tries head, body, output and the
 * end of the exchange in turn until none makes progress; every event and every message ends in a
 * call of it.
 */
#include "net/server/internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- Begin and end --------------------------------------------------------------------------- */

void conn_open(struct loop *l, const struct listener *listener, int fd)
{
    struct conn *c = calloc(1, sizeof *c);
    if (!c)
        memory_exhausted(sizeof *c);
    c->source = (struct source){ .kind = SOURCE_CONN, .fd = fd };
    c->loop = l;
    c->listener = listener;
    c->may_write = true;
    c->may_read = true;
    c->head = strbuf_init(2 * LIMIT_HTTP_ANSWER_HEAD);
    c->deadline_ms = l->now_ms + l->server->spec.head_timeout_ms;
    struct sockaddr_storage from = { 0 };
    socklen_t n = sizeof from;
    if (getpeername(fd, (struct sockaddr *)&from, &n) == 0 && from.ss_family == AF_INET)
        (void)inet_ntop(AF_INET, &((struct sockaddr_in *)&from)->sin_addr, c->peer, sizeof c->peer);
    c->next = l->conns;
    if (l->conns)
        l->conns->prev = c;
    l->conns = c;
    l->conn_count++;
    if (!loop_watch(l, &c->source))
        conn_close(c);
}

void conn_close(struct conn *c)
{
    if (c->is_closed)
        return;
    c->is_gone = true;
    if (c->x.must_act && c->x.action == ACTION_SUSPEND) { /* its resume will come: wait for it */
        c->x.must_act = false;
        exchange_act(c);
    }
    if (c->is_held)
        return; /* comes back as a message; conn_advance closes it then */
    exchange_clean(c);
    c->is_closed = true;
    (void)close(c->source.fd);
    if (c->prev)
        c->prev->next = c->next;
    else
        c->loop->conns = c->next;
    if (c->next)
        c->next->prev = c->prev;
    c->loop->conn_count--;
    c->prev = NULL;
    c->next = c->loop->dead_conns;
    c->loop->dead_conns = c;
    (void)atomic_fetch_sub(&c->loop->server->connections, 1);
    if (atomic_load(&c->loop->server->is_full))
        server_accept_again(c->loop->server);
}

void conn_free(struct conn *c)
{
    strbuf_done(&c->head);
    arena_free(c->arena);
    free(c->in);
    free(c);
}

/* The other side is away. A stream's writers learn it from stream_write. */
void conn_gone(struct conn *c)
{
    c->is_gone = true;
}

void conn_refuse(struct conn *c, int status)
{
    if (c->x.proxy)
        proxy_abort(c->x.proxy);
    if (c->x.answer.is_head_made) {
        conn_gone(c);
        return;
    }
    (void)atomic_fetch_add(&c->loop->server->refused, 1);
    c->must_close = true;
    c->phase = PHASE_WORK;
    c->x.is_too_large = false;
    c->x.body_mode = BODY_HOLD;
    c->x.is_body_done = true; /* whatever follows cannot be told apart */
    c->x.action = ACTION_NONE;
    respond_error(&c->x.pub, status, "%s", status_text(status));
    c->x.must_act = true;
}

/* ---- Bytes in -------------------------------------------------------------------------------- */

/* recv into `p`: bytes, 0 when there is nothing now, -1 when there will be nothing more. */
static ssize_t receive(struct conn *c, char *p, size_t room)
{
    ssize_t n;
    do
        n = recv(c->source.fd, p, room, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN) {
        c->may_read = false;
        return 0;
    }
    /* A short read has emptied the socket: what comes later brings an event of its own. An end that
     * was announced together with these bytes does not. */
    if (n > 0 && (size_t)n < room && !c->has_hung_up)
        c->may_read = false;
    return n > 0 ? n : -1;
}

static void keep_input(struct conn *c, const char *p, size_t n)
{
    if (c->in_start > 0) {
        memmove(c->in, c->in + c->in_start, c->in_end - c->in_start);
        c->in_end -= c->in_start;
        c->in_start = 0;
    }
    if (c->in_end + n > c->in_capacity) {
        size_t capacity =
            c->in_end + n > LIMIT_HTTP_HEAD_BYTES ? c->in_end + n : LIMIT_HTTP_HEAD_BYTES;
        char *grown = realloc(c->in, capacity);
        if (!grown)
            memory_exhausted(capacity);
        c->in = grown;
        c->in_capacity = capacity;
    }
    memcpy(c->in + c->in_end, p, n);
    c->in_end += n;
}

/* ---- The head -------------------------------------------------------------------------------- */

static void prepare_exchange(struct conn *c)
{
    if (!c->arena) {
        c->arena = arena_new(0);
    } else if (arena_used_bytes(c->arena) > LIMIT_HTTP_PIECE_BYTES) {
        arena_free(c->arena);
        c->arena = arena_new(0);
    } else {
        arena_reset(c->arena);
    }
    struct exchange *x = &c->x;
    x->conn = c;
    x->pub.arena = c->arena;
    x->pub.server = c->loop->server;
    x->pub.port = c->listener->port;
    x->pub.peer = c->peer;
    x->answer.fd = -1;
    x->answer.headers_tail = &x->answer.headers;
    strbuf_clear(&c->head);
    c->head_sent = 0;
}

/* What a large body left behind in front of it is not kept for small requests. */
static void trim_input(struct conn *c)
{
    if (c->in_start < c->in_end)
        return;
    c->in_start = 0;
    c->in_end = 0;
    if (c->in_capacity > LIMIT_HTTP_HEAD_BYTES) {
        free(c->in);
        c->in = NULL;
        c->in_capacity = 0;
    }
}

static void begin(struct conn *c, size_t head_bytes)
{
    prepare_exchange(c);
    c->phase = PHASE_WORK;
    c->deadline_ms = 0;
    int status = head_parse(c, c->in + c->in_start, head_bytes);
    c->in_start += head_bytes;
    c->scanned = 0;
    if (status) {
        conn_refuse(c, status);
        return;
    }
    if (!c->x.wants_keep_alive || atomic_load(&c->loop->server->is_draining))
        c->must_close = true;
    exchange_begin(c);
}

static bool advance_head(struct conn *c)
{
    trim_input(c);
    while (c->in_start < c->in_end && strchr("\r\n", c->in[c->in_start]) && c->scanned == 0)
        c->in_start++; /* RFC 9112 2.2: empty lines before a request line are skipped */
    size_t n = c->in_end - c->in_start;
    size_t head_bytes = 0;
    int status = 0;
    if (n > 0) {
        enum head_state state =
            head_scan(c->in + c->in_start, n, &c->scanned, &head_bytes, &status);
        if (state == HEAD_WHOLE) {
            begin(c, head_bytes);
            return true;
        }
        if (state == HEAD_BAD) {
            prepare_exchange(c);
            c->in_start = c->in_end;
            conn_refuse(c, status);
            return true;
        }
    }
    if (!c->may_read)
        return false;
    ssize_t got = receive(c, c->loop->scratch, LIMIT_HTTP_HEAD_BYTES);
    if (got < 0) {
        conn_gone(c);
        return false;
    }
    if (got == 0)
        return false;
    if (n == 0) /* the first byte of a head: from here it has its own deadline */
        c->deadline_ms = c->loop->now_ms + c->loop->server->spec.head_timeout_ms;
    keep_input(c, c->loop->scratch, (size_t)got);
    return true;
}

/* ---- The body -------------------------------------------------------------------------------- */

static bool advance_body(struct conn *c)
{
    bool kept = c->in_start < c->in_end;
    const char *p = kept ? c->in + c->in_start : c->loop->scratch;
    ssize_t n = (ssize_t)(c->in_end - c->in_start);
    if (!kept) {
        if (!c->may_read)
            return false;
        n = receive(c, c->loop->scratch, LIMIT_HTTP_PIECE_BYTES);
        if (n < 0) {
            conn_gone(c); /* cut short */
            return false;
        }
        if (n == 0)
            return false;
        c->window_bytes += (uint64_t)n;
    }
    ssize_t taken = body_feed(c, p, (size_t)n);
    if (taken < 0) {
        conn_refuse(c, 400);
        return true;
    }
    if (kept)
        c->in_start += (size_t)taken;
    else if (taken < n)
        keep_input(c, p + taken, (size_t)(n - taken));
    exchange_after_feed(c);
    return true;
}

/* After our last byte: read on for a while, so that the answer is not lost to a reset. */
static bool advance_linger(struct conn *c)
{
    if (!c->may_read)
        return false;
    ssize_t n = receive(c, c->loop->scratch, LIMIT_HTTP_PIECE_BYTES);
    if (n < 0)
        conn_gone(c);
    return n > 0;
}

/* ---- Advance --------------------------------------------------------------------------------- */

static bool advance_work(struct conn *c)
{
    bool progress = false;
    if (c->x.must_act) {
        c->x.must_act = false;
        exchange_act(c);
        progress = true;
    }
    if (exchange_wants_body(c))
        progress |= advance_body(c);
    if (c->phase == PHASE_WORK && !c->is_gone && output_pending(c)) {
        bool sent = output_advance(c);
        progress |= sent;
    }
    if (c->phase == PHASE_WORK && !c->is_gone && c->x.proxy)
        progress |= proxy_pump(c->x.proxy);
    if (c->phase == PHASE_WORK && !c->is_gone && !c->is_held && output_is_done(c))
        progress |= exchange_finish(c);
    return progress;
}

void conn_advance(struct conn *c)
{
    if (c->is_advancing || c->is_closed)
        return;
    c->is_advancing = true;
    bool progress = true;
    while (progress && !c->is_gone) {
        switch (c->phase) {
        case PHASE_HEAD:
            progress = advance_head(c);
            break;
        case PHASE_WORK:
            progress = advance_work(c);
            break;
        case PHASE_LINGER:
            progress = advance_linger(c);
            break;
        }
    }
    c->is_advancing = false;
    if (c->is_gone)
        conn_close(c);
}

void conn_event(struct conn *c, uint32_t events)
{
    if (c->is_closed)
        return;
    if (events & (EPOLLIN | EPOLLRDHUP))
        c->may_read = true;
    if (events & EPOLLRDHUP)
        c->has_hung_up = true;
    if (events & EPOLLOUT)
        c->may_write = true;
    if (events & (EPOLLERR | EPOLLHUP))
        c->is_gone = true;
    if ((events & EPOLLRDHUP) && c->x.answer.is_head_made && c->x.answer.kind == ANSWER_QUEUE)
        c->is_gone = true; /* nobody listens to a stream with half a connection */
    conn_advance(c);
}

/* ---- Deadlines ------------------------------------------------------------------------------- */

void conn_sweep(struct conn *c)
{
    int64_t now = c->loop->now_ms;
    if (c->is_held)
        return;
    if (c->x.proxy) {
        proxy_sweep(c->x.proxy);
        if (c->is_closed || !c->x.proxy)
            return;
    }
    if (c->phase == PHASE_WORK && exchange_wants_body(c)) {
        /* a body may start slowly, then must bring 1 KB/s */
        if (now - c->window_ms < 5000)
            return;
        if (c->window_ms > 0 && c->window_bytes < 5 * KIB) {
            conn_refuse(c, 408);
            conn_advance(c);
            return;
        }
        c->window_ms = now;
        c->window_bytes = 0;
        return;
    }
    c->window_ms = now; /* waiting for us does not count */
    c->window_bytes = 0;
    bool idle_stream = c->x.answer.kind == ANSWER_QUEUE && !output_pending(c);
    if (c->deadline_ms == 0 || now < c->deadline_ms || idle_stream)
        return;
    if (c->phase == PHASE_HEAD && c->in_start < c->in_end) {
        prepare_exchange(c);
        c->in_start = c->in_end;
        conn_refuse(c, 408);
        conn_advance(c);
        return;
    }
    conn_close(c);
}
