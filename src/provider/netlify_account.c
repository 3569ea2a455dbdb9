/*
 * A Netlify account: its teams and sites, and sites that are made and removed.
 */
#include "base/json.h"
#include "base/vec.h"
#include "net/url.h"
#include "provider/netlify_inside.h"

#define PAGE_QUERY "per_page=100"

enum {
    MAX_SITE_PAGES = 50
};

bool netlify_accounts(struct netlify *n, struct arena *a, struct netlify_account **ret,
                      size_t *ret_count, struct err *e)
{
    struct http_request q = { .what = "netlify.accounts", .method = "GET", .path = "/accounts" };
    VEC(struct netlify_account) all = { 0 };
    json_auto_t *list = NULL;
    if (!http_json(n->http, a, &q, &list, NULL, e))
        return err_wrap(e, "list the accounts");
    if (!json_is_array(list))
        return err_set(e, ERR_DATA, "list the accounts: the answer is no array");
    size_t i;
    json_t *one;
    json_array_foreach (list, i, one) {
        const char *id, *slug = json_text_or(one, "slug", "");
        if (!json_need_text(one, "id", "account", &id, e))
            return err_wrap(e, "list the accounts");
        *vec_add(&all, a) = (struct netlify_account){
            .slug = arena_strdup(a, *slug ? slug : id),
            .name = netlify_text(a, one, "name"),
        };
    }
    *ret = all.v;
    *ret_count = all.n;
    return true;
}

bool netlify_sites(struct netlify *n, struct arena *a, const char *name, struct netlify_site **ret,
                   size_t *ret_count, struct err *e)
{
    VEC(struct netlify_site) sites = { 0 };
    const char *next =
        name ? arena_printf(a, "/sites?name=%s&filter=all&" PAGE_QUERY, url_encode(a, name))
             : "/sites?filter=all&" PAGE_QUERY;
    for (int page = 0; next; page++) {
        if (page == MAX_SITE_PAGES)
            return err_set(e, ERR_LIMIT, "more than %d pages of sites; give the site's id",
                           MAX_SITE_PAGES);
        struct http_request q = { .what = "netlify.sites", .method = "GET", .path = next };
        struct http_answer answer;
        json_auto_t *list = NULL;
        if (!http_json(n->http, a, &q, &list, &answer, e))
            return err_wrap(e, "list sites");
        if (!json_is_array(list))
            return err_set(e, ERR_DATA, "list of sites: not an array");
        size_t i;
        json_t *value;
        json_array_foreach (list, i, value)
            if (!netlify_site_read(a, value, vec_add(&sites, a), e))
                return err_wrap(e, "list sites");
        next = netlify_next_page(n, a, &answer);
    }
    *ret = sites.v;
    *ret_count = sites.n;
    return true;
}

bool netlify_site_create(struct netlify *n, struct arena *a, const char *account, const char *name,
                         struct netlify_site *ret, struct err *e)
{
    json_auto_t *body = json_pack("{s:s}", "name", name);
    struct http_request q = {
        .what = "netlify.site_create",
        .method = "POST",
        .path = account ? arena_printf(a, "/%s/sites", url_encode(a, account)) : "/sites",
        .effect = HTTP_MUTATING,
        .json = body,
    };
    json_auto_t *value = NULL;
    if (!http_json(n->http, a, &q, &value, NULL, e)) {
        if (e->http_status == 422)
            err_recode(e, ERR_CONFLICT);
        return err_wrap(e, "create site %s", name);
    }
    struct netlify_site site;
    if (!netlify_unreadable(netlify_site_read(a, value, &site, e), e))
        return err_wrap(e, "create site %s", name);
    if (!streq(site.name, name))
        return err_set(e, ERR_UNKNOWN_OUTCOME,
                       "create site %s: the host answered with site \"%s\" (%s)", name, site.name,
                       site.id);
    *ret = site;
    return true;
}

bool netlify_site_find(struct netlify *n, struct arena *a, const char *name,
                       struct netlify_site *ret, struct err *e)
{
    struct netlify_site *sites = NULL;
    size_t count = 0;
    if (!netlify_sites(n, a, name, &sites, &count, e))
        return false;
    *ret = (struct netlify_site){ .id = "" };
    for (size_t i = 0; i < count; i++)
        if (streq(sites[i].name, name))
            *ret = sites[i];
    return true;
}

bool netlify_site_delete(struct netlify *n, struct arena *a, const char *site_id, struct err *e)
{
    struct http_request q = {
        .what = "netlify.site_delete",
        .method = "DELETE",
        .path = arena_printf(a, "/sites/%s", url_encode(a, site_id)),
        .effect = HTTP_MUTATING,
    };
    struct http_answer answer;
    return http_send(n->http, a, &q, &answer, e) || e->code == ERR_NOT_FOUND ||
           err_wrap(e, "delete site %s", site_id);
}
