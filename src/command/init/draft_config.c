/*
 * The text of lockflight.toml, and of netlify.toml where a project has none.
 *
 * Only what could be found is written; each line that is a guess says so beside itself. The text must
 * load as it is: a test does that for every shape of project.
 */
#include "base/fs.h"
#include "base/limits.h"
#include "base/strbuf.h"
#include "command/init/draft.h"

/* A basic string of TOML. */
static const char *quoted(struct arena *a, const char *text)
{
    char *to = arena_alloc(a, 6 * strlen(text) + 3);
    size_t n = 0;
    to[n++] = '"';
    for (const char *p = text; *p; p++) {
        unsigned char c = (unsigned char)*p;
        if (c == '"' || c == '\\')
            to[n++] = '\\';
        if (c < 0x20)
            n += (size_t)snprintf(to + n, 7, "\\u%04x", c);
        else
            to[n++] = *p;
    }
    to[n++] = '"';
    to[n] = '\0';
    return to;
}

/* ---- environments ---- */

static bool has_remote(const struct found *f, const char *name)
{
    for (size_t i = 0; i < f->config.remotes_n; i++) {
        if (streq(f->config.remotes[i].name, name) && f->config.remotes[i].project_id)
            return true;
    }
    return false;
}

static void add_checks(const struct found *f, struct strbuf *b)
{
    strbuf_printf(b, "checks = { backend = [%s], site = [\"home\"] }\n",
                  f->has_health ? "\"health\"" : "");
}

static void add_environments(const struct found *f, const struct answers *answers, struct strbuf *b)
{
    struct arena *a = f->arena;
    bool is_hosted = answers->site != NULL;
    strbuf_printf(b, "[env.staging]\n");
    strbuf_printf(b, "platform = \"local\"   # %s\n",
                  is_hosted ? "or a hosted pair of its own: platform, netlify, supabase"
                            : "this machine; `lockflight local up` starts it");
    strbuf_printf(b, "requires = \"none\"\n");
    add_checks(f, b);
    strbuf_printf(b, "\n[env.production]\n");
    if (is_hosted) {
        strbuf_printf(b, "netlify = { site = %s }\n", quoted(a, answers->site));
        if (answers->ref)
            strbuf_printf(b, "supabase = { ref = %s }\n", quoted(a, answers->ref));
    } else {
        strbuf_printf(b, "platform = \"local\"\n");
    }
    strbuf_printf(b, "requires = \"staging\"   # only what staging has proved\n");
    add_checks(f, b);
    if (is_hosted)
        strbuf_printf(b, "watch = { backend = \"30s\", site = \"1m\" }\n");
}

/* ---- checks ---- */

static void add_check_tables(const struct found *f, struct strbuf *b)
{
    if (f->has_health) {
        strbuf_printf(b, "\n[check.health]\nurl = \"{functions}/health\"\n");
        strbuf_printf(b, "expect = { status = 200%s }\nrepeat = 3\n",
                      f->tells_release ? ", json = { release = \"{release}\" }" : "");
    }
    strbuf_printf(b, "\n[check.home]\nurl = \"{site}/\"\nexpect = { status = 200%s%s }\n",
                  f->root_element ? ", contains = " : "",
                  f->root_element ? quoted(f->arena, f->root_element) : "");
}

/* ---- variables ---- */

/* Where the values will come from: variables of whoever runs Lockflight, one per environment. */
static const char *sources(const struct found *f, const char *name)
{
    return arena_printf(f->arena,
                        "from = { staging = \"env:STAGING_%s\", production = "
                        "\"env:PRODUCTION_%s\" }\n",
                        name, name);
}

/* {supabase_url} and {supabase_anon_key}, by the names that everybody gives them. */
static const char *filled_in(const char *name)
{
    if (ends_with(name, "SUPABASE_URL"))
        return "{supabase_url}";
    if (ends_with(name, "SUPABASE_ANON_KEY") || ends_with(name, "SUPABASE_KEY") ||
        ends_with(name, "SUPABASE_PUBLISHABLE_KEY") ||
        ends_with(name, "SUPABASE_PUBLISHABLE_DEFAULT_KEY"))
        return "{supabase_anon_key}";
    return NULL;
}

static bool bakes_values(const struct found *f)
{
    for (size_t i = 0; i < f->variables_n; i++) {
        if (f->variables[i].in_frontend && !f->variables[i].in_functions)
            return true;
    }
    return false;
}

static void add_function_variable(const struct found *f, const struct found_variable *v,
                                  struct strbuf *b)
{
    strbuf_printf(b, "\n[var.%s]   # %s\nto = [\"supabase\"]\n", v->name, v->where);
    if (v->looks_secret)
        strbuf_printf(b, "secret = true\n");
    strbuf_adds(b, sources(f, v->name));
}

