/*
 * The names of variables: "a.b", with a backslash before a point that belongs to a name.
 */
#ifndef LOCKFLIGHT_FLAG_PATHS_H
#define LOCKFLIGHT_FLAG_PATHS_H

#include "base/str.h"

/* The next part of `path` from *at on, without its backslashes, into `part`, which has room for the
 * whole path. Begin with 0; false at the end. */
bool path_next(struct str path, size_t *at, char *part, size_t *ret_n);

/* How many parts there are. */
size_t path_count(struct str path);

#endif
