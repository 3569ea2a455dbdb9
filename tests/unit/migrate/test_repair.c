/* What the history says, and how it is corrected: states, repair, baseline, the common table. */
#include "assert_ok.h"
#include "pg_fixture.h"

#include "base/fs.h"
#include "engine/schema.h"
#include "migrate/repair.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct fixture {
    struct arena *a;
    struct pg *db;
    char dir[64];
    char *up, *down; /* folders */
    struct migration_set set;
    struct history history;
    struct migration_plan plan;
    struct err e;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->a = arena_new(0);
    assert_ok(pg_open(&(struct pg_spec){ .url = pg_fixture_database(f->a) }, &f->db, &f->e), &f->e);
    (void)snprintf(f->dir, sizeof f->dir, "/tmp/lockflight-repair-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    f->up = fs_join(f->a, f->dir, "migrations");
    f->down = fs_join(f->a, f->dir, "rollbacks");
    assert_ok(fs_mkdirs(f->up, 0755, &f->e) && fs_mkdirs(f->down, 0755, &f->e), &f->e);
    *state = f;
    return 0;
}

static int setup_with_schema(void **state)
{
    setup(state);
    struct fixture *f = *state;
    assert_ok(schema_ensure(f->db, &f->e), &f->e);
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    assert_ok(fs_remove_tree(f->dir, &f->e), &f->e);
    pg_close(f->db);
    arena_free(f->a);
    free(f);
    return 0;
}

/* ---- small words ---- */

static void put(struct fixture *f, const char *dir, const char *name, const char *sql)
{
    assert_ok(fs_replace(fs_join(f->a, dir, name), str_of(sql), 0644, &f->e), &f->e);
}

static void three_files(struct fixture *f)
{
    put(f, f->up, "1_one.sql", "create table one (id int);");
    put(f, f->up, "2_two.sql", "create table two (id int);");
    put(f, f->up, "3_three.sql", "create table three (id int);");
    put(f, f->down, "2_two.sql", "drop table two;\n-- gone");
}

static void load(struct fixture *f)
{
    assert_ok(migration_read(f->a, f->up, f->down, &f->set, &f->e), &f->e);
    assert_ok(history_read(f->db, f->a, &f->history, &f->e), &f->e);
    migration_plan(f->a, &f->set, &f->history, &f->plan);
}

static void run(struct fixture *f, const char *sql)
{
    assert_ok(pg_exec(f->db, sql, PG_NONE, NULL, &f->e), &f->e);
}

static const char *ask(struct fixture *f, const char *sql)
{
    struct pg_rows rows;
    assert_ok(pg_query(f->db, f->a, sql, PG_NONE, &rows, &f->e), &f->e);
    return rows.n ? pg_value(&rows, 0, 0) : NULL;
}

/* As a hosted project has it. */
static void common_history(struct fixture *f, const char *more_columns)
{
    run(f, "CREATE SCHEMA supabase_migrations");
    run(f, arena_printf(f->a,
                        "CREATE TABLE supabase_migrations.schema_migrations"
                        " (version text PRIMARY KEY, statements text[], name text%s)",
                        more_columns));
}

static void record(struct fixture *f, size_t i, const char *as)
{
    struct record_how how = { .state = as, .applied_by = "ana", .replaces = true };
    assert_ok(pg_begin(f->db, &f->e) && record_applied(f->db, f->a, &f->set.v[i], &how, &f->e) &&
                  pg_commit(f->db, &f->e),
              &f->e);
}

