/* Which pairs are proven, with which loss, and why the others are not. */
#include "assert_ok.h"
#include "pg_fixture.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "engine/schema.h"
#include "migrate/prove/drift.h"
#include "migrate/prove/proof_record.h"
#include "migrate/prove/series.h"

#include <stdio.h>
#include <stdlib.h>

static const char base[] =
    "create type public.mood as enum ('sad', 'ok');"
    "create table public.parent (id uuid primary key default gen_random_uuid(), name text not null,"
    " unique (name));"
    "create table public.t (id bigserial primary key, parent uuid not null references "
    "public.parent,"
    " state text not null check (state in ('new', 'paid')), amount int check (amount > 0),"
    " m public.mood, note varchar(40), tags text[], at timestamptz default now(), price "
    "numeric(8,2));"
    "create index t_at on public.t (at);"
    "create table public.two (a text, b text); create table public.child (a text, b text);"
    "create table public.parts (n int not null) partition by range (n);"
    "create table public.part (n int not null);"
    "create view public.v as select id, state from public.t;";

struct pair {
    const char *up, *down;
    char loss;          /* 0: not proven */
    const char *reason; /* must be in the reason, or in the loss's text */
};

static const struct pair pairs[] = {
    { "alter table public.t add column c int", "alter table public.t drop column c", 'B',
      "column public.t.c" },
    { "create table public.n (a int)", "drop table public.n", 'B', "table public.n" },
    { "create index t_state on public.t (state)", "drop index public.t_state", 'A', "" },
    { "alter table public.t rename column note to remark",
      "alter table public.t rename column remark to note", 'A', "" },
    { "alter table public.t alter amount set default 7",
      "alter table public.t alter amount drop default", 'A', "" },
    { "create or replace view public.v as select id, state, at from public.t",
      "drop view public.v; create view public.v as select id, state from public.t", 'A', "" },
    { "alter table public.t alter amount type bigint", "alter table public.t alter amount type int",
      'A', "" },
    { "alter table public.t alter note type int using note::int",
      "alter table public.t alter note type varchar(40)", 'A', "" },
    { "alter table public.t alter note type uuid using note::uuid",
      "alter table public.t alter note type varchar(40)", 'A', "" },
    { "alter table public.t alter note type varchar(5) using left(note, 5)",
      "alter table public.t alter note type varchar(40)", 0, "table public.t" },
    { "alter table public.t alter price type int",
      "alter table public.t alter price type numeric(8,2)", 0, "table public.t" },
    { "alter table public.t alter note type jsonb using (note || ' never')::jsonb",
      "alter table public.t alter note type varchar(40)", 0, "column public.t.note" },
    /* forgotten things */
    { "alter table public.t add column c int", "select 1", 0,
      "column public.t.c is there and was not" },
    { "drop index public.t_at", "create index t_at on public.t (at desc)", 0, "index public.t_at" },
    { "alter table public.t alter amount set default 7", "select 1", 0, "default is" },
    { "drop view public.v", "create view public.v as select id from public.t", 0, "public.v" },
    /* scripts that do not run */
    { "alter table public.missing add column c int", "select 1", 0, "the migration does not run" },
    { "alter table public.t add column c int", "alter table public.t drop column d", 0,
      "the reverse script does not run" },
    { "create table public.n (a int)", "alter table public.n set schema pg_temp; select 1", 0, "" },
    /* contents */
    { "alter table public.t drop column note", "alter table public.t add column note varchar(40)",
      0, "-- loss: C" },
    { "alter table public.t drop column note",
      "-- loss: C the notes are gone\nalter table public.t add column note varchar(40)", 'C',
      "the notes are gone" },
    { "alter table public.t drop column note",
      "-- loss: A nothing\nalter table public.t add column note varchar(40)", 0, "claims class A" },
    { "alter table public.t add column c int", "-- loss: A\nalter table public.t drop column c", 0,
      "claims class A" },
    { "alter table public.t rename column note to _gone_1_note; create schema if not exists x",
      "drop schema x; alter table public.t rename column _gone_1_note to note", 'A', "" },
    { "delete from public.t", "select 1", 0, "table public.t" },
    { "create table public.saved as select * from public.t; delete from public.t",
      "insert into public.t select * from public.saved; drop table public.saved", 'B',
      "public.saved" },
    { "update public.t set amount = amount + 1", "update public.t set amount = amount - 1", 'B',
      "public.t" },
    { "update public.t set note = 'x'", "select 1", 0, "table public.t" },
    { "delete from public.t where note = 'legacy' and amount > 12", "select 1", 0,
      "table public.t" },
    { "delete from public.t where md5(note) = 'never seen'", "select 1", 0,
      "the rows that DELETE" },
    { "create table public.old as select * from public.t where note = 'legacy';"
      "delete from public.t where note = 'legacy'",
      "insert into public.t select * from public.old; drop table public.old", 'B', "public.old" },
    { "create table public.old as select id, amount from public.t where amount is null;"
      "update public.t set amount = 1 where amount is null",
      "update public.t t set amount = o.amount from public.old o where o.id = t.id;"
      "drop table public.old",
      'B', "public.old" },
    /* what a migration writes into its own columns and tables goes with them */
    { "alter table public.t add column c int; update public.t set c = 1 where c is null",
      "alter table public.t drop column c", 'B', "column public.t.c" },
    { "alter table public.t add column c int; update t set c = amount where md5(note) = 'never'",
      "alter table public.t drop column c", 'B', "column public.t.c" },
    { "create table public.n (a int primary key, b int); insert into public.n values (1, 2)"
      " on conflict (a) do update set b = 2; delete from public.n where a = 2",
      "drop table public.n", 'B', "table public.n" },
    { "alter table public.t add column c int;"
      " update public.t set c = 1, amount = 2 where md5(note) = 'never'",
      "alter table public.t drop column c", 0, "the rows that UPDATE" },
    { "alter table public.t add column c int; alter table public.t rename amount to n;"
      " update public.t set c = 1, n = 2 where md5(note) = 'never'",
      "alter table public.t rename n to amount; alter table public.t drop column c", 0,
      "the rows that UPDATE" },
    { "alter table public.t add column c int; create function public.x() returns trigger language"
      " plpgsql as $$ begin new.amount := 1; return new; end $$; create trigger x before update on"
      " public.t for each row execute function public.x();"
      " update public.t set c = 1 where md5(note) = 'never'",
      "drop trigger x on public.t; drop function public.x; alter table public.t drop column c", 0,
      "the rows that UPDATE" },
    { "alter table public.t add column c int;"
      " with w as (delete from public.t where md5(note) = 'never') update public.t set c = 1",
      "alter table public.t drop column c", 0, "the rows that DELETE" },
    { "alter table public.t add column c int;"
      " create index concurrently t_c on public.t (c);\n-- backfill: key=id\n"
      "update public.t set c = 1 where c is null",
      "drop index concurrently public.t_c; alter table public.t drop column c", 'B',
      "column public.t.c" },
    { "truncate public.t", "-- loss: D the rows are gone\nselect 1", 'D', "the rows are gone" },
    /* other places and names, the same rows */
    { "alter table public.t rename note to x; alter table public.t add column note varchar(40);"
      " alter table public.t drop column note; alter table public.t rename x to note",
      "select 1", 'A', "" },
    { "alter table public.t add column a varchar(40), add column b varchar(40);"
      " alter table public.t drop column a, drop column b",
      "select 1", 'A', "" },
    { "alter table public.two rename a to x; alter table public.two rename b to a;"
      " alter table public.two rename x to b",
      "alter table public.two rename a to x; alter table public.two rename b to a;"
      " alter table public.two rename x to b",
      'A', "" },
    { "alter table public.child inherit public.two",
      "alter table public.child no inherit public.two", 'A', "" },
    { "alter table public.parts attach partition public.part for values from (0) to (1000000000)",
      "alter table public.parts detach partition public.part", 'A', "" },
    { "alter type public.mood rename value 'sad' to 'blue'",
      "alter type public.mood rename value 'blue' to 'sad'", 'A', "" },
    { "alter table public.t rename note to remark; update public.t set remark = 'x' where "
      "md5(remark)"
      " = 'never'",
      "alter table public.t rename remark to note", 0, "the rows that UPDATE" },
    /* more than one transaction */
    { "create index concurrently t_note on public.t (note)",
      "drop index concurrently public.t_note", 'A', "" },
    { "create index concurrently t_note on public.t (note)", "select 1", 0, "index public.t_note" },
    { "alter type public.mood add value 'happy'", "select 1", 0, "type public.mood" },
    { "alter type public.mood add value 'happy'", "-- leaves: enum public.mood happy\nselect 1",
      'A', "" },
    { "alter type public.mood add value 'happy'; create index t_m on public.t (m)",
      "-- leaves: enum label public.mood 'happy'\ndrop index public.t_m", 'A', "" },
    { "alter type public.mood add value 'happy'; alter type public.mood add value 'other'",
      "-- leaves: enum public.mood happy\nselect 1", 0, "type public.mood" },
    /* rows in the way: told, not held against it */
    { "alter table public.t add constraint odd check (note ~ 'x{9}')",
      "alter table public.t drop constraint odd", 'A', "" },
    { "alter table public.t alter amount set not null",
      "alter table public.t alter amount drop not null", 'A', "" },
};

