/*
 * Versions of software, as semver.org writes them, and two shorter forms: "v1.2.3", "1" and "1.2".
 */
#ifndef LOCKFLIGHT_FLAG_VERSION_H
#define LOCKFLIGHT_FLAG_VERSION_H

#include "base/str.h"

#define VERSION_BYTES_MAX 256

struct version {
    uint64_t major;
    uint64_t minor;
    uint64_t patch;
    struct str before; /* what stands behind the -, "" if nothing */
};

/* False for what is no version: a number with a leading zero or above 2^53 - 1, blanks around it,
 * more than 256 bytes. Of "7" and "7.1" a number of more than 16 digits is not seen. */
bool version_parse(struct str text, struct version *ret);

/* What sem_ver asks: one of = != < <= > >= ^ ~. */
enum version_order {
    VERSION_NONE, /* another word */
    VERSION_EQUAL,
    VERSION_UNEQUAL,
    VERSION_LESS,
    VERSION_LESS_EQUAL,
    VERSION_GREATER,
    VERSION_GREATER_EQUAL,
    VERSION_SAME_MAJOR,
    VERSION_SAME_MINOR,
};

enum version_order version_order_of(struct str text);
bool version_holds(const struct version *a, enum version_order order, const struct version *b);

/* The second and third operand of a sem_ver, if they are constant. */
struct version_test {
    enum version_order order; /* VERSION_NONE also if `right` is no version */
    struct version right;
};

/* Below 0, 0, above 0. The part behind + does not count. */
int version_compare(const struct version *a, const struct version *b);

#endif
