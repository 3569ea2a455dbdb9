/*
 * Requirements written out as rules: see export.h.
 *
 * Two questions follow each other down a chain of flags. met() asks whether a flag gives a variant:
 * true, false, or an expression. outcome() says which variant a flag gives: its name, null for the
 * code default, or an expression that gives one of these.
 */
#include "flag/export.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/limits.h"

#define FLAG_KEY "$flagd.flagKey"

struct export
{
    const json_t *flags;
    const json_t *evaluators;
    const char *key; /* the flag that is being written */
    unsigned values; /* copied into it so far */
    unsigned depth;  /* requirements below it */
    struct err *e;
};

/* A flag whose rule is looked at, wherever it ends up. */
struct source {
    const char *key;
    const json_t *flag;
    const json_t *otherwise; /* its default variant, or null */
};

static json_t *owned(json_t *value)
{
    if (!value)
        memory_exhausted(0);
    return value;
}

static const json_t *shared(const json_t *value)
{
    return json_incref((json_t *)(uintptr_t)value); /* counting is not changing */
}

static bool is_var(const json_t *value, const char *name)
{
    const json_t *operand = json_object_get(value, "var");
    if (!operand || json_object_size(value) != 1)
        return false;
    if (json_is_array(operand))
        operand = json_array_get(operand, 0);
    return streq(json_string_value(operand), name);
}

/* NULL: *x->e says that the flag has grown too large. */
static bool count(struct export *x)
{
    if (++x->values <= LIMIT_FLAG_STEPS)
        return true;
    return err_set(x->e, ERR_LIMIT,
                   "flag %s: its requirements, written out, have more than %d values", x->key,
                   LIMIT_FLAG_STEPS);
}

/* ---- a rule, moved into another flag ---- */

static json_t *moved(struct export *x, const struct source *s, const json_t *value);

// NOLINTNEXTLINE(misc-no-recursion): no deeper than the document was
static json_t *moved_list(struct export *x, const struct source *s, const json_t *list)
{
    json_t *copy = owned(json_array());
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *item = moved(x, s, json_array_get(list, i));
        if (!item || json_array_append_new(copy, item) != 0) {
            json_decref(copy);
            return NULL;
        }
    }
    return copy;
}

// NOLINTNEXTLINE(misc-no-recursion): no deeper than the document was
static bool names_its_flag(const json_t *value)
{
    if (is_var(value, FLAG_KEY))
        return true;
    for (size_t i = 0; i < json_array_size(value); i++) {
        if (names_its_flag(json_array_get(value, i)))
            return true;
    }
    json_t *object = (json_t *)(uintptr_t)value; /* the iterator does not change it */
    for (void *it = json_object_iter(object); it; it = json_object_iter_next(object, it)) {
        if (names_its_flag(json_object_iter_value(it)))
            return true;
    }
    return false;
}

/* A copy that means the same inside another flag; new. */
// NOLINTNEXTLINE(misc-no-recursion): no deeper than the document was
static json_t *moved(struct export *x, const struct source *s, const json_t *value)
{
    if (!count(x))
        return NULL;
    if (is_var(value, FLAG_KEY))
        return owned(json_string(s->key));
    if (json_is_array(value))
        return moved_list(x, s, value);
    if (!json_is_object(value))
        return (json_t *)(uintptr_t)shared(value);
    const json_t *segment = json_object_get(x->evaluators, json_text_or(value, "$ref", ""));
    if (segment && names_its_flag(segment))
        return moved(x, s, segment);
    json_t *copy = owned(json_object());
    json_t *object = (json_t *)(uintptr_t)value;
    for (void *it = json_object_iter(object); it; it = json_object_iter_next(object, it)) {
        json_t *member = moved(x, s, json_object_iter_value(it));
        if (!member || json_object_set_new(copy, json_object_iter_key(it), member) != 0) {
            json_decref(copy);
            return NULL;
        }
    }
    return copy;
}

/* ---- which variant a rule gives ---- */

static json_t *answered(struct export *x, const struct source *s, const json_t *rule);

/* [null, 50] among the shares is the default variant's. Changes `shares`, a copy of ours. */
static void name_default(const struct source *s, json_t *shares)
{
    for (size_t i = 0; i < json_array_size(shares); i++) {
        json_t *share = json_array_get(shares, i);
        if (json_is_array(share) && json_is_null(json_array_get(share, 0)))
            json_array_set(share, 0, (json_t *)(uintptr_t)s->otherwise);
    }
}

/* A share of users with a key of its own: {"if":[is there a key, {"fractional":…}, default]}. */
static json_t *answered_share(struct export *x, const struct source *s, const json_t *operands)
{
    const json_t *first = json_array_get(operands, 0);
    json_t *shares = moved_list(x, s, operands);
    if (!shares)
        return NULL;
    name_default(s, shares);
    if (json_is_array(first)) {
        json_array_insert_new(
            shares, 0,
            owned(json_pack("{s:[s, {s:[s, s]}]}", "cat", s->key, "var", "targetingKey", "")));
        return owned(json_pack("{s:[{s:[{s:[s, s]}, s]}, {s:o}, O]}", "if", "!==", "var",
                               "targetingKey", "", "", "fractional", shares, s->otherwise));
    }
    if (is_var(first, "targetingKey"))
        return owned(json_pack("{s:[{s:[{s:s}, n]}, {s:o}, O]}", "if", "!==", "var", "targetingKey",
                               "fractional", shares, s->otherwise));
    return owned(json_pack("{s:o}", "fractional", shares));
}

