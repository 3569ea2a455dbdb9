/*
 * The server as a whole: listeners, connections handed round the loops, timers, drain.
 *
 * Loop 0 accepts and deals connections out in turn, so that they are evenly spread whatever the
 * kernel would do. Over the limit of connections the listeners leave the epoll until one closes.
 */
#include "base/clock.h"
#include "net/server/internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LISTEN_BACKLOG 1024
#define ACCEPT_BATCH   64

struct timer {
    struct timer *next; /* sorted by due time */
    int64_t due_ms;
    server_fn fn;
    void *context;
    struct job job;
};

/* ---- Life ------------------------------------------------------------------------------------ */

static unsigned default_loops(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 1 ? 1 : cores > 4 ? 4 : (unsigned)cores;
}

struct server *server_new(const struct server_spec *spec)
{
    struct server *s = calloc(1, sizeof *s);
    if (!s)
        memory_exhausted(sizeof *s);
    s->spec = *spec;
    s->loop_count = spec->loops ? spec->loops : default_loops();
    if (s->loop_count > LIMIT_HTTP_LOOPS)
        s->loop_count = LIMIT_HTTP_LOOPS;
    if (!s->spec.workers)
        s->spec.workers = 4;
    if (!s->spec.max_connections)
        s->spec.max_connections = LIMIT_HTTP_CONNECTIONS;
    if (!s->spec.head_timeout_ms)
        s->spec.head_timeout_ms = 10000;
    if (!s->spec.idle_timeout_ms)
        s->spec.idle_timeout_ms = 60000;
    (void)pthread_mutex_init(&s->lock, NULL);
    return s;
}

static bool watch_listener(struct server *s, struct listener *listener)
{
    struct epoll_event ev = { .events = EPOLLIN, .data.ptr = listener };
    return epoll_ctl(s->loops[0].epoll_fd, EPOLL_CTL_ADD, listener->source.fd, &ev) == 0 ||
           errno == EEXIST;
}

static bool open_listener(const char *host, int port, int *ret_fd, int *ret_port, struct err *e)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    if (port < 0 || port > 65535 || inet_pton(AF_INET, host, &at.sin_addr) != 1)
        return err_set(e, ERR_INTERNAL, "%s:%d is no address to listen on", host, port);
    CLEANUP(fd) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int one = 1;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0)
        return err_system(e, "open a socket");
    if (bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(fd, LISTEN_BACKLOG) != 0) {
        enum err_code code = errno == EADDRINUSE ? ERR_CONFLICT : ERR_IO;
        err_system(e, "listen on %s:%d", host, port);
        return err_recode(e, code);
    }
    socklen_t n = sizeof at;
    if (getsockname(fd, (struct sockaddr *)&at, &n) != 0)
        return err_system(e, "ask for the port");
    *ret_port = ntohs(at.sin_port);
    *ret_fd = fd_take(&fd);
    return true;
}

// NOLINTNEXTLINE(readability-function-size): one parameter more than usual, all different
bool server_listen(struct server *s, const char *host, int port, request_fn handler, void *context,
                   int *ret_port, struct err *e)
{
    int fd = -1;
    int bound = 0;
    if (!open_listener(host, port, &fd, &bound, e))
        return false;
    struct listener *l = calloc(1, sizeof *l);
    if (!l)
        memory_exhausted(sizeof *l);
    *l = (struct listener){
        .source = { SOURCE_LISTENER, fd },
        .port = bound,
        .handler = handler,
        .context = context,
    };
    (void)pthread_mutex_lock(&s->lock);
    l->next = s->listeners;
    s->listeners = l;
    bool ok = !s->is_started || watch_listener(s, l);
    (void)pthread_mutex_unlock(&s->lock);
    if (!ok)
        return err_system(e, "watch port %d", bound);
    if (ret_port)
        *ret_port = bound;
    return true;
}

