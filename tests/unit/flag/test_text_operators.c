/*
 * What each operator gives, row by row: texts, lists, versions and shares of users.
 *
 * Each row is as @openfeature/flagd-core 4.0.1 interprets it, unless its test says why not.
 */
#include "rule_fixture.h"

static void texts_are_counted_in_utf16_units_and_joined_as_javascript_does(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "{\"cat\":[\"a\",1,true,null,1.5]}", NULL, "\"a1true1.5\"" },
        { "{\"cat\":[]}", NULL, "\"\"" },
        { "{\"cat\":\"a\"}", NULL, "\"a\"" },
        { "{\"cat\":{\"var\":\"x\"}}", "{\"x\":[\"a\",\"b\"]}", "\"ab\"" },
        { "{\"cat\":{\"var\":\"x\"}}", NULL, "raises" },
        { "{\"cat\":[{\"var\":\"x\"},\"!\"]}", NULL, "\"!\"" },
        { "{\"cat\":[{\"var\":\"x\"}]}", "{\"x\":{\"a\":1}}", "\"[object Object]\"" },
        { "{\"cat\":[[\"a\",[\"b\",null]]]}", NULL, "\"a,b,\"" },
        { "{\"cat\":[1e+21,\" \",1e-7,\" \",0.000001,\" \",123456789012345680000.0]}", NULL,
          "\"1e+21 1e-7 0.000001 123456789012345680000\"" },
        { "{\"substr\":[\"hello\",1]}", NULL, "\"ello\"" },
        { "{\"substr\":[\"hello\",-3]}", NULL, "\"llo\"" },
        { "{\"substr\":[\"hello\",1,3]}", NULL, "\"ell\"" },
        { "{\"substr\":[\"hello\",1,-1]}", NULL, "\"ell\"" },
        { "{\"substr\":[\"hello\",-4,-2]}", NULL, "\"el\"" },
        { "{\"substr\":[\"hello\",\"1\",\"2\"]}", NULL, "\"el\"" },
        { "{\"substr\":[\"hello\",1,\"-1\"]}", NULL, "\"\"" },
        { "{\"substr\":[\"hello\",1.9]}", NULL, "\"ello\"" },
        { "{\"substr\":[\"hello\",0,null]}", NULL, "\"\"" },
        { "{\"substr\":[\"a😀b\",1,2]}", NULL, "\"😀\"" },
        { "{\"substr\":[\"a😀b\",3]}", NULL, "\"b\"" },
        { "{\"cat\":[{\"substr\":[\"😀\",0,1]},{\"substr\":[\"😀\",1,1]}]}", NULL, "\"😀\"" },
        { "{\"substr\":[5,0]}", NULL, "raises" },
        { "{\"substr\":[{\"var\":\"x\"},0]}", NULL, "raises" },
        { "{\"substr\":[\"日本語\",1,1]}", NULL, "\"本\"" },
        { "{\"in\":[\"a\",[\"a\",\"b\"]]}", NULL, "true" },
        { "{\"in\":[1,[\"1\"]]}", NULL, "false" },
        { "{\"in\":[\"ell\",\"hello\"]}", NULL, "true" },
        { "{\"in\":[1,\"a1\"]}", NULL, "true" },
        { "{\"in\":[null,\"null\"]}", NULL, "true" },
        { "{\"in\":[\"a\",null]}", NULL, "false" },
        { "{\"in\":[\"\",\"\"]}", NULL, "false" },
        { "{\"in\":[\"\",\"a\"]}", NULL, "true" },
        { "{\"in\":[\"a\",5]}", NULL, "raises" },
        { "{\"in\":[\"a\",{\"var\":\"x\"}]}", "{\"x\":{}}", "raises" },
        { "{\"in\":[\"a\"]}", NULL, "false" },
        { "{\"in\":[{\"var\":\"x\"},[null]]}", NULL, "true" },
    };
    EXPECT_OUTCOMES(rows);
}

