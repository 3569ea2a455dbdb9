/*
 * The build: the command of netlify.toml, once, in its base folder, as its owner wrote it for a
 * shell.
 */
#ifndef LOCKFLIGHT_ENGINE_BUILD_H
#define LOCKFLIGHT_ENGINE_BUILD_H

#include "engine/report.h"
#include "engine/target.h"

#define BUILD_TIMEOUT_MS (30 * 60 * 1000) /* the hosted limit of a build */

/* Runs the build command with [build.environment] and the variables declared for netlify:build. Its
 * lines go to `sink` under `phase`, so that the last ones are shown when it fails. `*ret_dir` is
 * the publish folder. Without a command the folder is taken as it is. A failed build is ERR_IO. */
bool build_site(struct target *t, const struct report_sink *sink, const char *phase,
                const char **ret_dir, struct err *e) MUST_USE;

#endif
