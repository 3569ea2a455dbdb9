/*
 * What `doctor` makes of a database and of answers that no local platform gives.
 */
#include "assert_ok.h"

#include "base/cleanup.h"
#include "command/doctor/findings.h"

#define NOW 1800000000000

static const struct database_facts good = {
    .role = "postgres",
    .may_create_databases = true,
    .is_monitor = true,
    .clock_unix_ms = NOW + 4000,
    .version = 150020,
};

/* The ids of what is found, one behind the other. */
static const char *found(struct arena *a, const struct database_facts *facts)
{
    struct findings all = { .arena = a };
    const char *ids = "";
    findings_of_database(&all, "staging", facts, NOW);
    for (size_t i = 0; i < all.list.n; i++) {
        const struct finding *f = &all.list.v[i];
        assert_string_equal(f->environment, "staging");
        assert_true(f->what[0] && f->why[0] && f->fix[0]);
        ids = arena_printf(a, "%s%s%s ", ids, f->severity == FINDING_ERROR ? "!" : "", f->id);
    }
    return ids;
}

static void a_database_in_order_has_nothing_to_find(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    assert_string_equal(found(a, &good), "");
}

static void clocks_that_are_apart_are_a_warning_in_both_directions(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct database_facts late = good, early = good;
    late.clock_unix_ms = NOW - 6000;
    early.clock_unix_ms = NOW + 6000;
    assert_string_equal(found(a, &late), "clock ");
    assert_string_equal(found(a, &early), "clock ");
}

static void a_server_that_is_too_old_is_an_error(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct database_facts old = good, oldest = good;
    old.version = 130012;
    oldest.version = 140000;
    assert_string_equal(found(a, &old), "!server-version ");
    assert_string_equal(found(a, &oldest), "");
}

static void each_right_that_is_missing_is_a_warning(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct database_facts little = good;
    little.may_create_databases = little.is_monitor = false;
    assert_string_equal(found(a, &little), "no-createdb no-monitor ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_database_in_order_has_nothing_to_find),
        cmocka_unit_test(clocks_that_are_apart_are_a_warning_in_both_directions),
        cmocka_unit_test(a_server_that_is_too_old_is_an_error),
        cmocka_unit_test(each_right_that_is_missing_is_a_warning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
