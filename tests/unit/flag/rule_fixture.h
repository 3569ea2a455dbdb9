/*
 * One rule on one context, and what comes out of it as JSON text: for tests that are tables.
 */
#ifndef LOCKFLIGHT_TESTS_RULE_FIXTURE_H
#define LOCKFLIGHT_TESTS_RULE_FIXTURE_H

#include "assert_ok.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "flag/compile.h"
#include "flag/json_text.h"
#include "flag/number.h"
#include "flag/run.h"

struct row {
    const char *rule;
    const char *context;  /* NULL: an empty one */
    const char *expected; /* JSON text, "raises" or "refused" */
};

static inline json_t *rule_json(const char *text)
{
    json_error_t at;
    json_t *j = json_loads(text, JSON_DECODE_ANY, &at);
    if (!j)
        fail_msg("%s: %s", text, at.text);
    return j;
}

static inline void rule_print(struct strbuf *b, struct value v)
{
    char number[NUMBER_TEXT_BYTES];
    if (value_is_list(v)) {
        (void)strbuf_addc(b, '[');
        for (uint32_t i = 0; i < v.n; i++) {
            (void)strbuf_adds(b, i ? "," : "");
            rule_print(b, value_item(v, i));
        }
        (void)strbuf_addc(b, ']');
    } else if (v.kind == VALUE_TEXT) {
        (void)json_text_add_string(b, value_str(v));
    } else if (v.kind == VALUE_NUMBER) {
        (void)strbuf_add(b, number, number_print(v.number == 0 ? 0 : v.number, number));
    } else if (v.kind == VALUE_OBJECT) {
        (void)json_text_add(b, v.json, JSON_AS_WRITTEN);
    } else {
        (void)strbuf_adds(b, v.kind == VALUE_RAISED  ? "raises"
                             : value_is_nothing(v)   ? "null"
                             : v.kind == VALUE_TRUE  ? "true"
                             : v.kind == VALUE_FALSE ? "false"
                             : v.kind == VALUE_EMPTY ? "{}"
                                                     : "{…}");
    }
}

/* Flag "f" has the rule. */
static inline void rule_outcome(const char *rule, const char *context, struct strbuf *ret)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    json_auto_t *r = rule_json(rule);
    json_auto_t *values = rule_json(context ? context : "{}");
    struct err e = { 0 };
    struct compiler *compiler = compiler_new(a, NULL, "test", &e);
    const struct rule *compiled = NULL;
    const char *why = NULL;
    strbuf_clear(ret);
    if (!compile_rule(compiler, r, &compiled, &why)) {
        (void)strbuf_adds(ret, "refused");
        return;
    }
    struct flag_context c = flag_context(values, 1700000000);
    struct run run = run_begin(&c, STR("f"));
    rule_print(ret, compiled ? run_node(&run, compiled->top) : value_of_kind(VALUE_NULL));
}

static inline void expect_outcomes(const struct row *rows, size_t n)
{
    CLEANUP(strbuf) struct strbuf got = strbuf_init(MIB);
    for (size_t i = 0; i < n; i++) {
        rule_outcome(rows[i].rule, rows[i].context, &got);
        if (!streq(strbuf_text(&got), rows[i].expected))
            fail_msg("%s on %s gives %s instead of %s", rows[i].rule,
                     rows[i].context ? rows[i].context : "{}", strbuf_text(&got), rows[i].expected);
    }
}

#define EXPECT_OUTCOMES(rows) expect_outcomes((rows), sizeof(rows) / sizeof *(rows))

#endif
