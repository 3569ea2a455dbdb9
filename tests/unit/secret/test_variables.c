/* Declared variables: sources, checks, comparison by digest, and that no value shows. */
#include "assert_ok.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "secret/variables.h"

#include <stdlib.h>

static bool resolve(struct arena *a, const struct variable_spec *spec, struct variable_set *set,
                    struct err *e)
{
    return variables_resolve(a, spec, 1, "/tmp", set, e);
}

static void each_kind_of_source_gives_its_value(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    CLEANUP(variable_set) struct variable_set set = { 0 };
    struct err e = { 0 };
    (void)setenv("TEST_TOKEN", "from-the-environment", 1);
    const struct variable_spec specs[] = {
        { .name = "A", .source = "env:TEST_TOKEN", .is_secret = true },
        { .name = "B", .source = "cmd:printf 'two words\\n\\n'", .is_secret = true },
        { .name = "C", .source = "cmd:pwd" },
        { .name = "D", .source = "plain text" },
    };
    assert_ok(variables_resolve(a, specs, 4, "/tmp", &set, &e), &e);
    assert_string_equal(secret_reveal(set.v[0].value).p, "from-the-environment");
    assert_string_equal(secret_reveal(set.v[1].value).p, "two words\n");
    assert_string_equal(secret_reveal(set.v[2].value).p, "/tmp");
    assert_string_equal(secret_reveal(set.v[3].value).p, "plain text");
}

static void what_is_missing_or_too_short_is_named_with_its_place_and_without_its_value(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct variable_set set = { 0 };
    struct err e = { 0 };
    (void)unsetenv("TEST_ABSENT");
    (void)setenv("TEST_SHORT", "sesame7", 1);
    (void)setenv("TEST_EMPTY", "", 1);
    struct variable_spec absent = { .name = "A",
                                    .source = "env:TEST_ABSENT",
                                    .where = "lockflight.toml:41:1" };
    assert_fails(resolve(a, &absent, &set, &e), &e, ERR_BLOCKED);
    assert_string_equal(e.where, "lockflight.toml:41:1");
    assert_non_null(strstr(e.why, "TEST_ABSENT"));
    assert_non_null(strstr(e.what, "variable A"));
    struct variable_spec brief = { .name = "A", .source = "env:TEST_SHORT", .min_length = 32 };
    assert_fails(resolve(a, &brief, &set, &e), &e, ERR_BLOCKED);
    assert_null(strstr(e.why, "sesame"));
    struct variable_spec empty = { .name = "A", .source = "env:TEST_EMPTY" };
    assert_fails(resolve(a, &empty, &set, &e), &e, ERR_BLOCKED);
    struct variable_spec none = { .name = "A" };
    assert_fails(resolve(a, &none, &set, &e), &e, ERR_CONFIG);
}

static void a_failing_command_shows_its_status_and_nothing_it_printed(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct variable_set set = { 0 };
    struct err e = { 0 };
    struct variable_spec spec = { .name = "A",
                                  .source =
                                      "cmd:cat ./secret-is-here; echo $((40+2))x >&2; exit 3" };
    assert_fails(resolve(a, &spec, &set, &e), &e, ERR_BLOCKED);
    assert_non_null(strstr(e.why, "status 3"));
    assert_null(strstr(e.why, "42x"));
}

static void names_of_the_platform_and_values_in_the_file_are_refused(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct variable_set set = { 0 };
    struct err e = { 0 };
    struct variable_spec reserved = { .name = "SUPABASE_URL", .source = "x" };
    assert_fails(resolve(a, &reserved, &set, &e), &e, ERR_CONFIG);
    struct variable_spec odd = { .name = "A-B", .source = "x" };
    assert_fails(resolve(a, &odd, &set, &e), &e, ERR_CONFIG);
    struct variable_spec literal = { .name = "A", .source = "hunter2", .is_secret = true };
    assert_fails(resolve(a, &literal, &set, &e), &e, ERR_CONFIG);
    assert_null(strstr(e.why, "hunter2"));
}

static void a_host_is_compared_by_digest(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    CLEANUP(variable_set) struct variable_set set = { 0 };
    struct err e = { 0 };
    const struct variable_spec spec = { .name = "A", .source = "hello", .is_distinct = true };
    assert_ok(resolve(a, &spec, &set, &e), &e);
    const struct variable_digest same[] = {
        { "A", "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" }
    };
    const struct variable_digest other[] = { { "A", "00" } }, none[] = { { "B", "00" } };
    const char *before = NULL;
    assert_int_equal(variable_compare(&set.v[0], same, 1, &before), VARIABLE_SAME);
    assert_int_equal(variable_compare(&set.v[0], other, 1, &before), VARIABLE_CHANGE);
    assert_string_equal(before, "00");
    assert_int_equal(variable_compare(&set.v[0], none, 1, &before), VARIABLE_ADD);
    assert_null(before);
    assert_fails(variables_check_distinct(&set, same, 1, "staging", &e), &e, ERR_BLOCKED);
    assert_non_null(strstr(e.why, "staging"));
    assert_ok(variables_check_distinct(&set, other, 1, "staging", &e), &e);
}

static void a_secret_is_redacted_from_the_moment_it_exists(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    CLEANUP(secret) struct secret *s = secret_new(STR("correct horse battery"));
    assert_int_equal(secret_bytes(s), 21);
    char *text = log_redacted(a, STR("say correct horse battery now"));
    assert_string_equal(text, "say [redacted] now");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_source_gives_its_value),
        cmocka_unit_test(
            what_is_missing_or_too_short_is_named_with_its_place_and_without_its_value),
        cmocka_unit_test(a_failing_command_shows_its_status_and_nothing_it_printed),
        cmocka_unit_test(names_of_the_platform_and_values_in_the_file_are_refused),
        cmocka_unit_test(a_host_is_compared_by_digest),
        cmocka_unit_test(a_secret_is_redacted_from_the_moment_it_exists),
    };
    return cmocka_run_group_tests_name("secret/variables", tests, NULL, NULL);
}
