/*
 * _redirects, _headers and netlify.toml: what is read, what is refused, what fits.
 */
#include "assert_ok.h"

#include "local/headers.h"
#include "local/redirects.h"

#include <stdio.h>
#include <string.h>

/* ---- Redirects ------------------------------------------------------------------------------- */

struct redirect_case {
    const char *rules;
    const char *path;
    const char *query;
    const char *expected; /* "status[!] target", NULL: no rule fits */
};

/* clang-format off */
static const struct redirect_case redirect_cases[] = {
    /* a trailing slash does not count, case does */
    { "/old /new",                     "/old",        "",        "301 /new" },
    { "/old /new",                     "/old/",       "",        "301 /new" },
    { "/old/ /new",                    "/old",        "",        "301 /new" },
    { "/old/ /new",                    "/old/",       "",        "301 /new" },
    { "/old /new",                     "/OLD",        "",        NULL },
    { "/old /new",                     "/old/x",      "",        NULL },
    { "/old /new",                     "/oldx",       "",        NULL },
    { "/ /home",                       "/",           "",        "301 /home" },
    { "/ /home",                       "/x",          "",        NULL },
    /* status and force */
    { "/a /b 302",                     "/a",          "",        "302 /b" },
    { "/a /b 200!",                    "/a",          "",        "200! /b" },
    { "/a /b 301!",                    "/a",          "",        "301! /b" },
    { "/a /b 301foo",                  "/a",          "",        "301 /b" },
    { "/a /b 999",                     "/a",          "",        "999 /b" },
    { "/a /b 1000",                    "/a",          "",        NULL },
    { "/a /b 404",                     "/a",          "",        "404 /b" },
    /* placeholders */
    { "/a/:id /b/:id",                 "/a/1",        "",        "301 /b/1" },
    { "/a/:id /b/:id",                 "/a/",         "",        NULL },
    { "/a/:id /b/:id",                 "/a/1/2",      "",        NULL },
    { "/a/:x/:y /b/:y/:x",             "/a/1/2",      "",        "301 /b/2/1" },
    { "/a/:x /b/:unknown",             "/a/1",        "",        "301 /b/:unknown" },
    { "/:x/page /p/:x",                "/en/page",    "",        "301 /p/en" },
    { "/a/:x /b?id=:x",                "/a/1",        "",        "301 /b?id=1" },
    { "/a/:x /b?id=:x",                "/a/1&2",      "",        "301 /b?id=1%262" },
    { "/a/:x.html /b/:x",              "/a/1.html",   "",        "301 /b/:x" },
    /* stars */
    { "/news/* /blog/:splat",          "/news",       "",        "301 /blog/" },
    { "/news/* /blog/:splat",          "/news/",      "",        "301 /blog/" },
    { "/news/* /blog/:splat",          "/news/a",     "",        "301 /blog/a" },
    { "/news/* /blog/:splat",          "/news/a/",    "",        "301 /blog/a/" },
    { "/news/* /blog/:splat",          "/news/a/b",   "",        "301 /blog/a/b" },
    { "/news/* /blog/:splat",          "/newsx",      "",        NULL },
    { "/* /index.html 200",            "/",           "",        "200 /index.html" },
    { "/* /index.html 200",            "/deep/er",    "",        "200 /index.html" },
    { "/x/*/y /z/:splat",              "/x/y",        "",        "301 /z/" },
    { "/x/*/y /z/:splat",              "/x/1/y",      "",        "301 /z/1" },
    { "/x/*/y /z/:splat",              "/x/1/2/y",    "",        "301 /z/1/2" },
    { "/x/*/y /z/:splat",              "/x/1/2",      "",        NULL },
    { "/x/*/:y /z/:splat/:y",          "/x/1/2/3",    "",        "301 /z/1/2/3" },
    { "/a/b* /c/:splat",               "/a/b",        "",        "301 /c/" },
    { "/a/b* /c/:splat",               "/a/bc",       "",        "301 /c/c" },
    { "/a/b* /c/:splat",               "/a/bc/d",     "",        "301 /c/c/d" },
    { "/a/b* /c/:splat",               "/a/c",        "",        NULL },
    { "/y*/z /yy/:splat",              "/y1/2/z",     "",        "301 /yy/1/2" },
    { "/y*/z /yy/:splat",              "/y/z",        "",        "301 /yy/" },
    { "/a/*.jpg /c",                   "/a/x.jpg",    "",        NULL },
    { "/b/* 200",                      "/b/x/y",      "",        "200 /b/x/y" },
    { "/api/* https://h.test/:splat 200", "/api/a/b", "",        "200 https://h.test/a/b" },
    /* what was captured cannot lead to another host */
    { "/go/* /:splat",                 "/go//evil",   "",        "301 /evil" },
    { "/* /:splat",                    "//evil.test", "",        "301 /evil.test" },
    /* the first one wins */
    { "/* /all 200\n/a /b",            "/a",          "",        "200 /all" },
    { "/a /first\n/a /second",         "/a",          "",        "301 /first" },
    { "/a /b\n/x /y\n/a /b",           "/a",          "",        "301 /b" },
    /* queries */
    { "/s id=:id /b/:id",              "/s",          "id=5",    "301 /b/5?id=5" },
    { "/s id=:id /b/:id",              "/s",          "x=1&id=5", "301 /b/5?x=1&id=5" },
    { "/s id=:id /b/:id",              "/s",          "id=",     "301 /b/?id=" },
    { "/s id=:id /b/:id",              "/s",          "",        NULL },
    { "/s id=:id /b/:id",              "/s",          "ID=5",    NULL },
    { "/s id=:id /b/:id",              "/s",          "id=a%2Fb", "301 /b/a/b?id=a%2Fb" },
    { "/s tag=one /t",                 "/s",          "tag=one", "301 /t?tag=one" },
    { "/s tag=one /t",                 "/s",          "tag=two", NULL },
    { "/s a=:a b=:b /t/:a/:b",         "/s",          "b=2&a=1", "301 /t/1/2?b=2&a=1" },
    { "/s a=:a b=:b /t/:a/:b",         "/s",          "a=1",     NULL },
    { "/a /b?own=1",                   "/a",          "z=1",     "301 /b?own=1" },
    { "/a /b#there",                   "/a",          "",        "301 /b#there" },
    { "/a /b#there",                   "/a",          "z=1",     "301 /b?z=1#there" },
    /* encoding: both sides decoded, targets encoded */
    { "/caf%C3%A9 /x",                 "/caf\xc3\xa9", "",       "301 /x" },
    { "/caf\xc3\xa9 /x",               "/caf\xc3\xa9", "",       "301 /x" },
    { "/a/:x /b/:x",                   "/a/\xc3\xa9",  "",       "301 /b/%C3%A9" },
    { "/a/:x /b/:x",                   "/a/1 2",      "",        "301 /b/1%202" },
    { "/a/:x /b/:x",                   "/a/1?2",      "",        "301 /b/1%3F2" },
    { "/sp%20ace /x",                  "/sp ace",     "",        "301 /x" },
    /* hosts */
    { "http://site.test/a /b",         "/a",          "",        "301 /b" },
    { "http://other.test/a /b",        "/a",          "",        NULL },
    { "https://site.test/a /b",        "/a",          "",        NULL },
    { "http://site.test/* /b/:splat",  "/x",          "",        "301 /b/x" },
    /* conditions */
    { "/ /de 302 Country=de,at",       "/",           "",        "302 /de" },
    { "/ /de 302 country=de",          "/",           "",        "302 /de" },
    { "/ /fr 302 Country=fr",          "/",           "",        NULL },
    { "/ /en 302 Language=en",         "/",           "",        "302 /en" },
    { "/ /fr 302 Language=fr",         "/",           "",        NULL },
    { "/ /fr 302 Country=de Language=fr", "/",        "",        NULL },
    { "/ /in 302 Role=admin\n/ /out",  "/",           "",        "301 /out" },
    { "/ /beta 302 Cookie=beta",       "/",           "",        "302 /beta" },
    { "/ /none 302 Cookie=none",       "/",           "",        NULL },
    /* comments and blanks */
    { "# /a /x\n\n  /a   /b  # why",   "/a",          "",        "301 /b" },
    { "/a\t/b\t302\r\n/c /d",          "/a",          "",        "302 /b" },
};
/* clang-format on */

