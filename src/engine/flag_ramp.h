/*
 * A guarded ramp: a flag's share of the users grows in steps, and each step must stay green for a
 * while before the next one.
 *
 *     green     the next step, until the last
 *     red       the flag is switched off for everyone at once; the reason names the check
 *     a signal  the last step stays, and that is said
 *     somebody  a change by anyone else ends the ramp and names them; theirs stays
 *
 * GUARDS    The environment's checks, backend and site, and every other check that names the flag as
 *           its module. They are made before the first step, so that nothing begins on red, and
 *           again and again while a step is held. No signal is not green: a check that cannot be
 *           made is red.
 *
 * Each step is a write of its own with the version that was seen, audited like any other. A ramp
 * holds no lock: a release may go on beside it. When this process dies, the last step stays.
 */
#ifndef LOCKFLIGHT_ENGINE_FLAG_RAMP_H
#define LOCKFLIGHT_ENGINE_FLAG_RAMP_H

#include "engine/report.h"
#include "engine/target.h"
#include "flag/store.h"

#define FLAG_RAMP_STEPS_MOST 20

struct flag_ramp_spec {
    struct arena *arena;
    struct target *target; /* open, with its hosts: checks need addresses */
    const struct report_sink *sink;
    struct flag_author by; /* the reason may be NULL */
    const char *key;
    const char *const *steps; /* percentages, growing: "5", "25", "100" */
    size_t steps_n;
    int64_t every_ms; /* how long each step is held */

    /* The state that serves the flag to so many percent, from what it is now. The caller of it owns
     * *ret. */
    bool (*patch)(void *context, const struct flag_row *row, const char *percent, json_t **ret,
                  struct err *e);
    void *context;
};

/* True: the last step was held, and is green. Otherwise *e has the end in `state`:
 *     ERR_BLOCKED      red before the first step: nothing was changed
 *     ERR_CHECK        red: the flag is off
 *     ERR_CONFLICT     somebody else changed the flag
 *     ERR_INTERRUPTED  a signal; the hint is the rest of the ramp */
bool flag_ramp(const struct flag_ramp_spec *spec, struct err *e) MUST_USE;

#endif
