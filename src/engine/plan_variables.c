/*
 * The gate of the inventory: what the sources ask for must be declared, and sent to where it is
 * asked for. Values for Supabase, the site's functions and the run-time file are resolved by the plan
 * itself; those of the build are tried here, because nothing else needs them before it.
 */
#include "engine/plan.h"
#include "engine/project_inventory.h"

/* "41 uses in 23 files; 1 warning: …" */
static const char *sentence(struct arena *a, const struct inventory *inv,
                            const struct inventory_report *r)
{
    size_t uses, files = 0;
    (void)inventory_uses(inv, &uses);
    for (enum use_place place = 0; place < USE_PLACES; place++)
        files += inventory_files(inv, place);
    const char *head = arena_printf(a, "%zu use%s of variables in %zu source%s", uses,
                                    uses == 1 ? "" : "s", files, files == 1 ? "" : "s");
    for (size_t i = 0; i < r->n; i++)
        if (r->v[i].severity == INVENTORY_WARNING)
            return arena_printf(a, "%s; %zu warning%s: %s", head, r->warnings,
                                r->warnings == 1 ? "" : "s", r->v[i].text);
    return r->notes > 0 ? arena_printf(a, "%s; %zu cannot be known from the text", head, r->notes)
                        : head;
}

bool plan_inventory(struct target *t, struct plan *plan, struct err *e)
{
    struct arena *a = plan->arena;
    struct inventory *inv;
    struct inventory_report report;
    struct err why = { 0 };
    if (!project_inventory(a, t->config, &t->environment.supabase_config, &inv, &why)) {
        if (why.code != ERR_LIMIT && why.code != ERR_CONFIG) {
            *e = why;
            return err_wrap(e, "look for variables in the sources");
        }
    } else {
        struct project_values values = project_values_try(t, VAR_TO_NETLIFY_BUILD);
        project_inventory_check(a, t->config, t->name, inv, &values, &report);
        if (inventory_report_check(a, &report, t->name, &why)) {
            plan_gate(plan, "inventory", NULL, NULL);
            plan->gates[plan->gates_n - 1].text = sentence(a, inv, &report);
            return true;
        }
    }
    plan_gate(plan, "inventory",
              why.where[0] ? arena_printf(a, "%s (%s)", why.why, why.where)
                           : arena_strdup(a, why.why),
              why.hint[0] ? arena_strdup(a, why.hint) : NULL);
    return true;
}
