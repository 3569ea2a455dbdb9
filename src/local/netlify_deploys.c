/*
 * Deploys in the Netlify API: create, digest, poll, publish, lock, delete. Uploads:
 * netlify_upload.c.
 *
 * STICKY   What the create call said about draft, branch and title holds: the vendor's client sends
 *          draft:false with the digest of every draft, and would put each of them live otherwise.
 */
#include "local/netlify.h"

#include <stdlib.h>

/* ---- Digest ---------------------------------------------------------------------------------- */

static bool is_hex(const char *s, size_t digits)
{
    return s && strlen(s) == digits && strspn(s, "0123456789abcdef") == digits;
}

/* The path of a manifest without its leading slash, or NULL if it is none to serve. */
static const char *clean_path(const char *path)
{
    if (*path == '/')
        path++;
    if (!*path || strlen(path) > LIMIT_PATH_BYTES || strpbrk(path, "#?"))
        return NULL;
    struct str rest = str_of(path);
    while (rest.p) {
        struct str part = str_cut(&rest, '/');
        if (part.n == 0 || str_is(part, ".") || str_is(part, ".."))
            return NULL;
    }
    return path;
}

static bool read_files(const json_t *body, json_t **ret, struct err *e)
{
    json_t *given = json_object_get(body, "files");
    json_auto_t *files = json_object();
    const char *path;
    json_t *sha;
    if (json_object_size(given) > LIMIT_SITE_FILES)
        return err_set(e, ERR_LIMIT, "%zu files; a deploy may have %d", json_object_size(given),
                       LIMIT_SITE_FILES);
    json_object_foreach (given, path, sha) {
        const char *clean = clean_path(path);
        if (!clean)
            return err_set(e, ERR_DATA, "\"%s\" is no path of a site", path);
        if (!is_hex(json_string_value(sha), 40))
            return err_set(e, ERR_DATA, "the digest of %s is no SHA-1", path);
        (void)json_object_set(files, clean, sha);
    }
    *ret = json_incref(files);
    return true;
}

static bool check_functions(const json_t *body, struct err *e)
{
    const char *name;
    json_t *sha;
    json_object_foreach (json_object_get(body, "functions"), name, sha) {
        if (!is_hex(json_string_value(sha), 64))
            return err_set(e, ERR_DATA, "the digest of function %s is no SHA-256", name);
    }
    return true;
}

/* What of the body is kept with the deploy. `is_first`: the create call. */
static void keep_fields(struct deploy *d, const json_t *body, bool is_first)
{
    static const char *const kept[] = { "functions", "functions_config", "function_schedules",
                                        "framework", "environment",      "deploy_source",
                                        "commit_ref" };
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        json_t *value = json_object_get(body, kept[i]);
        if (value && !json_is_null(value) &&
            (is_first || !streq(kept[i], "environment") ||
             !json_object_get(d->record, "environment")))
            (void)json_object_set(d->record, kept[i], value);
    }
    const char *branch = json_text_or(body, "branch", NULL);
    bool is_draft = json_bool_or(body, "draft", false) || json_bool_or(d->record, "draft", false);
    (void)json_object_set_new(d->record, "draft", json_boolean(is_draft));
    if (branch && *branch && !json_object_get(d->record, "branch"))
        (void)json_object_set_new(d->record, "branch", json_string(branch));
    const char *context = json_object_get(d->record, "branch") ? "branch-deploy"
                          : is_draft                           ? "deploy-preview"
                                                               : "production";
    (void)json_object_set_new(d->record, "context", json_string(context));
}

struct prepare_job {
    struct sites *sites;
    char id[DEPLOY_ID_BYTES];
};

static bool set_state(struct sites *s, struct deploy *d, const char *state, struct err *e)
{
    (void)json_object_set_new(d->record, "state", json_string(state));
    return deploy_save(s, d, e);
}

/* Finds out what is missing; nothing: the deploy is ready at once. */
static bool prepare(struct sites *s, struct deploy *d, const char *state, struct err *e)
{
    if (!deploy_find_missing(s, d, e))
        return false;
    if (json_object_size(d->missing) == 0)
        return deploy_complete(s, d, e);
    return set_state(s, d, state, e);
}

