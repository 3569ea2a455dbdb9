/*
 * The steps of a release, as the journal has them, kept in memory beside it.
 *
 * RULE     Every effect on the world is one step: step_intent before it, step_done after it. A step
 *          that an earlier run already began keeps the before-image of its first attempt, because
 *          what is there now may be half of our own work.
 *
 * When the journal cannot be written the release is marked as unrecorded, and the walker stops
 * without another effect in either direction.
 */
#ifndef LOCKFLIGHT_ENGINE_STEP_H
#define LOCKFLIGHT_ENGINE_STEP_H

#include "base/json.h"
#include "engine/journal.h"

struct release;

struct step {
    int seq;
    const char *phase, *kind, *key;
    enum step_state state;
    json_t *before; /* NULL: none; owned by the list */
    json_t *after;  /* same */
};

struct step_list {
    struct step *v;
    size_t n;
    size_t capacity;
};

/* The kind of the one step per phase that the walker itself writes. */
#define STEP_PHASE "phase"

/* Commits the intent. Takes the reference to `before` (may be NULL). The returned step is valid
 * until the next step_intent. */
bool step_intent(struct release *r, const char *phase, const char *kind, const char *key,
                 json_t *before, struct step **ret, struct err *e) MUST_USE;

/* Many intents can be queued (pg_queue_begin). When the queue fails, nothing is known of them: ends
 * all effects. Returns false. */
bool step_unrecorded(struct release *r, struct err *e);

/* Notes what is known so far without finishing, such as the id of a deploy that was just created.
 * Takes `after`. */
bool step_progress(struct release *r, struct step *s, json_t *after, struct err *e) MUST_USE;

/* Commits the outcome. Takes `after` (NULL: what step_progress noted stays). */
bool step_done(struct release *r, struct step *s, json_t *after, struct err *e) MUST_USE;

bool step_undo_intent(struct release *r, struct step *s, struct err *e) MUST_USE;
bool step_undone(struct release *r, struct step *s, json_t *after, struct err *e) MUST_USE;

/* NULL if there is none. `key` NULL: the first of that kind. */
struct step *step_find(struct release *r, const char *phase, const char *kind, const char *key);

/* True if the step exists and is not taken back. */
bool step_stands(const struct step *s);

/* Reads the steps of an earlier run. */
bool step_load(struct release *r, struct err *e) MUST_USE;
void step_list_free(struct step_list *list);

#endif
