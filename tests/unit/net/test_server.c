/*
 * The HTTP server over real sockets: framing, bodies, streams, the proxy, and what it must refuse.
 */
#include "assert_ok.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/strbuf.h"
#include "net/server/request.h"
#include "net/server/route.h"
#include "net/server/upstream.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct fixture {
    struct server *server;
    struct upstream_slot *slot;
    int port;
    size_t sunk_bytes;
    unsigned ended;
};

static struct fixture fx;

/* ---- Handlers -------------------------------------------------------------------------------- */

static void hello(struct request *r, void *context)
{
    (void)context;
    respond_text(r, 200, "hello");
}

static void echo(struct request *r, void *context)
{
    (void)context;
    respond(r, 200, "application/octet-stream", r->body);
}

static void echo_soon(struct request *r, void *context)
{
    request_read_body(r, 4 * MIB, echo, context);
}

static bool sink(void *context, struct str piece)
{
    *(size_t *)context += piece.n;
    return true;
}

static void sunk(struct request *r, void *context)
{
    respond_text(r, 200, arena_printf(r->arena, "%zu", *(size_t *)context));
}

static void sink_soon(struct request *r, void *context)
{
    (void)context;
    fx.sunk_bytes = 0;
    request_sink_body(r, 64 * MIB, sink, &fx.sunk_bytes, sunk, &fx.sunk_bytes);
}

static void count_end(void *context)
{
    (*(unsigned *)context)++;
}

static void in_pool(struct request *r, void *context)
{
    (void)context;
    request_on_end(r, count_end, &fx.ended);
    respond_text(r, 200, request_param(r, "name"));
}

static void stream(struct request *r, void *context)
{
    (void)context;
    struct stream *st = respond_stream(r, 200, "text/event-stream");
    (void)stream_write(st, STR("data: 1\n\n"));
    (void)stream_write(st, STR("data: 2\n\n"));
    stream_end(st);
}

static void waken(struct request *r, void *context)
{
    (void)context;
    respond_text(r, 200, "awake");
}

static void wake(void *context)
{
    request_resume(context, waken, NULL);
}

static void sleep_a_little(struct request *r, void *context)
{
    (void)context;
    server_after(r->server, 20, wake, r);
    request_suspend(r);
}

static void proxied(struct request *r, void *context)
{
    (void)context;
    struct upstream *u = upstream_slot_enter(fx.slot);
    if (!u) {
        respond_error(r, 503, "no upstream");
        return;
    }
    struct proxy_spec spec = { .target = arena_printf(r->arena, "/%s", request_param(r, "*")) };
    request_proxy(r, u, &spec);
}

static void nothing(struct request *r, void *context)
{
    (void)r;
    (void)context;
}

static const struct route routes[] = {
    { "GET", "/", hello, .on_loop = true },
    { "GET", "/hello", hello, .on_loop = true },
    { "POST", "/echo", echo_soon, .on_loop = true },
    { "PUT", "/sink", sink_soon, .on_loop = true },
    { "GET", "/pool/:name", in_pool },
    { "GET", "/stream", stream, .on_loop = true },
    { "GET", "/sleep", sleep_a_little, .on_loop = true },
    { "GET", "/nothing", nothing, .on_loop = true },
    { "GET", "/proxy/*", proxied, .on_loop = true },
    { "POST", "/proxy/*", proxied, .on_loop = true },
    { 0 },
};

static void handle(struct request *r, void *context)
{
    route_dispatch(routes, r, r->raw_path, context);
}

/* ---- A client of bytes ----------------------------------------------------------------------- */

static int dial(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)fx.port) };
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval patience = { .tv_sec = 10 };
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

static void send_bytes(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t w = send(fd, p, n, MSG_NOSIGNAL);
        if (w <= 0)
            return; /* refused and closed: the answer says it */
        p += w;
        n -= (size_t)w;
    }
}