static void prepare_later(void *context)
{
    struct prepare_job *job = context;
    struct err e = { 0 };
    (void)pthread_mutex_lock(&job->sites->lock);
    struct deploy *d = deploy_find(job->sites, job->id);
    if (d && streq(deploy_state(d), "preparing") && !prepare(job->sites, d, "prepared", &e)) {
        (void)json_object_set_new(d->record, "error_message", json_string(e.why));
        (void)set_state(job->sites, d, "error", &e);
    }
    (void)pthread_mutex_unlock(&job->sites->lock);
    free(job);
}

static bool take_digest(struct sites *s, struct deploy *d, const json_t *body, struct err *e)
{
    json_t *files = NULL;
    if (!check_functions(body, e) || !read_files(body, &files, e))
        return false;
    bool ok = deploy_set_files(s, d, files, e);
    json_decref(files);
    if (!ok)
        return false;
    if (!json_bool_or(body, "async", false))
        return prepare(s, d, "uploading", e);
    struct prepare_job *job = calloc(1, sizeof *job);
    if (!job)
        memory_exhausted(sizeof *job);
    job->sites = s;
    (void)snprintf(job->id, sizeof job->id, "%s", d->id);
    if (!set_state(s, d, "preparing", e)) {
        free(job);
        return false;
    }
    server_work(s->server, prepare_later, job);
    return true;
}

static bool has_digest(const json_t *body)
{
    return json_object_get(body, "files") || json_object_get(body, "functions");
}

/* ---- Create and update ----------------------------------------------------------------------- */

static bool create(struct sites *s, struct site *site, struct request *r, const json_t *body,
                   struct deploy **ret, struct err *e)
{
    struct deploy *d = deploy_new(s, site, e);
    if (!d)
        return false;
    *ret = d;
    const char *title = request_query(r, "title");
    if (!title)
        title = json_text_or(body, "title", NULL);
    if (title)
        (void)json_object_set_new(d->record, "title", json_string(title));
    keep_fields(d, body, true);
    return has_digest(body) ? take_digest(s, d, body, e) : deploy_save(s, d, e);
}

void answer_deploy_create(struct request *r, void *context)
{
    struct sites *s = context;
    struct err e = { 0 };
    struct deploy *d = NULL;
    json_auto_t *body = netlify_body(r);
    if (!body)
        return;
    (void)pthread_mutex_lock(&s->lock);
    struct site *site = netlify_site(s, r);
    if (site && create(s, site, r, body, &d, &e)) {
        respond_json(r, 200, netlify_deploy_json(s, r, d));
    } else if (site) {
        netlify_respond_err(r, &e);
        struct err ignored;
        if (d && !deploy_delete(s, d, &ignored))
            (void)set_state(s, d, "error", &ignored);
    }
    (void)pthread_mutex_unlock(&s->lock);
}

void answer_deploy_update(struct request *r, void *context)
{
    struct sites *s = context;
    struct err e = { 0 };
    json_auto_t *body = netlify_body(r);
    if (!body)
        return;
    (void)pthread_mutex_lock(&s->lock);
    struct deploy *d = netlify_deploy(s, r);
    const char *state = d ? deploy_state(d) : "";
    if (d && (streq(state, "ready") || streq(state, "error"))) {
        respond_error(r, 422, "deploy %s is %s: its files cannot change any more", d->id, state);
    } else if (d) {
        keep_fields(d, body, false);
        if (has_digest(body) ? take_digest(s, d, body, &e) : deploy_save(s, d, &e))
            respond_json(r, 200, netlify_deploy_json(s, r, d));
        else
            netlify_respond_err(r, &e);
    }
    (void)pthread_mutex_unlock(&s->lock);
}

/* ---- Read ------------------------------------------------------------------------------------ */

static bool is_wanted(struct request *r, const struct deploy *d)
{
    const char *state = request_query(r, "state");
    const char *branch = request_query(r, "branch");
    const char *context = json_text_or(d->record, "context", "production");
    if (state && !streq(state, deploy_state(d)))
        return false;
    if (branch && !streq(branch, json_text_or(d->record, "branch", "main")))
        return false;
    if (streq(request_query(r, "production"), "true") && !streq(context, "production"))
        return false;
    if (streq(request_query(r, "deploy-previews"), "true") && !streq(context, "deploy-preview"))
        return false;
    return !streq(request_query(r, "latest-published"), "true") || deploy_is_published(d);
}

