/*
 * Generated reverse scripts: they lead back to the schema and the rows of before, say what they
 * cannot restore, and are refused where there is no way back.
 *
 * The scripts of the example are kept in tests/data/reverse/studio. When the generator changes on
 * purpose, write them anew and read the difference:
 *
 *     LOCKFLIGHT_WRITE_GOLDEN=1 build-check/tests/unit/migrate_test_reverse
 */
#include "assert_ok.h"
#include "pg_fixture.h"

#include "base/cleanup.h"
#include "base/env.h"
#include "base/fs.h"
#include "migrate/catalogue/catalogue.h"
#include "migrate/prove/proof.h"
#include "migrate/reverse/generate.h"

#include <stdlib.h>

struct fixture {
    struct arena *a;
    struct pg *db;
    struct err e;
};

static int setup(void **state)
{
    struct arena *a = arena_new(0);
    struct fixture *f = ARENA_NEW(a, struct fixture);
    f->a = a;
    char *url = pg_fixture_database(a);
    if (!pg_open(&(struct pg_spec){ .url = url }, &f->db, &f->e))
        return -1;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    pg_close(f->db);
    arena_free(f->a);
    return 0;
}

static void run(struct fixture *f, const char *script)
{
    assert_ok(pg_begin(f->db, &f->e), &f->e);
    assert_ok(pg_script(f->db, script, &f->e), &f->e);
    assert_ok(pg_commit(f->db, &f->e), &f->e);
}

static struct reverse_script generate(struct fixture *f, const char *up)
{
    struct migration m = { .version = "1", .name = "x", .file = "1_x.sql", .sql = str_of(up) };
    struct reverse_script script = { 0 };
    assert_ok(reverse_generate(f->db, f->a, &m, &script, &f->e), &f->e);
    return script;
}

/* Runs up and the generated script; the schema must be the one of before. */
static struct reverse_script there_and_back(struct fixture *f, const char *up)
{
    struct catalogue before, after;
    struct reverse_script script = generate(f, up);
    if (script.refusal)
        fail_msg("refused: %s", script.refusal);
    assert_ok(catalogue_read(f->db, f->a, &before, &f->e), &f->e);
    run(f, up);
    run(f, script.sql);
    assert_ok(catalogue_read(f->db, f->a, &after, &f->e), &f->e);
    const char **difference = NULL;
    size_t n = 0;
    catalogue_diff(f->a, &before, &after, &difference, &n);
    for (size_t i = 0; i < n; i++)
        print_message("%s\n", difference[i]);
    if (n > 0)
        fail_msg("not as before:\n%s", script.sql);
    return script;
}

static bool has(const struct reverse_script *s, const char *text)
{
    return strstr(s->sql, text) != NULL;
}

static int64_t count(struct fixture *f, const char *query)
{
    struct pg_rows rows;
    assert_ok(pg_query(f->db, f->a, query, PG_NONE, &rows, &f->e), &f->e);
    return pg_int(&rows, 0, 0);
}

static const char shop[] =
    "create schema app;"
    "create table app.customers (id int primary key, email text not null unique, name varchar(40),"
    " score int not null default 0);"
    "create table app.orders (id int primary key, customer int references app.customers on delete"
    " cascade, total numeric(12,2));"
    "create view app.totals with (security_invoker = true) as select customer, sum(total) as total"
    " from app.orders group by customer;"
    "create view app.best as select customer from app.totals where total > 100;"
    "grant select on app.totals to reverse_reader; comment on view app.best is 'the good ones';"
    "insert into app.customers values (1, 'a@x', 'Ann', 5), (2, 'b@x', null, 7);"
    "insert into app.orders values (1, 1, 10), (2, 2, 20);";

static void shop_again(struct fixture *f)
{
    run(f, "do $$ begin if to_regrole('reverse_reader') is null then create role reverse_reader;"
           " end if; end $$;");
    run(f, shop);
}

