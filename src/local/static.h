/*
 * One file as an answer: strong ETag and 304, ranges and If-Range, the compressed form the client
 * takes.
 */
#ifndef LOCKFLIGHT_LOCAL_STATIC_H
#define LOCKFLIGHT_LOCAL_STATIC_H

#include "local/view.h"
#include "net/server/request.h"

/* Answers r with the file under `status`; `path` selects the header rules of `v`. On the loop;
 * contents that are not in memory are read on the pool. The caller keeps a reference to the view
 * until the end. */
void static_respond(struct request *r, struct blobs *blobs, const struct view *v, const char *path,
                    const struct view_file *f, int status);

/* ---- For tests ---- */

struct byte_range {
    uint64_t first;
    uint64_t bytes;
};

enum range_kind {
    RANGE_WHOLE, /* none asked for, or not one we understand: the whole is sent */
    RANGE_PART,
    RANGE_IMPOSSIBLE, /* 416 */
};

/* Reads "bytes=a-b", "bytes=a-", "bytes=-n". Several ranges count as whole. */
enum range_kind range_parse(const char *value, uint64_t size, struct byte_range *ret);

/* True if an If-None-Match value names the tag (weak comparison) or is "*". */
bool etag_matches(const char *value, const char *etag);

/* The best form by Accept-Encoding among those that exist. NULL value: identity. */
enum encoding encoding_choose(const char *accept, bool has_gzip, bool has_brotli);

#endif