void answer_deploys_list(struct request *r, void *context)
{
    struct sites *s = context;
    (void)pthread_mutex_lock(&s->lock);
    struct site *site = netlify_site(s, r);
    json_t *all = site ? json_array() : NULL;
    for (struct deploy *d = site ? site->deploys : NULL; d; d = d->next) {
        if (is_wanted(r, d))
            (void)json_array_append_new(all, netlify_deploy_json(s, r, d));
    }
    (void)pthread_mutex_unlock(&s->lock);
    if (all)
        netlify_respond_page(r, all);
}

void answer_deploy_get(struct request *r, void *context)
{
    struct sites *s = context;
    (void)pthread_mutex_lock(&s->lock);
    struct deploy *d = netlify_deploy(s, r);
    if (d)
        respond_json(r, 200, netlify_deploy_json(s, r, d));
    (void)pthread_mutex_unlock(&s->lock);
}

/* ---- Act ------------------------------------------------------------------------------------- */

void answer_deploy_delete(struct request *r, void *context)
{
    struct sites *s = context;
    struct err e = { 0 };
    (void)pthread_mutex_lock(&s->lock);
    struct deploy *d = netlify_deploy(s, r);
    if (d && deploy_is_published(d))
        respond_error(r, 422, "deploy %s is published: publish another one first", d->id);
    else if (d && deploy_delete(s, d, &e))
        respond_empty(r, 204);
    else if (d)
        netlify_respond_err(r, &e);
    (void)pthread_mutex_unlock(&s->lock);
}

/* A deploy that is ready stays so: a client that lost patience must not take a site down. */
void answer_deploy_cancel(struct request *r, void *context)
{
    struct sites *s = context;
    struct err e = { 0 };
    (void)pthread_mutex_lock(&s->lock);
    struct deploy *d = netlify_deploy(s, r);
    bool ok = d != NULL;
    if (d && !streq(deploy_state(d), "ready") && !streq(deploy_state(d), "error")) {
        json_decref(d->missing);
        d->missing = NULL;
        (void)json_object_set_new(d->record, "error_message", json_string("Canceled deploy"));
        ok = set_state(s, d, "error", &e);
    }
    if (ok)
        respond_json(r, 201, netlify_deploy_json(s, r, d));
    else if (d)
        netlify_respond_err(r, &e);
    (void)pthread_mutex_unlock(&s->lock);
}

static void set_lock(struct sites *s, struct request *r, bool is_locked)
{
    struct err e = { 0 };
    (void)pthread_mutex_lock(&s->lock);
    struct deploy *d = netlify_deploy(s, r);
    if (d && !deploy_is_published(d)) {
        respond_error(r, 422, "deploy %s is not the published one", d->id);
    } else if (d) {
        (void)json_object_set_new(d->site->record, "locked", json_boolean(is_locked));
        if (site_save(s, d->site, &e))
            respond_json(r, 200, netlify_deploy_json(s, r, d));
        else
            netlify_respond_err(r, &e);
    }
    (void)pthread_mutex_unlock(&s->lock);
}

void answer_deploy_lock(struct request *r, void *context)
{
    set_lock(context, r, true);
}

void answer_deploy_unlock(struct request *r, void *context)
{
    set_lock(context, r, false);
}

void answer_deploy_restore(struct request *r, void *context)
{
    struct sites *s = context;
    struct err e = { 0 };
    (void)pthread_mutex_lock(&s->lock);
    struct deploy *d = netlify_deploy(s, r);
    if (d && !streq(deploy_state(d), "ready"))
        respond_error(r, 422, "deploy %s is %s, not ready", d->id, deploy_state(d));
    else if (d && deploy_publish(s, d, &e))
        respond_json(r, 201, netlify_deploy_json(s, r, d));
    else if (d)
        netlify_respond_err(r, &e);
    (void)pthread_mutex_unlock(&s->lock);
}
