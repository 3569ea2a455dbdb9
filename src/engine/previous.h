/*
 * The word of a release that was live: its own checks, made again on whatever the environment is
 * now. What every way back is judged by, and what a new backend must pass before anybody sees it.
 *
 * Its `run` checks are scripts of its own checkout: they run in a copy of that commit, made for the
 * occasion, since this checkout's scripts may ask for what the old code never had. Where the commit
 * is not to be had (a shallow clone, a release of an uncommitted tree) they are left out, and the
 * count says so.
 */
#ifndef LOCKFLIGHT_ENGINE_PREVIOUS_H
#define LOCKFLIGHT_ENGINE_PREVIOUS_H

#include "engine/verify.h"

struct previous {
    struct verify_result result;
    size_t checks;  /* how many it keeps and could be made */
    size_t skipped; /* `run` checks whose commit is not here */
};

/* Makes all checks that `manifest` keeps. spec->cwd is this project; it is replaced for `run`
 * checks. */
struct previous previous_ask(const struct verify_spec *spec, const json_t *manifest);

/* "4 checks", "4 checks, 1 left out: its commit is not here" */
const char *previous_count(struct arena *a, const struct previous *p);

#endif
