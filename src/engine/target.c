/*
 * Opening an environment: see target.h.
 */
#include "engine/target.h"

#include "base/fs.h"
#include "base/vec.h"
#include "config/vendor.h"

static const char *without_slash(struct arena *a, const char *url)
{
    size_t n = strlen(url);
    while (n > 0 && url[n - 1] == '/')
        n--;
    return arena_strndup(a, url, n);
}

bool target_open_database(struct arena *a, const struct config *config, const char *name,
                          struct target *ret, struct err *e)
{
    *ret = (struct target){ .arena = a, .config = config, .name = name };
    if (!config_environment(config, name, &ret->environment, e))
        return false;
    ret->name = ret->environment.name;
    struct pg_spec spec = { .url = ret->environment.database_url, .purpose = "reading" };
    if (!pg_open(&spec, &ret->db, e))
        return err_wrap(e, "open the database of %s", name);
    return true;
}

/* The address visitors use: what the configuration says, else what the host says. */
static bool find_site_url(struct target *t, struct err *e)
{
    if (t->environment.site_url) {
        t->site_url = without_slash(t->arena, t->environment.site_url);
        return true;
    }
    struct netlify_site site;
    if (!netlify_site_get(t->netlify, t->arena, &site, e))
        return err_wrap(e, "look up the site of %s", t->name);
    t->site_url = without_slash(t->arena, site.url);
    return true;
}

static bool find_anon_key(struct target *t, struct err *e)
{
    t->anon_key = t->environment.supabase.anon_key;
    if (t->anon_key)
        return true;
    struct supabase_api_keys keys;
    if (!supabase_api_keys(t->supabase, t->arena, &keys, e))
        return err_wrap(e, "look up the public key of %s", t->name);
    t->anon_key = keys.anon ? keys.anon : keys.publishable;
    return true;
}

/* The local gateway serves OFREP itself, hosted projects have the function `flags`. */
static const char *flags_url(struct arena *a, enum platform platform, const char *supabase_url)
{
    return platform == PLATFORM_LOCAL ? supabase_url
                                      : arena_printf(a, "%s/functions/v1/flags", supabase_url);
}

bool target_open(struct arena *a, const struct config *config, const char *name, struct target *ret,
                 struct err *e)
{
    if (!target_open_database(a, config, name, ret, e))
        return false;
    const struct environment *env = &ret->environment;
    struct netlify_spec site = { env->netlify.api, env->netlify.token, env->netlify.site };
    if (!netlify_open(&site, &ret->netlify, e))
        return err_wrap(e, "open the site of %s", name);
    struct supabase_spec project = { env->supabase.api, env->supabase.token, env->supabase.ref };
    if (!supabase_open(&project, &ret->supabase, e))
        return err_wrap(e, "open the project of %s", name);
    ret->functions_url = without_slash(a, env->functions_url);
    ret->supabase_url = without_slash(a, env->supabase.url);
    ret->flags_url = flags_url(a, env->platform, ret->supabase_url);
    return find_site_url(ret, e) && find_anon_key(ret, e);
}

static bool still_ours(void *lease, struct err *e)
{
    return lease_check(lease, e);
}

void target_guard(struct target *t, struct lease *l)
{
    if (t->netlify)
        http_set_guard(netlify_http(t->netlify), l ? still_ours : NULL, l);
    if (t->supabase)
        http_set_guard(supabase_http(t->supabase), l ? still_ours : NULL, l);
}

void target_close(struct target *t)
{
    vault_done(&t->vault);
    supabase_close(t->supabase);
    netlify_close(t->netlify);
    pg_close(t->db);
    t->supabase = NULL;
    t->netlify = NULL;
    t->db = NULL;
}

bool target_declared(struct arena *a, const struct config *config, const char *name,
                     struct target *ret, struct err *e)
{
    const struct config_env *env;
    *ret = (struct target){ .arena = a, .config = config, .name = name };
    if (!config_env_need(config, name, &env, e))
        return false;
    ret->environment.declared = env;
    ret->environment.name = env->name;
    ret->supabase_url = "{supabase_url}";
    ret->flags_url = "{flags_url}";
    ret->anon_key = "{supabase_anon_key}";
    ret->site_url = "{site_url}";
    return true;
}

struct check_values target_check_values(const struct target *t, const char *release,
                                        const char *permalink)
{
    return (struct check_values){
        .environment = t->name,
        .release = release,
        .site = t->site_url,
        .functions = t->functions_url,
        .supabase = t->supabase_url,
        .anon_key = t->anon_key,
        .permalink = permalink,
    };
}

struct vault_place target_vault_place(const struct config *config, const struct config_env *env)
{
    return (struct vault_place){
        .path = env->secrets_file,
        .name = config_shown_path(config, env->secrets_file),
        .project = config->project,
        .environment = env->name,
    };
}

