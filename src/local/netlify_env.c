/*
 * Variables in the Netlify API: per team, or per site with ?site_id=.
 *
 * A secret's values can be written and used, never read back (dev excepted). One context is changed
 * by PATCH; since readers take the first value that fits, a value for all contexts is spread over
 * the single ones first.
 */
#include "base/clock.h"
#include "base/fs.h"
#include "base/hash.h"
#include "local/netlify.h"

static const char *const contexts[] = { "production", "deploy-preview", "branch-deploy", "dev",
                                        "dev-server" };

/* ---- The list and its owner ------------------------------------------------------------------ */

struct env_place {
    struct sites *sites;
    struct site *site; /* NULL: the team */
    json_t *list;
};

static bool find_place(struct sites *s, struct request *r, struct env_place *ret)
{
    const char *id = request_query(r, "site_id");
    *ret = (struct env_place){ .sites = s, .list = json_object_get(s->team, "env") };
    if (!id || !*id)
        return true;
    ret->site = site_find(s, id);
    ret->list = ret->site ? json_object_get(ret->site->record, "env") : NULL;
    if (!ret->list)
        respond_error(r, 404, "Not Found");
    return ret->list != NULL;
}

static bool save(const struct env_place *p, struct err *e)
{
    if (p->site)
        return site_save(p->sites, p->site, e);
    CLEANUP(arena) struct arena *a = arena_new(0);
    const char *text = json_text_in_order(a, p->sites->team);
    return fs_replace(fs_join(a, p->sites->dir, "team.json"), str_of(text), 0600, e);
}

static json_t *find_var(const struct env_place *p, const char *key, size_t *ret_at)
{
    for (size_t i = 0; i < json_array_size(p->list); i++) {
        json_t *var = json_array_get(p->list, i);
        if (streq(json_text_or(var, "key", ""), key)) {
            if (ret_at)
                *ret_at = i;
            return var;
        }
    }
    return NULL;
}

/* ---- As the API shows it --------------------------------------------------------------------- */

static json_t *shown(const json_t *var)
{
    json_t *copy = json_deep_copy(var);
    if (!json_bool_or(var, "is_secret", false))
        return copy;
    size_t i;
    json_t *value;
    json_array_foreach (json_object_get(copy, "values"), i, value) {
        if (!streq(json_text_or(value, "context", "all"), "dev"))
            (void)json_object_set_new(value, "value", json_string(""));
    }
    return copy;
}

static bool fits_query(struct request *r, const json_t *var)
{
    const char *context = request_query(r, "context_name");
    const char *scope = request_query(r, "scope");
    bool fits = context == NULL || streq(context, "all");
    size_t i;
    json_t *item;
    json_array_foreach (json_object_get(var, "values"), i, item) {
        const char *its = json_text_or(item, "context", "all");
        fits |= streq(its, "all") || streq(its, context) ||
                streq(json_text_or(item, "context_parameter", NULL), context);
    }
    bool in_scope = scope == NULL;
    json_array_foreach (json_object_get(var, "scopes"), i, item)
        in_scope |= streq(json_string_value(item), scope);
    return fits && in_scope;
}

static json_t *shown_list(struct request *r, const json_t *list)
{
    json_t *all = json_array();
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (fits_query(r, json_array_get(list, i)))
            (void)json_array_append_new(all, shown(json_array_get(list, i)));
    }
    return all;
}

/* ---- As a client sends it -------------------------------------------------------------------- */

static json_t *scopes_of(const json_t *given)
{
    json_t *scopes = json_array();
    for (size_t i = 0; i < json_array_size(given); i++) {
        const char *scope = json_string_value(json_array_get(given, i));
        if (scope) /* the schema writes it with a hyphen, the client with an underscore */
            (void)json_array_append_new(
                scopes, json_string(streq(scope, "post-processing") ? "post_processing" : scope));
    }
    if (json_array_size(scopes) == 0) {
        json_decref(scopes);
        scopes = json_pack("[s, s, s, s]", "builds", "functions", "runtime", "post_processing");
    }
    return scopes;
}

static json_t *value_of(struct request *r, const json_t *given)
{
    const char *parameter = json_text_or(given, "context_parameter", NULL);
    json_t *value = json_pack("{s:s, s:s, s:s}", "id", random_uuid(r->arena), "value",
                              json_text_or(given, "value", ""), "context",
                              json_text_or(given, "context", "all"));
    if (parameter && *parameter)
        (void)json_object_set_new(value, "context_parameter", json_string(parameter));
    return value;
}

