/*
 * Deploys: their life from creation to being published. See sites_store.h. Everything here is
 * called with `lock` held.
 */
#include "base/clock.h"
#include "base/fs.h"
#include "local/sites_store.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#define RETIRED_MS  ((int64_t)24 * 3600 * 1000) /* old pages may ask for their files this long */
#define RETIRED_MAX 32 /* a page may be read under many publishes in a row */
#define HISTORY_MAX 500
#define VIEWS_KEPT  32 /* of deploys that are not live */

/* ---- Records --------------------------------------------------------------------------------- */

const char *deploy_state(const struct deploy *d)
{
    return json_text_or(d->record, "state", "new");
}

bool deploy_is_published(const struct deploy *d)
{
    return streq(site_published_id(d->site), d->id);
}

struct deploy *deploy_find(struct sites *s, const char *id)
{
    for (struct site *site = s->first; site; site = site->next) {
        for (struct deploy *d = site->deploys; d && !site->is_removed; d = d->next) {
            if (streq(d->id, id))
                return d;
        }
    }
    return NULL;
}

static const char *deploy_path(struct sites *s, const struct deploy *d, struct arena *a,
                               const char *suffix)
{
    return site_path(d->site, s, a, arena_printf(a, "deploys/%s%s", d->id, suffix));
}

bool deploy_save(struct sites *s, struct deploy *d, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    const char *now = clock_rfc3339(a, clock_unix_ms());
    (void)json_object_set_new(d->record, "updated_at", json_string(now));
    const char *text = json_text_in_order(a, d->record);
    return fs_replace(deploy_path(s, d, a, ".json"), str_of(text), 0600, e);
}

static void set_state(struct deploy *d, const char *state)
{
    (void)json_object_set_new(d->record, "state", json_string(state));
}

struct deploy *deploy_new(struct sites *s, struct site *site, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct deploy *d = calloc(1, sizeof *d);
    if (!d)
        memory_exhausted(sizeof *d);
    d->site = site;
    (void)snprintf(d->id, sizeof d->id, "%s", random_hex(a, 12));
    int64_t now_ms = clock_unix_ms();
    d->record =
        json_pack("{s:s, s:s, s:s, s:I, s:s}", "id", d->id, "site_id", site->id, "state", "new",
                  "created_unix_ms", (json_int_t)now_ms, "created_at", clock_rfc3339(a, now_ms));
    if (!deploy_save(s, d, e)) {
        deploy_free(d);
        return NULL;
    }
    (void)pthread_mutex_lock(&s->view_lock);
    d->next = site->deploys;
    site->deploys = d;
    (void)pthread_mutex_unlock(&s->view_lock);
    return d;
}

void deploy_free(struct deploy *d)
{
    json_decref(d->record);
    json_decref(d->files);
    json_decref(d->missing);
    view_unref(d->view);
    free(d);
}

bool deploy_set_files(struct sites *s, struct deploy *d, json_t *files, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    const char *text = json_text_in_order(a, files);
    if (!fs_replace(deploy_path(s, d, a, ".files"), str_of(text), 0600, e))
        return false;
    json_decref(d->files);
    d->files = json_incref(files);
    return true;
}

bool deploy_load_files(struct sites *s, struct deploy *d, struct err *e)
{
    if (d->files)
        return true;
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct str text;
    if (fs_read(a, deploy_path(s, d, a, ".files"), LIMIT_JSON_BYTES, &text, e)) {
        d->files = json_parse(text, "manifest", e);
    } else if (e->code == ERR_NOT_FOUND) { /* a deploy that never got its digest */
        d->files = json_object();
    }
    return d->files != NULL;
}

bool deploy_delete(struct sites *s, struct deploy *d, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    if (unlink(deploy_path(s, d, a, ".json")) != 0)
        return err_system(e, "remove deploy %s", d->id);
    (void)unlink(deploy_path(s, d, a, ".files"));
    (void)pthread_mutex_lock(&s->view_lock);
    struct deploy **at = &d->site->deploys;
    while (*at != d)
        at = &(*at)->next;
    *at = d->next;
    (void)pthread_mutex_unlock(&s->view_lock);
    deploy_free(d);
    return true;
}

/* ---- What is missing ------------------------------------------------------------------------- */

const char *function_path(struct sites *s, struct arena *a, const char *sha256)
{
    return arena_printf(a, "%s/functions/%s", s->dir, sha256);
}