bool server_has_port(struct server *s, int port)
{
    bool found = false;
    (void)pthread_mutex_lock(&s->lock);
    for (const struct listener *l = s->listeners; l; l = l->next)
        found |= l->port == port;
    (void)pthread_mutex_unlock(&s->lock);
    return found;
}

bool server_start(struct server *s, struct err *e)
{
    (void)signal(SIGPIPE, SIG_IGN); /* sendfile has no MSG_NOSIGNAL */
    s->pool = pool_new(s->spec.workers);
    for (unsigned i = 0; i < s->loop_count; i++) {
        if (!loop_open(&s->loops[i], s, i, e))
            return false;
    }
    (void)pthread_mutex_lock(&s->lock);
    s->is_started = true;
    for (struct listener *l = s->listeners; l; l = l->next)
        (void)watch_listener(s, l);
    (void)pthread_mutex_unlock(&s->lock);
    for (unsigned i = 0; i < s->loop_count; i++) {
        if (!loop_start(&s->loops[i], e))
            return false;
    }
    return true;
}

static void close_listeners(struct server *s)
{
    for (struct listener *l = s->listeners; l; l = l->next) {
        if (l->source.fd >= 0)
            (void)close(l->source.fd);
        l->source.fd = -1;
    }
}

void server_free(struct server *s)
{
    if (!s)
        return;
    atomic_store(&s->is_stopping, true);
    for (unsigned i = 0; i < s->loop_count; i++)
        loop_join(&s->loops[i]);
    pool_free(s->pool);
    for (unsigned i = 0; i < s->loop_count; i++)
        loop_done(&s->loops[i]);
    close_listeners(s);
    while (s->listeners) {
        struct listener *l = s->listeners;
        s->listeners = l->next;
        free(l);
    }
    while (s->timers) {
        struct timer *t = s->timers;
        s->timers = t->next;
        free(t);
    }
    (void)pthread_mutex_destroy(&s->lock);
    free(s);
}

/* ---- Accept ---------------------------------------------------------------------------------- */

struct arrival {
    struct message message;
    const struct listener *listener;
    int fd;
};

static void arrive(struct loop *l, void *arg)
{
    struct arrival *a = arg;
    conn_open(l, a->listener, a->fd);
    free(a);
}

static void hand_over(struct server *s, struct loop *here, const struct listener *from, int fd)
{
    struct loop *to = &s->loops[s->next_loop++ % s->loop_count];
    (void)atomic_fetch_add(&s->connections, 1);
    if (to == here) {
        conn_open(here, from, fd);
        return;
    }
    struct arrival *a = calloc(1, sizeof *a);
    if (!a)
        memory_exhausted(sizeof *a);
    *a = (struct arrival){ .message = { .run = arrive, .arg = a }, .listener = from, .fd = fd };
    loop_post(to, &a->message);
}

static void stop_accepting(struct server *s)
{
    (void)pthread_mutex_lock(&s->lock);
    atomic_store(&s->is_full, true);
    for (struct listener *l = s->listeners; l; l = l->next)
        (void)epoll_ctl(s->loops[0].epoll_fd, EPOLL_CTL_DEL, l->source.fd, NULL);
    (void)pthread_mutex_unlock(&s->lock);
}

void server_accept_again(struct server *s)
{
    (void)pthread_mutex_lock(&s->lock);
    if (atomic_exchange(&s->is_full, false) && !atomic_load(&s->is_draining)) {
        for (struct listener *l = s->listeners; l; l = l->next)
            (void)watch_listener(s, l);
    }
    (void)pthread_mutex_unlock(&s->lock);
}

void server_accept(struct loop *l, struct listener *from)
{
    struct server *s = l->server;
    for (int i = 0; i < ACCEPT_BATCH; i++) {
        if (atomic_load(&s->connections) >= s->spec.max_connections) {
            stop_accepting(s);
            return;
        }
        int fd = accept4(from->source.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE)
                stop_accepting(s); /* until one closes: better than spinning */
            return;
        }
        int one = 1;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        hand_over(s, l, from, fd);
    }
}

