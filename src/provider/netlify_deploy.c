/*
 * Netlify deploys: create hidden, tell the digests once, send what the host lacks, wait until it is
 * ready.
 *
 * States are the host's words; three of them matter here (enum netlify_state), and a word we have
 * not heard of counts as "not yet". A deploy that was live before is "old" there and can be
 * published again.
 */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "net/url.h"
#include "provider/netlify_inside.h"

#include <stdlib.h>
#include <string.h>

enum {
    ASYNC_ABOVE_FILES =
        500, /* then the host compares in the background, as its own Go client asks */
    POLL_FIRST_MS = 25,
    POLL_MAX_MS = 1000,
    WAIT_MS = 20 * 60 * 1000,
    SYNC_WAIT_MS = 5 * 60 * 1000,
    DEPLOYS_PER_MINUTE = 3,
};

static enum netlify_state state_of(const char *text)
{
    if (streq(text, "ready") || streq(text, "old"))
        return NETLIFY_READY;
    if (streq(text, "error") || streq(text, "rejected"))
        return NETLIFY_FAILED;
    return NETLIFY_PENDING;
}

/* Has the host finished comparing? Then `required` is complete. */
static bool is_compared(const char *state)
{
    static const char *const states[] = { "prepared",  "uploading", "uploaded", "processing",
                                          "processed", "ready",     "old" };
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (streq(state, states[i]))
            return true;
    return false;
}

static const char *permalink_of(struct fields *f)
{
    const json_t *links = field_object(f, "links");
    const char *link = "";
    if (links) {
        struct fields l = fields_of(f->arena, links, "links of the deploy", f->e);
        link = field_text(&l, "permalink");
        f->has_failed |= l.has_failed;
    }
    if (!*link)
        link = field_text(f, "deploy_ssl_url");
    if (!*link)
        link = field_text(f, "deploy_url");
    size_t n = strlen(link);
    while (n > 0 && link[n - 1] == '/')
        n--;
    return arena_strndup(f->arena, link, n);
}

/* The digests that the host lacks: nothing else may stand there. */
static void read_required(struct fields *f, struct netlify_deploy *d)
{
    const json_t *required = field_list(f, "required");
    d->required = ARENA_ARRAY(f->arena, const char *, json_array_size(required) + 1);
    size_t i;
    json_t *item;
    json_array_foreach (required, i, item) {
        const char *sha1 = json_is_string(item) ? json_string_value(item) : "";
        if (strlen(sha1) != SHA1_HEX_BYTES - 1 || strspn(sha1, "0123456789abcdef") != strlen(sha1))
            f->has_failed =
                !err_set(f->e, ERR_DATA, "%s: \"required\" has an item that is no SHA-1", f->name);
        d->required[d->n_required++] = arena_strdup(f->arena, sha1);
    }
}

bool netlify_deploy_read(struct arena *a, const json_t *value, const char *name,
                         struct netlify_deploy *ret, struct err *e)
{
    struct fields f = fields_of(a, value, name, e);
    struct netlify_deploy d = {
        .id = field_id(&f, "id"),
        .state_text = field_id(&f, "state"),
        .title = field_text(&f, "title"),
        .branch = field_text(&f, "branch"),
        .context = field_text(&f, "context"),
        .permalink = permalink_of(&f),
        .error_message = field_text(&f, "error_message"),
        .created_at = field_text(&f, "created_at"),
        .published_at = field_text(&f, "published_at"),
        .is_draft = field_flag(&f, "draft", false),
        .is_locked = field_flag(&f, "locked", false),
    };
    d.state = state_of(d.state_text);
    if (fields_ok(&f))
        read_required(&f, &d);
    if (!fields_ok(&f))
        return false;
    *ret = d;
    return true;
}

bool netlify_deploy_get(struct netlify *n, struct arena *a, const char *deploy_id,
                        struct netlify_deploy *ret, struct err *e)
{
    const char *site_id;
    if (!netlify_site_id(n, &site_id, e))
        return false;
    struct http_request q = {
        .what = "netlify.deploy_get",
        .method = "GET",
        .path = arena_printf(a, "/sites/%s/deploys/%s", site_id, url_encode(a, deploy_id)),
    };
    json_auto_t *value = NULL;
    if (!http_json(n->http, a, &q, &value, NULL, e) ||
        !http_checked(n->http, netlify_deploy_read(a, value, "deploy", ret, e), e))
        return err_wrap(e, "read deploy %s", deploy_id);
    if (!streq(ret->id, deploy_id))
        return err_set(e, ERR_DATA, "read deploy %s: the host answered with deploy %s", deploy_id,
                       ret->id);
    return true;
}

