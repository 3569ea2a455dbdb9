/*
 * OFREP answers without a connection: bytes of the body, ETags, who sees what, and the rate.
 */
#include "assert_ok.h"

#include "flag/caller.h"
#include "flag/ofrep_answer.h"
#include "flag/rate.h"
#include "net/jwt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET "a-secret-of-at-least-thirty-two-bytes"
#define NOW_MS 1767225600000

static const char snapshot_text[] =
    "{\"v\":812,\"next\":null,\"document\":{\"metadata\":{\"version\":\"812\"},\"flags\":{"
    "\"crm\":{\"state\":\"ENABLED\",\"variants\":{\"on\":true,\"off\":false},\"defaultVariant\":"
    "\"on\"},"
    "\"theme\":{\"state\":\"ENABLED\",\"variants\":{\"a\":\"x "
    "\\\"y\\\"\",\"b\":\"z\"},\"defaultVariant\":\"a\"},"
    "\"hidden\":{\"state\":\"ENABLED\",\"variants\":{\"n\":1.5},\"defaultVariant\":\"n\","
    "\"metadata\":{\"owner\":\"ops\"}},"
    "\"gone\":{\"state\":\"DISABLED\",\"variants\":{\"on\":true},\"defaultVariant\":\"on\"},"
    "\"none\":{\"state\":\"ENABLED\",\"variants\":{\"on\":true},\"defaultVariant\":null}}},"
    "\"flags\":{\"crm\":{\"exposure\":\"client\"},\"theme\":{\"exposure\":\"client\"},\"hidden\":{"
    "\"exposure\":\"server\"},"
    "\"gone\":{\"exposure\":\"client\"},\"none\":{\"exposure\":\"client\"}},"
    "\"attributes\":{\"plan\":{\"type\":\"string\",\"trusted\":true},\"app\":{\"type\":\"version\"}"
    "}}";

#define PUBLIC_FLAGS                                                                               \
    "[{\"key\":\"crm\",\"reason\":\"STATIC\",\"value\":true,\"variant\":\"on\"},"                  \
    "{\"key\":\"gone\",\"reason\":\"DISABLED\"},"                                                  \
    "{\"key\":\"none\",\"reason\":\"DEFAULT\"},"                                                   \
    "{\"key\":\"theme\",\"reason\":\"STATIC\",\"value\":\"x \\\"y\\\"\",\"variant\":\"a\"}]"

static struct flag_snapshot *snapshot;

static int setup(void **state)
{
    struct err e;
    (void)state;
    return flag_snapshot_parse(STR(snapshot_text), &snapshot, &e) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    flag_snapshot_unref(snapshot);
    return 0;
}

static struct ofrep_question question(enum flag_caller_kind kind, const char *body)
{
    return (struct ofrep_question){ .snapshot = snapshot,
                                    .caller = { .kind = kind, .subject = "u1" },
                                    .body = str_of(body),
                                    .now_s = NOW_MS / 1000 };
}

static void assert_bulk(const struct ofrep_question *q, int status, const char *expected)
{
    struct ofrep_answer a;
    ofrep_answer_bulk(q, &a);
    assert_string_equal(strbuf_text(&a.body), expected);
    assert_int_equal(a.status, status);
    strbuf_done(&a.body);
}

static void assert_single(const struct ofrep_question *q, const char *key, int status,
                          const char *expected)
{
    struct ofrep_answer a;
    ofrep_answer_single(q, key, &a);
    assert_string_equal(strbuf_text(&a.body), expected);
    assert_int_equal(a.status, status);
    assert_string_equal(a.etag, "");
    strbuf_done(&a.body);
}

/* ---- Bodies ---------------------------------------------------------------------------------- */

static void a_browser_gets_exposed_flags_without_metadata_in_the_order_of_keys(void **state)
{
    (void)state;
    struct ofrep_question q = question(FLAG_CALLER_ANONYMOUS, "");
    assert_bulk(&q, 200, "{\"flags\":" PUBLIC_FLAGS ",\"metadata\":{\"version\":\"812\"}}");
}

