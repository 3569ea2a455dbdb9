/*
 * Names that the app reads from its environment: literal uses in the sources, and the names (never
 * the values) in its .env files.
 */
#include "base/fs.h"
#include "base/limits.h"
#include "base/vec.h"
#include "command/init/found.h"

#include <stdlib.h>

#define DEPTH_MAX 12
#define FILES_MAX 5000 /* of sources; a larger app declares the rest itself */

typedef VEC(struct found_variable) variable_list;

struct scan {
    struct found *f;
    variable_list list;
    size_t files;
    bool is_functions;
};

static const char name_letters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";

bool found_is_public(const char *name)
{
    static const char *const prefixes[] = { "VITE_",        "PUBLIC_", "NEXT_PUBLIC_", "REACT_APP_",
                                            "NUXT_PUBLIC_", "GATSBY_", "EXPO_PUBLIC_", "VUE_APP_" };
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        if (starts_with(name, prefixes[i]))
            return true;
    }
    return false;
}

bool found_looks_secret(const char *name)
{
    static const char *const words[] = { "TOKEN",   "SECRET", "PASSWORD",    "PASSWD",
                                         "PRIVATE", "APIKEY", "_KEY",        "CREDENTIAL",
                                         "WEBHOOK", "DSN",    "DATABASE_URL" };
    if (strstr(name, "PUBLISHABLE") || strstr(name, "ANON_KEY") || strstr(name, "PUBLIC_KEY"))
        return false;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strstr(name, words[i]))
            return true;
    }
    return false;
}

/* What the platforms and bundlers set themselves. */
static bool is_given(const char *name)
{
    static const char *const given[] = { "LOCKFLIGHT_RELEASE",
                                         "NODE_ENV",
                                         "MODE",
                                         "DEV",
                                         "PROD",
                                         "SSR",
                                         "BASE_URL",
                                         "CI",
                                         "CONTEXT",
                                         "DEPLOY_ID",
                                         "URL",
                                         "DEPLOY_URL",
                                         "DEPLOY_PRIME_URL",
                                         "SITE_ID",
                                         "BRANCH",
                                         "HOME",
                                         "PATH",
                                         "PORT",
                                         "SB_REGION",
                                         "SB_EXECUTION_ID" };
    if (starts_with(name, "SUPABASE_") || starts_with(name, "DENO_") ||
        starts_with(name, "NETLIFY"))
        return true;
    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++) {
        if (streq(name, given[i]))
            return true;
    }
    return false;
}

static void add(struct scan *s, struct str name, const char *where)
{
    const char *text = str_dup(s->f->arena, name);
    if (name.n == 0 || name.n > LIMIT_SECRET_NAME_BYTES || is_given(text) ||
        (text[0] >= '0' && text[0] <= '9'))
        return;
    struct found_variable *to = NULL;
    for (size_t i = 0; i < s->list.n && !to; i++) {
        if (streq(s->list.v[i].name, text))
            to = &s->list.v[i];
    }
    if (!to) {
        to = vec_add(&s->list, s->f->arena);
        *to = (struct found_variable){ text, where, .looks_secret = found_looks_secret(text) };
    }
    to->in_functions |= s->is_functions;
    to->in_frontend |= !s->is_functions;
}

/* ---- sources ---- */

/* The names that follow `before` in a text: Deno.env.get("NAME, import.meta.env.NAME. */
static void scan_text(struct scan *s, struct str text, const char *shown, const char *before,
                      bool is_quoted)
{
    size_t at = 0, length = strlen(before), line = 1;
    while (at < text.n) {
        const char *hit = memmem(text.p + at, text.n - at, before, length);
        if (!hit)
            return;
        for (const char *p = text.p + at; p < hit; p++)
            line += *p == '\n';
        at = (size_t)(hit - text.p) + length;
        if (is_quoted && at < text.n && strchr("\"'`", text.p[at]))
            at++;
        else if (is_quoted)
            continue;
        size_t n = 0;
        while (at + n < text.n && memchr(name_letters, text.p[at + n], sizeof name_letters - 1))
            n++;
        struct str name = { text.p + at, n };
        const char *where = arena_printf(s->f->arena, "%s:%zu", shown, line);
        if (s->is_functions || found_is_public(str_dup(s->f->arena, name)))
            add(s, name, where);
    }
}

