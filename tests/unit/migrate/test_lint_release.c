/*
 * What a change does to the release that is running, one row for each way in which even additive
 * changes break it: found by trying the queries and functions of that release on a scratch database,
 * or by a rule where nothing fails that could be tried.
 */
#include "assert_ok.h"
#include "pg_fixture.h"

#include "base/cleanup.h"
#include "base/fs.h"
#include "migrate/lint/running.h"

#include <stdio.h>

static const char base[] =
    "create type public.mood as enum ('happy');"
    "create table public.clients (id bigint primary key, name text not null, city text);"
    "create table public.visits (id bigint primary key, client_id bigint, at timestamptz);"
    "create table public.archive (id bigint, name text, city text);"
    "create function public.some_clients() returns setof public.clients language sql stable as "
    "  $$ select id, name, city from public.clients $$;"
    "create function public.more_clients() returns setof public.clients language plpgsql stable as "
    "  $$ begin return query select id, name, city from public.clients; end $$;"
    "create function public.city_of(client bigint) returns text language sql stable as "
    "  $$ select city from public.clients where id = client $$;"
    "create function public.touch() returns trigger language plpgsql as "
    "  $$ begin return new; end $$;";

static const char *const queries[] = {
    "select * from public.clients where id = $1",
    "select name from public.clients c join public.visits v on v.client_id = c.id",
    "insert into public.archive select * from public.clients",
    "select c.name from public.clients c natural join public.visits",
    "select city from clients where name = $1",
    "select nope from nowhere",   /* fails on both sides */
    "select now() - interval $1", /* what normalising makes of it */
    "update public.clients set city = $1 where id = $2",
};

/* A change, and the rules that must find it. `not` must stay silent. */
static const struct {
    const char *change;
    const char *rules, *not ;
} rows[] = {
    { "alter table public.clients add column phone text;", "P02,P01,P03,C19", NULL },
    { "alter table public.visits add column name text;", "P01,C18", "P02" },
    { "alter table public.archive add column phone text;", NULL, "P" },
    { "alter table public.clients add column vip text not null;", "C05", NULL },
    { "alter table public.clients add constraint u unique (city);", "C06", "P" },
    { "alter table public.clients add constraint c check (city <> '') not valid;", "C06", "P" },
    { "alter table public.visits add constraint f foreign key (client_id) references "
      "public.clients (id) not valid;",
      "C06", "P" },
    { "create trigger t before update on public.clients for each row execute function "
      "public.touch();",
      "C20", "P" },
    { "alter table public.clients enable row level security;", "C17", "P" },
    { "revoke select on public.clients from public;", "C17", "P" },
    { "alter type public.mood add value 'sad';", "C12", "P" },
    { "alter table public.clients rename column city to town;", "C03,C23,P01,P03,P02", NULL },
    { "alter table public.visits alter column at type timestamp using at at time zone 'UTC';", NULL,
      "P" },
    { "create table public.other (id bigint primary key);", NULL, "P" },
};

struct world {
    struct arena *a;
    const char *url;
    struct migration m[2];
    struct migration_set set;
};

static void open_world(struct world *w, const char *change)
{
    *w = (struct world){ .a = arena_new(0) };
    w->url = pg_fixture_database(w->a);
    w->m[0] = (struct migration){
        .version = "1", .name = "base", .file = "1_base.sql", .sql = str_of(base), .sha256 = "a"
    };
    w->m[1] = (struct migration){
        .version = "2",
        .name = "change",
        .file = "2_change.sql",
        .sql = str_of(change),
        .sha256 = "b",
    };
    w->set = (struct migration_set){ .v = w->m, .n = 2 };
}

/* The whole judgement: rules on the database before, then the trial. */
static struct lint_report judge(struct world *w, const struct running_queries *q)
{
    struct err e = { 0 };
    struct lint_report r;
    struct shadow *shadow = NULL;
    const struct migration *files[] = { &w->m[1] };
    assert_ok(shadow_open(&(struct shadow_spec){ w->url, &w->set, "2" }, w->a, &shadow, &e), &e);
    struct lint_input in = {
        .files = files,
        .n = 1,
        .db = shadow_db(shadow),
        .is_one_release = true,
        .queries = q->list.v,
        .query_count = q->list.n,
        .no_reverse_rules = true,
    };
    assert_ok(lint_run(w->a, &in, &r, &e), &e);
    struct running run = { .shadow = shadow, .arena = w->a, .queries = *q };
    assert_ok(running_try(&run, &w->m[1], &r, &e), &e);
    shadow_close(shadow);
    return r;
}

static struct running_queries all_queries(struct arena *a)
{
    struct running_queries q = { 0 };
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++)
        *vec_add(&q.list, a) = queries[i];
    return q;
}

/* A rule, or a family of them by its first letter. */
static bool has(const struct lint_report *r, const char *rule)
{
    for (size_t i = 0; i < r->n; i++)
        if (strncmp(r->v[i].rule->name, rule, strlen(rule)) == 0 && !r->v[i].allowed)
            return true;
    return false;
}

