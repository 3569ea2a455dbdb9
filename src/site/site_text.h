/*
 * Other forms of a published text: without its escapes, unpacked, and what it carries inside.
 */
#ifndef LOCKFLIGHT_SITE_SITE_TEXT_H
#define LOCKFLIGHT_SITE_SITE_TEXT_H

#include "base/str.h"

/* The text with one level of escapes taken away: \uXXXX, \u{…}, \xXX, \n, \/ and the other ones of a
 * backslash; %XX; &#38; &#x26; &amp; &lt; &gt; &quot; &apos;. False if it has none: *ret is untouched. */
bool site_text_plain(struct arena *a, struct str text, struct str *ret);

/* Where in `text` the byte `at` of its plain form came from. */
size_t site_text_origin(struct str text, size_t at);

/* A .gz or .br file, unpacked. *ret_is_packed is false if the name or the bytes say that it is none.
 * ERR_LIMIT: it becomes larger than LIMIT_UNPACKED_BYTES. */
bool site_text_unpack(struct arena *a, const char *path, struct str bytes, bool *ret_is_packed,
                      struct str *ret, struct err *e) MUST_USE;

/* The next source map that is inside the text as data:…;base64,…, decoded; false: there is no more.
 * `at` is where to go on, 0 first. */
bool site_text_inner(struct arena *a, struct str text, size_t *at, struct str *ret);

#endif
