/*
 * A whole project as config_load reads it, with one file of it made of the input: FUZZ_FILE says
 * which. Either it loads, or the error is about the configuration and says where.
 */
#include "fuzz.h"

#include "base/fs.h"
#include "config/config.h"
#include "config/vendor.h"

#include <stdio.h>
#include <stdlib.h>

static char dir[64];

static const char *const others[][2] = {
    { "lockflight.toml", "version = 1\nproject = \"p\"\n[env.staging]\nplatform = \"local\"\n" },
    { "supabase/config.toml", "project_id = \"p\"\n[edge_runtime.secrets]\nA = \"env(A)\"\n"
                              "B = \"env(B)\"\nLONG = \"env(LONG_NAME)\"\n" },
};

static void remove_project(void)
{
    struct err e;
    if (!fs_remove_tree(dir, &e))
        (void)fprintf(stderr, "# %s stays: %s\n", dir, e.why);
}

static void put(struct arena *a, const char *name, struct str content)
{
    const char *path = fs_join(a, dir, name);
    FILE *f = fopen(path, "we");
    assert(f);
    assert(fwrite(content.p, 1, content.n, f) == content.n);
    assert(fclose(f) == 0);
}

static void make_project(struct arena *a)
{
    struct err e;
    (void)snprintf(dir, sizeof dir, "%s/lockflight-fuzz.XXXXXX", fuzz_tmp());
    assert(mkdtemp(dir));
    (void)atexit(remove_project);
    assert(fs_mkdirs(fs_join(a, dir, ".git"), 0700, &e));
    assert(fs_mkdirs(fs_join(a, dir, "supabase"), 0700, &e));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        put(a, others[i][0], str_of(others[i][1]));
}

static void check_loaded(const struct config *c)
{
    struct err e = { 0 };
    assert(c->version == 1 && c->dir && c->paths.supabase && c->paths.migrations);
    for (size_t i = 0; i < c->envs_n; i++) {
        const char *name = c->envs[i].name;
        assert(config_env_find(c, name));
        assert(config_where(c, &c->envs[i].platform)[0]);
    }
    for (size_t i = 0; i < c->remotes_n; i++) {
        struct supabase_config laid_over;
        if (!supabase_config_load(c, c->origins, c->remotes[i].name, &laid_over, &e))
            assert(e.code == ERR_CONFIG || e.code == ERR_LIMIT);
    }
    for (size_t i = 0; i < c->supabase.secrets.n; i++)
        assert(c->supabase.secrets.v[i].name && c->supabase.secrets.v[i].value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena) struct arena *a = arena_new(FUZZ_ARENA_BYTES);
    if (!dir[0])
        make_project(a);
    put(a, FUZZ_FILE, fuzz_input(data, size));
    struct config c;
    struct err e = { 0 };
    if (config_load(a, fs_join(a, dir, "lockflight.toml"), &c, &e))
        check_loaded(&c);
    else
        assert((e.code == ERR_CONFIG || e.code == ERR_LIMIT) && e.why[0]);
    return 0;
}
