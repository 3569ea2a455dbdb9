/*
 * Schema changes by chance: tables with random columns, and everything that hangs on tables, changed
 * by one to three random statements. The same seed makes the same cases.
 *
 * A case may turn out to be one that the server refuses; whoever runs it leaves it out then.
 */
#ifndef LOCKFLIGHT_TESTS_CORPUS_RANDOM_H
#define LOCKFLIGHT_TESTS_CORPUS_RANDOM_H

#include "case.h"

/* Case number n of a seed. Its kind names the statements: "drop column + create index". */
struct corpus_case random_case(struct arena *a, uint64_t seed, size_t n);

/* LOCKFLIGHT_SEED, or one made from the clock; for printing in either case. */
uint64_t random_seed(void);

#endif
