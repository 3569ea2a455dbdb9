/*
 * What statements that cannot run in a transaction leave behind when they are interrupted, and what
 * the next run makes of it.
 */
#include "steps_fixture.h"

static const char is_valid[] = "SELECT indisvalid AND indisready AND indislive FROM pg_index"
                               " WHERE indexrelid = to_regclass('public.people_email')";
static const char oid_of_index[] = "SELECT to_regclass('public.people_email')::oid";
static const char rows[] = "SELECT count(*) FROM lockflight.migration_steps";

static const char concurrent_up[] = "create index concurrently people_email on people (email);\n"
                                    "comment on table people is 'indexed';\n";

static bool is_waiting(struct steps_fixture *f)
{
    return streq(steps_ask(f,
                           "SELECT count(*) FROM pg_stat_activity WHERE application_name ="
                           " 'lockflight step' AND state = 'active' AND wait_event_type = 'Lock'"),
                 "1");
}

static bool is_idle(struct steps_fixture *f)
{
    return streq(steps_ask(f, "SELECT count(*) FROM pg_stat_activity WHERE application_name ="
                              " 'lockflight step'"),
                 "0");
}

static void wait_until(struct steps_fixture *f, bool (*is)(struct steps_fixture *f))
{
    while (!is(f))
        (void)usleep(20000);
}

static const char touches_people[] = "UPDATE public.people SET phone = phone WHERE id = 1";

/* A stranger's transaction that a concurrent step has to wait for. */
static struct pg *stranger(struct steps_fixture *f, const char *sql)
{
    struct pg *db = NULL;
    assert_ok(pg_open(&(struct pg_spec){ .url = f->url, .purpose = "stranger" }, &db, &f->e) &&
                  pg_begin(db, &f->e) && pg_run(db, sql, NULL, &f->e),
              &f->e);
    return db;
}

/* A runner in a child, until its step waits for the stranger. */
static pid_t start_and_wait(struct steps_fixture *f)
{
    pid_t child = steps_start(f, steps_apply, NULL, NULL);
    wait_until(f, is_waiting);
    return child;
}

/* The server goes down while a step waits behind a stranger, and comes up again. */
static void crash_while_waiting_for(struct steps_fixture *f, const char *sql)
{
    struct pg *open = stranger(f, sql);
    pid_t child = start_and_wait(f);
    pg_fixture_crash();
    pg_close(open);
    assert_int_not_equal(steps_end_of(child), 0);
    steps_connect_all(f);
}

static void crash_while_waiting(struct steps_fixture *f)
{
    crash_while_waiting_for(f, touches_people);
}

static void is_finished(struct steps_fixture *f)
{
    assert_string_equal(steps_ask(f, is_valid), "t");
    assert_string_equal(steps_ask(f, rows), "0");
    assert_string_equal(steps_ask(f, "SELECT obj_description('public.people'::regclass)"),
                        "indexed");
    assert_string_equal(steps_ask(f, "SELECT state FROM lockflight.migrations"), "applied");
}

static void a_build_whose_runner_was_killed_is_waited_for_and_adopted(void **state)
{
    struct steps_fixture *f = *state;
    steps_people(f);
    steps_use(f, concurrent_up, NULL);
    struct pg *open = stranger(f, touches_people);
    pid_t child = start_and_wait(f);
    (void)kill(child, SIGKILL);
    (void)steps_end_of(child);
    steps_take_over(f);
    const char *built = steps_ask(f, oid_of_index);

    pid_t next = steps_start(f, steps_apply, "migrate.step.following:1:stop", NULL);
    int status = 0;
    assert_int_equal(waitpid(next, &status, WUNTRACED), next);
    assert_true(WIFSTOPPED(status)); /* it waits for the builder, which goes on */
    assert_true(is_waiting(f));
    (void)kill(next, SIGCONT);
    assert_ok(pg_commit(open, &f->e), &f->e);
    assert_int_equal(steps_end_of(next), 0);
    pg_close(open);
    is_finished(f);
    assert_string_equal(steps_ask(f, oid_of_index), built);
}

