/*
 * Sites and their deploys: the part of the local platform that a site host is. Kept on disk under
 * <state>/sites and <state>/blobs; what was acknowledged survives kill -9.
 *
 * LIFE     sites_open → sites_ensure per environment → requests → sites_close. The server must be
 *          drained before sites_close.
 *
 * SERVING  sites_serve answers a request on an environment's port: the Host label "<deploy
 *          id>--<name>" selects a deploy, any other host the published one. Order of evaluation,
 *          pretty URLs, redirects and headers are as Netlify's (docs/hosting.md).
 */
#ifndef LOCKFLIGHT_LOCAL_SITES_H
#define LOCKFLIGHT_LOCAL_SITES_H

#include "net/server/request.h"

struct sites;
struct site;

/* Opens or makes the store below `state_dir`. `token` is the bearer token of the API. */
bool sites_open(const char *state_dir, const char *token, struct server *server, struct sites **ret,
                struct err *e) MUST_USE;
void sites_close(struct sites *s);

struct site_spec {
    const char *name; /* [a-z0-9-]; the permalink's second label */
    const char *id;   /* UUID to use when the site is made; NULL: a fresh one */
    int port;         /* the environment's port, for URLs in answers */
};

/* The site of that name; made if it is missing, its port brought up to date. */
bool sites_ensure(struct sites *s, const struct site_spec *spec, struct site **ret,
                  struct err *e) MUST_USE;

const char *site_id(const struct site *site);

/* Removes a site with its deploys; visitors then get 404. A missing one is success. */
bool sites_remove(struct sites *s, const char *name, struct err *e) MUST_USE;

/* Answers r with the site's content. On the loop thread. */
void sites_serve(struct sites *s, struct site *site, struct request *r);

/* Answers r if it is below /api/v1/, /team/ or /site/ (the Netlify API), or if its host names a
 * site ("<name>.localhost", "<deploy id>--<name>.localhost"); false if it is none of ours. */
bool netlify_api_serve(struct sites *s, struct request *r);

#endif
