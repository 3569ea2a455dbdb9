/*
 * One Supabase project: is it there, does it work, its keys, and how its database is reached.
 */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "net/url.h"
#include "provider/supabase_inside.h"

#include <string.h>

enum {
    WAIT_MS = 10 * 60 * 1000,
    POLL_FIRST_MS = 50,
    POLL_MAX_MS = 5000, /* coming up takes minutes there, and each poll is a call of the budget */
    TRANSACTION_PORT = 6543,
    SESSION_PORT = 5432,
};

bool supabase_project_read(struct arena *a, const json_t *value, struct supabase_project *ret,
                           struct err *e)
{
    struct fields f = fields_of(a, value, "project", e);
    struct supabase_project project = {
        .ref = field_id(&f, "ref"),
        .name = field_need_text(&f, "name"),
        .status = field_id(&f, "status"),
        .region = field_text(&f, "region"),
        .organization = field_text(&f, "organization_slug"),
        .created_at = field_text(&f, "created_at"),
    };
    if (!*project.organization)
        project.organization = field_text(&f, "organization_id");
    if (fields_ok(&f))
        *ret = project;
    return fields_ok(&f);
}

bool supabase_project(struct supabase *s, struct arena *a, struct supabase_project *ret,
                      struct err *e)
{
    struct http_request q = { .what = "supabase.project",
                              .method = "GET",
                              .path = supabase_path(s, a, "") };
    json_auto_t *value = NULL;
    struct supabase_project project;
    if (!http_json(s->http, a, &q, &value, NULL, e) ||
        !http_checked(s->http, supabase_project_read(a, value, &project, e), e)) {
        if (e->http_status == 400 && strstr(e->why, "has been removed"))
            err_recode(e, ERR_NOT_FOUND);
        return err_wrap(e, "read project %s", s->ref);
    }
    if (!streq(project.ref, s->ref))
        return err_set(e, ERR_DATA, "read project %s: the host answered with project %s", s->ref,
                       project.ref);
    *ret = project;
    return true;
}

bool supabase_health(struct supabase *s, struct arena *a, const char *services, struct err *e)
{
    const char *path = supabase_path(s, a, "/health");
    struct str rest = str_of(services ? services : "db");
    for (char separator = '?'; rest.p; separator = '&')
        path = arena_printf(a, "%s%cservices=%s", path, separator,
                            url_encode(a, str_dup(a, str_cut(&rest, ','))));
    json_auto_t *list = NULL;
    if (!supabase_list(s, a, "supabase.health", path, "services", &list, e))
        return err_wrap(e, "health of project %s", s->ref);
    if (json_array_size(list) == 0)
        return err_set(e, ERR_DATA, "health of project %s: the answer names no service", s->ref);
    size_t i;
    json_t *service;
    json_array_foreach (list, i, service) {
        struct fields f = fields_of(a, service, "service", e);
        const char *name = field_id(&f, "name"), *status = field_text(&f, "status");
        const char *why = field_text(&f, "error");
        bool is_healthy = field_flag(&f, "healthy", streq(status, "ACTIVE_HEALTHY"));
        if (!http_checked(s->http, fields_ok(&f), e))
            return err_wrap(e, "health of project %s", s->ref);
        if (!is_healthy)
            return err_set(e, ERR_CHECK, "%s of project %s is not healthy: %s", name, s->ref,
                           *why      ? why
                           : *status ? status
                                     : "no reason given");
    }
    return true;
}

bool supabase_branches(struct supabase *s, struct arena *a, struct supabase_branch **ret,
                       size_t *ret_count, struct err *e)
{
    json_auto_t *list = NULL;
    if (!supabase_list(s, a, "supabase.branches", supabase_path(s, a, "/branches"), "branches",
                       &list, e))
        return err_wrap(e, "project %s", s->ref);
    struct supabase_branch *all = ARENA_ARRAY(a, struct supabase_branch, json_array_size(list) + 1);
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item) {
        struct fields f = fields_of(a, item, "branch", e);
        all[i] = (struct supabase_branch){ .name = field_need_text(&f, "name"),
                                           .git_branch = field_text(&f, "git_branch"),
                                           .is_default = field_flag(&f, "is_default", false) };
        if (!http_checked(s->http, fields_ok(&f), e))
            return err_wrap(e, "branches of project %s", s->ref);
    }
    *ret = all;
    *ret_count = json_array_size(list);
    return true;
}

