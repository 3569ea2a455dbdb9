/*
 * TOML: the tree, merged with itself, as JSON, and the rules of netlify.toml written again for the
 * deploy, which must say the same when they are read back.
 */
#include "config/toml.h"

#include "fuzz.h"

#include "local/headers.h"

static void check_rules(struct arena *a, const struct toml_node *root)
{
    struct redirects r = { 0 };
    struct header_rules h = { 0 };
    redirects_add_toml(a, &r, root);
    redirects_finish(&r);
    headers_add_toml(a, &h, root);
    size_t n = 0;
    (void)headers_match(&h, a, "/", &n);
    char *target = NULL;
    struct redirect_request q = { "http", "localhost", "/a/b", "x=1", "de", "en", NULL };
    (void)redirects_match(&r, a, &q, &target);
}

static bool holds_tables_only(const struct toml_node *array)
{
    for (size_t i = 0; array && i < array->n; i++) {
        if (array->items[i].kind != TOML_TABLE)
            return false;
    }
    return array && array->kind == TOML_ARRAY;
}

static void check_written(struct arena *a, const struct toml_node *root)
{
    const struct toml_node *rules = toml_find(root, "redirects");
    if (!holds_tables_only(rules))
        return;
    const char *text = toml_table_array(a, "redirects", rules);
    struct toml_node again;
    struct err e = { 0 };
    assert(toml_parse(a, str_of(text), "again", &again, &e));
    const struct toml_node *same = toml_find(&again, "redirects");
    assert(rules->n == 0 || streq(toml_json(a, same), toml_json(a, rules)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena) struct arena *a = arena_new(FUZZ_ARENA_BYTES);
    struct toml_node root = { 0 };
    struct err e = { 0 };
    if (!toml_parse(a, fuzz_input(data, size), "fuzz.toml", &root, &e)) {
        assert(e.code == ERR_CONFIG && starts_with(e.where, "fuzz.toml:"));
        return 0;
    }
    assert(root.kind == TOML_TABLE);
    struct toml_node twice = toml_merge(a, &root, &root);
    assert(streq(toml_json(a, &twice), toml_json(a, &root)));
    check_rules(a, &root);
    check_written(a, &root);
    return 0;
}
