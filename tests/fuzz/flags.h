/*
 * What must hold of any evaluation of any flag, for the targets that evaluate.
 */
#ifndef LOCKFLIGHT_FUZZ_FLAGS_H
#define LOCKFLIGHT_FUZZ_FLAGS_H

#include "fuzz.h"

#include "flag/evaluate.h"

/* Each flag of a document for one request. Returns the steps of all. */
static inline unsigned fuzz_evaluate_all(const struct flag_document *d, const json_t *values,
                                         struct flag_context *c)
{
    unsigned steps = 0;
    *c = flag_context(values, 1700000000);
    for (size_t i = 0; i < flag_document_count(d); i++) {
        const struct flag *f = flag_document_at(d, i);
        struct flag_answer a;
        flag_evaluate(d, f, c, &a);
        steps += a.steps;
        assert(flag_document_find(d, str_of(flag_key(f))) == f || strlen(flag_key(f)) == 0);
        assert((a.error == FLAG_OK) == (a.reason != FLAG_REASON_ERROR));
        assert((a.error == FLAG_OK) == (a.detail == NULL));
        assert((a.variant == NULL) == (a.value == NULL));
        assert((a.value == NULL) == (a.value_json == NULL));
        assert(a.metadata && a.metadata[0] == '{');
        assert(flag_reason_name(a.reason));
    }
    assert(steps <= LIMIT_FLAG_STEPS);
    assert(steps + c->steps_left == LIMIT_FLAG_STEPS);
    return steps;
}

static inline void fuzz_line_of_explanation(void *to, int depth, const char *text)
{
    size_t *lines = to;
    assert(depth >= 0 && depth <= 2 * LIMIT_FLAG_RULE_DEPTH && !strchr(text, '\n'));
    ++*lines;
}

/* Told, a flag is answered as untold. */
static inline void fuzz_explain_first(const struct flag_document *d, const json_t *values)
{
    if (!flag_document_count(d))
        return;
    const struct flag *f = flag_document_at(d, 0);
    struct flag_context plain = flag_context(values, 1700000000);
    struct flag_context told = flag_context(values, 1700000000);
    struct flag_answer a;
    struct flag_answer b;
    size_t lines = 0;
    flag_evaluate(d, f, &plain, &a);
    flag_explain(d, f, &told, fuzz_line_of_explanation, &lines, &b);
    assert(a.error == b.error && a.reason == b.reason && a.variant == b.variant);
    assert(a.steps == b.steps && lines > 0);
}

#endif
