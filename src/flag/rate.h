/*
 * How often somebody may ask: so many requests a minute, the first of them in a burst. By the generic
 * cell rate algorithm: per caller only the time at which its allowance would be whole again, so that
 * a table of fixed size serves any number of callers without a lock.
 *
 * Two callers may share a row when thousands are there at once; they are held to one allowance then,
 * never given more.
 */
#ifndef LOCKFLIGHT_FLAG_RATE_H
#define LOCKFLIGHT_FLAG_RATE_H

#include "base/str.h"

struct rate;

/* `per_minute` 0: no limit. */
struct rate *rate_new(unsigned per_minute);
void rate_free(struct rate *r); /* accepts NULL */

/* 0 if `who` may ask now, which is counted; else after how many whole seconds it may again. */
int rate_wait_s(struct rate *r, struct str who, int64_t now_boot_ms);

#endif
