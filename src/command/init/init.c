/*
 * `lockflight init`: looks at a project, asks what only a person can know, shows the files that would
 * make it one of ours, and writes them.
 *
 * At most three things are asked, the last one being whether to write. What is there already stays as
 * it is: a second run finds nothing to do.
 */
#include "base/fs.h"
#include "cli/output.h"
#include "cli/prompt.h"
#include "command/commands.h"
#include "command/init/diff.h"
#include "command/init/draft.h"
#include "command/init/staging.h"

struct init_args {
    const char *site;
    const char *ref;
    const char *ci;
    const char *server;
    bool is_dry;
    bool without_flags;
    bool makes_staging;
    struct staging_args staging;
};

/* ---- questions ---- */

static bool wants_questions(const struct command_context *c)
{
    return !c->no_input && !c->yes;
}

static enum found_ci ci_by_name(const char *name)
{
    return streq(name, "github")   ? FOUND_CI_GITHUB
           : streq(name, "gitlab") ? FOUND_CI_GITLAB
           : streq(name, "none")   ? FOUND_CI_NONE
                                   : FOUND_CI_UNKNOWN;
}

static const char *ci_name(enum found_ci ci)
{
    return ci == FOUND_CI_GITHUB ? "github" : ci == FOUND_CI_GITLAB ? "gitlab" : "none";
}

static bool check_ref(const char *ref, const char *flag, struct err *e)
{
    if (!ref || (strlen(ref) == 20 && ref[strspn(ref, "abcdefghijklmnopqrstuvwxyz")] == '\0'))
        return true;
    err_set(e, ERR_USAGE, "\"%.60s\" is no project ref: it has 20 letters, a to z", ref);
    return err_hint(e, "it is in the address of the project's dashboard; %s", flag);
}

/* The words of a site's id, name or domain. */
static bool check_site(const char *site, struct err *e)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
    if (!site || (site[0] && strlen(site) < 254 && site[strspn(site, allowed)] == '\0'))
        return true;
    return err_set(e, ERR_USAGE, "\"%.60s\" is no name of a Netlify site: letters, digits and -",
                   site);
}

static bool ask_ci(struct command_context *c, const struct found *f, struct answers *to,
                   struct err *e)
{
    const char *answer = NULL;
    if (f->workflow || to->ci != FOUND_CI_UNKNOWN)
        return true;
    if (!prompt_text(c, "Which CI runs the releases: github, gitlab or none", "none", &answer, e))
        return false;
    to->ci = ci_by_name(answer);
    return to->ci != FOUND_CI_UNKNOWN ||
           err_set(e, ERR_USAGE, "\"%.40s\" is none of github, gitlab, none", answer);
}

/* Two at most: the site, then its project or, without a site, the CI. */
static bool ask(struct command_context *c, const struct found *f, struct answers *to, struct err *e)
{
    static const char which_site[] =
        "Netlify site of production, name or id (Enter: not yet, all on this machine)";
    if (!to->site && !prompt_text(c, which_site, "", &to->site, e))
        return false;
    if (to->site && !to->site[0])
        to->site = NULL;
    if (to->site && !to->ref) {
        if (!prompt_text(c, "Its Supabase project, the ref of 20 letters", "", &to->ref, e))
            return false;
        if (!to->ref[0])
            return err_set(e, ERR_USAGE,
                           "a site of Netlify's needs a project of Supabase's beside it");
        return true;
    }
    return ask_ci(c, f, to, e);
}

static bool answer(struct command_context *c, const struct init_args *args, const struct found *f,
                   bool has_config, struct answers *to, struct err *e)
{
    *to = (struct answers){
        .site = args->site ? args->site : f->site,
        .ref = args->ref ? args->ref : f->ref,
        .ci = args->ci ? ci_by_name(args->ci) : f->ci,
        .server = args->server,
        .wants_flags = !args->without_flags,
    };
    if (!has_config && wants_questions(c) && !ask(c, f, to, e))
        return false;
    if (to->ci == FOUND_CI_UNKNOWN)
        to->ci = to->site && !has_config ? FOUND_CI_GITHUB : FOUND_CI_NONE;
    if (!check_site(to->site, e) || !check_ref(to->ref, "--ref", e))
        return false;
    if (!has_config && to->site && !to->ref) {
        err_set(e, ERR_USAGE, "production's site is %s; which Supabase project belongs to it?",
                to->site);
        return err_hint(e, "lockflight init --ref <20 letters>");
    }
    if (!has_config && to->ref && !to->site) {
        err_set(e, ERR_USAGE, "production's project is %s; which Netlify site belongs to it?",
                to->ref);
        return err_hint(e, "lockflight init --site <name or id>");
    }
    return true;
}