static void a_renamed_column_gets_its_name_back_and_is_not_dropped(void **state)
{
    struct fixture *f = *state;
    shop_again(f);
    struct reverse_script s =
        there_and_back(f, "alter table app.customers rename column score to points;");
    assert_int_equal(s.loss, 'A');
    assert_true(has(&s, "RENAME COLUMN points TO score"));
    assert_false(has(&s, "DROP COLUMN"));
}

static void views_that_read_a_dropped_one_come_back_with_grants_and_comments(void **state)
{
    struct fixture *f = *state;
    shop_again(f);
    struct reverse_script s = there_and_back(f, "drop view app.totals cascade;");
    assert_int_equal(s.loss, 'A');
    assert_true(has(&s, "GRANT SELECT ON app.totals TO reverse_reader"));
    assert_true(has(&s, "COMMENT ON VIEW app.best IS 'the good ones'"));
    assert_false(has(&s, "CASCADE"));
}

static void a_type_goes_back_although_views_read_the_column(void **state)
{
    struct fixture *f = *state;
    shop_again(f);
    struct reverse_script s =
        there_and_back(f, "drop view app.best; drop view app.totals;"
                          "alter table app.orders alter total type numeric(20,2);"
                          "create view app.totals as select customer, sum(total) as total from "
                          "app.orders group by 1;");
    assert_true(has(&s, "SELECT count(*) FROM app.orders WHERE abs(total) >="));
    assert_int_equal(s.loss, 'A');
}

static void an_enum_that_was_made_anew_is_taken_back_statement_by_statement(void **state)
{
    struct fixture *f = *state;
    shop_again(f);
    run(f, "create type app.mood as enum ('sad', 'ok', 'odd');"
           "alter table app.customers add column mood app.mood default 'ok';");
    struct reverse_script s = there_and_back(
        f, "alter type app.mood rename to mood_old; create type app.mood as enum ('ok', 'sad');"
           "alter table app.customers alter mood drop default;"
           "alter table app.customers alter mood type app.mood using mood::text::app.mood;"
           "alter table app.customers alter mood set default 'ok'; drop type app.mood_old;");
    assert_true(has(&s, "ENUM ('sad', 'ok', 'odd')") || has(&s, "ADD VALUE 'odd'"));
}

static void tables_that_swapped_names_swap_them_again(void **state)
{
    struct fixture *f = *state;
    shop_again(f);
    run(f, "create table app.a (x int); create table app.b (y int); insert into app.a values (7);");
    (void)there_and_back(f, "alter table app.a rename to t; alter table app.b rename to a;"
                            "alter table app.t rename to b;");
    assert_int_equal(count(f, "select x from app.a"), 7);
}

static void names_without_a_schema_mean_what_they_mean_when_it_is_applied(void **state)
{
    struct fixture *f = *state;
    struct reverse_script s = generate(f, "create table plain (id int primary key);"
                                          "create index concurrently plain_id on plain (id);");
    assert_true(has(&s, "DROP TABLE public.plain;"));
    run(f, "drop table public.plain;");
    s = generate(f, "create table plain (id int); set search_path = pg_catalog;"
                    "alter table public.plain add column n int;");
    assert_true(has(&s, "DROP TABLE public.plain;"));
    assert_int_equal(count(f, "select count(*) from pg_tables where tablename = 'plain'"), 0);
}

static void a_dropped_column_says_that_its_values_are_gone(void **state)
{
    struct fixture *f = *state;
    shop_again(f);
    struct reverse_script s = there_and_back(f, "alter table app.customers drop column email;");
    assert_int_equal(s.loss, 'C');
    assert_true(
        has(&s, "-- loss: C Restores the structure of column app.customers.email, not their"));
    assert_int_equal(count(f, "select count(distinct email) from app.customers"), 2);
}

