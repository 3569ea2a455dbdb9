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
#include "base/vec.h"
#include "engine/phase_table.h"
#include "engine/release.h"
#include "engine/secret_pins.h"
#include "engine/variable_mark.h"
#include "engine/variable_restore.h"

#define PHASE "variables"
#define KIND  "supabase"
#define KEY   "declared"

/* ---- run ---- */

static json_t *before_image(const struct release *r)
{
    json_t *image = json_object();
    const json_t *kept = json_object_get(r->live.manifest, "variables");
    for (size_t i = 0; i < r->plan->variables_n; i++) {
        const struct plan_variable *v = &r->plan->variables[i];
        if (v->mark == PLAN_SAME)
            continue;
        const char *name = v->variable->spec->name;
        json_t *one = v->before_digest ? variable_mark(v->variable->spec, v->before_digest)
                                       : json_pack("{s:n}", "digest");
        const json_t *old = json_object_get(kept, name);
        if (v->before_digest && streq(json_text_or(old, "digest", NULL), v->before_digest) &&
            json_text_or(old, "value", NULL))
            json_object_set_new(one, "value", json_string(json_text_or(old, "value", "")));
        json_object_set_new(image, name, one);
    }
    return image;
}

/* Reads back what the host has, and compares every variable of the plan. */
static bool confirm(struct release *r, bool *ret_same, struct err *e)
{
    struct supabase_secret *secrets;
    size_t n;
    if (!supabase_secrets(r->target->supabase, r->arena, &secrets, &n, e))
        return err_wrap(e, "read the variables back");
    struct live now = { .secrets = secrets, .secrets_n = n };
    *ret_same = true;
    for (size_t i = 0; i < r->plan->values.n; i++) {
        char digest[SHA256_HEX_BYTES];
        secret_digest(r->plan->values.v[i].value, digest);
        if (!streq(live_secret_digest(&now, r->plan->values.v[i].spec->name), digest))
            *ret_same = false;
    }
    return true;
}

static bool push(struct release *r, struct err *e)
{
    VEC(struct supabase_secret_value) values = { 0 };
    for (size_t i = 0; i < r->plan->values.n; i++) {
        const struct variable *v = &r->plan->values.v[i];
        *vec_add(&values, r->arena) =
            (struct supabase_secret_value){ v->spec->name, secret_reveal(v->value) };
    }
    if (!supabase_secrets_set(r->target->supabase, r->arena, values.v, values.n, e))
        return err_wrap(e, "set %zu variables", values.n);
    bool same = false;
    if (!confirm(r, &same, e))
        return false;
    if (!same)
        return err_set(e, ERR_REMOTE, "the host took the variables, but lists other digests");
    return true;
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
    if (!step_intent(r, PHASE, KIND, KEY, before_image(r), &step, e) || !push(r, e) ||
        !step_done(r, step, NULL, e) || !remember(r, e))
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
    return confirm(r, ret_done, e);
}
