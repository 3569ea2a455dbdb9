/*
 * The ground floor: errors tell their story, arenas and buffers keep their limits, files are
 * replaced whole, children meet their deadlines.
 */
#include "assert_ok.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "base/proc.h"
#include "base/strbuf.h"

#include <stdlib.h>
#include <unistd.h>

static int arena_setup(void **state)
{
    *state = arena_new(0);
    return 0;
}

static int arena_teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static void a_wrapped_error_reads_from_the_outside_to_the_cause(void **state)
{
    (void)state;
    struct err e;
    err_set(&e, ERR_DB, "relation \"%s\" already exists", "orders");
    err_wrap(&e, "apply %s", "0042_orders.sql");
    err_wrap(&e, "deploy to staging");
    assert_string_equal(e.what, "deploy to staging: apply 0042_orders.sql");
    assert_string_equal(e.why, "relation \"orders\" already exists");
    assert_int_equal(e.code, ERR_DB);
}

static void an_error_text_longer_than_its_field_is_cut(void **state)
{
    struct arena *a = *state;
    char *longer = arena_alloc(a, 5000);
    memset(longer, 'x', 4999);
    struct err e;
    err_set(&e, ERR_DATA, "%s", longer);
    err_wrap(&e, "%s", longer);
    err_wrap(&e, "outer");
    assert_int_equal(strlen(e.why), sizeof e.why - 1);
    assert_true(starts_with(e.what, "outer: xxx"));
}