static void a_new_table_says_that_its_rows_will_go(void **state)
{
    struct fixture *f = *state;
    shop_again(f);
    struct reverse_script s = there_and_back(
        f, "create table app.notes (id int primary key, customer int references app.customers);"
           "create index on app.notes (customer); grant select on app.notes to reverse_reader;");
    assert_int_equal(s.loss, 'B');
    assert_true(has(&s, "DROP TABLE app.notes;"));
    assert_false(has(&s, "DROP INDEX"));
}

static void inserted_rows_go_and_those_that_somebody_changed_stay(void **state)
{
    struct fixture *f = *state;
    shop_again(f);
    const char up[] = "insert into app.customers (id, email, name) values (10, 'c@x', 'Cy'),"
                      " (11, 'd''s@x', null);";
    struct reverse_script s = generate(f, up);
    assert_int_equal(s.loss, 'A');
    run(f, up);
    run(f, "update app.customers set name = 'Cyra' where id = 10;");
    run(f, s.sql);
    assert_int_equal(count(f, "select count(*) from app.customers where id = 10"), 1);
    assert_int_equal(count(f, "select count(*) from app.customers where id = 11"), 0);
    assert_int_equal(count(f, "select count(*) from app.customers"), 3);
}

static void what_update_delete_and_truncate_did_is_said_to_stay(void **state)
{
    static const char *const ups[] = {
        "update app.customers set score = score + 1;",
        "delete from app.orders where id = 1;",
        "truncate app.orders;",
        "with gone as (delete from app.orders returning id) select count(*) from gone;",
        "do $$ begin update app.customers set score = 0; end $$;",
        "insert into app.customers values (1, 'a@x') on conflict (id) do update set score = 3;",
    };
    struct fixture *f = *state;
    shop_again(f);
    for (size_t i = 0; i < sizeof ups / sizeof ups[0]; i++) {
        struct reverse_script s = generate(f, ups[i]);
        if (s.loss != 'D' || !has(&s, "-- loss: D Cannot be undone: "))
            fail_msg("%s: %c", ups[i], s.loss);
    }
}

static void a_new_column_that_is_filled_loses_nothing_old(void **state)
{
    struct fixture *f = *state;
    shop_again(f);
    struct reverse_script s =
        there_and_back(f, "alter table app.customers add column rank int;"
                          "update app.customers set rank = score * 2;"
                          "alter table app.customers alter rank set not null;");
    assert_int_equal(s.loss, 'B');
}

static void a_new_label_of_an_enum_is_left_and_declared(void **state)
{
    struct fixture *f = *state;
    shop_again(f);
    run(f, "create type app.mood as enum ('sad', 'ok');");
    struct pg *db = f->db;
    struct reverse_script s = generate(f, "alter type app.mood add value 'fine';");
    assert_int_equal(s.loss, 'D');
    assert_true(has(&s, "-- leaves: enum app.mood fine\n"));
    assert_true(pg_is_alive(db));
}

static void columns_that_swapped_names_swap_them_again(void **state)
{
    struct fixture *f = *state;
    shop_again(f);
    (void)there_and_back(f, "alter table app.customers rename id to t;"
                            "alter table app.customers rename score to id;"
                            "alter table app.customers rename t to score;");
    assert_int_equal(count(f, "select score from app.customers where id = 1"), 5);
}

static void what_a_trigger_wrote_on_the_way_is_said_to_stay(void **state)
{
    struct fixture *f = *state;
    shop_again(f);
    run(f, "create table app.log (what text); create function app.note() returns trigger language"
           " plpgsql as 'begin insert into app.log values (tg_op); return null; end';"
           "create trigger noted after insert on app.customers for each row execute function"
           " app.note();");
    struct reverse_script s =
        generate(f, "insert into app.customers (id, email) values (10, 'c@x');");
    assert_int_equal(s.loss, 'D');
    assert_true(has(&s, "rows of app.log stay as line 1 left them"));
    assert_true(has(&s, "DELETE FROM app.customers"));
}

