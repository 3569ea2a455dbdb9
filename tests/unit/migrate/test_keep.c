/* What a migration would destroy is kept by SQL in the file, and comes back. */
#include "assert_ok.h"
#include "pg_fixture.h"

#include "base/cleanup.h"
#include "migrate/prove/generated.h"
#include "migrate/reverse/keep.h"
#include "migrate/reverse/purge.h"

#include <stdlib.h>

struct fixture {
    struct arena *a;
    struct pg *db;
    const char *url;
};

static const char base[] =
    "create table public.people (id int primary key, name text not null, note text default 'none',"
    " score int, extra json, updated int not null default 0, unique (note));"
    "create table public.pets (id int primary key, owner int references public.people on delete "
    "cascade, friend int references public.people on delete set null, kind text);"
    "create table public.loose (a int, b text);"
    "create function public.touch() returns trigger language plpgsql as"
    " 'begin new.updated := old.updated + 1; return new; end';"
    "create trigger touch before update on public.people for each row execute function "
    "public.touch();"
    "insert into public.people (id, name, note, score, extra) values (1, 'Ann', 'a', 1, "
    "'{\"x\":1}'),"
    " (2, 'Bob', 'b', 2, null), (3, 'Cid', null, 3, '[]');"
    "insert into public.pets values (1, 1, 2, 'cat'), (2, 1, null, 'dog'), (3, 2, 1, 'cow');"
    "insert into public.loose values (1, 'x'), (1, 'x'), (2, null);";

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct err e = { 0 };
    assert_non_null(f);
    f->a = arena_new(0);
    f->url = pg_fixture_database(f->a);
    assert_ok(pg_open(&(struct pg_spec){ .url = f->url }, &f->db, &e), &e);
    assert_ok(pg_begin(f->db, &e) && pg_script(f->db, base, &e) && pg_commit(f->db, &e), &e);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    pg_close(f->db);
    arena_free(f->a);
    free(f);
    return 0;
}

static struct keep plan(struct fixture *f, const char *sql)
{
    struct err e = { 0 };
    struct keep k;
    struct migration m = {
        .version = "20260101090000", .name = "x", .file = "20260101090000_x.sql", .sql = str_of(sql)
    };
    assert_ok(keep_plan(f->db, f->a, &m, &k, &e), &e);
    return k;
}

static void run(struct fixture *f, struct str sql)
{
    struct err e = { 0 };
    if (!pg_begin(f->db, &e) ||
        !pg_exec(f->db, "set local search_path = public", PG_NONE, NULL, &e) ||
        !pg_script(f->db, str_dup(f->a, sql), &e) || !pg_commit(f->db, &e))
        fail_msg("%s in\n%.*s", e.why, STR_FMT(sql));
}

static const char *ask(struct fixture *f, const char *sql)
{
    struct err e = { 0 };
    struct pg_rows r;
    assert_ok(pg_query(f->db, f->a, sql, PG_NONE, &r, &e), &e);
    return r.n ? pg_value(&r, 0, 0) : NULL;
}

static const char *all_rows(struct fixture *f)
{
    return ask(f,
               "select (select string_agg(to_jsonb(p)::text, ' ' order by id) from public.people"
               " p) || (select string_agg(to_jsonb(p)::text, ' ' order by id) from public.pets p)"
               " || (select string_agg(to_jsonb(p)::text, ' ' order by to_jsonb(p)::text) from "
               "public.loose p)");
}

/* Restores every copy of the kept file, last one first, as the way back does. */
static void restore(struct fixture *f, struct str kept)
{
    struct err e = { 0 };
    struct sql_script s;
    assert_ok(sql_script_read(f->a, "kept", kept, &s, &e), &e);
    for (size_t i = s.n; i-- > 0;) {
        const char *copy = NULL, *sql = NULL;
        struct sql_name table;
        if (!keep_is_copy(&s.statements[i], &copy, &table))
            continue;
        assert_ok(keep_restore(f->db, f->a, "20260101090000", copy, table, &sql, &e), &e);
        run(f, str_of(sql));
    }
}