static void lists_are_walked_with_variables_relative_to_the_item(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "{\"merge\":[1,[2,[3]]]}", NULL, "[1,2,[3]]" },
        { "{\"merge\":5}", NULL, "[5]" },
        { "{\"merge\":{\"var\":\"x\"}}", "{\"x\":[[1],[2]]}", "[1,2]" },
        { "{\"map\":[[1,2],{\"*\":[{\"var\":\"\"},2]}]}", NULL, "[2,4]" },
        { "{\"map\":[{\"var\":\"x\"},{\"var\":\"a\"}]}", "{\"x\":[{\"a\":1},{}]}", "[1,null]" },
        { "{\"map\":[{\"var\":\"x\"},1]}", NULL, "[]" },
        { "{\"map\":[\"ab\",1]}", NULL, "raises" },
        { "{\"map\":[5,1]}", NULL, "raises" },
        { "{\"filter\":[[1,2,3],{\">\":[{\"var\":\"\"},1]}]}", NULL, "[2,3]" },
        { "{\"filter\":[\"abc\",true]}", NULL, "\"abc\"" },
        { "{\"filter\":[\"abc\",0]}", NULL, "[]" },
        { "{\"reduce\":[[1,2,3],{\"+\":[{\"var\":\"current\"},{\"var\":\"accumulator\"}]},10]}",
          NULL, "16" },
        { "{\"reduce\":[[2,3],{\"*\":[{\"var\":\"accumulator\"},{\"var\":\"current\"}]}]}", NULL,
          "6" },
        { "{\"reduce\":[[],{\"+\":[{\"var\":\"current\"},{\"var\":\"accumulator\"}]}]}", NULL,
          "0" },
        { "{\"reduce\":[[\"a\",\"b\"],{\"cat\":[{\"var\":\"accumulator\"},{\"var\":\"current\"}]},"
          "\"-\"]}",
          NULL, "\"-ab\"" },
        { "{\"reduce\":[[],{\"cat\":[{\"var\":\"accumulator\"},{\"var\":\"current\"}]}]}", NULL,
          "raises" },
        { "{\"reduce\":[[1,2],{\"merge\":[{\"var\":\"accumulator\"},[[{\"var\":\"current\"}]]]},[]]"
          "}",
          NULL, "raises" },
        { "{\"reduce\":[[1,2]]}", NULL, "raises" },
        { "{\"reduce\":[[1],{\"!==\":[{\"var\":[]},{\"var\":\"\"}]},0.5]}", NULL,
          "false" }, /* one object */
        { "{\"if\":[{\"var\":\"z\"},{\"map\":{\"var\":\"c\"}},\"a\"]}", NULL, "raises" },
        { "{\"if\":[{\"var\":\"z\"},{\"and\":{\"var\":\"c\"}},\"a\"]}", NULL, "\"a\"" },
        { "{\"some\":[[{\"var\":[]}],{\"starts_with\":[]}]}", NULL, "false" },
        { "{\"some\":[[1],{\"starts_with\":[]}]}", NULL, "raises" },
        { "{\"all\":[[1,2],{\">\":[{\"var\":\"\"},0]}]}", NULL, "true" },
        { "{\"all\":[[],true]}", NULL, "false" },
        { "{\"all\":[{\"var\":\"x\"},true]}", NULL, "false" },
        { "{\"some\":[[1,2],{\">\":[{\"var\":\"\"},1]}]}", NULL, "true" },
        { "{\"some\":[[],true]}", NULL, "false" },
        { "{\"none\":[[1,2],{\">\":[{\"var\":\"\"},5]}]}", NULL, "true" },
        { "{\"none\":[{\"var\":\"x\"},true]}", NULL, "true" },
        { "{\"some\":[\"abc\",{\"===\":[{\"var\":\"\"},\"b\"]}]}", NULL, "true" },
        { "{\"all\":[5,false]}", NULL, "true" },
        { "{\"some\":[{\"var\":\"x\"},{\"var\":\"y.z\"}]}", "{\"x\":[{\"y\":{\"z\":1}}]}", "true" },
        { "{\"map\":[[7,8],{\"var\":\"../index\"}]}", NULL, "[0,1]" },
        { "{\"map\":[[7],{\"var\":\"../../x\"}]}", "{\"x\":3}", "[3]" },
        { "{\"map\":[[[1,2]],{\"map\":[{\"var\":\"\"},{\"var\":\"../../../index\"}]}]}", NULL,
          "[[0,0]]" },
        { "{\"some\":[[1],{\"ends_with\":[\"ab\",\"b\"]}]}", NULL, "raises" },
        { "{\"map\":[[\"a\"],{\"fractional\":[[\"on\",1]]}]}", NULL, "raises" },
        { "{\"filter\":[5,{\"if\":[1,null,{\"missing\":[\"a\"]}]}]}", NULL, "[]" },
        { "{\"reduce\":[[],1,{\"ends_with\":[\"a\",\"b\"]}]}", NULL, "raises" },
        { "{\"!==\":[{\"map\":[{\"var\":\"x\"},1]},{\"map\":[{\"var\":\"x\"},1]}]}", NULL, "true" },
        { "{\"all\":[\"ab\",{\"===\":[{\"var\":\"../\"},\"ab\"]}]}", NULL, "true" },
        { "{\"map\":{\"var\":\"x\"}}", "{\"x\":[1]}", "raises" },
    };
    EXPECT_OUTCOMES(rows);
}

