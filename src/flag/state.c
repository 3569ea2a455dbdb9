#include "flag/state.h"

#include "base/json.h"
#include "base/str.h"

#include <math.h>

#define RULE_SHOWN 60 /* bytes of a condition that has no words */

/* ---- values ---- */

static json_t *member(const json_t *from, const char *key, json_type type, json_t *otherwise)
{
    json_t *v = json_object_get(from, key);
    bool fits = v && (json_typeof(v) == type || (type == JSON_TRUE && json_is_boolean(v)));
    if (!fits)
        return otherwise;
    json_decref(otherwise);
    return json_incref(v);
}

/* A rule may be a bare text, which names a variant. */
static json_t *rule_member(const json_t *from)
{
    json_t *v = json_object_get(from, "targeting");
    bool is_none = !v || json_is_null(v) || (json_is_object(v) && json_object_size(v) == 0);
    return is_none ? json_null() : json_incref(v);
}

json_t *flag_state_of(const json_t *from)
{
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o}", "enabled", member(from, "enabled", JSON_TRUE, json_true()),
        "killed", member(from, "killed", JSON_TRUE, json_false()), "default_variant",
        member(from, "default_variant", JSON_STRING, json_null()), "targeting", rule_member(from),
        "bucketing", member(from, "bucketing", JSON_INTEGER, json_integer(2)));
}

json_t *flag_state_patched(const json_t *state, const json_t *patch)
{
    json_t *both = flag_state_of(state);
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)patch, key, value)
        (void)json_object_set(both, key, value);
    json_t *clean = flag_state_of(both);
    json_decref(both);
    return clean;
}

json_t *flag_state_difference(const json_t *from, const json_t *to)
{
    json_auto_t *before = flag_state_of(from);
    json_auto_t *after = flag_state_of(to);
    json_t *patch = json_object();
    const char *key;
    json_t *value;
    json_object_foreach (after, key, value) {
        if (!json_equal(json_object_get(before, key), value))
            (void)json_object_set(patch, key, value);
    }
    return patch;
}

const json_t *flag_state_rule(const json_t *state)
{
    const json_t *rule = json_object_get(state, "targeting");
    bool is_none = !rule || json_is_null(rule) || (json_is_object(rule) && !json_object_size(rule));
    return is_none ? NULL : rule;
}

/* ---- words ---- */

const char *flag_percent(struct arena *a, double part, double whole)
{
    double percent = whole > 0 ? part * 100.0 / whole : 0;
    if (part > 0 && percent < 0.001)
        return "less than 0.001 %";
    if (part < whole && percent > 99.999)
        return "more than 99.999 %";
    char *text = arena_printf(a, "%.3f", percent);
    size_t n = strlen(text);
    while (n > 0 && text[n - 1] == '0')
        n--;
    n -= n > 0 && text[n - 1] == '.';
    return arena_printf(a, "%.*s %%", (int)n, text);
}

static const char *shortened(struct arena *a, const json_t *value)
{
    const char *text = json_text_in_order(a, value);
    size_t n = strlen(text);
    if (n <= RULE_SHOWN)
        return text;
    for (n = RULE_SHOWN; n > 0 && ((unsigned char)text[n] & 0xC0U) == 0x80U;)
        n--;
    return arena_printf(a, "%.*s…", (int)n, text);
}

/* The only operator of a rule; NULL if it is none. */
static const char *operator_of(const json_t *rule, const json_t **ret)
{
    if (!json_is_object(rule) || json_object_size(rule) != 1)
        return NULL;
    void *it = json_object_iter((json_t *)(uintptr_t)rule);
    *ret = json_object_iter_value(it);
    return json_object_iter_key(it);
}

static bool entry_of(const json_t *entry, const char **ret_variant, int64_t *ret_weight)
{
    const json_t *variant = json_array_get(entry, 0), *weight = json_array_get(entry, 1);
    if (!json_is_array(entry) || json_array_size(entry) > 2 ||
        !(json_is_string(variant) || json_is_null(variant)) || (weight && !json_is_integer(weight)))
        return false;
    *ret_variant = json_string_value(variant);
    *ret_weight = weight ? json_integer_value(weight) : 1;
    return *ret_weight >= 0;
}

