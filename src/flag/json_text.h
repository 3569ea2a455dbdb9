/*
 * JSON text exactly as JavaScript's JSON.stringify prints the same value, so that answers of our
 * servers and of an engine in JavaScript are the same bytes: members whose names are whole numbers
 * first, in their order, then the others; shortest numbers; half a surrogate pair as \udxxx.
 */
#ifndef LOCKFLIGHT_FLAG_JSON_TEXT_H
#define LOCKFLIGHT_FLAG_JSON_TEXT_H

#include "base/strbuf.h"

#include <jansson.h>

enum json_order {
    JSON_AS_WRITTEN,
    JSON_BY_NAME, /* members sorted byte by byte, at every level */
};

/* Each returns false when the buffer's maximum is met or the value is nested too deep. */
bool json_text_add(struct strbuf *b, const json_t *value, enum json_order order);
bool json_text_add_string(struct strbuf *b, struct str text); /* with its quotes */
bool json_text_add_number(struct strbuf *b, double x);        /* null unless finite */

/* A whole number that JavaScript lists before other names: "0" to "4294967294", no leading zero. */
bool json_name_is_index(struct str name, uint32_t *ret);

#endif
