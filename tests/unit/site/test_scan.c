/*
 * The leak gate: what is found in which form, what is told of it, and what is no secret.
 *
 * Tokens are put together here, so that those who search repositories for secrets find none.
 */
#include "assert_ok.h"

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "site/site_pattern.h"
#include "site/site_scan.h"

#include <brotli/encode.h>
#include <zlib.h>

#define SECRET "tok/123+456=\"abc\" \\def"

static const struct site_forbidden forbidden[] = {
    { "WHATSAPP_TOKEN", STR(SECRET), true, NULL },
    { "project ref of production", STR("abcdefghijklmnopqrst"), false, NULL },
    { "too short to tell", STR("x"), true, NULL },
    { "LINES", STR("first line\nsecond line\n"), true, NULL },
};

static bool scan(const char *path, struct str content, const struct site_allow *allow, size_t n,
                 struct err *e)
{
    struct artefact_file file = { .path = path, .content = content, .bytes = content.n };
    struct artefact art = { .files = &file, .n_files = 1 };
    const struct site_scan_spec spec = { forbidden, sizeof forbidden / sizeof forbidden[0], allow,
                                         n };
    *e = (struct err){ 0 };
    return site_scan(&art, &spec, e);
}

static void expect(const char *content, const char *why, const char *where)
{
    struct err e;
    bool is_clean = scan("/app.js", str_of(content), NULL, 0, &e);
    if (is_clean != !why)
        fail_msg("%s: %s", is_clean ? "not found" : e.why, content);
    if (!why)
        return;
    assert_int_equal(e.code, ERR_BLOCKED);
    if (!strstr(e.why, why))
        fail_msg("%s\n    says %s, not %s", content, e.why, why);
    if (where && !streq(e.where, where))
        fail_msg("%s\n    at %s, not %s", content, e.where, where);
    assert_null(strstr(e.why, "tok/123"));
    assert_null(strstr(e.hint, "tok/123"));
}

static void a_secret_is_found_in_every_form_with_its_place(void **state)
{
    (void)state;
    expect("let a = 1;\nlet t = '" SECRET "'", "WHATSAPP_TOKEN", "/app.js:2:10");
    expect("ünë `" SECRET "`", "WHATSAPP_TOKEN", "/app.js:1:6");
    expect("\"tok/123+456=\\\"abc\\\" \\\\def\"", "WHATSAPP_TOKEN", "/app.js:1:2");
    expect("{\"a\":\"tok\\/123+456=\\\"abc\\\" \\\\def\"}", "WHATSAPP_TOKEN", "/app.js:1:7");
    expect("?t=tok%2F123%2B456%3D%22abc%22%20%5Cdef", "WHATSAPP_TOKEN", "/app.js:1:4");
    expect("'\\x74ok/\\u0031\\u{32}3+456=\\x22abc\\u0022 \\\\def'", "WHATSAPP_TOKEN",
           "/app.js:1:2");
    expect("<a title=\"tok/123+456=&quot;abc&#34; &#x5c;def\">", "WHATSAPP_TOKEN", "/app.js:1:11");
    /* a string within a string: what a source map holds */
    expect("{\"sourcesContent\":[\"x\\nt = \\\"tok/123+456=\\\\\\\"abc\\\\\\\" \\\\\\\\def\\\"\"]}",
           "WHATSAPP_TOKEN", "/app.js:1:30");
    expect("746f6b2f3132332b3435363d226162632220"
           "5c646566",
           "in hexadecimal", NULL);
    expect("746F6B2F3132332B3435363D226162632220"
           "5C646566",
           "in hexadecimal", NULL);
    expect("a = 'first line\\nsecond line'", "LINES", NULL);
    expect("nothing to see: tok/123+456=\"abc\" \\deX", NULL, NULL);
    expect("first line", NULL, NULL);
}

static void base64_is_found_at_each_position_and_in_both_alphabets(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    static const char *const before[] = { "", "a", "ab", "abc", "\xff\xfe" };
    for (size_t i = 0; i < 5; i++) {
        struct str plain = str_of(arena_printf(a, "%s" SECRET "?? and more", before[i]));
        expect(base64_encode(a, plain), "WHATSAPP_TOKEN, encoded as base64", NULL);
        expect(base64url_encode(a, plain), "WHATSAPP_TOKEN, encoded as base64", NULL);
    }
}