static void a_build_that_a_restart_of_the_server_broke_is_made_again(void **state)
{
    struct steps_fixture *f = *state;
    steps_people(f);
    steps_use(f, concurrent_up, NULL);
    crash_while_waiting(f);
    assert_string_equal(steps_ask(f, is_valid), "f");
    assert_ok(steps_apply(f), &f->e);
    assert_non_null(strstr(f->said, "removing the broken index"));
    is_finished(f);
}

static void a_signal_stops_a_build_and_the_next_run_repairs_it(void **state)
{
    struct steps_fixture *f = *state;
    steps_people(f);
    steps_use(f, concurrent_up, NULL);
    struct pg *open = stranger(f, touches_people);
    pid_t child = start_and_wait(f);
    (void)kill(child, SIGTERM);
    int status = steps_end_of(child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 9);
    wait_until(f, is_idle);
    assert_string_equal(steps_ask(f, is_valid), "f");
    assert_string_equal(steps_ask(f, rows), "1");
    pg_close(open);
    assert_ok(steps_apply(f), &f->e);
    is_finished(f);
}

static void a_build_that_waits_too_long_names_who_blocks_it_and_leaves_nothing(void **state)
{
    struct steps_fixture *f = *state;
    steps_people(f);
    steps_use(f, concurrent_up, NULL);
    struct pg *open = stranger(f, touches_people);
    f->o.lock_wait_ms = 600;
    assert_fails(steps_apply(f), &f->e, ERR_BLOCKED);
    assert_non_null(strstr(f->e.why, "lockflight stranger"));
    pg_close(open);
    f->o.lock_wait_ms = 0;
    assert_ok(steps_apply(f), &f->e);
    is_finished(f);
}

static void duplicate_keys_are_named_and_the_broken_index_is_gone_at_once(void **state)
{
    struct steps_fixture *f = *state;
    steps_people(f);
    steps_sql(f, "UPDATE public.people SET email = 'twice' WHERE id IN (1, 2)");
    steps_use(f,
              "create unique index concurrently people_email on people (lower(email));\n"
              "comment on table people is 'indexed';\n",
              NULL);
    assert_fails(steps_apply(f), &f->e, ERR_DB);
    assert_string_equal(f->e.sqlstate, "23505");
    assert_non_null(strstr(f->e.why, "there more than once: (twice) 2 times"));
    assert_non_null(strstr(f->e.where, "7_steps.sql:1:1"));
    assert_null(steps_ask(f, oid_of_index));
    assert_string_equal(steps_ask(f, rows), "0");
    assert_string_equal(steps_ask(f, "SELECT count(*) FROM lockflight.migrations"), "0");
    steps_sql(f, "UPDATE public.people SET email = 'once' WHERE id = 1");
    assert_ok(steps_apply(f), &f->e);
    is_finished(f);
}

/* As another tool leaves it: a build that failed. */
static void broken_index(struct steps_fixture *f, const char *definition)
{
    steps_sql(f, "UPDATE public.people SET email = 'twice' WHERE id IN (1, 2)");
    assert_false(pg_run(f->other,
                        arena_printf(f->a,
                                     "CREATE UNIQUE INDEX CONCURRENTLY people_email ON"
                                     " public.people %s",
                                     definition),
                        NULL, &f->e));
    steps_sql(f, "UPDATE public.people SET email = 'once' WHERE id = 1");
    assert_string_equal(steps_ask(f, is_valid), "f");
}

static void a_broken_index_is_not_believed_even_if_it_may_exist(void **state)
{
    struct steps_fixture *f = *state;
    steps_people(f);
    broken_index(f, "(email)");
    steps_use(f,
              "create unique index concurrently if not exists people_email on people (email);\n"
              "comment on table people is 'indexed';\n",
              NULL);
    assert_ok(steps_apply(f), &f->e);
    is_finished(f);
}

