/*
 * The whole server over real sockets, with a hostile side: FUZZ_SIDE says which.
 *
 *     CLIENT     the input is what a client sends, in two writes, before it closes its direction
 *     UPSTREAM   the input is what the process behind a function answers to an ordinary GET
 *
 * Whatever comes, the connection ends by itself and in time, and what a client gets is HTTP.
 */
#include "fuzz.h"

#include "net/server/request.h"
#include "net/server/upstream.h"

#include <errno.h>
#include <llhttp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

#define CLIENT           1
#define UPSTREAM         2
#define PATIENCE_MS      10000
#define BODY_LIMIT       ((size_t)2 * KIB)
#define ANSWER_BYTES_MAX (1 * MIB)

static struct server *server;
static struct upstream_slot *slot;
static int port;
static int backend_fd = -1;

/* What the process behind answers; a copy, because it may still write when the input has gone. */
static pthread_mutex_t backend_lock = PTHREAD_MUTEX_INITIALIZER;
static char backend_answer[64 * 1024];
static size_t backend_bytes;

/* ---- Our side -------------------------------------------------------------------------------- */

static void echo(struct request *r, void *context)
{
    (void)context;
    respond(r, 200, "application/octet-stream", r->body);
}

static bool sink(void *context, struct str piece)
{
    (void)context;
    return piece.n != 7; /* now and then a sink gives up */
}

static void done(struct request *r, void *context)
{
    (void)context;
    respond_text(r, 200, "done");
}

static void handle(struct request *r, void *context)
{
    static const struct proxy_spec as_it_is = { 0 };
    switch (r->path[1]) {
    case 'e':
        request_read_body(r, BODY_LIMIT, echo, context);
        return;
    case 's':
        request_sink_body(r, BODY_LIMIT, sink, context, done, context);
        return;
    case 'w':
        request_to_pool(r, done, context);
        return;
    case 'p':
        request_proxy(r, upstream_slot_enter(slot), &as_it_is);
        return;
    default:
        respond_text(r, 200, "hello");
    }
}

/* ---- The process behind ---------------------------------------------------------------------- */

static void write_all(int fd, struct str bytes)
{
    while (bytes.n > 0) {
        ssize_t n = send(fd, bytes.p, bytes.n, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return; /* the other side has heard enough */
        bytes = (struct str){ bytes.p + n, bytes.n - (size_t)n };
    }
}

static void set_backend_answer(struct str bytes)
{
    (void)pthread_mutex_lock(&backend_lock);
    backend_bytes = bytes.n < sizeof backend_answer ? bytes.n : sizeof backend_answer;
    memcpy(backend_answer, bytes.p, backend_bytes);
    (void)pthread_mutex_unlock(&backend_lock);
}

static struct str copy_backend_answer(void)
{
    static char copy[sizeof backend_answer];
    (void)pthread_mutex_lock(&backend_lock);
    struct str answer = { copy, backend_bytes };
    memcpy(copy, backend_answer, backend_bytes);
    (void)pthread_mutex_unlock(&backend_lock);
    return answer;
}

static void *serve_backend(void *ignored)
{
    char request[4096];
    for (;;) {
        int fd = accept4(backend_fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0 && errno == EINTR) /* the leak check stops threads for a moment */
            continue;
        if (fd < 0)
            return ignored;
        ssize_t asked = recv(fd, request, sizeof request, 0);
        while (asked < 0 && errno == EINTR)
            asked = recv(fd, request, sizeof request, 0);
        if (asked > 0)
            write_all(fd, copy_backend_answer());
        (void)close(fd);
    }
}

static int open_backend(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof at;
    pthread_t thread;
    backend_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert(backend_fd >= 0 && bind(backend_fd, (struct sockaddr *)&at, n) == 0);
    assert(listen(backend_fd, 8) == 0 && getsockname(backend_fd, (struct sockaddr *)&at, &n) == 0);
    assert(pthread_create(&thread, NULL, serve_backend, NULL) == 0);
    (void)pthread_detach(thread);
    return ntohs(at.sin_port);
}

/* ---- The client ------------------------------------------------------------------------------ */

static void stop(void)
{
    (void)server_drain(server, 1000);
    server_free(server);
    upstream_slot_free(slot);
}

static void start(void)
{
    struct err e;
    server = server_new(&(struct server_spec){ .loops = 1, .workers = 1 });
    slot = upstream_slot_new();
    struct upstream_spec behind = { .name = "behind", .host = "127.0.0.1", .port = open_backend() };
    (void)upstream_slot_set(slot, upstream_new(&behind));
    assert(server_listen(server, "127.0.0.1", 0, handle, NULL, &port, &e));
    assert(server_start(server, &e));
    (void)atexit(stop);
}

static int connect_to_server(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    /* an address of its own each time, or a minute of fuzzing would use up the ports of one */
    static uint32_t calls;
    uint32_t own = 0x7f010001 + calls++ % 0xfff0;
    struct sockaddr_in from = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(own) };
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    assert(fd >= 0 && bind(fd, (struct sockaddr *)&from, sizeof from) == 0);
    assert(connect(fd, (struct sockaddr *)&at, sizeof at) == 0);
    return fd;
}

/* Everything until the server closes. */
static struct str read_answer(int fd)
{
    static char answer[ANSWER_BYTES_MAX];
    size_t n = 0;
    for (;;) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        int ready = poll(&p, 1, PATIENCE_MS);
        assert(ready != 0); /* a connection that never ends */
        ssize_t got = ready < 0 ? -1 : recv(fd, answer + n, sizeof answer - n, 0);
        if (got < 0 && errno == EINTR) /* libFuzzer's own clock */
            continue;
        if (got <= 0)
            return (struct str){ answer, n };
        n += (size_t)got;
        assert(n < sizeof answer);
    }
}

static void check_answer(struct str answer)
{
    static const llhttp_settings_t settings = { 0 };
    llhttp_t parser;
    llhttp_init(&parser, HTTP_RESPONSE, &settings);
    llhttp_errno_t result = llhttp_execute(&parser, answer.p, answer.n);
    assert(result == HPE_OK || result == HPE_PAUSED_UPGRADE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char get[] = "GET /p HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    struct str input = fuzz_input(data, size);
    if (!server)
        start();
    CLEANUP(fd) int fd = connect_to_server();
    if (FUZZ_SIDE == UPSTREAM) {
        set_backend_answer(input);
        write_all(fd, STR(get));
    } else {
        set_backend_answer(STR("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
        write_all(fd, (struct str){ input.p, input.n / 2 });
        write_all(fd, (struct str){ input.p + input.n / 2, input.n - input.n / 2 });
        (void)shutdown(fd, SHUT_WR);
    }
    struct str answer = read_answer(fd);
    if (FUZZ_SIDE == UPSTREAM && answer.n > 0)
        check_answer(answer);
    assert(answer.n < 9 || memcmp(answer.p, "HTTP/1.1 ", 9) == 0);
    return 0;
}
