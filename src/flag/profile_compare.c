/*
 * The operands of conditions: which attributes, against what. See profile.h.
 *
 * Each function is one operator's row of the grammar; all of them read attributes with
 * profile_var(), so that declared types decide in one place.
 */
#include "base/json.h"
#include "flag/profile_inside.h"

#include <assert.h>

/* ---- attributes ---- */

bool profile_is_var(const json_t *value)
{
    const char *name;
    const json_t *operands;
    return profile_operator(value, &name, &operands) && streq(name, "var");
}

/* The name and the default of {"var":…}, in any of its three forms. */
static bool read_form(struct profile_check *c, const struct place *at, const json_t *value,
                      struct profile_var *ret)
{
    const json_t *operands = json_object_get(value, "var");
    size_t n = json_array_size(operands);
    const json_t *name = json_is_array(operands) ? json_array_get(operands, 0) : operands;
    ret->otherwise = n == 2 ? json_array_get(operands, 1) : NULL;
    if (!json_is_string(name) || n > 2)
        return profile_refuse(c, at, "{\"var\":\"name\"} or {\"var\":[\"name\", default]}",
                              "the name of an attribute is written out");
    ret->name = json_string_value(name);
    assert(ret->name);
    if (*ret->name == '\0')
        return profile_refuse(c, at, "{\"var\":\"name\"}", "the whole context is no attribute");
    return true;
}

/* What the engine itself adds to a context. */
static bool is_ours(struct profile_check *c, const struct place *at, struct profile_var *v)
{
    v->is_known = true;
    if (streq(v->name, "targetingKey")) {
        v->type = FLAG_ATTRIBUTE_STRING;
        if (c->p->is_permission)
            profile_note(c, at, NULL,
                         "who is not signed in chooses this key, so ask again where it counts");
        return true;
    }
    if (streq(v->name, "$flagd.flagKey")) {
        v->type = FLAG_ATTRIBUTE_STRING;
        return true;
    }
    if (streq(v->name, "$flagd.timestamp")) {
        v->type = FLAG_ATTRIBUTE_NUMBER;
        profile_note(
            c, at, "`lockflight flags schedule`",
            "the answer changes with the clock, and nothing tells the clients that it did");
        return true;
    }
    return v->is_known = false;
}

/* Finds the declaration. */
static bool resolve(struct profile_check *c, const struct place *at, struct profile_var *v)
{
    bool is_trusted;
    assert(v->name);
    if (is_ours(c, at, v))
        return true;
    if (strchr(v->name, '.'))
        return profile_refuse(c, at, "{\"var\":\"name\"}, with the value sent under that name",
                              "\"%s\" reaches into an attribute", v->name);
    if (!c->p->attributes)
        return true;
    if (!flag_attribute_find(c->p->attributes, v->name, &v->type, &is_trusted))
        return profile_refuse(
            c, at, NULL,
            "the attribute \"%s\" is not declared, so no context has it; declare it "
            "under [attributes]",
            v->name);
    v->is_known = true;
    if (c->p->is_permission && !is_trusted)
        return profile_refuse(c, at, NULL,
                              "a permission must not hang on \"%s\", which the caller may set; "
                              "declare it with trusted = true",
                              v->name);
    return true;
}

static const char *types_text(struct arena *a, unsigned types)
{
    const char *all = "";
    for (unsigned t = FLAG_ATTRIBUTE_STRING; t <= FLAG_ATTRIBUTE_VERSION; t++) {
        if (types & TYPE_BIT(t))
            all = arena_printf(a, "%s%s%s", all, *all ? " or " : "",
                               flag_attribute_type_name((enum flag_attribute_type)t));
    }
    return all;
}

static bool default_fits(const struct profile_var *v, unsigned types)
{
    for (unsigned t = FLAG_ATTRIBUTE_STRING; t <= FLAG_ATTRIBUTE_VERSION; t++) {
        enum flag_attribute_type type = (enum flag_attribute_type)t;
        if ((v->is_known ? v->type == type : (types & TYPE_BIT(t)) != 0) &&
            flag_attribute_fits(type, v->otherwise))
            return true;
    }
    return false;
}

bool profile_var(struct profile_check *c, const struct place *at, const json_t *value,
                 unsigned types, struct profile_var *ret)
{
    *ret = (struct profile_var){ 0 };
    struct place here = { at, "var", 0, false };
    if (!profile_is_var(value))
        return profile_refuse(c, at, "{\"var\":\"name\"}", "an attribute belongs here, not %s",
                              profile_kind(value));
    if (!read_form(c, &here, value, ret) || !resolve(c, &here, ret))
        return false;
    if (ret->is_known && !(types & TYPE_BIT(ret->type)))
        return profile_refuse(c, &here, NULL, "\"%s\" is a %s; this compares a %s", ret->name,
                              flag_attribute_type_name(ret->type), types_text(c->a, types));
    if (ret->otherwise && !default_fits(ret, types))
        return profile_refuse(c, &here, NULL, "the default of \"%s\" is %s, not a %s", ret->name,
                              profile_kind(ret->otherwise),
                              ret->is_known ? flag_attribute_type_name(ret->type)
                                            : types_text(c->a, types));
    return true;
}

