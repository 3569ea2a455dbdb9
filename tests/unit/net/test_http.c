/*
 * The HTTP client against a scripted peer: what is repeated, what is not, and what is known
 * afterwards.
 */
#include "assert_ok.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "fake/peer.h"
#include "net/budget.h"
#include "net/http.h"
#include "net/http_rule.h"

#include <string.h>

struct fixture {
    struct arena *a;
    struct http *h;
    struct err e;
    int64_t waited_ms[16];
    size_t n_waits;
    size_t guard_calls;
    size_t guard_refuses_from; /* 0: never */
};

/* No time passes in these tests; what would have been slept is written down. */
static bool note_wait(void *context, int64_t ms, struct err *e)
{
    struct fixture *f = context;
    (void)e;
    if (f->n_waits < 16)
        f->waited_ms[f->n_waits++] = ms;
    return true;
}

static bool guard(void *context, struct err *e)
{
    struct fixture *f = context;
    f->guard_calls++;
    if (f->guard_refuses_from > 0 && f->guard_calls >= f->guard_refuses_from)
        return err_set(e, ERR_FENCED, "another runner has taken over");
    return true;
}

static int set_up(void **state)
{
    struct fixture *f = test_calloc(1, sizeof *f);
    f->a = arena_new(0);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    http_close(f->h);
    arena_free(f->a);
    test_free(f);
    return 0;
}

static void connect_to(struct fixture *f, const char *url)
{
    f->h = http_open(
        &(struct http_spec){ .name = "peer", .base_url = url, .token = "nfp_0123456789abcdef" });
    http_set_waiter(f->h, note_wait, f);
    http_set_guard(f->h, guard, f);
}

static const struct http_request get_thing = { .what = "test.get",
                                               .method = "GET",
                                               .path = "/thing" };
static const struct http_request post_thing = {
    .what = "test.post",
    .method = "POST",
    .path = "/thing",
    .effect = HTTP_MUTATING,
    .send_empty_body = true,
};

#define STEPS(...)                                                                                 \
    (const struct peer_step[]){ __VA_ARGS__ },                                                     \
        sizeof((const struct peer_step[]){ __VA_ARGS__ }) / sizeof(struct peer_step)

static void a_read_carries_the_token_and_returns_the_answer(void **state)
{
    struct fixture *f = *state;
    struct peer *p =
        peer_start(STEPS({ "GET /thing HTTP/1.1", "Authorization: Bearer nfp_0123456789abcdef",
                           .body = "{\"a\":1}", .headers = "X-Thing: yes\r\n" }));
    connect_to(f, peer_url(p));
    struct http_answer answer;
    assert_ok(http_send(f->h, f->a, &get_thing, &answer, &f->e), &f->e);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body.p, "{\"a\":1}");
    assert_string_equal(http_find_header(&answer, "x-thing"), "yes");
    peer_stop(p);
}

static void a_read_is_repeated_through_every_passing_failure(void **state)
{
    struct fixture *f = *state;
    struct peer *p =
        peer_start(STEPS({ "GET", .act = PEER_CLOSE }, { "GET", .act = PEER_RESET },
                         { "GET", .status = 503 }, { "GET", .body = "{\"a\":1}", .act = PEER_CUT },
                         { "GET", .status = 502 }, { "GET", .body = "ok" }));
    connect_to(f, peer_url(p));
    struct http_answer answer;
    assert_ok(http_send(f->h, f->a, &get_thing, &answer, &f->e), &f->e);
    assert_string_equal(answer.body.p, "ok");
    assert_int_equal(f->n_waits, 5);
    peer_stop(p);
}

static void a_read_that_stays_broken_ends_with_the_last_failure(void **state)
{
    struct fixture *f = *state;
    struct peer *p = peer_start(
        STEPS({ "GET", .status = 500 }, { "GET", .status = 500 }, { "GET", .status = 500 },
              { "GET", .status = 500 }, { "GET", .status = 500 },
              { "GET", .status = 500, .body = "{\"message\":\"out of cheese\"}" }));
    connect_to(f, peer_url(p));
    struct http_answer answer;
    assert_fails(http_send(f->h, f->a, &get_thing, &answer, &f->e), &f->e, ERR_REMOTE);
    assert_int_equal(f->e.http_status, 500);
    assert_non_null(strstr(f->e.why, "out of cheese"));
    peer_stop(p);
}

