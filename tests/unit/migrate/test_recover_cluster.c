/*
 * Databases, tablespaces and subscriptions that a migration makes or drops, and whose runner is killed:
 * they belong to the whole server, no transaction takes them back, and the next run ends all the same
 * in the state that was planned.
 */
#include "steps_fixture.h"

#include <pwd.h>
#include <sys/stat.h>

static const char active[] = "SELECT count(*) FROM pg_stat_activity WHERE application_name ="
                             " 'lockflight step' AND state = 'active'";

struct thing {
    const char *up;
    const char *const *before; /* brings the server to where it was; NULL at the end */
    const char *is_planned;    /* 't' when it has come to pass */
    const char *leave;         /* what the database before would hold on to goes; NULL: nothing */
};

static void prepare(struct steps_fixture *f, const struct thing *t)
{
    if (t->leave)
        steps_sql(f, t->leave);
    begin_database(f);
    for (const char *const *sql = t->before; *sql; sql++)
        steps_sql(f, *sql);
    steps_use(f, t->up, NULL);
}

static void is_as_planned(struct steps_fixture *f, const struct thing *t, const char *what)
{
    if (!streq(steps_ask(f, t->is_planned), "t"))
        fail_msg("%s: %s is not in effect", what, t->up);
    assert_string_equal(steps_ask(f, "SELECT count(*) FROM lockflight.migration_steps"), "0");
    assert_string_equal(steps_ask(f, "SELECT string_agg(state, ' ') FROM lockflight.migrations"),
                        "applied");
}

static void is_finished_wherever_the_runner_dies(struct steps_fixture *f, const struct thing *t)
{
    size_t n = 0;
    prepare(f, t);
    const char **points = steps_passages(f, steps_apply, &n);
    is_as_planned(f, t, "undisturbed");
    for (size_t i = 0; i < n; i++) {
        prepare(f, t);
        int status = steps_end_of(
            steps_start(f, steps_apply, arena_printf(f->a, "%s:kill", points[i]), NULL));
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        steps_take_over(f);
        f->o.record = NULL;
        if (streq(
                steps_ask(f, "SELECT count(*) FROM lockflight.migrations WHERE state = 'applied'"),
                "0") &&
            !steps_apply(f))
            fail_msg("%s: the run after it: %s", points[i], f->e.why);
        is_as_planned(f, t, points[i]);
    }
    assert_true(n > 3);
}

/* Killed while the server works on it, which goes on; the statement ends when `busy` goes. */
static void is_adopted_when_the_server_finished_it(struct steps_fixture *f, const struct thing *t,
                                                   struct pg *busy)
{
    pid_t child = steps_start(f, steps_apply, NULL, NULL);
    while (!streq(steps_ask(f, active), "1"))
        (void)usleep(20000);
    (void)kill(child, SIGKILL);
    (void)steps_end_of(child);
    steps_take_over(f);
    assert_string_equal(steps_ask(f, active), "1");
    pg_close(busy);
    f->o.record = NULL;
    assert_ok(steps_apply(f), &f->e);
    assert_non_null(strstr(f->said, "done by the run that was interrupted"));
    is_as_planned(f, t, "killed meanwhile");
}

static struct pg *visitor_of(struct steps_fixture *f, const char *database)
{
    struct pg *db = NULL;
    assert_ok(pg_open(&(struct pg_spec){ .url = f->url, .database = database }, &db, &f->e), &f->e);
    return db;
}

/* ---- databases ---- */

static const struct thing create_database = {
    .up = "create database made template pattern;\ncreate table public.after (x int);\n",
    .before = (const char *const[]){ "DROP DATABASE IF EXISTS made WITH (FORCE)",
                                     "DROP DATABASE IF EXISTS pattern WITH (FORCE)",
                                     "CREATE DATABASE pattern", NULL },
    .is_planned = "SELECT count(*) = 1 AND to_regclass('public.after') IS NOT NULL FROM pg_database"
                  " WHERE datname = 'made' AND datconnlimit = -1",
};

static const struct thing drop_database = {
    .up = "drop database made;\n",
    .before = (const char *const[]){ "DROP DATABASE IF EXISTS made WITH (FORCE)",
                                     "CREATE DATABASE made", NULL },
    .is_planned = "SELECT count(*) = 0 FROM pg_database"
                  " WHERE datname = 'made'",
};

static void a_database_is_created_wherever_the_runner_dies(void **state)
{
    is_finished_wherever_the_runner_dies(*state, &create_database);
}

static void a_database_is_dropped_wherever_the_runner_dies(void **state)
{
    is_finished_wherever_the_runner_dies(*state, &drop_database);
}

static void a_database_that_the_server_went_on_to_create_is_adopted(void **state)
{
    struct steps_fixture *f = *state;
    prepare(f, &create_database);
    is_adopted_when_the_server_finished_it(f, &create_database, visitor_of(f, "pattern"));
}

