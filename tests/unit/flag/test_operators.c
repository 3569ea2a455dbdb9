/*
 * What each operator gives, row by row: truth, variables, control, comparison, arithmetic.
 *
 * Each row is as json-logic-engine 5.0.7 interprets it, unless its test says why not.
 */
#include "rule_fixture.h"

static void an_empty_list_and_an_empty_object_are_false(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "{\"!!\":[{\"var\":\"x\"}]}", "{\"x\":null}", "false" },
        { "{\"!!\":[{\"var\":\"x\"}]}", "{\"x\":false}", "false" },
        { "{\"!!\":[{\"var\":\"x\"}]}", "{\"x\":0}", "false" },
        { "{\"!!\":[{\"var\":\"x\"}]}", "{\"x\":\"\"}", "false" },
        { "{\"!!\":{\"var\":\"x\"}}", "{\"x\":[]}", "false" },
        { "{\"if\":[{\"var\":\"x\"},1,2]}", "{\"x\":[]}", "2" },
        { "{\"!!\":[{\"var\":\"x\"}]}", "{\"x\":{}}", "false" },
        { "{\"!!\":[{\"var\":\"x\"}]}", "{\"x\":\"0\"}", "true" },
        { "{\"!!\":[{\"var\":\"x\"}]}", "{\"x\":\"false\"}", "true" },
        { "{\"!!\":[{\"var\":\"x\"}]}", "{\"x\":{\"a\":1}}", "true" },
        { "{\"if\":[{\"var\":\"x\"},1,2]}", "{\"x\":[0]}", "1" },
        { "{\"!\":[]}", NULL, "true" },
        { "{\"!!\":[]}", NULL, "false" },
        { "{\"!\":[{\"var\":\"x\"}]}", "{\"x\":[0]}", "true" },
        { "{\"!\":{}}", NULL, "true" },
        { "{\"!\":[true,false]}", NULL, "false" },
    };
    EXPECT_OUTCOMES(rows);
}

static void a_variable_is_found_by_its_path_or_has_its_default(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "{\"var\":\"a.b\"}", "{\"a\":{\"b\":1}}", "1" },
        { "{\"var\":\"a\\\\.b\"}", "{\"a.b\":1}", "1" },
        { "{\"var\":\"l.1\"}", "{\"l\":[5,6]}", "6" },
        { "{\"var\":\"l.01\"}", "{\"l\":[5,6]}", "null" },
        { "{\"var\":\"l.2\"}", "{\"l\":[5,6]}", "null" },
        { "{\"var\":\"x\"}", NULL, "null" },
        { "{\"var\":[\"x\",7]}", NULL, "7" },
        { "{\"var\":[\"x\",7]}", "{\"x\":null}", "null" },
        { "{\"var\":[\"a.b\",7]}", "{\"a\":0}", "7" },
        { "{\"var\":\"a.b\"}", "{\"a\":0}", "0" },
        { "{\"var\":\"a.b.c\"}", "{\"a\":{\"b\":\"\"}}", "\"\"" },
        { "{\"var\":\"a.b.c.d\"}", "{\"a\":{\"b\":0}}", "null" },
        { "{\"if\":[{\"var\":\"\"},1,2]}", "{\"a\":1}", "1" },
        { "{\"if\":[{\"var\":null},1,2]}", NULL, "1" },
        { "{\"if\":[{\"var\":[]},1,2]}", NULL, "1" },
        { "{\"if\":[{\"var\":0},1,2]}", NULL, "1" },
        { "{\"var\":1}", "{\"1\":\"one\"}", "\"one\"" },
        { "{\"var\":{\"merge\":[\"a\",1]}}", "{\"a,1\":7,\"a\":8}", "7" },
        { "{\"var\":{\"merge\":[\"a\",\".\"]}}", NULL, "raises" },
        { "{\"var\":true}", NULL, "raises" },
        { "{\"var\":{\"cat\":[\"a\",\".b\"]}}", "{\"a\":{\"b\":2}}", "2" },
        { "{\"var\":{\"var\":\"k\"}}", "{\"k\":\"x\",\"x\":3}", "3" },
        { "{\"var\":{\"var\":\"k\"}}", "{\"k\":[\"y\",4]}", "4" },
        { "{\"var\":\"$flagd.flagKey\"}", NULL, "\"f\"" },
        { "{\"var\":\"$flagd.flagKey\"}", "{\"$flagd\":{\"flagKey\":\"mine\"}}", "\"f\"" },
        { "{\"var\":\".\"}", "{\"\":5}", "5" },
        { "{\"var\":\"../x\"}", "{\"x\":1}", "null" },
    };
    EXPECT_OUTCOMES(rows);
}

