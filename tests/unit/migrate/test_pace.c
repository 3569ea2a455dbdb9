/*
 * What a backfill waits for between its batches: a real streaming replica that stands still, and a
 * vacuum that does not come.
 */
#include "steps_fixture.h"

struct listener {
    struct steps_fixture *f;
    struct pg *db;      /* where the remedy is run */
    const char *remedy; /* when a pause is said; NULL: it was */
};

static void remedy_a_pause(void *context, const char *sentence)
{
    struct listener *x = context;
    struct err e = { 0 };
    size_t n = strlen(x->f->said);
    (void)snprintf(x->f->said + n, sizeof x->f->said - n, "%s\n", sentence);
    if (!x->remedy || !strstr(sentence, ": pausing, "))
        return;
    assert_ok(pg_run(x->db, x->remedy, NULL, &e), &e);
    x->remedy = NULL;
}

static void a_replica_that_stands_still_is_waited_for_until_it_has_caught_up(void **state)
{
    struct steps_fixture *f = *state;
    CLEANUP(pg) struct pg *replica = NULL;
    assert_ok(pg_open(&(struct pg_spec){ .url = pg_fixture_replica(f->a) }, &replica, &f->e),
              &f->e);
    struct listener x = { .f = f, .db = replica, .remedy = "SELECT pg_wal_replay_resume()" };
    steps_sql(f, "CREATE TABLE public.people (id int PRIMARY KEY, seen int)");
    steps_sql(f, "INSERT INTO public.people SELECT i FROM generate_series(1, 60) i");
    steps_use(f,
              "-- backfill: key=id batch=10\n"
              "update people set seen = (select 1 from pg_sleep(0.5)) where seen is null;\n",
              NULL);
    f->o.replica_lag_ms = 400;
    f->o.on_progress = remedy_a_pause;
    f->o.context = &x;
    f->o.record = NULL;
    assert_ok(pg_run(replica, "SELECT pg_wal_replay_pause()", NULL, &f->e), &f->e);
    assert_ok(steps_apply(f), &f->e);
    assert_non_null(strstr(f->said, "pausing, a replica is"));
    assert_null(x.remedy);
    assert_string_equal(steps_ask(f, "SELECT count(*) FROM public.people WHERE seen = 1"), "60");
}

static void more_dead_rows_than_the_vacuum_takes_away_are_waited_for(void **state)
{
    struct steps_fixture *f = *state;
    struct listener x = { .f = f, .db = f->other, .remedy = "VACUUM public.people" };
    steps_sql(f, "CREATE TABLE public.people (id int PRIMARY KEY, seen int)");
    steps_sql(f, "INSERT INTO public.people SELECT i FROM generate_series(1, 1000) i");
    for (int i = 0; i < 3; i++) {
        steps_sql(f, "INSERT INTO public.people SELECT i FROM generate_series(1001, 41000) i");
        steps_sql(f, "DELETE FROM public.people WHERE id > 1000");
    }
    steps_sql(f, "ALTER SYSTEM SET autovacuum_naptime = '1h'");
    steps_sql(f, "ALTER SYSTEM SET autovacuum = on");
    steps_sql(f, "SELECT pg_reload_conf()");
    while (!streq(
        steps_ask(f, "SELECT pg_stat_force_next_flush()::text || current_setting('autovacuum')"
                     " || (pg_stat_get_dead_tuples('public.people'::regclass) > 100000)"),
        "ontrue"))
        (void)usleep(50000);
    steps_use(f,
              "-- backfill: key=id batch=100\n"
              "update people set seen = 1 where seen is null;\n",
              NULL);
    f->o.on_progress = remedy_a_pause;
    f->o.context = &x;
    f->o.record = NULL;
    assert_ok(steps_apply(f), &f->e);
    assert_non_null(strstr(f->said, "pausing, 120000 dead rows wait for the vacuum"));
    assert_null(x.remedy);
    assert_string_equal(steps_ask(f, "SELECT count(*) FROM public.people WHERE seen = 1"), "1000");
    steps_sql(f, "ALTER SYSTEM RESET ALL");
    steps_sql(f, "SELECT pg_reload_conf()");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, steps_setup, steps_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_replica_that_stands_still_is_waited_for_until_it_has_caught_up),
        TEST(more_dead_rows_than_the_vacuum_takes_away_are_waited_for),
    };
    return cmocka_run_group_tests_name("migrate/pace", tests, NULL, NULL);
}
