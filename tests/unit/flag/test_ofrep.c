/*
 * The flag server over real sockets and a real database, whose two functions are stand-ins: they
 * return what the test has put into a table.
 */
#include "assert_ok.h"
#include "pg_fixture.h"

#include "base/clock.h"
#include "base/limits.h"
#include "flag/ofrep.h"
#include "net/server/server.h"
#include "provider/pg.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TOKEN "lf-the-token-of-a-server"

struct fixture {
    struct arena *a;
    struct pg *db;
    struct ofrep *ofrep;
    struct server *server;
    int port;
    char token_hex[1][SHA256_HEX_BYTES];
    struct err e;
};

static void handle(struct request *r, void *context)
{
    ofrep_serve(context, r);
}

static void begin(struct fixture *f, unsigned per_minute)
{
    hash_hex(HASH_SHA256, STR(TOKEN), f->token_hex[0]);
    f->a = arena_new(0);
    char *url = pg_fixture_database(f->a);
    struct pg_spec spec = { .url = url, .purpose = "test" };
    struct ofrep_spec served = {
        .name = "test",
        .url = url,
        .callers = { .tokens = (const char(*)[SHA256_HEX_BYTES])f->token_hex, .tokens_n = 1 },
        .per_minute = per_minute,
    };
    f->server = server_new(&(struct server_spec){ .loops = 2, .workers = 1 });
    assert_ok(pg_open(&spec, &f->db, &f->e), &f->e);
    assert_ok(ofrep_open(&served, &f->ofrep, &f->e), &f->e);
    assert_ok(server_listen(f->server, "127.0.0.1", 0, handle, f->ofrep, &f->port, &f->e), &f->e);
    assert_ok(server_start(f->server, &f->e), &f->e);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    begin(f, 0);
    *state = f;
    return 0;
}

static int setup_with_limit(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    begin(f, 8);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    ofrep_stop(f->ofrep);
    (void)server_drain(f->server, 2000);
    server_free(f->server);
    ofrep_free(f->ofrep);
    pg_close(f->db);
    arena_free(f->a);
    free(f);
    return 0;
}

/* ---- The database ---------------------------------------------------------------------------- */

static void run(struct fixture *f, const char *sql)
{
    assert_ok(pg_run(f->db, sql, NULL, &f->e), &f->e);
}

static void make_schema(struct fixture *f)
{
    run(f, "create schema lockflight");
    run(f, "create table lockflight.now (v bigint, snapshot jsonb)");
    run(f, "insert into lockflight.now values (0, '{}')");
    run(f, "create function lockflight.flag_version() returns bigint language sql as "
           "'select v from lockflight.now'");
    run(f, "create function lockflight.flag_snapshot(at timestamptz default clock_timestamp()) "
           "returns jsonb language sql as 'select snapshot from lockflight.now'");
}

static void put(struct fixture *f, int64_t version, const char *snapshot)
{
    run(f,
        arena_printf(f->a,
                     "with x as (update lockflight.now set v = %lld, snapshot = '%s' returning v) "
                     "select pg_notify('lockflight_flags', v::text) from x",
                     (long long)version, snapshot));
}

/* Two flags: what browsers may know, and what they may not. */
static const char *snapshot_of(struct fixture *f, int64_t version, const char *crm,
                               const char *next)
{
    return arena_printf(
        f->a,
        "{\"v\":%lld,\"next\":%s,\"document\":{\"metadata\":{\"version\":\"%lld\"},\"flags\":{"
        "\"crm\":{\"state\":\"ENABLED\",\"variants\":{\"on\":true,\"off\":false},"
        "\"defaultVariant\":\"%s\"},\"inner\":{\"state\":\"ENABLED\",\"variants\":{\"on\":1},"
        "\"defaultVariant\":\"on\"}}},\"flags\":{\"crm\":{\"exposure\":\"client\"},"
        "\"inner\":{\"exposure\":\"server\"}},\"attributes\":{}}",
        (long long)version, next, (long long)version, crm);
}

/* ---- HTTP ------------------------------------------------------------------------------------ */

