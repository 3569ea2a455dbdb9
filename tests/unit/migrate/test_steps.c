/*
 * Migrations that do not fit into one transaction: how they are cut, what they leave, and that they
 * end in the planned state whatever dies on the way.
 */
#include "assert_ok.h"
#include "pg_fixture.h"

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/signals.h"
#include "engine/schema.h"
#include "migrate/apply/apply.h"
#include "migrate/apply/steps.h"
#include "migrate/catalogue/catalogue.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct fixture {
    struct arena *a;
    char *url;
    struct pg *db, *other;
    struct migration m;
    struct migrate_options o;
    char said[65536];
    int records;
    struct err e;
};

static bool record(void *context, struct pg *db, const char *version, struct err *e)
{
    struct fixture *f = context;
    f->records++;
    return pg_in_transaction(db) || err_set(e, ERR_INTERNAL, "%s", version);
}

static void listen(void *context, const char *sentence)
{
    struct fixture *f = context;
    size_t n = strlen(f->said);
    (void)snprintf(f->said + n, sizeof f->said - n, "%s\n", sentence);
}

static void connect_all(struct fixture *f)
{
    pg_close(f->db);
    pg_close(f->other);
    assert_ok(pg_open(&(struct pg_spec){ .url = f->url }, &f->db, &f->e), &f->e);
    assert_ok(pg_open(&(struct pg_spec){ .url = f->url, .purpose = "other" }, &f->other, &f->e),
              &f->e);
}

static void begin_database(struct fixture *f)
{
    f->url = pg_fixture_database(f->a);
    connect_all(f);
    assert_ok(schema_ensure(f->db, &f->e), &f->e);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->a = arena_new(0);
    begin_database(f);
    f->o = (struct migrate_options){ .applied_by = "ana",
                                     .lock_timeout_ms = 200,
                                     .record = record,
                                     .on_wait = listen,
                                     .on_progress = listen,
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

static void use(struct fixture *f, const char *up, const char *down)
{
    f->m = (struct migration){ .version = "7",
                               .name = "steps",
                               .file = "7_steps.sql",
                               .sql = str_of(up),
                               .sha256 = "00",
                               .reverse_file = "down/7_steps.sql",
                               .has_reverse = down != NULL,
                               .reverse_sql = str_of(down),
                               .reverse_sha256 = down ? "11" : NULL };
}

static bool apply(struct fixture *f)
{
    f->said[0] = '\0';
    return migration_apply(f->db, f->a, &f->m, &f->o, &f->e);
}

static bool reverse(struct fixture *f)
{
    struct history_row row = { .version = "7",
                               .name = "steps",
                               .is_ours = true,
                               .reverse_sql = str_dup(f->a, f->m.reverse_sql) };
    struct migration_state s = { .status = MIGRATION_APPLIED, .file = &f->m, .row = &row };
    f->said[0] = '\0';
    return migration_reverse(f->db, f->a, &s, &f->o, &f->e);
}

static const char *ask(struct fixture *f, const char *sql)
{
    struct pg_rows rows;
    assert_ok(pg_query(f->other, f->a, sql, PG_NONE, &rows, &f->e), &f->e);
    return rows.n ? pg_value(&rows, 0, 0) : NULL;
}

static void sql(struct fixture *f, const char *text)
{
    assert_ok(pg_run(f->other, text, NULL, &f->e), &f->e);
}

static void people(struct fixture *f)
{
    sql(f, "CREATE TABLE public.people (id int PRIMARY KEY, email text, phone text)");
    sql(f, "INSERT INTO public.people SELECT i, 'p' || i || '@example.org', '0' || i"
           " FROM generate_series(1, 3000) i");
}

static const char is_half[] = "SELECT count(*) FROM lockflight.migration_steps";
static const char is_valid[] = "SELECT indisvalid AND indisready AND indislive FROM pg_index"
                               " WHERE indexrelid = 'public.people_email'::regclass";

/* ---- cutting ---- */

static const char *cut(struct fixture *f, const char *text)
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
    struct fixture *f = *state;
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
    struct fixture *f = *state;
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

static void whole(struct fixture *f)
{
    people(f);
    sql(f, "CREATE INDEX people_old ON public.people (email, phone)");
    use(f, whole_up, whole_down);
}

static void several_kinds_of_steps_end_as_one_migration(void **state)
{
    struct fixture *f = *state;
    char before[SHA256_HEX_BYTES], after[SHA256_HEX_BYTES];
    whole(f);
    assert_ok(catalogue_digest(f->other, before, &f->e), &f->e);
    assert_ok(apply(f), &f->e);
    assert_int_equal(f->records, 1);
    assert_string_equal(ask(f, is_half), "0");
    assert_string_equal(ask(f, is_valid), "t");
    assert_string_equal(ask(f, "SELECT count(*) FROM public.people WHERE state = 'known'"), "3000");
    assert_string_equal(ask(f, "SELECT state || steps FROM lockflight.migrations"), "applied8");
    assert_string_equal(ask(f, "SELECT version FROM supabase_migrations.schema_migrations"), "7");
    assert_ok(reverse(f), &f->e);
    assert_ok(catalogue_digest(f->other, after, &f->e), &f->e);
    assert_string_equal(before, after);
    assert_string_equal(ask(f, "SELECT state FROM lockflight.migrations"), "reversed");
    assert_string_equal(ask(f, is_half), "0");
    assert_ok(apply(f), &f->e);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_is_cut_where_postgres_demands_it),
        TEST(a_backfill_that_cannot_be_cut_is_refused_with_its_place),
        TEST(several_kinds_of_steps_end_as_one_migration),
    };
    return cmocka_run_group_tests_name("migrate/steps", tests, NULL, NULL);
}
