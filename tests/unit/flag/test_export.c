/* Requirements written out as rules: tables of a document and the flag that comes out of it. That
 * other engines then say what ours says is compared in tests/clients/flags.bats. */
#include "assert_ok.h"

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/limits.h"
#include "flag/export.h"

#define VARIANTS "\"state\":\"ENABLED\",\"variants\":{\"on\":true,\"off\":false}"
#define NEEDS(key, variant)                                                                        \
    "\"requires\":[{\"flag\":\"" key "\",\"variant\":\"" variant "\"}],\"offVariant\":\"off\""

/* What needs flag "b" to be on, beside `b`; "s" is a segment, "k" one that names its flag. */
static json_t *document(struct arena *a, const char *b, const char *needy)
{
    struct err e = { 0 };
    const char *text =
        arena_printf(a,
                     "{\"flags\":{\"b\":{%s},\"a\":{%s}},\"metadata\":{\"version\":\"1\"},"
                     "\"$evaluators\":{\"s\":{\"in\":[\"x\",{\"var\":\"groups\"}]},"
                     "\"k\":{\"==\":[{\"var\":\"$flagd.flagKey\"},\"a\"]}}}",
                     b, needy);
    json_t *value = json_parse(str_of(text), text, &e);
    if (!value)
        fail_msg("%s: %s", text, e.why);
    return value;
}

static const char *exported(struct arena *a, const char *b, const char *needy)
{
    struct err e = { 0 };
    json_auto_t *from = document(a, b, needy);
    char *before = json_text(a, from);
    json_t *to = NULL;
    assert_ok(flag_export(from, &to, &e), &e);
    assert_string_equal(json_text(a, from), before);
    json_t *flag = json_object_get(json_object_get(to, "flags"), "a");
    json_object_del(flag, "variants");
    json_object_del(flag, "state");
    const char *text = json_text(a, flag);
    json_decref(to);
    return text;
}

struct row {
    const char *b, *a, *expected;
};

static void expect_rows(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        CLEANUP(arena) struct arena *a = arena_new(0);
        const char *text = exported(a, rows[i].b, rows[i].a);
        if (!streq(text, rows[i].expected))
            fail_msg("%s\n%s\n    gives    %s\n    expected %s", rows[i].b, rows[i].a, text,
                     rows[i].expected);
    }
}
#define EXPECT(rows) expect_rows((rows), sizeof(rows) / sizeof(rows)[0])

static void what_needs_no_context_is_decided_at_once(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { VARIANTS ",\"defaultVariant\":\"on\"", VARIANTS ",\"defaultVariant\":\"on\"",
          "{\"defaultVariant\":\"on\"}" },
        { VARIANTS ",\"defaultVariant\":\"on\"",
          VARIANTS ",\"defaultVariant\":\"on\",\"targeting\":{\"$ref\":\"s\"}," NEEDS("b", "on"),
          "{\"defaultVariant\":\"on\",\"targeting\":{\"$ref\":\"s\"}}" },
        { VARIANTS ",\"defaultVariant\":\"off\"",
          VARIANTS ",\"defaultVariant\":\"on\",\"targeting\":{\"$ref\":\"s\"}," NEEDS("b", "on"),
          "{\"defaultVariant\":\"off\",\"metadata\":{\"requires\":\"b\"}}" },
        { VARIANTS, VARIANTS ",\"defaultVariant\":\"on\"," NEEDS("b", "on"),
          "{\"defaultVariant\":\"off\",\"metadata\":{\"requires\":\"b\"}}" },
        { VARIANTS ",\"defaultVariant\":\"on\"",
          VARIANTS ",\"defaultVariant\":\"on\"," NEEDS("nobody", "on"),
          "{\"defaultVariant\":\"off\",\"metadata\":{\"requires\":\"nobody\"}}" },
        { VARIANTS ",\"defaultVariant\":\"on\"",
          VARIANTS ",\"defaultVariant\":\"on\"," NEEDS("b", "purple"),
          "{\"defaultVariant\":\"off\",\"metadata\":{\"requires\":\"b\"}}" },
        { "\"state\":\"DISABLED\",\"variants\":{\"on\":true},\"defaultVariant\":\"on\"",
          VARIANTS ",\"defaultVariant\":\"on\"," NEEDS("b", "on"),
          "{\"defaultVariant\":\"off\",\"metadata\":{\"requires\":\"b\"}}" },
    };
    EXPECT(rows);
}