/* ---- literals ---- */

static bool need_text(struct profile_check *c, const struct place *at, const json_t *value)
{
    return json_is_string(value) ||
           profile_refuse(c, at, "\"text\"", "a text belongs here, not %s", profile_kind(value));
}

static bool need_texts(struct profile_check *c, const struct place *at, const json_t *value)
{
    if (!json_is_array(value) || json_array_size(value) == 0)
        return profile_refuse(c, at, "[\"a\",\"b\"]", "a list of texts belongs here, not %s",
                              json_is_array(value) ? "an empty one" : profile_kind(value));
    for (size_t i = 0; i < json_array_size(value); i++) {
        struct place here = { at, NULL, i, true };
        if (!need_text(c, &here, json_array_get(value, i)))
            return false;
    }
    return true;
}

/* ---- == != === !== ---- */

static bool fits_literal(const struct profile_var *v, const json_t *literal)
{
    return v->is_known
               ? v->type != FLAG_ATTRIBUTE_LIST && flag_attribute_fits(v->type, literal)
               : json_is_string(literal) || json_is_number(literal) || json_is_boolean(literal);
}

static void equal_to(struct profile_check *c, const struct place *at, bool is_loose,
                     const struct profile_var *v, const json_t *literal)
{
    if (json_is_null(literal) && v->otherwise)
        profile_refuse(c, at, NULL, "\"%s\" has a default, so it is never null", v->name);
    if (json_is_null(literal))
        return;
    if (json_is_object(literal) || json_is_array(literal))
        profile_refuse(c, at, "{\"in\":[{\"var\":\"name\"}, [\"a\",\"b\"]]}",
                       "%s equals nothing but itself", profile_kind(literal));
    else if (!fits_literal(v, literal))
        profile_refuse(c, at, NULL, "\"%s\" is a %s, so it never equals %s", v->name,
                       flag_attribute_type_name(v->type), profile_kind(literal));
    else if (is_loose && !json_is_string(literal))
        profile_refuse(c, at, "\"===\" or \"!==\"",
                       "what loosely equals %s differs between engines", profile_kind(literal));
}

void profile_equal(struct profile_check *c, const struct place *at, const json_t *operands)
{
    bool is_loose = strlen(at->member) == 2;
    struct profile_var v;
    if (!profile_count(c, at, operands, 2, 2, NULL))
        return;
    const json_t *first = json_array_get(operands, 0), *second = json_array_get(operands, 1);
    size_t i = profile_is_var(first) ? 0 : 1;
    struct place here = profile_operand(at, i), there = profile_operand(at, 1 - i);
    const json_t *literal = i == 0 ? second : first;
    if (profile_is_var(literal)) {
        profile_refuse(c, at, "a comparison with a literal", "two attributes are compared");
        return;
    }
    if (is_loose && json_is_null(literal)) {
        profile_refuse(c, at, "\"===\" or \"!==\"",
                       "what loosely equals null differs between engines");
        return;
    }
    if (profile_var(c, &here, i == 0 ? first : second, TYPES_ALL, &v))
        equal_to(c, &there, is_loose, &v, literal);
}

/* ---- < <= > >= ---- */

void profile_order(struct profile_check *c, const struct place *at, const json_t *operands)
{
    size_t max = *at->member == '<' ? 3 : 2;
    if (!profile_count(c, at, operands, 2, max, NULL))
        return;
    for (size_t i = 0; i < json_array_size(operands); i++) {
        const json_t *value = json_array_get(operands, i);
        struct place here = profile_operand(at, i);
        struct profile_var v;
        if (json_is_number(value))
            continue;
        if (!profile_is_var(value)) {
            profile_refuse(c, &here, NULL, "order is defined for numbers, not for %s",
                           profile_kind(value));
            continue;
        }
        if (profile_var(c, &here, value, TYPE_BIT(FLAG_ATTRIBUTE_NUMBER), &v) && !v.otherwise &&
            !streq(v.name, "$flagd.timestamp"))
            profile_refuse(c, &here, arena_printf(c->a, "{\"var\":[\"%s\", 0]}", v.name),
                           "a number that is not there compares differently between engines");
    }
}

/* ---- in, starts_with, ends_with, sem_ver ---- */

void profile_in(struct profile_check *c, const struct place *at, const json_t *operands)
{
    struct profile_var v;
    if (!profile_count(c, at, operands, 2, 2, NULL))
        return;
    struct place first = profile_operand(at, 0), second = profile_operand(at, 1);
    const json_t *needle = json_array_get(operands, 0), *within = json_array_get(operands, 1);
    if (profile_is_var(needle)) {
        if (profile_var(c, &first, needle, TYPES_TEXT, &v))
            (void)need_texts(c, &second, within);
    } else if (need_text(c, &first, needle)) {
        (void)profile_var(c, &second, within, TYPES_TEXT | TYPE_BIT(FLAG_ATTRIBUTE_LIST), &v);
    }
}

