/*
 * Nearest names: see nearest.h.
 */
#include "base/nearest.h"

#include "base/str.h"

#define SHORT_WORD 4 /* under this many letters only one slip is forgiven */
#define LONG_WORD  8

struct nearest nearest_to(const char *wanted)
{
    size_t n = strlen(wanted);
    unsigned forgiven = n < SHORT_WORD ? 1 : n < LONG_WORD ? 2 : 3;
    return (struct nearest){ .wanted = wanted, .limit = forgiven + 1 };
}

void nearest_offer(struct nearest *n, const char *candidate)
{
    unsigned distance = str_distance(n->wanted, candidate);
    if (distance < n->limit) {
        n->limit = distance;
        n->best = candidate;
    }
}
