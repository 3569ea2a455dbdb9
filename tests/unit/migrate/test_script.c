/* Reading SQL files: what each statement is, how it must run, and what nobody can execute. */
#include "assert_ok.h"

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "migrate/sql/tree.h"

#include <stdlib.h>

static struct sql_script read_sql(struct arena *a, const char *sql)
{
    struct sql_script s = { 0 };
    struct err e = { 0 };
    assert_ok(sql_script_read(a, "f.sql", str_of(sql), &s, &e), &e);
    return s;
}

// clang-format off
/* ---- modes ---- */

static const struct {
    const char *sql;
    enum sql_mode mode;
} modes[] = {
    { "create index i on t (a)", SQL_IN_TRANSACTION },
    { "create index concurrently i on t (a)", SQL_ALONE },
    { "/* c */ CREATE UNIQUE INDEX -- x\n CONCURRENTLY if not exists i on t (a)", SQL_ALONE },
    { "create index \"concurrently\" on t (a)", SQL_IN_TRANSACTION },
    { "drop index concurrently if exists i", SQL_ALONE },
    { "drop index concurrently_i", SQL_IN_TRANSACTION },
    { "reindex (verbose) table concurrently t", SQL_ALONE },
    { "reindex (concurrently, verbose) index i", SQL_ALONE },
    { "reindex table t", SQL_IN_TRANSACTION },
    { "reindex schema public", SQL_ALONE },
    { "vacuum t", SQL_ALONE },
    { "analyze t", SQL_IN_TRANSACTION },
    { "cluster", SQL_ALONE },
    { "cluster t using i", SQL_IN_TRANSACTION },
    { "create database d", SQL_ALONE },
    { "alter system set work_mem = '8MB'", SQL_ALONE },
    { "alter table p detach partition c concurrently", SQL_ALONE },
    { "alter table p detach partition c", SQL_IN_TRANSACTION },
    { "create subscription s connection '' publication p", SQL_ALONE },
    { "create subscription s connection '' publication p with (connect = false)", SQL_IN_TRANSACTION },
    { "alter type mood add value if not exists 'x' after 'y'", SQL_OWN_TRANSACTION },
    { "alter type mood rename value 'x' to 'y'", SQL_IN_TRANSACTION },
    { "-- backfill: key=id\nupdate t set a = 1 where a is null", SQL_BACKFILL },
    { "update t set a = 1", SQL_IN_TRANSACTION },
    { "-- transaction: none\nselect 1", SQL_OWN_TRANSACTION },
    { "-- pg-delta: transaction=false\nselect 1", SQL_OWN_TRANSACTION },
    { "begin", SQL_FORBIDDEN },
    { "start transaction", SQL_FORBIDDEN },
    { "commit", SQL_FORBIDDEN },
    { "end", SQL_FORBIDDEN },
    { "rollback", SQL_FORBIDDEN },
    { "rollback to savepoint s", SQL_IN_TRANSACTION },
    { "savepoint s", SQL_IN_TRANSACTION },
    { "prepare transaction 'x'", SQL_FORBIDDEN },
    { "prepare p as select 1", SQL_IN_TRANSACTION },
    { "discard all", SQL_FORBIDDEN },
    { "create function f() returns int language plpgsql as $$ begin commit; end $$", SQL_IN_TRANSACTION },
    { "create table \"begin\" (a int)", SQL_IN_TRANSACTION },
    { "copy t to '/tmp/x'", SQL_IN_TRANSACTION },
    { "select 'vacuum'", SQL_IN_TRANSACTION },
};

/* ---- classes, and the thing that a statement is about ---- */

