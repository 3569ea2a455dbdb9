/*
 * Reading an answer field by field: each is checked for type, presence and size, and the first
 * surprise is the error. It is sticky: after it every field reads as empty, so a reader may fill a
 * whole struct and ask once.
 *
 *     struct fields f = fields_of(a, value, "deploy", e);
 *     *ret = (struct deploy){ .id = field_id(&f, "id"), .title = field_text(&f, "title") };
 *     return fields_ok(&f);
 *
 * A member that is null counts as absent: both vendors do it. Texts move to the arena.
 */
#ifndef LOCKFLIGHT_PROVIDER_FIELDS_H
#define LOCKFLIGHT_PROVIDER_FIELDS_H

#include "base/arena.h"

#include <jansson.h>

#define FIELD_ID_BYTES   256         /* ids, refs, slugs, states, digests */
#define FIELD_TEXT_BYTES (64 * 1024) /* anything else: a variable's value is the longest */

struct fields {
    struct arena *arena;
    const json_t *object;
    const char *name; /* what it is, in errors: "deploy" */
    struct err *e;
    bool has_failed;
};

/* A value that is no object is the first surprise. */
struct fields fields_of(struct arena *a, const json_t *value, const char *name, struct err *e);
bool fields_ok(const struct fields *f) MUST_USE;

/* Must be there, 1 to 256 printable bytes without blanks: what goes into addresses. */
const char *field_id(struct fields *f, const char *key);

/* Must be there and not empty. */
const char *field_need_text(struct fields *f, const char *key);

/* May be absent: "". */
const char *field_text(struct fields *f, const char *key);

/* May be absent; then `otherwise`. */
bool field_flag(struct fields *f, const char *key, bool otherwise);
int64_t field_number(struct fields *f, const char *key, int64_t otherwise);

/* Must be there, from 0 upwards. */
int64_t field_count(struct fields *f, const char *key);

/* May be absent: NULL. Borrowed. */
const json_t *field_object(struct fields *f, const char *key);
const json_t *field_list(struct fields *f, const char *key);

/* Must be there. Borrowed; an empty list after a surprise. */
const json_t *field_need_list(struct fields *f, const char *key);

/* What `value` must be when the answer is a list; the surprise is an error that says so. */
bool answer_is_list(const json_t *value, const char *name, struct err *e) MUST_USE;

#endif
