/*
 * Rules and conditions of the portable profile: see profile.h. What stands in a condition's operands
 * is in profile_compare.c, shares of users in profile_fractional.c.
 */
#include "base/json.h"
#include "base/limits.h"
#include "flag/document.h"
#include "flag/evaluate.h"
#include "flag/profile_inside.h"

#include <stdarg.h>

/* ---- findings ---- */

// NOLINTNEXTLINE(misc-no-recursion): as deep as the rule, which is limited
static const char *place_text(struct arena *a, const struct place *at)
{
    if (!at->up)
        return "";
    const char *up = place_text(a, at->up);
    const char *dot = *up && at->member ? "." : "";
    const char *member = at->member ? at->member : "";
    if (!at->has_index)
        return arena_printf(a, "%s%s%s", up, dot, member);
    return arena_printf(a, "%s%s%s[%zu]", up, dot, member, at->index);
}

static void add(struct profile_check *c, const struct place *at, bool is_note, const char *instead,
                const char *why)
{
    struct flag_findings *f = c->found;
    f->refusals += !is_note;
    if (f->n == FLAG_FINDINGS_MAX && (is_note || f->refusals > 1))
        return;
    if (f->n == FLAG_FINDINGS_MAX)
        f->n--; /* the first refusal is told whatever notes there were before it */
    if (f->n == f->capacity) {
        size_t room = f->capacity ? f->capacity * 2 : 8;
        struct flag_finding *v = ARENA_ARRAY(c->a, struct flag_finding, room);
        if (f->n)
            memcpy(v, f->v, f->n * sizeof *v);
        f->v = v;
        f->capacity = room;
    }
    f->v[f->n++] = (struct flag_finding){ place_text(c->a, at), why, instead, is_note };
}

bool profile_refuse(struct profile_check *c, const struct place *at, const char *instead,
                    const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    add(c, at, false, instead, arena_vprintf(c->a, fmt, ap));
    va_end(ap);
    return false;
}

void profile_note(struct profile_check *c, const struct place *at, const char *instead,
                  const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    add(c, at, true, instead, arena_vprintf(c->a, fmt, ap));
    va_end(ap);
}

const char *flag_finding_text(struct arena *a, const struct flag_finding *f)
{
    return arena_printf(a, "%s%s%s%s%s", f->at, *f->at ? ": " : "", f->why,
                        f->instead ? "; write " : "", f->instead ? f->instead : "");
}

/* ---- operators ---- */

bool profile_operator(const json_t *value, const char **ret_name, const json_t **ret_operands)
{
    if (!json_is_object(value) || json_object_size(value) != 1)
        return false;
    json_t *object = (json_t *)(uintptr_t)value; /* the iterator does not change it */
    void *it = json_object_iter(object);
    *ret_name = json_object_iter_key(it);
    *ret_operands = json_object_iter_value(it);
    return true;
}

const char *profile_kind(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return json_object_size(value) == 1 ? "an object"
                                            : "an object without exactly one operator";
    case JSON_ARRAY:
        return "a list";
    case JSON_STRING:
        return "a text";
    case JSON_INTEGER:
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "true or false";
    case JSON_NULL:
        break;
    }
    return "null";
}

struct place profile_operand(const struct place *at, size_t i)
{
    struct place p = *at;
    p.index = i;
    p.has_index = true;
    return p;
}

bool profile_count(struct profile_check *c, const struct place *at, const json_t *operands,
                   size_t min, size_t max, const char *instead)
{
    const char *name = at->member;
    size_t n = json_array_size(operands);
    if (!json_is_array(operands))
        return profile_refuse(c, at, instead, "\"%s\" takes its operands in an array", name);
    if (n >= min && n <= max)
        return true;
    if (min == max)
        return profile_refuse(c, at, instead, "\"%s\" takes %zu operand%s, not %zu", name, min,
                              min == 1 ? "" : "s", n);
    return profile_refuse(c, at, instead, "\"%s\" takes %s%zu operands, not %zu", name,
                          n < min ? "at least " : "at most ", n < min ? min : max, n);
}

/* Goes one operator deeper. */
static bool enter(struct profile_check *c, const struct place *at)
{
    if (c->depth == LIMIT_FLAG_RULE_DEPTH)
        return profile_refuse(c, at, NULL, "the rule is nested deeper than %d operators",
                              LIMIT_FLAG_RULE_DEPTH);
    if (++c->operators == LIMIT_FLAG_STEPS + 1)
        profile_refuse(c, at, "a list: {\"in\":[{\"var\":\"…\"}, […]]}",
                       "the rule has more than %d operators", LIMIT_FLAG_STEPS);
    if (c->operators > LIMIT_FLAG_STEPS)
        return false;
    c->depth++;
    return true;
}