static void an_address_of_another_environment_is_found(void **state)
{
    (void)state;
    struct err e;
    expect("fetch('https://abcdefghijklmnopqrst.supabase.co')", "project ref of production",
           "/app.js:1:16");
    (void)scan("/a.js", STR("abcdefghijklmnopqrst"), NULL, 0, &e);
    assert_non_null(strstr(e.hint, "env.js"));
}

static void packed_files_and_maps_inside_are_looked_into(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct err e;
    const char *text = "some text before it, then \"" SECRET "\" and after";
    unsigned char packed[512];
    size_t n = sizeof packed;
    assert_true(BrotliEncoderCompress(5, 18, BROTLI_MODE_TEXT, strlen(text), (const uint8_t *)text,
                                      &n, packed));
    assert_false(scan("/a.js.br", (struct str){ (char *)packed, n }, NULL, 0, &e));
    assert_non_null(strstr(e.why, "when it is unpacked"));

    z_stream z = { 0 };
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    char *input = arena_strdup(a, text);
    z.next_in = (Bytef *)input;
    z.avail_in = (uInt)strlen(input);
    z.next_out = packed;
    z.avail_out = sizeof packed;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    n = sizeof packed - z.avail_out;
    (void)deflateEnd(&z);
    assert_false(scan("/a.js.gz", (struct str){ (char *)packed, n }, NULL, 0, &e));
    assert_true(scan("/a.js.gz", (struct str){ (char *)packed, 12 }, NULL, 0, &e)); /* spoiled */

    const char *map = "{\"sourcesContent\":[\"x = '\\u0074ok/123+456=\\\"abc\\\" \\\\def'\"]}";
    const char *inner = arena_printf(
        a, "f();\n//# sourceMappingURL=data:application/json;charset=utf-8;base64,%s\n",
        base64_encode(a, str_of(map)));
    assert_false(scan("/a.js", str_of(inner), NULL, 0, &e));
    assert_non_null(strstr(e.why, "in its source map"));
}

/* A JWT with these claims, unsigned. */
static const char *jwt(struct arena *a, const char *claims)
{
    return arena_printf(a, "%s.%s.c2lnbmF0dXJlLXRoYXQtbm9ib2R5LWNoZWNrcw",
                        base64url_encode(a, STR("{\"alg\":\"HS256\",\"typ\":\"JWT\"}")),
                        base64url_encode(a, str_of(claims)));
}

#define BODY16 "4eC39HqLyjWDarjt"
#define BODY40 "f7Kq2ZxW9pLmT4vB8nYcR3sD6gHjA1eUoIiXyQzM"

static void secrets_of_known_providers_are_found(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    const char *service =
        jwt(a, "{\"iss\":\"supabase\",\"ref\":\"zzz\",\"role\":\"service_role\"}");
    expect(arena_printf(a, "const k=\"%s\";", service), "supabase-service-role", "/app.js:1:10");
    expect("k='sb_"
           "secret_" BODY40 "'",
           "supabase-secret-key", NULL);
    expect("k='sb"
           "p_0123456789abcdef0123456789abcdef01234567'",
           "supabase-access-token", NULL);
    expect("k='nf"
           "p_" BODY40 "'",
           "netlify-token", NULL);
    expect("k='gh"
           "p_" BODY40 "'",
           "github-token", NULL);
    expect("k='github"
           "_pat_11AAAAAAA0" BODY40 "'",
           "github-token", NULL);
    expect("k='sk_"
           "live_" BODY16 BODY16 "'",
           "stripe-secret-key", NULL);
    expect("\"\\nrk_"
           "live_" BODY16 BODY16 "\"",
           "stripe-secret-key", NULL);
    expect("id='AK"
           "IAIOSFODNN7QRSTUVW', secret: '" BODY40 "'",
           "aws-key", NULL);
    expect("k='xo"
           "xb-123456789012-123456789012-" BODY16 "'",
           "slack-token", NULL);
    expect("k='sk-"
           "proj-" BODY40 "T3Blbk"
           "FJ" BODY16 "'",
           "openai-key", NULL);
    expect("k='sk-"
           "ant-api03-" BODY40 BODY40 "'",
           "anthropic-key", NULL);
    expect("t='EA"
           "AG" BODY40 BODY40 BODY40 "ZDZD'",
           "meta-token", NULL);
    expect("u='postgres"
           "ql://app:hunter2hunter2@db.abc.co:5432/x'",
           "database-url", NULL);
    expect("-----BEGIN "
           "PRIVATE KEY-----\\nMIIE" BODY40 "\\n" BODY40 BODY40 "\\n",
           "private-key", NULL);
    expect("k='GOC"
           "SPX-f7Kq2ZxW9pLmT4vB8nYcR3sD6gHj'",
           "google-client-secret", NULL);
    expect("{\"type\":\"service_"
           "account\",\"private_"
           "key\":\"-----BEGIN "
           "PRIVATE KEY-----\\n" BODY40 BODY40 BODY40 "\"}",
           "google-service-account", NULL);
    expect("bot='123456789:A"
           "Af7Kq2ZxW9pLmT4vB8nYcR3sD6gHjA1eUo'",
           "telegram-token", NULL);
}

