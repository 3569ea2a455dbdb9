/* What a reverse script would lose, counted on a real database. */
#include "assert_ok.h"
#include "pg_fixture.h"

#include "base/cleanup.h"
#include "migrate/reverse/risk.h"

#include <stdlib.h>

static const char base[] =
    "create table public.leads (id int primary key, note text, stage text not null default 'new', "
    "\"Odd\" int);"
    "insert into public.leads values (1, 'call', 'new', null), (2, null, 'won', 7), (3, null, "
    "'new', null);"
    "create table public.empty (a int); create view public.v as select 1 as one";

/* Each script, the rows it would lose, and whether that is all there is to know. */
static const struct {
    const char *sql;
    int64_t rows;
    bool is_lossless;
    const char *text; /* part of what the user reads */
} scripts[] = {
    { "drop table leads;", 3, false, "3 rows in \"public\".\"leads\"" },
    { "drop table if exists empty, nowhere;", 0, true, "nothing" },
    { "alter table leads drop column note;", 1, false, "1 values in" },
    { "alter table public.leads drop column stage;", 1, false, "values" },
    { "alter table leads drop column \"Odd\";", 1, false, ".Odd" },
    { "alter table leads drop column nowhere;", 0, true, "nothing" },
    { "drop view v; drop function if exists f(); drop index if exists i; drop policy if exists p "
      "on leads;",
      0, true, "nothing" },
    { "truncate leads;", 3, false, "3 rows" },
    { "delete from leads;", 0, false, "changes" },
    { "update leads set note = null;", 0, false, "changes" },
    { "do $$ begin perform 1; end $$;", 0, false, "changes" },
    { "drop schema if exists x cascade;", 0, false, "DROP SCHEMA" },
    { "alter table leads alter note type varchar(3);", 0, false, "type" },
    { "select forget_everything();", 0, false, "SELECT changes" },
    { "select set_config('x.y', 'z', true), pg_catalog.pg_notify('a', 'b');", 0, true, "nothing" },
    { "drop type if exists mood cascade;", 0, false, "DROP TYPE" },
    { "with gone as (delete from leads returning id) select * from gone;", 0, false, "changes" },
    { "revoke select on leads from public; comment on table leads is null;", 0, true, "nothing" },
};

static void every_script_is_counted_as_it_would_lose(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    CLEANUP(pg) struct pg *db = NULL;
    struct err e = { 0 };
    assert_ok(pg_open(&(struct pg_spec){ .url = pg_fixture_database(a) }, &db, &e), &e);
    assert_ok(pg_begin(db, &e), &e);
    assert_ok(pg_script(db, base, &e), &e);
    assert_ok(pg_commit(db, &e), &e);
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        struct history_row row = { .version = "1", .is_ours = true, .reverse_sql = scripts[i].sql };
        struct migration_state s = { .status = MIGRATION_APPLIED, .row = &row };
        struct migration_risk risk = { 0 };
        assert_ok(migration_risk(db, a, &s, &risk, &e), &e);
        if (risk.rows != scripts[i].rows || risk.is_lossless != scripts[i].is_lossless ||
            !strstr(risk.text, scripts[i].text))
            fail_msg("%s: %lld rows, %s, \"%s\"", scripts[i].sql, (long long)risk.rows,
                     risk.is_lossless ? "lossless" : "not lossless", risk.text);
    }
}

static void without_a_script_the_question_cannot_be_answered(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    CLEANUP(pg) struct pg *db = NULL;
    struct err e = { 0 };
    struct history_row row = { .version = "1" };
    struct migration_state s = { .status = MIGRATION_APPLIED, .row = &row };
    struct migration_risk risk;
    assert_ok(pg_open(&(struct pg_spec){ .url = pg_fixture_database(a) }, &db, &e), &e);
    assert_fails(migration_risk(db, a, &s, &risk, &e), &e, ERR_BLOCKED);
    row.reverse_sql = "drop tabel leads";
    assert_false(migration_risk(db, a, &s, &risk, &e) && risk.is_lossless);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_script_is_counted_as_it_would_lose),
        cmocka_unit_test(without_a_script_the_question_cannot_be_answered),
    };
    return cmocka_run_group_tests_name("migrate/risk", tests, NULL, NULL);
}