bool deploy_find_missing(struct sites *s, struct deploy *d, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    if (!deploy_load_files(s, d, e))
        return false;
    json_decref(d->missing);
    d->missing = json_object();
    const char *name;
    json_t *sha;
    json_object_foreach (d->files, name, sha) {
        if (!blobs_find(s->blobs, json_string_value(sha)))
            (void)json_object_set_new(d->missing, json_string_value(sha), json_true());
    }
    json_object_foreach (json_object_get(d->record, "functions"), name, sha) {
        if (!fs_exists(function_path(s, a, json_string_value(sha))))
            (void)json_object_set_new(d->missing, json_string_value(sha), json_true());
    }
    return true;
}

bool deploys_want(struct sites *s, const char *sha)
{
    for (struct site *site = s->first; site; site = site->next) {
        for (struct deploy *d = site->deploys; d; d = d->next) {
            if (d->missing && json_object_get(d->missing, sha))
                return true;
        }
    }
    return false;
}

bool deploys_received(struct sites *s, const char *sha, struct err *e)
{
    for (struct site *site = s->first; site; site = site->next) {
        for (struct deploy *d = site->deploys; d; d = d->next) {
            if (!d->missing || json_object_del(d->missing, sha) != 0)
                continue;
            if (json_object_size(d->missing) == 0 && !deploy_complete(s, d, e))
                return false;
        }
    }
    return true;
}

/* ---- Views ----------------------------------------------------------------------------------- */

/* Forgets the view that was asked for the longest ago, when there are many. */
static void limit_views(struct sites *s)
{
    size_t count = 0;
    struct deploy *oldest = NULL;
    (void)pthread_mutex_lock(&s->view_lock);
    for (struct site *site = s->first; site; site = site->next) {
        for (struct deploy *d = site->deploys; d; d = d->next) {
            if (!d->view || d->view == site->published)
                continue;
            count++;
            if (!oldest || d->used_ms < oldest->used_ms)
                oldest = d;
        }
    }
    struct view *dropped = NULL;
    if (count > VIEWS_KEPT) {
        dropped = oldest->view;
        oldest->view = NULL;
    }
    (void)pthread_mutex_unlock(&s->view_lock);
    if (dropped) {
        json_decref(oldest->files);
        oldest->files = NULL;
    }
    view_unref(dropped);
}

bool deploy_view(struct sites *s, struct deploy *d, struct view **ret, struct err *e)
{
    if (!d->view) {
        struct view *v = NULL;
        if (!deploy_load_files(s, d, e) || !view_new(s->blobs, d->id, d->files, &v, e))
            return false;
        (void)pthread_mutex_lock(&s->view_lock);
        d->view = v;
        d->used_ms = clock_boot_ms();
        (void)pthread_mutex_unlock(&s->view_lock);
        limit_views(s);
    }
    *ret = view_ref(d->view);
    return true;
}

/* ---- Ready ----------------------------------------------------------------------------------- */

struct compress_job {
    struct sites *sites;
    struct view *view;
};

static void for_each_blob(const struct compress_job *job,
                          void (*fn)(struct blobs *b, struct blob *blob))
{
    for (size_t i = 0; i < job->view->buckets; i++) {
        for (const struct view_file *f = job->view->table[i]; f; f = f->next) {
            if (f->is_compressible && !server_is_draining(job->sites->server))
                fn(job->sites->blobs, f->blob);
        }
    }
}

static void compress_all(void *context)
{
    struct compress_job *job = context;
    struct err e;
    for_each_blob(job, blobs_compress);
    if (blobs_sync(job->sites->blobs, &e))
        for_each_blob(job, blobs_compressed);
    view_unref(job->view);
    free(job);
}

static void compress_later(struct sites *s, struct view *v)
{
    struct compress_job *job = calloc(1, sizeof *job);
    if (!job)
        memory_exhausted(sizeof *job);
    *job = (struct compress_job){ s, v };
    server_work(s->server, compress_all, job);
}

static bool publishes_itself(const struct deploy *d)
{
    return !json_bool_or(d->record, "draft", false) && !json_text_or(d->record, "branch", NULL) &&
           !site_is_locked(d->site);
}

bool deploy_complete(struct sites *s, struct deploy *d, struct err *e)
{
    json_decref(d->missing);
    d->missing = NULL;
    struct view *v = NULL;
    if (!blobs_sync(s->blobs, e))
        return err_wrap(e, "deploy %s", d->id);
    if (!deploy_view(s, d, &v, e)) {
        set_state(d, "error");
        (void)json_object_set_new(d->record, "error_message", json_string(e->why));
        return deploy_save(s, d, e);
    }
    set_state(d, "ready");
    bool ok = deploy_save(s, d, e) && (!publishes_itself(d) || deploy_publish(s, d, e));
    compress_later(s, v); /* takes the reference */
    return ok;
}

/* ---- Publish --------------------------------------------------------------------------------- */