static void beside_the_flags_stand_set_staleness_version_and_stream(void **state)
{
    (void)state;
    struct ofrep_question q = question(FLAG_CALLER_USER, "{}");
    q.is_stale = true;
    q.flag_set_id = "web";
    q.stream = "/ofrep/v1/stream";
    assert_bulk(&q, 200,
                "{\"flags\":" PUBLIC_FLAGS
                ",\"metadata\":{\"version\":\"812\",\"stale\":true,\"flagSetId\":\"web\"},"
                "\"eventStreams\":[{\"type\":\"sse\",\"endpoint\":{\"requestUri\":\"/ofrep/v1/"
                "stream\"}}]}");
}

static void a_server_gets_every_flag_with_metadata(void **state)
{
    (void)state;
    struct ofrep_question q = question(FLAG_CALLER_SERVER, "{\"context\":{}}");
    assert_single(&q, "hidden", 200,
                  "{\"key\":\"hidden\",\"reason\":\"STATIC\",\"value\":1.5,\"variant\":\"n\","
                  "\"metadata\":{\"owner\":\"ops\",\"version\":\"812\"}}");
    struct ofrep_answer a;
    ofrep_answer_bulk(&q, &a);
    assert_non_null(strstr(a.body.p, "\"key\":\"hidden\""));
    strbuf_done(&a.body);
}

static void a_flag_without_value_has_no_value_member(void **state)
{
    (void)state;
    struct ofrep_question q = question(FLAG_CALLER_ANONYMOUS, "{\"context\":{}}");
    assert_single(&q, "gone", 200, "{\"key\":\"gone\",\"reason\":\"DISABLED\"}");
    assert_single(&q, "none", 200, "{\"key\":\"none\",\"reason\":\"DEFAULT\"}");
}

static void a_hidden_flag_and_an_unknown_one_are_not_found_alike(void **state)
{
    (void)state;
    struct ofrep_question q = question(FLAG_CALLER_USER, "");
    assert_single(&q, "hidden", 404, "{\"key\":\"hidden\",\"errorCode\":\"FLAG_NOT_FOUND\"}");
    assert_single(&q, "a\nb", 404, "{\"key\":\"a\\nb\",\"errorCode\":\"FLAG_NOT_FOUND\"}");
}

static void a_context_that_cannot_be_used_is_invalid(void **state)
{
    (void)state;
    static const char *const bodies[] = { "{",
                                          "[]",
                                          "7",
                                          "{\"context\":[]}",
                                          "{\"context\":{\"targetingKey\":7}}",
                                          "{\"context\":{\"a\":1e400}}",
                                          "{\"context\":{\"a\":\"\xff\"}}",
                                          "{\"context\":{\"a\":\"\\ud800\"}}",
                                          "{\"context\":{\"a\":12345678901234567}}" };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct ofrep_question q = question(FLAG_CALLER_ANONYMOUS, bodies[i]);
        struct ofrep_answer a;
        ofrep_answer_bulk(&q, &a);
        assert_int_equal(a.status, 400);
        assert_string_equal(a.etag, "");
        assert_ptr_equal(strstr(a.body.p, "{\"errorCode\":\"INVALID_CONTEXT\",\"errorDetails\":\""),
                         a.body.p);
        strbuf_done(&a.body);
        ofrep_answer_single(&q, "crm", &a);
        assert_int_equal(a.status, 400);
        assert_ptr_equal(strstr(a.body.p, "{\"key\":\"crm\",\"errorCode\":\"INVALID_CONTEXT\""),
                         a.body.p);
        strbuf_done(&a.body);
    }
}

static void an_empty_body_and_null_contexts_are_empty_contexts(void **state)
{
    (void)state;
    static const char *const bodies[] = { "", " \n", "{}", "{\"context\":null}",
                                          "{\"context\":{\"targetingKey\":null}}" };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct ofrep_question q = question(FLAG_CALLER_ANONYMOUS, bodies[i]);
        assert_bulk(&q, 200, "{\"flags\":" PUBLIC_FLAGS ",\"metadata\":{\"version\":\"812\"}}");
    }
}

static void text_is_escaped_as_javascript_does(void **state)
{
    (void)state;
    struct strbuf b = strbuf_init(1000);
    ofrep_add_text(&b, "a\"\\/\b\t\n\f\r\x01\x1f\x7f é");
    assert_string_equal(b.p, "\"a\\\"\\\\/\\b\\t\\n\\f\\r\\u0001\\u001f\x7f é\"");
    strbuf_done(&b);
}

