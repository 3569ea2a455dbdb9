/*
 * Growing arrays: see vec.h. Capacity doubles, so adding n items copies fewer than 2n.
 */
#include "base/vec.h"

#include <string.h>

void *vec_grow(struct arena *a, void *v, size_t *capacity, size_t n, size_t item_bytes)
{
    if (n < *capacity)
        return v;
    size_t bigger = *capacity ? *capacity * 2 : 8;
    void *grown = arena_array(a, bigger, item_bytes);
    if (n > 0)
        memcpy(grown, v, n * item_bytes);
    *capacity = bigger;
    return grown;
}
