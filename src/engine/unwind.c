/*
 * Walking back up: see unwind.h. Every decision on the way up is here, and no work.
 */
#include "engine/unwind.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/strbuf.h"
#include "engine/mitigate.h"
#include "engine/phase_table.h"
#include "engine/previous.h"
#include "engine/release.h"

enum unwind_move unwind_decide(enum unwind_rule rule, enum knowledge knowledge)
{
    // clang-format off
    static const enum unwind_move moves[][3] = {
        /*                     nothing known     red               green     */
        [UNWIND_NOTHING]   = { MOVE_KEEP,        MOVE_KEEP,        MOVE_KEEP      },
        [UNWIND_ALWAYS]    = { MOVE_TAKE_BACK,   MOVE_TAKE_BACK,   MOVE_TAKE_BACK },
        [UNWIND_FIRST]     = { MOVE_TAKE_BACK,   MOVE_TAKE_BACK,   MOVE_KEEP      },
        [UNWIND_IF_RED]    = { MOVE_ASK,         MOVE_TAKE_BACK,   MOVE_KEEP      },
    };
    // clang-format on
    return moves[rule][knowledge];
}

/* ---- what stands ---- */

/* True if the phase has an effect that is not taken back; its marker alone is none. */
static bool has_effect(const struct release *r, const struct phase *p)
{
    for (size_t i = 0; i < r->steps.n; i++) {
        const struct step *s = &r->steps.v[i];
        if (streq(s->phase, p->name) && !streq(s->kind, STEP_PHASE) && step_stands(s))
            return true;
    }
    return false;
}

static const char *last_summary(struct release *r, const struct phase *p)
{
    const struct step *marker = step_find(r, p->name, STEP_PHASE, p->name);
    return marker ? json_text_or(marker->after, "summary", "") : "";
}

/* ---- the previous release's word ---- */

/* The release whose name the functions give now. */
static const char *functions_answer(struct release *r)
{
    const struct step *said = step_find(r, "functions", "functions", "release");
    if (!said)
        return live_functions_release(r->target, &r->live);
    return step_stands(said) ? r->name : json_text_or(said->before, "release", "");
}

static enum knowledge ask_previous(struct release *r)
{
    report_begin(r->sink, "verify", "Ask whether the previous release is green");
    if (!r->live.has_release) {
        report_done(r->sink, REPORT_OK, "verify",
                    "no release was live before: nothing to compare with");
        return KNOWS_GREEN;
    }
    struct verify_spec spec = {
        .arena = r->arena,
        .phase = "verify",
        .cwd = r->target->config->dir,
        .sink = r->sink,
        .values = target_check_values(r->target, functions_answer(r), r->target->site_url),
    };
    struct previous p = previous_ask(&spec, r->live.manifest);
    if (p.checks == 0) {
        report_done(r->sink, REPORT_FAIL, "verify",
                    "the previous release keeps no checks: no signal is not green");
        return KNOWS_RED;
    }
    if (!p.result.is_green) {
        report_done(r->sink, REPORT_FAIL, "verify", "%s: %s", p.result.failed, p.result.result.why);
        return KNOWS_RED;
    }
    report_done(r->sink, REPORT_OK, "verify", "the previous release's %s are green",
                previous_count(r->arena, &p));
    return KNOWS_GREEN;
}

/* ---- one layer ---- */

static bool take_back(struct release *r, const struct phase *p, struct err *e)
{
    r->summary = "";
    report_begin(r->sink, p->name, "Take back");
    int64_t started_ms = clock_boot_ms();
    struct step *marker = step_find(r, p->name, STEP_PHASE, p->name);
    if (marker && !step_undo_intent(r, marker, e))
        return false;
    struct err first = { 0 };
    bool ok =
        FAULT_POINT(arena_printf(r->arena, "undo.%s.begun", p->name), &first) && p->undo(r, &first);
    if (!ok && !r->is_unrecorded && first.code != ERR_FENCED && first.code != ERR_BLOCKED)
        ok = p->undo(r, &first); /* once more: taking back is absolute */
    if (!ok) {
        report_done(r->sink, REPORT_FAIL, p->name, "%s", first.why);
        *e = first;
        return err_wrap(e, "take back %s", p->name);
    }
    marker = step_find(r, p->name, STEP_PHASE, p->name);
    if (marker && !step_undone(r, marker, NULL, e))
        return false;
    report_done(r->sink, REPORT_UNDO, p->name, "%s, %s", r->summary,
                clock_duration(r->arena, clock_boot_ms() - started_ms));
    return true;
}

static void keep(struct release *r, const struct phase *p)
{
    report_begin(r->sink, p->name, "Keep");
    report_done(r->sink, REPORT_KEEP, p->name, "%s; stays, the previous release is green with it",
                last_summary(r, p));
}

/* ---- how it ended ---- */

