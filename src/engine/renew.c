/*
 * Checks of what is live: see renew.h.
 */
#include "engine/renew.h"

#include "engine/attestation.h"
#include "engine/live.h"
#include "engine/verify.h"

static struct verify_set all_checks(struct target *t)
{
    const struct config_env *env = t->environment.declared;
    struct verify_set backend = verify_declared(t->arena, t->config, &env->checks.backend);
    struct verify_set site = verify_declared(t->arena, t->config, &env->checks.site);
    struct verify_set all = { .v = ARENA_ARRAY(t->arena, struct config_check,
                                               backend.n + site.n + 1) };
    for (size_t i = 0; i < backend.n; i++)
        all.v[all.n++] = backend.v[i];
    for (size_t i = 0; i < site.n; i++)
        all.v[all.n++] = site.v[i];
    return all;
}

/* Writes the newest attestation of the live content once more, with today's date. */
static bool attest_again(struct target *t, const char *source, const char *actor,
                         bool *ret_attested, struct err *e)
{
    struct attestation x;
    if (!attestation_find(t->db, t->arena, t->name, source, &x, ret_attested, e) || !*ret_attested)
        return e->code == ERR_NONE;
    CLEANUP(lease) struct lease *lease = NULL;
    struct lease_taken taken;
    struct lease_spec spec = {
        .url = t->environment.database_url, .target = t->name, .holder = actor, .purpose = "verify"
    };
    if (!lease_take(&spec, &lease, &taken, e))
        return false;
    x.created_by = actor;
    return attestation_write(lease, &x, e);
}

bool renew(struct target *t, const struct report_sink *sink, const char *actor, bool attest,
           struct renew_result *ret, struct err *e)
{
    CLEANUP(live) struct live live = { 0 };
    if (!live_read(t, &live, e))
        return false;
    if (!live.has_release)
        return err_set(e, ERR_NOT_FOUND, "Lockflight has released nothing to %s yet", t->name);
    if (attest && !live_is_settled(&live, t->name, e)) /* half of another content proves nothing */
        return false;
    const char *release = arena_strdup(t->arena, live_release_name(&live));
    struct verify_spec spec = { .arena = t->arena,
                                .phase = "verify",
                                .cwd = t->config->dir,
                                .sink = sink,
                                .values = target_check_values(t, live_functions_release(t, &live),
                                                              t->site_url) };
    report_begin(sink, "verify", "Make the declared checks of %s", release);
    struct verify_set set = all_checks(t);
    struct verify_result result = verify_site_word(&spec, release);
    if (result.is_green)
        result = verify_checks(&spec, &set);
    if (!result.is_green) {
        report_done(sink, REPORT_FAIL, "verify", "%s: %s", result.failed, result.result.why);
        return verify_error(&result, e);
    }
    report_done(sink, REPORT_OK, "verify", "%zu checks green", set.n + 1);
    *ret = (struct renew_result){ .release = release, .checks = set.n + 1 };
    const char *source = json_text_or(live.manifest, "source", "");
    return !attest || attest_again(t, source, actor, &ret->attested, e);
}
