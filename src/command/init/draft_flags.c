/*
 * Feature flags for a project with a database: the Edge Function that answers browsers, the migration
 * through which it and policies read the flags, its reverse script, and a first lockflight.flags.toml.
 *
 * The texts are in flags/, embedded; examples/studio has the same ones. A function `flags`, a
 * migration that mentions lockflight_flags, a function module_enabled that are there are left.
 */
#include "base/clock.h"
#include "base/fs.h"
#include "command/init/draft.h"
#include "command/init/flags/texts.h"

#include <ctype.h>
#include <inttypes.h>

static const struct {
    const char *name;
    const char *text;
} function_files[] = {
    { "caller.ts", flags_caller_ts },     { "deno.json", flags_deno_json },
    { "flag_set.ts", flags_flag_set_ts }, { "handler.ts", flags_handler_ts },
    { "index.ts", flags_index_ts },       { "keeper.ts", flags_keeper_ts },
    { "snapshot.ts", flags_snapshot_ts },
};

static bool has_function(const struct found *f, const char *slug)
{
    for (size_t i = 0; i < f->config.supabase.functions_n; i++) {
        if (streq(f->config.supabase.functions[i].slug, slug))
            return true;
    }
    return false;
}

static bool migrations_say(const struct found *f, const char *words)
{
    for (size_t i = 0; i < f->migrations.n; i++) {
        struct str sql = f->migrations.v[i].sql;
        if (memmem(sql.p, sql.n, words, strlen(words)))
            return true;
    }
    return false;
}

/* ---- the Edge Function ---- */

/* Supabase checks tokens unless it is told not to. Said all the same: the function relies on it. */
static bool add_entry(const struct found *f, struct draft *d, struct err *e)
{
    static const char path[] = "supabase/config.toml";
    struct str text;
    if (!found_text(f, path, &text, e))
        return false;
    if (text.n == 0)
        return true;
    const char *after = arena_printf(
        f->arena,
        "%.*s%s\n# Answers browsers which flags are on. Keep true: it believes the tokens "
        "that Supabase has checked.\n[functions.flags]\nverify_jwt = true\n",
        STR_FMT(text), str_ends(text, "\n") ? "" : "\n");
    return draft_add(f, d, path, str_of(after), e);
}

static bool add_function(const struct found *f, struct draft *d, struct err *e)
{
    if (has_function(f, "flags"))
        return true;
    for (size_t i = 0; i < sizeof function_files / sizeof function_files[0]; i++) {
        const char *path =
            arena_printf(f->arena, "supabase/functions/flags/%s", function_files[i].name);
        if (!draft_add(f, d, path, str_of(function_files[i].text), e))
            return false;
    }
    return add_entry(f, d, e);
}

/* ---- the migration ---- */

/* Now, or right after the newest one that is there. */
static const char *next_version(const struct found *f)
{
    const char *now = clock_rfc3339(f->arena, clock_unix_ms());
    char *version = arena_strdup(f->arena, now);
    size_t n = 0;
    for (const char *p = now; *p; p++) {
        if (isdigit((unsigned char)*p))
            version[n++] = *p;
    }
    version[n] = '\0';
    const char *newest = f->migrations.n > 0 ? f->migrations.v[f->migrations.n - 1].version : "";
    uint64_t number;
    if (strcmp(newest, version) < 0 || !str_to_u64(str_of(newest), &number))
        return version;
    return arena_printf(f->arena, "%" PRIu64, number + 1);
}

static bool add_migration(const struct found *f, struct draft *d, struct err *e)
{
    if (migrations_say(f, "lockflight_flags("))
        return true;
    bool has_module = migrations_say(f, "module_enabled(");
    const char *version = next_version(f);
    const char *up =
        arena_printf(f->arena, "%s%s", flags_snapshot_sql, has_module ? "" : flags_module_sql);
    const char *down =
        arena_printf(f->arena, "%sdrop function public.lockflight_flags(bigint);\n",
                     has_module ? "" : "drop function public.module_enabled(text);\n");
    if (has_module)
        draft_note(d, "module_enabled() is yours already and stays. What ours would do is in "
                      "docs/flags.md, \"In Edge Functions and SQL\".");
    return draft_add(f, d,
                     arena_printf(f->arena, "supabase/migrations/%s_lockflight_flags.sql", version),
                     str_of(up), e) &&
           draft_add(f, d,
                     arena_printf(f->arena, "supabase/rollbacks/%s_lockflight_flags.sql", version),
                     str_of(down), e);
}

/* ---- all of it ---- */

bool draft_flags(const struct found *f, const struct answers *answers, struct draft *d,
                 struct err *e)
{
    const struct supabase_config *supabase = &f->config.supabase;
    bool has_database = supabase->file || supabase->functions_n > 0 || f->migrations.n > 0;
    if (!answers->wants_flags || !has_database)
        return true;
    size_t before = d->files.n;
    if (!add_function(f, d, e) || !add_migration(f, d, e))
        return false;
    if (!fs_exists(fs_join(f->arena, f->dir, "lockflight.flags.toml")) &&
        !draft_add(f, d, "lockflight.flags.toml", str_of(flags_starter_toml), e))
        return false;
    if (d->files.n > before)
        draft_note(d, "Feature flags come with it: lockflight.flags.toml, the function `flags` and "
                      "a migration. `lockflight init --no-flags` leaves them out.");
    return true;
}
