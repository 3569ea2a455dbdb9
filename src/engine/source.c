/*
 * Reading a release's source: see source.h.
 */
#include "engine/source.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/proc.h"
#include "base/vec.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define SOURCE_FILE_BYTES (100 * MIB) /* larger files belong in storage, not in a release */
#define SOURCE_DEPTH      32          /* folders within folders, when there is no git to ask */
#define GIT_TIMEOUT_MS    20000

typedef VEC(const char *) path_list;

void source_blob_id(struct str content, char *ret_hex)
{
    char head[32];
    int n = snprintf(head, sizeof head, "blob %zu", content.n);
    struct hash *h = hash_new(HASH_SHA1);
    hash_add(h, head, (size_t)n + 1); /* with its zero */
    hash_add(h, content.p, content.n);
    hash_finish(h, ret_hex);
}

/* Runs git in the project. False without an error worth keeping when git is missing or says no. */
static bool git(struct arena *a, const char *dir, const char *const *argv, struct str *ret)
{
    struct proc_spec spec = { .argv = argv, .cwd = dir, .timeout_ms = GIT_TIMEOUT_MS };
    struct proc_result result = { 0 };
    struct err ignored = { 0 };
    if (!proc_run(a, &spec, &result, &ignored) || result.exit_status != 0)
        return false;
    *ret = result.out;
    return true;
}

bool source_comes_after(struct arena *a, const char *dir, const char *newer, const char *older)
{
    struct str ignored;
    return !streq(newer, older) &&
           git(a, dir, (const char *[]){ "git", "merge-base", "--is-ancestor", older, newer, NULL },
               &ignored);
}

static int by_bytes(const void *x, const void *y)
{
    return strcmp(*(const char *const *)x, *(const char *const *)y);
}

/* Is the path, or the folder "path/", the built site or in it? */
static bool is_built(const struct source_spec *spec, struct str path)
{
    size_t n = spec->publish_dir ? strlen(spec->publish_dir) : 0;
    return n > 0 && path.n > n && str_starts(path, spec->publish_dir) && path.p[n] == '/';
}

static bool list_files(struct arena *a, const struct source_spec *spec, const char *which,
                       bool takes_built, path_list *ret)
{
    struct str out;
    if (!git(a, spec->project_dir,
             (const char *[]){ "git", "ls-files", which, "-z", "--exclude-standard", "--", ".",
                               NULL },
             &out))
        return false;
    while (out.n > 0) {
        struct str path = str_cut(&out, '\0');
        if (path.n > 0 && (takes_built || !is_built(spec, path)))
            *vec_add(ret, a) = str_dup(a, path);
    }
    return true;
}

/* A built site that git does not ignore is no source; one that is kept in git is. */
static bool git_files(struct arena *a, const struct source_spec *spec, path_list *ret)
{
    return list_files(a, spec, "--cached", true, ret) &&
           list_files(a, spec, "--others", false, ret);
}

/* Folders that are made, not written: they would change the digest without changing the app. */
static bool is_made(const char *name, const char *relative, const struct source_spec *spec)
{
    return name[0] == '.' || streq(name, "node_modules") ||
           (spec->publish_dir && spec->publish_dir[0] && streq(relative, spec->publish_dir));
}

// NOLINTNEXTLINE(misc-no-recursion): at most SOURCE_DEPTH deep
static bool walk_folder(struct arena *a, const struct source_spec *spec, const char *relative,
                        int depth, path_list *ret, struct err *e)
{
    if (depth > SOURCE_DEPTH)
        return err_set(e, ERR_LIMIT, "folders nest deeper than %d at %s", SOURCE_DEPTH, relative);
    const char *dir = relative[0] ? fs_join(a, spec->project_dir, relative) : spec->project_dir;
    const char **names;
    size_t count;
    if (!fs_list(a, dir, &names, &count, e))
        return false;
    for (size_t i = 0; i < count; i++) {
        const char *path = relative[0] ? fs_join(a, relative, names[i]) : names[i];
        struct stat st;
        if (lstat(fs_join(a, spec->project_dir, path), &st) != 0)
            continue; /* gone between listing and looking */
        if (S_ISDIR(st.st_mode)) {
            if (!is_made(names[i], path, spec) && !walk_folder(a, spec, path, depth + 1, ret, e))
                return false;
        } else {
            *vec_add(ret, a) = path;
        }
        if (ret->n > LIMIT_SITE_FILES)
            return err_set(e, ERR_LIMIT, "the project has more than %d files", LIMIT_SITE_FILES);
    }
    return true;
}