static const struct {
    const char *sql;
    enum sql_class class;
    const char *objects; /* as describe() prints them */
} statements[] = {
    { "create table s.t (id int references public.p (id))", SQL_ADDITIVE, "+table s.t <table public.p" },
    { "alter table t add column c int, drop column d", SQL_DESTRUCTIVE, "+table t.c -table t.d" },
    { "alter table t alter column a type bigint", SQL_REWRITING, "~table t.a" },
    { "alter table t add constraint k check (a > 0)", SQL_REPLACEABLE, "+table t.k" },
    { "alter table t rename column a to b", SQL_REWRITING, "~table t.a" },
    { "alter table t rename to u", SQL_REWRITING, "~table t" },
    { "drop table a, s.b", SQL_DESTRUCTIVE, "-table a -table s.b" },
    { "drop view v", SQL_REPLACEABLE, "-view v" },
    { "drop function f(int)", SQL_REPLACEABLE, "-function f" },
    { "drop type x cascade", SQL_DESTRUCTIVE, "-type x" },
    { "drop policy p on s.t", SQL_REPLACEABLE, "-table s.t.p" },
    { "drop trigger g on t", SQL_REPLACEABLE, "-table t.g" },
    { "create index i on s.t (a)", SQL_ADDITIVE, "~table s.t +index s.i" },
    { "create index concurrently i on t (a)", SQL_NON_TRANSACTIONAL, "~table t +index i" },
    { "create policy p on t using (id in (select id from s.u))", SQL_REPLACEABLE, "+table t.p <table s.u" },
    { "create or replace view v as with w as (select 1 from a) select * from w, b", SQL_REPLACEABLE, "+view v <table b <table a" },
    { "create function s.f() returns int language sql as 'select 1'", SQL_REPLACEABLE, "+function s.f" },
    { "create type mood as enum ('a')", SQL_ADDITIVE, "+type mood" },
    { "alter type mood add value 'b'", SQL_ADDITIVE, "~type mood.b" },
    { "alter type mood rename value 'a' to 'c'", SQL_REWRITING, "~type mood.c" },
    { "insert into t select * from u", SQL_BACKFILLING, "!table t <table u" },
    { "update t set a = 1", SQL_BACKFILLING, "!table t" },
    { "delete from t where id in (select id from u)", SQL_DESTRUCTIVE, "!table t <table u" },
    { "with gone as (delete from t returning id) select * from gone", SQL_DESTRUCTIVE, "!table t" },
    { "truncate t, u", SQL_DESTRUCTIVE, "!table t !table u" },
    { "grant select on table s.t to r", SQL_REPLACEABLE, "~table s.t" },
    { "comment on column s.t.c is 'x'", SQL_REPLACEABLE, "~table s.t.c" },
    { "create extension pgcrypto", SQL_ADDITIVE, "+extension pgcrypto" },
    { "create schema s", SQL_ADDITIVE, "+schema s" },
    { "set search_path = public", SQL_NEUTRAL, "" },
    { "do $$ begin end $$", SQL_BACKFILLING, "" },
};

/* ---- forms that the grammar of 15 does not know ---- */

static const struct {
    const char *sql, *what;
    enum sql_class class;
    enum sql_lock_level level;
} newer[] = {
    { "alter table s.t add constraint n not null a not valid", "ADD NOT NULL … NOT VALID", SQL_REPLACEABLE, SQL_ACCESS_EXCLUSIVE },
    { "alter table t add column b int generated always as (a * 2) virtual", "ADD COLUMN … VIRTUAL", SQL_ADDITIVE, SQL_ACCESS_EXCLUSIVE },
    { "alter table if exists only t alter column a set expression as (b)", "SET EXPRESSION", SQL_REWRITING, SQL_ACCESS_EXCLUSIVE },
    { "alter table t alter a set statistics default", "SET STATISTICS DEFAULT", SQL_REPLACEABLE, SQL_SHARE_UPDATE_EXCLUSIVE },
    { "alter table t add foreign key (a) references p not enforced", "ADD FOREIGN KEY … NOT ENFORCED", SQL_REPLACEABLE, SQL_SHARE_ROW_EXCLUSIVE },
    { "alter table t add check (a > 0) not enforced", "ADD CHECK … NOT ENFORCED", SQL_REPLACEABLE, SQL_ACCESS_EXCLUSIVE },
    { "alter table t add constraint u unique (a, b without overlaps)", "ADD UNIQUE … WITHOUT OVERLAPS", SQL_REPLACEABLE, SQL_ACCESS_EXCLUSIVE },
    { "alter table t add foreign key (a, period b) references p (a, period b)", "ADD FOREIGN KEY … PERIOD", SQL_REPLACEABLE, SQL_SHARE_ROW_EXCLUSIVE },
    { "alter table t alter constraint c not enforced", "ALTER CONSTRAINT", SQL_REPLACEABLE, SQL_ACCESS_EXCLUSIVE },
    { "create statistics on a, b from s.t", "CREATE STATISTICS", SQL_ADDITIVE, SQL_SHARE_UPDATE_EXCLUSIVE },
    { "alter table \"Odd t\" frobnicate", "ALTER TABLE", SQL_REWRITING, SQL_ACCESS_EXCLUSIVE },
    { "create unique index i on t (a) frobnicate", "CREATE INDEX", SQL_ADDITIVE, SQL_SHARE },
    { "drop table t frobnicate", "DROP TABLE", SQL_DESTRUCTIVE, SQL_ACCESS_EXCLUSIVE },
    { "merge into t using s on true when not matched by source then delete", "MERGE", SQL_BACKFILLING, SQL_ROW_EXCLUSIVE },
    { "frobnicate t", "FROBNICATE", SQL_BACKFILLING, SQL_NO_LOCK },
};

