/*
 * Who this process is, in a form that another process on the same machine can check: may two
 * process ids be compared at all, and is the process of that id still the same one?
 */
#ifndef LOCKFLIGHT_ENGINE_RUNNER_IDENTITY_H
#define LOCKFLIGHT_ENGINE_RUNNER_IDENTITY_H

#include "base/arena.h"

struct runner_identity {
    char host[128];     /* name of the machine, for people */
    char host_key[256]; /* machine, boot and process space: equal means that process ids can be
                           compared */
    int pid;
    char pid_start[32]; /* when the process started, in clock ticks since boot */
};

void runner_identity_read(struct runner_identity *ret);

/* True only if it is certain: same host_key, and no live process with that id and start. */
bool runner_is_gone(const struct runner_identity *me, const char *host_key, int pid,
                    const char *pid_start);

#endif