/* The reference would follow these into what JavaScript adds to values. */
static void only_own_members_are_seen(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "{\"var\":\"s.length\"}", "{\"s\":\"abc\"}", "null" },
        { "{\"var\":\"l.length\"}", "{\"l\":[1]}", "null" },
        { "{\"var\":\"__proto__.x\"}", NULL, "null" },
        { "{\"var\":\"o.constructor\"}", "{\"o\":{}}", "null" },
    };
    EXPECT_OUTCOMES(rows);
}

static void missing_lists_what_is_absent_and_counts_null_as_present(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "{\"missing\":[\"a\",\"b\"]}", "{\"a\":1}", "[\"b\"]" },
        { "{\"missing\":[\"a\"]}", "{\"a\":null}", "[]" },
        { "{\"missing\":\"a\"}", NULL, "[\"a\"]" },
        { "{\"missing\":[[\"a\",\"b\"]]}", "{\"a\":1}", "[[\"a\",\"b\"]]" },
        { "{\"missing\":[\"a.b\"]}", "{\"a\":0}", "[\"a.b\"]" },
        { "{\"missing\":[]}", NULL, "[]" },
        { "{\"missing\":{\"merge\":[\"a\",[\"b\"]]}}", "{\"b\":1}", "[\"a\"]" },
        { "{\"missing_some\":[1,[\"a\",\"b\"]]}", "{\"a\":1}", "[]" },
        { "{\"missing_some\":[2,[\"a\",\"b\"]]}", "{\"a\":1}", "[\"b\"]" },
        { "{\"missing_some\":[\"1\",[\"a\"]]}", NULL, "[\"a\"]" },
        { "{\"missing_some\":[1,\"ab\"]}", "{\"a\":1}", "[]" },
        { "{\"missing_some\":[1]}", NULL, "raises" },
        { "{\"missing_some\":[1,5]}", NULL, "[]" },
    };
    EXPECT_OUTCOMES(rows);
}

static void branches_are_chosen_lazily_but_constants_that_fail_are_found_early(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "{\"<\":[1,1,{\"<\":[{\"missing\":{\"/\":[\"on\"]}},1,2,3]}]}", NULL, "false" },
        { "{\"if\":[]}", NULL, "null" },
        { "{\"if\":[5]}", NULL, "5" },
        { "{\"if\":[false,1]}", NULL, "null" },
        { "{\"if\":[true,1,false,2]}", NULL, "1" },
        { "{\"if\":[0,1,0,2]}", NULL, "null" },
        { "{\"if\":[0,1,1,2,3]}", NULL, "2" },
        { "{\"if\":true}", NULL, "raises" },
        { "{\"if\":{\"var\":\"x\"}}", "{\"x\":1}", "raises" },
        { "{\"and\":[1,2,0,3]}", NULL, "0" },
        { "{\"and\":[1,2]}", NULL, "2" },
        { "{\"and\":[]}", NULL, "null" },
        { "{\"or\":[0,\"\",3,4]}", NULL, "3" },
        { "{\"or\":[0,\"\"]}", NULL, "\"\"" },
        { "{\"or\":[]}", NULL, "null" },
        { "{\"and\":{\"var\":\"x\"}}", "{\"x\":[1]}", "raises" },
        { "{\"if\":[false,{\"+\":[\"a\"]},\"on\"]}", NULL, "raises" },
        { "{\"if\":[false,{\"+\":[\"a\"]},false,1,\"on\"]}", NULL, "\"on\"" },
        { "{\"if\":[true,\"on\",{\"and\":{\"var\":\"x\"}}]}", "{\"x\":1}", "\"on\"" },
    };
    EXPECT_OUTCOMES(rows);
}

