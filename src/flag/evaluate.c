/*
 * Evaluation: see evaluate.h.
 */
#include "flag/evaluate.h"

#include "base/limits.h"
#include "flag/explain.h"
#include "flag/inside.h"
#include "flag/run.h"

struct flag_context flag_context(const json_t *values, int64_t now_s)
{
    /* the slots are read only when `known` says so; zeroing them would take longer than a flag */
    __attribute__((uninitialized)) struct flag_context c;
    c.values = values;
    c.now_s = now_s;
    c.steps_left = LIMIT_FLAG_STEPS;
    c.serial = 0;
    c.known = 0;
    return c;
}

static void fail(struct flag_answer *ret, enum flag_error error, const char *detail,
                 const char *metadata)
{
    *ret = (struct flag_answer){
        .reason = FLAG_REASON_ERROR, .error = error, .detail = detail, .metadata = metadata
    };
}

/* What the rule says. */
static void by_rule(const struct flag_document *d, const struct flag *f, struct flag_context *c,
                    struct telling *telling, struct flag_answer *ret)
{
    if (c->serial != d->serial) {
        c->serial = d->serial;
        c->known = 0;
    }
    struct run r = run_begin(c, f->key);
    r.telling = telling;
    struct value v = run_node(&r, f->rule->top);
    const struct variant *variant = NULL;
    struct str name;
    if (v.kind == VALUE_TEXT)
        variant = flag_variant(f, value_str(v));
    else if (!value_is_nothing(v) && !value_is_object(v) && run_text(&r, v, &name))
        variant = flag_variant(f, name);
    unsigned steps = c->steps_left - r.steps_left;
    c->steps_left = r.steps_left;
    if (r.why)
        fail(ret, FLAG_GENERAL, r.why, f->metadata);
    else if (value_is_nothing(v))
        *ret = f->by_default;
    else if (variant)
        *ret = variant->matched;
    else
        fail(ret, FLAG_GENERAL, "the rule names a variant that the flag does not have",
             f->metadata);
    ret->steps = steps;
}

static void evaluate(const struct flag_document *d, const struct flag *f, struct flag_context *c,
                     struct telling *telling, struct flag_answer *ret);

/* The first requirement that is not met, or NULL. */
// NOLINTNEXTLINE(misc-no-recursion): no deeper than LIMIT_FLAG_RULE_DEPTH, see require.c
static const struct requirement *unmet(const struct flag_document *d, const struct flag *f,
                                       struct flag_context *c, struct telling *telling)
{
    for (size_t i = 0; i < f->requirement_count; i++) {
        const struct requirement *r = &f->requirements[i];
        struct flag_answer other;
        if (!r->flag || !c->steps_left)
            return r;
        c->steps_left--;
        evaluate(d, r->flag, c, telling, &other);
        if (!other.variant || !str_is(r->variant, other.variant))
            return r;
    }
    return NULL;
}

// NOLINTNEXTLINE(misc-no-recursion): as unmet()
static void evaluate(const struct flag_document *d, const struct flag *f, struct flag_context *c,
                     struct telling *telling, struct flag_answer *ret)
{
    if (f->is_plain) {
        *ret = f->at_rest;
        return;
    }
    if (f->broken) {
        fail(ret, FLAG_PARSE_ERROR, f->broken, f->metadata);
        return;
    }
    unsigned before = c->steps_left;
    const struct requirement *r = f->requirement_count ? unmet(d, f, c, telling) : NULL;
    if (r)
        *ret = r->unmet;
    else if (f->rule)
        by_rule(d, f, c, telling, ret);
    else
        *ret = f->at_rest;
    ret->steps = before - c->steps_left;
}

void flag_evaluate(const struct flag_document *d, const struct flag *f, struct flag_context *c,
                   struct flag_answer *ret)
{
    if (f)
        evaluate(d, f, c, NULL, ret);
    else
        fail(ret, FLAG_NOT_FOUND, "there is no flag of this key", d->metadata);
}

void flag_explain(const struct flag_document *d, const struct flag *f, struct flag_context *c,
                  void (*line)(void *to, int depth, const char *text), void *to,
                  struct flag_answer *ret)
{
    struct telling t = { .line = line, .to = to, .depth = 1 };
    CLEANUP(strbuf) struct strbuf b = strbuf_init(4 * KIB);
    if (!f) {
        flag_evaluate(d, f, c, ret);
        line(to, 0, ret->detail);
        return;
    }
    evaluate(d, f, c, &t, ret);
    (void)strbuf_printf(&b, "%s: %s", f->key.p, flag_reason_name(ret->reason));
    if (ret->error != FLAG_OK)
        (void)strbuf_printf(&b, " %s: %s", flag_error_name(ret->error), ret->detail);
    else if (ret->variant)
        (void)strbuf_printf(&b, ", variant %s", ret->variant);
    line(to, 0, strbuf_text(&b));
}

const char *flag_reason_name(enum flag_reason r)
{
    static const char *const names[] = {
        [FLAG_REASON_ERROR] = "ERROR",       [FLAG_REASON_STATIC] = "STATIC",
        [FLAG_REASON_DEFAULT] = "DEFAULT",   [FLAG_REASON_TARGETING_MATCH] = "TARGETING_MATCH",
        [FLAG_REASON_DISABLED] = "DISABLED",
    };
    return names[r];
}

const char *flag_error_name(enum flag_error x)
{
    static const char *const names[] = {
        [FLAG_NOT_FOUND] = "FLAG_NOT_FOUND",
        [FLAG_PARSE_ERROR] = "PARSE_ERROR",
        [FLAG_GENERAL] = "GENERAL",
    };
    return names[x];
}