static void every_exit_status_of_the_manual_has_a_code(void **state)
{
    (void)state;
    const struct {
        enum err_code code;
        int status;
    } rows[] = {
        { ERR_INTERNAL, 1 }, { ERR_USAGE, 2 },   { ERR_CONFIG, 2 },
        { ERR_AUTH, 4 },     { ERR_BLOCKED, 5 }, { ERR_UNDONE, 6 },
        { ERR_AHEAD, 7 },    { ERR_STUCK, 8 },   { ERR_INTERRUPTED, 9 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err e = { .code = rows[i].code };
        assert_int_equal(err_exit_status(&e), rows[i].status);
    }
}

static void a_strbuf_stops_at_its_maximum_and_says_so(void **state)
{
    (void)state;
    CLEANUP(strbuf) struct strbuf b = strbuf_init(8);
    assert_true(strbuf_adds(&b, "12345678"));
    assert_false(strbuf_addc(&b, '9'));
    assert_true(b.overflowed);
    assert_string_equal(strbuf_text(&b), "12345678");
}

static void a_file_is_replaced_whole_and_read_back(void **state)
{
    struct arena *a = *state;
    char dir[] = "/tmp/lockflight-test-XXXXXX";
    assert_non_null(mkdtemp(dir));
    struct err e;
    char *path = fs_join(a, dir, "value");
    assert_ok(fs_replace(path, STR("one"), 0600, &e), &e);
    assert_ok(fs_replace(path, STR("two"), 0600, &e), &e);
    struct str read;
    assert_ok(fs_read(a, path, 10, &read, &e), &e);
    assert_true(str_is(read, "two"));
    assert_fails(fs_read(a, path, 2, &read, &e), &e, ERR_LIMIT);
    assert_fails(fs_read(a, fs_join(a, dir, "none"), 2, &read, &e), &e, ERR_NOT_FOUND);
    assert_ok(fs_remove_tree(dir, &e), &e);
    assert_false(fs_exists(dir));
}

static void a_child_gets_its_input_and_returns_both_outputs(void **state)
{
    struct arena *a = *state;
    struct err e;
    struct proc_result r;
    const char *argv[] = { "/bin/sh", "-c", "cat; echo oops >&2; exit 3", NULL };
    struct proc_spec spec = { .argv = argv, .input = STR("hello") };
    assert_ok(proc_run(a, &spec, &r, &e), &e);
    assert_int_equal(r.exit_status, 3);
    assert_true(str_is(r.out, "hello"));
    assert_true(str_is(r.err, "oops\n"));
}

static void a_child_past_its_deadline_is_ended_with_its_group(void **state)
{
    struct arena *a = *state;
    struct err e;
    struct proc_result r;
    const char *argv[] = { "/bin/sh", "-c", "sleep 60 & sleep 60", NULL };
    struct proc_spec spec = { .argv = argv, .timeout_ms = 50 };
    assert_fails(proc_run(a, &spec, &r, &e), &e, ERR_TIMEOUT);
    assert_int_equal(r.exit_status, 128 + 15);
}

static void a_background_grandchild_does_not_keep_a_finished_child_waiting(void **state)
{
    struct arena *a = *state;
    struct err e;
    struct proc_result r;
    const char *argv[] = { "/bin/sh", "-c", "sleep 4 & echo done", NULL };
    struct proc_spec spec = { .argv = argv, .timeout_ms = 3000 };
    assert_ok(proc_run(a, &spec, &r, &e), &e);
    assert_true(str_is(r.out, "done\n"));
}

static void a_child_that_prints_too_much_is_stopped(void **state)
{
    struct arena *a = *state;
    struct err e;
    struct proc_result r;
    const char *argv[] = { "/bin/sh", "-c", "yes", NULL };
    struct proc_spec spec = { .argv = argv, .max_output_bytes = 100000 };
    assert_fails(proc_run(a, &spec, &r, &e), &e, ERR_LIMIT);
}

static void a_missing_program_is_not_found(void **state)
{
    struct arena *a = *state;
    struct err e;
    struct proc_result r;
    const char *argv[] = { "lockflight-no-such-program", NULL };
    assert_fails(proc_run(a, &(struct proc_spec){ .argv = argv }, &r, &e), &e, ERR_NOT_FOUND);
}

static void json_refuses_duplicates_and_deep_nesting(void **state)
{
    struct arena *a = *state;
    struct err e;
    assert_null(json_parse(STR("{\"a\":1,\"a\":2}"), "x", &e));
    assert_int_equal(e.code, ERR_DATA);
    char deep[201] = { 0 };
    memset(deep, '[', 100);
    memset(deep + 100, ']', 100);
    assert_null(json_parse(str_of(deep), "x", &e));
    assert_int_equal(e.code, ERR_LIMIT);
    json_auto_t *ok = json_parse(STR("{\"b\":2,\"a\":[1]}"), "x", &e);
    assert_string_equal(json_text(a, ok), "{\"a\":[1],\"b\":2}");
}

static void digests_equal_the_published_vectors(void **state)
{
    struct arena *a = *state;
    char sha1[SHA1_HEX_BYTES], sha256[SHA256_HEX_BYTES];
    hash_hex(HASH_SHA1, STR("abc"), sha1);
    hash_hex(HASH_SHA256, STR("abc"), sha256);
    assert_string_equal(sha1, "a9993e364706816aba3e25717850c26c9cd0d89d");
    assert_string_equal(sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    struct str back;
    assert_true(base64url_decode(a, str_of(base64url_encode(a, STR("a?>"))), &back));
    assert_true(str_is(back, "a?>"));
    assert_false(base64url_decode(a, STR("a*b"), &back));
    assert_false(base64url_decode(a, STR("日本é"), &back));
}

static void a_registered_secret_is_redacted_everywhere(void **state)
{
    struct arena *a = *state;
    log_redact(STR("s3cret-value"));
    log_redact(STR("s3cret-value-longer"));
    assert_string_equal(log_redacted(a, STR("x s3cret-value-longer y s3cret-value")),
                        "x [redacted] y [redacted]");
}

static void typing_distance_counts_edits_and_swaps(void **state)
{
    (void)state;
    assert_int_equal(str_distance("deploy", "deploy"), 0);
    assert_int_equal(str_distance("depoly", "deploy"), 1);
    assert_int_equal(str_distance("kitten", "sitting"), 3);
}

static void utf8_is_checked_to_the_letter(void **state)
{
    (void)state;
    assert_true(str_is_utf8(STR("São Paulo \xf0\x9f\x9a\xa2")));
    assert_false(str_is_utf8(STR("\xc0\xaf")));
    assert_false(str_is_utf8(STR("\xed\xa0\x80")));
    assert_false(str_is_utf8(STR("\xf4\x90\x80\x80")));
    assert_false(str_is_utf8((struct str){ "a\0b", 3 }));
}

static void durations_read_as_people_say_them(void **state)
{
    struct arena *a = *state;
    assert_string_equal(clock_duration(a, 850), "850 ms");
    assert_string_equal(clock_duration(a, 271000), "4 min 31 s");
    assert_string_equal(clock_rfc3339(a, 0), "1970-01-01T00:00:00Z");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, arena_setup, arena_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_wrapped_error_reads_from_the_outside_to_the_cause),
        TEST(an_error_text_longer_than_its_field_is_cut),
        TEST(every_exit_status_of_the_manual_has_a_code),
        TEST(a_strbuf_stops_at_its_maximum_and_says_so),
        TEST(a_file_is_replaced_whole_and_read_back),
        TEST(a_child_gets_its_input_and_returns_both_outputs),
        TEST(a_child_past_its_deadline_is_ended_with_its_group),
        TEST(a_background_grandchild_does_not_keep_a_finished_child_waiting),
        TEST(a_child_that_prints_too_much_is_stopped),
        TEST(a_missing_program_is_not_found),
        TEST(json_refuses_duplicates_and_deep_nesting),
        TEST(digests_equal_the_published_vectors),
        TEST(a_registered_secret_is_redacted_everywhere),
        TEST(typing_distance_counts_edits_and_swaps),
        TEST(utf8_is_checked_to_the_letter),
        TEST(durations_read_as_people_say_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