static struct shadow *open_shadow(struct arena *a)
{
    static struct migration_set set;
    static struct migration first;
    struct err e = { 0 };
    struct shadow *s = NULL;
    char hex[SHA256_HEX_BYTES];
    hash_hex(HASH_SHA256, str_of(base), hex);
    first = (struct migration){ .version = "1",
                                .name = "base",
                                .file = "1_base.sql",
                                .sql = str_of(base),
                                .sha256 = arena_strdup(a, hex) };
    set = (struct migration_set){ .v = &first, .n = 1 };
    assert_ok(
        shadow_open(&(struct shadow_spec){ .server_url = pg_fixture_database(a), .set = &set }, a,
                    &s, &e),
        &e);
    return s;
}

static struct migration migration_of(struct arena *a, const char *up, const char *down)
{
    char hex[2][SHA256_HEX_BYTES];
    hash_hex(HASH_SHA256, str_of(up), hex[0]);
    hash_hex(HASH_SHA256, str_of(down), hex[1]);
    return (struct migration){ .version = "2",
                               .name = "m",
                               .file = "migrations/2_m.sql",
                               .sql = str_of(up),
                               .sha256 = arena_strdup(a, hex[0]),
                               .reverse_file = "rollbacks/2_m.sql",
                               .has_reverse = true,
                               .reverse_sql = str_of(down),
                               .reverse_sha256 = arena_strdup(a, hex[1]) };
}