static void starts_with_and_ends_with_take_two_texts(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "{\"starts_with\":[\"abc\",\"ab\"]}", NULL, "true" },
        { "{\"starts_with\":[\"abc\",\"\"]}", NULL, "true" },
        { "{\"ends_with\":[\"abc\",\"bc\"]}", NULL, "true" },
        { "{\"ends_with\":[\"c\",\"bc\"]}", NULL, "false" },
        { "{\"starts_with\":[{\"var\":\"x\"},\"a\"]}", NULL, "null" },
        { "{\"starts_with\":[1,\"1\"]}", NULL, "null" },
        { "{\"starts_with\":[\"a\"]}", NULL, "null" },
        { "{\"starts_with\":[\"a\",\"a\",\"a\"]}", NULL, "null" },
        { "{\"ends_with\":{\"var\":\"x\"}}", "{\"x\":[\"ab\",\"b\"]}", "true" },
    };
    EXPECT_OUTCOMES(rows);
}

static void versions_are_compared_as_semver_says(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "{\"sem_ver\":[\"1.2.3\",\"=\",\"1.2.3\"]}", NULL, "true" },
        { "{\"sem_ver\":[\"1.2.3\",\"!=\",\"1.2.4\"]}", NULL, "true" },
        { "{\"sem_ver\":[\"1.2.3\",\"<\",\"1.10.0\"]}", NULL, "true" },
        { "{\"sem_ver\":[\"1.2.3\",\"<=\",\"1.2.3\"]}", NULL, "true" },
        { "{\"sem_ver\":[\"2.0.0\",\">\",\"1.9.9\"]}", NULL, "true" },
        { "{\"sem_ver\":[\"2.0.0\",\">=\",\"2.0.1\"]}", NULL, "false" },
        { "{\"sem_ver\":[\"1.9.0\",\"^\",\"1.0.0\"]}", NULL, "true" },
        { "{\"sem_ver\":[\"2.0.0\",\"^\",\"1.0.0\"]}", NULL, "false" },
        { "{\"sem_ver\":[\"1.2.9\",\"~\",\"1.2.0\"]}", NULL, "true" },
        { "{\"sem_ver\":[\"1.3.0\",\"~\",\"1.2.0\"]}", NULL, "false" },
        { "{\"sem_ver\":[\"v1.2.3\",\"=\",\"V1.2.3\"]}", NULL, "true" },
        { "{\"sem_ver\":[\"1\",\"=\",\"1.0.0\"]}", NULL, "true" },
        { "{\"sem_ver\":[\"1.2\",\"<\",\"1.2.1\"]}", NULL, "true" },
        { "{\"sem_ver\":[1,\"=\",\"1.0.0\"]}", NULL, "true" },
        { "{\"sem_ver\":[1.5,\"=\",\"1.5.0\"]}", NULL, "true" },
        { "{\"sem_ver\":[\"1.0.0-alpha\",\"<\",\"1.0.0\"]}", NULL, "true" },
        { "{\"sem_ver\":[\"1.0.0-alpha.1\",\"<\",\"1.0.0-alpha.beta\"]}", NULL, "true" },
        { "{\"sem_ver\":[\"1.0.0-2\",\"<\",\"1.0.0-10\"]}", NULL, "true" },
        { "{\"sem_ver\":[\"1.0.0-rc\",\"<\",\"1.0.0-rc.1\"]}", NULL, "true" },
        { "{\"sem_ver\":[\"1.0.0+a\",\"=\",\"1.0.0+b\"]}", NULL, "true" },
        { "{\"sem_ver\":[\"1.0.0-01\",\"=\",\"1.0.0-01\"]}", NULL, "null" },
        { "{\"sem_ver\":[\"01.2.3\",\"=\",\"1.2.3\"]}", NULL, "null" },
        { "{\"sem_ver\":[\"1.2.3.4\",\"=\",\"1.2.3\"]}", NULL, "null" },
        { "{\"sem_ver\":[\"1.2.\",\"=\",\"1.2.0\"]}", NULL, "null" },
        { "{\"sem_ver\":[\"\",\"=\",\"\"]}", NULL, "null" },
        { "{\"sem_ver\":[\"x\",\"=\",\"x\"]}", NULL, "null" },
        { "{\"sem_ver\":[null,\"=\",\"1.0.0\"]}", NULL, "null" },
        { "{\"sem_ver\":[\"1.2.3\",\"==\",\"1.2.3\"]}", NULL, "null" },
        { "{\"sem_ver\":[\"9007199254740991.0.0\",\"=\",\"9007199254740991.0.0\"]}", NULL, "true" },
        { "{\"sem_ver\":[\"9007199254740992.0.0\",\"=\",\"9007199254740992.0.0\"]}", NULL, "null" },
        { "{\"sem_ver\":[\"12345678901234567.3\",\"=\",\"3.0.0\"]}", NULL, "true" },
        { "{\"sem_ver\":[\"3.12345678901234567\",\"=\",\"3.0.0\"]}", NULL, "true" },
        { "{\"sem_ver\":[\"12345678901234567\",\"=\",\"1.0.0\"]}", NULL, "null" },
        { "{\"sem_ver\":[\"9999999999999999.1\",\"=\",\"1.0.0\"]}", NULL, "null" },
        { "{\"sem_ver\":[\"1.0.0-\",\"=\",\"1.0.0-\"]}", NULL, "null" },
        { "{\"sem_ver\":[\"1.0.0+\",\"=\",\"1.0.0+\"]}", NULL, "null" },
        { "{\"sem_ver\":[\"1.0.0\",\"=\"]}", NULL, "null" },
        { "{\"sem_ver\":[\"1.0.0\",\"=\",\"1.0.0\",1]}", NULL, "null" },
    };
    EXPECT_OUTCOMES(rows);
}