static void what_only_looks_like_a_secret_is_none(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    expect(jwt(a, "{\"iss\":\"supabase\",\"ref\":\"zzz\",\"role\":\"anon\"}"), NULL, NULL);
    expect(jwt(a, "{\"note\":\"service_role\"}"), NULL, NULL);
    expect("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9", NULL, NULL);
    expect("k='sb_publishable_" BODY40 "'; m='AIzaSyD" BODY16 BODY16 "'; p='pk_live_" BODY16 "'",
           NULL, NULL);
    expect("class='task-" BODY40 "T3Blbk"
           "FJ risk-free disk-usage'",
           NULL, NULL);
    expect("\"sk_"
           "live_...\" sk_"
           "live_xxxxxxxxxxxxxxxxxxxxxxxx sk_"
           "live_your_key_goes_here",
           NULL, NULL);
    expect("gh"
           "p_EXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLE",
           NULL, NULL);
    expect("sb"
           "p_0000000000000000000000000000000000000000",
           NULL, NULL);
    expect("id='AK"
           "IAIOSFODNN7QRSTUVW'",
           NULL, NULL);
    expect("/-----BEGIN (RSA )?"
           "PRIVATE KEY-----/ '-----BEGIN "
           "PRIVATE KEY-----\\n' + k",
           NULL, NULL);
    expect("-----BEGIN PUBLIC KEY-----\\nMIIE" BODY40 BODY40, NULL, NULL);
    expect("postgres"
           "://postgres:postgres@localhost:5432/x postgres"
           "ql://user:${p}@h.co/x "
           "postgres"
           "://user:password@host.co/x",
           NULL, NULL);
    expect("url(data:font/woff2;base64,EA"
           "AG" BODY40 BODY40 BODY40 "ZDZD)",
           NULL, NULL);
    expect("d09GMgABAAAAA"
           "EA"
           "AG" BODY40 BODY40 BODY40 "+ZDZD",
           NULL, NULL);
    expect("if (type === 'service_"
           "account') read('private_"
           "key', '-----BEGIN')",
           NULL, NULL);
    assert_null(site_pattern_find(STR("an ordinary value")));
    assert_non_null(site_pattern_find(STR("sk_"
                                          "live_" BODY16 BODY16)));
}

static void what_is_allowed_by_name_passes_in_the_files_that_are_named(void **state)
{
    (void)state;
    struct err e;
    static const char *const files[] = { "/assets/pay-*.js" };
    const struct site_allow allow[] = { { "stripe-secret-key", files, 1 },
                                        { "WHATSAPP_TOKEN", NULL, 0 } };
    struct str text = STR("k='sk_"
                          "live_" BODY16 BODY16 "'");
    assert_true(scan("/assets/pay-x1.js", text, allow, 2, &e));
    assert_false(scan("/assets/other.js", text, allow, 2, &e));
    assert_true(scan("/a.js", STR(SECRET), allow, 2, &e));
}

static void several_findings_are_counted_and_the_first_is_told(void **state)
{
    (void)state;
    struct err e;
    assert_false(scan("/a.js", STR("x " SECRET "\n" SECRET " abcdefghijklmnopqrst"), NULL, 0, &e));
    assert_non_null(strstr(e.why, "WHATSAPP_TOKEN"));
    assert_non_null(strstr(e.why, "(and 1 more, such as project ref of production in /a.js)"));
    assert_string_equal(e.where, "/a.js:1:3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_is_found_in_every_form_with_its_place),
        cmocka_unit_test(base64_is_found_at_each_position_and_in_both_alphabets),
        cmocka_unit_test(an_address_of_another_environment_is_found),
        cmocka_unit_test(packed_files_and_maps_inside_are_looked_into),
        cmocka_unit_test(secrets_of_known_providers_are_found),
        cmocka_unit_test(what_only_looks_like_a_secret_is_none),
        cmocka_unit_test(what_is_allowed_by_name_passes_in_the_files_that_are_named),
        cmocka_unit_test(several_findings_are_counted_and_the_first_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