static void redirects_lead_where_the_site_host_leads(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof redirect_cases / sizeof redirect_cases[0]; i++) {
        const struct redirect_case *c = &redirect_cases[i];
        struct arena *a = arena_new(0);
        struct redirects rules = { 0 };
        redirects_add_text(a, &rules, str_of(c->rules));
        redirects_finish(&rules);
        struct redirect_request q = { .scheme = "http",
                                      .host = "site.test",
                                      .path = c->path,
                                      .query = c->query,
                                      .country = "DE",
                                      .language = "en",
                                      .cookies = "a=1; beta=yes" };
        char *target = NULL;
        const struct redirect_rule *rule = redirects_match(&rules, a, &q, &target);
        const char *got =
            rule ? arena_printf(a, "%d%s %s", rule->status, rule->is_forced ? "!" : "", target)
                 : NULL;
        if (!streq(got, c->expected))
            fail_msg("\"%s\" for %s?%s: %s, expected %s", c->rules, c->path, c->query,
                     got ? got : "nothing", c->expected ? c->expected : "nothing");
        arena_free(a);
    }
}

static void a_bad_redirect_line_is_named_and_harms_no_other(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "/a",           "/a 200",           "a /b",           "/a b",
        "/a /b abc",    "/a /b Country=de", "/.netlify/x /b", "/a/*/b/* /c",
        "http:///a /b", "/a http://",       "/a /b 99",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct arena *a = arena_new(0);
        struct redirects rules = { 0 };
        redirects_add_text(a, &rules, str_of(arena_printf(a, "/ok1 /x\n%s\n/ok2 /y", bad[i])));
        if (rules.rules.n != 2 || rules.problems.n != 1 || rules.problems.v[0].line != 2)
            fail_msg("\"%s\": %zu rules, %zu problems", bad[i], rules.rules.n, rules.problems.n);
        arena_free(a);
    }
}

