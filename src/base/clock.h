/*
 * Time. Unix milliseconds for what is written down, boot time for deadlines (it goes on while the
 * machine sleeps). Nothing else in the program asks the kernel what time it is.
 */
#ifndef LOCKFLIGHT_BASE_CLOCK_H
#define LOCKFLIGHT_BASE_CLOCK_H

#include "base/arena.h"
#include "base/str.h"

#include <stdint.h>

int64_t clock_unix_ms(void);
int64_t clock_boot_ms(void);

/* Sleeps; returns early with false when a signal asked us to stop (see signals.h). */
bool clock_sleep_ms(int64_t ms);

/* "2026-03-14T10:02:11Z" and "2026-03-14". */
char *clock_rfc3339(struct arena *a, int64_t unix_ms);
char *clock_date(struct arena *a, int64_t unix_ms);

/* "2026-12-01T09:00+01:00", "2026-12-01T08:00:30Z": seconds may be absent, the zone may
 * not; parts of a second are dropped. */
bool clock_parse(struct str text, int64_t *ret_unix_ms);

/* "850 ms", "4.1 s", "4 min 31 s", "2 h 10 min", "3 days". For people. */
char *clock_duration(struct arena *a, int64_t ms);

#endif
