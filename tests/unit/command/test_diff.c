/*
 * The unified difference, against texts written down by hand and against patch(1)'s own idea of it.
 */
#include "assert_ok.h"

#include "base/fs.h"
#include "base/limits.h"
#include "base/proc.h"
#include "base/strbuf.h"
#include "command/init/diff.h"

#include <stdlib.h>

static const char *shown(struct arena *a, const char *before, const char *after)
{
    struct diff_line *lines;
    size_t n;
    const char *all = "";
    diff_unified(a, "f", false, str_of(before), str_of(after), &lines, &n);
    for (size_t i = 0; i < n; i++)
        all = arena_printf(a, "%s%.*s\n", all, STR_FMT(lines[i].text));
    return all;
}

static void equal_texts_have_no_difference(void **state)
{
    struct arena *a = *state;
    assert_string_equal(shown(a, "a\nb\n", "a\nb\n"), "");
    assert_string_equal(shown(a, "", ""), "");
}

static void a_changed_line_has_three_lines_around_it(void **state)
{
    struct arena *a = *state;
    assert_string_equal(shown(a, "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n"),
                        "--- a/f\n+++ b/f\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
}

static void a_missing_last_line_end_is_said(void **state)
{
    struct arena *a = *state;
    assert_string_equal(shown(a, "a", "a\n"), "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n"
                                              "\\ No newline at end of file\n+a\n");
    assert_string_equal(shown(a, "a\n", ""), "--- a/f\n+++ b/f\n@@ -1 +0,0 @@\n-a\n");
}

/* A text of up to `lines` lines of few different words, so that much of it is equal. */
static const char *random_text(struct arena *a, unsigned *seed, int lines)
{
    const char *text = "";
    int n = rand_r(seed) % (lines + 1);
    for (int i = 0; i < n; i++)
        text = arena_printf(a, "%s%c%s", text, 'a' + rand_r(seed) % 5,
                            i + 1 == n && rand_r(seed) % 4 == 0 ? "" : "\n");
    return text;
}

static void put_file(const char *path, const char *text)
{
    struct err e = { 0 };
    assert_ok(fs_replace(path, str_of(text), 0644, &e), &e);
}

static void patch_makes_the_new_text_of_the_old_one(void **state)
{
    struct arena *a = *state;
    struct err e = { 0 };
    char dir[] = "/tmp/lockflight-diff-XXXXXX";
    unsigned seed = 7;
    assert_non_null(mkdtemp(dir));
    const char *file = fs_join(a, dir, "f"), *patch = fs_join(a, dir, "p");
    for (int i = 0; i < 60; i++) {
        const char *before = random_text(a, &seed, 30), *after = random_text(a, &seed, 30);
        struct proc_result result;
        struct str now;
        if (streq(before, after))
            continue;
        put_file(file, before);
        put_file(patch, shown(a, before, after));
        struct proc_spec spec = {
            .argv = (const char *[]){ "git", "apply", "--unidiff-zero", "p", NULL },
            .cwd = dir,
            .timeout_ms = 10000,
            .merge_stderr = true,
        };
        assert_ok(proc_run(a, &spec, &result, &e), &e);
        if (result.exit_status != 0)
            print_error("%.*s\n%s", STR_FMT(result.out), shown(a, before, after));
        assert_int_equal(result.exit_status, 0);
        assert_ok(fs_read(a, file, KIB, &now, &e), &e);
        assert_true(str_is(now, after));
    }
    assert_ok(fs_remove_tree(dir, &e), &e);
}

static int setup(void **state)
{
    *state = arena_new(0);
    return 0;
}

static int teardown(void **state)
{
    arena_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(equal_texts_have_no_difference, setup, teardown),
        cmocka_unit_test_setup_teardown(a_changed_line_has_three_lines_around_it, setup, teardown),
        cmocka_unit_test_setup_teardown(a_missing_last_line_end_is_said, setup, teardown),
        cmocka_unit_test_setup_teardown(patch_makes_the_new_text_of_the_old_one, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
