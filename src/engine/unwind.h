/*
 * The way back of a release that failed, was stopped, or is not wanted any more.
 *
 * UNTIL GREEN   After a failure one layer is taken back and the previous release's checks are made;
 *               the first green state is kept, because every further step back would risk more than
 *               it gains. Then again.
 * WHOLLY        When a person asks for the way back, every layer within reach is taken back, and
 *               the checks are made once, at the end.
 *
 * A runner that has lost its lease or its journal takes nothing back: it stops, and `lockflight
 * resume` goes on.
 */
#ifndef LOCKFLIGHT_ENGINE_UNWIND_H
#define LOCKFLIGHT_ENGINE_UNWIND_H

#include "engine/phase.h"

/* What is known about the previous release while layers are taken back. */
enum knowledge {
    KNOWS_NOTHING,
    KNOWS_RED,
    KNOWS_GREEN,
};

enum unwind_move {
    MOVE_TAKE_BACK,
    MOVE_KEEP,
    MOVE_ASK, /* make the checks first, then decide again */
};

/* The whole decision, as a table of rule and knowledge. Pure. */
enum unwind_move unwind_decide(enum unwind_rule rule, enum knowledge knowledge);

/* Takes back until green, beginning with `failed`. `e` holds the cause and leaves with the code of
 * the outcome: its own if nothing was touched, ERR_UNDONE, ERR_AHEAD, ERR_STUCK or ERR_INTERRUPTED.
 * Always returns false. */
bool release_unwind(struct release *r, const struct phase *failed, struct err *e);

/* Takes an interrupted release back until green, whichever way it was going. True when it ended
 * well. */
bool release_unwind_again(struct release *r, struct err *e) MUST_USE;

/* Takes every layer up to `through` back, wholly. True when the environment is as before as far as
 * was asked. */
bool release_take_back(struct release *r, enum layer through, const char *reason,
                       struct err *e) MUST_USE;

#endif
