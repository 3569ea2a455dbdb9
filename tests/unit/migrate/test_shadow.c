/* Scratch databases: what is in them, what is kept, and that nothing of a run stays behind. */
#include "assert_ok.h"
#include "pg_fixture.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hash.h"
#include "migrate/catalogue/catalogue.h"
#include "migrate/shadow/shadow.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static struct migration_set set_of(struct arena *a, const char *const *files)
{
    struct migration_set set = { 0 };
    while (files[set.n])
        set.n++;
    set.v = ARENA_ARRAY(a, struct migration, set.n + 1);
    for (size_t i = 0; i < set.n; i++) {
        char hex[SHA256_HEX_BYTES];
        hash_hex(HASH_SHA256, str_of(files[i]), hex);
        set.v[i] = (struct migration){ .version = arena_printf(a, "%zu", i + 1),
                                       .name = "m",
                                       .file = arena_printf(a, "%zu_m.sql", i + 1),
                                       .sql = str_of(files[i]),
                                       .sha256 = arena_strdup(a, hex) };
    }
    return set;
}

static int64_t number(struct pg *db, const char *sql)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct pg_rows r;
    struct err e = { 0 };
    assert_ok(pg_query(db, a, sql, PG_NONE, &r, &e), &e);
    return pg_int(&r, 0, 0);
}

static const char clones[] =
    "select count(*) from pg_database where datname ~ '^lockflight_shadow_[0-9a-f]{8}_'";
static const char templates[] =
    "select count(*) from pg_database where datname ~ '^lockflight_shadow_t_'";

static void a_shadow_has_the_migrations_before_a_version_and_is_gone_when_closed(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    CLEANUP(pg) struct pg *db = NULL;
    struct err e = { 0 };
    char *url = pg_fixture_database(a);
    struct migration_set set =
        set_of(a, (const char *const[]){ "create table public.one (a int)",
                                         "create table public.two (a int)",
                                         "create table public.three (a int)", NULL });
    assert_ok(pg_open(&(struct pg_spec){ .url = url }, &db, &e), &e);
    for (int i = 0; i < 2; i++) { /* built, then from the template */
        CLEANUP(shadow) struct shadow *s = NULL;
        struct shadow_spec spec = { .server_url = url, .set = &set, .upto = "3" };
        assert_ok(shadow_open(&spec, a, &s, &e), &e);
        assert_int_equal(number(shadow_db(s), "select (to_regclass('public.two') is not null)::int"
                                              " - (to_regclass('public.three') is not null)::int"),
                         1);
        assert_ok(shadow_advance(s, &set.v[2], &e), &e);
        assert_int_equal(
            number(shadow_db(s), "select (to_regclass('public.three') is not null)::int"), 1);
        assert_int_equal(number(db, clones), 1);
    }
    assert_int_equal(number(db, clones), 0);
    assert_int_equal(number(db, templates), 1);
    assert_int_equal(number(db, "select (to_regclass('public.one') is not null)::int"), 0);
}

static void a_fork_is_equal_and_the_first_goes_on(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct err e = { 0 };
    char *url = pg_fixture_database(a);
    CLEANUP(shadow) struct shadow *s = NULL;
    CLEANUP(shadow) struct shadow *fork = NULL;
    char one[SHA256_HEX_BYTES], two[SHA256_HEX_BYTES];
    assert_ok(shadow_open(&(struct shadow_spec){ .server_url = url }, a, &s, &e), &e);
    assert_ok(shadow_run(s, "x.sql", STR("create table public.x (a int)"), &e), &e);
    assert_ok(shadow_fork(s, &fork, &e), &e);
    assert_ok(catalogue_digest(shadow_db(s), one, &e), &e);
    assert_ok(catalogue_digest(shadow_db(fork), two, &e), &e);
    assert_string_equal(one, two);
    assert_ok(shadow_run(fork, "y.sql", STR("drop table public.x"), &e), &e);
    assert_int_equal(number(shadow_db(s), "select count(*) from public.x"), 0);
}

static void a_migration_that_does_not_run_is_told_with_its_place(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct err e = { 0 };
    char *url = pg_fixture_database(a);
    struct shadow *s = NULL;
    struct migration_set set = set_of(
        a, (const char *const[]){ "create table public.t (a int)",
                                  "select 1;\nalter table public.missing add b int;", NULL });
    assert_fails(shadow_open(&(struct shadow_spec){ .server_url = url, .set = &set }, a, &s, &e),
                 &e, ERR_DB);
    assert_string_equal(e.where, "2_m.sql:2:1");
    CLEANUP(pg) struct pg *db = NULL;
    assert_ok(pg_open(&(struct pg_spec){ .url = url }, &db, &e), &e);
    assert_int_equal(number(db, clones), 0);
}

/* Supabase's things are built in when somebody speaks of them; an extension that is not there is
 * left out and noted, also when the template is found the second time. */
static void a_plain_server_gets_what_a_supabase_project_has(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct err e = { 0 };
    char *url = pg_fixture_database(a);
    struct migration_set set = set_of(
        a, (const char *const[]){
               "create extension if not exists no_such_thing; create table public.t (id uuid"
               " references auth.users, x text default auth.role());"
               "create policy p on public.t to authenticated using (auth.uid() = id);"
               "comment on extension no_such_thing is 'x'",
               "create index concurrently on public.t (x); select extensions.uuid_generate_v4()",
               NULL });
    for (int i = 0; i < 2; i++) {
        CLEANUP(shadow) struct shadow *s = NULL;
        size_t n = 0;
        assert_ok(shadow_open(&(struct shadow_spec){ .server_url = url, .set = &set }, a, &s, &e),
                  &e);
        const char *const *notes = shadow_notes(s, &n);
        assert_int_equal(n, 1);
        assert_non_null(strstr(notes[0], "no_such_thing"));
        assert_int_equal(
            number(shadow_db(s), "select count(*) from pg_indexes where tablename = 't'"), 1);
    }
    CLEANUP(pg) struct pg *db = NULL; /* a set that does not speak of them gets none of it */
    CLEANUP(shadow) struct shadow *s = NULL;
    assert_ok(shadow_open(&(struct shadow_spec){ .server_url = url }, a, &s, &e), &e);
}

