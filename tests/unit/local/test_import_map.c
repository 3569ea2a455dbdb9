/*
 * Import maps: where the usual addresses lead, and that a function's own map is laid over in its
 * place.
 */
#include "assert_ok.h"

#include "base/json.h"
#include "local/import_map.h"

static struct arena *a;

static int set_up(void **state)
{
    (void)state;
    a = arena_new(0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(a);
    return 0;
}

static json_t *scanned(const char *module)
{
    json_t *imports = json_object();
    import_map_scan(imports, str_of(module), "/edge");
    return imports;
}

static void usual_addresses_are_led_to_npm_and_to_our_helpers(void **state)
{
    (void)state;
    json_auto_t *m =
        scanned("import { createClient } from \"https://esm.sh/@supabase/supabase-js@2.39.3\";\n"
                "import x from 'https://esm.sh/zod@3.22.4?target=deno';\n"
                "import 'jsr:@supabase/functions-js/edge-runtime.d.ts'\n"
                "import { serve } from \"https://deno.land/std@0.168.0/http/server.ts\";\n"
                "import c from \"jsr:@supabase/supabase-js@2\";");
    assert_string_equal(json_text_or(m, "https://esm.sh/@supabase/supabase-js@2.39.3", ""),
                        "npm:@supabase/supabase-js@2.39.3");
    assert_string_equal(json_text_or(m, "https://esm.sh/zod@3.22.4?target=deno", ""),
                        "npm:zod@3.22.4");
    assert_string_equal(json_text_or(m, "jsr:@supabase/functions-js/edge-runtime.d.ts", ""),
                        "file:///edge/empty.js");
    assert_string_equal(json_text_or(m, "https://deno.land/std@0.168.0/http/server.ts", ""),
                        "file:///edge/serve.js");
    assert_string_equal(json_text_or(m, "jsr:@supabase/supabase-js@2", ""),
                        "npm:@supabase/supabase-js@2");
}

static void other_texts_are_left_alone(void **state)
{
    (void)state;
    json_auto_t *m = scanned(
        "fetch(\"https://api.example.com/x\"); const q = 'h'; const open = \"https://esm.sh/x");
    assert_int_equal(json_object_size(m), 0);
}

static void relative_addresses_move_with_the_map(void **state)
{
    (void)state;
    json_auto_t *map = json_pack("{s:{}}", "imports");
    json_auto_t *own = json_pack("{s:{s:s, s:s, s:s}}", "imports", "@/", "./src/", "shared",
                                 "../_shared/x.ts", "zod", "npm:zod@3");
    import_map_lay_over(a, map, own, "supabase/functions/f/deno.json", "/edge");
    const json_t *imports = json_object_get(map, "imports");
    assert_string_equal(json_text_or(imports, "@/", ""), "./src/supabase/functions/f/./src/");
    assert_string_equal(json_text_or(imports, "shared", ""),
                        "./src/supabase/functions/f/../_shared/x.ts");
    assert_string_equal(json_text_or(imports, "zod", ""), "npm:zod@3");
    assert_string_equal(json_text_or(imports, "zod/", ""), "npm:/zod@3/");
}

static void the_functions_own_entry_wins(void **state)
{
    (void)state;
    json_auto_t *map = json_pack("{s:{s:s}}", "imports", "https://esm.sh/x", "npm:x");
    json_auto_t *own = json_pack("{s:{s:s}}", "imports", "https://esm.sh/x", "./x.ts");
    import_map_lay_over(a, map, own, "deno.json", "/edge");
    assert_string_equal(json_text_or(json_object_get(map, "imports"), "https://esm.sh/x", ""),
                        "./src/./x.ts");
}

static void comments_and_last_commas_go_and_texts_stay(void **state)
{
    (void)state;
    char text[] = "{ // first\n \"a\": \"http://x\", /* two */ \"b\": [1, 2, /* end */ ],\n \"c\": "
                  "\"a\\\"//b\", }";
    struct err e;
    import_map_strip_comments(text);
    json_auto_t *value = json_parse(str_of(text), "text", &e);
    assert_non_null(value);
    assert_string_equal(json_text_or(value, "a", ""), "http://x");
    assert_string_equal(json_text_or(value, "c", ""), "a\"//b");
    assert_int_equal(json_array_size(json_object_get(value, "b")), 2);
}

static void unfinished_texts_end_where_they_end(void **state)
{
    (void)state;
    static const char *const cut[] = { "\"", "\"\\", "/*", "//", "/", ",", "{,", "\"a\\\"" };
    for (size_t i = 0; i < sizeof cut / sizeof *cut; i++)
        import_map_strip_comments(arena_strdup(a, cut[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usual_addresses_are_led_to_npm_and_to_our_helpers),
        cmocka_unit_test(other_texts_are_left_alone),
        cmocka_unit_test(relative_addresses_move_with_the_map),
        cmocka_unit_test(the_functions_own_entry_wins),
        cmocka_unit_test(comments_and_last_commas_go_and_texts_stay),
        cmocka_unit_test(unfinished_texts_end_where_they_end),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