static int dial(struct fixture *f)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)f->port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval patience = { .tv_sec = 20 };
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

/* Reads until `until` has been seen, or the end. */
static char *read_until(struct fixture *f, int fd, const char *until)
{
    size_t n = 0, room = 512 * KIB;
    char *all = arena_alloc(f->a, room);
    while (!until || !strstr(all, until)) {
        ssize_t r = recv(fd, all + n, room - 1 - n, 0);
        if (r <= 0)
            break;
        n += (size_t)r;
    }
    return all;
}

static char *ask(struct fixture *f, const char *request)
{
    int fd = dial(f);
    for (size_t n = strlen(request); n > 0;) {
        ssize_t w = send(fd, request, n, MSG_NOSIGNAL);
        if (w <= 0)
            break;
        request += w;
        n -= (size_t)w;
    }
    char *answer = read_until(f, fd, NULL);
    (void)close(fd);
    return answer;
}

static char *post(struct fixture *f, const char *path, const char *headers, const char *body)
{
    return ask(f, arena_printf(f->a,
                               "POST %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s"
                               "Content-Length: %zu\r\n\r\n%s",
                               path, headers, strlen(body), body));
}

#define BULK "/ofrep/v1/evaluate/flags"

static char *bulk(struct fixture *f, const char *headers)
{
    return post(f, BULK, headers, "{\"context\":{}}");
}

static void assert_has(const char *answer, const char *part)
{
    if (!strstr(answer, part))
        fail_msg("no \"%s\" in: %s", part, answer);
}

static void assert_lacks(const char *answer, const char *part)
{
    if (strstr(answer, part))
        fail_msg("\"%s\" in: %s", part, answer);
}

static void assert_status(const char *answer, int status)
{
    char line[32];
    (void)snprintf(line, sizeof line, "HTTP/1.1 %d ", status);
    assert_has(answer, line);
}

static const char *etag_of(struct fixture *f, const char *answer)
{
    const char *at = strstr(answer, "ETag: ");
    assert_non_null(at);
    return arena_strndup(f->a, at + 6, strcspn(at + 6, "\r"));
}

/* Until the server serves what `part` says; the tests' own end is the socket's patience. */
static char *bulk_until(struct fixture *f, const char *part)
{
    int64_t until = clock_boot_ms() + 30000;
    for (;;) {
        char *answer = bulk(f, "");
        if (strstr(answer, part))
            return answer;
        if (clock_boot_ms() > until)
            fail_msg("never \"%s\", at last: %s", part, answer);
        (void)clock_sleep_ms(20);
    }
}

/* ---- Tests ----------------------------------------------------------------------------------- */

static void without_a_schema_there_are_no_flags_and_nothing_is_stale(void **state)
{
    struct fixture *f = *state;
    char *answer = bulk(f, "");
    assert_status(answer, 200);
    assert_has(answer, "\r\nContent-Type: application/json\r\n");
    assert_has(answer, "{\"flags\":[],\"metadata\":{\"version\":\"0\"},\"eventStreams\":[{\"type\":"
                       "\"sse\",\"endpoint\":{\"requestUri\":\"/ofrep/v1/stream\"}}]}");
    make_schema(f);
    put(f, 1, snapshot_of(f, 1, "on", "null"));
    (void)bulk_until(f, "\"version\":\"1\"");
}

static void a_change_is_served_to_whoever_heard_of_it(void **state)
{
    struct fixture *f = *state;
    make_schema(f);
    for (int64_t v = 1; v <= 20; v++) {
        put(f, v, snapshot_of(f, v, v % 2 ? "on" : "off", "null"));
        char *answer =
            post(f, arena_printf(f->a, BULK "?flagConfigEtag=%lld", (long long)v), "", "");
        assert_has(answer, arena_printf(f->a, "\"version\":\"%lld\"", (long long)v));
        assert_has(answer, v % 2 ? "\"value\":true" : "\"value\":false");
    }
    char *answer =
        post(f, BULK "?flagConfigEtag=999999999", "", ""); /* there is none: no waiting */
    assert_has(answer, "\"version\":\"20\"");
    assert_has(post(f, BULK "?flagConfigEtag=x", "", ""), "\"version\":\"20\"");
}