static void a_snapshot_that_cannot_be_used_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "{}", "{\"v\":1}", "{\"v\":\"1\",\"document\":{}}",
        "{\"v\":1,\"document\":{\"flags\":{\"a\":{\"state\":\"X\"}}}}"
    };
    struct flag_snapshot *s = NULL;
    struct err e;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_fails(flag_snapshot_parse(str_of(texts[i]), &s, &e), &e, ERR_DATA);
    assert_null(s);
}

/* ---- ETag ------------------------------------------------------------------------------------ */

static void the_etag_is_of_the_flags_array_alone(void **state)
{
    (void)state;
    char hex[SHA256_HEX_BYTES], expected[OFREP_ETAG_BYTES];
    struct ofrep_answer a;
    struct ofrep_question q = question(FLAG_CALLER_ANONYMOUS, "");
    q.is_stale = true;
    q.stream = "/x";
    hash_hex(HASH_SHA256, STR(PUBLIC_FLAGS), hex);
    (void)snprintf(expected, sizeof expected, "\"%.16s\"", hex);
    ofrep_answer_bulk(&q, &a);
    assert_string_equal(a.etag, expected);
    strbuf_done(&a.body);
}

static void if_none_match_is_a_list_compared_weakly(void **state)
{
    (void)state;
    const char *etag = "\"0123456789abcdef\"";
    assert_true(ofrep_etag_matches("\"0123456789abcdef\"", etag));
    assert_true(ofrep_etag_matches("W/\"0123456789abcdef\"", etag));
    assert_true(ofrep_etag_matches("\"a,b\" , W/\"c\",\"0123456789abcdef\"", etag));
    assert_true(ofrep_etag_matches("*", etag));
    assert_false(ofrep_etag_matches("", etag));
    assert_false(ofrep_etag_matches(NULL, etag));
    assert_false(ofrep_etag_matches("0123456789abcdef", etag));
    assert_false(ofrep_etag_matches("\"0123456789abcde\"", etag));
    assert_false(ofrep_etag_matches("\"0123456789abcdef", etag));
    assert_false(ofrep_etag_matches("\"x\",,\"y\"", etag));
}

/* ---- Callers --------------------------------------------------------------------------------- */

static int who(const struct caller_rules *rules, const char *token, struct flag_caller *ret)
{
    json_t *claims = NULL;
    const char *why = NULL;
    int status = caller_of(rules, token, NOW_MS, ret, &claims, &why);
    if (status)
        assert_non_null(why);
    ret->subject = NULL;
    ret->app_metadata = NULL;
    json_decref(claims);
    return status;
}

static char *signed_claims(struct arena *a, const char *role, const char *sub, int64_t exp_s)
{
    json_t *claims =
        json_pack("{s:s, s:s*, s:I}", "role", role, "sub", sub, "exp", (json_int_t)exp_s);
    char *token = jwt_sign(a, claims, SECRET);
    json_decref(claims);
    return token;
}

static void a_token_decides_who_asks(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct caller_rules rules = { .jwt_secret = SECRET, .anon_key = "anon" };
    int64_t later = NOW_MS / 1000 + 3600;
    const struct {
        const char *token;
        int status;
        enum flag_caller_kind kind;
    } rows[] = {
        { NULL, 0, FLAG_CALLER_ANONYMOUS },
        { "anon", 0, FLAG_CALLER_ANONYMOUS },
        { signed_claims(a, "anon", NULL, later), 0, FLAG_CALLER_ANONYMOUS },
        { signed_claims(a, "authenticated", "u1", later), 0, FLAG_CALLER_USER },
        { signed_claims(a, "service_role", NULL, later), 0, FLAG_CALLER_SERVER },
        { signed_claims(a, "authenticated", NULL, later), 403, FLAG_CALLER_ANONYMOUS },
        { signed_claims(a, "postgres", "u1", later), 403, FLAG_CALLER_ANONYMOUS },
        { signed_claims(a, "service_role", NULL, NOW_MS / 1000 - 3600), 401,
          FLAG_CALLER_ANONYMOUS },
        { "x.y.z", 401, FLAG_CALLER_ANONYMOUS },
        { "lf-not-one-of-ours-000000", 401, FLAG_CALLER_ANONYMOUS },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct flag_caller caller;
        assert_int_equal(who(&rules, rows[i].token, &caller), rows[i].status);
        if (!rows[i].status)
            assert_int_equal(caller.kind, rows[i].kind);
    }
    struct flag_caller caller;
    assert_int_equal(who(&(struct caller_rules){ 0 }, rows[3].token, &caller), 401);
}

