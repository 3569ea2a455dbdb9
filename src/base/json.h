/*
 * JSON from outside and back, on jansson. Parsing has a size limit, a depth limit, refuses
 * duplicate keys and reports line and column. Values are jansson's; own them with json_auto_t or
 * json_decref.
 */
#ifndef LOCKFLIGHT_BASE_JSON_H
#define LOCKFLIGHT_BASE_JSON_H

#include "base/arena.h"
#include "base/str.h"

#include <jansson.h>

/* Parses one document of at most LIMIT_JSON_BYTES. `name` says in errors what it was
 * ("GET https://…", "platform.json"). Returns NULL on ERR_DATA or ERR_LIMIT. The
 * caller owns the result. */
json_t *json_parse(struct str text, const char *name, struct err *e) MUST_USE;

/* The same with another limit than LIMIT_JSON_DEPTH levels. */
json_t *json_parse_deep(struct str text, const char *name, unsigned depth, struct err *e) MUST_USE;

/* Compact text with sorted keys: equal values give equal bytes. For digests and rows. */
char *json_text(struct arena *a, const json_t *value);

/* Compact text in insertion order: for people and requests. */
char *json_text_in_order(struct arena *a, const json_t *value);

/* What a value looks like without its values, for errors: {id: text, tags: [3 × text], at: null}, cut
 * after max_bytes. */
char *json_shape(struct arena *a, const json_t *value, size_t max_bytes);

/* Typed members of an object. The _or forms never fail; wrong types count as absent. Returned texts
 * belong to the JSON value. */
const char *json_text_or(const json_t *object, const char *key, const char *otherwise);
int64_t json_int_or(const json_t *object, const char *key, int64_t otherwise);
bool json_bool_or(const json_t *object, const char *key, bool otherwise);

/* A member that we rely on: its absence or another type is ERR_DATA that
 * names `name` and the key. */
bool json_need_text(const json_t *object, const char *key, const char *name, const char **ret,
                    struct err *e) MUST_USE;
bool json_need_array(const json_t *object, const char *key, const char *name, json_t **ret,
                     struct err *e) MUST_USE;

#endif
