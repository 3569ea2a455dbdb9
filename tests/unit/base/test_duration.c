/*
 * Durations as people write them.
 */
#include "assert_ok.h"

#include "base/clock.h"
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

static void times_are_read_with_their_zone(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t unix_s;
    } rows[] = {
        { "1970-01-01T00:00Z", 0 },
        { "1970-01-01T00:00:30z", 30 },
        { "2026-12-01T09:00+01:00", 1796112000 },
        { "2026-12-01T08:00:00Z", 1796112000 },
        { "2026-12-01 04:30-0330", 1796112000 },
        { "2024-02-29T00:00Z", 1709164800 },
        { "2024-02-29T00:00:00.999999+00:00", 1709164800 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t ms = -1;
        if (!clock_parse(str_of(rows[i].text), &ms) || ms != rows[i].unix_s * 1000)
            fail_msg("%s is %lld ms", rows[i].text, (long long)ms);
    }
}

static void what_is_no_time_or_has_no_zone_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "2026-12-01",
        "2026-12-01T09:00",
        "2026-02-29T09:00Z",
        "2026-13-01T09:00Z",
        "2026-00-01T09:00Z",
        "2026-12-00T09:00Z",
        "2026-12-01T24:00Z",
        "2026-12-01T09:60Z",
        "2026-12-01T09:00:60Z",
        "2026-12-01T09:00+1",
        "2026-12-01T09:00+15:00",
        "2026-12-01T09:00Zx",
        "2026-12-01T09:00:",
        "2026-12-01T09:00:3",
        "2026-12-01T09:00.5Z",
        "tomorrow at noon, please",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        int64_t ms = 7;
        if (clock_parse(str_of(wrong[i]), &ms) || ms != 7)
            fail_msg("%s was taken for a time", wrong[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_and_their_sums_are_read),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(times_are_read_with_their_zone),
        cmocka_unit_test(what_is_no_time_or_has_no_zone_is_refused),
    };
    return cmocka_run_group_tests_name("durations", tests, NULL, NULL);
}
