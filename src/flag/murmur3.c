/*
 * MurmurHash3: see murmur3.h. Four bytes at a time are mixed in, little end first, then the rest,
 * then the length; the last steps spread each bit over the whole.
 */
#include "flag/murmur3.h"

#include <endian.h>

static uint32_t rotate(uint32_t x, unsigned by)
{
    return x << by | x >> (32 - by);
}

static uint32_t scramble(uint32_t k)
{
    return rotate(k * 0xcc9e2d51U, 15) * 0x1b873593U;
}

uint32_t murmur3(struct str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    uint32_t h = 0;
    size_t whole = s.n & ~(size_t)3;
    for (size_t i = 0; i < whole; i += 4) {
        uint32_t k;
        memcpy(&k, p + i, sizeof k);
        k = le32toh(k);
        h = rotate(h ^ scramble(k), 13) * 5 + 0xe6546b64U;
    }
    uint32_t rest = 0;
    for (size_t i = s.n; i > whole; i--)
        rest = rest << 8 | p[i - 1];
    h ^= scramble(rest);
    h ^= (uint32_t)s.n;
    h = (h ^ h >> 16) * 0x85ebca6bU;
    h = (h ^ h >> 13) * 0xc2b2ae35U;
    return h ^ h >> 16;
}