/* The off variant, or what everybody gets anyway, is the rest and is not said if one other has it
 * all: "on for 25 %". */
static const char *fractional_words(struct arena *a, const json_t *arguments, const char *otherwise,
                                    const char *off)
{
    double total = 0;
    size_t i, others = 0;
    json_t *entry;
    const char *variant, *text = "";
    int64_t weight;
    json_array_foreach (arguments, i, entry) {
        if (i == 0 && !json_is_array(entry))
            continue; /* the bucket key */
        if (!entry_of(entry, &variant, &weight))
            return NULL;
        total += (double)weight;
        others += variant && !streq(variant, off);
    }
    json_array_foreach (arguments, i, entry) {
        if (!entry_of(entry, &variant, &weight))
            continue;
        if (others == 1 && (!variant || streq(variant, off)))
            continue;
        text = arena_printf(a, "%s%s%s for %s", text, *text ? ", " : "",
                            variant ? variant : otherwise, flag_percent(a, (double)weight, total));
    }
    return *text && total > 0 ? text : NULL;
}

static const char *condition_words(struct arena *a, const json_t *condition)
{
    const json_t *operand = NULL;
    const char *op = operator_of(condition, &operand);
    if (op && streq(op, "$ref") && json_is_string(operand))
        return json_string_value(operand);
    return shortened(a, condition);
}

/* `depth` counts down. */
// NOLINTNEXTLINE(misc-no-recursion): depth is limited
static const char *rule_words(struct arena *a, const json_t *rule, const char *otherwise,
                              const char *off, int depth)
{
    const json_t *operand = NULL;
    const char *op = operator_of(rule, &operand);
    if (!rule || json_is_null(rule))
        return otherwise;
    if (json_is_string(rule))
        return json_string_value(rule);
    const char *words = op && streq(op, "fractional") && json_is_array(operand)
                            ? fractional_words(a, operand, otherwise, off)
                            : NULL;
    size_t n = json_array_size(operand);
    if (!op || !streq(op, "if") || n < 2 || depth == 0)
        return words ? words : arena_printf(a, "by the rule %s", shortened(a, rule));
    words = "";
    for (size_t i = 0; i + 1 < n; i += 2)
        words =
            arena_printf(a, "%s%s if %s, ", words,
                         rule_words(a, json_array_get(operand, i + 1), otherwise, off, depth - 1),
                         condition_words(a, json_array_get(operand, i)));
    const json_t *last = n % 2 ? json_array_get(operand, n - 1) : NULL;
    return arena_printf(a, "%selse %s", words, rule_words(a, last, otherwise, off, depth - 1));
}

const char *flag_rule_words(struct arena *a, const json_t *rule, const char *otherwise,
                            const char *off)
{
    const char *words = rule_words(a, rule, otherwise, off, 4);
    return json_is_string(rule) || !rule || json_is_null(rule)
               ? arena_printf(a, "%s for everyone", words)
               : words;
}

const char *flag_state_words(struct arena *a, const json_t *state, const char *off)
{
    const char *variant = json_string_value(json_object_get(state, "default_variant"));
    const char *words =
        flag_rule_words(a, flag_state_rule(state), variant ? variant : "the code's default", off);
    bool is_enabled = json_is_true(json_object_get(state, "enabled"));
    if (!is_enabled)
        words = arena_printf(a, "disabled: callers use the default in their code; kept: %s", words);
    if (!json_is_true(json_object_get(state, "killed")))
        return words;
    bool keeps = !is_enabled || flag_state_rule(state) || !streq(variant, off);
    return arena_printf(a, "%s for everyone, held off%s%s", off, keeps ? "; kept: " : "",
                        keeps ? words : "");
}
