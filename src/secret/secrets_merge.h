/*
 * Two branches of one secrets file, merged line by line: what only one side changed is taken,
 * what both changed alike is taken once. No key is needed, and none would help to decide which of
 * two values of one variable is meant.
 */
#ifndef LOCKFLIGHT_SECRET_SECRETS_MERGE_H
#define LOCKFLIGHT_SECRET_SECRETS_MERGE_H

#include "secret/secrets_file.h"

/* Changes `ours`. ERR_CONFLICT names the variables, or recipients, that both sides changed, or says
 * that the key was changed on one side only; `ours` is of no use then. */
bool secrets_merge(const struct secrets_file *base, struct secrets_file *ours,
                   const struct secrets_file *theirs, struct err *e) MUST_USE;

#endif