static void an_index_of_that_name_that_is_another_one_is_refused(void **state)
{
    struct steps_fixture *f = *state;
    static const char *const others[] = {
        "CREATE INDEX people_email ON public.people (email)",
        "CREATE UNIQUE INDEX people_email ON public.people (email) WHERE id > 0",
        "CREATE UNIQUE INDEX people_email ON public.people (email DESC)",
        "CREATE UNIQUE INDEX people_email ON public.people (email text_pattern_ops)",
        "CREATE UNIQUE INDEX people_email ON public.people (email) INCLUDE (phone)",
        "CREATE UNIQUE INDEX people_email ON public.people (email) NULLS NOT DISTINCT",
        "CREATE UNIQUE INDEX people_email ON public.people (email) WITH (fillfactor = 50)",
        "CREATE VIEW public.people_email AS SELECT 1",
    };
    steps_people(f);
    steps_use(f, "create unique index concurrently if not exists people_email on people (email)",
              NULL);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        steps_sql(f, others[i]);
        assert_fails(steps_apply(f), &f->e, ERR_BLOCKED);
        assert_non_null(strstr(f->e.why, "is there already and is not what"));
        assert_string_equal(steps_ask(f, rows), "0");
        steps_sql(f, strstr(others[i], "VIEW") ? "DROP VIEW public.people_email"
                                               : "DROP INDEX public.people_email");
    }
    steps_sql(f, "CREATE UNIQUE INDEX people_email ON public.people USING btree (email ASC)");
    const char *oid = steps_ask(f, oid_of_index);
    assert_ok(steps_apply(f), &f->e);
    assert_string_equal(steps_ask(f, oid_of_index), oid);
}

static void an_index_without_a_name_is_found_again_by_what_it_is(void **state)
{
    struct steps_fixture *f = *state;
    static const char count[] = "SELECT count(*) FROM pg_index i WHERE i.indrelid ="
                                " 'public.people'::regclass AND i.indisvalid";
    steps_people(f);
    steps_sql(f, "CREATE INDEX ON public.people (email)"); /* takes the name; equal, but not ours */
    steps_use(f, "create index concurrently on people (email);", NULL);
    int status = steps_end_of(steps_start(f, steps_apply, "migrate.step.ran:1:kill", NULL));
    assert_true(WIFSIGNALED(status));
    assert_string_equal(steps_ask(f, count), "3");
    assert_ok(steps_apply(f), &f->e);
    assert_non_null(strstr(f->said, "done by the run that was interrupted"));
    assert_string_equal(steps_ask(f, count), "3");
}

static void dropping_an_index_goes_on_after_a_crash_and_does_not_hide_a_mistake(void **state)
{
    struct steps_fixture *f = *state;
    steps_people(f);
    steps_sql(f, "CREATE INDEX people_email ON public.people (email)");
    steps_use(f, "drop index concurrently people_email;", NULL);
    crash_while_waiting(f);
    assert_string_equal(steps_ask(f, is_valid), "f");
    assert_ok(steps_apply(f), &f->e);
    assert_null(steps_ask(f, oid_of_index));

    steps_use(f, "drop index concurrently people_nowhere;", NULL);
    f->m.version = "8";
    assert_fails(steps_apply(f), &f->e, ERR_DB);
    assert_fails(steps_apply(f), &f->e, ERR_DB);
    assert_string_equal(steps_ask(f, rows), "0");
}

static void reindexing_leaves_no_remains(void **state)
{
    struct steps_fixture *f = *state;
    static const char remains[] = "SELECT count(*) FROM pg_class WHERE relname LIKE '%\\_cc%'";
    steps_people(f);
    steps_sql(f, "CREATE INDEX people_email ON public.people (email)");
    steps_use(f, "reindex (verbose) table concurrently people;", NULL);
    crash_while_waiting(f);
    assert_string_not_equal(steps_ask(f, remains), "0");
    assert_ok(steps_apply(f), &f->e);
    assert_string_equal(steps_ask(f, remains), "0");
    assert_string_equal(steps_ask(f, is_valid), "t");
}

static void a_partition_that_is_half_detached_is_detached_wholly(void **state)
{
    struct steps_fixture *f = *state;
    steps_sql(f, "CREATE TABLE public.log (at int) PARTITION BY RANGE (at)");
    steps_sql(f, "CREATE TABLE public.log_1 PARTITION OF public.log FOR VALUES FROM (0) TO (10)");
    steps_use(f, "alter table log detach partition log_1 concurrently;", NULL);
    crash_while_waiting_for(f, "SELECT FROM public.log");
    assert_string_equal(steps_ask(f, "SELECT inhdetachpending FROM pg_inherits"), "t");
    assert_ok(steps_apply(f), &f->e);
    assert_string_equal(steps_ask(f, "SELECT count(*) FROM pg_inherits"), "0");
}

