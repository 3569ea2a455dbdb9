/*
 * The verbs of `lockflight flags`. A new one is a file here, a line here and a row in flags.c.
 */
#ifndef LOCKFLIGHT_COMMAND_FLAGS_FLAGS_H
#define LOCKFLIGHT_COMMAND_FLAGS_FLAGS_H

#include "cli/command.h"

extern const struct command cmd_flags_eval;
extern const struct command cmd_flags_check;
extern const struct command cmd_flags_list;
extern const struct command cmd_flags_show;
extern const struct command cmd_flags_on;
extern const struct command cmd_flags_off;
extern const struct command cmd_flags_ramp;
extern const struct command cmd_flags_set;
extern const struct command cmd_flags_schedule;
extern const struct command cmd_flags_segment;
extern const struct command cmd_flags_history;
extern const struct command cmd_flags_revert;
extern const struct command cmd_flags_diff;
extern const struct command cmd_flags_promote;
extern const struct command cmd_flags_export;
extern const struct command cmd_flags_import;
extern const struct command cmd_flags_stale;
extern const struct command cmd_flags_archive;

#endif