static void a_mutating_call_whose_answer_is_lost_is_unknown_and_not_repeated(void **state)
{
    struct fixture *f = *state;
    static const enum peer_act acts[] = { PEER_CLOSE, PEER_RESET, PEER_CUT };
    for (size_t i = 0; i < 3; i++) {
        struct peer *p = peer_start(STEPS({ "POST /thing", .body = "{\"a\":1}", .act = acts[i] }));
        connect_to(f, peer_url(p));
        struct http_answer answer;
        assert_fails(http_send(f->h, f->a, &post_thing, &answer, &f->e), &f->e,
                     ERR_UNKNOWN_OUTCOME);
        assert_int_equal(peer_count(p), 1);
        assert_int_equal(f->n_waits, 0);
        http_close(f->h);
        f->h = NULL;
        peer_stop(p);
    }
}

static void a_mutating_call_that_is_never_answered_is_unknown_at_its_deadline(void **state)
{
    struct fixture *f = *state;
    struct peer *p = peer_start(STEPS({ "POST /thing", .act = PEER_STALL }));
    connect_to(f, peer_url(p));
    struct http_request q = post_thing;
    q.deadline_ms = 100;
    struct http_answer answer;
    assert_fails(http_send(f->h, f->a, &q, &answer, &f->e), &f->e, ERR_UNKNOWN_OUTCOME);
    assert_int_equal(peer_count(p), 1);
    peer_stop(p);
}

static void a_gateway_without_an_answer_makes_a_mutating_call_unknown(void **state)
{
    struct fixture *f = *state;
    struct peer *p = peer_start(STEPS({ "POST", .status = 502 }));
    connect_to(f, peer_url(p));
    struct http_answer answer;
    assert_fails(http_send(f->h, f->a, &post_thing, &answer, &f->e), &f->e, ERR_UNKNOWN_OUTCOME);
    assert_int_equal(f->e.http_status, 502);
    peer_stop(p);
}

static void a_mutating_call_is_not_resent_on_a_connection_that_died_while_idle(void **state)
{
    struct fixture *f = *state;
    struct peer *p = peer_start(STEPS({ "GET", .body = "1" }, { "POST", .act = PEER_CLOSE }));
    connect_to(f, peer_url(p));
    struct http_answer answer;
    assert_ok(http_send(f->h, f->a, &get_thing, &answer, &f->e), &f->e);
    assert_fails(http_send(f->h, f->a, &post_thing, &answer, &f->e), &f->e, ERR_UNKNOWN_OUTCOME);
    assert_int_equal(peer_count(p), 2); /* libcurl alone would have sent the POST twice */
    peer_stop(p);
}

static void reads_share_a_connection_and_survive_its_end(void **state)
{
    struct fixture *f = *state;
    struct peer *p =
        peer_start(STEPS({ "GET", .body = "1" }, { "GET", .body = "2", .act = PEER_CLOSE_AFTER },
                         { "GET", .body = "3" }));
    connect_to(f, peer_url(p));
    struct http_answer answer;
    for (int i = 0; i < 3; i++)
        assert_ok(http_send(f->h, f->a, &get_thing, &answer, &f->e), &f->e);
    assert_string_equal(answer.body.p, "3");
    assert_int_equal(peer_connections(p), 2);
    peer_stop(p);
}

static void nothing_listening_is_a_network_error_even_for_a_mutating_call(void **state)
{
    struct fixture *f = *state;
    connect_to(f, peer_nowhere());
    struct http_answer answer;
    assert_fails(http_send(f->h, f->a, &post_thing, &answer, &f->e), &f->e, ERR_NET);
    assert_true(err_may_retry(&f->e));
    assert_int_equal(f->n_waits, 2); /* it tried three times: nothing had been sent */
    assert_int_equal(f->guard_calls, 3);
}

