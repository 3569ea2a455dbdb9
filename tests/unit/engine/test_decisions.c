/*
 * The pure decisions of a release: the phase table, unwinding, templates, comparing answers, the
 * source digest.
 */
#include "assert_ok.h"

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/hash.h"
#include "engine/check.h"
#include "engine/phase_table.h"
#include "engine/source.h"
#include "engine/unwind.h"

#include <stdlib.h>
#include <sys/stat.h>

/* ---- the table ---- */

static void every_phase_that_changes_something_can_be_taken_back_and_asked(void **state)
{
    (void)state;
    for (const struct phase *p = release_phases; p->name; p++) {
        bool changes = p->unwind != UNWIND_NOTHING;
        assert_int_equal(changes, p->undo != NULL);
        assert_int_equal(changes, p->probe != NULL);
    }
}

static void
the_site_is_published_after_the_backend_is_proved_and_the_build_comes_before_the_database(
    void **state)
{
    (void)state;
    assert_true(phase_find("publish") > phase_find("backend"));
    assert_true(phase_find("database") > phase_find("draft"));
    assert_true(phase_find("draft") > phase_find("test"));
    assert_true(phase_find("functions") > phase_find("database"));
    assert_null(phase_above(phase_find("gate")));
    assert_string_equal(phase_last()->name, "seal");
}

/* ---- unwinding ---- */

static void the_topmost_layer_is_taken_back_and_the_ones_below_stay_once_green(void **state)
{
    (void)state;
    assert_int_equal(unwind_decide(UNWIND_FIRST, KNOWS_NOTHING), MOVE_TAKE_BACK);
    assert_int_equal(unwind_decide(UNWIND_FIRST, KNOWS_RED), MOVE_TAKE_BACK);
    assert_int_equal(unwind_decide(UNWIND_FIRST, KNOWS_GREEN), MOVE_KEEP);
}

static void the_database_is_asked_about_before_it_is_touched(void **state)
{
    (void)state;
    assert_int_equal(unwind_decide(UNWIND_IF_RED, KNOWS_NOTHING), MOVE_ASK);
    assert_int_equal(unwind_decide(UNWIND_IF_RED, KNOWS_GREEN), MOVE_KEEP);
    assert_int_equal(unwind_decide(UNWIND_IF_RED, KNOWS_RED), MOVE_TAKE_BACK);
}

static void a_hidden_draft_is_always_removed(void **state)
{
    (void)state;
    assert_int_equal(unwind_decide(UNWIND_ALWAYS, KNOWS_GREEN), MOVE_TAKE_BACK);
    assert_int_equal(unwind_decide(UNWIND_ALWAYS, KNOWS_NOTHING), MOVE_TAKE_BACK);
}

/* ---- templates ---- */

static void templates_are_filled_in_and_braces_of_json_stay(void **state)
{
    struct arena *a = *state;
    struct err e = { 0 };
    const struct check_values values = { .functions = "http://f", .release = "r1" };
    const char *text;
    assert_ok(check_expand(a, "{functions}/health?r={release}", &values, &text, &e), &e);
    assert_string_equal(text, "http://f/health?r=r1");
    assert_ok(check_expand(a, "{\"release\": \"{release}\", \"a\": {}}", &values, &text, &e), &e);
    assert_string_equal(text, "{\"release\": \"r1\", \"a\": {}}");
}

static void an_unknown_template_and_one_without_a_value_are_errors_that_name_it(void **state)
{
    struct arena *a = *state;
    struct err e = { 0 };
    const struct check_values values = { .release = "r1" };
    const char *text;
    assert_fails(check_expand(a, "{sight}/", &values, &text, &e), &e, ERR_CONFIG);
    assert_non_null(strstr(e.why, "{sight}"));
    assert_fails(check_expand(a, "{site}/", &values, &text, &e), &e, ERR_CONFIG);
    assert_non_null(strstr(e.why, "{site}"));
}

/* ---- expected JSON ---- */

static bool contains(struct arena *a, const char *whole, const char *part, const char **path)
{
    struct err e = { 0 };
    json_auto_t *w = json_parse(str_of(whole), "whole", &e);
    json_auto_t *p = json_parse(str_of(part), "part", &e);
    assert_non_null(w);
    assert_non_null(p);
    bool fits = check_json_contains(a, w, p, path);
    if (!fits && path)
        *path = arena_strdup(a, *path); /* it may be a key of what is freed here */
    return fits;
}

static void an_answer_may_say_more_than_is_expected(void **state)
{
    struct arena *a = *state;
    assert_true(contains(a, "{\"ok\":true,\"release\":\"r\",\"checks\":{\"db_ms\":3}}",
                         "{\"ok\":true}", NULL));
    assert_true(contains(a, "{\"a\":{\"b\":1,\"c\":2}}", "{\"a\":{\"b\":1.0}}", NULL));
    assert_true(contains(a, "{\"l\":[1,2,3]}", "{\"l\":[1,2]}", NULL));
}

