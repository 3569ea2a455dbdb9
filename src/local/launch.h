/*
 * The commands' side of the local platform: starting the daemon, asking it, stopping it.
 */
#ifndef LOCKFLIGHT_LOCAL_LAUNCH_H
#define LOCKFLIGHT_LOCAL_LAUNCH_H

#include "config/config.h"
#include "config/local_state.h"

#include <jansson.h>

struct launch {
    struct arena *arena;
    const struct config *config;
    const char *state_dir;
    const char *run_dir;
};

void launch_init(struct launch *l, struct arena *a, const struct config *c);

/* Starts the daemon unless it runs, and brings up every environment declared with platform =
 * "local". May be killed at any time: the next call goes on. */
bool launch_up(struct launch *l, struct local_platform *ret, bool *ret_was_up,
               struct err *e) MUST_USE;

/* Stops everything and waits until it is gone. Not running is success. */
bool launch_down(struct launch *l, bool *ret_was_up, struct err *e) MUST_USE;

/* {"ok":true,"pid":…,"parts":[…]}; ERR_BLOCKED if the platform is not up. */
bool launch_status(struct launch *l, json_t **ret, struct err *e) MUST_USE;

bool launch_reset(struct launch *l, const char *environment, struct err *e) MUST_USE;

#endif
