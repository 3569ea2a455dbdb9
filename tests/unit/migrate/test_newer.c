/*
 * What is newer than the grammar: on a server of version 18 its forms lock, rewrite and read what
 * their words foretell, they are applied and taken back like any other, and the table of version 15
 * still holds.
 */
#include "pg_fixture.h"

#include "engine/schema.h"
#include "migrate/apply/apply.h"
#include "migrate/measure.h"

static int setup(void **state)
{
    pg_fixture_newest();
    return measure_setup(state);
}

// clang-format off
static const struct {
    const char *what, *sql;
} forms[] = {
    { "ADD NOT NULL … NOT VALID", "alter table t add constraint n not null a not valid" },
    { "ADD NOT NULL", "alter table t add constraint n not null a" },
    { "ADD COLUMN … VIRTUAL", "alter table t add column n int generated always as (a * 2) virtual" },
    { "SET EXPRESSION", "alter table t alter column g set expression as (2)" },
    { "SET STATISTICS DEFAULT", "alter table t alter column a set statistics default" },
    { "ADD FOREIGN KEY … NOT ENFORCED", "alter table t add constraint n foreign key (a) references p not enforced" },
    { "ADD CHECK … NOT ENFORCED", "alter table t add constraint n check (a > 9) not enforced" },
    { "ALTER CONSTRAINT", "alter table t alter constraint t_p_id_fkey not enforced" },
    { "ADD COLUMN … STORAGE", "alter table t add column n text storage external" },
    { "CREATE STATISTICS", "create statistics on a, d from t" },
    { "MERGE", "merge into lone using p on p.id = lone.x when not matched by source then delete" },
    { "SELECT", "select json_object('a': 1), 0x1f, 1_000" },
};

/* Of the table for 15, what holds wherever a migration runs. */
static const struct {
    const char *says, *sql;
} still[] = {
    { "ADD COLUMN", "alter table t add column n int not null default 5" },
    { "ADD COLUMN with a volatile default", "alter table t add column n uuid default gen_random_uuid()" },
    { "SET NOT NULL", "alter table t alter column a set not null" },
    { "ALTER COLUMN … TYPE", "alter table t alter column c type varchar(20)" },
    { "ADD FOREIGN KEY", "alter table t add constraint n foreign key (a) references p" },
    { "VALIDATE CONSTRAINT", "alter table t validate constraint t_late" },
    { "DROP CONSTRAINT", "alter table t drop constraint t_pkey cascade" },
    { "DROP COLUMN", "alter table t drop column p_id" },
    { "DROP TABLE", "drop table p cascade" },
    { "ATTACH PARTITION", "alter table part attach partition part_new for values from (20) to (30)" },
    { "DETACH PARTITION", "alter table part detach partition part_1" },
    { "CREATE INDEX", "create index n on t (b)" },
    { "CREATE TRIGGER", "create trigger n before update on t for each row execute function f()" },
    { "CREATE POLICY", "create policy n on t using (true)" },
    { "REFRESH MATERIALIZED VIEW", "refresh materialized view m" },
    { "TRUNCATE … CASCADE", "truncate p cascade" },
};
// clang-format on

static void forms_that_the_grammar_does_not_know_do_what_their_words_say(void **state)
{
    struct measure *m = *state;
    size_t wrong = 0;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        wrong += !measure_foretold(m, forms[i].what, forms[i].sql);
    assert_int_equal(wrong, 0);
}

static void the_table_of_locks_holds_on_the_newest_server(void **state)
{
    struct measure *m = *state;
    size_t wrong = 0;
    for (size_t i = 0; i < sizeof still / sizeof *still; i++)
        wrong += !measure_foretold(m, still[i].says, still[i].sql);
    assert_int_equal(wrong, 0);
}

/* Keeps the last sentence. */
static void keep(void *context, const char *sentence)
{
    struct measure *m = context;
    m->told = arena_strdup(m->a, sentence);
}

static void what_the_server_accepts_is_applied_said_to_be_unknown_and_taken_back(void **state)
{
    struct measure *m = *state;
    assert_true(pg_server_version(m->db) >= 180000);
    assert_ok(schema_ensure(m->db, &m->e), &m->e);
    struct migration migration = {
        .version = "20260101000000",
        .name = "doubled",
        .file = "20260101000000_doubled.sql",
        .sql = STR("alter table public.free add column doubled int generated always as (y * 2) "
                   "virtual;\nupdate public.free set y = 21 where id = 1;\n"),
        .sha256 = "x",
        .reverse_file = "rollbacks/20260101000000_doubled.sql",
        .has_reverse = true,
        .reverse_sql = STR("alter table public.free drop column doubled;\n"),
        .reverse_sha256 = "y",
    };
    struct migrate_options o = { .applied_by = "ana", .on_unknown = keep, .context = m };
    assert_ok(migration_apply(m->db, m->a, &migration, &o, &m->e), &m->e);
    assert_non_null(m->told);
    assert_non_null(strstr(m->told, "20260101000000_doubled.sql:1: not analysed: ADD COLUMN"));
    struct pg_rows rows;
    assert_ok(pg_query(m->db, m->a, "select doubled from public.free where id = 1", PG_NONE, &rows,
                       &m->e),
              &m->e);
    assert_int_equal(pg_int(&rows, 0, 0), 42);
    struct history h;
    assert_ok(history_read(m->db, m->a, &h, &m->e), &m->e);
    assert_int_equal(h.n, 1);
    struct migration_state s = { .status = MIGRATION_APPLIED, .file = &migration, .row = &h.v[0] };
    assert_ok(migration_reverse(m->db, m->a, &s, &o, &m->e), &m->e);
    bool is_applied = true;
    assert_ok(migration_is_applied(m->db, migration.version, &is_applied, &m->e), &m->e);
    assert_false(is_applied);
}

static void a_transaction_that_holds_its_locks_for_too_long_is_ended_by_the_server(void **state)
{
    struct measure *m = *state;
    assert_ok(schema_ensure(m->db, &m->e), &m->e);
    struct migration slow = { .version = "20260101000001",
                              .name = "slow",
                              .file = "20260101000001_slow.sql",
                              .sql = STR("alter table public.free add column slow int;\n"
                                         "select pg_sleep(0.4);\nselect pg_sleep(60);\n"),
                              .sha256 = "x" };
    struct migrate_options o = { .applied_by = "ana", .transaction_timeout_ms = 800 };
    assert_false(migration_apply(m->db, m->a, &slow, &o, &m->e));
    assert_non_null(strstr(m->e.why, "transaction timeout"));
    err_clear(&m->e);
    assert_ok(pg_reconnect(m->db, &m->e), &m->e);
    bool is_applied = true;
    assert_ok(migration_is_applied(m->db, slow.version, &is_applied, &m->e), &m->e);
    assert_false(is_applied);
    slow.sql = STR("select pg_sleep(0.1);\nselect pg_sleep(0.1);\n");
    assert_ok(migration_apply(m->db, m->a, &slow, &o, &m->e), &m->e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_that_the_grammar_does_not_know_do_what_their_words_say),
        cmocka_unit_test(the_table_of_locks_holds_on_the_newest_server),
        cmocka_unit_test(what_the_server_accepts_is_applied_said_to_be_unknown_and_taken_back),
        cmocka_unit_test(a_transaction_that_holds_its_locks_for_too_long_is_ended_by_the_server),
    };
    return cmocka_run_group_tests_name("migrate/newer", tests, setup, measure_teardown);
}
