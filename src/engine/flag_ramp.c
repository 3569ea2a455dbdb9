/*
 * Growing a flag's share under guard: see flag_ramp.h.
 */
#include "engine/flag_ramp.h"

#include "base/clock.h"
#include "base/signals.h"
#include "engine/live.h"
#include "engine/verify.h"

#define PHASE "ramp"

/* Between two rounds of the checks: a tenth of the interval, within these. */
#define PAUSE_LEAST_MS 500
#define PAUSE_MOST_MS  10000

struct ramp {
    const struct flag_ramp_spec *spec;
    struct verify_set checks;
    struct check_values values;
    int64_t version; /* of the state, as this ramp left it */
    size_t at;       /* steps that were made */
    int64_t rounds;
};

/* ---- the guards ---- */

static void add_checks(struct verify_set *all, const struct verify_set *more)
{
    for (size_t i = 0; i < more->n; i++) {
        bool is_there = false;
        for (size_t k = 0; k < all->n; k++)
            is_there |= streq(all->v[k].name, more->v[i].name);
        if (!is_there)
            all->v[all->n++] = more->v[i];
    }
}

static struct verify_set guards(const struct flag_ramp_spec *spec)
{
    struct target *t = spec->target;
    const struct config *c = t->config;
    const struct config_env *env = t->environment.declared;
    struct verify_set all = { .v = ARENA_ARRAY(spec->arena, struct config_check, c->checks_n + 1) };
    struct verify_set backend = verify_declared(spec->arena, c, &env->checks.backend);
    struct verify_set site = verify_declared(spec->arena, c, &env->checks.site);
    add_checks(&all, &backend);
    add_checks(&all, &site);
    for (size_t i = 0; i < c->checks_n; i++) {
        if (streq(c->checks[i].module, spec->key))
            add_checks(&all, &(struct verify_set){ &c->checks[i], 1 });
    }
    return all;
}

static bool read_values(const struct flag_ramp_spec *spec, struct check_values *ret, struct err *e)
{
    struct target *t = spec->target;
    CLEANUP(live) struct live live = { 0 };
    if (!live_read(t, &live, e))
        return false;
    const char *release = arena_strdup(spec->arena, live_functions_release(t, &live));
    *ret = target_check_values(t, release, t->site_url);
    return true;
}

/* One round of all checks; NULL: green. What it says lives in the ramp's arena. */
static const char *ask(struct ramp *r)
{
    CLEANUP(arena) struct arena *round = arena_new(0); /* a ramp may take days */
    struct verify_spec spec = { .arena = round,
                                .phase = PHASE,
                                .cwd = r->spec->target->config->dir,
                                .sink = r->spec->sink,
                                .values = r->values };
    struct verify_result result = verify_checks(&spec, &r->checks);
    r->rounds++;
    return result.is_green ? NULL
                           : arena_printf(r->spec->arena, "check %s was red: %s", result.failed,
                                          result.result.why ? result.result.why : "no reason");
}

/* ---- the flag ---- */

static struct flag_author author(const struct ramp *r, const char *via, const char *reason)
{
    return (struct flag_author){ .actor = r->spec->by.actor, .via = via, .reason = reason };
}

static const char *standing(const struct ramp *r)
{
    return r->at == 0 ? "nothing was changed"
                      : arena_printf(r->spec->arena, "%s stays on for %s %%", r->spec->key,
                                     r->spec->steps[r->at - 1]);
}

static bool overtaken(const struct ramp *r, const struct flag_row *row, struct err *e)
{
    err_set(e, ERR_CONFLICT, "%s was changed by %s%s%s: the ramp ends", row->key, row->updated_by,
            row->updated_reason ? ", " : "", row->updated_reason ? row->updated_reason : "");
    err_state(e, "the state that they set stays");
    return err_hint(e, "lockflight flags show %s --env %s", row->key, r->spec->target->name);
}

static bool still_ours(const struct ramp *r, struct err *e)
{
    struct flag_row row;
    CLEANUP(arena) struct arena *look = arena_new(0);
    if (!flag_store_get(r->spec->target->db, look, r->spec->key, &row, e)) {
        err_state(e, "%s", standing(r));
        return false;
    }
    return row.version == r->version || overtaken(r, &row, e);
}

/* The brake. It does not lose against a schedule that fell due, only against a person. */
static bool kill_flag(struct ramp *r, const char *red, struct err *e)
{
    const struct flag_ramp_spec *spec = r->spec;
    const char *reason =
        arena_printf(spec->arena, "ramp at %s %%: %s", spec->steps[r->at - 1], red);
    struct flag_author by = author(r, "check", reason);
    json_auto_t *patch = json_pack("{s:b}", "killed", 1);
    if (!still_ours(r, e))
        return false;
    if (!flag_store_set(spec->target->db, spec->key, patch, r->version, &by, &r->version, e)) {
        err_state(e, "%s, although %s", standing(r), red);
        return err_hint(e, "lockflight flags off %s --env %s --reason \"…\"", spec->key,
                        spec->target->name);
    }
    report_done(spec->sink, REPORT_FAIL, PHASE, "%s; %s is off for everyone", red, spec->key);
    err_set(e, ERR_CHECK, "%s at %s %%", red, spec->steps[r->at - 1]);
    err_state(e, "%s is off for everyone; what was rolled out is kept", spec->key);
    return err_hint(e, "when it is mended: lockflight flags on %s --env %s", spec->key,
                    spec->target->name);
}

