/*
 * Printing a plan: see plan_view.h.
 */
#include "command/plan_view.h"

#include "base/clock.h"
#include "cli/output.h"
#include "command/plan_file.h"
#include "migrate/reverse/risk.h"

#define UNDO_COLUMN 58

struct view {
    const struct terminal *to;
    struct arena *arena;
    const struct plan *plan;
    const struct live *live;
    struct target *target;
    int row; /* number of the next phase */
};

/* One line: number and name of the phase (or blanks), the change, and its
 * undo at the same column. */
static void line(struct view *v, const char *phase, const char *change, const char *undo)
{
    if (phase)
        print(v->to, "  %d %-10s ", ++v->row, phase);
    else
        print(v->to, "  %-12s ", "");
    if (undo) {
        print(v->to, "%-*s  ", UNDO_COLUMN - 17, change);
        print_styled(v->to, STYLE_WARN, "undo");
        print(v->to, "  %s\n", undo);
    } else {
        print(v->to, "%s\n", change);
    }
}

static const char *mark(enum plan_mark mark)
{
    return mark == PLAN_ADD ? "+" : mark == PLAN_CHANGE ? "~" : " ";
}

static void heading(struct view *v)
{
    const struct source *s = &v->plan->source;
    print_styled(v->to, STYLE_STRONG, "Release %s", v->plan->release);
    if (s->commit[0])
        print(v->to, "  commit %.7s \"%s\"", s->commit, s->subject);
    print(v->to, "%s%s%s%s%s\n", s->branch[0] ? "  " : "", s->branch, s->author[0] ? ", " : "",
          s->author, s->is_dirty && s->commit[0] ? ", with uncommitted changes" : "");
    const char *now = live_release_name(v->live);
    if (now[0]) {
        int64_t age_ms = clock_unix_ms() - v->live->release.finished_unix_ms;
        print(v->to, "Live now %s, for %s\n\n", now,
              clock_duration(v->arena, age_ms > 0 ? age_ms : 0));
    } else {
        print(v->to, "Nothing of Lockflight's is live yet\n\n");
    }
}

static void draft(struct view *v)
{
    const struct plan *p = v->plan;
    const char *text = "built once, uploaded hidden";
    if (p->has_proof && p->proof_manifest && !p->is_rebuild) {
        size_t files = json_array_size(json_object_get(p->proof_manifest, "files"));
        text = arena_printf(v->arena, "the %zu files that %s proved, not built again", files,
                            p->requires);
    } else if (p->has_proof && p->is_rebuild) {
        text = "built again: not the same bytes as proved";
    }
    line(v, "Draft site", text, "drop draft");
}

static void variables(struct view *v)
{
    const struct plan *p = v->plan;
    const char *phase = "Variables";
    for (size_t i = 0; i < p->variables_n; i++) {
        const struct plan_variable *x = &p->variables[i];
        if (x->mark == PLAN_SAME)
            continue;
        const char *undo = x->mark == PLAN_ADD ? "unset"
                           : x->has_undo       ? "previous value available"
                                               : "none: the old value cannot be read";
        line(v, phase, arena_printf(v->arena, "%s %s", mark(x->mark), x->variable->spec->name),
             undo);
        phase = NULL;
    }
    if (phase)
        line(v, phase, arena_printf(v->arena, "%zu unchanged", p->variables_n), NULL);
}

static const char *undo_of(const struct migration *m, const struct proof_row *pair)
{
    if (!m->has_reverse)
        return "none: there is no reverse script";
    if (!pair->is_found)
        return "its reverse script, not proven yet";
    switch (pair->loss) {
    case 'A':
        return "proven, loses nothing";
    case 'B':
        return "proven, loses what is written after";
    case 'C':
        return "proven, but contents do not come back";
    default:
        return "cannot be undone (class D)";
    }
}

static const char *rows_text(struct view *v, int64_t rows)
{
    return rows < 0 ? "size unknown"
                    : arena_printf(v->arena, "about %s", text_count(v->arena, rows, "row", "rows"));
}

static void locks(struct view *v, const struct plan_locks *l)
{
    for (size_t i = 0; i < l->n; i++) {
        const struct plan_lock *x = &l->v[i];
        line(v, NULL,
             arena_printf(v->arena, "    %s on %s, %s%s%s%s", x->lock, x->table,
                          rows_text(v, x->rows), x->rewrites ? ", rewritten" : "",
                          x->scans ? ", read whole" : "", l->is_measured ? "" : " (not measured)"),
             NULL);
    }
    for (size_t i = 0; i < l->at_risk_n; i++)
        line(v, NULL, arena_printf(v->arena, "    data at risk: %s", l->at_risk[i]), NULL);
}

static void database(struct view *v)
{
    const struct plan *p = v->plan;
    const char *phase = "Database";
    for (size_t i = 0; i < p->schema.pending_count; i++) {
        const struct migration *m = p->schema.pending[i];
        line(v, phase, arena_printf(v->arena, "+ %s_%s", m->version, m->name),
             undo_of(m, &p->pairs[i]));
        locks(v, &p->locks[i]);
        phase = NULL;
    }
    if (phase)
        line(v, phase, arena_printf(v->arena, "%zu applied, none pending", v->live->history.n),
             NULL);
}

