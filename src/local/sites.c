/*
 * Sites: opening the store, finding and making sites, and which view a request gets. See
 * sites_store.h.
 */
#include "base/clock.h"
#include "base/fs.h"
#include "local/sites_store.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

struct loopback {
    struct loopback *next;
    int port;
    struct upstream_slot *slot;
};

/* ---- Open and close -------------------------------------------------------------------------- */

static char *copy(const char *s)
{
    char *c = strdup(s);
    if (!c)
        memory_exhausted(strlen(s));
    return c;
}

static bool open_team(struct sites *s, struct arena *a, struct err *e)
{
    struct str text;
    if (fs_read(a, fs_join(a, s->dir, "team.json"), LIMIT_JSON_BYTES, &text, e))
        s->team = json_parse(text, "team.json", e);
    else if (e->code == ERR_NOT_FOUND)
        s->team = json_pack("{s:[]}", "env");
    return s->team != NULL;
}

static bool open_all(struct sites *s, const char *state_dir, struct arena *a, struct err *e)
{
    const char *functions = fs_join(a, s->dir, "functions");
    if (!fs_mkdirs(functions, 0700, e) || !open_team(s, a, e) || !sites_load(s, e))
        return false;
    const char *blobs = fs_join(a, state_dir, "blobs");
    if (!blobs_open(blobs, LIMIT_BLOBS_MEMORY, sites_use_of, s, &s->blobs, e))
        return false;
    return sites_load_views(s, e);
}

bool sites_open(const char *state_dir, const char *token, struct server *server, struct sites **ret,
                struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct sites *s = calloc(1, sizeof *s);
    if (!s)
        memory_exhausted(sizeof *s);
    (void)pthread_mutex_init(&s->lock, NULL);
    (void)pthread_mutex_init(&s->view_lock, NULL);
    s->server = server;
    s->token = copy(token);
    s->dir = copy(fs_join(a, state_dir, "sites"));
    if (!open_all(s, state_dir, a, e)) {
        sites_close(s);
        return err_wrap(e, "open the sites in %s", state_dir);
    }
    *ret = s;
    return true;
}

static void free_site(struct site *site)
{
    while (site->deploys) {
        struct deploy *d = site->deploys;
        site->deploys = d->next;
        deploy_free(d);
    }
    while (site->retired) {
        struct retired_view *old = site->retired;
        site->retired = old->next;
        view_unref(old->view);
        free(old);
    }
    view_unref(site->published);
    json_decref(site->record);
    free(site->id);
    free(site->name);
    free(site);
}

void sites_close(struct sites *s)
{
    if (!s)
        return;
    while (s->first) {
        struct site *site = s->first;
        s->first = site->next;
        free_site(site);
    }
    while (s->loopbacks) {
        struct loopback *l = s->loopbacks;
        s->loopbacks = l->next;
        upstream_slot_free(l->slot);
        free(l);
    }
    blobs_close(s->blobs);
    json_decref(s->team);
    json_decref(s->named);
    free(s->dir);
    free(s->token);
    (void)pthread_mutex_destroy(&s->lock);
    (void)pthread_mutex_destroy(&s->view_lock);
    free(s);
}

/* ---- Sites ----------------------------------------------------------------------------------- */

const char *site_id(const struct site *site)
{
    return site->id;
}

const char *site_path(const struct site *site, const struct sites *s, struct arena *a,
                      const char *rest)
{
    return arena_printf(a, "%s/%s/%s", s->dir, site->id, rest);
}

struct site *site_find(struct sites *s, const char *id_or_name)
{
    for (struct site *site = s->first; site; site = site->next) {
        if (!site->is_removed && (streq(site->id, id_or_name) || streq(site->name, id_or_name)))
            return site;
    }
    return NULL;
}

bool site_save(struct sites *s, struct site *site, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    const char *now = clock_rfc3339(a, clock_unix_ms());
    (void)json_object_set_new(site->record, "updated_at", json_string(now));
    const char *text = json_text_in_order(a, site->record);
    return fs_replace(site_path(site, s, a, "site.json"), str_of(text), 0600, e);
}

static bool is_name(const char *name)
{
    size_t n = strlen(name);
    for (const char *p = name; *p; p++) {
        if (!islower((unsigned char)*p) && !isdigit((unsigned char)*p) && *p != '-')
            return false;
    }
    return n > 0 && n <= 63 && name[0] != '-' && name[n - 1] != '-';
}

