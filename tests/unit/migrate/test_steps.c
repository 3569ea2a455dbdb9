/*
 * Migrations that do not fit into one transaction: how they are cut, what they leave, and that they
 * end in the planned state whatever dies on the way.
 */
#include "steps_fixture.h"

#include "base/fs.h"
#include "migrate/catalogue/catalogue.h"
#include "migrate/sql/step_cut.h"

static const char is_half[] = "SELECT count(*) FROM lockflight.migration_steps";
static const char is_valid[] = "SELECT indisvalid AND indisready AND indislive FROM pg_index"
                               " WHERE indexrelid = 'public.people_email'::regclass";

/* ---- cutting ---- */

static const char *cut(struct steps_fixture *f, const char *text)
{
    struct sql_script script;
    struct migration_steps steps;
    const char *names = "TAB", *said = "";
    assert_ok(sql_script_read(f->a, "x.sql", str_of(text), &script, &f->e) &&
                  migration_steps_cut(f->a, &script, &steps, &f->e),
              &f->e);
    for (size_t i = 0; i < steps.n; i++)
        said = arena_printf(f->a, "%s%s%c%zu.%zu", said, i ? " " : "", names[steps.v[i].kind],
                            steps.v[i].n, steps.v[i].settings_count);
    return said;
}

static void a_file_is_cut_where_postgres_demands_it(void **state)
{
    struct steps_fixture *f = *state;
    assert_string_equal(cut(f, "create table a (x int); create table b (x int);"), "T2.0");
    assert_string_equal(cut(f, "create table a (x int); create index concurrently i on a (x);"
                               "create table b (x int); vacuum a;"),
                        "T1.0 A1.0 T1.0 A1.0");
    assert_string_equal(cut(f, "alter type m add value 'x'; alter type m add value 'y';"
                               "select 'x'::m; select 1;"),
                        "T2.0 T2.0");
    assert_string_equal(cut(f, "-- backfill: key=id\nupdate t set a = 1;\nselect 1"), "B1.0 T1.0");
    assert_string_equal(cut(f, "set search_path = x; create index concurrently i on a (x);"
                               "select 1; set role r; select 2; reindex index concurrently i"),
                        "A1.1 T3.1 A1.2");
    assert_string_equal(cut(f, "-- transaction: none\n\nselect 1; select 2;"), "T1.0 T1.0");
    assert_string_equal(cut(f, "-- nothing"), "");
}