/* "<mode> <blob id>" of one file as git sees it; false if it is no file any more. */
static bool describe(const char *path, char ret_blob[SHA1_HEX_BYTES], const char **ret_mode,
                     bool *ret_exists, struct err *e)
{
    struct stat st;
    *ret_exists = lstat(path, &st) == 0 && (S_ISREG(st.st_mode) || S_ISLNK(st.st_mode));
    if (!*ret_exists)
        return true; /* deleted in the working tree, or a submodule */
    if (S_ISLNK(st.st_mode)) {
        char target[LIMIT_PATH_BYTES];
        ssize_t n = readlink(path, target, sizeof target);
        if (n < 0)
            return err_system(e, "read link %s", path);
        *ret_mode = "120000";
        source_blob_id((struct str){ target, (size_t)n }, ret_blob);
        return true;
    }
    *ret_mode = (st.st_mode & S_IXUSR) ? "100755" : "100644";
    CLEANUP(arena) struct arena *file_arena = arena_new(0);
    struct str content;
    if (!fs_read(file_arena, path, SOURCE_FILE_BYTES, &content, e))
        return false;
    source_blob_id(content, ret_blob);
    return true;
}

static bool is_secrets(const char *path, const char *dir)
{
    return dir && starts_with(path, dir) && path[strlen(dir)] == '/' && ends_with(path, ".lf");
}

static bool hash_files(struct arena *a, const struct source_spec *spec, const path_list *paths,
                       struct hash *h, size_t *ret_files, struct err *e)
{
    size_t files = 0;
    for (size_t i = 0; i < paths->n; i++) {
        const char *path = paths->v[i];
        if (streq(path, "lockflight.toml") || is_secrets(path, spec->secrets_dir) ||
            (i > 0 && streq(path, paths->v[i - 1])))
            continue;
        char blob[SHA1_HEX_BYTES];
        const char *mode = NULL;
        bool exists = false;
        if (!describe(fs_join(a, spec->project_dir, path), blob, &mode, &exists, e))
            return err_wrap(e, "hash %s", path);
        if (!exists)
            continue;
        const char *line = arena_printf(a, "%s %s %s\n", mode, blob, path);
        hash_add(h, line, strlen(line));
        files++;
    }
    *ret_files = files;
    return true;
}

static void hash_variables(struct arena *a, const struct source_spec *spec, struct hash *h)
{
    path_list names = { 0 };
    for (const char *const *name = spec->variable_names; name && *name; name++)
        *vec_add(&names, a) = *name;
    if (names.n > 0)
        qsort(names.v, names.n, sizeof names.v[0], by_bytes);
    for (size_t i = 0; i < names.n; i++) {
        const char *line = arena_printf(a, "variable %s\n", names.v[i]);
        hash_add(h, line, strlen(line));
    }
}

static void read_commit(struct arena *a, const struct source_spec *spec, struct source *s)
{
    const char *dir = spec->project_dir;
    s->commit = s->subject = s->author = s->branch = "";
    s->is_dirty = true;
    struct str out;
    if (!git(a, dir, (const char *[]){ "git", "log", "-1", "--format=%H%n%s%n%an", NULL }, &out))
        return;
    s->commit = str_dup(a, str_cut(&out, '\n'));
    s->subject = str_dup(a, str_cut(&out, '\n'));
    s->author = str_dup(a, str_cut(&out, '\n'));
    if (git(a, dir, (const char *[]){ "git", "symbolic-ref", "--short", "-q", "HEAD", NULL }, &out))
        s->branch = str_dup(a, str_trim(out));
    path_list added = { 0 };
    if (git(a, dir,
            (const char *[]){ "git", "status", "--porcelain", "--untracked-files=no", "--", ".",
                              NULL },
            &out) &&
        list_files(a, spec, "--others", false, &added))
        s->is_dirty = str_trim(out).n > 0 || added.n > 0;
}

bool source_read(struct arena *a, const struct source_spec *spec, struct source *ret, struct err *e)
{
    struct source s = { 0 };
    path_list paths = { 0 };
    if (!git_files(a, spec, &paths) && !walk_folder(a, spec, "", 0, &paths, e))
        return err_wrap(e, "read the source in %s", spec->project_dir);
    if (paths.n > 0)
        qsort(paths.v, paths.n, sizeof paths.v[0], by_bytes);

    char digest[SHA256_HEX_BYTES];
    struct hash *h = hash_new(HASH_SHA256);
    bool hashed = hash_files(a, spec, &paths, h, &s.files, e);
    if (hashed)
        hash_variables(a, spec, h);
    hash_finish(h, digest);
    if (!hashed)
        return false;

    s.digest = arena_strdup(a, digest);
    s.release = arena_printf(a, "%s.%.8s", clock_date(a, clock_unix_ms()), digest);
    read_commit(a, spec, &s);
    *ret = s;
    return true;
}