/* ---- create, sync, upload ---- */

static json_t *variables_json(const struct netlify_variable *v, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:b, s:[s,s]}", "key", v[i].name, "value",
                                              v[i].value, "is_secret", v[i].is_secret, "scopes",
                                              "builds", "functions"));
    return list;
}

/* The host counts new deploys apart from all other calls. */
static bool spend_deploy(struct netlify *n, struct arena *a, const char *site_id, struct err *e)
{
    return url_is_loopback(a, n->api) ||
           http_spend(n->http, arena_printf(a, "deploys of %s", site_id), DEPLOYS_PER_MINUTE, e);
}

bool netlify_deploy_create(struct netlify *n, struct arena *a,
                           const struct netlify_deploy_spec *spec, struct netlify_deploy *ret,
                           struct err *e)
{
    const char *site_id;
    if (!netlify_site_id(n, &site_id, e) || !spend_deploy(n, a, site_id, e))
        return false;
    json_auto_t *body = json_pack("{s:b}", "draft", 1);
    struct str *sent = ARENA_ARRAY(a, struct str, spec->n_variables + 1);
    for (size_t i = 0; i < spec->n_variables; i++)
        sent[i] = str_of(spec->variables[i].value);
    if (spec->branch)
        json_object_set_new(body, "branch", json_string(spec->branch));
    if (spec->n_variables > 0)
        json_object_set_new(body, "environment",
                            variables_json(spec->variables, spec->n_variables));
    struct http_request q = {
        .what = "netlify.deploy_create",
        .sent_values = sent,
        .n_sent_values = spec->n_variables,
        .method = "POST",
        .path = arena_printf(a, "/sites/%s/deploys?title=%s", site_id, url_encode(a, spec->title)),
        .effect = HTTP_MUTATING,
        .json = body,
    };
    json_auto_t *value = NULL;
    if (!http_json(n->http, a, &q, &value, NULL, e) ||
        !netlify_unreadable(n, netlify_deploy_read(a, value, "new deploy", ret, e), e))
        return err_wrap(e, "create deploy \"%s\"", spec->title);
    netlify_deploy_drop_twins(n, a, ret);
    return true;
}

/* What is polled for, and how long. */
struct wait {
    const char *deploy_id;
    int timeout_ms;
    bool (*is_done)(const char *state);
};

/* A lost poll says nothing about the deploy. */
static bool is_lost_poll(const struct err *e)
{
    return err_may_retry(e) || e->http_status == 429 || e->http_status >= 500;
}

static bool poll(struct netlify *n, struct arena *a, const struct wait *w,
                 struct netlify_deploy *ret, struct err *e)
{
    int64_t until_ms = clock_boot_ms() + w->timeout_ms;
    for (int pause_ms = POLL_FIRST_MS;;) {
        if (netlify_deploy_get(n, a, w->deploy_id, ret, e)) {
            if (w->is_done(ret->state_text))
                return true;
            if (ret->state == NETLIFY_FAILED)
                return err_set(e, ERR_REMOTE, "deploy %s failed at the host: %s", w->deploy_id,
                               *ret->error_message ? ret->error_message : ret->state_text);
        } else if (!is_lost_poll(e)) {
            return false;
        }
        if (clock_boot_ms() + pause_ms > until_ms)
            return err_set(e, ERR_TIMEOUT, "deploy %s is still \"%s\" after %d s", w->deploy_id,
                           ret->state_text ? ret->state_text : "unknown", w->timeout_ms / 1000);
        if (!http_pause(n->http, pause_ms, e))
            return err_wrap(e, "wait for deploy %s", w->deploy_id);
        pause_ms = pause_ms * 2 < POLL_MAX_MS ? pause_ms * 2 : POLL_MAX_MS;
    }
}

static bool is_ready(const char *state)
{
    return state_of(state) == NETLIFY_READY;
}

bool netlify_deploy_wait(struct netlify *n, struct arena *a, const char *deploy_id, int timeout_ms,
                         struct netlify_deploy *ret, struct err *e)
{
    *ret = (struct netlify_deploy){ 0 };
    const struct wait w = { deploy_id, timeout_ms > 0 ? timeout_ms : WAIT_MS, is_ready };
    return poll(n, a, &w, ret, e);
}

