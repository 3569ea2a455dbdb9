/*
 * Where SQL asks for a feature flag: lockflight.is_on('crm', …) and module_enabled('crm'), in
 * policies and anywhere else.
 *
 * BARE     Inside a policy such a call is made for every row, unless it stands in a subselect that
 *          the planner runs once for the statement: (select lockflight.is_on('crm', …)).
 *
 * CALLS    policy_calls_read for each migration, in their order: a policy that is made anew or
 *          dropped later counts as it is last. Or policy_calls_of_expression for what a catalogue
 *          says of one.
 */
#ifndef LOCKFLIGHT_MIGRATE_POLICY_CALL_H
#define LOCKFLIGHT_MIGRATE_POLICY_CALL_H

#include "migrate/sql/script.h"

struct policy_call {
    const char *table;  /* "public.orders"; NULL: not in a policy */
    const char *policy; /* NULL likewise */
    const char *function;
    const char *key; /* NULL: not a literal */
    bool is_bare;
    const char *where; /* "supabase/migrations/x.sql:12", or as it was given */
    bool is_gone;      /* the policy was dropped or made anew since */
};

struct policy_calls {
    struct policy_call *v;
    size_t n, capacity;
};

/* A file that mentions neither function and no policy is not parsed. Statements that the grammar
 * does not know have no calls. */
bool policy_calls_read(struct arena *a, const char *file, struct str text, struct policy_calls *to,
                       struct err *e) MUST_USE;

/* `expression` as pg_policies has it. */
struct policy_place {
    const char *table, *policy, *where;
};
bool policy_calls_of_expression(struct arena *a, const struct policy_place *place,
                                const char *expression, struct policy_calls *to,
                                struct err *e) MUST_USE;

#endif