static void a_database_that_the_server_went_on_to_drop_is_not_dropped_twice(void **state)
{
    struct steps_fixture *f = *state;
    prepare(f, &drop_database);
    is_adopted_when_the_server_finished_it(f, &drop_database, visitor_of(f, "made"));
}

/* ---- tablespaces ---- */

static const char *tablespace_folder(struct steps_fixture *f)
{
    const char *host = strstr(f->url, "host=") + strlen("host=");
    const char *dir = arena_printf(f->a, "%.*s/space", (int)(strchr(host, ' ') - host), host);
    const struct passwd *nobody = getpwnam("nobody");
    (void)mkdir(dir, 0700);
    if (geteuid() == 0)
        assert_int_equal(chown(dir, nobody->pw_uid, nobody->pw_gid), 0);
    return dir;
}

static void a_tablespace_is_created_and_dropped_wherever_the_runner_dies(void **state)
{
    struct steps_fixture *f = *state;
    const char *create =
        arena_printf(f->a, "CREATE TABLESPACE made LOCATION '%s'", tablespace_folder(f));
    const struct thing up = {
        .up = arena_printf(f->a, "%s;\n", create),
        .before = (const char *const[]){ "DROP TABLESPACE IF EXISTS made", NULL },
        .is_planned = "SELECT count(*) = 1"
                      " FROM pg_tablespace WHERE spcname = 'made'",
    };
    const struct thing down = {
        .up = "drop tablespace made;\n",
        .before = (const char *const[]){ "DROP TABLESPACE IF EXISTS made", create, NULL },
        .is_planned = "SELECT count(*) = 0"
                      " FROM pg_tablespace WHERE spcname = 'made'",
    };
    is_finished_wherever_the_runner_dies(f, &up);
    is_finished_wherever_the_runner_dies(f, &down);
}

/* ---- subscriptions ---- */

/* Another server, which publishes a table: a replica that was promoted. */
static struct pg *publisher(struct steps_fixture *f, const char **ret_url)
{
    struct pg *db = NULL;
    steps_sql(f, "ALTER SYSTEM SET wal_level = 'logical'");
    pg_fixture_crash();
    steps_connect_all(f);
    *ret_url = pg_fixture_replica(f->a);
    assert_ok(pg_open(&(struct pg_spec){ .url = *ret_url }, &db, &f->e), &f->e);
    assert_ok(pg_run(db, "SELECT pg_promote()", NULL, &f->e) &&
                  pg_run(db, "CREATE TABLE public.news (x int)", NULL, &f->e) &&
                  pg_run(db, "CREATE PUBLICATION news FOR TABLE public.news", NULL, &f->e),
              &f->e);
    return db;
}

static void a_subscription_is_created_and_dropped_wherever_the_runner_dies(void **state)
{
    struct steps_fixture *f = *state;
    const char *url;
    struct pg_rows slots;
    CLEANUP(pg) struct pg *other = publisher(f, &url);
    const char *create =
        arena_printf(f->a, "CREATE SUBSCRIPTION news CONNECTION '%s' PUBLICATION news", url);
    const struct thing up = {
        .up = arena_printf(f->a, "%s;\n", create),
        .before = (const char *const[]){ "CREATE TABLE public.news (x int)", NULL },
        .is_planned = "SELECT count(*) = 1"
                      " FROM pg_subscription WHERE subname = 'news'",
        .leave = "DROP SUBSCRIPTION IF EXISTS news",
    };
    const struct thing down = {
        .up = "drop subscription news;\n",
        .before = (const char *const[]){ "CREATE TABLE public.news (x int)", create, NULL },
        .is_planned = "SELECT count(*) = 0"
                      " FROM pg_subscription WHERE subname = 'news'",
        .leave = "DROP SUBSCRIPTION IF EXISTS news",
    };
    is_finished_wherever_the_runner_dies(f, &up);
    is_finished_wherever_the_runner_dies(f, &down);
    assert_ok(
        pg_query(other, f->a, "SELECT count(*) FROM pg_replication_slots", PG_NONE, &slots, &f->e),
        &f->e);
    assert_string_equal(pg_value(&slots, 0, 0), "0");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, steps_setup, steps_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_database_is_created_wherever_the_runner_dies),
        TEST(a_database_is_dropped_wherever_the_runner_dies),
        TEST(a_database_that_the_server_went_on_to_create_is_adopted),
        TEST(a_database_that_the_server_went_on_to_drop_is_not_dropped_twice),
        TEST(a_tablespace_is_created_and_dropped_wherever_the_runner_dies),
        TEST(a_subscription_is_created_and_dropped_wherever_the_runner_dies),
    };
    return cmocka_run_group_tests_name("migrate/recover_cluster", tests, NULL, NULL);
}
