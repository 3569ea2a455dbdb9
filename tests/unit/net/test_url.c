/*
 * URLs and multipart bodies: what is accepted, what is refused, and that what we write we can read.
 */
#include "assert_ok.h"

#include "net/multipart.h"
#include "net/url.h"

#include <string.h>

static struct arena *a;
static struct err e;

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

static void an_address_is_taken_apart(void **state)
{
    (void)state;
    struct url u;
    assert_ok(url_parse(a, "https://API.Netlify.com/api/v1?x=1", &u, &e), &e);
    assert_string_equal(u.host, "api.netlify.com");
    assert_int_equal(u.port, 443);
    assert_string_equal(u.path, "/api/v1");
    assert_string_equal(u.query, "x=1");
    assert_ok(url_parse(a, "http://[::1]:4600", &u, &e), &e);
    assert_string_equal(u.host, "::1");
    assert_int_equal(u.port, 4600);
    assert_string_equal(u.path, "/");
}

static void malformed_addresses_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",           "api.netlify.com",  "file:///etc/passwd", "http://",
        "http://a b", "http://u:p@host/", "http://h:0/",        "http://h:70000/",
        "http://h/#", "http://h:12x/",    "http://[::1",        "http://h\r\nX: y/"
    };
    struct url u;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_fails(url_parse(a, bad[i], &u, &e), &e, ERR_DATA);
}

static void loopback_is_known_by_name_and_number(void **state)
{
    (void)state;
    assert_true(url_host_is_loopback("localhost"));
    assert_true(url_host_is_loopback("abc--site.localhost"));
    assert_true(url_host_is_loopback("127.0.0.53"));
    assert_false(url_host_is_loopback("127.0.0.1.example.com"));
    assert_false(url_host_is_loopback("notlocalhost"));
}

static void a_path_is_encoded_as_encodeURI_does(void **state)
{
    (void)state;
    assert_string_equal(url_encode_path(a, "a b/ü[1]|^\"\\%+$&.txt"),
                        "a%20b/%C3%BC%5B1%5D%7C%5E%22%5C%25+$&.txt");
    assert_string_equal(url_encode(a, "a/b c&d"), "a%2Fb%20c%26d");
}

static void the_next_page_is_read_from_a_link_header(void **state)
{
    (void)state;
    assert_string_equal(
        url_next_link(a, "<http://h/x?page=1>; rel=\"prev\", <http://h/x?page=3>; rel=\"next\""),
        "http://h/x?page=3");
    assert_null(url_next_link(a, "<http://h/x?page=9>; rel=\"last\""));
    assert_null(url_next_link(a, "<broken; rel=\"next\""));
    assert_null(url_next_link(a, NULL));
}

static void a_multipart_body_survives_the_round_trip(void **state)
{
    (void)state;
    const struct multipart_part parts[] = {
        { .name = "file",
          .filename = "supabase/functions/a/\"q\".ts",
          .content_type = "application/octet-stream",
          .body = { "a\r\n--b\r\n\0c", 10 } },
        { .name = "empty", .filename = "x", .body = { "", 0 } },
        { .name = "metadata", .body = STR("{\"x\":1}") },
    };
    const char *type;
    struct str body = multipart_build(a, parts, 3, &type);
    struct multipart_part *got;
    size_t n;
    assert_ok(multipart_parse(a, type, body, &got, &n, &e), &e);
    assert_int_equal(n, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(got[i].name, parts[i].name);
        assert_true(str_eq(got[i].body, parts[i].body));
    }
    assert_string_equal(got[0].filename, parts[0].filename);
    assert_null(got[2].filename);
}

static void what_stands_inside_quotes_is_no_parameter_of_a_part(void **state)
{
    (void)state;
    static const char body[] = "--X\r\nContent-Disposition: form-data; name=\"a; filename=b\"\r\n"
                               "\r\nx\r\n--X--";
    struct multipart_part *got;
    size_t n;
    assert_ok(multipart_parse(a, "multipart/form-data; boundary=X", STR(body), &got, &n, &e), &e);
    assert_int_equal(n, 1);
    assert_string_equal(got[0].name, "a; filename=b");
    assert_null(got[0].filename);
}

static void a_cut_multipart_body_is_refused_wherever_it_is_cut(void **state)
{
    (void)state;
    const struct multipart_part parts[] = {
        { .name = "file", .filename = "a.ts", .body = STR("hello") },
        { .name = "metadata", .body = STR("{}") }
    };
    const char *type;
    struct str body = multipart_build(a, parts, 2, &type);
    struct multipart_part *got;
    size_t n;
    for (size_t cut = 0; cut < body.n - 4; cut++) {
        char *exact = test_malloc(cut + 1); /* so that a read past the end is noticed */
        memcpy(exact, body.p, cut);
        assert_fails(multipart_parse(a, type, (struct str){ exact, cut }, &got, &n, &e), &e,
                     ERR_DATA);
        test_free(exact);
    }
}

static void a_part_may_name_its_path_in_a_header_of_its_own(void **state)
{
    (void)state;
    const char *body =
        "--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"short.ts\"\r\n"
        "Supabase-Path: supabase/functions/a/short.ts\r\n\r\nx\r\n--B--\r\n";
    struct multipart_part *got;
    size_t n;
    assert_ok(multipart_parse(a, "multipart/form-data; boundary=\"B\"", str_of(body), &got, &n, &e),
              &e);
    assert_string_equal(got[0].path, "supabase/functions/a/short.ts");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(an_address_is_taken_apart),
        T(malformed_addresses_are_refused),
        T(loopback_is_known_by_name_and_number),
        T(a_path_is_encoded_as_encodeURI_does),
        T(the_next_page_is_read_from_a_link_header),
        T(a_multipart_body_survives_the_round_trip),
        T(what_stands_inside_quotes_is_no_parameter_of_a_part),
        T(a_cut_multipart_body_is_refused_wherever_it_is_cut),
        T(a_part_may_name_its_path_in_a_header_of_its_own),
    };
    return cmocka_run_group_tests_name("url", tests, NULL, NULL);
}
