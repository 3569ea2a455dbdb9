/*
 * What is used against what is declared. Each finding has a place and says what to write.
 *
 * ERRORS    undeclared     used, and neither declared nor given by the platform
 *           not-sent       used where `to` does not send it
 *           no-value       declared for this environment, but no value can be had
 *           public-secret  a secret, by declaration, name or value, under a name that a bundler
 *                          publishes
 * WARNINGS  unused         declared; its name stands nowhere in the sources
 * NOTES     unresolved     what the code asks for cannot be known from its text
 *
 * DECLARED  `optional` names may be absent: their use needs no declaration. `allowed` ones may look
 *           like secrets and be published.
 */
#ifndef LOCKFLIGHT_SECRET_INVENTORY_CHECK_H
#define LOCKFLIGHT_SECRET_INVENTORY_CHECK_H

#include "secret/inventory.h"

enum inventory_severity {
    INVENTORY_ERROR,
    INVENTORY_WARNING,
    INVENTORY_NOTE,
};

struct inventory_finding {
    enum inventory_severity severity;
    const char *rule;  /* "undeclared" */
    const char *name;  /* of the variable; NULL: unresolved */
    const char *where; /* "supabase/functions/pay/index.ts:12:20" */
    const char *text;  /* a sentence without full stop */
    const char *hint;  /* what to write; NULL: nothing */
};

/* One declared variable, as far as it matters here. */
struct inventory_variable {
    const char *name;
    unsigned to; /* VAR_TO_… */
    bool is_secret;
    bool has_random_value; /* it looks like a secret */
    const char *where;     /* "lockflight.toml:41:1" */
    const char *no_value;  /* why it has none in this environment; NULL: it has one */
    const char *no_value_hint;
};

struct inventory_facts {
    const char *environment;
    const struct inventory_variable *variables;
    size_t n_variables;
    const char *const *optional;    /* [inventory] optional; NULL-terminated, as are all below */
    const char *const *allowed;     /* [allow.<name>] */
    const char *const *build_names; /* netlify.toml and .env files give them to the build */
};

struct inventory_report {
    struct inventory_finding *v; /* errors first, then by place */
    size_t n;
    size_t errors, warnings, notes;
};

void inventory_check(struct arena *a, const struct inventory *inv,
                     const struct inventory_facts *facts, struct inventory_report *ret);

/* "supabase", "netlify:build": where a place gets its variables from. */
const char *use_place_target(enum use_place place);

/* "an Edge Function", "the frontend". */
const char *use_place_text(enum use_place place);

#endif
