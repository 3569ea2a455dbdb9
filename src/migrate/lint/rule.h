/*
 * The rules of the linter, as one table (rules.inc): what each one is called, how bad it is, why it
 * hurts and what to write instead.
 */
#ifndef LOCKFLIGHT_MIGRATE_LINT_RULE_H
#define LOCKFLIGHT_MIGRATE_LINT_RULE_H

#include <stdbool.h>

enum lint_severity {
    LINT_NOTE,
    LINT_WARN,
    LINT_ERROR, /* refuses, unless allowed with a reason */
};
const char *lint_severity_name(enum lint_severity s); /* "note", "warning", "error" */

enum lint_id {
#define RULE(id, severity, needs, title, why, rewrite) LINT_##id,
#include "migrate/lint/rules.inc"
#undef RULE
    LINT_RULES,
};

struct lint_rule {
    enum lint_id id;
    const char *name; /* "L01" */
    enum lint_severity severity;
    bool
        needs_catalogue; /* sizes, types or dependants decide; without them it supposes the worst */
    const char *title;
    const char *why;
    const char *rewrite;
};

extern const struct lint_rule lint_rules[LINT_RULES];

/* NULL if there is no such rule. */
const struct lint_rule *lint_rule_find(const char *name);

/* `phase: contract` in a file is what this rule asks for, so it lifts the finding. */
bool lint_rule_is_for_contract(enum lint_id id);

#endif
