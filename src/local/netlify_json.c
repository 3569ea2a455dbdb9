/*
 * The API's objects, pages and errors. A field that is not set is left out, never null: the
 * vendor's schema has plain types.
 */
#include "base/clock.h"
#include "local/netlify.h"

#define PER_PAGE_MAX 100

/* ---- Small objects --------------------------------------------------------------------------- */

json_t *netlify_account_json(void)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:[s]}", "id", "5f0c0000000000000000000a", "name",
                     "Lockflight", "slug", NETLIFY_ACCOUNT, "type", "local", "roles_allowed",
                     "Owner");
}

json_t *netlify_user_json(const struct sites *s)
{
    json_int_t count = 0;
    for (const struct site *site = s->first; site; site = site->next)
        count += !site->is_removed;
    return json_pack("{s:s, s:s, s:s, s:s, s:I}", "id", "5f0c0000000000000000000b", "uid",
                     "5f0c0000000000000000000b", "full_name", "Local user", "email",
                     "local@lockflight.invalid", "site_count", count);
}

static void set_text(json_t *into, const char *key, const char *value)
{
    (void)json_object_set_new(into, key, json_string(value));
}

/* ---- Deploys --------------------------------------------------------------------------------- */

static const char *published_at(const struct deploy *d)
{
    const json_t *history = json_object_get(d->site->record, "history");
    for (size_t i = json_array_size(history); i > 0; i--) {
        const json_t *entry = json_array_get(history, i - 1);
        if (streq(json_text_or(entry, "id", ""), d->id))
            return json_text_or(entry, "at", NULL);
    }
    return NULL;
}

/* Hashes still to be uploaded: contents have 40 digits, functions 64. */
static json_t *missing_of(const struct deploy *d, size_t digits)
{
    json_t *list = json_array();
    const char *sha;
    json_t *ignored;
    json_object_foreach (d->missing, sha, ignored) {
        if (strlen(sha) == digits)
            (void)json_array_append_new(list, json_string(sha));
    }
    return list;
}

/* What visitors type. A site without a port of its own is found by its name, on the API's port. */
static const char *site_url(struct request *r, const struct site *site)
{
    return site->port ? arena_printf(r->arena, "http://127.0.0.1:%d", site->port)
                      : arena_printf(r->arena, "http://%s.localhost:%d", site->name, r->port);
}

static const char *permalink(struct request *r, const struct deploy *d)
{
    return arena_printf(r->arena, "http://%s--%s.localhost:%d", d->id, d->site->name,
                        d->site->port ? d->site->port : r->port);
}

static void add_urls(json_t *o, struct request *r, const struct deploy *d)
{
    const char *live = site_url(r, d->site);
    const char *own = permalink(r, d);
    set_text(o, "url", live);
    set_text(o, "ssl_url", live);
    set_text(o, "deploy_url", own);
    set_text(o, "deploy_ssl_url", own);
    set_text(o, "admin_url", live);
    (void)json_object_set_new(o, "links", json_pack("{s:s}", "permalink", own));
}

json_t *netlify_deploy_json(struct sites *s, struct request *r, const struct deploy *d)
{
    static const char *const copied[] = { "id",         "site_id",       "state",
                                          "title",      "branch",        "context",
                                          "framework",  "error_message", "created_at",
                                          "updated_at", "draft",         "function_schedules",
                                          "commit_ref", "deploy_source" };
    (void)s;
    json_t *o = json_object();
    for (size_t i = 0; i < sizeof copied / sizeof copied[0]; i++) {
        json_t *value = json_object_get(d->record, copied[i]);
        if (value)
            (void)json_object_set(o, copied[i], value);
    }
    set_text(o, "name", d->site->name);
    add_urls(o, r, d);
    bool is_live = deploy_is_published(d);
    (void)json_object_set_new(o, "locked", json_boolean(is_live && site_is_locked(d->site)));
    const char *at = published_at(d);
    if (at)
        set_text(o, "published_at", at);
    const char *state = deploy_state(d);
    if (!streq(state, "preparing") && !streq(state, "new")) {
        (void)json_object_set_new(o, "required", missing_of(d, 40));
        (void)json_object_set_new(o, "required_functions", missing_of(d, 64));
    }
    return o;
}

/* ---- Sites ----------------------------------------------------------------------------------- */

