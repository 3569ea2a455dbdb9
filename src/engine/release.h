/*
 * A release on its way: what it is, what it holds, and what every phase may use.
 *
 * CALLS   release_open (lease, plan, journal) → release_walk → release_close
 *         release_open_again (after a crash)  → release_walk or release_unwind → release_close
 *
 * A phase reads what earlier phases found out from their steps (step.h), never from a field here:
 * so a release that another machine picks up after a crash knows as much as the one that began it.
 */
#ifndef LOCKFLIGHT_ENGINE_RELEASE_H
#define LOCKFLIGHT_ENGINE_RELEASE_H

#include "engine/journal.h"
#include "engine/lease.h"
#include "engine/live.h"
#include "engine/phase.h"
#include "engine/plan.h"
#include "engine/report.h"
#include "engine/step.h"
#include "engine/target.h"
#include "engine/verify.h"

struct release_options {
    const char *actor;        /* who: "ana", "ci run 8123" */
    struct plan_options plan; /* what a person decided about gates */
    const char *prebuilt_dir; /* publish this folder instead of building; NULL: build */
    bool only_way_back;       /* after a crash: it will be taken back, so no plan is needed */
    int64_t wait_ms;          /* how long to wait for another runner */
    int64_t end_older_ms;     /* migrate/apply/apply.h */

    /* Asked once, under the lease and before anything is touched. False with *e set: nothing
     * happens. NULL: go. */
    bool (*agree)(void *context, const struct plan *plan, const struct live *live, struct err *e);

    /* Asked before a flag is switched off for a red check (mitigate.h). NULL: nobody can be asked. */
    bool (*offer)(void *context, const char *flag, const char *question);
    void *context;
};

struct release {
    struct arena *arena;
    struct target *target;
    const struct report_sink *sink;
    struct release_options options;
    struct lease *lease;
    struct journal *journal;
    struct step_list steps;
    struct live live;  /* as it was when this run began; after a crash: possibly half-way */
    struct plan *plan; /* NULL when only the way back is walked */
    const char *id, *name;
    enum layer reach;   /* after a crash: how far a person had asked to take it back; LAYER_NONE */
    const char *reason; /* after a crash: why the earlier run was on its way back; else NULL */
    enum release_state state; /* as the journal had it when this run began */
    const char *kind;         /* "deploy", "rollback" */
    bool is_resumed;          /* steps of an earlier run exist */
    bool is_live_already;     /* there is nothing to do: no journal was begun */
    bool may_lose_rows;       /* a person has typed that reverse scripts may lose rows */
    bool is_unrecorded;       /* the journal could not be written: nothing more may be done */
    bool stays_open;          /* asked to stop in the middle of what resume can finish */
    struct verify_result red; /* the check for which the running phase failed; failed NULL: none */
    const char *summary; /* what the running phase did, for its line; set with release_summary */
};

/* Takes the lease, makes the plan, asks `agree`, and starts the journal; unless exactly this is
 * live already, which ret->is_live_already tells. ERR_INTERRUPTED names an open release and the
 * commands to choose from. Zeroes `ret` first; release_close may always follow. */
bool release_open(struct arena *a, struct target *t, const struct report_sink *sink,
                  const struct release_options *options, struct release *ret,
                  struct err *e) MUST_USE;

/* The first two phases without the rest: makes the plan, asks its gates and runs the tests. Takes no
 * lease and writes nothing, so all of it may be different when the release begins; pairs that
 * nobody has proved yet are proved then. ERR_BLOCKED if it may not start, ERR_INTERRUPTED if another
 * one is not finished. Zeroes `ret` first; release_close may always follow. */
bool release_try(struct arena *a, struct target *t, const struct report_sink *sink,
                 const struct release_options *options, struct release *ret,
                 struct err *e) MUST_USE;

/* Takes an interrupted release over: lease, drain, journal, steps; ret->is_resumed is false when
 * none is open. Unless options->only_way_back the plan is made too; ERR_BLOCKED if the checkout is
 * not that release's content. */
bool release_open_again(struct arena *a, struct target *t, const struct report_sink *sink,
                        const struct release_options *options, struct release *ret,
                        struct err *e) MUST_USE;

/* Takes the lease, also past a manual lock, and reads what is live: for a rollback, which begins
 * its own journal. */
bool release_open_rollback(struct arena *a, struct target *t, const struct report_sink *sink,
                           const struct release_options *options, struct release *ret,
                           struct err *e) MUST_USE;

/* Gives the lease back and frees. Accepts a half-built release. */
void release_close(struct release *r);

static inline void release_cleanup(struct release *r)
{
    release_close(r);
}

/* Walks the phase table down; what fails is unwound (unwind.h) and the
 * error says how that ended. */
bool release_walk(struct release *r, struct err *e) MUST_USE;

/* ERR_BLOCKED: its site was built elsewhere, and nobody said where it is. Returns false. */
bool release_lacks_folder(const struct release *r, struct err *e);

/* From here on it goes back: a stop asked so far is being obeyed and must not cut the way back
 * short, and the calls that were kept in reserve for it may be made. */
void release_turn_back(struct release *r);

/* What the phase did, in a few words for its line: "2 deployed, digests confirmed". */
void release_summary(struct release *r, const char *fmt, ...) PRINTF(2, 3);

/* The name of the release that was live before, "" for the first. */
const char *release_previous_name(const struct release *r);

#endif
