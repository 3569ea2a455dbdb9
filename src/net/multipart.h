/*
 * multipart/form-data, both ways: what the functions API takes and gives.
 */
#ifndef LOCKFLIGHT_NET_MULTIPART_H
#define LOCKFLIGHT_NET_MULTIPART_H

#include "base/arena.h"
#include "base/str.h"

#define MULTIPART_MAX_PARTS 4096

struct multipart_part {
    const char *name;         /* "" if the part has none */
    const char *filename;     /* NULL: not a file */
    const char *content_type; /* NULL: none */
    const char *path; /* of header Supabase-Path, NULL: none; not written by multipart_build */
    struct str body;
};

/* One body of all parts, and its Content-Type with a random boundary. */
struct str multipart_build(struct arena *a, const struct multipart_part *parts, size_t n_parts,
                           const char **ret_content_type);

/* Takes a body apart; the parts' bodies point into it. ERR_DATA if it is malformed or cut,
 * ERR_LIMIT over MULTIPART_MAX_PARTS. */
bool multipart_parse(struct arena *a, const char *content_type, struct str body,
                     struct multipart_part **ret_parts, size_t *ret_count, struct err *e) MUST_USE;

#endif
