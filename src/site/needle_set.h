/*
 * Many texts looked for at once, in one pass over the bytes.
 *
 * HOW     A table of bits says which three bytes any needle begins with. A position whose three bytes
 *         are not in it costs one look; others are compared with the needles that begin so.
 */
#ifndef LOCKFLIGHT_SITE_NEEDLE_SET_H
#define LOCKFLIGHT_SITE_NEEDLE_SET_H

#include "base/str.h"

enum {
    NEEDLE_MIN_BYTES = 3
};

struct needle_set;

/* The texts stay the caller's; each has NEEDLE_MIN_BYTES or more. */
struct needle_set *needle_set_new(struct arena *a, const struct str *needles, size_t n);

/* Calls `found` for every needle at every position, from left to right; it ends the search by
 * returning false. `which` counts from 0. */
void needle_set_search(const struct needle_set *set, struct str text,
                       bool (*found)(void *context, size_t which, size_t at), void *context);

#endif
