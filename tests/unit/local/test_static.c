/*
 * Ranges, entity tags and content codings, one decision at a time.
 */
#include "assert_ok.h"

#include "local/static.h"

static void ranges_are_read_as_the_standard_says(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct {
        const char *value;
        uint64_t size;
        enum range_kind kind;
        uint64_t first, bytes;
    } cases[] = {
        { NULL,             100, RANGE_WHOLE,      0,  0   },
        { "bytes=0-0",      100, RANGE_PART,       0,  1   },
        { "bytes=0-99",     100, RANGE_PART,       0,  100 },
        { "bytes=10-19",    100, RANGE_PART,       10, 10  },
        { "bytes=90-200",   100, RANGE_PART,       90, 10  },
        { "bytes=50-",      100, RANGE_PART,       50, 50  },
        { "bytes=-10",      100, RANGE_PART,       90, 10  },
        { "bytes=-200",     100, RANGE_PART,       0,  100 },
        { "Bytes=1-2",      100, RANGE_PART,       1,  2   },
        { "bytes=100-",     100, RANGE_IMPOSSIBLE, 0,  0   },
        { "bytes=100-200",  100, RANGE_IMPOSSIBLE, 0,  0   },
        { "bytes=-0",       100, RANGE_IMPOSSIBLE, 0,  0   },
        { "bytes=0-",       0,   RANGE_IMPOSSIBLE, 0,  0   },
        { "bytes=-5",       0,   RANGE_IMPOSSIBLE, 0,  0   },
        { "bytes=9-5",      100, RANGE_WHOLE,      0,  0   },
        { "bytes=0-1,5-6",  100, RANGE_WHOLE,      0,  0   },
        { "bytes=a-b",      100, RANGE_WHOLE,      0,  0   },
        { "bytes=-",        100, RANGE_WHOLE,      0,  0   },
        { "bytes=5",        100, RANGE_WHOLE,      0,  0   },
        { "items=0-5",      100, RANGE_WHOLE,      0,  0   },
        { "bytes=18446744073709551616-", 100, RANGE_WHOLE, 0, 0 },
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct byte_range range = { 0 };
        enum range_kind kind = range_parse(cases[i].value, cases[i].size, &range);
        if (kind != cases[i].kind || range.first != cases[i].first || range.bytes != cases[i].bytes)
            fail_msg("%s of %llu: kind %u, %llu + %llu", cases[i].value,
                     (unsigned long long)cases[i].size, (unsigned)kind,
                     (unsigned long long)range.first, (unsigned long long)range.bytes);
    }
}

static void entity_tags_are_compared_weakly(void **state)
{
    (void)state;
    assert_true(etag_matches("\"a\"", "\"a\""));
    assert_true(etag_matches("W/\"a\"", "\"a\""));
    assert_true(etag_matches("\"x\", \"a\"", "\"a\""));
    assert_true(etag_matches("*", "\"a\""));
    assert_false(etag_matches("\"a-gz\"", "\"a\""));
    assert_false(etag_matches("a", "\"a\""));
    assert_false(etag_matches("", "\"a\""));
}

static void the_best_coding_the_client_takes_is_chosen(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct {
        const char *accept;
        bool gzip, brotli;
        enum encoding expected;
    } cases[] = {
        { NULL,                     true,  true,  ENCODING_IDENTITY },
        { "",                       true,  true,  ENCODING_IDENTITY },
        { "gzip, deflate, br",      true,  true,  ENCODING_BROTLI   },
        { "gzip, deflate, br",      true,  false, ENCODING_GZIP     },
        { "gzip",                   true,  true,  ENCODING_GZIP     },
        { "br",                     true,  false, ENCODING_IDENTITY },
        { "br;q=0, gzip",           true,  true,  ENCODING_GZIP     },
        { "gzip;q=0",               true,  false, ENCODING_IDENTITY },
        { "*",                      true,  true,  ENCODING_BROTLI   },
        { "*;q=0",                  true,  true,  ENCODING_IDENTITY },
        { "gzip;q=1.0, br;q=0.5",   true,  true,  ENCODING_GZIP     },
        { "identity",               true,  true,  ENCODING_IDENTITY },
        { "GZIP",                   true,  false, ENCODING_GZIP     },
        { "xgzip",                  true,  true,  ENCODING_IDENTITY },
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum encoding got = encoding_choose(cases[i].accept, cases[i].gzip, cases[i].brotli);
        if (got != cases[i].expected)
            fail_msg("%s: %u", cases[i].accept, (unsigned)got);
    }
}

static void configuration_of_a_site_is_never_content(void **state)
{
    (void)state;
    assert_true(view_is_hidden("/_redirects"));
    assert_true(view_is_hidden("_headers"));
    assert_true(view_is_hidden("/netlify.toml"));
    assert_true(view_is_hidden("/.netlify/deploy-config/x"));
    assert_false(view_is_hidden("/a/_redirects"));
    assert_false(view_is_hidden("/.well-known/lockflight.json"));
    assert_false(view_is_hidden("/_lockflight/env.js"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_are_read_as_the_standard_says),
        cmocka_unit_test(entity_tags_are_compared_weakly),
        cmocka_unit_test(the_best_coding_the_client_takes_is_chosen),
        cmocka_unit_test(configuration_of_a_site_is_never_content),
    };
    return cmocka_run_group_tests_name("static", tests, NULL, NULL);
}
