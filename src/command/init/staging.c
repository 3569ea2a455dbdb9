/*
 * Making staging: see staging.h.
 */
#include "command/init/staging.h"

#include "base/env.h"
#include "base/fault.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "cli/output.h"
#include "cli/prompt.h"
#include "command/init/diff.h"
#include "command/verb.h"
#include "config/config.h"
#include "config/local_state.h"
#include "provider/netlify.h"
#include "provider/supabase.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define PASSWORD_BYTES 24

struct staging {
    struct command_context *c;
    const struct staging_args *args;
    struct config config;
    const struct config_env *production;
    bool is_local;
    const char *name; /* of the project and of the site */
    const char *state_dir;
    struct netlify *netlify;
    struct supabase *supabase;
    const char *password;
    struct supabase_project project;
    struct netlify_site site;
    const char *database_url; /* hosted only */
};

static void ok(struct staging *s, const char *fmt, ...) PRINTF(2, 3);
static void ok(struct staging *s, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    print_styled(&s->c->err, STYLE_GOOD, "ok");
    print(&s->c->err, "    %s\n", arena_vprintf(s->c->arena, fmt, ap));
    va_end(ap);
}

/* ---- where, and with which credentials ---- */

static bool token(const char *own, const char *vendor, const char **ret, struct err *e)
{
    *ret = env_value(own) ? env_value(own) : env_value(vendor);
    if (*ret) {
        log_redact(str_of(*ret));
        return true;
    }
    err_set(e, ERR_AUTH, "making staging needs %s (or %s) in the environment", own, vendor);
    return err_hint(e, "export %s=…", own);
}

static bool open_clients(struct staging *s, struct err *e)
{
    struct arena *a = s->c->arena;
    struct netlify_spec netlify = { .api = "https://api.netlify.com/api/v1", .site = s->name };
    struct supabase_spec supabase = { .api = "https://api.supabase.com" };
    if (s->is_local) {
        struct local_platform p;
        if (!local_platform_read(a, s->state_dir, &p, e))
            return err_wrap(e, "make staging");
        netlify = (struct netlify_spec){ p.netlify_api, p.netlify_token, s->name };
        supabase = (struct supabase_spec){ p.supabase_api, p.supabase_token, NULL };
    } else if (!token("LOCKFLIGHT_STAGING_NETLIFY_TOKEN", "NETLIFY_AUTH_TOKEN", &netlify.token,
                      e) ||
               !token("LOCKFLIGHT_STAGING_SUPABASE_TOKEN", "SUPABASE_ACCESS_TOKEN", &supabase.token,
                      e)) {
        return false;
    }
    if (s->production->netlify.api)
        netlify.api = s->production->netlify.api;
    if (s->production->supabase.api)
        supabase.api = s->production->supabase.api;
    return netlify_open(&netlify, &s->netlify, e) && supabase_open(&supabase, &s->supabase, e);
}

/* ---- the project ---- */

static const char *password_file(struct staging *s)
{
    return fs_join(s->c->arena, s->state_dir, "staging-password");
}

/* The one that is kept, or a new one that is on disk before anything else happens. */
static bool take_password(struct staging *s, bool may_make, struct err *e)
{
    struct str kept;
    const char *file = password_file(s);
    if (fs_exists(file)) {
        if (!fs_read(s->c->arena, file, KIB, &kept, e))
            return false;
        s->password = str_dup(s->c->arena, str_trim(kept));
    } else if (may_make) {
        s->password = random_hex(s->c->arena, PASSWORD_BYTES);
        if (!fs_mkdirs(s->state_dir, 0700, e) || !fs_replace(file, str_of(s->password), 0600, e))
            return err_wrap(e, "keep the password of the new database");
    }
    if (s->password)
        log_redact(str_of(s->password));
    return FAULT_POINT("staging.password.kept", e);
}

static bool find_project(struct staging *s, const struct supabase_project **ret_ours,
                         const struct supabase_project **ret_production, struct err *e)
{
    struct supabase_project *all;
    size_t n, ours = 0;
    *ret_ours = *ret_production = NULL;
    if (!supabase_projects(s->supabase, s->c->arena, &all, &n, e))
        return err_wrap(e, "look for project %s", s->name);
    for (size_t i = 0; i < n; i++) {
        if (s->production->supabase.ref && streq(all[i].ref, s->production->supabase.ref))
            *ret_production = &all[i];
        if (!streq(all[i].name, s->name))
            continue;
        ours++;
        *ret_ours = &all[i];
    }
    if (ours <= 1)
        return true;
    err_set(e, ERR_CONFLICT, "there are %zu Supabase projects named %s", ours, s->name);
    return err_hint(e,
                    "remove or rename the one that is not staging, and run init --staging again");
}

