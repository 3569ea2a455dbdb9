/*
 * `lockflight man <page>` prints a manual page in roff, made from the tables that drive the
 * program: lockflight(1) from the commands, lockflight.toml(5) and lockflight.flags.toml(5) from the
 * keys.
 */
#include "base/str.h"
#include "cli/output.h"
#include "cli/roff.h"
#include "command/commands.h"
#include "command/explain.h"
#include "config/flags_toml.h"
#include "config/keys.h"

struct man_args {
    const char *page;
};

static const struct argument man_arguments[] = {
    { "page", ARG_ONE, COMPLETE_WORDS, AT(man_args, page), "Which page",
      "lockflight|lockflight.toml|lockflight.flags.toml" },
    { 0 },
};

static const char about[] = "Lockflight releases a web application whose frontend is on Netlify "
                            "and whose backend is on Supabase.\n"
                            "A release goes through its phases in order: test, hidden draft of the "
                            "site, variables, migrations, functions,\n"
                            "checks of the backend, publishing, checks of the live site. Every "
                            "step can be taken back, and the way back is\n"
                            "shown before it is taken. What must be remembered is in the database "
                            "of the environment itself, so any machine\n"
                            "with the credentials can go on after a crash.";

struct row {
    const char *term;
    const char *text;
};

static const struct row statuses[] = {
    { "0", "Done, or nothing to do." },
    { "1", "Unexpected error." },
    { "2", "Command line or configuration is wrong; nothing was touched." },
    { "3", "There is something to do (only with plan --exit-code and flags stale --fail)." },
    { "4", "Not authorised." },
    { "5", "Blocked by a gate, a lock, or an inconclusive check; nothing was changed." },
    { "6", "Failed; the environment is as before." },
    { "7", "Failed; code as before, database ahead and verified." },
    { "8", "Failed; a person is needed." },
    { "9", "Interrupted, resumable." },
    { "10", "Released, and a flag was switched off because a check was red." },
    { 0 },
};

static const struct row variables[] = {
    { "LOCKFLIGHT_CONFIG", "Read this file instead of the nearest lockflight.toml." },
    { "LOCKFLIGHT_<ENV>_DATABASE_URL",
      "Postgres URL of an environment, direct or by a session pooler." },
    { "LOCKFLIGHT_<ENV>_NETLIFY_TOKEN", "Token for Netlify; else NETLIFY_AUTH_TOKEN." },
    { "LOCKFLIGHT_<ENV>_SUPABASE_TOKEN", "Token for Supabase; else SUPABASE_ACCESS_TOKEN." },
    { "LOCKFLIGHT_STATE_DIR", "Where the local platform keeps its state." },
    { "LOCKFLIGHT_RUNTIME_DIR", "Where Deno and PostgREST are." },
    { "CI", "Set: never ask, append-only progress, a sign of life every 30 seconds." },
    { "GITHUB_ACTIONS", "true: log groups and annotations." },
    { "NO_COLOR", "Not empty: no colour. TERM=dumb does the same." },
    { 0 },
};

static void rows(const struct terminal *to, const char *title, const struct row *row)
{
    roff_section(to, title);
    for (; row->term; row++)
        roff_item(to, row->term, row->text);
}

static void man_lockflight(struct command_context *c)
{
    const struct terminal *to = &c->out;
    roff_title(to, "lockflight", 1,
               "fly a release of a Netlify and Supabase application, and bring it back");
    roff_section(to, "SYNOPSIS");
    roff_text(to, "lockflight <command> [options]");
    roff_section(to, "DESCRIPTION");
    roff_text(to, about);
    roff_commands(c, to);
    rows(to, "EXIT STATUS", statuses);
    rows(to, "ENVIRONMENT", variables);
    roff_section(to, "ERRORS");
    for (const struct explanation *x = explanations; x->id; x++)
        roff_item(to, arena_printf(c->arena, "%s  %s", x->id, x->title), x->text);
    roff_section(to, "SEE ALSO");
    roff_text(to, "lockflight.toml(5), lockflight.flags.toml(5)");
}

static const char *const kind_texts[] = {
    [KEY_TEXT] = "text",
    [KEY_PATH] = "path",
    [KEY_BOOL] = "true or false",
    [KEY_INT] = "whole number",
    [KEY_MS] = "time",
    [KEY_SHARE] = "share",
    [KEY_WORD] = "one of",
    [KEY_WORDS] = "list of",
    [KEY_TEXTS] = "list of texts",
    [KEY_PAIRS] = "table of texts",
    [KEY_JSON] = "any value",
    [KEY_CHOICE] = "one of",
    [KEY_DATE] = "date",
    [KEY_JSONS] = "table of values",
    [KEY_LIST] = "list of tables",
    [KEY_TABLE] = "table",
    [KEY_NAMED] = "table",
    [KEY_LATER] = "",
};

