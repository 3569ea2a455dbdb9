/*
 * The tables of given names: see inventory_known.h.
 */
#include "secret/inventory_known.h"

enum {
    EDGE = 1 << USE_EDGE_FUNCTION,
    FRONT = 1 << USE_FRONTEND,
    BUILD = 1 << USE_BUILD,
    SITE = 1 << USE_SITE_FUNCTION,
    BAKED = FRONT | BUILD, /* the bundler may put what the build has into the site */
};

// clang-format off
static const struct {
    const char *name; /* with a "*" at the end: all that begin so */
    unsigned places;
    const char *giver;
} rows[] = {
    /* Edge Functions */
    { "SUPABASE_URL",              EDGE, "Supabase" },
    { "SUPABASE_ANON_KEY",         EDGE, "Supabase" },
    { "SUPABASE_SERVICE_ROLE_KEY", EDGE, "Supabase" },
    { "SUPABASE_DB_URL",           EDGE, "Supabase" },
    { "SUPABASE_PUBLISHABLE_KEYS", EDGE, "Supabase" },
    { "SUPABASE_SECRET_KEYS",      EDGE, "Supabase" },
    { "SUPABASE_JWKS",             EDGE, "Supabase" },
    { "SB_REGION",                 EDGE, "Supabase" },
    { "SB_EXECUTION_ID",           EDGE, "Supabase" },
    { "DENO_DEPLOYMENT_ID",        EDGE | SITE, "the runtime" },
    { "DENO_REGION",               EDGE | SITE, "the runtime" },
    { "LOCKFLIGHT_RELEASE",        EDGE, "Lockflight" },

    /* what bundlers define */
    { "MODE",     FRONT, "the bundler" },
    { "DEV",      FRONT, "the bundler" },
    { "PROD",     FRONT, "the bundler" },
    { "SSR",      FRONT, "the bundler" },
    { "BASE_URL", FRONT, "the bundler" },
    { "LEGACY",   FRONT, "the bundler" },
    { "SITE",     FRONT, "the bundler" },
    { "ASSETS_PREFIX",      FRONT, "the bundler" },
    { "PUBLIC_URL",         BAKED, "the bundler" },
    { "NEXT_RUNTIME",       BAKED | SITE, "the bundler" },
    { "NEXT_PHASE",         BAKED | SITE, "the bundler" },
    { "VITEST",             BAKED, "the test runner" },
    { "VITEST_*",           BAKED, "the test runner" },
    { "JEST_WORKER_ID",     BAKED, "the test runner" },
    { "STORYBOOK",          BAKED, "the bundler" },
    { "NODE_ENV", BAKED | SITE | EDGE, "the runtime" },
    { "NODE_*",   BUILD | SITE, "the runtime" },
    { "DEBUG",    BUILD, "the shell" },

    /* Netlify: build and functions */
    { "NETLIFY",             BAKED | SITE, "Netlify" },
    { "NETLIFY_*",           BAKED | SITE, "Netlify" },
    { "CONTEXT",             BAKED | SITE, "Netlify" },
    { "BRANCH",              BAKED, "Netlify" },
    { "HEAD",                BAKED, "Netlify" },
    { "COMMIT_REF",          BAKED, "Netlify" },
    { "CACHED_COMMIT_REF",   BAKED, "Netlify" },
    { "PULL_REQUEST",        BAKED, "Netlify" },
    { "REVIEW_ID",           BAKED, "Netlify" },
    { "REPOSITORY_URL",      BAKED, "Netlify" },
    { "INCOMING_HOOK_TITLE", BAKED, "Netlify" },
    { "INCOMING_HOOK_URL",   BAKED, "Netlify" },
    { "INCOMING_HOOK_BODY",  BAKED, "Netlify" },
    { "BUILD_ID",            BAKED, "Netlify" },
    { "DEPLOY_ID",           BAKED | SITE, "Netlify" },
    { "DEPLOY_URL",          BAKED | SITE, "Netlify" },
    { "DEPLOY_PRIME_URL",    BAKED | SITE, "Netlify" },
    { "URL",                 BAKED | SITE, "Netlify" },
    { "SITE_ID",             BAKED | SITE, "Netlify" },
    { "SITE_NAME",           BAKED | SITE, "Netlify" },
    { "ACCOUNT_ID",          BAKED | SITE, "Netlify" },

    /* the build image, and the runtime of functions */
    { "CI",           BUILD, "the build" },
    { "PATH",         BUILD | SITE, "the system" },
    { "HOME",         BUILD | SITE, "the system" },
    { "PWD",          BUILD | SITE, "the system" },
    { "USER",         BUILD, "the system" },
    { "SHELL",        BUILD, "the system" },
    { "TMPDIR",       BUILD | SITE, "the system" },
    { "TZ",           BUILD | SITE, "the system" },
    { "LANG",         BUILD | SITE, "the system" },
    { "npm_*",        BUILD, "npm" },
    { "AWS_REGION",   SITE, "Netlify" },
    { "AWS_LAMBDA_*", SITE, "Netlify" },
    { "AWS_EXECUTION_ENV", SITE, "Netlify" },
    { "LAMBDA_*",     SITE, "Netlify" },
    { "_HANDLER",     SITE, "Netlify" },
};
// clang-format on

static bool matches(const char *row, const char *name)
{
    size_t n = strlen(row);
    return row[n - 1] == '*' ? strncmp(row, name, n - 1) == 0 : streq(row, name);
}

const char *inventory_given(enum use_place place, const char *name)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if ((rows[i].places & (1U << place)) && matches(rows[i].name, name))
            return rows[i].giver;
    return NULL;
}
