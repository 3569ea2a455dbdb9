/*
 * A phase of a release: what it does, how it is taken back, and what to ask after a crash. The
 * table of all phases is phase_table.c; who decides is walk.c and unwind.c; a phase decides
 * nothing.
 *
 * CONTRACT
 *   run     Does the phase, or the rest of it when an earlier run died inside. Every effect is
 *           absolute ("make deploy X current") and stands between step_intent and step_done.
 *           Leaves its line with release_summary.
 *   undo    Takes back every step of the phase that stands, in any state, in reverse order; a phase
 *           half done is taken back as well as a whole one. May be called again after it failed.
 *   probe   Asks the world, never the journal, whether the whole phase is in effect. NULL: running
 *           it again is harmless.
 */
#ifndef LOCKFLIGHT_ENGINE_PHASE_H
#define LOCKFLIGHT_ENGINE_PHASE_H

#include "base/err.h"

struct release;

/* When a failed release is unwound: what happens to this phase's effects. */
enum unwind_rule {
    UNWIND_NOTHING, /* it has none */
    UNWIND_ALWAYS,  /* hidden and ours alone: removed without asking anybody */
    UNWIND_FIRST,  /* taken back if it is the topmost layer, or while the previous release is red */
    UNWIND_IF_RED, /* stays as long as the previous release is green with it, even if it failed
                      itself */
};

/* How far a rollback reaches: `--through site|functions|schema`. Each
 * includes the ones before it. */
enum layer {
    LAYER_NONE,
    LAYER_SITE,
    LAYER_FUNCTIONS,
    LAYER_SCHEMA,
};

struct phase {
    const char *name;  /* in the journal and in the left column of the progress */
    const char *title; /* what the user reads while it runs */
    bool (*run)(struct release *r, struct err *e);
    bool (*undo)(struct release *r, struct err *e);
    bool (*probe)(struct release *r, bool *ret_done, struct err *e);
    enum unwind_rule unwind;
    enum layer layer;
};

/* Ends with a row without a name. */
extern const struct phase release_phases[];

/* NULL if there is none. */
const struct phase *phase_find(const char *name);

/* The row above; NULL for the first. The last row with a name. */
const struct phase *phase_above(const struct phase *p);
const struct phase *phase_last(void);

#endif
