/* Migrations from files to a real database and back. */
#include "pair_fixture.h"

#include "base/cleanup.h"
#include "base/fs.h"
#include "migrate/apply/apply.h"
#include "migrate/catalogue/catalogue.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct fixture {
    struct arena *a;
    char *url;
    struct pg *db, *other;
    char dir[64];
    char *up, *down; /* folders */
    struct migration_set set;
    struct history history;
    struct migration_plan plan;
    struct migrate_options o;
    int fences, records;
    struct err e;
};

static bool count_fence(void *context, struct pg *db, struct err *e)
{
    struct fixture *f = context;
    (void)e;
    f->fences++;
    return pg_in_transaction(db);
}

static bool count_record(void *context, struct pg *db, const char *version, struct err *e)
{
    struct fixture *f = context;
    f->records++;
    return pg_in_transaction(db) || err_set(e, ERR_INTERNAL, "%s", version);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->a = arena_new(0);
    f->url = pair_open(f->a, &f->db, &f->other);
    (void)snprintf(f->dir, sizeof f->dir, "/tmp/lockflight-migrations-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    f->up = fs_join(f->a, f->dir, "migrations");
    f->down = fs_join(f->a, f->dir, "rollbacks");
    assert_ok(fs_mkdirs(f->up, 0755, &f->e) && fs_mkdirs(f->down, 0755, &f->e), &f->e);
    f->o = (struct migrate_options){ .applied_by = "ana",
                                     .lock_timeout_ms = 100,
                                     .fence = count_fence,
                                     .record = count_record,
                                     .context = f };
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    assert_ok(fs_remove_tree(f->dir, &f->e), &f->e);
    pg_close(f->db);
    pg_close(f->other);
    arena_free(f->a);
    free(f);
    return 0;
}

static void put(struct fixture *f, const char *dir, const char *name, const char *sql)
{
    assert_ok(fs_replace(fs_join(f->a, dir, name), str_of(sql), 0644, &f->e), &f->e);
}

static void put_bytes(struct fixture *f, const char *name, struct str sql)
{
    assert_ok(fs_replace(fs_join(f->a, f->up, name), sql, 0644, &f->e), &f->e);
}

/* Files and database, compared anew. */
static void load(struct fixture *f)
{
    assert_ok(migration_read(f->a, f->up, f->down, &f->set, &f->e), &f->e);
    assert_ok(history_read(f->db, f->a, &f->history, &f->e), &f->e);
    migration_plan(f->a, &f->set, &f->history, &f->plan);
}

static bool apply_all(struct fixture *f)
{
    load(f);
    for (size_t i = 0; i < f->plan.pending_count; i++)
        if (!migration_apply(f->db, f->a, f->plan.pending[i], &f->o, &f->e))
            return false;
    load(f);
    return true;
}

static const char *ask(struct fixture *f, const char *sql)
{
    return pair_ask(f->other, f->a, sql);
}

static void two_good_files(struct fixture *f)
{
    put(f, f->up, "20260101000001_crm.sql",
        "-- clients\ncreate table clients (id int primary key, name text);\ninsert into clients "
        "values (1, 'a;b');\n");
    put(f, f->down, "20260101000001_crm.sql", "drop table clients;\n");
    put(f, f->up, "20260101000002_leads.sql",
        "create table leads (client int references clients);\n");
    put(f, f->down, "20260101000002_leads.sql", "drop table leads;");
}

static void files_are_applied_in_order_with_the_history_the_supabase_cli_would_write(void **state)
{
    struct fixture *f = *state;
    two_good_files(f);
    assert_ok(apply_all(f), &f->e);
    assert_int_equal(f->plan.pending_count, 0);
    assert_int_equal(f->plan.v[1].status, MIGRATION_APPLIED);
    assert_int_equal(f->fences, 2);
    assert_int_equal(f->records, 2);
    assert_string_equal(
        ask(f, "SELECT string_agg(version || ' ' || name || ' ' || statements::text, '/' ORDER BY "
               "version)"
               " FROM supabase_migrations.schema_migrations"),
        "20260101000001 crm {\"-- clients\ncreate table clients (id int primary key, name text)\","
        "\"insert into clients values (1, 'a;b')\"}/20260101000002 leads "
        "{\"create table leads (client int references clients)\"}");
    assert_string_equal(
        ask(f, "SELECT string_agg(attname || ' ' || atttypid::regtype || ' ' || attnotnull, ','"
               " ORDER BY attnum) FROM pg_attribute WHERE attnum > 0 AND"
               " attrelid = 'supabase_migrations.schema_migrations'::regclass"),
        "version text true,statements text[] false,name text false");
    assert_string_equal(ask(f, "SELECT down_sql FROM lockflight.migrations ORDER BY version DESC"),
                        "drop table leads;");
}

static void unqualified_names_go_where_the_database_says_and_our_session_is_as_before(void **state)
{
    struct fixture *f = *state;
    put(f, f->up, "1_role.sql",
        "create role migrate_test_role; grant create on schema public to migrate_test_role;"
        "set role migrate_test_role; set search_path = public; set statement_timeout = 1234;"
        "create temp table scratch (a int); create table made (a int);");
    assert_ok(apply_all(f), &f->e);
    assert_string_equal(
        ask(f, "SELECT relowner::regrole || ' ' || relnamespace::regnamespace FROM pg_class"
               " WHERE relname = 'made'"),
        "migrate_test_role public");
    struct pg_rows r;
    assert_ok(
        pg_query(
            f->db, f->a,
            "SELECT current_user, current_setting('statement_timeout'), "
            "current_setting('search_path'),"
            " current_setting('client_connection_check_interval'), to_regclass('pg_temp.scratch')",
            PG_NONE, &r, &f->e),
        &f->e);
    assert_string_equal(pg_value(&r, 0, 0), "postgres");
    assert_string_equal(pg_value(&r, 0, 1), "0");
    assert_string_equal(pg_value(&r, 0, 2), "pg_catalog, pg_temp");
    assert_string_equal(pg_value(&r, 0, 3), "500ms");
    assert_null(pg_value(&r, 0, 4));
    assert_ok(pg_run(f->db, "DROP OWNED BY migrate_test_role", NULL, &f->e), &f->e);
    assert_ok(pg_run(f->db, "DROP ROLE migrate_test_role", NULL, &f->e), &f->e);
}

static void a_failing_statement_undoes_the_whole_file_and_is_shown_with_a_caret(void **state)
{
    struct fixture *f = *state;
    put(f, f->up, "1_bad.sql", "create table a (x int);\n-- é\nselect *\n  from nowhere;\n");
    assert_fails(apply_all(f), &f->e, ERR_DB);
    assert_string_equal(f->e.sqlstate, "42P01");
    assert_non_null(strstr(f->e.where, "1_bad.sql:4:8"));
    assert_non_null(strstr(
        f->e.why, "relation \"nowhere\" does not exist\n   4 |   from nowhere;\n     |        ^"));
    assert_null(ask(f, "SELECT to_regclass('public.a')"));
    load(f);
    assert_int_equal(f->plan.pending_count, 1);
}

static void a_syntax_error_names_its_place_too(void **state)
{
    struct fixture *f = *state;
    put(f, f->up, "1_bad.sql", "select 1;\ncreate tabel x ();\n");
    assert_fails(apply_all(f), &f->e, ERR_DB);
    assert_non_null(strstr(f->e.where, "1_bad.sql:2:8"));
}

static void reversing_brings_the_catalogue_back_and_forgets_the_history(void **state)
{
    struct fixture *f = *state;
    char before[SHA256_HEX_BYTES], up[SHA256_HEX_BYTES], after[SHA256_HEX_BYTES];
    two_good_files(f);
    assert_ok(catalogue_digest(f->other, before, &f->e), &f->e);
    assert_ok(apply_all(f), &f->e);
    assert_ok(catalogue_digest(f->other, up, &f->e), &f->e);
    assert_string_not_equal(before, up);
    assert_fails(migration_reverse(f->db, f->a, &f->plan.v[0], &f->o, &f->e), &f->e, ERR_BLOCKED);
    assert_ok(migration_reverse(f->db, f->a, &f->plan.v[1], &f->o, &f->e), &f->e);
    assert_ok(migration_reverse(f->db, f->a, &f->plan.v[0], &f->o, &f->e), &f->e);
    assert_ok(catalogue_digest(f->other, after, &f->e), &f->e);
    assert_string_equal(before, after);
    load(f);
    assert_int_equal(f->plan.pending_count, 2);
    assert_ok(apply_all(f), &f->e);
    assert_ok(catalogue_digest(f->other, after, &f->e), &f->e);
    assert_string_equal(up, after);
}

static void a_reverse_script_is_the_one_kept_when_it_was_applied_even_without_files(void **state)
{
    struct fixture *f = *state;
    two_good_files(f);
    assert_ok(apply_all(f), &f->e);
    assert_int_equal(unlink(fs_join(f->a, f->up, "20260101000002_leads.sql")), 0);
    assert_int_equal(unlink(fs_join(f->a, f->down, "20260101000002_leads.sql")), 0);
    load(f);
    assert_int_equal(f->plan.v[1].status, MIGRATION_MISSING);
    assert_ok(migration_reverse(f->db, f->a, &f->plan.v[1], &f->o, &f->e), &f->e);
    assert_null(ask(f, "SELECT to_regclass('public.leads')"));
}

static void without_a_reverse_script_nothing_is_reversed(void **state)
{
    struct fixture *f = *state;
    put(f, f->up, "1_a.sql", "create table a ();");
    assert_ok(apply_all(f), &f->e);
    assert_fails(migration_reverse(f->db, f->a, &f->plan.v[0], &f->o, &f->e), &f->e, ERR_BLOCKED);
    assert_non_null(strstr(f->e.hint, "1_a.sql"));
}

static void a_changed_a_missing_and_a_late_file_are_refused_each_with_its_name(void **state)
{
    struct fixture *f = *state;
    two_good_files(f);
    assert_ok(apply_all(f), &f->e);
    assert_ok(migration_plan_check(f->a, &f->plan, &f->e), &f->e);

    put(f, f->up, "20260101000001_crm.sql", "create table clients (id bigint);");
    load(f);
    assert_fails(migration_plan_check(f->a, &f->plan, &f->e), &f->e, ERR_BLOCKED);
    assert_non_null(strstr(f->e.why, "20260101000001_crm.sql is not what was applied"));

    two_good_files(f);
    put(f, f->up, "20250101000000_late.sql", "select 1;");
    load(f);
    assert_int_equal(f->plan.v[0].status, MIGRATION_OUT_OF_ORDER);
    assert_fails(migration_plan_check(f->a, &f->plan, &f->e), &f->e, ERR_BLOCKED);
    assert_int_equal(unlink(fs_join(f->a, f->up, "20250101000000_late.sql")), 0);

    assert_int_equal(unlink(fs_join(f->a, f->up, "20260101000002_leads.sql")), 0);
    assert_int_equal(unlink(fs_join(f->a, f->down, "20260101000002_leads.sql")), 0);
    load(f);
    assert_fails(migration_plan_check(f->a, &f->plan, &f->e), &f->e, ERR_BLOCKED);
    assert_non_null(strstr(f->e.why, "no file"));
}

static void history_of_the_supabase_cli_is_understood_and_its_extra_columns_stay(void **state)
{
    struct fixture *f = *state;
    put(f, f->up, "1_a.sql", "create table a ();\r\ncreate table b ();\r\n");
    put(f, f->up, "2_b.sql", "select 2;");
    put(f, f->up, "3_c.sql", "select 3;");
    assert_ok(pg_begin(f->db, &f->e), &f->e);
    assert_ok(
        pg_script(
            f->db,
            "create schema supabase_migrations;"
            "create table supabase_migrations.schema_migrations (version text not null primary key,"
            " statements text[], name text, created_by text, idempotency_key text unique,"
            " rollback text[]);"
            "insert into supabase_migrations.schema_migrations (version, statements, name) values"
            " ('1', '{create table a (),create table b ()}', 'a'), ('2', '{select 1}', 'b');",
            &f->e),
        &f->e);
    assert_ok(pg_commit(f->db, &f->e), &f->e);
    load(f);
    assert_int_equal(f->plan.v[0].status, MIGRATION_APPLIED);
    assert_false(f->plan.v[0].row->is_ours);
    assert_int_equal(f->plan.v[1].status, MIGRATION_CHANGED);
    assert_int_equal(f->plan.v[2].status, MIGRATION_PENDING);
    assert_ok(apply_all(f), &f->e);
    assert_string_equal(ask(f, "SELECT count(*) FROM information_schema.columns WHERE"
                               " table_name = 'schema_migrations'"),
                        "6");
}

static void what_the_supabase_cli_applied_is_reversed_with_the_script_in_the_project(void **state)
{
    struct fixture *f = *state;
    two_good_files(f);
    assert_ok(apply_all(f), &f->e);
    assert_ok(pg_run(f->db, "DELETE FROM lockflight.migrations", NULL, &f->e), &f->e);
    load(f);
    assert_false(f->plan.v[1].row->is_ours);
    assert_int_equal(f->plan.v[1].status, MIGRATION_APPLIED);
    assert_ok(migration_reverse(f->db, f->a, &f->plan.v[1], &f->o, &f->e), &f->e);
    assert_null(ask(f, "SELECT to_regclass('public.leads')"));
    /* a second time there is nothing to reverse any more */
    assert_fails(migration_reverse(f->db, f->a, &f->plan.v[1], &f->o, &f->e), &f->e, ERR_DB);
}

static void a_new_enum_value_may_be_used_in_the_same_file(void **state)
{
    struct fixture *f = *state;
    put(f, f->up, "1_mood.sql", "create type mood as enum ('sad');");
    assert_ok(apply_all(f), &f->e);
    put(f, f->up, "2_ok.sql", "alter type mood add value 'ok'; select 'ok'::mood;");
    assert_ok(apply_all(f), &f->e);
}

static void a_file_that_makes_its_own_transaction_is_refused_before_anything_runs(void **state)
{
    struct fixture *f = *state;
    put(f, f->up, "1_a.sql", "create table a (x int);\ncommit;\n");
    assert_fails(apply_all(f), &f->e, ERR_CONFIG);
    assert_non_null(strstr(f->e.where, "1_a.sql:2:1"));
    assert_null(ask(f, "SELECT to_regclass('public.a')"));
    assert_fails(migration_plan_check(f->a, &f->plan, &f->e), &f->e, ERR_CONFIG);
}

static void the_same_version_a_second_time_is_rolled_back(void **state)
{
    struct fixture *f = *state;
    put(f, f->up, "1_a.sql", "create table a (x int);");
    f->o.context = f;
    load(f);
    assert_ok(pg_run(f->db, "SELECT 1", NULL, &f->e), &f->e);
    struct migrate_options o = f->o;
    o.record = NULL;
    o.fence = NULL;
    assert_ok(migration_apply(f->db, f->a, f->plan.pending[0], &o, &f->e), &f->e);
    /* the same version again: its row is there, so the file is rolled back */
    assert_fails(migration_apply(f->db, f->a, f->plan.pending[0], &o, &f->e), &f->e, ERR_DB);
    bool applied = false;
    assert_ok(migration_is_applied(f->db, "1", &applied, &f->e), &f->e);
    assert_true(applied);
    assert_ok(migration_is_applied(f->db, "2", &applied, &f->e), &f->e);
    assert_false(applied);
}

static void a_runner_killed_inside_a_file_leaves_nothing_of_it(void **state)
{
    struct fixture *f = *state;
    put(f, f->up, "1_slow.sql", "create table slow (a int); select pg_sleep(60);");
    load(f);
    pid_t child = fork();
    if (child == 0) {
        struct pg *db = NULL;
        if (pg_open(&(struct pg_spec){ .url = f->url, .purpose = "killed" }, &db, &f->e))
            (void)!migration_apply(db, f->a, f->plan.pending[0], &f->o, &f->e);
        _exit(0);
    }
    static const char sleeping[] = "SELECT count(*) FROM pg_stat_activity WHERE application_name ="
                                   " 'lockflight killed' AND query LIKE '%pg_sleep%'";
    while (strcmp(ask(f, sleeping), "1") != 0)
        (void)usleep(20000);
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
    while (strcmp(ask(f, sleeping), "0") != 0)
        (void)usleep(20000);
    assert_null(ask(f, "SELECT to_regclass('public.slow')"));
    bool applied = true;
    assert_ok(migration_is_applied(f->db, "1", &applied, &f->e), &f->e);
    assert_false(applied);
}

static void names_and_bytes_that_are_wrong_are_told_apart(void **state)
{
    struct fixture *f = *state;
    put(f, f->up, "README.md", "x");
    put(f, f->up, "noversion.sql", "x");
    put(f, f->up, "9_x.sql", "\xef\xbb\xbfselect 9;");
    put(f, f->up, "10_x.sql", "select 10;");
    load(f);
    assert_int_equal(f->set.skipped_count, 2);
    assert_int_equal(f->set.n, 2);
    assert_string_equal(f->set.v[0].version, "10");
    assert_string_equal(str_dup(f->a, f->set.v[1].sql), "select 9;");

    put(f, f->up, "9_y.sql", "select 9;");
    assert_fails(migration_read(f->a, f->up, f->down, &f->set, &f->e), &f->e, ERR_CONFIG);
    assert_non_null(strstr(f->e.why, "9_x.sql"));
    assert_int_equal(unlink(fs_join(f->a, f->up, "9_y.sql")), 0);

    put(f, f->down, "9_other.sql", "select 9;");
    assert_fails(migration_read(f->a, f->up, f->down, &f->set, &f->e), &f->e, ERR_CONFIG);
    assert_int_equal(unlink(fs_join(f->a, f->down, "9_other.sql")), 0);

    put_bytes(f, "8_latin.sql", STR("select 1;\nselect '\xe9';\n"));
    assert_fails(migration_read(f->a, f->up, f->down, &f->set, &f->e), &f->e, ERR_CONFIG);
    assert_non_null(strstr(f->e.where, "8_latin.sql:2"));
}

static void a_project_without_migrations_has_an_empty_set(void **state)
{
    struct fixture *f = *state;
    assert_ok(migration_read(f->a, "/nonexistent/m", "/nonexistent/r", &f->set, &f->e), &f->e);
    assert_int_equal(f->set.n, 0);
}

static void a_new_migration_comes_with_its_reverse_script(void **state)
{
    struct fixture *f = *state;
    struct migration m;
    assert_ok(migration_create(f->a, f->up, f->down, "add_invoices", &m, &f->e), &f->e);
    load(f);
    assert_int_equal(f->set.n, 1);
    assert_true(f->set.v[0].has_reverse);
    assert_string_equal(f->set.v[0].name, "add_invoices");
    assert_int_equal(strlen(f->set.v[0].version), 14);
    assert_fails(migration_create(f->a, f->up, f->down, "../x", &m, &f->e), &f->e, ERR_USAGE);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(files_are_applied_in_order_with_the_history_the_supabase_cli_would_write),
        TEST(unqualified_names_go_where_the_database_says_and_our_session_is_as_before),
        TEST(a_failing_statement_undoes_the_whole_file_and_is_shown_with_a_caret),
        TEST(a_syntax_error_names_its_place_too),
        TEST(reversing_brings_the_catalogue_back_and_forgets_the_history),
        TEST(a_reverse_script_is_the_one_kept_when_it_was_applied_even_without_files),
        TEST(without_a_reverse_script_nothing_is_reversed),
        TEST(a_changed_a_missing_and_a_late_file_are_refused_each_with_its_name),
        TEST(history_of_the_supabase_cli_is_understood_and_its_extra_columns_stay),
        TEST(what_the_supabase_cli_applied_is_reversed_with_the_script_in_the_project),
        TEST(a_new_enum_value_may_be_used_in_the_same_file),
        TEST(a_file_that_makes_its_own_transaction_is_refused_before_anything_runs),
        TEST(the_same_version_a_second_time_is_rolled_back),
        TEST(a_runner_killed_inside_a_file_leaves_nothing_of_it),
        TEST(names_and_bytes_that_are_wrong_are_told_apart),
        TEST(a_project_without_migrations_has_an_empty_set),
        TEST(a_new_migration_comes_with_its_reverse_script),
    };
    return cmocka_run_group_tests_name("migrate/apply", tests, NULL, NULL);
}
