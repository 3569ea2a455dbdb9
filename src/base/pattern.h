/*
 * Patterns of paths, as people write them into lists.
 */
#ifndef LOCKFLIGHT_BASE_PATTERN_H
#define LOCKFLIGHT_BASE_PATTERN_H

#include <stdbool.h>

/* A "*" stands for any characters of one name, "**" for any at all; what ends in "/" for a folder and
 * all below. At most 6 stars count. */
bool pattern_matches(const char *pattern, const char *path);

#endif
