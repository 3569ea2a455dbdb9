/*
 * The gate of the linter: pending migrations, judged against the database that they are for. An
 * error that nobody has allowed closes it; warnings are told and let through. The rules about
 * reverse scripts are gates of their own.
 *
 * On a local platform the running release's functions and queries are tried on a scratch database
 * too. A hosted one is not troubled for a plan: `lockflight migration lint` does it when asked.
 */
#include "engine/plan.h"
#include "migrate/lint/running.h"

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

/* That it cannot be tried is no reason to stop: the rules have spoken, and whoever applies the files
 * meets what is wrong with them. */
static void try_out(struct target *t, const struct plan *plan, struct lint_report *report)
{
    CLEANUP(shadow) struct shadow *shadow = NULL;
    struct running r = { .arena = plan->arena };
    struct err why = { 0 };
    struct shadow_spec spec = { t->environment.database_url, &plan->migrations,
                                plan->schema.pending[0]->version };
    bool is_first = plan->schema.pending_count == plan->schema.n; /* nothing runs there yet */
    if (is_first || t->environment.platform != PLATFORM_LOCAL ||
        !running_read_statistics(t->db, plan->arena, &r.queries, &why) ||
        !shadow_open(&spec, plan->arena, &shadow, &why))
        return;
    r.shadow = shadow;
    for (size_t i = 0; i < plan->schema.pending_count; i++)
        if (!running_try(&r, plan->schema.pending[i], report, &why))
            return;
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
    if (r.errors == 0)
        try_out(t, plan, &r);
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
