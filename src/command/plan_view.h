/*
 * A plan as people read it: every change with its undo beside it, what is at risk, and the gates.
 */
#ifndef LOCKFLIGHT_COMMAND_PLAN_VIEW_H
#define LOCKFLIGHT_COMMAND_PLAN_VIEW_H

#include "command/flight.h"
#include "engine/plan.h"

/* Makes the plan and prints it, as text or as one JSON document. `ret_changes` (may be NULL): it
 * has changes. */
bool plan_show(struct flight *f, const struct plan_options *options, const char *out,
               bool *ret_changes, struct err *e) MUST_USE;

#endif
