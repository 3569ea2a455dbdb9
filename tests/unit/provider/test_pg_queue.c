/* Many statements in one exchange, against a real server. */
#include "assert_ok.h"
#include "pg_fixture.h"

#include "base/cleanup.h"
#include "provider/pg.h"

#include <stdlib.h>

struct fixture {
    struct arena *a;
    char *url;
    struct pg *db, *other;
    size_t told;
    struct err e;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->a = arena_new(0);
    f->url = pg_fixture_database(f->a);
    assert_ok(pg_open(&(struct pg_spec){ .url = f->url, .purpose = "test" }, &f->db, &f->e), &f->e);
    assert_ok(pg_open(&(struct pg_spec){ .url = f->url, .purpose = "other" }, &f->other, &f->e),
              &f->e);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    pg_close(f->db);
    pg_close(f->other);
    arena_free(f->a);
    free(f);
    return 0;
}

static const char *ask(struct fixture *f, const char *sql)
{
    struct pg_rows rows;
    assert_ok(pg_query(f->other, f->a, sql, PG_NONE, &rows, &f->e), &f->e);
    return rows.n ? pg_value(&rows, 0, 0) : NULL;
}

static void transaction(struct fixture *f, const char *sql)
{
    assert_ok(pg_begin(f->db, &f->e), &f->e);
    assert_true(pg_in_transaction(f->db));
    assert_ok(pg_run(f->db, sql, NULL, &f->e), &f->e);
    assert_ok(pg_commit(f->db, &f->e), &f->e);
    assert_false(pg_in_transaction(f->db));
}

static void count_commit(void *context, size_t nth)
{
    struct fixture *f = context;
    assert_int_equal(nth, f->told);
    f->told++;
}

static void nothing_is_sent_before_the_end_and_then_all_of_it(void **state)
{
    struct fixture *f = *state;
    struct pg_rows rows = { 0 };
    pg_queue_begin(f->db);
    transaction(f, "CREATE TABLE public.a (x int)");
    transaction(f, "CREATE TABLE public.b (x int)");
    assert_ok(pg_query_later(f->db, f->a, "SELECT $1::int + 1", PG_PARAMS("41"), &rows, &f->e),
              &f->e);
    assert_null(ask(f, "SELECT to_regclass('public.a')"));
    struct pg_queue_outcome outcome;
    assert_ok(pg_queue_end(f->db, count_commit, f, &outcome, &f->e), &f->e);
    assert_int_equal(outcome.commits, 2);
    assert_int_equal(f->told, 2);
    assert_int_equal(pg_int(&rows, 0, 0), 42);
    assert_string_equal(ask(f, "SELECT to_regclass('public.b')"), "public.b");
}

static void the_first_error_ends_the_rest_and_what_was_committed_stays(void **state)
{
    struct fixture *f = *state;
    struct pg_queue_outcome outcome;
    pg_queue_begin(f->db);
    transaction(f, "CREATE TABLE public.a (x int)");
    size_t second = pg_queue_length(f->db);
    transaction(f, "SELECT * FROM nowhere");
    transaction(f, "CREATE TABLE public.c (x int)");
    assert_fails(pg_queue_end(f->db, count_commit, f, &outcome, &f->e), &f->e, ERR_DB);
    assert_string_equal(f->e.sqlstate, "42P01");
    assert_int_equal(outcome.commits, 1);
    assert_int_equal(outcome.failed_at, second + 1);
    assert_int_equal(outcome.position, 15);
    pg_rollback(f->db);
    assert_string_equal(ask(f, "SELECT to_regclass('public.a')"), "public.a");
    assert_null(ask(f, "SELECT to_regclass('public.c')"));
    assert_ok(pg_run(f->db, "SELECT 1", NULL, &f->e), &f->e);
}