static void flags(struct view *v)
{
    const struct definition_plan *p = &v->plan->flags;
    const char *phase = "Flags";
    if (v->plan->flags_n == 0 && p->n == 0)
        return;
    for (size_t i = 0; i < p->n; i++) {
        const struct definition_action *f = &p->v[i];
        if (f->move == DEFINE_CREATE) {
            line(v, phase, arena_printf(v->arena, "+ %s (%s)", f->key, f->initial),
                 "stays defined");
            phase = NULL;
            continue;
        }
        for (size_t k = 0; k < f->n; k++) {
            line(v, phase,
                 arena_printf(v->arena, "%s %s: %s", f->v[k].move == DEFINE_KEEP ? " " : "~",
                              f->key, f->v[k].text),
                 NULL);
            phase = NULL;
        }
    }
    if (phase)
        line(v, phase, arena_printf(v->arena, "%zu unchanged", v->plan->flags_n), NULL);
}

static bool is_planned(const struct plan *p, const char *slug)
{
    for (size_t i = 0; i < p->functions_n; i++) {
        if (streq(p->functions[i].source.slug, slug))
            return true;
    }
    return false;
}

/* Functions that run but are not in the project any more: a release never deletes them, old tabs
 * may call them. */
static void strangers(struct view *v)
{
    for (size_t i = 0; i < v->live->functions_n; i++) {
        const char *slug = v->live->functions[i].slug;
        if (!is_planned(v->plan, slug))
            line(v, NULL, arena_printf(v->arena, "  %s  not in this project: stays", slug), NULL);
    }
}

static void functions(struct view *v)
{
    const struct plan *p = v->plan;
    const char *phase = "Functions";
    for (size_t i = 0; i < p->functions_n; i++) {
        const struct plan_function *f = &p->functions[i];
        if (f->mark == PLAN_SAME)
            continue;
        const char *undo =
            f->live ? arena_printf(v->arena, "restore v%lld (saved)", (long long)f->live->version)
                    : "delete";
        line(v, phase,
             arena_printf(v->arena, "%s %s%s", mark(f->mark), f->source.slug,
                          f->drifted ? "  changed outside Lockflight" : ""),
             undo);
        phase = NULL;
    }
    if (phase)
        line(v, phase, arena_printf(v->arena, "%zu unchanged", p->functions_n), NULL);
    strangers(v);
}

static const char *watch_text(struct view *v, int64_t ms)
{
    return ms > 0 ? arena_printf(v->arena, ", then %s watch", clock_duration(v->arena, ms)) : "";
}

static void proofs(struct view *v)
{
    const struct config_env *env = v->target->environment.declared;
    line(v, "Verify",
         arena_printf(v->arena, "%zu checks, and the previous release's%s",
                      env->checks.backend.n + env->checks.site.n,
                      watch_text(v, env->watch.backend_ms)),
         NULL);
    bool first = v->live->site.published_id[0] == '\0';
    line(v, "Publish",
         first ? "the draft becomes the first live deploy" : "draft replaces the live deploy",
         first ? "none: nothing was live before" : "pointer back, about 1 s");
    line(v, "Verify",
         arena_printf(v->arena, "%zu checks%s", env->checks.site.n + 1,
                      watch_text(v, env->watch.site_ms)),
         NULL);
}

static void gates(struct view *v)
{
    const struct plan *p = v->plan;
    for (size_t i = 0; i < p->gates_n; i++) {
        const struct plan_gate *g = &p->gates[i];
        print(v->to, "%s", i == 0 ? "\nGates  " : "       ");
        print_styled(v->to, g->state == GATE_OK ? STYLE_GOOD : STYLE_WARN, "%-4s",
                     g->state == GATE_OK ? "ok" : "wait");
        print(v->to, "  %-11s %s\n", g->name, g->text ? g->text : "");
    }
}

static void ending(struct view *v)
{
    const struct plan *p = v->plan;
    if (p->gates_closed > 0) {
        print(v->to, "Blocked by %zu gate%s; nothing was changed.\n", p->gates_closed,
              p->gates_closed == 1 ? "" : "s");
        for (size_t i = 0; i < p->gates_n; i++) {
            if (p->gates[i].state != GATE_OK && p->gates[i].next) {
                print(v->to, "Next: %s\n", p->gates[i].next);
                return;
            }
        }
        return;
    }
    if (plan_is_live(p, v->live))
        print(v->to, "Exactly this is live already; nothing to do.\n");
    else
        print(v->to, "Next: lockflight deploy %s\n", p->environment);
}

bool plan_show(struct flight *f, const struct plan_options *options, const char *out,
               bool *ret_changes, struct err *e)
{
    struct command_context *c = f->c;
    CLEANUP(live) struct live live = { 0 };
    CLEANUP(plan) struct plan plan = { 0 };
    if (!live_read(&f->target, &live, e) || !plan_make(&f->target, &live, options, &plan, e))
        return err_wrap(e, "plan %s", f->target.name);
    if (out && !plan_file_write(c->arena, out, &plan, &live, e))
        return err_wrap(e, "save the plan in %s", out);
    if (ret_changes)
        *ret_changes = !plan_is_live(&plan, &live);
    if (c->wants_json) {
        print_json(c, plan_json(&plan, &live));
        return true;
    }
    struct view v = { &c->out, c->arena, &plan, &live, &f->target, 0 };
    heading(&v);
    draft(&v);
    variables(&v);
    database(&v);
    flags(&v);
    functions(&v);
    proofs(&v);
    gates(&v);
    ending(&v);
    return true;
}
