/*
 * Netlify: the connection, the site, and the three calls that visitors notice: restore, lock,
 * unlock.
 *
 * The host has no conditional requests, so "is it still what I saw" is asked by reading the site
 * before and after; the lease of the environment keeps our own runners apart.
 */
#include "provider/netlify.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "net/url.h"
#include "provider/netlify_inside.h"

#include <assert.h>
#include <string.h>

bool netlify_open(const struct netlify_spec *spec, struct netlify **ret, struct err *e)
{
    if (!http_check_base(spec->api, e))
        return err_wrap(e, "Netlify API address");
    struct arena *a = arena_new(0);
    struct netlify *n = ARENA_NEW(a, struct netlify);
    *n = (struct netlify){ .arena = a,
                           .api = arena_strdup(a, spec->api),
                           .site = arena_strdup(a, spec->site ? spec->site : "") };
    n->http = http_open(&(struct http_spec){
        .name = "Netlify",
        .base_url = spec->api,
        .token = spec->token,
        .reset = HTTP_RESET_UNIX,
    });
    *ret = n;
    return true;
}

void netlify_close(struct netlify *n)
{
    if (!n)
        return;
    http_close(n->http);
    arena_free(n->arena);
}

struct http *netlify_http(struct netlify *n)
{
    return n->http;
}

const char *netlify_text(struct arena *a, const json_t *object, const char *key)
{
    return arena_strdup(a, json_text_or(object, key, ""));
}

const char *netlify_next_page(const struct netlify *n, struct arena *a,
                              const struct http_answer *answer)
{
    const char *link = url_next_link(a, http_find_header(answer, "link"));
    return link ? url_resolve(a, n->api, link) : NULL;
}

bool netlify_unreadable(bool ok, struct err *e)
{
    return ok || err_recode(e, ERR_UNKNOWN_OUTCOME);
}

/* ---- site ---- */

bool netlify_site_read(struct arena *a, const json_t *value, struct netlify_site *ret,
                       struct err *e)
{
    const char *id;
    if (!json_need_text(value, "id", "site", &id, e))
        return false;
    const json_t *live = json_object_get(value, "published_deploy");
    const char *url = json_text_or(value, "ssl_url", "");
    const char *account = json_text_or(value, "account_slug", "");
    *ret = (struct netlify_site){
        .id = arena_strdup(a, id),
        .name = netlify_text(a, value, "name"),
        .url = *url ? arena_strdup(a, url) : netlify_text(a, value, "url"),
        .account = *account ? arena_strdup(a, account) : netlify_text(a, value, "account_id"),
        .published_id = netlify_text(a, live, "id"),
        .published_title = netlify_text(a, live, "title"),
        .published_at = netlify_text(a, live, "published_at"),
        .is_locked = json_bool_or(live, "locked", false),
    };
    return true;
}

static bool get_site(struct netlify *n, struct arena *a, const char *id, struct netlify_site *ret,
                     struct err *e)
{
    struct http_request q = {
        .what = "netlify.site_get",
        .method = "GET",
        .path = arena_printf(a, "/sites/%s", url_encode(a, id)),
    };
    json_auto_t *value = NULL;
    return http_json(n->http, a, &q, &value, NULL, e) && netlify_site_read(a, value, ret, e);
}

static void remember_site(struct netlify *n, const struct netlify_site *site)
{
    if (!n->site_id)
        n->site_id = arena_strdup(n->arena, site->id);
    if (!n->account)
        n->account = arena_strdup(n->arena, site->account);
}

/* The hosted API takes ids and domains where a name is meant; so a name that it does not find is
 * searched. */
static bool find_site_by_name(struct netlify *n, struct arena *a, struct netlify_site *ret,
                              struct err *e)
{
    if (!netlify_site_find(n, a, n->site, ret, e))
        return false;
    return *ret->id ||
           err_set(e, ERR_NOT_FOUND, "no site \"%s\" is visible to this token", n->site);
}

bool netlify_site_get(struct netlify *n, struct arena *a, struct netlify_site *ret, struct err *e)
{
    if (n->site[0] == '\0')
        return err_set(e, ERR_CONFIG, "no Netlify site is configured");
    struct netlify_site site = { 0 };
    if (!get_site(n, a, n->site_id ? n->site_id : n->site, &site, e)) {
        bool is_name = !n->site_id && !strchr(n->site, '.');
        if (e->code != ERR_NOT_FOUND || !is_name || !find_site_by_name(n, a, &site, e))
            return err_wrap(e, "read site %s", n->site);
    }
    assert(site.id && site.account);
    remember_site(n, &site);
    *ret = site;
    return true;
}

/* 8-4-4-4-12 hex digits: then no question is needed. */
static bool is_uuid(const char *text)
{
    return strlen(text) == 36 && strspn(text, "0123456789abcdef-") == 36;
}

bool netlify_site_id(struct netlify *n, const char **ret, struct err *e)
{
    if (!n->site_id && is_uuid(n->site))
        n->site_id = n->site;
    if (!n->site_id) {
        CLEANUP(arena) struct arena *scratch = arena_new(0);
        struct netlify_site site = { 0 };
        if (!netlify_site_get(n, scratch, &site, e))
            return false;
    }
    *ret = n->site_id;
    return true;
}

/* ---- what visitors notice ---- */

bool netlify_restore(struct netlify *n, struct arena *a, const char *deploy_id, struct err *e)
{
    const char *site_id;
    if (!netlify_site_id(n, &site_id, e))
        return false;
    struct http_request q = {
        .what = "netlify.restore",
        .method = "POST",
        .path = arena_printf(a, "/sites/%s/deploys/%s/restore", site_id, url_encode(a, deploy_id)),
        .effect = HTTP_MUTATING,
        .send_empty_body = true,
    };
    json_auto_t *value = NULL;
    struct netlify_deploy deploy;
    if (!http_json(n->http, a, &q, &value, NULL, e) ||
        !netlify_unreadable(netlify_deploy_read(a, value, "restored deploy", &deploy, e), e))
        return err_wrap(e, "publish deploy %s", deploy_id);
    if (!streq(deploy.id, deploy_id))
        return err_set(e, ERR_UNKNOWN_OUTCOME,
                       "publish deploy %s: the host answered with deploy %s", deploy_id, deploy.id);
    return true;
}

static bool set_lock(struct netlify *n, struct arena *a, const char *deploy_id, bool lock,
                     struct err *e)
{
    const char *verb = lock ? "lock" : "unlock";
    struct http_request q = {
        .what = lock ? "netlify.lock" : "netlify.unlock",
        .method = "POST",
        .path = arena_printf(a, "/deploys/%s/%s", url_encode(a, deploy_id), verb),
        .effect = HTTP_MUTATING,
        .send_empty_body = true,
    };
    json_auto_t *value = NULL;
    if (!http_json(n->http, a, &q, &value, NULL, e))
        return err_wrap(e, "%s deploy %s", verb, deploy_id);
    if (json_bool_or(value, "locked", lock) != lock)
        return err_set(e, ERR_REMOTE,
                       "%s deploy %s: the host accepted it, but answers the opposite", verb,
                       deploy_id);
    return true;
}

bool netlify_lock(struct netlify *n, struct arena *a, const char *deploy_id, struct err *e)
{
    return set_lock(n, a, deploy_id, true, e);
}

bool netlify_unlock(struct netlify *n, struct arena *a, const char *deploy_id, struct err *e)
{
    return set_lock(n, a, deploy_id, false, e);
}
