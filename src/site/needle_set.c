/*
 * The search: see needle_set.h.
 */
#include "site/needle_set.h"

#include <assert.h>

enum {
    HASH_BITS = 16,
    BUCKETS = 1 << HASH_BITS,
};

struct needle_set {
    const struct str *needles;
    size_t n;
    uint64_t bits[BUCKETS / 64]; /* is any needle in the bucket? */
    uint32_t *first;             /* bucket → needle + 1; 0: none */
    uint32_t *next;              /* needle → the next of its bucket + 1 */
};

static uint32_t bucket_of(const unsigned char *p)
{
    uint32_t three = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
    return (three * 2654435761U) >> (32 - HASH_BITS);
}

struct needle_set *needle_set_new(struct arena *a, const struct str *needles, size_t n)
{
    struct needle_set *set = ARENA_NEW(a, struct needle_set);
    set->needles = needles;
    set->n = n;
    set->first = ARENA_ARRAY(a, uint32_t, BUCKETS);
    set->next = ARENA_ARRAY(a, uint32_t, n + 1);
    for (size_t i = n; i-- > 0;) { /* backwards, so that the first given is the first found */
        assert(needles[i].n >= NEEDLE_MIN_BYTES);
        uint32_t b = bucket_of((const unsigned char *)needles[i].p);
        set->bits[b / 64] |= 1ULL << (b % 64);
        set->next[i] = set->first[b];
        set->first[b] = (uint32_t)i + 1;
    }
    return set;
}

void needle_set_search(const struct needle_set *set, struct str text,
                       bool (*found)(void *context, size_t which, size_t at), void *context)
{
    const unsigned char *p = (const unsigned char *)text.p;
    for (size_t i = 0; set->n > 0 && i + NEEDLE_MIN_BYTES <= text.n; i++) {
        uint32_t b = bucket_of(p + i);
        if (!(set->bits[b / 64] >> (b % 64) & 1))
            continue;
        for (uint32_t k = set->first[b]; k > 0; k = set->next[k - 1]) {
            const struct str *needle = &set->needles[k - 1];
            if (needle->n <= text.n - i && memcmp(p + i, needle->p, needle->n) == 0 &&
                !found(context, k - 1, i))
                return;
        }
    }
}