static const char *const writing[] = {
    "update public.people set score = score * 10 where score > 1;",
    "update public.people set score = 5, extra = '{}' ;",
    "update public.people p set score = x.id from public.pets x where x.owner = p.id;",
    "with c as (select id from public.people where score > 1) update people set score = 0 from c"
    " where c.id = people.id;",
    "delete from public.people where id = 1;",
    "delete from people as p using pets as q where q.owner = p.id and q.kind = 'cow';",
    "delete from public.loose where a = 1;",
    "truncate public.loose;",
    "truncate public.people cascade;",
    "insert into public.people (id, name, note) values (1, 'Zoe', 'z'), (9, 'New', 'n')"
    " on conflict (id) do update set name = excluded.name, score = null;",
    "merge into public.pets p using (values (1, 'A'), (2, 'B'), (7, 'C')) v (id, name) on p.id ="
    " v.id when matched and v.id = 2 then delete when matched then update set kind = v.name"
    " when not matched then insert (id, owner, kind) values (v.id, 3, v.name);",
    "update public.people set score = 1; update public.people set score = score + 1;"
    " delete from public.pets where id = 3;",
};

static void rows_that_were_written_over_come_back(void **state)
{
    struct fixture *f = *state;
    const char *before = all_rows(f);
    for (size_t i = 0; i < sizeof writing / sizeof *writing; i++) {
        struct keep k = plan(f, writing[i]);
        if (k.refusal_count > 0)
            fail_msg("%s: %s", writing[i], k.refusals[0].why);
        assert_true(k.n > 0);
        assert_string_equal(all_rows(f), before); /* planning left everything as it was */
        run(f, k.text);
        if (streq(all_rows(f), before))
            fail_msg("%s changes nothing", writing[i]);
        restore(f, k.text);
        if (!streq(all_rows(f), before))
            fail_msg("%s:\n%.*s\nbefore %s\nafter  %s", writing[i], STR_FMT(k.text), before,
                     all_rows(f));
        assert_null(ask(f, "select 1 from lockflight_undo.left_behind"));
    }
}

static void a_row_written_since_stays_as_it_is_and_is_told(void **state)
{
    struct fixture *f = *state;
    struct err e = { 0 };
    const char *left = NULL;
    struct keep k = plan(f, "update public.people set score = score + 100;"
                            "delete from public.pets where kind = 'cat';");
    run(f, k.text);
    run(f, STR("update public.people set score = 7 where id = 2;"
               "insert into public.pets values (1, 3, null, 'ape'), (8, 3, null, 'bee')"));
    restore(f, k.text);
    assert_string_equal(
        ask(f, "select string_agg(score::text, ',' order by id) from public.people"), "1,7,3");
    assert_string_equal(ask(f, "select string_agg(kind, ',' order by id) from public.pets"),
                        "ape,dog,cow,bee");
    assert_ok(keep_left_behind(f->db, f->a, "20260101090000", NULL, &left, &e), &e);
    assert_string_equal(left, "public.people: 1 row was written since and stays as it is; "
                              "public.pets: 1 row was written since and stays as it is");
}

static void more_rows_than_the_limit_stop_the_migration(void **state)
{
    struct fixture *f = *state;
    struct err e = { 0 };
    run(f, STR("insert into public.loose select 1 from generate_series(1, 1000001)"));
    struct keep k = plan(f, "delete from public.loose where a = 2;");
    run(f, k.text); /* one row: fine */
    k = plan(f, "select 1;");
    assert_int_equal(k.n, 0);
    const char *text =
        "create table lockflight_undo.v20260101090000_1 as select row_number() over ()"
        " as row_no, sum(pg_column_size(t.*)) over (rows unbounded preceding) as"
        " bytes, t.a as old_a from public.loose as t limit 1000001";
    run(f, STR("drop table lockflight_undo.v20260101090000_1"));
    run(f, str_of(text));
    assert_fails(pg_exec(f->db,
                         "alter table lockflight_undo.v20260101090000_1 add constraint \"at most"
                         " 1000000 rows are kept\" check (row_no <= 1000000)",
                         PG_NONE, NULL, &e),
                 &e, ERR_DB);
    assert_non_null(strstr(e.why, "at most 1000000 rows are kept"));
}

static void a_dropped_column_is_renamed_out_of_sight(void **state)
{
    struct fixture *f = *state;
    struct keep k =
        plan(f, "-- why\nalter table public.people drop column note, add column z int;\n");
    assert_int_equal(k.refusal_count, 0);
    assert_string_equal(
        str_dup(f->a, k.text),
        "-- why\nALTER TABLE public.people DROP CONSTRAINT people_note_key;\n"
        "ALTER TABLE public.people RENAME COLUMN note TO _gone_20260101090000_note;\n"
        "ALTER TABLE public.people ADD COLUMN z int;\n");
    run(f, k.text);
    k = plan(f, "alter table people drop name;");
    assert_non_null(k.changes[0].note);
    run(f, k.text);
    run(f, STR("insert into public.people (id) values (4)"));
}