static const char *tokens_file(struct arena *a, const char *text, mode_t mode)
{
    char path[] = "/tmp/lockflight-tokens.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    (void)close(fd);
    return arena_strdup(a, path);
}

static void server_tokens_come_from_a_file_in_clear_or_as_digests(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct caller_rules rules = { 0 };
    struct flag_caller caller;
    struct err e;
    char hex[SHA256_HEX_BYTES];
    hash_hex(HASH_SHA256, STR("lf-second-token-0123456789"), hex);
    const char *path = tokens_file(
        a, arena_printf(a, "# two\nlf-first-token-0123456789\n\nsha256:%s\n", hex), 0600);
    assert_ok(caller_tokens_read(a, path, &rules, &e), &e);
    assert_int_equal(rules.tokens_n, 2);
    assert_int_equal(who(&rules, "lf-first-token-0123456789", &caller), 0);
    assert_int_equal(caller.kind, FLAG_CALLER_SERVER);
    assert_int_equal(who(&rules, "lf-second-token-0123456789", &caller), 0);
    assert_int_equal(who(&rules, "lf-third-token-0123456789", &caller), 401);
    (void)unlink(path);
}

static void a_file_of_tokens_is_refused_where_it_is_wrong(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct caller_rules rules = { 0 };
    const struct {
        const char *text;
        mode_t mode;
    } rows[] = { { "\nshort\n", 0600 },
                 { "\nlf-short\n", 0600 },
                 { "\nsha256:12\n", 0600 },
                 { "\nlf-first-token-0123456789\n", 0644 } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err e = { 0 };
        const char *path = tokens_file(a, rows[i].text, rows[i].mode);
        assert_fails(caller_tokens_read(a, path, &rules, &e), &e, ERR_CONFIG);
        assert_true(strstr(e.where, ":2") != NULL);
        (void)unlink(path);
    }
}

/* ---- Rate ------------------------------------------------------------------------------------ */

static void a_burst_is_let_through_and_then_one_at_a_time(void **state)
{
    (void)state;
    struct rate *r = rate_new(60); /* one a second, fifteen at once */
    int64_t now = 1000000;
    int let = 0;
    while (rate_wait_s(r, STR("one"), now) == 0)
        assert_true(++let < 100);
    assert_in_range(let, 15, 17);
    int wait_s = rate_wait_s(r, STR("one"), now);
    assert_in_range(wait_s, 1, 2);
    assert_int_equal(rate_wait_s(r, STR("two"), now), 0);
    assert_int_equal(rate_wait_s(r, STR("one"), now + wait_s * 1000), 0);
    assert_int_not_equal(rate_wait_s(r, STR("one"), now + wait_s * 1000), 0);
    rate_free(r);
    r = rate_new(0);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(rate_wait_s(r, STR("one"), now), 0);
    rate_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_browser_gets_exposed_flags_without_metadata_in_the_order_of_keys),
        cmocka_unit_test(beside_the_flags_stand_set_staleness_version_and_stream),
        cmocka_unit_test(a_server_gets_every_flag_with_metadata),
        cmocka_unit_test(a_flag_without_value_has_no_value_member),
        cmocka_unit_test(a_hidden_flag_and_an_unknown_one_are_not_found_alike),
        cmocka_unit_test(a_context_that_cannot_be_used_is_invalid),
        cmocka_unit_test(an_empty_body_and_null_contexts_are_empty_contexts),
        cmocka_unit_test(text_is_escaped_as_javascript_does),
        cmocka_unit_test(a_snapshot_that_cannot_be_used_is_refused),
        cmocka_unit_test(the_etag_is_of_the_flags_array_alone),
        cmocka_unit_test(if_none_match_is_a_list_compared_weakly),
        cmocka_unit_test(a_token_decides_who_asks),
        cmocka_unit_test(server_tokens_come_from_a_file_in_clear_or_as_digests),
        cmocka_unit_test(a_file_of_tokens_is_refused_where_it_is_wrong),
        cmocka_unit_test(a_burst_is_let_through_and_then_one_at_a_time),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