/* ---- what nobody can execute ---- */

static const struct {
    const char *sql, *where, *why, *hint;
    enum err_code code;
} refused[] = {
    { "select 1;\nselect 'open;\nselect 2", "f.sql:2:8", "does not end", "it''s", ERR_CONFIG },
    { "select \"open", "f.sql:1:8", "name does not end", "close it with \"", ERR_CONFIG },
    { "do $body$ begin", "f.sql:1:4", "no second $body$", "close it with $body$", ERR_CONFIG },
    { "select 1 /* a /* b */ ;", "f.sql:1:10", "comment does not end", "*/", ERR_CONFIG },
    { "select 1;\n  \\connect other\n", "f.sql:2:3", "for psql", "remove the line", ERR_CONFIG },
    { "select 1;\r\ncopy t (a) from stdin;\r\n1\tit's\r\n\\.\r\n", "f.sql:2:1", "COPY … FROM STDIN", "INSERT", ERR_CONFIG },
    { "select 'caf\xe9';", "f.sql:1:12", "not UTF-8", "iconv", ERR_CONFIG },
    { "\xff\xfes\x01", "f.sql:1:1", "UTF-16", "iconv", ERR_CONFIG },
    { "-- phase: contarct\nselect 1", "f.sql:1:1", "expand, backfill or contract", "", ERR_CONFIG },
    { "-- allow: L01\nselect 1", "f.sql:1:1", "the reason", "", ERR_CONFIG },
    { "-- lock-budget: soon\nselect 1", "f.sql:1:1", "100ms", "", ERR_CONFIG },
    { "select 1;\n-- phase: contract\nselect 2", "f.sql:2:1", "before the first statement", "", ERR_CONFIG },
};
// clang-format on

static void every_statement_has_its_mode(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        struct sql_script s = read_sql(a, modes[i].sql);
        assert_int_equal(s.n, 1);
        if (s.statements[0].mode != modes[i].mode)
            fail_msg("%s: %s, expected %s", modes[i].sql, sql_mode_name(s.statements[0].mode),
                     sql_mode_name(modes[i].mode));
        assert_int_equal(s.is_transactional, modes[i].mode == SQL_IN_TRANSACTION);
    }
}

/* "+table s.t.c -view v": created, dropped, changed ~, written !, read <. */
static const char *describe(struct arena *a, const struct sql_statement *s)
{
    CLEANUP(strbuf) struct strbuf b = strbuf_init(4096);
    for (size_t i = 0; i < s->object_count; i++) {
        const struct sql_object *o = &s->objects[i];
        (void)strbuf_printf(&b, "%s%c%s %s%s%s", i ? " " : "", "+~-!<"[o->effect],
                            sql_kind_name(o->kind), sql_name_text(a, o->name), o -> part ? "." : "",
                            o->part ? o->part : "");
    }
    return str_dup(a, strbuf_str(&b));
}

static void every_statement_has_its_class_and_names_its_objects(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        struct sql_script s = read_sql(a, statements[i].sql);
        const struct sql_statement *st = &s.statements[0];
        if (st->class != statements[i].class || !st->is_analysed)
            fail_msg("%s: %s", statements[i].sql, sql_class_name(st->class));
        assert_string_equal(describe(a, st), statements[i].objects);
    }
}

static void newer_forms_are_recognised_by_their_words(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    for (size_t i = 0; i < sizeof newer / sizeof *newer; i++) {
        struct sql_script s = read_sql(a, newer[i].sql);
        const struct sql_statement *st = &s.statements[0];
        assert_false(st->is_analysed || s.is_analysed);
        assert_true(st->complaint && st->is_opaque);
        if (!streq(st->what, newer[i].what) || st->class != newer[i].class)
            fail_msg("%s: %s, %s", newer[i].sql, st->what, sql_class_name(st->class));
        assert_int_equal(st->lock_count > 0 ? st->locks[0].level : SQL_NO_LOCK, newer[i].level);
    }
    struct sql_script s = read_sql(a, newer[0].sql);
    assert_string_equal(sql_name_text(a, s.statements[0].locks[0].name), "s.t");
    s = read_sql(a, "alter table \"Odd t\" frobnicate");
    assert_string_equal(s.statements[0].locks[0].name.name, "Odd t");
    assert_int_equal(s.statements[0].complaint_offset, 20);
}

