/*
 * States in words, patches and differences.
 */
#include "assert_ok.h"

#include "base/json.h"
#include "base/str.h"
#include "flag/state.h"

static struct arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = arena_new(0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static const char *words(const char *text)
{
    json_auto_t *raw = json_loads(text, 0, NULL);
    assert_non_null(raw);
    json_auto_t *state = flag_state_of(raw);
    return arena_strdup(arena, flag_state_words(arena, state, "off"));
}

static void a_state_is_told_as_a_person_would(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        { "{\"default_variant\":\"off\"}", "off for everyone" },
        { "{\"default_variant\":\"blue\"}", "blue for everyone" },
        { "{}", "the code's default for everyone" },
        { "{\"default_variant\":\"off\",\"targeting\":{}}", "off for everyone" },
        { "{\"default_variant\":\"off\",\"targeting\":{\"fractional\":[[\"on\",25],[\"off\",75]]}}",
          "on for 25 %" },
        { "{\"default_variant\":\"off\",\"targeting\":{\"fractional\":[{\"var\":\"targetingKey\"},"
          "[\"on\",1],[null,999]]}}",
          "on for 0.1 %" },
        { "{\"targeting\":{\"fractional\":[[\"a\",50],[\"b\",30],[\"off\",20]]}}",
          "a for 50 %, b for 30 %, off for 20 %" },
        { "{\"default_variant\":\"off\",\"targeting\":{\"if\":[{\"$ref\":\"staff\"},\"on\","
          "{\"fractional\":[[\"on\",10],[\"off\",90]]}]}}",
          "on if staff, else on for 10 %" },
        { "{\"default_variant\":\"off\",\"targeting\":{\"if\":[{\"$ref\":\"staff\"},\"on\"]}}",
          "on if staff, else off" },
        { "{\"default_variant\":\"on\",\"killed\":true}",
          "off for everyone, held off; kept: on for everyone" },
        { "{\"default_variant\":\"off\",\"killed\":true}", "off for everyone, held off" },
        { "{\"default_variant\":\"on\",\"enabled\":false}",
          "disabled: callers use the default in their code; kept: on for everyone" },
        { "{\"default_variant\":\"off\",\"targeting\":{\"fractional\":[[\"on\",0],[\"off\",0]]}}",
          "by the rule {\"fractional\":[[\"on\",0],[\"off\",0]]}" },
        { "{\"targeting\":{\"fractional\":[[\"on\",1,1],\"off\"]}}",
          "by the rule {\"fractional\":[[\"on\",1,1],\"off\"]}" },
        { "{\"targeting\":{\"if\":[{\"in\":[1]},\"on\",null]}}",
          "on if {\"in\":[1]}, else the code's default" },
        { "{\"targeting\":{\"a\":1,\"b\":2}}", "by the rule {\"a\":1,\"b\":2}" },
        { "{\"targeting\":\"on\"}", "on for everyone" },
        { "{\"enabled\":1,\"killed\":\"yes\",\"default_variant\":7}",
          "the code's default for everyone" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_string_equal(words(rows[i][0]), rows[i][1]);
}

static void a_long_rule_is_cut_between_letters(void **state)
{
    (void)state;
    const char *text = words("{\"targeting\":{\"==\":[{\"var\":\"city\"},"
                             "\"ççççççççççççççççççççççççççççççççççççççççççççççç\"]}}");
    assert_true(starts_with(text, "by the rule {\"==\""));
    assert_true(str_is_utf8(str_of(text)));
    assert_non_null(strstr(text, "…"));
}

static void a_percentage_is_never_rounded_to_nothing_or_all(void **state)
{
    (void)state;
    assert_string_equal(flag_percent(arena, 1, 4294967296.0), "less than 0.001 %");
    assert_string_equal(flag_percent(arena, 4294967295.0, 4294967296.0), "more than 99.999 %");
    assert_string_equal(flag_percent(arena, 1, 3), "33.333 %");
    assert_string_equal(flag_percent(arena, 0, 3), "0 %");
    assert_string_equal(flag_percent(arena, 3, 3), "100 %");
}

static void the_difference_is_the_patch_that_leads_there(void **state)
{
    (void)state;
    json_auto_t *from = json_pack("{s:s, s:b}", "default_variant", "on", "killed", 1);
    json_auto_t *to = json_pack("{s:s, s:{s:[[s, i]]}}", "default_variant", "on", "targeting",
                                "fractional", "on", 1);
    json_auto_t *patch = flag_state_difference(from, to);
    assert_int_equal(json_object_size(patch), 2); /* killed and the rule */
    json_auto_t *there = flag_state_patched(from, patch);
    json_auto_t *wanted = flag_state_of(to);
    assert_true(json_equal(there, wanted));
    json_auto_t *none = flag_state_difference(there, to);
    assert_int_equal(json_object_size(none), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_state_is_told_as_a_person_would),
        cmocka_unit_test(a_long_rule_is_cut_between_letters),
        cmocka_unit_test(a_percentage_is_never_rounded_to_nothing_or_all),
        cmocka_unit_test(the_difference_is_the_patch_that_leads_there),
    };
    return cmocka_run_group_tests_name("flag/state", tests, setup, teardown);
}
