/*
 * Looking things up in what was loaded: see config.h.
 */
#include "config/config.h"

#include "config/vendor.h"

const char *config_shown_path(const struct config *c, const char *path)
{
    size_t n = strlen(c->dir);
    if (starts_with(path, c->dir) && path[n] == '/')
        return path + n + 1;
    return path;
}

const struct config_env *config_env_find(const struct config *c, const char *name)
{
    for (size_t i = 0; i < c->envs_n; i++) {
        if (streq(c->envs[i].name, name))
            return &c->envs[i];
    }
    return NULL;
}

const struct config_check *config_check_find(const struct config *c, const char *name)
{
    for (size_t i = 0; i < c->checks_n; i++) {
        if (streq(c->checks[i].name, name))
            return &c->checks[i];
    }
    return NULL;
}

const struct config_var *config_var_find(const struct config *c, const char *name)
{
    for (size_t i = 0; i < c->vars_n; i++) {
        if (streq(c->vars[i].name, name))
            return &c->vars[i];
    }
    return NULL;
}

const struct config_secret *config_secret_find(const struct config_env *env, const char *name)
{
    for (size_t i = 0; i < env->secrets_n; i++) {
        if (streq(env->secrets[i].name, name))
            return &env->secrets[i];
    }
    return NULL;
}
