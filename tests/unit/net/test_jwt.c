/*
 * Tokens: what we sign passes; whatever somebody else could make of one does not.
 */
#include "assert_ok.h"

#include "base/hash.h"
#include "base/strbuf.h"
#include "net/jwt.h"

#define SECRET "a-secret-of-the-environment"
#define NOW_MS ((int64_t)1800000000 * 1000)

static struct arena *a;

static int set_up(void **state)
{
    (void)state;
    a = arena_new(0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(a);
    return 0;
}

static const char *part(const char *text)
{
    return base64url_encode(a, str_of(text));
}

/* header and payload as given, signed properly with `secret` */
static const char *forged(const char *header, const char *payload, const char *secret)
{
    unsigned char mac[32];
    const char *body = arena_printf(a, "%s.%s", part(header), part(payload));
    hash_hmac_sha256(str_of(secret), str_of(body), mac);
    return arena_printf(a, "%s.%s", body,
                        base64url_encode(a, (struct str){ (const char *)mac, 32 }));
}

static const char *good(void)
{
    json_t *claims =
        json_pack("{s:s, s:I}", "role", "anon", "exp", (json_int_t)(NOW_MS / 1000 + 60));
    const char *token = jwt_sign(a, claims, SECRET);
    json_decref(claims);
    return token;
}

static enum jwt_verdict verdict(const char *token)
{
    return jwt_verify(str_of(token), SECRET, NOW_MS, NULL);
}

static void a_token_we_signed_passes_and_gives_its_claims(void **state)
{
    (void)state;
    json_t *claims = NULL;
    assert_int_equal(jwt_verify(str_of(good()), SECRET, NOW_MS, &claims), JWT_GOOD);
    assert_string_equal(json_string_value(json_object_get(claims, "role")), "anon");
    json_decref(claims);
}

static void a_token_without_expiry_passes(void **state)
{
    (void)state;
    assert_int_equal(verdict(forged("{\"alg\":\"HS256\"}", "{\"role\":\"anon\"}", SECRET)),
                     JWT_GOOD);
}

static void another_environments_token_does_not_pass(void **state)
{
    (void)state;
    assert_int_equal(jwt_verify(str_of(good()), "another-secret", NOW_MS, NULL), JWT_BAD_SIGNATURE);
}

static void any_changed_character_is_noticed(void **state)
{
    (void)state;
    const char *token = good();
    for (size_t i = 0; token[i]; i++) {
        char *changed = arena_strdup(a, token);
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        /* the last character carries two unused bits: changing only those is the same signature,
         * unless the decoder is strict, in which case it is malformed */
        if (!token[i + 1])
            continue;
        assert_int_not_equal(verdict(changed), JWT_GOOD);
    }
}

static void only_hs256_is_an_algorithm(void **state)
{
    (void)state;
    static const char *const headers[] = {
        "{\"alg\":\"none\"}",
        "{\"alg\":\"None\"}",
        "{\"alg\":\"NONE\"}",
        "{\"alg\":\"\"}",
        "{\"alg\":\"hs256\"}",
        "{\"alg\":\"HS384\"}",
        "{\"alg\":\"RS256\"}",
        "{\"alg\":\"ES256\"}",
        "{\"alg\":null}",
        "{\"alg\":[\"HS256\"]}",
        "{}",
        "{\"typ\":\"JWT\"}",
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        assert_int_equal(verdict(forged(headers[i], "{\"role\":\"service_role\"}", SECRET)),
                         JWT_WRONG_ALGORITHM);
        assert_int_not_equal(verdict(arena_printf(a, "%s.%s.", part(headers[i]),
                                                  part("{\"role\":\"service_role\"}"))),
                             JWT_GOOD);
    }
}

static void a_header_that_brings_its_own_key_is_refused(void **state)
{
    (void)state;
    static const char *const members[] = { "\"jku\":\"http://x\"", "\"jwk\":{}",
                                           "\"x5u\":\"http://x\"", "\"x5c\":[]",
                                           "\"crit\":[\"b64\"]" };
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        assert_int_equal(
            verdict(forged(arena_printf(a, "{\"alg\":\"HS256\",%s}", members[i]), "{}", SECRET)),
            JWT_WRONG_ALGORITHM);
}

static void time_is_kept_with_half_a_minute_of_grace(void **state)
{
    (void)state;
    static const char header[] = "{\"alg\":\"HS256\"}";
    int64_t now_s = NOW_MS / 1000;
#define CLAIM(name, offset) arena_printf(a, "{\"" name "\":%lld}", (long long)(now_s + (offset)))
    assert_int_equal(verdict(forged(header, CLAIM("exp", -29), SECRET)), JWT_GOOD);
    assert_int_equal(verdict(forged(header, CLAIM("exp", -31), SECRET)), JWT_EXPIRED);
    assert_int_equal(verdict(forged(header, CLAIM("nbf", 29), SECRET)), JWT_GOOD);
    assert_int_equal(verdict(forged(header, CLAIM("nbf", 31), SECRET)), JWT_EXPIRED);
    assert_int_equal(verdict(forged(header, "{\"exp\":\"9999999999\"}", SECRET)), JWT_EXPIRED);
    assert_int_equal(verdict(forged(header, "{\"exp\":null}", SECRET)), JWT_EXPIRED);
}

static void malformed_tokens_are_refused(void **state)
{
    (void)state;
    const char *token = good();
    const char *bad[] = { "",
                          ".",
                          "..",
                          "...",
                          "a.b.c",
                          "a.b",
                          token + 1,
                          "null",
                          "eyJ.eyJ.eyJ",
                          arena_printf(a, "%s.x", token),
                          arena_printf(a, "%s=", token),
                          arena_printf(a, " %s", token),
                          arena_printf(a, "%s\n", token),
                          forged("[]", "{}", SECRET),
                          forged("{\"alg\":\"HS256\"}", "[]", SECRET),
                          forged("{\"alg\":\"HS256\"}", "1", SECRET),
                          forged("{\"alg\":\"HS256\",\"alg\":\"HS256\"}", "{}", SECRET),
                          forged("{\"alg\":\"HS256\"}", "{\"role\":\"a\",\"role\":\"b\"}",
                                 SECRET) };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_not_equal(verdict(bad[i]), JWT_GOOD);
}

static void a_token_over_the_limit_is_not_read(void **state)
{
    (void)state;
    char *filler = arena_alloc(a, JWT_BYTES_MAX + 1);
    for (size_t i = 0; i < JWT_BYTES_MAX; i++)
        filler[i] = 'x';
    assert_int_equal(
        verdict(forged("{\"alg\":\"HS256\"}", arena_printf(a, "{\"x\":\"%s\"}", filler), SECRET)),
        JWT_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_we_signed_passes_and_gives_its_claims),
        cmocka_unit_test(a_token_without_expiry_passes),
        cmocka_unit_test(another_environments_token_does_not_pass),
        cmocka_unit_test(any_changed_character_is_noticed),
        cmocka_unit_test(only_hs256_is_an_algorithm),
        cmocka_unit_test(a_header_that_brings_its_own_key_is_refused),
        cmocka_unit_test(time_is_kept_with_half_a_minute_of_grace),
        cmocka_unit_test(malformed_tokens_are_refused),
        cmocka_unit_test(a_token_over_the_limit_is_not_read),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
