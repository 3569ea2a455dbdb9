#include "config/config.h"
#include "base/fs.h"
bool config_load(struct arena *a, const char *path, struct config *ret, struct err *e)
{
    (void)path; (void)e;
    *ret = (struct config){ .file = "lockflight.toml", .dir = fs_real_path(a, "."), .project = "rtdemo", .local_port = 4700 };
    ret->envs = ARENA_ARRAY(a, struct config_env, 2); ret->envs_n = 2;
    ret->envs[0] = (struct config_env){ .name = "staging", .platform = PLATFORM_LOCAL };
    ret->envs[1] = (struct config_env){ .name = "production", .platform = PLATFORM_LOCAL };
    ret->supabase.dir = fs_join(a, ret->dir, "supabase"); ret->supabase.seed.is_enabled = true;
    return true;
}
const struct config_env *config_env_find(const struct config *c, const char *name)
{ for (size_t i = 0; i < c->envs_n; i++) if (streq(c->envs[i].name, name)) return &c->envs[i]; return NULL; }
