/*
 * Shares of users in the portable profile: the key that decides, the entries, their total. See
 * profile.h.
 */
#include "base/json.h"
#include "flag/profile_inside.h"

#define TOTAL_MAX 2147483647

/* Totals that leave room for a share to grow without moving anybody who is in already. */
static bool is_round(json_int_t total)
{
    return total == 100 || total == 1000 || total == 10000 || total == 100000;
}

static bool is_entry(const json_t *value)
{
    return json_is_array(value);
}

/* ---- the key ---- */

static void joined_key(struct profile_check *c, const struct place *at, const json_t *pieces)
{
    struct profile_var v;
    if (!profile_count(c, at, pieces, 1, SIZE_MAX, NULL))
        return;
    for (size_t i = 0; i < json_array_size(pieces); i++) {
        const json_t *piece = json_array_get(pieces, i);
        struct place here = profile_operand(at, i);
        if (json_is_string(piece) || !profile_var(c, &here, piece, TYPES_TEXT, &v))
            continue;
        if (!v.otherwise && !streq(v.name, "$flagd.flagKey"))
            profile_refuse(c, &here, arena_printf(c->a, "{\"var\":[\"%s\", \"\"]}", v.name),
                           "a text that is not there joins differently between engines");
    }
}

static void key(struct profile_check *c, const struct place *at, const json_t *value)
{
    static const char *const form =
        "{\"var\":\"targetingKey\"} or {\"cat\":[\"salt\", {\"var\":[\"targetingKey\", \"\"]}]}";
    const char *name;
    const json_t *operands;
    if (json_is_string(value)) {
        profile_refuse(c, at, form, "everybody has the key \"%s\", so everybody gets the same",
                       json_string_value(value));
        return;
    }
    if (!profile_operator(value, &name, &operands)) {
        profile_refuse(c, at, form, "%s is no key", profile_kind(value));
        return;
    }
    if (streq(name, "cat")) {
        struct place here = { at, "cat", 0, false };
        joined_key(c, &here, operands);
        return;
    }
    const json_t *first = json_is_array(operands) ? json_array_get(operands, 0) : operands;
    if (!streq(name, "var") || !streq(json_string_value(first), "targetingKey") ||
        json_array_size(operands) > 1)
        profile_refuse(c, at, form, "a key that may be null or no text differs between engines");
}

/* ---- the entries ---- */

static json_int_t weight(struct profile_check *c, const struct place *at, const json_t *entry)
{
    const json_t *value = json_array_get(entry, 1);
    struct place here = { at, NULL, 1, true };
    if (json_array_size(entry) == 1)
        return 1;
    if (!json_is_integer(value))
        profile_refuse(c, &here, "25", "a weight is a whole number, written out; this is %s",
                       json_is_real(value) ? "a fraction" : profile_kind(value));
    else if (json_integer_value(value) < 0)
        profile_refuse(c, &here, "0", "a weight is not negative");
    else if (json_integer_value(value) > TOTAL_MAX)
        profile_refuse(c, &here, "100 in all", "weights come to at most %d", TOTAL_MAX);
    else
        return json_integer_value(value);
    return -1;
}

/* The weight; -1: something was refused. */
static json_int_t entry(struct profile_check *c, const struct place *at, const json_t *value)
{
    static const char *const form = "[\"on\", 25]";
    size_t n = json_array_size(value);
    if (!is_entry(value)) {
        profile_refuse(c, at, form, "a share is a list of variant and weight, not %s",
                       profile_kind(value));
        return -1;
    }
    if (n == 0 || n > 2) {
        profile_refuse(c, at, form, "a share has a variant and a weight, not %zu members", n);
        return -1;
    }
    const json_t *variant = json_array_get(value, 0);
    struct place here = { at, NULL, 0, true };
    bool ok = true;
    if (json_is_string(variant))
        ok = profile_variant(c, &here, json_string_value(variant));
    else if (!json_is_null(variant))
        ok = profile_refuse(c, &here, form, "a share's variant is its name, not %s",
                            profile_kind(variant));
    json_int_t w = weight(c, at, value);
    return ok ? w : -1;
}

void profile_fractional(struct profile_check *c, const struct place *at, const json_t *operands)
{
    if (!profile_count(c, at, operands, 1, SIZE_MAX, "{\"fractional\":[[\"on\",25],[\"off\",75]]}"))
        return;
    size_t first = is_entry(json_array_get(operands, 0)) ? 0 : 1;
    if (first == 1) {
        struct place here = profile_operand(at, 0);
        key(c, &here, json_array_get(operands, 0));
    }
    json_int_t total = 0;
    bool ok = true;
    size_t n = json_array_size(operands);
    for (size_t i = first; i < n; i++) {
        struct place here = profile_operand(at, i);
        json_int_t w = entry(c, &here, json_array_get(operands, i));
        ok = ok && w >= 0;
        total += w > 0 && total <= TOTAL_MAX ? w : 0;
    }
    if (!ok)
        return;
    if (n == first || total == 0)
        profile_refuse(c, at, "{\"fractional\":[[\"on\",25],[\"off\",75]]}",
                       "the weights come to 0, so nobody gets anything");
    else if (total > TOTAL_MAX)
        profile_refuse(c, at, "100 in all", "weights come to at most %d", TOTAL_MAX);
    else if (n - first > 1 && !is_round(total))
        profile_note(c, at, "weights of 100 in all",
                     "the weights come to %lld; with another total a later change moves more users "
                     "than it must",
                     (long long)total);
}