static void an_unchanged_answer_is_304_and_a_heard_of_change_makes_no_304(void **state)
{
    struct fixture *f = *state;
    make_schema(f);
    put(f, 1, snapshot_of(f, 1, "on", "null"));
    char *answer = bulk_until(f, "\"version\":\"1\"");
    const char *same = arena_printf(f->a, "If-None-Match: \"x\", W/%s\r\n", etag_of(f, answer));
    answer = bulk(f, same);
    assert_status(answer, 304);
    assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
    assert_has(answer, "ETag: ");
    put(f, 2, snapshot_of(f, 2, "on", "null")); /* another version, the same flags */
    answer = post(f, BULK "?flagConfigEtag=2", same, "");
    assert_status(answer, 304);
    put(f, 3, snapshot_of(f, 3, "off", "null"));
    answer = post(f, BULK "?flagConfigEtag=1", same, "");
    answer = post(f, BULK "?flagConfigEtag=3", same, "");
    assert_status(answer, 200);
}

static void servers_see_more_than_browsers(void **state)
{
    struct fixture *f = *state;
    make_schema(f);
    put(f, 1, snapshot_of(f, 1, "on", "null"));
    assert_lacks(bulk_until(f, "\"version\":\"1\""), "inner");
    assert_has(bulk(f, "Authorization: Bearer " TOKEN "\r\n"), "\"key\":\"inner\"");
    assert_has(bulk(f, "X-API-Key: " TOKEN "\r\n"), "\"metadata\":{\"version\":\"1\"}}");
    char *answer = bulk(f, "Authorization: Bearer " TOKEN "x\r\n");
    assert_status(answer, 401);
    assert_has(answer, "{\"errorDetails\":\"");
    assert_status(post(f, BULK "/inner", "", ""), 404);
    assert_status(post(f, BULK "/inner", "X-API-Key: " TOKEN "\r\n", ""), 200);
}