static void what_nobody_can_execute_is_refused_with_place_caret_and_remedy(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct sql_script s;
        struct err e = { 0 };
        assert_fails(sql_script_read(a, "f.sql", str_of(refused[i].sql), &s, &e), &e,
                     refused[i].code);
        if (!streq(e.where, refused[i].where) || !strstr(e.why, refused[i].why) ||
            !strstr(e.why, "\n") || !strstr(e.why, "^") || !strstr(e.hint, refused[i].hint))
            fail_msg("%s:\n%s: %s\nhint: %s", refused[i].sql, e.where, e.why, e.hint);
    }
    struct sql_script s;
    struct err e = { 0 };
    assert_fails(sql_script_read(a, "f.sql", STR("select 1;\0select 2"), &s, &e), &e, ERR_CONFIG);
    assert_non_null(strstr(e.why, "NUL"));
}

/* `n` times `what` between two texts. */
static const char *many(struct arena *a, const char *before, const char *what, size_t n,
                        const char *after)
{
    size_t bytes = strlen(what), head = strlen(before);
    char *text = arena_alloc(a, head + n * bytes + strlen(after) + 1);
    memcpy(text, before, head);
    for (size_t i = 0; i < n; i++)
        memcpy(text + head + i * bytes, what, bytes);
    memcpy(text + head + n * bytes, after, strlen(after));
    return text;
}

static void deep_nesting_is_read_or_left_to_the_server(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct sql_script s = read_sql(a, many(a, "select 1", "-1", 5000, ""));
    assert_true(s.is_analysed);
    s = read_sql(a, many(a, "select 1", "-1", 100000, "; select 2"));
    assert_false(s.statements[0].is_analysed);
    assert_true(s.statements[1].is_analysed);
    s = read_sql(a, many(a, "select ", "not ", 20000, "true"));
    assert_false(s.is_analysed);
    s = read_sql(a, many(a, "select 1 ", "isnull ", 100000, ""));
    assert_false(s.is_analysed);
    s = read_sql(a, many(a, "select ", "(", 20000, "1"));
    assert_false(s.is_analysed);
    s = read_sql(a, many(a, "select 1", " union all select 1", 20000, ""));
    assert_int_equal(s.n, 1);
}

static void texts_that_would_take_for_ever_are_refused_at_once(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    static const struct {
        const char *before, *what;
        size_t n;
        const char *after;
    } bombs[] = {
        { "select 1 ", "/*", 500000, "" },
        { "select 1 ", "/**/", 500000, "" },
        { "select 1 ", "+", 1000000, " 1" },
        { "select 1 ", "*/-", 300000, "" },
    };
    for (size_t i = 0; i < sizeof bombs / sizeof *bombs; i++) {
        struct sql_script s;
        struct err e = { 0 };
        const char *text = many(a, bombs[i].before, bombs[i].what, bombs[i].n, bombs[i].after);
        assert_fails(sql_script_read(a, "f.sql", str_of(text), &s, &e), &e, ERR_CONFIG);
        assert_string_equal(e.where, "f.sql:1:10");
    }
    struct sql_script s = read_sql(a, many(a, "/", "*", 900, "/ select 1")); /* a banner is fine */
    assert_true(s.is_analysed);
}

static void large_statements_are_not_parsed_but_known(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct sql_script s =
        read_sql(a, many(a, "insert into s.t values (0)", ",(1,'x')", 1250000, "; select 1"));
    assert_true(s.n == 2 && s.statements[0].text.n > 10000000);
    assert_true(s.statements[0].is_bulk && s.statements[0].is_analysed && !s.statements[0].tree);
    assert_string_equal(describe(a, &s.statements[0]), "!table s.t");
    assert_int_equal(s.statements[0].locks[0].level, SQL_ROW_EXCLUSIVE);
    s = read_sql(a, many(a, "alter table t add check (a in (1", ",1", 600000, "))"));
    assert_false(s.statements[0].is_analysed);
    assert_string_equal(s.statements[0].what, "ALTER TABLE");
    assert_int_equal(s.statements[0].locks[0].level, SQL_ACCESS_EXCLUSIVE);
}