bool supabase_api_keys(struct supabase *s, struct arena *a, struct supabase_api_keys *ret,
                       struct err *e)
{
    json_auto_t *list = NULL;
    if (!supabase_list(s, a, "supabase.api_keys", supabase_path(s, a, "/api-keys?reveal=true"),
                       "API keys", &list, e))
        return err_wrap(e, "project %s", s->ref);
    struct supabase_api_keys keys = { 0 };
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item) {
        struct fields f = fields_of(a, item, "API key", e);
        const char *name = field_need_text(&f, "name"), *type = field_text(&f, "type");
        const char *key = field_text(&f, "api_key");
        if (!http_checked(s->http, fields_ok(&f), e))
            return err_wrap(e, "API keys of project %s", s->ref);
        if (!*key)
            continue;
        if (streq(name, "service_role") || streq(type, "secret"))
            log_redact(str_of(key));
        if (streq(name, "anon"))
            keys.anon = key;
        else if (streq(name, "service_role"))
            keys.service_role = key;
        else if (streq(type, "publishable") && !keys.publishable)
            keys.publishable = key;
        else if (streq(type, "secret") && !keys.secret)
            keys.secret = key;
    }
    *ret = keys;
    return true;
}

/* ---- coming up ---- */

static bool is_lost(const char *status)
{
    static const char *const bad[] = { "INIT_FAILED", "REMOVED", "GOING_DOWN", "RESTORE_FAILED",
                                       "PAUSE_FAILED" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (streq(status, bad[i]))
            return true;
    return false;
}

/* Not there yet, or a poll that was lost: both are waited for. */
static bool may_wait(const struct err *e)
{
    return e->code == ERR_CHECK || err_may_retry(e) || e->http_status == 429 ||
           e->http_status >= 500;
}

/* One look. False with ERR_CHECK: not yet. */
static bool is_up(struct supabase *s, struct arena *a, struct supabase_project *ret, struct err *e)
{
    if (!supabase_project(s, a, ret, e))
        return false;
    if (is_lost(ret->status))
        return err_set(e, ERR_REMOTE, "project %s does not come up: %s", s->ref, ret->status);
    if (!streq(ret->status, "ACTIVE_HEALTHY"))
        return err_set(e, ERR_CHECK, "project %s is %s", s->ref, ret->status);
    return supabase_health(s, a, "db,rest", e);
}

bool supabase_project_wait(struct supabase *s, struct arena *a, int timeout_ms,
                           struct supabase_project *ret, struct err *e)
{
    int64_t until_ms = clock_boot_ms() + (timeout_ms > 0 ? timeout_ms : WAIT_MS);
    for (int pause_ms = POLL_FIRST_MS;;) {
        CLEANUP(arena) struct arena *scratch = arena_new(0);
        struct supabase_project seen;
        if (is_up(s, scratch, &seen, e))
            return supabase_project(s, a, ret, e);
        if (!may_wait(e))
            return err_wrap(e, "wait for project %s", s->ref);
        if (clock_boot_ms() + pause_ms > until_ms) {
            err_recode(e, ERR_TIMEOUT);
            return err_wrap(e, "project %s is not up yet", s->ref);
        }
        if (!http_pause(s->http, pause_ms, e))
            return err_wrap(e, "wait for project %s", s->ref);
        pause_ms = pause_ms * 2 < POLL_MAX_MS ? pause_ms * 2 : POLL_MAX_MS;
    }
}

/* ---- its database ---- */

bool supabase_pooler(struct supabase *s, struct arena *a, struct supabase_pooler *ret,
                     struct err *e)
{
    json_auto_t *list = NULL;
    if (!supabase_list(s, a, "supabase.pooler", supabase_path(s, a, "/config/database/pooler"),
                       "poolers", &list, e))
        return err_wrap(e, "project %s", s->ref);
    size_t i;
    json_t *one;
    json_array_foreach (list, i, one) {
        struct fields f = fields_of(a, one, "pooler", e);
        const char *type = field_text(&f, "database_type");
        if (fields_ok(&f) && *type && !streq(type, "PRIMARY"))
            continue;
        struct supabase_pooler pooler = {
            .user = field_id(&f, "db_user"),
            .host = field_id(&f, "db_host"),
            .database = field_id(&f, "db_name"),
        };
        int64_t port = field_count(&f, "db_port");
        if (fields_ok(&f) && (port < 1 || port > 65535))
            f.has_failed = !err_set(e, ERR_DATA, "pooler: \"db_port\" is %lld", (long long)port);
        if (!http_checked(s->http, fields_ok(&f), e))
            return err_wrap(e, "pooler of project %s", s->ref);
        pooler.port = port == TRANSACTION_PORT ? SESSION_PORT : (int)port;
        *ret = pooler;
        return true;
    }
    return err_set(e, ERR_NOT_FOUND, "project %s has no pooler", s->ref);
}

char *supabase_pooler_url(struct arena *a, const struct supabase_pooler *p, const char *password)
{
    return arena_printf(a, "postgresql://%s:%s@%s:%d/%s", url_encode(a, p->user),
                        url_encode(a, password), p->host, p->port, url_encode(a, p->database));
}