/* The list of the site owns what is put into it; gcc 12's analyzer loses sight of that. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"
#endif

/* Puts `old` first, under view_lock. What must go, because it is the same again or one too many, is
 * returned to be freed without the lock. */
static struct retired_view *retire_locked(struct site *site, struct retired_view *old)
{
    struct retired_view *dropped = NULL;
    old->next = site->retired;
    site->retired = old;
    unsigned kept = 1;
    for (struct retired_view **at = &old->next; *at;) {
        if ((*at)->view == old->view || kept == RETIRED_MAX) {
            struct retired_view *gone = *at;
            *at = gone->next;
            gone->next = dropped;
            dropped = gone;
        } else {
            kept++;
            at = &(*at)->next;
        }
    }
    return dropped;
}

static struct retired_view *retired_new(struct view *v, int64_t until_unix_ms)
{
    struct retired_view *old = calloc(1, sizeof *old);
    if (!old)
        memory_exhausted(sizeof *old);
    *old = (struct retired_view){ .view = v, .until_unix_ms = until_unix_ms };
    return old;
}

static void retired_free(struct retired_view *dropped)
{
    while (dropped) {
        struct retired_view *next = dropped->next;
        view_unref(dropped->view);
        free(dropped);
        dropped = next;
    }
}

void site_retire(struct sites *s, struct site *site, struct view *v, int64_t until_unix_ms)
{
    struct retired_view *old = retired_new(v, until_unix_ms);
    (void)pthread_mutex_lock(&s->view_lock);
    struct retired_view *dropped = retire_locked(site, old);
    (void)pthread_mutex_unlock(&s->view_lock);
    retired_free(dropped);
}

/* For visitors the old view is a retired one before it stops being the published one. Between the two, a page that
 * was just read would not find its script. */
static void swap_published(struct sites *s, struct site *site, struct view *v)
{
    (void)pthread_mutex_lock(&s->view_lock);
    struct view *old = site->published ? view_ref(site->published) : NULL;
    (void)pthread_mutex_unlock(&s->view_lock);
    if (old && old != v)
        site_retire(s, site, old, clock_unix_ms() + RETIRED_MS);
    else
        view_unref(old);

    (void)pthread_mutex_lock(&s->view_lock);
    struct view *before = site->published;
    site->published = v;
    (void)pthread_mutex_unlock(&s->view_lock);
    view_unref(before);
}

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

/* Writes the new history, then swaps. The old record comes back if it cannot be written. */
static bool publish_as(struct sites *s, struct deploy *d, json_t *history, struct err *e)
{
    struct site *site = d->site;
    struct view *v = NULL;
    if (!deploy_view(s, d, &v, e))
        return false;
    json_t *before = json_copy(site->record);
    while (json_array_size(history) > HISTORY_MAX)
        (void)json_array_remove(history, 0);
    (void)json_object_set(site->record, "history", history);
    (void)json_object_set_new(site->record, "locked", json_false());
    if (!site_save(s, site, e)) {
        json_decref(site->record);
        site->record = before;
        view_unref(v);
        return err_wrap(e, "publish %s", d->id);
    }
    json_decref(before);
    swap_published(s, site, v);
    return true;
}

bool deploy_publish(struct sites *s, struct deploy *d, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    if (deploy_is_published(d)) { /* nothing to switch, but restoring drops the lock all the same */
        if (!site_is_locked(d->site))
            return true;
        (void)json_object_set_new(d->site->record, "locked", json_false());
        return site_save(s, d->site, e);
    }
    json_auto_t *history = json_deep_copy(json_object_get(d->site->record, "history"));
    (void)json_array_append_new(
        history, json_pack("{s:s, s:s}", "id", d->id, "at", clock_rfc3339(a, clock_unix_ms())));
    return publish_as(s, d, history, e);
}

struct deploy *deploy_before(const struct site *site)
{
    const json_t *history = json_object_get(site->record, "history");
    const char *now = site_published_id(site);
    for (size_t i = json_array_size(history); i > 0; i--) {
        const char *id = json_text_or(json_array_get(history, i - 1), "id", "");
        for (struct deploy *d = site->deploys; d && !streq(id, now); d = d->next) {
            if (streq(d->id, id) && streq(deploy_state(d), "ready"))
                return d;
        }
    }
    return NULL;
}

bool deploy_roll_back(struct sites *s, struct deploy *d, struct err *e)
{
    json_auto_t *history = json_deep_copy(json_object_get(d->site->record, "history"));
    size_t n = json_array_size(history);
    while (n > 0 && !streq(json_text_or(json_array_get(history, n - 1), "id", ""), d->id))
        (void)json_array_remove(history, --n);
    return publish_as(s, d, history, e);
}