/* Reads until the server closes, or `until` has been seen. */
static char *read_until(int fd, const char *until)
{
    static char all[8 * 1024 * 1024];
    size_t n = 0;
    for (;;) {
        ssize_t r = recv(fd, all + n, sizeof all - 1 - n, 0);
        if (r <= 0)
            break;
        n += (size_t)r;
        all[n] = '\0';
        if (until && strstr(all, until))
            break;
    }
    all[n] = '\0';
    return all;
}

static char *exchange(const char *request)
{
    int fd = dial();
    send_bytes(fd, request, strlen(request));
    char *answer = read_until(fd, NULL);
    (void)close(fd);
    return answer;
}

#define CLOSE "Host: x\r\nConnection: close\r\n\r\n"

/* ---- Tests ----------------------------------------------------------------------------------- */

static void an_answer_has_length_date_and_body(void **state)
{
    (void)state;
    char *a = exchange("GET /hello HTTP/1.1\r\n" CLOSE);
    assert_non_null(strstr(a, "HTTP/1.1 200 OK\r\n"));
    assert_non_null(strstr(a, "Content-Length: 5\r\n"));
    assert_non_null(strstr(a, "Date: "));
    assert_non_null(strstr(a, "\r\n\r\nhello"));
}

static void head_gets_the_head_only(void **state)
{
    (void)state;
    char *a = exchange("HEAD /hello HTTP/1.1\r\n" CLOSE);
    assert_non_null(strstr(a, "Content-Length: 5\r\n"));
    assert_null(strstr(a, "hello"));
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    (void)state;
    char *a = exchange("GET /pool/one HTTP/1.1\r\nHost: x\r\n\r\n"
                       "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\ntwo"
                       "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                       "2\r\nth\r\n3\r\nree\r\n0\r\n\r\n"
                       "GET /pool/four HTTP/1.1\r\n" CLOSE);
    const char *at = a;
    const char *const expected[] = { "one", "two", "three", "four" };
    for (size_t i = 0; i < 4; i++) {
        at = strstr(at, expected[i]);
        assert_non_null(at);
    }
}

static void a_body_sent_byte_by_byte_arrives(void **state)
{
    (void)state;
    int fd = dial();
    const char *text =
        "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 6\r\n\r\nabcdef";
    for (const char *p = text; *p; p++)
        send_bytes(fd, p, 1);
    assert_non_null(strstr(read_until(fd, NULL), "\r\n\r\nabcdef"));
    (void)close(fd);
}

static void a_large_body_goes_through_a_sink_in_pieces(void **state)
{
    (void)state;
    size_t bytes = 20 * MIB;
    char *body = calloc(1, bytes);
    int fd = dial();
    char head[200];
    int n = snprintf(head, sizeof head,
                     "PUT /sink HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                     "Content-Length: %zu\r\n\r\n",
                     bytes);
    send_bytes(fd, head, (size_t)n);
    send_bytes(fd, body, bytes);
    assert_non_null(strstr(read_until(fd, NULL), "\r\n\r\n20971520"));
    (void)close(fd);
    free(body);
}

static void a_body_over_the_limit_is_413(void **state)
{
    (void)state;
    char *a = exchange("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n");
    assert_non_null(strstr(a, "HTTP/1.1 413 "));
}

static void expect_100_gets_100_then_the_answer(void **state)
{
    (void)state;
    int fd = dial();
    const char *head =
        "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n"
        "Expect: 100-continue\r\n\r\n";
    send_bytes(fd, head, strlen(head));
    assert_non_null(strstr(read_until(fd, "\r\n\r\n"), "HTTP/1.1 100 Continue"));
    send_bytes(fd, "ok", 2);
    char *a = read_until(fd, NULL);
    assert_non_null(strstr(a, "HTTP/1.1 200 OK"));
    assert_non_null(strstr(a, "\r\n\r\nok"));
    (void)close(fd);
}

