/*
 * Phase 9: is what visitors now get the new release, and does it stay right while it is watched?
 */
#include "base/clock.h"
#include "engine/mitigate.h"
#include "engine/phase_table.h"
#include "engine/release.h"

#define PHASE "live"

bool live_run(struct release *r, struct err *e)
{
    struct verify_spec spec = {
        .arena = r->arena,
        .phase = PHASE,
        .cwd = r->target->config->dir,
        .sink = r->sink,
        .values = target_check_values(r->target, r->name, NULL),
    };
    spec.values.permalink = r->target->site_url;
    const struct config_env *env = r->target->environment.declared;
    struct verify_set set = verify_declared(r->arena, r->target->config, &env->checks.site);
    struct verify_result result = verify_site_word(&spec, r->name);
    if (result.is_green)
        result = verify_checks(&spec, &set);
    if (!result.is_green)
        return mitigate_note(r, &result, e);

    struct verify_watch how = { env->watch.site_ms, env->watch.max_error, env->watch.min_requests };
    int64_t probes;
    if (!verify_watch_checks(&spec, &set, &how, &result, &probes, e))
        return false;
    if (!result.is_green)
        return mitigate_note(r, &result, e);
    release_summary(r, "%zu check%s%s", set.n + 1, set.n == 0 ? "" : "s",
                    how.duration_ms > 0
                        ? arena_printf(r->arena, ", watched %s, %lld probes",
                                       clock_duration(r->arena, how.duration_ms), (long long)probes)
                        : "");
    return true;
}