struct ending {
    enum knowledge knowledge;
    size_t kept;
    size_t taken_back;
    bool is_stuck;
    struct err stuck; /* why */
};

static void describe_state(struct release *r, struct err *e)
{
    CLEANUP(strbuf) struct strbuf text = strbuf_init(sizeof e->state);
    size_t migrations = 0;
    for (size_t i = 0; i < r->steps.n; i++)
        migrations += streq(r->steps.v[i].kind, "migration") && step_stands(&r->steps.v[i]);
    const char *old = release_previous_name(r)[0] ? release_previous_name(r) : "as before";
    if (migrations > 0)
        (void)strbuf_printf(&text, "database ahead by %zu", migrations);
    else
        (void)strbuf_adds(&text, "database as before");
    (void)strbuf_printf(&text, " | functions %s | site %s",
                        has_effect(r, phase_find("functions")) ? r->name : old,
                        has_effect(r, phase_find("publish")) ? r->name : old);
    err_state(e, "%s", strbuf_text(&text));
}

/* The steps a person has left, in their order. */
static void say_what_is_left(struct release *r)
{
    for (const struct phase *p = phase_last(); p; p = phase_above(p)) {
        if (p->undo && has_effect(r, p))
            report_say(r->sink, "  left to take back: %s", p->name);
    }
}

static void end(struct release *r, const struct ending *ending, enum err_code cause, struct err *e)
{
    enum release_state state = RELEASE_ROLLED_BACK;
    const char *note = arena_strdup(r->arena, e->why[0] ? e->why : "taken back");
    if (ending->is_stuck) {
        state = RELEASE_STUCK;
        err_hint(e, "%s",
                 ending->stuck.hint[0]
                     ? ending->stuck.hint
                     : arena_printf(r->arena, "lockflight resume %s --unwind", r->target->name));
        report_warn(r->sink, "the way back stopped: %s", ending->stuck.why);
        err_recode(e, ERR_STUCK);
        say_what_is_left(r);
    } else if (ending->kept > 0) {
        err_recode(e, ERR_AHEAD);
        err_hint(e, "fix forward, or look first: lockflight rollback %s --through schema --dry-run",
                 r->target->name);
    } else if (ending->taken_back > 0 ||
               (cause != ERR_BLOCKED && cause != ERR_CONFIG && cause != ERR_AUTH)) {
        err_recode(e, ERR_UNDONE);
    } else {
        state = RELEASE_REFUSED;
    }
    if (state == RELEASE_REFUSED)
        err_state(e, "nothing was changed");
    else
        describe_state(r, e);
    struct err unwritten = { 0 };
    if (!journal_state(r->journal, state, note, &unwritten))
        report_warn(r->sink, "the end could not be recorded: %s", unwritten.why);
    if (cause == ERR_CHECK)
        report_say(r->sink, "Users saw the old site%s. Release %s is quarantined.",
                   step_find(r, "publish", "deploy", NULL) ? " again after the pointer went back"
                                                           : " throughout",
                   r->name);
}

/* A runner without lease or journal only stops; so does one that was asked to in the middle of what
 * resume can finish. */
static bool must_stop(const struct release *r, struct err *e)
{
    if (!r->is_unrecorded && e->code != ERR_FENCED && !r->stays_open)
        return false;
    if (e->code != ERR_FENCED)
        err_recode(e, ERR_INTERRUPTED);
    err_hint(e, "lockflight resume %s", r->target->name);
    return true;
}

/* The deadline of the unanswered call has passed here, but it may still be on its way there; taken
 * back before it lands, it would stand afterwards. */
static void let_late_call_land(struct release *r)
{
    struct lease_times times;
    struct err ignored = { 0 };
    if (!lease_times_read(&times, &ignored) || times.drain_ms <= times.request_ms)
        return;
    report_say(r->sink, "Waiting %s: the unanswered call may still land",
               clock_duration(r->arena, times.drain_ms - times.request_ms));
    (void)clock_sleep_ms(times.drain_ms - times.request_ms);
}

/* ---- until green ---- */

static bool one_layer(struct release *r, const struct phase *p, struct ending *ending,
                      struct err *e)
{
    if (!p->undo || !has_effect(r, p))
        return true;
    enum unwind_move move = unwind_decide(p->unwind, ending->knowledge);
    if (move == MOVE_ASK) {
        ending->knowledge = ask_previous(r);
        move = unwind_decide(p->unwind, ending->knowledge);
    }
    if (move == MOVE_KEEP) {
        keep(r, p);
        ending->kept++;
        return true;
    }
    if (!take_back(r, p, e))
        return false;
    ending->taken_back += p->unwind != UNWIND_ALWAYS;
    ending->kept += has_effect(r, p); /* what could not be taken back: a first deploy stays live */
    if (p->unwind != UNWIND_ALWAYS)
        ending->knowledge = ask_previous(r);
    return true;
}