#define DEFAULT_OFF ",\"defaultVariant\":\"off\""

static void a_rule_is_taken_along_with_its_own_key_and_default(void **state)
{
    (void)state;
    static const char *const needy = VARIANTS ",\"defaultVariant\":\"on\"," NEEDS("b", "on");
    static const struct row rows[] = {
        { VARIANTS DEFAULT_OFF ",\"targeting\":{\"if\":[{\"$ref\":\"s\"},\"on\",null]}", needy,
          "{\"defaultVariant\":\"on\",\"metadata\":{\"requires\":\"b\"},\"targeting\":{\"if\":["
          "{\"===\":[{\"if\":[{\"$ref\":\"s\"},\"on\",\"off\"]},\"on\"]},null,\"off\"]}}" },
        { VARIANTS DEFAULT_OFF ",\"targeting\":{\"if\":[{\"$ref\":\"k\"},\"on\",\"off\"]}", needy,
          "{\"defaultVariant\":\"on\",\"metadata\":{\"requires\":\"b\"},\"targeting\":{\"if\":["
          "{\"===\":[{\"if\":[{\"==\":[\"b\",\"a\"]},\"on\",\"off\"]},\"on\"]},null,\"off\"]}}" },
        { VARIANTS DEFAULT_OFF ",\"targeting\":{\"fractional\":[[\"on\",25],[null,75]]}", needy,
          "{\"defaultVariant\":\"on\",\"metadata\":{\"requires\":\"b\"},\"targeting\":{\"if\":["
          "{\"===\":[{\"if\":[{\"!==\":[{\"var\":[\"targetingKey\",\"\"]},\"\"]},{\"fractional\":["
          "{\"cat\":[\"b\",{\"var\":[\"targetingKey\",\"\"]}]},[\"on\",25],[\"off\",75]]},\"off\"]}"
          ",\"on\"]},null,\"off\"]}}" },
        { VARIANTS DEFAULT_OFF
          ",\"targeting\":{\"fractional\":[{\"var\":\"targetingKey\"},[\"on\",25],[\"off\",75]]}",
          needy,
          "{\"defaultVariant\":\"on\",\"metadata\":{\"requires\":\"b\"},\"targeting\":{\"if\":["
          "{\"===\":[{\"if\":[{\"!==\":[{\"var\":\"targetingKey\"},null]},{\"fractional\":["
          "{\"var\":\"targetingKey\"},[\"on\",25],[\"off\",75]]},\"off\"]},\"on\"]},null,\"off\"]}"
          "}" },
        { VARIANTS DEFAULT_OFF ",\"targeting\":{\"fractional\":[{\"cat\":[\"x\",{\"var\":\"$flagd."
                               "flagKey\"}]},[\"on\",1]"
                               "]}",
          needy,
          "{\"defaultVariant\":\"on\",\"metadata\":{\"requires\":\"b\"},\"targeting\":{\"if\":["
          "{\"===\":[{\"fractional\":[{\"cat\":[\"x\",\"b\"]},[\"on\",1]]},\"on\"]},null,\"off\"]}"
          "}" },
        { "\"state\":\"ENABLED\",\"variants\":{\"true\":1,\"false\":0},\"defaultVariant\":"
          "\"false\","
          "\"targeting\":{\"$ref\":\"s\"}",
          VARIANTS
          ",\"metadata\":{\"owner\":\"x\"},\"targeting\":{\"$ref\":\"k\"}," NEEDS("b", "true"),
          "{\"metadata\":{\"owner\":\"x\",\"requires\":\"b\"},\"targeting\":{\"if\":[{\"===\":[{"
          "\"if\":"
          "[{\"===\":[{\"$ref\":\"s\"},true]},\"true\",{\"===\":[{\"$ref\":\"s\"},false]},"
          "\"false\","
          "{\"===\":[{\"$ref\":\"s\"},null]},\"false\",{\"$ref\":\"s\"}]},\"true\"]},"
          "{\"$ref\":\"k\"},\"off\"]}}" },
    };
    EXPECT(rows);
}

