/*
 * The verbs of `lockflight vars`. A new one is a file here, a line here and a row in vars.c.
 */
#ifndef LOCKFLIGHT_COMMAND_VARS_VARS_H
#define LOCKFLIGHT_COMMAND_VARS_VARS_H

#include "cli/command.h"

extern const struct command cmd_vars_check;
extern const struct command cmd_vars_key;
extern const struct command cmd_vars_set;
extern const struct command cmd_vars_unset;
extern const struct command cmd_vars_get;
extern const struct command cmd_vars_list;
extern const struct command cmd_vars_grant;
extern const struct command cmd_vars_revoke;
extern const struct command cmd_vars_rotate;
extern const struct command cmd_vars_who;
extern const struct command cmd_vars_diff;
extern const struct command cmd_vars_push;
extern const struct command cmd_vars_trust;
extern const struct command cmd_vars_accept;
extern const struct command cmd_vars_import;
extern const struct command cmd_vars_prune;
extern const struct command cmd_vars_textconv;
extern const struct command cmd_vars_merge;

#endif
