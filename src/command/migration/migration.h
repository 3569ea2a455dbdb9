/*
 * The verbs of `lockflight migration`. A new one is a file here, a line here and a row in
 * migration.c.
 */
#ifndef LOCKFLIGHT_COMMAND_MIGRATION_MIGRATION_H
#define LOCKFLIGHT_COMMAND_MIGRATION_MIGRATION_H

#include "cli/command.h"

extern const struct command cmd_migration_new;
extern const struct command cmd_migration_keep;
extern const struct command cmd_migration_reverse;
extern const struct command cmd_migration_prove;
extern const struct command cmd_migration_purge;
extern const struct command cmd_migration_status;
extern const struct command cmd_migration_lint;
extern const struct command cmd_migration_up;
extern const struct command cmd_migration_down;
extern const struct command cmd_migration_repair;
extern const struct command cmd_migration_baseline;
extern const struct command cmd_migration_import;

#endif
