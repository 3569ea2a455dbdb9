/*
 * Phase 8: the draft becomes what visitors get, in one move of the host. Then it is locked, so that
 * nobody else's deploy takes its place; the lock is the steady state.
 *
 * STEPS    "deploy"  before { "deploy": id or "", "locked": bool }   after { "deploy": id }
 * UNDO     The deploy from the before-image is made live again, and locked as it was.
 */
#include "base/clock.h"
#include "engine/draft_site.h"
#include "engine/phase_table.h"
#include "engine/publish_site.h"
#include "engine/release.h"

#define PHASE "publish"
#define KIND  "deploy"
#define KEY   "live"

bool publish_run(struct release *r, struct err *e)
{
    const char *wanted = draft_deploy_id(r);
    if (!wanted)
        return err_set(e, ERR_INTERNAL, "there is no draft to publish");
    struct netlify_site site;
    if (!netlify_site_get(r->target->netlify, r->arena, &site, e))
        return err_wrap(e, "read what is live");
    struct step *step = step_find(r, PHASE, KIND, KEY);
    if (!step && !streq(site.published_id, r->live.site.published_id))
        return err_set(e, ERR_CONFLICT, "somebody else published %s meanwhile", site.published_id);
    json_t *before =
        json_pack("{s:s, s:b}", "deploy", site.published_id, "locked", (int)site.is_locked);
    if (!step_intent(r, PHASE, KIND, KEY, before, &step, e) ||
        !publish_site(r->target->netlify, r->arena, wanted, true, e) ||
        !step_done(r, step, json_pack("{s:s}", "deploy", wanted), e))
        return false;
    release_summary(r, "%s", r->target->site_url);
    return true;
}

bool publish_undo(struct release *r, struct err *e)
{
    struct step *step = step_find(r, PHASE, KIND, KEY);
    if (!step_stands(step)) {
        release_summary(r, "nothing was published");
        return true;
    }
    const char *old = json_text_or(step->before, "deploy", "");
    if (!step_undo_intent(r, step, e))
        return false;
    if (old[0] == '\0') {
        release_summary(r, "stays: nothing was live before it");
        return true; /* and the step stands, since so does its effect */
    }
    int64_t started_ms = clock_boot_ms();
    if (!publish_site(r->target->netlify, r->arena, old,
                      json_bool_or(step->before, "locked", false), e))
        return false;
    release_summary(r, "pointer back to %s, %s", release_previous_name(r),
                    clock_duration(r->arena, clock_boot_ms() - started_ms));
    return step_undone(r, step, NULL, e);
}

bool publish_probe(struct release *r, bool *ret_done, struct err *e)
{
    struct netlify_site site;
    if (!netlify_site_get(r->target->netlify, r->arena, &site, e))
        return err_wrap(e, "ask what is live");
    *ret_done = streq(site.published_id, draft_deploy_id(r)) && site.is_locked;
    return true;
}
