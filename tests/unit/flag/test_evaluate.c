/*
 * Documents and the algorithm of an evaluation: what is refused, what is answered and with which
 * reason, requirements, limits.
 */
#include "assert_ok.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/strbuf.h"
#include "flag/evaluate.h"

#define ON_OFF "\"variants\":{\"on\":true,\"off\":false}"

static struct flag_document *document_of(const char *text)
{
    struct err e = { 0 };
    struct flag_document *d = NULL;
    assert_ok(flag_document_parse(str_of(text), "the test", &d, &e), &e);
    return d;
}

/* The answer as one line: reason variant value, or the error. */
static const char *answer_for(const char *document, const char *key, const char *context)
{
    static char line[512];
    CLEANUP(flag_document) struct flag_document *d = document_of(document);
    json_auto_t *values = json_loads(context, 0, NULL);
    struct flag_context c = flag_context(values, 1700000000);
    struct flag_answer a;
    flag_evaluate(d, flag_document_find(d, str_of(key)), &c, &a);
    if (a.error == FLAG_OK)
        (void)snprintf(line, sizeof line, "%s %s %s", flag_reason_name(a.reason),
                       a.variant ? a.variant : "-", a.value_json ? a.value_json : "-");
    else
        (void)snprintf(line, sizeof line, "%s %s", flag_reason_name(a.reason),
                       flag_error_name(a.error));
    assert_true((a.error == FLAG_OK) == (a.detail == NULL));
    assert_true((a.value == NULL) == (a.value_json == NULL));
    return line;
}

static const char *of_flag(const char *members, const char *context)
{
    char document[4096];
    assert_true(snprintf(document, sizeof document, "{\"flags\":{\"f\":{%s}}}", members) <
                (int)sizeof document);
    return answer_for(document, "f", context);
}

