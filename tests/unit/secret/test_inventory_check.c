/* What is used against what is declared, and which names and values look like secrets. */
#include "assert_ok.h"

#include "base/cleanup.h"
#include "base/pattern.h"
#include "config/config.h"
#include "secret/inventory_check.h"
#include "secret/public_name.h"

struct source {
    enum use_place place;
    const char *path, *text;
};

/* "undeclared A src/a.ts:1:3; unused B lockflight.toml:1" */
static const char *judged(struct arena *a, const struct source *sources, size_t n,
                          struct inventory_facts *facts)
{
    const char **names = ARENA_ARRAY(a, const char *, facts->n_variables + 1);
    for (size_t i = 0; i < facts->n_variables; i++)
        names[i] = facts->variables[i].name;
    struct inventory *inv = inventory_new(a, names);
    struct err e = { 0 };
    for (size_t i = 0; i < n; i++)
        assert_ok(
            inventory_add(inv, sources[i].place, sources[i].path, str_of(sources[i].text), &e), &e);
    inventory_finish(inv);
    facts->environment = "staging";
    struct inventory_report report;
    inventory_check(a, inv, facts, &report);
    const char *all = "";
    for (size_t i = 0; i < report.n; i++)
        all = arena_printf(a, "%s%s%s %s %s", all, i ? "; " : "", report.v[i].rule,
                           report.v[i].name ? report.v[i].name : "-", report.v[i].where);
    assert_int_equal(report.errors + report.warnings + report.notes, report.n);
    return all;
}

#define FACTS(list)                                                                                \
    {                                                                                              \
        .variables = (list), .n_variables = sizeof(list) / sizeof(list)[0]                         \
    }

static void a_use_must_be_declared_sent_there_and_have_a_value(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    static const struct source sources[] = {
        { USE_EDGE_FUNCTION, "f.ts",
          "Deno.env.get('A'); Deno.env.get('B'); Deno.env.get('C')\n"
          "Deno.env.get('SUPABASE_URL'); Deno.env.get('D')" },
        { USE_FRONTEND, "s.ts", "import.meta.env.VITE_A; import.meta.env.MODE; process.env.E" },
        { USE_BUILD, "vite.config.ts", "process.env.CI; process.env.VITE_A; process.env.A" },
        { USE_SITE_FUNCTION, "n.ts", "process.env.E; process.env.URL; process.env.D" },
    };
    const struct inventory_variable variables[] = {
        { .name = "A", .to = VAR_TO_SUPABASE, .where = "t:1" },
        { .name = "B", .to = VAR_TO_NETLIFY_FUNCTIONS, .where = "t:2" },
        { .name = "C", .to = VAR_TO_SUPABASE, .where = "t:3", .no_value = "X is not set" },
        { .name = "E", .to = VAR_TO_NETLIFY_FUNCTIONS, .where = "t:5" },
        { .name = "Z", .to = VAR_TO_SUPABASE, .where = "t:9" },
        { .name = "VITE_A", .to = VAR_TO_RUNTIME, .where = "t:6" },
    };
    struct inventory_facts facts = FACTS(variables);
    assert_string_equal(judged(a, sources, 4, &facts),
                        "not-sent B f.ts:1:34; undeclared D f.ts:2:45; undeclared D n.ts:1:45; "
                        "not-sent VITE_A s.ts:1:17; no-value C t:3; not-sent VITE_A "
                        "vite.config.ts:1:29; not-sent A vite.config.ts:1:49; unused Z t:9");
    static const char *const optional[] = { "D", NULL };
    static const char *const build[] = { "VITE_A", "A", NULL };
    facts.optional = optional;
    facts.build_names = build;
    assert_string_equal(judged(a, sources, 4, &facts),
                        "not-sent B f.ts:1:34; no-value C t:3; unused Z t:9");
}

static void a_secret_under_a_public_name_is_refused_declared_or_not(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    static const struct source sources[] = {
        { USE_FRONTEND, "s.ts",
          "import.meta.env.VITE_WHATSAPP_ACCESS_TOKEN + import.meta.env.VITE_MAPBOX_TOKEN" },
        { USE_EDGE_FUNCTION, "f.ts", "Deno.env.get('VITE_OTHER_SECRET')" },
    };
    const struct inventory_variable variables[] = {
        { .name = "VITE_PLAIN", .to = VAR_TO_NETLIFY_BUILD, .is_secret = true, .where = "t:1" },
        { .name = "VITE_ODD",
          .to = VAR_TO_NETLIFY_BUILD,
          .has_random_value = true,
          .where = "t:2" },
        { .name = "VITE_OTHER_SECRET", .to = VAR_TO_SUPABASE, .where = "t:3" },
    };
    static const char *const build[] = { "VITE_WHATSAPP_ACCESS_TOKEN", "VITE_MAPBOX_TOKEN", NULL };
    struct inventory_facts facts = FACTS(variables);
    facts.build_names = build;
    assert_string_equal(judged(a, sources, 2, &facts),
                        "public-secret VITE_WHATSAPP_ACCESS_TOKEN s.ts:1:17; "
                        "public-secret VITE_PLAIN t:1; public-secret VITE_ODD t:2; "
                        "public-secret VITE_OTHER_SECRET t:3; unused VITE_PLAIN t:1; "
                        "unused VITE_ODD t:2");
    static const char *const allowed[] = { "VITE_WHATSAPP_ACCESS_TOKEN", "VITE_PLAIN", "VITE_ODD",
                                           "VITE_OTHER_SECRET", NULL };
    facts.allowed = allowed;
    assert_string_equal(judged(a, sources, 2, &facts),
                        "unused VITE_PLAIN t:1; unused VITE_ODD t:2");
}