static void two_429s_are_waited_out_as_the_server_asks_even_by_a_mutating_call(void **state)
{
    struct fixture *f = *state;
    struct peer *p = peer_start(STEPS({ "POST", .status = 429, .headers = "Retry-After: 7\r\n" },
                                      { "POST", .status = 429, .headers = "Retry-After: 900\r\n" },
                                      { "POST", .status = 201 }));
    connect_to(f, peer_url(p));
    struct http_answer answer;
    assert_ok(http_send(f->h, f->a, &post_thing, &answer, &f->e), &f->e);
    assert_int_equal(answer.status, 201);
    assert_int_equal(f->waited_ms[0], 7000);
    assert_int_equal(f->waited_ms[1], HTTP_WAIT_MAX_MS);
    assert_int_equal(f->guard_calls, 3);
    peer_stop(p);
}

static void the_guard_is_asked_again_after_a_wait_and_can_end_the_call(void **state)
{
    struct fixture *f = *state;
    struct peer *p = peer_start(STEPS({ "POST", .status = 429, .headers = "Retry-After: 1\r\n" }));
    connect_to(f, peer_url(p));
    f->guard_refuses_from = 2;
    struct http_answer answer;
    assert_fails(http_send(f->h, f->a, &post_thing, &answer, &f->e), &f->e, ERR_FENCED);
    assert_int_equal(peer_count(p), 1);
    peer_stop(p);
}

static void refusals_have_codes_of_their_own(void **state)
{
    struct fixture *f = *state;
    static const struct {
        int status;
        enum err_code code;
    } rows[] = { { 401, ERR_AUTH },     { 403, ERR_AUTH },   { 404, ERR_NOT_FOUND },
                 { 409, ERR_CONFLICT }, { 422, ERR_REMOTE }, { 302, ERR_REMOTE },
                 { 400, ERR_REMOTE } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct peer *p = peer_start(STEPS({ "POST", .status = rows[i].status }));
        connect_to(f, peer_url(p));
        struct http_answer answer;
        assert_fails(http_send(f->h, f->a, &post_thing, &answer, &f->e), &f->e, rows[i].code);
        assert_int_equal(f->e.http_status, rows[i].status);
        http_close(f->h);
        f->h = NULL;
        peer_stop(p);
    }
}

static void an_answer_over_the_limit_is_refused(void **state)
{
    struct fixture *f = *state;
    struct peer *p = peer_start(STEPS({ "GET", .body_bytes = 5000 }));
    connect_to(f, peer_url(p));
    struct http_request q = get_thing;
    q.max_answer_bytes = 4096;
    struct http_answer answer;
    assert_fails(http_send(f->h, f->a, &q, &answer, &f->e), &f->e, ERR_LIMIT);
    peer_stop(p);
}

static void malformed_json_is_data_after_a_read_and_unknown_after_a_mutation(void **state)
{
    struct fixture *f = *state;
    struct peer *p = peer_start(STEPS({ "GET", .body = "{\"a\":" }, { "POST", .body = "<html>" }));
    connect_to(f, peer_url(p));
    json_t *value = NULL;
    assert_fails(http_json(f->h, f->a, &get_thing, &value, NULL, &f->e), &f->e, ERR_DATA);
    assert_fails(http_json(f->h, f->a, &post_thing, &value, NULL, &f->e), &f->e,
                 ERR_UNKNOWN_OUTCOME);
    assert_null(value);
    peer_stop(p);
}

static void a_server_that_echoes_the_token_does_not_get_it_into_our_error(void **state)
{
    struct fixture *f = *state;
    struct peer *p = peer_start(
        STEPS({ "GET", .status = 400,
                .body = "{\"message\":\"bad token nfp_0123456789abcdef \\u001b[31m\"}" }));
    connect_to(f, peer_url(p));
    struct http_answer answer;
    assert_fails(http_send(f->h, f->a, &get_thing, &answer, &f->e), &f->e, ERR_REMOTE);
    assert_null(strstr(f->e.why, "0123456789abcdef"));
    assert_null(strchr(f->e.why, '\033'));
    peer_stop(p);
}

