/*
 * Phase 7: is the new backend right, for the new frontend and for the one that is still live? The
 * draft is looked at through its permalink; the site's own address still shows the old release.
 */
#include "base/clock.h"
#include "engine/draft_site.h"
#include "engine/mitigate.h"
#include "engine/phase_table.h"
#include "engine/previous.h"
#include "engine/release.h"

#define PHASE "backend"

/* Declared backend checks, and the site's addresses as the draft would answer them. */
static struct verify_set checks_of_the_new(struct release *r)
{
    const struct config *config = r->target->config;
    const struct config_env *env = r->target->environment.declared;
    struct verify_set backend = verify_declared(r->arena, config, &env->checks.backend);
    struct verify_set site = verify_declared(r->arena, config, &env->checks.site);
    struct verify_set all = { .v = ARENA_ARRAY(r->arena, struct config_check,
                                               backend.n + site.n + 1) };
    for (size_t i = 0; i < backend.n; i++)
        all.v[all.n++] = backend.v[i];
    for (size_t i = 0; i < site.n; i++) {
        if (site.v[i].url)
            all.v[all.n++] = site.v[i];
    }
    return all;
}

bool backend_run(struct release *r, struct err *e)
{
    const char *permalink = draft_permalink(r);
    struct verify_spec spec = {
        .arena = r->arena,
        .phase = PHASE,
        .cwd = r->target->config->dir,
        .sink = r->sink,
        .values = target_check_values(r->target, r->name, permalink),
    };
    if (permalink)
        spec.values.site = permalink;
    struct verify_set fresh = checks_of_the_new(r);
    struct verify_result result = verify_checks(&spec, &fresh);
    if (!result.is_green)
        return mitigate_note(r, &result, e);

    spec.values.site = r->target->site_url;
    struct previous old = previous_ask(&spec, r->live.manifest);
    if (!old.result.is_green) {
        (void)verify_error(&old.result, e);
        return err_wrap(e, "the previous release on the new backend");
    }

    const struct watch_settings *watch = &r->target->environment.declared->watch;
    struct verify_watch how = { watch->backend_ms, watch->max_error, watch->min_requests };
    int64_t probes;
    spec.values.site = permalink ? permalink : r->target->site_url;
    if (!verify_watch_checks(&spec, &fresh, &how, &result, &probes, e))
        return false;
    if (!result.is_green)
        return mitigate_note(r, &result, e);
    const char *watched = "";
    if (how.duration_ms > 0)
        watched = arena_printf(r->arena, ", watched %s, %lld probes",
                               clock_duration(r->arena, how.duration_ms), (long long)probes);
    release_summary(r, "%zu check%s, %s of the previous release%s", fresh.n,
                    fresh.n == 1 ? "" : "s", previous_count(r->arena, &old), watched);
    return true;
}
