/*
 * Phase 3: declared variables reach Supabase. One step for all of them, because one call sets them
 * all.
 *
 * BEFORE   { "NAME": { "digest": sha256 | null, "value"?: text } }; a value only of a variable that
 * is not secret. UNDO     Added names are unset. A changed one gets its old value back where that
 * can be had: from the journal if it is no secret, from its source if the source gives the old
 * value again. Otherwise the undo says which value is lost and fails, because pretending would be
 * worse.
 */
#include "base/vec.h"
#include "engine/phase_table.h"
#include "engine/release.h"

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
        json_t *one = json_object();
        json_object_set_new(one, "digest",
                            v->before_digest ? json_string(v->before_digest) : json_null());
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

bool variables_run(struct release *r, struct err *e)
{
    struct step *step = step_find(r, PHASE, KIND, KEY);
    if (!step && r->plan->variables_changed == 0) {
        release_summary(r, "%zu unchanged", r->plan->variables_n);
        return true;
    }
    size_t added = 0;
    for (size_t i = 0; i < r->plan->variables_n; i++)
        added += r->plan->variables[i].mark == PLAN_ADD;
    if (!step_intent(r, PHASE, KIND, KEY, before_image(r), &step, e) || !push(r, e) ||
        !step_done(r, step, NULL, e))
        return false;
    release_summary(r, "%zu added, %zu changed, %zu unchanged", added,
                    r->plan->variables_changed - added,
                    r->plan->variables_n - r->plan->variables_changed);
    return true;
}

/* ---- undo ---- */

struct way_back {
    VEC(const char *) unset;
    VEC(struct supabase_secret_value) set;
    VEC(struct secret *) owned; /* values from sources, freed at the end */
};

static void way_back_cleanup(struct way_back *w)
{
    for (size_t i = 0; i < w->owned.n; i++)
        secret_free(w->owned.v[i]);
}

/* The value from the variable's source, if it is the old one again. */
static bool value_from_source(struct release *r, const char *name, const char *digest,
                              struct way_back *w)
{
    CLEANUP(variable_set) struct variable_set now = { 0 };
    struct err unresolved = { 0 };
    if (!target_variables(r->target, VAR_TO_SUPABASE, &now, &unresolved))
        return false;
    for (size_t i = 0; i < now.n; i++) {
        char have[SHA256_HEX_BYTES];
        secret_digest(now.v[i].value, have);
        if (!streq(now.v[i].spec->name, name) || !streq(have, digest))
            continue;
        struct secret *copy =
            secret_new_public(secret_reveal(now.v[i].value)); /* registered already */
        *vec_add(&w->owned, r->arena) = copy;
        *vec_add(&w->set, r->arena) = (struct supabase_secret_value){ name, secret_reveal(copy) };
        return true;
    }
    return false;
}

/* Adds what takes one variable back; false with the loss as the error. */
static bool add_way_back(struct release *r, const char *name, const json_t *before,
                         const struct live *now, struct way_back *w, struct err *e)
{
    const char *old = json_text_or(before, "digest", NULL);
    const char *present = live_secret_digest(now, name);
    if (!old) {
        if (present)
            *vec_add(&w->unset, r->arena) = name;
        return true;
    }
    if (streq(present, old))
        return true;
    const char *value = json_text_or(before, "value", NULL);
    if (value) {
        *vec_add(&w->set, r->arena) = (struct supabase_secret_value){ name, str_of(value) };
        return true;
    }
    if (value_from_source(r, name, old, w))
        return true;
    err_set(e, ERR_BLOCKED, "the old value of %s is gone: its source no longer gives it", name);
    return err_hint(e,
                    "give %s its old value where lockflight.toml says it comes from, then: "
                    "lockflight resume %s --unwind",
                    name, r->target->name);
}

bool variables_undo(struct release *r, struct err *e)
{
    struct step *step = step_find(r, PHASE, KIND, KEY);
    if (!step_stands(step)) {
        release_summary(r, "nothing was changed");
        return true;
    }
    struct live now = { 0 };
    if (!supabase_secrets(r->target->supabase, r->arena, &now.secrets, &now.secrets_n, e) ||
        !step_undo_intent(r, step, e))
        return false;
    CLEANUP(way_back) struct way_back back = { 0 };
    const char *name;
    json_t *before;
    json_object_foreach (step->before, name, before) {
        if (!add_way_back(r, name, before, &now, &back, e))
            return false;
    }
    struct supabase *host = r->target->supabase;
    if ((back.set.n > 0 && !supabase_secrets_set(host, r->arena, back.set.v, back.set.n, e)) ||
        (back.unset.n > 0 &&
         !supabase_secrets_unset(host, r->arena, back.unset.v, back.unset.n, e)))
        return false;
    release_summary(r, "%zu unset, %zu back to the old value", back.unset.n, back.set.n);
    return step_undone(r, step, NULL, e);
}

/* ---- probe ---- */

bool variables_probe(struct release *r, bool *ret_done, struct err *e)
{
    return confirm(r, ret_done, e);
}
