/*
 * The linter's rules on written examples: tests/data/lint/probes.tsv (hazards that must be seen,
 * harmless changes that must not) and rules.txt (for every rule one that fires and one that is
 * silent). All of them twice: with the schema read from its file, and from a database made of it.
 */
#include "assert_ok.h"
#include "pg_fixture.h"

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/limits.h"
#include "base/vec.h"
#include "cli/annotation.h"
#include "migrate/lint/lint.h"

#include <ctype.h>

struct example {
    const char *rules; /* "L05,L06"; "-": nothing may be found */
    bool fires;
    bool is_by_hand, has_reverse;
    struct str reverse;
    struct str sql;
    unsigned line;
};

typedef VEC(struct example) examples;

struct world {
    struct arena *a;
    struct migration schema;
    struct pg *db; /* NULL: from the file */
    examples probes, rules;
};

static struct str read_file(struct arena *a, const char *path)
{
    struct err e = { 0 };
    struct str text = { 0 };
    assert_ok(fs_read(a, path, MIB, &text, &e), &e);
    return text;
}

static void read_probes(struct world *w)
{
    struct str rest = read_file(w->a, "tests/data/lint/probes.tsv");
    for (unsigned line = 1; rest.p; line++) {
        struct str text = str_cut(&rest, '\n');
        if (text.n == 0 || text.p[0] == '#')
            continue;
        struct str rules = str_cut(&text, '\t');
        *vec_add(&w->probes, w->a) = (struct example){
            .rules = str_dup(w->a, rules),
            .fires = !str_is(rules, "-"),
            .has_reverse = true,
            .sql = text,
            .line = line,
        };
    }
}

/* "== L23 fires by-hand reverse: -- loss: C …" */
static struct example read_head(struct arena *a, struct str line)
{
    const char *text = str_dup(a, line);
    const char *reverse = strstr(text, "reverse: ");
    struct example x = {
        .rules = arena_strndup(a, text + 3, 3),
        .fires = strstr(text, " fires") != NULL,
        .is_by_hand = strstr(text, " by-hand") != NULL,
        .has_reverse = strstr(text, " no-reverse") == NULL,
        .reverse = reverse ? str_of(reverse + strlen("reverse: ")) : STR("select 1;"),
    };
    return x;
}

static void read_rules(struct world *w)
{
    struct str rest = read_file(w->a, "tests/data/lint/rules.txt");
    const char *end = rest.p + rest.n;
    for (unsigned line = 1; rest.p; line++) {
        struct str text = str_cut(&rest, '\n');
        if (str_starts(text, "== ")) {
            struct example *x = vec_add(&w->rules, w->a);
            *x = read_head(w->a, text);
            x->line = line;
            x->sql.p = rest.p ? rest.p : end;
        } else if (w->rules.n > 0) {
            struct example *x = &w->rules.v[w->rules.n - 1];
            x->sql.n = (size_t)(text.p + text.n - x->sql.p);
        }
    }
}

/* The database as the file makes it, with sizes of tables that people use. */
static void make_database(struct world *w)
{
    struct err e = { 0 };
    assert_ok(pg_open(&(struct pg_spec){ .url = pg_fixture_database(w->a) }, &w->db, &e), &e);
    assert_ok(pg_begin(w->db, &e), &e);
    assert_ok(pg_script(w->db, w->schema.sql.p, &e), &e);
    assert_ok(pg_script(w->db,
                        "update pg_catalog.pg_class set reltuples = 4e6, relpages = 90000 where "
                        "relkind in ('r', 'm') and relnamespace = 'public'::regnamespace",
                        &e),
              &e);
    assert_ok(pg_commit(w->db, &e), &e);
}

static struct lint_report judge(struct world *w, const struct example *x)
{
    struct migration *m = ARENA_NEW(w->a, struct migration);
    *m = (struct migration){
        .version = "20260101000000",
        .name = "example",
        .file = arena_printf(w->a, "line %u", x->line),
        .sql = str_of(str_dup(w->a, x->sql)),
        .reverse_file = "reverse.sql",
        .has_reverse = x->has_reverse,
        .reverse_sql = x->reverse,
    };
    const struct migration **files = ARENA_ARRAY(w->a, const struct migration *, 1);
    const struct migration *before = &w->schema;
    files[0] = m;
    struct lint_input in = {
        .files = files,
        .n = 1,
        .before = &before,
        .before_count = 1,
        .db = w->db,
        .is_by_hand = x->is_by_hand,
        .wants_reverse = true,
    };
    struct lint_report r = { 0 };
    struct err e = { 0 };
    assert_ok(lint_run(w->a, &in, &r, &e), &e);
    return r;
}