static void applying(struct fixture *f, const char *version, const char *state)
{
    run(f, arena_printf(f->a,
                        "INSERT INTO lockflight.migrations (version, name, state, up_sha256,"
                        " applied_by, attempts, epoch, started_at, tool_version,"
                        " server_version_num, steps) VALUES ('%s', 'x', '%s', 'abc', 'ana', 1, 1,"
                        " now(), '0', 150000, 5) ON CONFLICT (version) DO UPDATE SET"
                        " state = excluded.state, steps = 5",
                        version, state));
    run(f,
        arena_printf(f->a,
                     "INSERT INTO lockflight.migration_steps (version, direction, step, kind,"
                     " sql_sha256, state, epoch) VALUES ('%s', '%s', 1, 'alone', 'a', 'done', 1),"
                     " ('%s', '%s', 2, 'alone', 'b', 'applying', 1)",
                     version, streq(state, "applying") ? "apply" : "reverse", version,
                     streq(state, "applying") ? "apply" : "reverse"));
}

/* ---- the common table ---- */

static void a_hosted_history_gets_the_reverse_script_in_its_rollback_column(void **state)
{
    struct fixture *f = *state;
    common_history(f, ", created_by text, idempotency_key text UNIQUE, rollback text[]");
    three_files(f);
    load(f);
    record(f, 0, "applied");
    record(f, 1, "applied");
    assert_null(ask(f, "SELECT rollback FROM supabase_migrations.schema_migrations"
                       " WHERE version = '1'"));
    assert_string_equal(ask(f, "SELECT array_to_string(rollback, '|')"
                               " FROM supabase_migrations.schema_migrations WHERE version = '2'"),
                        "drop table two|-- gone");
}

static void a_rollback_column_of_another_type_is_somebody_elses(void **state)
{
    struct fixture *f = *state;
    common_history(f, ", rollback text");
    three_files(f);
    load(f);
    record(f, 1, "applied");
    assert_null(ask(f, "SELECT rollback FROM supabase_migrations.schema_migrations"));
}

static void a_database_never_seen_before_is_read_and_stays_untouched(void **state)
{
    struct fixture *f = *state;
    three_files(f);
    load(f);
    assert_int_equal(f->plan.pending_count, 3);
    assert_string_equal(ask(f, "SELECT count(*) FROM pg_namespace WHERE nspname IN"
                               " ('lockflight', 'supabase_migrations')"),
                        "0");
}

static void a_history_of_another_tool_is_read_without_ours(void **state)
{
    struct fixture *f = *state;
    common_history(f, "");
    run(f, "INSERT INTO supabase_migrations.schema_migrations VALUES"
           " ('1', '{\"create table one (id int)\"}', 'one'), ('2', '{\"select 1\"}', 'two')");
    three_files(f);
    load(f);
    assert_int_equal(f->plan.v[0].status, MIGRATION_APPLIED);
    assert_int_equal(f->plan.v[0].row->state, HISTORY_FOREIGN);
    assert_int_equal(f->plan.v[1].status, MIGRATION_CHANGED);
    assert_int_equal(f->plan.pending_count, 1);
}

/* ---- what was interrupted ---- */

static void a_migration_begun_is_interrupted_and_still_to_be_run_in_its_place(void **state)
{
    struct fixture *f = *state;
    three_files(f);
    load(f);
    record(f, 0, "applied");
    applying(f, "2", "applying");
    load(f);
    assert_int_equal(f->plan.n, 3);
    assert_int_equal(f->plan.v[1].status, MIGRATION_INTERRUPTED);
    assert_int_equal(f->plan.v[1].row->steps, 5);
    assert_int_equal(f->plan.v[1].row->steps_done, 1);
    assert_int_equal(f->history.n, 1); /* it is not applied */
    assert_int_equal(f->plan.pending_count, 2);
    assert_string_equal(f->plan.pending[0]->version, "2");
    assert_ok(migration_plan_check(f->a, &f->plan, &f->e), &f->e);
}

static void a_migration_begun_whose_file_is_gone_forbids_the_rest(void **state)
{
    struct fixture *f = *state;
    three_files(f);
    applying(f, "2", "applying");
    assert_int_equal(unlink(fs_join(f->a, f->up, "2_two.sql")), 0);
    assert_int_equal(unlink(fs_join(f->a, f->down, "2_two.sql")), 0);
    load(f);
    assert_int_equal(f->plan.v[1].status, MIGRATION_INTERRUPTED);
    assert_null(f->plan.v[1].file);
    assert_false(migration_plan_check(f->a, &f->plan, &f->e));
    assert_int_equal(f->e.code, ERR_BLOCKED);
}

