/*
 * Cross-checks of lockflight.flags.toml: one function per rule, each naming the place and the
 * remedy. A definition that passes is one that every environment's database takes.
 */
#include "base/json.h"
#include "base/limits.h"
#include "base/nearest.h"
#include "config/flags_toml.h"

#include <stdlib.h>

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS  "0123456789"

#define ATTRIBUTE_BYTES 63 /* as the database keeps it */

#define NUMBER_MAX 9007199254740991.0 /* whole numbers beyond are not the same in JavaScript */

/* ERR_CONFIG at the place of `field`; the caller has set the text. */
static bool at(const struct config *c, const void *field, struct err *e)
{
    return err_where_origin(e, config_origin(c, field));
}

static bool consists_of(const char *text, const char *rest, size_t max)
{
    return text[0] && strchr(LETTERS, text[0]) && text[strspn(text, rest)] == '\0' &&
           strlen(text) <= max;
}

static bool too_many(const char *what, size_t n, size_t max, struct err *e)
{
    if (n <= max)
        return false;
    err_set(e, ERR_LIMIT, "%zu %s are more than %zu", n, what, max);
    return true;
}

/* ---- one flag ---- */

static bool check_words(const struct config *c, const struct config_flag *f, struct err *e)
{
    if (!consists_of(f->name, LETTERS DIGITS "_.-", LIMIT_FLAG_KEY_BYTES)) {
        err_set(e, ERR_CONFIG,
                "flag \"%s\" must be up to %d of letters, digits, _ . and -, a letter first",
                f->name, LIMIT_FLAG_KEY_BYTES);
        return at(c, &f->name, e);
    }
    const char *const *long_one = strlen(f->description) > LIMIT_FLAG_WORDS_BYTES ? &f->description
                                  : strlen(f->owner) > LIMIT_FLAG_WORDS_BYTES     ? &f->owner
                                                                                  : NULL;
    if (!long_one)
        return true;
    err_set(e, ERR_LIMIT, "flag %s: a text of more than %d bytes", f->name, LIMIT_FLAG_WORDS_BYTES);
    return at(c, long_one, e);
}

/* A variant's name is what a rule answers with, between quotes in documents of others. */
static bool check_variant_name(const struct config *c, const struct config_flag *f,
                               const struct text_pair *v, struct err *e)
{
    size_t n = strlen(v->name);
    if (n > 0 && n <= LIMIT_FLAG_KEY_BYTES && !strchr(v->name, '"') && v->name[0] != ' ' &&
        v->name[n - 1] != ' ')
        return true;
    err_set(e, ERR_CONFIG,
            "flag %s: variant \"%s\" must be 1 to %d bytes without quotes or outer spaces", f->name,
            v->name, LIMIT_FLAG_KEY_BYTES);
    return at(c, &v->name, e);
}

static bool is_of_type(const char *json, const char *type)
{
    switch (json[0]) {
    case '"':
        return streq(type, "string");
    case '{':
        return streq(type, "object");
    case 't':
    case 'f':
        return streq(type, "boolean");
    case '[':
        return false;
    default:
        return streq(type, "number");
    }
}

static bool check_value(const struct config *c, const struct config_flag *f,
                        const struct text_pair *v, struct err *e)
{
    if (v->value[0] == '[') {
        err_set(
            e, ERR_CONFIG,
            "flag %s: variant %s is a list; a value is a text, a number, true or false, or a table",
            f->name, v->name);
        return at(c, &v->value, e);
    }
    if (!is_of_type(v->value, f->type)) {
        err_set(e, ERR_CONFIG, "flag %s: variant %s is no %s, as %s is", f->name, v->name, f->type,
                f->variants.v[0].name);
        err_hint(e, "the values of a flag are of one type");
        return at(c, &v->value, e);
    }
    double number = streq(f->type, "number") ? strtod(v->value, NULL) : 0;
    if (number > NUMBER_MAX || number < -NUMBER_MAX) {
        err_set(e, ERR_CONFIG,
                "flag %s: variant %s is beyond 2^53 - 1, and not the same number in a browser",
                f->name, v->name);
        return at(c, &v->value, e);
    }
    if (strlen(v->value) > LIMIT_FLAG_TEXT_BYTES) {
        err_set(e, ERR_LIMIT, "flag %s: variant %s has more than %zu bytes", f->name, v->name,
                LIMIT_FLAG_TEXT_BYTES);
        return at(c, &v->value, e);
    }
    return true;
}

