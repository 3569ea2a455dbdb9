/*
 * The flags of a plan: what the file and the environment's database differ in (flag/definition.h),
 * and the gate that stays closed while a difference is refused, or is for a person to accept.
 */
#include "engine/plan.h"

/* ---- what the database has ---- */

static bool read_database(struct target *t, const struct live *live,
                          struct definition_database *ret, struct err *e)
{
    struct arena *a = t->arena;
    struct flag_schedule *schedules;
    struct flag_manifest *manifests;
    struct flag_attribute *attributes;
    struct flag_segment *segments;
    if (!flag_store_list(t->db, a, true, &ret->rows, e) ||
        !flag_store_schedules(t->db, a, NULL, false, &schedules, &ret->schedules_n, e) ||
        !flag_store_manifests(t->db, a, &manifests, &ret->manifests_n, e) ||
        !flag_store_attributes(t->db, a, &attributes, &ret->attributes_n, e) ||
        !flag_store_segments(t->db, a, &segments, &ret->segments_n, e))
        return false;
    ret->schedules = schedules;
    ret->manifests = manifests;
    ret->attributes = attributes;
    ret->segments = segments;
    return flag_store_adrift(t->db, a, live->open.id, &ret->adrift.v, &ret->adrift.n, e);
}

bool plan_find_flags(struct target *t, const struct live *live, struct plan *plan, struct err *e)
{
    const struct config *c = t->config;
    const struct config_env *env = t->environment.declared;
    struct definition_database db = { 0 };
    plan->flags_n = c->flags.n;
    /* a schema that is older, or not there yet, has no flags */
    if (live->schema == SCHEMA_PRESENT && !read_database(t, live, &db, e))
        return err_wrap(e, "read the flags of %s", t->name);
    return definition_plan(t->arena, &c->flags, &db, definition_place(c, env), t->name,
                           &plan->flags, e) ||
           err_wrap(e, "compare the flags of %s", t->name);
}

/* ---- the gate ---- */

static bool has_migration(const struct plan *plan, const char *version)
{
    for (size_t i = 0; i < plan->schema.n; i++) {
        const struct migration_state *s = &plan->schema.v[i];
        if ((s->file && streq(s->file->version, version)) ||
            (s->row && streq(s->row->version, version)))
            return true;
    }
    return false;
}

/* "flag financial needs migration 2026…, which there is not (lockflight.flags.toml:4:30)" */
static const char *find_unmet_need(const struct config *c, const struct plan *plan)
{
    for (size_t i = 0; i < c->flags.n; i++) {
        const struct config_flag *f = &c->flags.v[i];
        for (size_t k = 0; k < f->needs.migrations.n; k++) {
            const char *const *version = &f->needs.migrations.v[k];
            if (!has_migration(plan, *version))
                return arena_printf(plan->arena,
                                    "flag %s needs migration %s, which there is not (%s)", f->name,
                                    *version, config_where(c, version));
        }
    }
    return NULL;
}

/* The first change of this kind, as a sentence with its place. */
static const char *find_change(const struct config *c, const struct plan *plan,
                               enum definition_move move, const char **ret_hint)
{
    for (size_t i = 0; i < plan->flags.n; i++) {
        const struct definition_action *action = &plan->flags.v[i];
        for (size_t k = 0; k < action->n; k++) {
            if (action->v[k].move != move)
                continue;
            *ret_hint = action->v[k].hint;
            return arena_printf(plan->arena, "flag %s: %s (%s)", action->key, action->v[k].text,
                                config_where(c, &action->flag->name));
        }
    }
    return NULL;
}

static const char *and_more(const struct plan *plan, const char *text, size_t n)
{
    return n > 1 ? arena_printf(plan->arena, "%s, and %zu more", text, n - 1) : text;
}

static const char *describe(const struct config *c, const struct plan *plan)
{
    const struct definition_plan *f = &plan->flags;
    struct arena *a = plan->arena;
    const char *text = arena_printf(a, "%zu defined", plan->flags_n);
    if (f->created > 0)
        text = arena_printf(a, "%s, %zu new", text, f->created);
    if (f->updated > 0)
        text = arena_printf(a, "%s, %zu changed", text, f->updated);
    if (f->removed > 0)
        text = arena_printf(a, "%s, %zu gone from the file", text, f->removed);
    const char *ignored;
    const char *said = f->kept > 0     ? find_change(c, plan, DEFINE_KEEP, &ignored)
                       : f->warned > 0 ? find_change(c, plan, DEFINE_WARN, &ignored)
                                       : NULL;
    return said ? arena_printf(a, "%s; %s", text, and_more(plan, said, f->kept + f->warned)) : text;
}

void plan_gate_flags(struct target *t, struct plan *plan)
{
    const struct config *c = t->config;
    const struct definition_plan *f = &plan->flags;
    const char *hint = NULL;
    if (plan->flags_n == 0 && f->n == 0 && f->extras_n == 0)
        return;
    const char *unmet = find_unmet_need(c, plan);
    if (unmet) {
        plan_gate(plan, "flags", unmet, NULL);
    } else if (f->refused > 0) {
        const char *text = find_change(c, plan, DEFINE_REFUSE, &hint);
        plan_gate(plan, "flags", and_more(plan, text, f->refused), hint);
    } else if (f->to_confirm > 0 && !plan->options.accept_flags) {
        const char *text = find_change(c, plan, DEFINE_CONFIRM, &hint);
        plan_gate(
            plan, "flags", and_more(plan, text, f->to_confirm),
            arena_printf(plan->arena, "lockflight deploy %s --accept-flags", plan->environment));
    } else {
        plan_gate(plan, "flags", NULL, NULL);
        plan->gates[plan->gates_n - 1].text = describe(c, plan);
    }
}
