#include "flag/usage.h"

#include "base/cleanup.h"
#include "flag/inside.h"
#include "flag/store.h"

#include <stdatomic.h>
#include <stdlib.h>

struct flag_usage {
    const struct flag_document *document;
    size_t *from;        /* by flag: its first counter */
    atomic_llong *count; /* of each flag: the code's own default, then its variants */
    size_t n;
};

struct flag_usage *flag_usage_new(const struct flag_document *d)
{
    struct flag_usage *u = calloc(1, sizeof *u);
    size_t *from = calloc(d->count + 1, sizeof *from);
    if (!u || !from)
        memory_exhausted(d->count * sizeof *from);
    size_t n = 0;
    for (size_t i = 0; i < d->count; i++) {
        from[i] = n;
        n += d->flags[i].variant_count + 1;
    }
    from[d->count] = n;
    *u = (struct flag_usage){
        .document = d, .from = from, .count = calloc(n + 1, sizeof *u->count), .n = n
    };
    if (!u->count)
        memory_exhausted(n * sizeof *u->count);
    return u;
}

void flag_usage_free(struct flag_usage *u)
{
    if (!u)
        return;
    free(u->from);
    free(u->count);
    free(u);
}

/* Answers name variants by the document's own texts. */
static size_t place_of(const struct flag *f, const struct flag_answer *answer)
{
    for (size_t i = 0; answer->variant && i < f->variant_count; i++)
        if (f->variants[i].name.p == answer->variant)
            return i + 1;
    return 0;
}

void flag_usage_count(struct flag_usage *u, size_t position, const struct flag_answer *answer)
{
    size_t place = u->from[position] + place_of(&u->document->flags[position], answer);
    (void)atomic_fetch_add_explicit(&u->count[place], 1, memory_order_relaxed);
}

bool flag_usage_save(struct flag_usage *u, struct pg *db, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct flag_use *uses = ARENA_ARRAY(a, struct flag_use, u->n);
    size_t *place = ARENA_ARRAY(a, size_t, u->n);
    size_t n = 0;
    for (size_t i = 0; i < u->document->count; i++) {
        const struct flag *f = &u->document->flags[i];
        for (size_t j = u->from[i]; j < u->from[i + 1]; j++) {
            long long count = atomic_exchange_explicit(&u->count[j], 0, memory_order_relaxed);
            if (count == 0)
                continue;
            place[n] = j;
            uses[n++] = (struct flag_use){
                .key = f->key.p,
                .variant = j == u->from[i] ? "" : f->variants[j - u->from[i] - 1].name.p,
                .n = count,
            };
        }
    }
    if (flag_store_usage_add(db, uses, n, e))
        return true;
    for (size_t i = 0; i < n; i++)
        (void)atomic_fetch_add_explicit(&u->count[place[i]], uses[i].n, memory_order_relaxed);
    return false;
}
