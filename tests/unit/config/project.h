/*
 * A project on disk for one test: files are written into a folder of its own.
 */
#ifndef LOCKFLIGHT_TESTS_CONFIG_PROJECT_H
#define LOCKFLIGHT_TESTS_CONFIG_PROJECT_H

#include "assert_ok.h"

#include "base/fs.h"
#include "config/config.h"

#include <stdlib.h>
#include <unistd.h>

struct project {
    struct arena *arena;
    char *dir;
    struct config config;
    struct err e;
};

static const char head[] = "version = 1\nproject = \"shop\"\n";

static inline int project_setup(void **state)
{
    struct project *p = calloc(1, sizeof *p);
    char dir[] = "/tmp/lf-config.XXXXXX";
    p->arena = arena_new(0);
    p->dir = arena_strdup(p->arena, mkdtemp(dir));
    (void)setenv("LOCKFLIGHT_STATE_DIR", fs_join(p->arena, p->dir, "state"), 1);
    (void)unsetenv("LOCKFLIGHT_CONFIG");
    (void)unsetenv("NETLIFY_AUTH_TOKEN");
    (void)unsetenv("SUPABASE_ACCESS_TOKEN");
    *state = p;
    return 0;
}

static inline int project_teardown(void **state)
{
    struct project *p = *state;
    bool is_gone = fs_remove_tree(p->dir, &p->e);
    arena_free(p->arena);
    free(p);
    return is_gone ? 0 : -1;
}

static inline void write_file(struct project *p, const char *name, const char *text)
{
    char *path = fs_join(p->arena, p->dir, name);
    char *dir = arena_strdup(p->arena, path);
    *strrchr(dir, '/') = '\0';
    assert_ok(fs_mkdirs(dir, 0755, &p->e), &p->e);
    assert_ok(fs_replace(path, str_of(text), 0644, &p->e), &p->e);
}

/* lockflight.toml: the head every project needs, then `text`. Lines of `text` begin at 3. */
static inline void write_project(struct project *p, const char *text)
{
    write_file(p, "lockflight.toml", arena_printf(p->arena, "%s%s", head, text));
}

static inline bool load(struct project *p)
{
    return config_load(p->arena, fs_join(p->arena, p->dir, "lockflight.toml"), &p->config, &p->e);
}

static inline void assert_refused(struct project *p, const char *where, const char *why)
{
    assert_fails(load(p), &p->e, ERR_CONFIG);
    if (!streq(p->e.where, where) || !strstr(p->e.why, why))
        fail_msg("\"%s\" at %s, expected \"%s\" at %s", p->e.why, p->e.where, why, where);
}

#endif
