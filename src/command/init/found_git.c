/*
 * git and the CI around it: which branch is released, and who would run the workflow.
 */
#include "base/fs.h"
#include "base/limits.h"
#include "base/proc.h"
#include "command/init/found.h"

#define GIT_TIMEOUT_MS 5000

/* What git says; "" when there is no git, or it says no. */
static struct str git(struct found *f, const char *const *argv)
{
    struct proc_spec spec = { .argv = argv, .cwd = f->dir, .timeout_ms = GIT_TIMEOUT_MS };
    struct proc_result result = { 0 };
    struct err none = { 0 };
    if (!proc_run(f->arena, &spec, &result, &none) || result.exit_status != 0)
        return (struct str){ "", 0 };
    return str_trim(result.out);
}

/* Names that need no quoting in YAML; another one is typed by hand. */
static bool is_plain_branch(struct str name)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-";
    for (size_t i = 0; i < name.n; i++) {
        if (!memchr(allowed, name.p[i], sizeof allowed - 1))
            return false;
    }
    return name.n > 0 && name.n < 200;
}

static void find_branch(struct found *f)
{
    struct str name = git(f, (const char *[]){ "git", "symbolic-ref", "--short", "-q",
                                               "refs/remotes/origin/HEAD", NULL });
    if (str_starts(name, "origin/"))
        name = (struct str){ name.p + strlen("origin/"), name.n - strlen("origin/") };
    else
        name = git(f, (const char *[]){ "git", "symbolic-ref", "--short", "-q", "HEAD", NULL });
    f->branch = is_plain_branch(name) ? str_dup(f->arena, name) : "main";
}

static bool says_lockflight(struct found *f, const char *path, struct err *e, bool *ret)
{
    struct str text;
    if (!found_text(f, path, &text, e))
        return false;
    *ret = memmem(text.p, text.n, "lockflight", strlen("lockflight")) != NULL;
    return true;
}

/* A workflow that calls lockflight already is its owner's. */
static bool find_workflow(struct found *f, struct err *e)
{
    static const char *const dirs[] = { ".github/workflows", ".gitlab" };
    struct arena *a = f->arena;
    bool is_ours;
    if (!says_lockflight(f, ".gitlab-ci.yml", e, &is_ours))
        return false;
    if (is_ours)
        f->workflow = ".gitlab-ci.yml";
    for (size_t d = 0; d < sizeof dirs / sizeof dirs[0]; d++) {
        const char **names;
        size_t n;
        struct err none = { 0 };
        if (!fs_list(a, fs_join(a, f->dir, dirs[d]), &names, &n, &none))
            continue;
        for (size_t i = 0; i < n && !f->workflow; i++) {
            const char *path = fs_join(a, dirs[d], names[i]);
            bool is_yaml = ends_with(names[i], ".yml") || ends_with(names[i], ".yaml");
            if (is_yaml && !says_lockflight(f, path, e, &is_ours))
                return false;
            if (is_yaml && is_ours)
                f->workflow = path;
        }
    }
    return true;
}

static void find_ci(struct found *f)
{
    struct arena *a = f->arena;
    f->has_gitlab_file = fs_exists(fs_join(a, f->dir, ".gitlab-ci.yml"));
    if (f->has_gitlab_file) {
        f->ci = FOUND_CI_GITLAB;
        f->ci_from = ".gitlab-ci.yml";
        return;
    }
    if (fs_is_dir(fs_join(a, f->dir, ".github"))) {
        f->ci = FOUND_CI_GITHUB;
        f->ci_from = ".github/";
        return;
    }
    struct str remotes = git(f, (const char *[]){ "git", "remote", "-v", NULL });
    if (memmem(remotes.p, remotes.n, "github.com", strlen("github.com")))
        f->ci = FOUND_CI_GITHUB;
    else if (memmem(remotes.p, remotes.n, "gitlab", strlen("gitlab")))
        f->ci = FOUND_CI_GITLAB;
    f->ci_from = f->ci ? "git remote" : NULL;
}

bool found_git(struct found *f, struct err *e)
{
    f->has_git = git(f, (const char *[]){ "git", "rev-parse", "--git-dir", NULL }).n > 0;
    f->branch = "main";
    if (f->has_git)
        find_branch(f);
    find_ci(f);
    return find_workflow(f, e);
}
