/*
 * The table of all verbs. A new one is declared here and gets a row in commands.c.
 */
#ifndef LOCKFLIGHT_COMMAND_COMMANDS_H
#define LOCKFLIGHT_COMMAND_COMMANDS_H

#include "cli/command.h"

extern const struct command cmd_plan;
extern const struct command cmd_serve;
extern const struct command cmd_ci;
extern const struct command cmd_deploy;
extern const struct command cmd_rollback;
extern const struct command cmd_resume;
extern const struct command cmd_status;
extern const struct command cmd_test;
extern const struct command cmd_verify;
extern const struct command cmd_lock;
extern const struct command cmd_unlock;
extern const struct command cmd_flags;
extern const struct command cmd_log;
extern const struct command cmd_site;
extern const struct command cmd_help;
extern const struct command cmd_init;
extern const struct command cmd_doctor;
extern const struct command cmd_local;
extern const struct command cmd_migration;
extern const struct command cmd_rehearse;
extern const struct command cmd_vars;
extern const struct command cmd_version;
extern const struct command cmd_complete;
extern const struct command cmd_completion;
extern const struct command cmd_man;

/* NULL-terminated, in the order of the overview. */
extern const struct command *const commands[];

#endif