static void a_change_that_must_touch_a_row_and_does_not_ends_the_queue(void **state)
{
    struct fixture *f = *state;
    struct err gone = { 0 };
    (void)err_set(&gone, ERR_CONFLICT, "the row is gone");
    assert_ok(pg_run(f->db, "CREATE TABLE public.a (x int)", NULL, &f->e), &f->e);
    assert_ok(pg_run(f->db, "INSERT INTO public.a VALUES (1)", NULL, &f->e), &f->e);
    for (int queued = 0; queued < 2; queued++) {
        if (queued)
            pg_queue_begin(f->db);
        else
            assert_ok(pg_begin(f->db, &f->e), &f->e);
        bool ok = pg_expect(f->db, "SELECT 1 FROM public.a WHERE x = $1 FOR SHARE", PG_PARAMS("1"),
                            &gone, &f->e) &&
                  pg_expect(f->db, "UPDATE public.a SET x = 3 WHERE x = $1", PG_PARAMS("2"), &gone,
                            &f->e) &&
                  pg_run(f->db, "DELETE FROM public.a", NULL, &f->e) &&
                  (!queued || pg_queue_end(f->db, NULL, NULL, NULL, &f->e));
        assert_fails(ok, &f->e, ERR_CONFLICT);
        assert_string_equal(f->e.why, "the row is gone");
        pg_rollback(f->db);
        assert_string_equal(ask(f, "SELECT x FROM public.a"), "1");
    }
}

static void an_error_ends_its_own_part_and_not_the_next_one(void **state)
{
    struct fixture *f = *state;
    struct err own = { 0 }, fine = { .code = ERR_DB };
    struct pg_rows rows = { 0 };
    pg_queue_begin(f->db);
    pg_queue_part(f->db, &own);
    assert_ok(pg_run(f->db, "CREATE TABLE public.undone (x int)", NULL, &f->e), &f->e);
    assert_ok(pg_run(f->db, "SELECT * FROM nowhere", NULL, &f->e), &f->e);
    assert_ok(pg_run(f->db, "CREATE TABLE public.skipped (x int)", NULL, &f->e), &f->e);
    pg_queue_part(f->db, &fine);
    transaction(f, "CREATE TABLE public.kept (x int)");
    for (int i = 0; i < 5; i++) /* prepared, in each part anew */
        assert_ok(
            pg_exec(f->db, "INSERT INTO public.kept VALUES ($1)", PG_PARAMS("1"), NULL, &f->e),
            &f->e);
    pg_queue_part(f->db, NULL);
    for (int i = 0; i < 5; i++)
        assert_ok(
            pg_exec(f->db, "INSERT INTO public.kept VALUES ($1)", PG_PARAMS("1"), NULL, &f->e),
            &f->e);
    assert_ok(pg_query_later(f->db, f->a, "SELECT 7", PG_NONE, &rows, &f->e), &f->e);
    struct pg_queue_outcome outcome;
    assert_ok(pg_queue_end(f->db, count_commit, f, &outcome, &f->e), &f->e);
    assert_string_equal(own.sqlstate, "42P01");
    assert_int_equal(fine.code, ERR_NONE);
    assert_int_equal(outcome.commits, 1);
    assert_int_equal(pg_int(&rows, 0, 0), 7);
    assert_string_equal(ask(f, "SELECT count(*) FROM public.kept"), "10");
    assert_null(
        ask(f, "SELECT coalesce(to_regclass('public.undone'), to_regclass('public.skipped'))"));
}

static void an_error_of_a_part_without_a_place_for_it_is_that_of_the_queue(void **state)
{
    struct fixture *f = *state;
    struct pg_queue_outcome outcome;
    pg_queue_begin(f->db);
    assert_ok(pg_run(f->db, "SELECT * FROM nowhere", NULL, &f->e), &f->e);
    pg_queue_part(f->db, NULL);
    assert_ok(pg_run(f->db, "CREATE TABLE public.kept (x int)", NULL, &f->e), &f->e);
    assert_ok(pg_run(f->db, "SELECT 1 / 0", NULL, &f->e), &f->e);
    assert_fails(pg_queue_end(f->db, NULL, NULL, &outcome, &f->e), &f->e, ERR_DB);
    assert_string_equal(f->e.sqlstate, "42P01");
    assert_int_equal(outcome.failed_at, 0);
    assert_null(ask(f, "SELECT to_regclass('public.kept')"));
}

