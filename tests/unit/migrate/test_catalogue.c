/* The catalogue digest sees every kind of change, and nothing that is not one. */
#include "assert_ok.h"
#include "pg_fixture.h"

#include "base/cleanup.h"
#include "engine/schema.h"
#include "migrate/catalogue/catalogue.h"

#include <stdlib.h>

static void run(struct pg *db, const char *script)
{
    struct err e = { 0 };
    assert_ok(pg_begin(db, &e), &e);
    assert_ok(pg_script(db, script, &e), &e);
    assert_ok(pg_commit(db, &e), &e);
}

static const char base[] =
    "create role catalogue_reader; create schema app;"
    "create type app.mood as enum ('sad', 'ok'); create domain app.positive as int check (value > "
    "0);"
    "create table app.t (id serial primary key, plain int, a int not null default 1, b text "
    "collate \"C\","
    " m app.mood, p app.positive, constraint a_small check (a < 100));"
    "create table app.u (t int references app.t on delete cascade, at timestamptz) partition by "
    "range (at);"
    "create table app.u1 partition of app.u for values from ('2026-01-01') to ('2027-01-01');"
    "create index t_b on app.t (lower(b)) where a > 0;"
    "create view app.v as select id, b from app.t where a > 1;"
    "create materialized view app.mv as select count(*) as n from app.t;"
    "create function app.f(x int) returns int language sql immutable as 'select x + 1';"
    "create function app.tf() returns trigger language plpgsql as 'begin return new; end';"
    "create trigger tr before insert on app.t for each row execute function app.tf();"
    "create rule r as on delete to app.v do instead nothing;"
    "alter table app.t enable row level security;"
    "create policy pol on app.t for select to catalogue_reader using (a > 0);"
    "grant select on app.t to catalogue_reader; comment on table app.t is 'things';"
    "create statistics app.st on a, b from app.t; create publication pub for table app.t;"
    "create aggregate app.agg(int) (sfunc = int4pl, stype = int, initcond = '0');";

/* Each one alone must change the digest; the second text takes it back. */
static const struct {
    const char *change, *back;
} changes[] = {
    { "create schema x", "drop schema x" },
    { "alter schema app owner to catalogue_reader", "alter schema app owner to postgres" },
    { "grant usage on schema app to catalogue_reader",
      "revoke usage on schema app from catalogue_reader" },
    { "create table app.n ()", "drop table app.n" },
    { "alter table app.t add column c int", "alter table app.t drop column c" },
    { "alter table app.t alter plain type bigint", "alter table app.t alter plain type int" },
    { "alter table app.t alter a drop not null", "alter table app.t alter a set not null" },
    { "alter table app.t alter a set default 2", "alter table app.t alter a set default 1" },
    { "alter table app.t alter a set statistics 7", "alter table app.t alter a set statistics -1" },
    { "alter table app.t drop constraint a_small",
      "alter table app.t add constraint a_small check (a < 100)" },
    { "alter table app.t add constraint nv check (a < 50) not valid",
      "alter table app.t drop constraint nv" },
    { "alter type app.mood rename value 'ok' to 'fine'",
      "alter type app.mood rename value 'fine' to 'ok'" },
    { "alter domain app.positive set not null", "alter domain app.positive drop not null" },
    { "alter domain app.positive add constraint c2 check (value < 9)",
      "alter domain app.positive drop constraint c2" },
    { "create unique index i2 on app.t (b)", "drop index app.i2" },
    { "alter index app.t_b rename to t_c", "alter index app.t_c rename to t_b" },
    { "create or replace view app.v as select id, b from app.t where a > 2",
      "create or replace view app.v as select id, b from app.t where a > 1" },
    { "alter view app.v set (security_invoker = true)",
      "alter view app.v reset (security_invoker)" },
    { "create or replace function app.f(x int) returns int language sql immutable as 'select x + "
      "2'",
      "create or replace function app.f(x int) returns int language sql immutable as 'select x + "
      "1'" },
    { "alter function app.f(int) security definer", "alter function app.f(int) security invoker" },
    { "alter function app.f(int) set search_path = ''",
      "alter function app.f(int) reset search_path" },
    { "revoke execute on function app.f(int) from public",
      "grant execute on function app.f(int) to public" },
    { "alter table app.t disable trigger tr", "alter table app.t enable trigger tr" },
    { "alter table app.t disable row level security",
      "alter table app.t enable row level security" },
    { "alter table app.t force row level security",
      "alter table app.t no force row level security" },
    { "alter policy pol on app.t using (a > 1)", "alter policy pol on app.t using (a > 0)" },
    { "alter policy pol on app.t to public", "alter policy pol on app.t to catalogue_reader" },
    { "grant update (b) on app.t to catalogue_reader",
      "revoke update (b) on app.t from catalogue_reader" },
    { "comment on column app.t.a is 'x'", "comment on column app.t.a is null" },
    { "comment on table app.t is 'other'", "comment on table app.t is 'things'" },
    { "alter sequence app.t_id_seq increment 2", "alter sequence app.t_id_seq increment 1" },
    { "alter sequence app.t_id_seq owned by none",
      "alter sequence app.t_id_seq owned by app.t.id" },
    { "alter table app.t set (fillfactor = 70)", "alter table app.t reset (fillfactor)" },
    { "alter table app.u detach partition app.u1", "alter table app.u attach partition app.u1 for "
                                                   "values from ('2026-01-01') to ('2027-01-01')" },
    { "alter publication pub drop table app.t", "alter publication pub add table app.t" },
    { "alter default privileges in schema app grant select on tables to catalogue_reader",
      "alter default privileges in schema app revoke select on tables from catalogue_reader" },
    { "drop statistics app.st", "create statistics app.st on a, b from app.t" },
    { "drop rule r on app.v", "create rule r as on delete to app.v do instead nothing" },
    { "create operator app.### (leftarg = int, rightarg = int, function = int4pl)",
      "drop operator app.### (int, int)" },
    { "create extension pgcrypto schema app", "drop extension pgcrypto" },
    { "create event trigger et on ddl_command_end execute function app.etf()",
      "drop event trigger et" },
};

