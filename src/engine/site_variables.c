#include "engine/site_variables.h"

#include "base/hash.h"
#include "engine/journal.h"
#include "engine/variable_mark.h"

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
        v->found = list[i].is_secret ? NULL : list[i].value;
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

static json_t *before(const struct site_variable *v)
{
    char digest[SHA256_HEX_BYTES];
    if (v->state == SITE_ABSENT)
        return json_null();
    if (!v->found)
        return json_pack("{s:s}", "set_at", v->updated_at);
    if (!v->variable->spec->is_secret)
        return json_pack("{s:s}", "value", v->found);
    hash_hex(HASH_SHA256, str_of(v->found), digest);
    return variable_mark(v->variable->spec, digest);
}

static bool keep_before(struct lease *l, const struct site_variable *v, size_t n, struct err *e)
{
    json_auto_t *body = json_object();
    json_t *all = json_object();
    json_object_set_new(body, "before", all);
    for (size_t i = 0; i < n; i++) {
        if (v[i].state != SITE_SAME)
            json_object_set_new(all, v[i].variable->spec->name, before(&v[i]));
    }
    return json_object_size(all) == 0 || journal_note(l, "site.variables", body, e);
}

bool site_variables_level(struct target *t, struct lease *l, size_t *ret_set, struct err *e)
{
    CLEANUP(variable_set) struct variable_set values = { 0 };
    struct site_variable *v = NULL;
    *ret_set = 0;
    if (!site_variables_read(t, &values, &v, e) || !keep_before(l, v, values.n, e))
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
