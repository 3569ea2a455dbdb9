/*
 * What a rule gets to see of a request: the context that came, made safe and typed. The server, the
 * Edge Function and `lockflight flags eval` follow the same list, in this order; a rule that is
 * portable means the same everywhere only because of it.
 *
 *  REFUSED  The whole request, with INVALID_CONTEXT, and nothing is evaluated:
 *   1. the text is not JSON, is not UTF-8, holds U+0000 or half a surrogate pair (in a name or in a
 *      value, as bytes or as an escape), a member twice, or more than 64 levels;
 *   2. a number anywhere is not finite, or further from 0 than 2^53 - 1;
 *   3. the context is neither an object nor null nor absent; null and absent are the empty one;
 *   4. "targetingKey" is there and is neither text nor null.
 *
 *  DROPPED  A member of the context, with the rest of it going on:
 *   5. one whose value is null (as if it had not been sent; not counted);
 *   6. "$flagd", and one that is not declared, "targetingKey" excepted;
 *   7. one of another type than declared: text for "string", a number for "number", true or false
 *      for "boolean", an array of nothing but text for "list" (the empty one is good); for "version"
 *      text of at most 256 bytes: a digit, behind one v or V or behind nothing, then only letters and
 *      digits of ASCII, '.', '+' and '-'.
 *      Whatever 6 and 7 drop is counted.
 *
 *  CALLER   Decided by the token, never by the body:
 *   8. ANONYMOUS (no token, or the project's anon key): attributes declared as trusted are dropped,
 *      and counted.
 *   9. USER (a valid token of a signed-in user): as 8, then "targetingKey" becomes the token's "sub",
 *      and each trusted attribute becomes the member of that name of its "app_metadata", if rule 7
 *      lets it through; if not it stays absent, and is counted unless it was absent or null.
 *  10. SERVER (service role, or a server's token): the body's attributes are taken, trusted or not.
 *
 * Without declarations (a flagd document from elsewhere) 6 drops only "$flagd", and 7 and 8 nothing:
 * there is nothing to hold the context against.
 */
#ifndef LOCKFLIGHT_FLAG_NORMALISE_H
#define LOCKFLIGHT_FLAG_NORMALISE_H

#include "base/err.h"
#include "base/str.h"

#include <jansson.h>

enum flag_attribute_type {
    FLAG_ATTRIBUTE_STRING,
    FLAG_ATTRIBUTE_NUMBER,
    FLAG_ATTRIBUTE_BOOLEAN,
    FLAG_ATTRIBUTE_LIST,
    FLAG_ATTRIBUTE_VERSION,
};

/* "string", … in the order above; false if it is none of them. */
bool flag_attribute_type(const char *name, enum flag_attribute_type *ret) MUST_USE;
const char *flag_attribute_type_name(enum flag_attribute_type type);

/* One of the declarations: {"plan":{"type":"string","trusted":true}}. False if `name` is not
 * declared, or with a type that does not exist. */
bool flag_attribute_find(const json_t *declared, const char *name, enum flag_attribute_type *ret,
                         bool *ret_trusted) MUST_USE;

/* Rule 7 for one value. */
bool flag_attribute_fits(enum flag_attribute_type type, const json_t *value) MUST_USE;

enum flag_caller_kind {
    FLAG_CALLER_ANONYMOUS,
    FLAG_CALLER_USER,
    FLAG_CALLER_SERVER,
};

struct flag_caller {
    enum flag_caller_kind kind;
    const char *subject;        /* USER: "sub" of the token */
    const json_t *app_metadata; /* USER: of the token; NULL if it has none */
};

/* Rule 1: a request's text. ERR_DATA or ERR_LIMIT, as json_parse; the caller owns the result. */
json_t *flag_context_parse(struct str text, const char *name, struct err *e) MUST_USE;

/* Rules 2 to 10. `declared` is an object as above, NULL without declarations; `given` is the body's
 * "context", NULL if absent. *ret is a new object that the caller owns; it shares values with
 * `given` and the caller's app_metadata. ERR_DATA, with the sentence for errorDetails in `why`. */
bool flag_normalise(const json_t *declared, const struct flag_caller *caller, const json_t *given,
                    json_t **ret, unsigned *ret_dropped, struct err *e) MUST_USE;

#endif