/* `variant` of `f` is named at `field`. */
static bool need_variant(const struct config *c, const struct config_flag *f, const char *variant,
                         const void *field, const char *role, struct err *e)
{
    if (config_flag_value(f, variant))
        return true;
    struct nearest n = nearest_to(variant);
    for (size_t i = 0; i < f->variants.n; i++)
        nearest_offer(&n, f->variants.v[i].name);
    err_set(e, ERR_CONFIG, "flag %s has no variant \"%s\"%s", f->name, variant, role);
    if (n.best)
        err_hint(e, "did you mean \"%s\"?", n.best);
    return config_origin(c, field).kind == ORIGIN_FILE ? at(c, field, e) : at(c, &f->name, e);
}

static bool check_variants(const struct config *c, const struct config_flag *f, struct err *e)
{
    if (f->variants.n == 0) {
        err_set(e, ERR_CONFIG, "flag %s has no variants", f->name);
        return at(c, &f->variants, e);
    }
    if (too_many("variants", f->variants.n, LIMIT_FLAG_VARIANTS, e))
        return at(c, &f->variants, e);
    for (size_t i = 0; i < f->variants.n; i++) {
        const struct text_pair *v = &f->variants.v[i];
        if (!check_variant_name(c, f, v, e) || !check_value(c, f, v, e))
            return false;
    }
    return need_variant(c, f, f->off, &f->off, " to serve while it is off", e);
}

static bool check_initial(const struct config *c, const struct config_flag *f, struct err *e)
{
    for (size_t i = 0; i < f->initial.n; i++) {
        const struct text_pair *one = &f->initial.v[i];
        if (!config_env_find(c, one->name)) {
            struct nearest n = nearest_to(one->name);
            for (size_t k = 0; k < c->envs_n; k++)
                nearest_offer(&n, c->envs[k].name);
            err_set(e, ERR_CONFIG,
                    "flag %s: initial names environment \"%s\", which is not declared", f->name,
                    one->name);
            if (n.best)
                err_hint(e, "did you mean \"%s\"?", n.best);
            return at(c, &one->name, e);
        }
        if (!need_variant(c, f, one->value, &one->value, "", e))
            return false;
    }
    return true;
}

/* ---- what it needs ---- */

static bool check_needs(const struct config *c, const struct config_flag *f, struct err *e)
{
    const struct text_array *m = &f->needs.migrations;
    const struct text_array *functions = &f->needs.functions;
    if (too_many("things that a flag needs", m->n + functions->n, LIMIT_FLAG_LIST, e))
        return at(c, &f->name, e);
    for (size_t i = 0; i < m->n; i++) {
        if (m->v[i][0] && m->v[i][strspn(m->v[i], DIGITS)] == '\0')
            continue;
        err_set(e, ERR_CONFIG, "flag %s needs migration \"%s\", which is no version", f->name,
                m->v[i]);
        err_hint(e, "the digits before the name of its file: \"20260126090000\"");
        return at(c, &m->v[i], e);
    }
    for (size_t i = 0; i < functions->n; i++) {
        struct nearest n = nearest_to(functions->v[i]);
        bool is_there = false;
        for (size_t k = 0; k < c->supabase.functions_n; k++) {
            is_there |= streq(c->supabase.functions[k].slug, functions->v[i]);
            nearest_offer(&n, c->supabase.functions[k].slug);
        }
        if (is_there)
            continue;
        err_set(e, ERR_CONFIG, "flag %s needs function \"%s\", which the project does not have",
                f->name, functions->v[i]);
        if (n.best)
            err_hint(e, "did you mean \"%s\"?", n.best);
        return at(c, &functions->v[i], e);
    }
    return true;
}

/* ---- what it requires ---- */

static bool check_requires(const struct config *c, const struct config_flag *f, struct err *e)
{
    if (too_many("flags that one requires", f->requires.n, LIMIT_FLAG_LIST, e))
        return at(c, &f->name, e);
    for (size_t i = 0; i < f->requires.n; i++) {
        const struct config_flag_requires *r = &f->requires.v[i];
        const struct config_flag *other = r->flag ? config_flag_find(c, r->flag) : NULL;
        if (other) {
            if (!need_variant(c, other, r->variant, &r->variant, "", e))
                return false;
            continue;
        }
        if (!r->flag) {
            err_set(e, ERR_CONFIG, "flag %s: requires must name a flag", f->name);
            err_hint(e, "requires = [{ flag = \"crm\", variant = \"on\" }]");
            return at(c, r, e);
        }
        struct nearest n = nearest_to(r->flag);
        for (size_t k = 0; k < c->flags.n; k++)
            nearest_offer(&n, c->flags.v[k].name);
        err_set(e, ERR_CONFIG, "flag %s requires \"%s\", which is not declared", f->name, r->flag);
        if (n.best)
            err_hint(e, "did you mean \"%s\"?", n.best);
        return at(c, &r->flag, e);
    }
    return true;
}

/* For each flag: not looked at, on the way from the one we began with, or known to end. */
enum mark {
    UNSEEN,
    ON_THE_WAY,
    ENDS
};

