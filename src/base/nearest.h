/*
 * "Did you mean": the candidate nearest to what was typed, if any is near enough.
 *
 *     struct nearest n = nearest_to(typed);
 *     for (…) nearest_offer(&n, candidate);
 *     if (n.best) …
 */
#ifndef LOCKFLIGHT_BASE_NEAREST_H
#define LOCKFLIGHT_BASE_NEAREST_H

struct nearest {
    const char *wanted;
    const char *best; /* NULL: nothing is near */
    unsigned limit;   /* a candidate must be nearer than this */
};

/* One slip is forgiven in a short word, two in a longer one, three in a long one. */
struct nearest nearest_to(const char *wanted);
void nearest_offer(struct nearest *n, const char *candidate);

#endif