static void paths_and_methods_are_told_apart(void **state)
{
    struct fixture *f = *state;
    make_schema(f);
    put(f, 1, snapshot_of(f, 1, "on", "null"));
    (void)bulk_until(f, "\"version\":\"1\"");
    assert_status(post(f, BULK "/", "", ""), 200);
    assert_has(post(f, BULK "/cr%6d", "", ""), "{\"key\":\"crm\",\"reason\":\"STATIC\"");
    assert_has(post(f, BULK "/no%2Fsuch", "", ""),
               "{\"key\":\"no/such\",\"errorCode\":\"FLAG_NOT_FOUND\"}");
    assert_status(post(f, BULK "/a/b", "", ""), 404);
    assert_status(post(f, BULK "s", "", ""), 404);
    assert_status(post(f, "/ofrep/v2/evaluate/flags", "", ""), 404);
    char *answer = ask(f, "GET " BULK " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_status(answer, 405);
    assert_has(answer, "\r\nAllow: POST, OPTIONS\r\n");
    assert_status(post(f, "/ofrep/v1/stream", "", ""), 405);
}

static void browsers_of_other_origins_may_ask_and_read_the_etag(void **state)
{
    struct fixture *f = *state;
    char *answer = ask(f, "OPTIONS " BULK " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                          "Origin: http://a\r\n\r\n");
    assert_status(answer, 204);
    assert_has(answer, "Access-Control-Allow-Origin: *\r\n");
    assert_has(answer, "content-type, authorization, x-api-key, if-none-match");
    answer = bulk(f, "Origin: http://a\r\n");
    assert_has(answer, "Access-Control-Allow-Origin: *\r\n");
    assert_has(answer, "Access-Control-Expose-Headers: ETag, Retry-After\r\n");
    assert_has(bulk(f, "X-API-Key: lfx\r\n"), "Access-Control-Allow-Origin: *\r\n");
}

static void the_set_that_was_asked_for_is_named(void **state)
{
    struct fixture *f = *state;
    assert_has(bulk(f, "Flagd-Selector: flagSetId=web\r\n"),
               "\"metadata\":{\"version\":\"0\",\"flagSetId\":\"web\"}");
    assert_lacks(bulk(f, "Flagd-Selector: source=x\r\n"), "flagSetId");
}

static void a_body_over_the_limit_is_413_however_it_comes(void **state)
{
    struct fixture *f = *state;
    size_t n = LIMIT_FLAG_REQUEST_BYTES + 1;
    char *body = arena_alloc(f->a, n + 1);
    memset(body, ' ', n);
    char *answer = post(f, BULK, "", body);
    assert_status(answer, 413);
    assert_has(answer, "{\"errorDetails\":\"");
    answer = ask(f, arena_printf(f->a,
                                 "POST " BULK " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                                 "Transfer-Encoding: chunked\r\n\r\n%zx\r\n%s\r\n0\r\n\r\n",
                                 n, body));
    assert_status(answer, 413);
    assert_has(answer, "{\"errorDetails\":\"");
    body[n - 1] = '\0';
    assert_status(post(f, BULK, "", body), 200);
}

static void whoever_asks_too_often_is_told_when_to_come_again(void **state)
{
    struct fixture *f = *state;
    char *answer = NULL;
    for (int i = 0; i < 5 && (!answer || !strstr(answer, " 429 ")); i++)
        answer = bulk(f, "");
    assert_status(answer, 429);
    const char *at = strstr(answer, "\r\nRetry-After: ");
    assert_non_null(at);
    char *end = NULL;
    long wait_s = strtol(at + 15, &end, 10);
    assert_true(*end == '\r' && wait_s >= 1 && wait_s <= 16);
    /* behind the proxy of this machine there are others */
    assert_status(bulk(f, "X-Forwarded-For: 127.0.0.1, 203.0.113.7\r\n"), 200);
}

static int stream_open(struct fixture *f, const char *headers)
{
    const char *request =
        arena_printf(f->a, "GET /ofrep/v1/stream HTTP/1.1\r\nHost: x\r\n%s\r\n", headers);
    int fd = dial(f);
    assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
    return fd;
}

static void a_stream_tells_the_version_at_once_and_every_later_one(void **state)
{
    struct fixture *f = *state;
    make_schema(f);
    put(f, 1, snapshot_of(f, 1, "on", "null"));
    (void)bulk_until(f, "\"version\":\"1\"");
    int fd = stream_open(f, "");
    char *said = read_until(f, fd, "\"etag\":\"1\"}\n\n");
    assert_has(said, "Content-Type: text/event-stream\r\n");
    assert_has(said, "Cache-Control: no-cache");
    assert_has(said, "retry: 2000\n");
    assert_has(
        said, "id: 1.0\nevent: message\ndata: {\"type\":\"refetchEvaluation\",\"etag\":\"1\"}\n\n");
    put(f, 2, snapshot_of(f, 2, "off", "null"));
    (void)read_until(f, fd, "\"etag\":\"2\"}\n\n");
    (void)close(fd);
    fd = stream_open(f, "Last-Event-ID: 2.0\r\n");
    said = read_until(f, fd, "retry: 2000\n");
    put(f, 3, snapshot_of(f, 3, "on", "null"));
    said = read_until(f, fd, "\"etag\":\"3\"}\n\n");
    assert_lacks(said, "\"etag\":\"2\"");
    (void)close(fd);
}

static void many_changes_at_once_are_few_events(void **state)
{
    struct fixture *f = *state;
    make_schema(f);
    put(f, 1, snapshot_of(f, 1, "on", "null"));
    (void)bulk_until(f, "\"version\":\"1\"");
    int fd = stream_open(f, "");
    (void)read_until(f, fd, "\"etag\":\"1\"}\n\n");
    int64_t begun = clock_boot_ms();
    for (int64_t v = 2; v <= 60; v++)
        put(f, v, snapshot_of(f, v, "on", "null"));
    char *said = read_until(f, fd, "\"etag\":\"60\"}\n\n");
    int64_t most = (clock_boot_ms() - begun) / 100 + 2;
    int64_t events = 0;
    for (const char *p = strstr(said, "event: "); p; p = strstr(p + 1, "event: "))
        events++;
    assert_in_range(events, 1, most);
    (void)close(fd);
}

static void a_scheduled_change_is_served_when_it_falls_due(void **state)
{
    struct fixture *f = *state;
    make_schema(f);
    /* as the real functions do it: the version stays, the answer changes with the time */
    int64_t due_s = clock_unix_ms() / 1000 + 2;
    run(f, "create or replace function lockflight.flag_snapshot(at timestamptz default "
           "clock_timestamp()) returns jsonb language sql as 'select case when at < "
           "to_timestamp((snapshot->>''next'')::bigint) then snapshot else "
           "snapshot->''later'' end from lockflight.now'");
    const char *now = snapshot_of(f, 1, "off", arena_printf(f->a, "%lld", (long long)due_s));
    now = arena_printf(f->a, "%.*s,\"later\":%s}", (int)strlen(now) - 1, now,
                       snapshot_of(f, 1, "on", "null"));
    put(f, 1, now);
    (void)bulk_until(f, "\"value\":false");
    int fd = stream_open(f, "");
    (void)read_until(f, fd, "\"etag\":\"1\"}\n\n");
    char *said = read_until(f, fd, "\"etag\":\"1\"}\n\n");
    assert_has(said, "id: 1.0\n");
    assert_true(clock_unix_ms() >= due_s * 1000 - 5);
    assert_has(bulk(f, ""), "\"value\":true");
    (void)close(fd);
}

static void a_bad_snapshot_leaves_the_old_one_in_place(void **state)
{
    struct fixture *f = *state;
    make_schema(f);
    put(f, 1, snapshot_of(f, 1, "on", "null"));
    (void)bulk_until(f, "\"version\":\"1\"");
    put(f, 2, "{\"v\":2,\"document\":{\"flags\":{\"crm\":{\"state\":\"WRONG\"}}}}");
    char *answer = bulk_until(f, "\"stale\":true");
    assert_has(answer, "\"metadata\":{\"version\":\"1\",\"stale\":true}");
    assert_has(answer, "\"value\":true");
    put(f, 3, snapshot_of(f, 3, "off", "null"));
    assert_lacks(bulk_until(f, "\"version\":\"3\""), "stale");
}

static void with_the_database_away_answers_go_on_and_it_is_found_again(void **state)
{
    struct fixture *f = *state;
    make_schema(f);
    put(f, 1, snapshot_of(f, 1, "on", "null"));
    (void)bulk_until(f, "\"version\":\"1\"");
    pg_fixture_crash();
    assert_has(bulk(f, ""), "\"value\":true");
    assert_ok(pg_reconnect(f->db, &f->e), &f->e);
    put(f, 2, snapshot_of(f, 2, "off", "null"));
    assert_lacks(bulk_until(f, "\"version\":\"2\""), "stale");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(without_a_schema_there_are_no_flags_and_nothing_is_stale),
        T(a_change_is_served_to_whoever_heard_of_it),
        T(an_unchanged_answer_is_304_and_a_heard_of_change_makes_no_304),
        T(servers_see_more_than_browsers),
        T(paths_and_methods_are_told_apart),
        T(browsers_of_other_origins_may_ask_and_read_the_etag),
        T(the_set_that_was_asked_for_is_named),
        T(a_body_over_the_limit_is_413_however_it_comes),
        cmocka_unit_test_setup_teardown(whoever_asks_too_often_is_told_when_to_come_again,
                                        setup_with_limit, teardown),
        T(a_stream_tells_the_version_at_once_and_every_later_one),
        T(many_changes_at_once_are_few_events),
        T(a_scheduled_change_is_served_when_it_falls_due),
        T(a_bad_snapshot_leaves_the_old_one_in_place),
        T(with_the_database_away_answers_go_on_and_it_is_found_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
