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
    VEC(struct netlify_account) all = { 0 };
    json_auto_t *list = NULL;
    if (!netlify_list(n, a, "netlify.accounts", "/accounts", "accounts", &list, NULL, e))
        return false;
    size_t i;
    json_t *one;
    json_array_foreach (list, i, one) {
        struct fields f = fields_of(a, one, "account", e);
        const char *id = field_id(&f, "id"), *slug = field_text(&f, "slug");
        const char *name = field_text(&f, "name");
        if (!http_checked(n->http, fields_ok(&f), e))
            return err_wrap(e, "list the accounts");
        *vec_add(&all, a) = (struct netlify_account){ .slug = *slug ? slug : id, .name = name };
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
        struct http_answer answer;
        json_auto_t *list = NULL;
        if (!netlify_list(n, a, "netlify.sites", next, "sites", &list, &answer, e))
            return false;
        size_t i;
        json_t *value;
        json_array_foreach (list, i, value)
            if (!http_checked(n->http, netlify_site_read(a, value, vec_add(&sites, a), e), e))
                return err_wrap(e, "list the sites");
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
    if (!netlify_unreadable(n, netlify_site_read(a, value, &site, e), e))
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
    return http_done(n->http, a, &q, e) || e->code == ERR_NOT_FOUND ||
           err_wrap(e, "delete site %s", site_id);
}

/* ---- settings and files of the site ---- */

bool netlify_site_stop_builds(struct netlify *n, struct arena *a, bool stop, struct err *e)
{
    const char *site_id;
    if (!netlify_site_id(n, &site_id, e))
        return false;
    /* some sites keep it in one place, some in the other */
    json_auto_t *body = json_pack("{s:{s:b}, s:{s:b}}", "build_settings", "stop_builds", stop,
                                  "repo", "stop_builds", stop);
    struct http_request q = {
        .what = "netlify.site_update",
        .method = "PATCH",
        .path = arena_printf(a, "/sites/%s", site_id),
        .effect = HTTP_MUTATING,
        .json = body,
    };
    json_auto_t *value = NULL;
    struct netlify_site site;
    if (!http_json(n->http, a, &q, &value, NULL, e) ||
        !netlify_unreadable(n, netlify_site_read(a, value, &site, e), e) ||
        !netlify_site_get(n, a, &site, e))
        return err_wrap(e, "%s the builds of site %s", stop ? "stop" : "resume", n->site);
    if (site.is_build_stopped != stop && *site.repository)
        return err_set(e, ERR_REMOTE,
                       "%s the builds of site %s: the host accepted it, but shows the opposite",
                       stop ? "stop" : "resume", n->site);
    return true;
}

bool netlify_site_files(struct netlify *n, struct arena *a, struct netlify_site_file **ret,
                        size_t *ret_count, struct err *e)
{
    const char *site_id;
    VEC(struct netlify_site_file) files = { 0 };
    json_auto_t *list = NULL;
    if (!netlify_site_id(n, &site_id, e) ||
        !netlify_list(n, a, "netlify.site_files", arena_printf(a, "/sites/%s/files", site_id),
                      "files of the site", &list, NULL, e))
        return false;
    size_t i;
    json_t *one;
    json_array_foreach (list, i, one) {
        struct fields f = fields_of(a, one, "file", e);
        *vec_add(&files, a) = (struct netlify_site_file){
            .path = field_need_text(&f, "path"),
            .sha1 = field_id(&f, "sha"),
            .bytes = field_count(&f, "size"),
        };
        if (!http_checked(n->http, fields_ok(&f), e))
            return err_wrap(e, "list the files of site %s", n->site);
    }
    *ret = files.v;
    *ret_count = files.n;
    return true;
}