static void every_pair_gets_the_result_it_deserves(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    CLEANUP(shadow) struct shadow *s = open_shadow(a);
    char before[SHA256_HEX_BYTES], after[SHA256_HEX_BYTES];
    struct err e = { 0 };
    int wrong = 0;
    assert_ok(catalogue_digest(shadow_db(s), before, &e), &e);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        const struct pair *pair = &pairs[i];
        struct migration m = migration_of(a, pair->up, pair->down);
        struct proof p;
        assert_ok(proof_run(s, a, &m, &p, &e), &e);
        const char *text = p.is_proven ? p.loss_text : p.reason;
        if (p.is_proven != (pair->loss != 0) || (p.is_proven && p.loss != pair->loss) ||
            !strstr(text, pair->reason)) {
            print_message("# %s  /  %s\n#   %s %c: %s\n", pair->up, pair->down,
                          p.is_proven ? "proven" : "refused", p.loss, text);
            wrong++;
        }
        for (size_t k = 0; k < p.notes.n && getenv("NOTES"); k++)
            print_message("# %s: %s\n", pair->up, p.notes.v[k]);
    }
    assert_int_equal(wrong, 0);
    assert_ok(catalogue_digest(shadow_db(s), after, &e), &e);
    assert_string_equal(before, after);
}

static void a_proof_is_found_by_the_bytes_of_both_files_and_the_servers_version(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    CLEANUP(shadow) struct shadow *s = open_shadow(a);
    CLEANUP(pg) struct pg *db = NULL;
    struct err e = { 0 };
    struct proof p;
    struct proof_row row[3];
    struct migration m = migration_of(a, pairs[0].up, pairs[0].down);
    struct migration other = migration_of(a, pairs[0].up, "-- changed\nselect 1");
    struct migration without = m;
    without.has_reverse = false;
    const struct migration *const asked[] = { &without, &m, &other };
    assert_ok(pg_open(&(struct pg_spec){ .url = pg_fixture_database(a) }, &db, &e), &e);
    int major = pg_server_version(db) / 10000;
    assert_ok(proof_find(db, a, asked, 3, major, row, &e), &e); /* no schema of ours yet */
    assert_false(row[1].is_found);
    assert_ok(schema_ensure(db, &e), &e);
    assert_ok(proof_run(s, a, &m, &p, &e), &e);
    for (int i = 0; i < 2; i++) /* recorded, and renewed */
        assert_ok(proof_record(db, a, &p, "ana", &e), &e);
    assert_ok(proof_find(db, a, asked, 3, major, row, &e), &e);
    assert_false(row[0].is_found || row[2].is_found);
    assert_true(row[1].is_found);
    assert_int_equal(row[1].loss, 'B');
    assert_string_equal(row[1].proved_by, "ana");
    major++;
    assert_ok(proof_find(db, a, asked, 3, major, row, &e), &e);
    assert_false(row[1].is_found);
}

