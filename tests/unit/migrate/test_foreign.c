/* Migrations of other tools, read for adoption. */
#include "assert_ok.h"

#include "base/fs.h"
#include "migrate/foreign.h"

#include <stdio.h>
#include <stdlib.h>

struct fixture {
    struct arena *a;
    char dir[64];
    struct foreign_set set;
    struct err e;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->a = arena_new(0);
    (void)snprintf(f->dir, sizeof f->dir, "/tmp/lockflight-foreign-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    assert_ok(fs_remove_tree(f->dir, &f->e), &f->e);
    arena_free(f->a);
    free(f);
    return 0;
}

static void put(struct fixture *f, const char *name, const char *sql)
{
    assert_ok(fs_replace(fs_join(f->a, f->dir, name), str_of(sql), 0644, &f->e), &f->e);
}

static void load(struct fixture *f)
{
    assert_ok(foreign_read(f->a, f->dir, &f->set, &f->e), &f->e);
}

static void refused(struct fixture *f, enum err_code code, const char *part)
{
    assert_fails(foreign_read(f->a, f->dir, &f->set, &f->e), &f->e, code);
    assert_non_null(strstr(f->e.why, part));
}

static void is_pair(struct fixture *f, size_t i, const char *name, const char *up, const char *down)
{
    const struct foreign_migration *m = &f->set.v[i];
    assert_string_equal(m->name, name);
    assert_string_equal(str_dup(f->a, m->up), up);
    assert_int_equal(m->has_down, down != NULL);
    if (down)
        assert_string_equal(str_dup(f->a, m->down), down);
}

static void a_file_of_dbmate_is_cut_at_its_markers_and_keeps_its_bytes(void **state)
{
    struct fixture *f = *state;
    put(f, "20260101_one.sql",
        "-- a note\n\n-- migrate:up transaction:false\ncreate table a ();\r\n"
        "-- not a marker: migrate:down\n\n-- migrate:down\ndrop table a;");
    put(f, "20260102_two.sql", "-- migrate:up\ncreate table b ();\n-- migrate:down\n\n");
    load(f);
    assert_int_equal(f->set.n, 2);
    is_pair(f, 0, "one", "create table a ();\r\n-- not a marker: migrate:down\n\n",
            "drop table a;");
    is_pair(f, 1, "two", "create table b ();\n", NULL);
}

static void goose_and_sql_migrate_are_known_by_their_markers(void **state)
{
    struct fixture *f = *state;
    put(f, "1_a.sql",
        "-- +goose Up\n-- +goose StatementBegin\nselect 1;\n-- +goose StatementEnd\n"
        "-- +goose Down\nselect 2;\n");
    put(f, "2_b.sql", "-- +migrate Up\nselect 3;\n-- +migrate Down\nselect 4;\n");
    put(f, "3_c.sql", "  --+migrate up\nselect 5;\n");
    load(f);
    is_pair(f, 0, "a", "-- +goose StatementBegin\nselect 1;\n-- +goose StatementEnd\n",
            "select 2;\n");
    is_pair(f, 1, "b", "select 3;\n", "select 4;\n");
    is_pair(f, 2, "c", "select 5;\n", NULL);
}

static void pairs_of_files_belong_together_and_plain_files_are_the_way_there(void **state)
{
    struct fixture *f = *state;
    put(f, "000002_two.up.sql", "create table two ();");
    put(f, "000002_two.down.sql", "drop table two;");
    put(f, "000001_one.up.sql", "create table one ();");
    put(f, "000003_plain.sql", "create table three ();");
    put(f, "README.md", "x");
    put(f, "schema.sql", "x");
    load(f);
    assert_int_equal(f->set.n, 3);
    is_pair(f, 0, "one", "create table one ();", NULL);
    is_pair(f, 1, "two", "create table two ();", "drop table two;");
    is_pair(f, 2, "plain", "create table three ();", NULL);
    assert_int_equal(f->set.skipped_count, 2);
}

static void what_cannot_be_meant_is_refused(void **state)
{
    struct fixture *f = *state;
    put(f, "1_a.down.sql", "drop table a;");
    refused(f, ERR_CONFIG, "takes back what no file does");
    put(f, "1_a.up.sql", "create table a ();");
    put(f, "1_b.sql", "create table b ();");
    refused(f, ERR_CONFIG, "version 1 is used by two files");
    put(f, "1_b.sql", "");
    assert_int_equal(remove(fs_join(f->a, f->dir, "1_b.sql")), 0);
    put(f, "2_c.sql", "create table c ();\n-- migrate:up\nselect 1;\n");
    refused(f, ERR_CONFIG, "before its first marker");
    put(f, "2_c.sql", "-- migrate:up\n-- migrate:down\n-- migrate:up\n-- migrate:up\n");
    refused(f, ERR_CONFIG, "two parts for one direction");
}

static void a_folder_that_is_not_there_is_said(void **state)
{
    struct fixture *f = *state;
    assert_fails(foreign_read(f->a, "/nowhere/at/all", &f->set, &f->e), &f->e, ERR_NOT_FOUND);
}

static void markers_at_the_edges_of_a_file_do_not_read_beyond_it(void **state)
{
    struct fixture *f = *state;
    put(f, "1_a.sql", "-- migrate:up");
    put(f, "2_b.sql", "");
    put(f, "3_c.sql", "-- migrate:down");
    put(f, "4_d.sql", "-- migrate:down\nselect 1\n-- migrate:up\nselect 2");
    load(f);
    is_pair(f, 0, "a", "", NULL);
    is_pair(f, 1, "b", "", NULL);
    is_pair(f, 2, "c", "", NULL);
    is_pair(f, 3, "d", "select 2", "select 1\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_of_dbmate_is_cut_at_its_markers_and_keeps_its_bytes),
        TEST(goose_and_sql_migrate_are_known_by_their_markers),
        TEST(pairs_of_files_belong_together_and_plain_files_are_the_way_there),
        TEST(what_cannot_be_meant_is_refused),
        TEST(a_folder_that_is_not_there_is_said),
        TEST(markers_at_the_edges_of_a_file_do_not_read_beyond_it),
    };
    return cmocka_run_group_tests_name("migrate/foreign", tests, NULL, NULL);
}