struct site *site_add(struct sites *s, const char *id, const char *name, int port, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    if (!is_name(name)) {
        err_set(e, ERR_DATA,
                "\"%s\" is no site name: lower-case letters, digits and \"-\", at most 63", name);
        return NULL;
    }
    if (site_find(s, name)) {
        err_set(e, ERR_CONFLICT, "a site named %s exists already", name);
        return NULL;
    }
    struct site *site = calloc(1, sizeof *site);
    if (!site)
        memory_exhausted(sizeof *site);
    site->id = copy(id ? id : random_uuid(a));
    site->name = copy(name);
    site->port = port;
    site->record = json_pack("{s:s, s:s, s:i, s:s, s:[], s:[], s:{}}", "id", site->id, "name", name,
                             "port", port, "created_at", clock_rfc3339(a, clock_unix_ms()),
                             "history", "env", "settings");
    if (!fs_mkdirs(site_path(site, s, a, "deploys"), 0700, e) || !site_save(s, site, e)) {
        free_site(site);
        return NULL;
    }
    (void)pthread_mutex_lock(&s->view_lock);
    site->next = s->first;
    s->first = site;
    (void)pthread_mutex_unlock(&s->view_lock);
    return site;
}

bool sites_ensure(struct sites *s, const struct site_spec *spec, struct site **ret, struct err *e)
{
    (void)pthread_mutex_lock(&s->lock);
    struct site *site = site_find(s, spec->name);
    bool ok = true;
    if (!site) {
        site = site_add(s, spec->id, spec->name, spec->port, e);
        ok = site != NULL;
    } else if (site->port != spec->port) {
        site->port = spec->port;
        (void)json_object_set_new(site->record, "port", json_integer(spec->port));
        ok = site_save(s, site, e);
    }
    (void)pthread_mutex_unlock(&s->lock);
    if (ok)
        *ret = site;
    return ok;
}

bool site_delete(struct sites *s, struct site *site, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    if (!fs_remove_tree(site_path(site, s, a, ""), e))
        return err_wrap(e, "remove site %s", site->name);
    (void)pthread_mutex_lock(&s->view_lock);
    site->is_removed = true;
    struct view *published = site->published;
    site->published = NULL;
    (void)pthread_mutex_unlock(&s->view_lock);
    view_unref(published);
    return true;
}

bool sites_remove(struct sites *s, const char *name, struct err *e)
{
    (void)pthread_mutex_lock(&s->lock);
    struct site *site = site_find(s, name);
    bool ok = !site || site_delete(s, site, e);
    (void)pthread_mutex_unlock(&s->lock);
    return ok;
}

const char *site_published_id(const struct site *site)
{
    const json_t *history = json_object_get(site->record, "history");
    size_t n = json_array_size(history);
    return n ? json_text_or(json_array_get(history, n - 1), "id", "") : "";
}

bool site_is_locked(const struct site *site)
{
    return *site_published_id(site) && json_bool_or(site->record, "locked", false);
}

/* ---- Which view ------------------------------------------------------------------------------ */

/* "<label>--<site name>": the label; NULL if the host is no such name. */
static const char *permalink_label(struct request *r, const char *site_name)
{
    size_t n = strcspn(r->host, ".");
    size_t name_bytes = strlen(site_name);
    if (n < name_bytes + 3)
        return NULL;
    const char *name = r->host + n - name_bytes;
    if (strncmp(name, site_name, name_bytes) != 0 || name[-1] != '-' || name[-2] != '-')
        return NULL;
    return arena_strndup(r->arena, r->host, n - name_bytes - 2);
}

struct permalink {
    struct sites *sites;
    struct site *site;
    const char *label;
};

static struct deploy *deploy_by_label(struct site *site, const char *label)
{
    for (struct deploy *d = site->deploys; d; d = d->next) {
        if (streq(d->id, label) || (streq(json_text_or(d->record, "branch", NULL), label) &&
                                    streq(deploy_state(d), "ready")))
            return d;
    }
    return NULL;
}

/* On the pool: the deploy may have to be read from disk. */
static void serve_permalink(struct request *r, void *context)
{
    struct permalink *p = context;
    struct err e = { 0 };
    struct view *v = NULL;
    (void)pthread_mutex_lock(&p->sites->lock);
    struct deploy *d = deploy_by_label(p->site, p->label);
    bool found = d && streq(deploy_state(d), "ready") && deploy_view(p->sites, d, &v, &e);
    (void)pthread_mutex_unlock(&p->sites->lock);
    if (!found) {
        response_header(r, "X-Robots-Tag", "noindex");
        respond_text(r, 404, "There is no such deploy\n");
        return;
    }
    request_on_end(r, view_unref, v);
    serve_view(p->sites, p->site, v, true, r);
}