static void a_dropped_table_moves_out_of_sight_with_its_rows(void **state)
{
    struct fixture *f = *state;
    run(f,
        STR("do $$ begin if to_regrole('keep_reader') is null then create role keep_reader; end if;"
            " end $$; grant select on public.pets to keep_reader, public"));
    struct keep k = plan(f, "drop table if exists nothing, public.pets;");
    assert_int_equal(k.refusal_count, 0);
    run(f, k.text);
    assert_null(ask(f, "select to_regclass('public.pets')"));
    assert_string_equal(ask(f, "select count(*) from lockflight_gone.pets"), "3");
    assert_null(ask(f, "select 1 where has_table_privilege('keep_reader', 'lockflight_gone.pets', "
                       "'select') or has_schema_privilege('keep_reader', 'lockflight_gone', "
                       "'usage')"));
    run(f, STR("create table public.pets (id int)"));
    k = plan(f, "drop table public.pets;");
    assert_int_equal(k.refusal_count, 1);
    assert_non_null(strstr(k.refusals[0].why, "purge"));
}

static void what_cannot_be_kept_is_refused_with_the_reason(void **state)
{
    static const struct {
        const char *sql, *why;
    } cases[] = {
        { "update public.loose set b = 'q';", "no key" },
        { "update public.pets set id = id + 10;", "changes the key" },
        { "delete from public.people where random() < 0.5;", "random()" },
        { "truncate public.loose restart identity;", "RESTART IDENTITY" },
        { "create view public.v as select note from public.people;"
          "alter table public.people drop column note cascade;",
          "view v" },
        { "merge into public.people p using (values (1)) v (id) on p.id = v.id when matched then "
          "delete;",
          "rows of pets" },
        { "drop table public.people cascade;", "constraint pets_" },
        { "with x as (delete from public.pets returning id) update public.people p set score = 1 "
          "from x where x.id = p.id;",
          "WITH queries writes" },
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct keep k = plan(f, cases[i].sql);
        if (k.refusal_count != 1 || !strstr(k.refusals[0].why, cases[i].why))
            fail_msg("%s: %s", cases[i].sql, k.refusal_count ? k.refusals[0].why : "not refused");
    }
}

static void a_kept_file_and_what_only_fills_new_things_stay_as_they_are(void **state)
{
    struct fixture *f = *state;
    struct keep k = plan(f, "create table public.fresh (id int primary key, a int);"
                            "insert into public.fresh values (1, 1); update public.fresh set a = 2;"
                            "alter table public.pets add column age int;"
                            "update public.pets set age = 3; alter table public.pets drop column "
                            "age; drop table public.fresh;");
    assert_int_equal(k.n + k.refusal_count, 0);
    k = plan(f, "update public.people set score = 1 where id = 1;\nalter table public.pets drop "
                "column kind;\n");
    assert_int_equal(k.n, 2);
    k = plan(f, str_dup(f->a, k.text));
    assert_int_equal(k.n + k.refusal_count, 0);
}

/* Generated and proved for the file as keep wrote it. */
static struct reverse_script back_of(struct fixture *f, struct migration *pair, struct err *e)
{
    CLEANUP(shadow) struct shadow *before = NULL;
    struct migration_set set = { .v = pair, .n = 2 };
    struct reverse_script r = { 0 };
    struct proof p = { 0 };
    struct keep k;
    struct shadow_spec spec = { f->url, &set, pair[1].version };
    assert_ok(shadow_open(&spec, f->a, &before, e), e);
    assert_ok(keep_plan(shadow_db(before), f->a, &pair[1], &k, e), e);
    if (k.refusal_count > 0)
        fail_msg("%s: %s", k.refusals[0].what, k.refusals[0].why);
    pair[1].sql = k.text;
    assert_ok(generated_prove(before, f->a, &pair[1], &r, &p, e), e);
    if (!r.sql || !p.is_proven)
        fail_msg("%s", r.sql ? p.reason : r.refusal);
    return r;
}

