/*
 * Sealing the flags of a release: see flag_seal.h.
 */
#include "engine/flag_seal.h"

#include "engine/draft_site.h"

struct flag_author flag_seal_author(struct release *r)
{
    return (struct flag_author){ .actor = r->options.actor,
                                 .via = "deploy",
                                 .reason = arena_printf(r->arena, "release %s", r->name) };
}

/* {key: [variants]}: what the code of this release knows. */
static json_t *known_flags(const struct release *r)
{
    const struct config_flags *f = &r->target->config->flags;
    json_t *known = json_object();
    for (size_t i = 0; i < f->n; i++)
        json_object_set_new(known, f->v[i].name, json_array());
    return known;
}

static bool keep_manifest(struct release *r, struct err *e)
{
    json_auto_t *known = known_flags(r);
    const char *commit = r->plan->source.commit;
    struct flag_manifest m = {
        .deploy_id = draft_deploy_id(r),
        .release_id = r->id,
        .code_rev = commit[0] ? commit : NULL,
        .flags = json_text(r->arena, known),
    };
    return flag_store_manifest_put(lease_db(r->lease), &m, e) ||
           err_wrap(e, "keep which flags the code knows");
}

static bool mark_gone(struct release *r, struct err *e)
{
    struct flag_author by = flag_seal_author(r);
    for (size_t i = 0; i < r->plan->flags.n; i++) {
        const struct definition_action *f = &r->plan->flags.v[i];
        if (f->move == DEFINE_MARK_REMOVED &&
            !flag_store_mark_removed(lease_db(r->lease), f->key, r->id, &by, e))
            return err_wrap(e, "mark flag %s", f->key);
    }
    return true;
}

bool flag_seal(struct release *r, struct err *e)
{
    const struct plan *plan = r->plan;
    if (plan->flags_n == 0 && plan->flags.n == 0)
        return true;
    return keep_manifest(r, e) && mark_gone(r, e);
}

void flag_seal_waiting(struct release *r)
{
    struct err why = { 0 };
    int64_t ran = 0;
    if (!flag_store_materialise(lease_db(r->lease), &ran, &why))
        report_warn(r->sink, "scheduled changes of flags could not be looked at: %s", why.why);
    else if (ran > 0)
        report_say(r->sink, "Scheduled changes that waited for this release have run: %lld",
                   (long long)ran);
}
