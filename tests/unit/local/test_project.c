/*
 * What a project remembers of functions and secrets, and that it is on disk when a call returns.
 */
#include "assert_ok.h"

#include "base/fs.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/limits.h"
#include "local/project.h"

#include <stdlib.h>

static struct arena *a;
static struct err e;
static char dir[64];
static struct project *p;

static int set_up(void **state)
{
    (void)state;
    a = arena_new(0);
    (void)snprintf(dir, sizeof dir, "/tmp/lf-project.XXXXXX");
    return mkdtemp(dir) && project_open(dir, &p, &e) ? 0 : 1;
}

static int tear_down(void **state)
{
    (void)state;
    project_close(p);
    (void)!fs_remove_tree(dir, &e);
    arena_free(a);
    return 0;
}

static void open_again(void)
{
    project_close(p);
    assert_ok(project_open(dir, &p, &e), &e);
}

static json_t *next(const char *slug, const char *digest)
{
    json_t *members = json_pack("{s:s, s:s}", "ezbr_sha256", digest, "entrypoint_path", "index.ts");
    json_t *function = project_next_function(p, slug, members);
    json_decref(members);
    return function;
}

/* Stores it and returns the version it got. */
static int64_t put(json_t *function)
{
    json_auto_t *list = json_pack("[o]", function);
    json_auto_t *stored = NULL;
    assert_ok(project_put_functions(p, list, &stored, &e), &e);
    return json_int_or(json_array_get(stored, 0), "version", 0);
}

static void a_new_function_starts_at_one_and_asks_for_a_token(void **state)
{
    (void)state;
    json_auto_t *function = next("hello", "d1");
    assert_int_equal(json_int_or(function, "version", 0), 1);
    assert_true(json_bool_or(function, "verify_jwt", false));
    assert_int_equal(strlen(json_text_or(function, "id", "")), 36);
    json_auto_t *list = project_functions(p);
    assert_int_equal(json_array_size(list), 0); /* shown, not stored */
}

static void the_id_stays_and_the_version_rises(void **state)
{
    (void)state;
    assert_int_equal(put(next("hello", "d1")), 1);
    json_auto_t *first = project_function(p, "hello");
    assert_int_equal(put(next("hello", "d2")), 2);
    json_auto_t *second = project_function(p, "hello");
    assert_string_equal(json_text_or(first, "id", "?"), json_text_or(second, "id", "!"));
}

static void two_deploys_prepared_at_once_get_two_versions(void **state)
{
    (void)state;
    json_t *one = next("hello", "d1");
    json_t *other = next("hello", "d2");
    assert_int_equal(put(one), 1);
    assert_int_equal(put(other), 2);
}

static void putting_the_same_again_changes_no_version(void **state)
{
    (void)state;
    json_t *one = next("hello", "d1");
    json_t *again = json_deep_copy(one);
    assert_int_equal(put(one), 1);
    assert_int_equal(put(again), 1);
}

static void a_version_never_falls(void **state)
{
    (void)state;
    assert_int_equal(put(next("hello", "d1")), 1);
    assert_int_equal(put(next("hello", "d2")), 2);
    json_t *old = next("hello", "d1");
    (void)json_object_set_new(old, "version", json_integer(1));
    assert_int_equal(put(old), 3);
}

static void what_was_stored_is_there_after_a_restart(void **state)
{
    (void)state;
    json_auto_t *secrets = json_pack("[{s:s, s:s}]", "name", "TOKEN", "value", "geheim");
    (void)put(next("hello", "d1"));
    assert_ok(project_set_secrets(p, secrets, &e), &e);
    open_again();
    json_auto_t *function = project_function(p, "hello");
    json_auto_t *values = project_secret_values(p);
    assert_string_equal(json_text_or(function, "ezbr_sha256", ""), "d1");
    assert_string_equal(json_text_or(values, "TOKEN", ""), "geheim");
}

static void a_deleted_function_is_gone_and_another_delete_says_so(void **state)
{
    (void)state;
    bool found = false;
    (void)put(next("hello", "d1"));
    assert_ok(project_delete_function(p, "hello", &found, &e), &e);
    assert_true(found);
    assert_null(project_function(p, "hello"));
    assert_ok(project_delete_function(p, "hello", &found, &e), &e);
    assert_false(found);
}

static void secrets_are_shown_as_digests_only(void **state)
{
    (void)state;
    char digest[SHA256_HEX_BYTES];
    hash_hex(HASH_SHA256, STR("geheim"), digest);
    json_auto_t *secrets = json_pack("[{s:s, s:s}]", "name", "TOKEN", "value", "geheim");
    assert_ok(project_set_secrets(p, secrets, &e), &e);
    json_auto_t *shown = project_secret_digests(p);
    assert_string_equal(json_text_or(json_array_get(shown, 0), "value", ""), digest);
    assert_null(strstr(json_text(a, shown), "geheim"));
}

static void one_bad_secret_leaves_all_as_they_were(void **state)
{
    (void)state;
    static const char *const names[] = { "",    "SUPABASE_URL", "1X", "A-B", "A=B",
                                         "A B", "PATH\n",       "ÄÖ", "A.B", "SUPABASE_" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        json_auto_t *list = json_pack("[{s:s, s:s}, {s:s, s:s}]", "name", "GOOD", "value", "x",
                                      "name", names[i], "value", "y");
        assert_fails(project_set_secrets(p, list, &e), &e, ERR_DATA);
    }
    json_auto_t *values = project_secret_values(p);
    assert_int_equal(json_object_size(values), 0);
}

static void a_secret_of_the_hosted_limit_fits_and_one_byte_more_does_not(void **state)
{
    (void)state;
    char *value = arena_alloc(a, LIMIT_SECRET_VALUE_BYTES + 2);
    memset(value, 'x', LIMIT_SECRET_VALUE_BYTES);
    json_auto_t *fits = json_pack("[{s:s, s:s}]", "name", "BIG", "value", value);
    assert_ok(project_set_secrets(p, fits, &e), &e);
    value[LIMIT_SECRET_VALUE_BYTES] = 'x';
    json_auto_t *over = json_pack("[{s:s, s:s}]", "name", "BIG", "value", value);
    assert_fails(project_set_secrets(p, over, &e), &e, ERR_DATA);
}

static void unsetting_what_is_not_there_is_no_error(void **state)
{
    (void)state;
    json_auto_t *names = json_pack("[s, i]", "NOBODY", 1);
    assert_ok(project_unset_secrets(p, names, &e), &e);
}

static void a_damaged_file_is_an_error_that_names_it(void **state)
{
    (void)state;
    assert_ok(fs_replace(fs_join(a, dir, "functions.json"), STR("{\"hello\": {"), 0600, &e), &e);
    struct project *other = NULL;
    assert_fails(project_open(dir, &other, &e), &e, ERR_DATA);
    assert_non_null(strstr(e.why, "functions.json"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_function_starts_at_one_and_asks_for_a_token),
        TEST(the_id_stays_and_the_version_rises),
        TEST(two_deploys_prepared_at_once_get_two_versions),
        TEST(putting_the_same_again_changes_no_version),
        TEST(a_version_never_falls),
        TEST(what_was_stored_is_there_after_a_restart),
        TEST(a_deleted_function_is_gone_and_another_delete_says_so),
        TEST(secrets_are_shown_as_digests_only),
        TEST(one_bad_secret_leaves_all_as_they_were),
        TEST(a_secret_of_the_hosted_limit_fits_and_one_byte_more_does_not),
        TEST(unsetting_what_is_not_there_is_no_error),
        TEST(a_damaged_file_is_an_error_that_names_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
