/*
 * MurmurHash3 x86_32 with seed 0, over bytes: which bucket a unit falls into, the same in every
 * engine that speaks flagd.
 */
#ifndef LOCKFLIGHT_FLAG_MURMUR3_H
#define LOCKFLIGHT_FLAG_MURMUR3_H

#include "base/str.h"

uint32_t murmur3(struct str s);

#endif