// NOLINTNEXTLINE(misc-no-recursion): no deeper than the document was
static json_t *answered_choice(struct export *x, const struct source *s, const json_t *operands)
{
    size_t n = json_array_size(operands);
    json_t *parts = owned(json_array());
    for (size_t i = 0; i < n; i++) {
        const json_t *part = json_array_get(operands, i);
        json_t *item = i % 2 == 0 && i + 1 < n ? moved(x, s, part) : answered(x, s, part);
        if (!item || json_array_append_new(parts, item) != 0) {
            json_decref(parts);
            return NULL;
        }
    }
    if (n % 2 == 0)
        json_array_append(parts, (json_t *)(uintptr_t)s->otherwise);
    return owned(json_pack("{s:o}", "if", parts));
}

/* The variant that `rule` gives as its name, and the default for null; new. */
// NOLINTNEXTLINE(misc-no-recursion): no deeper than the document was
static json_t *answered(struct export *x, const struct source *s, const json_t *rule)
{
    const json_t *choice = json_object_get(rule, "if"),
                 *share = json_object_get(rule, "fractional");
    if (!rule || json_is_null(rule) || (json_is_object(rule) && json_object_size(rule) == 0))
        return (json_t *)(uintptr_t)shared(s->otherwise);
    if (json_is_string(rule))
        return (json_t *)(uintptr_t)shared(rule);
    if (json_is_boolean(rule))
        return owned(json_string(json_is_true(rule) ? "true" : "false"));
    if (json_is_array(choice) && json_array_size(choice) > 1)
        return answered_choice(x, s, choice);
    if (json_is_array(share))
        return answered_share(x, s, share);
    json_t *condition = moved(x, s, rule);
    if (!condition)
        return NULL;
    json_t *whole = owned(json_pack("{s:[{s:[O, b]}, s, {s:[O, b]}, s, {s:[O, n]}, O, O]}", "if",
                                    "===", condition, 1, "true", "===", condition, 0, "false",
                                    "===", condition, s->otherwise, condition));
    json_decref(condition);
    return whole;
}

/* ---- which variant a flag gives ---- */

static bool met(struct export *x, const json_t *requirement, json_t **ret);

/* All requirements of a flag: true, false or an expression; new. */
// NOLINTNEXTLINE(misc-no-recursion): met() limits the depth
static bool all_met(struct export *x, const json_t *flag, json_t **ret)
{
    const json_t *requires = json_object_get(flag, "requires");
    json_t *open = owned(json_array());
    for (size_t i = 0; i < json_array_size(requires); i++) {
        json_t *one = NULL;
        if (!met(x, json_array_get(requires, i), &one)) {
            json_decref(open);
            return false;
        }
        if (json_is_false(one)) {
            json_decref(open);
            *ret = one;
            return true;
        }
        if (json_is_true(one))
            json_decref(one);
        else
            json_array_append_new(open, one);
    }
    if (json_array_size(open) == 0)
        *ret = json_true();
    else if (json_array_size(open) == 1)
        *ret = json_incref(json_array_get(open, 0));
    else
        *ret = owned(json_pack("{s:O}", "and", open));
    json_decref(open);
    return true;
}

static const json_t *default_of(const json_t *flag)
{
    const json_t *d = json_object_get(flag, "defaultVariant");
    return json_is_string(d) && json_string_length(d) > 0 ? d : json_null();
}

// NOLINTNEXTLINE(misc-no-recursion): met() limits the depth
static json_t *outcome(struct export *x, const struct source *s)
{
    json_t *condition;
    const json_t *off = json_object_get(s->flag, "offVariant");
    if (!all_met(x, s->flag, &condition))
        return NULL;
    json_t *own = json_is_false(condition) ? (json_t *)(uintptr_t)shared(off)
                                           : answered(x, s, json_object_get(s->flag, "targeting"));
    if (own && json_is_object(condition))
        own = owned(json_pack("{s:[O, o, O]}", "if", condition, own, off));
    json_decref(condition);
    return own;
}

static bool is_broken(const json_t *flag)
{
    return json_array_size(json_object_get(flag, "requires")) > 0 &&
           !json_is_string(json_object_get(flag, "offVariant"));
}

