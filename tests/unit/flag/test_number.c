/*
 * Numbers, hashes and JSON text as every engine of the same flags has them.
 */
#include "assert_ok.h"

#include "base/cleanup.h"
#include "base/limits.h"
#include "flag/fractional.h"
#include "flag/json_text.h"
#include "flag/murmur3.h"
#include "flag/number.h"

#include <math.h>

static void a_number_is_printed_with_the_fewest_digits(void **state)
{
    (void)state;
    static const struct {
        double x;
        const char *text;
    } rows[] = {
        { 0, "0" },
        { -0.0, "0" },
        { 1, "1" },
        { -5, "-5" },
        { 9007199254740991, "9007199254740991" },
        { 123456789012345680000.0, "123456789012345680000" },
        { 1e20, "100000000000000000000" },
        { 1e21, "1e+21" },
        { 1.5e300, "1.5e+300" },
        { 0.1, "0.1" },
        { 0.1 + 0.2, "0.30000000000000004" },
        { 123.456, "123.456" },
        { 0.000001, "0.000001" },
        { 0.0000015, "0.0000015" },
        { 1e-7, "1e-7" },
        { -1.25e-9, "-1.25e-9" },
        { 5e-324, "5e-324" },
        { 1.7976931348623157e308, "1.7976931348623157e+308" },
        { HUGE_VAL, "Infinity" },
        { -HUGE_VAL, "-Infinity" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[NUMBER_TEXT_BYTES];
        size_t n = number_print(rows[i].x, text);
        assert_string_equal(text, rows[i].text);
        assert_int_equal(n, strlen(text));
    }
}

static void a_text_is_read_as_a_number_or_is_none(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double x;
    } rows[] = {
        { "", 0 },
        { "  ", 0 },
        { "12", 12 },
        { " 12\n", 12 },
        { "\u00a07\u2003\ufeff", 7 },
        { "+1.5e2", 150 },
        { ".5", 0.5 },
        { "5.", 5 },
        { "0x1F", 31 },
        { "0b101", 5 },
        { "0o17", 15 },
        { "-Infinity", -HUGE_VAL },
    };
    static const char *const none[] = { "a",  "1a",  "1 2", "-0x1", "0x",  ".",   "e5",
                                        "1e", "inf", "nan", "1,5",  "--1", "0xg", "infinity" };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_true(number_read(str_of(rows[i].text)) == rows[i].x);
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_true(isnan(number_read(str_of(none[i]))));
}

static void a_hash_is_the_same_in_every_engine(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t hash;
        uint32_t bucket; /* of a hundred */
    } rows[] = {
        { "", 0, 0 },
        { "hello", 613153351, 14 },
        { "ejOoVL", 0, 0 },
        { "bY9fO-", 1, 0 },
        { "SI7p-", 2147483647, 49 },
        { "6LvT0", 2147483648, 50 },
        { "ceQdGm", 4294967295, 99 },
        { "jon@company.com", 1557731397, 36 },
        { "é", 269551495, 6 },
        { "日本", 3302619458, 76 },
        { "😀", 3199479546, 74 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(murmur3(str_of(rows[i].text)), rows[i].hash);
        assert_int_equal(fractional_bucket(rows[i].hash, 100), rows[i].bucket);
    }
}

static void json_text_is_what_javascript_prints(void **state)
{
    (void)state;
    static const struct {
        const char *given;
        const char *as_written;
        const char *by_name;
    } rows[] = {
        { "{\"b\":1,\"10\":2,\"9\":3,\"a\":4}", "{\"9\":3,\"10\":2,\"b\":1,\"a\":4}",
          "{\"9\":3,\"10\":2,\"a\":4,\"b\":1}" },
        { "{\"01\":1,\"4294967295\":2,\"4294967294\":3}",
          "{\"4294967294\":3,\"01\":1,\"4294967295\":2}",
          "{\"4294967294\":3,\"01\":1,\"4294967295\":2}" },
        { "[1.0, 1e3, 0.10, -0.0, null, true]", "[1,1000,0.1,0,null,true]",
          "[1,1000,0.1,0,null,true]" },
        { "\"\\u0001\\b\\f\\n\\r\\t\\\"\\\\\\/\\u007f\\u2028é😀\"",
          "\"\\u0001\\b\\f\\n\\r\\t\\\"\\\\/\x7f\u2028é😀\"",
          "\"\\u0001\\b\\f\\n\\r\\t\\\"\\\\/\x7f\u2028é😀\"" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int order = JSON_AS_WRITTEN; order <= JSON_BY_NAME; order++) {
            json_auto_t *j = json_loads(rows[i].given, JSON_DECODE_ANY, NULL);
            CLEANUP(strbuf) struct strbuf b = strbuf_init(MIB);
            assert_true(json_text_add(&b, j, (enum json_order)order));
            assert_string_equal(strbuf_text(&b),
                                order == JSON_BY_NAME ? rows[i].by_name : rows[i].as_written);
        }
    CLEANUP(strbuf) struct strbuf half = strbuf_init(MIB);
    assert_true(json_text_add_string(&half, STR("a\xED\xA0\xBD")));
    assert_string_equal(strbuf_text(&half), "\"a\\ud83d\"");
}

static void json_text_ends_where_its_buffer_or_its_depth_does(void **state)
{
    (void)state;
    json_auto_t *deep = json_integer(1);
    for (int i = 0; i < LIMIT_JSON_DEPTH + 2; i++)
        deep = json_pack("[o]", deep);
    CLEANUP(strbuf) struct strbuf b = strbuf_init(MIB);
    assert_false(json_text_add(&b, deep, JSON_AS_WRITTEN));
    json_auto_t *list = json_pack("[s,s]", "abcdef", "abcdef");
    CLEANUP(strbuf) struct strbuf small = strbuf_init(12);
    assert_false(json_text_add(&small, list, JSON_AS_WRITTEN));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_is_printed_with_the_fewest_digits),
        cmocka_unit_test(a_text_is_read_as_a_number_or_is_none),
        cmocka_unit_test(a_hash_is_the_same_in_every_engine),
        cmocka_unit_test(json_text_is_what_javascript_prints),
        cmocka_unit_test(json_text_ends_where_its_buffer_or_its_depth_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
