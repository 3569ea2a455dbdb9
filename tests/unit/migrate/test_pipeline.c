/* Many migrations in one exchange. */
#include "pair_fixture.h"

#include "migrate/apply/pipeline.h"

#include <stdlib.h>

#define MOST 100

struct fixture {
    struct arena *a;
    char *url;
    struct pg *db, *other;
    struct migration files[MOST];
    const struct migration *pending[MOST];
    size_t n;
    struct migrate_options o;
    size_t exchanges, told, applied;
    struct err e;
};

static bool count_exchange(void *context, struct pg *db, const struct migration *const *v, size_t n,
                           struct err *e)
{
    struct fixture *f = context;
    (void)e;
    assert_false(pg_in_transaction(db));
    assert_ptr_equal(v[0], f->pending[f->told]);
    assert_true(n > 0);
    f->exchanges++;
    return true;
}

static void count_applied(void *context, const struct migration *m)
{
    struct fixture *f = context;
    assert_ptr_equal(m, f->pending[f->told]);
    f->told++;
}

static bool write_record(void *context, struct pg *db, const char *version, struct err *e)
{
    (void)context;
    return pg_exec(db, "INSERT INTO public.records VALUES ($1)", PG_PARAMS(version), NULL, e);
}

/* "begins 001 to 005" into public.runs, in the transaction that is open, or by itself. */
static bool write_run(void *context, struct pg *db, enum migrate_moment moment,
                      const struct migration *const *v, size_t n, struct err *e)
{
    struct fixture *f = context;
    return pg_exec(
        db, "INSERT INTO public.runs VALUES ($1)",
        PG_PARAMS(arena_printf(f->a, "%s %s to %s", moment == MIGRATE_BEGINS ? "begins" : "ends",
                               v[0]->version, v[n - 1]->version)),
        NULL, e);
}

static void run(struct fixture *f, const char *sql)
{
    pair_run(f->other, sql);
}

static const char *ask(struct fixture *f, const char *sql)
{
    return pair_ask(f->other, f->a, sql);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->a = arena_new(0);
    f->url = pair_open(f->a, &f->db, &f->other);
    run(f, "CREATE TABLE public.records (version text)");
    f->o = (struct migrate_options){ .applied_by = "ana",
                                     .before = count_exchange,
                                     .on_applied = count_applied,
                                     .record = write_record,
                                     .context = f };
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

static void add(struct fixture *f, const char *sql)
{
    char *version = arena_printf(f->a, "%03zu", f->n + 1);
    f->files[f->n] = (struct migration){ .version = version,
                                         .name = "change",
                                         .file = arena_printf(f->a, "%s_change.sql", version),
                                         .sql = str_of(sql),
                                         .sha256 = "of the file" };
    f->pending[f->n] = &f->files[f->n];
    f->n++;
}

static bool apply(struct fixture *f)
{
    return pipeline_apply(f->db, f->a, f->pending, f->n, &f->o, &f->applied, &f->e);
}

static void of_a_hundred_files_each_is_a_transaction_and_all_are_one_exchange(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 100; i++)
        add(f, arena_printf(f->a, "create table t%d (x int);", i));
    assert_ok(apply(f), &f->e);
    assert_int_equal(f->applied, 100);
    assert_int_equal(f->told, 100);
    assert_int_equal(f->exchanges, 1);
    assert_string_equal(ask(f, "SELECT count(DISTINCT h.xmin::text) || ' ' || count(*)"
                               " FROM supabase_migrations.schema_migrations h"
                               " JOIN lockflight.migrations m USING (version)"
                               " JOIN public.records r USING (version)"
                               " WHERE h.xmin = m.xmin AND h.xmin = r.xmin"),
                        "100 100");
}

static void an_error_stops_the_rest_and_names_its_place_and_those_before_it_stay(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 9; i++)
        add(f, i == 5 ? "create table bad (x int);\nselect * from nowhere;"
                      : arena_printf(f->a, "create table t%d (x int);", i));
    assert_fails(apply(f), &f->e, ERR_DB);
    assert_non_null(strstr(f->e.where, "006_change.sql:2:15"));
    assert_int_equal(f->applied, 5);
    assert_int_equal(f->told, 5);
    assert_string_equal(ask(f, "SELECT max(version) FROM supabase_migrations.schema_migrations"),
                        "005");
    assert_string_equal(ask(f, "SELECT count(*) FROM public.records"), "5");
    assert_null(ask(f, "SELECT to_regclass('public.bad')"));
    assert_ok(pg_run(f->db, "SELECT 1", NULL, &f->e), &f->e);
}