static void a_contract_step_that_was_kept_comes_back_with_everything(void **state)
{
    struct fixture *f = *state;
    struct err e = { 0 };
    struct migration pair[2] = {
        { .version = "20260101000000", .name = "base", .file = "base.sql", .sql = STR(base) },
        { .version = "20260101090000",
          .name = "contract",
          .file = "contract.sql",
          .sql = STR("alter table public.people drop column note;\n"
                     "drop table public.pets;\n"
                     "update public.people set name = upper(name), score = 0 where id < 3;\n"
                     "delete from public.loose where a = 1;\n"
                     "alter table public.people drop column extra;\n") },
    };
    const char *people =
                   "select string_agg(to_jsonb(p)::text, ' ' order by id) from public.people p"
                   " where id < 3",
               *before = ask(f, people), *pets = "select count(*) || min(kind) from public.pets",
               *kinds = ask(f, pets);
    struct reverse_script r = back_of(f, pair, &e);
    assert_int_equal(r.loss, 'A');
    run(f, pair[1].sql);
    assert_null(ask(f, "select to_regclass('public.pets')"));
    run(f, STR("insert into public.people (id, name, score) values (4, 'Dan', 4);"
               "update public.people set score = 33 where id = 3;"
               "insert into public.loose values (7, 'new')"));
    run(f, str_of(r.sql));
    assert_string_equal(ask(f, people), before);
    assert_string_equal(ask(f, pets), kinds);
    assert_string_equal(ask(f,
                            "select string_agg(name || score || coalesce(note, '-'), ' ' order by"
                            " id) from public.people where id > 2"),
                        "Cid33- Dan4none");
    assert_string_equal(ask(f, "select count(*) || max(a)::text from public.loose"), "47");
}

static void what_was_kept_is_purged_by_a_migration_of_class_c(void **state)
{
    struct fixture *f = *state;
    struct err e = { 0 };
    CLEANUP(shadow) struct shadow *all = NULL;
    struct purge p = { 0 };
    struct proof proof = { 0 };
    struct migration pair[2] = {
        { .version = "20260101000000", .name = "base", .file = "base.sql", .sql = STR(base) },
        { .version = "20260101090000",
          .name = "contract",
          .file = "contract.sql",
          .sql = STR("alter table public.people drop column note;\ndrop table public.pets;\n"
                     "update public.people set score = 0;\n") },
    };
    (void)back_of(f, pair, &e);
    struct migration_set set = { .v = pair, .n = 2 };
    run(f, pair[1].sql);
    struct shadow_spec spec = { .server_url = f->url, .set = &set };
    assert_ok(shadow_open(&spec, f->a, &all, &e), &e);
    assert_ok(purge_plan(all, f->db, f->a, &p, &e), &e);
    assert_int_equal(p.n, 3);
    assert_string_equal(p.items[0].what, "table lockflight_gone.pets");
    assert_int_equal(p.items[0].rows, 3);
    assert_non_null(strstr(p.down, "-- loss: C "));
    shadow_close(all);
    all = NULL;
    struct migration purge = { .version = "20260201000000",
                               .name = "purge",
                               .file = "purge.sql",
                               .sql = str_of(p.up),
                               .sha256 = "-",
                               .has_reverse = true,
                               .reverse_file = "back.sql",
                               .reverse_sql = str_of(p.down),
                               .reverse_sha256 = "-" };
    assert_ok(shadow_open(&spec, f->a, &all, &e), &e);
    assert_ok(proof_run(all, f->a, &purge, &proof, &e), &e);
    if (!proof.is_proven)
        fail_msg("%s\n%s", proof.reason, p.down);
    assert_int_equal(proof.loss, 'C');
    run(f, str_of(p.up));
    assert_null(ask(f, "select to_regclass('lockflight_gone.pets')"));
    run(f, str_of(p.down));
    assert_string_equal(ask(f, "select count(*) from lockflight_gone.pets"), "0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_that_were_written_over_come_back, setup, teardown),
        cmocka_unit_test_setup_teardown(a_row_written_since_stays_as_it_is_and_is_told, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(more_rows_than_the_limit_stop_the_migration, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_dropped_column_is_renamed_out_of_sight, setup, teardown),
        cmocka_unit_test_setup_teardown(a_dropped_table_moves_out_of_sight_with_its_rows, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_kept_is_refused_with_the_reason, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_kept_file_and_what_only_fills_new_things_stay_as_they_are,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_contract_step_that_was_kept_comes_back_with_everything,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_kept_is_purged_by_a_migration_of_class_c, setup,
                                        teardown),
    };
    return cmocka_run_group_tests_name("migrate/keep", tests, NULL, NULL);
}
