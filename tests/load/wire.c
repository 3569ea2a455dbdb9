/*
 * The wire: one connection, one request at a time, every surprise reported. Contract in wire.h.
 *
 * An answer's length is told by content-length or by chunks; one without either ends with the
 * connection, which a keep-alive client must treat as malformed.
 */
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum {
    STALL_MS = 5000
};

int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

bool wire_init(struct wire *w, int port)
{
    *w = (struct wire){ .port = port, .fd = -1 };
    w->buffer = malloc(WIRE_HEAD_MAX + WIRE_BODY_MAX + 1);
    return w->buffer != NULL;
}

static const char *give_up(struct wire *w, const char *why)
{
    if (w->fd >= 0)
        close(w->fd);
    w->fd = -1;
    return why;
}

void wire_done(struct wire *w)
{
    give_up(w, "");
    free(w->buffer);
    w->buffer = NULL;
}

static const char *connect_to(struct wire *w)
{
    w->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (w->fd < 0)
        return "no socket";
    int on = 1;
    setsockopt(w->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)w->port) };
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(w->fd, (struct sockaddr *)&to, sizeof to) != 0)
        return give_up(w, "refused");
    return NULL;
}

static const char *send_all(struct wire *w, const char *head, size_t head_bytes, const void *body,
                            size_t body_bytes)
{
    struct msghdr message = { 0 };
    size_t sent = 0;
    while (sent < head_bytes + body_bytes) {
        struct iovec parts[2];
        int n = 0;
        if (sent < head_bytes) {
            parts[n++] = (struct iovec){ (void *)(uintptr_t)(head + sent), head_bytes - sent };
            if (body_bytes)
                parts[n++] = (struct iovec){ (void *)(uintptr_t)body, body_bytes };
        } else {
            size_t at = sent - head_bytes;
            parts[n++] = (struct iovec){ (void *)((uintptr_t)body + at), body_bytes - at };
        }
        message.msg_iov = parts;
        message.msg_iovlen = (size_t)n;
        ssize_t got = sendmsg(w->fd, &message, MSG_NOSIGNAL);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return give_up(w, "reset while sending");
        sent += (size_t)got;
    }
    return NULL;
}

/* Reads at least one byte more into the buffer. */
static const char *read_more(struct wire *w, size_t *have)
{
    if (*have >= WIRE_HEAD_MAX + WIRE_BODY_MAX)
        return give_up(w, "too long");
    struct pollfd p = { .fd = w->fd, .events = POLLIN };
    if (poll(&p, 1, STALL_MS) <= 0)
        return give_up(w, "stalled");
    ssize_t got = recv(w->fd, w->buffer + *have, WIRE_HEAD_MAX + WIRE_BODY_MAX - *have, 0);
    if (got < 0)
        return give_up(w, "reset");
    if (got == 0)
        return give_up(w, *have ? "cut off" : "closed");
    *have += (size_t)got;
    w->buffer[*have] = 0;
    return NULL;
}

static const char *header_value(const char *head, const char *name)
{
    size_t n = strlen(name);
    for (const char *line = strstr(head, "\r\n"); line && line[2] != '\r';
         line = strstr(line + 2, "\r\n"))
        if (strncasecmp(line + 2, name, n) == 0 && line[2 + n] == ':')
            return line + 2 + n + 1 + strspn(line + 2 + n + 1, " \t");
    return NULL;
}

/* Joins the chunks in place. */
static const char *read_chunks(struct wire *w, size_t body_at, size_t *have, size_t *ret_bytes)
{
    size_t in = body_at, out = body_at;
    for (;;) {
        const char *line_end;
        while (!(line_end = memmem(w->buffer + in, *have - in, "\r\n", 2))) {
            const char *why = read_more(w, have);
            if (why)
                return why;
        }
        size_t n = strtoul(w->buffer + in, NULL, 16);
        in = (size_t)(line_end - w->buffer) + 2;
        while (*have < in + n + 2) {
            const char *why = read_more(w, have);
            if (why)
                return why;
        }
        if (n == 0)
            break;
        memmove(w->buffer + out, w->buffer + in, n);
        out += n;
        in += n + 2;
    }
    *ret_bytes = out - body_at;
    w->buffer[out] = 0;
    return NULL;
}

static const char *read_answer(struct wire *w, struct answer *a)
{
    size_t have = 0;
    char *end = NULL;
    w->buffer[0] = 0;
    while (!(end = strstr(w->buffer, "\r\n\r\n"))) {
        const char *why = read_more(w, &have);
        if (why)
            return why;
    }
    if (strncmp(w->buffer, "HTTP/1.1 ", 9) != 0)
        return give_up(w, "malformed");
    end[2] = 0; /* the headers end here for header_value, the body begins after "\n" */
    a->status = (int)strtol(w->buffer + 9, NULL, 10);
    const char *connection = header_value(w->buffer, "connection");
    a->closes = connection && strncasecmp(connection, "close", 5) == 0;
    size_t body_at = (size_t)(end - w->buffer) + 4;
    a->body = w->buffer + body_at;
    const char *length = header_value(w->buffer, "content-length");
    const char *coding = header_value(w->buffer, "transfer-encoding");
    if (coding && strncasecmp(coding, "chunked", 7) == 0)
        return read_chunks(w, body_at, &have, &a->body_bytes);
    if (!length)
        return a->status == 204 || a->status == 304 ? NULL : give_up(w, "malformed");
    a->body_bytes = strtoul(length, NULL, 10);
    if (a->body_bytes > WIRE_BODY_MAX)
        return give_up(w, "too long");
    while (have < body_at + a->body_bytes) {
        const char *why = read_more(w, &have);
        if (why)
            return why;
    }
    return NULL;
}

const char *wire_request(struct wire *w, const char *method, const char *path, const char *headers,
                         const void *body, size_t body_bytes, struct answer *ret_answer)
{
    char head[4096];
    int n = snprintf(head, sizeof head,
                     "%s %s HTTP/1.1\r\nhost: 127.0.0.1:%d\r\ncontent-length: %zu\r\n%s\r\n",
                     method, path, w->port, body_bytes, headers);
    if (n < 0 || (size_t)n >= sizeof head)
        return "request too long";
    int64_t began = now_ns();
    const char *why = w->fd < 0 ? connect_to(w) : NULL;
    if (!why)
        why = send_all(w, head, (size_t)n, body, body_bytes);
    struct answer a = { 0 };
    if (!why)
        why = read_answer(w, &a);
    if (why)
        return why;
    a.took_ns = now_ns() - began;
    if (a.closes)
        give_up(w, "");
    *ret_answer = a;
    return NULL;
}