static void a_block_that_makes_roles_is_refused(void **state)
{
    struct fixture *f = *state;
    shop_again(f);
    struct reverse_script s = generate(f, "do $$ begin execute 'create role somebody'; end $$;");
    assert_null(s.sql);
    assert_non_null(strstr(s.refusal, "roles"));
    assert_int_equal(count(f, "select count(*) from pg_roles where rolname = 'somebody'"), 0);
}

static void an_index_that_came_gently_goes_gently(void **state)
{
    struct fixture *f = *state;
    shop_again(f);
    run(f, "create index customers_name on app.customers (name);");
    struct reverse_script s = generate(f, "create index concurrently on app.customers (score);"
                                          "drop index concurrently app.customers_name;");
    assert_int_equal(s.loss, 'A');
    assert_true(has(&s, "DROP INDEX CONCURRENTLY app.customers_score_idx;"));
    assert_true(has(&s, "CREATE INDEX CONCURRENTLY customers_name ON app.customers"));
}

static void a_table_that_was_moved_out_of_sight_comes_back_with_its_rows(void **state)
{
    struct fixture *f = *state;
    shop_again(f);
    run(f, "create schema lockflight_gone;");
    struct reverse_script s =
        there_and_back(f, "drop view app.best; drop view app.totals;"
                          "alter table app.orders set schema lockflight_gone;"
                          "alter table app.customers rename name to _gone_1_name;");
    assert_int_equal(s.loss, 'A');
    assert_int_equal(count(f, "select count(*) from app.orders"), 2);
    assert_int_equal(count(f, "select count(name) from app.customers"), 1);
}

static void what_a_scratch_database_cannot_show_is_refused(void **state)
{
    static const char *const ups[] = { "create role somebody;",
                                       "alter system set work_mem = '4MB';",
                                       "create database other;", "drop owned by reverse_reader;" };
    struct fixture *f = *state;
    shop_again(f);
    for (size_t i = 0; i < sizeof ups / sizeof ups[0]; i++) {
        struct reverse_script s = generate(f, ups[i]);
        assert_null(s.sql);
        assert_non_null(strstr(s.refusal, "line 1: "));
    }
    assert_int_equal(count(f, "select count(*) from pg_roles where rolname = 'somebody'"), 0);
}

static void the_database_is_left_as_it_was_and_the_script_is_always_the_same(void **state)
{
    struct fixture *f = *state;
    shop_again(f);
    struct catalogue before, after;
    const char up[] = "drop table app.orders cascade; alter table app.customers drop column name;";
    assert_ok(catalogue_read(f->db, f->a, &before, &f->e), &f->e);
    struct reverse_script one = generate(f, up), two = generate(f, up);
    assert_ok(catalogue_read(f->db, f->a, &after, &f->e), &f->e);
    assert_string_equal(before.digest, after.digest);
    assert_string_equal(one.sql, two.sql);
    assert_int_equal(count(f, "select count(*) from app.orders"), 2);
}

static void a_migration_that_does_not_run_is_an_error_with_its_place(void **state)
{
    struct fixture *f = *state;
    shop_again(f);
    struct migration m = { .version = "1",
                           .name = "x",
                           .file = "1_x.sql",
                           .sql = STR("select 1;\nalter table app.nothing add x int;\n") };
    struct reverse_script s;
    assert_false(reverse_generate(f->db, f->a, &m, &s, &f->e));
    assert_int_equal(f->e.code, ERR_DB);
    assert_non_null(strstr(f->e.where, "1_x.sql:2:"));
    assert_false(pg_in_transaction(f->db));
}

/* ---- the example ---- */

/* Tests run in the project's folder, or in a build folder inside it. */
static const char *in_project(struct arena *a, const char *path)
{
    return arena_printf(a, "%s%s", fs_is_dir("examples") ? "" : "../", path);
}