/* ---- showing ---- */

static void show_found(struct command_context *c, const struct found *f)
{
    struct terminal *to = &c->err;
    const struct config *config = &f->config;
    struct table *t = table_new(c->arena, 2);
    table_indent(t, 2);
    table_keep_layout(t);
    print(to, "Found in %s\n", f->dir);
    table_cell(t, STYLE_STRONG, "site");
    table_cell(t, STYLE_PLAIN, "%s%s%s", config->netlify.file ? "netlify.toml" : "no netlify.toml",
               f->site ? ", linked to " : ", not linked", f->site ? f->site : "");
    table_cell(t, STYLE_STRONG, "supabase");
    table_cell(t, STYLE_PLAIN, "%s, %s%s%s",
               text_count(c->arena, (int64_t)f->migrations.n, "migration", "migrations"),
               text_count(c->arena, (int64_t)config->supabase.functions_n, "function", "functions"),
               f->ref ? ", linked to " : ", not linked", f->ref ? f->ref : "");
    table_cell(t, STYLE_STRONG, "build");
    table_cell(t, STYLE_PLAIN, "%s",
               config->netlify.command ? config->netlify.command
               : f->build              ? f->build
                                       : "none");
    table_cell(t, STYLE_STRONG, "tests");
    table_cell(t, STYLE_PLAIN, "%s", f->test ? f->test : "none found");
    table_cell(t, STYLE_STRONG, "variables");
    table_cell(t, STYLE_PLAIN, "%s",
               text_count(c->arena, (int64_t)f->variables_n, "name", "names"));
    table_cell(t, STYLE_STRONG, "ci");
    table_cell(t, STYLE_PLAIN, "%s%s%s%s", f->workflow ? f->workflow : ci_name(f->ci),
               !f->workflow && f->ci_from ? " (" : "", !f->workflow && f->ci_from ? f->ci_from : "",
               !f->workflow && f->ci_from ? ")" : "");
    table_print(t, to);
}

static void show_file(struct command_context *c, const struct draft_file *file)
{
    static const enum style styles[] = {
        [DIFF_HEAD] = STYLE_STRONG, [DIFF_HUNK] = STYLE_FAINT, [DIFF_SAME] = STYLE_PLAIN,
        [DIFF_REMOVED] = STYLE_BAD, [DIFF_ADDED] = STYLE_GOOD, [DIFF_NOTE] = STYLE_FAINT,
    };
    struct diff_line *lines;
    size_t n;
    diff_unified(c->arena, file->path, file->is_new, file->before, file->after, &lines, &n);
    for (size_t i = 0; i < n; i++) {
        print_styled(&c->out, styles[lines[i].kind], "%.*s", STR_FMT(lines[i].text));
        print(&c->out, "\n");
    }
}

static void show_notes(struct command_context *c, const struct draft *d)
{
    for (size_t i = 0; i < d->notes.n; i++) {
        print_styled(&c->err, STYLE_WARN, "note");
        print(&c->err, "  ");
        print_wrapped(&c->err, 6, true, d->notes.v[i]);
    }
}

static json_t *document(const struct found *f, const struct draft *d, bool is_written)
{
    json_t *files = json_array(), *notes = json_array();
    for (size_t i = 0; i < d->files.n; i++) {
        const struct draft_file *file = &d->files.v[i];
        (void)json_array_append_new(files, json_pack("{s:s, s:b, s:s#}", "path", file->path, "new",
                                                     file->is_new, "content", file->after.p,
                                                     (int)file->after.n));
    }
    for (size_t i = 0; i < d->notes.n; i++)
        (void)json_array_append_new(notes, json_string(d->notes.v[i]));
    return json_pack("{s:s, s:s, s:b, s:o, s:o}", "project", f->project, "dir", f->dir, "written",
                     is_written, "files", files, "notes", notes);
}

/* ---- the verb ---- */

static bool write_all(struct command_context *c, const struct found *f, const struct draft *d,
                      struct err *e)
{
    for (size_t i = 0; i < d->files.n; i++) {
        if (!draft_write(f, &d->files.v[i], e))
            return false;
        print_styled(&c->err, STYLE_GOOD, "ok");
        print(&c->err, "    %s %s\n", d->files.v[i].is_new ? "new    " : "changed",
              d->files.v[i].path);
    }
    return true;
}

