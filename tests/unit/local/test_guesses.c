/*
 * Guessing passwords gets slower, for the one who guesses only.
 */
#include "assert_ok.h"

#include "local/guesses.h"

static struct arena *a;
static struct guesses *g;

static int set_up(void **state)
{
    (void)state;
    a = arena_new(0);
    g = guesses_new(a);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(a);
    return 0;
}

static bool may(const char *name, int64_t now_ms)
{
    int wait_s = 0;
    return guesses_may_try(g, name, "127.0.0.1", now_ms, &wait_s);
}

static void wrong(const char *name, int64_t now_ms)
{
    guesses_wrong(g, name, "127.0.0.1", now_ms);
}

static void five_wrong_tries_are_free_and_the_sixth_costs_a_second(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        assert_true(may("anna@x", 1000));
        wrong("anna@x", 1000);
    }
    assert_true(may("anna@x", 1000));
    wrong("anna@x", 1000);
    assert_false(may("anna@x", 1999));
    assert_true(may("anna@x", 2000));
}

static void pauses_double_up_to_a_quarter_of_an_hour(void **state)
{
    (void)state;
    int64_t now_ms = 0;
    for (int i = 0; i < 40; i++)
        wrong("anna@x", now_ms);
    assert_false(may("anna@x", now_ms + 15 * 60 * 1000 - 1));
    assert_true(may("anna@x", now_ms + 15 * 60 * 1000));
}

static void the_wait_is_told_in_whole_seconds(void **state)
{
    (void)state;
    int wait_s = 0;
    for (int i = 0; i < 8; i++)
        wrong("anna@x", 0);
    assert_false(guesses_may_try(g, "anna@x", "127.0.0.1", 500, &wait_s));
    assert_int_equal(wait_s, 4);
}

static void capital_letters_do_not_make_another_name(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++)
        wrong("Anna@X", 0);
    assert_false(may("anna@x", 1));
}

static void others_are_not_slowed(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++)
        wrong("anna@x", 0);
    assert_true(may("ben@x", 0));
}

static void a_right_password_clears_the_count(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++)
        wrong("anna@x", 0);
    guesses_right(g, "anna@x");
    assert_true(may("anna@x", 1));
}

static void an_hour_of_peace_clears_it_too(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++)
        wrong("anna@x", 0);
    wrong("anna@x", 3600 * 1000 + 1);
    assert_true(may("anna@x", 3600 * 1000 + 2));
}

static void one_address_is_wrong_a_hundred_times_a_minute_at_most(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++)
        wrong(arena_printf(a, "user%d@x", i), 1000);
    assert_false(may("fresh@x", 60999));
    assert_true(may("fresh@x", 61001));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(five_wrong_tries_are_free_and_the_sixth_costs_a_second),
        TEST(pauses_double_up_to_a_quarter_of_an_hour),
        TEST(the_wait_is_told_in_whole_seconds),
        TEST(capital_letters_do_not_make_another_name),
        TEST(others_are_not_slowed),
        TEST(a_right_password_clears_the_count),
        TEST(an_hour_of_peace_clears_it_too),
        TEST(one_address_is_wrong_a_hundred_times_a_minute_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