static bool choose_organization(struct staging *s, const struct supabase_project *production,
                                const char **ret, struct err *e)
{
    struct supabase_organization *all;
    size_t n;
    *ret = s->args->organization;
    if (!*ret && production)
        *ret = production->organization;
    if (*ret)
        return true;
    if (!supabase_organizations(s->supabase, s->c->arena, &all, &n, e))
        return false;
    if (n == 1) {
        *ret = all[0].slug;
        return true;
    }
    const char *names = "";
    for (size_t i = 0; i < n; i++)
        names = arena_printf(s->c->arena, "%s%s%s", names, i ? ", " : "", all[i].slug);
    err_set(e, ERR_USAGE, "which organization shall %s belong to? The token sees %s", s->name,
            n ? names : "none");
    return err_hint(e, "lockflight init --staging --organization <slug>");
}

static bool make_project(struct staging *s, struct err *e)
{
    const struct supabase_project *ours, *production;
    if (!find_project(s, &ours, &production, e) || !take_password(s, !ours, e))
        return false;
    if (ours) {
        s->project = *ours;
        ok(s, "project   %s is there: %s", s->name, s->project.ref);
        return true;
    }
    struct supabase_project_spec spec = { .name = s->name, .password = s->password };
    spec.region = s->args->region ? s->args->region
                  : production    ? production->region
                                  : "eu-central-1";
    return choose_organization(s, production, &spec.organization, e) &&
           supabase_project_create(s->supabase, s->c->arena, &spec, &s->project, e) &&
           (ok(s, "project   %s made in %s: %s", s->name, spec.region, s->project.ref), true);
}

static bool wait_healthy(struct staging *s, struct err *e)
{
    struct supabase_project now;
    if (!supabase_use_project(s->supabase, s->project.ref, e) ||
        !supabase_project_wait(s->supabase, s->c->arena, 0, &now, e) ||
        !FAULT_POINT("staging.project.healthy", e))
        return err_wrap(e, "wait for project %s", s->project.ref);
    ok(s, "project   healthy");
    return true;
}

/* ---- the site ---- */

static bool make_site(struct staging *s, struct err *e)
{
    struct arena *a = s->c->arena;
    if (!netlify_site_find(s->netlify, a, s->name, &s->site, e))
        return err_wrap(e, "look for site %s", s->name);
    if (s->site.id[0]) {
        ok(s, "site      %s is there", s->name);
        return true;
    }
    if (!netlify_site_create(s->netlify, a, s->args->team, s->name, &s->site, e)) {
        if (e->code == ERR_CONFLICT)
            err_hint(e, "another team has that name: change `project` in lockflight.toml");
        return err_wrap(e, "make site %s", s->name);
    }
    ok(s, "site      %s made", s->name);
    return true;
}

/* ---- lockflight.toml ---- */

static bool is_replaced(struct str line)
{
    static const char *const keys[] = { "platform", "netlify", "supabase" };
    line = str_trim(line);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        size_t n = strlen(keys[i]);
        if (str_starts(line, keys[i]) && line.n > n && strchr(" =\t.", line.p[n]))
            return true;
    }
    return false;
}

struct str staging_config(struct arena *a, struct str text, const char *site, const char *ref,
                          bool is_local)
{
    const char *lines =
        arena_printf(a, "%snetlify = { site = \"%s\" }\nsupabase = { ref = \"%s\" }\n",
                     is_local ? "platform = \"local\"\n" : "", site, ref);
    bool is_inside = false, is_done = false;
    CLEANUP(strbuf) struct strbuf b = strbuf_init(2 * LIMIT_CONFIG_BYTES);
    while (text.n > 0) {
        struct str line = str_cut(&text, '\n');
        bool is_header = str_starts(str_trim(line), "[");
        if (is_header)
            is_inside = str_starts(str_trim(line), "[env.staging]");
        if (is_inside && is_replaced(line))
            continue;
        strbuf_printf(&b, "%.*s\n", STR_FMT(line));
        if (is_inside && is_header) {
            strbuf_adds(&b, lines);
            is_done = true;
        }
    }
    if (!is_done)
        strbuf_printf(&b, "\n[env.staging]\n%srequires = \"none\"\n", lines);
    return str_of(arena_strdup(a, strbuf_text(&b)));
}

static bool write_config(struct staging *s, struct err *e)
{
    struct arena *a = s->c->arena;
    struct str before;
    struct diff_line *lines;
    struct config again;
    size_t n;
    if (!fs_read(a, s->config.file, LIMIT_CONFIG_BYTES, &before, e))
        return false;
    const struct config_env *declared = config_env_find(&s->config, "staging");
    if (declared && streq(declared->netlify.site, s->name) &&
        streq(declared->supabase.ref, s->project.ref)) {
        ok(s, "file      lockflight.toml names both");
        return true;
    }
    struct str after = staging_config(a, before, s->name, s->project.ref, s->is_local);
    diff_unified(a, "lockflight.toml", false, before, after, &lines, &n);
    for (size_t i = 0; i < n; i++)
        print(&s->c->out, "%.*s\n", STR_FMT(lines[i].text));
    if (!fs_replace(s->config.file, after, 0644, e) || !FAULT_POINT("staging.file.written", e))
        return err_wrap(e, "write lockflight.toml");
    ok(s, "file      lockflight.toml");
    return config_load(a, s->config.file, &again, e);
}