static bool is_key(const char *key)
{
    size_t n = strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
    return n > 0 && n <= LIMIT_SECRET_NAME_BYTES && !key[n];
}

/* A stored variable from a body; NULL with an answer given when it is not one. */
static json_t *var_of(struct request *r, const json_t *given, const char *key)
{
    key = json_text_or(given, "key", key);
    bool is_secret = json_bool_or(given, "is_secret", false);
    json_auto_t *scopes = scopes_of(json_object_get(given, "scopes"));
    json_auto_t *values = json_array();
    const json_t *from = json_object_get(given, "values");
    if (!key || !is_key(key)) {
        respond_error(r, 422, "\"%s\" is no name of a variable", key ? key : "");
        return NULL;
    }
    for (size_t i = 0; i < json_array_size(from); i++) {
        const json_t *one = json_array_get(from, i);
        if (is_secret && streq(json_text_or(one, "context", "all"), "all")) {
            respond_error(r, 422, "secret %s needs a context of its own for each value", key);
            return NULL;
        }
        (void)json_array_append_new(values, value_of(r, one));
    }
    return json_pack("{s:s, s:O, s:O, s:b, s:s, s:{s:s, s:s, s:s}}", "key", key, "scopes", scopes,
                     "values", values, "is_secret", is_secret, "updated_at",
                     clock_rfc3339(r->arena, clock_unix_ms()), "updated_by", "id",
                     "5f0c0000000000000000000b", "full_name", "Local user", "email",
                     "local@lockflight.invalid");
}

/* ---- Handlers -------------------------------------------------------------------------------- */

void answer_env_list(struct request *r, void *context)
{
    struct sites *s = context;
    struct env_place p;
    (void)pthread_mutex_lock(&s->lock);
    if (find_place(s, r, &p))
        respond_json(r, 200, shown_list(r, p.list));
    (void)pthread_mutex_unlock(&s->lock);
}

void answer_site_env_list(struct request *r, void *context)
{
    struct sites *s = context;
    (void)pthread_mutex_lock(&s->lock);
    struct site *site = netlify_site(s, r);
    if (site)
        respond_json(r, 200, shown_list(r, json_object_get(site->record, "env")));
    (void)pthread_mutex_unlock(&s->lock);
}

void answer_env_get(struct request *r, void *context)
{
    struct sites *s = context;
    struct env_place p;
    (void)pthread_mutex_lock(&s->lock);
    if (find_place(s, r, &p)) {
        const json_t *var = find_var(&p, request_param(r, "key"), NULL);
        if (var)
            respond_json(r, 200, shown(var));
        else
            respond_error(r, 404, "Not Found");
    }
    (void)pthread_mutex_unlock(&s->lock);
}

/* Adds all or none. */
static void create(struct request *r, const struct env_place *p, const json_t *body)
{
    struct err e = { 0 };
    json_auto_t *added = json_array();
    for (size_t i = 0; i < json_array_size(body); i++) {
        json_t *var = var_of(r, json_array_get(body, i), NULL);
        if (!var)
            return;
        (void)json_array_append_new(added, var);
        const char *key = json_text_or(var, "key", "");
        if (find_var(p, key, NULL)) {
            respond_error(r, 422, "%s exists already", key);
            return;
        }
    }
    (void)json_array_extend(p->list, added);
    if (!save(p, &e)) {
        netlify_respond_err(r, &e);
        return;
    }
    json_t *answer = json_array();
    for (size_t i = 0; i < json_array_size(added); i++)
        (void)json_array_append_new(answer, shown(json_array_get(added, i)));
    respond_json(r, 201, answer);
}

void answer_env_create(struct request *r, void *context)
{
    struct sites *s = context;
    struct env_place p;
    json_auto_t *body = netlify_body(r);
    if (!body)
        return;
    (void)pthread_mutex_lock(&s->lock);
    if (!json_is_array(body))
        respond_error(r, 422, "the body must be an array of variables");
    else if (find_place(s, r, &p))
        create(r, &p, body);
    (void)pthread_mutex_unlock(&s->lock);
}

static void replace(struct request *r, const struct env_place *p, const json_t *body)
{
    struct err e = { 0 };
    const char *key = request_param(r, "key");
    size_t at = 0;
    if (!find_var(p, key, &at)) {
        respond_error(r, 404, "Not Found");
        return;
    }
    json_t *var = var_of(r, body, key);
    if (!var)
        return;
    (void)json_array_set_new(p->list, at, var);
    if (save(p, &e))
        respond_json(r, 200, shown(var));
    else
        netlify_respond_err(r, &e);
}

