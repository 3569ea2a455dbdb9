/*
 * A view: what one ready deploy serves, immutable and shared by reference. Paths are decoded and
 * start with "/". Files that are configuration (`_redirects`, `_headers`, `netlify.toml`,
 * `.netlify/`) are read when the view is made and are not in it.
 */
#ifndef LOCKFLIGHT_LOCAL_VIEW_H
#define LOCKFLIGHT_LOCAL_VIEW_H

#include "local/blobs.h"
#include "local/headers.h"
#include "local/redirects.h"

#include <jansson.h>

struct view_file {
    struct view_file *next; /* in its bucket */
    const char *path;
    struct blob *blob;
    const char *type; /* Content-Type */
    bool is_compressible;
};

struct view {
    _Atomic(unsigned) refs;
    struct arena *arena;
    const char *deploy_id;
    struct view_file **table;
    size_t buckets; /* a power of two */
    size_t count;
    struct redirects redirects;
    struct header_rules headers;
    bool has_pretty_urls;
};

/* Makes the view of a manifest {path: sha}; all blobs must be stored. Blocks. One reference. */
bool view_new(struct blobs *blobs, const char *deploy_id, const json_t *files, struct view **ret,
              struct err *e) MUST_USE;
void view_unref(void *view);
struct view *view_ref(struct view *v);

const struct view_file *view_find(const struct view *v, const char *path);

/* Content type by a path's extension. */
const char *content_type_of(const char *path, bool *ret_compressible);

/* True for names that are configuration of the site, not content. */
bool view_is_hidden(const char *path);

#endif
