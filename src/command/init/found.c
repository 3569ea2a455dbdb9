/*
 * Finding out what a project has: see found.h.
 */
#include "command/init/found.h"

#include "base/env.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/limits.h"
#include "config/vendor.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#define PROJECT_NAME_MAX 40 /* as config/validate.c has it */
#define REF_LETTERS      20

bool found_text(const struct found *f, const char *path, struct str *ret, struct err *e)
{
    const char *full = fs_join(f->arena, f->dir, path);
    *ret = (struct str){ "", 0 };
    if (!fs_exists(full) || fs_is_dir(full))
        return true;
    if (!fs_read(f->arena, full, LIMIT_CONFIG_BYTES, ret, e)) {
        err_wrap(e, "read %s", path);
        return err_recode(e, e->code == ERR_LIMIT ? ERR_LIMIT : ERR_CONFIG);
    }
    return true;
}

static bool has(struct arena *a, const char *dir, const char *name)
{
    return fs_exists(fs_join(a, dir, name));
}

/* ---- which folder ---- */

static const char *parent(struct arena *a, const char *dir)
{
    const char *slash = strrchr(dir, '/');
    return !slash || slash == dir ? NULL : arena_strndup(a, dir, (size_t)(slash - dir));
}

/* "apps/web, api": folders one or two below that have a vendor's file. */
static const char *candidates(struct arena *a, const char *dir, const char *prefix, int depth)
{
    const char **names, *all = "";
    size_t n;
    struct err none = { 0 };
    if (!fs_list(a, dir, &names, &n, &none))
        return "";
    for (size_t i = 0; i < n; i++) {
        const char *below = fs_join(a, dir, names[i]);
        if (names[i][0] == '.' || streq(names[i], "node_modules") || !fs_is_dir(below))
            continue;
        const char *shown = arena_printf(a, "%s%s", prefix, names[i]);
        bool is_one = has(a, below, "netlify.toml") || has(a, below, "supabase/config.toml");
        const char *more = is_one ? shown
                           : depth > 1 /* NOLINTNEXTLINE(misc-no-recursion): two levels */
                               ? candidates(a, below, arena_printf(a, "%s/", shown), depth - 1)
                               : "";
        if (more[0])
            all = arena_printf(a, "%s%s%s", all, all[0] ? ", " : "", more);
    }
    return all;
}

static bool nothing_here(struct arena *a, const char *here, struct err *e)
{
    const char *below = candidates(a, here, "", 2);
    err_set(
        e, ERR_CONFIG,
        "there is nothing to release here: no netlify.toml, no supabase/, no package.json and no "
        "index.html");
    if (below[0])
        return err_hint(e, "cd into the project and try again; these look like one: %s", below);
    return err_hint(e, "cd into the project, and `lockflight init` again");
}

bool found_dir(struct arena *a, const char **ret, struct err *e)
{
    static const char *const signs[] = { "lockflight.toml", "netlify.toml", "supabase" };
    char buffer[PATH_MAX];
    if (!getcwd(buffer, sizeof buffer))
        return err_system(e, "find the current folder");
    const char *here = arena_strdup(a, buffer);
    for (const char *at = here; at; at = parent(a, at)) {
        for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
            if (has(a, at, signs[i])) {
                *ret = at;
                return true;
            }
        }
        if (has(a, at, ".git"))
            break;
    }
    if (!has(a, here, "package.json") && !has(a, here, "index.html"))
        return nothing_here(a, here, e);
    *ret = here;
    return true;
}

/* ---- the vendors' files ---- */

static bool read_vendor_files(struct found *f, struct err *e)
{
    struct config *c = &f->config;
    struct arena *a = f->arena;
    c->arena = a;
    c->dir = f->dir;
    c->repository = f->dir;
    c->origins = origins_new(a);
    c->paths.supabase = fs_join(a, f->dir, "supabase");
    c->paths.netlify = fs_join(a, f->dir, "netlify.toml");
    c->paths.migrations = fs_join(a, c->paths.supabase, "migrations");
    c->paths.reverse = fs_join(a, c->paths.supabase, "rollbacks");
    c->paths.functions = fs_join(a, c->paths.supabase, "functions");
    return netlify_config_load(c, c->origins, &c->netlify, e) &&
           supabase_remotes_load(c, c->origins, &c->remotes, &c->remotes_n, e) &&
           supabase_config_load(c, c->origins, NULL, &c->supabase, e) &&
           migration_read(a, c->paths.migrations, c->paths.reverse, &f->migrations, e);
}

static bool is_ref(struct str text)
{
    if (text.n != REF_LETTERS)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < 'a' || text.p[i] > 'z')
            return false;
    }
    return true;
}

