/*
 * Sets of checks and the watch: see verify.h.
 */
#include "engine/verify.h"

#include "base/clock.h"
#include "base/signals.h"
#include "base/vec.h"

#define WATCH_PAUSE_MS 500 /* between two rounds: about two signals a second for each address */

struct verify_result verify_checks(const struct verify_spec *spec, const struct verify_set *set)
{
    struct verify_result all = { .is_green = true };
    for (size_t i = 0; i < set->n; i++) {
        const struct config_check *check = &set->v[i];
        report_note(spec->sink, spec->phase, "%s (%zu of %zu)", check->name, i + 1, set->n);
        struct check_result one =
            check_run(spec->arena, check, &spec->values, spec->cwd, spec->sink, spec->phase);
        all.checks++;
        if (!one.is_green) {
            all.is_green = false;
            all.failed = check->name;
            all.module = check->module;
            all.result = one;
            return all;
        }
    }
    return all;
}

struct verify_set verify_declared(struct arena *a, const struct config *config,
                                  const struct text_array *names)
{
    struct verify_set set = { .v = ARENA_ARRAY(a, struct config_check, names->n + 1) };
    for (size_t i = 0; i < names->n; i++) {
        const struct config_check *check = config_check_find(config, names->v[i]);
        if (check)
            set.v[set.n++] = *check;
    }
    return set;
}

static bool has_name(const struct verify_set *set, const char *name)
{
    for (size_t i = 0; i < set->n; i++) {
        if (streq(set->v[i].name, name))
            return true;
    }
    return false;
}

/* The site's own word: every deploy of ours says which release it is. */
static struct config_check site_word(struct arena *a, const char *release)
{
    return (struct config_check){
        .name = "site",
        .url = "{site}/.well-known/lockflight.json",
        .expect = { .status = 200, .json = arena_printf(a, "{\"release\":\"%s\"}", release) },
        .repeat = 1,
        .within_ms = 10000,
    };
}

struct verify_result verify_site_word(const struct verify_spec *spec, const char *release)
{
    struct config_check word = site_word(spec->arena, release);
    return verify_checks(spec, &(struct verify_set){ &word, 1 });
}

struct verify_set verify_kept(struct arena *a, const json_t *manifest)
{
    const json_t *lists[] = { json_object_get(json_object_get(manifest, "checks"), "backend"),
                              json_object_get(json_object_get(manifest, "checks"), "site") };
    size_t most = json_array_size(lists[0]) + json_array_size(lists[1]) + 1;
    struct verify_set set = { .v = ARENA_ARRAY(a, struct config_check, most) };
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < json_array_size(lists[i]); j++) {
            struct config_check check = check_unpack(a, json_array_get(lists[i], j));
            if (!has_name(&set, check.name))
                set.v[set.n++] = check;
        }
    }
    const char *deploy = json_text_or(manifest, "deploy", "");
    const char *release = json_text_or(manifest, "release", NULL);
    if (deploy[0] && release)
        set.v[set.n++] = site_word(a, release);
    return set;
}

struct tally {
    int64_t probes;
    int64_t failures;
};

/* One probe of every address. Keeps what the last failure said. */
static void watch_round(const struct verify_spec *spec, const struct verify_set *set,
                        struct tally *tally, struct verify_result *last)
{
    for (size_t i = 0; i < set->n; i++) {
        if (!set->v[i].url)
            continue;
        struct check_result one = check_probe(spec->arena, &set->v[i], &spec->values);
        tally->probes++;
        if (one.is_green)
            continue;
        tally->failures++;
        last->failed = set->v[i].name;
        last->module = set->v[i].module;
        last->result = one;
    }
}

static bool has_address(const struct verify_set *set)
{
    for (size_t i = 0; i < set->n; i++) {
        if (set->v[i].url)
            return true;
    }
    return false;
}

bool verify_watch_checks(const struct verify_spec *spec, const struct verify_set *set,
                         const struct verify_watch *watch, struct verify_result *ret,
                         int64_t *ret_probes, struct err *e)
{
    struct verify_result result = { .is_green = true };
    struct tally tally = { 0 };
    *ret_probes = 0;
    *ret = result;
    if (watch->duration_ms <= 0 || !has_address(set))
        return true;

    int64_t started_ms = clock_boot_ms();
    int64_t end_ms = started_ms + watch->duration_ms;
    /* A watch of d lasts about d / pause rounds; what may fail of those is known from the start. */
    int64_t rounds = watch->duration_ms / WATCH_PAUSE_MS + 1;
    double expected = (double)(rounds * (int64_t)set->n);
    double allowed = watch->max_error * expected;
    while (clock_boot_ms() < end_ms) {
        watch_round(spec, set, &tally, &result);
        if ((double)tally.failures > allowed) {
            result.is_green = false;
            break;
        }
        int64_t left_ms = end_ms - clock_boot_ms();
        report_note(spec->sink, spec->phase, "watching, %lld probes, %lld failed, %s left",
                    (long long)tally.probes, (long long)tally.failures,
                    clock_duration(spec->arena, left_ms > 0 ? left_ms : 0));
        if (!clock_sleep_ms(left_ms < WATCH_PAUSE_MS ? (left_ms > 0 ? left_ms : 1)
                                                     : WATCH_PAUSE_MS) ||
            signals_stop_asked())
            return err_set(e, ERR_INTERRUPTED, "stopped while watching");
    }
    if (result.is_green && (double)tally.failures > watch->max_error * (double)tally.probes)
        result.is_green = false;
    if (!result.is_green)
        result.result.why =
            arena_printf(spec->arena, "%s; %lld of %lld probes failed while watching",
                         result.result.why ? result.result.why : "red", (long long)tally.failures,
                         (long long)tally.probes);
    result.checks = set->n;
    *ret = result;
    *ret_probes = tally.probes;
    return true;
}

bool verify_error(const struct verify_result *red, struct err *e)
{
    const char *why = red->result.why ? red->result.why : "red";
    if (red->module)
        err_set(e, ERR_CHECK, "%s: %s (module %s)", red->failed, why, red->module);
    else
        err_set(e, ERR_CHECK, "%s: %s", red->failed, why);
    if (red->result.where)
        err_where(e, "%s", red->result.where);
    return err_id(e, "LF-V003");
}
