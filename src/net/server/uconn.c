/*
 * Connections to upstreams: opened without blocking, kept while idle, closed when they are old,
 * their upstream is retired or the other side hangs up.
 */
#include "net/server/internal.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

static struct uconn *pop_idle(struct loop *l, struct upstream *up)
{
    while (up->idle[l->index]) {
        struct uconn *u = up->idle[l->index];
        up->idle[l->index] = u->idle_next;
        u->idle_next = NULL;
        u->is_idle = false;
        char byte;
        ssize_t n = recv(u->source.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN) {
            u->is_reused = true;
            return u;
        }
        uconn_close(u); /* closed by the other side, or talking out of turn */
    }
    return NULL;
}

static struct uconn *uconn_new(struct loop *l, struct upstream *up, int fd)
{
    struct uconn *u = calloc(1, sizeof *u);
    if (!u)
        memory_exhausted(sizeof *u);
    u->source = (struct source){ SOURCE_UPSTREAM, fd };
    u->loop = l;
    u->upstream = upstream_ref(up);
    u->out = strbuf_init(4 * LIMIT_HTTP_BEHIND_BYTES);
    u->head = strbuf_init(LIMIT_HTTP_ANSWER_HEAD + LIMIT_HTTP_PIECE_BYTES);
    u->next = l->uconns;
    if (l->uconns)
        l->uconns->prev = u;
    l->uconns = u;
    return u;
}

enum uconn_result uconn_take(struct loop *l, struct upstream *up, bool fresh, struct uconn **ret)
{
    struct uconn *u = fresh ? NULL : pop_idle(l, up);
    if (u) {
        *ret = u;
        return UCONN_OPEN;
    }
    CLEANUP(fd)
    int fd = socket(up->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return UCONN_NONE;
    bool connected = connect(fd, (struct sockaddr *)&up->address, up->address_bytes) == 0;
    if (!connected && errno == EAGAIN)
        return UCONN_BUSY; /* a unix socket with a full queue */
    if (!connected && errno != EINPROGRESS)
        return UCONN_NONE;
    if (!up->is_unix) {
        int one = 1;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    }
    u = uconn_new(l, up, fd_take(&fd));
    u->is_connected = connected;
    u->may_write = connected;
    *ret = u;
    if (loop_watch(l, &u->source))
        return UCONN_OPEN;
    uconn_close(u);
    return UCONN_NONE;
}

void uconn_keep(struct uconn *u)
{
    if (atomic_load(&u->upstream->is_retired)) {
        uconn_close(u);
        return;
    }
    u->proxy = NULL;
    u->is_idle = true;
    u->idle_since_ms = u->loop->now_ms;
    strbuf_clear(&u->out);
    u->out_sent = 0;
    strbuf_clear(&u->head);
    u->idle_next = u->upstream->idle[u->loop->index];
    u->upstream->idle[u->loop->index] = u;
}

void uconn_close(struct uconn *u)
{
    if (u->is_closed)
        return;
    u->is_closed = true;
    (void)close(u->source.fd);
    if (u->is_idle) {
        struct uconn **at = &u->upstream->idle[u->loop->index];
        while (*at && *at != u)
            at = &(*at)->idle_next;
        if (*at)
            *at = u->idle_next;
    }
    if (u->prev)
        u->prev->next = u->next;
    else
        u->loop->uconns = u->next;
    if (u->next)
        u->next->prev = u->prev;
    u->proxy = NULL;
    u->prev = NULL;
    u->next = u->loop->dead_uconns;
    u->loop->dead_uconns = u;
}

void uconn_free(struct uconn *u)
{
    upstream_unref(u->upstream);
    strbuf_done(&u->out);
    strbuf_done(&u->head);
    free(u);
}

void uconn_flush(struct uconn *u)
{
    while (u->may_write && u->out_sent < u->out.n) {
        ssize_t n = send(u->source.fd, u->out.p + u->out_sent, u->out.n - u->out_sent,
                         MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            u->may_write = false;
            if (errno != EAGAIN)
                u->may_read = true; /* an early answer may be waiting; else reading tells the end */
            return;
        }
        u->out_sent += (size_t)n;
    }
    if (u->out_sent == u->out.n) {
        strbuf_clear(&u->out);
        u->out_sent = 0;
    }
}

void uconn_event(struct uconn *u, uint32_t events)
{
    if (u->is_closed)
        return;
    if (u->is_idle) {
        if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
            uconn_close(u);
        return;
    }
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        u->may_read = true;
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        u->has_hung_up = true;
    if ((events & EPOLLOUT) && !(events & EPOLLERR)) {
        u->is_connected = true;
        u->may_write = true;
    }
    if (!u->proxy)
        return;
    proxy_flush(u->proxy);
    proxy_advance(u->proxy);
}

void uconn_sweep_all(struct loop *l)
{
    for (struct uconn *u = l->uconns, *next; u; u = next) {
        next = u->next;
        bool is_old = l->now_ms - u->idle_since_ms > u->upstream->idle_ms;
        if (u->is_idle && (is_old || atomic_load(&u->upstream->is_retired)))
            uconn_close(u);
    }
}

void uconn_close_all(struct loop *l)
{
    while (l->uconns)
        uconn_close(l->uconns);
}
