/*
 * Whom a change moves: of the 2^32 buckets that a fractional rule divides its users into, how many
 * have another variant afterwards.
 *
 * EXACT     Both states serve everyone one variant, or divide by the same bucket key and generation:
 *           the boundaries of the pieces are whole bucket numbers, so the count is exact. Entry i of
 *           weights w1 … wn with sum T holds the buckets from ceil(2^32 (w1+…+wi-1) / T) on, because
 *           a bucket h is in the entry where h * T >> 32 is below the running sum.
 *
 * AT MOST   The rules differ only below equal conditions: nobody knows how many users a condition
 *           is true for, so it is the worst branch.
 *
 * UNKNOWN   Other conditions, another bucket key or generation: not comparable.
 *
 * Requirements of other flags are not looked at.
 */
#ifndef LOCKFLIGHT_FLAG_MOVES_H
#define LOCKFLIGHT_FLAG_MOVES_H

#include "base/arena.h"

#include <jansson.h>
#include <stdint.h>

#define FLAG_BUCKETS (1ULL << 32)

enum flag_moves_kind {
    FLAG_MOVES_EXACT,
    FLAG_MOVES_AT_MOST,
    FLAG_MOVES_UNKNOWN,
};

struct flag_move {
    const char *from; /* a variant; NULL: the code's default */
    const char *to;
    uint64_t buckets;
};

struct flag_moves {
    enum flag_moves_kind kind;
    const char *why;     /* of FLAG_MOVES_UNKNOWN: what is not comparable */
    uint64_t moved;      /* buckets that change their variant */
    uint64_t lost;       /* of these, out of another one than the off variant */
    struct flag_move *v; /* from what to what, the largest first; of FLAG_MOVES_EXACT */
    size_t n;
};

/* Both are states (state.h) of one flag with the off variant `off`. */
struct flag_moves flag_moves(struct arena *a, const json_t *from, const json_t *to,
                             const char *off);

/* "nobody moves", "25 % of users move: off → on", "at most 10 % of users move", "…: not comparable".
 * `arrow` is " → " or what the terminal can show. */
const char *flag_moves_words(struct arena *a, const struct flag_moves *m, const char *arrow);

#endif
