/* Which variables a source asks for: what counts, what does not, and what cannot be known. */
#include "base/strbuf.h"
#include "secret/inventory.h"
#include "secret/inventory_rows.h"

#include <stdio.h>

/* "A@1:3 ?computed@2:1 *alias@… %whole@…"; resolved ones have a "+" behind. */
static const char *found(struct arena *a, const char *path, const char *text)
{
    struct inventory *inv = inventory_new(a, NULL);
    struct err e = { 0 };
    assert_ok(inventory_add(inv, USE_FRONTEND, path, str_of(text), &e), &e);
    inventory_finish(inv);
    size_t n;
    const struct env_use *v = inventory_uses(inv, &n);
    const char *all = "";
    static const char *const kinds[] = {
        [USE_COMPUTED] = "?", [USE_ALIAS] = "*", [USE_WHOLE] = "%"
    };
    for (size_t i = 0; i < n; i++)
        all = arena_printf(a, "%s%s%s%s@%d:%d%s", all, i ? " " : "",
                           v[i].kind == USE_LITERAL ? "" : kinds[v[i].kind],
                           v[i].name ? v[i].name : "", v[i].line, v[i].column,
                           v[i].is_resolved ? "+" : "");
    return all;
}

static void every_way_to_ask_by_name_is_found_with_its_place(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "const a = Deno.env.get(\"A\");", "A@1:25" },
        { "if (Deno.env.has('A')) {}", "A@1:19" },
        { "Deno.env.get(`A`)", "A@1:15" },
        { "Deno.env?.get?.(\"A\")", "A@1:18" },
        { "Deno[\"env\"].get(\"A\", )", "A@1:18" },
        { "globalThis.Deno.env.get(\"A\")", "A@1:26" },
        { "(globalThis as any).Deno?.env.get('A')", "A@1:36" },
        { "Netlify.env.get('A')", "A@1:18" },
        { "process.env.A", "A@1:13" },
        { "process.env?.A ?? 1", "A@1:14" },
        { "process?.env?.[\"A\"]", "A@1:17" },
        { "process.env[\"A\"]!.trim()", "A@1:14" },
        { "process.env!.A", "A@1:14" },
        { "(process.env as Record<string, string>).A", "A@1:41" },
        { "(process as any).env.A", "A@1:22" },
        { "globalThis.process?.env.A", "A@1:25" },
        { "import.meta.env.A", "A@1:17" },
        { "(import.meta as any).env?.A", "A@1:27" },
        { "(import.meta as { env: { A: string } }).env['A']", "A@1:46" },
        { "import . meta . env . A", "A@1:23" },
        { "const { A, B: b, C = 'x', \"D\": d } = process.env;", "A@1:9 B@1:12 C@1:18 D@1:28" },
        { "const { A }: Env = import.meta.env;", "A@1:9" },
        { "const {\n  A,\n  B: { length } = '',\n} = process.env", "A@2:3 B@3:3" },
        { "function f({ A, B } = process.env) {}", "A@1:14 B@1:17" },
        { "if (\"A\" in process.env) {}", "A@1:6" },
        { "import { A, B as c } from \"$env/static/private\"", "A@1:10 B@1:13" },
        { "const s = `${Deno.env.get(\"A\")}/x/${process.env.B}`", "A@1:28 B@1:49" },
        { "`a${`b${Deno.env.get('A')}`}c`", "A@1:23" },
        { "// lockflight: env A, B", "A@1:1 B@1:1" },
    };
    EXPECT("a.ts", rows);
}

