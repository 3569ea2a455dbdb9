/*
 * Compressed forms of whole contents, made once when a deploy is ready and served ever after.
 */
#ifndef LOCKFLIGHT_LOCAL_COMPRESS_H
#define LOCKFLIGHT_LOCAL_COMPRESS_H

#include "base/str.h"

/* The result must be freed with compress_free, also after false. */
bool compress_gzip(const void *p, size_t n, struct str *ret);
bool compress_brotli(const void *p, size_t n, struct str *ret);
void compress_free(struct str *s);

#endif
