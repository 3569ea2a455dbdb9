/*
 * What the files netlify*.c share. Included by them only.
 */
#ifndef LOCKFLIGHT_PROVIDER_NETLIFY_INSIDE_H
#define LOCKFLIGHT_PROVIDER_NETLIFY_INSIDE_H

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

/* The id under which the host knows the site; asks once when the configuration has a name. */
bool netlify_site_id(struct netlify *n, const char **ret, struct err *e) MUST_USE;

/* Reads a deploy out of an answer; the texts move to the arena. ERR_DATA without an id or state. */
bool netlify_deploy_read(struct arena *a, const json_t *value, const char *name,
                         struct netlify_deploy *ret, struct err *e) MUST_USE;

/* The same for a site. ERR_DATA without an id. */
bool netlify_site_read(struct arena *a, const json_t *value, struct netlify_site *ret,
                       struct err *e) MUST_USE;

/* A text member copied into the arena, "" if absent. */
const char *netlify_text(struct arena *a, const json_t *object, const char *key);

/* The address of the next page, NULL on the last. */
const char *netlify_next_page(const struct netlify *n, struct arena *a,
                              const struct http_answer *answer);

/* An answer we cannot use, to a mutating call: something may have happened. */
bool netlify_unreadable(bool ok, struct err *e);

#endif
