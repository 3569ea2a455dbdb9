/*
 * multipart/form-data (RFC 7578): reading a body that is in memory, and writing one. Parts point into
 * the body; nothing is copied but names.
 *
 * STRICT   A boundary of 1 to 70 characters, CRLF line ends, a name on every part, the closing
 *          delimiter. Anything else is ERR_DATA; more than `max_parts` is ERR_LIMIT.
 */
#ifndef LOCKFLIGHT_LOCAL_MULTIPART_H
#define LOCKFLIGHT_LOCAL_MULTIPART_H

#include "base/arena.h"
#include "base/str.h"
#include "base/strbuf.h"

struct multipart_part {
    const char *name;
    const char *filename; /* NULL: none */
    struct str body;
};

bool multipart_parse(struct arena *a, const char *content_type, struct str body, size_t max_parts,
                     struct multipart_part **ret, size_t *ret_n, struct err *e) MUST_USE;

/* Adds one part: `headers` are further lines, each ended by CRLF, or "". */
void multipart_add(struct strbuf *b, const char *boundary, const char *name, const char *filename,
                   const char *headers, struct str body);
void multipart_end(struct strbuf *b, const char *boundary);

#endif