/* ---- conditions ---- */

static void condition(struct profile_check *c, const struct place *at, const json_t *value);

// NOLINTNEXTLINE(misc-no-recursion): enter() limits the depth
static void all_conditions(struct profile_check *c, const struct place *at, const json_t *operands)
{
    if (!profile_count(c, at, operands, 2, SIZE_MAX, NULL))
        return;
    for (size_t i = 0; i < json_array_size(operands); i++) {
        struct place here = profile_operand(at, i);
        condition(c, &here, json_array_get(operands, i));
    }
}

// NOLINTNEXTLINE(misc-no-recursion): enter() limits the depth
static void negation(struct profile_check *c, const struct place *at, const json_t *operands)
{
    if (!profile_count(c, at, operands, 1, 1, "{\"!\":[condition]}"))
        return;
    struct place here = profile_operand(at, 0);
    condition(c, &here, json_array_get(operands, 0));
}

/* What a permission must not hang on it must not hang on through a segment. */
// NOLINTNEXTLINE(misc-no-recursion): a segment may not refer to a segment
static void trusted_segment(struct profile_check *c, const struct place *at, const json_t *segment)
{
    c->is_segment = true;
    condition(c, at, segment);
    c->is_segment = false;
}

// NOLINTNEXTLINE(misc-no-recursion): no deeper than a segment
static void reference(struct profile_check *c, const struct place *at, const json_t *operands)
{
    if (!json_is_string(operands))
        profile_refuse(c, at, "{\"$ref\":\"segment\"}", "a reference is the name of a segment");
    else if (c->is_segment)
        profile_refuse(c, at, "its condition here", "a segment may not refer to a segment");
    else if (!json_object_get(c->p->segments, json_string_value(operands)))
        profile_refuse(c, at, NULL, "there is no segment \"%s\"", json_string_value(operands));
    else if (c->p->is_permission)
        trusted_segment(c, at, json_object_get(c->p->segments, json_string_value(operands)));
}

static const struct {
    const char *name;
    profile_operands *check;
} conditions[] = {
    { "and", all_conditions },
    { "or", all_conditions },
    { "!", negation },
    { "$ref", reference },
    { "==", profile_equal },
    { "!=", profile_equal },
    { "===", profile_equal },
    { "!==", profile_equal },
    { "<", profile_order },
    { "<=", profile_order },
    { ">", profile_order },
    { ">=", profile_order },
    { "in", profile_in },
    { "starts_with", profile_affix },
    { "ends_with", profile_affix },
    { "sem_ver", profile_version },
    { "some", profile_list },
    { "none", profile_list },
    { "all", profile_list },
};

/* Operators that exist, with what is wrong with them and what to write. */
static const struct {
    const char *name;
    const char *why;
    const char *instead;
} others[] = {
    // clang-format off
    { "var",          "an attribute alone is true or false by rules that differ between engines", "{\"===\":[{\"var\":\"name\"}, true]}, or {\"!==\":[{\"var\":\"name\"}, null]} for \"is there\"" },
    { "!!",           "what counts as true differs between engines", "the condition alone" },
    { "if",           "a choice inside a condition", "\"and\" and \"or\"" },
    { "?:",           "\"?:\" is not known to every engine", "\"if\"" },
    { "missing",      "what counts as missing differs between engines", "{\"===\":[{\"var\":\"name\"}, null]}" },
    { "missing_some", "what counts as missing differs between engines", "\"or\" of {\"===\":[{\"var\":\"name\"}, null]}" },
    { "+",            "arithmetic fails or gives null by rules that differ between engines", "the number that it gives" },
    { "-",            "arithmetic fails or gives null by rules that differ between engines", "the number that it gives" },
    { "*",            "arithmetic fails or gives null by rules that differ between engines", "the number that it gives" },
    { "/",            "arithmetic fails or gives null by rules that differ between engines", "the number that it gives" },
    { "%",            "arithmetic fails or gives null by rules that differ between engines", "a share of users: {\"fractional\":[[\"on\",25],[\"off\",75]]}" },
    { "max",          "arithmetic fails or gives null by rules that differ between engines", "\"or\" of two comparisons" },
    { "min",          "arithmetic fails or gives null by rules that differ between engines", "\"and\" of two comparisons" },
    { "cat",          "joining texts outside a fractional's key", "the attributes one by one, with \"and\"" },
    { "substr",       "a part of a text is counted in units that differ between engines", "{\"starts_with\":[{\"var\":\"name\"}, \"text\"]}" },
    { "merge",        "lists made by a rule", "the list itself" },
    { "map",          "lists made by a rule", "{\"some\":[{\"var\":\"list\"}, {\"in\":[{\"var\":\"\"}, [\"a\"]]}]}" },
    { "filter",       "lists made by a rule", "{\"some\":[{\"var\":\"list\"}, {\"in\":[{\"var\":\"\"}, [\"a\"]]}]}" },
    { "reduce",       "lists made by a rule", "{\"some\":[{\"var\":\"list\"}, {\"in\":[{\"var\":\"\"}, [\"a\"]]}]}" },
    { "fractional",   "a share of users inside a condition", "it as a rule of its own: {\"if\":[condition, {\"fractional\":[…]}, \"off\"]}" },
    // clang-format on
};

