/*
 * The gate of the linter: pending migrations, judged against the database that they are for. An
 * error that nobody has allowed closes it; warnings are told and let through. The rules about
 * reverse scripts are gates of their own.
 */
#include "engine/plan.h"
#include "migrate/lint/lint.h"

static const char *const *exposed(const struct target *t, struct arena *a)
{
    const struct text_array *schemas = &t->environment.supabase_config.api_schemas;
    const char **list = ARENA_ARRAY(a, const char *, schemas->n + 2);
    for (size_t i = 0; i < schemas->n; i++)
        list[i] = schemas->v[i];
    if (schemas->n == 0)
        list[0] = "public";
    return list;
}

/* "2 migrations, 1 warning: C09 NOT NULL removed (public.notes.body)" */
static const char *sentence(struct arena *a, const struct plan *plan, const struct lint_report *r)
{
    size_t pending = plan->schema.pending_count;
    const char *files =
        arena_printf(a, "%zu pending migration%s", pending, pending == 1 ? "" : "s");
    for (size_t i = 0; i < r->n; i++) {
        const struct lint_finding *f = &r->v[i];
        if (f->severity == LINT_WARN && !f->allowed && !f->is_lifted)
            return arena_printf(a, "%s, %zu warning%s: %s %s (%s)", files, r->warnings,
                                r->warnings == 1 ? "" : "s", f->rule->name, f->rule->title,
                                f->what);
    }
    return r->allowed > 0 ? arena_printf(a, "%s, %zu finding%s allowed by the files", files,
                                         r->allowed, r->allowed == 1 ? "" : "s")
                          : arena_printf(a, "%s, nothing to say", files);
}

/* A history that is not in order comes first: the database is not in the state before the files. */
static bool has_closed(const struct plan *plan, const char *name)
{
    for (size_t i = 0; i < plan->gates_n; i++)
        if (plan->gates[i].state != GATE_OK && streq(plan->gates[i].name, name))
            return true;
    return false;
}

bool plan_lint(struct target *t, struct plan *plan, struct err *e)
{
    struct arena *a = plan->arena;
    struct lint_input in = {
        .files = plan->schema.pending,
        .n = plan->schema.pending_count,
        .db = t->db,
        .is_one_release = true,
        .no_reverse_rules = true,
        .exposed = exposed(t, a),
    };
    struct lint_report r;
    struct err why = { 0 };
    if (in.n == 0 || has_closed(plan, "migrations"))
        return true;
    if (!lint_run(a, &in, &r, &why)) {
        if (why.code != ERR_CONFIG && why.code != ERR_LIMIT) {
            *e = why;
            return err_wrap(e, "judge the migrations");
        }
        plan_gate(plan, "lint",
                  why.where[0] ? arena_printf(a, "%s (%s)", why.why, why.where)
                               : arena_strdup(a, why.why),
                  why.hint[0] ? arena_strdup(a, why.hint) : NULL);
        return true;
    }
    if (!lint_report_check(a, &r, &why)) {
        plan_gate(plan, "lint", arena_printf(a, "%s (%s)", why.why, why.where),
                  arena_printf(a, "lockflight migration lint %s", plan->environment));
        return true;
    }
    plan_gate(plan, "lint", NULL, NULL);
    plan->gates[plan->gates_n - 1].text = sentence(a, plan, &r);
    if (r.warnings > 0)
        plan->lint_warning = plan->gates[plan->gates_n - 1].text;
    return true;
}
