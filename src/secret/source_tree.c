/*
 * Walking the sources of a frontend: see source_tree.h.
 */
#include "secret/source_tree.h"

#include "base/fs.h"
#include "base/limits.h"
#include "base/pattern.h"
#include "base/vec.h"

#include <ctype.h>
#include <sys/stat.h>

enum {
    MAX_DEPTH = 32,
    MAX_FILES = 50000,
};

struct walk {
    struct arena *a;
    struct inventory *inv;
    const struct source_tree *tree;
    size_t files;
};

static bool is_one_of(const char *name, const char *const *names)
{
    for (; names && *names; names++)
        if (streq(name, *names))
            return true;
    return false;
}

static bool is_made_or_test_folder(const char *name)
{
    static const char *const names[] = { "node_modules", "dist",       "build",
                                         "out",          "coverage",   "test",
                                         "tests",        "__tests__",  "__mocks__",
                                         "__fixtures__", "fixtures",   "e2e",
                                         "cypress",      "playwright", "storybook-static",
                                         "docs",         "scripts",    "bench",
                                         "target",       "vendor",     NULL };
    return is_one_of(name, names);
}

static bool is_test_file(const char *name)
{
    static const char *const parts[] = { ".test.", ".spec.", ".stories.", ".d.ts",
                                         ".d.mts", ".d.cts", ".min.js",   ".cy." };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (strstr(name, parts[i]))
            return true;
    return false;
}

static bool is_build_file(const char *name)
{
    return strstr(name, ".config.") || starts_with(name, "gulpfile.") ||
           starts_with(name, "webpack.") || starts_with(name, "rollup.");
}

static bool is_ignored(const struct walk *w, const char *path)
{
    for (size_t i = 0; i < w->tree->n_ignore; i++)
        if (pattern_matches(w->tree->ignore[i], path))
            return true;
    return false;
}

static const char *relative(const struct walk *w, const char *path)
{
    size_t n = strlen(w->tree->project_dir);
    return strncmp(path, w->tree->project_dir, n) == 0 && path[n] == '/' ? path + n + 1 : path;
}

static bool add_file(struct walk *w, const char *path, const char *name, struct err *e)
{
    bool is_build = w->tree->place == USE_FRONTEND && is_build_file(name);
    struct str text;
    if (is_test_file(name) || !inventory_reads(name))
        return true;
    if (++w->files > MAX_FILES)
        return err_set(e, ERR_LIMIT, "more than %d sources in %s", MAX_FILES, w->tree->dir);
    struct err why = { 0 };
    if (!fs_read(w->a, path, LIMIT_SOURCE_TEXT_BYTES, &text, &why)) {
        if (why.code == ERR_NOT_FOUND)
            return true; /* gone meanwhile */
        *e = why;
        if (e->code == ERR_LIMIT)
            err_hint(e, "if it is made, not written: [inventory] ignore = [\"%s\"]",
                     relative(w, path));
        return err_wrap(e, "look for variables in %s", relative(w, path));
    }
    return inventory_add(w->inv, is_build ? USE_BUILD : w->tree->place, relative(w, path), text, e);
}

// NOLINTNEXTLINE(misc-no-recursion): at most MAX_DEPTH deep
static bool walk_folder(struct walk *w, const char *dir, int depth, struct err *e)
{
    const char **names;
    size_t n;
    if (depth > MAX_DEPTH)
        return err_set(e, ERR_LIMIT, "folders nest deeper than %d at %s", MAX_DEPTH, dir);
    if (!fs_list(w->a, dir, &names, &n, e))
        return false;
    for (size_t i = 0; i < n; i++) {
        const char *path = fs_join(w->a, dir, names[i]);
        struct stat st;
        if (names[i][0] == '.' || lstat(path, &st) != 0 || is_one_of(path, w->tree->skip))
            continue;
        bool is_folder = S_ISDIR(st.st_mode);
        const char *name = relative(w, path);
        if (is_ignored(w, is_folder ? arena_printf(w->a, "%s/", name) : name))
            continue;
        if (is_folder ? !is_made_or_test_folder(names[i]) && !walk_folder(w, path, depth + 1, e)
                      : S_ISREG(st.st_mode) && !add_file(w, path, names[i], e))
            return false;
    }
    return true;
}

bool source_tree_add(struct arena *a, struct inventory *inv, const struct source_tree *tree,
                     struct err *e)
{
    struct walk w = { a, inv, tree, 0 };
    if (!tree->dir || !fs_is_dir(tree->dir))
        return true;
    return walk_folder(&w, tree->dir, 0, e);
}

const char *const *source_dotenv_names(struct arena *a, const char *path)
{
    VEC(const char *) names = { 0 };
    struct str text = { 0 };
    struct err ignored = { 0 };
    if (!fs_read(a, path, LIMIT_CONFIG_BYTES, &text, &ignored))
        text = (struct str){ 0 };
    while (text.p && text.n > 0) {
        struct str line = str_trim(str_cut(&text, '\n'));
        if (str_starts(line, "export "))
            line = str_trim((struct str){ line.p + 7, line.n - 7 });
        size_t n = 0;
        while (n < line.n && (isalnum((unsigned char)line.p[n]) || line.p[n] == '_'))
            n++;
        struct str rest = str_trim((struct str){ line.p + n, line.n - n });
        if (n > 0 && str_starts(rest, "="))
            *vec_add(&names, a) = str_dup(a, (struct str){ line.p, n });
    }
    *vec_add(&names, a) = NULL;
    return names.v;
}