static bool raise_to(struct ramp *r, const char *percent, struct err *e)
{
    const struct flag_ramp_spec *spec = r->spec;
    struct pg *db = spec->target->db;
    struct flag_row row;
    json_auto_t *patch = NULL;
    const char *reason =
        arena_printf(spec->arena, "ramp, step %zu of %zu%s%s", r->at + 1, spec->steps_n,
                     spec->by.reason ? ": " : "", spec->by.reason ? spec->by.reason : "");
    struct flag_author by = author(r, spec->by.via, reason);
    if (!flag_store_get(db, spec->arena, spec->key, &row, e))
        return false;
    if (r->at > 0 && row.version != r->version)
        return overtaken(r, &row, e);
    if (!spec->patch(spec->context, &row, percent, &patch, e) ||
        !flag_store_set(db, spec->key, patch, row.version, &by, &r->version, e)) {
        err_state(e, "%s", standing(r));
        return false;
    }
    r->at++;
    return true;
}

/* ---- holding a step ---- */

/* "25,100": what is left when the step that is held is made again. */
static const char *rest(const struct ramp *r)
{
    const char *list = r->spec->steps[r->at - 1];
    for (size_t i = r->at; i < r->spec->steps_n; i++)
        list = arena_printf(r->spec->arena, "%s,%s", list, r->spec->steps[i]);
    return list;
}

static bool stopped(const struct ramp *r, struct err *e)
{
    const struct flag_ramp_spec *spec = r->spec;
    err_set(e, ERR_INTERRUPTED, "asked to stop at step %zu of %zu", r->at, spec->steps_n);
    err_state(e, "%s", standing(r));
    return err_hint(e, "lockflight flags ramp %s --steps %s --env %s", spec->key, rest(r),
                    spec->target->name);
}

static bool hold(struct ramp *r, struct err *e)
{
    int64_t pause_ms = r->spec->every_ms / 10;
    pause_ms = pause_ms < PAUSE_LEAST_MS ? PAUSE_LEAST_MS : pause_ms;
    pause_ms = pause_ms > PAUSE_MOST_MS ? PAUSE_MOST_MS : pause_ms;
    int64_t end_ms = clock_boot_ms() + r->spec->every_ms;
    for (;;) {
        const char *red = ask(r);
        if (signals_stop_asked())
            return stopped(r, e); /* the signal may have been what made it red */
        if (red)
            return kill_flag(r, red, e);
        if (!still_ours(r, e))
            return false;
        int64_t left_ms = end_ms - clock_boot_ms();
        if (left_ms <= 0)
            return true;
        report_note(r->spec->sink, PHASE, "green for %s, %s left",
                    clock_duration(r->spec->arena, r->spec->every_ms - left_ms),
                    clock_duration(r->spec->arena, left_ms));
        if (!clock_sleep_ms(left_ms < pause_ms ? left_ms : pause_ms) || signals_stop_asked())
            return stopped(r, e);
    }
}

static bool step(struct ramp *r, struct err *e)
{
    const struct flag_ramp_spec *spec = r->spec;
    const char *percent = spec->steps[r->at];
    report_begin(spec->sink, PHASE, "%s for %s %%", spec->key, percent);
    r->rounds = 0;
    if (!raise_to(r, percent, e) || !hold(r, e)) {
        if (e->code != ERR_CHECK)
            report_done(spec->sink, REPORT_WAIT, PHASE, "%s", e->why);
        return false;
    }
    report_done(spec->sink, REPORT_OK, PHASE, "%s %%, green for %s, %lld rounds of %zu checks",
                percent, clock_duration(spec->arena, spec->every_ms), (long long)r->rounds,
                r->checks.n);
    return true;
}

bool flag_ramp(const struct flag_ramp_spec *spec, struct err *e)
{
    struct ramp r = { .spec = spec, .checks = guards(spec) };
    if (!read_values(spec, &r.values, e))
        return false;
    if (r.checks.n == 0) {
        err_set(e, ERR_BLOCKED, "%s has no checks, and nothing else could guard a ramp",
                spec->target->name);
        return err_hint(e, "lockflight flags ramp %s %s, or declare checks of [env.%s]", spec->key,
                        spec->steps[0], spec->target->name);
    }
    const char *red = ask(&r);
    if (red) {
        err_set(e, ERR_BLOCKED, "%s, before the ramp", red);
        err_state(e, "nothing was changed");
        return err_hint(e, "lockflight verify %s", spec->target->name);
    }
    while (r.at < spec->steps_n) {
        if (!step(&r, e))
            return err_wrap(e, "ramp %s in %s", spec->key, spec->target->name);
    }
    return true;
}