static void requirements_of_requirements_are_written_out_too(void **state)
{
    (void)state;
    static const struct row rows[] = {
        /* b's own requirement is never met: b is off, so a is */
        { VARIANTS ",\"defaultVariant\":\"on\"," NEEDS("nobody", "on"),
          VARIANTS ",\"defaultVariant\":\"on\"," NEEDS("b", "on"),
          "{\"defaultVariant\":\"off\",\"metadata\":{\"requires\":\"b\"}}" },
        { VARIANTS ",\"defaultVariant\":\"on\"," NEEDS("nobody", "on"),
          VARIANTS ",\"defaultVariant\":\"on\"," NEEDS("b", "off"), "{\"defaultVariant\":\"on\"}" },
    };
    EXPECT(rows);
}

static void circles_and_missing_off_variants_are_named(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct err e = { 0 };
    json_t *to = NULL;
    json_auto_t *circle = document(a, VARIANTS "," NEEDS("a", "on"), VARIANTS "," NEEDS("b", "on"));
    assert_fails(flag_export(circle, &to, &e), &e, ERR_DATA);
    assert_non_null(strstr(e.why, "flag b requires itself"));
    json_auto_t *bare =
        document(a, VARIANTS, VARIANTS ",\"requires\":[{\"flag\":\"b\",\"variant\":\"on\"}]");
    assert_fails(flag_export(bare, &to, &e), &e, ERR_DATA);
    assert_non_null(strstr(e.why, "flag a requires another one, but has no \"offVariant\""));
    json_auto_t *list = json_pack("{s:[]}", "flags");
    assert_fails(flag_export(list, &to, &e), &e, ERR_DATA);
}

/* Ten levels of ten flags, each requiring all of the level below: 10^9 conditions. */
static void what_would_grow_without_end_is_refused(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct err e = { 0 };
    json_auto_t *all = json_pack("{s:{}}", "flags");
    for (int level = 0; level < 10; level++)
        for (int i = 0; i < 10; i++) {
            json_t *flag = json_pack("{s:s, s:{s:b, s:b}, s:s, s:[], s:{s:[{s:s}, s, s]}}", "state",
                                     "ENABLED", "variants", "on", 1, "off", 0, "offVariant", "off",
                                     "requires", "targeting", "if", "$ref", "s", "on", "off");
            for (int k = 0; level > 0 && k < 10; k++)
                json_array_append_new(json_object_get(flag, "requires"),
                                      json_pack("{s:s, s:s}", "flag",
                                                arena_printf(a, "f%d.%d", level - 1, k), "variant",
                                                "on"));
            json_object_set_new(json_object_get(all, "flags"), arena_printf(a, "f%d.%d", level, i),
                                flag);
        }
    json_t *to = NULL;
    assert_fails(flag_export(all, &to, &e), &e, ERR_LIMIT);
}

static void the_own_rule_is_found_again(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct err e = { 0 };
    json_auto_t *from = document(
        a, VARIANTS DEFAULT_OFF ",\"targeting\":{\"if\":[{\"$ref\":\"s\"},\"on\",null]}",
        VARIANTS ",\"targeting\":{\"if\":[{\"$ref\":\"k\"},\"on\",\"off\"]}," NEEDS("b", "on"));
    json_t *to = NULL;
    assert_ok(flag_export(from, &to, &e), &e);
    const json_t *flags = json_object_get(to, "flags");
    assert_string_equal(json_text(a, flag_export_rule(json_object_get(flags, "a"))),
                        "{\"if\":[{\"$ref\":\"k\"},\"on\",\"off\"]}");
    assert_string_equal(json_text(a, flag_export_rule(json_object_get(flags, "b"))),
                        "{\"if\":[{\"$ref\":\"s\"},\"on\",null]}");
    json_decref(to);
    json_auto_t *bare =
        document(a, VARIANTS DEFAULT_OFF ",\"targeting\":{\"if\":[{\"$ref\":\"s\"},\"on\",null]}",
                 VARIANTS ",\"defaultVariant\":\"on\"," NEEDS("b", "on"));
    assert_ok(flag_export(bare, &to, &e), &e);
    assert_null(flag_export_rule(json_object_get(json_object_get(to, "flags"), "a")));
    json_decref(to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_needs_no_context_is_decided_at_once),
        cmocka_unit_test(a_rule_is_taken_along_with_its_own_key_and_default),
        cmocka_unit_test(requirements_of_requirements_are_written_out_too),
        cmocka_unit_test(circles_and_missing_off_variants_are_named),
        cmocka_unit_test(what_would_grow_without_end_is_refused),
        cmocka_unit_test(the_own_rule_is_found_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
