/*
 * The ramp by itself, as `lockflight flags ramp … --steps` asks for it.
 */
#ifndef LOCKFLIGHT_COMMAND_FLAGS_RAMP_H
#define LOCKFLIGHT_COMMAND_FLAGS_RAMP_H

#include "command/flags/change.h"

struct flags_ramp_args {
    const struct flags_args *flags;
    const char *key;
    const char *variant; /* NULL: the only one that is not off */
    const char *steps;   /* "5,25,50,100" */
    int64_t every_ms;
};

/* Runs until the last step was held, or until red, a signal or somebody else ends it. */
bool flags_ramp_guarded(struct command_context *c, const struct flags_ramp_args *args,
                        struct err *e) MUST_USE;

#endif