static void other_operator(struct profile_check *c, const struct place *at, const char *name)
{
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (streq(name, others[i].name)) {
            profile_refuse(c, at, others[i].instead, "%s", others[i].why);
            return;
        }
    }
    profile_refuse(c, at, NULL, "there is no operator \"%s\"", name);
}

// NOLINTNEXTLINE(misc-no-recursion): enter() limits the depth
static void condition(struct profile_check *c, const struct place *at, const json_t *value)
{
    const char *name;
    const json_t *operands;
    if (json_is_boolean(value)) {
        profile_refuse(c, at, "the rule without it", "a condition that is always %s",
                       json_is_true(value) ? "true" : "false");
        return;
    }
    if (!profile_operator(value, &name, &operands)) {
        profile_refuse(c, at, "{\"===\":[{\"var\":\"name\"}, \"text\"]} or the like",
                       "%s is no condition", profile_kind(value));
        return;
    }
    struct place here = { at, name, 0, false };
    if (!enter(c, &here))
        return;
    size_t i = 0, n = sizeof conditions / sizeof conditions[0];
    while (i < n && !streq(name, conditions[i].name))
        i++;
    if (i < n)
        conditions[i].check(c, &here, operands);
    else
        other_operator(c, &here, name);
    c->depth--;
}

/* ---- rules ---- */

static void rule(struct profile_check *c, const struct place *at, const json_t *value);

// NOLINTNEXTLINE(misc-no-recursion): enter() limits the depth
static void choice(struct profile_check *c, const struct place *at, const json_t *operands)
{
    static const char *const form = "{\"if\":[condition, \"on\", \"off\"]}";
    size_t n = json_array_size(operands);
    if (!profile_count(c, at, operands, 3, SIZE_MAX, form))
        return;
    if (n % 2 == 0)
        profile_refuse(c, at, form, "\"if\" ends without an else, which not every engine allows");
    for (size_t i = 0; i < n; i++) {
        struct place here = profile_operand(at, i);
        if (i % 2 == 0 && i + 1 < n)
            condition(c, &here, json_array_get(operands, i));
        else
            rule(c, &here, json_array_get(operands, i));
    }
}

bool profile_variant(struct profile_check *c, const struct place *at, const char *name)
{
    if (json_object_get(c->p->variants, name))
        return true;
    const char *all = "";
    json_t *variants = (json_t *)(uintptr_t)c->p->variants;
    for (void *it = json_object_iter(variants); it; it = json_object_iter_next(variants, it))
        all = arena_printf(c->a, "%s%s\"%s\"", all, *all ? ", " : "", json_object_iter_key(it));
    return profile_refuse(c, at, *all ? all : NULL, "there is no variant \"%s\"", name);
}

static void bare_condition(struct profile_check *c, const struct place *at)
{
    if (!json_object_get(c->p->variants, "true") || !json_object_get(c->p->variants, "false"))
        profile_refuse(c, at, "{\"if\":[condition, \"on\", \"off\"]}",
                       "a condition answers true or false, and the flag has no such variants");
}