static void the_reason_follows_from_state_rule_and_default(void **state)
{
    (void)state;
    static const struct {
        const char *members;
        const char *answer;
    } rows[] = {
        { "\"state\":\"ENABLED\"," ON_OFF ",\"defaultVariant\":\"on\"", "STATIC on true" },
        { "\"state\":\"ENABLED\"," ON_OFF, "DEFAULT - -" },
        { "\"state\":\"ENABLED\"," ON_OFF ",\"defaultVariant\":null", "DEFAULT - -" },
        { "\"state\":\"ENABLED\"," ON_OFF ",\"defaultVariant\":\"\"", "DEFAULT - -" },
        { "\"state\":\"ENABLED\"," ON_OFF ",\"defaultVariant\":\"on\",\"targeting\":{}",
          "STATIC on true" },
        { "\"state\":\"ENABLED\"," ON_OFF ",\"defaultVariant\":\"on\",\"targeting\":null",
          "STATIC on true" },
        { "\"state\":\"DISABLED\"," ON_OFF ",\"defaultVariant\":\"on\",\"targeting\":{\"no\":1}",
          "DISABLED - -" },
        { "\"state\":\"ENABLED\"," ON_OFF ",\"targeting\":{\"no\":1}", "ERROR PARSE_ERROR" },
        { "\"state\":\"ENABLED\"," ON_OFF ",\"targeting\":{\"if\":[true,\"on\",\"off\"]}",
          "TARGETING_MATCH on true" },
        { "\"state\":\"ENABLED\"," ON_OFF
          ",\"defaultVariant\":\"off\",\"targeting\":{\"if\":[false,\"on\"]}",
          "DEFAULT off false" },
        { "\"state\":\"ENABLED\"," ON_OFF ",\"targeting\":{\"if\":[false,\"on\"]}", "DEFAULT - -" },
        { "\"state\":\"ENABLED\"," ON_OFF ",\"targeting\":{\"cat\":[\"o\",\"n\"]}",
          "TARGETING_MATCH on true" },
        { "\"state\":\"ENABLED\"," ON_OFF ",\"targeting\":{\"cat\":[\"x\"]}", "ERROR GENERAL" },
        { "\"state\":\"ENABLED\"," ON_OFF ",\"targeting\":{\"+\":[\"x\"]}", "ERROR GENERAL" },
        { "\"state\":\"ENABLED\"," ON_OFF ",\"targeting\":{\"merge\":[\"on\"]}",
          "TARGETING_MATCH on true" },
        { "\"state\":\"ENABLED\",\"variants\":{\"true\":1,\"1.5\":2},\"targeting\":{\"==\":[1,1]}",
          "TARGETING_MATCH true 1" },
        { "\"state\":\"ENABLED\",\"variants\":{\"true\":1,\"1.5\":2},\"targeting\":{\"+\":[1,0.5]}",
          "TARGETING_MATCH 1.5 2" },
        { "\"state\":\"ENABLED\",\"variants\":{\"[object Object]\":1},\"targeting\":{\"var\":\"\"}",
          "ERROR GENERAL" },
        { "\"state\":\"ENABLED\",\"variants\":{\"a\":{\"b\":1,\"2\":[1.0]}},"
          "\"defaultVariant\":\"a\"",
          "STATIC a {\"2\":[1],\"b\":1}" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(of_flag(rows[i].members, "{}"), rows[i].answer);
    assert_string_equal(answer_for("{\"flags\":{}}", "f", "{}"), "ERROR FLAG_NOT_FOUND");
}

static void a_document_is_refused_whole_with_the_flag_named(void **state)
{
    (void)state;
    static const char *const documents[] = {
        "[]",
        "{}",
        "{\"flags\":1}",
        "{\"flags\":{\"f\":1}}",
        "{\"flags\":{\"f\":{\"state\":\"on\"," ON_OFF "}}}",
        "{\"flags\":{\"f\":{" ON_OFF "}}}",
        "{\"flags\":{\"f\":{\"state\":\"ENABLED\"}}}",
        "{\"flags\":{\"f\":{\"state\":\"ENABLED\",\"variants\":{}}}}",
        "{\"flags\":{\"f\":{\"state\":\"ENABLED\",\"variants\":{\"\":1}}}}",
        "{\"flags\":{\"f\":{\"state\":\"ENABLED\",\"variants\":{\"a\":null}}}}",
        "{\"flags\":{\"f\":{\"state\":\"ENABLED\",\"variants\":{\"a\":1,\"b\":true}}}}",
        "{\"flags\":{\"f\":{\"state\":\"ENABLED\",\"variants\":{\"a\":9007199254740992}}}}",
        "{\"flags\":{\"f\":{\"state\":\"ENABLED\"," ON_OFF ",\"defaultVariant\":\"x\"}}}",
        "{\"flags\":{\"f\":{\"state\":\"ENABLED\"," ON_OFF ",\"offVariant\":\"x\"}}}",
        "{\"flags\":{\"f\":{\"state\":\"ENABLED\"," ON_OFF ",\"defaultVariant\":1}}}",
        "{\"flags\":{\"f\":{\"state\":\"ENABLED\"," ON_OFF ",\"requires\":{}}}}",
        "{\"flags\":{\"f\":{\"state\":\"ENABLED\"," ON_OFF ",\"requires\":[{\"flag\":\"g\"}]}}}",
        "{\"flags\":[{\"state\":\"ENABLED\"," ON_OFF "}]}",
        "{\"flags\":[{\"key\":\"f\",\"state\":\"ENABLED\"," ON_OFF
        "},{\"key\":\"f\",\"state\":\"ENABLED\"," ON_OFF "}]}",
        "{\"flags\":{\"\":{\"state\":\"ENABLED\"," ON_OFF "}}}",
        "{\"flags\":{},\"$evaluators\":[]}",
        "{\"flags\":{},\"$evaluators\":{\"a\":{\"!\":{\"$ref\":\"a\"}}}}",
    };
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
        struct err e = { 0 };
        struct flag_document *d = NULL;
        assert_fails(flag_document_parse(str_of(documents[i]), "the test", &d, &e), &e, ERR_DATA);
        assert_null(d);
        assert_non_null(strstr(e.why, "the test"));
    }
}

static void flags_are_found_in_both_forms_and_ordered_by_key(void **state)
{
    (void)state;
    static const char *const documents[] = {
        "{\"flags\":{\"b\":{\"state\":\"ENABLED\"," ON_OFF "},\"a\":{\"state\":\"ENABLED\"," ON_OFF
        "}}}",
        "{\"flags\":[{\"key\":\"b\",\"state\":\"ENABLED\"," ON_OFF
        "},{\"key\":\"a\",\"state\":\"ENABLED\"," ON_OFF "}]}",
    };
    for (size_t i = 0; i < 2; i++) {
        CLEANUP(flag_document) struct flag_document *d = document_of(documents[i]);
        assert_int_equal(flag_document_count(d), 2);
        assert_string_equal(flag_key(flag_document_at(d, 0)), "a");
        assert_ptr_equal(flag_document_find(d, STR("b")), flag_document_at(d, 1));
        assert_null(flag_document_find(d, STR("c")));
        assert_int_equal(flag_type_of(flag_document_at(d, 0)), FLAG_BOOLEAN);
    }
}

static void metadata_of_the_flag_lies_over_that_of_the_set(void **state)
{
    (void)state;
    CLEANUP(flag_document)
    struct flag_document *d = document_of(
        "{\"metadata\":{\"v\":\"1\",\"owner\":\"all\",\"no\":{}},\"flags\":{\"f\":"
        "{\"state\":\"ENABLED\"," ON_OFF ",\"metadata\":{\"owner\":\"pay\",\"n\":1,\"l\":[]}}}}");
    struct flag_context c = flag_context(NULL, 0);
    struct flag_answer a;
    flag_evaluate(d, flag_document_at(d, 0), &c, &a);
    assert_string_equal(a.metadata, "{\"n\":1,\"owner\":\"pay\",\"v\":\"1\"}");
    assert_string_equal(flag_document_metadata(d), "{\"owner\":\"all\",\"v\":\"1\"}");
    flag_evaluate(d, NULL, &c, &a);
    assert_string_equal(a.metadata, "{\"owner\":\"all\",\"v\":\"1\"}");
}

static void an_evaluator_stands_for_its_rule(void **state)
{
    (void)state;
    static const char document[] =
        "{\"$evaluators\":{\"staff\":{\"ends_with\":[{\"var\":\"email\"},\"@s.example\"]},"
        "\"none\":{},\"bad\":{\"no\":1}},\"flags\":{"
        "\"f\":{\"state\":\"ENABLED\"," ON_OFF
        ",\"targeting\":{\"if\":[{\"$ref\":\"staff\"},\"on\",\"off\"]}},"
        "\"g\":{\"state\":\"ENABLED\"," ON_OFF
        ",\"defaultVariant\":\"on\",\"targeting\":{\"$ref\":\"none\"}},"
        "\"h\":{\"state\":\"ENABLED\"," ON_OFF ",\"targeting\":{\"!\":{\"$ref\":\"bad\"}}},"
        "\"i\":{\"state\":\"ENABLED\"," ON_OFF ",\"targeting\":{\"$ref\":\"nobody\"}}}}";
    assert_string_equal(answer_for(document, "f", "{\"email\":\"a@s.example\"}"),
                        "TARGETING_MATCH on true");
    assert_string_equal(answer_for(document, "f", "{\"email\":\"a@x\"}"),
                        "TARGETING_MATCH off false");
    assert_string_equal(answer_for(document, "g", "{}"), "STATIC on true");
    assert_string_equal(answer_for(document, "h", "{}"), "ERROR PARSE_ERROR");
    assert_string_equal(answer_for(document, "i", "{}"), "ERROR PARSE_ERROR");
}

static void the_time_and_the_key_are_ours_whatever_the_context_says(void **state)
{
    (void)state;
    static const char rule[] =
        "\"state\":\"ENABLED\"," ON_OFF
        ",\"targeting\":{\"if\":[{\"and\":[{\"===\":[{\"var\":\"$flagd.timestamp\"},1700000000]},"
        "{\"===\":[{\"var\":\"$flagd.flagKey\"},\"f\"]}]},\"on\",\"off\"]}";
    assert_string_equal(of_flag(rule, "{\"$flagd\":{\"timestamp\":1,\"flagKey\":\"x\"}}"),
                        "TARGETING_MATCH on true");
}

/* ---- Requirements ---------------------------------------------------------------------------- */

#define NEEDS(key, variant)                                                                        \
    ",\"offVariant\":\"off\",\"requires\":[{\"flag\":\"" key "\",\"variant\":\"" variant "\"}]"

static void an_unmet_requirement_serves_the_off_variant_and_names_itself(void **state)
{
    (void)state;
    CLEANUP(flag_document)
    struct flag_document *d = document_of(
        "{\"flags\":{"
        "\"crm\":{\"state\":\"ENABLED\"," ON_OFF
        ",\"targeting\":{\"if\":[{\"var\":\"crm\"},\"on\",\"off\"]}},"
        "\"off\":{\"state\":\"DISABLED\"," ON_OFF ",\"defaultVariant\":\"on\"},"
        "\"a\":{\"state\":\"ENABLED\"," ON_OFF ",\"defaultVariant\":\"on\"" NEEDS(
            "crm", "on") "},"
                         "\"b\":{\"state\":\"ENABLED\"," ON_OFF ",\"defaultVariant\":\"on\"" NEEDS(
                             "a", "on") "},"
                                        "\"c\":{\"state\":\"ENABLED\"," ON_OFF
                                        ",\"defaultVariant\":\"on\"" NEEDS(
                                            "gone", "on") "},"
                                                          "\"d\":{\"state\":\"ENABLED\"," ON_OFF
                                                          ",\"defaultVariant\":\"on\"" NEEDS(
                                                              "off", "on") "}}}");
    static const struct {
        const char *key;
        bool crm;
        enum flag_reason reason;
        const char *variant;
        const char *metadata;
    } rows[] = {
        { "a", true, FLAG_REASON_STATIC, "on", "{}" },
        { "b", true, FLAG_REASON_STATIC, "on", "{}" },
        { "a", false, FLAG_REASON_TARGETING_MATCH, "off", "{\"prerequisite\":\"crm\"}" },
        { "b", false, FLAG_REASON_TARGETING_MATCH, "off", "{\"prerequisite\":\"a\"}" },
        { "c", true, FLAG_REASON_TARGETING_MATCH, "off", "{\"prerequisite\":\"gone\"}" },
        { "d", true, FLAG_REASON_TARGETING_MATCH, "off", "{\"prerequisite\":\"off\"}" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_auto_t *values = json_pack("{s:b}", "crm", rows[i].crm);
        struct flag_context c = flag_context(values, 0);
        struct flag_answer a;
        flag_evaluate(d, flag_document_find(d, str_of(rows[i].key)), &c, &a);
        assert_int_equal(a.error, FLAG_OK);
        assert_int_equal(a.reason, rows[i].reason);
        assert_string_equal(a.variant, rows[i].variant);
        assert_string_equal(a.metadata, rows[i].metadata);
    }
}

static void flags_that_require_each_other_are_broken(void **state)
{
    (void)state;
    static const char document[] =
        "{\"flags\":{"
        "\"a\":{\"state\":\"ENABLED\"," ON_OFF ",\"defaultVariant\":\"on\"" NEEDS(
            "b", "on") "},"
                       "\"b\":{\"state\":\"ENABLED\"," ON_OFF ",\"defaultVariant\":\"on\"" NEEDS(
                           "a",
                           "on") "},"
                                 "\"c\":{\"state\":\"ENABLED\"," ON_OFF
                                 ",\"defaultVariant\":\"on\"" NEEDS(
                                     "c",
                                     "on") "},"
                                           "\"d\":{\"state\":\"ENABLED\"," ON_OFF
                                           ",\"requires\":[{\"flag\":\"e\",\"variant\":\"on\"}]},"
                                           "\"e\":{\"state\":\"ENABLED\"," ON_OFF
                                           ",\"defaultVariant\":\"on\"}}}";
    static const char *const broken[] = { "a", "b", "c", "d" };
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(answer_for(document, broken[i], "{}"), "ERROR PARSE_ERROR");
    assert_string_equal(answer_for(document, "e", "{}"), "STATIC on true");
}

/* f0 needs nobody, each further one the one before. */
static void a_chain_of_requirements_ends_at_thirty_two(void **state)
{
    (void)state;
    CLEANUP(strbuf) struct strbuf b = strbuf_init(MIB);
    (void)strbuf_adds(&b, "{\"flags\":{");
    for (int i = 0; i < 40; i++) {
        (void)strbuf_printf(&b,
                            "%s\"f%d\":{\"state\":\"ENABLED\"," ON_OFF
                            ",\"defaultVariant\":\"on\",\"offVariant\":\"off\"",
                            i ? "," : "", i);
        if (i)
            (void)strbuf_printf(&b, ",\"requires\":[{\"flag\":\"f%d\",\"variant\":\"on\"}]", i - 1);
        (void)strbuf_adds(&b, "}");
    }
    (void)strbuf_adds(&b, "}}");
    assert_string_equal(answer_for(strbuf_text(&b), "f32", "{}"), "STATIC on true");
    assert_string_equal(answer_for(strbuf_text(&b), "f33", "{}"), "ERROR PARSE_ERROR");
}

/* ---- Limits ---------------------------------------------------------------------------------- */

static void a_rule_may_be_thirty_two_operators_deep(void **state)
{
    (void)state;
    for (int depth = 32; depth <= 33; depth++) {
        char members[1024] = "\"state\":\"ENABLED\"," ON_OFF ",\"targeting\":";
        size_t n = strlen(members);
        for (int i = 1; i < depth; i++, n = strlen(members))
            (void)snprintf(members + n, sizeof members - n, "{\"cat\":");
        (void)snprintf(members + n, sizeof members - n, "{\"var\":\"x\"}");
        n = strlen(members);
        for (int i = 1; i < depth; i++, n = strlen(members))
            (void)snprintf(members + n, sizeof members - n, "}");
        assert_string_equal(of_flag(members, "{\"x\":\"on\"}"),
                            depth == 32 ? "TARGETING_MATCH on true" : "ERROR PARSE_ERROR");
    }
}

/* Each operator stands in a list: sixty-two levels of JSON, and those of the document around them. */
static void a_document_holds_the_deepest_rule_that_can_be_written_alone(void **state)
{
    (void)state;
    CLEANUP(strbuf) struct strbuf rule = strbuf_init(MIB);
    for (int i = 0; i < 31; i++)
        (void)strbuf_adds(&rule, "{\"or\":[0,");
    (void)strbuf_adds(&rule, "{\"var\":\"x\"}");
    for (int i = 0; i < 31; i++)
        (void)strbuf_adds(&rule, "]}");
    struct err e = { 0 };
    json_auto_t *alone = json_parse(strbuf_str(&rule), "a rule", &e);
    assert_non_null(alone);
    char members[1024];
    (void)snprintf(members, sizeof members, "\"state\":\"ENABLED\"," ON_OFF ",\"targeting\":%s",
                   strbuf_text(&rule));
    assert_string_equal(of_flag(members, "{\"x\":\"on\"}"), "TARGETING_MATCH on true");
}

/* A hundred times a hundred times some. */
static void a_request_takes_ten_thousand_steps_over_all_its_flags(void **state)
{
    (void)state;
    CLEANUP(flag_document)
    struct flag_document *d =
        document_of("{\"flags\":{\"f\":{\"state\":\"ENABLED\"," ON_OFF
                    ",\"targeting\":{\"if\":[{\"some\":[{\"var\":\"l\"},{\"some\":[{\"var\":\"\"},"
                    "{\"===\":[{\"var\":\"\"},1]}]}]},\"on\",\"off\"]}},"
                    "\"g\":{\"state\":\"ENABLED\"," ON_OFF ",\"targeting\":{\"var\":\"v\"}},"
                    "\"h\":{\"state\":\"ENABLED\"," ON_OFF ",\"defaultVariant\":\"on\"}}}");
    json_auto_t *inner = json_array();
    json_auto_t *outer = json_array();
    for (int i = 0; i < 100; i++)
        (void)json_array_append_new(inner, json_integer(0));
    for (int i = 0; i < 100; i++)
        (void)json_array_append(outer, inner);
    json_auto_t *values = json_pack("{s:O,s:s}", "l", outer, "v", "on");
    struct flag_context c = flag_context(values, 0);
    struct flag_answer a;
    unsigned steps = 0;
    flag_evaluate(d, flag_document_find(d, STR("g")), &c, &a);
    assert_string_equal(a.variant, "on");
    steps += a.steps;
    flag_evaluate(d, flag_document_find(d, STR("f")), &c, &a);
    assert_int_equal(a.error, FLAG_GENERAL);
    steps += a.steps;
    assert_int_equal(steps, LIMIT_FLAG_STEPS);
    assert_int_equal(c.steps_left, 0);
    flag_evaluate(d, flag_document_find(d, STR("g")), &c, &a);
    assert_int_equal(a.error, FLAG_GENERAL);
    flag_evaluate(d, flag_document_find(d, STR("h")), &c, &a);
    assert_string_equal(a.variant, "on");
}

static void a_rule_makes_texts_of_at_most_64_kib(void **state)
{
    (void)state;
    char *text = malloc(40 * KIB);
    memset(text, 'x', 40 * KIB - 1);
    text[40 * KIB - 1] = '\0';
    json_auto_t *values = json_pack("{s:s}", "x", text);
    free(text);
    char *context = json_dumps(values, 0);
    assert_string_equal(
        of_flag("\"state\":\"ENABLED\"," ON_OFF
                ",\"targeting\":{\"if\":[{\"cat\":[{\"var\":\"x\"},\"y\"]},\"on\"]}",
                context),
        "TARGETING_MATCH on true");
    assert_string_equal(
        of_flag("\"state\":\"ENABLED\"," ON_OFF
                ",\"targeting\":{\"if\":[{\"cat\":[{\"var\":\"x\"},{\"var\":\"x\"}]},\"on\"]}",
                context),
        "ERROR GENERAL");
    free(context);
}

static void a_document_has_at_most_five_thousand_flags_and_a_mebibyte(void **state)
{
    (void)state;
    CLEANUP(strbuf) struct strbuf b = strbuf_init(4 * MIB);
    (void)strbuf_adds(&b, "{\"flags\":{\"x\":{\"state\":\"ENABLED\"," ON_OFF "}");
    for (int i = 0; i < LIMIT_FLAGS; i++)
        (void)strbuf_printf(&b, ",\"f%d\":{\"state\":\"ENABLED\"," ON_OFF "}", i);
    (void)strbuf_adds(&b, "}}");
    struct err e = { 0 };
    struct flag_document *d = NULL;
    assert_fails(flag_document_parse(strbuf_str(&b), "many", &d, &e), &e, ERR_LIMIT);
    while (b.n <= LIMIT_FLAG_DOCUMENT_BYTES)
        (void)strbuf_adds(&b, "                                                                ");
    assert_fails(flag_document_parse(strbuf_str(&b), "large", &d, &e), &e, ERR_LIMIT);
    assert_non_null(strstr(e.why, "large"));
}

/* ---- Telling --------------------------------------------------------------------------------- */

static void collect(void *to, int depth, const char *text)
{
    (void)strbuf_printf(to, "%d %s\n", depth, text);
}

static void each_operator_tells_its_operands_and_its_result(void **state)
{
    (void)state;
    CLEANUP(flag_document)
    struct flag_document *d =
        document_of("{\"flags\":{\"f\":{\"state\":\"ENABLED\"," ON_OFF
                    ",\"targeting\":{\"if\":[{\"==\":[{\"var\":\"plan\"},\"pro\"]},\"on\","
                    "{\"fractional\":[[\"on\",25],[\"off\",75]]}]}}}}");
    json_auto_t *values = json_pack("{s:s,s:s}", "plan", "free", "targetingKey", "u1");
    struct flag_context c = flag_context(values, 0);
    struct flag_answer a;
    CLEANUP(strbuf) struct strbuf told = strbuf_init(MIB);
    flag_explain(d, flag_document_at(d, 0), &c, collect, &told, &a);
    assert_string_equal(a.variant, "off");
    assert_string_equal(strbuf_text(&told),
                        "3 var plan → \"free\"\n"
                        "2 == \"free\", \"pro\" → false\n"
                        "2 fractional unit \"fu1\" is in bucket 39 of 100 → \"off\"\n"
                        "1 if false, \"off\" → \"off\"\n"
                        "0 f: TARGETING_MATCH, variant off\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reason_follows_from_state_rule_and_default),
        cmocka_unit_test(a_document_is_refused_whole_with_the_flag_named),
        cmocka_unit_test(flags_are_found_in_both_forms_and_ordered_by_key),
        cmocka_unit_test(metadata_of_the_flag_lies_over_that_of_the_set),
        cmocka_unit_test(an_evaluator_stands_for_its_rule),
        cmocka_unit_test(the_time_and_the_key_are_ours_whatever_the_context_says),
        cmocka_unit_test(an_unmet_requirement_serves_the_off_variant_and_names_itself),
        cmocka_unit_test(flags_that_require_each_other_are_broken),
        cmocka_unit_test(a_chain_of_requirements_ends_at_thirty_two),
        cmocka_unit_test(a_rule_may_be_thirty_two_operators_deep),
        cmocka_unit_test(a_document_holds_the_deepest_rule_that_can_be_written_alone),
        cmocka_unit_test(a_request_takes_ten_thousand_steps_over_all_its_flags),
        cmocka_unit_test(a_rule_makes_texts_of_at_most_64_kib),
        cmocka_unit_test(a_document_has_at_most_five_thousand_flags_and_a_mebibyte),
        cmocka_unit_test(each_operator_tells_its_operands_and_its_result),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
