/*
 * Finding and loading the project: config_find and config_load of config.h.
 */
#include "base/env.h"
#include "base/fs.h"
#include "config/config.h"
#include "config/flags_toml.h"
#include "config/keys.h"
#include "config/secret_names.h"
#include "config/validate.h"
#include "config/vendor.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#define FILE_NAME "lockflight.toml"

/* The folder above; NULL at the root. */
static char *parent(struct arena *a, const char *dir)
{
    const char *slash = strrchr(dir, '/');
    if (!slash || dir[1] == '\0')
        return NULL;
    return slash == dir ? arena_strdup(a, "/") : arena_strndup(a, dir, (size_t)(slash - dir));
}

/* The nearest folder, from `dir` upwards, that holds `name`; `last` says where to stop looking. */
static char *search_upwards(struct arena *a, const char *dir, const char *name, const char *last)
{
    for (char *at = arena_strdup(a, dir); at; at = parent(a, at)) {
        if (fs_exists(fs_join(a, at, name)))
            return at;
        if (last && streq(at, last))
            return NULL;
    }
    return NULL;
}

static char *current_dir(struct arena *a)
{
    char buffer[PATH_MAX];
    return getcwd(buffer, sizeof buffer) ? arena_strdup(a, buffer) : NULL;
}

char *config_find(struct arena *a, const char *path)
{
    if (!path)
        path = env_value("LOCKFLIGHT_CONFIG");
    if (path)
        return fs_real_path(a, path);
    char *here = current_dir(a);
    if (!here)
        return NULL;
    char *repository = search_upwards(a, here, ".git", NULL);
    char *dir = search_upwards(a, here, FILE_NAME, repository ? repository : here);
    return dir ? fs_join(a, dir, FILE_NAME) : NULL;
}

static bool not_found(const char *path, struct err *e)
{
    const char *variable = env_value("LOCKFLIGHT_CONFIG");
    if (path)
        return err_set(e, ERR_USAGE, "there is no file %s (--config)", path);
    if (variable)
        return err_set(e, ERR_USAGE, "there is no file %s (LOCKFLIGHT_CONFIG)", variable);
    err_set(e, ERR_CONFIG, "there is no lockflight.toml here, nor in a folder above");
    return err_hint(e, "cd into the project, or name the file with --config");
}

static const char *remote_project(const struct config *c, const char *remote)
{
    for (size_t i = 0; i < c->remotes_n; i++) {
        if (streq(c->remotes[i].name, remote))
            return c->remotes[i].project_id;
    }
    return NULL;
}

/* Words that stand for something: requires = "none", ref = "remote:<name>". */
static void settle_env(const struct config *c, struct config_env *env)
{
    if (streq(env->requires, "none")) {
        env->requires = NULL;
        env->requires_none = true;
    }
    if (env->supabase.ref && starts_with(env->supabase.ref, "remote:")) {
        env->supabase.remote = env->supabase.ref + strlen("remote:");
        env->supabase.ref = remote_project(c, env->supabase.remote);
    }
}

static bool read_lockflight_toml(struct config *c, struct origins *origins, struct err *e)
{
    struct reader r = {
        .arena = c->arena,
        .origins = origins,
        .file = FILE_NAME,
        .dir = c->dir,
        .is_strict = true,
    };
    if (!ends_with(c->file, "/" FILE_NAME))
        r.file = strrchr(c->file, '/') + 1;
    struct toml_node root;
    return read_file(&r, c->file, &root, e) && read_table(&r, &root, lockflight_keys, "", c, e);
}

static bool load_environments(struct config *c, struct origins *origins, struct err *e)
{
    if (!read_lockflight_toml(c, origins, e))
        return false;
    for (size_t i = 0; i < c->envs_n; i++)
        settle_env(c, &c->envs[i]);
    environment_hide(c);
    c->has_environments_only = true;
    return true;
}

static bool load(struct config *c, struct origins *origins, struct err *e)
{
    c->repository = search_upwards(c->arena, c->dir, ".git", NULL);
    if (!c->repository)
        c->repository = c->dir;
    if (!read_lockflight_toml(c, origins, e))
        return false;
    c->paths.migrations = fs_join(c->arena, c->paths.supabase, "migrations");
    c->paths.functions = fs_join(c->arena, c->paths.supabase, "functions");
    if (!netlify_config_load(c, origins, &c->netlify, e) ||
        !supabase_remotes_load(c, origins, &c->remotes, &c->remotes_n, e) ||
        !supabase_config_load(c, origins, NULL, &c->supabase, e))
        return false;
    for (size_t i = 0; i < c->envs_n; i++) {
        settle_env(c, &c->envs[i]);
        if (!secret_names_load(c, &c->envs[i], e))
            return false;
    }
    environment_hide(c);
    return config_validate(c, e) && flags_toml_load(c, origins, e) && flags_validate(c, e);
}

static bool load_with(bool (*load_what)(struct config *c, struct origins *origins, struct err *e),
                      struct arena *a, const char *path, struct config *ret, struct err *e)
{
    char *file = config_find(a, path);
    if (!file)
        return not_found(path, e);
    struct config *c = ARENA_NEW(a, struct config);
    c->arena = a;
    c->file = file;
    c->dir = parent(a, file);
    c->origins = origins_new(a);
    if (!load_what(c, c->origins, e))
        return false;
    origins_copied(c->origins, c, ret, sizeof *ret);
    *ret = *c;
    return true;
}

bool config_load(struct arena *a, const char *path, struct config *ret, struct err *e)
{
    return load_with(load, a, path, ret, e);
}

bool config_load_environments(struct arena *a, const char *path, struct config *ret, struct err *e)
{
    return load_with(load_environments, a, path, ret, e);
}
