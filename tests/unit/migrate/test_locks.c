/* Migrations on tables that are in use: who waits for whom. */
#include "pair_fixture.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "migrate/apply/apply.h"
#include "migrate/apply/locks.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define VISITORS 24

struct fixture {
    struct arena *a;
    char *url;
    struct pg *db, *other;
    struct migrate_options o;
    int versions;
    const char *said;          /* the last sentence */
    const char *end_when_told; /* run by `other` then */
    atomic_bool must_stop;
    struct err e;
};

static void keep_sentence(void *context, const char *sentence)
{
    struct fixture *f = context;
    struct err e = { 0 };
    f->said = arena_strdup(f->a, sentence);
    if (f->end_when_told)
        assert_ok(pg_exec(f->other, f->end_when_told, PG_NONE, NULL, &e), &e);
    f->end_when_told = NULL;
}

static void run(struct fixture *f, struct pg *db, const char *sql)
{
    assert_ok(pg_run(db, sql, NULL, &f->e), &f->e);
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
    f->o = (struct migrate_options){ .applied_by = "ana",
                                     .lock_timeout_ms = 100,
                                     .lock_wait_ms = 60000,
                                     .on_wait = keep_sentence,
                                     .context = f };
    run(f, f->other, "CREATE TABLE public.busy (id int PRIMARY KEY, at timestamp)");
    run(f, f->other, "INSERT INTO public.busy SELECT g, now() FROM generate_series(1, 100) g");
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

static bool apply(struct fixture *f, const char *sql)
{
    char *version = arena_printf(f->a, "%d", ++f->versions);
    struct migration m = { .version = version,
                           .name = "change",
                           .file = arena_printf(f->a, "%s_change.sql", version),
                           .sql = str_of(sql),
                           .sha256 = "of the file" };
    return migration_apply(f->db, f->a, &m, &f->o, &f->e);
}

/* ---- visitors ---- */

struct visitor {
    struct fixture *f;
    pthread_t thread;
    const char *sql;
    atomic_int served;
    struct err e;
    bool failed;
};

/* Whoever is kept waiting for longer than its lock_timeout gets an error instead. */
static void *visit(void *context)
{
    struct visitor *v = context;
    CLEANUP(pg) struct pg *db = NULL;
    v->failed = !pg_open(&(struct pg_spec){ .url = v->f->url, .purpose = "visitor" }, &db, &v->e) ||
                !pg_run(db, "SET lock_timeout = '1500ms'", NULL, &v->e);
    while (!v->failed && !atomic_load(&v->f->must_stop)) {
        v->failed = !pg_run(db, v->sql, NULL, &v->e);
        atomic_fetch_add(&v->served, 1);
    }
    return NULL;
}

static void visitors_start(struct fixture *f, struct visitor *v, size_t n, const char *sql)
{
    atomic_store(&f->must_stop, false);
    for (size_t i = 0; i < n; i++) {
        v[i] = (struct visitor){ .f = f, .sql = sql };
        assert_int_equal(pthread_create(&v[i].thread, NULL, visit, &v[i]), 0);
    }
    for (size_t i = 0; i < n; i++)
        while (atomic_load(&v[i].served) == 0 && !v[i].failed)
            (void)usleep(1000);
}

static void visitors_were_all_served(struct fixture *f, struct visitor *v, size_t n)
{
    atomic_store(&f->must_stop, true);
    for (size_t i = 0; i < n; i++) {
        (void)pthread_join(v[i].thread, NULL);
        if (v[i].failed)
            fail_msg("visitor %zu: %s", i, v[i].e.why);
    }
}

static void visitors_do_not_wait_behind_a_migration_that_waits_for_a_reader(void **state)
{
    struct fixture *f = *state;
    struct visitor v[4];
    run(f, f->other, "BEGIN");
    run(f, f->other, "SELECT * FROM public.busy");
    visitors_start(f, v, 4, "SELECT at, pg_sleep(0.001) FROM public.busy WHERE id = 7");
    f->end_when_told = "COMMIT";
    assert_ok(apply(f, "alter table busy add note text;"), &f->e);
    visitors_were_all_served(f, v, 4);
    assert_non_null(strstr(f->said, "1_change.sql waits for a lock"));
    assert_non_null(strstr(f->said, "lockflight other, pid "));
    assert_non_null(strstr(f->said, "idle in transaction for"));
    assert_non_null(strstr(f->said, "AccessShareLock on public.busy: SELECT * FROM public.busy"));
    /* one while the reader was young, one when it had gone: the rest was looking */
    assert_string_equal(ask(f, "SELECT attempts <= 2 FROM lockflight.migrations"), "t");
}

static void a_table_never_free_of_short_transactions_is_got_all_the_same(void **state)
{
    struct fixture *f = *state;
    struct visitor v[VISITORS];
    visitors_start(f, v, VISITORS,
                   "WITH row AS MATERIALIZED (SELECT at FROM public.busy WHERE id = 7)"
                   " SELECT at, pg_sleep(0.02 + random() * 0.1) FROM row");
    f->o.lock_timeout_ms = 250;
    assert_ok(apply(f, "alter table busy add note text;"), &f->e);
    visitors_were_all_served(f, v, VISITORS);
}

static void patience_ends_with_the_one_in_the_way_and_nothing_changed(void **state)
{
    struct fixture *f = *state;
    run(f, f->other, "BEGIN");
    run(f, f->other, "LOCK TABLE public.busy");
    f->o.lock_wait_ms = 300;
    assert_fails(apply(f, "create table more (); alter table busy add note text;"), &f->e,
                 ERR_BLOCKED);
    assert_int_equal(err_exit_status(&f->e), 5);
    assert_non_null(strstr(f->e.why, "no lock within"));
    assert_non_null(strstr(f->e.why, "AccessExclusiveLock on public.busy: LOCK TABLE public.busy"));
    assert_non_null(strstr(f->e.hint, "pg_terminate_backend("));
    run(f, f->other, "ROLLBACK");
    assert_null(ask(f, "SELECT to_regclass('public.more')"));
    assert_ok(apply(f, "alter table busy add note text;"), &f->e);
}

/* ---- ending them ---- */

static struct pg *application(struct fixture *f, const char *sql)
{
    struct pg *db = NULL;
    assert_ok(pg_open(&(struct pg_spec){ .url = f->url }, &db, &f->e), &f->e);
    run(f, db, "SET application_name = 'reports'");
    run(f, db, "BEGIN");
    run(f, db, "SELECT * FROM public.busy");
    run(f, db, sql);
    return db;
}

static void an_old_idle_transaction_in_the_way_is_disconnected_and_named(void **state)
{
    struct fixture *f = *state;
    CLEANUP(pg) struct pg *idle = application(f, "SELECT 1");
    f->o.end_older_ms = 200;
    assert_ok(apply(f, "alter table busy add note text;"), &f->e);
    assert_non_null(strstr(f->said, "1_change.sql disconnected reports, pid "));
    assert_non_null(strstr(f->said, "AccessShareLock on public.busy"));
    assert_false(pg_run(idle, "SELECT 1", NULL, &f->e));
    err_clear(&f->e);
}

static void a_statement_in_the_way_is_cancelled_and_its_session_lives(void **state)
{
    struct fixture *f = *state;
    bool is_done = false;
    CLEANUP(pg) struct pg *busy = application(f, "SELECT 1");
    assert_ok(pg_start(busy, "SELECT pg_sleep(60)", &f->e), &f->e);
    f->o.end_older_ms = 200;
    assert_ok(apply(f, "alter table busy add note text;"), &f->e);
    assert_non_null(strstr(f->said, "1_change.sql cancelled reports, pid "));
    assert_fails(pg_wait(busy, 1000, &is_done, NULL, &f->e), &f->e, ERR_DB);
    assert_string_equal(f->e.sqlstate, "57014");
    pg_rollback(busy);
    assert_ok(pg_run(busy, "SELECT 1", NULL, &f->e), &f->e);
}

static void who_is_young_or_one_of_ours_is_left_alone(void **state)
{
    struct fixture *f = *state;
    CLEANUP(pg) struct pg *young = application(f, "SELECT 1");
    f->o.lock_wait_ms = 400;
    f->o.end_older_ms = 60000;
    assert_fails(apply(f, "alter table busy add note text;"), &f->e, ERR_BLOCKED);
    assert_ok(pg_run(young, "SELECT 1", NULL, &f->e), &f->e);
    run(f, young, "SET application_name = 'lockflight deploy'");
    f->o.end_older_ms = 200;
    assert_fails(apply(f, "alter table busy add note text;"), &f->e, ERR_BLOCKED);
    assert_ok(pg_run(young, "SELECT 1", NULL, &f->e), &f->e);
    assert_null(f->said);
}

static void a_prepared_transaction_is_named_with_the_way_to_end_it(void **state)
{
    struct fixture *f = *state;
    run(f, f->other, "BEGIN");
    run(f, f->other, "UPDATE public.busy SET at = now() WHERE id = 1");
    run(f, f->other, "PREPARE TRANSACTION 'forgotten'");
    f->o.lock_wait_ms = 200;
    assert_fails(apply(f, "alter table busy add note text;"), &f->e, ERR_BLOCKED);
    assert_non_null(strstr(f->e.why, "the prepared transaction 'forgotten', open for"));
    assert_non_null(strstr(f->e.hint, "ROLLBACK PREPARED 'forgotten'"));
    run(f, f->other, "ROLLBACK PREPARED 'forgotten'");
}

static void without_pg_monitor_ages_are_unknown_and_visitors_are_safe_all_the_same(void **state)
{
    struct fixture *f = *state;
    struct visitor v[2];
    run(f, f->other, "CREATE ROLE lock_test_owner LOGIN");
    run(f, f->other, "ALTER TABLE public.busy OWNER TO lock_test_owner");
    run(f, f->db, "SET SESSION AUTHORIZATION lock_test_owner");
    run(f, f->other, "BEGIN");
    run(f, f->other, "SELECT * FROM public.busy");
    visitors_start(f, v, 2, "SELECT at, pg_sleep(0.001) FROM public.busy WHERE id = 7");

    struct locks *l = NULL;
    struct sql_lock wanted = { { "public", "busy" }, SQL_ACCESS_EXCLUSIVE, SQL_ITSELF };
    struct locks_spec spec = { .wanted = &wanted,
                               .wanted_count = 1,
                               .budget_ms = 100,
                               .wait_ms = 400,
                               .file = "1_change.sql" };
    assert_ok(locks_open(f->db, f->a, &spec, &l, &f->e), &f->e);
    assert_ok(locks_wait(l, f->db, &f->e), &f->e); /* as far as can be seen */
    while (locks_wait(l, f->db, &f->e))            /* until it has been there for long */
        ;
    assert_int_equal(f->e.code, ERR_BLOCKED);
    assert_non_null(strstr(f->e.why, "state unknown, holds AccessShareLock on public.busy"));
    visitors_were_all_served(f, v, 2);
    run(f, f->other, "COMMIT");
    run(f, f->db, "RESET SESSION AUTHORIZATION");
    run(f, f->other, "DROP OWNED BY lock_test_owner");
    run(f, f->other, "DROP ROLE lock_test_owner");
}

/* ---- autovacuum ---- */

static void vacuum_slowly(struct fixture *f, bool begins)
{
    if (!begins) {
        run(f, f->other, "ALTER SYSTEM RESET autovacuum");
        run(f, f->other, "ALTER SYSTEM RESET autovacuum_naptime");
        run(f, f->other, "SELECT pg_reload_conf()");
        return;
    }
    run(f, f->other,
        "ALTER TABLE public.busy SET (autovacuum_vacuum_cost_delay = 100,"
        " autovacuum_vacuum_cost_limit = 1, autovacuum_vacuum_threshold = 1,"
        " autovacuum_vacuum_scale_factor = 0)");
    run(f, f->other, "INSERT INTO public.busy SELECT g, now() FROM generate_series(101, 50000) g");
    run(f, f->other, "DELETE FROM public.busy WHERE id > 50");
    run(f, f->other, "SELECT pg_stat_force_next_flush()");
    run(f, f->other, "ALTER SYSTEM SET autovacuum_naptime = '1s'");
    run(f, f->other, "ALTER SYSTEM SET autovacuum = on");
    run(f, f->other, "SELECT pg_reload_conf()");
}

static void until_vacuumed(struct fixture *f)
{
    for (int i = 0; i < 600; i++) {
        if (streq(ask(f, "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE"
                         " backend_type = 'autovacuum worker' AND query LIKE '%public.busy%')"),
                  "t"))
            return;
        (void)usleep(50 * 1000);
    }
    fail_msg("no autovacuum came");
}

static void an_autovacuum_is_cancelled_where_that_is_permitted_and_else_named(void **state)
{
    struct fixture *f = *state;
    run(f, f->other, "CREATE ROLE lock_test_owner LOGIN IN ROLE pg_monitor");
    run(f, f->other, "ALTER TABLE public.busy OWNER TO lock_test_owner");
    vacuum_slowly(f, true);
    until_vacuumed(f);
    struct locks *l = NULL;
    struct sql_lock wanted = { { NULL, "busy" }, SQL_ACCESS_EXCLUSIVE, SQL_ITSELF };
    struct locks_spec spec = { .wanted = &wanted,
                               .wanted_count = 1,
                               .budget_ms = 100,
                               .wait_ms = 300,
                               .file = "1_change.sql" };
    run(f, f->db, "SET SESSION AUTHORIZATION lock_test_owner");
    assert_ok(locks_open(f->db, f->a, &spec, &l, &f->e), &f->e);
    assert_fails(locks_wait(l, f->db, &f->e), &f->e, ERR_BLOCKED);
    assert_non_null(strstr(f->e.why, "autovacuum, pid "));

    spec.budget_ms = 1500; /* enough to be noticed by the server, which then ends it */
    assert_ok(locks_open(f->db, f->a, &spec, &l, &f->e), &f->e);
    assert_ok(locks_wait(l, f->db, &f->e), &f->e);
    assert_int_equal(locks_timeout_ms(l), 1200);

    run(f, f->db, "RESET SESSION AUTHORIZATION");
    until_vacuumed(f);
    assert_ok(apply(f, "alter table busy add note text;"), &f->e);
    vacuum_slowly(f, false);
    run(f, f->other, "REASSIGN OWNED BY lock_test_owner TO postgres");
    run(f, f->other, "DROP ROLE lock_test_owner");
}

/* ---- what is locked ---- */

static const char *locked_by(struct fixture *f, const struct sql_lock *wanted, size_t n)
{
    struct locks *l = NULL;
    struct locks_spec spec = {
        .wanted = wanted, .wanted_count = n, .budget_ms = 100, .wait_ms = 100, .file = "x"
    };
    assert_ok(locks_open(f->db, f->a, &spec, &l, &f->e), &f->e);
    size_t count = 0;
    const char *const *sql = locks_sql(l, &count), *all = "";
    for (size_t i = 0; i < count; i++)
        all = arena_printf(f->a, "%s%s; ", all, sql[i]);
    return all;
}

static void locks_are_asked_for_in_one_order_with_partners_and_partitions(void **state)
{
    struct fixture *f = *state;
    run(f, f->other, "CREATE TABLE public.owner (id int PRIMARY KEY)");
    run(f, f->other, "CREATE TABLE public.\"Pet\" (o int REFERENCES public.owner)");
    run(f, f->other, "CREATE TABLE public.log (at int) PARTITION BY RANGE (at)");
    run(f, f->other,
        "CREATE TABLE public.log_1 PARTITION OF public.log FOR VALUES FROM (1) TO (9)");
    run(f, f->other, "CREATE TABLE public.log_rest PARTITION OF public.log DEFAULT");
    run(f, f->other, "CREATE VIEW public.names AS SELECT id FROM public.owner");
    const struct sql_lock wanted[] = {
        { { NULL, "owner" }, SQL_SHARE_ROW_EXCLUSIVE, SQL_ITSELF },
        { { NULL, "owner" }, SQL_ACCESS_EXCLUSIVE, SQL_ITS_REFERENCING },
        { { "public", "log" }, SQL_ACCESS_EXCLUSIVE, SQL_ITS_PARTITIONS },
        { { "public", "names" }, SQL_ACCESS_EXCLUSIVE, SQL_ITSELF },
        { { "public", "not_there" }, SQL_ACCESS_EXCLUSIVE, SQL_ITSELF },
        { { "public", "Pet" }, SQL_ROW_EXCLUSIVE, SQL_ITSELF },
    };
    assert_string_equal(
        locked_by(f, wanted, sizeof wanted / sizeof *wanted),
        "LOCK TABLE ONLY public.\"Pet\", ONLY public.log, ONLY public.log_1, ONLY public.log_rest"
        " IN ACCESS EXCLUSIVE MODE; "
        "LOCK TABLE ONLY public.owner IN SHARE ROW EXCLUSIVE MODE; ");
    assert_string_equal(locked_by(f, NULL, 0), "");
}

static void a_column_turns_into_timestamptz_without_a_rewrite_unless_a_zone_was_given(void **state)
{
    struct fixture *f = *state;
    run(f, f->other, "ALTER SYSTEM SET timezone = 'Europe/Berlin'");
    run(f, f->other, "SELECT pg_reload_conf()");
    const char *file = ask(f, "SELECT pg_relation_filenode('public.busy')");
    assert_ok(apply(f, "alter table busy alter at type timestamptz;"), &f->e);
    assert_string_equal(ask(f, "SELECT pg_relation_filenode('public.busy')"), file);
    run(f, f->other, "ALTER SYSTEM RESET timezone");
    run(f, f->other, "SELECT pg_reload_conf()");

    run(f, f->other,
        arena_printf(f->a, "ALTER DATABASE %s SET timezone = 'Asia/Tokyo'",
                     ask(f, "SELECT current_database()")));
    assert_ok(pg_reconnect(f->db, &f->e), &f->e);
    assert_ok(apply(f, "create table zone as select current_setting('TimeZone') as name;"), &f->e);
    assert_string_equal(ask(f, "SELECT name FROM public.zone"), "Asia/Tokyo");
    assert_ok(apply(f, "set timezone = 'Africa/Cairo';"
                       "create table chosen as select current_setting('TimeZone') as name;"),
              &f->e);
    assert_string_equal(ask(f, "SELECT name FROM public.chosen"), "Africa/Cairo");
}

/* ---- a killed runner ---- */

static void the_lock_of_a_killed_runner_goes_long_before_its_statement_would_end(void **state)
{
    struct fixture *f = *state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (!pg_reconnect(f->db, &f->e))
            _exit(1);
        f->o.statement_timeout_ms = 3600 * 1000;
        (void)apply(f, "alter table busy add note text; select pg_sleep(3000); select 1;");
        _exit(1);
    }
    static const char is_held[] =
        "SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE"
        " l.relation = 'public.busy'::regclass AND l.mode = 'AccessExclusiveLock' AND l.granted"
        " AND a.query LIKE '%pg_sleep%' AND a.pid <> pg_backend_pid())";
    int i = 0;
    for (; i < 600 && streq(ask(f, is_held), "f"); i++)
        (void)usleep(20 * 1000);
    assert_true(i < 600);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    for (i = 0; i < 600 && streq(ask(f, is_held), "t"); i++)
        (void)usleep(20 * 1000);
    assert_true(i < 600);
    assert_string_equal(ask(f, "SELECT count(*) FROM lockflight.migrations"), "0");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(visitors_do_not_wait_behind_a_migration_that_waits_for_a_reader),
        TEST(a_table_never_free_of_short_transactions_is_got_all_the_same),
        TEST(patience_ends_with_the_one_in_the_way_and_nothing_changed),
        TEST(an_old_idle_transaction_in_the_way_is_disconnected_and_named),
        TEST(a_statement_in_the_way_is_cancelled_and_its_session_lives),
        TEST(who_is_young_or_one_of_ours_is_left_alone),
        TEST(a_prepared_transaction_is_named_with_the_way_to_end_it),
        TEST(without_pg_monitor_ages_are_unknown_and_visitors_are_safe_all_the_same),
        TEST(an_autovacuum_is_cancelled_where_that_is_permitted_and_else_named),
        TEST(locks_are_asked_for_in_one_order_with_partners_and_partitions),
        TEST(a_column_turns_into_timestamptz_without_a_rewrite_unless_a_zone_was_given),
        TEST(the_lock_of_a_killed_runner_goes_long_before_its_statement_would_end),
    };
    return cmocka_run_group_tests_name("migrate/locks", tests, NULL, NULL);
}
