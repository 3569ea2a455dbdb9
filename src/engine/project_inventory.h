/*
 * The inventory of a project and what it says about one environment: the sources of its Edge
 * Functions with all they import, its frontend, the functions of its site.
 */
#ifndef LOCKFLIGHT_ENGINE_PROJECT_INVENTORY_H
#define LOCKFLIGHT_ENGINE_PROJECT_INVENTORY_H

#include "engine/target.h"
#include "secret/inventory_check.h"

/* Reads all sources. `functions` are those of the environment. */
bool project_inventory(struct arena *a, const struct config *config,
                       const struct supabase_config *functions, struct inventory **ret,
                       struct err *e) MUST_USE;

/* The same for the feature flags that they ask for. */
bool project_flag_uses(struct arena *a, const struct config *config,
                       const struct supabase_config *functions, struct inventory **ret,
                       struct err *e) MUST_USE;

/* Compares with what is declared. `values`: those that could be resolved; with `wants_values` a
 * declared variable that is not among them is an error, and `why` says why (same order as
 * config->vars; NULL: it has one). */
struct project_values {
    const char *const *why;
    const char *const *hints;
    const bool *is_random;
};
void project_inventory_check(struct arena *a, const struct config *config, const char *environment,
                             const struct inventory *inv, const struct project_values *values,
                             struct inventory_report *ret);

/* Resolves every declared variable with a destination among `to` (VAR_TO_…) by itself; the values
 * are forgotten. */
struct project_values project_values_try(struct target *t, unsigned to);

/* The first error as ERR_BLOCKED, with how many more there are. True if there is none. */
bool inventory_report_check(struct arena *a, const struct inventory_report *report,
                            const char *environment, struct err *e) MUST_USE;

#endif