static void what_cannot_be_known_is_a_note_and_keeps_a_variable_from_being_unused(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    static const struct source sources[] = { { USE_EDGE_FUNCTION, "f.ts", "Deno.env.get(x())" } };
    const struct inventory_variable variables[] = {
        { .name = "A", .to = VAR_TO_SUPABASE, .where = "t:1" },
        { .name = "B", .to = VAR_TO_RUNTIME, .where = "t:2" },
    };
    struct inventory_facts facts = FACTS(variables);
    assert_string_equal(judged(a, sources, 1, &facts), "unused B t:2; unresolved - f.ts:1:1");
}

static void names_that_say_secret_are_told_from_those_made_to_be_public(void **state)
{
    (void)state;
    static const char *const secrets[] = {
        "VITE_WHATSAPP_ACCESS_TOKEN",  "NEXT_PUBLIC_API_SECRET",         "PUBLIC_DB_PASSWORD",
        "REACT_APP_STRIPE_SECRET_KEY", "VITE_SUPABASE_SERVICE_ROLE_KEY", "VITE_AUTH_TOKEN_OLD",
        "VITE_DATABASE_URL",           "EXPO_PUBLIC_PRIVATE_KEY"
    };
    static const char *const open[] = {
        "VITE_SUPABASE_ANON_KEY", "VITE_MAPBOX_TOKEN",        "VITE_API_URL",
        "VITE_TOKEN_URL",         "VITE_RECAPTCHA_SITE_KEY",  "VITE_STRIPE_PUBLISHABLE_KEY",
        "VITE_SECRETARY_NAME",    "VITE_PASSWORD_MIN_LENGTH", "VITE_FIREBASE_API_KEY"
    };
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++)
        if (!secret_word(secrets[i]) || !public_prefix(secrets[i]))
            fail_msg("%s", secrets[i]);
    for (size_t i = 0; i < sizeof open / sizeof open[0]; i++)
        if (secret_word(open[i]))
            fail_msg("%s: %s", open[i], secret_word(open[i]));
    assert_null(public_prefix("WHATSAPP_TOKEN"));
}

static void a_random_value_is_long_and_no_address_hash_or_published_key(void **state)
{
    (void)state;
    assert_true(looks_random(STR("fV9xK2mQ7tRz1LpW8sYd4GhJ6bNc3XvA0uEoIiTy5PaM")));
    assert_false(
        looks_random(STR("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")));
    assert_false(
        looks_random(STR("https://example.com/a/very/long/path?with=many&other=things#1")));
    assert_false(
        looks_random(STR("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJyb2xlIjoiYW5vbiJ9.abc")));
    assert_false(
        looks_random(STR("A sentence that a person has written, long enough to be looked at")));
    assert_false(looks_random(STR("short-K2mQ7tRz1LpW8s")));
}

static void patterns_match_names_folders_and_stars(void **state)
{
    (void)state;
    assert_true(pattern_matches("src/gen/", "src/gen/"));
    assert_true(pattern_matches("src/gen/", "src/gen/a/b.ts"));
    assert_false(pattern_matches("src/gen/", "src/general.ts"));
    assert_true(pattern_matches("src/*.ts", "src/a.ts"));
    assert_false(pattern_matches("src/*.ts", "src/b/a.ts"));
    assert_true(pattern_matches("**/*.gen.ts", "src/b/a.gen.ts"));
    assert_true(pattern_matches("**/a.ts", "a.ts"));
    assert_true(pattern_matches("/assets/*-*.js", "/assets/index-Bx1.js"));
    assert_false(pattern_matches("a", "ab"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_use_must_be_declared_sent_there_and_have_a_value),
        cmocka_unit_test(a_secret_under_a_public_name_is_refused_declared_or_not),
        cmocka_unit_test(what_cannot_be_known_is_a_note_and_keeps_a_variable_from_being_unused),
        cmocka_unit_test(names_that_say_secret_are_told_from_those_made_to_be_public),
        cmocka_unit_test(a_random_value_is_long_and_no_address_hash_or_published_key),
        cmocka_unit_test(patterns_match_names_folders_and_stars),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
