/*
 * Walking down the phase table. Every decision on the way down is here, and no work.
 *
 * CRASH    Before a phase its marker is committed as "intent", after it as "done". After a crash, a
 *          phase that is done is believed only if its probe, where it has one, says the world
 *          agrees; a phase that was begun is asked whether it took effect, and run again if not.
 */
#include "base/fault.h"
#include "base/signals.h"
#include "engine/flag_seal.h"
#include "engine/mitigate.h"
#include "engine/phase_table.h"
#include "engine/release.h"
#include "engine/unwind.h"

/* Is the phase wholly in effect from an earlier run? */
static bool phase_is_done(struct release *r, const struct phase *p, bool *ret_done, struct err *e)
{
    const struct step *marker = step_find(r, p->name, STEP_PHASE, p->name);
    *ret_done = false;
    if (!marker)
        return true;
    if (!p->probe) {
        *ret_done = marker->state == STEP_DONE;
        return true;
    }
    return p->probe(r, ret_done, e);
}

static bool finish(struct release *r, const struct phase *p, struct err *e)
{
    struct step *marker = step_find(r, p->name, STEP_PHASE, p->name);
    if (marker->state == STEP_DONE)
        return true;
    return step_done(r, marker, json_pack("{s:s}", "summary", r->summary), e);
}

static bool fly(struct release *r, const struct phase *p, struct err *e)
{
    struct step *marker;
    r->summary = "";
    r->red = (struct verify_result){ 0 };
    report_begin(r->sink, p->name, "%s", p->title);
    if (!step_intent(r, p->name, STEP_PHASE, p->name, NULL, &marker, e))
        return err_wrap(e, "%s: not started", p->name);
    if (!FAULT_POINT(arena_printf(r->arena, "phase.%s.begun", p->name), e) || !p->run(r, e) ||
        !FAULT_POINT(arena_printf(r->arena, "phase.%s.ran", p->name), e)) {
        report_done(r->sink, e->code == ERR_BLOCKED ? REPORT_WAIT : REPORT_FAIL, p->name, "%s",
                    e->why);
        return err_wrap(e, "%s", p->name);
    }
    if (!finish(r, p, e))
        return err_wrap(e, "%s: done but not recorded", p->name);
    report_done(r->sink, REPORT_OK, p->name, "%s", r->summary);
    return true;
}

static bool advance(struct release *r, const struct phase *p, struct err *e)
{
    bool is_done;
    if (!phase_is_done(r, p, &is_done, e))
        return err_wrap(e, "%s: ask how far it came", p->name);
    if (!is_done)
        return fly(r, p, e);
    r->summary = "done before";
    if (!finish(r, p, e))
        return false;
    report_begin(r->sink, p->name, "%s", p->title);
    report_done(r->sink, REPORT_SKIP, p->name, "in effect since before the interruption");
    return true;
}

/* A red check that names a module: without the module it may be green. Each flag is tried once. */
static bool rescue(struct release *r, const struct phase *p, struct err *e)
{
    while (mitigate(r, p, e)) {
        err_clear(e);
        if (fly(r, p, e))
            return true;
    }
    return false;
}

static const char *how_it_ended(struct release *r)
{
    const char *off = mitigate_text(r);
    return off ? arena_printf(r->arena, "live and proved, with a flag switched off: %s", off)
               : "live and proved";
}

bool release_walk(struct release *r, struct err *e)
{
    for (const struct phase *p = release_phases; p->name; p++) {
        if (signals_stop_asked()) {
            err_set(e, ERR_INTERRUPTED, "asked to stop before %s", p->name);
            return release_unwind(r, p, e);
        }
        if (!advance(r, p, e) && !rescue(r, p, e))
            return release_unwind(r, p, e);
    }
    if (!journal_state(r->journal, RELEASE_COMMITTED, how_it_ended(r), e)) {
        r->is_unrecorded = true;
        return release_unwind(r, release_phases, e);
    }
    flag_seal_waiting(r);
    return true;
}
