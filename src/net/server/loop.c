/*
 * A loop thread: one epoll, one inbox, one sweep. Messages from other threads are noted in the
 * inbox and an eventfd wakes the loop; everything a loop owns is touched by its own thread only.
 */
#include "base/clock.h"
#include "net/server/internal.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define BATCH_EVENTS 256
#define SWEEP_MS     500
#define RETRY_MS     5

bool loop_open(struct loop *l, struct server *s, unsigned index, struct err *e)
{
    l->server = s;
    l->index = index;
    (void)pthread_mutex_init(&l->inbox_lock, NULL);
    l->inbox_tail = &l->inbox;
    l->now_ms = clock_boot_ms();
    l->scratch = malloc(LIMIT_HTTP_PIECE_BYTES);
    if (!l->scratch)
        memory_exhausted(LIMIT_HTTP_PIECE_BYTES);
    l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    l->wake = (struct source){ SOURCE_WAKE, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
    if (l->epoll_fd < 0 || l->wake.fd < 0)
        return err_system(e, "open an epoll");
    struct epoll_event ev = { .events = EPOLLIN, .data.ptr = &l->wake };
    if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, l->wake.fd, &ev) != 0)
        return err_system(e, "watch the inbox");
    return true;
}

/* Edge-triggered, both directions, once for the life of the descriptor. */
bool loop_watch(struct loop *l, struct source *source)
{
    struct epoll_event ev = {
        .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
        .data.ptr = source,
    };
    return epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, source->fd, &ev) == 0;
}

void loop_post(struct loop *l, struct message *m)
{
    m->next = NULL;
    (void)pthread_mutex_lock(&l->inbox_lock);
    bool was_empty = l->inbox == NULL;
    *l->inbox_tail = m;
    l->inbox_tail = &m->next;
    (void)pthread_mutex_unlock(&l->inbox_lock);
    if (was_empty) {
        uint64_t one = 1;
        ssize_t n = write(l->wake.fd, &one, sizeof one);
        (void)n; /* full means that a wake-up is due already */
    }
}

static void read_inbox(struct loop *l)
{
    (void)pthread_mutex_lock(&l->inbox_lock);
    struct message *m = l->inbox;
    l->inbox = NULL;
    l->inbox_tail = &l->inbox;
    (void)pthread_mutex_unlock(&l->inbox_lock);
    while (m) {
        struct message *next = m->next; /* the message may be posted again while it runs */
        m->run(l, m->arg);
        m = next;
    }
}

const char *loop_date(struct loop *l)
{
    int64_t now_s = clock_unix_ms() / 1000;
    if (now_s != l->date_s) {
        time_t t = (time_t)now_s;
        struct tm tm;
        if (gmtime_r(&t, &tm))
            (void)strftime(l->date, sizeof l->date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
        l->date_s = now_s;
    }
    return l->date;
}

static void free_dead(struct loop *l)
{
    while (l->dead_conns) {
        struct conn *c = l->dead_conns;
        l->dead_conns = c->next;
        conn_free(c);
    }
    while (l->dead_uconns) {
        struct uconn *u = l->dead_uconns;
        l->dead_uconns = u->next;
        uconn_free(u);
    }
}

static void dispatch(struct loop *l, struct source *source, uint32_t events)
{
    switch (source->kind) {
    case SOURCE_WAKE: {
        uint64_t count;
        ssize_t n = read(source->fd, &count, sizeof count);
        (void)n; /* only the wake-up matters */
        return;  /* the inbox is read after every batch */
    }
    case SOURCE_LISTENER:
        server_accept(l, (struct listener *)source);
        return;
    case SOURCE_CONN:
        conn_event((struct conn *)source, events);
        return;
    case SOURCE_UPSTREAM:
        uconn_event((struct uconn *)source, events);
        return;
    }
}

static void sweep(struct loop *l)
{
    for (struct conn *c = l->conns, *next; c; c = next) {
        next = c->next;
        conn_sweep(c);
    }
    uconn_sweep_all(l);
}

static void *run(void *arg)
{
    struct loop *l = arg;
    struct epoll_event events[BATCH_EVENTS];
    int64_t next_sweep_ms = clock_boot_ms() + SWEEP_MS;
    while (!atomic_load(&l->server->is_stopping)) {
        int64_t wait_ms = next_sweep_ms - l->now_ms;
        int64_t timer_ms = l->index == 0 ? server_run_timers(l->server) : -1;
        if (timer_ms >= 0 && timer_ms < wait_ms)
            wait_ms = timer_ms;
        if (l->retries > 0 && wait_ms > RETRY_MS)
            wait_ms = RETRY_MS;
        int n = epoll_wait(l->epoll_fd, events, BATCH_EVENTS, wait_ms > 0 ? (int)wait_ms : 0);
        assert(n >= 0 || errno == EINTR);
        l->now_ms = clock_boot_ms();
        for (int i = 0; i < n; i++)
            dispatch(l, events[i].data.ptr, events[i].events);
        read_inbox(l);
        if (l->retries > 0)
            proxy_retry_all(l);
        if (l->now_ms >= next_sweep_ms) {
            sweep(l);
            next_sweep_ms = l->now_ms + SWEEP_MS;
        }
        free_dead(l);
    }
    return NULL;
}

bool loop_start(struct loop *l, struct err *e)
{
    int failed = pthread_create(&l->thread, NULL, run, l);
    if (failed) {
        errno = failed;
        return err_system(e, "start a loop thread");
    }
    l->is_running = true;
    return true;
}

void loop_join(struct loop *l)
{
    if (!l->is_running)
        return;
    uint64_t one = 1;
    ssize_t n = write(l->wake.fd, &one, sizeof one);
    (void)n;
    (void)pthread_join(l->thread, NULL);
    l->is_running = false;
}

void loop_done(struct loop *l)
{
    if (!l->server)
        return;
    read_inbox(l); /* what the pool left: nothing is held any more after this */
    while (l->conns) {
        l->conns->is_held = false;
        conn_close(l->conns);
    }
    uconn_close_all(l);
    read_inbox(l);
    free_dead(l);
    if (l->epoll_fd >= 0)
        (void)close(l->epoll_fd);
    if (l->wake.fd >= 0)
        (void)close(l->wake.fd);
    free(l->scratch);
    (void)pthread_mutex_destroy(&l->inbox_lock);
    l->server = NULL;
}
