/*
 * Inside the site store: sites, deploys, and how they are kept.
 *
 * ON DISK  <state>/sites/<site id>/site.json           the site, what is published, lock, variables
 *          <state>/sites/<site id>/deploys/<id>.json   a deploy, without its manifest
 *          <state>/sites/<site id>/deploys/<id>.files  its manifest {path: sha1}
 *          <state>/blobs/…                             contents (blobs.h)
 *
 *          Each is replaced atomically and synced before a call is acknowledged. Publishing is one
 *          write of site.json, then one pointer swap.
 *
 * LOCKS    `lock` for everything that changes sites and deploys, held by pool workers, over disk
 *          writes. `view_lock` for the few pointers that requests read, never held over anything
 *          slow. Both: `lock` first.
 */
#ifndef LOCKFLIGHT_LOCAL_SITES_STORE_H
#define LOCKFLIGHT_LOCAL_SITES_STORE_H

#include "base/cleanup.h"
#include "base/json.h"
#include "base/limits.h"
#include "local/sites.h"
#include "local/view.h"
#include "net/server/upstream.h"

#include <pthread.h>

#define DEPLOY_ID_BYTES 25

struct deploy {
    struct deploy *next; /* newest first */
    struct site *site;
    char id[DEPLOY_ID_BYTES];
    json_t *record;    /* what <id>.json holds */
    json_t *files;     /* manifest, or NULL while it is only on disk */
    json_t *missing;   /* set of hashes that must still be uploaded; NULL: not waiting for any */
    struct view *view; /* under view_lock; NULL until asked for */
    int64_t used_ms;   /* when the view was last asked for */
};

/* A deploy that was live a short time ago: its fingerprinted files are still served. */
struct retired_view {
    struct retired_view *next; /* newest first */
    struct view *view;
    int64_t until_unix_ms;
};

struct site {
    struct site *next;
    char *id;
    char *name;
    int port;
    json_t *record;               /* what site.json holds */
    struct deploy *deploys;       /* newest first */
    bool is_removed;              /* kept, because a port's handler may hold it; serves nothing */
    struct view *published;       /* under view_lock */
    struct retired_view *retired; /* under view_lock */
};

struct sites {
    struct server *server;
    struct blobs *blobs;
    char *dir; /* <state>/sites */
    char *token;
    json_t *team; /* variables of the account: what team.json holds */
    pthread_mutex_t lock;
    pthread_mutex_t view_lock;
    struct site *first;
    struct loopback *loopbacks; /* under view_lock */
    json_t *named;              /* during sites_open: contents of ready deploys */
    int api_port;
};

/* ---- Sites (under lock) ---------------------------------------------------------------------- */

/* By id, or by name: the vendor's client uses either. NULL if there is none. */
struct site *site_find(struct sites *s, const char *id_or_name);
struct site *site_add(struct sites *s, const char *id, const char *name, int port, struct err *e);
const char *site_path(const struct site *site, const struct sites *s, struct arena *a,
                      const char *rest);
bool site_save(struct sites *s, struct site *site, struct err *e) MUST_USE;
bool site_delete(struct sites *s, struct site *site, struct err *e) MUST_USE;
const char *site_published_id(const struct site *site); /* "" if nothing is live */
bool site_is_locked(const struct site *site);

/* ---- Deploys (under lock) -------------------------------------------------------------------- */

struct deploy *deploy_find(struct sites *s, const char *id);
struct deploy *deploy_new(struct sites *s, struct site *site, struct err *e);
bool deploy_save(struct sites *s, struct deploy *d, struct err *e) MUST_USE;
bool deploy_set_files(struct sites *s, struct deploy *d, json_t *files, struct err *e) MUST_USE;
bool deploy_load_files(struct sites *s, struct deploy *d, struct err *e) MUST_USE;
bool deploy_delete(struct sites *s, struct deploy *d, struct err *e) MUST_USE;
const char *deploy_state(const struct deploy *d);
bool deploy_is_published(const struct deploy *d);

/* Finds out which contents and functions must still be uploaded. */
bool deploy_find_missing(struct sites *s, struct deploy *d, struct err *e) MUST_USE;

/* A content (SHA-1) or function (SHA-256) has been stored: completes the deploys that waited for
 * it. */
bool deploys_received(struct sites *s, const char *sha, struct err *e) MUST_USE;

/* True if some deploy waits for it. */
bool deploys_want(struct sites *s, const char *sha);

/* The place of a function's archive. */
const char *function_path(struct sites *s, struct arena *a, const char *sha256);

/* Makes a deploy whose contents are all stored ready: syncs, reads its rules, saves;
 * publishes it if it is neither a draft nor of a branch and the site is not locked.
 * Nothing happens before that. */
bool deploy_complete(struct sites *s, struct deploy *d, struct err *e) MUST_USE;

/* Makes d what visitors get. Drops the lock, as the hosted service does on restore. */
bool deploy_publish(struct sites *s, struct deploy *d, struct err *e) MUST_USE;

/* The deploy that was live before the present one; NULL if there is none any more. */
struct deploy *deploy_before(const struct site *site);

/* Publishes deploy_before and forgets what came after it, so that the next rollback goes further
 * back. */
bool deploy_roll_back(struct sites *s, struct deploy *d, struct err *e) MUST_USE;

/* The view, made if it is not in memory; one reference. */
bool deploy_view(struct sites *s, struct deploy *d, struct view **ret, struct err *e) MUST_USE;

/* Loads the deploys of a site at start: sites_load.c. */
bool sites_load(struct sites *s, struct err *e) MUST_USE;
bool sites_load_views(struct sites *s, struct err *e) MUST_USE;
enum blob_use sites_use_of(void *sites, const char *sha); /* who names a content */
void deploy_free(struct deploy *d);
void site_retire(struct sites *s, struct site *site, struct view *v, int64_t until_unix_ms);

/* ---- Serving --------------------------------------------------------------------------------- */

/* Answers r from a view. `site` gives retired files; is_permalink adds X-Robots-Tag. On the loop;
 * the request holds a reference to the view. */
void serve_view(struct sites *s, struct site *site, const struct view *v, bool is_permalink,
                struct request *r);

/* Serves the site that a "<name>.localhost" or "<label>--<name>.localhost" host names, for sites
 * that have no port of their own; false if there is none. On the loop. */
bool sites_serve_by_host(struct sites *s, struct request *r);

/* A fingerprinted file of a deploy that was live a short time ago, with a reference to its view. */
const struct view_file *site_retired_file(struct sites *s, struct site *site, const char *path,
                                          struct view **ret_view);

/* A slot for an address on this machine that is one of our server's ports. NULL if it is none. */
struct upstream_slot *sites_loopback(struct sites *s, int port);

#endif