// NOLINTNEXTLINE(misc-no-recursion): enter() limits the depth
static void rule(struct profile_check *c, const struct place *at, const json_t *value)
{
    const char *name;
    const json_t *operands;
    if (json_is_null(value))
        return;
    if (json_is_string(value)) {
        profile_variant(c, at, json_string_value(value));
        return;
    }
    if (json_is_boolean(value)) {
        bare_condition(c, at);
        return;
    }
    bool is_operator = profile_operator(value, &name, &operands);
    if (is_operator && (streq(name, "if") || streq(name, "fractional"))) {
        struct place here = { at, name, 0, false };
        if (!enter(c, &here))
            return;
        if (streq(name, "if"))
            choice(c, &here, operands);
        else
            profile_fractional(c, &here, operands);
        c->depth--;
        return;
    }
    if (!is_operator && !json_is_object(value)) {
        profile_refuse(c, at, "\"on\"", "a rule answers with the name of a variant, not with %s",
                       profile_kind(value));
        return;
    }
    size_t refusals = c->found->refusals;
    condition(c, at, value);
    if (c->found->refusals == refusals) /* else what is wrong with it has been said */
        bare_condition(c, at);
}

static bool is_none(const json_t *value)
{
    return !value || json_is_null(value) || (json_is_object(value) && json_object_size(value) == 0);
}

static const struct place root = { NULL, NULL, 0, false };

void flag_profile_rule(const struct flag_profile *p, struct arena *a, const json_t *value,
                       struct flag_findings *ret)
{
    struct profile_check c = { .p = p, .a = a, .found = ret };
    if (is_none(value))
        return;
    if (json_is_object(value))
        rule(&c, &root, value);
    else
        profile_refuse(&c, &root, "the default variant for \"always this one\"",
                       "a rule is an object");
}

void flag_profile_segment(const struct flag_profile *p, struct arena *a, const json_t *value,
                          struct flag_findings *ret)
{
    struct profile_check c = { .p = p, .a = a, .found = ret, .is_segment = true };
    condition(&c, &root, value);
}

/* ---- a rule to be stored ---- */

/* Does it compile at all? Asked of the evaluator, with a flag of this one rule. */
static bool compiles(const struct flag_profile *p, const json_t *value, bool is_segment,
                     struct err *e)
{
    struct flag_document *d = NULL;
    json_t *variants = is_segment ? json_pack("{s:b}", "true", 1) : json_deep_copy(p->variants);
    json_t *document = json_pack("{s:{s:{s:s, s:o, s:O}}}", "flags", "rule", "state", "ENABLED",
                                 "variants", variants, "targeting", value);
    if (p->segments && !is_segment)
        json_object_set(document, "$evaluators", (json_t *)(uintptr_t)p->segments);
    bool ok = flag_document_compile(document, "the rule", &d, e);
    json_t *nobody = json_object();
    if (ok) {
        struct flag_context context = flag_context(nobody, 0);
        struct flag_answer answer;
        flag_evaluate(d, flag_document_at(d, 0), &context, &answer);
        if (answer.error == FLAG_PARSE_ERROR)
            ok = err_set(e, ERR_DATA, "%s",
                         answer.detail ? answer.detail : "the rule does not compile");
    }
    json_decref(nobody);
    json_decref(document);
    flag_document_free(d);
    return ok;
}

static bool refused(struct arena *a, const char *what, const struct flag_findings *f, struct err *e)
{
    const struct flag_finding *first = f->v;
    while (first->is_note)
        first++;
    err_set(e, ERR_DATA, "%s%s%s", *first->at ? arena_printf(a, "at %s: ", first->at) : "",
            first->why, f->refusals > 1 ? arena_printf(a, " (and %zu more)", f->refusals - 1) : "");
    err_wrap(e, "%s", what);
    return first->instead ? err_hint(e, "write %s", first->instead) : false;
}

bool flag_check_rule(const struct flag_profile *p, struct arena *a, const char *what,
                     const json_t *value, struct flag_findings *ret, struct err *e)
{
    flag_profile_rule(p, a, value, ret);
    if (ret->refusals == 0)
        return true;
    if (!p->takes_unportable)
        return refused(a, what, ret, e);
    return compiles(p, value, false, e) || err_wrap(e, "%s", what);
}

bool flag_check_segment(const struct flag_profile *p, struct arena *a, const char *what,
                        const json_t *value, struct flag_findings *ret, struct err *e)
{
    flag_profile_segment(p, a, value, ret);
    if (ret->refusals == 0)
        return true;
    if (!p->takes_unportable)
        return refused(a, what, ret, e);
    return compiles(p, value, true, e) || err_wrap(e, "%s", what);
}
