/*
 * The CI workflow: one job that calls `lockflight ci`, which tests, flies staging, lets it rest and
 * flies production. The order between two runs is the lease's business, so nothing is cancelled.
 */
#include "base/limits.h"
#include "base/strbuf.h"
#include "command/init/draft.h"

#define WORKFLOW_BYTES (64 * KIB)

/* ---- what both need ---- */

/* Credentials, by the names that config/environment.c looks for. */
static const char *const credentials[] = {
    "LOCKFLIGHT_STAGING_DATABASE_URL",     "LOCKFLIGHT_STAGING_NETLIFY_TOKEN",
    "LOCKFLIGHT_STAGING_SUPABASE_TOKEN",   "LOCKFLIGHT_PRODUCTION_DATABASE_URL",
    "LOCKFLIGHT_PRODUCTION_NETLIFY_TOKEN", "LOCKFLIGHT_PRODUCTION_SUPABASE_TOKEN",
};

static const char *exec(const struct found *f)
{
    bool is_npm = !f->manager.name || streq(f->manager.name, "npm");
    return is_npm ? "npx --yes" : f->manager.exec;
}

/* Is it one of the names that lockflight.toml reads from the environment? */
static bool is_needed(const struct found_variable *v)
{
    return v->in_functions || (v->in_frontend && !v->looks_secret && !strstr(v->name, "SUPABASE_"));
}

/* ---- GitHub Actions ---- */

static void add_github_environment(const struct found *f, struct strbuf *b)
{
    static const char *const names[] = { "STAGING", "PRODUCTION" };
    for (size_t i = 0; i < sizeof credentials / sizeof credentials[0]; i++)
        strbuf_printf(b, "          %s: ${{ secrets.%s }}\n", credentials[i], credentials[i]);
    for (size_t i = 0; i < f->variables_n; i++) {
        for (size_t n = 0; n < 2 && is_needed(&f->variables[i]); n++) {
            const char *name = arena_printf(f->arena, "%s_%s", names[n], f->variables[i].name);
            strbuf_printf(b, "          %s: ${{ %s.%s }}\n", name,
                          f->variables[i].looks_secret ? "secrets" : "vars", name);
        }
    }
}

static void add_github_install(const struct found *f, struct strbuf *b)
{
    const struct found_manager *m = &f->manager;
    if (m->name && streq(m->name, "bun")) {
        strbuf_printf(b, "      - uses: oven-sh/setup-bun@v2\n");
    } else {
        if (m->name && streq(m->name, "pnpm"))
            strbuf_printf(b, "      - uses: pnpm/action-setup@v4\n");
        strbuf_printf(b, "      - uses: actions/setup-node@v4\n"
                         "        with:\n          node-version: 22\n");
        if (m->file)
            strbuf_printf(b, "          cache: %s\n", m->name);
    }
    if (m->name)
        strbuf_printf(b, "      - run: %s\n", m->install);
}

static void github(const struct found *f, struct strbuf *b)
{
    strbuf_printf(b,
                  "# Tests, then staging, then production: each only if the one before is green.\n"
                  "# Written by `lockflight init`; yours from now on.\n"
                  "name: release\n"
                  "on:\n"
                  "  push:\n"
                  "    branches: [%s]\n"
                  "  workflow_dispatch:\n"
                  "permissions:\n"
                  "  contents: read\n"
                  "concurrency:\n"
                  "  group: lockflight\n"
                  "  cancel-in-progress: false   # a release is never cut off in the middle\n"
                  "jobs:\n"
                  "  release:\n"
                  "    runs-on: ubuntu-latest\n"
                  "    timeout-minutes: 120\n"
                  "    steps:\n"
                  "      - uses: actions/checkout@v4\n"
                  "        with:\n"
                  "          fetch-depth: 0   # which commit comes after which\n"
                  "          persist-credentials: false\n",
                  f->branch);
    add_github_install(f, b);
    strbuf_printf(b, "      - run: %s lockflight ci\n        env:\n", exec(f));
    add_github_environment(f, b);
}

/* ---- GitLab CI ---- */

static void gitlab_job(const struct found *f, const char *stage, struct strbuf *b)
{
    strbuf_printf(b,
                  "# Tests, then staging, then production: each only if the one before is green.\n"
                  "# Written by `lockflight init`; yours from now on. Its credentials are masked,\n"
                  "# protected variables of the project: LOCKFLIGHT_<ENVIRONMENT>_DATABASE_URL,\n"
                  "# …_NETLIFY_TOKEN and …_SUPABASE_TOKEN.\n"
                  "release:\n"
                  "  stage: %s\n"
                  "  image: node:22-bookworm\n"
                  "  resource_group: lockflight   # one at a time\n"
                  "  interruptible: false\n"
                  "  variables:\n"
                  "    GIT_DEPTH: 0   # which commit comes after which\n"
                  "  timeout: 2h\n"
                  "  rules:\n"
                  "    - if: $CI_COMMIT_BRANCH == \"%s\"\n"
                  "  script:\n",
                  stage, f->branch);
    if (f->manager.name && streq(f->manager.name, "pnpm"))
        strbuf_printf(b, "    - corepack enable\n");
    if (f->manager.name && streq(f->manager.name, "bun"))
        strbuf_printf(b, "    - npm install --global bun\n");
    if (f->manager.name)
        strbuf_printf(b, "    - %s\n", f->manager.install);
    strbuf_printf(b, "    - %s lockflight ci\n", exec(f));
}

/* A line at the left edge that begins with `key`. */
static bool has_top_key(struct str text, const char *key)
{
    while (text.n > 0) {
        if (str_starts(str_cut(&text, '\n'), key))
            return true;
    }
    return false;
}

#define GITLAB_INCLUDED ".gitlab/lockflight.yml"

/* The project's own file gets one line: an include of ours. Its keys are not touched. */
static bool gitlab_include(const struct found *f, struct draft *d, struct err *e)
{
    struct str text;
    if (!found_text(f, ".gitlab-ci.yml", &text, e))
        return false;
    CLEANUP(strbuf) struct strbuf b = strbuf_init(WORKFLOW_BYTES);
    gitlab_job(f, has_top_key(text, "stages:") ? ".post" : "deploy", &b);
    if (!draft_add(f, d, GITLAB_INCLUDED, str_of(arena_strdup(f->arena, strbuf_text(&b))), e))
        return false;
    if (has_top_key(text, "include:")) {
        draft_note(d, ".gitlab-ci.yml has an `include` already: add `- local: %s` to it.",
                   GITLAB_INCLUDED);
        return true;
    }
    const char *after =
        arena_printf(f->arena, "include:\n  - local: %s\n\n%.*s", GITLAB_INCLUDED, STR_FMT(text));
    return draft_add(f, d, ".gitlab-ci.yml", str_of(after), e);
}

bool draft_workflow(const struct found *f, const struct answers *answers, struct draft *d,
                    struct err *e)
{
    if (f->workflow || answers->ci == FOUND_CI_NONE)
        return true;
    if (answers->ci == FOUND_CI_GITLAB && f->has_gitlab_file)
        return gitlab_include(f, d, e);
    CLEANUP(strbuf) struct strbuf b = strbuf_init(WORKFLOW_BYTES);
    bool is_github = answers->ci == FOUND_CI_GITHUB;
    if (is_github)
        github(f, &b);
    else
        gitlab_job(f, "deploy", &b);
    return draft_add(f, d, is_github ? ".github/workflows/release.yml" : ".gitlab-ci.yml",
                     str_of(arena_strdup(f->arena, strbuf_text(&b))), e);
}