static void every_kind_of_change_is_seen_and_taking_it_back_is_seen_too(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    CLEANUP(pg) struct pg *db = NULL;
    struct err e = { 0 };
    char before[SHA256_HEX_BYTES], changed[SHA256_HEX_BYTES], after[SHA256_HEX_BYTES];
    assert_ok(pg_open(&(struct pg_spec){ .url = pg_fixture_database(a) }, &db, &e), &e);
    run(db, base);
    run(db, "create function app.etf() returns event_trigger language plpgsql as 'begin end'");
    assert_ok(catalogue_digest(db, before, &e), &e);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        run(db, changes[i].change);
        assert_ok(catalogue_digest(db, changed, &e), &e);
        if (streq(before, changed))
            fail_msg("not seen: %s", changes[i].change);
        run(db, changes[i].back);
        assert_ok(catalogue_digest(db, after, &e), &e);
        if (!streq(before, after))
            fail_msg("not equal again: %s", changes[i].back);
    }
    run(db, "drop schema app cascade; drop role catalogue_reader; drop publication pub");
}

static void rows_sequence_values_and_our_own_schemas_do_not_count(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    CLEANUP(pg) struct pg *db = NULL;
    struct err e = { 0 };
    char before[SHA256_HEX_BYTES], after[SHA256_HEX_BYTES];
    assert_ok(pg_open(&(struct pg_spec){ .url = pg_fixture_database(a) }, &db, &e), &e);
    run(db, "create table public.t (id serial)");
    assert_ok(catalogue_digest(db, before, &e), &e);
    assert_ok(schema_ensure(db, &e), &e);
    run(db, "insert into public.t default values; create temp table x (a int);"
            "create schema lockflight_gone; create table lockflight_gone.t (a int);"
            "create schema supabase_migrations; create table supabase_migrations.schema_migrations "
            "(version text)");
    assert_ok(catalogue_digest(db, after, &e), &e);
    assert_string_equal(before, after);
}

static void two_databases_made_by_the_same_script_are_equal(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct err e = { 0 };
    char digest[2][SHA256_HEX_BYTES];
    for (int i = 0; i < 2; i++) {
        CLEANUP(pg) struct pg *db = NULL;
        assert_ok(pg_open(&(struct pg_spec){ .url = pg_fixture_database(a) }, &db, &e), &e);
        if (i == 1)
            run(db,
                "create table public.shifts_every_oid (a int); drop table public.shifts_every_oid");
        run(db, base);
        assert_ok(catalogue_digest(db, digest[i], &e), &e);
        run(db, "drop schema app cascade; drop publication pub; drop role catalogue_reader");
    }
    assert_string_equal(digest[0], digest[1]);
}

static void a_difference_is_told_object_by_object(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    CLEANUP(pg) struct pg *db = NULL;
    struct err e = { 0 };
    struct catalogue before, after;
    const char **lines = NULL;
    size_t n = 0;
    assert_ok(pg_open(&(struct pg_spec){ .url = pg_fixture_database(a) }, &db, &e), &e);
    run(db, "create table public.t (a int, b int)");
    assert_ok(catalogue_read(db, a, &before, &e), &e);
    run(db, "alter table public.t drop column b");
    assert_ok(catalogue_read(db, a, &after, &e), &e);
    catalogue_diff(a, &before, &after, &lines, &n);
    assert_int_equal(n, 1);
    assert_true(starts_with(lines[0], "- column public.t.b "));
    catalogue_diff(a, &before, &before, &lines, &n);
    assert_int_equal(n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_change_is_seen_and_taking_it_back_is_seen_too),
        cmocka_unit_test(rows_sequence_values_and_our_own_schemas_do_not_count),
        cmocka_unit_test(two_databases_made_by_the_same_script_are_equal),
        cmocka_unit_test(a_difference_is_told_object_by_object),
    };
    return cmocka_run_group_tests_name("migrate/catalogue", tests, NULL, NULL);
}
