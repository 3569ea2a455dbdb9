/* Differences of two catalogues, field by field; and the order of columns, which is none. */
#include "assert_ok.h"
#include "pg_fixture.h"

#include "base/cleanup.h"
#include "migrate/catalogue/change.h"

struct fixture {
    struct arena *a;
    struct pg *db;
    struct catalogue before, after;
    struct catalogue_change *v;
    size_t n;
};

static void change(struct fixture *f, const char *script)
{
    struct err e = { 0 };
    assert_ok(catalogue_read(f->db, f->a, &f->before, &e), &e);
    assert_ok(pg_begin(f->db, &e), &e);
    assert_ok(pg_script(f->db, script, &e), &e);
    assert_ok(pg_commit(f->db, &e), &e);
    assert_ok(catalogue_read(f->db, f->a, &f->after, &e), &e);
    assert_ok(catalogue_changes(f->a, &f->before, &f->after, &f->v, &f->n, &e), &e);
}

static int setup(void **state)
{
    struct arena *a = arena_new(0);
    struct fixture *f = ARENA_NEW(a, struct fixture);
    struct err e;
    f->a = a;
    if (!pg_open(&(struct pg_spec){ .url = pg_fixture_database(a) }, &f->db, &e))
        return -1;
    *state = f;
    change(f, "create schema app; create table app.t (a int, b text, c date);");
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    pg_close(f->db);
    arena_free(f->a);
    return 0;
}

static void what_is_new_and_what_is_gone_is_told_by_kind_and_name(void **state)
{
    struct fixture *f = *state;
    change(f, "create index t_b on app.t (b); alter table app.t drop column c;");
    assert_int_equal(f->n, 2);
    assert_int_equal(f->v[0].what, CATALOGUE_REMOVED);
    assert_string_equal(f->v[0].identity, "app.t.c");
    assert_int_equal(f->v[1].what, CATALOGUE_ADDED);
    assert_string_equal(f->v[1].kind, "index");
}

static void what_is_otherwise_is_told_field_by_field(void **state)
{
    struct fixture *f = *state;
    change(f, "alter table app.t alter a set default 2, alter a set not null;");
    assert_int_equal(f->n, 1);
    assert_int_equal(f->v[0].what, CATALOGUE_CHANGED);
    assert_int_equal(f->v[0].field_count, 2);
    assert_string_equal(catalogue_change_text(f->a, &f->v[0]),
                        "changed  column app.t.a: not null false → true, default none → \"2\"");
    json_auto_t *json = catalogue_change_json(&f->v[0]);
    assert_string_equal(json_text_in_order(f->a, json),
                        "{\"change\":\"changed\",\"kind\":\"column\",\"identity\":\"app.t.a\","
                        "\"fields\":[{\"name\":\"not null\",\"before\":false,\"after\":true},"
                        "{\"name\":\"default\",\"before\":null,\"after\":\"2\"}]}");
}

static void a_column_that_comes_back_at_the_end_is_no_difference(void **state)
{
    struct fixture *f = *state;
    change(f, "alter table app.t drop column a; alter table app.t add column a int;");
    assert_int_equal(f->n, 0);
    assert_string_equal(f->before.digest, f->after.digest);
    assert_int_equal(f->after.order_count, 1);
    assert_string_not_equal(f->before.orders[0].what, f->after.orders[0].what);
}

static void a_renamed_object_keeps_its_place_on_the_server(void **state)
{
    struct fixture *f = *state;
    change(f, "alter table app.t rename column b to \"B b\";");
    assert_int_equal(f->n, 2);
    const struct catalogue_object *was = NULL, *now = NULL;
    for (size_t i = 0; i < f->before.n; i++)
        if (streq(f->before.objects[i].identity, "app.t.b"))
            was = &f->before.objects[i];
    for (size_t i = 0; i < f->after.n; i++)
        if (streq(f->after.objects[i].identity, "app.t.\"B b\""))
            now = &f->after.objects[i];
    assert_non_null(was);
    assert_non_null(now);
    assert_int_equal(was->key.oid, now->key.oid);
    assert_int_equal(was->key.column, now->key.column);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_new_and_what_is_gone_is_told_by_kind_and_name,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_otherwise_is_told_field_by_field, setup, teardown),
        cmocka_unit_test_setup_teardown(a_column_that_comes_back_at_the_end_is_no_difference, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_renamed_object_keeps_its_place_on_the_server, setup,
                                        teardown),
    };
    return cmocka_run_group_tests_name("migrate/change", tests, NULL, NULL);
}
