/*
 * Help, made from the command tables: the overview, and the page of one command.
 */
#ifndef LOCKFLIGHT_CLI_HELP_H
#define LOCKFLIGHT_CLI_HELP_H

#include "cli/command.h"

/* `lockflight help`: all verbs by group, exit codes, where to look next. */
void help_overview(const struct command_context *c, const struct terminal *to);

/* `lockflight <path> --help`: examples first. */
void help_command(const struct command_context *c, const struct terminal *to,
                  const struct command *cmd, const char *path);

/* "lockflight deploy <environment> [options]" */
char *help_synopsis(struct arena *a, const struct command *cmd, const char *path);

/* "-r, --ref <git-ref>" */
char *help_option(struct arena *a, const struct option *o);

extern const char *const group_titles[GROUP_COUNT];

#endif
