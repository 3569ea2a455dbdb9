/*
 * The keys of lockflight.toml: name, kind, place, words, default, what it is for.
 */
#include "config/keys.h"

// clang-format off
static const struct key netlify_keys[] = {
    { "site", KEY_TEXT, KEY_AT(config_env, netlify.site), .summary = "Site id, name or domain; the local platform knows its own" },
    { "api",  KEY_TEXT, KEY_AT(config_env, netlify.api),  .summary = "Base URL of the Netlify API; default: the vendor's, or the local platform's" },
    { "url",  KEY_TEXT, KEY_AT(config_env, netlify.url),  .summary = "Address that visitors use and checks ask, if it is not the one Netlify names" },
    { 0 },
};

static const struct key supabase_keys[] = {
    { "ref", KEY_TEXT, KEY_AT(config_env, supabase.ref), .summary = "Project ref, or \"remote:<name>\" for [remotes.<name>] of supabase/config.toml" },
    { "api", KEY_TEXT, KEY_AT(config_env, supabase.api), .summary = "Base URL of the management API; default: the vendor's, or the local platform's" },
    { "url", KEY_TEXT, KEY_AT(config_env, supabase.url), .summary = "Base URL of the project; default https://<ref>.supabase.co" },
    { 0 },
};

static const struct key env_check_keys[] = {
    { "backend", KEY_TEXTS, KEY_AT(config_env, checks.backend), .summary = "Checks after migrations and functions, before publishing" },
    { "site",    KEY_TEXTS, KEY_AT(config_env, checks.site),    .summary = "Checks of the published site" },
    { 0 },
};

static const struct key watch_keys[] = {
    { "backend",      KEY_MS,    KEY_AT(config_env, watch.backend_ms),   .otherwise = "0",  .summary = "How long the backend is watched before publishing" },
    { "site",         KEY_MS,    KEY_AT(config_env, watch.site_ms),      .otherwise = "0",  .summary = "How long the site is watched after publishing" },
    { "max_error",    KEY_SHARE, KEY_AT(config_env, watch.max_error),    .otherwise = "0%", .summary = "Share of failed probes that is still green" },
    { "min_requests", KEY_INT,   KEY_AT(config_env, watch.min_requests), .otherwise = "0",  .summary = "Fewer probes than this are inconclusive, which is not green" },
    { 0 },
};

static const struct key env_keys[] = {
    { "platform", KEY_WORD,  KEY_AT(config_env, platform), .words = "hosted|local", .otherwise = "hosted", .summary = "Where it runs; supplies defaults for addresses and credentials, changes nothing else" },
    { "database", KEY_TEXT,  KEY_AT(config_env, database), .summary = "Postgres URL without password, or \"env:NAME\"; LOCKFLIGHT_<ENV>_DATABASE_URL outranks it" },
    { "netlify",  KEY_TABLE, 0, .words = "site", .keys = netlify_keys,   .summary = "The site; a plain text is its `site`" },
    { "supabase", KEY_TABLE, 0, .words = "ref",  .keys = supabase_keys,  .summary = "The project; a plain text is its `ref`" },
    { "requires", KEY_TEXT,  KEY_AT(config_env, requires), .summary = "Environment that must have proved the content first, or \"none\"; required for production" },
    { "checks",   KEY_TABLE, 0, .keys = env_check_keys, .summary = "Names of [check.<name>], by phase" },
    { "watch",    KEY_TABLE, 0, .keys = watch_keys,     .summary = "Watching after the checks" },
    { "flag_off", KEY_WORD,  KEY_AT(config_env, flag_off), .words = "offer|do|never", .otherwise = "offer", .summary = "Whether a red check that names a module switches that flag off before anything is rolled back; \"offer\": if a person at the terminal says so" },
    { "auto",     KEY_LATER, 0, .summary = "Branch that is deployed by itself" },
    { "gates",    KEY_LATER, 0, .summary = "Named gates" },
    { "soak",     KEY_MS,    KEY_AT(config_env, soak_ms), .otherwise = "0", .summary = "How long the environment that it requires must have had the content, proved" },
    { "approve",  KEY_LATER, 0, .summary = "Who must approve" },
    { 0 },
};