static void what_may_simply_run_again_does(void **state)
{
    struct steps_fixture *f = *state;
    steps_people(f);
    steps_use(f, "vacuum people; alter system set work_mem = '5MB'; alter system reset work_mem;",
              NULL);
    for (int i = 0; i < 3; i++) {
        assert_true(WIFSIGNALED(
            steps_end_of(steps_start(f, steps_apply, "migrate.step.ran:1:kill", NULL))));
        assert_string_equal(steps_ask(f, "SELECT count(*) FROM lockflight.migration_steps WHERE"
                                         " state = 'applying'"),
                            "1");
        f->o.record = NULL;
        if (i == 2)
            break;
        int status = steps_end_of(steps_start(f, steps_apply, "migrate.step.ran:2:kill", NULL));
        assert_true(WIFSIGNALED(status)); /* the next step after it */
    }
    assert_ok(steps_apply(f), &f->e);
    assert_string_equal(steps_ask(f, rows), "0");
}

static void what_cannot_be_known_is_left_to_a_person(void **state)
{
    struct steps_fixture *f = *state;
    static const char newer[] = "create index concurrently i on people (email) frobnicate";
    steps_people(f);
    steps_use(f, newer, NULL);
    steps_sql(f, arena_printf(f->a,
                              "INSERT INTO lockflight.migration_steps (version, direction, step,"
                              " kind, sql_sha256, state, epoch) VALUES ('7', 'apply', 1, 'alone',"
                              " encode(sha256('%s'), 'hex'), 'applying', 0)",
                              newer));
    assert_fails(steps_apply(f), &f->e, ERR_BLOCKED);
    assert_non_null(strstr(f->e.why, "the catalogue does not tell whether it took effect"));
    assert_non_null(strstr(f->e.hint, "UPDATE lockflight.migration_steps SET state = 'done' WHERE"
                                      " version = '7'"));
    assert_string_equal(steps_ask(f, rows), "1");
}

static void a_step_that_is_done_binds_the_file_and_one_that_is_not_may_be_changed(void **state)
{
    struct steps_fixture *f = *state;
    steps_people(f);
    steps_sql(f, "UPDATE public.people SET email = 'twice' WHERE id IN (1, 2)");
    steps_use(f,
              "alter table people add column a int;\n"
              "create unique index concurrently people_email on people (email);\n",
              NULL);
    assert_fails(steps_apply(f), &f->e, ERR_DB);
    assert_non_null(strstr(f->e.state, "1 of the 2 steps"));
    assert_string_equal(steps_ask(f, rows), "1");

    steps_use(f, "alter table people add column b int;\nvacuum people;\n", NULL);
    assert_fails(steps_apply(f), &f->e, ERR_BLOCKED);
    assert_non_null(strstr(f->e.why, "step 1 of 7_steps.sql is in the database"));

    steps_use(f,
              "alter table people add column a int;\n"
              "create index concurrently people_email on people (email);\n"
              "comment on table people is 'indexed';\n",
              NULL);
    assert_ok(steps_apply(f), &f->e);
    is_finished(f);
}

static void what_cannot_be_finished_can_be_taken_back(void **state)
{
    struct steps_fixture *f = *state;
    steps_people(f);
    steps_sql(f, "UPDATE public.people SET email = 'twice' WHERE id IN (1, 2)");
    steps_use(f,
              "alter table people add column a int;\n"
              "create unique index concurrently people_email on people (email);\n"
              "create table more (id int);\n"
              "alter table people rename a to b;\n",
              "alter table people rename b to a;\n"
              "drop table more;\n"
              "drop index concurrently people_email;\n"
              "alter table people drop column a;\n");
    assert_fails(steps_apply(f), &f->e, ERR_DB);
    assert_string_equal(steps_ask(f, rows), "1");
    assert_ok(steps_take_back(f), &f->e);
    assert_non_null(strstr(f->said, "is not needed: "));
    assert_string_equal(steps_ask(f, rows), "0");
    assert_string_equal(steps_ask(f, "SELECT state FROM lockflight.migrations"), "reversed");
    assert_string_equal(steps_ask(f, "SELECT string_agg(attname, ',' ORDER BY attnum) FROM"
                                     " pg_attribute WHERE attrelid = 'public.people'::regclass AND"
                                     " attnum > 0 AND NOT attisdropped"),
                        "id,email,phone");
}