static bool has_finding(const struct lint_report *r, const char *rule)
{
    for (size_t i = 0; i < r->n; i++)
        if (strcmp(r->v[i].rule->name, rule) == 0 && !r->v[i].allowed && !r->v[i].is_lifted)
            return true;
    return false;
}

static const char *list_of(struct arena *a, const struct lint_report *r)
{
    const char *list = "nothing";
    for (size_t i = 0; i < r->n; i++)
        list = arena_printf(a, "%s%s%s %s", i > 0 ? list : "", i > 0 ? "; " : "",
                            r->v[i].rule->name, r->v[i].what);
    return list;
}

/* Counts instead of stopping at the first, so that one run shows all. */
static size_t count_wrong(struct world *w, const examples *list, const char *file)
{
    size_t wrong = 0;
    for (size_t i = 0; i < list->n; i++) {
        const struct example *x = &list->v[i];
        struct lint_report r = judge(w, x);
        bool is_right = true;
        struct str rest = str_of(x->rules);
        while (rest.p) {
            const char *rule = str_dup(w->a, str_cut(&rest, ','));
            if (strcmp(rule, "-") == 0)
                is_right &= r.n == 0;
            else
                is_right &= has_finding(&r, rule) == x->fires;
        }
        if (is_right)
            continue;
        wrong++;
        print_message("# %s:%u wants %s %s, %s found: %s\n", file, x->line, x->rules,
                      x->fires ? "to fire" : "to be silent", w->db ? "database" : "file",
                      list_of(w->a, &r));
    }
    return wrong;
}

static void world_open(struct world *w, bool with_database)
{
    *w = (struct world){ .a = arena_new(0) };
    w->schema = (struct migration){
        .version = "20250101000000",
        .name = "schema",
        .file = "tests/data/lint/schema.sql",
    };
    w->schema.sql = str_of(str_dup(w->a, read_file(w->a, w->schema.file)));
    read_probes(w);
    read_rules(w);
    if (with_database)
        make_database(w);
}

static void world_close(struct world *w)
{
    pg_close(w->db);
    arena_free(w->a);
}

static void all_hazards_are_seen_and_nothing_harmless(void **state)
{
    for (int with_database = 0; with_database < 2; with_database++) {
        struct world w;
        size_t hazards = 0;
        (void)state;
        world_open(&w, with_database);
        for (size_t i = 0; i < w.probes.n; i++)
            hazards += w.probes.v[i].fires;
        assert_int_equal(hazards, 39);
        assert_int_equal(w.probes.n - hazards, 4);
        assert_int_equal(count_wrong(&w, &w.probes, "probes.tsv"), 0);
        world_close(&w);
    }
}

static void every_rule_fires_and_is_silent_where_it_should(void **state)
{
    for (int with_database = 0; with_database < 2; with_database++) {
        struct world w;
        (void)state;
        world_open(&w, with_database);
        assert_int_equal(count_wrong(&w, &w.rules, "rules.txt"), 0);
        world_close(&w);
    }
}

static void no_rule_is_without_examples(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, false);
    for (size_t i = 0; i < LINT_RULES; i++) {
        const char *name = lint_rules[i].name;
        bool fires = name[0] == 'P', silent = fires; /* those need a database: test_lint_release */
        for (size_t k = 0; k < w.rules.n; k++) {
            fires |= strcmp(w.rules.v[k].rules, name) == 0 && w.rules.v[k].fires;
            silent |= strcmp(w.rules.v[k].rules, name) == 0 && !w.rules.v[k].fires;
        }
        if (!fires || !silent)
            fail_msg("%s has no example in which it %s", name, fires ? "is silent" : "fires");
    }
    world_close(&w);
}

static struct lint_report judge_text(struct world *w, const char *sql)
{
    struct example x = { .sql = str_of(sql), .has_reverse = true, .line = 1 };
    return judge(w, &x);
}

static void an_allow_with_a_reason_excepts_one_statement_only(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, false);
    struct lint_report r = judge_text(&w, "select 1;\n\n-- allow: L01 small\n"
                                          "create index a on public.orders (status);\n"
                                          "create index b on public.orders (amount);\n");
    assert_int_equal(r.errors, 1);
    assert_int_equal(r.allowed, 1);
    assert_int_equal(r.v[r.n - 1].place.line, 5);
    world_close(&w);
}

static void an_allow_at_the_head_excepts_the_whole_file(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, false);
    struct lint_report r = judge_text(&w, "-- allow: L01 the site is closed at night\n\n"
                                          "create index a on public.orders (status);\n"
                                          "create index b on public.orders (amount);\n");
    assert_int_equal(r.errors, 0);
    assert_int_equal(r.allowed, 2);
    world_close(&w);
}

