/*
 * TOML as a tree of plain C, with positions, and against input that means harm.
 */
#include "assert_ok.h"

#include "base/limits.h"
#include "config/toml.h"

#include <stdlib.h>

struct fixture {
    struct arena *arena;
    struct toml_node root;
    struct err e;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->arena = arena_new(0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    arena_free(f->arena);
    free(f);
    return 0;
}

static bool parse(struct fixture *f, struct str text)
{
    return toml_parse(f->arena, text, "a.toml", &f->root, &f->e);
}

static void every_value_has_its_place(void **state)
{
    struct fixture *f = *state;
    assert_ok(parse(f, STR("b = 1\n[a]\n  t = 'x'\n  l = [ true, 2.5 ]\nd = 2026-03-14\n")), &f->e);
    assert_string_equal(f->root.items[0].key, "b"); /* in the order of the file */
    const struct toml_node *t = toml_find(toml_find(&f->root, "a"), "t");
    assert_int_equal(t->key_line, 3);
    assert_int_equal(t->key_column, 3);
    assert_int_equal(t->column, 7);
    assert_string_equal(t->text, "x");
    const struct toml_node *l = toml_find(toml_find(&f->root, "a"), "l");
    assert_int_equal(l->items[1].kind, TOML_REAL);
    assert_int_equal(l->items[1].column, 15);
    assert_string_equal(toml_find(toml_find(&f->root, "a"), "d")->text, "2026-03-14");
}

static void an_empty_file_is_an_empty_table(void **state)
{
    struct fixture *f = *state;
    assert_ok(parse(f, STR("")), &f->e);
    assert_int_equal(f->root.n, 0);
    assert_ok(parse(f, STR("\xef\xbb\xbf# a mark of byte order\n")), &f->e);
}

static void a_zero_byte_in_a_text_is_refused_at_its_place(void **state)
{
    struct fixture *f = *state;
    assert_fails(parse(f, STR("a = 1\nb = \"x\\u0000y\"\n")), &f->e, ERR_CONFIG);
    assert_string_equal(f->e.where, "a.toml:2:5");
    assert_fails(parse(f, STR("\"x\\u0000y\" = 1\n")), &f->e, ERR_CONFIG);
}

/* `piece` again and again, then `end`. */
static struct str many(struct fixture *f, const char *piece, size_t times, const char *end)
{
    size_t n = strlen(piece);
    char *text = arena_alloc(f->arena, n * times + strlen(end) + 1);
    for (size_t i = 0; i < times; i++)
        memcpy(text + i * n, piece, n);
    memcpy(text + n * times, end, strlen(end));
    return str_of(text);
}

static void deep_nesting_is_refused_whatever_its_form(void **state)
{
    struct fixture *f = *state;
    char *array = arena_printf(f->arena, "a = %s", many(f, "[", 100000, "").p);
    assert_fails(parse(f, str_of(array)), &f->e, ERR_CONFIG);
    char *table = arena_printf(f->arena, "a = %s", many(f, "{a=", 100000, "").p);
    assert_fails(parse(f, str_of(table)), &f->e, ERR_CONFIG);
    assert_fails(parse(f, many(f, "a.", 100000, "a = 1\n")), &f->e, ERR_CONFIG);
    char *header = arena_printf(f->arena, "[%s", many(f, "a.", 100000, "a]\n").p);
    assert_fails(parse(f, str_of(header)), &f->e, ERR_CONFIG);
}

static void the_deepest_that_is_accepted_does_no_harm(void **state)
{
    struct fixture *f = *state;
    char *opened = arena_strdup(f->arena, many(f, "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a={", 200, "").p);
    char *text = arena_printf(f->arena, "%sb=1%s\n", opened, many(f, "}", 200, "").p);
    assert_ok(parse(f, str_of(text)), &f->e);
    struct toml_node merged = toml_merge(f->arena, &f->root, &f->root);
    assert_int_equal(merged.n, 1);
}

static void malformed_input_is_refused_with_a_place(void **state)
{
    struct fixture *f = *state;
    static const char *const wrong[] = {
        "a",      "a =",         "a = [1",      "a = \"x",
        "= 1",    "a = 1 b = 2", "[a]\n[a]",    "a = 99999999999999999999",
        "a = 01", "[[a]]\n[a]",  "a = {b=1,}",  "a = 1\na.b = 2",
        "\x01",   "a = '\xff'",  "a = \"\\q\"", "a = 2026-13-01"
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_fails(parse(f, str_of(wrong[i])), &f->e, ERR_CONFIG);
        assert_true(starts_with(f->e.where, "a.toml:"));
    }
}

static void a_merge_replaces_values_and_joins_tables(void **state)
{
    struct fixture *f = *state;
    struct toml_node over;
    assert_ok(parse(f, STR("a = 1\n[t]\nx = 1\ny = [1, 2]\n")), &f->e);
    assert_ok(toml_parse(f->arena, STR("b = 2\n[t]\ny = [3]\nz = 4\n"), "b.toml", &over, &f->e),
              &f->e);
    struct toml_node merged = toml_merge(f->arena, &f->root, &over);
    assert_string_equal(toml_json(f->arena, &merged),
                        "{\"a\":1,\"t\":{\"x\":1,\"y\":[3],\"z\":4},\"b\":2}");
    assert_string_equal(toml_json(f->arena, &f->root), "{\"a\":1,\"t\":{\"x\":1,\"y\":[1,2]}}");
}

static void what_is_written_reads_the_same(void **state)
{
    struct fixture *f = *state;
    struct toml_node again;
    assert_ok(parse(f, STR("[[r]]\nfrom = \"/é\\t\\\"\\\\\\u0001\"\nforce = true\n[r.c]\n\"a b\" = "
                           "[1, 2.5]\n")),
              &f->e);
    char *text = toml_table_array(f->arena, "r", toml_find(&f->root, "r"));
    assert_ok(toml_parse(f->arena, str_of(text), "again", &again, &f->e), &f->e);
    assert_string_equal(toml_json(f->arena, &again), toml_json(f->arena, &f->root));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_value_has_its_place),
        TEST(an_empty_file_is_an_empty_table),
        TEST(a_zero_byte_in_a_text_is_refused_at_its_place),
        TEST(malformed_input_is_refused_with_a_place),
        TEST(a_merge_replaces_values_and_joins_tables),
        TEST(what_is_written_reads_the_same),
        TEST(the_deepest_that_is_accepted_does_no_harm),
        TEST(deep_nesting_is_refused_whatever_its_form),
    };
    return cmocka_run_group_tests_name("toml", tests, NULL, NULL);
}
