/*
 * Durations as people write them: "250ms", "4s", "5m", "2h", "90d", and sums such as "1h30m".
 */
#ifndef LOCKFLIGHT_BASE_DURATION_H
#define LOCKFLIGHT_BASE_DURATION_H

#include "base/str.h"

/* Whole milliseconds; "0" needs no unit. False for anything else, and for more than 100 years. */
bool duration_parse(struct str text, int64_t *ret_ms);

#endif