struct question {
    struct arena *a;
    struct pg_rows rows;
    struct err absent;
};

static bool ask_questions(void *context, struct pg *db, struct err *e)
{
    struct question *q = context;
    pg_queue_part(db, &q[0].absent);
    if (!pg_query_later(db, q[0].a, "SELECT x FROM public.nowhere", PG_NONE, &q[0].rows, e))
        return false;
    pg_queue_part(db, &q[1].absent);
    return pg_query_later(db, q[1].a, "SELECT current_setting('search_path')", PG_NONE, &q[1].rows,
                          e);
}

static void questions_go_with_the_settings_of_a_new_connection(void **state)
{
    struct fixture *f = *state;
    struct question q[2] = { { .a = f->a }, { .a = f->a } };
    CLEANUP(pg) struct pg *db = NULL;
    struct pg_spec spec = { .url = f->url, .ask = ask_questions, .context = q };
    assert_ok(pg_open(&spec, &db, &f->e), &f->e);
    assert_string_equal(q[0].absent.sqlstate, "42P01");
    assert_int_equal(q[1].absent.code, ERR_NONE);
    assert_string_equal(pg_value(&q[1].rows, 0, 0), "pg_catalog, pg_temp");
    assert_ok(pg_reconnect(db, &f->e), &f->e);
}

static void a_queue_that_is_dropped_has_done_nothing(void **state)
{
    struct fixture *f = *state;
    pg_queue_begin(f->db);
    transaction(f, "CREATE TABLE public.a (x int)");
    pg_rollback(f->db);
    assert_ok(pg_run(f->db, "SELECT 1", NULL, &f->e), &f->e);
    assert_null(ask(f, "SELECT to_regclass('public.a')"));
}

static void more_than_both_buffers_hold_goes_through_in_both_directions(void **state)
{
    struct fixture *f = *state;
    pg_queue_begin(f->db);
    char *much = arena_alloc(f->a, 200001);
    memset(much, 'x', 200000);
    much[200000] = '\0';
    struct pg_rows rows[50];
    for (size_t i = 0; i < 50; i++)
        assert_ok(pg_query_later(f->db, f->a, "SELECT $1::text", PG_PARAMS(much), &rows[i], &f->e),
                  &f->e);
    assert_ok(pg_queue_end(f->db, NULL, NULL, NULL, &f->e), &f->e);
    assert_int_equal(strlen(pg_value(&rows[49], 0, 0)), 200000);
}

static void a_server_that_goes_away_leaves_the_outcome_unknown(void **state)
{
    struct fixture *f = *state;
    struct pg_queue_outcome outcome;
    pg_queue_begin(f->db);
    transaction(f, "CREATE TABLE public.a (x int)");
    transaction(f, "SELECT pg_terminate_backend(pg_backend_pid())");
    assert_fails(pg_queue_end(f->db, NULL, NULL, &outcome, &f->e), &f->e, ERR_UNKNOWN_OUTCOME);
    assert_false(pg_is_alive(f->db));
    assert_ok(pg_reconnect(f->db, &f->e), &f->e);
    assert_ok(pg_run(f->db, "SELECT 1", NULL, &f->e), &f->e);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_sent_before_the_end_and_then_all_of_it),
        TEST(the_first_error_ends_the_rest_and_what_was_committed_stays),
        TEST(a_change_that_must_touch_a_row_and_does_not_ends_the_queue),
        TEST(an_error_ends_its_own_part_and_not_the_next_one),
        TEST(an_error_of_a_part_without_a_place_for_it_is_that_of_the_queue),
        TEST(questions_go_with_the_settings_of_a_new_connection),
        TEST(a_queue_that_is_dropped_has_done_nothing),
        TEST(more_than_both_buffers_hold_goes_through_in_both_directions),
        TEST(a_server_that_goes_away_leaves_the_outcome_unknown),
    };
    return cmocka_run_group_tests_name("provider/pg_queue", tests, NULL, NULL);
}