static void comments_strings_templates_and_regular_expressions_give_nothing(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "// Deno.env.get(\"A\")\n/* process.env.A */", "" },
        { "const s = \"Deno.env.get('A')\"; const t = 'process.env.A';", "" },
        { "const s = `process.env.A ${1} import.meta.env.A`;", "" },
        { "const r = /Deno.env.get\\(\"A\"\\)/g, q = /[/\"]process.env.A/;", "" },
        { "x = a / b; y = process.env.A / 2 / process.env.B", "A@1:28 B@1:48" },
        { "if (x) /process.env.A/.test(y)", "" },
        { "return /process.env.A'/", "" },
        { "x = f(a) / process.env.A / 1", "A@1:24" },
        { "x = {} / process.env.A / 1", "A@1:22" },
        { "f()\n{}\n/process.env.A'/.test(x)", "" },
        { "a++ / process.env.A / 1", "A@1:19" },
        { "const s = 'it\\'s process.env.A';", "" },
        { "other.process.env.A; my.Deno.env.get('A')", "" },
        { "interface ImportMetaEnv { readonly VITE_A: string }", "" },
        { "process.env.A = '1'; delete process.env.B; Deno.env.set('A', 'b')", "" },
        { "typeof process.env === 'undefined'; if (process.env) {} process.env && 1", "" },
        { "type E = typeof process.env;", "" },
        { "#!/usr/bin/env process.env.A\n1", "" },
        { "const don = \"don't\"; // it's\nprocess.env.A", "A@2:13" },
        { "'not closed\nprocess.env.A", "A@2:13" },
    };
    EXPECT("a.ts", rows);
}

static void text_between_tags_is_text_and_braces_are_code(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "const x = <p>Don't use process.env.A // or `this</p>; process.env.B", "B@1:67" },
        { "<a href=\"process.env.A\" title='it\"s'>{process.env.B}</a>", "B@1:51" },
        { "<>{process.env.A}<b/>it's</>; process.env.B", "A@1:16 B@1:43" },
        { "<T.U a={<b>don't {process.env.A}</b>}/>, process.env.B", "A@1:31 B@1:54" },
        { "const f = <T,>(x: T) => process.env.A; // it's", "A@1:37" },
        { "const f = <T extends U>(x: T) => process.env.A", "A@1:46" },
        { "type F = <T>(x: T) => string; process.env.A", "A@1:43" },
        { "if (a < b && c > d) process.env.A", "A@1:33" },
        { "x = 1<<b|c, process.env.A", "A@1:25" },
        { "return <Table<Row> rows={process.env.A}>it's</Table>", "A@1:38" },
        { "<p>{/* it's process.env.A */}</p>; process.env.B", "B@1:48" },
        { "<p>{cond ? <i>don't</i> : `x${process.env.A}`}</p>", "A@1:43" },
    };
    EXPECT("a.tsx", rows);
}

static void pages_have_code_in_scripts_and_braces(void **state)
{
    (void)state;
    static const struct row vue[] = {
        { "<template><p>don't {{ importMeta.env }} {{ process.env.A }}</p></template>\n"
          "<script setup lang=\"ts\">\nconst b = "
          "import.meta.env.B\n</script>\n<style>a{b:c'd}</style>",
          "A@1:56 B@3:27" },
    };
    EXPECT("a.vue", vue);
    static const struct row astro[] = {
        { "---\nconst a = import.meta.env.A;\n---\n<p>it's {import.meta.env.B}</p>",
          "A@2:27 B@4:26" },
    };
    EXPECT("a.astro", astro);
    static const struct row html[] = {
        { "<title>%VITE_TITLE% 100% or 50%</title><script>const d = 'x';process.env.A</script>",
          "VITE_TITLE@1:8 A@1:74" },
    };
    EXPECT("index.html", html);
}

static void what_cannot_be_known_is_told_and_not_left_out(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "Deno.env.toObject()", "%@1:1" },
        { "Deno.env.get(a + b)", "?@1:1" },
        { "process.env[key]", "?@1:1" },
        { "process.env['A' + x]", "?@1:1" },
        { "Deno.env.get('\\x41')", "?@1:1" },
        { "const env = Deno.env; env.get('A')", "*@1:13" },
        { "const get = Deno.env.get.bind(Deno.env)", "*@1:13 *@1:31" },
        { "const { env } = Deno", "*@1:17" },
        { "const { env: e } = process", "*@1:20" },
        { "const p = process; p.env.A", "*@1:11" },
        { "const e = process.env; e.A", "*@1:11" },
        { "load(import.meta.env)", "*@1:6" },
        { "({ ...process.env })", "%@1:7" },
        { "const { A, ...rest } = process.env", "A@1:9 %@1:24" },
        { "const { [k]: v } = process.env", "?@1:20" },
        { "for (const k in process.env) {}", "%@1:17" },
        { "import { env } from 'node:process'", "*@1:1" },
        { "process.env[key] // lockflight: env A, B", "?@1:1+ A@1:18 B@1:18" },
        { "/* lockflight: env A */\nDeno.env.get(key)", "A@1:1 ?@2:1+" },
        { "// lockflight: env\nDeno.env.toObject()", "%@2:1+" },
    };
    EXPECT("a.ts", rows);
}

