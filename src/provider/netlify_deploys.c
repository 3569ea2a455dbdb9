/*
 * Netlify deploys that exist: list them, find one by its title, end or remove one.
 */
#include "base/vec.h"
#include "net/url.h"
#include "provider/netlify_inside.h"

enum {
    MAX_DEPLOYS = 1000,
    TWINS_AMONG = 10, /* newest deploys: a twin is as old as its sister */
};

/* Walks the pages; `want` returns true to stop there. */
static bool each_deploy(struct netlify *n, struct arena *a, size_t max,
                        bool (*want)(void *context, const struct netlify_deploy *d), void *context,
                        struct err *e)
{
    const char *site_id;
    if (!netlify_site_id(n, &site_id, e))
        return false;
    const char *next = arena_printf(a, "/sites/%s/deploys?per_page=100", site_id);
    for (size_t seen = 0; next && seen < max;) {
        struct http_answer answer;
        json_auto_t *list = NULL;
        if (!netlify_list(n, a, "netlify.deploys", next, "deploys", &list, &answer, e))
            return false;
        size_t i;
        json_t *value;
        json_array_foreach (list, i, value) {
            struct netlify_deploy d;
            if (!http_checked(n->http, netlify_deploy_read(a, value, "deploy in a list", &d, e), e))
                return err_wrap(e, "list the deploys");
            if (++seen > max || want(context, &d))
                return true;
        }
        next = json_array_size(list) > 0 ? netlify_next_page(n, a, &answer) : NULL;
    }
    return true;
}

struct deploy_list {
    struct arena *arena;
    VEC(struct netlify_deploy) deploys;
};

static bool keep(void *context, const struct netlify_deploy *d)
{
    struct deploy_list *list = context;
    *vec_add(&list->deploys, list->arena) = *d;
    return false;
}

bool netlify_deploys(struct netlify *n, struct arena *a, size_t max, struct netlify_deploy **ret,
                     size_t *ret_count, struct err *e)
{
    struct deploy_list list = { .arena = a };
    if (!each_deploy(n, a, max > 0 ? max : MAX_DEPLOYS, keep, &list, e))
        return false;
    *ret = list.deploys.v;
    *ret_count = list.deploys.n;
    return true;
}

struct title_search {
    const char *title;
    struct netlify_deploy found;
};

static bool has_title(void *context, const struct netlify_deploy *d)
{
    struct title_search *search = context;
    if (d->state == NETLIFY_FAILED || !streq(d->title, search->title))
        return false;
    search->found = *d;
    return true;
}

bool netlify_deploy_find(struct netlify *n, struct arena *a, const char *title,
                         struct netlify_deploy *ret, struct err *e)
{
    struct title_search search = { .title = title, .found = { .id = "" } };
    if (!each_deploy(n, a, MAX_DEPLOYS, has_title, &search, e))
        return err_wrap(e, "look for deploy \"%s\"", title);
    *ret = search.found;
    return true;
}

bool netlify_deploy_cancel(struct netlify *n, struct arena *a, const char *deploy_id, struct err *e)
{
    struct netlify_deploy d = { 0 };
    if (!netlify_deploy_get(n, a, deploy_id, &d, e))
        return e->code == ERR_NOT_FOUND;
    if (d.state != NETLIFY_PENDING)
        return true;
    struct http_request q = {
        .what = "netlify.deploy_cancel",
        .method = "POST",
        .path = arena_printf(a, "/deploys/%s/cancel", url_encode(a, deploy_id)),
        .effect = HTTP_MUTATING,
        .send_empty_body = true,
    };
    return http_done(n->http, a, &q, e) || err_wrap(e, "cancel deploy %s", deploy_id);
}

bool netlify_deploy_delete(struct netlify *n, struct arena *a, const char *deploy_id, struct err *e)
{
    const char *site_id;
    if (!netlify_site_id(n, &site_id, e))
        return false;
    struct http_request q = {
        .what = "netlify.deploy_delete",
        .method = "DELETE",
        .path = arena_printf(a, "/sites/%s/deploys/%s", site_id, url_encode(a, deploy_id)),
        .effect = HTTP_MUTATING,
    };
    if (http_done(n->http, a, &q, e) || e->code == ERR_NOT_FOUND)
        return true;
    return err_wrap(e, "delete deploy %s", deploy_id);
}

void netlify_deploy_drop_twins(struct netlify *n, struct arena *a, const struct netlify_deploy *d)
{
    struct netlify_deploy *all = NULL;
    size_t count = 0;
    struct err ignored;
    if (!*d->title || !netlify_deploys(n, a, TWINS_AMONG, &all, &count, &ignored))
        return;
    for (size_t i = 0; i < count; i++) {
        bool is_twin = streq(all[i].title, d->title) && !streq(all[i].id, d->id) &&
                       all[i].is_draft && !*all[i].published_at;
        if (is_twin && !netlify_deploy_delete(n, a, all[i].id, &ignored))
            return;
    }
}
