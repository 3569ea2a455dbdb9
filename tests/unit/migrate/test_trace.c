/* What statements did to tables, measured. */
#include "assert_ok.h"
#include "pg_fixture.h"

#include "migrate/shadow/trace.h"

#include <stdlib.h>

struct fixture {
    struct arena *a;
    struct pg *db;
    struct err e;
};

static void run(struct fixture *f, const char *sql)
{
    assert_ok(pg_run(f->db, sql, NULL, &f->e), &f->e);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->a = arena_new(0);
    char *url = pg_fixture_database(f->a);
    assert_ok(pg_open(&(struct pg_spec){ .url = url }, &f->db, &f->e), &f->e);
    run(f, "CREATE TABLE public.parent (id int PRIMARY KEY)");
    run(f, "CREATE TABLE public.t (id int PRIMARY KEY, a int, b text, at timestamp)");
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

/* "public.t ACCESS EXCLUSIVE rewrite scan; …" */
static const char *trace_of(struct fixture *f, const char *sql)
{
    struct trace_before before;
    struct trace t, again;
    assert_ok(pg_begin(f->db, &f->e) && trace_begin(f->db, f->a, &before, &f->e), &f->e);
    run(f, sql);
    assert_ok(trace_end(f->db, f->a, &before, &t, &f->e), &f->e);
    pg_rollback(f->db);
    json_t *document = trace_json(&t);
    trace_from_json(f->a, document, &again);
    json_decref(document);
    assert_int_equal(again.n, t.n);
    const char *text = "";
    for (size_t i = 0; i < again.n; i++)
        text = arena_printf(f->a, "%s%s%s %s%s%s", text, i ? "; " : "", again.v[i].name,
                            again.v[i].lock, again.v[i].is_rewritten ? " rewrite" : "",
                            again.v[i].is_scanned ? " scan" : "");
    return text;
}

static void each_change_shows_its_lock_and_what_it_costs_even_on_empty_tables(void **state)
{
    static const char *const rows[][2] = {
        { "ALTER TABLE public.t ADD c int", "public.t ACCESS EXCLUSIVE" },
        { "ALTER TABLE public.t ADD c float DEFAULT random()",
          "public.t ACCESS EXCLUSIVE rewrite scan" },
        { "ALTER TABLE public.t ALTER a TYPE bigint", "public.t ACCESS EXCLUSIVE rewrite scan" },
        { "ALTER TABLE public.t ADD CHECK (a > 0)", "public.t ACCESS EXCLUSIVE scan" },
        { "ALTER TABLE public.t ADD CHECK (a > 0) NOT VALID", "public.t ACCESS EXCLUSIVE" },
        { "ALTER TABLE public.t ALTER a SET NOT NULL", "public.t ACCESS EXCLUSIVE scan" },
        { "CREATE INDEX ON public.t (a)", "public.t SHARE scan" },
        { "ALTER TABLE public.t ADD FOREIGN KEY (a) REFERENCES public.parent NOT VALID",
          "public.parent SHARE ROW EXCLUSIVE; public.t SHARE ROW EXCLUSIVE" },
        { "CREATE TABLE public.new (p int REFERENCES public.parent)",
          "public.parent SHARE ROW EXCLUSIVE" },
        { "TRUNCATE public.t", "public.t ACCESS EXCLUSIVE rewrite scan" },
        { "DROP TABLE public.t", "public.t ACCESS EXCLUSIVE" },
        { "COMMENT ON TABLE public.t IS 'x'", "public.t SHARE UPDATE EXCLUSIVE" },
        { "UPDATE public.t SET a = 1", "public.t ROW EXCLUSIVE scan" },
        { "CREATE VIEW public.v AS SELECT id FROM public.t", "" },
        { "CREATE TABLE public.alone (x int)", "" },
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *seen = trace_of(f, rows[i][0]);
        if (!streq(seen, rows[i][1]))
            fail_msg("%s: \"%s\", expected \"%s\"", rows[i][0], seen, rows[i][1]);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_change_shows_its_lock_and_what_it_costs_even_on_empty_tables),
    };
    return cmocka_run_group_tests_name("migrate/trace", tests, NULL, NULL);
}