/* The view of a permalink if it is in memory. */
static struct view *view_in_memory(struct sites *s, struct site *site, const char *label)
{
    (void)pthread_mutex_lock(&s->view_lock);
    struct view *v = NULL;
    for (struct deploy *d = site->deploys; d && !v; d = d->next) {
        if (d->view && streq(d->id, label)) {
            d->used_ms = clock_boot_ms();
            v = view_ref(d->view);
        }
    }
    (void)pthread_mutex_unlock(&s->view_lock);
    return v;
}

static void serve_label(struct sites *s, struct site *site, struct request *r, const char *label)
{
    struct view *v = view_in_memory(s, site, label);
    if (v) {
        request_on_end(r, view_unref, v);
        serve_view(s, site, v, true, r);
        return;
    }
    struct permalink *p = ARENA_NEW(r->arena, struct permalink);
    *p = (struct permalink){ s, site, label };
    request_to_pool(r, serve_permalink, p);
}

void sites_serve(struct sites *s, struct site *site, struct request *r)
{
    const char *label = permalink_label(r, site->name);
    if (label) {
        serve_label(s, site, r, label);
        return;
    }
    (void)pthread_mutex_lock(&s->view_lock);
    struct view *v = view_ref(site->published);
    (void)pthread_mutex_unlock(&s->view_lock);
    if (!v) {
        response_header(r, "Cache-Control", "no-store");
        respond_text(r, 404, "Nothing is published here yet\n");
        return;
    }
    request_on_end(r, view_unref, v);
    serve_view(s, site, v, false, r);
}

bool sites_serve_by_host(struct sites *s, struct request *r)
{
    size_t n = strcspn(r->host, ".");
    if (!streq(r->host + n, ".localhost"))
        return false;
    const char *label = arena_strndup(r->arena, r->host, n);
    (void)pthread_mutex_lock(&s->view_lock);
    struct site *site = s->first;
    while (site &&
           (site->is_removed || !(streq(site->name, label) ||
                                  ends_with(label, arena_printf(r->arena, "--%s", site->name)))))
        site = site->next;
    (void)pthread_mutex_unlock(&s->view_lock);
    if (site)
        sites_serve(s, site, r);
    return site != NULL;
}

/* ---- Files of deploys that were live --------------------------------------------------------- */

/* "app-BkH2x9fQ.js", "main.3f2a91bc.css": a name that no other content will ever have. */
static bool is_fingerprinted(const char *path)
{
    const char *name = strrchr(path, '/');
    const char *dot = strrchr(path, '.');
    if (!name || !dot || dot < name)
        return false;
    const char *start = dot;
    while (start > name + 1 && (isalnum((unsigned char)start[-1]) || start[-1] == '_'))
        start--;
    bool is_marked = false;
    for (const char *p = start; p < dot; p++)
        is_marked |= isdigit((unsigned char)*p) || isupper((unsigned char)*p);
    return is_marked && dot - start >= 8 && start > name + 1;
}

const struct view_file *site_retired_file(struct sites *s, struct site *site, const char *path,
                                          struct view **ret_view)
{
    if (!is_fingerprinted(path))
        return NULL;
    int64_t now_ms = clock_unix_ms();
    const struct view_file *f = NULL;
    (void)pthread_mutex_lock(&s->view_lock);
    for (struct retired_view *old = site->retired; old && !f; old = old->next) {
        f = old->until_unix_ms > now_ms ? view_find(old->view, path) : NULL;
        if (f)
            *ret_view = view_ref(old->view);
    }
    (void)pthread_mutex_unlock(&s->view_lock);
    return f;
}

/* ---- Passing on to our own ports ------------------------------------------------------------- */

struct upstream_slot *sites_loopback(struct sites *s, int port)
{
    if (port == 0 || !server_has_port(s->server, port))
        return NULL;
    (void)pthread_mutex_lock(&s->view_lock);
    struct loopback *l = s->loopbacks;
    while (l && l->port != port)
        l = l->next;
    if (!l) {
        struct upstream_spec spec = { .name = "loopback", .host = "127.0.0.1", .port = port };
        l = calloc(1, sizeof *l);
        if (!l)
            memory_exhausted(sizeof *l);
        l->port = port;
        l->slot = upstream_slot_new();
        (void)upstream_slot_set(l->slot, upstream_new(&spec));
        l->next = s->loopbacks;
        s->loopbacks = l;
    }
    (void)pthread_mutex_unlock(&s->view_lock);
    return l->slot;
}