static bool read_links(struct found *f, struct err *e)
{
    static const char state_file[] = ".netlify/state.json",
                      ref_file[] = "supabase/.temp/project-ref";
    struct str state, ref;
    if (!found_text(f, state_file, &state, e) || !found_text(f, ref_file, &ref, e))
        return false;
    if (str_trim(state).n > 0) {
        json_auto_t *value = json_parse(state, state_file, e);
        if (!value) {
            err_recode(e, ERR_CONFIG);
            return err_hint(e, "netlify link    (or remove the file, and name the site: --site)");
        }
        const char *id = json_text_or(value, "siteId", "");
        f->site = id[0] ? arena_strdup(f->arena, id) : NULL;
        f->site_from = state_file;
    }
    ref = str_trim(ref);
    if (ref.n > 0 && !is_ref(ref)) {
        err_set(e, ERR_CONFIG, "%s holds no project ref: %.*s", ref_file,
                (int)(ref.n > 40 ? 40 : ref.n), ref.p);
        return err_hint(e, "supabase link    (or remove the file, and name the project: --ref)");
    }
    if (ref.n > 0) {
        f->ref = str_dup(f->arena, ref);
        f->ref_from = ref_file;
    }
    return true;
}

/* ---- what the app says about itself ---- */

/* Any file of a function's folder that has `word`; folders within are not entered. */
static bool folder_says(struct found *f, const char *dir, const char *word)
{
    const char **names;
    size_t n;
    struct err none = { 0 };
    if (!fs_list(f->arena, dir, &names, &n, &none))
        return false;
    for (size_t i = 0; i < n; i++) {
        struct str text;
        const char *path = fs_join(f->arena, dir, names[i]);
        if (!fs_is_dir(path) && fs_read(f->arena, path, LIMIT_CONFIG_BYTES, &text, &none) &&
            memmem(text.p, text.n, word, strlen(word)))
            return true;
    }
    return false;
}

static void look_at_health(struct found *f)
{
    for (size_t i = 0; i < f->config.supabase.functions_n; i++) {
        const struct config_function *function = &f->config.supabase.functions[i];
        if (!function->is_enabled || !streq(function->slug, "health") || function->verify_jwt)
            continue;
        f->has_health = true;
        f->tells_release = folder_says(f, function->dir, "LOCKFLIGHT_RELEASE");
    }
}

/* <div id="root">: its id, if there is one; and whether the page loads the per-environment file. */
static bool look_at_page(struct found *f, struct err *e)
{
    struct str page;
    if (!found_text(f, "index.html", &page, e))
        return false;
    const char *text = str_dup(f->arena, page);
    const char *found = strstr(text, "<div id=\"");
    f->reads_runtime = strstr(text, "/_lockflight/env.js") != NULL;
    if (!found)
        return true;
    found += strlen("<div id=\"");
    size_t n = strcspn(found, "\"");
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    if (n > 0 && strspn(found, allowed) == n)
        f->root_element = arena_strndup(f->arena, found, n);
    return true;
}

/* A name as lockflight.toml takes it; NULL if nothing is left. */
static const char *project_name(struct arena *a, const char *from)
{
    char *to = arena_alloc(a, PROJECT_NAME_MAX + 1);
    size_t n = 0;
    const char *slash = from ? strrchr(from, '/') : NULL; /* "@shop/web" → "web" */
    for (const char *p = slash ? slash + 1 : from; p && *p && n < PROJECT_NAME_MAX; p++) {
        char c = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;
        bool is_letter = c >= 'a' && c <= 'z';
        if (is_letter || (n > 0 && c >= '0' && c <= '9'))
            to[n++] = c;
        else if (n > 0 && to[n - 1] != '-')
            to[n++] = '-';
    }
    while (n > 0 && to[n - 1] == '-')
        n--;
    to[n] = '\0';
    return n > 0 ? to : NULL;
}

bool found_project(struct arena *a, const char *dir, struct found *ret, struct err *e)
{
    *ret = (struct found){ .arena = a, .dir = dir };
    if (!read_vendor_files(ret, e) || !read_links(ret, e) || !found_package(ret, e) ||
        !look_at_page(ret, e) || !found_git(ret, e) || !found_variables(ret, e))
        return false;
    look_at_health(ret);
    if (!ret->project)
        ret->project = project_name(a, ret->config.supabase.project_id);
    else
        ret->project = project_name(a, ret->project);
    if (!ret->project)
        ret->project = project_name(a, dir);
    if (!ret->project)
        ret->project = "app";
    return true;
}
