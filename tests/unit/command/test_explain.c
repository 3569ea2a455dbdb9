/*
 * `lockflight help LF-…` knows every id that an error can have.
 */
#include "assert_ok.h"

#include "command/explain.h"

static void every_kind_of_error_is_explained(void **state)
{
    (void)state;
    for (int code = ERR_INTERNAL; code <= ERR_INTERRUPTED; code++) {
        struct err e = { .code = (enum err_code)code };
        if (!explanation_find(err_stable_id(&e)))
            fail_msg("%s (%s) has no explanation", err_stable_id(&e), err_name(e.code));
    }
}

static void an_id_is_found_in_any_case(void **state)
{
    (void)state;
    assert_non_null(explanation_find("lf-g001"));
    assert_null(explanation_find("LF-XXXX"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_error_is_explained),
        cmocka_unit_test(an_id_is_found_in_any_case),
    };
    return cmocka_run_group_tests_name("error ids", tests, NULL, NULL);
}