static const struct key path_keys[] = {
    { "supabase", KEY_PATH, KEY_AT(config, paths.supabase), .otherwise = "supabase",           .summary = "Folder of the Supabase project" },
    { "netlify",  KEY_PATH, KEY_AT(config, paths.netlify),  .otherwise = "netlify.toml",       .summary = "Netlify's file" },
    { "reverse",  KEY_PATH, KEY_AT(config, paths.reverse),  .otherwise = "supabase/rollbacks", .summary = "Folder of the reverse scripts" },
    { "secrets",  KEY_PATH, KEY_AT(config, paths.secrets),  .otherwise = "secrets",            .summary = "Folder of the encrypted values, one file <environment>.lf each" },
    { "flags",    KEY_PATH, KEY_AT(config, paths.flags),    .otherwise = "lockflight.flags.toml", .summary = "Definitions of feature flags" },
    { 0 },
};

static const struct key local_keys[] = {
    { "port", KEY_INT, KEY_AT(config, local_port), .otherwise = "4600", .summary = "First port of the local platform: the vendors' APIs; environments follow" },
    { 0 },
};

static const struct key test_keys[] = {
    { "run",     KEY_TEXT, KEY_AT(config, test.run), .summary = "Shell line that must succeed before anything is touched" },
    { "timeout", KEY_MS,   KEY_AT(config, test.timeout_ms), .otherwise = "30m", .summary = "When it is stopped" },
    { 0 },
};

static const struct key schema_keys[] = {
    { "lock_timeout",      KEY_MS,   KEY_AT(config, schema.lock_timeout_ms),      .otherwise = "250ms", .summary = "The most that a visitor may wait behind a migration for a lock; 50ms to 10s. A file may ask for less or more: `-- lock-budget: 100ms`" },
    { "lock_wait",         KEY_MS,   KEY_AT(config, schema.lock_wait_ms),         .otherwise = "10m", .summary = "How long a migration waits for those who hold its tables, before it gives up with nothing changed" },
    { "statement_timeout", KEY_MS,   KEY_AT(config, schema.statement_timeout_ms), .otherwise = "60s", .summary = "How long one statement may run" },
    { "transaction_timeout", KEY_MS, KEY_AT(config, schema.transaction_timeout_ms), .otherwise = "10m", .summary = "How long one transaction of a migration may hold its locks, however many statements it has (PostgreSQL 17 and newer)" },
    { "replica_lag", KEY_MS, KEY_AT(config, schema.replica_lag_ms), .otherwise = "10s", .summary = "A backfill pauses while a replica is further behind" },
    { "on_red",            KEY_WORD, KEY_AT(config, schema.on_red), .words = "unwind|keep|ask", .otherwise = "unwind", .summary = "What happens to a release whose verification is red" },
    { "contract_after",    KEY_LATER, 0, .summary = "Minimum age before a contract step" },
    { 0 },
};

static const struct key expect_keys[] = {
    { "status",   KEY_INT,   KEY_AT(config_check, expect.status), .otherwise = "200", .summary = "HTTP status" },
    { "contains", KEY_TEXT,  KEY_AT(config_check, expect.contains), .summary = "Text that must be in the body" },
    { "json",     KEY_JSON,  KEY_AT(config_check, expect.json),     .summary = "Members that the JSON body must have, with these values; templates allowed" },
    { "headers",  KEY_PAIRS, KEY_AT(config_check, expect.headers),  .summary = "Headers, and a text that each must contain" },
    { 0 },
};

static const struct key check_keys[] = {
    { "url",     KEY_TEXT,  KEY_AT(config_check, url), .summary = "Address to get: {site} {functions} {supabase} {permalink} {release}" },
    { "run",     KEY_TEXT,  KEY_AT(config_check, run), .summary = "Shell line instead of `url`; gets LOCKFLIGHT_… variables, green is exit 0" },
    { "expect",  KEY_TABLE, 0, .keys = expect_keys, .summary = "What a green answer looks like" },
    { "repeat",  KEY_INT,   KEY_AT(config_check, repeat),     .otherwise = "1",   .summary = "Times in a row it must be green" },
    { "within",  KEY_MS,    KEY_AT(config_check, within_ms),  .otherwise = "10s", .summary = "Time for one answer" },
    { "timeout", KEY_MS,    KEY_AT(config_check, timeout_ms), .otherwise = "60s", .summary = "Time for a `run`" },
    { "module",  KEY_TEXT,  KEY_AT(config_check, module), .summary = "The flag that a failure points at" },
    { 0 },
};