static bool is_source(const char *name)
{
    static const char *const ends[] = { ".ts",  ".tsx", ".js",     ".jsx",
                                        ".mjs", ".vue", ".svelte", ".astro" };
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        if (ends_with(name, ends[i]))
            return true;
    }
    return false;
}

// NOLINTNEXTLINE(misc-no-recursion): DEPTH_MAX
static void scan_folder(struct scan *s, const char *dir, const char *shown, int depth)
{
    struct arena *a = s->f->arena;
    const char **names;
    size_t n;
    struct err none = { 0 };
    if (depth > DEPTH_MAX || !fs_list(a, dir, &names, &n, &none))
        return;
    for (size_t i = 0; i < n && s->files < FILES_MAX; i++) {
        const char *path = fs_join(a, dir, names[i]);
        const char *name = fs_join(a, shown, names[i]);
        struct str text;
        if (names[i][0] == '.' || streq(names[i], "node_modules"))
            continue;
        if (fs_is_dir(path)) {
            scan_folder(s, path, name, depth + 1);
            continue;
        }
        if (!is_source(names[i]) || !fs_read(a, path, LIMIT_CONFIG_BYTES, &text, &none))
            continue;
        s->files++;
        if (s->is_functions) {
            scan_text(s, text, name, "Deno.env.get(", true);
        } else {
            scan_text(s, text, name, "import.meta.env.", false);
            scan_text(s, text, name, "process.env.", false);
        }
    }
}

/* ---- .env files: names ---- */

static bool scan_dotenv(struct scan *s, const char *path, bool is_functions, struct err *e)
{
    struct str text;
    if (!found_text(s->f, path, &text, e))
        return false;
    s->is_functions = is_functions;
    while (text.n > 0) {
        struct str line = str_trim(str_cut(&text, '\n'));
        if (str_starts(line, "export "))
            line = str_trim((struct str){ line.p + 7, line.n - 7 });
        size_t n = 0;
        while (n < line.n && memchr(name_letters, line.p[n], sizeof name_letters - 1))
            n++;
        struct str rest = str_trim((struct str){ line.p + n, line.n - n });
        struct str name = { line.p, n };
        if (n > 0 && str_starts(rest, "=") &&
            (is_functions || found_is_public(str_dup(s->f->arena, name))))
            add(s, name, path);
    }
    return true;
}

static bool scan_dotenvs(struct scan *s, struct err *e)
{
    static const struct {
        const char *path;
        bool is_functions;
    } files[] = {
        { "supabase/functions/.env", true }, { ".env", false },         { ".env.local", false },
        { ".env.production", false },        { ".env.example", false },
    };
    struct found *f = s->f;
    size_t n = sizeof files / sizeof files[0];
    f->dotenv.v = ARENA_ARRAY(f->arena, const char *, n);
    for (size_t i = 0; i < n; i++) {
        if (!fs_exists(fs_join(f->arena, f->dir, files[i].path)))
            continue;
        f->dotenv.v[f->dotenv.n++] = files[i].path;
        if (!scan_dotenv(s, files[i].path, files[i].is_functions, e))
            return false;
    }
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct found_variable *)a)->name,
                  ((const struct found_variable *)b)->name);
}

bool found_variables(struct found *f, struct err *e)
{
    struct scan s = { .f = f, .is_functions = true };
    scan_folder(&s, f->config.paths.functions, "supabase/functions", 0);
    s.is_functions = false;
    scan_folder(&s, fs_join(f->arena, f->config.netlify.base, "src"), "src", 0);
    if (!scan_dotenvs(&s, e))
        return false;
    if (s.list.n > 1)
        qsort(s.list.v, s.list.n, sizeof s.list.v[0], by_name);
    f->variables = s.list.v;
    f->variables_n = s.list.n;
    return true;
}