json_t *netlify_site_json(struct sites *s, struct request *r, const struct site *site)
{
    const char *url = site_url(r, site);
    json_t *o = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:{s:b}, s:{}, s:s, s:s, s:b}", "id",
        site->id, "name", site->name, "url", url, "ssl_url", url, "admin_url", url, "account_slug",
        NETLIFY_ACCOUNT, "account_id", "5f0c0000000000000000000a", "account_name", "Lockflight",
        "state", "current", "use_envelope", 1, "build_settings", "stop_builds", 0, "feature_flags",
        "created_at", json_text_or(site->record, "created_at", ""), "updated_at",
        json_text_or(site->record, "updated_at", ""), "prevent_non_git_prod_deploys", 0);
    /* what a client has set stays as it set it */
    json_auto_t *settings = json_deep_copy(json_object_get(site->record, "settings"));
    (void)json_object_update_recursive(o, settings);
    for (const struct deploy *d = site->deploys; d; d = d->next) {
        if (deploy_is_published(d)) {
            (void)json_object_set_new(o, "published_deploy", netlify_deploy_json(s, r, d));
            set_text(o, "deploy_url", permalink(r, d));
        }
    }
    return o;
}

/* ---- Pages ----------------------------------------------------------------------------------- */

static size_t number_of(struct request *r, const char *name, size_t otherwise, size_t most)
{
    const char *text = request_query(r, name);
    uint64_t n = 0;
    if (!text || !str_to_u64(str_of(text), &n) || n == 0)
        return otherwise;
    return n > most ? most : (size_t)n;
}

/* The request's query without page and per_page, each pair with a "&" behind it. */
static const char *other_query(struct request *r)
{
    const char *out = "";
    struct str rest = str_of(r->query);
    while (rest.p) {
        struct str pair = str_cut(&rest, '&');
        if (pair.n > 0 && !str_starts(pair, "page=") && !str_starts(pair, "per_page="))
            out = arena_printf(r->arena, "%s%.*s&", out, STR_FMT(pair));
    }
    return out;
}

static const char *link_to(struct request *r, const char *so_far, size_t page, size_t per_page,
                           const char *rel)
{
    return arena_printf(r->arena, "%s%s<http://%s%s?%spage=%zu&per_page=%zu>; rel=\"%s\"", so_far,
                        *so_far ? ", " : "", r->authority, r->raw_path, other_query(r), page,
                        per_page, rel);
}

void netlify_respond_page(struct request *r, json_t *all)
{
    size_t total = json_array_size(all);
    size_t per_page = number_of(r, "per_page", PER_PAGE_MAX, PER_PAGE_MAX);
    size_t page = number_of(r, "page", 1, 1000000);
    size_t last = total ? (total + per_page - 1) / per_page : 1;
    const char *links = "";
    if (page > 1) {
        links = link_to(r, links, 1, per_page, "first");
        links = link_to(r, links, page - 1, per_page, "prev");
    }
    if (page < last)
        links = link_to(r, links, page + 1, per_page, "next");
    if (last > 1)
        links = link_to(r, links, last, per_page, "last");
    if (*links)
        response_header(r, "Link", links);
    json_t *part = json_array();
    for (size_t i = (page - 1) * per_page; i < total && i < page * per_page; i++)
        (void)json_array_append(part, json_array_get(all, i));
    json_decref(all);
    respond_json(r, 200, part);
}

/* ---- Errors and bodies ----------------------------------------------------------------------- */

void netlify_respond_err(struct request *r, const struct err *e)
{
    bool is_theirs = e->code == ERR_DATA || e->code == ERR_CONFLICT || e->code == ERR_LIMIT;
    respond_error(r,
                  is_theirs                  ? 422
                  : e->code == ERR_NOT_FOUND ? 404
                                             : 500,
                  "%s%s%s", e->what, *e->what ? ": " : "", e->why);
}

json_t *netlify_body(struct request *r)
{
    struct err e = { 0 };
    if (str_trim(r->body).n == 0)
        return json_object();
    json_t *body = json_parse(r->body, "body", &e);
    if (body && (json_is_object(body) || json_is_array(body)))
        return body;
    json_decref(body);
    respond_error(r, 400, "the body is not JSON: %s", e.why);
    return NULL;
}

struct site *netlify_site(struct sites *s, struct request *r)
{
    struct site *site = site_find(s, request_param(r, "site"));
    if (!site)
        respond_error(r, 404, "Not Found");
    return site;
}

struct deploy *netlify_deploy(struct sites *s, struct request *r)
{
    struct deploy *d = deploy_find(s, request_param(r, "deploy"));
    const char *site = request_param(r, "site");
    if (d && *site && site_find(s, site) != d->site)
        d = NULL;
    if (!d)
        respond_error(r, 404, "Not Found");
    return d;
}