void answer_env_replace(struct request *r, void *context)
{
    struct sites *s = context;
    struct env_place p;
    json_auto_t *body = netlify_body(r);
    if (!body)
        return;
    (void)pthread_mutex_lock(&s->lock);
    if (find_place(s, r, &p))
        replace(r, &p, body);
    (void)pthread_mutex_unlock(&s->lock);
}

static bool same_context(const json_t *a, const json_t *b)
{
    return streq(json_text_or(a, "context", "all"), json_text_or(b, "context", "all")) &&
           streq(json_text_or(a, "context_parameter", NULL),
                 json_text_or(b, "context_parameter", NULL));
}

/* Instead of the value for all contexts, the same value for each one. */
static void spread_all(struct request *r, json_t *values)
{
    for (size_t i = 0; i < json_array_size(values); i++) {
        json_auto_t *one = json_incref(json_array_get(values, i));
        if (!streq(json_text_or(one, "context", "all"), "all"))
            continue;
        (void)json_array_remove(values, i);
        for (size_t k = 0; k < sizeof contexts / sizeof contexts[0]; k++)
            (void)json_array_append_new(
                values, json_pack("{s:s, s:s, s:s}", "id", random_uuid(r->arena), "value",
                                  json_text_or(one, "value", ""), "context", contexts[k]));
        return;
    }
}

static void patch(struct request *r, const struct env_place *p, const json_t *body)
{
    struct err e = { 0 };
    json_t *var = find_var(p, request_param(r, "key"), NULL);
    if (!var) {
        respond_error(r, 404, "Not Found");
        return;
    }
    json_t *values = json_object_get(var, "values");
    json_auto_t *value = value_of(r, body);
    if (streq(json_text_or(value, "context", "all"), "all"))
        (void)json_array_clear(values);
    else
        spread_all(r, values);
    bool placed = false;
    for (size_t i = 0; i < json_array_size(values) && !placed; i++) {
        placed = same_context(json_array_get(values, i), value);
        if (placed)
            (void)json_array_set(values, i, value);
    }
    if (!placed)
        (void)json_array_append(values, value);
    (void)json_object_set_new(var, "updated_at",
                              json_string(clock_rfc3339(r->arena, clock_unix_ms())));
    if (save(p, &e))
        respond_json(r, 201, shown(var));
    else
        netlify_respond_err(r, &e);
}

void answer_env_patch(struct request *r, void *context)
{
    struct sites *s = context;
    struct env_place p;
    json_auto_t *body = netlify_body(r);
    if (!body)
        return;
    (void)pthread_mutex_lock(&s->lock);
    if (find_place(s, r, &p))
        patch(r, &p, body);
    (void)pthread_mutex_unlock(&s->lock);
}

void answer_env_delete(struct request *r, void *context)
{
    struct sites *s = context;
    struct env_place p;
    struct err e = { 0 };
    size_t at = 0;
    (void)pthread_mutex_lock(&s->lock);
    if (find_place(s, r, &p)) {
        if (!find_var(&p, request_param(r, "key"), &at)) {
            respond_error(r, 404, "Not Found");
        } else {
            (void)json_array_remove(p.list, at);
            if (save(&p, &e))
                respond_empty(r, 204);
            else
                netlify_respond_err(r, &e);
        }
    }
    (void)pthread_mutex_unlock(&s->lock);
}

/* Removes one value, and the variable with its last one. */
static bool remove_value(const struct env_place *p, const char *key, const char *id)
{
    size_t at = 0;
    json_t *var = find_var(p, key, &at);
    json_t *values = json_object_get(var, "values");
    for (size_t i = 0; i < json_array_size(values); i++) {
        if (!streq(json_text_or(json_array_get(values, i), "id", ""), id))
            continue;
        (void)json_array_remove(values, i);
        if (json_array_size(values) == 0)
            (void)json_array_remove(p->list, at);
        return true;
    }
    return false;
}

void answer_env_delete_value(struct request *r, void *context)
{
    struct sites *s = context;
    struct env_place p;
    struct err e = { 0 };
    (void)pthread_mutex_lock(&s->lock);
    if (find_place(s, r, &p)) {
        if (!remove_value(&p, request_param(r, "key"), request_param(r, "id")))
            respond_error(r, 404, "Not Found");
        else if (save(&p, &e))
            respond_empty(r, 204);
        else
            netlify_respond_err(r, &e);
    }
    (void)pthread_mutex_unlock(&s->lock);
}
