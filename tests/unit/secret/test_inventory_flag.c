/* Which feature flags a source asks for: what counts, what does not, and what cannot be known. */
#include "secret/inventory.h"
#include "secret/inventory_rows.h"

/* "key@line", "?@line" for one that is made at run time, with "+" if it is known all the same. */
static const char *found(struct arena *a, const char *path, const char *text)
{
    struct inventory *inv = inventory_new_of_flags(a);
    struct err e = { 0 };
    assert_ok(inventory_add(inv, USE_FRONTEND, path, str_of(text), &e), &e);
    inventory_finish(inv);
    size_t n;
    const struct env_use *v = inventory_uses(inv, &n);
    const char *all = "";
    for (size_t i = 0; i < n; i++)
        all = arena_printf(a, "%s%s%s@%d%s", all, i ? " " : "",
                           v[i].kind == USE_LITERAL ? v[i].name : "?", v[i].line,
                           v[i].is_resolved ? "+" : "");
    return all;
}

static void every_way_to_ask_is_found(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "client.getBooleanValue(\"crm\", false)", "crm@1" },
        { "await OpenFeature.getClient()?.getStringDetails('crm', 'x')", "crm@1" },
        { "c.getObjectValue<{ a: Array<string> }>(`crm`, {})", "crm@1" },
        { "const on = useBooleanFlagValue(\"crm\", false);", "crm@1" },
        { "const { value } = useFlag('crm.new-list', false);", "crm.new-list@1" },
        { "x ? useBooleanFlagValue(\"crm\", false) : 1", "crm@1" },
        { "supabase.rpc(\"module_enabled\", { key: \"crm\" })", "crm@1" },
        { "supabase.rpc('module_enabled', { 'p_key': 'crm' })", "crm@1" },
        { "const CRM = \"crm\";\nc.getBooleanValue(CRM, false)", "crm@2" },
    };
    EXPECT("a.ts", rows);
}

static void what_asks_nothing_is_not_found(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "// client.getBooleanValue(\"crm\", false)", "" },
        { "const s = 'getBooleanValue(\"crm\", false)'", "" },
        { "class P { getBooleanValue(key: string, d: boolean): boolean { return d; } }", "" },
        { "function getBooleanValue(key) { return 1 }", "" },
        { "supabase.rpc(\"other\", { key: \"crm\" })", "" },
        { "form.getValue(\"crm\")", "" },
    };
    EXPECT("a.ts", rows);
}

static void a_function_that_takes_the_key_is_followed_to_its_calls(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "const isOn = (key: string) => c.getBooleanValue(key, false);\nif (isOn(\"crm\") && "
          "isOn(\"new-list\")) {}",
          "?@1+ crm@2 new-list@2" },
        { "function isOn(k) { return c.getBooleanValue(k, false) }\nisOn(x) || isOn(\"b\")",
          "?@1+ ?@2 b@2" },
    };
    EXPECT("a.ts", rows);
}

/* Two files: the second one asks a function of that name, of the first one or of another. */
static const char *found_in_both(struct arena *a, const char *other)
{
    struct inventory *inv = inventory_new_of_flags(a);
    struct err e = { 0 };
    const char *first = "export const ask = (key) => c.getBooleanValue(key, false);";
    assert_ok(inventory_add(inv, USE_FRONTEND, "src/modules.ts", str_of(first), &e), &e);
    assert_ok(inventory_add(inv, USE_FRONTEND, "src/page.ts", str_of(other), &e), &e);
    inventory_finish(inv);
    size_t n;
    const struct env_use *v = inventory_uses(inv, &n);
    const char *all = "";
    for (size_t i = 0; i < n; i++)
        if (streq(v[i].path, "src/page.ts"))
            all = arena_printf(a, "%s%s ", all, v[i].name ? v[i].name : "?");
    return all;
}

static void a_function_of_the_same_name_from_elsewhere_is_another_one(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    assert_string_equal(
        found_in_both(a, "import { ask, b } from \"../src/modules.js\";\nask(\"crm\"); ask(x)"),
        "crm ? ");
    assert_string_equal(found_in_both(a, "import { ask } from './rest'; ask(\"crm\"); ask(x)"), "");
    assert_string_equal(found_in_both(a, "import ask from \"./modules\"; ask(\"crm\")"), "crm ");
    assert_string_equal(found_in_both(a, "import './modules'; ask(\"crm\")"), "");
}

static void what_is_made_at_run_time_is_told_unless_a_comment_says_what_it_may_be(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "c.getBooleanValue(keys[i], false)", "?@1" },
        { "c.getBooleanValue(`a-${b}`, false)", "?@1" },
        { "// lockflight: flag crm, financial\nc.getBooleanValue(keys[i], false)",
          "crm@1 financial@1 ?@2+" },
    };
    EXPECT("a.ts", rows);
}

static void code_in_pages_and_components_counts(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "<script>\nc.getBooleanValue(\"crm\", false)\n</script><p>getBooleanValue(\"x\", 1)</p>",
          "crm@2" },
    };
    EXPECT("index.html", rows);
    EXPECT("a.svelte", rows);
    static const struct row elements[] = {
        { "<p>getBooleanValue(\"x\", 1) {c.getBooleanValue(\"crm\", false)}</p>", "crm@1" },
    };
    EXPECT("a.tsx", elements);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way_to_ask_is_found),
        cmocka_unit_test(what_asks_nothing_is_not_found),
        cmocka_unit_test(a_function_that_takes_the_key_is_followed_to_its_calls),
        cmocka_unit_test(a_function_of_the_same_name_from_elsewhere_is_another_one),
        cmocka_unit_test(what_is_made_at_run_time_is_told_unless_a_comment_says_what_it_may_be),
        cmocka_unit_test(code_in_pages_and_components_counts),
    };
    return cmocka_run_group_tests_name("secret/inventory_flag", tests, NULL, NULL);
}