static void taking_back_ends_a_build_that_is_still_under_way(void **state)
{
    struct steps_fixture *f = *state;
    steps_people(f);
    steps_use(f, concurrent_up, "drop index concurrently people_email;");
    struct pg *open = stranger(f, touches_people);
    pid_t child = start_and_wait(f);
    (void)kill(child, SIGKILL);
    (void)steps_end_of(child);
    steps_take_over(f);
    assert_true(is_waiting(f));
    pid_t next = steps_start(f, steps_take_back, NULL, NULL);
    while (is_waiting(f) && !streq(steps_ask(f, is_valid), "f"))
        (void)usleep(20000);
    assert_ok(pg_commit(open, &f->e), &f->e);
    pg_close(open);
    assert_int_equal(steps_end_of(next), 0);
    assert_null(steps_ask(f, oid_of_index));
    assert_string_equal(steps_ask(f, rows), "0");
}

static void what_is_on_its_way_back_does_not_go_forward(void **state)
{
    struct steps_fixture *f = *state;
    steps_people(f);
    steps_use(f, "vacuum people; select 1; vacuum people;", "select 1; select 2;");
    assert_true(
        WIFSIGNALED(steps_end_of(steps_start(f, steps_apply, "migrate.step.ran:2:kill", NULL))));
    steps_take_over(f);
    assert_true(WIFSIGNALED(
        steps_end_of(steps_start(f, steps_take_back, "migrate.step.begun:2:kill", NULL))));
    steps_take_over(f);
    assert_fails(steps_apply(f), &f->e, ERR_BLOCKED);
    assert_non_null(strstr(f->e.why, "taking it back was interrupted"));
    assert_ok(steps_take_back(f), &f->e);
    assert_ok(steps_apply(f), &f->e);
}

static void what_an_interrupted_step_left_goes_when_the_file_does_not_want_it_any_more(void **state)
{
    struct steps_fixture *f = *state;
    steps_people(f);
    steps_use(f, concurrent_up, NULL);
    crash_while_waiting(f);
    assert_string_equal(steps_ask(f, is_valid), "f");
    steps_use(f, "comment on table people is 'not indexed';", NULL);
    assert_ok(steps_apply(f), &f->e);
    assert_null(steps_ask(f, oid_of_index));
    assert_string_equal(steps_ask(f, rows), "0");
}

static void settings_of_the_file_hold_for_every_step(void **state)
{
    struct steps_fixture *f = *state;
    steps_sql(f, "CREATE SCHEMA crm");
    steps_sql(f, "CREATE TABLE crm.leads (id int PRIMARY KEY, n int)");
    steps_sql(f, "INSERT INTO crm.leads SELECT i FROM generate_series(1, 50) i");
    steps_use(f,
              "set local search_path = crm;\n"
              "create index concurrently leads_n on leads (n);\n"
              "-- backfill: batch=10\n"
              "update leads l set n = l.id where n is null or (n = 0);\n"
              "select pg_catalog.set_config('search_path', 'crm', false);\n"
              "alter table leads alter n set not null;\n"
              "vacuum leads;\n",
              NULL);
    assert_ok(steps_apply(f), &f->e);
    assert_string_equal(steps_ask(f, "SELECT sum(n) FROM crm.leads"), "1275");
    assert_string_equal(steps_ask(f, "SELECT to_regclass('crm.leads_n')"), "crm.leads_n");
}

