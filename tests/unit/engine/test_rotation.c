/*
 * Secrets that are due for a new value.
 */
#include "assert_ok.h"

#include "engine/rotation.h"

#define DAY_MS 86400000LL

static const int64_t now_ms = 1773482531000; /* 2026-03-14T10:02:11Z */

static size_t due(struct arena *a, int64_t rotate_ms, const char *updated_at)
{
    struct config_var var = { .name = "TOKEN", .rotate_ms = rotate_ms };
    struct config c = { .vars = &var, .vars_n = 1 };
    struct supabase_secret secret = { .name = "TOKEN", .digest = "", .updated_at = updated_at };
    struct text_array list = rotation_due(a, &c, &secret, 1, now_ms);
    if (list.n > 0)
        assert_non_null(strstr(list.v[0], "TOKEN was set "));
    return list.n;
}

static void a_secret_older_than_its_limit_is_due(void **state)
{
    assert_int_equal(due(*state, 90 * DAY_MS, "2025-12-01T00:00:00.000Z"), 1);
}

static void a_younger_one_is_not(void **state)
{
    assert_int_equal(due(*state, 90 * DAY_MS, "2026-03-01T00:00:00Z"), 0);
}

static void without_a_limit_or_a_known_time_nothing_is_due(void **state)
{
    assert_int_equal(due(*state, 0, "2020-01-01T00:00:00Z"), 0);
    assert_int_equal(due(*state, DAY_MS, ""), 0);
    assert_int_equal(due(*state, DAY_MS, "yesterday"), 0);
}

static int setup(void **state)
{
    *state = arena_new(0);
    return 0;
}

static int teardown(void **state)
{
    arena_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_older_than_its_limit_is_due),
        cmocka_unit_test(a_younger_one_is_not),
        cmocka_unit_test(without_a_limit_or_a_known_time_nothing_is_due),
    };
    return cmocka_run_group_tests_name("rotation", tests, setup, teardown);
}