struct told {
    const char *text; /* "2:A 4:-" */
    struct arena *a;
};

static bool tell(void *context, const struct proof *p, struct err *e)
{
    struct told *t = context;
    (void)e;
    t->text = arena_printf(t->a, "%s%s:%c ", t->text, p->migration->version,
                           p->is_proven ? p->loss : '-');
    return true;
}

static void a_series_walks_on_after_a_bad_reverse_script_and_stops_after_a_bad_migration(
    void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct err e = { 0 };
    static const char *const files[][2] = {
        { "create table public.t (a int)", NULL },
        { "create index t_a on public.t (a)", "drop index public.t_a" },
        { "alter table public.t add b int", "select 1" },
        { "alter table public.t add c int", "alter table public.t drop c" },
        { "alter table public.missing add c int", "select 1" },
        { "alter table public.t add d int", "alter table public.t drop d" },
    };
    struct migration v[6];
    const struct migration *chosen[6];
    for (size_t i = 0; i < 6; i++) {
        v[i] = migration_of(a, files[i][0], files[i][1] ? files[i][1] : "");
        v[i].has_reverse = files[i][1] != NULL;
        v[i].version = arena_printf(a, "%zu", i + 1);
        chosen[i] = &v[i];
    }
    struct told t = { "", a };
    struct series_spec spec = { .server_url = pg_fixture_database(a),
                                .set = &(struct migration_set){ .v = v, .n = 6 },
                                .chosen = chosen,
                                .n = 6,
                                .on_proof = tell,
                                .context = &t };
    assert_ok(series_prove(&spec, &e), &e);
    assert_string_equal(t.text, "2:A 3:- 4:B 5:- ");
}

static enum drift_state drift_of(struct pg *db, struct arena *a, const char *change)
{
    struct err e = { 0 };
    struct drift d;
    if (change)
        assert_ok(pg_run(db, change, NULL, &e), &e);
    assert_ok(drift_look(db, a, &d, &e), &e);
    assert_int_equal(d.n > 0, d.state == DRIFT_FOUND);
    return d.state;
}

static void a_change_behind_our_back_is_drift_and_what_services_do_is_not(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    CLEANUP(pg) struct pg *db = NULL;
    struct err e = { 0 };
    assert_ok(pg_open(&(struct pg_spec){ .url = pg_fixture_database(a) }, &db, &e), &e);
    assert_int_equal(drift_of(db, a, NULL), DRIFT_UNKNOWN);
    assert_ok(schema_ensure(db, &e), &e);
    assert_ok(pg_run(db, "create schema supabase_migrations", NULL, &e), &e);
    assert_ok(
        pg_run(db, "create table supabase_migrations.schema_migrations (version text primary key)",
               NULL, &e),
        &e);
    assert_ok(pg_run(db, "create table public.t (a int)", NULL, &e), &e);
    assert_int_equal(drift_of(db, a, "create schema auth"), DRIFT_UNKNOWN);
    assert_ok(drift_keep(db, a, &e), &e);
    assert_int_equal(drift_of(db, a, NULL), DRIFT_NONE);
    assert_int_equal(drift_of(db, a, "create table auth.users (id uuid)"), DRIFT_NONE);
    assert_int_equal(drift_of(db, a, "create policy p on auth.users using (true)"), DRIFT_FOUND);
    assert_int_equal(drift_of(db, a, "drop policy p on auth.users"), DRIFT_NONE);
    assert_int_equal(drift_of(db, a, "alter table public.t alter a set default 3"), DRIFT_FOUND);
    struct drift d;
    assert_ok(drift_look(db, a, &d, &e), &e);
    assert_non_null(strstr(drift_text(a, &d), "column public.t.a"));
    /* with another history there is nothing to compare with, until it is kept again */
    assert_int_equal(
        drift_of(db, a, "insert into supabase_migrations.schema_migrations values ('1')"),
        DRIFT_UNKNOWN);
    assert_ok(drift_keep(db, a, &e), &e);
    assert_int_equal(drift_of(db, a, NULL), DRIFT_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_gets_the_result_it_deserves),
        cmocka_unit_test(a_proof_is_found_by_the_bytes_of_both_files_and_the_servers_version),
        cmocka_unit_test(
            a_series_walks_on_after_a_bad_reverse_script_and_stops_after_a_bad_migration),
        cmocka_unit_test(a_change_behind_our_back_is_drift_and_what_services_do_is_not),
    };
    return cmocka_run_group_tests_name("migrate/prove", tests, NULL, NULL);
}