static void every_way_to_break_the_running_release_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world w;
        open_world(&w, rows[i].change);
        struct running_queries q = all_queries(w.a);
        struct lint_report r = judge(&w, &q);
        struct str rest = str_of(rows[i].rules);
        while (rest.p) {
            const char *rule = str_dup(w.a, str_cut(&rest, ','));
            if (!has(&r, rule))
                fail_msg("%s: %s does not fire", rows[i].change, rule);
        }
        if (rows[i].not &&has(&r, rows[i].not ))
            fail_msg("%s: %s fires", rows[i].change, rows[i].not );
        arena_free(w.a);
    }
}

static void what_fails_on_both_sides_says_nothing(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "alter table public.clients rename column city to town;");
    struct running_queries q = all_queries(w.a);
    struct lint_report r = judge(&w, &q);
    size_t failing = 0, changed = 0, functions = 0;
    for (size_t i = 0; i < r.n; i++) {
        failing += r.v[i].rule->id == LINT_P01;
        changed += r.v[i].rule->id == LINT_P02;
        functions += r.v[i].rule->id == LINT_P03;
        assert_null(strstr(r.v[i].what, "nowhere"));
        assert_null(strstr(r.v[i].what, "interval"));
    }
    assert_int_equal(failing, 2);   /* the two that name city */
    assert_int_equal(changed, 1);   /* SELECT * */
    assert_int_equal(functions, 2); /* some_clients, city_of */
    assert_int_equal(r.tried, 8 + 2);
    assert_false(r.verdicts[0].is_compatible);
    arena_free(w.a);
}

static void a_function_that_is_replaced_in_the_same_file_is_whole_again(void **state)
{
    (void)state;
    struct world w;
    open_world(&w,
               "alter table public.clients add column phone text;"
               "create or replace function public.some_clients() returns setof public.clients "
               "language sql stable as $$ select id, name, city, phone from public.clients $$;");
    struct running_queries none = { 0 };
    struct lint_report r = judge(&w, &none);
    assert_false(has(&r, "P"));
    arena_free(w.a);
}

static void a_reason_in_the_file_lets_a_broken_query_pass(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "-- allow: P01 the report that asked this is gone\n\n"
                   "alter table public.visits add column name text;");
    struct running_queries q = all_queries(w.a);
    struct lint_report r = judge(&w, &q);
    assert_false(has(&r, "P01"));
    assert_false(has(&r, "Q11"));
    assert_true(r.allowed > 0);
    arena_free(w.a);
}

static void queries_come_from_the_statistics_of_the_database(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    CLEANUP(pg) struct pg *db = NULL;
    struct err e = { 0 };
    struct running_queries q = { 0 };
    assert_ok(pg_open(&(struct pg_spec){ .url = pg_fixture_database(a) }, &db, &e), &e);
    assert_ok(running_read_statistics(db, a, &q, &e), &e);
    assert_int_equal(q.list.n, 0);
    /* What the extension shows, without the extension. */
    assert_ok(pg_begin(db, &e), &e);
    assert_ok(pg_script(db,
                        "create schema extensions; create table extensions.pg_stat_statements as "
                        "select oid as dbid, q as query, 3 as calls from pg_database, unnest(array["
                        "'select 1', 'create table x()', 'SELECT * from lockflight.lease', "
                        "'<insufficient privilege>', 'update t set a = $1']) q "
                        "where datname = current_database()",
                        &e),
              &e);
    assert_ok(pg_commit(db, &e), &e);
    assert_ok(running_read_statistics(db, a, &q, &e), &e);
    assert_int_equal(q.list.n, 2);
}

static void queries_come_from_a_file_by_line_or_by_semicolon(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct err e = { 0 };
    char path[] = "/tmp/lockflight-queries-XXXXXX";
    CLEANUP(fd) int fd = mkstemp(path);
    struct running_queries lines = { 0 }, statements = { 0 };
    assert_ok(fs_replace(path, STR("-- the list page\nselect 1\n\nselect 2\n"), 0600, &e), &e);
    assert_ok(running_read_file(a, path, &lines, &e), &e);
    assert_int_equal(lines.list.n, 2);
    assert_string_equal(lines.list.v[1], "select 2");
    assert_ok(fs_replace(path, STR("select 1\n  from t;\nselect 2;"), 0600, &e), &e);
    assert_ok(running_read_file(a, path, &statements, &e), &e);
    assert_int_equal(statements.list.n, 2);
    assert_string_equal(statements.list.v[0], "select 1\n  from t");
    assert_int_equal(remove(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way_to_break_the_running_release_is_found),
        cmocka_unit_test(what_fails_on_both_sides_says_nothing),
        cmocka_unit_test(a_function_that_is_replaced_in_the_same_file_is_whole_again),
        cmocka_unit_test(a_reason_in_the_file_lets_a_broken_query_pass),
        cmocka_unit_test(queries_come_from_the_statistics_of_the_database),
        cmocka_unit_test(queries_come_from_a_file_by_line_or_by_semicolon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