static void operators_that_are_not_of_the_standard_are_refused(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "{\"val\":\"x\"}", NULL, "refused" },
        { "{\"if\":[false,{\"throw\":\"x\"},\"on\"]}", NULL, "refused" },
        { "{\"length\":\"x\"}", NULL, "refused" },
        { "{\"cat\":[{\"$ref\":\"nobody\"}]}", NULL, "refused" },
        { "{\"and\":[true],\"or\":[true]}", NULL, "refused" },
    };
    EXPECT_OUTCOMES(rows);
}

static void loose_equality_makes_numbers_and_raises_on_what_is_none(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "{\"==\":[1,\"1\"]}", NULL, "true" },
        { "{\"==\":[{\"var\":\"x\"},1]}", "{\"x\":\"1\"}", "true" },
        { "{\"==\":[{\"var\":\"x\"},1]}", "{\"x\":true}", "true" },
        { "{\"==\":[{\"var\":\"x\"},0]}", NULL, "true" },
        { "{\"==\":[{\"var\":\"x\"},\"a\"]}", NULL, "false" },
        { "{\"==\":[\"\",{\"var\":\"x\"}]}", NULL, "false" },
        { "{\"==\":[{\"var\":\"x\"},1]}", "{\"x\":\"one\"}", "raises" },
        { "{\"==\":[{\"var\":\"x\"},1]}", "{\"x\":{}}", "raises" },
        { "{\"==\":[{\"var\":\"x\"},1]}", "{\"x\":[1]}", "raises" },
        { "{\"==\":[{\"var\":\"x\"},\"a\"]}", "{\"x\":{}}", "raises" },
        { "{\"==\":[\"a\",\"a\"]}", NULL, "true" },
        { "{\"==\":[null,null]}", NULL, "true" },
        { "{\"===\":[{\"var\":\"x\"},{\"var\":\"x\"}]}", "{\"x\":{\"a\":1}}", "true" },
        { "{\"===\":[{\"var\":\"x\"},{\"var\":\"y\"}]}", "{\"x\":[1],\"y\":[1]}", "false" },
        { "{\"===\":[1,\"1\"]}", NULL, "false" },
        { "{\"!==\":[1,\"1\"]}", NULL, "true" },
        { "{\"!=\":[{\"var\":\"x\"},\"b\"]}", "{\"x\":\"a\"}", "true" },
        { "{\"===\":[{\"var\":\"x\"},null]}", NULL, "true" },
        { "{\"==\":[1]}", NULL, "raises" },
        { "{\"==\":[1,1,1]}", NULL, "true" },
        { "{\"==\":[1,1,2]}", NULL, "false" },
        { "{\"==\":[\"a\",\"a\",\"a\"]}", NULL, "true" },
        { "{\"==\":[\"a\",\"a\",\"a\",\"a\"]}", NULL, "raises" },
        { "{\"===\":[2,2,2,2]}", NULL, "true" },
        { "{\"==\":[{},\"a\"]}", NULL, "raises" },
    };
    EXPECT_OUTCOMES(rows);
}

static void order_is_of_numbers_or_of_texts_and_chains(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "{\"<\":[1,2]}", NULL, "true" },
        { "{\"<\":[\"2\",\"10\"]}", NULL, "false" },
        { "{\"<\":[\"2\",10]}", NULL, "true" },
        { "{\"<\":[{\"var\":\"x\"},5]}", NULL, "true" },
        { "{\"<\":[{\"var\":\"x\"},5]}", "{\"x\":\"many\"}", "raises" },
        { "{\"<\":[{\"var\":\"x\"},\"b\"]}", NULL, "false" },
        { "{\"<=\":[null,\"\"]}", NULL, "true" },
        { "{\"<\":[\"a\",\"b\",\"c\"]}", NULL, "true" },
        { "{\"<\":[\"a\",\"b\",\"c\",\"d\"]}", NULL, "raises" },
        { "{\"<\":[1,2,3,4]}", NULL, "true" },
        { "{\"<\":[1,2,2]}", NULL, "false" },
        { "{\"<=\":[1,2,2]}", NULL, "true" },
        { "{\">\":[3,2,1]}", NULL, "true" },
        { "{\">=\":[2,2,1,1]}", NULL, "true" },
        { "{\"<\":[\"￮\",\"😀\"]}", NULL, "false" },
        { "{\"<\":[{\"var\":\"x\"},1]}", "{\"x\":true}", "false" },
        { "{\">\":[{\"var\":\"x\"},-1]}", "{\"x\":false}", "true" },
        { "{\"<\":[\" 1 \",2]}", NULL, "true" },
        { "{\"<\":[\"0x10\",17]}", NULL, "true" },
    };
    EXPECT_OUTCOMES(rows);
}