static void check_golden(struct arena *a, const struct migration *m, const char *sql)
{
    struct err e = { 0 };
    struct str kept = { 0 };
    const char *name = strrchr(m->file, '/') + 1;
    const char *folder = in_project(a, "tests/data/reverse/studio");
    const char *path = arena_printf(a, "%s/%s", folder, name);
    if (env_value("LOCKFLIGHT_WRITE_GOLDEN")) {
        assert_ok(fs_mkdirs(folder, 0755, &e), &e);
        assert_ok(fs_replace(path, str_of(sql), 0644, &e), &e);
        return;
    }
    assert_ok(fs_read(a, path, 1 << 20, &kept, &e), &e);
    assert_string_equal(str_dup(a, kept), sql);
}

static void every_migration_of_the_example_gets_the_script_that_is_kept_and_it_is_proven(
    void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    CLEANUP(shadow) struct shadow *s = NULL;
    struct err e = { 0 };
    struct migration_set set;
    assert_ok(migration_read(a, in_project(a, "examples/studio/supabase/migrations"),
                             "/nonexistent", &set, &e),
              &e);
    assert_int_equal(set.n, 6);
    struct shadow_spec spec = { pg_fixture_database(a), &set, set.v[0].version };
    assert_ok(shadow_open(&spec, a, &s, &e), &e);
    for (size_t i = 0; i < set.n; i++) {
        struct migration m = set.v[i];
        struct reverse_script script;
        struct proof proof = { 0 };
        assert_ok(reverse_generate_on(s, a, &m, &script, &e), &e);
        assert_null(script.refusal);
        check_golden(a, &m, script.sql);
        m.has_reverse = true;
        m.reverse_sql = str_of(script.sql);
        m.reverse_sha256 = m.sha256;
        assert_ok(proof_run(s, a, &m, &proof, &e), &e);
        if (!proof.is_proven)
            fail_msg("%s: %s", m.file, proof.reason);
        assert_int_equal(proof.loss, script.loss);
        assert_ok(shadow_advance(s, &set.v[i], &e), &e);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_renamed_column_gets_its_name_back_and_is_not_dropped,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            views_that_read_a_dropped_one_come_back_with_grants_and_comments, setup, teardown),
        cmocka_unit_test_setup_teardown(a_type_goes_back_although_views_read_the_column, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            an_enum_that_was_made_anew_is_taken_back_statement_by_statement, setup, teardown),
        cmocka_unit_test_setup_teardown(tables_that_swapped_names_swap_them_again, setup, teardown),
        cmocka_unit_test_setup_teardown(
            names_without_a_schema_mean_what_they_mean_when_it_is_applied, setup, teardown),
        cmocka_unit_test_setup_teardown(a_dropped_column_says_that_its_values_are_gone, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_new_table_says_that_its_rows_will_go, setup, teardown),
        cmocka_unit_test_setup_teardown(inserted_rows_go_and_those_that_somebody_changed_stay,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(what_update_delete_and_truncate_did_is_said_to_stay, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_new_column_that_is_filled_loses_nothing_old, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_new_label_of_an_enum_is_left_and_declared, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(columns_that_swapped_names_swap_them_again, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_a_trigger_wrote_on_the_way_is_said_to_stay, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_block_that_makes_roles_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(an_index_that_came_gently_goes_gently, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_table_that_was_moved_out_of_sight_comes_back_with_its_rows, setup, teardown),
        cmocka_unit_test_setup_teardown(what_a_scratch_database_cannot_show_is_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            the_database_is_left_as_it_was_and_the_script_is_always_the_same, setup, teardown),
        cmocka_unit_test_setup_teardown(a_migration_that_does_not_run_is_an_error_with_its_place,
                                        setup, teardown),
        cmocka_unit_test(
            every_migration_of_the_example_gets_the_script_that_is_kept_and_it_is_proven),
    };
    return cmocka_run_group_tests_name("migrate/reverse", tests, NULL, NULL);
}