static void the_first_difference_is_named_by_its_path(void **state)
{
    struct arena *a = *state;
    const char *path = NULL;
    assert_false(contains(a, "{\"checks\":{\"db\":false}}", "{\"checks\":{\"db\":true}}", &path));
    assert_string_equal(path, "checks.db");
    assert_false(contains(a, "{\"a\":1}", "{\"b\":1}", &path));
    assert_string_equal(path, "b");
    assert_false(contains(a, "{\"l\":[1]}", "{\"l\":[1,2]}", &path));
    assert_string_equal(path, "l");
}

static void a_packed_check_comes_back_whole(void **state)
{
    struct arena *a = *state;
    struct text_pair header = { "content-type", "json" };
    struct config_check check = { .name = "health",
                                  .url = "{functions}/health",
                                  .expect = { .status = 201,
                                              .contains = "x",
                                              .json = "{\"ok\":true}",
                                              .headers = { &header, 1 } },
                                  .repeat = 3,
                                  .within_ms = 2000,
                                  .timeout_ms = 7,
                                  .module = "crm" };
    json_auto_t *packed = check_pack(&check);
    struct config_check back = check_unpack(a, packed);
    assert_string_equal(back.name, "health");
    assert_string_equal(back.url, check.url);
    assert_null(back.run);
    assert_int_equal(back.expect.status, 201);
    assert_string_equal(back.expect.json, "{\"ok\":true}");
    assert_int_equal(back.expect.headers.n, 1);
    assert_string_equal(back.expect.headers.v[0].value, "json");
    assert_int_equal(back.repeat, 3);
    assert_string_equal(back.module, "crm");
}

/* ---- source ---- */

static void a_blob_id_is_git_s_own(void **state)
{
    (void)state;
    char hex[SHA1_HEX_BYTES];
    source_blob_id(STR("hello\n"), hex);
    assert_string_equal(hex, "ce013625030ba8dba906f756967f9e9ca394464a");
    source_blob_id(STR(""), hex);
    assert_string_equal(hex, "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
}

static const char *digest_of(struct arena *a, const char *dir)
{
    struct err e = { 0 };
    struct source source;
    const char *const names[] = { "B", "A", NULL };
    struct source_spec spec = { .project_dir = dir,
                                .publish_dir = "dist",
                                .variable_names = names };
    assert_ok(source_read(a, &spec, &source, &e), &e);
    return source.digest;
}

static void write_file(struct arena *a, const char *dir, const char *name, const char *text)
{
    struct err e = { 0 };
    assert_ok(fs_replace(fs_join(a, dir, name), str_of(text), 0644, &e), &e);
}

static void what_is_built_and_how_it_is_checked_is_not_in_the_source_digest(void **state)
{
    struct arena *a = *state;
    struct err e = { 0 };
    char dir[] = "/tmp/lft-source.XXXXXX";
    assert_non_null(mkdtemp(dir));
    write_file(a, dir, "app.js", "1");
    const char *first = digest_of(a, dir);

    assert_ok(fs_mkdirs(fs_join(a, dir, "dist"), 0755, &e), &e);
    assert_ok(fs_mkdirs(fs_join(a, dir, "node_modules"), 0755, &e), &e);
    write_file(a, dir, "dist/app.js", "built");
    write_file(a, dir, "node_modules/x.js", "x");
    write_file(a, dir, "lockflight.toml", "version = 1");
    assert_string_equal(digest_of(a, dir), first);

    write_file(a, dir, "app.js", "2");
    assert_string_not_equal(digest_of(a, dir), first);
    write_file(a, dir, "app.js", "1");
    assert_string_equal(digest_of(a, dir), first);
    assert_int_equal(chmod(fs_join(a, dir, "app.js"), 0755), 0);
    assert_string_not_equal(digest_of(a, dir), first);
    assert_ok(fs_remove_tree(dir, &e), &e);
}

static int make_arena(void **state)
{
    *state = arena_new(0);
    return 0;
}

static int free_arena(void **state)
{
    arena_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_phase_that_changes_something_can_be_taken_back_and_asked),
        cmocka_unit_test(
            the_site_is_published_after_the_backend_is_proved_and_the_build_comes_before_the_database),
        cmocka_unit_test(the_topmost_layer_is_taken_back_and_the_ones_below_stay_once_green),
        cmocka_unit_test(the_database_is_asked_about_before_it_is_touched),
        cmocka_unit_test(a_hidden_draft_is_always_removed),
        cmocka_unit_test(templates_are_filled_in_and_braces_of_json_stay),
        cmocka_unit_test(an_unknown_template_and_one_without_a_value_are_errors_that_name_it),
        cmocka_unit_test(an_answer_may_say_more_than_is_expected),
        cmocka_unit_test(the_first_difference_is_named_by_its_path),
        cmocka_unit_test(a_packed_check_comes_back_whole),
        cmocka_unit_test(a_blob_id_is_git_s_own),
        cmocka_unit_test(what_is_built_and_how_it_is_checked_is_not_in_the_source_digest),
    };
    return cmocka_run_group_tests_name("decisions", tests, make_arena, free_arena);
}