static void an_address_at_another_host_does_not_get_our_token(void **state)
{
    struct fixture *f = *state;
    struct peer *p = peer_start(NULL, 0), *other = peer_start(NULL, 0);
    connect_to(f, peer_url(p));
    struct http_request q = get_thing;
    q.path = arena_printf(f->a, "%s/thing", peer_url(other));
    struct http_answer answer;
    assert_fails(http_send(f->h, f->a, &q, &answer, &f->e), &f->e, ERR_DATA);
    peer_stop(p);
    peer_stop(other);
}

static void a_name_below_localhost_reaches_loopback(void **state)
{
    struct fixture *f = *state;
    struct peer *p = peer_start(STEPS({ "GET /x", "Host: abc--studio.localhost", .body = "1" }));
    f->h = http_open(&(struct http_spec){ .name = "site" });
    struct http_request q = get_thing;
    q.path = arena_printf(f->a, "http://abc--studio.localhost%s/x", strrchr(peer_url(p), ':'));
    struct http_answer answer;
    assert_ok(http_send(f->h, f->a, &q, &answer, &f->e), &f->e);
    peer_stop(p);
}

static void tokens_are_only_sent_over_https_or_loopback(void **state)
{
    struct fixture *f = *state;
    assert_ok(http_check_base("https://api.netlify.com/api/v1", &f->e), &f->e);
    assert_ok(http_check_base("http://127.0.0.1:4600", &f->e), &f->e);
    assert_fails(http_check_base("http://api.example.com", &f->e), &f->e, ERR_CONFIG);
    assert_fails(http_check_base("ftp://api.example.com", &f->e), &f->e, ERR_CONFIG);
}

static void the_wait_follows_each_kind_of_header(void **state)
{
    (void)state;
    const int64_t now_ms = 1700000000000;
    struct http_attempt at = { .outcome = HTTP_ANSWERED, .status = 429 };
    at.reset = "1700000030";
    assert_int_equal(http_rule_wait_ms(&at, HTTP_RESET_UNIX, 1, 0.5, now_ms), 30000);
    at.reset = "42";
    assert_int_equal(http_rule_wait_ms(&at, HTTP_RESET_SECONDS, 1, 0.5, now_ms), 42000);
    at.reset = "1600000000"; /* gone by: the window's edge, not at once */
    assert_int_equal(http_rule_wait_ms(&at, HTTP_RESET_UNIX, 1, 0.5, now_ms), 1000);
    at.retry_after = "Tue, 14 Nov 2023 22:13:45 GMT";
    assert_int_equal(http_rule_wait_ms(&at, HTTP_RESET_UNIX, 1, 0.5, now_ms), 25000);
}

static void without_a_header_the_wait_doubles_to_a_ceiling_with_full_jitter(void **state)
{
    (void)state;
    struct http_attempt at = { .outcome = HTTP_LOST };
    assert_int_equal(http_rule_wait_ms(&at, HTTP_RESET_UNIX, 1, 1.0, 0), 500);
    assert_int_equal(http_rule_wait_ms(&at, HTTP_RESET_UNIX, 2, 1.0, 0), 1000);
    assert_int_equal(http_rule_wait_ms(&at, HTTP_RESET_UNIX, 4, 0.5, 0), 2000);
    assert_int_equal(http_rule_wait_ms(&at, HTTP_RESET_UNIX, 40, 1.0, 0), 30000);
    assert_int_equal(http_rule_wait_ms(&at, HTTP_RESET_UNIX, 3, 0.0, 0), 0);
}