static void a_stream_is_chunked_and_ends(void **state)
{
    (void)state;
    char *a = exchange("GET /stream HTTP/1.1\r\n" CLOSE);
    assert_non_null(strstr(a, "Transfer-Encoding: chunked\r\n"));
    assert_non_null(strstr(a, "data: 1\n\ndata: 2\n\n"));
    assert_non_null(strstr(a, "\r\n0\r\n\r\n"));
}

static void a_suspended_request_is_answered_when_it_resumes(void **state)
{
    (void)state;
    assert_non_null(strstr(exchange("GET /sleep HTTP/1.1\r\n" CLOSE), "awake"));
}

static void a_handler_that_does_nothing_is_a_500(void **state)
{
    (void)state;
    assert_non_null(strstr(exchange("GET /nothing HTTP/1.1\r\n" CLOSE), "HTTP/1.1 500 "));
}

static void unknown_paths_are_404_and_other_methods_405(void **state)
{
    (void)state;
    assert_non_null(strstr(exchange("GET /none HTTP/1.1\r\n" CLOSE), "HTTP/1.1 404 "));
    assert_non_null(strstr(exchange("DELETE /hello HTTP/1.1\r\n" CLOSE), "HTTP/1.1 405 "));
}

static void the_proxy_passes_requests_and_answers_on(void **state)
{
    (void)state;
    char *a = exchange("GET /proxy/pool/far HTTP/1.1\r\n" CLOSE);
    assert_non_null(strstr(a, "HTTP/1.1 200 OK"));
    assert_non_null(strstr(a, "\r\n\r\nfar"));
    a = exchange("POST /proxy/echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                 "Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n");
    assert_non_null(strstr(a, "\r\n\r\nabcde"));
    a = exchange("GET /proxy/stream HTTP/1.1\r\n" CLOSE);
    assert_non_null(strstr(a, "data: 2\n\n"));
    struct upstream *u = upstream_slot_get(fx.slot);
    assert_int_equal(upstream_in_flight(u), 0);
    upstream_unref(u);
}

static void a_malformed_body_ends_at_the_proxy(void **state)
{
    (void)state;
    char *a = exchange("POST /proxy/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                       "5\r\nabcde\r\nzz\r\n\r\nGET /pool/smuggled HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(strncmp(a, "HTTP/1.1 400 ", 13), 0);
    assert_null(strstr(a, "\r\n\r\nsmuggled"));
    struct upstream *u = upstream_slot_get(fx.slot);
    assert_int_equal(upstream_in_flight(u), 0);
    upstream_unref(u);
    assert_non_null(strstr(exchange("GET /proxy/hello HTTP/1.1\r\n" CLOSE), "hello"));
}

static void a_body_that_the_proxy_must_not_pass_is_413(void **state)
{
    (void)state;
    char *a = exchange("POST /proxy/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n");
    assert_non_null(strstr(a, "HTTP/1.1 413 "));
}

static void an_upstream_that_is_not_there_is_502(void **state)
{
    (void)state;
    struct upstream_spec spec = { .name = "nobody", .socket_path = "/nonexistent/socket" };
    struct upstream *old = upstream_slot_set(fx.slot, upstream_new(&spec));
    assert_non_null(strstr(exchange("GET /proxy/hello HTTP/1.1\r\n" CLOSE), "HTTP/1.1 502 "));
    struct upstream *nobody = upstream_slot_set(fx.slot, old);
    assert_int_equal(upstream_in_flight(nobody), 0);
    assert_int_equal(upstream_failures(nobody), 1);
    upstream_unref(nobody);
}

/* ---- What must be refused -------------------------------------------------------------------- */

struct vector {
    const char *what;
    const char *bytes;
};

/* clang-format off */
static const struct vector malformed[] = {
    { "no Host",                  "GET / HTTP/1.1\r\n\r\n" },
    { "two Hosts",                "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" },
    { "two equal Hosts",          "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n" },
    { "an empty Host",            "GET / HTTP/1.1\r\nHost:\r\n\r\n" },
    { "a Host with a path",       "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n" },
    { "a Host with a user",       "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n" },
    { "length and chunks",        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" },
    { "chunks and length",        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" },
    { "two lengths",              "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde" },
    { "two equal lengths",        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nabcde" },
    { "a list of lengths",        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\nabcde" },
    { "a signed length",          "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nabcde" },
    { "a negative length",        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\nabcde" },
    { "a hexadecimal length",     "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\nabcde" },
    { "an overflowing length",    "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551616\r\n\r\n" },
    { "an empty length",          "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n" },
    { "xchunked",                 "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" },
    { "chunked, identity",        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" },
    { "identity, chunked",        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n" },
    { "gzip, chunked",            "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" },
    { "two codings",              "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" },
    { "a coding before a tab",    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n" },
    { "a length before a tab",    "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\tx\r\n\r\nabcde" },
    { "a quoted coding",          "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n" },
    { "a vertical tab in coding", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n" },
    { "chunks in HTTP/1.0",       "POST /echo HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" },
    { "blank before colon",       "GET / HTTP/1.1\r\nHost: a\r\nContent-Length : 0\r\n\r\n" },
    { "tab before colon",         "GET / HTTP/1.1\r\nHost: a\r\nX\t: 0\r\n\r\n" },
    { "leading blank",            "GET / HTTP/1.1\r\n Host: a\r\n\r\n" },
    { "folded line",              "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n" },
    { "folded with tab",          "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n\tc\r\n\r\n" },
    { "folded coding",            "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" },
    { "bare CR in a value",       "GET / HTTP/1.1\r\nHost: a\r\nX: b\rY: c\r\n\r\n" },
    { "bare CR ends a header",    "GET / HTTP/1.1\r\nHost: a\rContent-Length: 5\r\n\r\n" },
    { "bare LF",                  "GET / HTTP/1.1\nHost: a\n\n" },
    { "bare LF between",          "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n" },
    { "bare LF at the end",       "GET / HTTP/1.1\r\nHost: a\r\n\n" },
    { "CR CR LF",                 "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n" },
    { "a line without colon",     "GET / HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n" },
    { "an empty name",            "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n" },
    { "a name with a bracket",    "GET / HTTP/1.1\r\nHost: a\r\nX(y): b\r\n\r\n" },
    { "a name beyond ASCII",      "GET / HTTP/1.1\r\nHost: a\r\nX\xc3\xa9: b\r\n\r\n" },
    { "a control byte",           "GET / HTTP/1.1\r\nHost: a\r\nX: a\001b\r\n\r\n" },
    { "DEL",                      "GET / HTTP/1.1\r\nHost: a\r\nX: a\177b\r\n\r\n" },
    { "no version",               "GET /\r\nHost: a\r\n\r\n" },
    { "HTTP/0.9",                 "GET / HTTP/0.9\r\nHost: a\r\n\r\n" },
    { "HTTP/2.0",                 "GET / HTTP/2.0\r\nHost: a\r\n\r\n" },
    { "HTTP/1.2",                 "GET / HTTP/1.2\r\nHost: a\r\n\r\n" },
    { "the HTTP/2 preface",       "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" },
    { "lower-case protocol",      "GET / http/1.1\r\nHost: a\r\n\r\n" },
    { "two blanks",               "GET  / HTTP/1.1\r\nHost: a\r\n\r\n" },
    { "tabs in request line",     "GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n" },
    { "CONNECT",                  "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n" },
    { "an unknown method",        "HACK / HTTP/1.1\r\nHost: a\r\n\r\n" },
    { "a lower-case method",      "get / HTTP/1.1\r\nHost: a\r\n\r\n" },
    { "a relative target",        "GET hello HTTP/1.1\r\nHost: a\r\n\r\n" },
    { "a fragment",               "GET /#x HTTP/1.1\r\nHost: a\r\n\r\n" },
    { "dots",                     "GET /../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n" },
    { "dots inside",              "GET /a/../b HTTP/1.1\r\nHost: a\r\n\r\n" },
    { "dots at the end",          "GET /a/.. HTTP/1.1\r\nHost: a\r\n\r\n" },
    { "encoded dots",             "GET /%2e%2e/x HTTP/1.1\r\nHost: a\r\n\r\n" },
    { "half encoded dots",        "GET /.%2E/x HTTP/1.1\r\nHost: a\r\n\r\n" },
    { "encoded slash and dots",   "GET /a%2f..%2fb HTTP/1.1\r\nHost: a\r\n\r\n" },
    { "an encoded NUL",           "GET /a%00b HTTP/1.1\r\nHost: a\r\n\r\n" },
    { "an encoded LF",            "GET /a%0ab HTTP/1.1\r\nHost: a\r\n\r\n" },
    { "a broken escape",          "GET /a%zz HTTP/1.1\r\nHost: a\r\n\r\n" },
    { "a cut escape",             "GET /a%2 HTTP/1.1\r\nHost: a\r\n\r\n" },
    { "another expectation",      "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\nContent-Length: 1\r\n\r\na" },
    { "a bad chunk size",         "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" },
    { "a signed chunk size",      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n+5\r\nabcde\r\n0\r\n\r\n" },
    { "a chunk size with 0x",     "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nabcde\r\n0\r\n\r\n" },
    { "an overflowing chunk",     "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n" },
    { "a chunk longer than said", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcde\r\n0\r\n\r\n" },
    { "a chunk ended by LF",      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\nabcde\r\n0\r\n\r\n" },
    { "chunk data ended by LF",   "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\n0\r\n\r\n" },
    { "garbage",                  "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n" },
};
/* clang-format on */

static void malformed_requests_are_refused_and_the_connection_closed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        /* a smuggled request behind it must not be answered */
        char *both = NULL;
        assert_true(asprintf(&both, "%sGET /pool/smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
                             malformed[i].bytes) > 0);
        char *a = exchange(both);
        free(both);
        bool refused = strncmp(a, "HTTP/1.1 4", 10) == 0 || strncmp(a, "HTTP/1.1 5", 10) == 0;
        if (!refused || strstr(a, "\r\n\r\nsmuggled") || !strstr(a, "Connection: close"))
            fail_msg("%s: answered \"%.300s\"", malformed[i].what, a);
    }
}

static void limits_of_a_head_are_431_and_414(void **state)
{
    (void)state;
    CLEANUP(strbuf) struct strbuf b = strbuf_init(1 * MIB);
    strbuf_adds(&b, "GET /");
    for (int i = 0; i < 9000; i++)
        strbuf_addc(&b, 'a');
    strbuf_adds(&b, " HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_non_null(strstr(exchange(strbuf_text(&b)), "HTTP/1.1 414 "));
    strbuf_clear(&b);
    strbuf_adds(&b, "GET / HTTP/1.1\r\nHost: a\r\n");
    for (int i = 0; i < 101; i++)
        strbuf_printf(&b, "X-%d: y\r\n", i);
    strbuf_adds(&b, "\r\n");
    assert_non_null(strstr(exchange(strbuf_text(&b)), "HTTP/1.1 431 "));
    strbuf_clear(&b);
    strbuf_adds(&b, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
    for (int i = 0; i < 20000; i++)
        strbuf_addc(&b, 'a');
    strbuf_adds(&b, "\r\n\r\n");
    assert_non_null(strstr(exchange(strbuf_text(&b)), "HTTP/1.1 431 "));
}

static void requests_that_look_odd_but_are_right_are_answered(void **state)
{
    (void)state;
    static const char *const odd[] = {
        "\r\n\r\nGET /hello HTTP/1.1\r\n" CLOSE,
        "GET http://x/hello HTTP/1.1\r\n" CLOSE,
        "GET /hello HTTP/1.0\r\n\r\n",
        "GET /hello HTTP/1.1\r\nhOsT:x\r\nconnection:\tclose\t\r\n\r\n",
        "GET /hello?a=b HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade, close\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        if (!strstr(exchange(odd[i]), "\r\n\r\nhello"))
            fail_msg("not answered: %s", odd[i]);
    }
}

static void a_head_that_does_not_come_to_its_end_is_408(void **state)
{
    (void)state;
    int fd = dial();
    send_bytes(fd, "GET / HT", 8);
    assert_non_null(strstr(read_until(fd, NULL), "HTTP/1.1 408 ")); /* 1 s here: see set_up */
    (void)close(fd);
}

static void two_versions_of_an_upstream_are_switched_without_a_lost_count(void **state)
{
    (void)state;
    struct upstream_spec spec = { .name = "v2", .host = "127.0.0.1", .port = fx.port };
    struct upstream *entered = upstream_slot_enter(fx.slot);
    struct upstream *old = upstream_slot_set(fx.slot, upstream_new(&spec));
    assert_ptr_equal(entered, old);
    upstream_retire(old);
    assert_int_equal(upstream_in_flight(old), 1);
    assert_non_null(strstr(exchange("GET /proxy/hello HTTP/1.1\r\n" CLOSE), "hello"));
    assert_int_equal(upstream_in_flight(old), 1); /* the new version took that one */
    upstream_leave(entered);
    assert_int_equal(upstream_in_flight(old), 0);
    upstream_unref(old);
}

/* ---- Fixture --------------------------------------------------------------------------------- */

static int set_up(void **state)
{
    (void)state;
    struct err e = { 0 };
    struct server_spec spec = { .loops = 2, .workers = 2, .head_timeout_ms = 1000 };
    fx.server = server_new(&spec);
    assert_ok(server_start(fx.server, &e), &e);
    assert_ok(server_listen(fx.server, "127.0.0.1", 0, handle, NULL, &fx.port, &e), &e);
    struct upstream_spec self = { .name = "self", .host = "127.0.0.1", .port = fx.port };
    fx.slot = upstream_slot_new();
    assert_null(upstream_slot_set(fx.slot, upstream_new(&self)));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    struct upstream *u = upstream_slot_get(fx.slot);
    upstream_retire(u);
    upstream_unref(u);
    (void)server_drain(fx.server, 3000);
    struct server_figures f = server_figures(fx.server);
    server_free(fx.server);
    upstream_slot_free(fx.slot);
    return f.in_flight == 0 ? 0 : 1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_has_length_date_and_body),
        cmocka_unit_test(head_gets_the_head_only),
        cmocka_unit_test(pipelined_requests_are_answered_in_order),
        cmocka_unit_test(a_body_sent_byte_by_byte_arrives),
        cmocka_unit_test(a_large_body_goes_through_a_sink_in_pieces),
        cmocka_unit_test(a_body_over_the_limit_is_413),
        cmocka_unit_test(expect_100_gets_100_then_the_answer),
        cmocka_unit_test(a_stream_is_chunked_and_ends),
        cmocka_unit_test(a_suspended_request_is_answered_when_it_resumes),
        cmocka_unit_test(a_handler_that_does_nothing_is_a_500),
        cmocka_unit_test(unknown_paths_are_404_and_other_methods_405),
        cmocka_unit_test(the_proxy_passes_requests_and_answers_on),
        cmocka_unit_test(a_malformed_body_ends_at_the_proxy),
        cmocka_unit_test(a_body_that_the_proxy_must_not_pass_is_413),
        cmocka_unit_test(an_upstream_that_is_not_there_is_502),
        cmocka_unit_test(malformed_requests_are_refused_and_the_connection_closed),
        cmocka_unit_test(limits_of_a_head_are_431_and_414),
        cmocka_unit_test(a_head_that_does_not_come_to_its_end_is_408),
        cmocka_unit_test(two_versions_of_an_upstream_are_switched_without_a_lost_count),
        cmocka_unit_test(requests_that_look_odd_but_are_right_are_answered),
    };
    return cmocka_run_group_tests_name("server", tests, set_up, tear_down);
}