/* ---- the database ---- */

/* Hosted: its address goes into a file of the state folder, because nobody else knows the password. */
static bool keep_address(struct staging *s, struct err *e)
{
    struct arena *a = s->c->arena;
    struct supabase_pooler pooler;
    static const char variable[] = "LOCKFLIGHT_STAGING_DATABASE_URL";
    if (s->is_local)
        return true;
    s->database_url = env_value(variable);
    if (s->database_url)
        return true;
    if (!s->password) {
        err_set(e, ERR_AUTH, "project %s is there, but its password was not made on this machine",
                s->project.ref);
        return err_hint(e, "export %s=…    (a new password is set in the project's dashboard)",
                        variable);
    }
    if (!supabase_pooler(s->supabase, a, &pooler, e))
        return err_wrap(e, "ask how the database of %s is reached", s->project.ref);
    s->database_url = supabase_pooler_url(a, &pooler, s->password);
    const char *file = fs_join(a, s->state_dir, "staging.env");
    if (!fs_replace(file, str_of(arena_printf(a, "%s='%s'\n", variable, s->database_url)), 0600, e))
        return err_wrap(e, "keep the address of the database");
    ok(s, "password  its address is in %s: keep it where your secrets are, then remove both files",
       file);
    return true;
}

/* In the child: the address of the database is in its environment, never in arguments. */
static void prepare_verb(void *context)
{
    const struct staging *s = context;
    if (s->c->wants_json) /* stdout is for the one document */
        (void)dup2(STDERR_FILENO, STDOUT_FILENO);
    if (s->database_url)
        (void)setenv("LOCKFLIGHT_STAGING_DATABASE_URL", s->database_url, 1);
}

/* One of our own verbs. True: it ended, with *ret_status. */
static bool run_verb(struct staging *s, const char *const *words, int *ret_status, struct err *e)
{
    const struct verb v = { .parent = s->c, .words = words, .prepare = prepare_verb, .context = s };
    return verb_run(&v, ret_status, e);
}

static bool apply_history(struct staging *s, struct err *e)
{
    int status = 0;
    const char *const argv[] = { "lockflight", "migration", "up",           "staging",
                                 "--no-input", "--config",  s->config.file, NULL };
    if (!run_verb(s, argv, &status, e))
        return err_wrap(e, "apply the migrations");
    if (status != 0) {
        err_set(e, ERR_BLOCKED, "the migrations could not all be applied to staging (status %d)",
                status);
        return err_hint(e, "lockflight migration status staging, then init --staging again");
    }
    return FAULT_POINT("staging.history.applied", e);
}

/* Values that have a source; what lacks one is said by the verb, and blocks the first release. */
static bool push_variables(struct staging *s, struct err *e)
{
    int status = 0;
    const char *const argv[] = { "lockflight", "vars",     "push",         "staging", "--yes",
                                 "--no-input", "--config", s->config.file, NULL };
    if (s->config.vars_n == 0)
        return true;
    if (!run_verb(s, argv, &status, e))
        return err_wrap(e, "send the variables");
    if (status != 0)
        print_styled(&s->c->err, STYLE_WARN,
                     "note  not every variable has its value yet: lockflight vars list staging\n");
    return true;
}

/* ---- all ---- */

static bool begin(struct staging *s, struct err *e)
{
    struct arena *a = s->c->arena;
    if (!config_load(a, s->c->config_path, &s->config, e))
        return err_wrap(e, "make staging");
    s->production = config_env_find(&s->config, "production");
    if (!s->production) {
        err_set(e, ERR_CONFIG, "lockflight.toml has no [env.production] that staging would be for");
        return err_hint(e, "lockflight init");
    }
    s->is_local = s->production->platform == PLATFORM_LOCAL;
    s->name = arena_printf(a, "%s-staging", s->config.project);
    s->state_dir = local_state_dir(a, s->config.project, s->config.dir);
    return open_clients(s, e);
}

static bool make(struct staging *s, struct err *e)
{
    const char *question = arena_printf(
        s->c->arena,
        "A Supabase project and a Netlify site named %s will be made %s, unless they are "
        "there.",
        s->name,
        s->is_local ? "on the local platform" : "on the hosted services, which may cost money");
    return prompt_continue(s->c, s->name, question, e) && make_project(s, e) &&
           wait_healthy(s, e) && make_site(s, e) && write_config(s, e) && keep_address(s, e) &&
           apply_history(s, e) && push_variables(s, e);
}

bool staging_make(struct command_context *c, const struct staging_args *args, struct err *e)
{
    struct staging s = { .c = c, .args = args };
    bool done = begin(&s, e) && make(&s, e);
    netlify_close(s.netlify);
    supabase_close(s.supabase);
    if (!done)
        return false;
    if (c->wants_json)
        print_json(c, json_pack("{s:s, s:s, s:s}", "name", s.name, "ref", s.project.ref, "site",
                                s.site.id));
    else
        print(&c->out, "Staging is there: project %s, site %s.\nNext: lockflight deploy staging\n",
              s.project.ref, s.name);
    return true;
}
