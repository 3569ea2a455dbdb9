/*
 * Time: see clock.h.
 */
#include "base/clock.h"

#include "base/env.h"
#include "base/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#ifdef LOCKFLIGHT_FAULTS
/* The test build only: LOCKFLIGHT_CLOCK_AHEAD=FILE adds the milliseconds that stand in the file, read
 * at every call, so that a day can pass while the program runs. */
static int64_t ahead_ms(void)
{
    char text[32] = "";
    const char *path = env_value("LOCKFLIGHT_CLOCK_AHEAD");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof text - 1);
    (void)close(fd);
    return n > 0 ? strtoll(text, NULL, 10) : 0;
}
#else
static int64_t ahead_ms(void)
{
    return 0;
}
#endif

static int64_t now_ms(clockid_t which)
{
    struct timespec t;
    if (clock_gettime(which, &t) != 0)
        return 0;
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 + ahead_ms();
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

static bool two_digits(struct str s, size_t at, int most, int *ret)
{
    if (at + 2 > s.n || s.p[at] < '0' || s.p[at] > '9' || s.p[at + 1] < '0' || s.p[at + 1] > '9')
        return false;
    *ret = (s.p[at] - '0') * 10 + (s.p[at + 1] - '0');
    return *ret <= most;
}

/* "Z", "+01:00", "-0330" */
static bool parse_zone(struct str zone, int *ret_minutes)
{
    int hours = 0, minutes = 0;
    *ret_minutes = 0;
    if (str_is(zone, "Z") || str_is(zone, "z"))
        return true;
    bool has_colon = zone.n == 6 && zone.p[3] == ':';
    if ((zone.n != 5 && !has_colon) || (zone.p[0] != '+' && zone.p[0] != '-') ||
        !two_digits(zone, 1, 14, &hours) || !two_digits(zone, has_colon ? 4 : 3, 59, &minutes))
        return false;
    *ret_minutes = (hours * 60 + minutes) * (zone.p[0] == '-' ? -1 : 1);
    return true;
}

bool clock_parse(struct str text, int64_t *ret_unix_ms)
{
    int century, year, month, day, hour, minute, second = 0, zone;
    if (!two_digits(text, 0, 99, &century) || !two_digits(text, 2, 99, &year) || text.n < 17 ||
        text.p[4] != '-' || !two_digits(text, 5, 12, &month) || text.p[7] != '-' ||
        !two_digits(text, 8, 31, &day) || (text.p[10] != 'T' && text.p[10] != ' ') ||
        !two_digits(text, 11, 23, &hour) || text.p[13] != ':' || !two_digits(text, 14, 59, &minute))
        return false;
    size_t at = 16;
    if (text.p[at] == ':') {
        if (!two_digits(text, 17, 59, &second))
            return false;
        at = 19;
        if (at < text.n && text.p[at] == '.') /* parts of a second are nobody's business here */
            for (at++; at < text.n && text.p[at] >= '0' && text.p[at] <= '9';)
                at++;
    }
    if (!parse_zone((struct str){ text.p + at, text.n - at }, &zone))
        return false;
    struct tm utc = { .tm_year = century * 100 + year - 1900,
                      .tm_mon = month - 1,
                      .tm_mday = day,
                      .tm_hour = hour,
                      .tm_min = minute,
                      .tm_sec = second };
    time_t seconds = timegm(&utc);
    /* a day that its month does not have has become another one */
    if (month == 0 || utc.tm_mday != day || utc.tm_mon != month - 1)
        return false;
    *ret_unix_ms = ((int64_t)seconds - (int64_t)zone * 60) * 1000;
    return true;
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
