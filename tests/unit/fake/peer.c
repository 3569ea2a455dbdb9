/*
 * The scripted peer: one thread accepts, one serves each connection. See peer.h.
 */
#include "fake/peer.h"

#include "assert_ok.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    MAX_CONNECTIONS = 64,
    MAX_REQUESTS = 8192,
    HEAD_BYTES = 64 * 1024,
};

struct connection {
    struct peer *peer;
    int fd;
    pthread_t thread;
    char head[HEAD_BYTES + 1]; /* also what was read beyond the head */
    size_t n;
};

struct peer {
    int fd;
    char url[64];
    pthread_t thread;
    pthread_mutex_t lock;
    const struct peer_step *steps;
    size_t n_steps;
    struct peer_step (*answer)(void *context, const struct peer_request *r);
    void *context;
    struct peer_request *requests[MAX_REQUESTS];
    size_t n_requests;
    struct connection *connections[MAX_CONNECTIONS];
    size_t n_connections;
    char problem[512];
};

static void *xalloc(size_t n)
{
    void *p = calloc(1, n);
    if (!p)
        abort();
    return p;
}

static char *copy(const char *bytes, size_t n)
{
    char *text = xalloc(n + 1);
    if (n > 0)
        memcpy(text, bytes, n);
    return text;
}

/* ---- requests ---- */

static void free_request(struct peer_request *r)
{
    free(r->line);
    free(r->head);
    free(r->body);
    free(r);
}

/* Reads until `c->head` holds at least `n` bytes, or an end. */
static bool more(struct connection *c)
{
    ssize_t got = c->n < HEAD_BYTES ? read(c->fd, c->head + c->n, HEAD_BYTES - c->n) : 0;
    if (got <= 0)
        return false;
    c->n += (size_t)got;
    c->head[c->n] = '\0';
    return true;
}

static void drop(struct connection *c, size_t n)
{
    memmove(c->head, c->head + n, c->n - n);
    c->n -= n;
    c->head[c->n] = '\0';
}

static bool take(struct connection *c, char *to, size_t n)
{
    while (n > 0) {
        if (c->n == 0 && !more(c))
            return false;
        size_t part = n < c->n ? n : c->n;
        memcpy(to, c->head, part);
        drop(c, part);
        to += part;
        n -= part;
    }
    return true;
}

static const char *header(const char *head, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = strstr(head, "\r\n"); p; p = strstr(p + 2, "\r\n"))
        if (strncasecmp(p + 2, name, n) == 0 && p[2 + n] == ':')
            return p + 3 + n;
    return NULL;
}

static bool read_chunks(struct connection *c, struct peer_request *r)
{
    for (;;) {
        char *end;
        while (!(end = strstr(c->head, "\r\n")))
            if (!more(c))
                return false;
        size_t n = strtoul(c->head, NULL, 16);
        drop(c, (size_t)(end - c->head) + 2);
        char *grown = realloc(r->body, r->body_bytes + n + 2 + 1);
        if (!grown)
            abort();
        r->body = grown;
        if (!take(c, r->body + r->body_bytes, n + 2))
            return false;
        r->body_bytes += n;
        r->body[r->body_bytes] = '\0';
        if (n == 0)
            return true;
    }
}

static struct peer_request *read_request(struct connection *c)
{
    char *end;
    while (!(end = strstr(c->head, "\r\n\r\n")))
        if (!more(c))
            return NULL;
    struct peer_request *r = xalloc(sizeof *r);
    r->head = copy(c->head, (size_t)(end - c->head) + 2);
    r->line = copy(c->head, strcspn(c->head, "\r"));
    drop(c, (size_t)(end - c->head) + 4);
    const char *length = header(r->head, "content-length"),
               *coding = header(r->head, "transfer-encoding");
    r->body_bytes = length ? strtoul(length, NULL, 10) : 0;
    r->body = xalloc(r->body_bytes + 1);
    if (coding ? read_chunks(c, r) : take(c, r->body, r->body_bytes))
        return r;
    free_request(r);
    return NULL;
}

/* ---- answers ---- */

static void complain(struct peer *p, const char *what, const char *got)
{
    if (p->problem[0] == '\0')
        (void)snprintf(p->problem, sizeof p->problem, "request %zu: %s, got: %.300s", p->n_requests,
                       what, got);
}