static void the_budget_is_spent_freely_and_then_waited_for_and_keeps_a_reserve(void **state)
{
    struct fixture *f = *state;
    struct peer *p = peer_start(STEPS({ "GET" }, { "GET" }, { "GET" }, { "GET" }, { "GET" }));
    f->h = http_open(&(struct http_spec){
        .name = "peer", .base_url = peer_url(p), .calls_per_minute = 4, .reserved_calls = 2 });
    http_set_waiter(f->h, note_wait, f);
    struct http_answer answer;
    for (int i = 0; i < 2; i++)
        assert_ok(http_send(f->h, f->a, &get_thing, &answer, &f->e), &f->e);
    assert_int_equal(f->n_waits, 0);
    assert_ok(http_send(f->h, f->a, &get_thing, &answer, &f->e), &f->e);
    assert_int_equal(f->n_waits, 1); /* until the first is a minute old */
    assert_true(f->waited_ms[0] > 50000 && f->waited_ms[0] <= 60000);
    http_use_reserve(f->h);
    assert_ok(http_send(f->h, f->a, &get_thing, &answer, &f->e), &f->e);
    assert_int_equal(f->n_waits, 1);
    assert_ok(http_send(f->h, f->a, &get_thing, &answer, &f->e), &f->e);
    assert_int_equal(f->n_waits, 2);
    peer_stop(p);
}

static void two_clients_with_one_token_spend_from_one_budget(void **state)
{
    struct fixture *f = *state;
    struct peer *p = peer_start(STEPS({ "GET" }, { "GET" }, { "GET" }));
    struct http_spec spec = {
        .name = "peer", .base_url = peer_url(p), .token = "one-token", .calls_per_minute = 1
    };
    f->h = http_open(&spec);
    http_set_waiter(f->h, note_wait, f);
    CLEANUP(http) struct http *same = http_open(&spec);
    http_set_waiter(same, note_wait, f);
    spec.token = "another-token";
    CLEANUP(http) struct http *other = http_open(&spec);
    http_set_waiter(other, note_wait, f);
    struct http_answer answer;
    assert_ok(http_send(f->h, f->a, &get_thing, &answer, &f->e), &f->e);
    assert_ok(http_send(other, f->a, &get_thing, &answer, &f->e), &f->e);
    assert_int_equal(f->n_waits, 0);
    assert_ok(http_send(same, f->a, &get_thing, &answer, &f->e), &f->e);
    assert_int_equal(f->n_waits, 1);
    peer_stop(p);
}

static void in_no_minute_are_there_more_calls_than_the_budget_has(void **state)
{
    (void)state;
    struct budget *b = budget_of("a test's own", 50);
    int64_t made[400];
    int64_t now = 1000;
    for (int i = 0; i < 400; i++) {
        now += i % 7 == 0 ? 900 : 0; /* bursts and pauses */
        int64_t at = budget_take(b, i % 3 == 0 ? 0 : 20, now);
        assert_true(at >= now);
        made[i] = now = at;
    }
    for (int i = 50; i < 400; i++)
        assert_true(made[i] - made[i - 50] >= 60000);
}

static void an_answer_that_is_no_json_is_shown_unless_it_may_hold_secrets(void **state)
{
    struct fixture *f = *state;
    struct peer *p = peer_start(STEPS(
        { "GET", .headers = "Content-Type: text/html\r\n", .body = "<html>Sorry\x1b[31m</html>" },
        { "GET", .body = "{\"api_key\":\"hidden-value" }, { "GET", .body = "" }));
    connect_to(f, peer_url(p));
    json_t *value = NULL;
    assert_fails(http_json(f->h, f->a, &get_thing, &value, NULL, &f->e), &f->e, ERR_DATA);
    assert_non_null(strstr(f->e.why, "text/html: 23 bytes that begin with: <html>Sorry"));
    assert_null(strchr(f->e.why, '\x1b'));
    assert_fails(http_json(f->h, f->a, &get_thing, &value, NULL, &f->e), &f->e, ERR_DATA);
    assert_null(strstr(f->e.why, "hidden"));
    assert_non_null(strstr(f->e.why, "begin like JSON"));
    assert_fails(http_json(f->h, f->a, &get_thing, &value, NULL, &f->e), &f->e, ERR_DATA);
    peer_stop(p);
}

