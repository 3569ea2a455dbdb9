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
    const char *ref, *status, *name;
    if (!json_need_text(value, "ref", "project", &ref, e) ||
        !json_need_text(value, "status", "project", &status, e) ||
        !json_need_text(value, "name", "project", &name, e))
        return false;
    *ret = (struct supabase_project){
        .ref = arena_strdup(a, ref),
        .name = arena_strdup(a, name),
        .status = arena_strdup(a, status),
        .region = arena_strdup(a, json_text_or(value, "region", "")),
        .organization = arena_strdup(a, json_text_or(value, "organization_slug",
                                                     json_text_or(value, "organization_id", ""))),
        .created_at = arena_strdup(a, json_text_or(value, "created_at", "")),
    };
    return true;
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
        !supabase_project_read(a, value, &project, e)) {
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
    json_array_foreach (list, i, service)
        if (!json_bool_or(service, "healthy", false))
            return err_set(
                e, ERR_CHECK, "%s of project %s is not healthy: %s",
                json_text_or(service, "name", "?"), s->ref,
                json_text_or(service, "error", json_text_or(service, "status", "no reason given")));
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
        const char *name, *type = json_text_or(item, "type", "legacy");
        if (!json_need_text(item, "name", "API key", &name, e))
            return err_wrap(e, "project %s", s->ref);
        const char *key = json_text_or(item, "api_key", "");
        if (!*key)
            continue;
        if (streq(name, "service_role") || streq(type, "secret"))
            log_redact(str_of(key));
        if (streq(name, "anon"))
            keys.anon = arena_strdup(a, key);
        else if (streq(name, "service_role"))
            keys.service_role = arena_strdup(a, key);
        else if (streq(type, "publishable") && !keys.publishable)
            keys.publishable = arena_strdup(a, key);
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
        const char *user, *host, *database;
        if (!streq(json_text_or(one, "database_type", "PRIMARY"), "PRIMARY"))
            continue;
        if (!json_need_text(one, "db_user", "pooler", &user, e) ||
            !json_need_text(one, "db_host", "pooler", &host, e) ||
            !json_need_text(one, "db_name", "pooler", &database, e))
            return err_wrap(e, "project %s", s->ref);
        int64_t port = json_int_or(one, "db_port", 0);
        if (port < 1 || port > 65535)
            return err_set(e, ERR_DATA, "pooler of project %s: db_port is %lld", s->ref,
                           (long long)port);
        *ret = (struct supabase_pooler){
            .user = arena_strdup(a, user),
            .host = arena_strdup(a, host),
            .port = port == TRANSACTION_PORT ? SESSION_PORT : (int)port,
            .database = arena_strdup(a, database),
        };
        return true;
    }
    return err_set(e, ERR_NOT_FOUND, "project %s has no pooler", s->ref);
}

char *supabase_pooler_url(struct arena *a, const struct supabase_pooler *p, const char *password)
{
    return arena_printf(a, "postgresql://%s:%s@%s:%d/%s", url_encode(a, p->user),
                        url_encode(a, password), p->host, p->port, url_encode(a, p->database));
}