static struct peer_step next_step(struct peer *p, const struct peer_request *r)
{
    if (p->answer)
        return p->answer(p->context, r);
    if (p->n_requests > p->n_steps) {
        complain(p, "no step is left", r->line);
        return (struct peer_step){ .status = 500, .body = "{\"message\":\"no step is left\"}" };
    }
    struct peer_step s = p->steps[p->n_requests - 1];
    if (s.expect && strncmp(r->line, s.expect, strlen(s.expect)) != 0)
        complain(p, s.expect, r->line);
    if (s.expect_text && !strstr(r->head, s.expect_text) &&
        !memmem(r->body, r->body_bytes, s.expect_text, strlen(s.expect_text)))
        complain(p, s.expect_text, r->body);
    return s;
}

static bool write_all(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t put = send(fd, bytes, n, MSG_NOSIGNAL);
        if (put <= 0)
            return false;
        bytes += put;
        n -= (size_t)put;
    }
    return true;
}

static bool answer(int fd, const struct peer_step *s)
{
    size_t n = s->body_bytes > 0 ? s->body_bytes : s->body ? strlen(s->body) : 0;
    char *body = copy(s->body, s->body ? n : 0);
    if (!s->body) {
        free(body);
        body = xalloc(n + 1);
        memset(body, ' ', n);
    }
    char head[8192];
    int head_bytes = snprintf(head, sizeof head, "HTTP/1.1 %d x\r\nContent-Length: %zu\r\n%s\r\n",
                              s->status > 0 ? s->status : 200, n, s->headers ? s->headers : "");
    bool ok = write_all(fd, head, (size_t)head_bytes) &&
              write_all(fd, body, s->act == PEER_CUT ? n / 2 : n);
    free(body);
    return ok && s->act == PEER_ANSWER;
}

