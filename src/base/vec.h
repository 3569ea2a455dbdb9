/*
 * Growing arrays in an arena. Declare with VEC(type), add with vec_add, read with .v[i] and .n:
 *
 *     VEC(struct file) files = { 0 };
 *     *vec_add(&files, arena) = (struct file){ .path = path };
 *
 * Growing copies into new arena memory; the old copy stays until the arena goes.
 */
#ifndef LOCKFLIGHT_BASE_VEC_H
#define LOCKFLIGHT_BASE_VEC_H

#include "base/arena.h"

#define VEC(type)                                                                                  \
    struct {                                                                                       \
        type *v;                                                                                   \
        size_t n;                                                                                  \
        size_t capacity;                                                                           \
    }

/* A pointer to a new, zeroed last item. */
#define vec_add(vec, arena)                                                                        \
    ((vec)->v = vec_grow((arena), (vec)->v, &(vec)->capacity, (vec)->n, sizeof *(vec)->v),         \
     &(vec)->v[(vec)->n++])

void *vec_grow(struct arena *a, void *v, size_t *capacity, size_t n, size_t item_bytes);

#endif
