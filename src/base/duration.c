/*
 * Durations: see duration.h.
 */
#include "base/duration.h"

#define DURATION_MAX_MS ((int64_t)100 * 365 * 24 * 3600 * 1000)

struct unit {
    const char *name;
    int64_t ms;
};

// clang-format off
static const struct unit units[] = {
    { "ms", 1 },
    { "s",  1000 },
    { "m",  60000 },
    { "h",  3600000 },
    { "d",  86400000 },
};
// clang-format on

static size_t span(struct str text, bool digits)
{
    size_t n = 0;
    while (n < text.n && (text.p[n] >= '0' && text.p[n] <= '9') == digits)
        n++;
    return n;
}

static int64_t unit_ms(struct str name)
{
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (str_is(name, units[i].name))
            return units[i].ms;
    }
    return 0;
}

bool duration_parse(struct str text, int64_t *ret_ms)
{
    int64_t sum = 0;
    if (str_is(text, "0")) {
        *ret_ms = 0;
        return true;
    }
    if (text.n == 0)
        return false;
    while (text.n > 0) {
        size_t digits = span(text, true);
        uint64_t amount = 0;
        if (!str_to_u64((struct str){ text.p, digits }, &amount))
            return false;
        text = (struct str){ text.p + digits, text.n - digits };
        size_t letters = span(text, false);
        int64_t unit = unit_ms((struct str){ text.p, letters });
        if (unit == 0 || amount > (uint64_t)(DURATION_MAX_MS / unit))
            return false;
        sum += (int64_t)amount * unit;
        if (sum > DURATION_MAX_MS)
            return false;
        text = (struct str){ text.p + letters, text.n - letters };
    }
    *ret_ms = sum;
    return true;
}
