/*
 * Which of `total` equal parts a hash falls into.
 */
#ifndef LOCKFLIGHT_FLAG_FRACTIONAL_H
#define LOCKFLIGHT_FLAG_FRACTIONAL_H

#include <stdint.h>

uint32_t fractional_bucket(uint32_t hash, uint32_t total);

#endif
