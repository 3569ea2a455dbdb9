/*
 * A saved plan: `plan --out FILE` writes what was shown, `deploy --plan FILE` flies exactly that or
 * nothing.
 */
#ifndef LOCKFLIGHT_COMMAND_PLAN_FILE_H
#define LOCKFLIGHT_COMMAND_PLAN_FILE_H

#include "engine/plan.h"

bool plan_file_write(struct arena *a, const char *path, const struct plan *plan,
                     const struct live *live, struct err *e) MUST_USE;

/* True if the plan made now is the saved one: same environment, source, live release, and the same
 * changes. ERR_BLOCKED names the first part that differs. */
bool plan_file_matches(struct arena *a, const char *path, const struct plan *plan,
                       const struct live *live, struct err *e) MUST_USE;

#endif
