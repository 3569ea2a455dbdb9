/*
 * package.json, deno.json and the lockfile: how packages come, what builds and what tests.
 */
#include "base/fs.h"
#include "base/json.h"
#include "command/init/found.h"

// clang-format off
static const struct found_manager managers[] = {
    { "pnpm", "pnpm-lock.yaml",    "pnpm install --frozen-lockfile", "pnpm run", "pnpm exec" },
    { "yarn", "yarn.lock",         "yarn install --immutable",       "yarn run", "yarn" },
    { "bun",  "bun.lock",          "bun install --frozen-lockfile",  "bun run",  "bunx" },
    { "bun",  "bun.lockb",         "bun install --frozen-lockfile",  "bun run",  "bunx" },
    { "npm",  "package-lock.json", "npm ci",                         "npm run",  "npx" },
    { "npm",  NULL,                "npm install",                    "npm run",  "npx" },
};

/* What a framework's own build leaves, in order of precedence: those that bring Vite along first. */
static const struct { const char *package, *publish; } frameworks[] = {
    { "astro",           "dist" },
    { "@angular/core",   "dist" },
    { "@sveltejs/kit",   "build" },
    { "nuxt",            "dist" },
    { "gatsby",          "public" },
    { "react-scripts",   "build" },
    { "@vue/cli-service","dist" },
    { "next",            "out" },
    { "@11ty/eleventy",  "_site" },
    { "vite",            "dist" },
};
// clang-format on

static void choose_manager(struct found *f)
{
    size_t n = sizeof managers / sizeof managers[0];
    for (size_t i = 0; i < n; i++) {
        const char *file = managers[i].file;
        if (file && !fs_exists(fs_join(f->arena, f->dir, file)))
            continue;
        f->manager = managers[i];
        return;
    }
}

static void choose_framework(struct found *f, const json_t *package)
{
    const json_t *normal = json_object_get(package, "dependencies");
    const json_t *development = json_object_get(package, "devDependencies");
    for (size_t i = 0; i < sizeof frameworks / sizeof frameworks[0]; i++) {
        const char *name = frameworks[i].package;
        if (!json_object_get(normal, name) && !json_object_get(development, name))
            continue;
        f->framework = name;
        f->publish = frameworks[i].publish;
        return;
    }
}

/* `npm init` writes a test that only fails; that is no test. */
static bool is_real_test(const char *script)
{
    return script[0] && !strstr(script, "no test specified");
}

static bool read_package_json(struct found *f, struct err *e)
{
    struct str text;
    if (!found_text(f, "package.json", &text, e))
        return false;
    if (text.n == 0)
        return true;
    json_auto_t *package = json_parse(text, "package.json", e);
    if (!package)
        return err_recode(e, ERR_CONFIG);
    choose_manager(f);
    choose_framework(f, package);
    struct arena *a = f->arena;
    const json_t *scripts = json_object_get(package, "scripts");
    const char *name = json_text_or(package, "name", "");
    f->project = name[0] ? arena_strdup(a, name) : NULL;
    if (json_text_or(scripts, "build", "")[0])
        f->build = arena_printf(a, "%s build", f->manager.run);
    if (is_real_test(json_text_or(scripts, "test", "")))
        f->test = streq(f->manager.name, "bun") ? "bun run test"
                                                : arena_printf(a, "%s test", f->manager.name);
    return true;
}

/* A Deno project tests itself with its task, when package.json has nothing. */
static bool read_deno_json(struct found *f, struct err *e)
{
    struct str text;
    if (f->test)
        return true;
    if (!found_text(f, "deno.json", &text, e))
        return false;
    if (text.n == 0)
        return true;
    json_auto_t *deno = json_parse(text, "deno.json", e);
    if (!deno)
        return err_recode(e, ERR_CONFIG);
    if (json_object_get(json_object_get(deno, "tasks"), "test"))
        f->test = "deno task test";
    return true;
}

bool found_package(struct found *f, struct err *e)
{
    return read_package_json(f, e) && read_deno_json(f, e);
}