static void what_a_killed_run_left_is_dropped_and_a_living_one_is_not(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    CLEANUP(pg) struct pg *db = NULL;
    struct err e = { 0 };
    char *url = pg_fixture_database(a);
    assert_ok(pg_open(&(struct pg_spec){ .url = url }, &db, &e), &e);
    pid_t child = fork();
    if (child == 0) {
        struct shadow *s = NULL;
        _exit(shadow_open(&(struct shadow_spec){ .server_url = url }, a, &s, &e) ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(number(db, clones), 1);

    /* of another machine: young, and old */
    int64_t now_s = clock_unix_ms() / 1000;
    const char *young =
        arena_printf(a, "lockflight_shadow_00000000_1_%08llx_abcdef", (unsigned long long)now_s);
    const char *old = arena_printf(a, "lockflight_shadow_00000000_1_%08llx_abcdef",
                                   (unsigned long long)now_s - 7200);
    assert_ok(pg_exec(db, arena_printf(a, "create database \"%s\"", young), PG_NONE, NULL, &e), &e);
    assert_ok(pg_exec(db, arena_printf(a, "create database \"%s\"", old), PG_NONE, NULL, &e), &e);

    CLEANUP(shadow) struct shadow *mine = NULL;
    CLEANUP(shadow) struct shadow *second = NULL;
    assert_ok(shadow_open(&(struct shadow_spec){ .server_url = url }, a, &mine, &e), &e);
    assert_ok(shadow_open(&(struct shadow_spec){ .server_url = url }, a, &second, &e), &e);
    assert_int_equal(number(shadow_db(mine), "select 1"), 1);
    assert_int_equal(number(db, clones), 3); /* mine, the second, the young stranger */
    assert_ok(pg_exec(db, arena_printf(a, "drop database \"%s\"", young), PG_NONE, NULL, &e), &e);
}

static void two_runs_that_build_the_same_template_do_not_meet(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    CLEANUP(pg) struct pg *db = NULL;
    struct err e = { 0 };
    char *url = pg_fixture_database(a);
    struct migration_set set =
        set_of(a, (const char *const[]){ "create table public.a (a int)", "select pg_sleep(0.05)",
                                         "create table public.same (a int)", NULL });
    pid_t child[4];
    for (int i = 0; i < 4; i++) {
        child[i] = fork();
        if (child[i] == 0) {
            struct shadow *s = NULL;
            bool ok =
                shadow_open(&(struct shadow_spec){ .server_url = url, .set = &set }, a, &s, &e);
            if (!ok)
                fprintf(stderr, "# %s: %s\n", e.what, e.why);
            shadow_close(s);
            _exit(ok ? 0 : 1);
        }
    }
    for (int i = 0; i < 4; i++) {
        int status = -1;
        assert_int_equal(waitpid(child[i], &status, 0), child[i]);
        assert_int_equal(status, 0);
    }
    assert_ok(pg_open(&(struct pg_spec){ .url = url }, &db, &e), &e);
    assert_int_equal(number(db, clones), 0);
}

static void a_role_that_may_not_create_databases_is_told(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    CLEANUP(pg) struct pg *db = NULL;
    struct err e = { 0 };
    struct shadow *s = NULL;
    char *url = pg_fixture_database(a);
    assert_ok(pg_open(&(struct pg_spec){ .url = url }, &db, &e), &e);
    assert_ok(pg_exec(db, "create role shadow_small login", PG_NONE, NULL, &e), &e);
    const char *small = arena_printf(a, "%s user=shadow_small", url);
    assert_fails(shadow_open(&(struct shadow_spec){ .server_url = small }, a, &s, &e), &e,
                 ERR_AUTH);
    assert_non_null(strstr(e.hint, "CREATEDB"));
    assert_ok(pg_exec(db, "alter role shadow_small createdb", PG_NONE, NULL, &e), &e);
    struct migration_set set = set_of(
        a, (const char *const[]){
               "create table public.t (a int); grant select on public.t to authenticated", NULL });
    CLEANUP(shadow) struct shadow *again = NULL;
    assert_ok(shadow_open(&(struct shadow_spec){ .server_url = small, .set = &set }, a, &again, &e),
              &e); /* the roles are there since another test made them */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shadow_has_the_migrations_before_a_version_and_is_gone_when_closed),
        cmocka_unit_test(a_fork_is_equal_and_the_first_goes_on),
        cmocka_unit_test(a_migration_that_does_not_run_is_told_with_its_place),
        cmocka_unit_test(a_plain_server_gets_what_a_supabase_project_has),
        cmocka_unit_test(what_a_killed_run_left_is_dropped_and_a_living_one_is_not),
        cmocka_unit_test(two_runs_that_build_the_same_template_do_not_meet),
        cmocka_unit_test(a_role_that_may_not_create_databases_is_told),
    };
    return cmocka_run_group_tests_name("migrate/shadow", tests, NULL, NULL);
}
