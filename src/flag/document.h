/*
 * A flag document in the flagd format, compiled once and never changed after: evaluation reads it
 * from any number of threads and allocates nothing.
 *
 * FORMAT   https://flagd.dev/schema/v0/flags.json: "flags" (an object, or an array whose items
 *          carry "key"), "$evaluators", "metadata". {"$ref":"name"} stands for the named evaluator;
 *          one inside an evaluator is refused.
 *
 * OURS     Two members that flagd ignores, both of a flag: "requires": [{"flag","variant"}],
 *          evaluated first, and "offVariant", what is served when one is not met.
 *
 * A document is taken whole or not at all: an unknown state, a default that names no variant, a
 * variant of another type than its siblings refuse it. A rule that does not compile (an unknown
 * operator, too deep) is that flag's PARSE_ERROR only.
 */
#ifndef LOCKFLIGHT_FLAG_DOCUMENT_H
#define LOCKFLIGHT_FLAG_DOCUMENT_H

#include "base/arena.h"
#include "base/str.h"

#include <jansson.h>

struct flag_document;
struct flag;

enum flag_type {
    FLAG_BOOLEAN,
    FLAG_STRING,
    FLAG_NUMBER,
    FLAG_OBJECT,
};

/* At most LIMIT_FLAG_DOCUMENT_BYTES and LIMIT_FLAGS flags. `name` says in errors what it was. The
 * caller owns *ret. ERR_DATA names the flag and the member; ERR_LIMIT. */
bool flag_document_parse(struct str text, const char *name, struct flag_document **ret,
                         struct err *e) MUST_USE;

/* The same from a value already parsed; it is copied from, not kept. */
bool flag_document_compile(const json_t *document, const char *name, struct flag_document **ret,
                           struct err *e) MUST_USE;

/* JSON that holds rules and values of flags, each of which was read by json_parse() before: as that,
 * but some levels deeper, so that what could be stored can be read. */
json_t *flag_json_parse(struct str text, const char *name, struct err *e) MUST_USE;

void flag_document_free(struct flag_document *d); /* accepts NULL */

/* Flags in the order of their keys, byte by byte. */
size_t flag_document_count(const struct flag_document *d);
const struct flag *flag_document_at(const struct flag_document *d, size_t i);
const struct flag *flag_document_find(const struct flag_document *d, struct str key); /* or NULL */

const char *flag_key(const struct flag *f);
enum flag_type flag_type_of(const struct flag *f);

/* Metadata of the set as JSON text, sorted; "{}" if there is none. */
const char *flag_document_metadata(const struct flag_document *d);

static inline void flag_document_cleanup(struct flag_document **d)
{
    flag_document_free(*d);
}

#endif