/* Many files of 1.6 megabytes, one arena: memory does not run out. */
static void what_does_not_fit_into_memory_is_left_to_the_server(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    CLEANUP(arena) struct arena *text = arena_new(0);
    const char *file =
        many(text, "", "create index i on t (a, b, lower(c)) where d > 0 and e is not null;\n",
             24000, "");
    size_t unread = 0;
    for (int i = 0; i < 9; i++) {
        struct sql_script s = read_sql(a, file);
        assert_int_equal(s.n, 24000);
        assert_string_equal(s.statements[s.n - 1].what, "CREATE INDEX");
        assert_true(i > 0 || s.statements[0].is_analysed);
        unread += !s.is_analysed;
    }
    assert_true(unread > 0);
}

/* Two threads read a long file; the order stays. */
static void a_long_file_keeps_its_order(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    CLEANUP(strbuf) struct strbuf b = strbuf_init(4 * 1024 * 1024);
    for (int i = 0; i < 5000; i++)
        strbuf_printf(&b, "create table t%d (id int primary key); -- the table %d\n", i, i);
    struct sql_script s = read_sql(a, strbuf_text(&b));
    assert_int_equal(s.n, 5000);
    for (size_t i = 0; i < s.n; i++) {
        struct sql_name n = { 0 };
        assert_true(tree_relation(s.statements[i].tree, &n));
        assert_string_equal(n.name, arena_printf(a, "t%zu", i));
        assert_int_equal(s.statements[i].line, i + 1);
    }
}

/* Assertions are left to the test: they do not return. */
struct many_files {
    struct arena *a;
    const char *deep, *longer;
    struct sql_script read[2];
    struct err e;
    bool ok;
};

static void read_both(void *context)
{
    struct many_files *m = context;
    m->ok = sql_script_read(m->a, "deep.sql", str_of(m->deep), &m->read[0], &m->e) &&
            sql_script_read(m->a, "long.sql", str_of(m->longer), &m->read[1], &m->e);
}

static void many_files_are_read_on_one_deep_stack(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct many_files m = { .a = a,
                            .deep = many(a, "select 1", "-1", 5000, ""),
                            .longer = many(a, "", "create table t (id int);\n", 5000, "") };
    assert_ok(sql_on_deep_stack(read_both, &m, &m.e), &m.e);
    assert_ok(m.ok, &m.e);
    assert_true(m.read[0].is_analysed);
    assert_int_equal(m.read[1].n, 5000);
    for (size_t i = 0; i < m.read[1].n; i++)
        assert_int_equal(m.read[1].statements[i].line, i + 1);
}

static void directives_belong_to_the_file_or_to_the_next_statement(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct sql_script s = read_sql(a, "\xef\xbb\xbf-- The third step.\n"
                                      "-- phase: contract\n"
                                      "-- lock-budget: 150ms\n"
                                      "-- lockflight: allow C01 nobody reads it any more\n"
                                      "\n"
                                      "-- allow: L01 the table is small\n"
                                      "-- note: an ordinary comment\n"
                                      "create index i on t (a);\n"
                                      "/* phase: expand */ select '-- phase: backfill';\n"
                                      "-- phase: two of three, an ordinary comment\n"
                                      "-- allow: public access, another one\n"
                                      "select 2;\n");
    assert_int_equal(s.n, 3);
    assert_int_equal(directives_phase(&s.head), PHASE_CONTRACT);
    assert_int_equal(directives_lock_budget_ms(&s.head, 1), 150);
    const struct directive *d = directive_find(&s.head, DIRECTIVE_ALLOW);
    assert_non_null(d);
    assert_string_equal(d->first, "C01");
    assert_string_equal(d->rest, "nobody reads it any more");
    assert_int_equal(d->line, 4);
    assert_int_equal(s.statements[0].directives.n, 1);
    assert_string_equal(s.statements[0].directives.v[0].first, "L01");
    assert_int_equal(s.statements[1].directives.n, 0);
    assert_int_equal(s.statements[2].directives.n, 0);
    struct sql_script none = read_sql(a, "select 1");
    assert_int_equal(directives_phase(&none.head), PHASE_EXPAND);
    assert_int_equal(directives_lock_budget_ms(&none.head, 77), 77);
}

