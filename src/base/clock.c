/*
 * Time: see clock.h.
 */
#include "base/clock.h"

#include "base/signals.h"

#include <errno.h>
#include <time.h>

static int64_t now_ms(clockid_t which)
{
    struct timespec t;
    if (clock_gettime(which, &t) != 0)
        return 0;
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_unix_ms(void)
{
    return now_ms(CLOCK_REALTIME);
}

int64_t clock_boot_ms(void)
{
    return now_ms(CLOCK_BOOTTIME);
}

bool clock_sleep_ms(int64_t ms)
{
    struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
    while (!signals_stop_asked()) {
        if (clock_nanosleep(CLOCK_BOOTTIME, 0, &left, &left) != EINTR)
            return true;
    }
    return false;
}

char *clock_rfc3339(struct arena *a, int64_t unix_ms)
{
    time_t seconds = unix_ms / 1000;
    struct tm utc;
    char text[32];
    if (!gmtime_r(&seconds, &utc) || strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
        return arena_strdup(a, "?");
    return arena_strdup(a, text);
}

char *clock_date(struct arena *a, int64_t unix_ms)
{
    return arena_printf(a, "%.10s", clock_rfc3339(a, unix_ms));
}

char *clock_duration(struct arena *a, int64_t ms)
{
    if (ms < 1000)
        return arena_printf(a, "%lld ms", (long long)ms);
    int64_t seconds = ms / 1000;
    if (seconds < 60)
        return arena_printf(a, "%lld.%lld s", (long long)seconds, (long long)(ms % 1000 / 100));
    if (seconds < 3600)
        return arena_printf(a, "%lld min %lld s", (long long)(seconds / 60),
                            (long long)(seconds % 60));
    if (seconds < INT64_C(48) * 3600)
        return arena_printf(a, "%lld h %lld min", (long long)(seconds / 3600),
                            (long long)(seconds / 60 % 60));
    return arena_printf(a, "%lld days", (long long)(seconds / 86400));
}
