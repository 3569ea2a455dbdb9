/*
 * What the verbs that fly have in common: the open project and environment, who is asking, and the
 * progress that the engine's reports become.
 */
#ifndef LOCKFLIGHT_COMMAND_FLIGHT_H
#define LOCKFLIGHT_COMMAND_FLIGHT_H

#include "cli/command.h"
#include "cli/progress.h"
#include "engine/report.h"
#include "engine/target.h"

struct flight {
    struct command_context *c;
    struct config config;
    struct target target;
    const char *actor;
    struct progress *progress; /* NULL for verbs that only read */
    struct report_sink sink;
};

/* Loads the configuration and opens the environment. `with_progress`: reports are shown. Zeroes
 * `ret` first; flight_close may always follow. */
bool flight_open(struct command_context *c, const char *environment, bool with_progress,
                 struct flight *ret, struct err *e) MUST_USE;

/* Same with the database only. */
bool flight_open_database(struct command_context *c, const char *environment, struct flight *ret,
                          struct err *e) MUST_USE;

/* Sends the engine's reports to f->progress, which the caller has begun. */
void flight_listen(struct flight *f);

/* Ends the progress, so that the answer may be printed. */
void flight_quiet(struct flight *f);
void flight_close(struct flight *f);

static inline void flight_cleanup(struct flight *f)
{
    flight_close(f);
}

/* $LOCKFLIGHT_ACTOR, the CI job, git's user.name, the login name: the first there is. */
const char *flight_actor(struct command_context *c);
const char *flight_actor_in(struct arena *a);

#endif
