/*
 * Strings for reading: pointer and length, by value, owning nothing. API borders use const char *.
 */
#ifndef LOCKFLIGHT_BASE_STR_H
#define LOCKFLIGHT_BASE_STR_H

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *p;
    size_t n;
};

#define STR(literal) ((struct str){ (literal), sizeof(literal) - 1 })
#define STR_FMT(s)   (int)(s).n, (s).p /* for "%.*s" */

static inline struct str str_of(const char *z)
{
    return (struct str){ z, z ? strlen(z) : 0 };
}

bool str_eq(struct str a, struct str b);
bool str_is(struct str a, const char *z);
bool str_starts(struct str a, const char *prefix);
bool str_ends(struct str a, const char *suffix);
struct str str_trim(struct str a);           /* blanks, tabs, line ends at both ends */
int str_compare(struct str a, struct str b); /* bytewise, shorter first */

/* Cuts at the first `sep`: returns what stands before it and leaves the rest in *rest. Without a
 * `sep` the whole is returned and *rest is empty with p == NULL. */
struct str str_cut(struct str *rest, char sep);

/* A zero-terminated copy. */
char *str_dup(struct arena *a, struct str s);

/* A whole decimal number without sign, blank or overflow. */
bool str_to_u64(struct str s, uint64_t *ret);

/* Same for zero-terminated text; helpers that <string.h> lacks. */
static inline bool streq(const char *a, const char *b) /* NULL equals only NULL */
{
    return a == b || (a && b && *a == *b && strcmp(a, b) == 0);
}
bool starts_with(const char *s, const char *prefix);
bool ends_with(const char *s, const char *suffix);

/* The time of this comparison depends on the lengths only. For tokens and signatures. */
bool str_eq_secret(struct str a, struct str b);

/* True if `s` is well-formed UTF-8 without NUL. */
bool str_is_utf8(struct str s);

/* Edit distance with swaps of neighbours (optimal string alignment), for "did you mean". Texts over
 * 64 bytes count as far apart. */
unsigned str_distance(const char *a, const char *b);

#endif
