/*
 * Durations as people write them.
 */
#include "assert_ok.h"

#include "base/duration.h"

static void assert_duration(const char *text, int64_t expected_ms)
{
    int64_t ms = -1;
    if (!duration_parse(str_of(text), &ms) || ms != expected_ms)
        fail_msg("\"%s\" is %lld ms, expected %lld", text, (long long)ms, (long long)expected_ms);
}

static void units_and_their_sums_are_read(void **state)
{
    (void)state;
    assert_duration("0", 0);
    assert_duration("250ms", 250);
    assert_duration("4s", 4000);
    assert_duration("5m", 300000);
    assert_duration("1h30m", 5400000);
    assert_duration("90d", 90LL * 24 * 3600 * 1000);
}

static void anything_else_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "", "5", "s", "5 s", "-5s", "5x", "5s ", "1.5h", "99999999999999999999s", "40000d"
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        int64_t ms = 7;
        assert_false(duration_parse(str_of(wrong[i]), &ms));
        assert_int_equal(ms, 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_and_their_sums_are_read),
        cmocka_unit_test(anything_else_is_refused),
    };
    return cmocka_run_group_tests_name("durations", tests, NULL, NULL);
}
