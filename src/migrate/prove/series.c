#include "migrate/prove/series.h"

#include "base/cleanup.h"

static bool is_chosen(const struct series_spec *spec, const struct migration *m)
{
    for (size_t i = 0; i < spec->n; i++)
        if (spec->chosen[i] == m)
            return m->has_reverse;
    return false;
}

/* One proof, in memory of its own: catalogues are large, and there may be hundreds. */
static bool prove_one(const struct series_spec *spec, struct shadow *s, const struct migration *m,
                      bool *ret_goes_on, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct proof p;
    if (spec->on_begin)
        spec->on_begin(spec->context, m);
    if (!proof_run(s, a, m, &p, e))
        return false;
    *ret_goes_on = p.migration_runs;
    return spec->on_proof(spec->context, &p, e);
}

bool series_prove(const struct series_spec *spec, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    CLEANUP(shadow) struct shadow *s = NULL;
    const struct migration_set *set = spec->set;
    size_t first = 0, last = set->n;
    while (first < set->n && !is_chosen(spec, &set->v[first]))
        first++;
    while (last > first && !is_chosen(spec, &set->v[last - 1]))
        last--;
    if (first == last)
        return true;
    struct shadow_spec at = { .server_url = spec->server_url,
                              .set = set,
                              .upto = set->v[first].version };
    if (!shadow_open(&at, a, &s, e))
        return false;
    for (size_t i = first; i < last; i++) {
        const struct migration *m = &set->v[i];
        bool goes_on = true;
        if (is_chosen(spec, m) && !prove_one(spec, s, m, &goes_on, e))
            return false;
        if (!goes_on)
            return true;
        if (i + 1 < last && !shadow_advance(s, m, e))
            return false;
    }
    return true;
}