static void redirects_of_netlify_toml_come_after_those_of_the_file(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    struct err e = { 0 };
    struct toml_node root;
    struct redirects rules = { 0 };
    redirects_add_text(a, &rules, STR("/a /file"));
    assert_ok(toml_parse(a,
                         STR("[[redirects]]\nfrom='/a'\nto='/toml'\n"
                             "[[redirects]]\nfrom='/b'\nto='/c/:id'\nstatus=302\nforce=true\n"
                             "query={id=':id'}\nconditions={Country=['de','at']}\n"
                             "headers={X-From='here'}\n"
                             "[[redirects]]\nto='/c'\n"),
                         "netlify.toml", &root, &e),
              &e);
    redirects_add_toml(a, &rules, &root);
    redirects_finish(&rules);
    assert_int_equal(rules.rules.n, 3);
    assert_int_equal(rules.problems.n, 1);
    assert_string_equal(rules.rules.v[0].to, "/file");
    assert_int_equal(rules.rules.v[2].status, 302);
    assert_true(rules.rules.v[2].is_forced);
    assert_string_equal(rules.rules.v[2].conditions[0].value, "de,at");
    assert_string_equal(rules.rules.v[2].headers[0].name, "X-From");
    arena_free(a);
}

/* ---- Headers --------------------------------------------------------------------------------- */

struct header_case {
    const char *rules;
    const char *path;
    const char *expected; /* "Name: value|…" in order */
};

/* clang-format off */
static const struct header_case header_cases[] = {
    { "/a\n X: 1",                          "/a",        "X: 1" },
    { "/a\n X: 1",                          "/a/",       "X: 1" },
    { "/a/\n X: 1",                         "/a",        "X: 1" },
    { "/a\n X: 1",                          "/A",        "X: 1" },
    { "/a\n X: 1",                          "/ab",       "" },
    { "/a\n X: 1",                          "/a/b",      "" },
    { "/\n X: 1",                           "/",         "X: 1" },
    { "/*\n X: 1",                          "/",         "X: 1" },
    { "/*\n X: 1",                          "/a/b.c",    "X: 1" },
    { "/t/*\n X: 1",                        "/t",        "X: 1" },
    { "/t/*\n X: 1",                        "/t/",       "X: 1" },
    { "/t/*\n X: 1",                        "/t/a/b",    "X: 1" },
    { "/t/*\n X: 1",                        "/tt",       "" },
    { "/:x/b\n X: 1",                       "/a/b",      "X: 1" },
    { "/:x/b\n X: 1",                       "//b",       "" },
    { "/:x/b\n X: 1",                       "/a/c/b",    "" },
    { "/m/*/n\n X: 1",                      "/m/n",      "X: 1" },
    { "/m/*/n\n X: 1",                      "/m/1/2/n",  "X: 1" },
    { "/m/*/n\n X: 1",                      "/m/1/2",    "" },
    { "/js/*.js\n X: 1",                    "/js/a.js",  "X: 1" },
    { "/js/*.js\n X: 1",                    "/js/a/b.js", "X: 1" },
    { "/js/*.js\n X: 1",                    "/js/axjs",  "" },
    { "/js/*.js\n X: 1",                    "/js/a.jsx", "" },
    { "/a*z.js\n X: 1",                     "/abz.js",   "X: 1" },
    { "/a*z.js\n X: 1",                     "/az.js",    "X: 1" },
    { "/w*d\n X: 1",                        "/w/x/d",    "X: 1" },
    { "/a\n X: 1\n X: 2",                   "/a",        "X: 1, 2" },
    { "/a\n X: 1\n/*\n X: 2",               "/a",        "X: 2" },
    { "/*\n X: 2\n/a\n X: 1",               "/a",        "X: 1" },
    { "/a\n X: 1\n/a\n x: 2",               "/a",        "x: 2" },
    { "/a\n X: 1\n/*\n Y: 2",               "/a",        "X: 1|Y: 2" },
    { "# c\n/a\n# c\n X: 1\n nonsense\n",   "/a",        "X: 1" },
    { "/a\nX: 1\n\n\nY:2",                  "/a",        "X: 1|Y: 2" },
    { "/a\n X: a:b:c",                      "/a",        "X: a:b:c" },
    { "/a\n Content-Length: 5\n X: 1",      "/a",        "X: 1" },
    { "/a\n transfer-encoding: chunked\n X: 1", "/a",    "X: 1" },
    { "/a\n Location: /evil\n Connection: close\n Date: x\n Server: x\n Upgrade: x\n Age: 1\n X: 1", "/a", "X: 1" },
    { "/a\n X: 1\r\n Y: 2\r\n",             "/a",        "X: 1|Y: 2" },
};
/* clang-format on */

