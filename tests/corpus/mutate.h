/*
 * Reverse scripts made wrong, from right ones: what a tired person, or a generator with a hole in
 * it, would write. Which of them are wrong after all is for the oracle to say: some say the same
 * in other words.
 */
#ifndef LOCKFLIGHT_TESTS_CORPUS_MUTATE_H
#define LOCKFLIGHT_TESTS_CORPUS_MUTATE_H

#include "case.h"

struct mutant {
    const struct corpus_case *of;
    const char *how; /* "without statement 2" */
    const char *down;
};

struct mutants {
    VEC(struct mutant) list;
};

/* Adds every mutant of the case's reverse script: each statement left out, the order of two
 * neighbours changed, each number, quoted value and telling word changed. */
void mutate(struct arena *a, const struct corpus_case *k, struct mutants *ret);

#endif