/* ---- Work and timers ------------------------------------------------------------------------- */

static void run_timer(void *arg)
{
    struct timer *t = arg;
    t->fn(t->context);
    free(t);
}

static struct timer *timer_new(server_fn fn, void *context)
{
    struct timer *t = calloc(1, sizeof *t);
    if (!t)
        memory_exhausted(sizeof *t);
    t->fn = fn;
    t->context = context;
    t->job = (struct job){ .run = run_timer, .arg = t };
    return t;
}

void server_work(struct server *s, server_fn fn, void *context)
{
    if (s->pool)
        pool_add(s->pool, &timer_new(fn, context)->job);
    else
        server_after(s, 0, fn, context); /* before the start: loop 0 finds it */
}

void server_after(struct server *s, int64_t ms, server_fn fn, void *context)
{
    struct timer *t = timer_new(fn, context);
    t->due_ms = clock_boot_ms() + ms;
    (void)pthread_mutex_lock(&s->lock);
    struct timer **at = &s->timers;
    while (*at && (*at)->due_ms <= t->due_ms)
        at = &(*at)->next;
    t->next = *at;
    *at = t;
    bool is_first = s->timers == t;
    (void)pthread_mutex_unlock(&s->lock);
    if (is_first && s->is_started) {
        uint64_t one = 1;
        ssize_t n = write(s->loops[0].wake.fd, &one, sizeof one);
        (void)n; /* only the wake-up matters */
    }
}

int64_t server_run_timers(struct server *s)
{
    int64_t now_ms = clock_boot_ms();
    (void)pthread_mutex_lock(&s->lock);
    while (s->timers && s->timers->due_ms <= now_ms) {
        struct timer *t = s->timers;
        s->timers = t->next;
        pool_add(s->pool, &t->job);
    }
    int64_t wait_ms = s->timers ? s->timers->due_ms - now_ms : -1;
    (void)pthread_mutex_unlock(&s->lock);
    return wait_ms;
}

/* ---- Drain and figures ----------------------------------------------------------------------- */

static void close_idle(struct loop *l, void *arg)
{
    for (struct conn *c = l->conns, *next; c; c = next) {
        next = c->next;
        if (c->phase == PHASE_HEAD && c->in_start == c->in_end)
            conn_close(c);
    }
    free(arg);
}

unsigned server_drain(struct server *s, int timeout_ms)
{
    atomic_store(&s->is_draining, true);
    if (!s->is_started)
        return 0;
    (void)pthread_mutex_lock(&s->lock);
    for (struct listener *l = s->listeners; l; l = l->next)
        (void)epoll_ctl(s->loops[0].epoll_fd, EPOLL_CTL_DEL, l->source.fd, NULL);
    (void)pthread_mutex_unlock(&s->lock);
    for (unsigned i = 0; i < s->loop_count; i++) {
        struct message *m = calloc(1, sizeof *m);
        if (!m)
            memory_exhausted(sizeof *m);
        *m = (struct message){ .run = close_idle, .arg = m };
        loop_post(&s->loops[i], m);
    }
    int64_t until_ms = clock_boot_ms() + timeout_ms;
    struct timespec pause = { .tv_nsec = 2000000 };
    while (atomic_load(&s->connections) > 0 && clock_boot_ms() < until_ms)
        (void)nanosleep(&pause, NULL);
    return atomic_load(&s->in_flight);
}

bool server_is_draining(struct server *s)
{
    return atomic_load(&s->is_draining) || atomic_load(&s->is_stopping);
}

struct server_figures server_figures(struct server *s)
{
    return (struct server_figures){
        .requests = atomic_load(&s->requests),
        .refused = atomic_load(&s->refused),
        .connections = atomic_load(&s->connections),
        .in_flight = atomic_load(&s->in_flight),
    };
}
