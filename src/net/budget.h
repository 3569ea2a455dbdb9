/*
 * How many calls a minute we allow ourselves at somebody else's service, so that it need not refuse
 * us. One budget per host and token, shared by everything in this process that spends from it.
 *
 * WINDOW   In no 60 seconds are there more calls than the budget has. (A bucket that fills evenly
 *          would allow twice as many right after a pause, which is what a service that counts by
 *          the minute refuses.)
 *
 * RESERVE  A part is kept for taking back: who spends with a reserve of 20 out of 50 finds it empty
 *          after 30 calls, who spends without one has the other 20 at once.
 *
 * Thread-safe. Budgets live as long as the process.
 */
#ifndef LOCKFLIGHT_NET_BUDGET_H
#define LOCKFLIGHT_NET_BUDGET_H

#include <stdint.h>

struct budget;

/* The budget of that name; made with `calls` a minute when it is asked for first. */
struct budget *budget_of(const char *name, int calls);

/* Takes one call. Returns when it may be made, in the time of `now_ms`: now, or later; the caller
 * waits until then. */
int64_t budget_take(struct budget *b, int reserved, int64_t now_ms);

#endif