static void what_was_begun_here_and_finished_by_another_tool_is_applied(void **state)
{
    struct fixture *f = *state;
    three_files(f);
    load(f);
    record(f, 0, "applied");
    applying(f, "2", "applying");
    run(f, "INSERT INTO supabase_migrations.schema_migrations (version, name, statements)"
           " VALUES ('2', 'two', '{\"create table two (id int)\"}')");
    load(f);
    assert_int_equal(f->plan.n, 3);
    assert_int_equal(f->plan.v[1].status, MIGRATION_APPLIED);
    assert_int_equal(f->history.begun_count, 0);
}

static void a_reversal_that_was_interrupted_forbids_applying(void **state)
{
    struct fixture *f = *state;
    three_files(f);
    load(f);
    record(f, 0, "applied");
    record(f, 1, "applied");
    applying(f, "2", "reversing");
    load(f);
    assert_int_equal(f->plan.v[1].status, MIGRATION_INTERRUPTED);
    assert_int_equal(f->plan.v[1].row->state, HISTORY_REVERSING);
    assert_int_equal(f->plan.v[1].row->steps_done, 1);
    assert_int_equal(f->plan.pending_count, 1);
    assert_false(migration_plan_check(f->a, &f->plan, &f->e));
    assert_non_null(strstr(f->e.hint, "migration down"));
}

/* ---- repair ---- */

static void reverted_takes_a_version_out_of_both_histories(void **state)
{
    struct fixture *f = *state;
    three_files(f);
    load(f);
    record(f, 0, "applied");
    assert_ok(repair_reverted(f->db, "1", "bo", &f->e), &f->e);
    load(f);
    assert_int_equal(f->plan.pending_count, 3);
    assert_string_equal(ask(f, "SELECT state || ' by ' || reversed_by FROM lockflight.migrations"),
                        "reversed by bo");
    assert_false(repair_reverted(f->db, "1", "bo", &f->e));
    assert_int_equal(f->e.code, ERR_NOT_FOUND);
}

static void reverted_works_before_there_is_any_history_and_forgets_steps(void **state)
{
    struct fixture *f = *state;
    three_files(f);
    assert_false(repair_reverted(f->db, "1", "bo", &f->e));
    assert_int_equal(f->e.code, ERR_NOT_FOUND);
    applying(f, "2", "applying");
    assert_ok(repair_reverted(f->db, "2", "bo", &f->e), &f->e);
    assert_string_equal(ask(f, "SELECT count(*) FROM lockflight.migration_steps"), "0");
    load(f);
    assert_int_equal(f->plan.v[1].status, MIGRATION_PENDING);
}

static void an_accepted_change_is_what_was_applied_and_the_kept_reverse_script_stays(void **state)
{
    struct fixture *f = *state;
    three_files(f);
    load(f);
    record(f, 1, "applied");
    put(f, f->up, "2_two.sql", "create table two (id int); -- with a comment");
    assert_int_equal(unlink(fs_join(f->a, f->down, "2_two.sql")), 0);
    load(f);
    assert_int_equal(f->plan.v[1].status, MIGRATION_CHANGED);

    struct record_how how = { .applied_by = "bo" };
    assert_ok(pg_begin(f->db, &f->e) && repair_accept(f->db, f->a, &f->plan.v[1], &how, &f->e) &&
                  pg_commit(f->db, &f->e),
              &f->e);
    load(f);
    assert_int_equal(f->plan.v[1].status, MIGRATION_APPLIED);
    assert_string_equal(f->plan.v[1].row->reverse_sql, "drop table two;\n-- gone");
    assert_string_equal(ask(f, "SELECT array_to_string(statements, '|')"
                               " FROM supabase_migrations.schema_migrations"),
                        "create table two (id int)|-- with a comment");
    assert_false(repair_accept(f->db, f->a, &f->plan.v[1], &how, &f->e));
    assert_int_equal(f->e.code, ERR_CONFLICT);
}

