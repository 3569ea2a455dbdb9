/*
 * One event into the hash chain: lockflight.event_append, bound. journal.h is what the rest of the
 * program uses.
 */
#ifndef LOCKFLIGHT_ENGINE_EVENT_H
#define LOCKFLIGHT_ENGINE_EVENT_H

#include "provider/pg.h"

struct event {
    const char *target;
    const char *release_id; /* NULL: about the environment */
    int64_t epoch;
    const char *type;
    const char *body;  /* JSON text; NULL: {} */
    const char *nonce; /* uuid chosen once per event, so that a repeated write is one event */
};

/* Joins the open transaction, or is one by itself. */
bool event_append(struct pg *db, const struct event *v, struct err *e) MUST_USE;

#endif