static void a_file_is_cut_as_postgres_cuts_it(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct sql_script s = read_sql(
        a, "create rule r as on insert to t do also (select 1; select 2);\n"
           "create function f() returns int language sql begin atomic select 1; select case when "
           "true then 2 end; end;;\n"
           "select 'a;''b', E'\\';', \"x;\", $q$ ; $$ $q$, 1 -- ;\n /* ; /* ; */ */ ; select 3");
    assert_int_equal(s.n, 4);
    assert_true(s.is_analysed && str_starts(s.statements[2].text, "select 'a;''b'"));
    assert_true(str_is(s.statements[3].text, "select 3"));
    assert_int_equal(read_sql(a, "-- nothing\n;;").n, 0);
    assert_int_equal(read_sql(a, "").n, 0);
    s = read_sql(a, "selekt 1; select 2;\r\nselect 3");
    assert_int_equal(s.n, 3);
    assert_false(s.statements[0].is_analysed);
    assert_true(s.statements[1].is_analysed);
    assert_int_equal(s.statements[2].line, 2);
}

static void names_are_quoted_where_sql_needs_it(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    assert_string_equal(sql_name_text(a, (struct sql_name){ "public", "orders" }), "public.orders");
    assert_string_equal(sql_name_text(a, (struct sql_name){ NULL, "Order" }), "\"Order\"");
    assert_string_equal(sql_quote(a, "order"), "\"order\"");
    assert_string_equal(sql_quote(a, "a\"b"), "\"a\"\"b\"");
    assert_string_equal(sql_quote(a, "name"), "name");
    assert_string_equal(sql_quote(a, "system_user"), "\"system_user\"");
    assert_true(sql_name_eq((struct sql_name){ NULL, "t" }, (struct sql_name){ "public", "t" }));
    assert_false(sql_name_eq((struct sql_name){ "s", "t" }, (struct sql_name){ "public", "t" }));
}

static bool count_columns(void *context, const ProtobufCMessage *m)
{
    *(int *)context += TREE_IS(m, column_ref);
    return true;
}

static void a_tree_is_walked_to_its_leaves(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct sql_script s =
        read_sql(a, "select a, (select max(b) from t where c > d) from u where e");
    int n = 0;
    assert_true(tree_walk(s.statements[0].tree, count_columns, &n));
    assert_int_equal(n, 5);
}

static void locks_conflict_as_postgres_says(void **state)
{
    (void)state;
    assert_false(sql_lock_conflicts(SQL_SHARE_UPDATE_EXCLUSIVE, SQL_ROW_EXCLUSIVE));
    assert_true(sql_lock_conflicts(SQL_SHARE, SQL_ROW_EXCLUSIVE));
    assert_false(sql_lock_conflicts(SQL_SHARE, SQL_SHARE));
    for (int i = SQL_ACCESS_SHARE; i <= SQL_ACCESS_EXCLUSIVE; i++) {
        assert_true(sql_lock_conflicts(SQL_ACCESS_EXCLUSIVE, (enum sql_lock_level)i));
        for (int k = SQL_ACCESS_SHARE; k <= SQL_ACCESS_EXCLUSIVE; k++)
            assert_int_equal(sql_lock_conflicts((enum sql_lock_level)i, (enum sql_lock_level)k),
                             sql_lock_conflicts((enum sql_lock_level)k, (enum sql_lock_level)i));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_statement_has_its_mode),
        cmocka_unit_test(every_statement_has_its_class_and_names_its_objects),
        cmocka_unit_test(newer_forms_are_recognised_by_their_words),
        cmocka_unit_test(what_nobody_can_execute_is_refused_with_place_caret_and_remedy),
        cmocka_unit_test(deep_nesting_is_read_or_left_to_the_server),
        cmocka_unit_test(texts_that_would_take_for_ever_are_refused_at_once),
        cmocka_unit_test(large_statements_are_not_parsed_but_known),
        cmocka_unit_test(what_does_not_fit_into_memory_is_left_to_the_server),
        cmocka_unit_test(a_long_file_keeps_its_order),
        cmocka_unit_test(many_files_are_read_on_one_deep_stack),
        cmocka_unit_test(directives_belong_to_the_file_or_to_the_next_statement),
        cmocka_unit_test(a_file_is_cut_as_postgres_cuts_it),
        cmocka_unit_test(names_are_quoted_where_sql_needs_it),
        cmocka_unit_test(a_tree_is_walked_to_its_leaves),
        cmocka_unit_test(locks_conflict_as_postgres_says),
    };
    return cmocka_run_group_tests_name("migrate/script", tests, NULL, NULL);
}
