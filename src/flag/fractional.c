/*
 * Shares of users: see run.h. The unit is hashed to 32 bits, which are spread over the sum of the
 * weights: bucket = hash * total / 2^32. The first entry whose running sum is above it is taken.
 *
 * The unit is the first operand if that is a text, else the flag's key and targetingKey, one behind
 * the other. Hashed are its bytes in UTF-8.
 */
#include "flag/fractional.h"

#include "flag/murmur3.h"
#include "flag/run.h"

#include <math.h>

#define TOTAL_MAX 2147483647.0

bool fractional_entry(struct value entry, struct value *ret_variant, double *ret_weight)
{
    if (!value_is_list(entry) || entry.n < 1 || entry.n > 2)
        return false;
    *ret_variant = value_item(entry, 0);
    *ret_weight = 1;
    if (value_is_list(*ret_variant) || value_is_object(*ret_variant))
        return false;
    if (entry.n == 1)
        return true;
    struct value weight = value_item(entry, 1);
    if (weight.kind != VALUE_NUMBER || !isfinite(weight.number) ||
        weight.number != trunc(weight.number))
        return false;
    *ret_weight = fmax(weight.number, 0);
    return true;
}

uint32_t fractional_bucket(uint32_t hash, uint32_t total)
{
    return (uint32_t)((uint64_t)hash * total >> 32);
}

static struct value targeting_key(const struct run *r)
{
    const json_t *j = r->values ? json_object_get(r->values, "targetingKey") : NULL;
    return j ? value_of_json(j) : value_of_kind(VALUE_NULL);
}

/* The flag's key and targetingKey. False: there is none, or raised. */
static bool default_unit(struct run *r, struct value key, struct str *ret)
{
    struct value both[2] = { value_of_text(r->flag_key), key };
    if (!value_is_true(key) && !value_is_list(key) && !value_is_object(key))
        return false;
    struct value unit = run_cat(r, (struct value){ .kind = VALUE_LIST, .n = 2, .list = both });
    if (unit.kind == VALUE_RAISED)
        return false;
    *ret = value_str(unit);
    return true;
}

static uint32_t bucket_of(struct run *r, struct str unit, uint32_t total)
{
    uint32_t bucket = fractional_bucket(murmur3(unit), total);
    if (r->telling)
        telling_bucket(r, unit, bucket, total);
    return bucket;
}

static struct value raised_or_null(const struct run *r)
{
    return value_of_kind(r->why ? VALUE_RAISED : VALUE_NULL);
}

/* Entries that were worked out just now. */
static struct value among(struct run *r, struct str unit, struct value entries, uint32_t from)
{
    double total = 0;
    double weight;
    struct value variant;
    for (uint32_t i = from; i < entries.n; i++) {
        if (!fractional_entry(value_item(entries, i), &variant, &weight))
            return value_of_kind(VALUE_NULL);
        total += weight;
    }
    if (total > TOTAL_MAX)
        return value_of_kind(VALUE_NULL);
    uint32_t bucket = bucket_of(r, unit, (uint32_t)total);
    double sum = 0;
    for (uint32_t i = from; i < entries.n; i++) {
        if (!fractional_entry(value_item(entries, i), &variant, &weight))
            break;
        sum += weight;
        if (sum > bucket)
            return variant;
    }
    return value_of_kind(VALUE_NULL);
}

// NOLINTNEXTLINE(misc-no-recursion): no deeper than LIMIT_FLAG_RULE_DEPTH, see compile.c
static struct value by_entries(struct run *r, const struct node *n)
{
    UNWRITTEN struct value small[RUN_OPERANDS];
    struct value operands;
    struct str unit;
    if (!run_operands(r, n, small, &operands))
        return value_of_kind(VALUE_RAISED);
    if (!operands.n)
        return value_of_kind(VALUE_NULL);
    struct value first = value_item(operands, 0);
    if (first.kind == VALUE_TEXT)
        return among(r, value_str(first), operands, 1);
    return default_unit(r, targeting_key(r), &unit) ? among(r, unit, operands, 0)
                                                    : raised_or_null(r);
}

/* Entries that were added up when the rule was compiled. */
// NOLINTNEXTLINE(misc-no-recursion): as by_entries()
static struct value by_buckets(struct run *r, const struct node *n)
{
    const struct buckets *b = n->buckets;
    size_t used = r->room_used;
    struct str unit;
    if (b->has_unit) {
        struct value v = run_node(r, n->operands[0]);
        if (v.kind == VALUE_RAISED)
            return v;
        if (value_is_list(v)) /* it is the first entry */
            return by_entries(r, n);
        if (v.kind != VALUE_TEXT)
            return value_of_kind(VALUE_NULL);
        unit = value_str(v);
    } else if (!default_unit(r, run_var(r, b->unit), &unit)) {
        return raised_or_null(r);
    }
    uint32_t bucket = bucket_of(r, unit, b->total);
    if (!r->frame) /* whose pair or step may live there by now */
        r->room_used = used;
    for (size_t i = 0; i < b->n; i++)
        if (b->v[i].up_to > bucket)
            return b->v[i].variant;
    return value_of_kind(VALUE_NULL);
}

// NOLINTNEXTLINE(misc-no-recursion): as by_entries()
struct value run_fractional(struct run *r, const struct node *n)
{
    if (!run_is_at_top(r))
        return run_raise(r, RUN_NOT_INSIDE);
    return n->buckets ? by_buckets(r, n) : by_entries(r, n);
}