static void verdicts_tell_the_part_of_a_release(void **state)
{
    static const struct {
        const char *sql;
        enum phase phase;
        bool is_declared, is_compatible;
    } cases[] = {
        { "alter table public.orders add column x text;", PHASE_EXPAND, false, true },
        { "alter table public.orders drop column note;", PHASE_CONTRACT, false, false },
        { "-- phase: contract\n\nalter table public.orders drop column note;", PHASE_CONTRACT, true,
          false },
        { "update public.orders set tag = 'x' where id = 4;", PHASE_BACKFILL, false, true },
        { "-- phase: backfill\n\nupdate public.orders set tag = 'x' where id = 4;", PHASE_BACKFILL,
          true, true },
        { "alter table public.orders rename column note to remark;", PHASE_EXPAND, false, false },
    };
    (void)state;
    struct world w;
    world_open(&w, false);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct lint_report r = judge_text(&w, cases[i].sql);
        assert_int_equal(r.verdict_count, 1);
        if (r.verdicts[0].phase != cases[i].phase ||
            r.verdicts[0].is_declared != cases[i].is_declared ||
            r.verdicts[0].is_compatible != cases[i].is_compatible)
            fail_msg("%s: %s, %s", cases[i].sql, phase_name(r.verdicts[0].phase),
                     r.verdicts[0].why);
    }
    world_close(&w);
}

static void a_tiny_table_is_no_reason_to_refuse(void **state)
{
    (void)state;
    struct world w;
    struct err e = { 0 };
    world_open(&w, true);
    struct lint_report r = judge_text(&w, "create index a on public.orders (status);");
    assert_int_equal(r.errors, 1);
    assert_false(r.v[0].is_assumed);
    assert_ok(pg_exec(w.db,
                      "update pg_class set reltuples = 40, relpages = 1 where relname = "
                      "'orders'",
                      PG_NONE, NULL, &e),
              &e);
    r = judge_text(&w, "create index a on public.orders (status);");
    assert_int_equal(r.errors, 0);
    assert_int_equal(r.notes, 1);
    assert_non_null(strstr(r.v[0].what, "about 40 rows"));
    world_close(&w);
}

static void without_a_database_it_says_that_it_supposes(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, false);
    struct lint_report r = judge_text(&w, "create index a on public.nobody_knows (status);");
    assert_int_equal(r.errors, 1);
    assert_true(r.v[0].is_assumed);
    world_close(&w);
}

static void texts_of_annotations_cannot_break_out(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    assert_string_equal(annotation_escape(a, "100%\n::error::a,b", false), "100%25%0A::error::a,b");
    assert_string_equal(annotation_escape(a, "a:b,c\r", true), "a%3Ab%2Cc%0D");
}

/* docs/migrations.md has the table of rules as it is here, row by row. */
static void the_page_says_what_the_rules_say(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    const char *page = str_dup(a, read_file(a, "docs/migrations.md")), *lifted = "";
    for (size_t i = 0; i < LINT_RULES; i++) {
        const struct lint_rule *r = &lint_rules[i];
        const char *row = arena_printf(
            a, "\n| %s | %s%s | %s | %s | %s |\n", r->name, lint_severity_name(r->severity),
            r->needs_catalogue ? " S" : "", r->title, r->why, r->rewrite);
        if (!strstr(page, row))
            fail_msg("docs/migrations.md, section Lint, lacks the row%s", row);
        if (lint_rule_is_for_contract(r->id))
            lifted = arena_printf(a, "%s%s%s", lifted, *lifted ? ", " : "", r->name);
    }
    char *last = strrchr(lifted, ',');
    lifted = arena_printf(a, "It lifts\n%.*s and%s, and nothing else", (int)(last - lifted), lifted,
                          last + 1);
    if (!strstr(page, lifted))
        fail_msg("docs/migrations.md does not say: %s", lifted);
    size_t rows = 0;
    for (const char *p = page; (p = strstr(p, "\n| ")); p++)
        rows += isupper((unsigned char)p[3]) && isdigit((unsigned char)p[4]) &&
                isdigit((unsigned char)p[5]) && p[6] == ' ';
    assert_int_equal(rows, LINT_RULES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_hazards_are_seen_and_nothing_harmless),
        cmocka_unit_test(every_rule_fires_and_is_silent_where_it_should),
        cmocka_unit_test(no_rule_is_without_examples),
        cmocka_unit_test(an_allow_with_a_reason_excepts_one_statement_only),
        cmocka_unit_test(an_allow_at_the_head_excepts_the_whole_file),
        cmocka_unit_test(verdicts_tell_the_part_of_a_release),
        cmocka_unit_test(a_tiny_table_is_no_reason_to_refuse),
        cmocka_unit_test(without_a_database_it_says_that_it_supposes),
        cmocka_unit_test(texts_of_annotations_cannot_break_out),
        cmocka_unit_test(the_page_says_what_the_rules_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