static void add_frontend_variable(const struct found *f, const struct found_variable *v,
                                  struct draft *d, struct strbuf *b)
{
    const char *value = filled_in(v->name);
    if (!value && v->looks_secret) {
        draft_note(d,
                   "%s (%s) looks like a secret, and its prefix puts it into the site, where every "
                   "visitor reads it: not declared. Let a function use it instead.",
                   v->name, v->where);
        return;
    }
    strbuf_printf(b, "\n[var.%s]   # %s\nto = [\"netlify:build\"]\n", v->name, v->where);
    if (value)
        strbuf_printf(b, "value = \"%s\"\n", value);
    else
        strbuf_adds(b, sources(f, v->name));
}

static void add_variables(const struct found *f, struct draft *d, struct strbuf *b)
{
    if (f->reads_runtime) {
        strbuf_printf(b, "\n[var.SUPABASE_URL]   # index.html reads /_lockflight/env.js\n"
                         "to = [\"runtime\"]\nvalue = \"{supabase_url}\"\n"
                         "\n[var.SUPABASE_ANON_KEY]\n"
                         "to = [\"runtime\"]\nvalue = \"{supabase_anon_key}\"\n");
    }
    for (size_t i = 0; i < f->variables_n; i++) {
        const struct found_variable *v = &f->variables[i];
        if (v->in_functions)
            add_function_variable(f, v, b);
        else
            add_frontend_variable(f, v, d, b);
    }
    if (f->variables_n > 0)
        draft_note(d, "The sources of the declared variables are names of environment variables: "
                      "set those, or change `from`.");
}

/* ---- whole files ---- */

bool draft_config(const struct found *f, const struct answers *answers, struct draft *d,
                  struct err *e)
{
    CLEANUP(strbuf) struct strbuf b = strbuf_init(LIMIT_CONFIG_BYTES);
    if (f->variables_n > LIMIT_VARIABLES)
        return err_set(e, ERR_LIMIT, "the app reads %zu variables; %d are the hosted limit",
                       f->variables_n, LIMIT_VARIABLES);
    strbuf_printf(&b, "# What neither netlify.toml nor supabase/config.toml has a place for.\n"
                      "# Every key: lockflight man lockflight.toml | man -l -\n"
                      "version = 1\n");
    strbuf_printf(&b, "project = %s\n", quoted(f->arena, f->project));
    if (bakes_values(f))
        strbuf_printf(&b, "artefact = \"rebuild\"   # the bundler bakes values of the environment "
                          "into the site\n");
    strbuf_addc(&b, '\n');
    add_environments(f, answers, &b);
    if (f->test)
        strbuf_printf(&b, "\n[test]\nrun = %s\n", quoted(f->arena, f->test));
    else
        draft_note(d, "No tests were found. Add them, and [test] run = \"…\" to lockflight.toml: a "
                      "release is stopped by a failing test before anything is touched.");
    add_check_tables(f, &b);
    add_variables(f, d, &b);
    if (!f->has_health)
        draft_note(d, "No backend check was written: no function `health` with verify_jwt = false "
                      "answers without a key. With one, a broken backend never meets a visitor.");
    if (has_remote(f, "staging"))
        draft_note(d, "supabase/config.toml has [remotes.staging]: supabase = { ref = "
                      "\"remote:staging\" } in [env.staging] would use it.");
    if (b.overflowed)
        return err_set(e, ERR_LIMIT, "lockflight.toml would be larger than a megabyte");
    return draft_add(f, d, "lockflight.toml", str_of(arena_strdup(f->arena, strbuf_text(&b))), e);
}

bool draft_netlify(const struct found *f, struct draft *d, struct err *e)
{
    const struct netlify_config *netlify = &f->config.netlify;
    struct arena *a = f->arena;
    if (netlify->file) {
        if (!netlify->publish)
            draft_note(d,
                       "netlify.toml does not say which folder is published: add [build] publish "
                       "= \"%s\". What the site's settings say is not asked.",
                       f->publish ? f->publish : "dist");
        return true;
    }
    if (!f->build)
        return true;
    const char *text = arena_printf(a, "[build]\ncommand = %s\npublish = %s\n", quoted(a, f->build),
                                    quoted(a, f->publish ? f->publish : "dist"));
    if (!f->publish)
        draft_note(d, "netlify.toml: `publish` is a guess, no known framework was found.");
    return draft_add(f, d, "netlify.toml", str_of(text), e);
}
