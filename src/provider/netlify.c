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

enum {
    CALLS_PER_MINUTE = 500, /* what the hosted API allows a token */
    RESERVED_CALLS = 20,
};

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
        .calls_per_minute = url_is_loopback(a, spec->api) ? 0 : CALLS_PER_MINUTE,
        .reserved_calls = RESERVED_CALLS,
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

const char *netlify_next_page(const struct netlify *n, struct arena *a,
                              const struct http_answer *answer)
{
    const char *link = url_next_link(a, http_find_header(answer, "link"));
    return link ? url_resolve(a, n->api, link) : NULL;
}

bool netlify_unreadable(struct netlify *n, bool ok, struct err *e)
{
    return http_checked(n->http, ok, e) || err_recode(e, ERR_UNKNOWN_OUTCOME);
}

bool netlify_list(struct netlify *n, struct arena *a, const char *what, const char *path,
                  const char *thing, json_t **ret, struct http_answer *ret_answer, struct err *e)
{
    struct http_request q = { .what = what, .method = "GET", .path = path };
    json_auto_t *list = NULL;
    if (!http_json(n->http, a, &q, &list, ret_answer, e) ||
        !http_checked(n->http, answer_is_list(list, thing, e), e))
        return err_wrap(e, "list the %s", thing);
    *ret = json_incref(list);
    return true;
}

/* ---- site ---- */

/* What the host builds from, if it builds: in "build_settings", in older answers in "repo". */
static void read_builds(struct fields *site, struct netlify_site *ret)
{
    const char *const places[] = { "build_settings", "repo" };
    ret->repository = ret->repository_branch = "";
    for (size_t i = 0; i < 2; i++) {
        const json_t *place = field_object(site, places[i]);
        if (!place)
            continue;
        struct fields f = fields_of(site->arena, place, places[i], site->e);
        const char *url = field_text(&f, "repo_url");
        const char *branch = field_text(&f, "repo_branch");
        ret->repository = *url ? url : ret->repository;
        ret->repository_branch = *branch ? branch : ret->repository_branch;
        ret->is_build_stopped |= field_flag(&f, "stop_builds", false);
        site->has_failed |= f.has_failed;
    }
}

static void read_published(struct fields *site, struct netlify_site *ret)
{
    const json_t *live = field_object(site, "published_deploy");
    ret->published_id = ret->published_title = ret->published_at = "";
    if (!live)
        return;
    struct fields f = fields_of(site->arena, live, "published_deploy", site->e);
    ret->published_id = field_id(&f, "id");
    ret->published_title = field_text(&f, "title");
    ret->published_at = field_text(&f, "published_at");
    ret->is_locked = field_flag(&f, "locked", false);
    site->has_failed |= f.has_failed;
}

bool netlify_site_read(struct arena *a, const json_t *value, struct netlify_site *ret,
                       struct err *e)
{
    struct fields f = fields_of(a, value, "site", e);
    struct netlify_site site = {
        .id = field_id(&f, "id"),
        .name = field_text(&f, "name"),
        .url = field_text(&f, "ssl_url"),
        .account = field_text(&f, "account_slug"),
        .is_git_only = field_flag(&f, "prevent_non_git_prod_deploys", false),
    };
    if (!*site.url)
        site.url = field_text(&f, "url");
    if (!*site.account)
        site.account = field_text(&f, "account_id");
    read_builds(&f, &site);
    read_published(&f, &site);
    if (!fields_ok(&f))
        return false;
    *ret = site;
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
    return http_json(n->http, a, &q, &value, NULL, e) &&
           http_checked(n->http, netlify_site_read(a, value, ret, e), e);
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
        !netlify_unreadable(n, netlify_deploy_read(a, value, "restored deploy", &deploy, e), e))
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
    struct netlify_deploy deploy;
    if (!netlify_unreadable(n, netlify_deploy_read(a, value, "locked deploy", &deploy, e), e))
        return err_wrap(e, "%s deploy %s", verb, deploy_id);
    if (!streq(deploy.id, deploy_id))
        return err_set(e, ERR_UNKNOWN_OUTCOME, "%s deploy %s: the host answered with deploy %s",
                       verb, deploy_id, deploy.id);
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