static void an_exchange_is_recorded_where_it_begins_and_where_it_ends(void **state)
{
    struct fixture *f = *state;
    run(f, "CREATE TABLE public.runs (what text)");
    f->o.record_run = write_run;
    for (int i = 0; i < 5; i++)
        add(f, arena_printf(f->a, "create table t%d (x int);", i));
    assert_ok(apply(f), &f->e);
    assert_string_equal(ask(f, "SELECT string_agg(what, ' | ' ORDER BY ctid) FROM public.runs"),
                        "begins 001 to 005 | ends 001 to 005");
    assert_string_equal(ask(f, "SELECT string_agg((SELECT m.version FROM lockflight.migrations m"
                               " WHERE m.xmin = r.xmin), ' ' ORDER BY r.ctid) FROM public.runs r"),
                        "001 005");
    assert_string_equal(ask(f, "SELECT count(*) FROM public.records"), "0");
}

static void what_was_applied_before_an_error_is_recorded_behind_it(void **state)
{
    struct fixture *f = *state;
    run(f, "CREATE TABLE public.runs (what text)");
    f->o.record_run = write_run;
    for (int i = 0; i < 5; i++)
        add(f,
            i == 3 ? "select * from nowhere;" : arena_printf(f->a, "create table t%d (x int);", i));
    assert_fails(apply(f), &f->e, ERR_DB);
    assert_string_equal(ask(f, "SELECT string_agg(what, ' | ' ORDER BY ctid) FROM public.runs"),
                        "begins 001 to 005 | ends 001 to 003");
}

static void what_touches_a_table_with_visitors_goes_by_itself(void **state)
{
    struct fixture *f = *state;
    run(f, "CREATE TABLE public.busy (x int)");
    run(f, "SET application_name = 'a visitor'");
    add(f, "create table a (x int);");
    add(f, "create table b (x int); create index on b (x);");
    add(f, "alter table busy add y int;");
    add(f, "do $$ begin perform 1; end $$;");
    add(f, "create table c (x int); insert into c values (1);");
    add(f, "comment on table c is 'new';");
    assert_ok(apply(f), &f->e);
    assert_int_equal(f->told, 6);
    assert_int_equal(f->exchanges, 4);
    run(f, "SET application_name = 'lockflight other'");
}

static void what_cannot_be_in_a_transaction_stands_between_two_exchanges(void **state)
{
    struct fixture *f = *state;
    add(f, "create table a (x int);");
    add(f, "insert into a values (1);");
    add(f, "create index concurrently i on a (x);");
    add(f, "create table b (x int);");
    add(f, "create table c (x int);");
    assert_ok(apply(f), &f->e);
    assert_int_equal(f->exchanges, 3);
    assert_string_equal(ask(f, "SELECT count(*) FROM supabase_migrations.schema_migrations"), "5");
}

static void a_session_is_left_to_the_next_file_as_a_fresh_one(void **state)
{
    struct fixture *f = *state;
    add(f, "set search_path = pg_temp; create temp table t (x int); prepare p as select 1;");
    add(f, "create table t (x int, y int); insert into t values (1, 2); prepare p as select 2;");
    assert_ok(apply(f), &f->e);
    assert_int_equal(f->exchanges, 1);
    assert_string_equal(ask(f, "SELECT to_regclass('public.t')"), "public.t");
}

static void after_a_lost_connection_the_history_says_how_far_it_came(void **state)
{
    struct fixture *f = *state;
    add(f, "create table a (x int);");
    add(f, "create table b (x int);");
    add(f, "select pg_terminate_backend(pg_backend_pid());");
    add(f, "create table c (x int);");
    assert_fails(apply(f), &f->e, ERR_NET);
    assert_non_null(strstr(f->e.why, "003_change.sql"));
    assert_int_equal(f->applied, 2);
    assert_int_equal(f->told, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(of_a_hundred_files_each_is_a_transaction_and_all_are_one_exchange),
        TEST(an_error_stops_the_rest_and_names_its_place_and_those_before_it_stay),
        TEST(an_exchange_is_recorded_where_it_begins_and_where_it_ends),
        TEST(what_was_applied_before_an_error_is_recorded_behind_it),
        TEST(what_touches_a_table_with_visitors_goes_by_itself),
        TEST(what_cannot_be_in_a_transaction_stands_between_two_exchanges),
        TEST(a_session_is_left_to_the_next_file_as_a_fresh_one),
        TEST(after_a_lost_connection_the_history_says_how_far_it_came),
    };
    return cmocka_run_group_tests_name("migrate/pipeline", tests, NULL, NULL);
}
