/*
 * A verb inside a verb: `ci` and `init --staging` run others, each in a child of its own. Not a new
 * program: keys and credentials that are kept from other programs are there.
 */
#ifndef LOCKFLIGHT_COMMAND_VERB_H
#define LOCKFLIGHT_COMMAND_VERB_H

#include "cli/command.h"

struct verb {
    const struct command_context *parent;
    const char *const *words;       /* {"lockflight", "deploy", "staging", …, NULL} */
    void (*prepare)(void *context); /* in the child, before the verb; NULL: nothing to do */
    void *context;
};

/* Runs it with our streams to its end; *ret_status is its exit status, or 128 and the signal. A signal
 * that asks us to stop asks the child, once. No thread of ours may be running. False only if it could
 * not be started. */
bool verb_run(const struct verb *v, int *ret_status, struct err *e) MUST_USE;

#endif
