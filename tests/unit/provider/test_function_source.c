/*
 * Which files are a function, and what its digest depends on.
 */
#include "assert_ok.h"

#include "base/fs.h"
#include "provider/function_import.h"
#include "provider/function_source.h"

#include <string.h>
#include <unistd.h>

struct fixture {
    struct arena *a;
    struct err e;
    const char *dir;
};

static int set_up(void **state)
{
    struct fixture *f = test_calloc(1, sizeof *f);
    f->a = arena_new(0);
    char dir[] = "/tmp/lockflight-functions-XXXXXX";
    assert_non_null(mkdtemp(dir));
    f->dir = arena_strdup(f->a, dir);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    assert_ok(fs_remove_tree(f->dir, &f->e), &f->e);
    arena_free(f->a);
    test_free(f);
    return 0;
}

static void write_file(struct fixture *f, const char *path, const char *content)
{
    const char *whole = fs_join(f->a, f->dir, path), *slash = strrchr(whole, '/');
    assert_ok(fs_mkdirs(arena_strndup(f->a, whole, (size_t)(slash - whole)), 0700, &f->e), &f->e);
    assert_ok(fs_replace(whole, str_of(content), 0600, &f->e), &f->e);
}

static const char *paths_of(struct fixture *f, const struct function_source *s)
{
    const char *all = "";
    for (size_t i = 0; i < s->n_files; i++)
        all = arena_printf(f->a, "%s%s ", all, s->files[i].path + strlen("supabase/functions/"));
    return all;
}

struct found {
    struct arena *a;
    const char *all;
};

static void note(void *context, struct str specifier)
{
    struct found *found = context;
    found->all = arena_printf(found->a, "%s%.*s ", found->all, STR_FMT(specifier));
}

static void every_form_of_import_is_seen_and_comments_and_strings_are_not(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *source;
        const char *expected;
    } rows[] = {
        { "import a from './a.ts'", "./a.ts " },
        { "import './side.ts';", "./side.ts " },
        { "import type { T } from \"./t.ts\";", "./t.ts " },
        { "import a, { b as c, type D } from './b.ts'", "./b.ts " },
        { "import * as all from './all.ts'", "./all.ts " },
        { "import {\n  a, // first\n  /* second */ b,\n} from './multi.ts'", "./multi.ts " },
        { "import data from './d.json' with { type: 'json' }", "./d.json " },
        { "export { a } from './x.ts'; export * from './y.ts'; export * as z from './z.ts'",
          "./x.ts ./y.ts ./z.ts " },
        { "const m = await import('./lazy.ts')", "./lazy.ts " },
        { "import{a}from'./tight.ts'", "./tight.ts " },
        { "// import a from './no.ts'\n/* import './no.ts' */ import './yes.ts'", "./yes.ts " },
        { "const s = \"import './no.ts'\"; const t = 'http://x//y'; import './yes.ts'",
          "./yes.ts " },
        { "export const a = 1; const from = './no.ts'; reimport('./no.ts'); x.import('./no.ts')",
          "" },
        { "export default function f() { return import(`./no-${x}.ts`) }", "" },
        { "import x from 'npm:zod'; import y from \"https://esm.sh/a\"",
          "npm:zod https://esm.sh/a " },
        { "import", "" },
        { "import {", "" },
        { "import x from", "" },
        { "import x from '", "" },
        { "don't /* unclosed", "" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct found found = { f->a, "" };
        size_t n = strlen(rows[i].source);
        char *exact = test_malloc(n + 1); /* a read past the end is noticed by the sanitizer */
        memcpy(exact, rows[i].source, n);
        function_imports((struct str){ exact, n }, note, &found);
        test_free(exact);
        assert_string_equal(found.all, rows[i].expected);
    }
}

static void a_function_is_what_its_entrypoint_reaches(void **state)
{
    struct fixture *f = *state;
    write_file(f, "supabase/functions/health/index.ts",
               "import { db } from '../_shared/db.ts'\nimport x from './local.ts'\nimport z from "
               "'npm:zod'\n"
               "import gone from './not-there.ts'\n");
    write_file(f, "supabase/functions/health/local.ts", "import './index.ts'");
    write_file(f, "supabase/functions/health/notes.md", "not reached");
    write_file(f, "supabase/functions/_shared/db.ts", "export * from './deep/types.ts'");
    write_file(f, "supabase/functions/_shared/deep/types.ts", "");
    write_file(f, "supabase/functions/_shared/other.ts", "not reached");
    struct function_source s;
    assert_ok(function_source_collect(f->a, f->dir, "health", NULL, &s, &f->e), &f->e);
    assert_string_equal(paths_of(f, &s),
                        "_shared/db.ts _shared/deep/types.ts health/index.ts health/local.ts ");
    assert_true(s.verify_jwt);
    assert_string_equal(s.import_map_path, "");
}

static void an_import_map_bends_names_and_comes_along(void **state)
{
    struct fixture *f = *state;
    write_file(f, "supabase/functions/a/deno.json",
               "{ // with comments\n \"imports\": { \"@/\": \"../_shared/\", \"one\": "
               "\"./one.ts\", \"zod\": \"npm:zod\", }, }");
    write_file(f, "supabase/functions/a/index.ts",
               "import '@/x.ts'; import 'one'; import 'zod'; import 'bare'");
    write_file(f, "supabase/functions/a/one.ts", "");
    write_file(f, "supabase/functions/_shared/x.ts", "import '@/y.ts'");
    write_file(f, "supabase/functions/_shared/y.ts", "");
    struct function_source s;
    assert_ok(function_source_collect(f->a, f->dir, "a", NULL, &s, &f->e), &f->e);
    assert_string_equal(paths_of(f, &s),
                        "_shared/x.ts _shared/y.ts a/deno.json a/index.ts a/one.ts ");
    assert_string_equal(s.import_map_path, "supabase/functions/a/deno.json");
}

