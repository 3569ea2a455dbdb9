/*
 * Reading the site store at start: records first, then contents, then the views that are live.
 */
#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "local/sites_store.h"

#include <stdlib.h>
#include <unistd.h>

#define RETENTION_MS ((int64_t)30 * 24 * 3600 * 1000)

/* ---- Records --------------------------------------------------------------------------------- */

static void insert_by_age(struct site *site, struct deploy *d)
{
    int64_t made = json_int_or(d->record, "created_unix_ms", 0);
    struct deploy **at = &site->deploys;
    while (*at && json_int_or((*at)->record, "created_unix_ms", 0) > made)
        at = &(*at)->next;
    d->next = *at;
    *at = d;
}

/* Contents named by ready deploys were synced before they became ready:
 * they need no second look. */
static void note_names(struct sites *s, const struct deploy *d)
{
    const char *path;
    json_t *sha;
    bool is_ready = streq(deploy_state(d), "ready");
    json_object_foreach (d->files, path, sha) {
        bool was_ready = json_bool_or(s->named, json_string_value(sha), false);
        (void)json_object_set_new(s->named, json_string_value(sha),
                                  json_boolean(is_ready || was_ready));
    }
}

enum blob_use sites_use_of(void *sites, const char *sha)
{
    const json_t *use = json_object_get(((struct sites *)sites)->named, sha);
    return !use ? BLOB_UNUSED : json_is_true(use) ? BLOB_SERVED : BLOB_AWAITED;
}

/* The hosted service forgets deploys after 30 days, but never one that could be rolled back to
 * here. */
static bool is_forgotten(const struct site *site, const json_t *record)
{
    const json_t *history = json_object_get(site->record, "history");
    for (size_t i = 0; i < json_array_size(history); i++) {
        if (streq(json_text_or(json_array_get(history, i), "id", ""),
                  json_text_or(record, "id", "")))
            return false;
    }
    int64_t age_ms = clock_unix_ms() - json_int_or(record, "created_unix_ms", 0);
    return age_ms > RETENTION_MS;
}

static bool load_deploy(struct sites *s, struct site *site, const char *path, struct arena *a,
                        struct err *e)
{
    struct str text;
    if (!fs_read(a, path, LIMIT_JSON_BYTES, &text, e))
        return false;
    json_auto_t *record = json_parse(text, path, e);
    if (!record)
        return false;
    struct deploy *d = calloc(1, sizeof *d);
    if (!d)
        memory_exhausted(sizeof *d);
    d->site = site;
    d->record = json_incref(record);
    (void)snprintf(d->id, sizeof d->id, "%s", json_text_or(record, "id", ""));
    if (!deploy_load_files(s, d, e)) {
        deploy_free(d);
        return false;
    }
    if (is_forgotten(site, record)) {
        deploy_free(d);
        (void)unlink(path);
        return true;
    }
    note_names(s, d);
    insert_by_age(site, d);
    return true;
}

static bool load_site(struct sites *s, const char *dir, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct str text;
    const char *path = fs_join(a, dir, "site.json");
    if (!fs_read(a, path, LIMIT_JSON_BYTES, &text, e))
        return e->code == ERR_NOT_FOUND; /* removed half-way: not a site any more */
    json_auto_t *record = json_parse(text, path, e);
    if (!record)
        return false;
    struct site *site = calloc(1, sizeof *site);
    if (!site)
        memory_exhausted(sizeof *site);
    site->record = json_incref(record);
    site->id = strdup(json_text_or(record, "id", ""));
    site->name = strdup(json_text_or(record, "name", ""));
    site->port = (int)json_int_or(record, "port", 0);
    site->next = s->first;
    s->first = site;
    const char *deploys = fs_join(a, dir, "deploys");
    const char **names = NULL;
    size_t count = 0;
    if (!fs_list(a, deploys, &names, &count, e))
        return e->code == ERR_NOT_FOUND;
    for (size_t i = 0; i < count; i++) {
        if (ends_with(names[i], ".json") &&
            !load_deploy(s, site, fs_join(a, deploys, names[i]), a, e))
            return false;
    }
    return true;
}

bool sites_load(struct sites *s, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    s->named = json_object();
    const char **names = NULL;
    size_t count = 0;
    if (!fs_list(a, s->dir, &names, &count, e))
        return false;
    for (size_t i = 0; i < count; i++) {
        const char *dir = fs_join(a, s->dir, names[i]);
        if (fs_is_dir(dir) && !streq(names[i], "functions") && !load_site(s, dir, e))
            return err_wrap(e, "site %s", names[i]);
    }
    return true;
}

/* ---- Views ----------------------------------------------------------------------------------- */

static struct deploy *find_in(struct site *site, const char *id)
{
    struct deploy *d = site->deploys;
    while (d && !streq(d->id, id))
        d = d->next;
    return d;
}

/* The live deploy and those that were live in the last day, oldest first so that the newest is
 * looked at first. When an older one left is not worth a field: a day from now is enough for all of
 * them. */
static bool load_live(struct sites *s, struct site *site, struct err *e)
{
    const json_t *history = json_object_get(site->record, "history");
    size_t n = json_array_size(history);
    for (size_t i = n > 8 ? n - 8 : 0; i < n; i++) {
        struct deploy *d = find_in(site, json_text_or(json_array_get(history, i), "id", ""));
        struct view *v = NULL;
        bool is_live = i + 1 == n;
        if (!d || !streq(deploy_state(d), "ready"))
            continue;
        if (!deploy_view(s, d, &v, e)) {
            if (is_live)
                return err_wrap(e, "the published deploy of %s", site->name);
            continue;
        }
        if (is_live)
            site->published = v;
        else
            site_retire(s, site, v, clock_unix_ms() + (int64_t)24 * 3600 * 1000);
    }
    return true;
}

/* Deploys that were waiting for uploads go on waiting; one that had
 * everything becomes ready now. */
static bool go_on_waiting(struct sites *s, struct site *site, struct err *e)
{
    for (struct deploy *d = site->deploys; d; d = d->next) {
        const char *state = deploy_state(d);
        if (streq(state, "ready") || streq(state, "error") || streq(state, "new"))
            continue;
        if (!deploy_find_missing(s, d, e))
            return false;
        if (json_object_size(d->missing) == 0 && !deploy_complete(s, d, e))
            return false;
    }
    return true;
}

/* Manifests are large; those of deploys that are not live can be read again. */
static void forget_manifests(struct site *site)
{
    for (struct deploy *d = site->deploys; d; d = d->next) {
        if (streq(deploy_state(d), "ready") && !d->view) {
            json_decref(d->files);
            d->files = NULL;
        }
    }
}

bool sites_load_views(struct sites *s, struct err *e)
{
    for (struct site *site = s->first; site; site = site->next) {
        if (!load_live(s, site, e) || !go_on_waiting(s, site, e))
            return false;
        forget_manifests(site);
    }
    json_decref(s->named);
    s->named = NULL;
    return true;
}
