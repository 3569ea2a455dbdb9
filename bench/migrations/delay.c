/*
 * A distance of its own making: a TCP relay on loopback that hands every byte on after a delay, each
 * way. `delay PORT MS` listens on a free port, prints it, and relays to 127.0.0.1:PORT until it is
 * killed. The delay is latency, not bandwidth: bytes that come together leave together.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PAIRS 32
#define PIECE 16384

/* What was read at one moment, and when it may leave. */
struct parcel {
    struct parcel *next;
    int64_t leaves_us;
    size_t n, sent;
    bool is_end; /* the reader's end of file */
    char bytes[PIECE];
};

struct way {
    int from, to;
    bool is_read_out;
    struct parcel *first, **last;
};

struct pair {
    bool is_used;
    struct way ways[2];
};

static struct pair pairs[PAIRS];
static int64_t delay_us;

static int64_t now_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void quick(int fd)
{
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void begin(int client, int upstream_port)
{
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)upstream_port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct pair *p = pairs;
    while (p < pairs + PAIRS && p->is_used)
        p++;
    if (p == pairs + PAIRS || server < 0 || connect(server, (void *)&to, sizeof to) != 0) {
        close(client);
        if (server >= 0)
            close(server);
        return;
    }
    quick(client);
    quick(server);
    *p = (struct pair){ .is_used = true,
                        .ways = { { .from = client, .to = server },
                                  { .from = server, .to = client } } };
    for (int i = 0; i < 2; i++)
        p->ways[i].last = &p->ways[i].first;
}

static void take_in(struct way *w)
{
    struct parcel *x = calloc(1, sizeof *x);
    if (!x)
        fail("calloc");
    ssize_t n = read(w->from, x->bytes, sizeof x->bytes);
    x->is_end = w->is_read_out = n <= 0;
    x->n = n > 0 ? (size_t)n : 0;
    x->leaves_us = now_us() + delay_us;
    *w->last = x;
    w->last = &x->next;
}

static void hand_on(struct way *w)
{
    while (w->first && w->first->leaves_us <= now_us()) {
        struct parcel *x = w->first;
        while (x->sent < x->n) {
            ssize_t n = send(w->to, x->bytes + x->sent, x->n - x->sent, MSG_NOSIGNAL);
            if (n <= 0)
                break;
            x->sent += (size_t)n;
        }
        if (x->is_end)
            (void)shutdown(w->to, SHUT_WR);
        w->first = x->next;
        if (!w->first)
            w->last = &w->first;
        free(x);
    }
}

static void end_if_done(struct pair *p)
{
    for (int i = 0; i < 2; i++)
        if (!p->ways[i].is_read_out || p->ways[i].first)
            return;
    close(p->ways[0].from);
    close(p->ways[1].from);
    p->is_used = false;
}

/* Milliseconds until the next parcel leaves; half a millisecond early and then again at once. */
static struct timespec until_next(void)
{
    int64_t soonest = now_us() + 1000000;
    for (struct pair *p = pairs; p < pairs + PAIRS; p++)
        for (int i = 0; p->is_used && i < 2; i++)
            if (p->ways[i].first && p->ways[i].first->leaves_us < soonest)
                soonest = p->ways[i].first->leaves_us;
    int64_t left = soonest - now_us();
    left = left < 0 ? 0 : left;
    return (struct timespec){ .tv_sec = left / 1000000, .tv_nsec = left % 1000000 * 1000 };
}

static void turn(int listener, int upstream_port)
{
    struct pollfd fds[2 * PAIRS + 1] = { { .fd = listener, .events = POLLIN } };
    struct way *ways[2 * PAIRS + 1] = { NULL };
    nfds_t n = 1;
    for (struct pair *p = pairs; p < pairs + PAIRS; p++)
        for (int i = 0; p->is_used && i < 2; i++)
            if (!p->ways[i].is_read_out) {
                fds[n] = (struct pollfd){ .fd = p->ways[i].from, .events = POLLIN };
                ways[n++] = &p->ways[i];
            }
    struct timespec wait = until_next();
    (void)ppoll(fds, n, &wait, NULL);
    for (nfds_t i = 1; i < n; i++)
        if (fds[i].revents)
            take_in(ways[i]);
    for (struct pair *p = pairs; p < pairs + PAIRS; p++) {
        for (int i = 0; p->is_used && i < 2; i++)
            hand_on(&p->ways[i]);
        if (p->is_used)
            end_if_done(p);
    }
    if (fds[0].revents) {
        int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (client >= 0)
            begin(client, upstream_port);
    }
}

int main(int argc, char **argv)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof at;
    if (argc != 3) {
        fprintf(stderr, "usage: delay PORT MS\n");
        return 2;
    }
    int upstream_port = (int)strtol(argv[1], NULL, 10);
    delay_us = strtol(argv[2], NULL, 10) * 1000;
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (void *)&at, sizeof at) != 0 || listen(listener, 64) != 0 ||
        getsockname(listener, (void *)&at, &n) != 0)
        fail("listen");
    printf("%d\n", ntohs(at.sin_port));
    (void)fflush(stdout);
    for (;;)
        turn(listener, upstream_port);
}
