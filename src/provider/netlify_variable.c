/*
 * Netlify's variables as a release sees them: one value for everything that builds or serves.
 *
 * A secret may not have the context "all", so it gets the same value in each of the contexts that
 * matter.
 */
#include "base/vec.h"
#include "provider/netlify_inside.h"

/* The value that production reads. */
static const char *value_for_production(const struct netlify_env *v)
{
    const char *value = v->n_values ? v->values[0].value : "";
    for (size_t i = 0; i < v->n_values; i++)
        if (streq(v->values[i].context, "production") || streq(v->values[i].context, "all"))
            value = v->values[i].value;
    return value;
}

bool netlify_variables(struct netlify *n, struct arena *a, struct netlify_variable **ret,
                       size_t *ret_count, struct err *e)
{
    struct netlify_env *envs = NULL;
    size_t count = 0;
    if (!netlify_envs(n, a, &envs, &count, e))
        return false;
    struct netlify_variable *variables = ARENA_ARRAY(a, struct netlify_variable, count + 1);
    for (size_t i = 0; i < count; i++)
        variables[i] = (struct netlify_variable){
            .name = envs[i].name,
            .value = value_for_production(&envs[i]),
            .is_secret = envs[i].is_secret,
            .updated_at = envs[i].updated_at,
        };
    *ret = variables;
    *ret_count = count;
    return true;
}

bool netlify_variable_set(struct netlify *n, struct arena *a, const struct netlify_variable *v,
                          struct err *e)
{
    static const char *const secret_contexts[] = { "production", "deploy-preview",
                                                   "branch-deploy" };
    struct netlify_env_value values[sizeof secret_contexts / sizeof *secret_contexts];
    size_t count = v->is_secret ? sizeof values / sizeof *values : 1;
    for (size_t i = 0; i < count; i++)
        values[i] = (struct netlify_env_value){
            .context = v->is_secret ? secret_contexts[i] : "all", .branch = "", .value = v->value
        };
    return netlify_env_put(n, a,
                           &(struct netlify_env){ .name = v->name,
                                                  .scopes = v->scopes,
                                                  .is_secret = v->is_secret,
                                                  .values = values,
                                                  .n_values = count },
                           e);
}