/* ---- baseline ---- */

static void a_baseline_marks_what_is_not_ours_up_to_its_version(void **state)
{
    struct fixture *f = *state;
    const struct migration **v;
    size_t n;
    common_history(f, "");
    run(f, "INSERT INTO supabase_migrations.schema_migrations VALUES"
           " ('1', '{\"create table one (id int)\"}', 'one')");
    three_files(f);
    load(f);
    assert_ok(repair_baseline_choose(f->a, &f->plan, "2", &v, &n, &f->e), &f->e);
    assert_int_equal(n, 2);
    record(f, 0, "baseline");
    record(f, 1, "baseline");
    load(f);
    assert_int_equal(f->plan.v[0].row->state, HISTORY_BASELINE);
    assert_int_equal(f->plan.pending_count, 1);
    assert_ok(repair_baseline_choose(f->a, &f->plan, "2", &v, &n, &f->e), &f->e);
    assert_int_equal(n, 0); /* a second time there is nothing to mark */

    put(f, f->up, "1_one.sql", "create table one (id bigint);");
    load(f);
    assert_int_equal(f->plan.v[0].status, MIGRATION_CHANGED); /* noticed from now on */
    assert_false(repair_baseline_choose(f->a, &f->plan, "3", &v, &n, &f->e));
    assert_int_equal(f->e.code, ERR_BLOCKED);
}

static void a_baseline_at_a_version_that_no_file_has_is_refused(void **state)
{
    struct fixture *f = *state;
    const struct migration **v;
    size_t n;
    three_files(f);
    load(f);
    assert_false(repair_baseline_choose(f->a, &f->plan, "25", &v, &n, &f->e));
    assert_int_equal(f->e.code, ERR_NOT_FOUND);
}

/* ---- late files ---- */

static void a_late_file_is_let_through_only_where_it_was_asked_for(void **state)
{
    struct fixture *f = *state;
    three_files(f);
    load(f);
    record(f, 1, "applied");
    load(f);
    assert_int_equal(f->plan.v[0].status, MIGRATION_OUT_OF_ORDER);
    assert_false(migration_plan_check(f->a, &f->plan, &f->e));
    assert_ok(migration_plan_check_any_order(f->a, &f->plan, &f->e), &f->e);
    assert_string_equal(f->plan.pending[0]->version, "1");
    assert_string_equal(f->plan.pending[1]->version, "3");
}

#define TEST(name)    cmocka_unit_test_setup_teardown(name, setup_with_schema, teardown)
#define WITHOUT(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_hosted_history_gets_the_reverse_script_in_its_rollback_column),
        TEST(a_rollback_column_of_another_type_is_somebody_elses),
        WITHOUT(a_database_never_seen_before_is_read_and_stays_untouched),
        WITHOUT(a_history_of_another_tool_is_read_without_ours),
        TEST(a_migration_begun_is_interrupted_and_still_to_be_run_in_its_place),
        TEST(a_migration_begun_whose_file_is_gone_forbids_the_rest),
        TEST(what_was_begun_here_and_finished_by_another_tool_is_applied),
        TEST(a_reversal_that_was_interrupted_forbids_applying),
        TEST(reverted_takes_a_version_out_of_both_histories),
        TEST(reverted_works_before_there_is_any_history_and_forgets_steps),
        TEST(an_accepted_change_is_what_was_applied_and_the_kept_reverse_script_stays),
        TEST(a_baseline_marks_what_is_not_ours_up_to_its_version),
        TEST(a_baseline_at_a_version_that_no_file_has_is_refused),
        TEST(a_late_file_is_let_through_only_where_it_was_asked_for),
    };
    return cmocka_run_group_tests_name("migrate/repair", tests, NULL, NULL);
}
