/*
 * Netlify's site-wide variables. They are read when a deploy is made, so changing one changes
 * nothing that is live; a release brings them level only after it is sealed.
 *
 * A variable has one value per context. We write one value for all contexts; a secret may not have
 * "all", so it gets the same value in each context that builds or serves.
 */
#include "base/json.h"
#include "base/log.h"
#include "base/vec.h"
#include "net/url.h"
#include "provider/netlify_inside.h"

static const char *const secret_contexts[] = { "production", "deploy-preview", "branch-deploy" };

/* "/accounts/<a>/env<key>?site_id=<s>" */
static bool env_path(struct netlify *n, struct arena *a, const char *name, const char **ret,
                     struct err *e)
{
    const char *site_id;
    if (!netlify_site_id(n, &site_id, e))
        return false;
    if (!n->account) { /* the id was configured, so nothing has been asked yet */
        struct netlify_site site;
        if (!netlify_site_get(n, a, &site, e))
            return false;
    }
    *ret = arena_printf(a, "/accounts/%s/env%s%s?site_id=%s", url_encode(a, n->account),
                        name ? "/" : "", name ? url_encode(a, name) : "", site_id);
    return true;
}

static bool read_variable(struct arena *a, const json_t *value, struct netlify_variable *ret,
                          struct err *e)
{
    const char *key;
    json_t *values;
    if (!json_need_text(value, "key", "variable", &key, e) ||
        !json_need_array(value, "values", "variable", &values, e))
        return false;
    const json_t *best = json_array_get(values, 0);
    size_t i;
    json_t *one;
    json_array_foreach (values, i, one) {
        const char *context = json_text_or(one, "context", "");
        if (streq(context, "production") || streq(context, "all"))
            best = one;
    }
    *ret = (struct netlify_variable){
        .name = arena_strdup(a, key),
        .value = netlify_text(a, best, "value"),
        .is_secret = json_bool_or(value, "is_secret", false),
        .updated_at = netlify_text(a, value, "updated_at"),
    };
    return true;
}

bool netlify_variables(struct netlify *n, struct arena *a, struct netlify_variable **ret,
                       size_t *ret_count, struct err *e)
{
    struct http_request q = { .what = "netlify.variables", .method = "GET" };
    json_auto_t *list = NULL;
    if (!env_path(n, a, NULL, &q.path, e) || !http_json(n->http, a, &q, &list, NULL, e))
        return err_wrap(e, "list variables");
    if (!json_is_array(list))
        return err_set(e, ERR_DATA, "list of variables: not an array");
    VEC(struct netlify_variable) variables = { 0 };
    size_t i;
    json_t *value;
    json_array_foreach (list, i, value)
        if (!read_variable(a, value, vec_add(&variables, a), e))
            return err_wrap(e, "list variables");
    *ret = variables.v;
    *ret_count = variables.n;
    return true;
}

static json_t *variable_json(const struct netlify_variable *v)
{
    json_t *values = json_array();
    if (v->is_secret) {
        for (size_t i = 0; i < sizeof secret_contexts / sizeof *secret_contexts; i++)
            json_array_append_new(
                values, json_pack("{s:s, s:s}", "context", secret_contexts[i], "value", v->value));
    } else {
        json_array_append_new(values, json_pack("{s:s, s:s}", "context", "all", "value", v->value));
    }
    return json_pack("{s:s, s:[s,s,s], s:o, s:b}", "key", v->name, "scopes", "builds", "functions",
                     "runtime", "values", values, "is_secret", v->is_secret);
}

static bool variable_exists(struct netlify *n, struct arena *a, const char *path, bool *ret,
                            struct err *e)
{
    struct http_request q = { .what = "netlify.variable_get", .method = "GET", .path = path };
    struct http_answer answer;
    *ret = http_send(n->http, a, &q, &answer, e);
    return *ret || e->code == ERR_NOT_FOUND;
}

bool netlify_variable_set(struct netlify *n, struct arena *a, const struct netlify_variable *v,
                          struct err *e)
{
    if (v->is_secret)
        log_redact(str_of(v->value));
    const char *one, *all;
    bool exists;
    if (!env_path(n, a, v->name, &one, e) || !env_path(n, a, NULL, &all, e) ||
        !variable_exists(n, a, one, &exists, e))
        return err_wrap(e, "set variable %s", v->name);
    json_auto_t *variable = variable_json(v);
    const struct str sent = str_of(v->value);
    json_auto_t *list = json_pack("[O]", variable);
    struct http_request q = {
        .what = "netlify.variable_set",
        .sent_values = &sent,
        .n_sent_values = 1,
        .method = exists ? "PUT" : "POST",
        .path = exists ? one : all,
        .effect = HTTP_MUTATING,
        .json = exists ? variable : list,
    };
    struct http_answer answer;
    return http_send(n->http, a, &q, &answer, e) || err_wrap(e, "set variable %s", v->name);
}

bool netlify_variable_delete(struct netlify *n, struct arena *a, const char *name, struct err *e)
{
    struct http_request q = { .what = "netlify.variable_delete",
                              .method = "DELETE",
                              .effect = HTTP_MUTATING };
    struct http_answer answer;
    if (env_path(n, a, name, &q.path, e) && http_send(n->http, a, &q, &answer, e))
        return true;
    return e->code == ERR_NOT_FOUND || err_wrap(e, "delete variable %s", name);
}
