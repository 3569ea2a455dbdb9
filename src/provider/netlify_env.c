/*
 * Netlify's variables in full: scopes, a value for each context, secrets that cannot be read back.
 *
 * They are read by the host when a deploy is made, so changing one changes nothing that is live.
 * The host spells one scope with "-" in its documentation and with "_" on the wire; both are read.
 */
#include "base/json.h"
#include "base/log.h"
#include "base/vec.h"
#include "net/url.h"
#include "provider/netlify_inside.h"

#include <ctype.h>
#include <string.h>

#define DEFAULT_SCOPES (NETLIFY_BUILDS | NETLIFY_FUNCTIONS | NETLIFY_RUNTIME)

struct scope_name {
    unsigned scope;
    const char *name;
    const char *other_spelling;
};

/* clang-format off */
static const struct scope_name scope_names[] = {
    { NETLIFY_BUILDS,          "builds",          "builds"          },
    { NETLIFY_FUNCTIONS,       "functions",       "functions"       },
    { NETLIFY_RUNTIME,         "runtime",         "runtime"         },
    { NETLIFY_POST_PROCESSING, "post_processing", "post-processing" },
};
/* clang-format on */

bool netlify_env_path(struct netlify *n, struct arena *a, const char *rest, const char **ret,
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
    if (!*n->account)
        return err_set(e, ERR_DATA, "site %s: the answer names no account", n->site);
    *ret =
        arena_printf(a, "/accounts/%s/env%s?site_id=%s", url_encode(a, n->account), rest, site_id);
    return true;
}

static const char *one_path(struct arena *a, const char *name)
{
    return arena_printf(a, "/%s", url_encode(a, name));
}

/* ---- reading ---- */

static unsigned read_scopes(struct fields *f)
{
    const json_t *list = field_list(f, "scopes");
    unsigned scopes = 0;
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item) {
        const char *name = json_is_string(item) ? json_string_value(item) : "";
        unsigned found = 0;
        for (size_t k = 0; k < sizeof scope_names / sizeof *scope_names; k++)
            if (streq(name, scope_names[k].name) || streq(name, scope_names[k].other_spelling))
                found = scope_names[k].scope;
        if (!found && !f->has_failed)
            f->has_failed =
                !err_set(f->e, ERR_DATA, "%s: \"scopes\" has \"%.40s\" in it, which we do not know",
                         f->name, name);
        scopes |= found;
    }
    return scopes;
}

static bool read_env(struct arena *a, const json_t *value, struct netlify_env *ret, struct err *e)
{
    struct fields f = fields_of(a, value, "variable", e);
    struct netlify_env v = {
        .name = field_id(&f, "key"),
        .scopes = read_scopes(&f),
        .is_secret = field_flag(&f, "is_secret", false),
        .updated_at = field_text(&f, "updated_at"),
    };
    const json_t *list = field_need_list(&f, "values");
    struct netlify_env_value *values =
        ARENA_ARRAY(a, struct netlify_env_value, json_array_size(list) + 1);
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item) {
        struct fields one = fields_of(a, item, "value of a variable", e);
        values[i] = (struct netlify_env_value){
            .id = field_text(&one, "id"),
            .context = field_id(&one, "context"),
            .branch = field_text(&one, "context_parameter"),
            .value = field_text(&one, "value"),
        };
        if (!fields_ok(&one))
            return false;
    }
    v.values = values;
    v.n_values = json_array_size(list);
    if (fields_ok(&f))
        *ret = v;
    return fields_ok(&f);
}

bool netlify_envs(struct netlify *n, struct arena *a, struct netlify_env **ret, size_t *ret_count,
                  struct err *e)
{
    const char *path;
    json_auto_t *list = NULL;
    VEC(struct netlify_env) all = { 0 };
    if (!netlify_env_path(n, a, "", &path, e) ||
        !netlify_list(n, a, "netlify.variables", path, "variables", &list, NULL, e))
        return false;
    size_t i;
    json_t *value;
    json_array_foreach (list, i, value)
        if (!http_checked(n->http, read_env(a, value, vec_add(&all, a), e), e))
            return err_wrap(e, "list the variables");
    *ret = all.v;
    *ret_count = all.n;
    return true;
}

