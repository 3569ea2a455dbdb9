/*
 * Asking a release that was live: see previous.h.
 */
#include "engine/previous.h"

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/proc.h"

#include <stdlib.h>
#include <unistd.h>

#define GIT_TIMEOUT_MS 60000

/* ---- a copy of its checkout ---- */

struct checkout {
    struct arena *arena;
    const char *dir; /* NULL: none */
};

static void checkout_cleanup(struct checkout *c)
{
    struct err left = { 0 };
    if (c->dir && !fs_remove_tree(c->dir, &left))
        c->dir = NULL; /* a folder in /tmp stays behind; nothing hangs on it */
}

static bool run(struct arena *a, const char *cwd, const char *const *argv)
{
    struct proc_spec spec = { .argv = argv, .cwd = cwd, .timeout_ms = GIT_TIMEOUT_MS };
    struct proc_result result = { 0 };
    struct err ignored = { 0 };
    return proc_run(a, &spec, &result, &ignored) && result.exit_status == 0;
}

/* The project's folder as it was in that commit, with the packages that are installed here. */
static void checkout_make(struct checkout *c, const char *project, const char *commit)
{
    char dir[] = "/tmp/lockflight-old.XXXXXX";
    if (!commit || !commit[0] || !mkdtemp(dir))
        return;
    c->dir = arena_strdup(c->arena, dir);
    /* run in the project's folder, git archives that folder */
    const char *tar = fs_join(c->arena, c->dir, "checkout.tar");
    if (!run(c->arena, project,
             (const char *[]){ "git", "archive", "--format=tar", "-o", tar, commit, NULL }) ||
        !run(c->arena, c->dir, (const char *[]){ "tar", "-xf", tar, NULL })) {
        checkout_cleanup(c);
        c->dir = NULL;
        return;
    }
    const char *packages = fs_join(c->arena, project, "node_modules");
    if (fs_is_dir(packages) && symlink(packages, fs_join(c->arena, c->dir, "node_modules")) != 0)
        return; /* its scripts may not need them; if they do, they say so */
}

/* ---- its checks ---- */

static bool has_run(const struct verify_set *set)
{
    for (size_t i = 0; i < set->n; i++) {
        if (set->v[i].run)
            return true;
    }
    return false;
}

static size_t drop_run(struct verify_set *set)
{
    size_t kept = 0;
    for (size_t i = 0; i < set->n; i++) {
        if (!set->v[i].run)
            set->v[kept++] = set->v[i];
    }
    size_t dropped = set->n - kept;
    set->n = kept;
    return dropped;
}

struct previous previous_ask(const struct verify_spec *spec, const json_t *manifest)
{
    struct previous p = { 0 };
    struct verify_set set = verify_kept(spec->arena, manifest);
    CLEANUP(checkout) struct checkout old = { .arena = spec->arena };
    if (has_run(&set))
        checkout_make(&old, spec->cwd, json_text_or(manifest, "commit", NULL));
    if (!old.dir)
        p.skipped = drop_run(&set);
    struct verify_spec there = *spec;
    if (old.dir)
        there.cwd = old.dir;
    p.checks = set.n;
    p.result = verify_checks(&there, &set);
    return p;
}

const char *previous_count(struct arena *a, const struct previous *p)
{
    const char *count = arena_printf(a, "%zu check%s", p->checks, p->checks == 1 ? "" : "s");
    return p->skipped == 0
               ? count
               : arena_printf(a, "%s, %zu left out: its commit is not here", count, p->skipped);
}
