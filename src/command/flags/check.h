/*
 * What `lockflight flags check` finds, and its parts.
 */
#ifndef LOCKFLIGHT_COMMAND_FLAGS_CHECK_H
#define LOCKFLIGHT_COMMAND_FLAGS_CHECK_H

#include "base/vec.h"
#include "command/flags/session.h"
#include "migrate/sql/policy_call.h"

struct check_finding {
    bool is_error;
    const char *rule; /* a word that stays: "unknown-flag" */
    const char *flag; /* NULL: none */
    const char *where;
    const char *text;
    const char *hint; /* NULL: none */
};

struct check {
    struct command_context *c;
    struct config *config;
    VEC(struct check_finding) found;
    size_t errors;
    struct policy_calls sql; /* of migrations */
    size_t uses;             /* places in code and SQL that ask */
    bool *is_used;           /* beside config->flags.v */
};

void check_add(struct check *k, const struct check_finding *f);

/* Every place in the sources and migrations that asks for a flag, against what is defined. */
bool check_code(struct check *k, struct err *e) MUST_USE;

/* Policies that ask once for every row. */
void check_policies(struct check *k, const struct policy_calls *calls);

/* What a live environment has: policies, rules that engines read differently or is_on() cannot. */
bool check_live(struct check *k, struct flags *f, struct err *e) MUST_USE;

#endif