bool netlify_env_get(struct netlify *n, struct arena *a, const char *name, struct netlify_env *ret,
                     struct err *e)
{
    struct http_request q = { .what = "netlify.variable_get", .method = "GET" };
    json_auto_t *value = NULL;
    if (!netlify_env_path(n, a, one_path(a, name), &q.path, e) ||
        !http_json(n->http, a, &q, &value, NULL, e) ||
        !http_checked(n->http, read_env(a, value, ret, e), e))
        return err_wrap(e, "read variable %s", name);
    if (!streq(ret->name, name))
        return err_set(e, ERR_DATA, "read variable %s: the host answered with variable %s", name,
                       ret->name);
    return true;
}

/* ---- what the host would refuse ---- */

static bool is_kept_by_host(const char *name)
{
    static const char *const kept[] = { "BRANCH",
                                        "CACHED_COMMIT_REF",
                                        "COMMIT_REF",
                                        "CONTEXT",
                                        "HEAD",
                                        "REPOSITORY_URL",
                                        "URL",
                                        "NETLIFY",
                                        "NETLIFY_LOCAL",
                                        "PULL_REQUEST",
                                        "REVIEW_ID",
                                        "NETLIFY_BUILD_BASE",
                                        "NETLIFY_IMAGES_CDN_DOMAIN" };
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        if (streq(name, kept[i]))
            return true;
    return starts_with(name, "INCOMING_HOOK_");
}

static bool check_name(const char *name, struct err *e)
{
    bool is_word = *name && !isdigit((unsigned char)*name) && strlen(name) <= FIELD_ID_BYTES;
    for (const char *c = name; *c; c++)
        is_word = is_word && (isalnum((unsigned char)*c) || *c == '_');
    if (!is_word)
        return err_set(e, ERR_CONFIG, "\"%.80s\" is no name for a variable", name);
    return !is_kept_by_host(name) ||
           err_set(e, ERR_CONFIG, "%s is set by Netlify itself and cannot be given a value", name);
}

static bool check_value(const struct netlify_env *v, const struct netlify_env_value *value,
                        struct err *e)
{
    if (!*value->context || (streq(value->context, "branch") && !*value->branch))
        return err_set(e, ERR_CONFIG, "%s: a value without a context", v->name);
    if (v->is_secret && streq(value->context, "all"))
        return err_set(e, ERR_CONFIG, "%s: a secret needs a value for each context, not \"all\"",
                       v->name);
    if (!str_is_utf8(str_of(value->value)))
        return err_set(e, ERR_CONFIG, "the value of %s is not UTF-8 text", v->name);
    return true;
}

static bool check_env(const struct netlify_env *v, struct err *e)
{
    if (!check_name(v->name, e))
        return false;
    if (v->is_secret && (v->scopes & NETLIFY_POST_PROCESSING))
        return err_set(e, ERR_CONFIG, "%s: a secret cannot have the scope post-processing",
                       v->name);
    if (v->n_values == 0)
        return err_set(e, ERR_CONFIG, "%s has no value", v->name);
    for (size_t i = 0; i < v->n_values; i++)
        if (!check_value(v, &v->values[i], e))
            return false;
    return true;
}

/* ---- writing ---- */

static json_t *value_json(const struct netlify_env_value *value)
{
    json_t *o = json_pack("{s:s, s:s}", "context", value->context, "value", value->value);
    if (value->branch && *value->branch)
        json_object_set_new(o, "context_parameter", json_string(value->branch));
    return o;
}

static json_t *env_json(const struct netlify_env *v)
{
    unsigned scopes = v->scopes ? v->scopes : DEFAULT_SCOPES;
    json_t *names = json_array();
    for (size_t i = 0; i < sizeof scope_names / sizeof *scope_names; i++)
        if (scopes & scope_names[i].scope)
            json_array_append_new(names, json_string(scope_names[i].name));
    json_t *values = json_array();
    for (size_t i = 0; i < v->n_values; i++)
        json_array_append_new(values, value_json(&v->values[i]));
    return json_pack("{s:s, s:o, s:o, s:b}", "key", v->name, "scopes", names, "values", values,
                     "is_secret", v->is_secret);
}

/* Is that what was asked for? Values of secrets do not come back, so contexts must do. */
static bool shows(const struct netlify_env *now, const struct netlify_env *asked, struct err *e)
{
    if (!streq(now->name, asked->name) || now->is_secret != asked->is_secret)
        return err_set(e, ERR_DATA, "the answer shows %s%s, not what was set", now->name,
                       now->is_secret ? " as a secret" : "");
    for (size_t i = 0; i < asked->n_values; i++) {
        bool is_there = false;
        for (size_t k = 0; k < now->n_values; k++)
            is_there |= streq(now->values[k].context, asked->values[i].context);
        if (!is_there)
            return err_set(e, ERR_DATA, "the answer shows no value for context \"%s\"",
                           asked->values[i].context);
    }
    return true;
}