static void a_function_that_is_given_the_name_is_followed(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "const need = (name: string) => Deno.env.get(name) ?? '';\nneed('A'); need(\"B\")",
          "?@1:32+ A@2:7 B@2:18" },
        { "export function need(x: number, name: string): string | undefined {\n"
          "  if (x) { return process.env[name]; }\n}\nneed(f(1, 2), 'A')",
          "?@2:19+ A@4:16" },
        { "const need = name => Deno.env.get(name)\nneed('A')", "?@1:22+ A@2:7" },
        { "const all = async function (name) { return [1].map(() => process.env[name]) }\nall('A')",
          "?@1:58+ A@2:6" },
        { "class C { need(name) { return Deno.env.get(`OLD_${name}_X`) } }\nc.need('A')",
          "?@1:31+ OLD_A_X@2:9" },
        { "class C { get(name) { return Deno.env.get(name) } }\nenv.get('A'); cache.get('B')",
          "?@1:30 A@2:10" },
        { "const one = (n) => Deno.env.get(n); const two = (m) => one(m);\ntwo('B')",
          "?@1:20+ ?@1:56+ B@2:6" },
        { "const need = (name) => Deno.env.get(name); need(k)", "?@1:24+ ?@1:44" },
        { "const need = <T>(name: Map<string, T>) => Deno.env.get(name);\nneed('A')",
          "?@1:43+ A@2:7" },
        { "function all(name: string): string[] {\n"
          "  return [Deno.env.get(name), Deno.env.get(`${name}_OLD`)].filter((x) => !!x);\n}\n"
          "all('A'); headers.get('x-y'); headers.all('x-y')",
          "?@2:11+ ?@2:31+ A@4:6 A_OLD@4:6" },
    };
    EXPECT("a.ts", rows);
}

static void mentions_are_words_and_whole_strings_of_the_code(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct err e = { 0 };
    static const char *const names[] = { "A_NAME", "B_NAME", "C_NAME", NULL };
    struct inventory *inv = inventory_new(a, names);
    assert_ok(inventory_add(inv, USE_FRONTEND, "a.ts",
                            STR("values.A_NAME; f('B_NAME') // C_NAME\n'C_NAME is'"), &e),
              &e);
    assert_ok(inventory_add(inv, USE_FRONTEND, "notes.md", STR("C_NAME"), &e), &e);
    inventory_finish(inv);
    assert_true(inventory_mentions(inv, "A_NAME") && inventory_mentions(inv, "B_NAME"));
    assert_false(inventory_mentions(inv, "C_NAME"));
    assert_int_equal(inventory_files(inv, USE_FRONTEND), 1);
}

static void a_source_beyond_the_limit_is_refused_with_what_to_write(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct err e = { 0 };
    struct inventory *inv = inventory_new(a, NULL);
    char *big = arena_alloc(a, (size_t)4 * 1024 * 1024 + 1);
    struct str text = { big, (size_t)4 * 1024 * 1024 + 1 };
    assert_fails(inventory_add(inv, USE_FRONTEND, "src/big.js", text, &e), &e, ERR_LIMIT);
    assert_non_null(strstr(e.hint, "src/big.js"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way_to_ask_by_name_is_found_with_its_place),
        cmocka_unit_test(comments_strings_templates_and_regular_expressions_give_nothing),
        cmocka_unit_test(text_between_tags_is_text_and_braces_are_code),
        cmocka_unit_test(pages_have_code_in_scripts_and_braces),
        cmocka_unit_test(what_cannot_be_known_is_told_and_not_left_out),
        cmocka_unit_test(a_function_that_is_given_the_name_is_followed),
        cmocka_unit_test(mentions_are_words_and_whole_strings_of_the_code),
        cmocka_unit_test(a_source_beyond_the_limit_is_refused_with_what_to_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