static void arithmetic_raises_where_there_is_no_number(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "{\"+\":[1,\"2\",true,null]}", NULL, "4" },
        { "{\"+\":[]}", NULL, "0" },
        { "{\"+\":\"5\"}", NULL, "5" },
        { "{\"+\":[\"a\"]}", NULL, "raises" },
        { "{\"+\":[{\"var\":\"x\"},1]}", NULL, "1" },
        { "{\"+\":[{\"var\":\"x\"},1]}", "{\"x\":[]}", "raises" },
        { "{\"+\":{\"var\":\"x\"}}", "{\"x\":[1,2,3]}", "6" },
        { "{\"+\":{\"var\":\"x\"}}", "{\"x\":\"\"}", "0" },
        { "{\"-\":[5]}", NULL, "-5" },
        { "{\"-\":[5,2,1]}", NULL, "2" },
        { "{\"-\":\"3\"}", NULL, "-3" },
        { "{\"-\":[{\"var\":\"x\"}]}", "{\"x\":\"a\"}", "raises" },
        { "{\"-\":{\"var\":\"x\"}}", "{\"x\":[\"a\"]}", "NaN" },
        { "{\"-\":[]}", NULL, "raises" },
        { "{\"*\":[]}", NULL, "1" },
        { "{\"*\":[2,\"3\"]}", NULL, "6" },
        { "{\"*\":[2,{}]}", NULL, "raises" },
        { "{\"/\":[8,2,2]}", NULL, "2" },
        { "{\"/\":[4]}", NULL, "0.25" },
        { "{\"/\":[0]}", NULL, "raises" },
        { "{\"/\":[1,0]}", NULL, "raises" },
        { "{\"/\":[1,\"0\"]}", NULL, "raises" },
        { "{\"/\":[-1,\"0\"]}", NULL, "-Infinity" },
        { "{\"/\":[]}", NULL, "raises" },
        { "{\"%\":[7,3]}", NULL, "1" },
        { "{\"%\":[-7,3]}", NULL, "-1" },
        { "{\"%\":[7]}", NULL, "raises" },
        { "{\"%\":[7,0]}", NULL, "raises" },
        { "{\"max\":[1,3,2]}", NULL, "3" },
        { "{\"min\":[1,3,2]}", NULL, "1" },
        { "{\"max\":[]}", NULL, "raises" },
        { "{\"max\":[\"1\"]}", NULL, "raises" },
        { "{\"max\":{\"var\":\"x\"}}", "{\"x\":[4,9]}", "9" },
        { "{\"+\":[0.1,0.2]}", NULL, "0.30000000000000004" },
        { "{\"+\":[1e+21,1]}", NULL, "1e+21" },
        { "{\"+\":\"1e400\"}", NULL, "Infinity" },
    };
    EXPECT_OUTCOMES(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_list_and_an_empty_object_are_false),
        cmocka_unit_test(a_variable_is_found_by_its_path_or_has_its_default),
        cmocka_unit_test(only_own_members_are_seen),
        cmocka_unit_test(missing_lists_what_is_absent_and_counts_null_as_present),
        cmocka_unit_test(branches_are_chosen_lazily_but_constants_that_fail_are_found_early),
        cmocka_unit_test(operators_that_are_not_of_the_standard_are_refused),
        cmocka_unit_test(loose_equality_makes_numbers_and_raises_on_what_is_none),
        cmocka_unit_test(order_is_of_numbers_or_of_texts_and_chains),
        cmocka_unit_test(arithmetic_raises_where_there_is_no_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
