/*
 * Requirements: see require.h. Heights are given out level by level, from the flags that need
 * nobody; who has none after the last level stands in a circle, on one, or too high.
 */
#include "flag/require.h"

#include "base/limits.h"

static bool stands(const struct flag *f, unsigned level)
{
    for (size_t i = 0; i < f->requirement_count; i++) {
        const struct flag *below = f->requirements[i].flag;
        if (below && below->requirement_count &&
            !(below->requirement_height && below->requirement_height < level))
            return false;
    }
    return true;
}

void require_tie(struct flag_document *d)
{
    size_t open = 0;
    for (size_t i = 0; i < d->count; i++) {
        struct flag *f = &d->flags[i];
        open += f->requirement_count > 0;
        for (size_t k = 0; k < f->requirement_count; k++)
            f->requirements[k].flag = flag_document_find(d, f->requirements[k].key);
    }
    for (unsigned level = 1; open && level <= LIMIT_FLAG_RULE_DEPTH; level++)
        for (size_t i = 0; i < d->count; i++) {
            struct flag *f = &d->flags[i];
            if (f->requirement_count && !f->requirement_height && stands(f, level)) {
                f->requirement_height = level;
                open--;
            }
        }
    for (size_t i = 0; open && i < d->count; i++) {
        struct flag *f = &d->flags[i];
        if (f->requirement_count && !f->requirement_height && !f->broken)
            f->broken = arena_printf(d->arena,
                                     "flag %s requires itself through other flags, or more than %d "
                                     "one after the other",
                                     f->key.p, LIMIT_FLAG_RULE_DEPTH);
    }
}