static void settings_name_another_entrypoint_map_and_static_files(void **state)
{
    struct fixture *f = *state;
    write_file(f, "supabase/functions/a/main.js", "import './x.js'");
    write_file(f, "supabase/functions/a/x.js", "");
    write_file(f, "supabase/functions/maps/map.json", "{\"imports\":{}}");
    write_file(f, "supabase/functions/a/t/top.txt", "");
    write_file(f, "supabase/functions/a/t/de/deep.txt", "");
    write_file(f, "supabase/functions/a/t/de/deep.bin", "");
    const char *patterns[] = { "./functions/a/t/**/*.txt" };
    const struct function_settings settings = {
        .entrypoint = "./functions/a/main.js",
        .import_map = "./functions/maps/map.json",
        .static_files = patterns,
        .n_static_files = 1,
    };
    struct function_source s;
    assert_ok(function_source_collect(f->a, f->dir, "a", &settings, &s, &f->e), &f->e);
    assert_string_equal(paths_of(f, &s), "a/main.js a/t/de/deep.txt a/x.js maps/map.json ");
    assert_false(s.verify_jwt);
    assert_string_equal(s.static_patterns[0], "supabase/functions/a/t/**/*.txt");
}

static void the_digest_follows_content_path_and_settings_only(void **state)
{
    struct fixture *f = *state;
    write_file(f, "supabase/functions/a/index.ts", "1");
    struct function_source one, other;
    assert_ok(function_source_collect(f->a, f->dir, "a", NULL, &one, &f->e), &f->e);
    write_file(f, "supabase/functions/a/README.md", "not part of it");
    assert_ok(function_source_collect(f->a, f->dir, "a", NULL, &other, &f->e), &f->e);
    assert_string_equal(one.digest, other.digest);
    const struct function_settings open = { .verify_jwt = false };
    assert_ok(function_source_collect(f->a, f->dir, "a", &open, &other, &f->e), &f->e);
    assert_string_not_equal(one.digest, other.digest);
    write_file(f, "supabase/functions/a/index.ts", "2");
    assert_ok(function_source_collect(f->a, f->dir, "a", NULL, &other, &f->e), &f->e);
    assert_string_not_equal(one.digest, other.digest);
}

static void nothing_outside_the_project_gets_into_a_function(void **state)
{
    struct fixture *f = *state;
    struct function_source s;
    write_file(f, "supabase/functions/a/index.ts", "import '../../../../../../../../etc/hosts.ts'");
    assert_ok(function_source_collect(f->a, f->dir, "a", NULL, &s, &f->e), &f->e);
    assert_int_equal(s.n_files, 1);
    write_file(f, "supabase/functions/a/index.ts", "import './link.ts'");
    assert_int_equal(symlink("/etc/hosts", fs_join(f->a, f->dir, "supabase/functions/a/link.ts")),
                     0);
    assert_fails(function_source_collect(f->a, f->dir, "a", NULL, &s, &f->e), &f->e, ERR_CONFIG);
    assert_non_null(strstr(f->e.what, "imported by supabase/functions/a/index.ts"));
}

static void a_missing_entrypoint_is_an_error_of_the_project(void **state)
{
    struct fixture *f = *state;
    struct function_source s;
    assert_fails(function_source_collect(f->a, f->dir, "a", NULL, &s, &f->e), &f->e, ERR_CONFIG);
    assert_non_null(strstr(f->e.why, "supabase/functions/a/index.ts"));
}

static void folders_are_functions_if_their_name_and_content_say_so(void **state)
{
    struct fixture *f = *state;
    const char **slugs;
    size_t n;
    assert_ok(function_slugs(f->a, f->dir, &slugs, &n, &f->e), &f->e);
    assert_int_equal(n, 0);
    static const char *const paths[] = { "whatsapp/index.ts", "amelia-webhook/index.ts",
                                         "_shared/index.ts",  "9x/index.ts",
                                         "bad name/index.ts", "empty/notes.md" };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        write_file(f, arena_printf(f->a, "supabase/functions/%s", paths[i]), "");
    assert_ok(function_slugs(f->a, f->dir, &slugs, &n, &f->e), &f->e);
    assert_int_equal(n, 2);
    assert_string_equal(slugs[0], "amelia-webhook");
    assert_string_equal(slugs[1], "whatsapp");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(every_form_of_import_is_seen_and_comments_and_strings_are_not),
        T(a_function_is_what_its_entrypoint_reaches),
        T(an_import_map_bends_names_and_comes_along),
        T(settings_name_another_entrypoint_map_and_static_files),
        T(the_digest_follows_content_path_and_settings_only),
        T(nothing_outside_the_project_gets_into_a_function),
        T(a_missing_entrypoint_is_an_error_of_the_project),
        T(folders_are_functions_if_their_name_and_content_say_so),
    };
    return cmocka_run_group_tests_name("function source", tests, NULL, NULL);
}
