#include "flag/rate.h"

#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>

#define ROWS       4096
#define BURST_PART 4 /* a quarter of a minute's allowance may come at once */
#define US_A_MIN   INT64_C(60000000)

struct rate {
    unsigned per_minute;
    unsigned char key[crypto_shorthash_KEYBYTES]; /* so that nobody can aim at another's row */
    atomic_int_fast64_t whole_us[ROWS];           /* when the allowance is whole again */
};

struct rate *rate_new(unsigned per_minute)
{
    struct rate *r = calloc(1, sizeof *r);
    if (!r)
        memory_exhausted(sizeof *r);
    r->per_minute = per_minute;
    randombytes_buf(r->key, sizeof r->key);
    return r;
}

void rate_free(struct rate *r)
{
    free(r);
}

static size_t row_of(const struct rate *r, struct str who)
{
    uint64_t hash = 0;
    (void)crypto_shorthash((unsigned char *)&hash, (const unsigned char *)who.p, who.n, r->key);
    return hash % ROWS;
}

int rate_wait_s(struct rate *r, struct str who, int64_t now_boot_ms)
{
    if (!r->per_minute)
        return 0;
    atomic_int_fast64_t *row = &r->whole_us[row_of(r, who)];
    int64_t now_us = now_boot_ms * 1000;
    int64_t each_us = US_A_MIN / r->per_minute;
    int64_t burst_us = US_A_MIN / BURST_PART;
    int_fast64_t whole = atomic_load_explicit(row, memory_order_relaxed);
    for (;;) {
        int64_t next = (whole > now_us ? whole : now_us) + each_us;
        int64_t early_us = next - now_us - burst_us - each_us;
        if (early_us > 0)
            return (int)((early_us + 999999) / 1000000);
        if (atomic_compare_exchange_weak_explicit(row, &whole, next, memory_order_relaxed,
                                                  memory_order_relaxed))
            return 0;
    }
}
