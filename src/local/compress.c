/*
 * gzip by zlib, br by libbrotli: see compress.h.
 */
#include "local/compress.h"

#include <brotli/encode.h>
#include <stdlib.h>
#include <zlib.h>

#define GZIP_LEVEL     7
#define GZIP_WINDOW    (15 + 16) /* 16: with a gzip head */
#define BROTLI_QUALITY 6         /* nearly the size of 11 at a twentieth of its time */

bool compress_gzip(const void *p, size_t n, struct str *ret)
{
    z_stream z = { 0 };
    if (deflateInit2(&z, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    uLong most = deflateBound(&z, (uLong)n);
    char *out = malloc(most);
    if (!out)
        memory_exhausted(most);
    z.next_in = (Bytef *)(uintptr_t)p;
    z.avail_in = (uInt)n;
    z.next_out = (Bytef *)out;
    z.avail_out = (uInt)most;
    bool whole = deflate(&z, Z_FINISH) == Z_STREAM_END;
    *ret = (struct str){ out, z.total_out };
    (void)deflateEnd(&z);
    return whole;
}

bool compress_brotli(const void *p, size_t n, struct str *ret)
{
    size_t bytes = BrotliEncoderMaxCompressedSize(n);
    char *out = malloc(bytes);
    if (!out)
        memory_exhausted(bytes);
    bool whole = BrotliEncoderCompress(BROTLI_QUALITY, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_GENERIC,
                                       n, p, &bytes, (uint8_t *)out) == BROTLI_TRUE;
    *ret = (struct str){ out, bytes };
    return whole;
}

void compress_free(struct str *s)
{
    free((void *)(uintptr_t)s->p);
    *s = (struct str){ 0 };
}