static void headers_apply_as_the_site_host_applies_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof header_cases / sizeof header_cases[0]; i++) {
        const struct header_case *c = &header_cases[i];
        struct arena *a = arena_new(0);
        struct header_rules rules = { 0 };
        headers_add_text(a, &rules, str_of(c->rules));
        size_t n = 0;
        const struct text_pair *all = headers_match(&rules, a, c->path, &n);
        const char *got = "";
        for (size_t k = 0; k < n; k++)
            got = arena_printf(a, "%s%s%s: %s", got, k ? "|" : "", all[k].name, all[k].value);
        if (!streq(got, c->expected))
            fail_msg("\"%s\" for %s: \"%s\", expected \"%s\"", c->rules, c->path, got, c->expected);
        arena_free(a);
    }
}

static void a_hostile_header_pattern_does_not_make_matching_slow(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    struct header_rules rules = { 0 };
    headers_add_text(a, &rules, STR("/*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b\n X: 1"));
    char path[4000];
    memset(path, 'a', sizeof path);
    path[0] = '/';
    path[sizeof path - 1] = '\0';
    size_t n = 0;
    (void)headers_match(&rules, a, path, &n); /* comes back */
    assert_int_equal(n, 0);
    arena_free(a);
}

static void header_lines_that_are_wrong_are_named(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    struct header_rules rules = { 0 };
    headers_add_text(a, &rules, STR("X: early\n/a\n : none\n Y:\n Z: 1\n/empty\n/b\n W: 1"));
    assert_int_equal(rules.problems.n, 3);
    assert_int_equal(rules.problems.v[0].line, 1);
    assert_int_equal(rules.problems.v[1].line, 3);
    assert_int_equal(rules.problems.v[2].line, 4);
    assert_int_equal(rules.rules.n, 2);
    arena_free(a);
}

static void a_header_block_of_netlify_toml_replaces_the_one_of_the_file(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    struct err e = { 0 };
    struct toml_node root;
    struct header_rules rules = { 0 };
    headers_add_text(a, &rules, STR("/a\n X: file\n Y: file\n"));
    assert_ok(toml_parse(a,
                         STR("[[headers]]\nfor='/a'\n[headers.values]\nX='toml'\n"
                             "Link=['a','b']\nCache-Control='''\na,\nb'''\n"),
                         "netlify.toml", &root, &e),
              &e);
    headers_add_toml(a, &rules, &root);
    size_t n = 0;
    const struct text_pair *all = headers_match(&rules, a, "/a", &n);
    assert_int_equal(n, 3);
    for (size_t i = 0; i < n; i++) {
        const char *expected = streq(all[i].name, "X") ? "toml" : "a, b";
        assert_string_equal(all[i].value, expected);
    }
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(redirects_lead_where_the_site_host_leads),
        cmocka_unit_test(a_bad_redirect_line_is_named_and_harms_no_other),
        cmocka_unit_test(redirects_of_netlify_toml_come_after_those_of_the_file),
        cmocka_unit_test(headers_apply_as_the_site_host_applies_them),
        cmocka_unit_test(a_hostile_header_pattern_does_not_make_matching_slow),
        cmocka_unit_test(header_lines_that_are_wrong_are_named),
        cmocka_unit_test(a_header_block_of_netlify_toml_replaces_the_one_of_the_file),
    };
    return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}