static void next_step(struct command_context *c, const struct answers *answers)
{
    print(&c->out, answers->site ? "Next: lockflight init --staging, then lockflight doctor\n"
                                 : "Next: lockflight local up, then lockflight plan staging\n");
}

/* The config that is there must load; none is fine. */
static bool look_for_config(struct command_context *c, const char **ret_dir, bool *ret_has,
                            struct err *e)
{
    struct config config;
    *ret_has = c->config_path || config_find(c->arena, NULL) != NULL;
    if (!*ret_has)
        return found_dir(c->arena, ret_dir, e);
    if (!config_load(c->arena, c->config_path, &config, e))
        return false;
    *ret_dir = config.dir;
    return true;
}

static bool init(struct command_context *c, void *args, struct err *e)
{
    struct init_args *a = args;
    struct found f;
    struct answers answers;
    struct draft d;
    const char *dir = NULL;
    bool has_config;
    if (a->makes_staging)
        return staging_make(c, &a->staging, e);
    if (!look_for_config(c, &dir, &has_config, e) || !found_project(c->arena, dir, &f, e))
        return false;
    if (!c->wants_json)
        show_found(c, &f);
    if (!answer(c, a, &f, has_config, &answers, e) || !draft_files(&f, &answers, has_config, &d, e))
        return false;
    if (!c->wants_json) {
        for (size_t i = 0; i < d.files.n; i++)
            show_file(c, &d.files.v[i]);
        show_notes(c, &d);
    }
    bool writes = !a->is_dry && d.files.n > 0;
    if (writes) {
        const char *question =
            arena_printf(c->arena, "%s will be written in %s.",
                         text_count(c->arena, (int64_t)d.files.n, "file", "files"), f.dir);
        if (!prompt_continue(c, f.project, question, e) || !write_all(c, &f, &d, e))
            return false;
    }
    if (c->wants_json)
        print_json(c, document(&f, &d, writes));
    else if (d.files.n == 0)
        print(&c->out, "Nothing to do: %s has all that init would write.\n", f.project);
    else if (writes)
        next_step(c, &answers);
    return true;
}

static const struct option init_options[] = {
    { "site", 0, OPT_TEXT, AT(init_args, site), "<name>",
      "Netlify site of production, by name or id" },
    { "ref", 0, OPT_TEXT, AT(init_args, ref), "<ref>", "Supabase project of production" },
    { "ci", 0, OPT_TEXT, AT(init_args, ci), "github|gitlab|none", "Which CI the workflow is for" },
    { "server", 0, OPT_TEXT, AT(init_args, server), "<url>",
      "Generate and prove missing reverse scripts on scratch databases of this server" },
    { "no-flags", 0, OPT_FLAG, AT(init_args, without_flags), NULL,
      "Leave feature flags out: no lockflight.flags.toml, function `flags` and migration for it" },
    { "staging", 0, OPT_FLAG, AT(init_args, makes_staging), NULL,
      "Make a Supabase project and a Netlify site for staging, with the history applied" },
    { "organization", 0, OPT_TEXT, AT(init_args, staging.organization), "<slug>",
      "Supabase organization of the new project (default: production's)" },
    { "team", 0, OPT_TEXT, AT(init_args, staging.team), "<slug>",
      "Netlify team of the new site (default: the token's)" },
    { "region", 0, OPT_TEXT, AT(init_args, staging.region), "<name>",
      "Region of the new project (default: production's)" },
    { "dry-run", 0, OPT_FLAG, AT(init_args, is_dry), NULL, "Only show what would be written" },
    { 0 },
};

const struct command cmd_init = {
    .name = "init",
    .synopsis = "init",
    .summary = "Look at a project and write its lockflight.toml, workflow and reverse scripts",
    .description =
        "Reads netlify.toml, supabase/, package.json, the links that the vendors' clients left, "
        "and "
        "git; nothing is sent anywhere. Asks what cannot be known, three things at most, shows the "
        "difference that each file would make, and writes only what is confirmed. Files that are "
        "there stay as they are; a second run has nothing to do.",
    .examples = "lockflight init\nlockflight init --yes --site studio --ref abcdefghijklmnopqrst\n"
                "lockflight init --dry-run\nlockflight init --staging",
    .group = GROUP_PREPARE,
    .offers = COMMAND_JSON | COMMAND_ASKS | COMMAND_CONFIRM,
    .options = init_options,
    .args_size = sizeof(struct init_args),
    .run = init,
};
