/* Splitting SQL, for execution and for the history, and showing places. */
#include "assert_ok.h"

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "migrate/sql/statement.h"

#include <stdlib.h>

/* The pieces joined by " | ". */
static const char *cli(struct arena *a, const char *sql)
{
    CLEANUP(strbuf) struct strbuf b = strbuf_init(4096);
    struct str *v = NULL;
    size_t n = 0;
    statement_split_as_cli(a, str_of(sql), &v, &n);
    for (size_t i = 0; i < n; i++)
        strbuf_printf(&b, "%s%.*s", i ? " | " : "", STR_FMT(v[i]));
    return str_dup(a, strbuf_str(&b));
}

static const char *execution(struct arena *a, const char *sql)
{
    CLEANUP(strbuf) struct strbuf b = strbuf_init(4096);
    struct statement *v = NULL;
    size_t n = 0;
    statement_split(a, str_of(sql), &v, &n);
    for (size_t i = 0; i < n; i++)
        strbuf_printf(&b, "%s%.*s", i ? " | " : "", STR_FMT(v[i].text));
    return str_dup(a, strbuf_str(&b));
}

/* Each row was put through `supabase db push` 3.1.0 on a real database; the right side is what its
 * history held. */
static const struct {
    const char *sql, *history;
} pushed[] = {
    { "create table t1 (a int); -- trailing\n-- before t2\ncreate table t2 (b text default "
      "'a;b');;\n\n"
      "/* block ; /* nested ; */ */ insert into t2 values ('x''y;');\n-- tail only\n",
      "create table t1 (a int) | -- trailing\n-- before t2\ncreate table t2 (b text default 'a;b') "
      "| "
      "/* block ; /* nested ; */ */ insert into t2 values ('x''y;') | -- tail only" },
    { "create function f1() returns int language plpgsql as $$ begin return 1; end $$;\n"
      "create function f2() returns int language sql begin atomic select 1; select case when true "
      "then 2 else 3 "
      "end; end;\n",
      "create function f1() returns int language plpgsql as $$ begin return 1; end $$ | "
      "create function f2() returns int language sql begin atomic select 1; select case when true "
      "then 2 else 3 "
      "end; end" },
    { "create function f3() returns int language sql as $tag_1$ select 1; $tag_1$\n;\n"
      "create view v as select (select 1) as \"odd;name\";\nselect E'it\\'s; ok';\n"
      "select 1 as \"endless\", 2 /* c */ ;\n",
      "create function f3() returns int language sql as $tag_1$ select 1; $tag_1$ | "
      "create view v as select (select 1) as \"odd;name\" | select E'it\\'s; ok' | "
      "select 1 as \"endless\", 2 /* c */" },
    { "\xef\xbb\xbf"
      "create table bom (a int);\r\nselect 1;\r\n",
      "create table bom (a int) | select 1" },
    { "", "" },
    { "-- only a comment\n", "-- only a comment" },
    { "create rule rr as on insert to r do also (select 1; select 2);\ncreate type append as (x "
      "int);\n"
      "create function endless() returns int language sql begin atomic select 1 as append; select "
      "2; end;\n",
      "create rule rr as on insert to r do also (select 1; select 2) | create type append as (x "
      "int) | "
      "create function endless() returns int language sql begin atomic select 1 as append; select "
      "2; end" },
    { "select 1\n;\n\n\n  select 2  ; \t\n/* tail block */  ",
      "select 1 | select 2 | /* tail block */" },
    { "select '\xc3\xa9; \xe2\x82\xac' as x;\xc2\xa0select 3;\x0cselect 4",
      "select '\xc3\xa9; \xe2\x82\xac' as x | select 3 | select 4" },
    { "--;\nselect 5; --x;\n--y\n;select 6;", "--;\nselect 5 | --x;\n--y | select 6" },
};

static void the_history_split_equals_what_the_supabase_cli_writes(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    for (size_t i = 0; i < sizeof pushed / sizeof *pushed; i++)
        assert_string_equal(cli(a, pushed[i].sql), pushed[i].history);
}

