/*
 * Where values came from: a list of field addresses with file, line and column. Used inside
 * config/; others ask config_origin() and config_where().
 */
#ifndef LOCKFLIGHT_CONFIG_ORIGIN_H
#define LOCKFLIGHT_CONFIG_ORIGIN_H

#include "config/config.h"

struct origins;

struct origins *origins_new(struct arena *a);

/* Remembers; a later call for the same field wins. */
void origin_set(struct origins *o, const void *field, struct origin origin);

/* ORIGIN_DEFAULT if nothing is known. */
struct origin origin_get(const struct origins *o, const void *field);

/* A struct was copied: what is known about fields in [from, from + bytes) now holds for the copy
 * too. */
void origins_copied(struct origins *o, const void *from, const void *to, size_t bytes);

/* Fills e->where with "file:line:column" of the field. Returns false. */
bool err_where_origin(struct err *e, struct origin origin);

#endif