static const struct key var_keys[] = {
    { "to",         KEY_WORDS, KEY_AT(config_var, to), .words = "supabase|netlify:build|netlify:functions|runtime", .summary = "Who gets it; \"runtime\" is the file /_lockflight/env.js, which visitors can read" },
    { "secret",     KEY_BOOL,  KEY_AT(config_var, is_secret),   .otherwise = "false", .summary = "Its value is never shown and never published" },
    { "distinct",   KEY_BOOL,  KEY_AT(config_var, is_distinct), .otherwise = "false", .summary = "It must differ between environments" },
    { "min_length", KEY_INT,   KEY_AT(config_var, min_length),  .otherwise = "0",     .summary = "Bytes it must have" },
    { "rotate",     KEY_MS,    KEY_AT(config_var, rotate_ms),   .otherwise = "0",     .summary = "Age after which `status` warns" },
    { "value",      KEY_TEXT,  KEY_AT(config_var, value), .summary = "For every environment: a text, {supabase_url}, {supabase_anon_key}, {site_url} or {flags_url}" },
    { "from",       KEY_PAIRS, KEY_AT(config_var, from),  .summary = "By environment: \"env:NAME\", \"cmd:shell line\", or a text if it is no secret" },
    { 0 },
};

static const struct key allow_keys[] = {
    { "reason", KEY_TEXT,  KEY_AT(config_allow, reason), .summary = "Why it may be published; required" },
    { "files",  KEY_TEXTS, KEY_AT(config_allow, files),  .summary = "Published files that it may be in, with * and **; default: all" },
    { 0 },
};

static const struct key inventory_keys[] = {
    { "frontend", KEY_TEXTS, KEY_AT(config, inventory.frontend), .summary = "Folders with the frontend's sources; default: the base folder of the build" },
    { "ignore",   KEY_TEXTS, KEY_AT(config, inventory.ignore),   .summary = "Sources that are not looked at, with * and **; a folder ends with /" },
    { "optional", KEY_TEXTS, KEY_AT(config, inventory.optional), .summary = "Variables that the code asks for and that may be missing" },
    { 0 },
};

const struct key lockflight_keys[] = {
    { "version",  KEY_INT,   KEY_AT(config, version), .summary = "Version of this format: 1" },
    { "project",  KEY_TEXT,  KEY_AT(config, project), .summary = "Short name: a-z, 0-9 and -" },
    { "artefact", KEY_WORD,  KEY_AT(config, artefact), .words = "same|rebuild", .otherwise = "same", .summary = "\"same\": production gets the bytes that staging proved; \"rebuild\": the same source, built again" },
    { "paths",    KEY_TABLE, 0, .keys = path_keys,   .summary = "Where things are" },
    { "local",    KEY_TABLE, 0, .keys = local_keys,  .summary = "The local platform" },
    { "test",     KEY_TABLE, 0, .keys = test_keys,   .summary = "The test stage" },
    { "schema",   KEY_TABLE, 0, .keys = schema_keys, .summary = "Migrations" },
    { "env",      KEY_NAMED, KEY_AT(config, envs),   .keys = env_keys,   .item_bytes = sizeof(struct config_env),   .summary = "An environment" },
    { "check",    KEY_NAMED, KEY_AT(config, checks), .keys = check_keys, .item_bytes = sizeof(struct config_check), .summary = "A check" },
    { "var",      KEY_NAMED, KEY_AT(config, vars),   .keys = var_keys,   .item_bytes = sizeof(struct config_var),   .summary = "A declared variable" },
    { "allow",    KEY_NAMED, KEY_AT(config, allows), .keys = allow_keys, .item_bytes = sizeof(struct config_allow), .summary = "A variable or a pattern of the leak gate that looks secret and may be published" },
    { "inventory", KEY_TABLE, 0, .keys = inventory_keys, .summary = "Which variables the sources use" },
    { "freeze",   KEY_LATER, 0, .summary = "Times without releases" },
    { "notify",   KEY_LATER, 0, .summary = "Who is told" },
    { 0 },
};
// clang-format on
