/*
 * JSON written as it comes is what jansson would have written.
 */
#include "assert_ok.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "base/json_write.h"

#include <stdlib.h>

static void free_text(char **text)
{
    free(*text);
}

static void the_text_is_that_of_the_same_value_built(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    __attribute__((cleanup(free_text))) char *text = NULL;
    size_t n = 0;
    const char *odd = "\x01 \" \\ / \b\f\n\r\t \x1f \x7f é 漢 😀";
    struct json_writer w = { .file = open_memstream(&text, &n) };
    json_write_open(&w, NULL, '{');
    json_write_int(&w, "v", INT64_MIN);
    json_write_text(&w, odd, odd);
    json_write_open(&w, "rows", '[');
    for (int i = 0; i < 2; i++) {
        json_write_open(&w, NULL, '{');
        json_write_bool(&w, "yes", i == 0);
        json_write_text(&w, "empty", "");
        json_write_close(&w, '}');
    }
    json_write_int(&w, NULL, 7);
    json_write_close(&w, ']');
    json_write_open(&w, "none", '[');
    json_write_close(&w, ']');
    json_write_close(&w, '}');
    assert_int_equal(fclose(w.file), 0);

    json_t *built =
        json_pack("{s:I, s:s, s:[{s:b, s:s}, {s:b, s:s}, i], s:[]}", "v", (json_int_t)INT64_MIN,
                  odd, odd, "rows", "yes", true, "empty", "", "yes", false, "empty", "", 7, "none");
    assert_non_null(built);
    assert_string_equal(text, json_text_in_order(a, built));
    json_decref(built);
}

static void bytes_that_are_no_text_still_give_a_document(void **state)
{
    (void)state;
    __attribute__((cleanup(free_text))) char *text = NULL;
    size_t n = 0;
    struct json_writer w = { .file = open_memstream(&text, &n) };
    json_write_open(&w, NULL, '[');
    json_write_text(&w, NULL, "a\xff\xc3");
    json_write_close(&w, ']');
    assert_int_equal(fclose(w.file), 0);
    assert_string_equal(text, "[\"a\\u00FF\\u00C3\"]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_text_is_that_of_the_same_value_built),
        cmocka_unit_test(bytes_that_are_no_text_still_give_a_document),
    };
    return cmocka_run_group_tests_name("base/json_write", tests, NULL, NULL);
}