/* Does a flag give a variant? *ret is true, false or an expression; new. */
// NOLINTNEXTLINE(misc-no-recursion): limited right here
static bool met(struct export *x, const json_t *requirement, json_t **ret)
{
    const char *key = json_text_or(requirement, "flag", "");
    const char *variant = json_text_or(requirement, "variant", "");
    const json_t *flag = json_object_get(x->flags, key);
    struct source s = { key, flag, default_of(flag) };
    if (x->depth == LIMIT_FLAG_RULE_DEPTH)
        return err_set(x->e, ERR_DATA,
                       "flag %s requires itself through other flags, or more than "
                       "%d one after the other",
                       x->key, LIMIT_FLAG_RULE_DEPTH);
    if (!count(x))
        return false;
    if (!streq(json_text_or(flag, "state", NULL), "ENABLED") || is_broken(flag) ||
        !json_object_get(json_object_get(flag, "variants"), variant)) {
        *ret = json_false();
        return true;
    }
    x->depth++;
    json_t *given = outcome(x, &s);
    x->depth--;
    if (!given)
        return false;
    if (json_is_object(given)) {
        *ret = owned(json_pack("{s:[o, s]}", "===", given, variant));
        return true;
    }
    *ret = json_boolean(streq(json_string_value(given), variant));
    json_decref(given);
    return true;
}

/* ---- the document ---- */

static const char *keys_text(struct arena *a, const json_t *requires)
{
    const char *all = "";
    for (size_t i = 0; i < json_array_size(requires); i++)
        all = arena_printf(a, "%s%s%s", all, *all ? " " : "",
                           json_text_or(json_array_get(requires, i), "flag", "?"));
    return all;
}

/* Metadata of its own, so that whoever reads it back knows that its rule is not only its own. */
static void note_requires(json_t *flag, const json_t *from)
{
    struct arena *a = arena_new(0);
    const char *keys = keys_text(a, json_object_get(from, "requires"));
    json_t *metadata = json_is_object(json_object_get(flag, "metadata"))
                           ? owned(json_copy(json_object_get(flag, "metadata")))
                           : owned(json_object());
    json_object_set_new(metadata, "requires", owned(json_string(keys)));
    json_object_set_new(flag, "metadata", metadata);
    arena_free(a);
}

/* `flag`, a copy of ours, without what other engines do not know. */
static bool write_out(struct export *x, const json_t *from, json_t *flag)
{
    json_t *condition;
    const json_t *own = json_object_get(from, "targeting"),
                 *off = json_object_get(from, "offVariant");
    json_object_del(flag, "requires");
    json_object_del(flag, "offVariant");
    if (json_array_size(json_object_get(from, "requires")) == 0 ||
        !streq(json_text_or(from, "state", NULL), "ENABLED"))
        return true;
    if (is_broken(from))
        return err_set(x->e, ERR_DATA, "flag %s requires another one, but has no \"offVariant\"",
                       x->key);
    if (!all_met(x, from, &condition))
        return false;
    if (json_is_false(condition)) {
        json_object_del(flag, "targeting");
        json_object_set(flag, "defaultVariant", (json_t *)(uintptr_t)off);
        note_requires(flag, from);
    }
    if (json_is_object(condition)) {
        bool has_rule = json_is_object(own) && json_object_size(own) > 0;
        json_object_set_new(
            flag, "targeting",
            owned(json_pack("{s:[O, O, O]}", "if", condition, has_rule ? own : json_null(), off)));
        note_requires(flag, from);
    }
    json_decref(condition);
    return true;
}

bool flag_export(const json_t *document, json_t **ret, struct err *e)
{
    const json_t *flags = json_object_get(document, "flags");
    if (!json_is_object(flags))
        return err_set(e, ERR_DATA, "the document has no object \"flags\"");
    json_t *copy = owned(json_copy((json_t *)(uintptr_t)document)), *written = owned(json_object());
    json_object_set_new(copy, "flags", written);
    json_t *object = (json_t *)(uintptr_t)flags; /* the iterator does not change it */
    for (void *it = json_object_iter(object); it; it = json_object_iter_next(object, it)) {
        struct export x = {
            flags, json_object_get(document, "$evaluators"), json_object_iter_key(it), 0, 0, e
        };
        json_t *flag = owned(json_copy(json_object_iter_value(it)));
        json_object_set_new(written, x.key, flag);
        if (!write_out(&x, json_object_iter_value(it), flag)) {
            json_decref(copy);
            return false;
        }
    }
    *ret = copy;
    return true;
}

static bool is_wrapped(const json_t *flag)
{
    return json_array_size(json_object_get(json_object_get(flag, "targeting"), "if")) == 3;
}

bool flag_export_has_rule(const json_t *flag)
{
    const json_t *requires = json_object_get(json_object_get(flag, "metadata"), "requires");
    return !json_is_string(requires) || is_wrapped(flag);
}

const json_t *flag_export_rule(const json_t *flag)
{
    const json_t *rule = json_object_get(flag, "targeting");
    if (json_is_string(json_object_get(json_object_get(flag, "metadata"), "requires")) &&
        is_wrapped(flag))
        rule = json_array_get(json_object_get(rule, "if"), 1);
    return json_is_object(rule) && json_object_size(rule) > 0 ? rule : NULL;
}
