/*
 * Bytes out: the head together with the first of the body in one writev, files by sendfile, queues
 * as they fill. Everything here is written until the kernel says EAGAIN (the epoll is
 * edge-triggered).
 */
#include "net/server/internal.h"

#include <errno.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

static struct str rest_of_head(const struct conn *c)
{
    struct str head = strbuf_str(&c->head);
    return (struct str){ head.p + c->head_sent, head.n - c->head_sent };
}

static struct str rest_of_body(const struct conn *c)
{
    const struct answer *a = &c->x.answer;
    if (!a->is_head_made) /* a handler on the pool may be writing it just now */
        return (struct str){ 0 };
    if (a->kind == ANSWER_BYTES)
        return a->body;
    if (a->kind == ANSWER_QUEUE && a->queue.n > a->queue_sent)
        return (struct str){ a->queue.p + a->queue_sent, a->queue.n - a->queue_sent };
    return (struct str){ 0 };
}

bool output_pending(const struct conn *c)
{
    const struct answer *a = &c->x.answer;
    return rest_of_head(c).n > 0 || (a->is_head_made && (rest_of_body(c).n > 0 || a->left > 0));
}

bool output_is_done(const struct conn *c)
{
    const struct answer *a = &c->x.answer;
    return a->is_head_made && !output_pending(c) && (a->kind != ANSWER_QUEUE || a->is_ended);
}

static void sent(struct conn *c, size_t n)
{
    struct answer *a = &c->x.answer;
    size_t of_head = rest_of_head(c).n;
    if (n < of_head)
        of_head = n;
    c->head_sent += of_head;
    n -= of_head;
    if (a->kind == ANSWER_BYTES) {
        a->body.p += n;
        a->body.n -= n;
    } else if (a->kind == ANSWER_QUEUE) {
        a->queue_sent += n;
        if (a->queue_sent == a->queue.n) {
            strbuf_clear(&a->queue);
            a->queue_sent = 0;
        }
    }
}

/* What a failed write means. */
static bool write_failed(struct conn *c)
{
    if (errno == EAGAIN)
        c->may_write = false;
    else if (errno != EINTR)
        conn_gone(c);
    return false;
}

static bool send_memory(struct conn *c)
{
    struct str head = rest_of_head(c);
    struct str body = rest_of_body(c);
    struct iovec parts[2] = {
        { .iov_base = (void *)(uintptr_t)head.p, .iov_len = head.n },
        { .iov_base = (void *)(uintptr_t)body.p, .iov_len = body.n },
    };
    struct msghdr m = { .msg_iov = head.n ? parts : parts + 1,
                        .msg_iovlen = head.n && body.n ? 2 : 1 };
    int more = c->x.answer.is_head_made && c->x.answer.left > 0 ? MSG_MORE : 0;
    ssize_t n = sendmsg(c->source.fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT | more);
    if (n < 0)
        return write_failed(c);
    if ((size_t)n < head.n + body.n)
        c->may_write = false; /* the buffer is full; an edge will come */
    sent(c, (size_t)n);
    return n > 0;
}

static bool send_from_file(struct conn *c)
{
    struct answer *a = &c->x.answer;
    off_t offset = (off_t)a->offset;
    size_t want = a->left > LIMIT_HTTP_BEHIND_BYTES ? LIMIT_HTTP_BEHIND_BYTES : (size_t)a->left;
    ssize_t n = sendfile(c->source.fd, a->fd, &offset, want);
    if (n < 0)
        return write_failed(c);
    if (n == 0) { /* the file became shorter than announced */
        conn_gone(c);
        return false;
    }
    a->offset += (uint64_t)n;
    a->left -= (uint64_t)n;
    return true;
}

bool output_advance(struct conn *c)
{
    bool any = false;
    while (c->may_write && !c->is_gone && output_pending(c)) {
        bool memory = rest_of_head(c).n > 0 || rest_of_body(c).n > 0;
        if (!(memory ? send_memory(c) : send_from_file(c)))
            continue; /* EINTR goes on; EAGAIN and errors end the loop by the flags */
        any = true;
    }
    if (any)
        c->deadline_ms = c->loop->now_ms + 30000;
    return any;
}