static bool exists(struct netlify *n, struct arena *a, const char *path, bool *ret, struct err *e)
{
    struct http_request q = { .what = "netlify.variable_get", .method = "GET", .path = path };
    *ret = http_done(n->http, a, &q, e);
    return *ret || e->code == ERR_NOT_FOUND;
}

/* Creating answers a list of one, replacing answers the variable. */
static bool read_set(struct netlify *n, struct arena *a, const json_t *value,
                     const struct netlify_env *asked, struct err *e)
{
    struct netlify_env now;
    const json_t *one = json_is_array(value) ? json_array_get(value, 0) : value;
    return netlify_unreadable(n, read_env(a, one, &now, e) && shows(&now, asked, e), e);
}

bool netlify_env_put(struct netlify *n, struct arena *a, const struct netlify_env *v, struct err *e)
{
    const char *one, *all;
    bool is_there;
    struct str *sent = ARENA_ARRAY(a, struct str, v->n_values + 1);
    for (size_t i = 0; i < v->n_values; i++) {
        sent[i] = str_of(v->values[i].value);
        if (v->is_secret)
            log_redact(sent[i]);
    }
    if (!check_env(v, e) || !netlify_env_path(n, a, one_path(a, v->name), &one, e) ||
        !netlify_env_path(n, a, "", &all, e) || !exists(n, a, one, &is_there, e))
        return err_wrap(e, "set variable %s", v->name);
    json_auto_t *variable = env_json(v);
    json_auto_t *list = json_pack("[O]", variable);
    struct http_request q = {
        .what = "netlify.variable_set",
        .sent_values = sent,
        .n_sent_values = v->n_values,
        .method = is_there ? "PUT" : "POST",
        .path = is_there ? one : all,
        .effect = HTTP_MUTATING,
        .json = is_there ? variable : list,
    };
    json_auto_t *value = NULL;
    return (http_json(n->http, a, &q, &value, NULL, e) && read_set(n, a, value, v, e)) ||
           err_wrap(e, "set variable %s", v->name);
}

bool netlify_env_value_set(struct netlify *n, struct arena *a, const char *name,
                           const struct netlify_env_value *value, struct err *e)
{
    const struct str sent = str_of(value->value);
    const struct netlify_env v = { .name = name, .values = value, .n_values = 1 };
    json_auto_t *body = value_json(value);
    struct http_request q = {
        .what = "netlify.variable_value_set",
        .sent_values = &sent,
        .n_sent_values = 1,
        .method = "PATCH",
        .effect = HTTP_MUTATING,
        .json = body,
    };
    json_auto_t *answer = NULL;
    struct netlify_env now;
    if (!check_env(&v, e) || !netlify_env_path(n, a, one_path(a, name), &q.path, e) ||
        !http_json(n->http, a, &q, &answer, NULL, e) ||
        !netlify_unreadable(n, read_env(a, answer, &now, e), e))
        return err_wrap(e, "set variable %s for %s", name, value->context);
    const struct netlify_env asked = {
        .name = name, .is_secret = now.is_secret, .values = value, .n_values = 1
    };
    return netlify_unreadable(n, shows(&now, &asked, e), e) ||
           err_wrap(e, "set variable %s for %s", name, value->context);
}

static bool remove_at(struct netlify *n, struct arena *a, const char *what, const char *rest,
                      struct err *e)
{
    struct http_request q = { .what = what, .method = "DELETE", .effect = HTTP_MUTATING };
    if (!netlify_env_path(n, a, rest, &q.path, e))
        return false;
    return http_done(n->http, a, &q, e) || e->code == ERR_NOT_FOUND;
}

bool netlify_env_value_delete(struct netlify *n, struct arena *a, const char *name, const char *id,
                              struct err *e)
{
    const char *rest = arena_printf(a, "%s/value/%s", one_path(a, name), url_encode(a, id));
    return remove_at(n, a, "netlify.variable_value_delete", rest, e) ||
           err_wrap(e, "delete a value of variable %s", name);
}

bool netlify_variable_delete(struct netlify *n, struct arena *a, const char *name, struct err *e)
{
    return remove_at(n, a, "netlify.variable_delete", one_path(a, name), e) ||
           err_wrap(e, "delete variable %s", name);
}