/* The depth is limited by LIMIT_FLAGS, a few hundred bytes each. NOLINTNEXTLINE(misc-no-recursion) */
static bool ends(const struct config *c, enum mark *marks, const struct config_flag *f,
                 struct err *e)
{
    enum mark *mark = &marks[f - c->flags.v];
    if (*mark == ENDS)
        return true;
    *mark = ON_THE_WAY;
    for (size_t i = 0; i < f->requires.n; i++) {
        const struct config_flag *next = config_flag_find(c, f->requires.v[i].flag);
        if (marks[next - c->flags.v] == ON_THE_WAY) {
            err_set(e, ERR_CONFIG, "flag %s requires itself, by way of \"%s\"", next->name,
                    f->name);
            return at(c, &f->requires.v[i].flag, e);
        }
        if (!ends(c, marks, next, e))
            return false;
    }
    *mark = ENDS;
    return true;
}

static bool check_circles(const struct config *c, struct err *e)
{
    enum mark *marks = ARENA_ARRAY(c->arena, enum mark, c->flags.n + 1);
    for (size_t i = 0; i < c->flags.n; i++) {
        if (!ends(c, marks, &c->flags.v[i], e))
            return false;
    }
    return true;
}

/* ---- attributes, segments, and who points at flags ---- */

static bool check_attribute(const struct config *c, const struct config_attribute *x, struct err *e)
{
    if (streq(x->name, "targetingKey"))
        err_set(e, ERR_CONFIG, "targetingKey needs no declaration: every context may have one");
    else if (!consists_of(x->name, LETTERS DIGITS "_", ATTRIBUTE_BYTES))
        err_set(e, ERR_CONFIG,
                "attribute \"%s\" must be up to %d of letters, digits and _, a letter first",
                x->name, ATTRIBUTE_BYTES);
    else if (!x->type)
        err_set(e, ERR_CONFIG, "attribute %s does not say its type: type = \"string\"", x->name);
    else
        return true;
    return at(c, &x->name, e);
}

static bool check_segment(const struct config *c, const struct config_segment *s, struct err *e)
{
    if (!consists_of(s->name, LETTERS DIGITS "_.-", LIMIT_FLAG_KEY_BYTES)) {
        err_set(e, ERR_CONFIG,
                "segment \"%s\" must be of letters, digits, _ . and -, a letter first", s->name);
        return at(c, &s->name, e);
    }
    if (!s->rule) {
        err_set(e, ERR_CONFIG, "segment %s has no rule", s->name);
        return at(c, &s->name, e);
    }
    json_auto_t *rule = json_parse(str_of(s->rule), "the rule", e);
    if (rule && json_is_object(rule))
        return true;
    if (rule)
        err_set(e, ERR_CONFIG, "segment %s: the rule must be a JSON object", s->name);
    err_recode(e, ERR_CONFIG);
    err_wrap(e, "segment %s", s->name);
    return at(c, &s->rule, e);
}

/* A check that names a module is asked about its flag when it is red; one that is misspelt would not
 * be. */
static bool check_modules(const struct config *c, struct err *e)
{
    for (size_t i = 0; i < c->checks_n && c->flags.n > 0; i++) {
        const struct config_check *check = &c->checks[i];
        if (!check->module || config_flag_find(c, check->module))
            continue;
        struct nearest n = nearest_to(check->module);
        for (size_t k = 0; k < c->flags.n; k++)
            nearest_offer(&n, c->flags.v[k].name);
        err_set(e, ERR_CONFIG, "check.%s.module names \"%s\", and there is no such flag",
                check->name, check->module);
        if (n.best)
            err_hint(e, "did you mean \"%s\"?", n.best);
        return at(c, &check->module, e);
    }
    return true;
}

bool flags_validate(const struct config *c, struct err *e)
{
    const struct config_flags *f = &c->flags;
    if (too_many("flags", f->n, LIMIT_FLAGS, e) ||
        too_many("attributes", f->attributes_n, LIMIT_FLAG_ATTRIBUTES, e) ||
        too_many("segments", f->segments_n, LIMIT_FLAG_SEGMENTS, e))
        return false;
    for (size_t i = 0; i < f->attributes_n; i++) {
        if (!check_attribute(c, &f->attributes[i], e))
            return false;
    }
    for (size_t i = 0; i < f->segments_n; i++) {
        if (!check_segment(c, &f->segments[i], e))
            return false;
    }
    for (size_t i = 0; i < f->n; i++) {
        const struct config_flag *flag = &f->v[i];
        if (!check_words(c, flag, e) || !check_variants(c, flag, e) || !check_initial(c, flag, e) ||
            !check_needs(c, flag, e) || !check_requires(c, flag, e))
            return false;
    }
    return check_circles(c, e) && check_modules(c, e);
}
