/*
 * What the files of profile.h share: where in a rule we are, and how a finding is told.
 */
#ifndef LOCKFLIGHT_FLAG_PROFILE_INSIDE_H
#define LOCKFLIGHT_FLAG_PROFILE_INSIDE_H

#include "flag/normalise.h"
#include "flag/profile.h"

/* One step from the rule's root: a member, then maybe an index. */
struct place {
    const struct place *up; /* NULL: the root, which has no name */
    const char *member;     /* NULL: only an index */
    size_t index;
    bool has_index;
};

struct profile_check {
    const struct flag_profile *p;
    struct arena *a;
    struct flag_findings *found;
    unsigned depth;
    unsigned operators;
    bool is_segment;
};

/* Appends a refusal or a note. `instead` may be NULL. Returns false. */
bool profile_refuse(struct profile_check *c, const struct place *at, const char *instead,
                    const char *fmt, ...) PRINTF(4, 5);
void profile_note(struct profile_check *c, const struct place *at, const char *instead,
                  const char *fmt, ...) PRINTF(4, 5);

/* The one operator of an object and its operands. False if it is no object or has another number of
 * members; says nothing. */
bool profile_operator(const json_t *value, const char **ret_name, const json_t **ret_operands);

/* What a value is, for a sentence: "a number". */
const char *profile_kind(const json_t *value);

/* An attribute that a rule reads. */
struct profile_var {
    const char *name;
    const json_t *otherwise; /* the default; NULL: none */
    bool is_known;           /* its type is declared */
    enum flag_attribute_type type;
};

#define TYPE_BIT(t) (1U << (t))
#define TYPES_TEXT  (TYPE_BIT(FLAG_ATTRIBUTE_STRING) | TYPE_BIT(FLAG_ATTRIBUTE_VERSION))
#define TYPES_ALL   0x1FU

bool profile_is_var(const json_t *value);

/* Reads {"var":…} and refuses an undeclared name, a type that is not among `types`, a default of
 * another type, an untrusted attribute in a permission. */
bool profile_var(struct profile_check *c, const struct place *at, const json_t *value,
                 unsigned types, struct profile_var *ret);

/* profile_compare.c: the operands of one operator, whose place is `at`. */
typedef void profile_operands(struct profile_check *c, const struct place *at,
                              const json_t *operands);
profile_operands profile_equal, profile_order, profile_in, profile_affix, profile_version,
    profile_list;

/* The place of operand `i` of `at`, and its value. */
struct place profile_operand(const struct place *at, size_t i);

/* Operands are an array of `min` to `max`. */
bool profile_count(struct profile_check *c, const struct place *at, const json_t *operands,
                   size_t min, size_t max, const char *instead);

/* profile_fractional.c */
void profile_fractional(struct profile_check *c, const struct place *at, const json_t *operands);
bool profile_variant(struct profile_check *c, const struct place *at, const char *name);

#endif
