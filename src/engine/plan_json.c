/*
 * The plan as one JSON document: for --json, for --out, and for the journal.
 */
#include "engine/plan.h"

static const char *mark_text(enum plan_mark mark)
{
    switch (mark) {
    case PLAN_SAME:
        return "same";
    case PLAN_ADD:
        return "add";
    case PLAN_CHANGE:
        return "change";
    }
    return "same";
}

static json_t *text_or_null(const char *text)
{
    return text && text[0] ? json_string(text) : json_null();
}

static json_t *functions_json(const struct plan *plan)
{
    json_t *list = json_array();
    for (size_t i = 0; i < plan->functions_n; i++) {
        const struct plan_function *f = &plan->functions[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:b}", "slug", f->source.slug,
                                              "change", mark_text(f->mark), "source",
                                              f->source.digest, "drifted", (int)f->drifted));
    }
    return list;
}

static json_t *variables_json(const struct plan *plan)
{
    json_t *list = json_array();
    for (size_t i = 0; i < plan->variables_n; i++) {
        const struct plan_variable *v = &plan->variables[i];
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:b}", "name", v->variable->spec->name,
                                        "change", mark_text(v->mark), "undo", (int)v->has_undo));
    }
    return list;
}

static json_t *locks_json(const struct plan_locks *l)
{
    json_t *list = json_array();
    for (size_t i = 0; i < l->n; i++)
        (void)json_array_append_new(
            list, json_pack("{s:s, s:s, s:b, s:b, s:I}", "table", l->v[i].table, "lock",
                            l->v[i].lock, "rewrite", (int)l->v[i].rewrites, "scan",
                            (int)l->v[i].scans, "rows", (json_int_t)l->v[i].rows));
    return list;
}

static json_t *at_risk_json(const struct plan_locks *l)
{
    json_t *list = json_array();
    for (size_t i = 0; i < l->at_risk_n; i++)
        (void)json_array_append_new(list, json_string(l->at_risk[i]));
    return list;
}

static json_t *migrations_json(const struct plan *plan)
{
    json_t *list = json_array();
    for (size_t i = 0; i < plan->schema.pending_count; i++) {
        const struct migration *m = plan->schema.pending[i];
        const struct proof_row *pair = &plan->pairs[i];
        const char loss[2] = { pair->loss, '\0' };
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:b, s:b, s:s*, s:o, s:b, s:o}", "version", m->version,
                            "name", m->name, "sha256", m->sha256, "reverse", (int)m->has_reverse,
                            "proven", (int)pair->is_found, "loss_class",
                            pair->is_found ? loss : NULL, "locks", locks_json(&plan->locks[i]),
                            "locks_measured", (int)plan->locks[i].is_measured, "data_at_risk",
                            at_risk_json(&plan->locks[i])));
    }
    return list;
}

static const char *flag_change(enum definition_move move)
{
    switch (move) {
    case DEFINE_CREATE:
        return "create";
    case DEFINE_UPDATE:
        return "update";
    case DEFINE_WARN:
        return "warn";
    case DEFINE_KEEP:
        return "keep";
    case DEFINE_CONFIRM:
        return "confirm";
    case DEFINE_REFUSE:
        return "refuse";
    case DEFINE_MARK_REMOVED:
        return "mark_removed";
    }
    return "";
}

static json_t *flags_json(const struct plan *plan)
{
    json_t *list = json_array();
    for (size_t i = 0; i < plan->flags.n; i++) {
        const struct definition_action *f = &plan->flags.v[i];
        json_t *changes = json_array();
        for (size_t k = 0; k < f->n; k++)
            json_array_append_new(
                changes,
                json_pack("{s:s, s:s}", "change", flag_change(f->v[k].move), "text", f->v[k].text));
        json_array_append_new(list, json_pack("{s:s, s:s, s:s*, s:o}", "key", f->key, "change",
                                              flag_change(f->move), "initial", f->initial,
                                              "changes", changes));
    }
    return list;
}

static json_t *drift_json(const struct plan *plan)
{
    json_t *list = json_array();
    for (size_t i = 0; i < plan->drift.n; i++)
        (void)json_array_append_new(list, catalogue_change_json(&plan->drift.changes[i]));
    return list;
}

static json_t *gates_json(const struct plan *plan)
{
    json_t *list = json_array();
    for (size_t i = 0; i < plan->gates_n; i++) {
        const struct plan_gate *g = &plan->gates[i];
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:o, s:o}", "name", g->name, "state",
                                        g->state == GATE_OK ? "ok" : "wait", "text",
                                        text_or_null(g->text), "next", text_or_null(g->next)));
    }
    return list;
}

json_t *plan_json(const struct plan *plan, const struct live *live)
{
    const struct source *s = &plan->source;
    json_t *source = json_pack("{s:s, s:o, s:o, s:o, s:b, s:I}", "digest", s->digest, "commit",
                               text_or_null(s->commit), "subject", text_or_null(s->subject),
                               "branch", text_or_null(s->branch), "dirty", (int)s->is_dirty,
                               "files", (json_int_t)s->files);
    json_t *now =
        json_pack("{s:o, s:o, s:b}", "release", text_or_null(live_release_name(live)), "deploy",
                  text_or_null(live->site.published_id), "locked", (int)live->site.is_locked);
    json_t *decided = json_pack(
        "{s:o, s:o, s:b, s:b, s:b, s:b, s:b}", "clear_quarantine",
        text_or_null(plan->options.clear_quarantine), "unproven",
        text_or_null(plan->options.unproven), "adopt", (int)plan->options.adopt, "accept_drift",
        (int)plan->options.accept_drift, "accept_flags", (int)plan->options.accept_flags,
        "allow_older", (int)plan->options.allow_older, "prebuilt", (int)plan->options.is_prebuilt);
    return json_pack("{s:i, s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b}", "v",
                     1, "environment", plan->environment, "decided", decided, "release",
                     plan->release, "source", source, "live", now, "variables",
                     variables_json(plan), "migrations", migrations_json(plan), "flags",
                     flags_json(plan), "functions", functions_json(plan), "gates", gates_json(plan),
                     "drift", drift_json(plan), "blocked", (int)(plan->gates_closed > 0), "changes",
                     (int)!plan_is_live(plan, live));
}