static void a_backfill_follows_several_columns_and_keeps_its_place(void **state)
{
    struct steps_fixture *f = *state;
    steps_sql(f, "CREATE TABLE public.\"Lines\" (day date, \"No\" text, n int NOT NULL DEFAULT 0,"
                 " PRIMARY KEY (day, \"No\"))");
    steps_sql(f, "INSERT INTO public.\"Lines\" SELECT date '2026-01-01' + i / 40, 'it''s \\' || i"
                 " FROM generate_series(1, 200) i");
    steps_use(f,
              "-- backfill: table=public.Lines key=day,No batch=30\n"
              "update \"Lines\" as l set n = n + 1 where l.day > '2000-01-01' or false -- all\n",
              NULL);
    for (int i = 2; i <= 3; i++) {
        const char *fault = arena_printf(f->a, "migrate.batch.before:%d:kill", i);
        assert_true(WIFSIGNALED(steps_end_of(steps_start(f, steps_apply, fault, NULL))));
        steps_take_over(f);
    }
    assert_string_not_equal(steps_ask(f, "SELECT rows_done FROM lockflight.migration_steps"), "0");
    assert_ok(steps_apply(f), &f->e);
    assert_non_null(strstr(f->said, "going on after"));
    assert_string_equal(steps_ask(f, "SELECT string_agg(DISTINCT n::text, ',') FROM"
                                     " public.\"Lines\""),
                        "1");
}

static void a_backfill_without_a_usable_key_is_refused_before_a_row_is_written(void **state)
{
    struct steps_fixture *f = *state;
    static const struct {
        const char *key, *why;
    } cases[] = {
        { "batch=10", "has no primary key" },
        { "key=a", "may be null" },
        { "key=b", "no index begins with it" },
        { "key=nowhere", "a column is missing" },
    };
    steps_sql(f, "CREATE TABLE public.bag (a int, b int NOT NULL, c int)");
    steps_sql(f, "CREATE INDEX ON public.bag (a)");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        steps_use(f, arena_printf(f->a, "-- backfill: %s\nupdate bag set c = 1;", cases[i].key),
                  NULL);
        assert_fails(steps_apply(f), &f->e, ERR_CONFIG);
        if (!strstr(f->e.why, cases[i].why))
            fail_msg("%s: %s", cases[i].key, f->e.why);
        assert_string_equal(f->e.where, "7_steps.sql:2:1");
        assert_string_equal(steps_ask(f, rows), "0");
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, steps_setup, steps_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_build_that_a_restart_of_the_server_broke_is_made_again),
        TEST(a_signal_stops_a_build_and_the_next_run_repairs_it),
        TEST(a_build_that_waits_too_long_names_who_blocks_it_and_leaves_nothing),
        TEST(duplicate_keys_are_named_and_the_broken_index_is_gone_at_once),
        TEST(a_broken_index_is_not_believed_even_if_it_may_exist),
        TEST(an_index_of_that_name_that_is_another_one_is_refused),
        TEST(dropping_an_index_goes_on_after_a_crash_and_does_not_hide_a_mistake),
        TEST(reindexing_leaves_no_remains),
        TEST(a_partition_that_is_half_detached_is_detached_wholly),
        TEST(a_step_that_is_done_binds_the_file_and_one_that_is_not_may_be_changed),
        TEST(what_an_interrupted_step_left_goes_when_the_file_does_not_want_it_any_more),
        TEST(what_cannot_be_finished_can_be_taken_back),
        TEST(taking_back_ends_a_build_that_is_still_under_way),
        TEST(settings_of_the_file_hold_for_every_step),
        TEST(what_cannot_be_known_is_left_to_a_person),
        TEST(a_backfill_without_a_usable_key_is_refused_before_a_row_is_written),
#ifdef LOCKFLIGHT_FAULTS
        TEST(a_build_whose_runner_was_killed_is_waited_for_and_adopted),
        TEST(an_index_without_a_name_is_found_again_by_what_it_is),
        TEST(what_may_simply_run_again_does),
        TEST(what_is_on_its_way_back_does_not_go_forward),
        TEST(a_backfill_follows_several_columns_and_keeps_its_place),
#endif
    };
    return cmocka_run_group_tests_name("migrate/recover", tests, NULL, NULL);
}
