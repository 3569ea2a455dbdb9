#include "migrate/lint/rule.h"

#include "base/str.h"

#define CATALOGUE true
#define TEXT      false

const struct lint_rule lint_rules[LINT_RULES] = {
#define RULE(id, severity, needs, title, why, rewrite)                                             \
    { LINT_##id, #id, LINT_##severity, needs, title, why, rewrite },
#include "migrate/lint/rules.inc"
#undef RULE
};

const char *lint_severity_name(enum lint_severity s)
{
    switch (s) {
    case LINT_NOTE:
        return "note";
    case LINT_WARN:
        return "warning";
    case LINT_ERROR:
        break;
    }
    return "error";
}

const struct lint_rule *lint_rule_find(const char *name)
{
    for (size_t i = 0; i < LINT_RULES; i++)
        if (streq(lint_rules[i].name, name))
            return &lint_rules[i];
    return NULL;
}

bool lint_rule_is_for_contract(enum lint_id id)
{
    static const enum lint_id lifted[] = { LINT_C01, LINT_C02, LINT_C06, LINT_C07,
                                           LINT_C10, LINT_C13, LINT_C16, LINT_C25 };
    for (size_t i = 0; i < sizeof lifted / sizeof *lifted; i++)
        if (lifted[i] == id)
            return true;
    return false;
}