static void reset(int fd)
{
    struct linger at_once = { .l_onoff = 1 };
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

/* A head that never ends. */
static void drip(int fd)
{
    static const char start[] = "HTTP/1.1 200 x\r\nX-Slow: ";
    struct timespec pause = { .tv_nsec = 2 * 1000 * 1000 };
    for (size_t i = 0; write_all(fd, i < sizeof start - 1 ? &start[i] : ".", 1); i++)
        (void)nanosleep(&pause, NULL);
}

/* Does what the step says. False: the connection ends. */
static bool act(struct connection *c, const struct peer_step *s)
{
    char byte;
    switch (s->act) {
    case PEER_ANSWER:
    case PEER_CUT:
    case PEER_CLOSE_AFTER:
        return answer(c->fd, s);
    case PEER_DRIP:
        drip(c->fd);
        return false;
    case PEER_STALL:
        (void)!read(c->fd, &byte, 1); /* until the client has had enough */
        return false;
    case PEER_RESET:
        reset(c->fd);
        return false;
    case PEER_CLOSE:
        return false;
    }
    return false;
}

static void *serve(void *context)
{
    struct connection *c = context;
    struct peer *p = c->peer;
    for (struct peer_request *r; (r = read_request(c));) {
        pthread_mutex_lock(&p->lock);
        if (p->n_requests == MAX_REQUESTS)
            abort();
        p->requests[p->n_requests++] = r;
        struct peer_step s = next_step(p, r);
        pthread_mutex_unlock(&p->lock);
        if (!act(c, &s))
            break;
    }
    pthread_mutex_lock(&p->lock);
    (void)close(c->fd);
    c->fd = -1;
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

static void *accept_all(void *context)
{
    struct peer *p = context;
    for (int fd; (fd = accept(p->fd, NULL, NULL)) >= 0;) {
        struct connection *c = xalloc(sizeof *c);
        c->peer = p;
        c->fd = fd;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
        pthread_mutex_lock(&p->lock);
        if (p->n_connections == MAX_CONNECTIONS)
            abort();
        p->connections[p->n_connections++] = c;
        if (pthread_create(&c->thread, NULL, serve, c) != 0)
            abort();
        pthread_mutex_unlock(&p->lock);
    }
    return NULL;
}

/* ---- life ---- */

static int listen_somewhere(uint16_t *ret_port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(fd, 64) != 0 ||
        getsockname(fd, (struct sockaddr *)&at, &n) != 0)
        abort();
    *ret_port = ntohs(at.sin_port);
    return fd;
}

static struct peer *start(struct peer *p)
{
    uint16_t port;
    p->fd = listen_somewhere(&port);
    (void)snprintf(p->url, sizeof p->url, "http://127.0.0.1:%u", port);
    pthread_mutex_init(&p->lock, NULL);
    if (pthread_create(&p->thread, NULL, accept_all, p) != 0)
        abort();
    return p;
}

struct peer *peer_start(const struct peer_step *steps, size_t n)
{
    struct peer *p = xalloc(sizeof *p);
    p->steps = steps;
    p->n_steps = n;
    return start(p);
}

struct peer *peer_start_with(struct peer_step (*answer_with)(void *context,
                                                             const struct peer_request *r),
                             void *context)
{
    struct peer *p = xalloc(sizeof *p);
    p->answer = answer_with;
    p->context = context;
    return start(p);
}

const char *peer_url(const struct peer *p)
{
    return p->url;
}

size_t peer_count(struct peer *p)
{
    pthread_mutex_lock(&p->lock);
    size_t n = p->n_requests;
    pthread_mutex_unlock(&p->lock);
    return n;
}

size_t peer_connections(struct peer *p)
{
    pthread_mutex_lock(&p->lock);
    size_t n = p->n_connections;
    pthread_mutex_unlock(&p->lock);
    return n;
}

const struct peer_request *peer_seen(struct peer *p, size_t i)
{
    pthread_mutex_lock(&p->lock);
    const struct peer_request *r = i < p->n_requests ? p->requests[i] : NULL;
    pthread_mutex_unlock(&p->lock);
    return r;
}

void peer_stop(struct peer *p)
{
    (void)shutdown(p->fd, SHUT_RDWR);
    (void)pthread_join(p->thread, NULL);
    (void)close(p->fd);
    for (size_t i = 0; i < p->n_connections; i++) {
        struct connection *c = p->connections[i];
        pthread_mutex_lock(&p->lock);
        if (c->fd >= 0)
            (void)shutdown(c->fd, SHUT_RDWR);
        pthread_mutex_unlock(&p->lock);
        (void)pthread_join(c->thread, NULL);
        free(c);
    }
    if (!p->answer && p->n_requests < p->n_steps && p->problem[0] == '\0')
        (void)snprintf(p->problem, sizeof p->problem, "only %zu of %zu steps were used",
                       p->n_requests, p->n_steps);
    char problem[sizeof p->problem];
    memcpy(problem, p->problem, sizeof problem);
    for (size_t i = 0; i < p->n_requests; i++)
        free_request(p->requests[i]);
    free(p);
    if (problem[0] != '\0')
        fail_msg("peer: %s", problem);
}

const char *peer_nowhere(void)
{
    static char url[64];
    uint16_t port;
    int fd = listen_somewhere(&port);
    (void)close(fd);
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u", port);
    return url;
}

/* ---- peers that do not get as far as a request ---- */

struct bad_peer_server {
    enum bad_peer how;
    int fd;
    uint16_t port;
    int fillers[2];
    pthread_t thread;
};

static void *be_bad(void *context)
{
    struct bad_peer_server *b = context;
    for (int fd; (fd = accept(b->fd, NULL, NULL)) >= 0;) {
        if (b->how == BAD_PEER_RESETS)
            reset(fd);
        else
            (void)write_all(fd, "what?\r\n", 7);
        (void)close(fd);
    }
    return NULL;
}

/* A listener whose queue is full drops what asks for a connection. */
static void fill(struct bad_peer_server *b)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_port = htons(b->port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    if (listen(b->fd, 0) != 0)
        abort();
    for (size_t i = 0; i < 2; i++) {
        b->fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        (void)!connect(b->fillers[i], (struct sockaddr *)&at, sizeof at);
    }
}

struct bad_peer_server *bad_peer_start(enum bad_peer how)
{
    struct bad_peer_server *b = xalloc(sizeof *b);
    b->how = how;
    b->fillers[0] = b->fillers[1] = -1;
    b->fd = listen_somewhere(&b->port);
    if (how == BAD_PEER_FULL)
        fill(b);
    else if (pthread_create(&b->thread, NULL, be_bad, b) != 0)
        abort();
    return b;
}

int bad_peer_port(const struct bad_peer_server *b)
{
    return b->port;
}

void bad_peer_stop(struct bad_peer_server *b)
{
    (void)shutdown(b->fd, SHUT_RDWR);
    if (b->how != BAD_PEER_FULL)
        (void)pthread_join(b->thread, NULL);
    (void)close(b->fd);
    for (size_t i = 0; i < 2; i++)
        if (b->fillers[i] >= 0)
            (void)close(b->fillers[i]);
    free(b);
}
