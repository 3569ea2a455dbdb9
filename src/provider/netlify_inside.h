/*
 * What the files netlify*.c share. Included by them only.
 */
#ifndef LOCKFLIGHT_PROVIDER_NETLIFY_INSIDE_H
#define LOCKFLIGHT_PROVIDER_NETLIFY_INSIDE_H

#include "provider/fields.h"
#include "provider/netlify.h"

#include <jansson.h>

struct netlify {
    struct arena *arena;
    struct http *http;
    const char *api;
    const char *site;    /* as configured */
    const char *site_id; /* NULL until it is known */
    const char *account; /* NULL until it is known */
};

/* Reads a deploy out of an answer; the texts move to the arena. ERR_DATA about the first surprise. */
bool netlify_deploy_read(struct arena *a, const json_t *value, const char *name,
                         struct netlify_deploy *ret, struct err *e) MUST_USE;

/* The same for a site. */
bool netlify_site_read(struct arena *a, const json_t *value, struct netlify_site *ret,
                       struct err *e) MUST_USE;

/* GET that answers a list; the caller owns it. `thing` names it in errors. */
bool netlify_list(struct netlify *n, struct arena *a, const char *what, const char *path,
                  const char *thing, json_t **ret, struct http_answer *ret_answer,
                  struct err *e) MUST_USE;

/* "/accounts/<a>/env<rest>?site_id=<s>" */
bool netlify_env_path(struct netlify *n, struct arena *a, const char *rest, const char **ret,
                      struct err *e) MUST_USE;

/* Removes other drafts with this one's title that were never live: what is left when the request
 * that made it was carried out twice on its way. They harm nobody, so failing to is no error. */
void netlify_deploy_drop_twins(struct netlify *n, struct arena *a, const struct netlify_deploy *d);

/* The address of the next page, NULL on the last. */
const char *netlify_next_page(const struct netlify *n, struct arena *a,
                              const struct http_answer *answer);

/* `ok`, or the error about an answer to a mutating call that we cannot use: something may have
 * happened. */
bool netlify_unreadable(struct netlify *n, bool ok, struct err *e);

#endif