static void layers_from(struct release *r, const struct phase *from, struct ending *ending,
                        struct err *e)
{
    for (const struct phase *p = from; p; p = phase_above(p)) {
        struct err failure = { 0 };
        if (one_layer(r, p, ending, &failure))
            continue;
        if (r->is_unrecorded || failure.code == ERR_FENCED) {
            r->is_unrecorded = true;
            *e = failure;
            return;
        }
        ending->is_stuck = true;
        ending->stuck = failure;
        return;
    }
    if (ending->knowledge == KNOWS_RED && ending->kept == 0 && ending->taken_back > 0) {
        ending->is_stuck = true;
        err_set(&ending->stuck, ERR_STUCK,
                "everything is as before, and the previous release is red all the same");
    }
}

bool release_unwind(struct release *r, const struct phase *failed, struct err *e)
{
    if (must_stop(r, e))
        return false;
    release_turn_back(r);
    enum err_code cause = e->code;
    struct err unwritten = { 0 };
    if (!journal_state(r->journal, RELEASE_REVERSING, e->why, &unwritten)) {
        r->is_unrecorded = true;
        (void)must_stop(r, e);
        return false;
    }
    /* Before anything is taken back, so that a crash on the way does not forget it. */
    if (cause == ERR_CHECK &&
        !journal_quarantine(r->lease, r->id, r->options.actor, e->why, &unwritten)) {
        r->is_unrecorded = true;
        (void)must_stop(r, e);
        return false;
    }
    if (cause == ERR_UNKNOWN_OUTCOME)
        let_late_call_land(r);
    mitigate_undo(r);
    bool anything = false;
    for (const struct phase *p = failed; p; p = phase_above(p))
        anything |= p->undo && p->unwind != UNWIND_ALWAYS && has_effect(r, p);
    if (anything)
        report_say(r->sink, "Unwinding, one layer at a time");
    struct ending ending = { 0 };
    layers_from(r, failed, &ending, e);
    if (must_stop(r, e))
        return false;
    end(r, &ending, cause, e);
    return false;
}

bool release_unwind_again(struct release *r, struct err *e)
{
    struct ending ending = { 0 };
    const char *reason = r->reason && r->reason[0] ? r->reason : "interrupted";
    if (r->reach != LAYER_NONE) {
        r->may_lose_rows = r->reach == LAYER_SCHEMA;
        return release_take_back(r, r->reach, reason, e);
    }
    release_turn_back(r);
    if (r->state != RELEASE_REVERSING && !journal_state(r->journal, RELEASE_REVERSING, reason, e))
        return err_wrap(e, "begin the way back");
    mitigate_undo(r);
    err_set(e, ERR_INTERRUPTED, "%s", reason);
    layers_from(r, phase_last(), &ending, e);
    if (must_stop(r, e))
        return false;
    end(r, &ending, ERR_INTERRUPTED, e);
    if (ending.is_stuck)
        return false;
    err_clear(e);
    return true;
}

/* ---- wholly ---- */

/* What the person asked for, so that a crash on the way does not make less of it. */
static bool remember_reach(struct release *r, enum layer through, struct err *e)
{
    json_auto_t *patch = json_pack("{s:i}", "take_back_through", (int)through);
    struct release_facts facts = { .manifest_patch = patch };
    return journal_facts(r->journal, &facts, e);
}

bool release_take_back(struct release *r, enum layer through, const char *reason, struct err *e)
{
    release_turn_back(r);
    if (!remember_reach(r, through, e) || !journal_state(r->journal, RELEASE_REVERSING, reason, e))
        return err_wrap(e, "begin the way back");
    struct ending ending = { 0 };
    mitigate_undo(r);
    err_set(e, ERR_INTERRUPTED, "%s", reason);
    for (const struct phase *p = phase_last(); p && !ending.is_stuck; p = phase_above(p)) {
        if (!p->undo || !has_effect(r, p))
            continue;
        if (p->layer > through) {
            report_begin(r->sink, p->name, "Keep");
            report_done(r->sink, REPORT_KEEP, p->name, "%s; stays", last_summary(r, p));
            ending.kept++;
            continue;
        }
        struct err failure = { 0 };
        if (take_back(r, p, &failure)) {
            ending.taken_back++;
            continue;
        }
        *e = failure;
        if (must_stop(r, e))
            return false;
        ending.is_stuck = true;
        ending.stuck = failure;
    }
    if (!ending.is_stuck && ask_previous(r) == KNOWS_RED) {
        ending.is_stuck = true;
        err_set(&ending.stuck, ERR_STUCK, "the previous release is red after the way back");
    }
    end(r, &ending, ERR_INTERRUPTED, e);
    if (ending.is_stuck)
        return false;
    err_clear(e);
    return true;
}
