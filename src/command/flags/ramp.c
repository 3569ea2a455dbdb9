/*
 * `lockflight flags ramp <flag> --steps 5,25,100 --every 10m`: the verb of the guarded ramp
 * (engine/flag_ramp.h). Whom the steps move is shown and asked for once, before the first.
 */
#include "command/flags/ramp.h"

#include "base/clock.h"
#include "cli/output.h"
#include "cli/prompt.h"
#include "command/flight.h"
#include "engine/flag_ramp.h"

#define EVERY_LEAST_MS 1000
#define EVERY_MOST_MS  (7LL * 24 * 60 * 60 * 1000)

/* ---- what was asked for ---- */

static bool read_steps(struct arena *a, const char *text, const char **steps, size_t *ret_n,
                       struct err *e)
{
    struct str rest = str_of(text);
    int64_t before = 0;
    size_t n = 0;
    while (rest.n > 0) {
        const char *one = str_dup(a, str_trim(str_cut(&rest, ',')));
        int64_t thousandths = 0;
        if (!flags_percent(one, &thousandths, e))
            return err_wrap(e, "--steps");
        if (thousandths <= before) {
            err_set(e, ERR_USAGE, "--steps: %s is not more than what comes before it", one);
            return err_hint(e, "--steps 5,25,50,100");
        }
        if (n == FLAG_RAMP_STEPS_MOST)
            return err_set(e, ERR_LIMIT, "--steps: more than %d steps", FLAG_RAMP_STEPS_MOST);
        steps[n++] = one;
        before = thousandths;
    }
    *ret_n = n;
    return n > 0 || err_set(e, ERR_USAGE, "--steps is empty");
}

static bool check_every(int64_t every_ms, struct err *e)
{
    if (every_ms >= EVERY_LEAST_MS && every_ms <= EVERY_MOST_MS)
        return true;
    err_set(e, ERR_USAGE, "--every must be 1s to 7d: how long each step must stay green");
    return err_hint(e, "--every 10m");
}

/* ---- the ramp ---- */

static bool patch_for(void *context, const struct flag_row *row, const char *percent, json_t **ret,
                      struct err *e)
{
    int64_t thousandths;
    if (!flags_percent(percent, &thousandths, e))
        return false;
    *ret = flags_patch_percent(row, context, thousandths);
    return true;
}

/* The first step is where somebody might lose what they have; the others only grow. */
static bool agree(struct flags *f, const struct flag_row *row, const char *variant,
                  const char *const *steps, size_t n, struct err *e)
{
    struct command_context *c = f->c;
    CLEANUP(flags_difference) struct flags_difference d = { 0 };
    json_auto_t *patch = NULL;
    if (!patch_for((void *)(uintptr_t)variant, row, steps[0], &patch, e))
        return false;
    flags_difference_make(f, row, patch, &d);
    if (!flags_difference_asks(f, &d))
        return true;
    flags_difference_print(f, &d, &c->err);
    return prompt_continue(c, f->name,
                           arena_printf(c->arena, "Ramp %s in %s up to %s %%, by itself?", row->key,
                                        f->name, steps[n - 1]),
                           e);
}

static void answer(struct flags *f, struct flight *flight, const struct flags_ramp_args *args,
                   const char *last)
{
    struct command_context *c = f->c;
    if (c->wants_json)
        progress_event(flight->progress, "ramped",
                       json_pack("{s:s, s:s, s:s}", "environment", f->name, "flag", args->key,
                                 "percent", last));
    flight_quiet(flight);
    if (!c->wants_json)
        print(&c->out, "%s in %s is on for %s %%; every step stayed green.\n", args->key, f->name,
              last);
}

bool flags_ramp_guarded(struct command_context *c, const struct flags_ramp_args *args,
                        struct err *e)
{
    const char *steps[FLAG_RAMP_STEPS_MOST];
    size_t n = 0;
    struct flag_row row;
    CLEANUP(flags) struct flags f = { 0 };
    CLEANUP(flight) struct flight flight = { 0 };
    const char *variant = NULL;
    if (!read_steps(c->arena, args->steps, steps, &n, e) || !check_every(args->every_ms, e) ||
        !flags_open_to_write(c, args->flags, &f, e) || !flags_get(&f, args->key, &row, e) ||
        !flags_on_variant(&f, &row, args->variant, &variant, e) ||
        !agree(&f, &row, variant, steps, n, e) || !flight_open(c, f.name, true, &flight, e))
        return false;
    struct flag_ramp_spec spec = { .arena = c->arena,
                                   .target = &flight.target,
                                   .sink = &flight.sink,
                                   .by = f.by,
                                   .key = args->key,
                                   .steps = steps,
                                   .steps_n = n,
                                   .every_ms = args->every_ms,
                                   .patch = patch_for,
                                   .context = (void *)(uintptr_t)variant };
    if (!flag_ramp(&spec, e)) {
        flight_quiet(&flight);
        return false;
    }
    answer(&f, &flight, args, steps[n - 1]);
    return true;
}