bool target_vault(struct target *t, const struct vault **ret, struct err *e)
{
    const struct config_env *env = t->environment.declared;
    struct vault_place place = target_vault_place(t->config, env);
    const struct keyring *keys;
    *ret = NULL;
    if (!t->vault.is_open) {
        if (!fs_exists(env->secrets_file))
            return true;
        if (!vault_read(t->arena, &place, &t->vault, e) || !keyring_get(&keys, e) ||
            !vault_open(&t->vault, keys, e))
            return false;
    }
    *ret = &t->vault;
    return true;
}

/* The source of a variable in this environment: its own line of `from`, else `value` with templates
 * filled in. */
static bool variable_source(struct target *t, const struct config_var *var, const char **ret,
                            struct err *e)
{
    for (size_t i = 0; i < var->from.n; i++) {
        if (streq(var->from.v[i].name, t->name)) {
            *ret = var->from.v[i].value;
            return true;
        }
    }
    *ret = NULL;
    if (!var->value)
        return true;
    const struct {
        const char *template;
        const char *value;
    } rows[] = {
        { "{supabase_url}", t->supabase_url }, { "{supabase_anon_key}", t->anon_key },
        { "{site_url}", t->site_url },         { "{flags_url}", t->flags_url },
        { "{environment}", t->name },
    };
    *ret = var->value;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *at = strstr(*ret, rows[i].template);
        if (!at)
            continue;
        if (!rows[i].value)
            return err_set(e, ERR_CONFIG, "variable %s: %s is not known for %s", var->name,
                           rows[i].template, t->name);
        *ret = arena_printf(t->arena, "%.*s%s%s", (int)(at - *ret), *ret, rows[i].value,
                            at + strlen(rows[i].template));
    }
    return true;
}

static bool variable_spec(struct target *t, const struct config_var *var, struct variable_spec *ret,
                          struct err *e)
{
    const struct config_secret *line = config_secret_find(t->environment.declared, var->name);
    const struct vault *vault = NULL;
    const char *source;
    if (!variable_source(t, var, &source, e) || (line && !target_vault(t, &vault, e)))
        return false;
    *ret = (struct variable_spec){
        .name = var->name,
        .source = source,
        .vault = vault,
        .is_secret = var->is_secret,
        .min_length = (size_t)var->min_length,
        .is_distinct = var->is_distinct,
        .is_elsewhere = !(var->to & VAR_TO_SUPABASE),
        .where = line ? line->where : config_where(t->config, &var->name),
    };
    return true;
}

bool target_variables(struct target *t, unsigned wanted, struct variable_set *ret, struct err *e)
{
    VEC(struct variable_spec) specs = { 0 };
    for (size_t i = 0; i < t->config->vars_n; i++) {
        const struct config_var *var = &t->config->vars[i];
        if ((var->to & wanted) && !variable_spec(t, var, vec_add(&specs, t->arena), e))
            return false;
    }
    return variables_resolve(t->arena, specs.v, specs.n, t->config->dir, ret, e);
}

bool target_variable(struct target *t, const struct config_var *var, struct variable_set *ret,
                     struct err *e)
{
    struct variable_spec *spec = ARENA_NEW(t->arena, struct variable_spec);
    return variable_spec(t, var, spec, e) &&
           variables_resolve(t->arena, spec, 1, t->config->dir, ret, e);
}

const char *const *target_variable_names(struct arena *a, const struct config *config)
{
    const char **names = ARENA_ARRAY(a, const char *, config->vars_n + 1);
    for (size_t i = 0; i < config->vars_n; i++)
        names[i] = config->vars[i].name;
    return names;
}

/* A path of the configuration, which is absolute, as the function source
 * wants it: below supabase/. */
static const char *below_supabase(const struct config *config, const char *path)
{
    const char *dir = config->supabase.dir;
    if (!path || !dir || !starts_with(path, dir))
        return path;
    const char *rest = path + strlen(dir);
    return *rest == '/' ? rest + 1 : rest;
}

static bool read_function(struct arena *a, const struct config *config,
                          const struct config_function *declared, bool verify_jwt,
                          struct function_source *ret, struct err *e)
{
    struct function_settings settings = {
        .slug = declared->slug,
        .entrypoint = below_supabase(config, declared->entrypoint),
        .import_map = below_supabase(config, declared->import_map),
        .static_files = declared->static_files.v,
        .n_static_files = declared->static_files.n,
        .verify_jwt = verify_jwt,
    };
    return function_source_collect(a, config->dir, declared->slug, &settings, ret, e);
}

bool target_function_files(struct arena *a, const struct config *config,
                           const struct config_function *declared, struct function_source *ret,
                           struct err *e)
{
    return read_function(a, config, declared, declared->verify_jwt, ret, e);
}

bool target_function_source(struct target *t, const struct config_function *declared,
                            const struct supabase_function *live, struct function_source *ret,
                            struct err *e)
{
    bool verify_jwt = declared->verify_jwt_given || !live ? declared->verify_jwt : live->verify_jwt;
    return read_function(t->arena, t->config, declared, verify_jwt, ret, e);
}
