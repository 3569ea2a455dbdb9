/*
 * Sites in the Netlify API.
 */
#include "base/hash.h"
#include "local/netlify.h"

static json_t *all_sites(struct sites *s, struct request *r)
{
    const char *name = request_query(r, "name");
    json_t *all = json_array();
    for (struct site *site = s->first; site; site = site->next) {
        if (!site->is_removed && (!name || strstr(site->name, name)))
            (void)json_array_append_new(all, netlify_site_json(s, r, site));
    }
    return all;
}

void answer_sites_list(struct request *r, void *context)
{
    struct sites *s = context;
    (void)pthread_mutex_lock(&s->lock);
    json_t *all = all_sites(s, r);
    (void)pthread_mutex_unlock(&s->lock);
    netlify_respond_page(r, all);
}

void answer_site_get(struct request *r, void *context)
{
    struct sites *s = context;
    (void)pthread_mutex_lock(&s->lock);
    struct site *site = netlify_site(s, r);
    if (site)
        respond_json(r, 200, netlify_site_json(s, r, site));
    (void)pthread_mutex_unlock(&s->lock);
}

/* A site that is made here has no port of its own: it is found by its name. */
void answer_site_create(struct request *r, void *context)
{
    struct sites *s = context;
    struct err e = { 0 };
    json_auto_t *body = netlify_body(r);
    if (!body)
        return;
    const char *fresh = arena_printf(r->arena, "site-%s", random_hex(r->arena, 4));
    const char *name = json_text_or(body, "name", fresh);
    (void)pthread_mutex_lock(&s->lock);
    struct site *site = site_add(s, NULL, *name ? name : fresh, 0, &e);
    if (site)
        respond_json(r, 201, netlify_site_json(s, r, site));
    else
        netlify_respond_err(r, &e);
    (void)pthread_mutex_unlock(&s->lock);
}

/* Settings are kept and given back; the name, the id and what is published are not settings. */
static json_t *settings_of(const json_t *body)
{
    static const char *const kept[] = { "build_settings",
                                        "repo",
                                        "prevent_non_git_prod_deploys",
                                        "processing_settings",
                                        "custom_domain",
                                        "domain_aliases",
                                        "force_ssl",
                                        "notification_email",
                                        "functions_region" };
    json_t *settings = json_object();
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        json_t *value = json_object_get(body, kept[i]);
        if (value)
            (void)json_object_set(settings, kept[i], value);
    }
    return settings;
}

void answer_site_update(struct request *r, void *context)
{
    struct sites *s = context;
    struct err e = { 0 };
    json_auto_t *body = netlify_body(r);
    if (!body)
        return;
    (void)pthread_mutex_lock(&s->lock);
    struct site *site = netlify_site(s, r);
    if (site) {
        json_auto_t *settings = settings_of(body);
        (void)json_object_update_recursive(json_object_get(site->record, "settings"), settings);
        if (site_save(s, site, &e))
            respond_json(r, 200, netlify_site_json(s, r, site));
        else
            netlify_respond_err(r, &e);
    }
    (void)pthread_mutex_unlock(&s->lock);
}

void answer_site_delete(struct request *r, void *context)
{
    struct sites *s = context;
    struct err e = { 0 };
    (void)pthread_mutex_lock(&s->lock);
    struct site *site = netlify_site(s, r);
    if (site && site_delete(s, site, &e))
        respond_empty(r, 204);
    else if (site)
        netlify_respond_err(r, &e);
    (void)pthread_mutex_unlock(&s->lock);
}

static json_t *file_list(struct sites *s, struct deploy *d, struct err *e)
{
    json_t *list = json_array();
    const char *path;
    json_t *sha;
    if (!deploy_load_files(s, d, e))
        return list;
    json_object_foreach (d->files, path, sha) {
        bool ignored;
        struct blob *blob = blobs_find(s->blobs, json_string_value(sha));
        json_t *o = json_pack("{s:o, s:o, s:O, s:s, s:I}", "id", json_sprintf("/%s", path), "path",
                              json_sprintf("/%s", path), "sha", sha, "mime_type",
                              content_type_of(path, &ignored), "size",
                              (json_int_t)(blob ? blob_bytes(blob) : 0));
        (void)json_array_append_new(list, o);
    }
    return list;
}

void answer_site_files(struct request *r, void *context)
{
    struct sites *s = context;
    struct err e = { 0 };
    (void)pthread_mutex_lock(&s->lock);
    struct site *site = netlify_site(s, r);
    struct deploy *d = site ? deploy_find(s, site_published_id(site)) : NULL;
    if (site)
        respond_json(r, 200, d ? file_list(s, d, &e) : json_array());
    (void)pthread_mutex_unlock(&s->lock);
}

void answer_rollback(struct request *r, void *context)
{
    struct sites *s = context;
    struct err e = { 0 };
    (void)pthread_mutex_lock(&s->lock);
    struct site *site = netlify_site(s, r);
    struct deploy *before = site ? deploy_before(site) : NULL;
    if (site && !before)
        respond_error(r, 422, "no earlier deploy was published");
    else if (site && deploy_roll_back(s, before, &e))
        respond_empty(r, 204);
    else if (site)
        netlify_respond_err(r, &e);
    (void)pthread_mutex_unlock(&s->lock);
}
