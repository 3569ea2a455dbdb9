/*
 * Evaluation: see evaluate.h.
 */
#include "flag/evaluate.h"

#include "base/limits.h"
#include "flag/inside.h"

struct flag_context flag_context(const json_t *values, int64_t now_s)
{
    return (
        struct flag_context){ .values = values, .now_s = now_s, .steps_left = LIMIT_FLAG_STEPS };
}

static void fail(struct flag_answer *ret, enum flag_error error, const char *detail,
                 const char *metadata)
{
    *ret = (struct flag_answer){
        .reason = FLAG_REASON_ERROR, .error = error, .detail = detail, .metadata = metadata
    };
}

/* The first requirement that is not met, or NULL. */
// NOLINTNEXTLINE(misc-no-recursion): no deeper than LIMIT_FLAG_RULE_DEPTH, see require.c
static const struct requirement *unmet(const struct flag_document *d, const struct flag *f,
                                       struct flag_context *c, unsigned *steps)
{
    for (size_t i = 0; i < f->requirement_count; i++) {
        const struct requirement *r = &f->requirements[i];
        struct flag_answer other;
        if (!r->flag || !c->steps_left)
            return r;
        c->steps_left--;
        flag_evaluate(d, r->flag, c, &other);
        *steps += 1 + other.steps;
        if (!other.variant || !str_is(r->variant, other.variant))
            return r;
    }
    return NULL;
}

// NOLINTNEXTLINE(misc-no-recursion): see unmet()
void flag_evaluate(const struct flag_document *d, const struct flag *f, struct flag_context *c,
                   struct flag_answer *ret)
{
    if (!f) {
        fail(ret, FLAG_NOT_FOUND, "there is no flag of this key", d->metadata);
        return;
    }
    if (!f->is_enabled) {
        *ret = (struct flag_answer){ .reason = FLAG_REASON_DISABLED, .metadata = f->metadata };
        return;
    }
    if (f->broken) {
        fail(ret, FLAG_PARSE_ERROR, f->broken, f->metadata);
        return;
    }
    if (f->requirement_count) {
        unsigned steps = 0;
        const struct requirement *r = unmet(d, f, c, &steps);
        *ret = r ? r->unmet : f->at_rest;
        ret->steps = steps;
        return;
    }
    *ret = f->at_rest;
}

void flag_explain(const struct flag_document *d, const struct flag *f, struct flag_context *c,
                  void (*line)(void *to, int depth, const char *text), void *to,
                  struct flag_answer *ret)
{
    flag_evaluate(d, f, c, ret);
    line(to, 0, ret->variant ? ret->variant : "");
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