void profile_affix(struct profile_check *c, const struct place *at, const json_t *operands)
{
    struct profile_var v;
    if (!profile_count(c, at, operands, 2, 2, NULL))
        return;
    struct place first = profile_operand(at, 0), second = profile_operand(at, 1);
    if (profile_var(c, &first, json_array_get(operands, 0), TYPES_TEXT, &v))
        (void)need_text(c, &second, json_array_get(operands, 1));
}

static bool is_version_order(const char *op)
{
    static const char *const all[] = { "=", "!=", "<", "<=", ">", ">=", "^", "~" };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (streq(op, all[i]))
            return true;
    }
    return false;
}

/* A number without leading zeros that a double holds; moves *p behind it. */
static bool take_number(const char **p)
{
    const char *from = *p;
    while (**p >= '0' && **p <= '9')
        (*p)++;
    size_t n = (size_t)(*p - from);
    return n > 0 && n < 16 && (n == 1 || *from != '0');
}

/* "beta.1" behind "-", or "5114f85" behind "+": pieces of letters, digits and "-". */
static bool take_pieces(const char **p, bool zeros_lead)
{
    do {
        const char *from = ++*p;
        size_t digits = strspn(from, "0123456789");
        size_t n = strspn(from, "0123456789-abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
        if (n == 0 || (!zeros_lead && n == digits && n > 1 && *from == '0') ||
            (n == digits && n > 15))
            return false;
        *p += n;
    } while (**p == '.');
    return true;
}

/* "1", "1.2", or Semantic Versioning's "1.2.3-beta.1+build", with or without a "v". */
static bool is_version(const char *text)
{
    const char *p = text + (*text == 'v' || *text == 'V');
    for (int i = 0; i < 3; i++) {
        if (!take_number(&p))
            return false;
        if (*p == '\0')
            return true;
        if (i == 2)
            break;
        if (*p++ != '.')
            return false;
    }
    if (*p == '-' && !take_pieces(&p, false))
        return false;
    if (*p == '+' && !take_pieces(&p, true))
        return false;
    return *p == '\0';
}

void profile_version(struct profile_check *c, const struct place *at, const json_t *operands)
{
    struct profile_var v;
    if (!profile_count(c, at, operands, 3, 3, NULL))
        return;
    struct place p0 = profile_operand(at, 0), p1 = profile_operand(at, 1),
                 p2 = profile_operand(at, 2);
    const char *op = json_string_value(json_array_get(operands, 1));
    const json_t *literal = json_array_get(operands, 2);
    if (!profile_var(c, &p0, json_array_get(operands, 0), TYPE_BIT(FLAG_ATTRIBUTE_VERSION), &v))
        return;
    if (!is_version_order(op))
        profile_refuse(c, &p1, "one of = != < <= > >= ^ ~", "versions are not compared so");
    if (need_text(c, &p2, literal) && !is_version(json_string_value(literal)))
        profile_refuse(c, &p2, "\"1.2.3\"", "\"%s\" is no version that every engine reads",
                       json_string_value(literal));
}

/* ---- some, none, all ---- */

void profile_list(struct profile_check *c, const struct place *at, const json_t *operands)
{
    static const char *const form = "{\"in\":[{\"var\":\"\"}, [\"a\",\"b\"]]}";
    struct profile_var v;
    const char *inner;
    const json_t *in;
    if (!profile_count(c, at, operands, 2, 2, NULL))
        return;
    struct place first = profile_operand(at, 0), second = profile_operand(at, 1);
    if (profile_var(c, &first, json_array_get(operands, 0), TYPE_BIT(FLAG_ATTRIBUTE_LIST), &v) &&
        streq(at->member, "all") && json_array_size(v.otherwise) + !v.otherwise != 0)
        profile_refuse(c, &first, arena_printf(c->a, "{\"var\":[\"%s\", []]}", v.name),
                       "\"all\" of a list that is not there differs between engines");
    const json_t *test = json_array_get(operands, 1);
    if (!profile_operator(test, &inner, &in) || !streq(inner, "in") || json_array_size(in) != 2 ||
        !json_is_string(json_object_get(json_array_get(in, 0), "var")) ||
        *json_string_value(json_object_get(json_array_get(in, 0), "var")) != '\0' ||
        !profile_is_var(json_array_get(in, 0))) {
        profile_refuse(c, &second, form, "an item is asked only whether it is in a list of texts");
        return;
    }
    struct place inside = { &second, "in", 1, true };
    (void)need_texts(c, &inside, json_array_get(in, 1));
}
