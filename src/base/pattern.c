/*
 * Matching paths: see pattern.h.
 */
#include "base/pattern.h"

enum {
    MAX_STARS = 6 /* each may try every length; more make no sense */
};

/* The end of a pattern: nothing, or a slash that means all below. */
static bool is_end(const char *pattern)
{
    return pattern[0] == '/' && pattern[1] == '\0';
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as the pattern has stars
static bool matches(const char *pattern, const char *path, int stars)
{
    for (; *pattern && *pattern != '*'; pattern++, path++) {
        if (*pattern != *path)
            return is_end(pattern) && *path == '\0';
        if (is_end(pattern))
            return true;
    }
    if (*pattern == '\0')
        return *path == '\0';
    bool is_any = pattern[1] == '*';
    pattern += is_any ? 2 : 1;
    if (is_any && *pattern == '/')
        pattern++; /* also no folder at all */
    for (; stars > 0; path++) {
        if (matches(pattern, path, stars - 1))
            return true;
        if (!*path || (*path == '/' && !is_any))
            return false;
    }
    return false;
}

bool pattern_matches(const char *pattern, const char *path)
{
    return matches(pattern, path, MAX_STARS);
}
