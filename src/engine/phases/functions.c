/*
 * Phase 6: the functions that changed are bundled, then all switched in one call; then they are
 * told which release they belong to.
 *
 * STEPS    "switch"  before { "slug": { "body": artifact sha256, "version": n, "hash": sha256 }
 *                                     | null }
 *                    after  { "slug": { "source": digest, "hash": sha256, "version": n } }
 *          "name"    before { "release": name | null }: what LOCKFLIGHT_RELEASE said
 * UNDO     The saved bodies are bundled again without running, then switched in one call; functions
 *          that this release created are deleted. A body is saved before the switch, or there is no
 *          switch.
 */
#include "base/vec.h"
#include "engine/artifact_store.h"
#include "engine/function_switch.h"
#include "engine/phase_table.h"
#include "engine/release.h"

#define PHASE  "functions"
#define KIND   "functions"
#define SWITCH "switch"
#define NAME   "release"

/* ---- run ---- */

/* The before-image of everything that will change. */
static bool save_bodies(struct release *r, json_t **ret, struct err *e)
{
    json_auto_t *image = json_object();
    for (size_t i = 0; i < r->plan->functions_n; i++) {
        const struct plan_function *f = &r->plan->functions[i];
        if (f->mark == PLAN_SAME)
            continue;
        json_t *saved = json_null();
        if (f->live && !function_save(r->target->supabase, r->lease, r->arena, f->live, &saved, e))
            return err_wrap(e, "save the running %s", f->source.slug);
        json_object_set_new(image, f->source.slug, saved);
    }
    *ret = json_incref(image);
    return true;
}

static const struct function_source *planned_source(const struct release *r, const char *slug)
{
    for (size_t i = 0; i < r->plan->functions_n; i++) {
        if (streq(r->plan->functions[i].source.slug, slug))
            return &r->plan->functions[i].source;
    }
    return NULL;
}

/* Bundles and switches everything the before-image names. */
static bool switch_all(struct release *r, struct step *step, struct err *e)
{
    VEC(const struct function_source *) sources = { 0 };
    const char *slug;
    json_t *ignored;
    json_object_foreach (step->before, slug, ignored) {
        const struct function_source *source = planned_source(r, slug);
        if (source)
            /* NOLINTNEXTLINE(bugprone-sizeof-expression): a list of pointers */
            *vec_add(&sources, r->arena) = source;
    }
    json_t *after = NULL;
    struct function_switch_spec spec = { r->target->supabase, r->arena, r->sink, PHASE,
                                         sources.v,           sources.n };
    return function_switch(&spec, &after, e) && step_done(r, step, after, e);
}

/* What LOCKFLIGHT_RELEASE says now, if it is a release the journal knows; JSON null if not. */
static json_t *release_said(const struct release *r)
{
    const char *name = live_functions_release(r->target, &r->live);
    return name[0] ? json_string(name) : json_null();
}

static bool say_release(struct release *r, struct err *e)
{
    struct step *step;
    if (!step_intent(r, PHASE, KIND, NAME, json_pack("{s:o}", "release", release_said(r)), &step,
                     e))
        return false;
    struct supabase_secret_value value = { LIVE_RELEASE_SECRET, str_of(r->name) };
    if (!supabase_secrets_set(r->target->supabase, r->arena, &value, 1, e))
        return err_wrap(e, "tell the functions their release");
    return step_done(r, step, NULL, e);
}

bool functions_run(struct release *r, struct err *e)
{
    struct step *step = step_find(r, PHASE, KIND, SWITCH);
    size_t switched = step ? json_object_size(step->before) : r->plan->functions_changed;
    if (switched > 0) {
        json_t *image = NULL;
        if ((!step && !save_bodies(r, &image, e)) ||
            !step_intent(r, PHASE, KIND, SWITCH, image, &step, e) || !switch_all(r, step, e))
            return false;
    }
    if (!say_release(r, e))
        return false;
    if (switched == 0)
        release_summary(r, "%zu unchanged", r->plan->functions_n);
    else
        release_summary(r, "%zu deployed, digests confirmed", switched);
    return true;
}

/* ---- undo ---- */

static bool unsay_release(struct release *r, struct err *e)
{
    struct step *step = step_find(r, PHASE, KIND, NAME);
    if (!step_stands(step))
        return true;
    if (!step_undo_intent(r, step, e))
        return false;
    const char *old = json_text_or(step->before, "release", NULL);
    struct supabase *host = r->target->supabase;
    struct supabase_secret_value value = { LIVE_RELEASE_SECRET, str_of(old) };
    const char *name = LIVE_RELEASE_SECRET;
    if (old ? !supabase_secrets_set(host, r->arena, &value, 1, e)
            : !supabase_secrets_unset(host, r->arena, &name, 1, e))
        return err_wrap(e, "tell the functions their old release");
    return step_undone(r, step, NULL, e);
}

bool functions_undo(struct release *r, struct err *e)
{
    struct step *step = step_find(r, PHASE, KIND, SWITCH);
    const char *text = "unchanged";
    if (step_stands(step)) {
        struct function_restore_spec spec = { .supabase = r->target->supabase,
                                              .db = lease_db(r->lease),
                                              .arena = r->arena,
                                              .sink = r->sink,
                                              .phase = PHASE,
                                              .images = step->before,
                                              .delete_new = true };
        if (!step_undo_intent(r, step, e) || !function_restore(&spec, NULL, &text, e) ||
            !step_undone(r, step, NULL, e))
            return false;
    }
    if (!unsay_release(r, e))
        return false;
    release_summary(r, "%s", text);
    return true;
}

/* ---- probe ---- */

/* Every function of the release runs the bundle that its step recorded, and knows its release. */
bool functions_probe(struct release *r, bool *ret_done, struct err *e)
{
    *ret_done = false;
    struct live now = { 0 };
    if (!supabase_functions(r->target->supabase, r->arena, &now.functions, &now.functions_n, e) ||
        !supabase_secrets(r->target->supabase, r->arena, &now.secrets, &now.secrets_n, e))
        return err_wrap(e, "ask which functions run");
    char said[SHA256_HEX_BYTES];
    hash_hex(HASH_SHA256, str_of(r->name), said);
    if (!streq(live_secret_digest(&now, LIVE_RELEASE_SECRET), said))
        return true;
    const struct step *step = step_find(r, PHASE, KIND, SWITCH);
    if (!step) {
        *ret_done = r->plan->functions_changed == 0;
        return true;
    }
    if (step->state != STEP_DONE)
        return true; /* without an outcome there is no hash to compare with: switch again, it is
                        absolute */
    const char *slug;
    json_t *after;
    json_object_foreach (step->after, slug, after) {
        const struct supabase_function *f = live_function(&now, slug);
        if (!f || !streq(f->ezbr_sha256, json_text_or(after, "hash", NULL)))
            return true;
    }
    *ret_done = true;
    return true;
}