// NOLINTNEXTLINE(readability-function-size): one parameter more than usual, all different
bool netlify_deploy_sync(struct netlify *n, struct arena *a, const char *deploy_id,
                         const struct netlify_file *files, size_t n_files,
                         struct netlify_deploy *ret, struct err *e)
{
    const char *site_id;
    if (!netlify_site_id(n, &site_id, e))
        return false;
    bool is_async = n_files > ASYNC_ABOVE_FILES;
    json_auto_t *body = json_object();
    json_t *digests = json_object();
    json_object_set_new(body, "files", digests);
    json_object_set_new(body, "draft", json_true());
    json_object_set_new(body, "async", json_boolean(is_async));
    for (size_t i = 0; i < n_files; i++) {
        const char *path = files[i].path[0] == '/' ? files[i].path + 1 : files[i].path;
        json_object_set_new(digests, path, json_string(files[i].sha1));
    }
    struct http_request q = {
        .what = "netlify.deploy_sync",
        .method = "PUT",
        .path = arena_printf(a, "/sites/%s/deploys/%s", site_id, url_encode(a, deploy_id)),
        .effect = HTTP_IDEMPOTENT,
        .json = body,
    };
    json_auto_t *value = NULL;
    if (!http_json(n->http, a, &q, &value, NULL, e) ||
        !http_checked(n->http, netlify_deploy_read(a, value, "synced deploy", ret, e), e))
        return err_wrap(e, "sync deploy %s", deploy_id);
    if (is_async && !is_compared(ret->state_text))
        return poll(n, a, &(struct wait){ deploy_id, SYNC_WAIT_MS, is_compared }, ret, e);
    if (!json_is_array(json_object_get(value, "required"))) {
        err_set(e, ERR_DATA, "sync deploy %s: the answer has no list \"required\"", deploy_id);
        return http_checked(n->http, false, e);
    }
    return true;
}

static int by_sha1(const void *one, const void *other)
{
    const struct netlify_file *const *f = one, *const *g = other;
    return strcmp((*f)->sha1, (*g)->sha1);
}

static int by_text(const void *one, const void *other)
{
    const char *const *s = one, *const *t = other;
    return strcmp(*s, *t);
}

/* One upload for each distinct required digest: which of several equal files is sent does not
 * matter. */
static bool plan_uploads(struct arena *a, const struct netlify_upload_spec *spec,
                         struct http_upload *uploads, size_t *ret_count, struct err *e)
{
    const struct netlify_file **files =
        ARENA_ARRAY(a, const struct netlify_file *, spec->n_files + 1);
    for (size_t i = 0; i < spec->n_files; i++)
        files[i] = &spec->files[i];
    // NOLINTNEXTLINE(bugprone-sizeof-expression): they are pointers
    qsort(files, spec->n_files, sizeof *files, by_sha1);
    const char **required = ARENA_ARRAY(a, const char *, spec->n_required + 1);
    if (spec->n_required > 0)
        memcpy(required, spec->required, spec->n_required * sizeof *required);
    qsort(required, spec->n_required, sizeof *required, by_text);

    size_t n = 0;
    for (size_t i = 0; i < spec->n_required; i++) {
        if (i > 0 && streq(required[i], required[i - 1]))
            continue;
        const struct netlify_file key = { .sha1 = required[i] }, *key_at = &key;
        // NOLINTNEXTLINE(bugprone-sizeof-expression): they are pointers
        struct netlify_file **hit = bsearch(&key_at, files, spec->n_files, sizeof *files, by_sha1);
        if (!hit)
            return err_set(e, ERR_DATA,
                           "the host asks for content %s, which this deploy does not have",
                           required[i]);
        const struct netlify_file *f = *hit;
        if (!f->source && !f->content.p && f->bytes > 0)
            return err_set(e, ERR_NOT_FOUND, "%s is needed by the host, but is not on this machine",
                           f->path);
        uploads[n++] = (struct http_upload){
            .path = arena_printf(a, "/deploys/%s/files/%s", url_encode(a, spec->deploy_id),
                                 url_encode_path(a, f->path[0] == '/' ? f->path + 1 : f->path)),
            .file = f->source,
            .content = f->content,
            .sha1_hex = f->sha1,
            .bytes = f->bytes,
            .show = f->path,
        };
    }
    *ret_count = n;
    return true;
}

bool netlify_deploy_upload(struct netlify *n, const struct netlify_upload_spec *spec, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct http_upload *uploads = ARENA_ARRAY(a, struct http_upload, spec->n_required + 1);
    size_t count = 0;
    if (!plan_uploads(a, spec, uploads, &count, e))
        return false;
    return http_upload_all(n->http,
                           &(struct http_uploads){
                               .what = "netlify.upload",
                               .method = "PUT",
                               .items = uploads,
                               .n_items = count,
                               .progress = spec->progress,
                               .context = spec->context,
                           },
                           e);
}
