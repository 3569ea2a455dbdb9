/*
 * What secrets of well-known providers look like: how each begins, and what must follow.
 *
 * FALSE ALARMS   A prefix alone says nothing ("task-" ends in "sk-"): what stands before it, the
 *                characters behind it, their number and their variety decide. Texts from manuals
 *                (EXAMPLE, xxxx, your-…) and keys that are made to be published (anon, AIza…, pk_…)
 *                are none.
 */
#ifndef LOCKFLIGHT_SITE_SITE_PATTERN_H
#define LOCKFLIGHT_SITE_SITE_PATTERN_H

#include "base/str.h"

struct site_pattern {
    const char *name;   /* "stripe-secret-key", as in [allow.<name>] */
    const char *prefix; /* NEEDLE_MIN_BYTES or more */
    const char *what;   /* "a secret key of Stripe" */
    const char *remedy; /* where to make it worthless: it has been seen */
    /* Is it one, with the prefix at `at`? */
    bool (*is_it)(struct str text, size_t at, const struct site_pattern *p);
    const char *of; /* characters of the body: "hex", "alnum", "word" ("-" and "_" too), "base64" */
    size_t min, max; /* how many */
};

/* NULL-named at the end. */
extern const struct site_pattern site_patterns[];

/* The first pattern found in a text; NULL: none. For values of variables. */
const struct site_pattern *site_pattern_find(struct str text);

#endif
