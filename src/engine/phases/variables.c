/*
 * Phase 3: declared variables reach Supabase. One step for all of them, because one call sets them
 * all.
 *
 * BEFORE   { "NAME": { mark of variable_mark.h, or "digest": null if it was not set, "value"?: text }
 *          }; a value only of a variable that is not secret.
 * UNDO     Added names are unset. A changed one gets its old value back where that can be had: from
 *          the journal if it is no secret, from the secrets file, which keeps the values before, or
 *          from its source if that gives the old value again. Otherwise the undo says which value
 *          is lost and fails, because pretending would be worse.
 * AFTER    The revisions that were sent are remembered (secret_pins.h), also when nothing changed.
 */
#include "engine/phase_table.h"
#include "engine/release.h"
#include "engine/secret_pins.h"
#include "engine/variable_push.h"
#include "engine/variable_restore.h"

#define PHASE "variables"
#define KIND  "supabase"
#define KEY   "declared"

/* ---- run ---- */

static json_t *before_image(const struct release *r)
{
    json_t *image = json_object();
    for (size_t i = 0; i < r->plan->variables_n; i++) {
        const struct plan_variable *v = &r->plan->variables[i];
        const struct variable_spec *spec = v->variable->spec;
        if (v->mark != PLAN_SAME)
            json_object_set_new(image, spec->name,
                                variable_push_before(&r->live, spec, v->before_digest));
    }
    return image;
}

static bool remember(const struct release *r, struct err *e)
{
    const struct vault *v;
    return target_vault(r->target, &v, e) &&
           (!v || secret_pins_write(r->lease, v, r->id, r->options.actor, e));
}

bool variables_run(struct release *r, struct err *e)
{
    struct step *step = step_find(r, PHASE, KIND, KEY);
    if (!step && r->plan->variables_changed == 0) {
        release_summary(r, "%zu unchanged", r->plan->variables_n);
        return remember(r, e);
    }
    size_t added = 0;
    for (size_t i = 0; i < r->plan->variables_n; i++)
        added += r->plan->variables[i].mark == PLAN_ADD;
    if (!step_intent(r, PHASE, KIND, KEY, before_image(r), &step, e) ||
        !variable_push(r->target, &r->plan->values, e) || !step_done(r, step, NULL, e) ||
        !remember(r, e))
        return false;
    release_summary(r, "%zu added, %zu changed, %zu unchanged", added,
                    r->plan->variables_changed - added,
                    r->plan->variables_n - r->plan->variables_changed);
    return true;
}

/* ---- undo ---- */

bool variables_undo(struct release *r, struct err *e)
{
    struct step *step = step_find(r, PHASE, KIND, KEY);
    const char *text = "nothing was changed";
    if (step_stands(step) && (!step_undo_intent(r, step, e) ||
                              !variable_restore(r->target, step->before, false, &text, e) ||
                              !step_undone(r, step, NULL, e)))
        return false;
    release_summary(r, "%s", text);
    return true;
}

/* ---- probe ---- */

bool variables_probe(struct release *r, bool *ret_done, struct err *e)
{
    return variable_push_confirm(r->target, &r->plan->values, ret_done, e);
}