static void the_execution_split_leaves_out_what_is_only_comment(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    assert_string_equal(
        execution(a,
                  "-- c\nselect 1;\n/* x */ create function f() returns int begin atomic select 1;"
                  " select 2; end; \n-- tail\n"),
        "select 1 | create function f() returns int begin atomic select 1; select 2; end");
    assert_string_equal(execution(a, "select 1"), "select 1");
    assert_string_equal(execution(a, "-- nothing"), "");
    assert_string_equal(execution(a, "\n;;\n"), "");
}

static void what_the_grammar_does_not_know_is_split_all_the_same(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    assert_string_equal(execution(a, "create table t (a int storage plain_new ; ); select 1;"),
                        "create table t (a int storage plain_new ; ) | select 1");
    assert_string_equal(execution(a, "selekt 1; select 2;"), "selekt 1 | select 2");
    assert_string_equal(execution(a, "select 'open; select 2"), "select 'open; select 2");
}

static void every_prefix_of_a_difficult_file_is_split_without_harm(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    const char *all = "/* a /* b */ */ E'\\'x' $t$ ; $t$ \"q;\" begin atomic case end; end; \\; ( "
                      "( ; ) -- x\n $1 $$";
    for (size_t n = 0; n <= strlen(all); n++) {
        char *exact = malloc(n ? n : 1); /* so that the sanitizer sees one byte too far */
        memcpy(exact, all, n);
        struct statement *v = NULL;
        struct str *pieces = NULL;
        size_t count = 0;
        statement_split(a, (struct str){ exact, n }, &v, &count);
        statement_split_as_cli(a, (struct str){ exact, n }, &pieces, &count);
        free(exact);
    }
}

static void a_place_counts_characters_and_the_caret_stands_below_it(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct str file = STR("select 1;\n\tselect 'é' from nowhere;\r\n");
    struct place p = statement_place(file, 26);
    assert_int_equal(p.line, 2);
    assert_int_equal(p.column, 16);
    assert_string_equal(statement_excerpt(a, &p), "   2 |  select 'é' from nowhere;\n"
                                                  "     |                ^");
}

static void a_long_line_is_cut_around_the_caret(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    char line[1001];
    memset(line, 'x', sizeof line - 1);
    line[1000] = '\0';
    line[500] = '!';
    struct place p = statement_place(str_of(line), 500);
    char *excerpt = statement_excerpt(a, &p);
    assert_true(strlen(excerpt) < 300);
    assert_non_null(strchr(excerpt, '!'));
}

static void a_line_that_is_no_text_is_shown_all_the_same(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct place p = statement_place(STR("a\xe9\x1b[31m\xc3\xa9\xc3"), 1);
    assert_string_equal(statement_excerpt(a, &p), "   1 | a??[31m\xc3\xa9?\n     |  ^");
}

static void the_digest_is_blind_to_blanks_and_semicolons_only(void **state)
{
    (void)state;
    char x[SHA256_HEX_BYTES], y[SHA256_HEX_BYTES], z[SHA256_HEX_BYTES];
    statement_text_digest(STR("\xef\xbb\xbfselect 1;\r\nselect 2;\n"), x);
    statement_text_digest(STR("select 1\n\n;\xe3\x80\x80select\xc2\xa0 2\xe2\x81\x9f"), y);
    statement_text_digest(STR("select 1; select 3;"), z);
    assert_string_equal(x, y);
    assert_string_not_equal(x, z);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_history_split_equals_what_the_supabase_cli_writes),
        cmocka_unit_test(the_execution_split_leaves_out_what_is_only_comment),
        cmocka_unit_test(what_the_grammar_does_not_know_is_split_all_the_same),
        cmocka_unit_test(every_prefix_of_a_difficult_file_is_split_without_harm),
        cmocka_unit_test(a_place_counts_characters_and_the_caret_stands_below_it),
        cmocka_unit_test(a_long_line_is_cut_around_the_caret),
        cmocka_unit_test(a_line_that_is_no_text_is_shown_all_the_same),
        cmocka_unit_test(the_digest_is_blind_to_blanks_and_semicolons_only),
    };
    return cmocka_run_group_tests_name("migrate/statement", tests, NULL, NULL);
}