static void a_backfill_that_cannot_be_cut_is_refused_with_its_place(void **state)
{
    struct steps_fixture *f = *state;
    static const struct {
        const char *sql, *why, *where;
    } cases[] = {
        { "select 1;\n-- backfill: key=id\ninsert into t values (1);", "only an UPDATE",
          "x.sql:3:1" },
        { "-- backfill: key=id\nupdate t set a = 1 returning a;", "only an UPDATE", "x.sql:2:1" },
        { "-- backfill: key=id speed=9\nupdate t set a = 1;", "not \"speed\"", "x.sql:1:1" },
        { "-- backfill: id\nupdate t set a = 1;", "name=value", "x.sql:1:1" },
        { "-- backfill: key=id batch=1\nupdate t set a = 1;", "from 10 to", "x.sql:1:1" },
        { "-- backfill: table=u key=id\nupdate t set a = 1;", "about t, not about u", "x.sql:1:1" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_fails(migration_steps_check(f->a, "x.sql", str_of(cases[i].sql), &f->e), &f->e,
                     ERR_CONFIG);
        assert_non_null(strstr(f->e.why, cases[i].why));
        assert_string_equal(f->e.where, cases[i].where);
    }
}

/* ---- undisturbed ---- */

static const char whole_up[] =
    "alter table people add column state text;\n"
    "create type mood as enum ('sad');\n"
    "alter type mood add value 'ok';\n"
    "alter table people add column mood mood default 'ok';\n"
    "create unique index concurrently people_email on people (lower(email)) where id > 0;\n"
    "-- backfill: key=id batch=500\n"
    "update people set state = 'known' where state is null;\n"
    "create index concurrently on people (phone);\n"
    "alter table people alter column state set default 'new';\n"
    "drop index concurrently people_old;\n";
static const char whole_down[] = "create index concurrently people_old on people (email, phone);\n"
                                 "alter table people alter column state drop default;\n"
                                 "drop index concurrently people_phone_idx;\n"
                                 "-- backfill: key=id\n"
                                 "update people set state = null where state is not null;\n"
                                 "drop index concurrently people_email;\n"
                                 "alter table people drop column mood, drop column state;\n"
                                 "drop type mood;\n";

static void whole(struct steps_fixture *f)
{
    steps_people(f);
    steps_sql(f, "CREATE INDEX people_old ON public.people (email, phone)");
    steps_use(f, whole_up, whole_down);
}

static void several_kinds_of_steps_end_as_one_migration(void **state)
{
    struct steps_fixture *f = *state;
    char before[SHA256_HEX_BYTES], after[SHA256_HEX_BYTES];
    whole(f);
    assert_ok(catalogue_digest(f->other, before, &f->e), &f->e);
    assert_ok(steps_apply(f), &f->e);
    assert_int_equal(f->records, 1);
    assert_string_equal(steps_ask(f, is_half), "0");
    assert_string_equal(steps_ask(f, is_valid), "t");
    assert_string_equal(steps_ask(f, "SELECT count(*) FROM public.people WHERE state = 'known'"),
                        "3000");
    assert_string_equal(steps_ask(f, "SELECT state || steps FROM lockflight.migrations"),
                        "applied8");
    assert_string_equal(steps_ask(f, "SELECT version FROM supabase_migrations.schema_migrations"),
                        "7");
    assert_ok(steps_reverse(f), &f->e);
    assert_ok(catalogue_digest(f->other, after, &f->e), &f->e);
    assert_string_equal(before, after);
    assert_string_equal(steps_ask(f, "SELECT state FROM lockflight.migrations"), "reversed");
    assert_string_equal(steps_ask(f, is_half), "0");
    assert_ok(steps_apply(f), &f->e);
}

/* ---- whatever dies ---- */

/* The same database again and again: a clone of one that is made once. */
struct stage {
    const char *admin; /* URL of database postgres */
    const char *base;  /* name of the database that is cloned */
};

static const char *with_database(struct steps_fixture *f, const char *name)
{
    const char *at = strstr(f->url, "dbname=");
    return arena_printf(f->a, "%.*sdbname=%s", (int)(at - f->url), f->url, name);
}

static void admin(struct steps_fixture *f, const char *admin_url, const char *text)
{
    CLEANUP(pg) struct pg *db = NULL;
    assert_ok(pg_open(&(struct pg_spec){ .url = admin_url }, &db, &f->e) &&
                  pg_run(db, text, NULL, &f->e),
              &f->e);
}

static void begin_stage(struct steps_fixture *f, struct stage *s)
{
    s->admin = with_database(f, "postgres");
    s->base = strstr(f->url, "dbname=") + strlen("dbname=");
    steps_disconnect(f);
}

static void clone(struct steps_fixture *f, const struct stage *s)
{
    static int clones;
    const char *name = arena_printf(f->a, "clone%d", ++clones);
    steps_disconnect(f);
    if (clones > 1)
        admin(f, s->admin, arena_printf(f->a, "DROP DATABASE clone%d WITH (FORCE)", clones - 1));
    admin(f, s->admin, arena_printf(f->a, "CREATE DATABASE %s TEMPLATE %s", name, s->base));
    f->url = arena_strdup(f->a, with_database(f, name));
    steps_connect_all(f);
}

/* Catalogue, rows and history, as one text. */
static const char *state_of(struct steps_fixture *f)
{
    char digest[SHA256_HEX_BYTES];
    assert_ok(catalogue_digest(f->other, digest, &f->e), &f->e);
    return arena_printf(
        f->a, "%s %s %s %s", digest,
        steps_ask(f, "SELECT md5(string_agg(p::text, '|' ORDER BY id)) FROM public.people p"),
        steps_ask(f, "SELECT coalesce(string_agg(state || steps, ','), 'none')"
                     " FROM lockflight.migrations"),
        steps_ask(f, is_half));
}

/* A runner that died after its last commit has left nothing to do. */
static void rerun(struct steps_fixture *f, steps_direction *run, const char *wanted,
                  const char *what)
{
    steps_take_over(f);
    if (strcmp(state_of(f), wanted) != 0 && !run(f))
        fail_msg("%s: the run after it: %s %s", what, f->e.what, f->e.why);
    const char *is = state_of(f);
    if (strcmp(is, wanted) != 0)
        fail_msg("%s: ended as %s, wanted %s", what, is, wanted);
}

/* Rows are counted by what was written to them: a batch that ran twice shows. */
static const char crash_up[] = "alter table people add column touched int not null default 0;\n"
                               "create type mood as enum ('sad');\n"
                               "alter type mood add value 'ok';\n"
                               "alter table people add column mood mood default 'ok';\n"
                               "create unique index concurrently people_email on people (email);\n"
                               "-- backfill: key=id batch=100\n"
                               "update people set touched = touched + 1;\n"
                               "drop index concurrently people_old;\n";
static const char crash_down[] = "create index concurrently people_old on people (phone);\n"
                                 "-- backfill: key=id batch=100\n"
                                 "update people set phone = phone || 'x';\n"
                                 "drop index concurrently people_email;\n"
                                 "alter table people drop column mood, drop column touched;\n"
                                 "drop type mood;\n";

static void crash_stage(struct steps_fixture *f, struct stage *s)
{
    steps_people(f);
    steps_sql(f, "DELETE FROM public.people WHERE id > 250");
    steps_sql(f, "CREATE INDEX people_old ON public.people (phone)");
    steps_use(f, crash_up, crash_down);
    begin_stage(f, s);
}

static void kill_everywhere(struct steps_fixture *f, const struct stage *s, steps_direction *first,
                            steps_direction *run)
{
    size_t n = 0;
    clone(f, s);
    if (first)
        assert_ok(first(f), &f->e);
    const char **points = steps_passages(f, run, &n);
    const char *wanted = state_of(f);
    for (size_t i = 0; i < n; i++) {
        clone(f, s);
        if (first)
            assert_ok(first(f), &f->e);
        int status =
            steps_end_of(steps_start(f, run, arena_printf(f->a, "%s:kill", points[i]), NULL));
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        rerun(f, run, wanted, points[i]);
    }
    assert_true(n > 10);
}

static void a_runner_killed_anywhere_on_the_way_up_is_finished_by_the_next(void **state)
{
    struct steps_fixture *f = *state;
    struct stage s = { 0 };
    crash_stage(f, &s);
    kill_everywhere(f, &s, NULL, steps_apply);
}

static void a_runner_killed_anywhere_on_the_way_down_is_finished_by_the_next(void **state)
{
    struct steps_fixture *f = *state;
    struct stage s = { 0 };
    crash_stage(f, &s);
    kill_everywhere(f, &s, steps_apply, steps_reverse);
}

/* Killed in the middle of its backfill. */
static bool half(struct steps_fixture *f)
{
    (void)steps_end_of(steps_start(f, steps_apply, "migrate.batch.before:2:kill", NULL));
    steps_take_over(f);
    return true;
}

static void a_runner_killed_while_it_takes_a_half_applied_one_back_is_finished(void **state)
{
    struct steps_fixture *f = *state;
    struct stage s = { 0 };
    crash_stage(f, &s);
    f->m.reverse_sql = str_of("create index concurrently people_old on people (phone);\n"
                              "drop index concurrently people_email;\n"
                              "alter table people drop column mood, drop column touched;\n"
                              "drop type mood;\n");
    kill_everywhere(f, &s, half, steps_take_back);
    assert_string_equal(steps_ask(f, "SELECT state FROM lockflight.migrations"), "reversed");
    assert_null(steps_ask(f, "SELECT to_regtype('public.mood')"));
    assert_ok(steps_apply(f), &f->e);
}

/* Before each statement and after each that was alone: the other places only differ in what the
 * runner has in mind. */
static bool is_at_a_statement(const char *point)
{
    return starts_with(point, "migrate.statement.before") || starts_with(point, "migrate.step.ran");
}

/* The server is stopped at once and started again while the runner stands at a fault point. */
static void restart_everywhere(struct steps_fixture *f, const struct stage *s,
                               steps_direction *first, steps_direction *run)
{
    size_t n = 0;
    clone(f, s);
    if (first)
        assert_ok(first(f), &f->e);
    const char **points = steps_passages(f, run, &n);
    const char *wanted = state_of(f);
    for (size_t i = 0; i < n; i++) {
        if (!is_at_a_statement(points[i]))
            continue;
        clone(f, s);
        if (first)
            assert_ok(first(f), &f->e);
        int status = 0;
        pid_t child = steps_start(f, run, arena_printf(f->a, "%s:stop", points[i]), NULL);
        assert_int_equal(waitpid(child, &status, WUNTRACED), child);
        assert_true(WIFSTOPPED(status));
        pg_fixture_crash();
        (void)kill(child, SIGCONT);
        (void)steps_end_of(child); /* it may have been finished already */
        steps_connect_all(f);
        rerun(f, run, wanted, points[i]);
    }
}

static void a_server_restarted_anywhere_on_the_way_up_changes_nothing_in_the_end(void **state)
{
    struct steps_fixture *f = *state;
    struct stage s = { 0 };
    crash_stage(f, &s);
    restart_everywhere(f, &s, NULL, steps_apply);
}

static void a_server_restarted_anywhere_on_the_way_down_changes_nothing_in_the_end(void **state)
{
    struct steps_fixture *f = *state;
    struct stage s = { 0 };
    crash_stage(f, &s);
    restart_everywhere(f, &s, steps_apply, steps_reverse);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, steps_setup, steps_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_is_cut_where_postgres_demands_it),
        TEST(a_backfill_that_cannot_be_cut_is_refused_with_its_place),
        TEST(several_kinds_of_steps_end_as_one_migration),
#ifdef LOCKFLIGHT_FAULTS
        TEST(a_runner_killed_anywhere_on_the_way_up_is_finished_by_the_next),
        TEST(a_runner_killed_anywhere_on_the_way_down_is_finished_by_the_next),
        TEST(a_runner_killed_while_it_takes_a_half_applied_one_back_is_finished),
        TEST(a_server_restarted_anywhere_on_the_way_up_changes_nothing_in_the_end),
        TEST(a_server_restarted_anywhere_on_the_way_down_changes_nothing_in_the_end),
#endif
    };
    return cmocka_run_group_tests_name("migrate/steps", tests, NULL, NULL);
}