static void key_item(struct command_context *c, const struct key *k, const char *path)
{
    struct arena *a = c->arena;
    bool has_words = k->kind == KEY_WORD || k->kind == KEY_WORDS || k->kind == KEY_CHOICE;
    const char *term = arena_printf(a, "%s%s%s", path, path[0] ? "." : "", k->name);
    const char *what = arena_printf(a, "%s%s%s", kind_texts[k->kind], has_words ? " " : "",
                                    has_words ? k->words : "");
    const char *fallback =
        k->otherwise && k->otherwise[0] ? arena_printf(a, "; default %s", k->otherwise) : "";
    roff_item(&c->out, term, arena_printf(a, "%s.\n(%s%s)", k->summary, what, fallback));
}

static bool is_table(const struct key *k)
{
    return k->kind == KEY_TABLE || k->kind == KEY_NAMED || k->kind == KEY_LIST;
}

/* The depth is the one of the key tables, three. NOLINTNEXTLINE(misc-no-recursion) */
static void keys_of(struct command_context *c, const struct key *keys, const char *path)
{
    struct arena *a = c->arena;
    for (const struct key *k = keys; k->name; k++) {
        if (!is_table(k) && k->kind != KEY_LATER)
            key_item(c, k, path);
    }
    for (const struct key *k = keys; k->name; k++) {
        if (!is_table(k))
            continue;
        const char *name = k->kind == KEY_NAMED ? ".<name>" : k->kind == KEY_LIST ? "[]" : "";
        const char *inner = arena_printf(a, "%s%s%s%s", path, path[0] ? "." : "", k->name, name);
        if (path[0] == '\0')
            roff_section(&c->out, arena_printf(a, "[%s]", inner));
        else
            roff_subsection(&c->out, inner);
        roff_text(&c->out, arena_printf(a, "%s.", k->summary));
        keys_of(c, k->keys, inner);
    }
}

static void man_toml(struct command_context *c)
{
    const struct terminal *to = &c->out;
    roff_title(to, "lockflight.toml", 5, "what a project tells lockflight");
    roff_section(to, "DESCRIPTION");
    roff_text(to,
              "The file stands at the root of the project. It holds only what netlify.toml and "
              "supabase/config.toml\n"
              "have no place for. Unknown keys are errors, but for those that begin with \"x-\".\n"
              "Times are written 250ms, 4s, 5m, 2h or 90d; shares 0.5%.");
    roff_section(to, "KEYS");
    keys_of(c, lockflight_keys, "");
    roff_section(to, "EXAMPLE");
    roff_example(
        to, "version = 1\nproject = \"studio\"\n\n[env.staging]\nnetlify = \"studio-staging\"\n"
            "supabase = \"remote:staging\"\nrequires = \"none\"\nchecks = { backend = [\"health\"] "
            "}\n\n"
            "[env.production]\nnetlify = \"studio\"\nsupabase = \"remote:production\"\n"
            "requires = \"staging\"\nchecks = { backend = [\"health\"] }\n\n"
            "[check.health]\nurl = \"{functions}/health\"\n"
            "expect = { status = 200, json = { ok = true, release = \"{release}\" } }");
    roff_section(to, "SEE ALSO");
    roff_text(to, "lockflight(1), lockflight.flags.toml(5)");
}

static void man_flags(struct command_context *c)
{
    const struct terminal *to = &c->out;
    roff_title(to, "lockflight.flags.toml", 5, "the feature flags of a project");
    roff_section(to, "DESCRIPTION");
    roff_text(to,
              "The file stands beside lockflight.toml and holds definitions. What is switched on "
              "is not in it: that is state of\n"
              "an environment, in its database, and a release never changes it. A flag that is "
              "new is created switched off,\n"
              "or as `initial` says for that environment. Unknown keys are errors, but for those "
              "that begin with \"x-\".");
    roff_section(to, "KEYS");
    keys_of(c, flags_keys, "");
    roff_section(to, "EXAMPLE");
    roff_example(to,
                 "[attributes]\nplan = { type = \"string\", trusted = true }\napp = \"version\"\n\n"
                 "[flag.financial]\ndescription = \"Invoices and payments\"\nowner = \"billing\"\n"
                 "exposure = \"client\"\nexpires = 2027-06-01\n"
                 "requires = [{ flag = \"crm\" }]\nneeds = { functions = [\"whatsapp\"] }\n"
                 "initial = { staging = \"on\" }");
    roff_section(to, "SEE ALSO");
    roff_text(to, "lockflight(1), lockflight.toml(5)");
}

static bool man(struct command_context *c, void *args, struct err *e)
{
    (void)e;
    const struct man_args *given = args;
    if (streq(given->page, "lockflight"))
        man_lockflight(c);
    else if (streq(given->page, "lockflight.toml"))
        man_toml(c);
    else
        man_flags(c);
    return true;
}

const struct command cmd_man = {
    .name = "man",
    .synopsis = "man <page>",
    .summary = "Print a manual page: lockflight, lockflight.toml or lockflight.flags.toml",
    .examples = "lockflight man lockflight.toml | man -l -",
    .group = GROUP_ALSO,
    .arguments = man_arguments,
    .args_size = sizeof(struct man_args),
    .run = man,
};