static void an_error_about_a_field_shows_names_and_types_of_the_answer_but_no_values(void **state)
{
    struct fixture *f = *state;
    struct peer *p = peer_start(STEPS(
        { "GET", .body = "{\"id\":7,\"key\":\"hidden\",\"list\":[{\"a\":null}],\"none\":[]}" }));
    connect_to(f, peer_url(p));
    json_auto_t *value = NULL;
    const char *text;
    assert_ok(http_json(f->h, f->a, &get_thing, &value, NULL, &f->e), &f->e);
    bool ok = http_checked(f->h, json_need_text(value, "id", "thing", &text, &f->e), &f->e);
    assert_fails(ok, &f->e, ERR_DATA);
    assert_non_null(strstr(f->e.why, "no text \"id\""));
    assert_non_null(strstr(f->e.why, "{id: number, key: text, list: [1 × {a: null}], none: []}"));
    assert_non_null(strstr(f->e.where, peer_url(p)));
    assert_null(strstr(f->e.why, "hidden"));
    peer_stop(p);
}

#ifdef LOCKFLIGHT_FAULTS
static void a_fault_before_sends_nothing_and_a_fault_after_makes_a_mutation_unknown(void **state)
{
    struct fixture *f = *state;
    struct peer *p = peer_start(STEPS({ "POST" }));
    connect_to(f, peer_url(p));
    struct http_answer answer;
    assert_int_equal(setenv("LOCKFLIGHT_FAULT", "test.post.before:1:error", 1), 0);
    assert_fails(http_send(f->h, f->a, &post_thing, &answer, &f->e), &f->e, ERR_IO);
    assert_int_equal(peer_count(p), 0);
    assert_int_equal(setenv("LOCKFLIGHT_FAULT", "test.post.after:2:error", 1),
                     0); /* passages are counted once */
    assert_fails(http_send(f->h, f->a, &post_thing, &answer, &f->e), &f->e, ERR_UNKNOWN_OUTCOME);
    assert_int_equal(peer_count(p), 1);
    assert_int_equal(unsetenv("LOCKFLIGHT_FAULT"), 0);
    peer_stop(p);
}
#endif

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_read_carries_the_token_and_returns_the_answer),
        T(a_read_is_repeated_through_every_passing_failure),
        T(a_read_that_stays_broken_ends_with_the_last_failure),
        T(a_mutating_call_whose_answer_is_lost_is_unknown_and_not_repeated),
        T(a_mutating_call_that_is_never_answered_is_unknown_at_its_deadline),
        T(a_gateway_without_an_answer_makes_a_mutating_call_unknown),
        T(a_mutating_call_is_not_resent_on_a_connection_that_died_while_idle),
        T(reads_share_a_connection_and_survive_its_end),
        T(nothing_listening_is_a_network_error_even_for_a_mutating_call),
        T(two_429s_are_waited_out_as_the_server_asks_even_by_a_mutating_call),
        T(the_guard_is_asked_again_after_a_wait_and_can_end_the_call),
        T(refusals_have_codes_of_their_own),
        T(an_answer_over_the_limit_is_refused),
        T(malformed_json_is_data_after_a_read_and_unknown_after_a_mutation),
        T(a_server_that_echoes_the_token_does_not_get_it_into_our_error),
        T(an_address_at_another_host_does_not_get_our_token),
        T(a_name_below_localhost_reaches_loopback),
        T(tokens_are_only_sent_over_https_or_loopback),
        T(the_wait_follows_each_kind_of_header),
        T(without_a_header_the_wait_doubles_to_a_ceiling_with_full_jitter),
        T(two_clients_with_one_token_spend_from_one_budget),
        T(in_no_minute_are_there_more_calls_than_the_budget_has),
        T(an_answer_that_is_no_json_is_shown_unless_it_may_hold_secrets),
        T(an_error_about_a_field_shows_names_and_types_of_the_answer_but_no_values),
        T(the_budget_is_spent_freely_and_then_waited_for_and_keeps_a_reserve),
#ifdef LOCKFLIGHT_FAULTS
        T(a_fault_before_sends_nothing_and_a_fault_after_makes_a_mutation_unknown),
#endif
    };
    return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