/* Forms that the reference takes and others do not. */
static void versions_with_blanks_or_two_letters_are_none(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "{\"sem_ver\":[\"2,\",\"=\",\"2.0.0\"]}", NULL, "null" },
        { "{\"sem_ver\":[\"1.2-\",\"=\",\"1.2.0\"]}", NULL, "null" },
        { "{\"sem_ver\":[\" 1.2.3\",\"=\",\"1.2.3\"]}", NULL, "null" },
        { "{\"sem_ver\":[\"1.2.3 \",\"=\",\"1.2.3\"]}", NULL, "null" },
        { "{\"sem_ver\":[\"vv1.2.3\",\"=\",\"1.2.3\"]}", NULL, "null" },
    };
    EXPECT_OUTCOMES(rows);
}

static void shares_follow_the_hash_of_the_unit(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "{\"fractional\":[\"u1\",[\"on\",25],[\"off\",75]]}", NULL, "\"off\"" },
        { "{\"fractional\":[[\"on\",25],[\"off\",75]]}", "{\"targetingKey\":\"u1\"}", "\"off\"" },
        { "{\"fractional\":[[\"on\",25],[\"off\",75]]}", NULL, "null" },
        { "{\"fractional\":[[\"on\",25]]}", "{\"targetingKey\":\"\"}", "null" },
        { "{\"fractional\":[\"\",[\"a\",1],[\"b\",1]]}", NULL, "\"a\"" },
        { "{\"fractional\":[\"ejOoVL\",[\"a\",1],[\"b\",99]]}", NULL, "\"a\"" },
        { "{\"fractional\":[\"ceQdGm\",[\"a\",99],[\"b\",1]]}", NULL, "\"b\"" },
        { "{\"fractional\":[\"SI7p-\",[\"a\",50],[\"b\",50]]}", NULL, "\"a\"" },
        { "{\"fractional\":[\"6LvT0\",[\"a\",50],[\"b\",50]]}", NULL, "\"b\"" },
        { "{\"fractional\":[\"hello\",[\"a\",14],[\"b\",1],[\"c\",85]]}", NULL, "\"b\"" },
        { "{\"fractional\":[\"hello\",[\"a\",15],[\"b\",85]]}", NULL, "\"a\"" },
        { "{\"fractional\":[\"u\",[\"a\"],[\"b\"]]}", NULL, "\"a\"" },
        { "{\"fractional\":[\"u\",[\"a\",-5],[\"b\",1]]}", NULL, "\"b\"" },
        { "{\"fractional\":[\"u\",[\"a\",0]]}", NULL, "null" },
        { "{\"fractional\":[\"u\",[\"a\",1.5]]}", NULL, "null" },
        { "{\"fractional\":[\"u\",[\"a\",\"1\"]]}", NULL, "null" },
        { "{\"fractional\":[\"u\",[\"a\",null]]}", NULL, "null" },
        { "{\"fractional\":[\"u\",[\"a\",1,1]]}", NULL, "null" },
        { "{\"fractional\":[\"u\",[]]}", NULL, "null" },
        { "{\"fractional\":[\"u\",\"a\"]}", NULL, "null" },
        { "{\"fractional\":[\"u\",[\"a\",2147483647]]}", NULL, "\"a\"" },
        { "{\"fractional\":[\"u\",[\"a\",2147483647],[\"b\",1]]}", NULL, "null" },
        { "{\"fractional\":[\"u\",[null,1]]}", NULL, "null" },
        { "{\"fractional\":[\"u\",[true,1]]}", NULL, "true" },
        { "{\"fractional\":[\"u\",[7,1]]}", NULL, "7" },
        { "{\"fractional\":[\"u\",[[\"a\"],1]]}", NULL, "null" },
        { "{\"fractional\":[]}", NULL, "null" },
        { "{\"fractional\":\"u\"}", NULL, "null" },
        { "{\"fractional\":[{\"var\":\"x\"},[\"on\",1]]}", "{\"targetingKey\":\"u1\"}", "null" },
        { "{\"fractional\":[{\"var\":\"x\"},[\"on\",1]]}", "{\"x\":5,\"targetingKey\":\"u1\"}",
          "null" },
        { "{\"fractional\":[{\"var\":\"x\"},[\"on\",1]]}",
          "{\"x\":[\"list\",1],\"targetingKey\":\"u1\"}", "\"list\"" },
        { "{\"fractional\":[{\"var\":\"x\"},[\"on\",1]]}", "{\"x\":\"k\"}", "\"on\"" },
        { "{\"fractional\":[\"u\",[\"a\",{\"var\":\"x\"}]]}", "{\"x\":3}", "\"a\"" },
        { "{\"fractional\":[\"u\",[{\"if\":[{\"var\":\"x\"},\"yes\",\"no\"]},1]]}", "{\"x\":3}",
          "\"yes\"" },
        { "{\"fractional\":[[\"on\",1]]}", "{\"targetingKey\":5}", "\"on\"" },
        { "{\"fractional\":{\"var\":\"x\"}}", "{\"x\":[\"u\",[\"on\",1]]}", "\"on\"" },
    };
    EXPECT_OUTCOMES(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_counted_in_utf16_units_and_joined_as_javascript_does),
        cmocka_unit_test(lists_are_walked_with_variables_relative_to_the_item),
        cmocka_unit_test(starts_with_and_ends_with_take_two_texts),
        cmocka_unit_test(versions_are_compared_as_semver_says),
        cmocka_unit_test(versions_with_blanks_or_two_letters_are_none),
        cmocka_unit_test(shares_follow_the_hash_of_the_unit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
