/*
 * Counting wrong passwords, in memory: five in a row for one name are free, then each further one
 * doubles a pause from one second up to 15 minutes; one address may be wrong 100 times a minute. A
 * right password clears its name. The table has a fixed size; when two names fall on one place the
 * newer takes it, so an attacker cannot fill memory.
 */
#ifndef LOCKFLIGHT_LOCAL_GUESSES_H
#define LOCKFLIGHT_LOCAL_GUESSES_H

#include "base/arena.h"
#include "base/str.h"

struct guesses;

struct guesses *guesses_new(struct arena *a);

/* May this be tried now? If not, *ret_wait_s is how long to wait. Thread-safe, like the others. */
bool guesses_may_try(struct guesses *g, const char *name, const char *address, int64_t now_ms,
                     int *ret_wait_s);

void guesses_wrong(struct guesses *g, const char *name, const char *address, int64_t now_ms);
void guesses_right(struct guesses *g, const char *name);

#endif
