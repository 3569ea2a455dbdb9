#include "engine/site_variables.h"

static void compare(const struct netlify_variable *list, size_t n, struct site_variable *v)
{
    v->state = SITE_ABSENT;
    for (size_t i = 0; i < n; i++) {
        if (!streq(list[i].name, v->variable->spec->name))
            continue;
        v->updated_at = list[i].updated_at;
        v->state = list[i].is_secret                                          ? SITE_UNREADABLE
                   : str_is(secret_reveal(v->variable->value), list[i].value) ? SITE_SAME
                                                                              : SITE_OTHER;
    }
}

bool site_variables_read(struct target *t, struct variable_set *values, struct site_variable **ret,
                         struct err *e)
{
    struct netlify_variable *list = NULL;
    size_t n = 0;
    if (!target_variables(t, VAR_TO_NETLIFY_BUILD | VAR_TO_NETLIFY_FUNCTIONS, values, e))
        return false;
    if (values->n > 0 && !netlify_variables(t->netlify, t->arena, &list, &n, e))
        return err_wrap(e, "read the variables of the site");
    *ret = ARENA_ARRAY(t->arena, struct site_variable, values->n + 1);
    for (size_t i = 0; i < values->n; i++) {
        (*ret)[i].variable = &values->v[i];
        compare(list, n, &(*ret)[i]);
    }
    return true;
}

/* Who reads it there: builds, or functions while they run. */
static unsigned scopes(const struct target *t, const char *name)
{
    const struct config_var *var = config_var_find(t->config, name);
    unsigned to = var ? var->to : 0, all = VAR_TO_NETLIFY_BUILD | VAR_TO_NETLIFY_FUNCTIONS;
    if ((to & all) == all)
        return 0; /* the host's own default */
    return to & VAR_TO_NETLIFY_BUILD ? NETLIFY_BUILDS : NETLIFY_FUNCTIONS | NETLIFY_RUNTIME;
}

bool site_variables_level(struct target *t, size_t *ret_set, struct err *e)
{
    CLEANUP(variable_set) struct variable_set values = { 0 };
    struct site_variable *v;
    *ret_set = 0;
    if (!site_variables_read(t, &values, &v, e))
        return false;
    for (size_t i = 0; i < values.n; i++) {
        const struct variable_spec *spec = values.v[i].spec;
        if (v[i].state == SITE_SAME)
            continue;
        struct netlify_variable set = { .name = spec->name,
                                        .value = secret_reveal(values.v[i].value).p,
                                        .is_secret = spec->is_secret,
                                        .scopes = scopes(t, spec->name) };
        if (!netlify_variable_set(t->netlify, t->arena, &set, e))
            return err_wrap(e, "set %s on the site", spec->name);
        ++*ret_set;
    }
    return true;
}
